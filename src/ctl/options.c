/* SPDX-License-Identifier: Apache-2.0 */
#include "src/ctl/options.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "src/base/alloc.h"

#define JSON_DEPTH 31 /* one less than a message may have: it is wrapped in the message's list */

static const struct option {
    const char *name;
    const char *argument; /* NULL: a switch */
    const char *variable; /* NULL: none */
    size_t offset;
    unsigned needs; /* bit of the verb, 0: all verbs */
    const char *help;
} table[] = {
    {"--url", "URL", "BONDY_URL", offsetof(struct bondy_ctl_options, url), 0,
     "router: tcp://host:port, tls://host:port, ws://host:port/ws, wss://..., unix:/path\n"
     "(default tcp://127.0.0.1:18082)"},
    {"--realm", "URI", "BONDY_REALM", offsetof(struct bondy_ctl_options, realm), 0,
     "realm to join (default dev)"},
    {"--serializer", "NAME", "BONDY_SERIALIZER", offsetof(struct bondy_ctl_options, serializer), 0,
     "json, msgpack or cbor (default msgpack)"},
    {"--timeout", "TIME", "BONDY_TIMEOUT", offsetof(struct bondy_ctl_options, timeout), 0,
     "longest wait for the connection and for each answer: 5s, 250ms, 2m (default 30s)"},
    {"--output", "FORM", "BONDY_OUTPUT", offsetof(struct bondy_ctl_options, output), 0,
     "text or json (default text)"},
    {"--ca-file", "FILE", "BONDY_CA_FILE", offsetof(struct bondy_ctl_options, ca_file), 0,
     "authorities for TLS, PEM (default: those of the system)"},
    {"--authid", "NAME", "BONDY_AUTHID", offsetof(struct bondy_ctl_options, authid), 0,
     "who you are (logging in is not built yet)"},
    {"--secret", "TEXT", "BONDY_SECRET", offsetof(struct bondy_ctl_options, secret), 0,
     "password (logging in is not built yet)"},
    {"--ticket", "TEXT", "BONDY_TICKET", offsetof(struct bondy_ctl_options, ticket), 0,
     "ticket (logging in is not built yet)"},
    {"--key-file", "FILE", "BONDY_KEY_FILE", offsetof(struct bondy_ctl_options, key_file), 0,
     "private key (logging in is not built yet)"},
    {"--kwargs", "JSON", NULL, offsetof(struct bondy_ctl_options, kwargs), BONDY_OPTION_KWARGS,
     "keyword arguments, a JSON object"},
    {"--options", "JSON", NULL, offsetof(struct bondy_ctl_options, options), BONDY_OPTION_OPTIONS,
     "WAMP options of the request, a JSON object"},
    {"--match", "POLICY", NULL, offsetof(struct bondy_ctl_options, match), BONDY_OPTION_MATCH,
     "exact, prefix or wildcard (default exact)"},
    {"--count", "N", NULL, offsetof(struct bondy_ctl_options, count), BONDY_OPTION_COUNT,
     "leave after N events"},
    {"--acknowledge", NULL, NULL, offsetof(struct bondy_ctl_options, acknowledge),
     BONDY_OPTION_ACKNOWLEDGE, "wait until the router confirms, print the publication id"},
    {"--concurrency", "N", NULL, offsetof(struct bondy_ctl_options, concurrency),
     BONDY_OPTION_CONCURRENCY, "calls that run at once; further ones wait (default 8)"},
    {"--help", NULL, NULL, offsetof(struct bondy_ctl_options, help), 0, "print this and exit"},
};

static const struct option *find(const struct bondy_ctl_verb *verb, const char *word,
                                 const char **value)
{
    size_t len = strcspn(word, "=");

    *value = word[len] == '=' ? word + len + 1 : NULL;
    for (size_t i = 0; i < BONDY_COUNT(table); i++) {
        if (strlen(table[i].name) == len && strncmp(word, table[i].name, len) == 0 &&
            (table[i].needs == 0 || (verb->options & table[i].needs) != 0))
            return &table[i];
    }
    if (strcmp(word, "-h") == 0)
        return find(verb, "--help", value);
    return NULL;
}

static int refuse(const struct bondy_ctl_verb *verb, const char *word, struct bondy_error *err)
{
    const char *names[BONDY_COUNT(table) + 1] = {NULL};
    const char *nearest;
    size_t count = 0;

    for (size_t i = 0; i < BONDY_COUNT(table); i++) {
        if (table[i].needs == 0 || (verb->options & table[i].needs) != 0)
            names[count++] = table[i].name;
    }
    nearest = bondy_json_nearest(bondy_slice_of(word, strcspn(word, "=")), names);
    if (nearest != NULL)
        return bondy_fail(err, BONDY_EINVAL, "bondy %s has no option \"%s\"; did you mean \"%s\"?",
                          verb->name, word, nearest);
    return bondy_fail(err, BONDY_EINVAL,
                      "bondy %s has no option \"%s\"; bondy %s --help lists them", verb->name, word,
                      verb->name);
}

static void read_environment(struct bondy_ctl_options *out)
{
    for (size_t i = 0; i < BONDY_COUNT(table); i++) {
        const char *value = table[i].variable == NULL ? NULL : getenv(table[i].variable);

        if (value != NULL && *value != '\0')
            *(const char **)(void *)((char *)out + table[i].offset) = value;
    }
}

static int read_words(const struct bondy_ctl_verb *verb, int argc, char **argv,
                      struct bondy_ctl_options *out, struct bondy_error *err)
{
    out->arguments = bondy_calloc((size_t)argc + 1, sizeof *out->arguments);
    for (int i = 0; i < argc; i++) {
        const struct option *option;
        const char *value;

        if (strcmp(argv[i], "--") == 0) {
            if (!verb->takes_program) { /* what follows is positional, whatever it looks like */
                while (++i < argc)
                    out->arguments[out->argument_count++] = argv[i];
                return BONDY_OK;
            }
            out->program = argv + i + 1;
            return BONDY_OK;
        }
        if (strncmp(argv[i], "--", 2) != 0 && strcmp(argv[i], "-h") != 0) {
            out->arguments[out->argument_count++] = argv[i];
            continue;
        }
        option = find(verb, argv[i], &value);
        if (option == NULL)
            return refuse(verb, argv[i], err);
        if (option->argument == NULL) {
            *((bool *)((char *)out + option->offset)) = true;
            continue;
        }
        if (value == NULL && i + 1 < argc)
            value = argv[++i];
        if (value == NULL)
            return bondy_fail(err, BONDY_EINVAL, "%s needs %s", option->name, option->argument);
        *(const char **)(void *)((char *)out + option->offset) = value;
    }
    return BONDY_OK;
}

int bondy_ctl_duration_parse(const char *text, uint64_t *ms, struct bondy_error *err)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } units[] = {{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    char *end;
    double number = strtod(text, &end);

    for (size_t i = 0; i < BONDY_COUNT(units) && end != text; i++) {
        if (strcmp(end, units[i].unit) == 0 && number >= 0 && number < 1e9) {
            *ms = (uint64_t)(number * (double)units[i].ms);
            return BONDY_OK;
        }
    }
    return bondy_fail(err, BONDY_EINVAL, "\"%s\" is not a time (example: 5s)", text);
}

json_t *bondy_ctl_value(const char *word)
{
    json_t *value = bondy_json_parse(bondy_slice_text(word), JSON_DEPTH, NULL);

    return value != NULL ? value : json_string(word);
}

static int parse_object(const char *name, const char *text, json_t **out, struct bondy_error *err)
{
    *out = bondy_json_parse(bondy_slice_text(text), JSON_DEPTH, err);
    if (*out == NULL)
        return bondy_wrap(err, "%s", name);
    if (!json_is_object(*out))
        return bondy_fail(err, BONDY_EINVAL, "%s must be a JSON object", name);
    return BONDY_OK;
}

static int parse_count(const char *name, const char *text, uint64_t *out, struct bondy_error *err)
{
    char *end;
    unsigned long long number = strtoull(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || number == 0 || number > UINT32_MAX)
        return bondy_fail(err, BONDY_EINVAL, "%s must be a number from 1", name);
    *out = number;
    return BONDY_OK;
}

static int refuse_login(const struct bondy_ctl_options *options, struct bondy_error *err)
{
    const struct {
        const char *name, *value;
    } logins[] = {{"--authid", options->authid},
                  {"--secret", options->secret},
                  {"--ticket", options->ticket},
                  {"--key-file", options->key_file}};

    for (size_t i = 0; i < BONDY_COUNT(logins); i++) {
        if (logins[i].value != NULL)
            return bondy_fail(err, BONDY_EUNSUPPORTED,
                              "%s: logging in is not built yet; this client joins anonymously",
                              logins[i].name);
    }
    return BONDY_OK;
}

static int interpret_words(struct bondy_ctl_options *out, struct bondy_error *err)
{
    static const char *const policies[] = {"exact", "prefix", "wildcard"};
    bool is_policy = out->match == NULL;

    if (out->output != NULL && strcmp(out->output, "json") != 0 && strcmp(out->output, "text") != 0)
        return bondy_fail(err, BONDY_EINVAL, "--output is text or json, not \"%s\"", out->output);
    out->output_json = out->output != NULL && strcmp(out->output, "json") == 0;
    out->serializer_id = BONDY_MSGPACK;
    if (out->serializer != NULL) {
        for (out->serializer_id = BONDY_JSON; out->serializer_id < BONDY_SERIALIZERS;
             out->serializer_id++) {
            if (strcmp(out->serializer, bondy_serializer_name(out->serializer_id)) == 0)
                break;
        }
        if (out->serializer_id == BONDY_SERIALIZERS)
            return bondy_fail(err, BONDY_EINVAL,
                              "--serializer is json, msgpack or cbor, not \"%s\"", out->serializer);
    }
    for (size_t i = 0; i < BONDY_COUNT(policies); i++)
        is_policy = is_policy || strcmp(out->match, policies[i]) == 0;
    if (!is_policy)
        return bondy_fail(err, BONDY_EINVAL, "--match is exact, prefix or wildcard, not \"%s\"",
                          out->match);
    return BONDY_OK;
}

static int interpret(struct bondy_ctl_options *out, struct bondy_error *err)
{
    uint64_t number = 8;
    int rc;

    if ((rc = refuse_login(out, err)) < 0 || (rc = interpret_words(out, err)) < 0)
        return rc;
    out->timeout_ms = 30000;
    if (out->timeout != NULL &&
        (rc = bondy_ctl_duration_parse(out->timeout, &out->timeout_ms, err)) < 0)
        return bondy_wrap(err, "--timeout");
    if (out->kwargs != NULL &&
        (rc = parse_object("--kwargs", out->kwargs, &out->kwargs_tree, err)) < 0)
        return rc;
    if (out->options == NULL)
        out->options_tree = json_object();
    else if ((rc = parse_object("--options", out->options, &out->options_tree, err)) < 0)
        return rc;
    if (out->count != NULL &&
        (rc = parse_count("--count", out->count, &out->count_number, err)) < 0)
        return rc;
    if (out->concurrency != NULL &&
        (rc = parse_count("--concurrency", out->concurrency, &number, err)) < 0)
        return rc;
    out->concurrency_number = (unsigned)number;
    if (out->match != NULL)
        json_object_set_new(out->options_tree, "match", json_string(out->match));
    return BONDY_OK;
}

int bondy_ctl_options_parse(const struct bondy_ctl_verb *verb, int argc, char **argv,
                            struct bondy_ctl_options *out, struct bondy_error *err)
{
    int rc;

    *out = (struct bondy_ctl_options){0};
    read_environment(out);
    rc = read_words(verb, argc, argv, out, err);
    if (rc < 0 || out->help)
        return rc;
    if (out->url == NULL)
        out->url = "tcp://127.0.0.1:18082";
    if (out->realm == NULL)
        out->realm = "dev";
    return interpret(out, err);
}

void bondy_ctl_options_fini(struct bondy_ctl_options *options)
{
    json_decref(options->kwargs_tree);
    json_decref(options->options_tree);
    bondy_free(options->arguments);
    *options = (struct bondy_ctl_options){0};
}

void bondy_ctl_options_help(const struct bondy_ctl_verb *verb, struct bondy_buf *out)
{
    for (size_t i = 0; i < BONDY_COUNT(table); i++) {
        const char *help = table[i].help;
        char left[40];

        if (table[i].needs == 0 ? verb != NULL : verb == NULL || !(verb->options & table[i].needs))
            continue;
        snprintf(left, sizeof left, "  %s%s%s", table[i].name, table[i].argument == NULL ? "" : " ",
                 table[i].argument == NULL ? "" : table[i].argument);
        bondy_buf_printf(out, "%-22s ", left);
        for (; *help != '\0'; help++) {
            bondy_buf_append_byte(out, (unsigned char)*help);
            if (*help == '\n')
                bondy_buf_printf(out, "%23s", "");
        }
        if (table[i].variable != NULL)
            bondy_buf_printf(out, " [%s]", table[i].variable);
        bondy_buf_append_byte(out, '\n');
    }
}
