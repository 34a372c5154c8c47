/* SPDX-License-Identifier: Apache-2.0 */

/* jwks: GET <base>/oauth/jwks: the keys that sign the realm's tokens (RFC 7517). Of users who are
 * linked to an SSO realm, that realm's keys sign: they are in the set too. */

#include "gateway/oauth2/call.h"
#include "src/base/clock.h"

static void add_keys(json_t *set, const struct bondy_realm *realm)
{
    json_t *other = bondy_realm_jwks(realm, bondy_clock_wall_ms());

    json_array_extend(json_object_get(set, "keys"), json_object_get(other, "keys"));
    json_decref(other);
}

void oauth2_serve_jwks(void *context, struct bondy_gateway_call *gateway)
{
    static const struct oauth2_fault gone = {.status = 404,
                                             .code = "wamp.error.no_such_realm",
                                             .message = "The realm of this API does not exist."};
    const struct bondy_oauth2 *oauth2 = context;
    const char *uri = bondy_gateway_call_operation(gateway)->path->version->spec->realm_uri;
    const struct bondy_realm *realm =
        bondy_realms_find(oauth2->options.realms, bondy_slice_text(uri));
    const struct bondy_realm *sso;
    struct bondy_response *response;
    json_t *set;

    if (realm == NULL) {
        oauth2_refuse_early(gateway, &gone);
        return;
    }
    set = bondy_realm_jwks(realm, bondy_clock_wall_ms());
    sso = realm->sso_realm_uri == NULL
              ? NULL
              : bondy_realms_find(oauth2->options.realms, bondy_slice_text(realm->sso_realm_uri));
    if (sso != NULL && sso != realm)
        add_keys(set, sso);
    response = oauth2_json(200, set, "application/jwk-set+json");
    json_decref(set);
    bondy_response_set_header(response, "cache-control", BONDY_SLICE("public, max-age=300"), NULL);
    bondy_gateway_call_answer(gateway, response);
}
