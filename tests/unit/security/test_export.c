/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/security/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
#define R "org.shop"

static void make_realms(struct fixture *f)
{
    assert_string_equal(
        fixture_do(f, APPLY_MERGE, NULL, NULL,
                   "[{\"uri\":\"org.base\",\"is_prototype\":true,\"groups\":[{\"name\":\"up\"}]},"
                   "{\"uri\":\"" R "\",\"prototype_uri\":\"org.base\",\"description\":\"Shop\","
                   "\"authmethods\":[\"wampcra\",\"wamp-scram\"],\"allow_connections\":false,"
                   "\"security_enabled\":true,\"info\":{\"oidc_providers\":{\"x\":{"
                   "\"client_secret\":\"hush\"}}},"
                   "\"groups\":[{\"name\":\"staff\",\"groups\":[\"up\"],\"meta\":{\"a\":1}},"
                   "{\"name\":\"cashiers\",\"groups\":[\"staff\"]}],"
                   "\"users\":[{\"username\":\"mona\",\"password\":\"kettle-46-rope\","
                   "\"groups\":[\"cashiers\",\"up\"],\"aliases\":[\"mona-2\"],\"enabled\":false,"
                   "\"authorized_keys\":[\"" KEY "\"],\"meta\":{\"till\":4}},"
                   "{\"username\":\"zoe\"}],"
                   "\"sources\":[{\"usernames\":[\"mona\",\"anonymous\"],"
                   "\"authmethod\":\"wampcra\",\"cidr\":\"10.0.0.0/8\",\"meta\":{\"b\":2}},"
                   "{\"usernames\":\"all\",\"authmethod\":\"ticket\"}],"
                   "\"grants\":[{\"roles\":\"all\",\"permissions\":[\"p\"],\"uri\":\"any\"},"
                   "{\"roles\":[\"mona\",\"group/staff\",\"anonymous\"],\"permissions\":[\"p\","
                   "\"q\"],\"uri\":\"\",\"meta\":{\"c\":3}}]}]"),
        "");
}

static json_t *export(struct fixture *f, bool with_keys)
{
    const struct bondy_export_options options = {.with_keys = with_keys, .with_users = true};

    return bondy_export_realm(fixture_view(f), fixture_realm(f, R), &options);
}

/* Everything of the realm that is shown outside. */
static char *shown(struct fixture *f)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    char *parts[] = {fixture_user(f, R, "mona"),   fixture_user(f, R, "zoe"),
                     fixture_group(f, R, "staff"), fixture_group(f, R, "cashiers"),
                     fixture_sources(f, R),        fixture_grants(f, R)};
    json_t *realm = bondy_realm_external(fixture_realm(f, R));
    char *head = fixture_text(realm);

    for (size_t i = 0; i < BONDY_COUNT(parts); i++) {
        bondy_buf_append_text(&text, parts[i]);
        bondy_free(parts[i]);
    }
    bondy_buf_append_text(&text, head);
    bondy_free(head);
    json_decref(realm);
    return bondy_buf_take_text(&text);
}

/* admin-http-api.md 10, test 8. */
static void export_wipe_import_gives_the_same_realm(void **state)
{
    struct fixture *f = *state;
    json_t *exported, *document;
    struct bondy_user user;
    char *before, *text;

    make_realms(f);
    before = shown(f);
    exported = export(f, true);
    document = json_pack("[O]", exported);
    text = json_dumps(document, 0);
    f->force = true;
    assert_string_equal(fixture_do(f, DELETE_REALM, R, NULL, NULL), "");
    assert_string_equal(fixture_do(f, APPLY_REPLACE, NULL, NULL, text), "");
    assert_text(shown(f), before);
    bondy_free(before);
    assert_true(
        bondy_user_resolve(fixture_view(f), fixture_realm(f, R), BONDY_SLICE("mona-2"), &user));
    assert_true(bondy_user_password_fits(user.passwords, BONDY_SLICE("kettle-46-rope")));
    assert_int_equal(json_array_size(user.passwords), 2);
    bondy_user_fini(&user);
    assert_string_equal(fixture_do(f, APPLY_REPLACE, NULL, NULL, text), "");
    assert_int_equal(f->writes, 0);
    assert_string_equal(fixture_do(f, APPLY_MERGE, NULL, NULL, text), "");
    assert_int_equal(f->writes, 0);
    free(text);
    json_decref(document);
    document = export(f, true);
    assert_true(json_equal(document, exported));
    json_decref(document);
    json_decref(exported);
}

static int put_keys(struct bondy_edit *edit, void *context)
{
    return bondy_realm_apply_keys(edit, BONDY_SLICE(R), context);
}

static void keys_and_secrets_are_exported_only_when_asked(void **state)
{
    struct fixture *f = *state;
    json_t *keys, *exported;
    char *text;

    make_realms(f);
    assert_int_equal(bondy_realm_make_keys_wait(2, 0, &keys, NULL), BONDY_OK);
    assert_int_equal(fixture_job(f, put_keys, keys), BONDY_OK);
    json_decref(keys);
    exported = export(f, false);
    text = json_dumps(exported, 0);
    assert_null(strstr(text, "PRIVATE"));
    assert_null(strstr(text, "hush"));
    free(text);
    json_decref(exported);
    exported = export(f, true);
    assert_int_equal(json_array_size(json_object_get(exported, "private_keys")), 2);
    text = json_dumps(exported, 0);
    assert_non_null(strstr(text, "hush"));
    free(text);
    json_decref(exported);
}

static void replacing_removes_what_is_absent(void **state)
{
    struct fixture *f = *state;

    make_realms(f);
    assert_string_equal(
        fixture_do(f, APPLY_REPLACE, NULL, NULL,
                   "[{\"uri\":\"" R "\",\"groups\":[{\"name\":\"cashiers\",\"groups\":[]}],"
                   "\"users\":[{\"username\":\"zoe\"}],"
                   "\"grants\":[{\"roles\":\"all\",\"permissions\":[\"p\"],\"uri\":\"any\"},"
                   "{\"roles\":[\"anonymous\"],\"permissions\":[\"q\"],\"uri\":\"\"},"
                   "{\"roles\":[\"anonymous\"],\"permissions\":[\"r\"],\"uri\":\"\"}]}]"),
        "");
    assert_null(fixture_user(f, R, "mona"));
    assert_null(fixture_user(f, R, "mona-2"));
    assert_null(fixture_group(f, R, "staff"));
    assert_text(fixture_sources(f, R), "[]");
    assert_text(fixture_grants(f, R),
                "[{\"permissions\":[\"p\"],\"resource\":{\"uri\":\"any\"},\"roles\":[\"all\"]},"
                "{\"meta\":{\"c\":3},\"permissions\":[\"q\",\"r\"],"
                "\"resource\":{\"match\":\"prefix\",\"uri\":\"\"},\"roles\":[\"anonymous\"]}]");
    assert_string_equal(fixture_realm(f, R)->description, "Shop");
}

static void merging_adds_to_what_is_there(void **state)
{
    struct fixture *f = *state;

    make_realms(f);
    assert_string_equal(
        fixture_do(f, APPLY_MERGE, NULL, NULL,
                   "[{\"uri\":\"" R "\",\"users\":[{\"username\":\"new\"}],"
                   "\"grants\":[{\"roles\":\"all\",\"permissions\":[\"r\"],\"uri\":\"any\"}]}]"),
        "");
    assert_text(fixture_text(json_object_get(f->result, "counts")),
                "{\"grants\":1,\"groups\":0,\"realms\":1,\"sources\":0,\"users\":1}");
    {
        char *grants = fixture_grants(f, R);

        assert_non_null(strstr(grants, "[\"p\",\"r\"]"));
        bondy_free(grants);
    }
}

/* ---- streams of users ----------------------------------------------------------------------- */

struct batch {
    json_t *users, *counts, *errors;
};

static int import_batch(struct bondy_edit *edit, void *context)
{
    struct batch *batch = context;

    json_decref(batch->counts);
    json_decref(batch->errors);
    return bondy_import_users(edit, BONDY_SLICE(R), batch->users, &batch->counts, &batch->errors);
}

static char *import(struct fixture *f, const char *users)
{
    struct batch batch = {.users = json_loads(users, 0, NULL)};
    struct bondy_buf text = BONDY_BUF_EMPTY;
    json_t *one;
    size_t i;

    assert_int_equal(fixture_job(f, import_batch, &batch), BONDY_OK);
    bondy_json_canonical(batch.counts, &text);
    json_array_foreach(batch.errors, i, one)
    {
        bondy_buf_printf(&text, " %s %s", json_string_value(json_object_get(one, "pointer")),
                         bondy_problem_code(one));
    }
    bondy_buf_append_byte(&text, 0);
    json_decref(batch.users);
    json_decref(batch.counts);
    json_decref(batch.errors);
    return bondy_buf_take_text(&text);
}

static void users_of_a_batch_stand_alone(void **state)
{
    struct fixture *f = *state;

    make_realms(f);
    assert_text(import(f, "[{\"username\":\"new-1\"},{\"username\":\"zoe\"},"
                          "{\"username\":\"new-2\",\"groups\":[\"ghosts\"]},"
                          "{\"username\":\"new-3\",\"aliases\":[\"free\",\"mona-2\"]},"
                          "{\"username\":\"zoe\",\"meta\":{\"x\":1}},{}]"),
                "{\"added\":1,\"unchanged\":1,\"updated\":1} /2 bondy.error.no_such_groups "
                "/3 bondy.error.already_exists /5 bondy.error.missing_required_value");
    assert_null(fixture_user(f, R, "new-2"));
    assert_null(fixture_user(f, R, "new-3"));
    assert_null(fixture_user(f, R, "free"));
    assert_text(
        import(f, "[{\"username\":\"zoe\",\"password\":\"text-46-rope\"}]"),
        "{\"added\":0,\"unchanged\":0,\"updated\":0} /0/password bondy.error.internal_error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(export_wipe_import_gives_the_same_realm),
        TEST(keys_and_secrets_are_exported_only_when_asked),
        TEST(replacing_removes_what_is_absent),
        TEST(merging_adds_to_what_is_there),
        TEST(users_of_a_batch_stand_alone),
    };

    return fixture_run(tests, BONDY_COUNT(tests));
}
