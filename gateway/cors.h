/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_GATEWAY_CORS_H
#define BONDY_GATEWAY_CORS_H

/* cors: cross-origin rules and the security headers of a listener. oauth2-oidc.md 4.6 and 4.7;
 * threat-model H7: origins are compared whole, credentials are never allowed together with "*". */

#include <stdbool.h>
#include <stdint.h>

#include "src/base/error.h"
#include "src/http/response.h"

enum bondy_cors_mode { BONDY_CORS_OFF, BONDY_CORS_ANY, BONDY_CORS_AUTO, BONDY_CORS_LIST };

struct bondy_cors {
    enum bondy_cors_mode mode;
    /* LIST: comma list of origins and patterns as configured: "https://a.example",
     * "*.example.com" (any scheme and port, one label more at least). */
    const char *origins;
    unsigned methods;    /* bits 1u << enum bondy_method */
    const char *headers; /* access-control-allow-headers */
    unsigned max_age_s;
};

/* "*", "auto" or a list, checked; `origins` is borrowed. The other members stay. */
int bondy_cors_parse(const char *origins, struct bondy_cors *out, struct bondy_error *err);
/* "GET,HEAD,..." to bits; unknown names are an error. */
int bondy_cors_parse_methods(const char *text, unsigned *out, struct bondy_error *err);

/* Adds what the answer to `request` needs, unless access-control-allow-origin is there already. */
void bondy_cors_apply(const struct bondy_cors *cors, const struct bondy_request *request,
                      struct bondy_response *response);
/* The same for an answer to OPTIONS; `methods` are those of the route. Adds the preflight's headers
 * when it is one. */
void bondy_cors_preflight(const struct bondy_cors *cors, const struct bondy_request *request,
                          unsigned methods, struct bondy_response *response);

/* The headers that every answer of a listener has. NULL or "" leaves one out; no
 * content_security_policy is bondy_http_json_policy. */
struct bondy_security_headers {
    const char *server;
    const char *hsts;
    const char *frame_options;
    const char *content_type_options;
    const char *content_security_policy;
    bool enabled; /* false: `server` only */
};
/* NULL-terminated pairs for struct bondy_http_listener; the texts are borrowed, the array is the
 * caller's (bondy_free). Brings referrer-policy and cross-origin-resource-policy too. */
const char **bondy_security_headers_make(const struct bondy_security_headers *options);

#endif
