/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/access.h"

#include <sodium.h>
#include <strings.h>

#include "gateway/exchange.h"
#include "gateway/form.h"
#include "src/base/alloc.h"
#include "src/router/ask.h"
#include "src/security/credential/cookie.h"
#include "src/security/entity/names.h"
#include "src/security/login/principal.h"
#include "src/wamp/errors.h"

#define KEY_MAX 512 /* octets of an API key; real ones are shorter */

/* ---- what was sent --------------------------------------------------------------------------- */

/* What is made on the way: a decoded password or key. */
struct sent {
    char bytes[BONDY_BASIC_MAX];
    struct bondy_auth_check check;
};

/* Each says whether there is something of its kind; when it cannot be read, check.method is NULL.
 */
static bool take_basic(struct bondy_exchange *exchange, const struct bondy_security *item,
                       struct sent *out)
{
    struct bondy_slice header = bondy_request_header(exchange->request, "authorization"), rest;

    (void)item;
    if (!bondy_credentials_scheme(header, "Basic", &rest))
        return false;
    if (!bondy_credentials_basic(rest, BONDY_COLON_LAST, out->bytes, &out->check))
        out->check.method = NULL;
    return true;
}

static bool take_bearer(struct bondy_exchange *exchange, const struct bondy_security *item,
                        struct sent *out)
{
    struct bondy_slice header = bondy_request_header(exchange->request, "authorization");

    (void)item;
    if (!bondy_credentials_scheme(header, "Bearer", &out->check.secret))
        return false;
    out->check.method = "bearer";
    return true;
}

static bool find_cookie(void *context, struct bondy_slice name, struct bondy_slice rest)
{
    struct bondy_slice *wanted = context, cookie, value;

    if (name.len != 6 || strncasecmp(name.data, "cookie", 6) != 0)
        return true;
    while (bondy_cookie_next(&rest, &cookie, &value)) {
        if (!bondy_slice_eq(cookie, wanted[0]))
            continue;
        wanted[1] = value;
        return false;
    }
    return true;
}

static struct bondy_slice cookie_of(struct bondy_exchange *exchange, const char *name)
{
    struct bondy_slice wanted[2] = {bondy_slice_text(name), BONDY_SLICE_EMPTY};

    bondy_request_headers(exchange->request, find_cookie, wanted);
    return wanted[1];
}

static struct bondy_slice keep_text(struct sent *out, struct bondy_slice text)
{
    if (text.len == 0 || text.len > KEY_MAX)
        return BONDY_SLICE_EMPTY;
    memcpy(out->bytes, text.data, text.len);
    return bondy_slice_of(out->bytes, text.len);
}

static struct bondy_slice parameter_of(struct bondy_exchange *exchange, const char *name,
                                       struct sent *out)
{
    json_t *tree = bondy_form_tree(bondy_request_query(exchange->request), BONDY_FORM_LAST);
    struct bondy_slice value = keep_text(out, bondy_json_text(tree, name));

    json_decref(tree);
    return value;
}

static bool take_prefix(const struct bondy_security *item, struct bondy_slice *text)
{
    size_t len = item->prefix == NULL ? 0 : strlen(item->prefix);

    if (text->len < len || (len > 0 && strncasecmp(text->data, item->prefix, len) != 0))
        return false;
    *text = bondy_slice_trim(bondy_slice_skip(*text, len));
    return true;
}

static bool take_key(struct bondy_exchange *exchange, const struct bondy_security *item,
                     struct sent *out)
{
    struct bondy_slice text = BONDY_SLICE_EMPTY;

    switch (item->place) {
    case BONDY_API_KEY_HEADER:
        text = bondy_request_header(exchange->request, item->name);
        break;
    case BONDY_API_KEY_QUERY:
        text = parameter_of(exchange, item->name, out);
        break;
    case BONDY_API_KEY_COOKIE:
        text = cookie_of(exchange, item->name);
        break;
    }
    if (text.len == 0 || !take_prefix(item, &text))
        return false;
    out->check.method = text.len <= KEY_MAX ? "api_key" : NULL;
    out->check.secret = text;
    return true;
}

/* ---- the kinds ------------------------------------------------------------------------------- */

static const struct kind {
    bool (*take)(struct bondy_exchange *exchange, const struct bondy_security *item,
                 struct sent *out);
} kinds[] = {
    [BONDY_SECURITY_BASIC] = {take_basic},
    [BONDY_SECURITY_API_KEY] = {take_key},
    [BONDY_SECURITY_OAUTH2] = {take_bearer},
};

static const struct kind *kind_of(const struct bondy_security *item)
{
    BONDY_BUG_ON((unsigned)item->kind >= BONDY_COUNT(kinds) || kinds[item->kind].take == NULL);
    return &kinds[item->kind];
}

/* ---- refusals -------------------------------------------------------------------------------- */

static struct bondy_response *make_401(struct bondy_exchange *exchange)
{
    char *ways = bondy_access_describe_ways(exchange);
    struct bondy_problem problem = {.status = 401,
                                    .code = "invalid_token",
                                    .message = "credentials are required",
                                    .description = ways};
    struct bondy_response *response;

    if (exchange->access.was_sent) {
        problem.message = "the credentials were not accepted";
        problem.description = "they are wrong, expired or revoked, need TLS, or no source of the "
                              "realm admits this method from this address";
    }
    response = bondy_exchange_problem(exchange, &problem);
    bondy_free(ways);
    return response;
}

static struct bondy_response *make_403(struct bondy_exchange *exchange)
{
    static const struct bondy_problem problem = {
        .status = 403,
        .code = "insufficient_scope",
        .message = "this path asks for another role",
        .description = "the credentials are right, but have none of the roles that are listed in "
                       "WWW-Authenticate"};
    struct bondy_response *response = bondy_exchange_problem(exchange, &problem);

    bondy_access_challenge(exchange, response);
    return response;
}

static struct bondy_response *make_429(struct bondy_exchange *exchange, json_int_t seconds)
{
    static const struct bondy_problem problem = {
        .status = 429,
        .code = "bondy.error.too_many_requests",
        .message = "too many logins",
        .description = "logins from this address failed too often, or there are too many at once; "
                       "Retry-After says when to try again"};
    struct bondy_response *response = bondy_exchange_problem(exchange, &problem);

    bondy_response_retry_after(response, (unsigned)seconds);
    return response;
}

static struct bondy_response *make_503(struct bondy_exchange *exchange)
{
    return bondy_exchange_problem(
        exchange, &(struct bondy_problem){.status = 503,
                                          .code = BONDY_ERR_UNAVAILABLE,
                                          .message = "credentials cannot be checked now"});
}

static struct bondy_response *make_refusal(struct bondy_exchange *exchange)
{
    return exchange->access.lacks_scope ? make_403(exchange) : make_401(exchange);
}

/* ---- scopes ---------------------------------------------------------------------------------- */

static bool is_role(struct bondy_slice role, const struct bondy_name *wanted)
{
    struct bondy_name name;

    return bondy_name_fold(role, &name) &&
           bondy_slice_eq(bondy_name_slice(&name), bondy_name_slice(wanted));
}

static bool is_in_group(const struct bondy_identity *identity, const struct bondy_name *wanted)
{
    const struct bondy_slice *groups = identity->groups;
    size_t count = identity->group_count;

    if (identity->principal != NULL && !identity->groups_are_chosen)
        groups = bondy_principal_groups(identity->principal, &count);
    for (size_t i = 0; i < count; i++)
        if (is_role(groups[i], wanted))
            return true;
    return false;
}

/* A token that says which roles it was given for is good for no others. */
static bool is_in_token(const struct bondy_identity *identity, const struct bondy_name *wanted)
{
    const json_t *roles = json_object_get(identity->token, "roles"), *role;
    size_t index;

    json_array_foreach((json_t *)(uintptr_t)roles, index, role)
    {
        if (json_is_string(role) &&
            is_role(bondy_slice_of(json_string_value(role), json_string_length(role)), wanted))
            return true;
    }
    return roles == NULL;
}

static bool has_scope(const struct bondy_security *item, const struct bondy_identity *identity)
{
    for (size_t i = 0; i < item->scopes.count; i++) {
        struct bondy_name wanted;

        if (bondy_name_fold(bondy_slice_text(item->scopes.items[i]), &wanted) &&
            is_in_group(identity, &wanted) && is_in_token(identity, &wanted))
            return true;
    }
    return item->scopes.count == 0;
}

/* ---- trying ---------------------------------------------------------------------------------- */

static enum bondy_admission try_on(struct bondy_exchange *exchange,
                                   const struct bondy_identity **out);

static void conclude(struct bondy_exchange *exchange)
{
    const struct bondy_identity *identity = NULL;
    struct bondy_gateway_pending *pending = (struct bondy_gateway_pending *)exchange;

    switch (try_on(exchange, &identity)) {
    case BONDY_ADMISSION_YES:
        bondy_gateway_admitted(pending, identity);
        break;
    case BONDY_ADMISSION_NO:
        bondy_gateway_refused(pending, make_refusal(exchange));
        break;
    case BONDY_ADMISSION_LATER:
        break;
    }
}

/* Right: lets it in, or remembers that it was not enough. */
static void take_welcome(struct bondy_exchange *exchange, const struct bondy_login_answer *answer)
{
    struct bondy_loop *loop = exchange->thread->loop;

    bondy_credentials_keep(exchange->thread->gateway->credentials, bondy_loop_index(loop),
                           &exchange->access.mark, answer, bondy_loop_now_ms(loop));
    if (has_scope(exchange->access.item, &answer->identity)) {
        bondy_gateway_admitted((struct bondy_gateway_pending *)exchange, &answer->identity);
        return;
    }
    exchange->access.lacks_scope = true;
    conclude(exchange);
}

/* ---- the realm's authenticator ---- */

static void on_told(void *context, const json_t *result, const char *error)
{
    struct bondy_exchange *exchange = context;

    exchange->access.asking = NULL;
    bondy_auth_ops(exchange->thread->gateway->auth)->told(exchange->access.login, result, error);
}

static void ask_authenticator(struct bondy_exchange *exchange,
                              const struct bondy_login_answer *answer)
{
    const struct bondy_question question = {.realm = bondy_slice_text(answer->realm->uri),
                                            .procedure = bondy_slice_text(answer->procedure),
                                            .args = answer->extra,
                                            .timeout_ms =
                                                exchange->thread->gateway->options.call_timeout_ms,
                                            .answer = on_told,
                                            .context = exchange};

    bondy_ask(exchange->thread->router, &question, &exchange->access.asking);
}

static void checked(struct bondy_login *login, void *context)
{
    struct bondy_exchange *exchange = context;
    struct bondy_gateway_pending *pending = context;
    const struct bondy_login_ops *ops = bondy_auth_ops(exchange->thread->gateway->auth);
    const struct bondy_login_answer *answer = ops->answer(login);
    json_t *seconds = json_object_get(answer->extra, "retry_after");

    if (answer->step == BONDY_LOGIN_ASK) {
        ask_authenticator(exchange, answer);
        return;
    }
    exchange->access.login = NULL;
    if (answer->step != BONDY_LOGIN_WELCOME)
        bondy_credentials_drop(exchange->thread->gateway->credentials,
                               bondy_loop_index(exchange->thread->loop), &exchange->access.mark);
    if (answer->step == BONDY_LOGIN_WELCOME)
        take_welcome(exchange, answer);
    else if (seconds != NULL)
        bondy_gateway_refused(pending, make_429(exchange, json_integer_value(seconds)));
    else if (answer->reason != NULL && strcmp(answer->reason, BONDY_ERR_INTERNAL) == 0)
        bondy_gateway_refused(pending, make_503(exchange));
    else
        conclude(exchange);
    ops->end(login);
}

static void describe_peer(struct bondy_exchange *exchange, struct bondy_login_peer *out)
{
    const struct bondy_http_peer *peer = bondy_request_peer(exchange->request);

    *out = (struct bondy_login_peer){.address = peer->address};
    out->is_secure = exchange->listener->scheme == BONDY_SCHEME_HTTPS || peer->is_local ||
                     bondy_address_is_loopback(&peer->address);
}

/* Asks what is remembered, else the realm. */
static enum bondy_admission ask(struct bondy_exchange *exchange, struct bondy_auth_check *check,
                                const struct bondy_identity **out)
{
    struct bondy_gateway *gateway = exchange->thread->gateway;
    struct bondy_loop *loop = exchange->thread->loop;
    struct bondy_login_peer peer;

    describe_peer(exchange, &peer);
    check->peer = &peer;
    check->realm =
        bondy_realms_find(gateway->options.realms, bondy_slice_text(exchange->spec->realm_uri));
    if (check->realm == NULL) /* gone since the head was looked at */
        return BONDY_ADMISSION_NO;
    bondy_credentials_mark(gateway->credentials, check, &exchange->access.mark);
    *out = bondy_credentials_find(gateway->credentials, bondy_loop_index(loop),
                                  &exchange->access.mark, bondy_loop_now_ms(loop));
    if (*out != NULL)
        return BONDY_ADMISSION_YES;
    check->takes_questions = true;
    check->loop = loop;
    check->done = checked;
    check->context = exchange;
    bondy_auth_check(gateway->auth, check, &exchange->access.login);
    return BONDY_ADMISSION_LATER;
}

/* One way; NO: on to the next. */
static enum bondy_admission try_way(struct bondy_exchange *exchange,
                                    const struct bondy_security *item,
                                    const struct bondy_identity **out)
{
    struct bondy_access *access = &exchange->access;
    enum bondy_admission admission = BONDY_ADMISSION_NO;
    struct sent sent = {.check = {0}};

    if (kind_of(item)->take(exchange, item, &sent)) {
        access->was_sent = true;
        access->was_bearer |= item->kind == BONDY_SECURITY_OAUTH2;
        access->item = item;
        if (sent.check.method != NULL)
            admission = ask(exchange, &sent.check, out);
    }
    sodium_memzero(sent.bytes, sizeof sent.bytes);
    if (admission != BONDY_ADMISSION_YES || has_scope(item, *out))
        return admission;
    access->lacks_scope = true;
    return BONDY_ADMISSION_NO;
}

static enum bondy_admission try_on(struct bondy_exchange *exchange,
                                   const struct bondy_identity **out)
{
    enum bondy_admission admission = BONDY_ADMISSION_NO;
    const struct bondy_security *item;

    while (admission == BONDY_ADMISSION_NO &&
           (item = bondy_access_way(exchange, exchange->access.next)) != NULL) {
        exchange->access.next++;
        admission = try_way(exchange, item, out);
    }
    return admission;
}

enum bondy_admission bondy_access_begin(struct bondy_exchange *exchange)
{
    const struct bondy_identity *identity = NULL;
    enum bondy_admission admission;

    if (bondy_access_way(exchange, 0) == NULL)
        return BONDY_ADMISSION_YES;
    if (exchange->thread->gateway->auth == NULL) {
        bondy_exchange_answer(exchange, make_503(exchange));
        return BONDY_ADMISSION_NO;
    }
    exchange->is_undecided = true; /* the verdict may come before this returns */
    admission = try_on(exchange, &identity);
    if (admission == BONDY_ADMISSION_LATER) {
        exchange->is_late = true;
        return admission;
    }
    exchange->is_undecided = false;
    if (admission == BONDY_ADMISSION_YES)
        bondy_exchange_keep_identity(exchange, identity);
    else
        bondy_exchange_answer(exchange, make_refusal(exchange));
    return admission;
}

bool bondy_access_cancel(struct bondy_exchange *exchange)
{
    struct bondy_login *login = BONDY_MOVE(exchange->access.login);

    bondy_ask_stop(BONDY_MOVE(exchange->access.asking));
    if (login == NULL)
        return false;
    bondy_auth_ops(exchange->thread->gateway->auth)->end(login);
    return true;
}

bool bondy_access_was_taken_back(const struct bondy_exchange *exchange)
{
    const struct bondy_identity *identity = exchange->identity;

    return identity != NULL && identity->principal != NULL &&
           bondy_principal_was_ended(identity->principal, identity->principal_seq);
}

/* ---- what nobody behind the gateway sees ----------------------------------------------------- */

static bool takes_from(const struct bondy_security *item, enum bondy_api_key_place place,
                       const struct bondy_slice *name)
{
    if (item->kind != BONDY_SECURITY_API_KEY)
        return place == BONDY_API_KEY_HEADER &&
               (name == NULL || bondy_slice_is(*name, "authorization"));
    return item->place == place && (name == NULL || bondy_slice_is(*name, item->name));
}

static bool hides(const struct bondy_exchange *exchange, enum bondy_api_key_place place,
                  const struct bondy_slice *name)
{
    const struct bondy_security *item;

    for (size_t i = 0; (item = bondy_access_way(exchange, i)) != NULL; i++)
        if (takes_from(item, place, name))
            return true;
    return exchange->listener->guard != NULL && place == BONDY_API_KEY_HEADER &&
           (name == NULL || bondy_slice_is(*name, "authorization"));
}

bool bondy_access_hides(const struct bondy_exchange *exchange, enum bondy_api_key_place place,
                        struct bondy_slice name)
{
    return hides(exchange, place, &name);
}

bool bondy_access_hides_in(const struct bondy_exchange *exchange, enum bondy_api_key_place place)
{
    return hides(exchange, place, NULL);
}
