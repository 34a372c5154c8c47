/* SPDX-License-Identifier: Apache-2.0 */
/* bondy.oauth2.token.* as WAMP sessions call them: wamp-admin-api.md 2.8, oauth2-oidc.md 3.7. */
#include "tests/lib/test.h"

#include <stdlib.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/security/credential/token.h"
#include "src/security/token/refresh.h"
#include "tests/unit/admin/caller.h"

#define ACME "org.acme"

static int setup(void **state)
{
    struct house *house = house_open(&(struct house_options){.allow_anonymous = true});
    struct caller admin;

    json_decref(house_expect(
        house, 201, "POST", "/realms",
        "{\"uri\":\"org.acme\",\"authmethods\":[\"password\",\"oauth2\"],"
        "\"groups\":[{\"name\":\"staff\"}],\"users\":["
        "{\"username\":\"mona\",\"password\":\"kettle-46-rope\",\"groups\":[\"staff\"]},"
        "{\"username\":\"zoe\"}],"
        "\"grants\":[{\"roles\":\"all\",\"permissions\":[\"wamp.call\"],"
        "\"uri\":\"\",\"match\":\"prefix\"},{\"roles\":[\"mona\"],\"permissions\":[\"bondy.issue\"]"
        ",\"uri\":\"bondy.oauth2.token\",\"match\":\"exact\"}]}"));
    join(&admin, house, BONDY_MASTER_REALM, NULL);
    must(&admin, "bondy.realm.keys.rotate", "['org.acme']");
    leave(&admin);
    *state = house;
    return 0;
}

static int teardown(void **state)
{
    house_close(*state);
    return 0;
}

/* ---- a token from the endpoint ----------------------------------------------------------------*/

struct issuing {
    struct bondy_store_job job;
    struct bondy_edit edit;
    struct bondy_refresh_issue issue;
};

static int run_issue(struct bondy_store_job *job, struct bondy_store_write *write,
                     struct bondy_error *err)
{
    struct issuing *self = BONDY_CONTAINER(job, struct issuing, job);

    (void)err;
    bondy_edit_start(&self->edit, write);
    return bondy_edit_end(&self->edit, bondy_refresh_apply_issue(&self->edit, &self->issue));
}

/* mona's, for the client `till` and a device; the caller frees the text. `id` may be NULL. */
static char *issue(struct house *house, const char *device, char *id)
{
    const struct bondy_token_rules *rules = bondy_token_settings_now(house->tokens);
    struct issuing self = {.job.run = run_issue,
                           .edit.rules = &house->rules,
                           .issue = {.rules = rules,
                                     .realm = BONDY_SLICE(ACME),
                                     .client_id = BONDY_SLICE("till"),
                                     .device_id = bondy_slice_text(device)}};
    struct bondy_store_view *view;
    struct bondy_user user;
    int rc;

    assert_int_equal(bondy_store_view_begin(house->store, &view, NULL), BONDY_OK);
    assert_true(bondy_user_resolve(view, bondy_realms_find(house->realms, BONDY_SLICE(ACME)),
                                   BONDY_SLICE("mona"), &user));
    bondy_store_view_end(view);
    bondy_refresh_prepare(&self.issue, &user);
    bondy_publish_idle();
    rc = bondy_store_run_wait(house->store, &self.job, NULL);
    bondy_publish_busy();
    assert_int_equal(rc, BONDY_OK);
    bondy_edit_fini(&self.edit);
    bondy_user_fini(&user);
    if (id != NULL)
        memcpy(id, self.issue.id, sizeof self.issue.id);
    return bondy_strdup(self.issue.text);
}

static const char *answer_text(struct caller *caller, const char *key)
{
    const char *text = json_string_value(json_object_get(json_array_get(caller->args, 0), key));

    if (text == NULL)
        fail_msg("no %s", key);
    return text;
}

static const char *refresh(struct caller *caller, const char *client, const char *token)
{
    return call_with(caller, "bondy.oauth2.token.refresh", json_pack("[s, s]", client, token),
                     NULL);
}

static size_t count_audit(struct caller *admin, const char *action, const char *outcome)
{
    assert_string_equal(call_with(admin, "bondy.audit.query", NULL,
                                  json_pack("{s:s, s:s}", "action", action, "outcome", outcome)),
                        "");
    return json_array_size(json_array_get(admin->args, 0));
}

/* ---- get --------------------------------------------------------------------------------------*/

static void a_session_gets_an_access_token_with_permission(void **state)
{
    struct house *house = *state;
    struct caller admin, mona, zoe;
    struct bondy_token token;

    join(&admin, house, BONDY_MASTER_REALM, NULL);
    join(&mona, house, ACME, "mona");
    join(&zoe, house, ACME, "zoe");
    assert_string_equal(call(&zoe, "bondy.oauth2.token.get", "[]", "{}"),
                        "wamp.error.not_authorized");
    assert_string_equal(call(&mona, "bondy.oauth2.token.get", "[1]", "{}"),
                        "wamp.error.invalid_argument");
    must(&mona, "bondy.oauth2.token.get", "[]");
    assert_string_equal(answer_text(&mona, "token_type"), "bearer");
    assert_string_equal(answer_text(&mona, "scope"), "staff");
    assert_int_equal(json_object_size(json_array_get(mona.args, 0)), 4);
    assert_int_equal(
        json_integer_value(json_object_get(json_array_get(mona.args, 0), "expires_in")), 900);
    assert_int_equal(
        bondy_token_peek(bondy_slice_text(answer_text(&mona, "access_token")), &token, NULL),
        BONDY_OK);
    assert_true(bondy_slice_is(bondy_json_text(token.claims, "sub"), "mona"));
    assert_null(json_object_get(token.claims, "sid"));
    assert_null(json_object_get(json_object_get(token.claims, "auth"), "limited"));
    bondy_token_fini(&token);
    assert_int_equal(count_audit(&admin, "token.issue", "ok"), 1);
    assert_int_equal(count_audit(&admin, "token.issue", "denied"), 1);
    leave(&zoe);
    leave(&mona);
    leave(&admin);
}

/* ---- refresh ----------------------------------------------------------------------------------*/

static void a_refresh_uses_its_token_up_and_a_reuse_is_told_to_the_audit_log(void **state)
{
    struct house *house = *state;
    char id[BONDY_REFRESH_ID], *first = issue(house, "phone", id), *second;
    struct caller admin, mona, zoe;
    struct bondy_token token;

    join(&admin, house, BONDY_MASTER_REALM, NULL);
    join(&mona, house, ACME, "mona");
    join(&zoe, house, ACME, "zoe");
    assert_string_equal(refresh(&zoe, "till", first), "wamp.error.not_authorized");
    assert_string_equal(refresh(&mona, "kiosk", first), "bondy.error.invalid_grant");
    assert_string_equal(refresh(&mona, "", first), "bondy.error.invalid_value");
    assert_string_equal(refresh(&mona, "till", "x"), "bondy.error.invalid_grant");
    /* A dry run gives nothing away and uses nothing up. */
    assert_string_equal(call_with(&mona, "bondy.oauth2.token.refresh",
                                  json_pack("[s, s]", "till", first),
                                  json_pack("{s:b}", "dry_run", true)),
                        "");
    assert_null(json_array_get(mona.args, 0));
    assert_string_equal(refresh(&mona, "TILL", first), "");
    second = bondy_strdup(answer_text(&mona, "refresh_token"));
    assert_int_equal(
        bondy_token_peek(bondy_slice_text(answer_text(&mona, "access_token")), &token, NULL),
        BONDY_OK);
    assert_true(bondy_slice_is(bondy_json_text(token.claims, "sid"), id));
    assert_true(bondy_slice_is(bondy_json_text(token.claims, "client_id"), "till"));
    bondy_token_fini(&token);
    assert_int_equal(count_audit(&admin, "token.reuse", "denied"), 0);
    assert_string_equal(refresh(&mona, "till", first), "bondy.error.invalid_grant");
    assert_int_equal(count_audit(&admin, "token.reuse", "denied"), 1);
    assert_string_equal(refresh(&mona, "till", second), "bondy.error.invalid_grant");
    assert_int_equal(count_audit(&admin, "token.reuse", "denied"), 1);
    assert_int_equal(count_audit(&admin, "token.issue", "ok"), 1);
    bondy_free(first);
    bondy_free(second);
    leave(&zoe);
    leave(&mona);
    leave(&admin);
}

/* ---- list and revoke --------------------------------------------------------------------------*/

static void tokens_are_listed_without_their_text_and_end_in_many_ways(void **state)
{
    struct house *house = *state;
    char ids[4][BONDY_REFRESH_ID], *texts[4];
    struct caller admin, mona;
    char *listed;
    json_t *args;

    for (unsigned i = 0; i < 4; i++)
        texts[i] = issue(house, i == 0 ? NULL : ids[i - 1], ids[i]);
    join(&admin, house, BONDY_MASTER_REALM, NULL);
    join(&mona, house, ACME, "mona");
    must(&mona, "bondy.oauth2.token.list", "['mona']");
    assert_int_equal(json_array_size(json_array_get(mona.args, 0)), 4);
    listed = json_dumps(mona.args, 0);
    for (unsigned i = 0; i < 4; i++) {
        assert_non_null(strstr(listed, ids[i]));
        assert_null(strstr(listed, texts[i] + strlen("bondy:rtoken:1:")));
    }
    free(listed);
    /* Unknown, another client's: no error, no effect. */
    must(&mona, "bondy.oauth2.token.revoke", "['till','x']");
    args = json_pack("[s, s]", "kiosk", texts[0]);
    assert_string_equal(call_with(&mona, "bondy.oauth2.token.revoke", args, NULL), "");
    must(&mona, "bondy.oauth2.token.list", "['org.acme','mona']");
    assert_int_equal(json_array_size(json_array_get(mona.args, 0)), 4);
    /* By its text, under the old name. */
    args = json_pack("[s, s, s]", ACME, "till", texts[0]);
    assert_string_equal(call_with(&admin, "bondy.oauth2.revoke_token", args, NULL), "");
    assert_string_equal(admin.deprecated, "bondy.oauth2.token.revoke");
    assert_string_equal(refresh(&mona, "till", texts[0]), "bondy.error.invalid_grant");
    /* By its id. */
    args = json_pack("[n, s]", ids[1]);
    assert_string_equal(
        call_with(&mona, "bondy.oauth2.token.revoke", args, json_pack("{s:s}", "authid", "mona")),
        "");
    args = json_pack("[s, n, s, s]", ACME, ids[1], "mona");
    assert_string_equal(call_with(&mona, "bondy.oauth2.token.revoke", args, NULL),
                        "bondy.error.not_found");
    assert_string_equal(call(&mona, "bondy.oauth2.token.revoke", "[null,'x']", "{}"),
                        "bondy.error.invalid_value");
    assert_string_equal(call(&mona, "bondy.oauth2.token.revoke", "['till',null]", "{}"),
                        "bondy.error.invalid_value");
    /* Those of a client, and all. */
    must(&mona, "bondy.oauth2.token.revoke_all", "['kiosk','mona']");
    must(&mona, "bondy.oauth2.token.list", "['mona']");
    assert_int_equal(json_array_size(json_array_get(mona.args, 0)), 2);
    must(&mona, "bondy.oauth2.token.revoke_all", "[null,'mona']");
    must(&mona, "bondy.oauth2.token.list", "['mona']");
    assert_int_equal(json_array_size(json_array_get(mona.args, 0)), 0);
    assert_string_equal(call(&mona, "bondy.oauth2.revoke_tokens", "[null,'nobody']", "{}"),
                        "wamp.error.no_such_principal");
    assert_string_equal(call(&mona, "bondy.oauth2.token.list", "['nobody']", "{}"),
                        "wamp.error.no_such_principal");
    assert_true(count_audit(&admin, "token.revoke", "ok") >= 4);
    for (unsigned i = 0; i < 4; i++)
        bondy_free(texts[i]);
    leave(&mona);
    leave(&admin);
}

static void looking_one_up_is_no_more(void **state)
{
    static const char *const names[] = {"bondy.oauth2.token.lookup", "bondy.oauth2.lookup_token"};
    struct caller mona;

    join(&mona, *state, ACME, "mona");
    for (size_t i = 0; i < BONDY_COUNT(names); i++)
        assert_string_equal(call(&mona, names[i], "['org.acme','x']", "{}"),
                            "bondy.error.deprecated_procedure");
    leave(&mona);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_session_gets_an_access_token_with_permission),
        TEST(a_refresh_uses_its_token_up_and_a_reuse_is_told_to_the_audit_log),
        TEST(tokens_are_listed_without_their_text_and_end_in_many_ways),
        TEST(looking_one_up_is_no_more),
    };

    assert_int_equal(bondy_id_start(NULL), BONDY_OK);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
