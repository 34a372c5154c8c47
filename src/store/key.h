/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_STORE_KEY_H
#define BONDY_STORE_KEY_H

/* key: a record's key as octets: type(1), BLAKE2b-128 of the scope (16, zero for global types),
 * gen(4, big endian), subkey(0..480). A longer subkey becomes its first 448 octets and BLAKE2b-256
 * of the whole, which is then kept inside the record. cluster.md B2.3. Internal to src/store. */

#include "src/store/store.h"

#define BONDY_KEY_HEAD 21
#define BONDY_SUBKEY_MAX 480
#define BONDY_SUBKEY_KEPT 448 /* of a longer one */
#define BONDY_KEY_MAX (BONDY_KEY_HEAD + BONDY_SUBKEY_MAX)

struct bondy_key_bytes {
    uint8_t bytes[BONDY_KEY_MAX];
    size_t len;
    bool is_hashed; /* the subkey did not fit */
};

void bondy_key_encode(const struct bondy_store_key *key, struct bondy_key_bytes *out);
/* What stands before the subkey. */
void bondy_key_head(enum bondy_record_type type, const uint8_t scope_hash[BONDY_SCOPE_HASH_LEN],
                    uint32_t gen, uint8_t out[BONDY_KEY_HEAD]);
/* What all keys of a range start with. */
void bondy_key_prefix(const struct bondy_store_range *range, struct bondy_key_bytes *out);
/* False when it cannot be a key. `subkey` is borrowed. */
bool bondy_key_decode(struct bondy_slice bytes, struct bondy_store_key *out);

/* Whether octets from elsewhere are a key as this program writes them: a known type, a scope where
 * one belongs, and, with `subkey` (what the record keeps of a key that was too long; empty: none),
 * the right hash. */
bool bondy_key_is_right(struct bondy_slice bytes, struct bondy_slice subkey);
/* Types that have no scope and no generation. */
bool bondy_key_is_global(enum bondy_record_type type);

#endif
