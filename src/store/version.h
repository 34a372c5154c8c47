/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_STORE_VERSION_H
#define BONDY_STORE_VERSION_H

/* version: hybrid logical clock and the envelope around each record. Pure. cluster.md B2.2 and
 * B2.3; Kulkarni and others, "Logical Physical Clocks", 2014.
 *
 * A version is 16 octets that compare with memcmp: wall clock in ms (48 bit), logical counter (16
 * bit), writer (64 bit), all big endian. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/base/buf.h"
#include "src/base/error.h"
#include "src/base/slice.h"

#define BONDY_VERSION_LEN 16
#define BONDY_WRITER_LEN 8
/* The wall clock of built-in defaults (cluster.md B2.5). */
#define BONDY_BUILTIN_WALL_MS 1

struct bondy_hlc {
    uint64_t wall_ms;
    uint32_t logical;
    uint8_t writer[BONDY_WRITER_LEN];
    uint64_t max_drift_ms; /* versions stamped further ahead never move the clock */
};

void bondy_version_make(uint64_t wall_ms, uint16_t logical, const uint8_t writer[BONDY_WRITER_LEN],
                        uint8_t out[BONDY_VERSION_LEN]);
uint64_t bondy_version_wall_ms(const uint8_t version[BONDY_VERSION_LEN]);
uint16_t bondy_version_logical(const uint8_t version[BONDY_VERSION_LEN]);

/* After a restart: one second ahead of what was stored, or the wall clock if that is later.
 * `stored` may be NULL. */
void bondy_hlc_start(struct bondy_hlc *hlc, const uint8_t *stored, uint64_t now_ms);
/* The version of a local write of a key whose current version is `current` (NULL: none): greater
 * than every version made before and than `current`, whatever the wall clock says. */
void bondy_hlc_next(struct bondy_hlc *hlc, uint64_t now_ms, const uint8_t *current,
                    uint8_t out[BONDY_VERSION_LEN]);
/* A record from elsewhere was seen. False: it is stamped more than max_drift_ms ahead, the own
 * clock was left alone (raise an alarm). */
bool bondy_hlc_observe(struct bondy_hlc *hlc, uint64_t now_ms, const uint8_t *remote);
/* What to persist. */
void bondy_hlc_save(const struct bondy_hlc *hlc, uint8_t out[BONDY_VERSION_LEN]);

#define BONDY_ENVELOPE_TOMBSTONE 1u
#define BONDY_ENVELOPE_SEALED 2u

/* [1, flags, gen, version, expires_ms|null, schema, body, subkey|null] in CBOR, then CRC32C of
 * that, 4 octets big endian. `subkey` is there when the key held only its hash. */
struct bondy_envelope {
    unsigned flags;
    uint32_t gen;
    uint8_t version[BONDY_VERSION_LEN];
    uint64_t expires_ms; /* 0: null */
    uint32_t schema;
    struct bondy_slice body;   /* borrowed */
    struct bondy_slice subkey; /* borrowed; empty: null */
};

void bondy_envelope_encode(const struct bondy_envelope *envelope, struct bondy_buf *out);
/* BONDY_EPROTO: not an envelope, or its checksum is wrong. `out` borrows from `bytes`. */
int bondy_envelope_decode(struct bondy_slice bytes, struct bondy_envelope *out,
                          struct bondy_error *err);

/* CRC-32C (Castagnoli), as in RFC 3720. */
uint32_t bondy_crc32c(struct bondy_slice bytes);

#endif
