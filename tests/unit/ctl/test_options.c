/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <stdlib.h>

#include "src/base/alloc.h"
#include "src/ctl/options.h"
#include "src/ctl/stream.h"

static const struct bondy_ctl_verb call_verb = {.name = "call", .options = "kwargs options"};
static const struct bondy_ctl_verb register_verb = {
    .name = "register", .options = "match", .takes_program = true};
static const struct bondy_ctl_verb admin_verb = {
    .name = "user add", .options = "groups kwargs", .form = "{"};

#define WORDS(...) ((char *[]){__VA_ARGS__, NULL})

static int parse(const struct bondy_ctl_verb *verb, char **words, struct bondy_ctl_options *out,
                 struct bondy_error *err)
{
    int count = 0;

    while (words[count] != NULL)
        count++;
    return bondy_ctl_options_parse(verb, count, words, out, err);
}

static void options_may_stand_anywhere_before_the_program(void **state)
{
    struct bondy_ctl_options options;

    (void)state;
    assert_int_equal(
        parse(&register_verb,
              WORDS("com.example.a", "--match", "prefix", "--realm=r", "--", "sh", "--match", "x"),
              &options, NULL),
        BONDY_OK);
    assert_int_equal(options.argument_count, 1);
    assert_string_equal(options.match, "prefix");
    assert_string_equal(options.realm, "r");
    assert_string_equal(options.program[1], "--match");
    assert_string_equal(json_string_value(json_object_get(options.options_tree, "match")),
                        "prefix");
    bondy_ctl_options_fini(&options);
}

static void two_dashes_end_the_options_of_other_verbs(void **state)
{
    struct bondy_ctl_options options;

    (void)state;
    assert_int_equal(parse(&call_verb, WORDS("a.b", "--", "--kwargs"), &options, NULL), BONDY_OK);
    assert_int_equal(options.argument_count, 2);
    assert_string_equal(options.arguments[1], "--kwargs");
    bondy_ctl_options_fini(&options);
}

static void wrong_words_are_named(void **state)
{
    static const struct {
        const struct bondy_ctl_verb *verb;
        char *words[4];
        const char *named;
    } cases[] = {
        {&call_verb, {"a", "--nonsense"}, "--nonsense"},
        {&call_verb, {"a", "--kwarg={}"}, "did you mean \"--kwargs\"?"},
        {&call_verb, {"a", "--match", "prefix"}, "--match"}, /* another verb's */
        {&call_verb, {"a", "--url"}, "--url"},
        {&call_verb, {"a", "--output", "xml"}, "xml"},
        {&call_verb, {"a", "--kwargs", "[1]"}, "--kwargs"},
        {&call_verb, {"a", "--kwargs", "{"}, "--kwargs"},
        {&call_verb, {"a", "--timeout", "soon"}, "soon"},
        {&call_verb, {"a", "--serializer", "xml"}, "xml"},
        {&call_verb, {"a", "--insecure=yes"}, "--insecure"},
        {&call_verb, {"a", "--admin-url", "x"}, "--admin-url"}, /* of administration */
        {&admin_verb, {"a", "--url", "x"}, "--url"},            /* of WAMP */
        {&register_verb, {"a", "--match", "some"}, "some"},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_ctl_options options;
        struct bondy_error err;
        char *words[4];

        memcpy(words, cases[i].words, sizeof words);
        assert_true(parse(cases[i].verb, words, &options, &err) < 0);
        assert_non_null(strstr(err.text, cases[i].named));
        bondy_ctl_options_fini(&options);
    }
}

static void variables_stand_for_options_and_options_win(void **state)
{
    struct bondy_ctl_options options;

    (void)state;
    setenv("BONDY_REALM", "from.variable", 1);
    setenv("BONDY_URL", "", 1); /* as good as unset */
    assert_int_equal(parse(&call_verb, WORDS("a"), &options, NULL), BONDY_OK);
    assert_string_equal(options.realm, "from.variable");
    assert_string_equal(options.url, "tcp://127.0.0.1:18082");
    bondy_ctl_options_fini(&options);
    assert_int_equal(parse(&call_verb, WORDS("a", "--realm", "said"), &options, NULL), BONDY_OK);
    assert_string_equal(options.realm, "said");
    bondy_ctl_options_fini(&options);
    unsetenv("BONDY_REALM");
    unsetenv("BONDY_URL");
}

static void variables_count_only_where_their_option_does(void **state)
{
    struct bondy_ctl_options options;

    (void)state;
    setenv("BONDY_REALM", "from.variable", 1);
    setenv("BONDY_AUTHID", "mona", 1);
    setenv("BONDY_ADMIN_USER", "root", 1);
    assert_int_equal(parse(&call_verb, WORDS("a"), &options, NULL), BONDY_OK);
    assert_string_equal(options.authid, "mona");
    assert_null(options.admin_user);
    bondy_ctl_options_fini(&options);
    assert_int_equal(parse(&admin_verb, WORDS("a", "--groups", "x,y"), &options, NULL), BONDY_OK);
    assert_null(options.authid);
    assert_string_equal(options.admin_user, "root");
    assert_int_equal(json_array_size(json_object_get(options.fields_tree, "groups")), 2);
    bondy_ctl_options_fini(&options);
    unsetenv("BONDY_REALM");
    unsetenv("BONDY_AUTHID");
    unsetenv("BONDY_ADMIN_USER");
}

static void words_are_json_or_strings(void **state)
{
    static const struct {
        const char *word;
        json_type type;
    } cases[] = {
        {"1", JSON_INTEGER},         {"-2.5", JSON_REAL},     {"true", JSON_TRUE},
        {"null", JSON_NULL},         {"word", JSON_STRING},   {"two words", JSON_STRING},
        {"\"1\"", JSON_STRING},      {"01", JSON_STRING},     {"[1]", JSON_ARRAY},
        {"{\"a\": 1}", JSON_OBJECT}, {"{a: 1}", JSON_STRING}, {"", JSON_STRING},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        json_t *value = bondy_ctl_value(cases[i].word);

        print_message("%s\n", cases[i].word);
        assert_non_null(value);
        assert_int_equal(json_typeof(value), cases[i].type);
        json_decref(value);
    }
}

static void urls_say_how_and_where(void **state)
{
    static const struct {
        const char *text, *host, *port, *path;
        bool tls, websocket;
    } cases[] = {
        {"tcp://host", "host", "18082", "/ws", false, false},
        {"tcp://127.0.0.1:1", "127.0.0.1", "1", "/ws", false, false},
        {"tls://[::1]:18085", "::1", "18085", "/ws", true, false},
        {"ws://host:8080/a/b", "host", "8080", "/a/b", false, true},
        {"wss://host", "host", "443", "/ws", true, true},
        {"unix:/run/x", "/run/x", NULL, NULL, false, false},
        {"unix:///run/x", "/run/x", NULL, NULL, false, false},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_stream_url url;

        print_message("%s\n", cases[i].text);
        assert_int_equal(bondy_stream_url_parse(cases[i].text, &url, NULL), BONDY_OK);
        assert_string_equal(url.host, cases[i].host);
        if (cases[i].port != NULL) {
            assert_string_equal(url.port, cases[i].port);
            assert_string_equal(url.path, cases[i].path);
        } else {
            assert_null(url.port);
        }
        assert_int_equal(url.tls, cases[i].tls);
        assert_int_equal(url.websocket, cases[i].websocket);
        bondy_stream_url_fini(&url);
    }
}

static void what_is_no_url_is_refused(void **state)
{
    static const char *const texts[] = {
        "",           "host:1",     "http://x",   "tcp://",           "tcp://:1", "tcp://x:",
        "tcp://x:1a", "tcp://[::1", "tcp://[]:1", "tcp://x:99999999", "unix:"};

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(texts); i++) {
        struct bondy_stream_url url;

        print_message("%s\n", texts[i]);
        assert_int_equal(bondy_stream_url_parse(texts[i], &url, NULL), BONDY_EINVAL);
        bondy_stream_url_fini(&url);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_may_stand_anywhere_before_the_program),
        cmocka_unit_test(two_dashes_end_the_options_of_other_verbs),
        cmocka_unit_test(wrong_words_are_named),
        cmocka_unit_test(variables_stand_for_options_and_options_win),
        cmocka_unit_test(variables_count_only_where_their_option_does),
        cmocka_unit_test(words_are_json_or_strings),
        cmocka_unit_test(urls_say_how_and_where),
        cmocka_unit_test(what_is_no_url_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
