/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/id.h"

#include <jansson.h>
#include <sodium.h>
#include <string.h>

#include "src/base/clock.h"

/* Random bytes are drawn in blocks, since each draw is a system call; what was handed out is wiped.
 */
#define POOL_BYTES 2048

struct random_pool {
    unsigned char bytes[POOL_BYTES];
    size_t left;
};

static _Thread_local struct random_pool pool;
static uint64_t sequence;

int bondy_id_start(struct bondy_error *err)
{
    uint32_t seed = 0;

    if (sodium_init() < 0)
        return bondy_fail(err, BONDY_EIO, "libsodium could not be initialised");
    while (seed == 0)
        seed = randombytes_random();
    json_object_seed(seed);
    return BONDY_OK;
}

/* SplitMix64, for tests only. */
static uint64_t next_in_sequence(void)
{
    uint64_t z = (sequence += UINT64_C(0x9E3779B97F4A7C15));

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static void draw(void *out, size_t len)
{
    unsigned char *from;

    if (len > POOL_BYTES / 8) {
        randombytes_buf(out, len);
        return;
    }
    if (pool.left < len) {
        randombytes_buf(pool.bytes, sizeof pool.bytes);
        pool.left = sizeof pool.bytes;
    }
    pool.left -= len;
    from = pool.bytes + pool.left;
    memcpy(out, from, len);
    memset(from, 0, len);
}

uint64_t bondy_id_random(void)
{
    uint64_t id;

    if (sequence != 0)
        return (next_in_sequence() & (BONDY_ID_MAX - 1)) + 1;
    draw(&id, sizeof id);
    return (id & (BONDY_ID_MAX - 1)) + 1;
}

void bondy_id_bytes(void *out, size_t len)
{
    unsigned char *bytes = out;

    if (sequence == 0) {
        draw(out, len);
        return;
    }
    for (size_t i = 0; i < len; i++)
        bytes[i] = (unsigned char)next_in_sequence();
}

static void format_uuid(unsigned char bytes[16], unsigned version, char out[37])
{
    static const char digits[] = "0123456789abcdef";
    size_t at = 0;

    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | (version << 4));
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[at++] = '-';
        out[at++] = digits[bytes[i] >> 4];
        out[at++] = digits[bytes[i] & 0x0f];
    }
    out[at] = '\0';
}

void bondy_id_uuid4(char out[37])
{
    unsigned char bytes[16];

    bondy_id_bytes(bytes, sizeof bytes);
    format_uuid(bytes, 4, out);
}

void bondy_id_uuid7(char out[37])
{
    unsigned char bytes[16];
    uint64_t now = bondy_clock_wall_ms();

    bondy_id_bytes(bytes, sizeof bytes);
    for (int i = 5; i >= 0; i--) {
        bytes[i] = (unsigned char)(now & 0xff);
        now >>= 8;
    }
    format_uuid(bytes, 7, out);
}

void bondy_id_replace(uint64_t seed)
{
    sequence = seed;
    pool.left = 0;
}
