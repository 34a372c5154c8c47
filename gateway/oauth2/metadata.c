/* SPDX-License-Identifier: Apache-2.0 */

/* metadata: GET <base>/.well-known/oauth-authorization-server, and the same in front of the base
 * path: what this server can do and where (RFC 8414). */

#include "gateway/oauth2/call.h"
#include "src/base/alloc.h"

static void add_url(json_t *body, const char *key, const char *issuer, const char *path)
{
    json_object_set_new(body, key, json_sprintf("%s%s", issuer, path));
}

static json_t *grants_of(unsigned grants)
{
    static const struct {
        unsigned bit;
        const char *name;
    } NAMES[] = {
        {BONDY_GRANT_AUTHORIZATION_CODE, "authorization_code"},
        {BONDY_GRANT_CLIENT_CREDENTIALS, "client_credentials"},
        {BONDY_GRANT_PASSWORD, "password"},
        {BONDY_GRANT_REFRESH_TOKEN, "refresh_token"},
    };
    json_t *list = json_array();

    for (size_t i = 0; i < BONDY_COUNT(NAMES); i++)
        if (grants & NAMES[i].bit)
            json_array_append_new(list, json_string(NAMES[i].name));
    return list;
}

static json_t *describe(const struct bondy_spec_oauth2 *server, const char *issuer)
{
    bool has_code = (server->grants & BONDY_GRANT_AUTHORIZATION_CODE) != 0;
    json_t *body = json_pack(
        "{s:s, s:o, s:o, s:[sss], s:[sss], s:[ss], s:[s]}", "issuer", issuer,
        "grant_types_supported", grants_of(server->grants), "response_types_supported",
        has_code ? json_pack("[s]", "code") : json_array(), "token_endpoint_auth_methods_supported",
        "client_secret_basic", "client_secret_post", "none",
        "revocation_endpoint_auth_methods_supported", "client_secret_basic", "client_secret_post",
        "none", "introspection_endpoint_auth_methods_supported", "client_secret_basic",
        "client_secret_post", "code_challenge_methods_supported", "S256");

    if (has_code) {
        add_url(body, "authorization_endpoint", issuer, BONDY_OAUTH2_AUTHORIZE);
        json_object_set_new(body, "response_modes_supported", json_pack("[s]", "query"));
        json_object_set_new(body, "authorization_response_iss_parameter_supported", json_true());
    }
    add_url(body, "token_endpoint", issuer, server->token_path);
    add_url(body, "revocation_endpoint", issuer, server->revoke_token_path);
    add_url(body, "introspection_endpoint", issuer, BONDY_OAUTH2_INTROSPECT);
    add_url(body, "jwks_uri", issuer, BONDY_OAUTH2_JWKS);
    return body;
}

void oauth2_serve_metadata(void *context, struct bondy_gateway_call *gateway)
{
    const struct bondy_version *version = bondy_gateway_call_operation(gateway)->path->version;
    char *issuer = oauth2_issuer(gateway);
    json_t *body = describe(&version->oauth2, issuer);
    struct bondy_response *response = oauth2_json(200, body, "application/json; charset=utf-8");

    (void)context;
    json_decref(body);
    bondy_free(issuer);
    bondy_response_set_header(response, "cache-control", BONDY_SLICE("public, max-age=300"), NULL);
    bondy_response_set_header(response, "vary", BONDY_SLICE("Host"), NULL);
    bondy_gateway_call_answer(gateway, response);
}
