/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SERVER_SERVER_H
#define BONDY_SERVER_SERVER_H

/* server: the daemon as one struct: what was built, in the order it was built, and who owns it.
 * Shared by main.c, wire*.c, reload.c, shutdown.c and dev.c; nobody outside src/server sees it.
 *
 * The main thread owns the struct. It runs a small loop for signals and does the slow work itself,
 * between two runs of that loop; it never serves a connection. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "gateway/endpoint.h"
#include "src/http/server.h"
#include "src/router/router.h"
#include "src/base/map.h"
#include "src/security/entity/realm.h"
#include "src/server/config.h"
#include "src/server/options.h"
#include "src/store/store.h"
#include "src/sys/loop.h"
#include "src/sys/signals.h"
#include "src/transport/front_door.h"

struct bondy_server;

/* operations.md 8. */
enum bondy_server_status {
    BONDY_SERVER_INITIALISING,
    BONDY_SERVER_READY,
    BONDY_SERVER_SHUTTING_DOWN
};

/* One I/O thread and what lives on it. Only its own thread touches the parts. */
struct bondy_server_thread {
    struct bondy_server *server;
    unsigned index;
    char name[12];
    pthread_t pthread;
    bool is_started;
    struct bondy_loop *loop;
    struct bondy_router_thread *router;
    struct bondy_flush router_flush;
    struct bondy_http_server *http;
    struct bondy_door *door;
};

/* wire_identity.c: what logins and permissions need. */
struct bondy_server_identity {
    struct bondy_security_rules rules;
    const char **aliases; /* of the master realm; texts of the configuration */
    struct bondy_pool *readers;
    struct bondy_pool *hashers;
    struct bondy_throttle *throttle;
    struct bondy_audit *audit;
    struct bondy_principals *principals;
    struct bondy_auth *auth;
    struct bondy_token_settings *tokens; /* oauth2.* */
    /* Control thread: the epochs of permissions that the threads were told of. */
    struct bondy_map epochs;
    bool may_have_moved; /* this commit changed a realm, group, grant or source */
    bool is_quiet;
    bool wants_keys;
};

struct bondy_server {
    const struct bondy_options *options;
    struct bondy_config *config; /* as started with: parts keep texts of it */
    struct bondy_config *live;   /* as of the last reload; `config` before the first one */
    const char *node_name;       /* a text of `config`, which outlives every part */
    char *temporary_dir;         /* --dev: removed at the end */
    _Atomic int status;
    struct bondy_seal *seal; /* NULL: secrets of the store are not sealed */
    struct bondy_store *store;
    struct bondy_purge *purge;
    struct bondy_server_identity identity;
    struct bondy_realms *realms;
    struct bondy_gateway *gateway;
    struct bondy_gateway_endpoint endpoints[16]; /* ends with a row without a name */
    struct bondy_oauth2 *oauth2;
    struct bondy_catalog *catalog;
    struct bondy_server_admin *admin;
    struct bondy_router *router;
    struct bondy_server_thread *threads;
    unsigned thread_count;
    struct bondy_server_listeners *listeners;
    struct bondy_server_certificates *certificates;
    struct bondy_loop *main_loop;
    struct bondy_signals *signals;
    struct bondy_server_watchdog *watchdog;
    struct bondy_server_schedule *schedule;
    struct bondy_server_monitor *monitor;
    struct bondy_server_realm_keys *realm_keys;
    struct bondy_server_log_level *log_level;
    atomic_bool ready_requires_all; /* health.ready_requires */
    /* Set by signals, on the main loop. */
    unsigned stop_count;
    bool wants_reload;
    bool wants_reopen;
};

/* Exit statuses, operations.md 7. */
enum bondy_server_exit {
    BONDY_SERVER_EXIT_OK = 0,
    BONDY_SERVER_EXIT_FAILURE = 1,
    BONDY_SERVER_EXIT_CONFIG = 2,
    BONDY_SERVER_EXIT_STORE = 3,
    BONDY_SERVER_EXIT_PORT = 4
};

/* Reads the configuration from all sources of this command line. Used at start and at reload. */
int bondy_server_load_config(const struct bondy_options *options, const char *temporary_dir,
                             struct bondy_config **out, struct bondy_config_diag *diag);

/* security.names.unicode. Any time, main thread. */
void bondy_server_apply_names(const struct bondy_config *config);

/* ---- wire.c: the order of start ---- */
/* Builds everything and opens the listeners; on success the server is ready. Returns an exit status
 * after a log record; what was built so far is left to bondy_server_stop(). */
int bondy_server_start(struct bondy_server *server);

/* ---- wire_store.c ---- */
int bondy_server_open_store(struct bondy_server *server, struct bondy_error *err);
/* The realms every node has, those of security.config_file, and `dev`. BONDY_EINVAL: the file. */
int bondy_server_make_realms(struct bondy_server *server, struct bondy_error *err);
/* Brings the realms of a file to what it says. BONDY_EINVAL, BONDY_EUNSUPPORTED: it names them all.
 */
int bondy_server_apply_realm_file(struct bondy_server *server, const char *path,
                                  struct bondy_error *err);
/* Router hook: HELLO for a realm that is not there. */
void bondy_server_create_realm(void *context, struct bondy_slice realm,
                               struct bondy_router_thread *thread, uint64_t waiter);

/* ---- wire_threads.c ---- */
int bondy_server_start_router(struct bondy_server *server, struct bondy_error *err);
int bondy_server_start_threads(struct bondy_server *server, struct bondy_error *err);
/* Runs `fn` on the loop of one thread (or of each, one after the other) and waits for it. Main
 * thread only. The first failure ends a walk over all. */
typedef int (*bondy_server_task_fn)(struct bondy_server_thread *thread, void *context,
                                    struct bondy_error *err);
int bondy_server_run_on(struct bondy_server_thread *thread, bondy_server_task_fn fn, void *context,
                        struct bondy_error *err);
int bondy_server_run_on_each(struct bondy_server *server, bondy_server_task_fn fn, void *context,
                             struct bondy_error *err);
/* Takes the parts of each thread down (architecture 9.6) and joins the threads. */
void bondy_server_stop_threads(struct bondy_server *server);

/* ---- wire_listeners.c ---- */
/* Makes the listeners that are switched on, from the configuration. */
int bondy_server_make_listeners(struct bondy_server *server, struct bondy_error *err);
enum bondy_server_listener_set { BONDY_SERVER_ADMIN_LISTENERS, BONDY_SERVER_PUBLIC_LISTENERS };
/* Opens their sockets on all threads. BONDY_EEXIST: an address is in use. */
int bondy_server_open_listeners(struct bondy_server *server, enum bondy_server_listener_set set,
                                struct bondy_error *err);
int bondy_server_write_ports(const struct bondy_server *server, struct bondy_error *err);
void bondy_server_free_listeners(struct bondy_server *server);

/* ---- wire_certificates.c ---- */
/* Reads certificates again; new handshakes use them. On failure nothing is changed. Main thread. */
int bondy_server_reload_certificates(struct bondy_server *server, const struct bondy_config *config,
                                     struct bondy_error *err);

/* ---- reload.c, shutdown.c ---- */
void bondy_server_reload(struct bondy_server *server);
/* Drains and takes everything down; returns the exit status. */
int bondy_server_stop(struct bondy_server *server);

#endif
