/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_TOKEN_API_KEY_H
#define BONDY_SECURITY_TOKEN_API_KEY_H

/* api_key: keys that stand for a user of a realm in HTTP requests. admin-http-api.md 8;
 * http-gateway.md "api_key".
 *
 * A key is "bondy_", its id and a secret; only a hash of the secret is stored (BLAKE2b: the secret
 * is random, there is nothing to guess). One record (0x0A) each, subkey `bondy.api_key NUL NUL id`,
 * which ends by itself when the key does. */

#include "src/security/entity/edit.h"
#include "src/security/entity/realm.h"

#define BONDY_API_KEY_TEXT 96
/* What the subkeys of these records begin with: for the feed. */
#define BONDY_API_KEY_HEAD BONDY_SLICE("bondy.api_key\0")

struct bondy_api_key {
    char id[33];
    char *authid; /* canonical username */
    uint32_t ugen;
    uint64_t created_ms, expires_ms; /* 0: never */
    json_t *cidrs;                   /* texts; empty: from anywhere */
    json_t *meta;
};

/* [any] Checks an input ({authid, expires_at?, cidrs?, meta?}) and makes what is stored and the
 * text of the key, which nobody sees again. The caller owns *prepared and zeroes `text` after use.
 * BONDY_EINVAL with *problem. */
int bondy_api_key_prepare(const struct bondy_edit *edit, const json_t *input, json_t **prepared,
                          char text[BONDY_API_KEY_TEXT], json_t **problem);
/* [in a store job] The result of add is the external form, without the key. */
int bondy_api_key_apply_add(struct bondy_edit *edit, struct bondy_slice realm,
                            const json_t *prepared);
int bondy_api_key_apply_delete(struct bondy_edit *edit, struct bondy_slice realm,
                               struct bondy_slice id);

/* [in views] External forms, by id; the caller owns the array. */
json_t *bondy_api_key_list(const struct bondy_store_view *view, const struct bondy_realm *realm);
/* Whose key it is: false when it is none, or not any more. `out` is to be ended with fini. The
 * caller checks the address and that the user is there, of this ugen and enabled. */
bool bondy_api_key_find(const struct bondy_store_view *view, const struct bondy_realm *realm,
                        struct bondy_slice text, struct bondy_api_key *out);
void bondy_api_key_fini(struct bondy_api_key *key);

#endif
