/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cors.h"

#include <stdio.h>
#include <strings.h>

#include "src/base/alloc.h"

/* ---- configuration --------------------------------------------------------------------------- */

static bool next_item(struct bondy_slice *rest, struct bondy_slice *out)
{
    while (rest->len > 0) {
        const char *comma = memchr(rest->data, ',', rest->len);
        size_t len = comma == NULL ? rest->len : (size_t)(comma - rest->data);

        *out = (struct bondy_slice){rest->data, len};
        *rest = bondy_slice_skip(*rest, comma == NULL ? len : len + 1);
        while (out->len > 0 && out->data[0] == ' ')
            *out = bondy_slice_skip(*out, 1);
        while (out->len > 0 && out->data[out->len - 1] == ' ')
            out->len--;
        if (out->len > 0)
            return true;
    }
    return false;
}

static bool has_scheme(struct bondy_slice origin)
{
    return memmem(origin.data, origin.len, "://", 3) != NULL;
}

int bondy_cors_parse(const char *origins, struct bondy_cors *out, struct bondy_error *err)
{
    struct bondy_slice rest = bondy_slice_text(origins), item;

    out->origins = origins;
    if (bondy_slice_is(rest, "*")) {
        out->mode = BONDY_CORS_ANY;
        return BONDY_OK;
    }
    if (bondy_slice_is(rest, "auto")) {
        out->mode = BONDY_CORS_AUTO;
        return BONDY_OK;
    }
    while (next_item(&rest, &item)) {
        bool is_pattern = item.len > 2 && item.data[0] == '*' && item.data[1] == '.';

        if (is_pattern ? memchr(item.data + 1, '*', item.len - 1) != NULL : !has_scheme(item))
            return bondy_fail(err, BONDY_EINVAL,
                              "\"" BONDY_SLICE_FMT "\" is not an origin (\"https://host[:port]\") "
                              "or a pattern (\"*.example.com\")",
                              BONDY_SLICE_ARG(item));
    }
    out->mode = BONDY_CORS_LIST;
    return BONDY_OK;
}

int bondy_cors_parse_methods(const char *text, unsigned *out, struct bondy_error *err)
{
    struct bondy_slice rest = bondy_slice_text(text), item;

    *out = 0;
    while (next_item(&rest, &item)) {
        unsigned method = 0;

        while (method < BONDY_METHOD_OTHER &&
               !bondy_slice_is(item, bondy_method_name((enum bondy_method)method)))
            method++;
        if (method == BONDY_METHOD_OTHER)
            return bondy_fail(err, BONDY_EINVAL,
                              "\"" BONDY_SLICE_FMT "\" is not a method that can be served",
                              BONDY_SLICE_ARG(item));
        *out |= 1u << method;
    }
    return BONDY_OK;
}

/* ---- origins --------------------------------------------------------------------------------- */

static bool same_caseless(struct bondy_slice a, struct bondy_slice b)
{
    return a.len == b.len && strncasecmp(a.data, b.data, a.len) == 0;
}

/* "https://a.b.example.com:8443" -> "a.b.example.com" */
static struct bondy_slice origin_host(struct bondy_slice origin)
{
    const char *mark = memmem(origin.data, origin.len, "://", 3);
    const char *colon;

    if (mark == NULL)
        return BONDY_SLICE_EMPTY;
    origin = bondy_slice_skip(origin, (size_t)(mark - origin.data) + 3);
    colon = origin.len == 0 ? NULL : memchr(origin.data, ':', origin.len);
    if (colon != NULL && origin.data[0] != '[')
        origin.len = (size_t)(colon - origin.data);
    return origin;
}

static bool fits_pattern(struct bondy_slice origin, struct bondy_slice pattern)
{
    struct bondy_slice host = origin_host(origin);
    struct bondy_slice tail = bondy_slice_skip(pattern, 1); /* ".example.com" */

    return host.len > tail.len && host.data[0] != '.' &&
           same_caseless(bondy_slice_skip(host, host.len - tail.len), tail);
}

static bool is_listed(const struct bondy_cors *cors, struct bondy_slice origin)
{
    struct bondy_slice rest = bondy_slice_text(cors->origins), item;

    while (next_item(&rest, &item)) {
        if (item.data[0] == '*' ? fits_pattern(origin, item) : same_caseless(origin, item))
            return true;
    }
    return false;
}

static bool is_own(const struct bondy_request *request, struct bondy_slice origin)
{
    const char *scheme = bondy_request_listener(request)->scheme;
    struct bondy_slice host = bondy_request_host(request);
    unsigned port = bondy_request_port(request);
    unsigned default_port = strcmp(scheme, "https") == 0 ? 443 : 80;
    struct bondy_buf own = BONDY_BUF_EMPTY;
    bool same;

    bondy_buf_printf(&own, "%s://" BONDY_SLICE_FMT, scheme, BONDY_SLICE_ARG(host));
    if (port != 0 && port != default_port)
        bondy_buf_printf(&own, ":%u", port);
    same = same_caseless(bondy_buf_slice(&own), origin);
    bondy_buf_fini(&own);
    return same;
}

static bool is_allowed(const struct bondy_cors *cors, const struct bondy_request *request,
                       struct bondy_slice origin)
{
    if (origin.len == 0)
        return false;
    return cors->mode == BONDY_CORS_AUTO ? is_own(request, origin) : is_listed(cors, origin);
}

/* ---- headers --------------------------------------------------------------------------------- */

static void set(struct bondy_response *response, const char *name, struct bondy_slice value)
{
    /* Origin was checked as a header of the request; the rest is ours. */
    bondy_response_set_header(response, name, value, NULL);
}

/* True: this origin may read the answer. */
static bool apply(const struct bondy_cors *cors, const struct bondy_request *request,
                  struct bondy_response *response)
{
    struct bondy_slice origin;

    if (cors->mode == BONDY_CORS_OFF)
        return false;
    if (bondy_response_has_header(response, "access-control-allow-origin"))
        return true;
    if (cors->mode == BONDY_CORS_ANY) {
        set(response, "access-control-allow-origin", BONDY_SLICE("*"));
        return true;
    }
    bondy_response_header(response, "vary", BONDY_SLICE("origin"), NULL);
    origin = bondy_request_header(request, "origin");
    if (!is_allowed(cors, request, origin))
        return false;
    set(response, "access-control-allow-origin", origin);
    set(response, "access-control-allow-credentials", BONDY_SLICE("true"));
    return true;
}

void bondy_cors_apply(const struct bondy_cors *cors, const struct bondy_request *request,
                      struct bondy_response *response)
{
    apply(cors, request, response);
}

static void put_methods(const struct bondy_cors *cors, unsigned methods,
                        struct bondy_response *response)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;

    for (unsigned i = 0; i < BONDY_METHOD_OTHER; i++) {
        if ((methods & cors->methods & (1u << i)) == 0)
            continue;
        if (text.len > 0)
            bondy_buf_append_text(&text, ", ");
        bondy_buf_append_text(&text, bondy_method_name((enum bondy_method)i));
    }
    set(response, "access-control-allow-methods", bondy_buf_slice(&text));
    bondy_buf_fini(&text);
}

void bondy_cors_preflight(const struct bondy_cors *cors, const struct bondy_request *request,
                          unsigned methods, struct bondy_response *response)
{
    bool has_own = bondy_response_has_header(response, "access-control-allow-origin");
    char age[16];

    if (!apply(cors, request, response) || has_own ||
        bondy_request_header(request, "access-control-request-method").data == NULL)
        return;
    put_methods(cors, methods, response);
    if (cors->headers != NULL && cors->headers[0] != '\0')
        set(response, "access-control-allow-headers", bondy_slice_text(cors->headers));
    snprintf(age, sizeof age, "%u", cors->max_age_s);
    set(response, "access-control-max-age", bondy_slice_text(age));
}

const char **bondy_security_headers_make(const struct bondy_security_headers *options)
{
    const char *policy = options->content_security_policy;
    const char *const table[][2] = {
        {"server", options->server},
        {"strict-transport-security", options->hsts},
        {"x-frame-options", options->frame_options},
        {"x-content-type-options", options->content_type_options},
        {"content-security-policy", policy == NULL ? bondy_http_json_policy : policy},
        {"referrer-policy", "no-referrer"},
        {"cross-origin-resource-policy", "cross-origin"},
    };
    const char **out = bondy_calloc(2 * BONDY_COUNT(table) + 1, sizeof *out);
    size_t at = 0;

    for (size_t i = 0; i < BONDY_COUNT(table); i++) {
        if (table[i][1] == NULL || table[i][1][0] == '\0' || (i > 0 && !options->enabled))
            continue;
        out[at++] = table[i][0];
        out[at++] = table[i][1];
    }
    return out;
}
