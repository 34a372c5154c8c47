/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_TOKEN_CODE_H
#define BONDY_SECURITY_TOKEN_CODE_H

/* code: authorization codes. oauth2-oidc.md 3.1; RFC 6749 4.1, RFC 7636; threat-model.md J7.
 *
 * A code lives 60 s and is good once, for the client, the redirect URI and the PKCE verifier it was
 * made for. One record (0x0A) in the realm of the client, named by a hash of client and code. Used
 * up, it remembers what it gave, as long as that lives: the second use ends that. The first use by
 * its client uses it up even when redirect or verifier are wrong: then it was stolen.
 *
 *     [pool]  bondy_code_look(view, &use)             who it is for
 *             bondy_refresh_prepare(), bondy_access_make()   when use.verdict is GOOD
 *     [job]   bondy_code_apply_redeem(edit, &use); when it is (still) GOOD: apply_issue of the
 *             refresh token, in the same job */

#include "src/security/token/refresh.h"

#define BONDY_CODE_TEXT 48
#define BONDY_CODE_LIFETIME_S 60u
#define BONDY_CODE_REDIRECT_MAX 2048u

/* 43 to 128 characters of RFC 7636's alphabet. Pure. */
bool bondy_code_is_verifier(struct bondy_slice verifier);
/* base64url of 32 octets, method S256. Pure. */
bool bondy_code_is_challenge(struct bondy_slice challenge);

struct bondy_code_issue {
    struct bondy_slice realm; /* canonical */
    struct bondy_slice client_id;
    struct bondy_slice redirect_uri; /* 1 to BONDY_CODE_REDIRECT_MAX octets */
    struct bondy_slice challenge;    /* is_challenge() */
    struct bondy_slice authid;
    uint32_t ugen, auth_ugen;
    struct bondy_slice device_id; /* empty: none */
    const json_t *only_groups;    /* NULL: all of the user's */
    char text[BONDY_CODE_TEXT];   /* filled by prepare; zero it after use */
    uint64_t now_ms;
};
/* [any] Makes the code of a (resolved) user; the caller fills the rest. */
void bondy_code_prepare(struct bondy_code_issue *issue, const struct bondy_user *user);
/* [in a store job] Stores it. BONDY_ENOENT with a problem as of bondy_refresh_apply_issue();
 * BONDY_EINVAL: redirect or challenge cannot be such. */
int bondy_code_apply_make(struct bondy_edit *edit, const struct bondy_code_issue *issue);

enum bondy_code_verdict {
    BONDY_CODE_GOOD,
    BONDY_CODE_UNKNOWN, /* no such code of this client, or its time is over */
    BONDY_CODE_ENDED,   /* the user is gone, disabled, or has other credentials */
    BONDY_CODE_REUSED,
    BONDY_CODE_WRONG_REDIRECT,
    BONDY_CODE_WRONG_VERIFIER
};

struct bondy_code_use {
    struct bondy_slice realm; /* canonical */
    struct bondy_slice client_id;
    struct bondy_slice redirect_uri;
    struct bondy_slice verifier;
    struct bondy_slice given; /* the code */
    /* What it gives, before apply_redeem. */
    struct bondy_slice access_id;  /* struct bondy_access_token: id */
    struct bondy_slice refresh_id; /* of the family; empty: none */
    uint64_t access_end_ms;

    enum bondy_code_verdict verdict;
    /* When it was found; owned. */
    char *authid;
    char *device_id;     /* NULL: none */
    json_t *only_groups; /* NULL: not limited */
};
/* [in views] Sets `verdict` and what belongs to it. apply_redeem is to be called whatever it is,
 * unless UNKNOWN. */
void bondy_code_look(const struct bondy_store_view *view, struct bondy_code_use *use);
/* [in a store job] Uses it up. A reused one ends what it gave. BONDY_OK whenever the store worked:
 * see `verdict`. */
int bondy_code_apply_redeem(struct bondy_edit *edit, struct bondy_code_use *use);
void bondy_code_use_fini(struct bondy_code_use *use);

#endif
