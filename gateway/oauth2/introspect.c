/* SPDX-License-Identifier: Apache-2.0 */

/* introspect: POST <base>/oauth/introspect. RFC 7662. For clients with a secret: access tokens of
 * the realm, and their own refresh tokens. Whatever is wrong with a token, it is just not active.
 */

#include "gateway/oauth2/call.h"

/* ---- [pool] ---------------------------------------------------------------------------------- */

static void copy(json_t *to, const char *key, json_t *value)
{
    if (value != NULL)
        json_object_set(to, key, value);
}

/* `exp` of Bondy's tokens is a lifetime; an instant is never so small. */
static json_t *end_of(const json_t *claims)
{
    json_int_t end = json_integer_value(json_object_get(claims, "exp"));

    return json_integer(end < 1000000000 ? end + json_integer_value(json_object_get(claims, "iat"))
                                         : end);
}

static json_t *describe_access(const struct oauth2_call *call, const json_t *claims)
{
    const json_t *scope = json_object_get(json_object_get(claims, "auth"), "scope");
    json_t *groups = json_object_get(claims, "groups");
    json_t *id = json_object_get(claims, "jti"), *body;

    body = json_pack("{s:b, s:s, s:s}", "active", 1, "token_type", "Bearer", "realm",
                     call->realm->uri);
    json_object_set_new(body, "scope", oauth2_scope(groups, ' '));
    copy(body, "client_id", json_object_get(scope, "client_id"));
    copy(body, "username", json_object_get(claims, "sub"));
    copy(body, "sub", json_object_get(claims, "sub"));
    copy(body, "aud", json_object_get(claims, "aud"));
    copy(body, "iss", json_object_get(claims, "iss"));
    copy(body, "iat", json_object_get(claims, "iat"));
    copy(body, "jti", id == NULL ? json_object_get(claims, "id") : id);
    copy(body, "groups", groups);
    json_object_set_new(body, "exp", end_of(claims));
    return body;
}

static void look_at_access(struct oauth2_call *call, const struct bondy_store_view *view)
{
    struct bondy_access_question question = {.realms = call->oauth2->options.realms,
                                             .realm = call->realm,
                                             .jws = oauth2_param(call, BONDY_PARAM_TOKEN),
                                             .leeway_s = call->oauth2->options.leeway_s};
    struct bondy_access_checked checked = {0};

    bondy_access_check(view, &question, &checked);
    if (checked.reason == NULL)
        call->value = describe_access(call, checked.claims);
    json_decref(checked.claims);
}

static void look_at_refresh(struct oauth2_call *call, const struct bondy_store_view *view)
{
    call->use = (struct bondy_refresh_use){.rules = call->rules,
                                           .realm = bondy_slice_text(call->realm->uri),
                                           .client_id = bondy_slice_text(call->client_id),
                                           .given = oauth2_param(call, BONDY_PARAM_TOKEN)};
    bondy_refresh_look(view, &call->use);
    if (call->use.verdict == BONDY_REFRESH_GOOD)
        call->value =
            json_pack("{s:b, s:s, s:s, s:s, s:s, s:s}", "active", 1, "token_type", "refresh_token",
                      "realm", call->realm->uri, "client_id", call->client_id, "username",
                      call->use.authid, "sub", call->use.authid);
}

static void look(struct oauth2_call *call, const struct bondy_store_view *view)
{
    struct bondy_refresh_parts parts;

    if (!oauth2_client_look(call, view))
        return;
    if (!call->is_proved) {
        call->fault =
            (struct oauth2_fault){.status = 401,
                                  .code = "invalid_client",
                                  .message = "The client could not be authenticated.",
                                  .description = "A public client cannot ask about tokens."};
        return;
    }
    if (bondy_refresh_parse(oauth2_param(call, BONDY_PARAM_TOKEN), &parts))
        look_at_refresh(call, view);
    else
        look_at_access(call, view);
    if (call->value == NULL)
        call->value = json_pack("{s:b}", "active", 0);
}

/* ---- loop ------------------------------------------------------------------------------------ */

static void looked(struct oauth2_call *call)
{
    if (call->fault.status != 0)
        oauth2_refuse(call);
    else
        oauth2_answer(call, json_incref(call->value));
}

static void client_known(struct oauth2_call *call)
{
    oauth2_look_at_token(call, look, looked);
}

void oauth2_serve_introspect(void *context, struct bondy_gateway_call *gateway)
{
    oauth2_serve_client(context, gateway, client_known);
}
