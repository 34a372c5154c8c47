/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/script.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "tests/lib/pattern.h"
#include "tests/lib/rig.h"

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

static void set_realm(struct run *run, char *rest)
{
    char *uri = next_word(&rest);
    unsigned flags = 0;

    start(run);
    if (strcmp(rest, "gone") == 0) {
        bondy_rig_remove_realm(&run->rig, uri);
        return;
    }
    if (strcmp(rest, "made") == 0 || strcmp(rest, "not made") == 0) {
        bondy_rig_make_realms(&run->rig, strcmp(rest, "made") == 0 ? uri : NULL);
        return;
    }
    if (strcmp(rest, "closed") == 0)
        flags = BONDY_RIG_NO_CONNECTIONS;
    else if (strcmp(rest, "not anonymous") == 0)
        flags = BONDY_RIG_NO_ANONYMOUS;
    else if (strcmp(rest, "master") == 0)
        flags = BONDY_RIG_MASTER;
    else if (*rest != '\0')
        fail(run, "unknown kind of realm: %s", rest);
    bondy_rig_add_realm(&run->rig, uri, flags);
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
} commands[] = {{"advance", advance}, {"realm", set_realm},  {"option", set_option},
                {"only", only},       {"hold", hold},        {"release", release},
                {"drain", drain},     {"reply", reply_later}};

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
