/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_TOKEN_REFRESH_H
#define BONDY_SECURITY_TOKEN_REFRESH_H

/* refresh: refresh tokens, in families. oauth2-oidc.md 3.5; RFC 9700 4.14; threat-model.md J6.
 *
 * A family begins with a login; each use of its token (rotation) gives the next one. One record
 * (0x0A) each, in the realm that authenticates the user. A token is
 *
 *     bondy:rtoken:1:<base64url(family 16 ‖ secret 32)>.<base64url(SHA-256(canonical authid))>
 *
 * Stored are hashes only: the record is named by a hash of the family (the family's id, which is
 * shown in lists and is the claim `sid` of access tokens), below a hash of the user and one of
 * realm and client: another client's token is just not there. A secret that is not the current one
 * was used up: then the whole family ends, and its access tokens are denied.
 *
 * Only a job decides: of two uses of one token, one comes first. `apply` functions return BONDY_OK
 * whenever the store worked, the answer is in `verdict`: what a reuse revokes is kept. The way of a
 * refresh:
 *
 *     [pool]  bondy_refresh_look(view, &use)       whose it is
 *             bondy_access_make(...)               when use.verdict is GOOD
 *     [job]   bondy_refresh_apply_rotate(edit, &use)
 *     [any]   use.text, when use.verdict is (still) GOOD */

#include "src/security/token/access.h"

#define BONDY_REFRESH_TEXT 128
#define BONDY_REFRESH_ID 33 /* 32 hex digits */

/* ---- the text ---------------------------------------------------------------------------- */

struct bondy_refresh_parts {
    uint8_t family[16]; /* UUIDv7 */
    uint8_t secret[32];
    uint8_t owner[32]; /* SHA-256 of the authid */
};
/* Pure. False: it is no refresh token. Only one text stands for the same parts. */
bool bondy_refresh_parse(struct bondy_slice text, struct bondy_refresh_parts *out);
/* Pure; the inverse. */
void bondy_refresh_format(const struct bondy_refresh_parts *parts, char out[BONDY_REFRESH_TEXT]);
/* Pure. The family's id. */
void bondy_refresh_id(const struct bondy_refresh_parts *parts, char out[BONDY_REFRESH_ID]);

/* ---- a new family ------------------------------------------------------------------------ */

struct bondy_refresh_issue {
    const struct bondy_token_rules *rules;
    struct bondy_slice realm; /* canonical: where the client is */
    struct bondy_slice authid;
    uint32_t ugen, auth_ugen; /* of the user as it was resolved */
    struct bondy_slice client_id;
    struct bondy_slice device_id; /* empty: none */
    const json_t *only_groups;    /* what its access tokens are limited to; NULL: not */
    uint64_t access_end_ms;       /* struct bondy_access_token: end_ms */
    /* Filled by bondy_refresh_prepare(). */
    struct bondy_refresh_parts parts;
    char id[BONDY_REFRESH_ID];
    char text[BONDY_REFRESH_TEXT];
    uint64_t now_ms;
};
/* [any] Makes the token of a user, before the access token that names its id. The caller fills the
 * rest, and zeroes `parts` and `text` after use. */
void bondy_refresh_prepare(struct bondy_refresh_issue *issue, const struct bondy_user *user);
/* [in a store job] Stores it. A family of the same realm, client and device ends (its access tokens
 * do not), and so do those that would end first, above the limit. BONDY_ENOENT with a problem: the
 * user is not what it was: deleted, disabled, or with other credentials. */
int bondy_refresh_apply_issue(struct bondy_edit *edit, const struct bondy_refresh_issue *issue);

/* ---- using one --------------------------------------------------------------------------- */

enum bondy_refresh_verdict {
    BONDY_REFRESH_GOOD,
    BONDY_REFRESH_MALFORMED,
    BONDY_REFRESH_UNKNOWN, /* no such family of this realm and client, or it has ended */
    BONDY_REFRESH_ENDED,   /* the user is gone, disabled, or has other credentials */
    BONDY_REFRESH_REUSED   /* it had been used up */
};

struct bondy_refresh_use {
    const struct bondy_token_rules *rules;
    struct bondy_slice realm;     /* canonical: where the client is */
    struct bondy_slice client_id; /* who authenticated, or said so when it is a public client */
    struct bondy_slice given;     /* the token */
    uint64_t access_end_ms;       /* before apply_rotate */

    enum bondy_refresh_verdict verdict;
    /* Of look and rotate, when the family was found (also REUSED, ENDED); owned. */
    char id[BONDY_REFRESH_ID];
    char *authid;
    char *device_id;     /* NULL: none */
    json_t *only_groups; /* NULL: not limited */
    /* Of rotate, when GOOD. */
    char text[BONDY_REFRESH_TEXT];
    uint64_t end_ms; /* of the new token */
};
/* [in views] Whose it is, and whether it would do: sets `verdict` and what belongs to it. With
 * REUSED, rotate is still to be called: that is what ends the family. */
void bondy_refresh_look(const struct bondy_store_view *view, struct bondy_refresh_use *use);
/* [in a store job] Uses the token up and makes the next one, with its full lifetime, not beyond
 * that of the family. A reused one ends the family and denies its access tokens; within
 * oauth2.refresh_token.reuse_grace, the one before gives the current one again. */
int bondy_refresh_apply_rotate(struct bondy_edit *edit, struct bondy_refresh_use *use);
/* Zeroes the text. */
void bondy_refresh_use_fini(struct bondy_refresh_use *use);

/* ---- ending and listing ------------------------------------------------------------------ */

/* [in a store job] All deny the access tokens of what they end, and set edit->result: how many
 * families that were. The family of a token, if it is of this realm and client; an unknown token is
 * no error. */
int bondy_refresh_apply_revoke(struct bondy_edit *edit, struct bondy_slice realm,
                               struct bondy_slice client_id, struct bondy_slice text);
/* Those of a user of the realm: of one client, or of all when `client_id` is empty. In the realm
 * that authenticates the user, those of its other realms too. BONDY_ENOENT: no such user. */
int bondy_refresh_apply_revoke_user(struct bondy_edit *edit, struct bondy_slice realm,
                                    struct bondy_slice authid, struct bondy_slice client_id);
/* One of them by its id. BONDY_ENOENT: no such user or family. */
int bondy_refresh_apply_revoke_id(struct bondy_edit *edit, struct bondy_slice realm,
                                  struct bondy_slice authid, struct bondy_slice id);
/* [in a store job] One by its id, whoever has it: for what a code gave. `owner`: the authid. */
int bondy_refresh_apply_end(struct bondy_edit *edit, struct bondy_slice realm,
                            struct bondy_slice client_id, struct bondy_slice authid,
                            struct bondy_slice id);

/* [in views] Of a resolved user: an array of {id, client_id, device_id, realm, issued_at,
 * expires_at, last_used_at}, of those that are good, the newest first; the caller owns it. */
json_t *bondy_refresh_list(const struct bondy_store_view *view, const struct bondy_realm *realm,
                           const struct bondy_user *user);

#endif
