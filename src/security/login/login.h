/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_LOGIN_LOGIN_H
#define BONDY_SECURITY_LOGIN_LOGIN_H

/* login: lets somebody into a realm, or not. realms-and-security.md 3; wamp.md AUTH.
 *
 * One `struct bondy_auth` for the process holds what logins share. One `struct bondy_login` is one
 * attempt of one client:
 *
 *   begin -> CHALLENGE -> answer -> WELCOME      (or ABORT instead of any of them)
 *        `-> WELCOME
 *
 * A login belongs to the loop thread that began it. Looking a user up and deriving keys happen on
 * pools; each step ends with `done` on the login's loop. Where there are no pools (tests) `done` is
 * called before the function returns. ASK may come in between: a procedure of the realm has to be
 * called (dynamic authenticator), and bondy_login_told() says what it answered.
 *
 * The router does not call these functions: it is handed them as a table (struct bondy_login_ops),
 * so that it can be tested without a store. */

#include <stdint.h>

#include "src/base/json.h"
#include "src/security/credential/binding.h"
#include "src/security/login/identity.h"
#include "src/security/entity/realm.h"
#include "src/sys/loop.h"
#include "src/sys/net.h"

struct bondy_auth;
struct bondy_login;

#define BONDY_CHANNEL_ID_MAX 64
#define BONDY_BINDINGS (BONDY_BINDING_TLS_EXPORTER + 1)
#define BONDY_CERTIFICATE_NAME_MAX 256 /* with NUL */

/* Where the client is. Copied by begin. */
struct bondy_login_peer {
    struct bondy_address address; /* of a Unix socket: AF_UNIX */
    bool is_secure;               /* TLS, or it never leaves this machine: clear text may be sent */
    /* By enum bondy_binding (RFC 5929, RFC 9266); 0 octets: not to be had. */
    uint8_t channel_ids[BONDY_BINDINGS][BONDY_CHANNEL_ID_MAX];
    size_t channel_id_lens[BONDY_BINDINGS];
    /* The common name of the certificate that the client showed on this very connection, and that
     * was checked; "": none. Who bears it may log in by `tls` (AUTH-TLS-1). */
    char certificate[BONDY_CERTIFICATE_NAME_MAX];
    /* A Cookie header that came with the transport's request and may be used (its Origin was
     * checked); empty: none. Only the ticket of the login's realm is copied. */
    struct bondy_slice cookies;
};

struct bondy_login_request {
    const struct bondy_realm *realm; /* a reference is taken */
    uint64_t session_id;             /* that WELCOME would have */
    const json_t *details;           /* HELLO.Details: authid, authmethods, authrole, ... */
    const struct bondy_login_peer *peer;
    struct bondy_loop *loop; /* where `done` runs; NULL without pools */
    void (*done)(struct bondy_login *login, void *context);
    void *context;
};

enum bondy_login_step {
    BONDY_LOGIN_CHALLENGE, /* the client has to answer */
    BONDY_LOGIN_WELCOME,   /* it is in */
    BONDY_LOGIN_ABORT,
    BONDY_LOGIN_ASK /* call `procedure` of the realm with `extra` as arguments */
};

/* What `done` finds; borrowed from the login. */
struct bondy_login_answer {
    enum bondy_login_step step;
    const struct bondy_realm *realm;
    const char *method;    /* CHALLENGE.AuthMethod */
    const json_t *extra;   /* CHALLENGE.Extra; ABORT.Details but for message; arguments of ASK */
    const char *procedure; /* ASK */
    const char *reason;    /* ABORT: a URI */
    const char *message;   /* ABORT.Details.message; NULL: none */
    struct bondy_identity identity; /* WELCOME */
    /* WELCOME: when what it came with ends by itself, ms since 1970; 0: it does not. */
    uint64_t expires_ms;
};

struct bondy_login_ops {
    /* *login is set before `done` can be called. */
    void (*begin)(void *context, const struct bondy_login_request *request,
                  struct bondy_login **login);
    const struct bondy_login_answer *(*answer)(const struct bondy_login *login);
    /* AUTHENTICATE, once, after CHALLENGE; `extra` is borrowed. */
    void (*authenticate)(struct bondy_login *login, struct bondy_slice signature,
                         const json_t *extra);
    /* The answer to ASK: the first argument of RESULT, or NULL and the URI of the ERROR. */
    void (*told)(struct bondy_login *login, const json_t *result, const char *error);
    /* Ends it at any time; `done` is not called any more. NULL is fine. */
    void (*end)(struct bondy_login *login);
    void *context;
};

#endif
