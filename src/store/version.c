/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/version.h"

#include <string.h>

#include "src/base/alloc.h"
#include "src/store/head.h"

#define WALL_MAX ((UINT64_C(1) << 48) - 1)
#define RESTART_GAP_MS 1000

void bondy_version_make(uint64_t wall_ms, uint16_t logical, const uint8_t writer[BONDY_WRITER_LEN],
                        uint8_t out[BONDY_VERSION_LEN])
{
    for (int i = 5; i >= 0; i--) {
        out[i] = (uint8_t)wall_ms;
        wall_ms >>= 8;
    }
    out[6] = (uint8_t)(logical >> 8);
    out[7] = (uint8_t)logical;
    memcpy(out + 8, writer, BONDY_WRITER_LEN);
}

uint64_t bondy_version_wall_ms(const uint8_t version[BONDY_VERSION_LEN])
{
    uint64_t wall = 0;

    for (int i = 0; i < 6; i++)
        wall = wall << 8 | version[i];
    return wall;
}

uint16_t bondy_version_logical(const uint8_t version[BONDY_VERSION_LEN])
{
    return (uint16_t)(version[6] << 8 | version[7]);
}

void bondy_hlc_start(struct bondy_hlc *hlc, const uint8_t *stored, uint64_t now_ms)
{
    uint64_t least = stored == NULL ? 0 : bondy_version_wall_ms(stored) + RESTART_GAP_MS;

    hlc->wall_ms = now_ms > least ? now_ms : least;
    hlc->logical = 0;
}

/* The next step of a (wall, logical) pair; a full counter carries into the wall clock. */
static void step(uint64_t *wall_ms, uint32_t *logical)
{
    if (*logical < UINT16_MAX) {
        (*logical)++;
        return;
    }
    BONDY_BUG_ON(*wall_ms >= WALL_MAX);
    (*wall_ms)++;
    *logical = 0;
}

static bool is_not_after(uint64_t wall_a, uint32_t logical_a, uint64_t wall_b, uint32_t logical_b)
{
    return wall_a < wall_b || (wall_a == wall_b && logical_a <= logical_b);
}

void bondy_hlc_next(struct bondy_hlc *hlc, uint64_t now_ms, const uint8_t *current,
                    uint8_t out[BONDY_VERSION_LEN])
{
    uint64_t wall = hlc->wall_ms;
    uint32_t logical = hlc->logical;

    if (now_ms > wall) {
        wall = now_ms;
        logical = 0;
    } else {
        step(&wall, &logical);
    }
    if (current != NULL && is_not_after(wall, logical, bondy_version_wall_ms(current),
                                        bondy_version_logical(current))) {
        wall = bondy_version_wall_ms(current);
        logical = bondy_version_logical(current);
        step(&wall, &logical);
    }
    /* A record from the future may force a version of the future; the clock itself stays behind. */
    if (wall <= now_ms + hlc->max_drift_ms || wall == hlc->wall_ms) {
        hlc->wall_ms = wall;
        hlc->logical = logical;
    }
    bondy_version_make(wall, (uint16_t)logical, hlc->writer, out);
}

bool bondy_hlc_observe(struct bondy_hlc *hlc, uint64_t now_ms, const uint8_t *remote)
{
    uint64_t wall = bondy_version_wall_ms(remote);
    uint32_t logical = bondy_version_logical(remote);

    if (wall > now_ms + hlc->max_drift_ms)
        return false;
    if (!is_not_after(wall, logical, hlc->wall_ms, hlc->logical)) {
        hlc->wall_ms = wall;
        hlc->logical = logical;
    }
    return true;
}

void bondy_hlc_save(const struct bondy_hlc *hlc, uint8_t out[BONDY_VERSION_LEN])
{
    bondy_version_make(hlc->wall_ms, (uint16_t)hlc->logical, hlc->writer, out);
}

/* ---- envelope ------------------------------------------------------------------------------- */

#define ENVELOPE_FORMAT 1
#define ENVELOPE_ITEMS 8
#define CRC_LEN 4

void bondy_envelope_encode(const struct bondy_envelope *envelope, struct bondy_buf *out)
{
    size_t start = out->len;
    uint32_t crc;

    bondy_head_put(out, BONDY_HEAD_ARRAY, ENVELOPE_ITEMS);
    bondy_head_put(out, BONDY_HEAD_UINT, ENVELOPE_FORMAT);
    bondy_head_put(out, BONDY_HEAD_UINT, envelope->flags);
    bondy_head_put(out, BONDY_HEAD_UINT, envelope->gen);
    bondy_head_put_bytes(out, bondy_slice_of(envelope->version, BONDY_VERSION_LEN));
    if (envelope->expires_ms == 0)
        bondy_head_put_null(out);
    else
        bondy_head_put(out, BONDY_HEAD_UINT, envelope->expires_ms);
    bondy_head_put(out, BONDY_HEAD_UINT, envelope->schema);
    bondy_head_put_bytes(out, envelope->body);
    if (envelope->subkey.len == 0)
        bondy_head_put_null(out);
    else
        bondy_head_put_bytes(out, envelope->subkey);
    crc = bondy_crc32c(bondy_slice_of(out->data + start, out->len - start));
    for (int shift = 24; shift >= 0; shift -= 8)
        bondy_buf_append_byte(out, (crc >> shift) & 0xff);
}

static bool take_fields(struct bondy_slice rest, struct bondy_envelope *out)
{
    uint64_t count, format, flags, gen, schema;
    struct bondy_slice version;

    if (!bondy_head_take(&rest, BONDY_HEAD_ARRAY, &count) || count != ENVELOPE_ITEMS ||
        !bondy_head_take(&rest, BONDY_HEAD_UINT, &format) || format != ENVELOPE_FORMAT ||
        !bondy_head_take(&rest, BONDY_HEAD_UINT, &flags) || flags > UINT32_MAX ||
        !bondy_head_take(&rest, BONDY_HEAD_UINT, &gen) || gen > UINT32_MAX ||
        !bondy_head_take_bytes(&rest, &version) || version.len != BONDY_VERSION_LEN)
        return false;
    if (!bondy_head_take_null(&rest) && !bondy_head_take(&rest, BONDY_HEAD_UINT, &out->expires_ms))
        return false;
    if (!bondy_head_take(&rest, BONDY_HEAD_UINT, &schema) || schema > UINT32_MAX ||
        !bondy_head_take_bytes(&rest, &out->body))
        return false;
    if (!bondy_head_take_null(&rest) && !bondy_head_take_bytes(&rest, &out->subkey))
        return false;
    out->flags = (unsigned)flags;
    out->gen = (uint32_t)gen;
    out->schema = (uint32_t)schema;
    memcpy(out->version, version.data, BONDY_VERSION_LEN);
    return rest.len == 0;
}

int bondy_envelope_decode(struct bondy_slice bytes, struct bondy_envelope *out,
                          struct bondy_error *err)
{
    uint32_t stored = 0;

    memset(out, 0, sizeof *out);
    if (bytes.len <= CRC_LEN)
        return bondy_fail(err, BONDY_EPROTO, "a record of %zu octets", bytes.len);
    bytes.len -= CRC_LEN;
    for (size_t i = 0; i < CRC_LEN; i++)
        stored = stored << 8 | (uint8_t)bytes.data[bytes.len + i];
    if (bondy_crc32c(bytes) != stored)
        return bondy_fail(err, BONDY_EPROTO, "a record with a wrong checksum");
    if (!take_fields(bytes, out))
        return bondy_fail(err, BONDY_EPROTO, "a record that is not an envelope of format %d",
                          ENVELOPE_FORMAT);
    return BONDY_OK;
}

#define CASTAGNOLI 0x82F63B78u

static uint32_t crc_by_table(struct bondy_slice bytes)
{
    static uint32_t table[256];
    static bool is_made;
    uint32_t crc = ~0u;

    /* Several threads may make the same table at once: they write the same values. */
    if (!__atomic_load_n(&is_made, __ATOMIC_ACQUIRE)) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t value = i;

            for (int bit = 0; bit < 8; bit++)
                value = value & 1 ? value >> 1 ^ CASTAGNOLI : value >> 1;
            __atomic_store_n(&table[i], value, __ATOMIC_RELAXED);
        }
        __atomic_store_n(&is_made, true, __ATOMIC_RELEASE);
    }
    for (size_t i = 0; i < bytes.len; i++)
        crc = crc >> 8 ^
              __atomic_load_n(&table[(crc ^ (uint8_t)bytes.data[i]) & 0xff], __ATOMIC_RELAXED);
    return ~crc;
}

#if defined(__x86_64__)
/* The instruction that was made for this sum; every read and write of a record takes it. */
__attribute__((target("sse4.2"))) static uint32_t crc_by_cpu(struct bondy_slice bytes)
{
    uint64_t crc = ~0u, eight;
    uint32_t rest;

    for (; bytes.len >= sizeof eight; bytes = bondy_slice_skip(bytes, sizeof eight)) {
        memcpy(&eight, bytes.data, sizeof eight);
        crc = __builtin_ia32_crc32di(crc, eight);
    }
    rest = (uint32_t)crc;
    for (size_t i = 0; i < bytes.len; i++)
        rest = __builtin_ia32_crc32qi(rest, (uint8_t)bytes.data[i]);
    return ~rest;
}

uint32_t bondy_crc32c(struct bondy_slice bytes)
{
    return __builtin_cpu_supports("sse4.2") ? crc_by_cpu(bytes) : crc_by_table(bytes);
}
#else
uint32_t bondy_crc32c(struct bondy_slice bytes)
{
    return crc_by_table(bytes);
}
#endif
