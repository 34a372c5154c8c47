/* SPDX-License-Identifier: Apache-2.0 */
#include "src/server/client_auth.h"

#include "src/base/alloc.h"
#include "src/security/entity/edit.h"
#include "src/security/entity/stored.h"

/* One octet between the parts: none of them has it. */
static void format_key(const struct bondy_server *server, const char *listener,
                       struct bondy_buf *out)
{
    bondy_buf_append_text(out, "client_auth");
    bondy_buf_append_byte(out, 0);
    bondy_buf_append_text(out, server->node_name);
    bondy_buf_append_byte(out, 0);
    bondy_buf_append_text(out, listener);
}

json_t *bondy_server_client_auth_load_wait(struct bondy_server *server, const char *listener)
{
    struct bondy_buf subkey = BONDY_BUF_EMPTY;
    struct bondy_store_view *view = NULL;
    json_t *auth = NULL;

    if (bondy_store_view_begin(server->store, &view, NULL) < 0)
        return NULL;
    format_key(server, listener, &subkey);
    auth = bondy_stored_get(
        view,
        &(struct bondy_store_key){.type = BONDY_RECORD_SETTING, .subkey = bondy_buf_slice(&subkey)},
        NULL);
    bondy_store_view_end(view);
    bondy_buf_fini(&subkey);
    return auth;
}

struct keeping {
    struct bondy_store_job job;
    struct bondy_edit edit;
    struct bondy_store_key key;
    const json_t *auth; /* NULL: it is forgotten */
};

static int run_keep(struct bondy_store_job *job, struct bondy_store_write *write,
                    struct bondy_error *err)
{
    struct keeping *keeping = BONDY_CONTAINER(job, struct keeping, job);
    int rc;

    bondy_edit_start(&keeping->edit, write);
    rc = keeping->auth == NULL ? bondy_stored_delete(&keeping->edit, &keeping->key)
                               : bondy_stored_put(&keeping->edit, &keeping->key, 0, keeping->auth);
    rc = bondy_edit_end(&keeping->edit, rc);
    return rc < 0 ? bondy_fail(err, rc, "the store did not take it") : rc;
}

int bondy_server_client_auth_keep_wait(struct bondy_server *server, const char *listener,
                                       const json_t *auth, struct bondy_error *err)
{
    struct bondy_buf subkey = BONDY_BUF_EMPTY;
    struct keeping keeping = {
        .job.run = run_keep, .edit.rules = &server->identity.rules, .auth = auth};
    int rc;

    format_key(server, listener, &subkey);
    keeping.key =
        (struct bondy_store_key){.type = BONDY_RECORD_SETTING, .subkey = bondy_buf_slice(&subkey)};
    rc = bondy_store_run_wait(server->store, &keeping.job, err);
    bondy_edit_fini(&keeping.edit);
    bondy_buf_fini(&subkey);
    return rc;
}
