/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/server/certificates.h"
#include "src/server/client_auth.h"
#include "src/server/monitor.h"
#include "src/sys/publish.h"
#include "src/sys/tls.h"

/* Files are read with the lock held, so that of two who read at once the later one is served. No
 * loop thread ever takes it. */

struct entry {
    const char *name;
    struct bondy_tls *_Atomic *served; /* NULL: no TLS */
    struct bondy_tls_options options;  /* texts are owned */
};

struct bondy_server_certificates {
    pthread_mutex_t lock; /* options and *served of the list */
    struct entry list[BONDY_SERVER_MOST_LISTENERS];
    size_t count; /* does not change any more when listeners are open */
};

/* ---- options --------------------------------------------------------------------------------- */

/* Texts are the configuration's. */
static struct bondy_tls_options options_of(const struct bondy_config *config, const char *prefix)
{
    const struct bondy_config_entry *certfile = bondy_config_at(config, prefix, "certfile");
    const struct bondy_config_entry *keyfile = bondy_config_at(config, prefix, "keyfile");
    const char *verify = bondy_config_at(config, prefix, "verify")->value.text;
    /* The default name may not be there: then the key is in certfile. */
    bool has_keyfile = keyfile->origin.source != NULL || certfile->origin.source == NULL;
    bool wants_client = verify != NULL && strcmp(verify, "verify_peer") == 0;

    return (struct bondy_tls_options){
        .certfile = certfile->value.text,
        .keyfile = has_keyfile ? keyfile->value.text : NULL,
        .cacertfile = bondy_config_at(config, prefix, "cacertfile")->value.text,
        .verify = wants_client,
        .fail_if_no_peer_cert =
            bondy_config_at(config, prefix, "fail_if_no_peer_cert")->value.number != 0,
        .versions = bondy_config_at(config, prefix, "versions")->value.text,
        .ciphers = bondy_config_at(config, prefix, "ciphers")->value.text,
    };
}

static char *dup_or_null(const char *text)
{
    return text == NULL ? NULL : bondy_strdup(text);
}

static void free_options(struct bondy_tls_options *options)
{
    bondy_free((char *)options->certfile);
    bondy_free((char *)options->keyfile);
    bondy_free((char *)options->cacertfile);
    bondy_free((char *)options->versions);
    bondy_free((char *)options->ciphers);
    *options = (struct bondy_tls_options){0};
}

static void keep_options(struct entry *entry, const struct bondy_tls_options *options)
{
    struct bondy_tls_options copy = *options;

    copy.certfile = dup_or_null(options->certfile);
    copy.keyfile = dup_or_null(options->keyfile);
    copy.cacertfile = dup_or_null(options->cacertfile);
    copy.versions = dup_or_null(options->versions);
    copy.ciphers = dup_or_null(options->ciphers);
    free_options(&entry->options);
    entry->options = copy;
}

/* What `auth` names, in place of what is there; borrows its texts. */
static void merge_auth(struct bondy_tls_options *options, const json_t *auth)
{
    const json_t *verify = json_object_get(auth, "verify");
    const json_t *is_required = json_object_get(auth, "fail_if_no_peer_cert");
    const json_t *file = json_object_get(auth, "cacertfile");

    if (json_is_string(verify))
        options->verify = strcmp(json_string_value(verify), "verify_peer") == 0;
    if (is_required != NULL)
        options->fail_if_no_peer_cert = json_is_true(is_required);
    if (json_is_string(file))
        options->cacertfile = json_string_value(file);
}

/* {verify, fail_if_no_peer_cert, cacertfile?}; the caller owns it. */
static json_t *describe_auth(const struct bondy_tls_options *options)
{
    json_t *out =
        json_pack("{s:s, s:b}", "verify", options->verify ? "verify_peer" : "verify_none",
                  "fail_if_no_peer_cert", options->verify && options->fail_if_no_peer_cert);

    if (options->verify)
        json_object_set_new(out, "cacertfile", json_string(options->cacertfile));
    return out;
}

/* What is kept of this listener goes before the configuration. Returns what the options borrow
 * from then, which the caller owns, or NULL. */
static json_t *use_kept(struct bondy_server *server, const char *name,
                        struct bondy_tls_options *options)
{
    json_t *kept = bondy_server_client_auth_load_wait(server, name);

    if (kept == NULL)
        return NULL;
    merge_auth(options, kept);
    bondy_log(BONDY_LOG_INFO, "client_auth_kept", BONDY_F_STR("listener", name),
              BONDY_F_SLICE("verify", bondy_json_text(kept, "verify")));
    return kept;
}

static int read_files(const char *name, const struct bondy_tls_options *options,
                      struct bondy_tls **out, struct bondy_error *err)
{
    int rc = bondy_tls_create(options, out, err);

    return rc < 0 ? bondy_wrap(err, "%s", name) : rc;
}

/* ---- what is served -------------------------------------------------------------------------- */

struct retired {
    struct bondy_retired link;
    struct bondy_tls *tls;
};

static void drop_retired(struct bondy_retired *link)
{
    struct retired *retired = BONDY_CONTAINER(link, struct retired, link);

    bondy_tls_unref(retired->tls);
    bondy_free(retired);
}

/* Takes `fresh`. A loop thread may be about to take its own reference of the old one: that is
 * dropped only when all of them have been quiescent. The calling thread is registered. */
static void serve(struct entry *entry, struct bondy_tls *fresh)
{
    struct retired *retired = bondy_zalloc(sizeof *retired);

    retired->tls = atomic_exchange(entry->served, fresh);
    bondy_publish_retire(&retired->link, drop_retired);
}

struct bondy_server_certificates *bondy_server_certificates_create(void)
{
    struct bondy_server_certificates *certificates = bondy_zalloc(sizeof *certificates);

    pthread_mutex_init(&certificates->lock, NULL);
    return certificates;
}

void bondy_server_certificates_destroy(struct bondy_server_certificates *certificates)
{
    if (certificates == NULL)
        return;
    for (size_t i = 0; i < certificates->count; i++) {
        if (certificates->list[i].served != NULL)
            bondy_tls_unref(atomic_exchange(certificates->list[i].served, NULL));
        free_options(&certificates->list[i].options);
    }
    pthread_mutex_destroy(&certificates->lock);
    bondy_free(certificates);
}

int bondy_server_certificates_add(struct bondy_server *server, const char *name,
                                  struct bondy_tls *_Atomic *served, struct bondy_error *err)
{
    struct bondy_server_certificates *certificates = server->certificates;
    struct entry *entry = &certificates->list[certificates->count];
    struct bondy_tls_options options;
    struct bondy_tls *tls = NULL;
    json_t *kept = NULL;
    int rc = BONDY_OK;

    BONDY_BUG_ON(certificates->count == BONDY_SERVER_MOST_LISTENERS);
    if (served != NULL) {
        options = options_of(server->config, name);
        kept = use_kept(server, name, &options);
        rc = read_files(name, &options, &tls, err);
        if (rc == BONDY_OK) {
            keep_options(entry, &options);
            atomic_store(served, tls);
        } else if (kept != NULL) {
            bondy_wrap(err, "client_auth kept by bondy.cert_manager.set_client_auth");
        }
        json_decref(kept);
    }
    if (rc < 0)
        return rc;
    entry->name = name;
    entry->served = served;
    certificates->count++;
    return BONDY_OK;
}

int bondy_server_certificate_check(const struct bondy_config *config, const char *name,
                                   struct bondy_error *err)
{
    struct bondy_tls_options options = options_of(config, name);
    struct bondy_tls *tls = NULL;
    int rc = read_files(name, &options, &tls, err);

    bondy_tls_unref(tls);
    return rc;
}

int bondy_server_reload_certificates(struct bondy_server *server, const struct bondy_config *config,
                                     struct bondy_error *err)
{
    struct bondy_server_certificates *certificates = server->certificates;
    struct bondy_tls *fresh[BONDY_SERVER_MOST_LISTENERS] = {NULL};
    struct bondy_tls_options options[BONDY_SERVER_MOST_LISTENERS];
    json_t *kept[BONDY_SERVER_MOST_LISTENERS] = {NULL};
    int rc = BONDY_OK;

    pthread_mutex_lock(&certificates->lock);
    for (size_t i = 0; i < certificates->count && rc == BONDY_OK; i++) {
        struct entry *entry = &certificates->list[i];

        if (entry->served == NULL)
            continue;
        options[i] = options_of(config, entry->name);
        kept[i] = use_kept(server, entry->name, &options[i]);
        rc = read_files(entry->name, &options[i], &fresh[i], err);
    }
    bondy_publish_thread_start();
    for (size_t i = 0; i < certificates->count; i++) {
        if (rc < 0 || fresh[i] == NULL) {
            bondy_tls_unref(fresh[i]);
            continue;
        }
        keep_options(&certificates->list[i], &options[i]);
        serve(&certificates->list[i], fresh[i]);
    }
    bondy_publish_thread_stop();
    pthread_mutex_unlock(&certificates->lock);
    for (size_t i = 0; i < certificates->count; i++)
        json_decref(kept[i]);
    return rc;
}

/* ---- what the admin API asks ------------------------------------------------------------------*/

static const char *listener_at(void *context, size_t index, bool *is_tls)
{
    const struct bondy_server *server = context;
    const struct bondy_server_certificates *certificates = server->certificates;

    if (index >= certificates->count)
        return NULL;
    *is_tls = certificates->list[index].served != NULL;
    return certificates->list[index].name;
}

/* Waits and reads while this thread holds up nobody who frees what was published. */
static void lock(struct bondy_server_certificates *certificates)
{
    bondy_publish_idle();
    pthread_mutex_lock(&certificates->lock);
}

static void unlock(struct bondy_server_certificates *certificates)
{
    pthread_mutex_unlock(&certificates->lock);
    bondy_publish_busy();
}

bool bondy_server_certificate_at_wait(struct bondy_server *server, size_t index,
                                      struct bondy_server_certificate *out)
{
    struct bondy_server_certificates *certificates = server->certificates;
    const struct entry *entry = &certificates->list[index];

    if (index >= certificates->count)
        return false;
    *out = (struct bondy_server_certificate){.name = entry->name};
    if (entry->served == NULL)
        return true;
    lock(certificates);
    out->ends_s = bondy_tls_expires_at(atomic_load(entry->served));
    unlock(certificates);
    return true;
}

static int refuse_expired(const struct bondy_tls *tls, const struct entry *entry,
                          struct bondy_error *err)
{
    char text[25];

    if (bondy_tls_expires_at(tls) * 1000 > (long long)bondy_clock_wall_ms())
        return BONDY_OK;
    bondy_clock_format((uint64_t)bondy_tls_expires_at(tls) * 1000, text);
    return bondy_fail(err, BONDY_EINVAL, "%s: %s: the certificate expired at %s", entry->name,
                      entry->options.certfile, text);
}

/* [lock held] What the files hold, if it can be used. */
static int read_usable(const struct entry *entry, const struct bondy_tls_options *options,
                       struct bondy_tls **out, struct bondy_error *err)
{
    struct bondy_tls *tls = NULL;
    int rc = read_files(entry->name, options, &tls, err);

    if (rc == BONDY_OK)
        rc = refuse_expired(tls, entry, err);
    if (rc == BONDY_OK)
        *out = BONDY_MOVE(tls);
    bondy_tls_unref(tls);
    return rc;
}

/* [lock held, idle] */
static void serve_idle(struct entry *entry, struct bondy_tls *tls)
{
    bondy_publish_busy();
    serve(entry, tls);
    bondy_publish_idle();
}

static int rotate_wait(void *context, size_t index, struct bondy_error *err)
{
    struct bondy_server *server = context;
    struct entry *entry = &server->certificates->list[index];
    struct bondy_tls *tls = NULL;
    int rc;

    lock(server->certificates);
    rc = read_usable(entry, &entry->options, &tls, err);
    if (rc == BONDY_OK)
        serve_idle(entry, tls);
    unlock(server->certificates);
    bondy_server_monitor_look(server->monitor);
    return rc;
}

static struct bondy_tls *served_wait(void *context, size_t index)
{
    struct bondy_server *server = context;
    struct bondy_tls *tls;

    lock(server->certificates);
    tls = bondy_tls_ref(atomic_load(server->certificates->list[index].served));
    unlock(server->certificates);
    return tls;
}

static json_t *client_auth_wait(void *context, size_t index)
{
    struct bondy_server *server = context;
    json_t *out;

    lock(server->certificates);
    out = describe_auth(&server->certificates->list[index].options);
    unlock(server->certificates);
    return out;
}

static int keep_auth(struct bondy_server *server, const char *name,
                     const struct bondy_tls_options *options, enum bondy_admin_keep keep,
                     struct bondy_error *err)
{
    json_t *auth = keep == BONDY_ADMIN_KEEP ? describe_auth(options) : NULL;
    int rc = BONDY_OK;

    if (keep != BONDY_ADMIN_KEEP_AS_IS &&
        bondy_server_client_auth_keep_wait(server, name, auth, err) < 0)
        rc = BONDY_ESTATE;
    json_decref(auth);
    return rc;
}

static int set_client_auth_wait(void *context, size_t index, const json_t *wanted,
                                enum bondy_admin_keep keep, struct bondy_error *err)
{
    struct bondy_server *server = context;
    struct entry *entry = &server->certificates->list[index];
    struct bondy_tls_options options;
    struct bondy_tls *tls = NULL;
    int rc;

    lock(server->certificates);
    options = entry->options;
    merge_auth(&options, wanted);
    if ((rc = read_usable(entry, &options, &tls, err)) == BONDY_OK &&
        (rc = keep_auth(server, entry->name, &options, keep, err)) == BONDY_OK) {
        serve_idle(entry, BONDY_MOVE(tls));
        keep_options(entry, &options);
    }
    bondy_tls_unref(tls);
    unlock(server->certificates);
    return rc;
}

const struct bondy_admin_certificates bondy_server_certificate_hooks = {
    .listener_at = listener_at,
    .rotate_wait = rotate_wait,
    .served_wait = served_wait,
    .client_auth_wait = client_auth_wait,
    .set_client_auth_wait = set_client_auth_wait,
};
