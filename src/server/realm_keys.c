/* SPDX-License-Identifier: Apache-2.0 */
#include "src/server/realm_keys.h"

#include <stdatomic.h>

#include "src/base/alloc.h"
#include "src/base/log.h"
#include "src/server/wire.h"
#include "src/sys/pool.h"
#include "src/sys/publish.h"

#define SIGNING_KEYS 3

struct bondy_server_realm_keys {
    struct bondy_server *server;
    struct bondy_mail mail;
    struct bondy_work work;
    atomic_bool is_asked; /* the mail is on its way */
    /* Main loop. */
    bool is_started;
    bool is_making;
    bool looks_again;
    /* Of the run. */
    json_t *realms; /* URIs */
    struct bondy_store_job job;
    struct bondy_edit edit;
    const char *uri;
    json_t *made;
};

/* ---- a run, on a hashing thread -------------------------------------------------------------- */

static int run_job(struct bondy_store_job *job, struct bondy_store_write *write,
                   struct bondy_error *err)
{
    struct bondy_server_realm_keys *keys =
        BONDY_CONTAINER(job, struct bondy_server_realm_keys, job);

    (void)err;
    bondy_edit_start(&keys->edit, write);
    return bondy_edit_end(
        &keys->edit, bondy_realm_apply_keys(&keys->edit, bondy_slice_text(keys->uri), keys->made));
}

/* Encryption keys are made when something needs them: nothing does yet. */
static bool make_of_one(struct bondy_server_realm_keys *keys)
{
    struct bondy_error err = {0};
    int rc;

    if (bondy_realm_make_keys_wait(SIGNING_KEYS, 0, &keys->made, &err) < 0) {
        bondy_log(BONDY_LOG_ERROR, "realm_keys_failed", BONDY_F_STR("realm", keys->uri),
                  BONDY_F_STR("reason", err.text));
        return false;
    }
    keys->job.run = run_job;
    keys->edit = (struct bondy_edit){.rules = &keys->server->identity.rules};
    bondy_publish_idle();
    rc = bondy_store_run_wait(keys->server->store, &keys->job, &err);
    if (rc < 0)
        bondy_log(BONDY_LOG_WARN, "realm_keys_not_stored", BONDY_F_STR("realm", keys->uri),
                  BONDY_F_STR("reason", err.text));
    bondy_publish_busy();
    bondy_edit_fini(&keys->edit);
    json_decref(BONDY_MOVE(keys->made));
    return rc == BONDY_OK;
}

static void make(struct bondy_work *work)
{
    struct bondy_server_realm_keys *keys =
        BONDY_CONTAINER(work, struct bondy_server_realm_keys, work);
    uint64_t done = 0;
    size_t index;
    json_t *uri;

    json_array_foreach(keys->realms, index, uri)
    {
        keys->uri = json_string_value(uri);
        done += make_of_one(keys);
    }
    bondy_log(BONDY_LOG_INFO, "realm_keys_made", BONDY_F_U64("realms", done));
}

/* ---- looks, on the main loop ------------------------------------------------------------------*/

static bool add_needy(void *context, const struct bondy_realm *realm)
{
    if (bondy_realm_needs_keys(realm))
        json_array_append_new(context, json_string(realm->uri));
    return true;
}

/* A queue that is full is tried again with the next change. */
static void look(struct bondy_server_realm_keys *keys)
{
    struct bondy_server *server = keys->server;

    keys->looks_again = keys->is_making;
    if (keys->is_making || !keys->is_started)
        return;
    keys->realms = json_array();
    bondy_realms_each(server->realms, add_needy, keys->realms);
    keys->is_making = json_array_size(keys->realms) > 0 &&
                      bondy_pool_submit(server->identity.hashers, server->main_loop, &keys->work,
                                        NULL) == BONDY_OK;
    if (!keys->is_making)
        json_decref(BONDY_MOVE(keys->realms));
}

static void made(struct bondy_work *work)
{
    struct bondy_server_realm_keys *keys =
        BONDY_CONTAINER(work, struct bondy_server_realm_keys, work);

    json_decref(BONDY_MOVE(keys->realms));
    keys->is_making = false;
    if (keys->looks_again)
        look(keys);
}

static void on_asked(struct bondy_mail *mail)
{
    struct bondy_server_realm_keys *keys =
        BONDY_CONTAINER(mail, struct bondy_server_realm_keys, mail);

    atomic_store(&keys->is_asked, false);
    look(keys);
}

void bondy_server_realm_keys_ask(struct bondy_server_realm_keys *keys)
{
    if (!atomic_exchange(&keys->is_asked, true))
        bondy_loop_post(keys->server->main_loop, &keys->mail);
}

/* ---- life -------------------------------------------------------------------------------------*/

struct bondy_server_realm_keys *bondy_server_realm_keys_create(struct bondy_server *server)
{
    struct bondy_server_realm_keys *keys = bondy_zalloc(sizeof *keys);

    keys->server = server;
    keys->mail.run = on_asked;
    keys->work.run = make;
    keys->work.done = made;
    return keys;
}

void bondy_server_realm_keys_start(struct bondy_server_realm_keys *keys)
{
    keys->is_started = true;
    look(keys);
}

void bondy_server_realm_keys_destroy(struct bondy_server_realm_keys *keys)
{
    bondy_free(keys);
}
