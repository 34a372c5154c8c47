/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/script.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/router/sessions.h"
#include "tests/lib/pattern.h"
#include "tests/lib/rig.h"
#include "tests/lib/rig_login.h"

/* Ids are the same in every run. */
#define SEED 4711

struct run {
    const struct bondy_scenario *scenario;
    const struct bondy_script_mode *mode;
    struct bondy_rig rig;
    json_t *variables;
    unsigned line;
    bool is_started;
    bool is_skipped; /* not for this mode */
    bool has_failed;
    struct bondy_buf *why;
};

/* ---- files ------------------------------------------------------------------------------- */

static struct bondy_slice next_line(struct bondy_slice text, size_t *at)
{
    const char *start = text.data + *at;
    const char *end = memchr(start, '\n', text.len - *at);
    size_t len = end == NULL ? text.len - *at : (size_t)(end - start);

    *at += len + (end == NULL ? 0 : 1);
    return bondy_slice_of(start, len);
}

bool bondy_script_next(const char *file, struct bondy_slice text, size_t *at, unsigned *line,
                       struct bondy_scenario *out)
{
    bool is_found = false;
    size_t start = 0;

    while (*at < text.len) {
        size_t before = *at;
        struct bondy_slice current = next_line(text, at);

        if (bondy_slice_starts(current, BONDY_SLICE("== "))) {
            if (is_found) {
                *at = before;
                out->text.len = before - start;
                return true;
            }
            is_found = true;
            start = *at;
            *out = (struct bondy_scenario){file, bondy_slice_skip(current, 3),
                                           bondy_slice_of(text.data + start, text.len - start),
                                           *line + 2};
        }
        (*line)++;
    }
    return is_found;
}

/* ---- failing ----------------------------------------------------------------------------- */

static void fail(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void fail(struct run *run, const char *format, ...)
{
    char text[4000];
    va_list args;

    if (run->has_failed)
        return;
    run->has_failed = true;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    bondy_buf_printf(
        run->why, "%s:%u: %s (%s, threads: %u)\n", run->scenario->file, run->line, text,
        run->mode->serializer == 0 ? "mixed" : bondy_serializer_name(run->mode->serializer),
        run->mode->threads);
}

static void fail_with(struct run *run, const char *what, const char *expected, const json_t *got)
{
    char *text = got == NULL ? NULL : json_dumps(got, JSON_COMPACT | JSON_ENCODE_ANY);

    fail(run, "%s\n  expected %s\n  got      %s", what, expected, text == NULL ? "nothing" : text);
    free(text);
}

/* ---- words ------------------------------------------------------------------------------- */

static char *skip_space(char *at)
{
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

/* Cuts the next word off, or the next quoted text without its quotes. */
static char *next_word(char **at)
{
    char *word = skip_space(*at);
    char end = ' ';

    if (*word == '"') {
        end = '"';
        word++;
    }
    *at = word;
    while (**at != '\0' && **at != end)
        (*at)++;
    if (**at != '\0')
        *(*at)++ = '\0';
    *at = skip_space(*at);
    return word;
}

static void start(struct run *run)
{
    if (!run->is_started)
        bondy_rig_start(&run->rig);
    run->is_started = true;
}

static struct bondy_rig_peer *peer_of(struct run *run, const char *name)
{
    enum bondy_serializer serializer = run->mode->serializer;

    if (serializer == 0)
        serializer = (enum bondy_serializer)(1 + run->rig.peer_count % 3);
    start(run);
    return bondy_rig_peer(&run->rig, name, serializer);
}

static json_t *parse(struct run *run, const char *text)
{
    const char *problem;
    json_t *pattern = bondy_pattern_parse(text, &problem);

    if (pattern == NULL)
        fail(run, "this is no pattern: %s", problem);
    return pattern;
}

/* ---- peers ------------------------------------------------------------------------------- */

static void send_message(struct run *run, struct bondy_rig_peer *peer, char *rest)
{
    json_t *pattern = parse(run, rest);
    json_t *message = pattern == NULL ? NULL : bondy_pattern_fill(pattern, run->variables);

    if (pattern != NULL && message == NULL)
        fail(run, "this cannot be sent: %s", rest);
    else if (peer->session == NULL)
        fail(run, "%s is not connected", peer->name);
    else if (message != NULL)
        bondy_rig_send(peer, message);
    json_decref(message);
    json_decref(pattern);
}

static void send_hex(struct run *run, struct bondy_rig_peer *peer, char *rest)
{
    struct bondy_buf bytes = BONDY_BUF_EMPTY;

    for (char *at = rest; isxdigit((unsigned char)at[0]) && isxdigit((unsigned char)at[1]);
         at = skip_space(at + 2)) {
        char digits[3] = {at[0], at[1], '\0'};

        bondy_buf_append_byte(&bytes, (unsigned)strtoul(digits, NULL, 16));
    }
    if (peer->session == NULL)
        fail(run, "%s is not connected", peer->name);
    else
        bondy_rig_send_bytes(peer, bondy_buf_slice(&bytes));
    bondy_buf_fini(&bytes);
}

static void send_raw(struct run *run, struct bondy_rig_peer *peer, char *rest)
{
    if (peer->session == NULL)
        fail(run, "%s is not connected", peer->name);
    else
        bondy_rig_send_bytes(peer, bondy_slice_text(rest));
}

static void expect(struct run *run, struct bondy_rig_peer *peer, char *rest)
{
    json_t *pattern, *message;

    if (strcmp(rest, "nothing") == 0) {
        if (json_array_size(peer->received) > 0)
            fail_with(run, peer->name, "nothing", json_array_get(peer->received, 0));
        return;
    }
    if (strcmp(rest, "closed") == 0) {
        if (json_array_size(peer->received) > 0)
            fail_with(run, peer->name, "closed", json_array_get(peer->received, 0));
        if (!peer->is_closed)
            fail(run, "%s is not closed", peer->name);
        peer->is_closed = false;
        return;
    }
    pattern = parse(run, rest);
    if (pattern == NULL)
        return;
    message = json_incref(json_array_get(peer->received, 0));
    if (message == NULL || !bondy_pattern_fits(pattern, message, run->variables))
        fail_with(run, peer->name, rest, message);
    else
        json_array_remove(peer->received, 0);
    json_decref(message);
    json_decref(pattern);
}

/* Joins with all roles and no features, or with the details given. */
static void join(struct run *run, struct bondy_rig_peer *peer, char *rest)
{
    char *realm = *rest == '"' ? next_word(&rest) : "dev";
    json_t *before = json_incref(json_object_get(run->variables, peer->name));
    char authid[64];
    char text[2000];

    if (peer->session == NULL)
        bondy_rig_connect(peer);
    snprintf(text, sizeof text, "[HELLO, \"%s\", %s]", realm,
             *rest != '\0' ? rest
                           : "{\"roles\": {\"caller\": {}, \"callee\": {}, \"publisher\": {}, "
                             "\"subscriber\": {}}}");
    send_message(run, peer, text);
    json_object_del(run->variables, peer->name);
    snprintf(authid, sizeof authid, "%s.authid", peer->name);
    json_object_del(run->variables, authid);
    snprintf(text, sizeof text, "[WELCOME, $%s, {\"realm\": \"%s\", \"authid\": $%s.authid, ...}]",
             peer->name, realm, peer->name);
    expect(run, peer, text);
    if (before != NULL && json_equal(before, json_object_get(run->variables, peer->name)))
        fail(run, "%s got the same session id again", peer->name);
    json_decref(before);
}

static void connect_peer(struct run *run, struct bondy_rig_peer *peer, char *rest)
{
    (void)rest;
    if (peer->session != NULL)
        fail(run, "%s is connected", peer->name);
    else
        bondy_rig_connect(peer);
}

static void lose(struct run *run, struct bondy_rig_peer *peer, char *rest)
{
    (void)rest;
    if (peer->session == NULL)
        fail(run, "%s is not connected", peer->name);
    else
        bondy_rig_lose(peer);
}

static void set_limit(struct run *run, struct bondy_rig_peer *peer, char *rest)
{
    (void)run;
    peer->limit = (size_t)strtoull(rest, NULL, 10);
}

static void kill_peer(struct run *run, struct bondy_rig_peer *peer, char *rest)
{
    bondy_session_goodbye(peer->session, rest, NULL);
    bondy_rig_settle(&run->rig);
}

static void violate(struct run *run, struct bondy_rig_peer *peer, char *rest)
{
    bondy_session_violate(peer->session, rest);
    bondy_rig_settle(&run->rig);
}

/* ---- the rig ----------------------------------------------------------------------------- */

static void advance(struct run *run, char *rest)
{
    char *unit;
    uint64_t amount = strtoull(rest, &unit, 10);

    start(run);
    if (strcmp(unit, "s") == 0)
        amount *= 1000;
    else if (strcmp(unit, "ms") != 0)
        fail(run, "advance wants s or ms");
    bondy_rig_advance(&run->rig, amount);
}

static unsigned realm_flag(struct run *run, const char *word)
{
    static const struct {
        const char *word;
        unsigned flag;
    } flags[] = {{"closed", BONDY_RIG_NO_CONNECTIONS},
                 {"personal", BONDY_RIG_NO_ANONYMOUS},
                 {"master", BONDY_RIG_MASTER},
                 {"secure", BONDY_RIG_SECURE}};

    for (size_t i = 0; i < BONDY_COUNT(flags); i++)
        if (strcmp(word, flags[i].word) == 0)
            return flags[i].flag;
    fail(run, "unknown kind of realm: %s", word);
    return 0;
}

static void set_realm(struct run *run, char *rest)
{
    char *uri = next_word(&rest);
    unsigned flags = 0;

    start(run);
    if (strcmp(rest, "gone") == 0) {
        bondy_rig_remove_realm(&run->rig, uri);
        return;
    }
    if (strcmp(rest, "secured") == 0 || strcmp(rest, "open") == 0) {
        bondy_rig_secure(&run->rig, uri, strcmp(rest, "secured") == 0);
        return;
    }
    if (strcmp(rest, "suspended") == 0) {
        bondy_rig_realm(&run->rig, uri)->allows_connections = false;
        return;
    }
    if (strcmp(rest, "made") == 0 || strcmp(rest, "not made") == 0) {
        bondy_rig_make_realms(&run->rig, strcmp(rest, "made") == 0 ? uri : NULL);
        return;
    }
    while (*rest != '\0')
        flags |= realm_flag(run, next_word(&rest));
    bondy_rig_add_realm(&run->rig, uri, flags);
}

/* ---- who may do what --------------------------------------------------------------------- */

static struct bondy_realm *realm_of(struct run *run, char **rest)
{
    char *uri = next_word(rest);
    struct bondy_realm *realm;

    start(run);
    realm = bondy_rig_realm(&run->rig, uri);
    if (realm == NULL)
        fail(run, "there is no realm %s", uri);
    return realm;
}

static void expect_word(struct run *run, char **rest, const char *word)
{
    char *got = next_word(rest);

    if (strcmp(got, word) != 0)
        fail(run, "expected \"%s\" instead of \"%s\"", word, got);
}

/* prefix "com.a" to group/staff */
static bool read_grant(struct run *run, char *rest, const char *word, struct bondy_grant_key *key)
{
    char *match = next_word(&rest), *role;

    if (!bondy_grant_match_parse(bondy_slice_text(match), &key->match))
        fail(run, "%s is no way to match", match);
    key->uri = bondy_slice_text(next_word(&rest));
    expect_word(run, &rest, word);
    role = next_word(&rest);
    key->kind = strncmp(role, "user/", 5) == 0 ? BONDY_ROLE_USER : BONDY_ROLE_GROUP;
    role = strchr(role, '/') == NULL ? role : strchr(role, '/') + 1;
    key->name = bondy_slice_text(role);
    return !run->has_failed;
}

static void give_grant(struct run *run, char *rest)
{
    struct bondy_realm *realm = realm_of(run, &rest);
    char *words = next_word(&rest), *state = NULL;
    json_t *permissions = json_array();
    struct bondy_grant_key key;

    for (char *word = strtok_r(words, ",", &state); word != NULL;
         word = strtok_r(NULL, ",", &state))
        json_array_append_new(permissions, json_string(word));
    if (realm != NULL && read_grant(run, rest, "to", &key)) {
        if (key.kind == BONDY_ROLE_GROUP)
            bondy_policy_put_group(realm->policy, key.name);
        bondy_policy_put_grant(realm->policy, &key, permissions);
        bondy_rig_publish(&run->rig, realm->uri);
    }
    json_decref(permissions);
}

static void take_grant(struct run *run, char *rest)
{
    struct bondy_realm *realm = realm_of(run, &rest);
    struct bondy_grant_key key;

    if (realm == NULL || !read_grant(run, rest, "from", &key))
        return;
    bondy_policy_remove_grant(realm->policy, &key);
    bondy_rig_publish(&run->rig, realm->uri);
}

static void put_user(struct run *run, char *rest)
{
    struct bondy_realm *realm = realm_of(run, &rest);
    char *name = next_word(&rest);
    json_t *about = parse(run, rest);

    if (realm == NULL || about == NULL)
        json_decref(about);
    else
        bondy_rig_put_user(&run->rig, realm->uri, name, about);
}

static void set_authorizer(struct run *run, char *rest)
{
    struct bondy_realm *realm = realm_of(run, &rest);
    json_t *authorizer = strcmp(rest, "none") == 0 ? NULL : parse(run, rest);

    if (realm == NULL) {
        json_decref(authorizer);
        return;
    }
    json_decref(realm->authorizer);
    realm->authorizer = authorizer;
}

static void purge(struct run *run, char *rest)
{
    struct bondy_realm *realm = realm_of(run, &rest);

    for (unsigned i = 0; realm != NULL && i < run->rig.thread_count; i++)
        bondy_router_thread_purge(run->rig.threads[i], bondy_slice_text(realm->uri),
                                  bondy_slice_text(rest));
}

static void continue_logins(struct run *run, char *rest)
{
    (void)rest;
    bondy_rig_login_go_on(&run->rig);
}

/* ---- many sessions ----------------------------------------------------------------------- */

static uint64_t session_named(struct run *run, const char *variable)
{
    const json_t *id = *variable == '$' ? json_object_get(run->variables, variable + 1) : NULL;

    if (id == NULL)
        fail(run, "%s is no session that is known", variable);
    return (uint64_t)json_integer_value(id);
}

static void close_user(struct run *run, char *rest)
{
    struct bondy_realm *realm = realm_of(run, &rest);
    char *authid = next_word(&rest), *reason = next_word(&rest);
    uint64_t spared = 0;

    if (*rest != '\0') {
        expect_word(run, &rest, "but");
        spared = session_named(run, rest);
    }
    for (unsigned i = 0; realm != NULL && i < run->rig.thread_count; i++)
        bondy_router_thread_close_user(run->rig.threads[i], bondy_slice_text(realm->uri),
                                       bondy_slice_text(authid), reason, spared);
    bondy_rig_settle(&run->rig);
}

struct counted {
    size_t count;
    size_t described;
    bool is_answered;
};

static void on_counted(void *context, size_t count, json_t *list)
{
    *(struct counted *)context = (struct counted){count, json_array_size(list), true};
    json_decref(list);
}

/* Asks on the last thread, so that with several the question travels. */
static void query(struct run *run, char *rest, const char *reason)
{
    size_t expected = strtoull(next_word(&rest), NULL, 10);
    struct bondy_realm *realm = realm_of(run, &rest);
    json_t *pattern = *rest == '\0' ? json_object() : parse(run, rest);
    json_t *which = pattern == NULL ? NULL : bondy_pattern_fill(pattern, run->variables);
    struct counted counted = {0};
    const struct bondy_session_query question = {
        .realm = bondy_slice_text(realm == NULL ? "" : realm->uri),
        .authid = bondy_json_text(which, "authid"),
        .authrole = bondy_json_text(which, "authrole"),
        .session = (uint64_t)json_integer_value(json_object_get(which, "session")),
        .but = (uint64_t)json_integer_value(json_object_get(which, "but")),
        .reason = reason,
        .limit = 100,
        .answer = on_counted,
        .context = &counted};

    bondy_sessions_query(run->rig.threads[run->rig.thread_count - 1], &question);
    bondy_rig_settle(&run->rig);
    if (!counted.is_answered)
        fail(run, "the question was not answered");
    else if (counted.count != expected || counted.described != expected)
        fail(run, "expected %zu sessions, found %zu, described %zu", expected, counted.count,
             counted.described);
    json_decref(which);
    json_decref(pattern);
}

static void count_sessions(struct run *run, char *rest)
{
    query(run, rest, NULL);
}

static void kill_sessions(struct run *run, char *rest)
{
    query(run, rest, "wamp.close.killed");
}

static void set_option(struct run *run, char *rest)
{
    struct bondy_router_options *options = &run->rig.options;
    char *name = next_word(&rest);
    uint64_t value = strtoull(rest, NULL, 10);

    if (run->is_started)
        fail(run, "options come first");
    if (strcmp(name, "call_timeout") == 0)
        options->call_timeout_ms = value;
    else if (strcmp(name, "max_call_timeout") == 0)
        options->max_call_timeout_ms = value;
    else if (strcmp(name, "max_subscriptions") == 0)
        options->max_subscriptions = value;
    else if (strcmp(name, "max_registrations") == 0)
        options->max_registrations = value;
    else if (strcmp(name, "max_inflight_calls") == 0)
        options->max_inflight_calls = value;
    else if (strcmp(name, "max_uri") == 0)
        options->codec_limits.max_uri = value;
    else if (strcmp(name, "standing") == 0)
        options->standing =
            strcmp(rest, "all") == 0 ? BONDY_STANDING_ALL : BONDY_STANDING_SUBSCRIPTIONS;
    else if (strcmp(name, "strict") == 0)
        options->uri_rule = BONDY_URI_STRICT;
    else if (strcmp(name, "make_realms") == 0)
        run->rig.makes_realms = true;
    else
        fail(run, "unknown option %s", name);
}

static void only(struct run *run, char *rest)
{
    while (*rest != '\0') {
        char *word = next_word(&rest);

        if (isdigit((unsigned char)*word)) {
            run->is_skipped |= run->mode->threads != strtoul(word, NULL, 10);
            next_word(&rest); /* threads */
        } else {
            run->is_skipped |= run->mode->serializer == 0 ||
                               strcmp(bondy_serializer_name(run->mode->serializer), word) != 0;
        }
    }
}

static void hold(struct run *run, char *rest)
{
    (void)rest;
    run->rig.holds_mail = true;
}

static void release(struct run *run, char *rest)
{
    (void)rest;
    run->rig.holds_mail = false;
    bondy_rig_settle(&run->rig);
}

static void drain(struct run *run, char *rest)
{
    (void)rest;
    start(run);
    for (unsigned i = 0; i < run->rig.thread_count; i++)
        bondy_router_thread_drain(run->rig.threads[i]);
    bondy_rig_settle(&run->rig);
}

static void reply_later(struct run *run, char *rest)
{
    json_t *args = parse(run, rest);

    if (run->rig.later == NULL)
        fail(run, "nobody called bondy.later");
    else
        bondy_invocation_result(BONDY_MOVE(run->rig.later), json_incref(args), NULL);
    json_decref(args);
    bondy_rig_settle(&run->rig);
}

/* ---- running ----------------------------------------------------------------------------- */

static const struct {
    const char *word;
    void (*fn)(struct run *run, char *rest);
} commands[] = {{"advance", advance},   {"realm", set_realm},
                {"option", set_option}, {"only", only},
                {"hold", hold},         {"release", release},
                {"drain", drain},       {"reply", reply_later},
                {"grant", give_grant},  {"revoke", take_grant},
                {"user", put_user},     {"authorizer", set_authorizer},
                {"purge", purge},       {"login", continue_logins},
                {"close", close_user},  {"count", count_sessions},
                {"kill", kill_sessions}};

static const struct {
    const char *word;
    void (*fn)(struct run *run, struct bondy_rig_peer *peer, char *rest);
} verbs[] = {{"->", send_message}, {"<-", expect},       {"=>", send_hex},
             {"sends", send_raw},  {"joins", join},      {"connects", connect_peer},
             {"lost", lose},       {"takes", set_limit}, {"killed", kill_peer},
             {"violates", violate}};

static void run_line(struct run *run, char *line)
{
    char *rest = line;
    char *first = next_word(&rest);
    char *verb;

    for (size_t i = 0; i < BONDY_COUNT(commands); i++) {
        if (strcmp(first, commands[i].word) == 0) {
            commands[i].fn(run, rest);
            return;
        }
    }
    verb = next_word(&rest);
    for (size_t i = 0; i < BONDY_COUNT(verbs); i++) {
        if (strcmp(verb, verbs[i].word) == 0) {
            verbs[i].fn(run, peer_of(run, first), rest);
            return;
        }
    }
    fail(run, "no such command: %s %s", first, verb);
}

/* A statement is a line and the indented lines behind it, without comments. */
static void run_text(struct run *run)
{
    struct bondy_slice text = run->scenario->text;
    unsigned number = run->scenario->line;
    struct bondy_buf statement = BONDY_BUF_EMPTY;
    size_t at = 0;

    while (!run->has_failed && !run->is_skipped && at < text.len) {
        struct bondy_slice line = next_line(text, &at);
        char *copy;

        number++;
        if (line.len == 0 || line.data[0] == '#')
            continue;
        run->line = number - 1;
        statement.len = 0;
        bondy_buf_append_slice(&statement, line);
        while (at < text.len && text.data[at] == ' ') {
            bondy_buf_append_slice(&statement, next_line(text, &at));
            number++;
        }
        copy = bondy_memdup0(statement.data, statement.len);
        run_line(run, copy);
        bondy_free(copy);
    }
    bondy_buf_fini(&statement);
}

static void expect_silence(struct run *run)
{
    for (size_t i = 0; i < run->rig.peer_count && run->is_started; i++) {
        struct bondy_rig_peer *peer = &run->rig.peers[i];

        if (json_array_size(peer->received) > 0)
            fail_with(run, peer->name, "nothing more", json_array_get(peer->received, 0));
        else if (peer->is_closed)
            fail(run, "%s was closed, and the script does not say so", peer->name);
    }
}

bool bondy_script_run(const struct bondy_scenario *scenario, const struct bondy_script_mode *mode,
                      struct bondy_buf *why)
{
    struct run *run = bondy_zalloc(sizeof *run);
    bool is_fine;

    run->scenario = scenario;
    run->mode = mode;
    run->variables = json_object();
    run->why = why;
    bondy_id_replace(SEED);
    bondy_rig_init(&run->rig, mode->threads);
    run_text(run);
    expect_silence(run);
    if (run->is_started)
        bondy_rig_stop(&run->rig);
    bondy_id_replace(0);
    json_decref(run->variables);
    is_fine = !run->has_failed;
    bondy_free(run);
    return is_fine;
}
