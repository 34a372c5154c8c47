/* SPDX-License-Identifier: Apache-2.0 */

/* token: POST <base>/oauth/token. oauth2-oidc.md 3.3; RFC 6749, 4 to 6; RFC 7636. */

#include "gateway/oauth2/call.h"
#include "src/base/alloc.h"
#include "src/base/metric.h"
#include "src/security/credential/ticket.h"

struct grant {
    const char *name;
    unsigned bit;
    bool needs_secret; /* not for public clients */
    enum bondy_oauth2_param required[4];
    void (*start)(struct oauth2_call *call);
    void (*look)(struct oauth2_call *call, const struct bondy_store_view *view);
    int (*apply)(struct oauth2_call *call); /* NULL: nothing is stored */
    void (*settle)(struct oauth2_call *call);
};

static const struct grant *grant_of(const struct oauth2_call *call);

static void fail(struct oauth2_call *call, const char *code, const char *message)
{
    call->fault = (struct oauth2_fault){.status = 400, .code = code, .message = message};
}

/* ---- [pool] what every grant looks at -------------------------------------------------------- */

static bool client_may(struct oauth2_call *call)
{
    const json_t *allowed = json_object_get(call->client_meta, "grants");
    const struct grant *grant = grant_of(call);

    if (!bondy_realm_has_authmethod(call->realm, BONDY_SLICE("oauth2"))) {
        fail(call, "unauthorized_client", "This realm takes no access tokens.");
        call->fault.description = "Add 'oauth2' to the realm's authmethods.";
    } else if (grant->needs_secret && !call->is_proved) {
        fail(call, "unauthorized_client", "A public client may not use this grant.");
    } else if (json_is_array(allowed) && !oauth2_has_group(allowed, grant->name)) {
        fail(call, "unauthorized_client", "This client may not use this grant.");
    }
    return call->fault.status == 0;
}

static bool find_user(struct oauth2_call *call, const struct bondy_store_view *view,
                      const char *name)
{
    call->has_user = bondy_user_resolve(view, call->realm, bondy_slice_text(name), &call->user);
    if (call->has_user && call->user.is_enabled) {
        if (call->authid == NULL)
            call->authid = bondy_strdup(call->user.username);
        return true;
    }
    fail(call, "invalid_grant", "The user or the token is not good any more.");
    return false;
}

struct order {
    struct bondy_slice device_id;
    struct bondy_slice sid; /* of a family that is there already */
    const json_t *only_groups;
    unsigned lifetime_s;
    bool starts_family;
};

static void prepare_family(struct oauth2_call *call, const struct order *order)
{
    call->refresh = (struct bondy_refresh_issue){
        .rules = call->rules,
        .realm = bondy_slice_text(call->realm->uri),
        .client_id = bondy_slice_text(call->client_id),
        .device_id = order->device_id,
        .only_groups = order->only_groups,
    };
    bondy_refresh_prepare(&call->refresh, &call->user);
}

static bool gives_refresh(const struct oauth2_call *call)
{
    const json_t *allowed = json_object_get(call->client_meta, "grants");

    return (bondy_gateway_call_operation(call->gateway)->path->security.grants &
            BONDY_GRANT_REFRESH_TOKEN) != 0 &&
           (!json_is_array(allowed) || oauth2_has_group(allowed, "refresh_token"));
}

static void make_tokens(struct oauth2_call *call, const struct order *order)
{
    const struct bondy_oauth2_options *options = &call->oauth2->options;
    struct bondy_access_issue issue = {
        .rules = call->rules,
        .realm = call->realm,
        .authrealm = bondy_realms_find(options->realms, bondy_slice_text(call->user.authrealm)),
        .user = &call->user,
        .client_id = bondy_slice_text(call->client_id),
        .device_id = order->device_id,
        .sid = order->sid,
        .only_groups = order->only_groups,
        .lifetime_s = order->lifetime_s,
    };

    if (order->starts_family && gives_refresh(call)) {
        prepare_family(call, order);
        issue.sid = bondy_slice_text(call->refresh.id);
    }
    if (issue.authrealm == NULL || bondy_access_make(&issue, &call->access, NULL) < 0) {
        call->fault = (struct oauth2_fault){.status = 503,
                                            .code = "temporarily_unavailable",
                                            .message = "The realm cannot sign tokens yet.",
                                            .description = "Its signing keys are being made.",
                                            .retry_after_s = 1};
        return;
    }
    call->refresh.access_end_ms = call->access.end_ms;
}

/* ---- password -------------------------------------------------------------------------------- */

static void look_then_apply(struct oauth2_call *call);

static void password_checked(struct oauth2_call *call)
{
    const struct bondy_login_answer *answer = oauth2_login_answer(call);
    unsigned seconds = oauth2_login_wait(call);

    if (answer->step == BONDY_LOGIN_WELCOME) {
        call->authid = bondy_memdup0(answer->identity.authid.data, answer->identity.authid.len);
        look_then_apply(call);
        return;
    }
    if (seconds == 0) {
        fail(call, "invalid_grant", "The user name or the password is wrong.");
    } else {
        call->fault = (struct oauth2_fault){.status = 429,
                                            .code = "temporarily_unavailable",
                                            .message = "Too many logins.",
                                            .retry_after_s = seconds};
    }
    oauth2_refuse(call);
}

static void start_password(struct oauth2_call *call)
{
    oauth2_login(call, oauth2_param(call, BONDY_PARAM_USERNAME),
                 oauth2_param(call, BONDY_PARAM_PASSWORD), password_checked);
}

static void look_password(struct oauth2_call *call, const struct bondy_store_view *view)
{
    struct order order = {.device_id = oauth2_param(call, BONDY_PARAM_DEVICE_ID),
                          .lifetime_s = call->rules->password_s,
                          .starts_family = true};

    if (!oauth2_client_look(call, view) || !client_may(call) ||
        !find_user(call, view, call->authid))
        return;
    if (!oauth2_has_group(call->user.groups, OAUTH2_OWNERS))
        fail(call, "invalid_resource_owner", "The user is not in the group resource_owners.");
    else
        make_tokens(call, &order);
}

static int apply_family(struct oauth2_call *call)
{
    return call->refresh.id[0] == '\0' ? BONDY_OK
                                       : bondy_refresh_apply_issue(&call->edit, &call->refresh);
}

static void settle_family(struct oauth2_call *call)
{
    if (call->job.rc == BONDY_ENOENT)
        fail(call, "invalid_grant", "The user is not what it was a moment ago.");
}

/* ---- client_credentials ---------------------------------------------------------------------- */

static void look_client(struct oauth2_call *call, const struct bondy_store_view *view)
{
    struct order order = {.lifetime_s = call->rules->client_s};

    if (oauth2_client_look(call, view) && client_may(call) &&
        find_user(call, view, call->client_id))
        make_tokens(call, &order);
}

/* ---- refresh_token --------------------------------------------------------------------------- */

static void look_refresh(struct oauth2_call *call, const struct bondy_store_view *view)
{
    struct order order = {.lifetime_s = call->rules->password_s};

    if (!oauth2_client_look(call, view) || !client_may(call))
        return;
    call->use = (struct bondy_refresh_use){
        .rules = call->rules,
        .realm = bondy_slice_text(call->realm->uri),
        .client_id = bondy_slice_text(call->client_id),
        .given = oauth2_param(call, BONDY_PARAM_REFRESH_TOKEN),
    };
    bondy_refresh_look(view, &call->use);
    if (call->use.verdict == BONDY_REFRESH_REUSED) /* the job ends the family */
        return;
    if (call->use.verdict != BONDY_REFRESH_GOOD) {
        fail(call, "invalid_grant", "The refresh token is not good.");
        return;
    }
    if (!find_user(call, view, call->use.authid))
        return;
    order.device_id = bondy_slice_text(call->use.device_id);
    order.sid = bondy_slice_text(call->use.id);
    order.only_groups = call->use.only_groups;
    make_tokens(call, &order);
    call->use.access_end_ms = call->access.end_ms;
}

static int apply_refresh(struct oauth2_call *call)
{
    return bondy_refresh_apply_rotate(&call->edit, &call->use);
}

static void report_reuse(struct oauth2_call *call, const char *what)
{
    struct bondy_buf target = BONDY_BUF_EMPTY;

    bondy_buf_printf(&target, "users/%s", call->authid);
    bondy_buf_append_byte(&target, 0);
    oauth2_audit(call, "token.reuse", BONDY_AUDIT_DENIED, target.data, bondy_slice_text(what));
    bondy_buf_fini(&target);
}

static void settle_refresh(struct oauth2_call *call)
{
    if (call->use.verdict == BONDY_REFRESH_GOOD)
        return;
    fail(call, "invalid_grant", "The refresh token is not good.");
    if (call->use.verdict != BONDY_REFRESH_REUSED || call->use.authid == NULL)
        return;
    bondy_free(call->authid);
    call->authid = bondy_strdup(call->use.authid);
    report_reuse(call, "refresh_token");
}

/* ---- authorization_code ---------------------------------------------------------------------- */

static void look_code(struct oauth2_call *call, const struct bondy_store_view *view)
{
    struct order order = {.lifetime_s = call->rules->code_s, .starts_family = true};

    if (!oauth2_client_look(call, view) || !client_may(call))
        return;
    call->code = (struct bondy_code_use){
        .realm = bondy_slice_text(call->realm->uri),
        .client_id = bondy_slice_text(call->client_id),
        .redirect_uri = oauth2_param(call, BONDY_PARAM_REDIRECT_URI),
        .verifier = oauth2_param(call, BONDY_PARAM_CODE_VERIFIER),
        .given = oauth2_param(call, BONDY_PARAM_CODE),
    };
    bondy_code_look(view, &call->code);
    if (call->code.verdict == BONDY_CODE_UNKNOWN) {
        fail(call, "invalid_grant", "The code is not good.");
        return;
    }
    /* Whatever else is wrong with it, the job uses it up. */
    if (call->code.verdict != BONDY_CODE_GOOD || !find_user(call, view, call->code.authid))
        return;
    call->device_id = call->code.device_id == NULL ? NULL : bondy_strdup(call->code.device_id);
    call->only_groups = json_incref(call->code.only_groups);
    order.device_id = bondy_slice_text(call->device_id);
    order.only_groups = call->only_groups;
    make_tokens(call, &order);
    call->code.access_id = bondy_slice_text(call->access.id);
    call->code.refresh_id = bondy_slice_text(call->refresh.id);
    call->code.access_end_ms = call->access.end_ms;
}

static int apply_code(struct oauth2_call *call)
{
    int rc = bondy_code_apply_redeem(&call->edit, &call->code);

    return rc < 0 || call->code.verdict != BONDY_CODE_GOOD ? rc : apply_family(call);
}

static void settle_code(struct oauth2_call *call)
{
    if (call->code.verdict == BONDY_CODE_GOOD) {
        settle_family(call);
        return;
    }
    fail(call, "invalid_grant", "The code is not good.");
    if (call->code.verdict == BONDY_CODE_WRONG_REDIRECT)
        call->fault.description = "redirect_uri is not the one that the code was made for.";
    else if (call->code.verdict == BONDY_CODE_WRONG_VERIFIER)
        call->fault.description = "code_verifier does not fit the code's challenge.";
    if (call->code.verdict != BONDY_CODE_REUSED || call->code.authid == NULL)
        return;
    bondy_free(call->authid);
    call->authid = bondy_strdup(call->code.authid);
    report_reuse(call, "code");
}

/* ---- the answer ------------------------------------------------------------------------------ */

static void report(struct oauth2_call *call)
{
    static const char *const labels[] = {"realm", "grant", NULL};
    static const struct bondy_metric_family family = {
        .name = "bondy_oauth2_tokens_total",
        .help = "Access tokens that were handed out, by grant.",
        .type = BONDY_METRIC_COUNTER,
        .labels = labels,
    };
    const char *name = grant_of(call)->name;
    struct bondy_buf target = BONDY_BUF_EMPTY;

    bondy_metric_add(bondy_metric_series(&family, (const char *const[]){call->realm->uri, name}),
                     1);
    bondy_buf_printf(&target, "clients/%s", call->client_id);
    bondy_buf_append_byte(&target, 0);
    oauth2_audit(call, "token.issue", BONDY_AUDIT_OK, target.data, bondy_slice_text(name));
    bondy_buf_fini(&target);
}

static void finish(struct oauth2_call *call)
{
    const char *refresh = call->refresh.id[0] != '\0' ? call->refresh.text
                          : call->use.text[0] != '\0' ? call->use.text
                                                      : NULL;
    json_t *body;

    if (call->fault.status == 0 && grant_of(call)->settle != NULL)
        grant_of(call)->settle(call);
    if (call->fault.status != 0) {
        oauth2_refuse(call);
        return;
    }
    report(call);
    body =
        json_pack("{s:s, s:s, s:I, s:o}", "token_type", "bearer", "access_token", call->access.jws,
                  "expires_in", (json_int_t)call->access.lifetime_s, "scope",
                  oauth2_scope(call->access.groups, call->oauth2->options.has_spaces ? ' ' : ','));
    if (refresh != NULL)
        json_object_set_new(body, "refresh_token", json_string(refresh));
    oauth2_answer(call, body);
}

/* ---- which grant ----------------------------------------------------------------------------- */

static const struct grant GRANTS[] = {
    {"password",
     BONDY_GRANT_PASSWORD,
     true,
     {BONDY_PARAM_USERNAME, BONDY_PARAM_PASSWORD, BONDY_PARAMS},
     start_password,
     look_password,
     apply_family,
     settle_family},
    {"client_credentials",
     BONDY_GRANT_CLIENT_CREDENTIALS,
     true,
     {BONDY_PARAMS},
     look_then_apply,
     look_client,
     NULL,
     NULL},
    {"refresh_token",
     BONDY_GRANT_REFRESH_TOKEN,
     false,
     {BONDY_PARAM_REFRESH_TOKEN, BONDY_PARAMS},
     look_then_apply,
     look_refresh,
     apply_refresh,
     settle_refresh},
    {"authorization_code",
     BONDY_GRANT_AUTHORIZATION_CODE,
     false,
     {BONDY_PARAM_CODE, BONDY_PARAM_REDIRECT_URI, BONDY_PARAM_CODE_VERIFIER, BONDY_PARAMS},
     look_then_apply,
     look_code,
     apply_code,
     settle_code},
};

static const struct grant *grant_of(const struct oauth2_call *call)
{
    size_t i = 0;

    while (GRANTS[i].bit != call->grant)
        i++;
    return &GRANTS[i];
}

static void looked(struct oauth2_call *call)
{
    if (call->fault.status != 0) {
        oauth2_refuse(call);
    } else if (grant_of(call)->apply == NULL) {
        finish(call);
    } else {
        call->apply = grant_of(call)->apply;
        oauth2_apply(call, finish);
    }
}

static void look_then_apply(struct oauth2_call *call)
{
    call->look = grant_of(call)->look;
    oauth2_look(call, looked);
}

/* Nobody's password is tried for a client that may not. */
static void look_unproved(struct oauth2_call *call, const struct bondy_store_view *view)
{
    if (oauth2_client_look(call, view))
        client_may(call);
}

static bool find_grant(struct oauth2_call *call)
{
    const unsigned served = bondy_gateway_call_operation(call->gateway)->path->security.grants;
    struct bondy_slice name = oauth2_param(call, BONDY_PARAM_GRANT_TYPE);

    for (size_t i = 0; i < BONDY_COUNT(GRANTS); i++)
        if (bondy_slice_is(name, GRANTS[i].name) && (GRANTS[i].bit & served) != 0)
            call->grant = GRANTS[i].bit;
    if (call->grant != 0)
        return true;
    fail(call, "unsupported_grant_type", "This grant is not served here.");
    call->fault.key = "grant_type";
    call->fault.description =
        "The security of the API specification says which grants are: 'flow' and 'grants'.";
    return false;
}

static bool has_sound_device(struct oauth2_call *call)
{
    struct bondy_slice device = oauth2_param(call, BONDY_PARAM_DEVICE_ID);

    if (device.data == NULL || bondy_ticket_id_is_valid(device))
        return true;
    fail(call, "invalid_request", "client_device_id cannot be the id of a device.");
    call->fault.key = "client_device_id";
    return false;
}

static void client_known(struct oauth2_call *call)
{
    static const enum bondy_oauth2_param first[] = {BONDY_PARAM_GRANT_TYPE, BONDY_PARAMS};

    if (oauth2_lacks(call, first) || !find_grant(call) ||
        oauth2_lacks(call, grant_of(call)->required) || !has_sound_device(call)) {
        oauth2_refuse(call);
    } else if (grant_of(call)->needs_secret && !call->is_proved) {
        call->look = look_unproved;
        oauth2_look(call, looked);
    } else {
        grant_of(call)->start(call);
    }
}

void oauth2_serve_token(void *context, struct bondy_gateway_call *gateway)
{
    oauth2_serve_client(context, gateway, client_known);
}
