/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/oauth2/call.h"

#include <sodium.h>

#include "src/base/alloc.h"
#include "src/base/log.h"

/* ---- life ------------------------------------------------------------------------------------ */

static void describe_peer(struct oauth2_call *call, const struct bondy_request *request)
{
    const struct bondy_http_peer *peer = bondy_request_peer(request);

    call->peer.address = peer->address;
    call->peer.is_secure = strcmp(bondy_request_listener(request)->scheme, "https") == 0 ||
                           bondy_address_is_loopback(&peer->address);
    bondy_address_format_host(&peer->address, call->source);
}

static const struct bondy_realm *find_realm(const struct bondy_oauth2 *oauth2,
                                            struct bondy_gateway_call *gateway)
{
    static const struct oauth2_fault gone = {.status = 503,
                                             .code = "temporarily_unavailable",
                                             .message = "This realm takes nobody at the moment."};
    const struct bondy_operation *operation = bondy_gateway_call_operation(gateway);
    const struct bondy_realm *realm = bondy_realms_find(
        oauth2->options.realms, bondy_slice_text(operation->path->version->spec->realm_uri));

    if (realm != NULL && realm->allows_connections)
        return realm;
    oauth2_refuse_early(gateway, &gone);
    return NULL;
}

struct oauth2_call *oauth2_begin(struct bondy_oauth2 *oauth2, struct bondy_gateway_call *gateway,
                                 struct bondy_slice text)
{
    const struct bondy_request *request = bondy_gateway_call_request(gateway);
    const struct bondy_realm *realm = find_realm(oauth2, gateway);
    struct bondy_slice id;
    struct oauth2_call *call;

    if (realm == NULL)
        return NULL;
    call = bondy_zalloc(sizeof *call);
    call->oauth2 = oauth2;
    call->gateway = gateway;
    call->loop = bondy_request_loop(request);
    bondy_realm_ref(realm);
    call->realm = realm;
    call->rules = bondy_token_settings_now(oauth2->options.tokens);
    call->edit.rules = oauth2->options.rules;
    describe_peer(call, request);
    id = bondy_request_id(request);
    call->request_id = bondy_memdup0(id.data, id.len);
    call->issuer = oauth2_issuer(gateway);
    bondy_oauth2_params_read(text, &call->params);
    return call;
}

void oauth2_end(struct oauth2_call *call)
{
    bondy_auth_ops(call->oauth2->options.auth)->end(call->login);
    bondy_oauth2_params_fini(&call->params);
    bondy_edit_fini(&call->edit);
    bondy_realm_unref(call->realm);
    if (call->has_user)
        bondy_user_fini(&call->user);
    bondy_access_fini(&call->access);
    bondy_refresh_use_fini(&call->use);
    bondy_code_use_fini(&call->code);
    json_decref(call->only_groups);
    json_decref(call->client_meta);
    json_decref(call->claims);
    json_decref(call->value);
    bondy_free(call->client_id);
    bondy_free(call->authid);
    bondy_free(call->device_id);
    bondy_free(call->request_id);
    bondy_free(call->issuer);
    sodium_memzero(call, sizeof *call);
    bondy_free(call);
}

struct bondy_slice oauth2_param(const struct oauth2_call *call, enum bondy_oauth2_param param)
{
    return call->params.values[param];
}

bool oauth2_has_group(const json_t *groups, const char *group)
{
    const json_t *name;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)groups, i, name)
    {
        if (json_is_string(name) && strcmp(json_string_value(name), group) == 0)
            return true;
    }
    return false;
}

/* ---- logins ---------------------------------------------------------------------------------- */

static void logged_in(struct bondy_login *login, void *context)
{
    struct oauth2_call *call = context;

    (void)login;
    call->next(call);
}

void oauth2_login(struct oauth2_call *call, struct bondy_slice name, struct bondy_slice secret,
                  void (*next)(struct oauth2_call *call))
{
    struct bondy_auth *auth = call->oauth2->options.auth;
    const struct bondy_auth_check check = {.realm = call->realm,
                                           .method = "password",
                                           .authid = name,
                                           .secret = secret,
                                           .peer = &call->peer,
                                           .loop = call->loop,
                                           .done = logged_in,
                                           .context = call};

    bondy_auth_ops(auth)->end(BONDY_MOVE(call->login));
    call->next = next;
    bondy_auth_check(auth, &check, &call->login);
}

const struct bondy_login_answer *oauth2_login_answer(const struct oauth2_call *call)
{
    return bondy_auth_ops(call->oauth2->options.auth)->answer(call->login);
}

unsigned oauth2_login_wait(const struct oauth2_call *call)
{
    const struct bondy_login_answer *answer = oauth2_login_answer(call);
    json_int_t seconds = json_integer_value(json_object_get(answer->extra, "retry_after"));

    if (answer->step == BONDY_LOGIN_WELCOME || seconds <= 0)
        return 0;
    return seconds > 3600 ? 3600 : (unsigned)seconds;
}

/* ---- pool ------------------------------------------------------------------------------------ */

static const struct oauth2_fault broken = {
    .status = 500, .code = "server_error", .message = "Something went wrong on this server."};

static struct oauth2_call *call_of_work(struct bondy_work *work)
{
    return BONDY_CONTAINER(work, struct oauth2_call, work);
}

static void run_look(struct bondy_work *work)
{
    struct oauth2_call *call = call_of_work(work);
    struct bondy_store_view *view = NULL;

    if (bondy_store_view_begin(call->oauth2->options.store, &view, NULL) < 0) {
        call->fault = broken;
        return;
    }
    call->look(call, view);
    bondy_store_view_end(view);
}

static void looked(struct bondy_work *work)
{
    struct oauth2_call *call = call_of_work(work);

    call->next(call);
}

void oauth2_look(struct oauth2_call *call, void (*next)(struct oauth2_call *call))
{
    call->next = next;
    call->work = (struct bondy_work){.run = run_look, .done = looked};
    if (bondy_pool_submit(call->oauth2->options.readers, call->loop, &call->work, NULL) == BONDY_OK)
        return;
    call->fault = (struct oauth2_fault){.status = 503,
                                        .code = "temporarily_unavailable",
                                        .message = "Too much is waiting already.",
                                        .retry_after_s = 1};
    next(call);
}

/* ---- job ------------------------------------------------------------------------------------- */

static int run_apply(struct bondy_store_job *job, struct bondy_store_write *write,
                     struct bondy_error *err)
{
    struct oauth2_call *call = BONDY_CONTAINER(job, struct oauth2_call, job);

    (void)err;
    bondy_edit_start(&call->edit, write);
    return bondy_edit_end(&call->edit, call->apply(call));
}

static void applied(struct bondy_store_job *job)
{
    struct oauth2_call *call = BONDY_CONTAINER(job, struct oauth2_call, job);

    /* ENOENT: what was looked up is not so any more; `next` knows what that means. */
    if (job->rc < 0 && job->rc != BONDY_ENOENT && call->fault.status == 0) {
        const json_t *message = json_object_get(call->edit.problem, "message");

        bondy_log(BONDY_LOG_ERROR, "oauth2_write_failed", BONDY_F_STR("realm", call->realm->uri),
                  BONDY_F_STR("reason", json_is_string(message) ? json_string_value(message)
                                                                : job->err.text));
        call->fault = broken;
    }
    call->next(call);
}

void oauth2_apply(struct oauth2_call *call, void (*next)(struct oauth2_call *call))
{
    call->next = next;
    call->job = (struct bondy_store_job){.run = run_apply, .done = applied, .loop = call->loop};
    bondy_store_submit(call->oauth2->options.store, &call->job);
}
