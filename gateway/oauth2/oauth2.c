/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/oauth2/oauth2.h"

#include <sodium.h>

#include "gateway/oauth2/call.h"
#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/base/utf8.h"

static const struct {
    const char *name;
    void (*serve)(void *context, struct bondy_gateway_call *gateway);
} ENDPOINTS[BONDY_OAUTH2_ENDPOINTS] = {
    {"oauth2_token", oauth2_serve_token},
    {"oauth2_revoke", oauth2_serve_revoke},
    {"oauth2_introspect", oauth2_serve_introspect},
    {"oauth2_jwks", oauth2_serve_jwks},
    {"oauth2_metadata", oauth2_serve_metadata},
    {"oauth2_authorize", oauth2_serve_authorize},
    {"oauth2_me", oauth2_serve_me},
};

struct bondy_oauth2 *bondy_oauth2_create(void)
{
    struct bondy_oauth2 *oauth2 = bondy_zalloc(sizeof *oauth2);

    bondy_id_bytes(oauth2->key, sizeof oauth2->key);
    return oauth2;
}

void bondy_oauth2_open(struct bondy_oauth2 *oauth2, const struct bondy_oauth2_options *options)
{
    oauth2->options = *options;
}

void bondy_oauth2_destroy(struct bondy_oauth2 *oauth2)
{
    if (oauth2 == NULL)
        return;
    sodium_memzero(oauth2->key, sizeof oauth2->key);
    bondy_free(oauth2);
}

void bondy_oauth2_endpoints(struct bondy_oauth2 *oauth2,
                            struct bondy_gateway_endpoint out[BONDY_OAUTH2_ENDPOINTS])
{
    for (size_t i = 0; i < BONDY_COUNT(ENDPOINTS); i++)
        out[i] = (struct bondy_gateway_endpoint){
            .name = ENDPOINTS[i].name, .serve = ENDPOINTS[i].serve, .context = oauth2};
}

/* ---- where the client sees it ---------------------------------------------------------------- */

/* What stands in the request's path for the base path: that may have optional parts and names. */
static struct bondy_slice base_of(const struct bondy_path *path, struct bondy_slice asked)
{
    const char *base = path->version->base_path;
    size_t front = sizeof BONDY_OAUTH2_METADATA - 1;
    struct bondy_slice behind = bondy_slice_text(path->key);

    while (asked.len > 0 && asked.data[asked.len - 1] == '/')
        asked.len--;
    if (bondy_slice_starts(behind, BONDY_SLICE(BONDY_OAUTH2_METADATA)) &&
        behind.len == front + strlen(base)) {
        if (bondy_slice_starts(asked, BONDY_SLICE(BONDY_OAUTH2_METADATA)))
            return bondy_slice_skip(asked, front);
    } else {
        behind = bondy_slice_skip(behind, strlen(base));
        if (asked.len >= behind.len &&
            memcmp(asked.data + asked.len - behind.len, behind.data, behind.len) == 0)
            return bondy_slice_of(asked.data, asked.len - behind.len);
    }
    /* Written in a way that only the router understands ("/v1//oauth/../oauth/token"). */
    return strpbrk(base, ":[") == NULL ? bondy_slice_text(base) : BONDY_SLICE_EMPTY;
}

char *oauth2_issuer(const struct bondy_gateway_call *gateway)
{
    const struct bondy_operation *operation = bondy_gateway_call_operation(gateway);
    const struct bondy_request *request = bondy_gateway_call_request(gateway);
    struct bondy_slice host = bondy_request_host(request);
    struct bondy_slice base = base_of(operation->path, bondy_request_path(request));
    struct bondy_buf out = BONDY_BUF_EMPTY;

    if (operation->path->version->oauth2.issuer != NULL)
        return bondy_strdup(operation->path->version->oauth2.issuer);
    bondy_buf_printf(&out, "%s://", bondy_request_listener(request)->scheme);
    if (bondy_utf8_is_valid(host))
        bondy_buf_append_slice(&out, host);
    if (bondy_request_port(request) != 0)
        bondy_buf_printf(&out, ":%u", (unsigned)bondy_request_port(request));
    bondy_buf_append_slice(&out, base);
    return bondy_buf_take_text(&out);
}
