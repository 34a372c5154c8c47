/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <stdio.h>
#include <sys/stat.h>

#include "src/base/alloc.h"
#include "src/ctl/call.h"
#include "src/ctl/commands.h"
#include "src/sys/file.h"

#define WORDS_MAX 12

static const struct bondy_ctl_verb *find_verb(const char *name)
{
    for (const struct bondy_ctl_verb *verb = bondy_verbs_admin; verb->name != NULL; verb++)
        if (strcmp(verb->name, name) == 0)
            return verb;
    fail_msg("there is no verb %s", name);
    return NULL;
}

/* The call of a command line as canonical JSON; empty when it is refused. */
static int make(const char *name, char *const *words, struct bondy_buf *out,
                struct bondy_error *err)
{
    struct bondy_ctl_options options;
    json_t *call = NULL;
    int count = 0, rc;

    while (words[count] != NULL)
        count++;
    rc = bondy_ctl_options_parse(find_verb(name), count, (char **)(uintptr_t)words, &options, err);
    if (rc == BONDY_OK)
        rc = bondy_ctl_call_make(&options, &call, err);
    if (rc == BONDY_OK)
        bondy_json_canonical(call, out);
    bondy_buf_append_byte(out, 0);
    json_decref(call);
    bondy_ctl_options_fini(&options);
    return rc;
}

static const struct {
    const char *verb;
    char *words[WORDS_MAX];
    const char *args, *kwargs, *procedure;
} calls[] = {
    {"realm list", {NULL}, "[]", "{}", "bondy.realm.list"},
    {"realm list",
     {"--limit", "5", "--query", "com."},
     "[]",
     "{\"limit\":5,\"q\":\"com.\"}",
     "bondy.realm.list"},
    {"realm create",
     {"a.b", "--authmethods", "wampcra,password", "--security", "off"},
     "[{\"authmethods\":[\"wampcra\",\"password\"],\"security_enabled\":false,\"uri\":\"a.b\"}"
     "]",
     "{}",
     "bondy.realm.create"},
    {"realm create",
     {"--data", "{\"uri\": \"a.b\", \"description\": \"x\"}", "--description=y", "--dry-run"},
     "[{\"description\":\"y\",\"uri\":\"a.b\"}]",
     "{\"dry_run\":true}",
     "bondy.realm.create"},
    {"realm import", {"{\"uri\":\"a.b\"}"}, "[[{\"uri\":\"a.b\"}]]", "{}", "bondy.realm.import"},
    {"user add",
     {"a.b", "mona", "--groups", "x,y", "--enabled", "off", "--meta", "{\"a\":1}"},
     "[\"a.b\",{\"enabled\":false,\"groups\":[\"x\",\"y\"],\"meta\":{\"a\":1},"
     "\"username\":\"mona\"}]",
     "{}",
     "bondy.user.add"},
    {"user add",
     {"a.b", "--data", "{\"username\":\"mona\"}"},
     "[\"a.b\",{\"username\":\"mona\"}]",
     "{}",
     "bondy.user.add"},
    {"user update",
     {"a.b", "mona", "--groups="},
     "[\"a.b\",\"mona\",{\"groups\":[]}]",
     "{}",
     "bondy.user.update"},
    {"user get", {"a.b", "--", "--odd"}, "[\"a.b\",\"--odd\"]", "{}", "bondy.user.get"},
    {"user add-group",
     {"a.b", "mona", "x,y"},
     "[\"a.b\",\"mona\",[\"x\",\"y\"]]",
     "{}",
     "bondy.user.add_groups"},
    {"source add",
     {"a.b", "--usernames", "all", "--authmethod", "password", "--cidr", "10.0.0.0/8"},
     "[\"a.b\",{\"authmethod\":\"password\",\"cidr\":\"10.0.0.0/8\",\"usernames\":\"all\"}]",
     "{}",
     "bondy.source.add"},
    {"source delete",
     {"a.b", "x,y", "::/0"},
     "[\"a.b\",[\"x\",\"y\"],\"::/0\"]",
     "{}",
     "bondy.source.delete"},
    {"source delete",
     {"a.b", "all", "::/0", "trust"},
     "[\"a.b\",\"all\",\"::/0\",\"trust\"]",
     "{}",
     "bondy.source.delete"},
    {"grant add",
     {"a.b", "--roles", "x", "--permissions", "wamp.call,wamp.cancel", "--uri", "a.", "--match",
      "prefix"},
     "[\"a.b\",{\"match\":\"prefix\",\"permissions\":[\"wamp.call\",\"wamp.cancel\"],"
     "\"roles\":[\"x\"],\"uri\":\"a.\"}]",
     "{}",
     "bondy.grant.create"},
    {"explain",
     {"a.b", "mona", "wamp.call", "a.x", "--match", "exact", "--authroles", "g", "--ip", "::1"},
     "[\"a.b\",\"mona\",\"wamp.call\",\"a.x\"]",
     "{\"authroles\":[\"g\"],\"ip\":\"::1\",\"match\":\"exact\"}",
     "bondy.rbac.explain"},
    {"session kill",
     {"a.b", "9007199254740991"},
     "[\"a.b\",9007199254740991]",
     "{}",
     "bondy.session.close"},
    {"ticket revoke",
     {"a.b", "mona", "id-1"},
     "[\"a.b\",\"id-1\"]",
     "{\"authid\":\"mona\"}",
     "bondy.ticket.revoke"},
    {"backup create", {NULL}, "[]", "{}", "bondy.backup.create"},
    {"backup status", {"f"}, "[{\"filename\":\"f\"}]", "{}", "bondy.backup.status"},
    {"backup restore",
     {"f", "--mode", "force"},
     "[{\"filename\":\"f\",\"mode\":\"force\"}]",
     "{}",
     "bondy.backup.restore"},
    {"audit",
     {"--realm", "a.b", "--limit", "1", "--kwargs", "{\"extra\":true}"},
     "[]",
     "{\"extra\":true,\"limit\":1,\"realm\":\"a.b\"}",
     "bondy.audit.query"},
    {"admin call", {"bondy.x", "1", "word", "[true]"}, "[1,\"word\",[true]]", "{}", "bondy.x"},
};

static void a_command_line_becomes_a_call(void **state)
{
    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(calls); i++) {
        struct bondy_buf made = BONDY_BUF_EMPTY, expected = BONDY_BUF_EMPTY;
        struct bondy_error err = {0};

        print_message("%s %s\n", calls[i].verb, calls[i].args);
        bondy_buf_printf(&expected, "{\"args\":%s,\"kwargs\":%s,\"procedure\":\"%s\"}",
                         calls[i].args, calls[i].kwargs, calls[i].procedure);
        bondy_buf_append_byte(&expected, 0);
        if (make(calls[i].verb, calls[i].words, &made, &err) < 0)
            print_message("%s\n", err.text);
        assert_string_equal(made.data, expected.data);
        bondy_buf_fini(&made);
        bondy_buf_fini(&expected);
    }
}

static void a_wrong_command_line_is_refused(void **state)
{
    static const struct {
        const char *verb;
        char *words[WORDS_MAX];
        const char *told;
    } cases[] = {
        {"realm list", {"x"}, "usage: bondy realm list"},
        {"user get", {"a.b"}, "usage: bondy user get [options] REALM USERNAME"},
        {"user get", {"a.b", "x", "y"}, "usage"},
        {"admin call", {NULL}, "usage"},
        {"user update", {"a.b", "x"}, "nothing is said"},
        {"user add", {"a.b", "x", "--data", "[1]"}, "--data must be a JSON object"},
        {"user add", {"a.b", "x", "--data", "{"}, "--data"},
        {"user add", {"a.b", "x", "--data", "/nowhere/x"}, "/nowhere/x"},
        {"user add", {"a.b", "x", "--meta", "{"}, "--meta must be JSON"},
        {"user add", {"a.b", "x", "--enabled", "maybe"}, "--enabled must be on|off"},
        {"user add", {"a.b", "x", "--group", "y"}, "did you mean \"--groups\"?"},
        {"user add", {"a.b", "x", "--password-file", "/nowhere/x"}, "--password-file"},
        {"user get", {"a.b", "x", "--groups", "y"}, "has no option"},
        {"user get", {"a.b", "x", "--authid", "y"}, "has no option"},
        {"realm delete", {"a.b", "--force=yes"}, "takes no value"},
        {"realm list", {"--limit", "many"}, "--limit must be N"},
        {"session kill", {"a.b", "first"}, "is no number"},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_buf made = BONDY_BUF_EMPTY;
        struct bondy_error err = {0};

        print_message("%s: %s\n", cases[i].verb, cases[i].told);
        assert_true(make(cases[i].verb, cases[i].words, &made, &err) < 0);
        assert_non_null(strstr(err.text, cases[i].told));
        bondy_buf_fini(&made);
    }
}

static void a_password_comes_from_a_file_that_nobody_else_may_read(void **state)
{
    char *folder = bondy_test_mkdir();
    struct bondy_buf made = BONDY_BUF_EMPTY;
    struct bondy_error err;
    char path[200];

    (void)state;
    snprintf(path, sizeof path, "%s/secret", folder);
    bondy_file_write(path, BONDY_SLICE("kettle-46-rope\r\nsecond line\n"), 0600, NULL);
    assert_int_equal(
        make("user add", (char *[]){"a.b", "mona", "--password-file", path, NULL}, &made, NULL),
        BONDY_OK);
    assert_non_null(strstr(made.data, "{\"password\":\"kettle-46-rope\",\"username\":\"mona\"}"));
    bondy_buf_clear(&made, 0);
    assert_int_equal(
        make("user passwd",
             (char *[]){"a.b", "mona", "--password-file", path, "--old-password-file", path, NULL},
             &made, NULL),
        BONDY_OK);
    assert_non_null(strstr(made.data, "[\"a.b\",\"mona\",\"kettle-46-rope\",\"kettle-46-rope\"]"));
    bondy_buf_clear(&made, 0);
    chmod(path, 0644);
    assert_true(make("user add", (char *[]){"a.b", "mona", "--password-file", path, NULL}, &made,
                     &err) < 0);
    assert_non_null(strstr(err.text, "lets others in"));
    bondy_buf_fini(&made);
    bondy_test_rmdir(folder);
}

/* Rows that could not work, told before anybody calls them. */
static void every_row_has_what_its_form_needs(void **state)
{
    (void)state;
    for (const struct bondy_ctl_verb *verb = bondy_verbs_admin; verb->name != NULL; verb++) {
        struct bondy_buf help = BONDY_BUF_EMPTY;
        size_t words = 0, options = 0;

        print_message("%s\n", verb->name);
        assert_non_null(verb->form);
        assert_non_null(verb->run);
        assert_true(strlen(verb->name) <= 20);
        for (const char *at = verb->options == NULL ? "" : verb->options; *at != '\0';) {
            size_t len = strcspn(at, " ");

            words += len > 0;
            at += len;
            at += strspn(at, " ");
        }
        bondy_ctl_options_help(verb, true, &help);
        bondy_buf_append_byte(&help, 0);
        for (const char *at = help.data; (at = strstr(at, "  --")) != NULL; at += 4)
            options++;
        assert_int_equal(options, words);
        bondy_buf_fini(&help);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_line_becomes_a_call),
        cmocka_unit_test(a_wrong_command_line_is_refused),
        cmocka_unit_test(a_password_comes_from_a_file_that_nobody_else_may_read),
        cmocka_unit_test(every_row_has_what_its_form_needs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
