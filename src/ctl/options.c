/* SPDX-License-Identifier: Apache-2.0 */
#include "src/ctl/options.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "src/base/alloc.h"

#include "config.h"

#define JSON_DEPTH 31 /* one less than a message may have: it is wrapped in the message's list */

/* Who takes an option. */
enum scope {
    EVERY, /* all verbs */
    WAMP,  /* all verbs that join a realm */
    ADMIN, /* all verbs of administration */
    OWN    /* those that name it */
};

/* What becomes of its value. */
enum kind {
    TEXT,   /* the member at `offset` points to it */
    SWITCH, /* no value; the member at `offset` is true */
    /* The others go to the document of the verb, or to the keyword arguments. */
    WORD,
    NUMBER,
    NAMES,    /* a,b */
    ROLES,    /* the same, or all, anonymous */
    ON_OFF,   /* on, off */
    TRUTH,    /* no value; true */
    DOCUMENT, /* JSON */
    SECRET    /* where to read it, in secrets_tree */
};

#define AT(member) offsetof(struct bondy_ctl_options, member)

static const struct option {
    enum scope scope;
    enum kind kind;
    const char *name;
    const char *argument; /* NULL: a switch */
    const char *variable; /* NULL: none */
    size_t offset;
    const char *key; /* of WORD and the kinds behind it; NULL: the name */
    bool is_kwarg;   /* of the call; else of the document, when the verb has one */
    const char *help;
} table[] = {
    {WAMP, TEXT, "--url", "URL", "BONDY_URL", AT(url), NULL, false,
     "router: tcp://host:port, tls://host:port, ws://host:port/ws, wss://..., unix:/path\n"
     "(default tcp://127.0.0.1:18082)"},
    {WAMP, TEXT, "--realm", "URI", "BONDY_REALM", AT(realm), NULL, false,
     "realm to join (default dev)"},
    {WAMP, TEXT, "--serializer", "NAME", "BONDY_SERIALIZER", AT(serializer), NULL, false,
     "json, msgpack or cbor (default msgpack)"},
    {WAMP, TEXT, "--authid", "NAME", "BONDY_AUTHID", AT(authid), NULL, false, "who you are"},
    {WAMP, TEXT, "--secret-file", "FILE", "BONDY_SECRET_FILE", AT(secret_file), NULL, false,
     "password: the first line of a file that nobody else may read; -: ask for it"},
    {WAMP, TEXT, "--ticket-file", "FILE", "BONDY_TICKET_FILE", AT(ticket_file), NULL, false,
     "ticket: the same"},
    {WAMP, TEXT, "--key-file", "FILE", "BONDY_KEY_FILE", AT(key_file), NULL, false,
     "Ed25519 private key: OpenSSH, PEM or 64 hexadecimal digits"},
    {WAMP, TEXT, "--secret", "TEXT", "BONDY_SECRET", AT(secret), NULL, false,
     "password, where others can see it; -: ask for it"},
    {WAMP, TEXT, "--ticket", "TEXT", "BONDY_TICKET", AT(ticket), NULL, false,
     "ticket, where others can see it; -: ask for it"},

    {ADMIN, TEXT, "--admin-url", "URL", "BONDY_ADMIN_URL", AT(admin_url), NULL, false,
     "admin API: unix:/path/admin.sock or http(s)://host:port\n"
     "(default unix:" BONDY_LOCALSTATEDIR "/lib/bondy/admin.sock)"},
    {ADMIN, TEXT, "--admin-user", "NAME", "BONDY_ADMIN_USER", AT(admin_user), NULL, false,
     "who you are, when it is no Unix socket (default admin, with a password)"},
    {ADMIN, TEXT, "--admin-password-file", "FILE", "BONDY_ADMIN_PASSWORD_FILE",
     AT(admin_password_file), NULL, false,
     "password: the first line of a file that nobody else may read; -: ask for it"},
    {ADMIN, TEXT, "--admin-token-file", "FILE", "BONDY_ADMIN_TOKEN_FILE", AT(admin_token_file),
     NULL, false, "ticket or token instead: the same"},

    {EVERY, TEXT, "--timeout", "TIME", "BONDY_TIMEOUT", AT(timeout), NULL, false,
     "longest wait for the connection and for each answer: 5s, 250ms, 2m (default 30s)"},
    {EVERY, TEXT, "--output", "FORM", "BONDY_OUTPUT", AT(output), NULL, false,
     "text or json (default text; of administration json, unless it goes to a terminal)"},
    {EVERY, TEXT, "--ca-file", "FILE", "BONDY_CA_FILE", AT(ca_file), NULL, false,
     "authorities for TLS, PEM (default: those of the system)"},
    {EVERY, SWITCH, "--insecure", NULL, NULL, AT(insecure), NULL, false,
     "do not check the certificate: whoever is in between reads all, secrets too"},
    {EVERY, SWITCH, "--help", NULL, NULL, AT(help), NULL, false, "print this and exit"},

    {OWN, TEXT, "--kwargs", "JSON", NULL, AT(kwargs), NULL, false,
     "keyword arguments, a JSON object"},
    {OWN, TEXT, "--options", "JSON", NULL, AT(options), NULL, false,
     "WAMP options of the request, a JSON object"},
    {OWN, TEXT, "--match", "POLICY", NULL, AT(match), NULL, false,
     "exact, prefix or wildcard (default exact; of a grant: the first that fits)"},
    {OWN, TEXT, "--count", "N", NULL, AT(count), NULL, false, "leave after N events"},
    {OWN, SWITCH, "--acknowledge", NULL, NULL, AT(acknowledge), NULL, false,
     "wait until the router confirms, print the publication id"},
    {OWN, TEXT, "--concurrency", "N", NULL, AT(concurrency), NULL, false,
     "calls that run at once; further ones wait (default 8)"},

    {OWN, TEXT, "--data", "JSON", NULL, AT(data), NULL, false,
     "the whole object: JSON, a file's name, or - for standard input"},
    /* Realms. */
    {OWN, WORD, "--description", "TEXT", NULL, 0, NULL, false, "what it is for"},
    {OWN, NAMES, "--authmethods", "NAMES", NULL, 0, "authmethods", false,
     "how one may log in: a,b"},
    {OWN, ON_OFF, "--allow-connections", "on|off", NULL, 0, "allow_connections", false,
     "whether sessions may begin"},
    {OWN, ON_OFF, "--security", "on|off", NULL, 0, "security_enabled", false,
     "whether permissions are asked for"},
    {OWN, WORD, "--prototype", "URI", NULL, 0, "prototype_uri", false,
     "realm from which it inherits"},
    {OWN, WORD, "--sso-realm", "URI", NULL, 0, "sso_realm_uri", false,
     "realm that has the passwords and keys"},
    /* Users and groups. */
    {OWN, NAMES, "--groups", "NAMES", NULL, 0, NULL, false, "the groups it is a member of: a,b"},
    {OWN, NAMES, "--authorized-keys", "KEYS", NULL, 0, "authorized_keys", false,
     "public keys for cryptosign, in hexadecimal: a,b"},
    {OWN, ON_OFF, "--enabled", "on|off", NULL, 0, NULL, false, "whether it may log in"},
    {OWN, DOCUMENT, "--meta", "JSON", NULL, 0, NULL, false, "what else is known, a JSON object"},
    {OWN, SECRET, "--password-file", "FILE", NULL, 0, "password", false,
     "password: the first line of a file that nobody else may read; -: ask for it"},
    {OWN, SECRET, "--old-password-file", "FILE", NULL, 0, "old_password", false,
     "the one until now: the same; needed for oneself"},
    {OWN, SECRET, "--ticket-file", "FILE", NULL, 0, "ticket", false,
     "the ticket: the first line of a file that nobody else may read; -: ask for it"},
    {OWN, WORD, "--if-exists", "WHAT", NULL, 0, "if_exists", true, "fail or update (default fail)"},
    /* Sources and grants. */
    {OWN, ROLES, "--usernames", "NAMES", NULL, 0, NULL, false, "who: a,b or all or anonymous"},
    {OWN, WORD, "--authmethod", "NAME", NULL, 0, NULL, false, "one method of logging in"},
    {OWN, WORD, "--cidr", "NETWORK", NULL, 0, NULL, false, "from where (default everywhere)"},
    {OWN, ROLES, "--roles", "NAMES", NULL, 0, NULL, false, "who: a,b or all"},
    {OWN, NAMES, "--permissions", "NAMES", NULL, 0, NULL, false, "what: wamp.call,wamp.publish"},
    {OWN, WORD, "--uri", "URI", NULL, 0, NULL, false, "on what; any: on everything"},
    /* Questions. */
    {OWN, NAMES, "--authroles", "NAMES", NULL, 0, NULL, true, "as if only in these groups: a,b"},
    {OWN, WORD, "--ip", "ADDRESS", NULL, 0, NULL, true, "as if from this address"},
    {OWN, WORD, "--authid", "NAME", NULL, 0, NULL, true, "only those of a user"},
    {OWN, WORD, "--authrole", "NAME", NULL, 0, NULL, true, "only those of a role"},
    {OWN, WORD, "--realm", "URI", NULL, 0, NULL, true, "only those of a realm"},
    {OWN, WORD, "--since", "TIME", NULL, 0, NULL, true, "from then on: 2026-01-02T03:04:05Z"},
    {OWN, WORD, "--until", "TIME", NULL, 0, NULL, true, "until then"},
    {OWN, WORD, "--actor", "NAME", NULL, 0, NULL, true, "only what this user did"},
    {OWN, WORD, "--action", "NAME", NULL, 0, NULL, true,
     "only these: bondy.user.add, auth.fail, authz.deny, ..."},
    {OWN, WORD, "--outcome", "NAME", NULL, 0, NULL, true, "ok, denied or error"},
    {OWN, NUMBER, "--limit", "N", NULL, 0, NULL, true, "at most so many"},
    {OWN, WORD, "--cursor", "TEXT", NULL, 0, NULL, true, "go on behind the list before"},
    {OWN, WORD, "--query", "TEXT", NULL, 0, "q", true, "only names that begin like this"},
    {OWN, NAMES, "--fields", "NAMES", NULL, 0, NULL, true, "only these members: a,b"},
    {OWN, WORD, "--sort", "NAME", NULL, 0, NULL, true, "by this member; -name: backwards"},
    /* Changes. */
    {OWN, TRUTH, "--dry-run", NULL, NULL, 0, "dry_run", true, "check everything, change nothing"},
    {OWN, WORD, "--if-version", "TEXT", NULL, 0, "if_version", true,
     "only when nobody changed it meanwhile"},
    {OWN, TRUTH, "--force", NULL, NULL, 0, NULL, true, "also what is in use"},
    {OWN, WORD, "--reason", "URI", NULL, 0, NULL, true, "what GOODBYE says"},
    {OWN, WORD, "--message", "TEXT", NULL, 0, NULL, true, "the same, for people"},
    {OWN, WORD, "--include", "WHAT", NULL, 0, NULL, true, "keys: private keys too"},
    {OWN, WORD, "--mode", "NAME", NULL, 0, NULL, false,
     "merge (default); an import also: replace; a restore also: force, empty"},
    {OWN, WORD, "--path", "FOLDER", NULL, 0, NULL, false, "a folder below backup.dir"},
    {OWN, WORD, "--expires-at", "TIME", NULL, 0, "expires_at", false, "until when it counts"},
    {OWN, NAMES, "--cidrs", "NETWORKS", NULL, 0, NULL, false, "from where it counts: a,b"},
};

bool bondy_ctl_lists(const char *words, const char *word, size_t len)
{
    for (const char *at = words == NULL ? "" : words; *at != '\0'; at += strspn(at, " ")) {
        size_t one = strcspn(at, " ");

        if (one == len && strncmp(at, word, len) == 0)
            return true;
        at += one;
    }
    return false;
}

static bool takes(const struct bondy_ctl_verb *verb, const struct option *option)
{
    switch (option->scope) {
    case EVERY:
        return true;
    case WAMP:
        return verb->form == NULL;
    case ADMIN:
        return verb->form != NULL;
    default:
        return bondy_ctl_lists(verb->options, option->name + 2, strlen(option->name + 2));
    }
}

static const struct option *find(const struct bondy_ctl_verb *verb, const char *word,
                                 const char **value)
{
    size_t len = strcspn(word, "=");

    *value = word[len] == '=' ? word + len + 1 : NULL;
    for (size_t i = 0; i < BONDY_COUNT(table); i++) {
        if (strlen(table[i].name) == len && strncmp(word, table[i].name, len) == 0 &&
            takes(verb, &table[i]))
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
        if (takes(verb, &table[i]))
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

/* ---- values ---------------------------------------------------------------------------------- */

json_t *bondy_ctl_names(const char *word, bool may_be_word)
{
    json_t *list;

    if (may_be_word && bondy_ctl_lists("all anonymous any", word, strlen(word)))
        return json_string(word);
    list = json_array();
    for (const char *at = word; *at != '\0'; at += *at == ',') {
        size_t len = strcspn(at, ",");

        if (len > 0 && json_array_append_new(list, json_stringn(at, len)) < 0) {
            json_decref(list);
            return NULL;
        }
        at += len;
    }
    return list;
}

/* NULL: it is none of that kind. */
static json_t *read_value(enum kind kind, const char *value)
{
    char *end;
    long long number;

    switch (kind) {
    case NUMBER:
        number = strtoll(value, &end, 10);
        return *value == '\0' || *end != '\0' ? NULL : json_integer(number);
    case NAMES:
        return bondy_ctl_names(value, false);
    case ROLES:
        return bondy_ctl_names(value, true);
    case ON_OFF:
        if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0)
            return NULL;
        return json_boolean(strcmp(value, "on") == 0);
    case DOCUMENT:
        return bondy_json_parse(bondy_slice_text(value), JSON_DEPTH, NULL);
    default:
        return json_string(value);
    }
}

/* Where what describes the object goes. */
static json_t *document_of(const struct bondy_ctl_options *out)
{
    return strchr(out->verb->form, '{') == NULL ? out->kwargs_tree : out->fields_tree;
}

/* Puts it under the option's key. */
static int put(struct bondy_ctl_options *out, const struct option *option, json_t *value,
               struct bondy_error *err)
{
    json_t *into = option->kind == SECRET ? out->secrets_tree
                   : option->is_kwarg     ? out->kwargs_tree
                                          : document_of(out);

    if (value == NULL)
        return bondy_fail(err, BONDY_EINVAL, "%s must be %s", option->name, option->argument);
    json_object_set_new(into, option->key != NULL ? option->key : option->name + 2, value);
    return BONDY_OK;
}

static int take(struct bondy_ctl_options *out, const struct option *option, const char *value,
                struct bondy_error *err)
{
    if (option->kind == SWITCH)
        *((bool *)((char *)out + option->offset)) = true;
    else if (option->kind == TRUTH)
        return put(out, option, json_true(), err);
    else if (option->kind == TEXT)
        *(const char **)(void *)((char *)out + option->offset) = value;
    else
        return put(out, option, read_value(option->kind, value), err);
    return BONDY_OK;
}

static void read_environment(struct bondy_ctl_options *out)
{
    for (size_t i = 0; i < BONDY_COUNT(table); i++) {
        const char *value = table[i].variable == NULL || !takes(out->verb, &table[i])
                                ? NULL
                                : getenv(table[i].variable);

        if (value != NULL && *value != '\0')
            take(out, &table[i], value, NULL);
    }
}

static int read_option(struct bondy_ctl_options *out, int argc, char **argv, int *at,
                       struct bondy_error *err)
{
    const char *value;
    const struct option *option = find(out->verb, argv[*at], &value);

    if (option == NULL)
        return refuse(out->verb, argv[*at], err);
    if (option->argument == NULL && value != NULL)
        return bondy_fail(err, BONDY_EINVAL, "%s takes no value", option->name);
    if (option->argument != NULL && value == NULL && *at + 1 < argc)
        value = argv[++*at];
    if (option->argument != NULL && value == NULL)
        return bondy_fail(err, BONDY_EINVAL, "%s needs %s", option->name, option->argument);
    return take(out, option, value, err);
}

static int read_words(int argc, char **argv, struct bondy_ctl_options *out, struct bondy_error *err)
{
    out->arguments = bondy_calloc((size_t)argc + 1, sizeof *out->arguments);
    for (int i = 0; i < argc; i++) {
        int rc;

        if (strcmp(argv[i], "--") == 0) {
            if (!out->verb
                     ->takes_program) { /* what follows is positional, whatever it looks like */
                while (++i < argc)
                    out->arguments[out->argument_count++] = argv[i];
                return BONDY_OK;
            }
            out->program = argv + i + 1;
            return BONDY_OK;
        }
        if (strncmp(argv[i], "--", 2) != 0 && strcmp(argv[i], "-h") != 0)
            out->arguments[out->argument_count++] = argv[i];
        else if ((rc = read_option(out, argc, argv, &i, err)) < 0)
            return rc;
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

/* Next to those that options of their own made. */
static int read_kwargs(struct bondy_ctl_options *out, struct bondy_error *err)
{
    json_t *given = NULL;
    int rc = BONDY_OK;

    if (out->kwargs != NULL)
        rc = parse_object("--kwargs", out->kwargs, &given, err);
    if (rc == BONDY_OK && given != NULL)
        json_object_update(out->kwargs_tree, given);
    if (rc == BONDY_OK && given == NULL && out->verb->form == NULL) { /* WAMP: none, not empty */
        json_decref(out->kwargs_tree);
        out->kwargs_tree = NULL;
    }
    json_decref(given);
    return rc;
}

static int interpret(struct bondy_ctl_options *out, struct bondy_error *err)
{
    uint64_t number = 8;
    int rc;

    if ((rc = interpret_words(out, err)) < 0)
        return rc;
    out->timeout_ms = 30000;
    if (out->timeout != NULL &&
        (rc = bondy_ctl_duration_parse(out->timeout, &out->timeout_ms, err)) < 0)
        return bondy_wrap(err, "--timeout");
    if ((rc = read_kwargs(out, err)) < 0)
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
        json_object_set_new(out->verb->form == NULL ? out->options_tree : document_of(out), "match",
                            json_string(out->match));
    return BONDY_OK;
}

int bondy_ctl_options_parse(const struct bondy_ctl_verb *verb, int argc, char **argv,
                            struct bondy_ctl_options *out, struct bondy_error *err)
{
    int rc;

    *out = (struct bondy_ctl_options){.verb = verb,
                                      .kwargs_tree = json_object(),
                                      .fields_tree = json_object(),
                                      .secrets_tree = json_object()};
    read_environment(out);
    rc = read_words(argc, argv, out, err);
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
    json_decref(options->fields_tree);
    json_decref(options->secrets_tree);
    bondy_free(options->arguments);
    *options = (struct bondy_ctl_options){0};
}

void bondy_ctl_options_help(const struct bondy_ctl_verb *verb, bool own, struct bondy_buf *out)
{
    for (size_t i = 0; i < BONDY_COUNT(table); i++) {
        const char *help = table[i].help;
        char left[48];

        if (!takes(verb, &table[i]) || (table[i].scope == OWN) != own)
            continue;
        snprintf(left, sizeof left, "  %s%s%s", table[i].name, table[i].argument == NULL ? "" : " ",
                 table[i].argument == NULL ? "" : table[i].argument);
        bondy_buf_printf(out, "%-29s ", left);
        for (; *help != '\0'; help++) {
            bondy_buf_append_byte(out, (unsigned char)*help);
            if (*help == '\n')
                bondy_buf_printf(out, "%30s", "");
        }
        if (table[i].variable != NULL)
            bondy_buf_printf(out, " [%s]", table[i].variable);
        bondy_buf_append_byte(out, '\n');
    }
}
