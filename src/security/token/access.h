/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_TOKEN_ACCESS_H
#define BONDY_SECURITY_TOKEN_ACCESS_H

/* access: access tokens: what is in one, and whether one still counts. oauth2-oidc.md 3.4.
 *
 * Two forms: RFC 9068's (`oauth2.token_format = rfc9068`: typ at+jwt, `exp` an instant, nbf, jti,
 * client_id, scope) and Bondy's own (`exp` is the lifetime). Bondy's claims (id, vsn, ion, kid,
 * auth, groups, meta) are in both, and `sid`, the id of the refresh family, when there is one.
 * Nothing is stored of an access token; what ends one early is denied.h, and what ends tickets too:
 * see bondy_tickets_valid_since(). */

#include "src/security/entity/realm.h"
#include "src/security/entity/user.h"
#include "src/security/token/rules.h"

struct bondy_access_issue {
    const struct bondy_token_rules *rules;
    const struct bondy_realm *realm;     /* where it was asked for */
    const struct bondy_realm *authrealm; /* user->authrealm, with its keys */
    const struct bondy_user *user;       /* resolved */
    struct bondy_slice client_id;        /* empty: "all" */
    struct bondy_slice device_id;        /* empty: "all" */
    struct bondy_slice host;             /* `iss` is host/authrealm; empty: the authrealm alone */
    struct bondy_slice sid;              /* of the refresh family; empty: none */
    /* Only those of the user's groups; NULL: all of them. A session of the token has no others. */
    const json_t *only_groups;
    unsigned lifetime_s;
};

struct bondy_access_token {
    char *jws;
    char id[37];     /* jti */
    json_t *groups;  /* what it is good for: the user's groups now, sorted; for `scope` */
    uint64_t end_ms; /* until when anybody could take it, leeway included: for denied.h */
    unsigned lifetime_s;
};

/* [pool thread] Claims and signature of a new access token; `out` is to be ended with fini when it
 * is BONDY_OK. BONDY_ENOENT: the realm has no signing key yet. */
int bondy_access_make(const struct bondy_access_issue *issue, struct bondy_access_token *out,
                      struct bondy_error *err);
/* Zeroes the token; of a zeroed one too. */
void bondy_access_fini(struct bondy_access_token *access);

/* ---- checking ---------------------------------------------------------------------------- */

struct bondy_access_question {
    const struct bondy_realms *realms;
    const struct bondy_realm *realm; /* where it is shown */
    struct bondy_slice jws;
    unsigned leeway_s;
};
struct bondy_access_checked {
    /* NULL: it is good; else "malformed", "unknown_key", "bad_signature", "invalid_token" (its
     * claims), "unknown_user", "disabled_user", "wrong_realm", "revoked" */
    const char *reason;
    json_t *claims; /* when the signature was good; the caller owns it */
};
/* [pool thread] Looks at everything: signature, times, realm, user, what was revoked. */
void bondy_access_check(const struct bondy_store_view *view,
                        const struct bondy_access_question *question,
                        struct bondy_access_checked *out);
/* [in views] The last part alone, for a verified token of this (resolved) user: "wrong_realm",
 * "revoked", or NULL: it stands. */
const char *bondy_access_standing(const struct bondy_store_view *view,
                                  const struct bondy_realm *realm, const struct bondy_user *user,
                                  const json_t *claims);
/* The groups that a session of a verified token has: NULL: all of the user's; else the caller owns
 * the array. */
json_t *bondy_access_groups(const struct bondy_user *user, const json_t *claims);

#endif
