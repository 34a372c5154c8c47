/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ADMIN_NODE_H
#define BONDY_ADMIN_NODE_H

/* node: what administration needs of the running node. The server fills it once, before the first
 * request; it outlives everything here. Functions may be called on any I/O thread. */

#include <stdbool.h>
#include <stdint.h>

#include "gateway/catalog/catalog.h"
#include "src/base/log.h"
#include "src/security/login/audit.h"
#include "src/security/entity/edit.h"
#include "src/security/entity/realm.h"
#include "src/store/store.h"
#include "src/sys/pool.h"

struct bondy_principals;
struct bondy_backup_desk;
struct bondy_token_settings;

/* security.ticket.*; realms-and-security.md 4. */
struct bondy_admin_tickets {
    int64_t lifetime_s, max_lifetime_s;
    const char *const *authmethods; /* of sessions that may have one; NULL-terminated */
    unsigned kept;                  /* bits 1u << enum bondy_ticket_scope: those that are stored */
    bool takes_unknown;
    unsigned leeway_s;
};

/* Whether a setting outlives this process: it is stored in place of the configuration's, what is
 * stored is forgotten, or neither. */
enum bondy_admin_keep { BONDY_ADMIN_KEEP_AS_IS, BONDY_ADMIN_KEEP, BONDY_ADMIN_FORGET };

struct bondy_tls;

/* The listeners of this node and their certificates, counted from 0. What ends in _wait reads files
 * or waits for who does: pool threads, for listeners with TLS only. */
struct bondy_admin_certificates {
    /* The name, such as "wamp.tls"; static. NULL: there are not so many. Any thread. */
    const char *(*listener_at)(void *context, size_t index, bool *is_tls);
    /* Reads the files of its certificate again; new handshakes use it. On failure, an expired
     * certificate too, nothing is changed; the error names listener and file. */
    int (*rotate_wait)(void *context, size_t index, struct bondy_error *err);
    /* A reference of what new handshakes use. */
    struct bondy_tls *(*served_wait)(void *context, size_t index);
    /* {verify, fail_if_no_peer_cert, cacertfile?}; the caller owns it. */
    json_t *(*client_auth_wait)(void *context, size_t index);
    /* The same form, checked; what it leaves out stays as it is. Reads the files as rotate_wait
     * does; holds until the configuration is read again, and longer when it is kept. BONDY_ESTATE:
     * the store did not take it, and nothing is changed. */
    int (*set_client_auth_wait)(void *context, size_t index, const json_t *wanted,
                                enum bondy_admin_keep keep, struct bondy_error *err);
};

struct bondy_admin_node {
    struct bondy_store *store;
    const struct bondy_realms *realms;
    struct bondy_catalog *catalog;
    const struct bondy_security_rules *rules;
    /* Slow work of procedures: reading the store, and hashing. NULL: it is done by who asks, which
     * is for tests. */
    struct bondy_pool *readers;
    struct bondy_pool *hashers;
    struct bondy_audit *audit; /* NULL: there is none */
    struct bondy_principals *principals;
    struct bondy_admin_tickets tickets;
    const struct bondy_token_settings *tokens;           /* oauth2.* */
    struct bondy_backup_desk *backups;                   /* NULL: there is none */
    const struct bondy_admin_certificates *certificates; /* NULL: there are no listeners */
    bool needs_versions; /* admin_api.require_if_match: changes of one object say its version */
    /* security.config_file as it is now: a copy that the caller frees, or NULL. May be NULL. */
    char *(*security_file)(void *context);
    const uint8_t *router_key; /* 32 octets; NULL: not shown */
    const char *name;          /* node name */
    const char *version;       /* of the program */
    uint64_t started_mono_ms;  /* bondy_clock_mono_ms() at start */
    /* operations.md 8: "initialising", "ready", "draining", "shutting_down"; static text. */
    const char *(*status)(void *context);
    /* The least level that is logged, for a while or (0) until the configuration is read again.
     * NULL: it cannot be set. */
    void (*set_log_level)(void *context, enum bondy_log_level level, uint64_t duration_ms);
    /* health.ready_requires: whether a grave alarm makes the node not ready. NULL: no. */
    bool (*ready_requires_all)(void *context);
    /* Whether every listener that is configured listens. NULL: yes. */
    bool (*listeners_ok)(void *context);
    void *context;
};

#endif
