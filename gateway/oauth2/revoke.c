/* SPDX-License-Identifier: Apache-2.0 */

/* revoke: POST <base>/oauth/revoke. RFC 7009; oauth2-oidc.md 3.6. What a token is, it says itself:
 * hints are not needed. A token that is nobody's, or another client's, is answered like a revoked
 * one. */

#include "gateway/oauth2/call.h"
#include "src/base/alloc.h"

static bool is_refresh(const struct oauth2_call *call)
{
    struct bondy_refresh_parts parts;

    return bondy_refresh_parse(oauth2_param(call, BONDY_PARAM_TOKEN), &parts);
}

/* ---- [pool] ---------------------------------------------------------------------------------- */

static bool is_own(const struct oauth2_call *call, const json_t *claims)
{
    const json_t *scope = json_object_get(json_object_get(claims, "auth"), "scope");
    struct bondy_slice client = bondy_json_text(claims, "client_id");

    if (client.len == 0)
        client = bondy_json_text(scope, "client_id");
    return bondy_slice_is(client, call->client_id);
}

static void look(struct oauth2_call *call, const struct bondy_store_view *view)
{
    struct bondy_access_question question = {.realms = call->oauth2->options.realms,
                                             .realm = call->realm,
                                             .jws = oauth2_param(call, BONDY_PARAM_TOKEN),
                                             .leeway_s = call->oauth2->options.leeway_s};
    struct bondy_access_checked checked = {0};

    if (!oauth2_client_look(call, view) || is_refresh(call))
        return;
    bondy_access_check(view, &question, &checked);
    if (checked.reason == NULL && is_own(call, checked.claims))
        call->claims = BONDY_MOVE(checked.claims);
    json_decref(checked.claims);
}

/* ---- [job] ----------------------------------------------------------------------------------- */

static int apply(struct oauth2_call *call)
{
    if (call->claims != NULL)
        return bondy_denied_apply_claims(&call->edit, call->claims);
    return bondy_refresh_apply_revoke(&call->edit, bondy_slice_text(call->realm->uri),
                                      bondy_slice_text(call->client_id),
                                      oauth2_param(call, BONDY_PARAM_TOKEN));
}

/* ---- loop ------------------------------------------------------------------------------------ */

static void answer(struct oauth2_call *call)
{
    struct bondy_response *response;

    if (!call->oauth2->options.has_empty_revocation) {
        oauth2_answer(call, json_true());
        return;
    }
    response = bondy_response_create(200);
    oauth2_no_store(response);
    oauth2_answer_response(call, response);
}

static void applied(struct oauth2_call *call)
{
    struct bondy_buf target = BONDY_BUF_EMPTY;
    bool is_known = call->claims != NULL || json_integer_value(call->edit.result) > 0;

    if (call->fault.status != 0) {
        oauth2_refuse(call);
        return;
    }
    if (is_known) {
        bondy_buf_printf(&target, "clients/%s", call->client_id);
        bondy_buf_append_byte(&target, 0);
        oauth2_audit(call, "token.revoke", BONDY_AUDIT_OK, target.data,
                     bondy_slice_text(call->claims != NULL ? "access_token" : "refresh_token"));
        bondy_buf_fini(&target);
    }
    answer(call);
}

static void looked(struct oauth2_call *call)
{
    if (call->fault.status != 0) {
        oauth2_refuse(call);
    } else if (call->claims == NULL && !is_refresh(call)) {
        answer(call);
    } else {
        call->apply = apply;
        oauth2_apply(call, applied);
    }
}

static void client_known(struct oauth2_call *call)
{
    oauth2_look_at_token(call, look, looked);
}

void oauth2_serve_revoke(void *context, struct bondy_gateway_call *gateway)
{
    oauth2_serve_client(context, gateway, client_known);
}
