/* SPDX-License-Identifier: Apache-2.0 */
#include "src/admin/guard.h"

#include <sodium.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "src/admin/health.h"
#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/http/problem.h"
#include "src/wamp/base64.h"
#include "src/wamp/errors.h"

#define CREDENTIALS_MAX 1024
#define ADMIN_NAME "admin"
#define ADMIN_ROLE "bondy.administrators"
#define CHALLENGE "Basic realm=\"bondy-admin\", charset=\"UTF-8\", Bearer"

struct bondy_admin_guard {
    struct bondy_gateway_guard hooks;
    const struct bondy_admin_node *node;
    bool allow_anonymous;
    bool has_password;
    uint8_t key[crypto_generichash_KEYBYTES]; /* random: two equal passwords hash differently */
    uint8_t hash[crypto_generichash_BYTES];
    char **hosts; /* lower case, without port; NULL-terminated */
};

/* ---- Host and Origin (threat-model H9) --------------------------------------------------------*/

static struct bondy_slice without_brackets(struct bondy_slice host)
{
    if (host.len >= 2 && host.data[0] == '[' && host.data[host.len - 1] == ']')
        return bondy_slice_of(host.data + 1, host.len - 2);
    return host;
}

static bool is_host_allowed(const struct bondy_admin_guard *guard, struct bondy_slice host)
{
    host = without_brackets(host);
    for (char **allowed = guard->hosts; *allowed != NULL; allowed++)
        if (bondy_slice_eq(host, without_brackets(bondy_slice_text(*allowed))))
            return true;
    return false;
}

static bool changes_something(enum bondy_method method)
{
    return method != BONDY_METHOD_GET && method != BONDY_METHOD_HEAD &&
           method != BONDY_METHOD_OPTIONS;
}

/* A browser says where a page came from; it must be this very listener. Origins are compared whole:
 * scheme, host and port, as the client itself wrote them into Host. */
static bool is_own_origin(const struct bondy_request *request, struct bondy_slice origin)
{
    struct bondy_slice scheme = bondy_slice_text(bondy_request_listener(request)->scheme);
    struct bondy_slice host = bondy_request_header(request, "host"), rest;

    if (origin.len != scheme.len + 3 + host.len ||
        strncasecmp(origin.data, scheme.data, scheme.len) != 0)
        return false;
    rest = bondy_slice_skip(origin, scheme.len);
    return memcmp(rest.data, "://", 3) == 0 && strncasecmp(rest.data + 3, host.data, host.len) == 0;
}

static void refuse_403(struct bondy_request *request, const char *message, const char *description)
{
    bondy_response_problem(request, 403, BONDY_ERR_NOT_ALLOWED, message, description, NULL);
}

static bool comes_from_elsewhere(const struct bondy_admin_guard *guard,
                                 struct bondy_request *request)
{
    struct bondy_slice origin = bondy_request_header(request, "origin");

    if (bondy_request_peer(request)->is_local)
        return false;
    if (!is_host_allowed(guard, bondy_request_host(request))) {
        refuse_403(request, "This Host is not allowed.",
                   "Hosts that may be named are listed in admin_api.allowed_hosts.");
        return true;
    }
    if (origin.data != NULL && changes_something(bondy_request_method(request)) &&
        !is_own_origin(request, origin)) {
        refuse_403(request, "This Origin is not allowed.",
                   "A page of another site cannot change anything here.");
        return true;
    }
    return false;
}

static bool fixed(void *context, struct bondy_request *request)
{
    const struct bondy_admin_guard *guard = context;

    if (!bondy_health_is_probe(bondy_request_path(request)) && comes_from_elsewhere(guard, request))
        return true;
    return bondy_health_answer(guard->node, request);
}

/* ---- who asks ---------------------------------------------------------------------------------*/

static void hash_password(const struct bondy_admin_guard *guard, struct bondy_slice password,
                          uint8_t out[crypto_generichash_BYTES])
{
    crypto_generichash(out, crypto_generichash_BYTES, (const unsigned char *)password.data,
                       password.len, guard->key, sizeof guard->key);
}

static bool is_password(const struct bondy_admin_guard *guard, struct bondy_slice password)
{
    uint8_t hash[crypto_generichash_BYTES];

    hash_password(guard, password, hash);
    return sodium_memcmp(hash, guard->hash, sizeof hash) == 0 && guard->has_password;
}

/* RFC 7617: base64 of name, colon, password; the name has no colon. */
static bool are_basic_credentials(const struct bondy_admin_guard *guard, struct bondy_slice header)
{
    struct bondy_slice encoded = bondy_slice_skip(header, 6), decoded, name, password;
    char bytes[CREDENTIALS_MAX];
    const char *colon;
    bool is_right;

    if (header.len < 6 || strncasecmp(header.data, "Basic ", 6) != 0)
        return false;
    while (encoded.len > 0 && encoded.data[0] == ' ')
        encoded = bondy_slice_skip(encoded, 1);
    if (encoded.len > sizeof bytes || !bondy_base64_is_valid(encoded))
        return false;
    decoded = bondy_slice_of(bytes, bondy_base64_decode(encoded, bytes));
    colon = decoded.len == 0 ? NULL : memchr(bytes, ':', decoded.len);
    if (colon == NULL)
        return false;
    name = bondy_slice_of(bytes, (size_t)(colon - bytes));
    password = bondy_slice_skip(decoded, name.len + 1);
    /* The hash is made for any name, so that the time tells nothing. */
    is_right = is_password(guard, password);
    is_right = bondy_slice_is(name, ADMIN_NAME) && is_right;
    sodium_memzero(bytes, sizeof bytes);
    return is_right;
}

static void refuse_401(struct bondy_request *request)
{
    static const struct bondy_problem problem = {
        .status = 401,
        .code = BONDY_ERR_NOT_AUTHORIZED,
        .message = "Credentials are required.",
        .description = "Send Basic credentials of 'admin', or use the local socket."};
    struct bondy_response *response = bondy_problem_create(request, &problem);

    bondy_response_set_header(response, "www-authenticate", BONDY_SLICE(CHALLENGE), NULL);
    bondy_response_send(request, response);
}

static void let_in(struct bondy_identity *identity, struct bondy_slice authid,
                   struct bondy_slice authmethod)
{
    *identity = (struct bondy_identity){.authid = authid,
                                        .authrole = BONDY_SLICE(ADMIN_ROLE),
                                        .authmethod = authmethod,
                                        .is_trusted = true};
}

static enum bondy_admission admit(void *context, struct bondy_request *request,
                                  struct bondy_gateway_pending *pending,
                                  struct bondy_identity *identity)
{
    const struct bondy_admin_guard *guard = context;
    const struct bondy_http_peer *peer = bondy_request_peer(request);
    struct bondy_slice credentials = bondy_request_header(request, "authorization");

    (void)pending;
    /* What was sent is judged, right or wrong: wrong credentials are never taken for none. */
    if (credentials.data != NULL) {
        if (are_basic_credentials(guard, credentials)) {
            let_in(identity, BONDY_SLICE(ADMIN_NAME), BONDY_SLICE("password"));
            return BONDY_ADMISSION_YES;
        }
    } else if (peer->is_local && (peer->uid == 0 || peer->uid == geteuid())) {
        let_in(identity, BONDY_SLICE(ADMIN_NAME), BONDY_SLICE("trust"));
        return BONDY_ADMISSION_YES;
    } else if (guard->allow_anonymous && !peer->is_local) {
        let_in(identity, BONDY_SLICE("anonymous"), BONDY_SLICE("anonymous"));
        return BONDY_ADMISSION_YES;
    }
    refuse_401(request);
    return BONDY_ADMISSION_NO;
}

/* ---- life -------------------------------------------------------------------------------------*/

static void add_host(struct bondy_admin_guard *guard, size_t *count, struct bondy_slice host)
{
    char *text = bondy_memdup0(host.data, host.len);

    for (char *at = text; *at != '\0'; at++)
        *at = *at >= 'A' && *at <= 'Z' ? (char)(*at | 0x20) : *at;
    guard->hosts = bondy_realloc(guard->hosts, (*count + 2) * sizeof *guard->hosts);
    guard->hosts[(*count)++] = text;
    guard->hosts[*count] = NULL;
}

static void add_listed(struct bondy_admin_guard *guard, size_t *count, const char *list)
{
    while (*list != '\0') {
        size_t len;

        list += strspn(list, ", \t");
        len = strcspn(list, ", \t");
        if (len > 0)
            add_host(guard, count, bondy_slice_of(list, len));
        list += len;
    }
}

static void fill_hosts(struct bondy_admin_guard *guard, const char *list)
{
    const char *name = guard->node->name, *at = name == NULL ? NULL : strchr(name, '@');
    size_t count = 0;

    if (list != NULL)
        add_listed(guard, &count, list);
    if (count > 0)
        return;
    add_listed(guard, &count, "localhost,127.0.0.1,[::1]");
    if (name != NULL)
        add_host(guard, &count, bondy_slice_text(name));
    if (at != NULL)
        add_host(guard, &count, bondy_slice_text(at + 1));
}

struct bondy_admin_guard *bondy_admin_guard_create(const struct bondy_admin_guard_options *options)
{
    struct bondy_admin_guard *guard = bondy_zalloc(sizeof *guard);

    guard->node = options->node;
    guard->allow_anonymous = options->allow_anonymous;
    guard->has_password = options->password != NULL;
    bondy_id_bytes(guard->key, sizeof guard->key);
    hash_password(guard, bondy_slice_text(options->password), guard->hash);
    fill_hosts(guard, options->allowed_hosts);
    guard->hooks = (struct bondy_gateway_guard){fixed, admit, guard};
    return guard;
}

void bondy_admin_guard_destroy(struct bondy_admin_guard *guard)
{
    if (guard == NULL)
        return;
    for (char **host = guard->hosts; *host != NULL; host++)
        bondy_free(*host);
    bondy_free(guard->hosts);
    sodium_memzero(guard, sizeof *guard);
    bondy_free(guard);
}

const struct bondy_gateway_guard *bondy_admin_guard_hooks(const struct bondy_admin_guard *guard)
{
    return &guard->hooks;
}
