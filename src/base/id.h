/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_BASE_ID_H
#define BONDY_BASE_ID_H

/* id: WAMP ids, UUIDs and random bytes (libsodium). Safe in every thread after bondy_id_start(). */

#include <stddef.h>
#include <stdint.h>

#include "src/base/error.h"

/* WAMP, Identifiers: ids are integers from 1 to 2^53. */
#define BONDY_ID_MAX (UINT64_C(1) << 53)

/* Initialises libsodium and seeds jansson's hash; once, before any other thread exists. */
int bondy_id_start(struct bondy_error *err);
/* WAMP, Global Scope IDs: drawn over the full range 1..2^53, each value equally likely. */
uint64_t bondy_id_random(void);
void bondy_id_bytes(void *out, size_t len);
/* Text of a UUID, lower case with dashes and a NUL: 37 bytes. */
void bondy_id_uuid4(char out[37]);
/* UUIDv7 (RFC 9562): sorts by the time it was made. */
void bondy_id_uuid7(char out[37]);

/* Tests: ids come from a fixed sequence started by `seed`, so that a script gives the same bytes
 * every time; 0 goes back to random ones. */
void bondy_id_replace(uint64_t seed);

#endif
