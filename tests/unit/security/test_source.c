/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/security/fixture.h"

#include <string.h>

#include "src/sys/net.h"

#define R "org.acme"

static void make_realm(struct fixture *f)
{
    assert_string_equal(fixture_do(f, CREATE_REALM, NULL, NULL,
                                   "{\"uri\":\"org.base\",\"is_prototype\":true,"
                                   "\"sources\":[{\"usernames\":\"all\",\"authmethod\":\"ticket\","
                                   "\"cidr\":\"10.0.0.0/16\"}]}"),
                        "");
    assert_string_equal(fixture_do(f, CREATE_REALM, NULL, NULL,
                                   "{\"uri\":\"" R "\",\"prototype_uri\":\"org.base\","
                                   "\"users\":[{\"username\":\"mona\"},{\"username\":\"lisa\","
                                   "\"aliases\":[\"lisa-2\"]}]}"),
                        "");
}

static const char *add(struct fixture *f, const char *input)
{
    return fixture_do(f, ADD_SOURCE, R, NULL, input);
}

static void a_source_is_stored_for_each_name_under_its_network(void **state)
{
    struct fixture *f = *state;

    make_realm(f);
    assert_string_equal(add(f, "{\"usernames\":[\"Mona\",\"lisa-2\",\"anonymous\"],"
                               "\"authmethod\":\"wampcra\",\"cidr\":\"10.1.2.3/8\"}"),
                        "");
    assert_text(fixture_text(f->result),
                "{\"authmethod\":\"wampcra\",\"cidr\":\"10.0.0.0/8\",\"meta\":{}}");
    assert_text(fixture_sources(f, R),
                "[{\"authmethod\":\"wampcra\",\"cidr\":\"10.0.0.0/8\",\"meta\":{},"
                "\"username\":\"anonymous\"},"
                "{\"authmethod\":\"wampcra\",\"cidr\":\"10.0.0.0/8\",\"meta\":{},"
                "\"username\":\"lisa\"},"
                "{\"authmethod\":\"wampcra\",\"cidr\":\"10.0.0.0/8\",\"meta\":{},"
                "\"username\":\"mona\"}]");
    /* The same key again: an update. */
    assert_string_equal(add(f, "{\"usernames\":[\"mona\"],\"authmethod\":\"wampcra\","
                               "\"cidr\":\"::ffff:10.9.9.9/104\",\"meta\":{\"a\":1}}"),
                        "");
    assert_int_equal(f->writes, 1);
    assert_int_equal(f->effects & BONDY_EDIT_CREATED, 0);
}

static void bad_input_is_refused_by_its_own_code(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *input, *code;
    } cases[] = {
        {"[]", "bondy.error.invalid_datatype"},
        {"{}", "bondy.error.invalid_data"},
        {"{\"usernames\":\"all\"}", "bondy.error.missing_required_value"},
        {"{\"usernames\":\"mona\",\"authmethod\":\"ticket\"}", "bondy.error.invalid_value"},
        {"{\"usernames\":[\"all\"],\"authmethod\":\"ticket\"}", "bondy.error.invalid_value"},
        {"{\"usernames\":[\"ghost\"],\"authmethod\":\"ticket\"}", "bondy.error.no_such_users"},
        {"{\"usernames\":\"all\",\"authmethod\":\"magic\"}", "bondy.error.invalid_value"},
        {"{\"usernames\":\"all\",\"authmethod\":\"ticket\",\"cidr\":\"10.0.0.0/33\"}",
         "bondy.error.invalid_value"},
        {"{\"usernames\":\"all\",\"authmethod\":\"ticket\",\"cidr\":\"::/129\"}",
         "bondy.error.invalid_value"},
        {"{\"usernames\":\"all\",\"authmethod\":\"ticket\",\"cidr\":\"host.example\"}",
         "bondy.error.invalid_value"},
        {"{\"usernames\":\"all\",\"authmethod\":\"ticket\",\"cdir\":\"::/0\"}",
         "bondy.error.invalid_data"},
    };

    make_realm(f);
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        const char *code = add(f, cases[i].input);

        if (strcmp(code, cases[i].code) != 0)
            fail_msg("%s: '%s'", cases[i].input, code);
    }
    assert_text(fixture_sources(f, R), "[]");
}

static int note_match(void *context, const struct bondy_source *source)
{
    bondy_buf_append_slice(context, source->username);
    bondy_buf_append_byte(context, ' ');
    bondy_buf_append_slice(context, source->cidr);
    bondy_buf_append_byte(context, ' ');
    bondy_buf_append_slice(context, source->authmethod);
    bondy_buf_append_text(context, source->is_inherited ? " inherited; " : "; ");
    return 0;
}

static char *matches(struct fixture *f, const char *username, const char *peer)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    struct bondy_address address;

    if (peer != NULL)
        assert_int_equal(bondy_address_parse(peer, 0, &address, NULL), BONDY_OK);
    bondy_source_match(fixture_view(f), fixture_realm(f, R), bondy_slice_text(username),
                       peer == NULL ? NULL : &address, note_match, &text);
    bondy_buf_append_byte(&text, 0);
    return bondy_buf_take_text(&text);
}

/* Acceptance 8. */
static void all_sources_that_hold_the_address_match_longest_first(void **state)
{
    struct fixture *f = *state;

    make_realm(f);
    add(f, "{\"usernames\":[\"mona\"],\"authmethod\":\"wampcra\",\"cidr\":\"10.0.0.0/8\"}");
    add(f, "{\"usernames\":\"all\",\"authmethod\":\"password\",\"cidr\":\"10.0.0.0/8\"}");
    add(f, "{\"usernames\":\"all\",\"authmethod\":\"cryptosign\"}");
    add(f, "{\"usernames\":[\"mona\"],\"authmethod\":\"trust\",\"cidr\":\"127.0.0.1/32\"}");
    add(f, "{\"usernames\":[\"anonymous\"],\"authmethod\":\"anonymous\",\"cidr\":\"::1/128\"}");
    add(f, "{\"usernames\":[\"mona\"],\"authmethod\":\"tls\",\"cidr\":\"2001:db8::/32\"}");
    assert_text(matches(f, "mona", "10.0.7.1"),
                "all 10.0.0.0/16 ticket inherited; mona 10.0.0.0/8 wampcra; "
                "all 10.0.0.0/8 password; all 0.0.0.0/0 cryptosign; ");
    assert_text(matches(f, "lisa", "10.1.7.1"),
                "all 10.0.0.0/8 password; all 0.0.0.0/0 cryptosign; ");
    assert_text(matches(f, "mona", "::ffff:10.1.7.1"),
                "mona 10.0.0.0/8 wampcra; all 10.0.0.0/8 password; all 0.0.0.0/0 cryptosign; ");
    /* 10.0.0.0/8 is not a00::/8, and 0.0.0.0/0 is every address. */
    assert_text(matches(f, "mona", "a00::1"), "all 0.0.0.0/0 cryptosign; ");
    assert_text(matches(f, "mona", "2001:db8::7"),
                "mona 2001:db8::/32 tls; all 0.0.0.0/0 cryptosign; ");
    assert_text(matches(f, "mona", "unix:/run/x"),
                "mona 127.0.0.1/32 trust; all 0.0.0.0/0 cryptosign; ");
    assert_text(matches(f, "anonymous", "::1"),
                "anonymous ::1/128 anonymous; all 0.0.0.0/0 cryptosign; ");
    assert_text(matches(f, "all", "192.0.2.1"), "all 0.0.0.0/0 cryptosign; ");
    {
        char *text = matches(f, "mona", NULL);

        assert_non_null(strstr(text, "tls"));
        assert_non_null(strstr(text, "ticket"));
        assert_null(strstr(text, "anonymous"));
        bondy_free(text);
    }
}

static void an_ipv6_network_never_holds_ipv4_but_for_all_of_it(void **state)
{
    struct fixture *f = *state;

    make_realm(f);
    add(f, "{\"usernames\":\"all\",\"authmethod\":\"password\",\"cidr\":\"::/8\"}");
    add(f, "{\"usernames\":\"all\",\"authmethod\":\"cryptosign\",\"cidr\":\"::/0\"}");
    assert_text(matches(f, "mona", "192.0.2.1"), "all ::/0 cryptosign; ");
    assert_text(matches(f, "mona", "::2"), "all ::/8 password; all ::/0 cryptosign; ");
}

static void a_delete_takes_all_methods_or_one(void **state)
{
    struct fixture *f = *state;

    make_realm(f);
    add(f, "{\"usernames\":[\"mona\"],\"authmethod\":\"wampcra\",\"cidr\":\"10.0.0.0/8\"}");
    add(f, "{\"usernames\":[\"mona\"],\"authmethod\":\"ticket\",\"cidr\":\"10.0.0.0/8\"}");
    add(f, "{\"usernames\":[\"mona\"],\"authmethod\":\"ticket\",\"cidr\":\"10.0.0.0/9\"}");
    add(f, "{\"usernames\":\"all\",\"authmethod\":\"ticket\",\"cidr\":\"10.0.0.0/8\"}");
    assert_string_equal(fixture_do(f, DELETE_SOURCE, R, "[\"mona\"]",
                                   "{\"cidr\":\"10.0.0.0/8\",\"authmethod\":\"ticket\"}"),
                        "");
    assert_int_equal(f->writes, 1);
    assert_string_equal(
        fixture_do(f, DELETE_SOURCE, R, "[\"MONA\",\"ghost\"]", "{\"cidr\":\"10.2.0.0/8\"}"), "");
    assert_int_equal(f->writes, 1);
    assert_string_equal(fixture_do(f, DELETE_SOURCE, R, "\"all\"", "{\"cidr\":\"10.0.0.0/8\"}"),
                        "");
    assert_text(fixture_sources(f, R),
                "[{\"authmethod\":\"ticket\",\"cidr\":\"10.0.0.0/9\",\"meta\":{},"
                "\"username\":\"mona\"}]");
    assert_string_equal(fixture_do(f, DELETE_SOURCE, R, "\"all\"", "{\"cidr\":\"x\"}"),
                        "bondy.error.invalid_value");
    assert_string_equal(fixture_do(f, DELETE_SOURCE, R, "[7]", "{\"cidr\":\"::/0\"}"),
                        "bondy.error.invalid_value");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_source_is_stored_for_each_name_under_its_network),
        TEST(bad_input_is_refused_by_its_own_code),
        TEST(all_sources_that_hold_the_address_match_longest_first),
        TEST(an_ipv6_network_never_holds_ipv4_but_for_all_of_it),
        TEST(a_delete_takes_all_methods_or_one),
    };

    return fixture_run(tests, BONDY_COUNT(tests));
}
