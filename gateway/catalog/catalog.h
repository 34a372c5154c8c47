/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_GATEWAY_CATALOG_CATALOG_H
#define BONDY_GATEWAY_CATALOG_CATALOG_H

/* catalog: the API specifications that were loaded: as records in the store, as a published list
 * for whoever asks, and as the route table of the public APIs. http-gateway.md part 8.
 *
 * Loading and deleting are jobs on the control thread: checked, stored (with the groups that OAuth2
 * knows people by, where the realm has none), synced; then the change
 * feed compiles what changed, builds the route table of all of them and publishes it; only then the
 * job is answered. A stored specification that cannot be served stays stored: "failed" when it
 * cannot be compiled (tried again whenever its realm appears), "orphan" when its realm was deleted;
 * the others are served all the same. */

#include "gateway/spec/table.h"
#include "src/security/entity/realm.h"
#include "src/store/store.h"

struct bondy_catalog;

struct bondy_catalog_options {
    const struct bondy_realms *realms;
    const struct bondy_security_rules *rules; /* NULL: the defaults */
    unsigned listeners; /* BONDY_SCHEME_* of listeners that are on; 0: not known */
    /* Takes the table of all public APIs and serves it from now on. On the control thread (and on
     * the one that loads at start). */
    void (*publish)(void *context, struct bondy_route_table *table);
    void *context;
};

struct bondy_catalog *bondy_catalog_create(const struct bondy_catalog_options *options);
/* No reader may be left. NULL is fine. */
void bondy_catalog_destroy(struct bondy_catalog *catalog);
/* Reads what is stored, after the realms, and publishes it; before any other thread reads. */
int bondy_catalog_load_wait(struct bondy_catalog *catalog, struct bondy_store *store,
                            struct bondy_error *err);

/* The feed, on the control thread. Realms too are told here, and published before this is. */
void bondy_catalog_on_change(struct bondy_catalog *catalog, const struct bondy_change *change);
void bondy_catalog_publish(struct bondy_catalog *catalog);

/* ---- reading: any RCU reader; the caller owns what it gets ------------------------------------*/

/* An entry is the document as loaded with ts, loaded_at, updated_at, revision, hash, etag, status
 * ("active", "failed", "orphan") and, when it is failed, problem. */
json_t *bondy_catalog_list(const struct bondy_catalog *catalog);
/* NULL when there is none. */
json_t *bondy_catalog_get(const struct bondy_catalog *catalog, struct bondy_slice id);
/* Its routes as bondy_spec_routes() has them (none unless it is active), or NULL. */
json_t *bondy_catalog_routes(const struct bondy_catalog *catalog, struct bondy_slice id);

/* ---- writing ----------------------------------------------------------------------------------*/

/* One load or delete on its way. The caller owns it (bondy_catalog_request_destroy) when `done`
 * runs. Fields below the line are the answer. */
struct bondy_catalog_request {
    struct bondy_store_job job; /* the catalog's */
    struct bondy_catalog *catalog;
    json_t *body;   /* load: a document, or an array of them: all or none. Owned by the request */
    char *id;       /* delete: which; load: NULL, or the id that the document must have. Owned */
    char *if_match; /* an entity tag as HTTP has it, or NULL. Owned */
    bool is_dry_run;
    bool keeps_same; /* an identical document is not written again (boot file) */
    void (*done)(struct bondy_catalog_request *request);
    void *context;
    /* -- */
    int rc;
    bool has_created; /* at least one id is new */
    /* Load: {id, revision, routes, warnings}, for a dry run {valid, routes, warnings}; an array of
     * them when the body is an array. */
    json_t *result;
    json_t *problem; /* the error object when rc < 0; 8.2 */
};

struct bondy_catalog_request *bondy_catalog_request_create(struct bondy_catalog *catalog);
void bondy_catalog_request_destroy(struct bondy_catalog_request *request);
/* Take the request until `done`, which runs on `loop` (NULL: on the control thread). Any thread.
 * rc: BONDY_EINVAL (problem has `errors`: 422), BONDY_ENOENT (load: the realm, 400; delete: the
 * id), BONDY_ECONFLICT (if_match), BONDY_ELIMIT, BONDY_EIO. */
void bondy_catalog_load(struct bondy_catalog_request *request, struct bondy_store *store,
                        struct bondy_loop *loop);
void bondy_catalog_delete(struct bondy_catalog_request *request, struct bondy_store *store,
                          struct bondy_loop *loop);

/* The boot file (api_gateway.config_file): one document or an array of them, each loaded on its own
 * in turn, with ${VAR} and ${VAR:-default} replaced from the environment first. Waits: start only.
 * Mistakes are logged and do not stop the next one; *failed counts them. BONDY_ENOENT: no such
 * file; BONDY_EINVAL: it is no JSON, or names a variable that is not there. */
int bondy_catalog_apply_file_wait(struct bondy_catalog *catalog, struct bondy_store *store,
                                  const char *path, unsigned *failed, struct bondy_error *err);
/* Replaces ${VAR} and ${VAR:-default} in JSON text; inside a JSON string the value is escaped. */
int bondy_catalog_expand(struct bondy_slice text, const char *(*lookup)(const char *name),
                         struct bondy_buf *out, struct bondy_error *err);

#endif
