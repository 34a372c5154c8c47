/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/key.h"

#include <sodium.h>
#include <string.h>

#include "src/base/alloc.h"

#define SCOPE_AT 1
#define GEN_AT 17
#define SUBKEY_HASH 32

void bondy_store_scope_hash(struct bondy_slice scope, uint8_t out[BONDY_SCOPE_HASH_LEN])
{
    if (scope.len == 0)
        memset(out, 0, BONDY_SCOPE_HASH_LEN);
    else
        crypto_generichash(out, BONDY_SCOPE_HASH_LEN, (const unsigned char *)scope.data, scope.len,
                           NULL, 0);
}

void bondy_key_head(enum bondy_record_type type, const uint8_t scope_hash[BONDY_SCOPE_HASH_LEN],
                    uint32_t gen, uint8_t out[BONDY_KEY_HEAD])
{
    out[0] = (uint8_t)type;
    memcpy(out + SCOPE_AT, scope_hash, BONDY_SCOPE_HASH_LEN);
    for (int i = 0; i < 4; i++)
        out[GEN_AT + i] = (uint8_t)(gen >> (24 - 8 * i));
}

static void encode_head(enum bondy_record_type type, struct bondy_slice scope, uint32_t gen,
                        struct bondy_key_bytes *out)
{
    uint8_t hash[BONDY_SCOPE_HASH_LEN];

    bondy_store_scope_hash(scope, hash);
    bondy_key_head(type, hash, gen, out->bytes);
    out->len = BONDY_KEY_HEAD;
    out->is_hashed = false;
}

void bondy_key_prefix(const struct bondy_store_range *range, struct bondy_key_bytes *out)
{
    encode_head(range->type, range->scope, range->gen, out);
    if (range->is_any_scope) {
        out->len = SCOPE_AT;
    } else if (range->is_any_gen) {
        out->len = GEN_AT;
    } else if (range->prefix.len > 0) {
        BONDY_BUG_ON(range->prefix.len > BONDY_SUBKEY_KEPT);
        memcpy(out->bytes + out->len, range->prefix.data, range->prefix.len);
        out->len += range->prefix.len;
    }
}

void bondy_key_encode(const struct bondy_store_key *key, struct bondy_key_bytes *out)
{
    uint8_t *at = out->bytes + BONDY_KEY_HEAD;

    encode_head(key->type, key->scope, key->gen, out);
    if (key->subkey.len <= BONDY_SUBKEY_MAX) {
        if (key->subkey.len > 0)
            memcpy(at, key->subkey.data, key->subkey.len);
        out->len = BONDY_KEY_HEAD + key->subkey.len;
        return;
    }
    memcpy(at, key->subkey.data, BONDY_SUBKEY_KEPT);
    crypto_generichash(at + BONDY_SUBKEY_KEPT, SUBKEY_HASH, (const unsigned char *)key->subkey.data,
                       key->subkey.len, NULL, 0);
    out->len = BONDY_KEY_MAX;
    out->is_hashed = true;
}

bool bondy_key_decode(struct bondy_slice bytes, struct bondy_store_key *out)
{
    if (bytes.len < BONDY_KEY_HEAD || bytes.len > BONDY_KEY_MAX)
        return false;
    *out = (struct bondy_store_key){.type = (enum bondy_record_type)(uint8_t)bytes.data[0]};
    for (int i = 0; i < 4; i++)
        out->gen = out->gen << 8 | (uint8_t)bytes.data[GEN_AT + i];
    out->subkey = bondy_slice_skip(bytes, BONDY_KEY_HEAD);
    return true;
}

bool bondy_key_is_global(enum bondy_record_type type)
{
    return type == BONDY_RECORD_REALM ||
           (type >= BONDY_RECORD_API_SPEC && type <= BONDY_RECORD_LEASE &&
            type != BONDY_RECORD_RETAINED);
}

bool bondy_key_is_right(struct bondy_slice bytes, struct bondy_slice subkey)
{
    static const char nothing[BONDY_KEY_HEAD - SCOPE_AT];
    uint8_t hash[SUBKEY_HASH];
    struct bondy_store_key key;

    if (!bondy_key_decode(bytes, &key) || key.type < BONDY_RECORD_REALM ||
        key.type > BONDY_RECORD_LEASE || key.subkey.len == 0)
        return false;
    if (bondy_key_is_global(key.type) !=
        (memcmp(bytes.data + SCOPE_AT, nothing, BONDY_SCOPE_HASH_LEN) == 0))
        return false;
    if (bondy_key_is_global(key.type) && key.gen != 0)
        return false;
    if (subkey.len == 0)
        return true;
    if (subkey.len <= BONDY_SUBKEY_MAX || bytes.len != BONDY_KEY_MAX ||
        memcmp(key.subkey.data, subkey.data, BONDY_SUBKEY_KEPT) != 0)
        return false;
    crypto_generichash(hash, sizeof hash, (const unsigned char *)subkey.data, subkey.len, NULL, 0);
    return memcmp(hash, key.subkey.data + BONDY_SUBKEY_KEPT, sizeof hash) == 0;
}
