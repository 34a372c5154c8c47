/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_ENTITY_REALM_H
#define BONDY_SECURITY_ENTITY_REALM_H

/* realm: the realms, as records in the store and as a published table for every thread.
 *
 * Reading: bondy_realms_find() on any RCU reader (each loop); what it returns is immutable and may
 * be used until the thread's next sleep, or longer with a reference. In jobs and views
 * bondy_realm_read() makes the same from the records. Writing: the *_apply functions run inside
 * store jobs on the control thread (see edit.h); the change feed republishes the table. What a
 * realm has from its prototype is resolved in it. realms-and-security.md 1. */

#include <stdbool.h>
#include <stdint.h>

#include "src/base/json.h"
#include "src/base/ref.h"
#include "src/security/entity/edit.h"
#include "src/security/credential/keys.h"
#include "src/security/credential/password.h"
#include "src/store/store.h"

#define BONDY_MASTER_REALM "com.leapsight.bondy"
#define BONDY_CONTROL_REALM "com.leapsight.bondy.internal"
#define BONDY_REALM_URI_MAX 1024
/* Stands for a secret in external forms; sent back it means: as it is. */
#define BONDY_REALM_REDACTED "[redacted]"

struct bondy_policy;

/* A signing key (EC P-256). */
struct bondy_realm_key {
    struct bondy_key *key; /* without private part when it is retired */
    uint64_t retired_ms;   /* 0: in use; else until when it verifies */
};

/* Shared by all makes of a realm while its keys are the same; never shown, but public JWKs. */
struct bondy_realm_keys {
    struct bondy_ref ref;
    struct bondy_realm_key *signing;
    size_t signing_count;
    size_t encryption_count; /* RSA; they stay in the store */
};

struct bondy_realm {
    struct bondy_ref ref;
    char *uri; /* canonical (casefolded) */
    char *description;
    bool is_master;
    bool is_prototype, is_sso_realm;
    char *prototype_uri; /* NULL: none */
    char *sso_realm_uri; /* resolved; NULL: none */
    uint64_t created_ms, updated_ms;
    bool allows_connections; /* resolved; never for a prototype */
    bool allows_anonymous;   /* resolved: `anonymous` is among authmethods and not switched off for
                                the node; sources are another matter */
    bool has_security;       /* resolved: security_enabled */
    json_t *authmethods;     /* resolved: a list of names */
    struct bondy_password_opts password_opts; /* resolved */
    json_t *authenticator;                    /* resolved: {procedure, authmethods}, or NULL */
    json_t *authorizer;                       /* resolved: {procedure, timeout?}, or NULL */
    json_t *info;                             /* as given, with secrets; NULL: none */
    json_t *document;                         /* what was given; switches not included */
    int connections_given;                    /* allow_connections as given: -1 not, 0, 1 */
    int security_given;                       /* security_enabled likewise */
    uint32_t gen;
    uint32_t prototype_gen; /* of the prototype realm, when there is one */
    uint8_t version[BONDY_VERSION_LEN];
    struct bondy_realm_keys *keys; /* NULL after bondy_realm_read_plain() */
    struct bondy_policy *policy;   /* who may do what; NULL: not known (read from a view) */
};

struct bondy_realms;

/* `rules` NULL: the defaults; must outlive the table. */
struct bondy_realms *bondy_realms_create(const struct bondy_security_rules *rules);
/* No reader may be left. */
void bondy_realms_destroy(struct bondy_realms *realms);
/* Fills the table from the store and publishes it; before any other thread reads. Reads realms,
 * groups and grants, no users. */
int bondy_realms_load_wait(struct bondy_realms *realms, struct bondy_store *store,
                           struct bondy_error *err);

/* By URI as the peer wrote it: canonicalised here; an alias finds the master realm. NULL when there
 * is none. Any RCU reader. */
const struct bondy_realm *bondy_realms_find(const struct bondy_realms *realms,
                                            struct bondy_slice uri);
/* Calls `fn` with each realm until it returns false. Any RCU reader. */
void bondy_realms_each(const struct bondy_realms *realms,
                       bool (*fn)(void *context, const struct bondy_realm *realm), void *context);
/* All realms, sorted by URI, as external representations (1.2); the caller owns the array. */
json_t *bondy_realms_list(const struct bondy_realms *realms);
/* The URIs of the realms that have it as prototype or SSO realm; the caller owns the array. */
json_t *bondy_realms_dependents(const struct bondy_realms *realms, struct bondy_slice uri);
json_t *bondy_realm_external(const struct bondy_realm *realm);
/* {"keys": [public JWK]}: those in use and those that still verify at `now_ms`. */
json_t *bondy_realm_jwks(const struct bondy_realm *realm, uint64_t now_ms);
/* By kid, among those that verify at `now_ms`; NULL. */
const struct bondy_key *bondy_realm_find_key(const struct bondy_realm *realm,
                                             struct bondy_slice kid, uint64_t now_ms);
/* One of the keys in use, at random; NULL when there is none yet. */
const struct bondy_key *bondy_realm_signing_key(const struct bondy_realm *realm);
bool bondy_realm_has_authmethod(const struct bondy_realm *realm, struct bondy_slice method);
/* Whether its signing keys have to be made (bondy_realm_apply_keys). Encryption keys are made when
 * something needs them. */
bool bondy_realm_needs_keys(const struct bondy_realm *realm);
void bondy_realm_ref(const struct bondy_realm *realm);
void bondy_realm_unref(const struct bondy_realm *realm);

/* The realm as a view shows it, without policy; the caller ends it with bondy_realm_unref(). `uri`
 * is canonical; `rules` NULL: the defaults. NULL when there is none. */
struct bondy_realm *bondy_realm_read(const struct bondy_security_rules *rules,
                                     const struct bondy_store_view *view, struct bondy_slice uri);

/* The same without its keys: parsing one takes nearly 0.1 ms. */
struct bondy_realm *bondy_realm_read_plain(const struct bondy_security_rules *rules,
                                           const struct bondy_store_view *view,
                                           struct bondy_slice uri);

/* The URI as it is stored: ASCII letters folded, an alias of the master realm resolved; false when
 * it is longer than `room`. `out` is not terminated. `rules` NULL: the default alias. */
bool bondy_realm_canonical(const struct bondy_security_rules *rules, struct bondy_slice uri,
                           char *out, size_t room, size_t *len);

/* The feed: gives the table what the store reported; publish makes it visible to all readers. */
void bondy_realms_on_change(struct bondy_realms *realms, const struct bondy_change *change);
void bondy_realms_publish(struct bondy_realms *realms);

/* ---- writing: see edit.h ------------------------------------------------------------------ */

/* [any] The shape of an input, everything nested included, without writing or hashing. BONDY_EINVAL
 * with *problem. */
int bondy_realm_check(const struct bondy_edit *edit, const json_t *input, bool is_update,
                      json_t **problem);
/* [pool thread] The same, and makes `input` ready for apply: nested users' passwords are hashed,
 * PEM keys become {kid, private, public}. `base`: the realm as it is, for what the input does not
 * say; NULL. `prototype`: the one that the input names, as it is; NULL. */
int bondy_realm_prepare(const struct bondy_edit *edit, const struct bondy_realm *base,
                        const struct bondy_realm *prototype, json_t *input, bool is_update,
                        json_t **problem);

/* [in a store job] The result of create, update and the switches is the realm's external form. What
 * they wrote is in the table when the job is done. */
int bondy_realm_apply_create(struct bondy_edit *edit, const json_t *prepared);
int bondy_realm_apply_update(struct bondy_edit *edit, struct bondy_slice uri,
                             const json_t *prepared);
int bondy_realm_apply_delete(struct bondy_edit *edit, struct bondy_slice uri, bool force);
/* allow_connections (suspend, resume) and security_enabled (enable, disable). */
int bondy_realm_apply_connections(struct bondy_edit *edit, struct bondy_slice uri, bool is_allowed);
int bondy_realm_apply_security(struct bondy_edit *edit, struct bondy_slice uri, bool is_enabled);
/* [pool thread] Makes a set of keys, for apply_keys: up to a second or more for RSA. The caller
 * owns *out: {"signing": [key], "encryption": [key]}, a key being {kid, pem, public_pem, jwk}. */
int bondy_realm_make_keys_wait(size_t signing, size_t encryption, json_t **out,
                               struct bondy_error *err);
/* Written only for the sort of which the realm has none. */
int bondy_realm_apply_keys(struct bondy_edit *edit, struct bondy_slice uri, const json_t *keys);
/* Adds the signing keys and retires the others: they verify until `until_ms`. Those whose time is
 * over at `now_ms` are removed. */
int bondy_realm_apply_rotate(struct bondy_edit *edit, struct bondy_slice uri, const json_t *keys,
                             uint64_t now_ms, uint64_t until_ms);
/* Writes what the master realm has from the beginning where it is not there (1.4). `admin_password`
 * is a prepared list of verifiers: written when there is no user `admin`, or `is_password_new`. */
int bondy_realm_apply_builtin(struct bondy_edit *edit, const json_t *admin_password,
                              bool is_password_new);

#endif
