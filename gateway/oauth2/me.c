/* SPDX-License-Identifier: Apache-2.0 */

/* me: GET <base>/oauth/me: who the bearer of this token is. The gateway has checked it. */

#include "gateway/oauth2/call.h"

static json_t *describe(const struct bondy_identity *identity, const char *realm)
{
    json_t *meta = json_object_get(json_object_get(identity->extra, "authextra"), "meta");
    json_t *groups = json_array();

    for (size_t i = 0; i < identity->group_count; i++)
        json_array_append_new(groups, bondy_json_slice(identity->groups[i]));
    return json_pack("{s:o, s:s, s:o, s:o}", "authid", bondy_json_slice(identity->authid), "realm",
                     realm, "groups", groups, "meta",
                     meta == NULL ? json_object() : json_incref(meta));
}

void oauth2_serve_me(void *context, struct bondy_gateway_call *gateway)
{
    static const struct oauth2_fault nobody = {
        .status = 401, .code = "invalid_token", .message = "An access token is required."};
    const struct bondy_identity *identity = bondy_gateway_call_identity(gateway);
    struct bondy_response *response;
    json_t *body;

    (void)context;
    if (identity == NULL) {
        oauth2_refuse_early(gateway, &nobody);
        return;
    }
    body =
        describe(identity, bondy_gateway_call_operation(gateway)->path->version->spec->realm_uri);
    response = oauth2_json(200, body, "application/json; charset=utf-8");
    json_decref(body);
    oauth2_no_store(response);
    bondy_gateway_call_answer(gateway, response);
}
