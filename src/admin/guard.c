/* SPDX-License-Identifier: Apache-2.0 */
#include "src/admin/guard.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "src/admin/health.h"
#include "src/base/alloc.h"
#include "src/http/problem.h"
#include "src/security/login/credentials.h"
#include "src/wamp/errors.h"

#define HOST_MAX 256
#define ADMIN_NAME "admin"
#define ADMIN_ROLE "bondy.administrators"
#define CHALLENGE "Basic realm=\"bondy-admin\", charset=\"UTF-8\", Bearer"

struct bondy_admin_guard {
    struct bondy_gateway_guard hooks;
    const struct bondy_admin_node *node;
    struct bondy_auth *auth;
    struct bondy_credentials *credentials;
    bool allow_anonymous;
    bool allow_cleartext;
    char **hosts; /* lower case, without port; NULL-terminated */
};

/* ---- Host and Origin (threat-model H9) --------------------------------------------------------*/

static struct bondy_slice without_brackets(struct bondy_slice host)
{
    if (host.len >= 2 && host.data[0] == '[' && host.data[host.len - 1] == ']')
        return bondy_slice_of(host.data + 1, host.len - 2);
    return host;
}

/* A socket of this machine's own, or one of the loopback addresses. */
static bool is_host_allowed(const struct bondy_admin_guard *guard, const struct bondy_address *peer,
                            struct bondy_slice host)
{
    if (!bondy_address_is_loopback(peer))
        return true;
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
static bool is_own_origin(const char *scheme_text, struct bondy_slice host,
                          struct bondy_slice origin)
{
    struct bondy_slice scheme = bondy_slice_text(scheme_text), rest;

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
    if (!is_host_allowed(guard, &bondy_request_peer(request)->address,
                         bondy_request_host(request))) {
        refuse_403(request, "This Host is not allowed.",
                   "Hosts that may be named are listed in admin_api.allowed_hosts.");
        return true;
    }
    if (origin.data != NULL && changes_something(bondy_request_method(request)) &&
        !is_own_origin(bondy_request_listener(request)->scheme,
                       bondy_request_header(request, "host"), origin)) {
        refuse_403(request, "This Origin is not allowed.",
                   "A page of another site cannot change anything here.");
        return true;
    }
    return false;
}

/* The name in front of the port, in lower case. */
static struct bondy_slice name_of(struct bondy_slice host, char out[HOST_MAX])
{
    size_t len = 0, end = host.len;

    for (size_t i = host.len; i > 0 && host.data[i - 1] != ']' && end == host.len; i--)
        if (host.data[i - 1] == ':')
            end = i - 1;
    for (; len < end && len < HOST_MAX; len++)
        out[len] = (char)(host.data[len] >= 'A' && host.data[len] <= 'Z' ? host.data[len] | 0x20
                                                                         : host.data[len]);
    return bondy_slice_of(out, len);
}

bool bondy_admin_guard_allows(const struct bondy_admin_guard *guard,
                              const struct bondy_admin_knock *knock)
{
    char name[HOST_MAX];

    return is_host_allowed(guard, knock->peer, name_of(knock->host, name)) &&
           (knock->origin.len == 0 || is_own_origin(knock->scheme, knock->host, knock->origin));
}

static bool fixed(void *context, struct bondy_request *request)
{
    const struct bondy_admin_guard *guard = context;

    if (!bondy_health_is_probe(bondy_request_path(request)) && comes_from_elsewhere(guard, request))
        return true;
    return bondy_health_answer(guard->node, request);
}

/* ---- who asks ---------------------------------------------------------------------------------*/

/* What is not challenged: Host and Origin were checked, and the peer is this machine's. */
static void let_in(struct bondy_identity *identity, struct bondy_slice authid,
                   struct bondy_slice authmethod)
{
    static const struct bondy_slice administrators[] = {BONDY_SLICE(ADMIN_ROLE)};

    *identity = (struct bondy_identity){.authid = authid,
                                        .authrole = BONDY_SLICE(ADMIN_ROLE),
                                        .authmethod = authmethod,
                                        .authprovider = BONDY_SLICE(BONDY_AUTHPROVIDER),
                                        .groups = administrators,
                                        .group_count = 1,
                                        .groups_are_chosen = true};
}

static struct bondy_response *make_401(struct bondy_request *request)
{
    static const struct bondy_problem problem = {
        .status = 401,
        .code = BONDY_ERR_NOT_AUTHORIZED,
        .message = "Credentials are required.",
        .description = "Send Basic credentials of a user of the master realm or a Bearer token, or "
                       "use the local socket."};
    struct bondy_response *response = bondy_problem_create(request, &problem);

    bondy_response_set_header(response, "www-authenticate", BONDY_SLICE(CHALLENGE), NULL);
    return response;
}

static struct bondy_response *make_429(struct bondy_request *request, json_int_t seconds)
{
    static const struct bondy_problem problem = {
        .status = 429,
        .code = "bondy.error.too_many_requests",
        .message = "Too many logins.",
        .description = "Logins from this address failed too often, or there are too many at once. "
                       "Retry-After says when to try again."};
    struct bondy_response *response = bondy_problem_create(request, &problem);

    bondy_response_retry_after(response, (unsigned)seconds);
    return response;
}

/* ---- credentials ------------------------------------------------------------------------------*/

/* A check of credentials that is under way. */
struct check {
    const struct bondy_admin_guard *guard;
    struct bondy_gateway_pending *pending;
    struct bondy_loop *loop;
    struct bondy_login *login;
    struct bondy_credentials_mark mark;
};

static void checked(struct bondy_login *login, void *context)
{
    struct check *check = context;
    const struct bondy_login_ops *ops = bondy_auth_ops(check->guard->auth);
    const struct bondy_login_answer *answer = ops->answer(login);
    struct bondy_request *request = bondy_gateway_pending_request(check->pending);
    json_t *seconds = json_object_get(answer->extra, "retry_after");

    if (answer->step == BONDY_LOGIN_WELCOME) {
        bondy_credentials_keep(check->guard->credentials, bondy_loop_index(check->loop),
                               &check->mark, answer, bondy_loop_now_ms(check->loop));
        bondy_gateway_admitted(check->pending, &answer->identity);
    } else {
        bondy_credentials_drop(check->guard->credentials, bondy_loop_index(check->loop),
                               &check->mark);
        bondy_gateway_refused(check->pending, request == NULL ? NULL
                                              : seconds != NULL
                                                  ? make_429(request, json_integer_value(seconds))
                                                  : make_401(request));
    }
    ops->end(login);
    bondy_free(check);
}

static void describe_peer(const struct bondy_admin_guard *guard, struct bondy_request *request,
                          struct bondy_login_peer *out)
{
    const struct bondy_http_peer *peer = bondy_request_peer(request);

    *out = (struct bondy_login_peer){.address = peer->address};
    out->is_secure = guard->allow_cleartext ||
                     strcmp(bondy_request_listener(request)->scheme, "https") == 0 ||
                     bondy_address_is_loopback(&peer->address);
}

/* What is known since a moment, or a check of it. */
static enum bondy_admission find_or_check(const struct bondy_admin_guard *guard,
                                          struct bondy_request *request,
                                          struct bondy_gateway_pending *pending,
                                          struct bondy_auth_check *wanted,
                                          struct bondy_identity *identity)
{
    struct bondy_loop *loop = bondy_request_loop(request);
    struct bondy_credentials_mark mark;
    const struct bondy_identity *known;
    struct bondy_login_peer peer;
    struct check *check;

    describe_peer(guard, request, &peer);
    wanted->peer = &peer;
    wanted->realm = bondy_realms_find(guard->node->realms, BONDY_SLICE(BONDY_MASTER_REALM));
    bondy_credentials_mark(guard->credentials, wanted, &mark);
    known = bondy_credentials_find(guard->credentials, bondy_loop_index(loop), &mark,
                                   bondy_loop_now_ms(loop));
    if (known != NULL) {
        *identity = *known;
        return BONDY_ADMISSION_YES;
    }
    check = bondy_zalloc(sizeof *check);
    check->guard = guard;
    check->pending = pending;
    check->loop = loop;
    check->mark = mark;
    wanted->loop = loop;
    wanted->done = checked;
    wanted->context = check;
    bondy_auth_check(guard->auth, wanted, &check->login);
    return BONDY_ADMISSION_LATER;
}

/* What was sent is judged, right or wrong: wrong credentials are never taken for none. */
static enum bondy_admission judge(const struct bondy_admin_guard *guard,
                                  struct bondy_request *request,
                                  struct bondy_gateway_pending *pending,
                                  struct bondy_identity *identity)
{
    struct bondy_slice header = bondy_request_header(request, "authorization"), rest;
    struct bondy_auth_check wanted = {0};
    enum bondy_admission admission;
    char bytes[BONDY_BASIC_MAX];
    bool is_read = false;

    if (bondy_credentials_scheme(header, "Basic", &rest)) {
        is_read = bondy_credentials_basic(rest, BONDY_COLON_FIRST, bytes, &wanted);
    } else if (bondy_credentials_scheme(header, "Bearer", &rest)) {
        wanted.method = "bearer";
        wanted.secret = rest;
        is_read = true;
    }
    if (!is_read) {
        bondy_response_send(request, make_401(request));
        return BONDY_ADMISSION_NO;
    }
    admission = find_or_check(guard, request, pending, &wanted, identity);
    sodium_memzero(bytes, sizeof bytes);
    return admission;
}

/* The client's certificate was checked by the handshake; whose it is, and whether it may be used to
 * log in, the realm says. */
static enum bondy_admission judge_certificate(const struct bondy_admin_guard *guard,
                                              struct bondy_request *request,
                                              struct bondy_gateway_pending *pending,
                                              struct bondy_identity *identity)
{
    const char *name = bondy_request_peer(request)->certificate;
    struct bondy_auth_check wanted = {.method = "tls", .authid = bondy_slice_text(name)};

    return find_or_check(guard, request, pending, &wanted, identity);
}

static enum bondy_admission admit(void *context, struct bondy_request *request,
                                  struct bondy_gateway_pending *pending,
                                  struct bondy_identity *identity)
{
    const struct bondy_admin_guard *guard = context;
    const struct bondy_http_peer *peer = bondy_request_peer(request);

    if (bondy_request_header(request, "authorization").data != NULL)
        return judge(guard, request, pending, identity);
    if (peer->certificate != NULL && peer->certificate[0] != '\0')
        return judge_certificate(guard, request, pending, identity);
    if (peer->is_local && (peer->uid == 0 || peer->uid == geteuid())) {
        let_in(identity, BONDY_SLICE(ADMIN_NAME), BONDY_SLICE("trust"));
        return BONDY_ADMISSION_YES;
    }
    if (guard->allow_anonymous && !peer->is_local && bondy_address_is_loopback(&peer->address)) {
        let_in(identity, BONDY_SLICE("anonymous"), BONDY_SLICE("anonymous"));
        return BONDY_ADMISSION_YES;
    }
    bondy_response_send(request, make_401(request));
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
    guard->allow_cleartext = options->allow_cleartext;
    guard->auth = options->auth;
    guard->credentials = bondy_credentials_create(guard->auth);
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
    bondy_credentials_destroy(guard->credentials);
    bondy_free(guard);
}

const struct bondy_gateway_guard *bondy_admin_guard_hooks(const struct bondy_admin_guard *guard)
{
    return &guard->hooks;
}
