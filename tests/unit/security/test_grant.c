/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/security/fixture.h"

#include <string.h>

#define R "org.acme"

static void make_realm(struct fixture *f)
{
    assert_string_equal(fixture_do(f, CREATE_REALM, NULL, NULL,
                                   "{\"uri\":\"" R
                                   "\",\"groups\":[{\"name\":\"staff\"},{\"name\":\"both\"}],"
                                   "\"users\":[{\"username\":\"mona\"},{\"username\":\"both\"}]}"),
                        "");
}

static const char *grant(struct fixture *f, const char *request)
{
    return fixture_do(f, GRANT, R, NULL, request);
}

static const char *take(struct fixture *f, const char *request)
{
    return fixture_do(f, REVOKE, R, NULL, request);
}

static void both_forms_of_a_request_mean_the_same(void **state)
{
    struct fixture *f = *state;

    make_realm(f);
    assert_string_equal(
        grant(f, "{\"roles\":[\"Staff\"],\"permissions\":[\"wamp.call\"],\"uri\":\"a.b\"}"), "");
    assert_string_equal(grant(f, "{\"roles\":[\"staff\"],\"permissions\":[\"wamp.call\"],"
                                 "\"resources\":[{\"uri\":\"a.b\"}]}"),
                        "");
    assert_int_equal(f->writes, 0);
    assert_text(fixture_grants(f, R),
                "[{\"permissions\":[\"wamp.call\"],\"resource\":{\"match\":\"exact\","
                "\"uri\":\"a.b\"},\"roles\":[\"group/staff\"]}]");
}

static void the_match_that_was_not_given_follows_from_the_uri(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *resource, *stored; /* NULL: refused */
    } cases[] = {
        {"\"uri\":\"any\"", "{\"uri\":\"any\"}"},
        {"\"uri\":\"any\",\"match\":\"exact\"", "{\"uri\":\"any\"}"},
        {"\"uri\":\"\"", "{\"match\":\"prefix\",\"uri\":\"\"}"},
        {"\"uri\":\"*\"", "{\"match\":\"prefix\",\"uri\":\"\"}"},
        {"\"uri\":\"\",\"match\":\"prefix\"", "{\"match\":\"prefix\",\"uri\":\"\"}"},
        {"\"uri\":\"\",\"match\":\"exact\"", NULL},
        {"\"uri\":\"*\",\"match\":\"wildcard\"", NULL},
        {"\"uri\":\"a.b\"", "{\"match\":\"exact\",\"uri\":\"a.b\"}"},
        {"\"uri\":\"a.b.\"", "{\"match\":\"wildcard\",\"uri\":\"a.b.\"}"},
        {"\"uri\":\"a..b\"", "{\"match\":\"wildcard\",\"uri\":\"a..b\"}"},
        {"\"uri\":\"a.b.\",\"match\":\"prefix\"", "{\"match\":\"prefix\",\"uri\":\"a.b.\"}"},
        {"\"uri\":\"a.b\",\"match\":\"wildcard\"", "{\"match\":\"wildcard\",\"uri\":\"a.b\"}"},
        {"\"uri\":\"a..b\",\"match\":\"exact\"", NULL},
        {"\"uri\":\"a b\"", NULL},
        {"\"uri\":\"a\",\"match\":\"regex\"", NULL},
    };

    make_realm(f);
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        char request[300];
        const char *code;

        snprintf(request, sizeof request,
                 "{\"roles\":[\"mona\"],\"permissions\":[\"wamp.call\"],%s}", cases[i].resource);
        code = grant(f, request);
        if ((code[0] == '\0') != (cases[i].stored != NULL))
            fail_msg("%s: '%s'", request, code);
        if (cases[i].stored == NULL)
            continue;
        assert_text(fixture_text(json_object_get(json_array_get(f->result, 0), "resource")),
                    cases[i].stored);
        assert_string_equal(take(f, request), "");
        assert_text(fixture_grants(f, R), "[]");
    }
    grant(f, "{\"roles\":[\"mona\"],\"permissions\":[\"wamp.call\"],\"uri\":\"*\","
             "\"match\":\"exact\"}");
    assert_string_equal(bondy_problem_code(f->problem), "wamp.error.invalid_argument");
    assert_text(fixture_text(json_object_get(f->problem, "keys")), "[\"uri\",\"match\"]");
}

static void permissions_are_added_and_taken_one_by_one(void **state)
{
    struct fixture *f = *state;

    make_realm(f);
    grant(f, "{\"roles\":[\"mona\",\"anonymous\"],\"permissions\":[\"wamp.call\",\"own.perm\"],"
             "\"uri\":\"a.b\",\"meta\":{\"why\":1}}");
    grant(f, "{\"roles\":[\"anonymous\",\"mona\"],\"permissions\":[\"wamp.cancel\"],"
             "\"uri\":\"a.b\"}");
    assert_string_equal(take(f, "{\"roles\":[\"anonymous\"],\"permissions\":[\"wamp.call\","
                                "\"never.granted\"],\"uri\":\"a.b\"}"),
                        "");
    assert_text(fixture_grants(f, R),
                "[{\"meta\":{\"why\":1},\"permissions\":[\"own.perm\",\"wamp.cancel\"],"
                "\"resource\":{\"match\":\"exact\",\"uri\":\"a.b\"},\"roles\":[\"anonymous\"]},"
                "{\"meta\":{\"why\":1},\"permissions\":[\"own.perm\",\"wamp.call\","
                "\"wamp.cancel\"],\"resource\":{\"match\":\"exact\",\"uri\":\"a.b\"},"
                "\"roles\":[\"user/mona\"]}]");
    assert_string_equal(take(f, "{\"roles\":[\"anonymous\",\"mona\"],\"permissions\":["
                                "\"own.perm\",\"wamp.cancel\",\"wamp.call\"],\"uri\":\"a.b\"}"),
                        "");
    assert_text(fixture_grants(f, R), "[]");
    assert_string_equal(
        take(f, "{\"roles\":\"all\",\"permissions\":[\"wamp.call\"],\"uri\":\"a.b\"}"), "");
    assert_int_equal(f->writes, 0);
}

static void roles_are_known_and_clear(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *roles, *code;
    } cases[] = {
        {"\"all\"", ""},
        {"[\"anonymous\"]", ""},
        {"[\"user/both\"]", ""},
        {"[\"group/both\",\"mona\"]", ""},
        {"[\"mona\",\"both\"]", "bondy.error.duplicate_roles"},
        {"[\"ghost\"]", "bondy.error.unknown_roles"},
        {"[\"user/staff\"]", "bondy.error.unknown_roles"},
        {"[\"group/mona\"]", "bondy.error.unknown_roles"},
        {"[\"mona\",\"all\"]", "bondy.error.invalid_value"},
        {"\"mona\"", "bondy.error.invalid_value"},
        {"7", "bondy.error.invalid_datatype"},
        {"[\"a b\"]", "bondy.error.invalid_value"},
    };

    make_realm(f);
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        char request[300];
        const char *code;

        snprintf(request, sizeof request,
                 "{\"roles\":%s,\"permissions\":[\"wamp.call\"],"
                 "\"uri\":\"a\"}",
                 cases[i].roles);
        code = grant(f, request);
        if (strcmp(code, cases[i].code) != 0)
            fail_msg("%s: '%s'", request, code);
        code = take(f, request);
        if (strcmp(code, cases[i].code) != 0)
            fail_msg("revoke %s: '%s'", request, code);
    }
    grant(f, "{\"roles\":[\"ghost\",\"mona\",\"elf\"],\"permissions\":[\"p\"],\"uri\":\"a\"}");
    assert_text(fixture_text(json_object_get(f->problem, "details")),
                "{\"names\":[\"ghost\",\"elf\"]}");
}

static void bad_requests_are_refused_by_their_own_code(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *request, *code;
    } cases[] = {
        {"{}", "bondy.error.invalid_data"},
        {"{\"roles\":\"all\",\"permissions\":[\"p\"]}", "bondy.error.missing_required_value"},
        {"{\"roles\":\"all\",\"permissions\":\"p\",\"uri\":\"a\"}", "bondy.error.invalid_datatype"},
        {"{\"roles\":\"all\",\"permissions\":[\"p q\"],\"uri\":\"a\"}",
         "bondy.error.invalid_value"},
        {"{\"roles\":\"all\",\"permissions\":[\"p\"],\"uri\":\"a\",\"resources\":[]}",
         "wamp.error.invalid_argument"},
        {"{\"roles\":\"all\",\"permissions\":[\"p\"],\"resources\":[{}]}",
         "bondy.error.missing_required_value"},
        {"{\"roles\":\"all\",\"permissions\":[\"p\"],\"resources\":[{\"uri\":\"a\",\"m\":1}]}",
         "bondy.error.invalid_data"},
        {"{\"role\":\"all\",\"roles\":\"all\",\"permissions\":[\"p\"],\"uri\":\"a\"}",
         "bondy.error.invalid_data"},
    };

    make_realm(f);
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        const char *code = grant(f, cases[i].request);

        if (strcmp(code, cases[i].code) != 0)
            fail_msg("%s: '%s'", cases[i].request, code);
    }
    grant(f, "{\"roles\":\"all\",\"permissions\":[\"p\"],\"resources\":[{\"uri\":\"a\"},{}]}");
    assert_slice_is(bondy_json_text(f->problem, "pointer"), "/resources/1");
}

static void a_role_has_a_limited_number_of_grants(void **state)
{
    struct fixture *f = *state;

    make_realm(f);
    f->rules.max_grants = 2;
    assert_string_equal(grant(f, "{\"roles\":[\"mona\"],\"permissions\":[\"p\"],"
                                 "\"resources\":[{\"uri\":\"a\"},{\"uri\":\"b\"}]}"),
                        "");
    assert_string_equal(grant(f, "{\"roles\":[\"mona\"],\"permissions\":[\"p\"],\"uri\":\"c\"}"),
                        "bondy.error.property_range_limit");
    assert_string_equal(grant(f, "{\"roles\":[\"mona\"],\"permissions\":[\"q\"],\"uri\":\"a\"}"),
                        "");
    assert_string_equal(grant(f, "{\"roles\":[\"staff\"],\"permissions\":[\"p\"],\"uri\":\"c\"}"),
                        "");
}

static void what_is_listed_can_be_sent_back(void **state)
{
    struct fixture *f = *state;
    static const char *const requests[] = {
        "{\"roles\":\"all\",\"permissions\":[\"p\"],\"uri\":\"any\"}",
        "{\"roles\":[\"user/both\"],\"permissions\":[\"p\"],\"uri\":\"\"}",
        "{\"roles\":[\"mona\"],\"permissions\":[\"p\",\"q\"],\"uri\":\"a..b\"}"};

    make_realm(f);
    for (size_t i = 0; i < BONDY_COUNT(requests); i++) {
        char *text;

        assert_string_equal(grant(f, requests[i]), "");
        text = json_dumps(json_array_get(f->result, 0), 0);
        assert_string_equal(grant(f, text), "");
        assert_int_equal(f->writes, 0);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(both_forms_of_a_request_mean_the_same),
        TEST(the_match_that_was_not_given_follows_from_the_uri),
        TEST(permissions_are_added_and_taken_one_by_one),
        TEST(roles_are_known_and_clear),
        TEST(bad_requests_are_refused_by_their_own_code),
        TEST(a_role_has_a_limited_number_of_grants),
        TEST(what_is_listed_can_be_sent_back),
    };

    return fixture_run(tests, BONDY_COUNT(tests));
}
