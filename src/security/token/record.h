/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_TOKEN_RECORD_H
#define BONDY_SECURITY_TOKEN_RECORD_H

/* record: records of tokens (0x0A), which end by themselves. Internal to src/security/token. */

#include "src/security/entity/edit.h"
#include "src/security/entity/realm.h"
#include "src/security/entity/user.h"

#define BONDY_TOKEN_HASH_TEXT 65 /* 64 hex digits */

struct bondy_store_key bondy_token_key(const struct bondy_realm *realm, struct bondy_slice subkey);
/* Always writes: what is written here is never the same as before. */
int bondy_token_put(struct bondy_edit *edit, const struct bondy_store_key *key, const json_t *body,
                    uint64_t expires_ms);

/* What is stored of a secret: BLAKE2b, since it is random and there is nothing to guess. */
void bondy_token_hash(struct bondy_slice secret, char out[BONDY_TOKEN_HASH_TEXT]);
/* Whether a stored hash is that of the secret; in constant time. */
bool bondy_token_hash_fits(const json_t *stored, const char *key, struct bondy_slice secret);
/* BLAKE2b over two texts, neither of which has a NUL: `a NUL b`. */
void bondy_token_name(struct bondy_slice a, struct bondy_slice b, uint8_t out[32]);

/* An integer member as a time; 0 when there is none. */
uint64_t bondy_token_ms(const json_t *stored, const char *key);
/* A text member, or NULL; the caller owns it. */
char *bondy_token_text(const json_t *stored, const char *key);

/* ---- users ------------------------------------------------------------------------------- */

/* The realm by any spelling, without keys; the caller owns a reference. NULL: there is none. */
struct bondy_realm *bondy_token_realm(const struct bondy_store_view *view, struct bondy_slice uri);
/* Whose token it may be, as it was when that was made. */
struct bondy_token_owner {
    struct bondy_slice authid;
    uint32_t ugen, auth_ugen;
    uint64_t since_ms;
};
/* Whether the user is still the one, enabled and with the same credentials; then `out` (NULL is
 * fine) is to be ended with fini. */
bool bondy_token_owner_stands(const struct bondy_store_view *view, const struct bondy_realm *realm,
                              const struct bondy_token_owner *owner, struct bondy_user *out);
/* The problem when it is not: BONDY_ENOENT. */
int bondy_token_owner_refuse(struct bondy_edit *edit);

#endif
