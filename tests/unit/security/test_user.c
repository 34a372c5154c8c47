/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/security/fixture.h"

#include <stdio.h>
#include <string.h>

#define R "org.acme"
#define KEY1 "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
#define KEY2 "79b5562e8fe654f94078b112e8a98ba7901f853ae695bed7e0e3910bad049664"

static void make_realm(struct fixture *f)
{
    assert_string_equal(fixture_do(f, CREATE_REALM, NULL, NULL,
                                   "{\"uri\":\"" R
                                   "\",\"authmethods\":[\"wampcra\",\"cryptosign\"],"
                                   "\"groups\":[{\"name\":\"staff\"},{\"name\":\"cashiers\"}]}"),
                        "");
}

static const char *add(struct fixture *f, const char *input)
{
    return fixture_do(f, ADD_USER, R, NULL, input);
}

static bool password_is(struct fixture *f, const char *realm, const char *name,
                        const char *password)
{
    struct bondy_user user;
    bool fits;

    assert_true(bondy_user_resolve(fixture_view(f), fixture_realm(f, realm), bondy_slice_text(name),
                                   &user));
    fits = bondy_user_password_fits(user.passwords, bondy_slice_text(password));
    bondy_user_fini(&user);
    return fits;
}

static void an_added_user_shows_everything_but_the_password(void **state)
{
    struct fixture *f = *state;

    make_realm(f);
    assert_string_equal(add(f, "{\"username\":\"Mona\",\"password\":\"kettle-46-rope\","
                               "\"groups\":[\"STAFF\",\"all\",\"cashiers\"],"
                               "\"authorized_keys\":[\"" KEY1 "\"],\"meta\":{\"till\":4}}"),
                        "");
    assert_int_equal(f->effects & BONDY_EDIT_CREATED, BONDY_EDIT_CREATED);
    assert_text(fixture_user(f, R, "MONA"),
                "{\"authorized_keys\":["
                "\"03A107BFF3CE10BE1D70DD18E74BC09967E4D6309BA50D5F1DDC8664125531B8\"],"
                "\"enabled\":true,\"groups\":[\"cashiers\",\"staff\"],\"has_authorized_keys\":true,"
                "\"has_password\":true,\"meta\":{\"till\":4},\"sso_realm_uri\":null,\"username\":"
                "\"mona\"}");
    assert_true(password_is(f, R, "mona", "kettle-46-rope"));
    assert_false(password_is(f, R, "mona", "kettle-46-ropf"));
    fixture_restart(f);
    assert_true(password_is(f, R, "mona", "kettle-46-rope"));
}

static void bad_input_is_refused_by_its_own_code(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *input, *code;
    } cases[] = {
        {"[]", "bondy.error.invalid_datatype"},
        {"{}", "bondy.error.missing_required_value"},
        {"{\"username\":7}", "bondy.error.invalid_datatype"},
        {"{\"username\":\"ab\"}", "bondy.error.invalid_value"},
        {"{\"username\":\"a b c\"}", "bondy.error.invalid_value"},
        {"{\"username\":\"All\"}", "bondy.error.reserved_name"},
        {"{\"username\":\"anonymous\"}", "bondy.error.reserved_name"},
        {"{\"username\":\"zed\",\"passwort\":\"x\"}", "bondy.error.invalid_data"},
        {"{\"username\":\"zed\",\"password\":\"short\"}", "bondy.error.invalid_value"},
        {"{\"username\":\"zed\",\"password\":7}", NULL},
        {"{\"username\":\"zed\",\"password\":{\"protocol\":\"cra\"}}", NULL},
        {"{\"username\":\"zed\",\"groups\":\"staff\"}", "bondy.error.invalid_datatype"},
        {"{\"username\":\"zed\",\"groups\":[\"ghosts\"]}", "bondy.error.no_such_groups"},
        {"{\"username\":\"zed\",\"authorized_keys\":[\"abc\"]}", "bondy.error.invalid_value"},
        {"{\"username\":\"zed\",\"enabled\":\"yes\"}", "bondy.error.invalid_datatype"},
        {"{\"username\":\"zed\",\"enabled\":1,\"meta\":[]}", "bondy.error.invalid_data"},
        {"{\"username\":\"zed\",\"sso_realm_uri\":\"org.idp\"}", "bondy.error.invalid_sso_realm"},
        {"{\"username\":\"zed\",\"password_opts\":{\"protocol\":\"md5\"}}", NULL},
    };

    make_realm(f);
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        const char *code = add(f, cases[i].input);

        if (cases[i].code == NULL ? code[0] == '\0' : strcmp(code, cases[i].code) != 0)
            fail_msg("%s: '%s'", cases[i].input, code);
    }
    assert_null(fixture_user(f, R, "zed"));
    assert_string_equal(fixture_do(f, ADD_USER, "no.such", NULL, "{\"username\":\"zed\"}"),
                        "wamp.error.no_such_realm");
}

static void a_password_is_in_no_error(void **state)
{
    struct fixture *f = *state;
    char *text;

    make_realm(f);
    add(f, "{\"username\":\"zed\",\"password\":\"sh0rt!\"}");
    text = json_dumps(f->problem, 0);
    assert_null(strstr(text, "sh0rt!"));
    assert_non_null(strstr(text, "/password"));
    free(text);
    add(f, "{\"username\":\"zed\",\"password\":[\"sh0rt!\"]}");
    text = json_dumps(f->problem, 0);
    assert_null(strstr(text, "sh0rt!"));
    free(text);
}

static void names_are_unique_among_users_and_aliases(void **state)
{
    struct fixture *f = *state;

    make_realm(f);
    assert_string_equal(add(f, "{\"username\":\"mona\"}"), "");
    assert_string_equal(add(f, "{\"username\":\"MONA\"}"), "bondy.error.already_exists");
    assert_string_equal(fixture_do(f, ADD_ALIAS, R, "mona", "Mona@acme.example"), "");
    assert_string_equal(add(f, "{\"username\":\"mona@acme.example\"}"),
                        "bondy.error.already_exists");
    assert_string_equal(add(f, "{\"username\":\"lisa\"}"), "");
    assert_string_equal(fixture_do(f, ADD_ALIAS, R, "lisa", "mona"), "bondy.error.already_exists");
    assert_string_equal(fixture_do(f, ADD_ALIAS, R, "lisa", "mona@acme.example"),
                        "bondy.error.already_exists");
    /* Found by alias, under the canonical name. */
    assert_text(fixture_user(f, R, "mona@ACME.example"),
                "{\"aliases\":[\"mona@acme.example\"],\"authorized_keys\":[],\"enabled\":true,"
                "\"groups\":[],\"has_authorized_keys\":false,\"has_password\":false,\"meta\":{},"
                "\"sso_realm_uri\":null,\"username\":\"mona\"}");
}

static void a_user_has_five_aliases_and_only_its_own_can_be_removed(void **state)
{
    struct fixture *f = *state;
    char alias[16];

    make_realm(f);
    add(f, "{\"username\":\"mona\"}");
    add(f, "{\"username\":\"lisa\"}");
    for (int i = 0; i < 5; i++) {
        snprintf(alias, sizeof alias, "mona-%d", i);
        assert_string_equal(fixture_do(f, ADD_ALIAS, R, "mona", alias), "");
    }
    assert_string_equal(fixture_do(f, ADD_ALIAS, R, "mona", "mona-5"),
                        "bondy.error.property_range_limit");
    assert_slice_is(bondy_json_text(f->problem, "key"), "alias");
    assert_int_equal(json_integer_value(json_object_get(f->problem, "limit")), 5);
    assert_string_equal(fixture_do(f, ADD_ALIAS, R, "mona", "mona-4"), ""); /* has it already */
    assert_string_equal(fixture_do(f, ADD_ALIAS, R, "mona", "x"), "bondy.error.invalid_value");
    assert_string_equal(fixture_do(f, ADD_ALIAS, R, "ghost", "mona-9"),
                        "wamp.error.no_such_principal");
    assert_string_equal(fixture_do(f, ADD_ALIAS, R, "anonymous", "mona-9"),
                        "bondy.error.not_allowed");
    assert_string_equal(fixture_do(f, REMOVE_ALIAS, R, "lisa", "mona-4"),
                        "bondy.error.invalid_value");
    assert_string_equal(fixture_do(f, REMOVE_ALIAS, R, "lisa", "mona"),
                        "bondy.error.invalid_value");
    assert_string_equal(fixture_do(f, REMOVE_ALIAS, R, "mona", "mona-4"), "");
    assert_null(fixture_user(f, R, "mona-4"));
    assert_string_equal(fixture_do(f, ADD_ALIAS, R, "lisa", "mona-4"), "");
}

static void an_update_changes_only_what_it_names(void **state)
{
    struct fixture *f = *state;

    make_realm(f);
    add(f, "{\"username\":\"mona\",\"password\":\"kettle-46-rope\",\"groups\":[\"staff\"],"
           "\"meta\":{\"a\":1}}");
    assert_string_equal(fixture_do(f, UPDATE_USER, R, "mona", "{\"meta\":{\"b\":2}}"), "");
    assert_int_equal(f->effects, BONDY_EDIT_UPDATED);
    assert_text(fixture_user(f, R, "mona"),
                "{\"authorized_keys\":[],\"enabled\":true,\"groups\":[\"staff\"],"
                "\"has_authorized_keys\":false,\"has_password\":true,\"meta\":{\"b\":2},"
                "\"sso_realm_uri\":null,\"username\":\"mona\"}");
    assert_string_equal(
        fixture_do(f, UPDATE_USER, R, "mona",
                   "{\"username\":\"ignored\",\"password\":\"other-46-rope\",\"groups\":null,"
                   "\"meta\":null,\"enabled\":false,\"authorized_keys\":[\"" KEY2 "\"]}"),
        "");
    assert_int_equal(f->effects, BONDY_EDIT_UPDATED | BONDY_EDIT_CREDENTIALS | BONDY_EDIT_DISABLED |
                                     BONDY_EDIT_GROUPS);
    assert_true(password_is(f, R, "mona", "other-46-rope"));
    assert_text(fixture_user(f, R, "mona"),
                "{\"authorized_keys\":["
                "\"79B5562E8FE654F94078B112E8A98BA7901F853AE695BED7E0E3910BAD049664\"],"
                "\"enabled\":false,\"groups\":[],\"has_authorized_keys\":true,"
                "\"has_password\":true,\"meta\":{},\"sso_realm_uri\":null,\"username\":\"mona\"}");
    assert_string_equal(fixture_do(f, UPDATE_USER, R, "ghost", "{}"),
                        "wamp.error.no_such_principal");
    assert_string_equal(fixture_do(f, UPDATE_USER, R, "anonymous", "{}"),
                        "bondy.error.not_allowed");
}

static void what_was_read_can_be_sent_back_and_changes_nothing(void **state)
{
    struct fixture *f = *state;
    char *text;

    make_realm(f);
    add(f, "{\"username\":\"mona\",\"password\":\"kettle-46-rope\",\"groups\":[\"staff\"],"
           "\"aliases\":[\"mona-2\"],\"authorized_keys\":[\"" KEY1 "\"],\"enabled\":false}");
    text = json_dumps(f->result, 0);
    assert_string_equal(fixture_do(f, UPDATE_USER, R, "mona", text), "");
    assert_int_equal(f->writes, 0);
    assert_int_equal(f->effects, 0);
    free(text);
}

static void a_condition_is_compared_with_all_of_the_user(void **state)
{
    struct fixture *f = *state;
    uint8_t version[BONDY_VERSION_LEN];
    struct bondy_user user;

    make_realm(f);
    add(f, "{\"username\":\"mona\"}");
    bondy_user_find(fixture_view(f), fixture_realm(f, R), BONDY_SLICE("mona"), &user);
    memcpy(version, user.version, sizeof version);
    bondy_user_fini(&user);
    f->expected = version;
    assert_string_equal(fixture_do(f, ADD_USER_GROUPS, R, "mona", "[\"staff\"]"), "");
    /* An element changed: the version is another one. */
    f->expected = version;
    assert_string_equal(fixture_do(f, UPDATE_USER, R, "mona", "{\"meta\":{}}"),
                        "bondy.error.precondition_failed");
    bondy_user_find(fixture_view(f), fixture_realm(f, R), BONDY_SLICE("mona"), &user);
    memcpy(version, user.version, sizeof version);
    bondy_user_fini(&user);
    /* So does a deleted one. */
    fixture_do(f, REMOVE_USER_GROUPS, R, "mona", "[\"staff\"]");
    f->expected = version;
    assert_string_equal(fixture_do(f, DELETE_USER, R, "mona", NULL),
                        "bondy.error.precondition_failed");
}

static void a_dry_run_shows_the_result_and_keeps_nothing(void **state)
{
    struct fixture *f = *state;
    unsigned changes;

    make_realm(f);
    changes = f->changes;
    f->is_dry_run = true;
    assert_string_equal(add(f, "{\"username\":\"mona\",\"groups\":[\"staff\"]}"), "");
    assert_int_equal(f->rc, BONDY_EDIT_TAKEN_BACK);
    assert_slice_is(bondy_json_text(f->result, "username"), "mona");
    assert_null(fixture_user(f, R, "mona"));
    assert_int_equal(f->changes, changes);
    f->is_dry_run = true;
    assert_string_equal(add(f, "{\"username\":\"mona\",\"groups\":[\"ghosts\"]}"),
                        "bondy.error.no_such_groups");
}

static void groups_and_switch_have_their_own_procedures(void **state)
{
    struct fixture *f = *state;

    make_realm(f);
    add(f, "{\"username\":\"mona\",\"groups\":[\"staff\"]}");
    assert_string_equal(fixture_do(f, ADD_USER_GROUPS, R, "mona", "[\"Cashiers\",\"staff\"]"), "");
    assert_string_equal(fixture_do(f, ADD_USER_GROUPS, R, "mona", "[\"ghosts\"]"),
                        "bondy.error.no_such_groups");
    assert_string_equal(fixture_do(f, REMOVE_USER_GROUPS, R, "mona", "[\"STAFF\",\"ghosts\"]"), "");
    assert_string_equal(fixture_do(f, DISABLE_USER, R, "mona", NULL), "");
    assert_int_equal(f->effects, BONDY_EDIT_DISABLED);
    assert_string_equal(fixture_do(f, DISABLE_USER, R, "mona", NULL), "");
    assert_int_equal(f->effects, 0);
    assert_text(fixture_user(f, R, "mona"),
                "{\"authorized_keys\":[],\"enabled\":false,\"groups\":[\"cashiers\"],"
                "\"has_authorized_keys\":false,\"has_password\":false,\"meta\":{},"
                "\"sso_realm_uri\":null,\"username\":\"mona\"}");
    assert_string_equal(fixture_do(f, ENABLE_USER, R, "mona", NULL), "");
    assert_int_equal(f->effects, BONDY_EDIT_ENABLED);
    assert_string_equal(fixture_do(f, ENABLE_USER, R, "ghost", NULL),
                        "wamp.error.no_such_principal");
}

static bool holder_is(struct fixture *f, const char *realm, const char *hex, const char *name)
{
    struct bondy_user user;
    bool is_it;

    if (!bondy_user_find_by_key(fixture_view(f), fixture_realm(f, realm), bondy_slice_text(hex),
                                &user))
        return name == NULL;
    is_it = name != NULL && strcmp(user.username, name) == 0;
    bondy_user_fini(&user);
    return is_it;
}

static void a_user_is_found_by_its_key(void **state)
{
    struct fixture *f = *state;

    make_realm(f);
    add(f, "{\"username\":\"mona\",\"authorized_keys\":[\"" KEY1 "\"]}");
    assert_true(holder_is(f, R, KEY1, "mona"));
    assert_true(holder_is(f, R, KEY2, NULL));
    assert_true(holder_is(f, R, "abc", NULL));
    assert_string_equal(fixture_do(f, ADD_KEY, R, "mona", KEY2), "");
    assert_true(holder_is(f, R, KEY2, "mona"));
    assert_string_equal(fixture_do(f, REMOVE_KEY, R, "mona", KEY1), "");
    assert_int_equal(f->effects, BONDY_EDIT_CREDENTIALS | BONDY_EDIT_UPDATED);
    assert_true(holder_is(f, R, KEY1, NULL));
    assert_string_equal(fixture_do(f, ADD_KEY, R, "mona", "abc"), "bondy.error.invalid_value");
    assert_string_equal(fixture_do(f, DELETE_USER, R, "mona", NULL), "");
    assert_true(holder_is(f, R, KEY2, NULL));
}

static void the_limits_of_a_user_are_kept(void **state)
{
    struct fixture *f = *state;

    make_realm(f);
    f->rules.max_keys = 1;
    f->rules.max_groups = 1;
    f->rules.meta_max = 10;
    assert_string_equal(add(f, "{\"username\":\"mona\",\"groups\":[\"staff\",\"cashiers\"]}"),
                        "bondy.error.property_range_limit");
    assert_string_equal(
        add(f, "{\"username\":\"mona\",\"authorized_keys\":[\"" KEY1 "\",\"" KEY2 "\"]}"),
        "bondy.error.property_range_limit");
    assert_string_equal(add(f, "{\"username\":\"mona\",\"meta\":{\"a\":\"12345678\"}}"),
                        "bondy.error.invalid_value");
    assert_string_equal(add(f, "{\"username\":\"mona\",\"groups\":[\"staff\"],"
                               "\"authorized_keys\":[\"" KEY1 "\"]}"),
                        "");
    assert_string_equal(fixture_do(f, ADD_KEY, R, "mona", KEY2),
                        "bondy.error.property_range_limit");
    assert_string_equal(fixture_do(f, ADD_USER_GROUPS, R, "mona", "[\"cashiers\"]"),
                        "bondy.error.property_range_limit");
}

static void a_deleted_user_leaves_nothing_behind(void **state)
{
    struct fixture *f = *state;
    struct bondy_user user;

    make_realm(f);
    add(f, "{\"username\":\"mona\",\"password\":\"kettle-46-rope\",\"groups\":[\"staff\"],"
           "\"authorized_keys\":[\"" KEY1 "\"],\"aliases\":[\"mona-2\"],\"enabled\":false}");
    fixture_do(f, ADD_SOURCE, R, NULL, "{\"usernames\":[\"mona\"],\"authmethod\":\"wampcra\"}");
    fixture_do(f, GRANT, R, NULL,
               "{\"roles\":[\"mona\"],\"permissions\":[\"wamp.call\"],\"uri\":\"a.b\"}");
    assert_string_equal(fixture_do(f, DELETE_USER, R, "all", NULL), "bondy.error.reserved_name");
    assert_string_equal(fixture_do(f, DELETE_USER, R, "ghost", NULL),
                        "wamp.error.no_such_principal");
    assert_string_equal(fixture_do(f, DELETE_USER, R, "MONA", NULL), "");
    assert_int_equal(f->effects, BONDY_EDIT_DELETED);
    assert_null(fixture_user(f, R, "mona"));
    assert_null(fixture_user(f, R, "mona-2"));
    assert_text(fixture_sources(f, R), "[]");
    assert_text(fixture_grants(f, R), "[]");
    /* Made again it is another one. */
    assert_string_equal(add(f, "{\"username\":\"mona\"}"), "");
    assert_text(fixture_user(f, R, "mona"),
                "{\"authorized_keys\":[],\"enabled\":true,\"groups\":[],"
                "\"has_authorized_keys\":false,\"has_password\":false,\"meta\":{},"
                "\"sso_realm_uri\":null,\"username\":\"mona\"}");
    assert_true(bondy_user_find(fixture_view(f), fixture_realm(f, R), BONDY_SLICE("mona"), &user));
    assert_int_equal(user.ugen, 1);
    bondy_user_fini(&user);
}

/* The realm of an SSO pair: users of both shops, credentials in org.idp. */
static void make_sso(struct fixture *f)
{
    assert_string_equal(
        fixture_do(f, CREATE_REALM, NULL, NULL,
                   "{\"uri\":\"org.idp\",\"is_sso_realm\":true,\"allow_connections\":false,"
                   "\"authmethods\":[]}"),
        "");
    fixture_do(
        f, CREATE_REALM, NULL, NULL,
        "{\"uri\":\"org.one\",\"sso_realm_uri\":\"org.idp\",\"groups\":[{\"name\":\"g1\"}]}");
    fixture_do(f, CREATE_REALM, NULL, NULL, "{\"uri\":\"org.two\",\"sso_realm_uri\":\"org.idp\"}");
    assert_string_equal(fixture_do(f, ADD_USER, "org.one", NULL,
                                   "{\"username\":\"mona\",\"sso_realm_uri\":\"org.idp\","
                                   "\"password\":\"kettle-46-rope\",\"groups\":[\"g1\"],"
                                   "\"meta\":{\"till\":4},\"authorized_keys\":[\"" KEY1 "\"]}"),
                        "");
}

static void an_sso_user_has_its_credentials_in_the_sso_realm(void **state)
{
    struct fixture *f = *state;
    struct bondy_user user;

    make_sso(f);
    assert_text(fixture_user(f, "org.one", "mona"),
                "{\"authorized_keys\":[],\"enabled\":true,\"groups\":[\"g1\"],"
                "\"has_authorized_keys\":false,\"has_password\":false,\"meta\":{\"till\":4},"
                "\"sso_realm_uri\":\"org.idp\",\"username\":\"mona\"}");
    assert_text(fixture_user(f, "org.idp", "mona"),
                "{\"authorized_keys\":["
                "\"03A107BFF3CE10BE1D70DD18E74BC09967E4D6309BA50D5F1DDC8664125531B8\"],"
                "\"enabled\":true,\"groups\":[],\"has_authorized_keys\":true,"
                "\"has_password\":true,\"meta\":{},\"sso_realm_uri\":null,\"username\":\"mona\"}");
    assert_string_equal(fixture_do(f, UPDATE_USER, "org.idp", "mona", "{\"meta\":{\"badge\":1}}"),
                        "");
    assert_true(bondy_user_resolve(fixture_view(f), fixture_realm(f, "org.one"),
                                   BONDY_SLICE("mona"), &user));
    assert_string_equal(user.authrealm, "org.idp");
    assert_text(fixture_text(user.meta), "{\"sso\":{\"badge\":1},\"till\":4}");
    assert_text(fixture_text(user.groups), "[\"g1\"]");
    bondy_user_fini(&user);
    assert_true(holder_is(f, "org.one", KEY1, "mona"));
    assert_true(holder_is(f, "org.two", KEY1, NULL)); /* no record there */
    assert_string_equal(fixture_do(f, ADD_USER, "org.one", NULL,
                                   "{\"username\":\"zed\",\"sso_realm_uri\":\"org.two\"}"),
                        "bondy.error.invalid_sso_realm");
}

static void a_second_link_ignores_credentials_and_a_change_reaches_both(void **state)
{
    struct fixture *f = *state;

    make_sso(f);
    assert_string_equal(fixture_do(f, ADD_USER, "org.two", NULL,
                                   "{\"username\":\"mona\",\"sso_realm_uri\":\"org.idp\","
                                   "\"password\":\"ignored-46-rope\"}"),
                        "");
    assert_true(password_is(f, "org.two", "mona", "kettle-46-rope"));
    assert_string_equal(fixture_do(f, SET_PASSWORD, "org.two", "mona", "changed-46-rope"), "");
    assert_int_equal(f->effects & BONDY_EDIT_CREDENTIALS, BONDY_EDIT_CREDENTIALS);
    assert_true(password_is(f, "org.one", "mona", "changed-46-rope"));
    assert_false(password_is(f, "org.one", "mona", "kettle-46-rope"));
}

static void an_sso_user_is_enabled_when_both_records_are(void **state)
{
    struct fixture *f = *state;
    struct bondy_user user;

    make_sso(f);
    fixture_do(f, DISABLE_USER, "org.idp", "mona", NULL);
    assert_true(bondy_user_resolve(fixture_view(f), fixture_realm(f, "org.one"),
                                   BONDY_SLICE("mona"), &user));
    assert_false(user.is_enabled);
    bondy_user_fini(&user);
}

static void an_alias_of_an_sso_user_works_in_its_realms(void **state)
{
    struct fixture *f = *state;
    struct bondy_user user;

    make_sso(f);
    assert_string_equal(fixture_do(f, ADD_ALIAS, "org.one", "mona", "mona@acme"), "");
    assert_true(bondy_user_resolve(fixture_view(f), fixture_realm(f, "org.one"),
                                   BONDY_SLICE("Mona@acme"), &user));
    assert_string_equal(user.username, "mona");
    bondy_user_fini(&user);
    assert_false(bondy_user_resolve(fixture_view(f), fixture_realm(f, "org.two"),
                                    BONDY_SLICE("mona@acme"), &user));
}

static void an_sso_user_is_deleted_with_its_links_only_by_force(void **state)
{
    struct fixture *f = *state;

    make_sso(f);
    assert_string_equal(fixture_do(f, DELETE_USER, "org.idp", "mona", NULL),
                        "bondy.error.active_users");
    f->force = true;
    assert_string_equal(fixture_do(f, DELETE_USER, "org.idp", "mona", NULL), "");
    assert_null(fixture_user(f, "org.idp", "mona"));
    assert_null(fixture_user(f, "org.one", "mona"));
}

static int note_name(void *context, const struct bondy_user *user)
{
    struct bondy_buf *text = context;

    bondy_buf_append_text(text, user->username);
    bondy_buf_append_byte(text, ' ');
    return 0;
}

static char *list(struct fixture *f, size_t limit, struct bondy_name *from, const char *q)
{
    const struct bondy_list_options options = {limit, bondy_name_slice(from), bondy_slice_text(q)};
    struct bondy_buf text = BONDY_BUF_EMPTY;
    struct bondy_name next;

    assert_int_equal(
        bondy_user_list(fixture_view(f), fixture_realm(f, R), &options, note_name, &text, &next),
        0);
    *from = next;
    bondy_buf_append_byte(&text, 0);
    return bondy_buf_take_text(&text);
}

static void the_list_goes_on_where_it_ended(void **state)
{
    struct fixture *f = *state;
    struct bondy_name at = {.len = 0};

    make_realm(f);
    add(f, "{\"username\":\"carl\"}");
    add(f, "{\"username\":\"anna\"}");
    add(f, "{\"username\":\"berta\",\"aliases\":[\"beta\"]}");
    add(f, "{\"username\":\"bert\"}");
    assert_text(list(f, 0, &at, ""), "anna bert berta carl ");
    assert_int_equal(at.len, 0);
    assert_text(list(f, 2, &at, ""), "anna bert ");
    assert_text(list(f, 2, &at, ""), "berta carl ");
    assert_int_equal(at.len, 0);
    assert_text(list(f, 1, &at, "BERT"), "bert ");
    assert_text(list(f, 1, &at, "bert"), "berta ");
    assert_text(list(f, 1, &at, "b c"), "");
}

static void verifiers_are_made_for_the_methods_of_the_realm(void **state)
{
    static const struct {
        const char *methods;
        bool cra, scram;
    } cases[] = {
        {"[\"wampcra\"]", true, false},
        {"[\"wamp-scram\",\"password\"]", false, true},
        {"[\"wampcra\",\"wamp-scram\"]", true, true},
        {"[\"password\"]", true, false},
        {"[]", true, false},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        json_t *methods = json_loads(cases[i].methods, 0, NULL);
        struct bondy_password_opts opts = bondy_user_password_opts(&f->rules, methods, NULL);

        assert_int_equal(opts.cra, cases[i].cra);
        assert_int_equal(opts.scram, cases[i].scram);
        json_decref(methods);
    }
}

static void a_prototype_has_no_users(void **state)
{
    struct fixture *f = *state;

    fixture_do(f, CREATE_REALM, NULL, NULL, "{\"uri\":\"org.base\",\"is_prototype\":true}");
    assert_string_equal(fixture_do(f, ADD_USER, "org.base", NULL, "{\"username\":\"mona\"}"),
                        "bondy.error.not_allowed");
    make_realm(f);
    add(f, "{\"username\":\"mona\"}");
    assert_string_equal(fixture_do(f, UPDATE_REALM, R, NULL, "{\"is_prototype\":true}"),
                        "bondy.error.not_allowed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_added_user_shows_everything_but_the_password),
        TEST(bad_input_is_refused_by_its_own_code),
        TEST(a_password_is_in_no_error),
        TEST(names_are_unique_among_users_and_aliases),
        TEST(a_user_has_five_aliases_and_only_its_own_can_be_removed),
        TEST(an_update_changes_only_what_it_names),
        TEST(what_was_read_can_be_sent_back_and_changes_nothing),
        TEST(a_condition_is_compared_with_all_of_the_user),
        TEST(a_dry_run_shows_the_result_and_keeps_nothing),
        TEST(groups_and_switch_have_their_own_procedures),
        TEST(a_user_is_found_by_its_key),
        TEST(the_limits_of_a_user_are_kept),
        TEST(a_deleted_user_leaves_nothing_behind),
        TEST(an_sso_user_has_its_credentials_in_the_sso_realm),
        TEST(a_second_link_ignores_credentials_and_a_change_reaches_both),
        TEST(an_sso_user_is_enabled_when_both_records_are),
        TEST(an_alias_of_an_sso_user_works_in_its_realms),
        TEST(an_sso_user_is_deleted_with_its_links_only_by_force),
        TEST(the_list_goes_on_where_it_ended),
        TEST(verifiers_are_made_for_the_methods_of_the_realm),
        TEST(a_prototype_has_no_users),
    };

    return fixture_run(tests, BONDY_COUNT(tests));
}
