/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/security/fixture.h"

#include <stdio.h>
#include <string.h>

#define R "org.acme"

static void make_realm(struct fixture *f)
{
    assert_string_equal(fixture_do(f, CREATE_REALM, NULL, NULL,
                                   "{\"uri\":\"org.base\",\"is_prototype\":true,"
                                   "\"groups\":[{\"name\":\"staff\"}]}"),
                        "");
    assert_string_equal(fixture_do(f, CREATE_REALM, NULL, NULL,
                                   "{\"uri\":\"" R "\",\"prototype_uri\":\"org.base\"}"),
                        "");
}

static const char *add(struct fixture *f, const char *input)
{
    return fixture_do(f, ADD_GROUP, R, NULL, input);
}

static void an_added_group_is_shown_with_its_parents(void **state)
{
    struct fixture *f = *state;

    make_realm(f);
    assert_string_equal(add(f, "{\"name\":\"Admins\"}"), "");
    assert_string_equal(
        add(f, "{\"name\":\"cashiers\",\"groups\":[\"staff\",\"ADMINS\",\"all\",\"anonymous\"],"
               "\"meta\":{\"a\":1}}"),
        "");
    assert_text(fixture_group(f, R, "CASHIERS"),
                "{\"groups\":[\"admins\",\"staff\"],\"meta\":{\"a\":1},\"name\":\"cashiers\"}");
    assert_null(fixture_group(f, R, "staff")); /* the prototype's */
    assert_true(bondy_group_is_known(fixture_view(f), fixture_realm(f, R), BONDY_SLICE("Staff")));
    assert_text(fixture_group(f, R, "anonymous"),
                "{\"groups\":[],\"meta\":{},\"name\":\"anonymous\"}");
    assert_null(fixture_group(f, R, "all"));
}

static void bad_input_is_refused_by_its_own_code(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *input, *code;
    } cases[] = {
        {"7", "bondy.error.invalid_datatype"},
        {"{}", "bondy.error.missing_required_value"},
        {"{\"name\":\"\"}", "bondy.error.invalid_value"},
        {"{\"name\":\"a b\"}", "bondy.error.invalid_value"},
        {"{\"name\":\"All\"}", "bondy.error.reserved_name"},
        {"{\"name\":\"x\",\"groups\":[\"ghosts\"]}", "bondy.error.no_such_groups"},
        {"{\"name\":\"x\",\"groups\":[7]}", "bondy.error.invalid_datatype"},
        {"{\"name\":\"x\",\"group\":[]}", "bondy.error.invalid_data"},
        {"{\"name\":\"x\",\"meta\":7}", "bondy.error.invalid_datatype"},
        {"{\"name\":\"taken\"}", "bondy.error.already_exists"},
    };

    make_realm(f);
    add(f, "{\"name\":\"taken\"}");
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        const char *code = add(f, cases[i].input);

        if (strcmp(code, cases[i].code) != 0)
            fail_msg("%s: '%s'", cases[i].input, code);
    }
    assert_string_equal(add(f, "{\"name\":\"x\",\"groups\":[\"ghosts\",\"staff\",\"elves\"]}"),
                        "bondy.error.no_such_groups");
    assert_text(fixture_text(json_object_get(f->problem, "details")),
                "{\"names\":[\"ghosts\",\"elves\"]}");
}

static void an_update_replaces_what_it_names(void **state)
{
    struct fixture *f = *state;

    make_realm(f);
    add(f, "{\"name\":\"a\",\"groups\":[\"staff\"],\"meta\":{\"x\":1}}");
    assert_string_equal(fixture_do(f, UPDATE_GROUP, R, "A", "{\"meta\":{\"y\":2}}"), "");
    assert_text(fixture_group(f, R, "a"),
                "{\"groups\":[\"staff\"],\"meta\":{\"y\":2},\"name\":\"a\"}");
    assert_string_equal(fixture_do(f, UPDATE_GROUP, R, "a", "{\"groups\":[],\"name\":\"b\"}"), "");
    assert_text(fixture_group(f, R, "a"), "{\"groups\":[],\"meta\":{\"y\":2},\"name\":\"a\"}");
    assert_string_equal(fixture_do(f, UPDATE_GROUP, R, "ghost", "{}"), "bondy.error.unknown_group");
    assert_string_equal(fixture_do(f, UPDATE_GROUP, R, "anonymous", "{}"),
                        "bondy.error.reserved_name");
    assert_string_equal(fixture_do(f, ADD_GROUP_GROUPS, R, "a", "[\"staff\"]"), "");
    assert_string_equal(fixture_do(f, ADD_GROUP_GROUPS, R, "a", "[\"ghosts\"]"),
                        "bondy.error.no_such_groups");
    assert_string_equal(fixture_do(f, REMOVE_GROUP_GROUPS, R, "a", "[\"STAFF\"]"), "");
    assert_int_equal(f->effects, BONDY_EDIT_GROUPS | BONDY_EDIT_UPDATED);
    assert_text(fixture_group(f, R, "a"), "{\"groups\":[],\"meta\":{\"y\":2},\"name\":\"a\"}");
}

static void no_group_becomes_a_member_of_itself(void **state)
{
    struct fixture *f = *state;

    make_realm(f);
    add(f, "{\"name\":\"a\"}");
    add(f, "{\"name\":\"b\",\"groups\":[\"a\"]}");
    add(f, "{\"name\":\"c\",\"groups\":[\"b\"]}");
    assert_string_equal(fixture_do(f, UPDATE_GROUP, R, "a", "{\"groups\":[\"c\"]}"),
                        "bondy.error.group_cycle");
    assert_text(fixture_text(json_object_get(f->problem, "details")),
                "{\"path\":[\"a\",\"c\",\"b\",\"a\"]}");
    assert_string_equal(fixture_do(f, ADD_GROUP_GROUPS, R, "a", "[\"a\"]"),
                        "bondy.error.group_cycle");
    f->rules.group_depth = 3;
    assert_string_equal(add(f, "{\"name\":\"d\",\"groups\":[\"c\"]}"),
                        "bondy.error.property_range_limit");
    assert_string_equal(add(f, "{\"name\":\"d\",\"groups\":[\"b\"]}"), "");
}

static void a_deleted_group_is_gone_from_users_groups_and_grants(void **state)
{
    struct fixture *f = *state;

    make_realm(f);
    add(f, "{\"name\":\"a\",\"groups\":[\"staff\"]}");
    add(f, "{\"name\":\"b\",\"groups\":[\"a\"]}");
    fixture_do(f, ADD_USER, R, NULL, "{\"username\":\"mona\",\"groups\":[\"a\",\"b\"]}");
    fixture_do(f, GRANT, R, NULL,
               "{\"roles\":[\"a\",\"b\"],\"permissions\":[\"wamp.call\"],\"uri\":\"x.y\"}");
    assert_string_equal(fixture_do(f, DELETE_GROUP, R, "staff", NULL), "bondy.error.unknown_group");
    assert_string_equal(fixture_do(f, DELETE_GROUP, R, "all", NULL), "bondy.error.reserved_name");
    assert_string_equal(fixture_do(f, DELETE_GROUP, R, "A", NULL), "");
    assert_null(fixture_group(f, R, "a"));
    assert_text(fixture_group(f, R, "b"), "{\"groups\":[],\"meta\":{},\"name\":\"b\"}");
    assert_text(fixture_grants(f, R),
                "[{\"permissions\":[\"wamp.call\"],\"resource\":{\"match\":\"exact\","
                "\"uri\":\"x.y\"},\"roles\":[\"group/b\"]}]");
    assert_text(fixture_user(f, R, "mona"),
                "{\"authorized_keys\":[],\"enabled\":true,\"groups\":[\"b\"],"
                "\"has_authorized_keys\":false,\"has_password\":false,\"meta\":{},"
                "\"sso_realm_uri\":null,\"username\":\"mona\"}");
    assert_string_equal(add(f, "{\"name\":\"a\"}"), "");
    assert_text(fixture_group(f, R, "a"), "{\"groups\":[],\"meta\":{},\"name\":\"a\"}");
}

/* The names of both do not fit into one key, which then ends with a hash. */
static void a_deleted_group_with_a_long_name_leaves_its_members_too(void **state)
{
    struct fixture *f = *state;
    char user[255], group[255], other[255], text[1200];
    char *shown;

    memset(user, 'u', 254);
    memset(group, 'g', 254);
    memset(other, 'g', 254);
    other[0] = 'h';
    user[254] = group[254] = other[254] = '\0';
    make_realm(f);
    snprintf(text, sizeof text, "{\"name\":\"%s\"}", group);
    assert_string_equal(add(f, text), "");
    snprintf(text, sizeof text, "{\"name\":\"%s\"}", other);
    assert_string_equal(add(f, text), "");
    snprintf(text, sizeof text, "{\"username\":\"%s\",\"groups\":[\"%s\",\"%s\"]}", user, group,
             other);
    assert_string_equal(fixture_do(f, ADD_USER, R, NULL, text), "");
    assert_string_equal(fixture_do(f, DELETE_GROUP, R, group, NULL), "");
    shown = fixture_user(f, R, user);
    assert_null(strstr(shown, group));
    assert_non_null(strstr(shown, other));
    free(shown);
}

static int note_name(void *context, const struct bondy_group *group)
{
    bondy_buf_append_text(context, group->name);
    bondy_buf_append_byte(context, ' ');
    return 0;
}

static char *list(struct fixture *f, size_t limit, struct bondy_name *at, const char *q)
{
    const struct bondy_list_options options = {limit, bondy_name_slice(at), bondy_slice_text(q)};
    struct bondy_buf text = BONDY_BUF_EMPTY;
    struct bondy_name next;

    bondy_group_list(fixture_view(f), fixture_realm(f, R), &options, note_name, &text, &next);
    *at = next;
    bondy_buf_append_byte(&text, 0);
    return bondy_buf_take_text(&text);
}

static void the_list_has_anonymous_where_it_belongs(void **state)
{
    struct fixture *f = *state;
    struct bondy_name at = {.len = 0};

    make_realm(f);
    assert_text(list(f, 0, &at, ""), "anonymous ");
    add(f, "{\"name\":\"aaa\"}");
    add(f, "{\"name\":\"bbb\"}");
    assert_text(list(f, 0, &at, ""), "aaa anonymous bbb ");
    assert_text(list(f, 1, &at, ""), "aaa ");
    assert_text(list(f, 1, &at, ""), "anonymous ");
    assert_text(list(f, 1, &at, ""), "bbb ");
    assert_int_equal(at.len, 0);
    assert_text(list(f, 0, &at, "an"), "anonymous ");
    assert_text(list(f, 0, &at, "b"), "bbb ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_added_group_is_shown_with_its_parents),
        TEST(bad_input_is_refused_by_its_own_code),
        TEST(an_update_replaces_what_it_names),
        TEST(no_group_becomes_a_member_of_itself),
        TEST(a_deleted_group_is_gone_from_users_groups_and_grants),
        TEST(a_deleted_group_with_a_long_name_leaves_its_members_too),
        TEST(the_list_has_anonymous_where_it_belongs),
    };

    return fixture_run(tests, BONDY_COUNT(tests));
}
