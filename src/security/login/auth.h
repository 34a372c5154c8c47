/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_LOGIN_AUTH_H
#define BONDY_SECURITY_LOGIN_AUTH_H

/* auth: what all logins share: where users are, how much they may cost, who is told what.
 * realms-and-security.md 3 and 6; the steps of one login are in login.h. */

#include "src/security/login/login.h"
#include "src/sys/pool.h"

struct bondy_audit;
struct bondy_principals;
struct bondy_throttle;

struct bondy_auth_options {
    struct bondy_store *store;
    const struct bondy_realms *realms;
    const struct bondy_security_rules *rules;
    struct bondy_principals *principals;
    struct bondy_pool *readers;      /* looks users up; NULL: done by the caller's thread (tests) */
    struct bondy_pool *hashers;      /* derives keys; NULL likewise */
    struct bondy_throttle *throttle; /* NULL: none */
    struct bondy_audit *audit;       /* NULL: none */
    const char *node_name;
    bool hides_unknown_users;   /* security.auth.hide_unknown_users */
    bool takes_cleartext;       /* security.password.allow_cleartext */
    bool has_bondy_errors;      /* wamp.compat.auth_error_uris = bondy */
    bool upgrades_passwords;    /* security.password.protocol.upgrade.enabled */
    bool takes_unknown_tickets; /* security.ticket.allow_not_found */
    unsigned leeway_s;          /* security.max_clock_skew */
};

/* Texts, stores and tables are borrowed and outlive it. Reads the store, and submits a job when it
 * is the first one there. */
struct bondy_auth *bondy_auth_create(const struct bondy_auth_options *options);
/* Every login has ended. NULL is fine. */
void bondy_auth_destroy(struct bondy_auth *auth);
/* Logins to the master realm wait (on their pool) until this is called, once: until the admin's
 * password is in the store. Any thread. */
void bondy_auth_release(struct bondy_auth *auth);
#define BONDY_ROUTER_KEY_LEN 32
/* The Ed25519 key by which clients that ask (cryptosign, AUTH-CSIGN-4) know the router again; 32
 * octets, as long as the auth. It comes from a secret of the store, so it stays. */
const uint8_t *bondy_auth_router_key(const struct bondy_auth *auth);
/* Moves with everything that ends credentials before their time: denied access tokens, tickets that
 * were revoked or replaced, API keys that changed, and realms and sources, which say who may log in
 * how and from where. (What a change of the user itself ends is seen
 * by bondy_principal_seq().) Who keeps the outcome of a check asks for it BEFORE the check, and
 * throws away what was kept under another number. Any thread. */
uint64_t bondy_auth_revocations(const struct bondy_auth *auth);
/* The store's feed, on the control thread: that is what moves the number. */
void bondy_auth_on_change(struct bondy_auth *auth, const struct bondy_change *change);
/* For the router; lives as long as the auth. */
const struct bondy_login_ops *bondy_auth_ops(const struct bondy_auth *auth);

/* A login in one step, for HTTP: the secret is there from the beginning (`password`, `ticket`,
 * `oauth2`, `bearer`: whichever of these two the token says it is, `api_key`), so nothing is
 * challenged; or there is none, because the caller has checked that a TLS certificate of this name
 * is the client's (`tls`). `done` finds WELCOME or ABORT. Ended with ops->end. */
struct bondy_auth_check {
    const struct bondy_realm *realm;
    const char *method;
    struct bondy_slice authid; /* empty: whose the token or key is */
    struct bondy_slice secret;
    const struct bondy_login_peer *peer;
    /* Where the realm has an authenticator for the method, `done` finds ASK first and the caller
     * asks it (ops->told). False: the realm's own users alone count. */
    bool takes_questions;
    struct bondy_loop *loop;
    void (*done)(struct bondy_login *login, void *context);
    void *context;
};
void bondy_auth_check(struct bondy_auth *auth, const struct bondy_auth_check *check,
                      struct bondy_login **login);

#endif
