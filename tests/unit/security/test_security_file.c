/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/security/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/sys/file.h"

#define KEY "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"

static const char *apply(struct fixture *f, const char *document)
{
    return fixture_do(f, APPLY_CONFIG, NULL, NULL, document);
}

/* The plan of the last change. */
#define assert_plan(f, text) assert_text(plan_of(f), text)

static char *plan_of(struct fixture *f)
{
    json_t *plan = json_deep_copy(f->result);
    char *text;

    json_object_del(plan, "counts");
    json_object_del(plan, "omitted");
    text = fixture_text(plan);
    json_decref(plan);
    return text;
}

/* Realms and groups in an order in which they cannot be applied. */
static const char shops[] =
    "[{\"uri\":\"Org.Acme.Shop7\",\"comment\":\"dropped\",\"prototype_uri\":\"org.acme.base\","
    "\"sso_realm_uri\":\"org.acme.idp\",\"users\":[{\"username\":\"mona\","
    "\"groups\":[\"cashiers\"],\"sso_realm_uri\":\"org.acme.idp\","
    "\"password\":\"kettle-46-rope\",\"authorized_keys\":[\"" KEY "\"]},"
    "{\"username\":\"zoe\",\"password\":\"lantern-46-rope\",\"aliases\":[\"zoe-2\"]}],"
    "\"sources\":[{\"usernames\":[\"zoe\"],\"authmethod\":\"wampcra\",\"cidr\":\"10.0.0.0/8\"}]},"
    "{\"uri\":\"org.acme.base\",\"is_prototype\":true,"
    "\"authmethods\":[\"cryptosign\",\"wampcra\",\"ticket\"],"
    "\"groups\":[{\"name\":\"cashiers\",\"groups\":[\"staff\"]},{\"name\":\"staff\"}],"
    "\"grants\":[{\"roles\":[\"staff\"],\"permissions\":[\"wamp.call\",\"wamp.cancel\"],"
    "\"uri\":\"org.acme.pub.\",\"match\":\"prefix\"}]},"
    "{\"uri\":\"org.acme.idp\",\"is_sso_realm\":true,\"allow_connections\":false,"
    "\"authmethods\":[]}]";

static void a_file_is_applied_in_the_order_that_it_needs(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(apply(f, shops), "");
    assert_plan(f, "{\"create\":[\"realm org.acme.base\",\"group org.acme.base/staff\","
                   "\"group org.acme.base/cashiers\",\"grant org.acme.base/staff\","
                   "\"realm org.acme.idp\",\"realm org.acme.shop7\","
                   "\"user org.acme.shop7/mona\",\"user org.acme.shop7/zoe\","
                   "\"source org.acme.shop7/zoe\"],\"delete\":[],\"unchanged\":0,\"update\":[]}");
    assert_text(fixture_user(f, "org.acme.shop7", "mona"),
                "{\"authorized_keys\":[],\"enabled\":true,\"groups\":[\"cashiers\"],"
                "\"has_authorized_keys\":false,\"has_password\":false,\"managed_by\":\"file\","
                "\"meta\":{},\"sso_realm_uri\":\"org.acme.idp\",\"username\":\"mona\"}");
    assert_true(fixture_realm(f, "org.acme.base")->is_prototype);
}

static void a_file_applied_twice_changes_nothing(void **state)
{
    struct fixture *f = *state;
    unsigned changes;

    assert_string_equal(apply(f, shops), "");
    changes = f->changes;
    assert_string_equal(apply(f, shops), "");
    assert_int_equal(f->writes, 0);
    assert_int_equal(f->changes, changes);
    assert_plan(f, "{\"create\":[],\"delete\":[],\"unchanged\":9,\"update\":[]}");
    fixture_restart(f);
    assert_string_equal(apply(f, shops), "");
    assert_int_equal(f->writes, 0);
}

static bool password_is(struct fixture *f, const char *realm, const char *name, const char *text)
{
    struct bondy_user user;
    bool fits;

    assert_true(bondy_user_resolve(fixture_view(f), fixture_realm(f, realm), bondy_slice_text(name),
                                   &user));
    fits = bondy_user_password_fits(user.passwords, bondy_slice_text(text));
    bondy_user_fini(&user);
    return fits;
}

static void only_what_differs_is_written(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(apply(f, "[{\"uri\":\"org.a\",\"users\":[{\"username\":\"mona\","
                                 "\"password\":\"kettle-46-rope\"},{\"username\":\"lisa\"}]}]"),
                        "");
    assert_string_equal(apply(f, "[{\"uri\":\"org.a\",\"users\":[{\"username\":\"mona\","
                                 "\"password\":\"other-46-rope\"},{\"username\":\"lisa\"}]}]"),
                        "");
    assert_plan(f, "{\"create\":[],\"delete\":[],\"unchanged\":2,"
                   "\"update\":[\"user org.a/mona\"]}");
    assert_true(password_is(f, "org.a", "mona", "other-46-rope"));
    /* What the file does not say stays. */
    assert_string_equal(fixture_do(f, DISABLE_USER, "org.a", "lisa", NULL), "");
    assert_string_equal(apply(f, "[{\"uri\":\"org.a\",\"description\":\"A\","
                                 "\"users\":[{\"username\":\"lisa\"}]}]"),
                        "");
    assert_plan(f, "{\"create\":[],\"delete\":[],\"unchanged\":1,\"update\":[\"realm org.a\"]}");
    assert_true(password_is(f, "org.a", "mona", "other-46-rope"));
}

static void a_dry_run_plans_and_keeps_nothing(void **state)
{
    struct fixture *f = *state;

    f->is_dry_run = true;
    assert_string_equal(apply(f, shops), "");
    assert_int_equal(f->rc, BONDY_EDIT_TAKEN_BACK);
    assert_int_equal(json_array_size(json_object_get(f->result, "create")), 9);
    assert_null(fixture_realm(f, "org.acme.idp"));
}

/* Acceptance 15. */
static void every_mistake_is_told_with_its_place(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *document, *code, *pointer;
    } cases[] = {
        {"{}", "bondy.error.invalid_data", NULL},
        {"[7]", "bondy.error.invalid_datatype", "/0"},
        {"[{\"uri\":\"org.a\"},{\"uri\":\"org.b\",\"users\":[{\"username\":\"al\"}]}]",
         "bondy.error.invalid_value", "/1/users/0/username"},
        {"[{\"uri\":\"org.a\"},{\"uri\":\"ORG.a\"}]", "bondy.error.invalid_data", "/1"},
        {"[{\"uri\":\"org.a\",\"prototype_uri\":\"org.b\"},"
         "{\"uri\":\"org.b\",\"prototype_uri\":\"org.a\"}]",
         "bondy.error.invalid_config", ""},
        {"[{\"uri\":\"org.a\",\"groups\":[{\"name\":\"x\",\"groups\":[\"y\"]},"
         "{\"name\":\"y\",\"groups\":[\"x\"]}]}]",
         "bondy.error.invalid_config", "/0/groups"},
        {"[{\"uri\":\"org.c\"},{\"uri\":\"org.a\",\"prototype_uri\":\"org.b\"}]",
         "wamp.error.invalid_argument", "/1"},
        {"[{\"uri\":\"org.a\",\"groups\":[{\"name\":\"x\",\"groups\":[\"y\"]}]}]",
         "bondy.error.no_such_groups", "/0/groups/0"},
        {"[{\"uri\":\"org.a\",\"private_keys\":[\"x\"]}]", "bondy.error.invalid_value",
         "/0/private_keys/0"},
        {"[{\"uri\":\"org.a\",\"users\":[{\"username\":\"mona\","
         "\"password\":\"${ENV:BONDY_NO_SUCH}\"}]}]",
         "bondy.error.invalid_value", "/0/users/0/password"},
        {"[{\"uri\":\"org.a\",\"users\":[{\"username\":\"mona\","
         "\"password\":{\"$file\":\"/no/such/file\"}}]}]",
         "bondy.error.invalid_value", "/0/users/0/password"},
        {"[{\"uri\":\"com.leapsight.bondy.x\"}]", "wamp.error.invalid_argument", "/0"},
    };

    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        const char *code = apply(f, cases[i].document);

        if (strcmp(code, cases[i].code) != 0)
            fail_msg("%s: '%s'", cases[i].document, code);
        if (cases[i].pointer != NULL)
            assert_slice_is(bondy_json_text(f->problem, "pointer"), cases[i].pointer);
    }
    assert_null(fixture_realm(f, "org.a"));
    assert_null(fixture_realm(f, "org.c"));
    assert_string_equal(apply(f, "[{\"uri\":7},{\"uri\":\"org.b\",\"description\":7}]"),
                        "bondy.error.invalid_data");
    assert_int_equal(json_array_size(json_object_get(f->problem, "errors")), 2);
}

static void secrets_come_from_the_environment_and_from_private_files(void **state)
{
    struct fixture *f = *state;
    char path[600], document[1500];

    snprintf(path, sizeof path, "%s/secret", f->folder);
    assert_int_equal(bondy_file_write(path, BONDY_SLICE("from-a-file-46\n"), 0600, NULL), BONDY_OK);
    setenv("BONDY_TEST_SECRET", "from-env-46-rope", 1);
    snprintf(document, sizeof document,
             "[{\"uri\":\"org.a\",\"users\":[{\"username\":\"mona\",\"password\":"
             "\"${ENV:BONDY_TEST_SECRET}\",\"meta\":{\"m\":\"${ENV:HOME}\"}},"
             "{\"username\":\"lisa\",\"password\":{\"$file\":\"%s\"}}]}]",
             path);
    assert_string_equal(apply(f, document), "");
    assert_true(password_is(f, "org.a", "mona", "from-env-46-rope"));
    assert_true(password_is(f, "org.a", "lisa", "from-a-file-46"));
    {
        char *text = fixture_user(f, "org.a", "mona");

        assert_non_null(strstr(text, "${ENV:HOME}")); /* not a secret: as it is */
        bondy_free(text);
    }
    assert_int_equal(bondy_file_write(path, BONDY_SLICE("from-a-file-46\n"), 0644, NULL), BONDY_OK);
    assert_string_equal(apply(f, document), "bondy.error.invalid_value");
    assert_slice_is(bondy_json_text(f->problem, "pointer"), "/0/users/1/password");
    unsetenv("BONDY_TEST_SECRET");
}

/* From outside, nobody reads the router's files. */
static void an_import_expands_nothing(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(fixture_do(f, APPLY_MERGE, NULL, NULL,
                                   "[{\"uri\":\"org.a\",\"users\":[{\"username\":\"mona\","
                                   "\"password\":{\"$file\":\"/etc/hostname\"}}]}]"),
                        "bondy.error.invalid_value");
    assert_string_equal(fixture_do(f, APPLY_MERGE, NULL, NULL,
                                   "[{\"uri\":\"org.a\",\"users\":[{\"username\":\"mona\","
                                   "\"password\":\"${ENV:HOME}\"}]}]"),
                        "");
    assert_true(password_is(f, "org.a", "mona", "${ENV:HOME}"));
    assert_string_equal(
        fixture_do(f, APPLY_MERGE, NULL, NULL, "[{\"uri\":\"org.b\",\"comment\":1}]"),
        "bondy.error.invalid_data");
}

static void pruning_deletes_what_left_the_file_and_nothing_else(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(
        apply(f, "[{\"uri\":\"org.a\",\"groups\":[{\"name\":\"g1\"},{\"name\":\"g2\"}],"
                 "\"users\":[{\"username\":\"mona\",\"groups\":[\"g1\",\"g2\"]},"
                 "{\"username\":\"lisa\"}],"
                 "\"sources\":[{\"usernames\":\"all\",\"authmethod\":\"ticket\"}],"
                 "\"grants\":[{\"roles\":[\"g1\"],\"permissions\":[\"p\"],\"uri\":\"a\"}]}]"),
        "");
    fixture_do(f, ADD_USER, "org.a", NULL, "{\"username\":\"manual\"}");
    fixture_do(f, ADD_GROUP, "org.a", NULL, "{\"name\":\"manual\"}");
    assert_string_equal(apply(f,
                              "[{\"uri\":\"org.a\",\"prune\":true,\"groups\":[{\"name\":\"g1\"}],"
                              "\"users\":[{\"username\":\"mona\",\"groups\":[\"g1\"]}]}]"),
                        "");
    assert_plan(f, "{\"create\":[],\"delete\":[\"grant org.a/g1\",\"source org.a/all\","
                   "\"user org.a/lisa\",\"group org.a/g2\"],\"unchanged\":2,"
                   "\"update\":[\"user org.a/mona\"]}");
    assert_null(fixture_user(f, "org.a", "lisa"));
    assert_null(fixture_group(f, "org.a", "g2"));
    assert_text(fixture_group(f, "org.a", "manual"),
                "{\"groups\":[],\"meta\":{},\"name\":\"manual\"}");
    assert_text(fixture_sources(f, "org.a"), "[]");
    assert_string_equal(apply(f,
                              "[{\"uri\":\"org.a\",\"prune\":true,\"groups\":[{\"name\":\"g1\"}],"
                              "\"users\":[{\"username\":\"mona\",\"groups\":[\"g1\"]}]}]"),
                        "");
    assert_int_equal(f->writes, 0);
}

static void what_a_file_took_over_is_marked(void **state)
{
    struct fixture *f = *state;

    fixture_do(f, CREATE_REALM, NULL, NULL, "{\"uri\":\"org.a\",\"groups\":[{\"name\":\"g\"}]}");
    assert_string_equal(apply(f, "[{\"uri\":\"org.a\",\"groups\":[{\"name\":\"g\"}]}]"), "");
    assert_text(fixture_group(f, "org.a", "g"),
                "{\"groups\":[],\"managed_by\":\"file\",\"meta\":{},\"name\":\"g\"}");
}

static void the_file_cannot_change_what_the_master_realm_is(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(apply(f, "[{\"uri\":\"bondy\",\"security_enabled\":false,"
                                 "\"allow_connections\":false,\"description\":\"mine\"}]"),
                        "");
    assert_true(fixture_realm(f, "bondy")->has_security);
    assert_true(fixture_realm(f, "bondy")->allows_connections);
    assert_string_equal(fixture_realm(f, "bondy")->description, "mine");
}

static void hashed_passwords_are_taken_as_they_are(void **state)
{
    struct fixture *f = *state;
    struct bondy_user user;
    json_t *document;
    char *text;

    apply(f, "[{\"uri\":\"org.a\",\"users\":[{\"username\":\"mona\","
             "\"password\":\"kettle-46-rope\"}]}]");
    assert_true(
        bondy_user_find(fixture_view(f), fixture_realm(f, "org.a"), BONDY_SLICE("mona"), &user));
    document = json_pack("[{s:s, s:[{s:s, s:O}]}]", "uri", "org.b", "users", "username", "mona",
                         "password", json_array_get(user.passwords, 0));
    bondy_user_fini(&user);
    text = json_dumps(document, 0);
    json_decref(document);
    assert_string_equal(apply(f, text), "");
    assert_true(password_is(f, "org.b", "mona", "kettle-46-rope"));
    assert_string_equal(apply(f, text), "");
    assert_int_equal(f->writes, 0);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_applied_in_the_order_that_it_needs),
        TEST(a_file_applied_twice_changes_nothing),
        TEST(only_what_differs_is_written),
        TEST(a_dry_run_plans_and_keeps_nothing),
        TEST(every_mistake_is_told_with_its_place),
        TEST(secrets_come_from_the_environment_and_from_private_files),
        TEST(an_import_expands_nothing),
        TEST(pruning_deletes_what_left_the_file_and_nothing_else),
        TEST(what_a_file_took_over_is_marked),
        TEST(the_file_cannot_change_what_the_master_realm_is),
        TEST(hashed_passwords_are_taken_as_they_are),
    };

    return fixture_run(tests, BONDY_COUNT(tests));
}
