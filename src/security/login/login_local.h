/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_LOGIN_LOGIN_LOCAL_H
#define BONDY_SECURITY_LOGIN_LOGIN_LOCAL_H

/* login_local: what the files of login share; nobody else includes it.
 *
 * A login is on its loop's thread or, while `is_away`, on a pool's: never on both. */

#include <pthread.h>
#include <stdatomic.h>

#include "src/base/wheel.h"
#include "src/security/login/auth.h"
#include "src/security/credential/cra.h"
#include "src/security/credential/cryptosign.h"
#include "src/security/credential/scram.h"
#include "src/security/login/throttle.h"
#include "src/security/entity/user.h"
#include "src/wamp/errors.h"

#define BONDY_LOGIN_SECRET_LEN 32
#define BONDY_LOGIN_METHODS_MAX 16 /* offered by a client; more are not looked at */

struct bondy_auth {
    struct bondy_auth_options options;
    struct bondy_login_ops ops;
    pthread_mutex_t lock; /* guards is_released */
    pthread_cond_t released;
    bool is_released;
    /* What does not exist looks the same at every attempt. */
    uint8_t secret[BONDY_LOGIN_SECRET_LEN];
    uint8_t router_seed[BONDY_ROUTER_KEY_LEN], router_key[BONDY_ROUTER_KEY_LEN];
    _Atomic uint64_t revocations;
};

struct bondy_login_method {
    const char *name;
    bool needs_authid;
    bool is_secret_sent; /* AUTHENTICATE carries the secret itself */
    bool is_slow;        /* verifying derives keys */
    bool reads_store;    /* verifying looks things up */
    bool is_outside;     /* for bondy_auth_check() alone: HTTP has it, WAMP has not */
    bool is_certificate; /* the client's certificate proves it: it must name the user */
    /* Whether the user has what it takes; NULL: every user. */
    bool (*suits)(const struct bondy_user *user);
    /* Makes login->extra; NULL: there is no challenge. False: the login was refused. For a login
     * that is doomed too: it looks the same. */
    bool (*challenge)(struct bondy_login *login);
    /* Whether the answer is right; NULL: nothing to be right about. */
    bool (*verify)(struct bondy_login *login);
};

struct bondy_login {
    struct bondy_work work;
    struct bondy_auth *auth;
    struct bondy_loop *loop;
    void (*done)(struct bondy_login *login, void *context);
    void *context;
    bool is_away;  /* a pool has it */
    bool is_ended; /* whoever began it has left: freed when it is back */
    struct bondy_timer delay;
    uint32_t delay_ms; /* the answer has to wait (throttling) */

    /* What was asked. */
    struct bondy_realm *realm;
    uint64_t session_id;
    json_t *details; /* HELLO.Details */
    const json_t *authextra;
    struct bondy_login_peer peer;
    char source[BONDY_ADDRESS_TEXT];
    struct bondy_slice authid; /* as given, in details; empty: none */
    bool is_check;             /* bondy_auth_check(): no challenge */
    bool takes_no_questions;   /* ... and no authenticator */
    struct bondy_slice cookie; /* the realm's ticket among the transport's cookies; owned */

    /* What was found. */
    const struct bondy_login_method *offered[BONDY_LOGIN_METHODS_MAX]; /* that the realm has */
    size_t offered_count;
    const struct bondy_login_method *method;
    bool is_dynamic; /* the realm's authenticator decides */
    bool has_user;
    struct bondy_user user;
    struct bondy_name name;  /* canonical, or what an unknown one would be */
    struct bondy_name typed; /* what was asked for, folded; an alias stays one */
    struct bondy_principal *principal;
    uint64_t principal_seq; /* of what was read of it */
    json_t *granted;        /* roles that a ticket gives instead of the user's groups, or NULL */
    json_t *chosen;         /* roles that the client chose, or NULL */
    json_t *bad_roles;      /* of these, those it does not have */
    json_t *meta;           /* of the user and its groups */
    /* It is not let in, whatever it answers; why, for the audit log. */
    const char *doom;
    bool is_guess; /* it was refused for what somebody who guesses would send: counted */

    /* Of the method. */
    struct bondy_password_cra cra;
    struct bondy_buf cra_text;
    struct bondy_scram scram;
    struct bondy_cryptosign cryptosign;
    bool is_cra_salted;
    char scram_verifier[BONDY_SCRAM_VERIFIER_TEXT];
    json_t *ticket;         /* claims */
    json_t *token;          /* of identity.token */
    const char *scram_word; /* of a wrong answer */

    /* AUTHENTICATE. */
    char *signature; /* NUL-terminated */
    size_t signature_len;
    json_t *answer_extra;

    /* What comes out. */
    json_t *extra;         /* of CHALLENGE, ABORT, ASK */
    json_t *welcome_extra; /* {authextra, x_authroles} */
    char *texts;           /* of ABORT and of the identity */
    struct bondy_slice *groups;
    struct bondy_login_answer answer;
};

/* Nobody in particular, unless there is a user or somebody who vouches for it. */
static inline bool bondy_login_is_somebody(const struct bondy_login *login)
{
    return login->has_user || login->is_dynamic || login->granted != NULL;
}

static inline struct bondy_slice bondy_login_signature(const struct bondy_login *login)
{
    return bondy_slice_of(login->signature, login->signature_len);
}

/* ---- login.c ---- */
/* Each sets the answer. `reason` is static text; `message` is copied. */
void bondy_login_refuse(struct bondy_login *login, const char *reason, const char *message);
/* Wrong credentials, or what has to look like them: one reason and one text for all of them. */
void bondy_login_deny(struct bondy_login *login, const char *cause);
/* The login will be denied after the challenge: `cause` (static) is the true reason. */
void bondy_login_doom(struct bondy_login *login, const char *cause);

/* ---- login_find.c: [pool] who it is, and how it may prove it ---- */
/* Ends with a challenge, a welcome, or a refusal. */
void bondy_login_find(struct bondy_login *login);

/* ---- login_user.c: [pool] ---- */
/* NULL: refused, the store cannot be read. */
struct bondy_store_view *bondy_login_begin_view(struct bondy_login *login);
/* Reads the user behind `login->name` and its principal. The view is the caller's; NULL: refused.
 */
struct bondy_store_view *bondy_login_read_user(struct bondy_login *login);
void bondy_login_drop_user(struct bondy_login *login);
/* What the user and its groups say of it, into login->meta. */
void bondy_login_collect_meta(struct bondy_login *login, const struct bondy_store_view *view,
                              const json_t *groups);

/* ---- login_welcome.c: [pool] ---- */
/* Those of the user, or that somebody else vouches for; borrowed. */
json_t *bondy_login_groups(const struct bondy_login *login);
/* Looks at the roles that the client asks for; false: refused. */
bool bondy_login_read_roles(struct bondy_login *login);
/* Names those in `bad_roles`. */
void bondy_login_refuse_roles(struct bondy_login *login);
/* The identity of a login that was right. */
void bondy_login_welcome(struct bondy_login *login);

/* ---- login_methods.c ---- */
const struct bondy_login_method *bondy_login_method(struct bondy_slice name);
/* The text of a member of authextra; empty. */
struct bondy_slice bondy_login_extra(const struct bondy_login *login, const char *key);

/* ---- login_token.c ---- */
bool bondy_login_verify_ticket(struct bondy_login *login);
/* The ticket of a cookie; fills login->ticket, and `granted` with what it says of roles. */
bool bondy_login_verify_cookie(struct bondy_login *login);
bool bondy_login_verify_token(struct bondy_login *login);
/* ---- login_api_key.c: [pool] ---- */
/* Whose key it is, and whether it is let in: the whole login. */
void bondy_login_find_by_api_key(struct bondy_login *login);
bool bondy_login_verify_api_key(struct bondy_login *login);

/* ---- login_secret.c ---- */
/* The router's key pair; from auth->secret. */
void bondy_login_derive_router_key(struct bondy_auth *auth);
/* The stored one; a new one is on its way to the store when there is none. */
void bondy_login_secret(const struct bondy_auth_options *options,
                        uint8_t out[BONDY_LOGIN_SECRET_LEN]);

/* ---- login_dynamic.c: the realm's own authenticator ---- */
bool bondy_login_is_dynamic(const struct bondy_login *login,
                            const struct bondy_login_method *method);
/* Asks now, or challenges first and asks with the answer. */
void bondy_login_begin_dynamic(struct bondy_login *login);
void bondy_login_answer_dynamic(struct bondy_login *login);
void bondy_login_take_dynamic(struct bondy_login *login, const json_t *result, const char *error);

#endif
