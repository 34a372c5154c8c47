/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/security/fixture.h"

#include <stdio.h>
#include <string.h>

#include "src/security/policy/policy.h"
#include "src/security/policy/rbac.h"
#include "src/security/entity/stored.h"

static const char *create(struct fixture *f, const char *input)
{
    return fixture_do(f, CREATE_REALM, NULL, NULL, input);
}

static const char *update(struct fixture *f, const char *uri, const char *input)
{
    return fixture_do(f, UPDATE_REALM, uri, NULL, input);
}

static void a_created_realm_is_found_by_any_spelling(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(create(f, "{\"uri\":\"Org.Acme.Shop\",\"description\":\"Shop\"}"), "");
    assert_int_equal(f->effects, BONDY_EDIT_CREATED);
    assert_non_null(fixture_realm(f, "org.acme.shop"));
    assert_non_null(fixture_realm(f, "ORG.ACME.SHOP"));
    assert_string_equal(fixture_realm(f, "org.acme.shop")->uri, "org.acme.shop");
    assert_string_equal(fixture_realm(f, "org.acme.shop")->description, "Shop");
    assert_null(fixture_realm(f, "org.acme"));
    assert_string_equal(create(f, "{\"uri\":\"org.acme.SHOP\"}"), "bondy.error.already_exists");
}

static void bad_input_is_refused_by_name(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *input, *code;
    } cases[] = {
        {"[]", "bondy.error.invalid_datatype"},
        {"{}", "bondy.error.missing_required_value"},
        {"{\"uri\":7}", "bondy.error.invalid_datatype"},
        {"{\"uri\":\"\"}", "bondy.error.invalid_value"},
        {"{\"uri\":\"a..b\"}", "bondy.error.invalid_value"},
        {"{\"uri\":\"a b\"}", "bondy.error.invalid_value"},
        {"{\"uri\":\"a#b\"}", "bondy.error.invalid_value"},
        {"{\"uri\":\"a\",\"authmethod\":[]}", "bondy.error.invalid_data"},
        {"{\"uri\":\"a\",\"prune\":true}", "bondy.error.invalid_data"},
        {"{\"uri\":\"a\",\"description\":7}", "bondy.error.invalid_datatype"},
        {"{\"uri\":\"a\",\"allow_connections\":\"no\"}", "bondy.error.invalid_datatype"},
        {"{\"uri\":\"a\",\"authmethods\":\"anonymous\"}", "bondy.error.invalid_datatype"},
        {"{\"uri\":\"a\",\"authmethods\":[\"magic\"]}", "bondy.error.invalid_value"},
        {"{\"uri\":\"a\",\"users\":{}}", "bondy.error.invalid_datatype"},
        {"{\"uri\":\"a\",\"users\":[{}],\"description\":7}", "bondy.error.invalid_data"},
        {"{\"uri\":\"a\",\"private_keys\":[\"x\"]}", "bondy.error.invalid_value"},
        {"{\"uri\":\"a\",\"private_keys\":[{\"kid\":\"x\"}]}", "bondy.error.invalid_datatype"},
        {"{\"uri\":\"a\",\"authenticator\":{\"procedure\":\"p\"}}",
         "bondy.error.missing_required_value"},
        {"{\"uri\":\"a\",\"authorizer\":{\"procedure\":\"p\",\"timeout\":0}}",
         "bondy.error.invalid_value"},
        {"{\"uri\":\"a\",\"is_prototype\":true,\"prototype_uri\":\"b\"}",
         "wamp.error.invalid_argument"},
        {"{\"uri\":\"a\",\"is_sso_realm\":true,\"sso_realm_uri\":\"b\"}",
         "wamp.error.invalid_argument"},
        {"{\"uri\":\"a\",\"prototype_uri\":\"A\"}", "wamp.error.invalid_argument"},
        {"{\"uri\":\"a\",\"sso_realm_uri\":\"a\"}", "wamp.error.invalid_argument"},
        {"{\"uri\":\"a\",\"prototype_uri\":\"no.such\"}", "wamp.error.invalid_argument"},
        {"{\"uri\":\"a\",\"sso_realm_uri\":\"" BONDY_MASTER_REALM "\"}",
         "wamp.error.invalid_argument"},
        {"{\"uri\":\"a\",\"groups\":[{\"name\":\"x\",\"groups\":[\"y\"]},"
         "{\"name\":\"y\",\"groups\":[\"X\"]}]}",
         "bondy.error.invalid_config"},
        {"{\"uri\":\"a\",\"groups\":[{\"name\":\"x\",\"groups\":[\"ghosts\"]}]}",
         "bondy.error.no_such_groups"},
        {"{\"uri\":\"a\",\"users\":[{\"username\":\"mona\"},{\"username\":\"MONA\"}]}",
         "bondy.error.already_exists"},
        {"{\"uri\":\"com.leapsight.bondy\"}", "wamp.error.invalid_argument"},
        {"{\"uri\":\"com.leapsight.bondyfoo\"}", "wamp.error.invalid_argument"},
        {"{\"uri\":\"bondy\"}", "wamp.error.invalid_argument"},
    };
    char text[700];

    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        const char *code = create(f, cases[i].input);

        if (strcmp(code, cases[i].code) != 0)
            fail_msg("%s: %s, expected %s", cases[i].input, code, cases[i].code);
    }
    assert_null(fixture_realm(f, "a"));
    snprintf(text, sizeof text, "{\"uri\":\"a\",\"description\":\"%0513d\"}", 0);
    assert_string_equal(create(f, text), "bondy.error.invalid_value");
    assert_string_equal(create(f, "{\"uri\":\"com.leapsight.a\"}"), "");
    assert_string_equal(update(f, "com.leapsight.a", text + 0), "bondy.error.invalid_value");
}

static void what_get_returns_can_be_sent_back(void **state)
{
    struct fixture *f = *state;
    char *text;

    create(f, "{\"uri\":\"org.idp\",\"is_sso_realm\":true}");
    create(f, "{\"uri\":\"org.acme\",\"authmethods\":[\"anonymous\",\"wamp-scram\"],"
              "\"security_enabled\":false,\"sso_realm_uri\":\"org.idp\","
              "\"info\":{\"other\":1,\"oidc_providers\":{\"x\":{\"client_id\":\"c\","
              "\"client_secret\":\"hush\"}}}}");
    assert_slice_is(bondy_json_text(f->result, "security_status"), "disabled");
    text = json_dumps(f->result, 0);
    assert_null(strstr(text, "hush"));
    assert_null(strstr(text, "other"));
    assert_string_equal(update(f, "org.acme", text), "");
    assert_int_equal(f->writes, 0);
    free(text);
    text = json_dumps(fixture_realm(f, "org.acme")->info, 0);
    assert_non_null(strstr(text, "hush"));
    assert_non_null(strstr(text, "other"));
    free(text);
}

static void a_partial_update_changes_only_what_it_names(void **state)
{
    struct fixture *f = *state;

    create(f, "{\"uri\":\"org.acme\",\"description\":\"one\",\"allow_connections\":false}");
    assert_false(fixture_realm(f, "org.acme")->allows_connections);
    assert_string_equal(update(f, "ORG.acme", "{\"description\":\"two\"}"), "");
    assert_string_equal(fixture_realm(f, "org.acme")->description, "two");
    assert_false(fixture_realm(f, "org.acme")->allows_connections);
    assert_string_equal(update(f, "org.acme", "{\"allow_connections\":null}"), "");
    assert_true(fixture_realm(f, "org.acme")->allows_connections);
    assert_int_equal(fixture_realm(f, "org.acme")->connections_given, -1);
    assert_string_equal(update(f, "no.such", "{}"), "bondy.error.not_found");
}

static void a_changed_switch_is_a_new_version(void **state)
{
    struct fixture *f = *state;
    uint8_t first[BONDY_VERSION_LEN], version[BONDY_VERSION_LEN];

    create(f, "{\"uri\":\"org.acme\"}");
    memcpy(first, fixture_realm(f, "org.acme")->version, sizeof first);
    assert_string_equal(fixture_do(f, SUSPEND, "org.acme", NULL, NULL), "");
    memcpy(version, fixture_realm(f, "org.acme")->version, sizeof version);
    assert_memory_not_equal(version, first, sizeof version);
    assert_string_equal(fixture_do(f, SUSPEND, "org.acme", NULL, NULL), "");
    assert_int_equal(f->effects, 0);
    assert_memory_equal(fixture_realm(f, "org.acme")->version, version, sizeof version);
    assert_string_equal(update(f, "org.acme", "{\"allow_connections\":null}"), "");
    assert_memory_not_equal(fixture_realm(f, "org.acme")->version, version, sizeof version);
    /* The deleted switch counts after a restart too. */
    memcpy(version, fixture_realm(f, "org.acme")->version, sizeof version);
    fixture_restart(f);
    assert_memory_equal(fixture_realm(f, "org.acme")->version, version, sizeof version);
    f->expected = first;
    assert_string_equal(update(f, "org.acme", "{}"), "bondy.error.precondition_failed");
    f->expected = version;
    assert_string_equal(update(f, "org.acme", "{\"description\":\"d\"}"), "");
}

static void the_control_realm_cannot_be_touched(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(update(f, BONDY_CONTROL_REALM, "{}"), "wamp.error.invalid_argument");
    assert_string_equal(fixture_do(f, DELETE_REALM, BONDY_CONTROL_REALM, NULL, NULL),
                        "wamp.error.invalid_argument");
    assert_string_equal(fixture_do(f, DISABLE, BONDY_CONTROL_REALM, NULL, NULL),
                        "wamp.error.invalid_argument");
}

static void a_switch_survives_a_restart(void **state)
{
    struct fixture *f = *state;

    create(f, "{\"uri\":\"org.acme\",\"allow_connections\":false}");
    assert_string_equal(fixture_do(f, DISABLE, "org.acme", NULL, NULL), "");
    fixture_restart(f);
    assert_false(fixture_realm(f, "org.acme")->allows_connections);
    assert_false(fixture_realm(f, "org.acme")->has_security);
    assert_string_equal(fixture_do(f, ENABLE, "org.acme", NULL, NULL), "");
    assert_string_equal(fixture_do(f, RESUME, "org.acme", NULL, NULL), "");
    assert_true(fixture_realm(f, "org.acme")->has_security);
    assert_true(fixture_realm(f, "org.acme")->allows_connections);
}

/* cluster.md B2.4: what belonged to the deleted realm does not come back with a new one. */
static void a_realm_made_again_has_nothing_of_the_old_one(void **state)
{
    struct fixture *f = *state;
    json_t *policy;

    create(f, "{\"uri\":\"org.acme\",\"allow_connections\":false,\"groups\":[{\"name\":\"staff\"}],"
              "\"users\":[{\"username\":\"mona\"}],"
              "\"grants\":[{\"roles\":\"all\",\"permissions\":[\"wamp.call\"],\"uri\":\"\"}]}");
    assert_string_equal(fixture_do(f, DELETE_REALM, "org.acme", NULL, NULL),
                        "bondy.error.active_users");
    f->force = true;
    assert_string_equal(fixture_do(f, DELETE_REALM, "org.acme", NULL, NULL), "");
    assert_null(fixture_realm(f, "org.acme"));
    assert_string_equal(fixture_do(f, DELETE_REALM, "org.acme", NULL, NULL),
                        "bondy.error.not_found");
    assert_string_equal(create(f, "{\"uri\":\"org.acme\"}"), "");
    for (int round = 0; round < 2; round++) {
        assert_true(fixture_realm(f, "org.acme")->allows_connections);
        assert_int_equal(fixture_realm(f, "org.acme")->gen, 1);
        assert_null(fixture_user(f, "org.acme", "mona"));
        assert_null(fixture_group(f, "org.acme", "staff"));
        assert_text(fixture_grants(f, "org.acme"), "[]");
        policy = bondy_policy_grants(fixture_realm(f, "org.acme")->policy);
        assert_int_equal(json_array_size(policy), 0);
        json_decref(policy);
        fixture_restart(f);
    }
}

static void the_master_realm_is_there_and_stays(void **state)
{
    struct fixture *f = *state;

    assert_ptr_equal(fixture_realm(f, "bondy"), fixture_realm(f, BONDY_MASTER_REALM));
    assert_true(fixture_realm(f, "bondy")->is_master);
    assert_false(fixture_realm(f, "bondy")->allows_anonymous);
    assert_string_equal(fixture_do(f, DELETE_REALM, "bondy", NULL, NULL),
                        "wamp.error.invalid_argument");
    assert_string_equal(update(f, "bondy", "{\"security_enabled\":false}"),
                        "wamp.error.invalid_argument");
    assert_string_equal(fixture_do(f, SUSPEND, "bondy", NULL, NULL), "wamp.error.invalid_argument");
    assert_string_equal(fixture_do(f, DISABLE, "bondy", NULL, NULL), "wamp.error.invalid_argument");
    /* Dropped. */
    assert_string_equal(update(f, "bondy",
                               "{\"allow_connections\":false,\"is_prototype\":true,"
                               "\"description\":\"mine\"}"),
                        "");
    fixture_restart(f);
    assert_string_equal(fixture_realm(f, "bondy")->description, "mine");
    assert_true(fixture_realm(f, "bondy")->allows_connections);
    assert_false(fixture_realm(f, "bondy")->is_prototype);
}

static void the_master_realm_starts_with_loopback_sources_and_one_grant(void **state)
{
    struct fixture *f = *state;

    assert_text(fixture_grants(f, "bondy"),
                "[{\"permissions\":[\"bondy.revoke\",\"bondy.user.set_password\",\"wamp.call\","
                "\"wamp.cancel\",\"wamp.subscribe\",\"wamp.unsubscribe\"],"
                "\"resource\":{\"match\":\"prefix\",\"uri\":\"\"},"
                "\"roles\":[\"group/bondy.administrators\"]}]");
    assert_text(fixture_text(fixture_realm(f, "bondy")->authmethods),
                "[\"cryptosign\",\"wampcra\",\"wamp-scram\",\"password\",\"ticket\",\"oauth2\"]");
    {
        char *sources = fixture_sources(f, "bondy");

        assert_null(strstr(sources, "0.0.0.0/0"));
        assert_non_null(strstr(sources, "127.0.0.0/8"));
        assert_non_null(strstr(sources, "::1/128"));
        assert_null(strstr(sources, "trust"));
        bondy_free(sources);
    }
}

struct builtin {
    json_t *password;
    bool is_new;
};

static int run_builtin(struct bondy_edit *edit, void *context)
{
    struct builtin *builtin = context;

    return bondy_realm_apply_builtin(edit, builtin->password, builtin->is_new);
}

static bool admin_has(struct fixture *f, const char *password)
{
    struct bondy_user user;
    bool fits;

    if (!bondy_user_find(fixture_view(f), fixture_realm(f, "bondy"), BONDY_SLICE("admin"), &user))
        return false;
    fits = bondy_user_password_fits(user.passwords, bondy_slice_text(password)) &&
           bondy_stored_list_has(user.groups, BONDY_SLICE("bondy.administrators"));
    bondy_user_fini(&user);
    return fits;
}

static void start_with(struct fixture *f, const char *password, bool is_new)
{
    const struct bondy_password_opts opts = fixture_realm(f, "bondy")->password_opts;
    struct builtin builtin = {.is_new = is_new};
    json_t *problem;

    assert_int_equal(bondy_user_prepare_password(&f->rules, &opts, bondy_slice_text(password),
                                                 &builtin.password, &problem),
                     BONDY_OK);
    assert_int_equal(fixture_job(f, run_builtin, &builtin), BONDY_OK);
    json_decref(builtin.password);
}

static void the_admin_is_written_once_or_when_its_password_is_new(void **state)
{
    struct fixture *f = *state;

    start_with(f, "first-password", false);
    assert_true(admin_has(f, "first-password"));
    start_with(f, "other-password", false);
    assert_true(admin_has(f, "first-password"));
    assert_int_equal(f->writes, 0);
    start_with(f, "other-password", true);
    assert_true(admin_has(f, "other-password"));
}

static void what_was_taken_from_the_master_realm_stays_away(void **state)
{
    struct fixture *f = *state;
    struct builtin builtin = {NULL, false};

    assert_string_equal(
        fixture_do(f, DELETE_SOURCE, "bondy", "\"all\"", "{\"cidr\":\"127.0.0.0/8\"}"), "");
    assert_int_equal(fixture_job(f, run_builtin, &builtin), BONDY_OK);
    assert_int_equal(f->writes, 0);
    {
        char *sources = fixture_sources(f, "bondy");

        assert_null(strstr(sources, "\"cidr\":\"127.0.0.0/8\",\"meta\":{},\"username\":\"all\""));
        bondy_free(sources);
    }
}

static void insecure_defaults_come_and_go_with_the_setting(void **state)
{
    struct fixture *f = *state;
    char *before, *text;

    start_with(f, "first-password", false);
    before = fixture_sources(f, "bondy");
    f->rules.insecure_defaults = true;
    start_with(f, "first-password", false);
    text = fixture_sources(f, "bondy");
    assert_non_null(strstr(text, "0.0.0.0/0"));
    assert_non_null(strstr(text, "trust"));
    bondy_free(text);
    text = fixture_grants(f, "bondy");
    assert_non_null(strstr(text, "[\"anonymous\"]"));
    bondy_free(text);
    f->rules.insecure_defaults = false;
    start_with(f, "first-password", false);
    assert_text(fixture_sources(f, "bondy"), before);
    bondy_free(before);
}

static void a_child_has_what_its_prototype_says(void **state)
{
    struct fixture *f = *state;
    const struct bondy_realm *child;
    json_t *effective;

    create(f, "{\"uri\":\"org.idp\",\"is_sso_realm\":true}");
    create(f, "{\"uri\":\"org.base\",\"is_prototype\":true,\"authmethods\":[\"ticket\"],"
              "\"allow_connections\":true,\"security_enabled\":false,"
              "\"sso_realm_uri\":\"org.idp\",\"authorizer\":{\"procedure\":\"org.may\"}}");
    create(f, "{\"uri\":\"org.child\",\"prototype_uri\":\"ORG.base\"}");
    child = fixture_realm(f, "org.child");
    assert_text(fixture_text(child->authmethods), "[\"ticket\"]");
    assert_false(child->has_security);
    assert_string_equal(child->sso_realm_uri, "org.idp");
    assert_text(fixture_text(child->authorizer), "{\"procedure\":\"org.may\"}");
    assert_false(fixture_realm(f, "org.base")->allows_connections);
    effective = bondy_realm_external(child);
    assert_null(json_object_get(effective, "authmethods"));
    assert_text(fixture_text(json_object_get(effective, "effective")),
                "{\"allow_connections\":{\"inherited\":true,\"value\":true},"
                "\"authmethods\":{\"inherited\":true,\"value\":[\"ticket\"]},"
                "\"security_enabled\":{\"inherited\":true,\"value\":false},"
                "\"sso_realm_uri\":{\"inherited\":true,\"value\":\"org.idp\"}}");
    json_decref(effective);
    /* It follows. */
    update(f, "org.base",
           "{\"authmethods\":[\"wampcra\",\"anonymous\"],\"security_enabled\":null}");
    child = fixture_realm(f, "org.child");
    assert_text(fixture_text(child->authmethods), "[\"wampcra\",\"anonymous\"]");
    assert_true(child->has_security);
    assert_true(child->allows_anonymous);
    update(f, "org.child", "{\"authmethods\":[]}");
    assert_text(fixture_text(fixture_realm(f, "org.child")->authmethods), "[]");
    fixture_restart(f);
    assert_text(fixture_text(fixture_realm(f, "org.child")->authmethods), "[]");
    assert_string_equal(fixture_realm(f, "org.child")->sso_realm_uri, "org.idp");
}

static void what_is_set_for_good_cannot_be_changed(void **state)
{
    struct fixture *f = *state;

    create(f, "{\"uri\":\"org.base\",\"is_prototype\":true}");
    create(f, "{\"uri\":\"org.other\",\"is_prototype\":true}");
    create(f, "{\"uri\":\"org.idp\",\"is_sso_realm\":true}");
    create(f, "{\"uri\":\"org.child\",\"prototype_uri\":\"org.base\"}");
    assert_string_equal(update(f, "org.base", "{\"is_prototype\":false}"),
                        "wamp.error.invalid_argument");
    assert_string_equal(update(f, "org.idp", "{\"is_sso_realm\":false}"),
                        "wamp.error.invalid_argument");
    assert_string_equal(update(f, "org.child", "{\"prototype_uri\":\"org.other\"}"),
                        "wamp.error.invalid_argument");
    assert_string_equal(update(f, "org.child", "{\"prototype_uri\":null}"),
                        "wamp.error.invalid_argument");
    assert_string_equal(update(f, "org.child", "{\"prototype_uri\":\"org.base\"}"), "");
    assert_string_equal(update(f, "org.child", "{\"is_prototype\":true}"),
                        "wamp.error.invalid_argument");
    assert_string_equal(update(f, "org.idp", "{\"sso_realm_uri\":\"org.idp\"}"),
                        "wamp.error.invalid_argument");
    assert_string_equal(update(f, "org.child", "{\"sso_realm_uri\":\"org.base\"}"),
                        "wamp.error.invalid_argument");
}

static void a_realm_that_others_need_is_not_deleted(void **state)
{
    struct fixture *f = *state;

    create(f, "{\"uri\":\"org.base\",\"is_prototype\":true}");
    create(f, "{\"uri\":\"org.child\",\"prototype_uri\":\"org.base\"}");
    f->force = true;
    assert_string_equal(fixture_do(f, DELETE_REALM, "org.base", NULL, NULL),
                        "bondy.error.realm_in_use");
    assert_text(fixture_text(json_object_get(f->problem, "details")),
                "{\"dependents\":[\"org.child\"]}");
    {
        json_t *list = bondy_realms_dependents(f->realms, BONDY_SLICE("org.BASE"));

        assert_text(fixture_text(list), "[\"org.child\"]");
        json_decref(list);
    }
    assert_string_equal(fixture_do(f, DELETE_REALM, "org.child", NULL, NULL), "");
    assert_string_equal(fixture_do(f, DELETE_REALM, "org.base", NULL, NULL), "");
}

static bool may(struct fixture *f, const char *realm, const char *user, const char *group,
                const char *uri)
{
    struct bondy_slice groups[] = {bondy_slice_text(group)};
    const struct bondy_rbac_subject subject = {bondy_slice_text(user), groups,
                                               groups[0].len > 0 ? 1 : 0, false};
    struct bondy_rbac *rbac = bondy_rbac_create(fixture_realm(f, realm)->policy, &subject);
    bool is_allowed = bondy_rbac_allows(rbac, BONDY_PERMISSION_CALL, bondy_slice_text(uri));

    bondy_rbac_destroy(rbac);
    return is_allowed;
}

/* Acceptance 3 and 4: permissions reach the policy, those of the prototype too. */
static void groups_and_grants_reach_the_policy(void **state)
{
    struct fixture *f = *state;

    create(f, "{\"uri\":\"org.base\",\"is_prototype\":true,"
              "\"groups\":[{\"name\":\"cashiers\",\"groups\":[\"staff\"]},{\"name\":\"staff\"}],"
              "\"grants\":[{\"roles\":[\"staff\"],\"permissions\":[\"wamp.call\"],"
              "\"uri\":\"org.pub.\",\"match\":\"prefix\"},"
              "{\"roles\":\"all\",\"permissions\":[\"wamp.call\"],\"uri\":\"org.news\"}]}");
    create(f, "{\"uri\":\"org.shop\",\"prototype_uri\":\"org.base\","
              "\"users\":[{\"username\":\"mona\",\"groups\":[\"cashiers\"]}],"
              "\"grants\":[{\"roles\":\"all\",\"permissions\":[\"wamp.call\"],"
              "\"uri\":\"org.ping\"},{\"roles\":[\"mona\"],\"permissions\":[\"wamp.call\"],"
              "\"uri\":\"org.own\"}]}");
    for (int round = 0; round < 2; round++) {
        assert_true(may(f, "org.shop", "mona", "cashiers", "org.pub.x"));
        assert_false(may(f, "org.shop", "mona", "", "org.pub.x"));
        assert_true(may(f, "org.shop", "mona", "", "org.ping"));
        assert_true(may(f, "org.shop", "mona", "", "org.news"));
        assert_true(may(f, "org.shop", "mona", "", "org.own"));
        assert_false(may(f, "org.shop", "zoe", "", "org.own"));
        fixture_restart(f);
    }
    assert_string_equal(fixture_do(f, ADD_GROUP, "org.shop", NULL, "{\"name\":\"staff\"}"), "");
    assert_false(may(f, "org.shop", "mona", "cashiers", "org.pub.x"));
    assert_string_equal(fixture_do(f, DELETE_GROUP, "org.shop", "staff", NULL), "");
    assert_true(may(f, "org.shop", "mona", "cashiers", "org.pub.x"));
    fixture_do(f, DISABLE, "org.shop", NULL, NULL);
    assert_true(may(f, "org.shop", "zoe", "", "anything.else"));
    fixture_do(f, ENABLE, "org.shop", NULL, NULL);
    assert_false(may(f, "org.shop", "zoe", "", "anything.else"));
    fixture_do(f, REVOKE, "org.shop", NULL,
               "{\"roles\":\"all\",\"permissions\":[\"wamp.call\"],\"uri\":\"org.ping\"}");
    assert_false(may(f, "org.shop", "mona", "", "org.ping"));
}

/* ---- keys --------------------------------------------------------------------------------- */

struct keys {
    const char *uri;
    json_t *made;
    uint64_t now_ms, until_ms;
};

static int put_keys(struct bondy_edit *edit, void *context)
{
    struct keys *keys = context;

    return bondy_realm_apply_keys(edit, bondy_slice_text(keys->uri), keys->made);
}

static int rotate(struct bondy_edit *edit, void *context)
{
    struct keys *keys = context;

    return bondy_realm_apply_rotate(edit, bondy_slice_text(keys->uri), keys->made, keys->now_ms,
                                    keys->until_ms);
}

static void keys_are_made_once_and_rotated_with_overlap(void **state)
{
    struct fixture *f = *state;
    struct keys keys = {.uri = "org.acme"};
    const struct bondy_realm *realm;
    char first[BONDY_KID_MAX + 1];
    json_t *jwks;

    create(f, "{\"uri\":\"org.acme\"}");
    assert_true(bondy_realm_needs_keys(fixture_realm(f, "org.acme")));
    assert_null(bondy_realm_signing_key(fixture_realm(f, "org.acme")));
    bondy_realm_make_keys_wait(1, 0, &keys.made, NULL);
    assert_int_equal(fixture_job(f, put_keys, &keys), BONDY_OK);
    realm = fixture_realm(f, "org.acme");
    assert_false(bondy_realm_needs_keys(realm));
    snprintf(first, sizeof first, "%s", bondy_realm_signing_key(realm)->kid);
    assert_int_equal(json_array_size(json_object_get(f->result, "public_keys")), 1);
    json_decref(keys.made);
    bondy_realm_make_keys_wait(1, 0, &keys.made, NULL);
    assert_int_equal(fixture_job(f, put_keys, &keys), BONDY_OK);
    assert_int_equal(f->writes, 0); /* it has some */

    keys.now_ms = 1000;
    keys.until_ms = 2000;
    assert_int_equal(fixture_job(f, rotate, &keys), BONDY_OK);
    for (int round = 0; round < 2; round++) {
        realm = fixture_realm(f, "org.acme");
        assert_string_not_equal(bondy_realm_signing_key(realm)->kid, first);
        assert_non_null(bondy_realm_find_key(realm, bondy_slice_text(first), 1999));
        assert_null(bondy_realm_find_key(realm, bondy_slice_text(first), 1999)->pem);
        assert_null(bondy_realm_find_key(realm, bondy_slice_text(first), 2000));
        jwks = bondy_realm_jwks(realm, 1999);
        assert_int_equal(json_array_size(json_object_get(jwks, "keys")), 2);
        json_decref(jwks);
        fixture_restart(f);
    }
    json_decref(keys.made);
    bondy_realm_make_keys_wait(1, 0, &keys.made, NULL);
    keys.now_ms = 2000;
    keys.until_ms = 3000;
    assert_int_equal(fixture_job(f, rotate, &keys), BONDY_OK);
    assert_null(bondy_realm_find_key(fixture_realm(f, "org.acme"), bondy_slice_text(first), 0));
    json_decref(keys.made);
}

static void given_keys_replace_the_set(void **state)
{
    struct fixture *f = *state;
    json_t *input;
    char *pem = NULL, *text;

    create(f, "{\"uri\":\"org.acme\"}");
    assert_int_equal(bondy_key_generate_wait(BONDY_KEY_EC_P256, &pem, NULL), BONDY_OK);
    input = json_pack("{s:[s]}", "private_keys", pem);
    text = json_dumps(input, 0);
    assert_string_equal(update(f, "org.acme", text), "");
    assert_int_equal(fixture_realm(f, "org.acme")->keys->signing_count, 1);
    assert_string_equal(update(f, "org.acme", text), "");
    assert_int_equal(f->writes, 0);
    assert_string_equal(update(f, "org.acme", "{\"private_keys\":[]}"), "");
    assert_int_equal(fixture_realm(f, "org.acme")->keys->signing_count, 3);
    json_decref(input);
    free(text);
    text = json_dumps(f->result, 0);
    assert_null(strstr(text, "PRIVATE"));
    free(text);
    bondy_free(pem);
}

static void the_list_is_sorted(void **state)
{
    struct fixture *f = *state;
    json_t *list;

    create(f, "{\"uri\":\"z\"}");
    create(f, "{\"uri\":\"a\"}");
    list = bondy_realms_list(f->realms);
    assert_int_equal(json_array_size(list), 3);
    assert_slice_is(bondy_json_text(json_array_get(list, 0), "uri"), "a");
    assert_slice_is(bondy_json_text(json_array_get(list, 1), "uri"), BONDY_MASTER_REALM);
    json_decref(list);
}

static void anonymous_can_be_switched_off_for_the_node(void **state)
{
    struct fixture *f = *state;

    create(f, "{\"uri\":\"org.acme\"}");
    assert_true(fixture_realm(f, "org.acme")->allows_anonymous);
    f->rules.allow_anonymous_user = false;
    update(f, "org.acme", "{\"description\":\"again\"}");
    assert_false(fixture_realm(f, "org.acme")->allows_anonymous);
    assert_text(fixture_text(fixture_realm(f, "org.acme")->authmethods),
                "[\"password\",\"oauth2\",\"wampcra\",\"ticket\"]");
}

static void a_dry_run_of_a_realm_keeps_nothing(void **state)
{
    struct fixture *f = *state;

    f->is_dry_run = true;
    assert_string_equal(create(f, "{\"uri\":\"org.acme\",\"users\":[{\"username\":\"mona\"}]}"),
                        "");
    assert_slice_is(bondy_json_text(f->result, "uri"), "org.acme");
    assert_null(fixture_realm(f, "org.acme"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_created_realm_is_found_by_any_spelling),
        TEST(bad_input_is_refused_by_name),
        TEST(what_get_returns_can_be_sent_back),
        TEST(a_partial_update_changes_only_what_it_names),
        TEST(a_changed_switch_is_a_new_version),
        TEST(the_control_realm_cannot_be_touched),
        TEST(a_switch_survives_a_restart),
        TEST(a_realm_made_again_has_nothing_of_the_old_one),
        TEST(the_master_realm_is_there_and_stays),
        TEST(the_master_realm_starts_with_loopback_sources_and_one_grant),
        TEST(the_admin_is_written_once_or_when_its_password_is_new),
        TEST(what_was_taken_from_the_master_realm_stays_away),
        TEST(insecure_defaults_come_and_go_with_the_setting),
        TEST(a_child_has_what_its_prototype_says),
        TEST(what_is_set_for_good_cannot_be_changed),
        TEST(a_realm_that_others_need_is_not_deleted),
        TEST(groups_and_grants_reach_the_policy),
        TEST(keys_are_made_once_and_rotated_with_overlap),
        TEST(given_keys_replace_the_set),
        TEST(the_list_is_sorted),
        TEST(anonymous_can_be_switched_off_for_the_node),
        TEST(a_dry_run_of_a_realm_keeps_nothing),
    };

    return fixture_run(tests, BONDY_COUNT(tests));
}
