/* SPDX-License-Identifier: Apache-2.0 */
/* bondy.* procedures as WAMP sessions call them: who may, under which name, with which arguments.
 * wamp-admin-api.md 1.1 to 1.5. */
#include "tests/lib/test.h"

#include <stdlib.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/sys/file.h"
#include "src/wamp/codec.h"
#include "tests/unit/admin/house.h"

struct caller {
    struct house *house;
    struct bondy_session *session;
    bool has_answer, is_error;
    char uri[256];
    json_t *args, *kwargs;
};

static void on_message(void *peer, const struct bondy_message *message)
{
    struct caller *caller = peer;

    caller->has_answer = true;
    caller->is_error = message->type == BONDY_ERROR;
    snprintf(caller->uri, sizeof caller->uri, BONDY_SLICE_FMT, BONDY_SLICE_ARG(message->uri));
    caller->args = bondy_payload_args(&message->payload);
    caller->kwargs = bondy_payload_kwargs(&message->payload);
}

static void on_closed(void *peer, const char *reason)
{
    (void)reason;
    ((struct caller *)peer)->session = NULL;
}

static void forget(struct caller *caller)
{
    json_decref(caller->args);
    json_decref(caller->kwargs);
    caller->args = caller->kwargs = NULL;
    caller->has_answer = false;
}

static void join(struct caller *caller, struct house *house, const char *realm, bool is_admin)
{
    static const struct bondy_session_local local = {on_message, on_closed};
    const struct bondy_identity identity = {.authmethod = BONDY_SLICE("anonymous"),
                                            .authrole = BONDY_SLICE("anonymous"),
                                            .is_trusted = is_admin};
    struct bondy_error err = {0};

    *caller = (struct caller){.house = house};
    caller->session = bondy_session_open_local(house->router_thread, bondy_slice_text(realm),
                                               &identity, &local, caller, &err);
    if (caller->session == NULL)
        fail_msg("%s", err.text);
}

static void leave(struct caller *caller)
{
    forget(caller);
    bondy_session_lost(caller->session);
}

/* Calls and waits; returns the error URI, or "" for a result. */
static const char *call(struct caller *caller, const char *procedure, const char *args,
                        const char *kwargs)
{
    json_t *args_tree = bondy_json_parse(bondy_slice_text(args), 32, NULL);
    json_t *kwargs_tree = bondy_json_parse(bondy_slice_text(kwargs), 32, NULL);
    struct bondy_buf bytes = BONDY_BUF_EMPTY;
    struct bondy_payload payload;

    forget(caller);
    payload = bondy_payload_make(BONDY_JSON, args_tree, kwargs_tree, &bytes);
    bondy_session_call(caller->session, bondy_slice_text(procedure),
                       &(struct bondy_call_options){0}, &payload);
    for (int i = 0; i < 1000 && !caller->has_answer; i++)
        bondy_loop_turn(caller->house->loop, 100);
    assert_true(caller->has_answer);
    json_decref(args_tree);
    json_decref(kwargs_tree);
    bondy_buf_fini(&bytes);
    return caller->is_error ? caller->uri : "";
}

static int setup(void **state)
{
    struct house *house = house_open(&(struct house_options){.allow_anonymous = true});

    json_decref(house_expect(house, 201, "POST", "/realms", "{\"uri\":\"org.acme\"}"));
    json_decref(house_expect(house, 201, "POST", "/realms", "{\"uri\":\"org.other\"}"));
    json_decref(
        house_expect(house, 201, "POST", "/realms/org.acme/grants",
                     "{\"roles\":\"all\",\"permissions\":[\"wamp.call\",\"wamp.subscribe\"],"
                     "\"uri\":\"\",\"match\":\"prefix\"}"));
    *state = house;
    return 0;
}

static int teardown(void **state)
{
    house_close(*state);
    return 0;
}

struct refused {
    struct caller *caller;
    size_t count;
};

static bool try_row(void *context, const struct bondy_procedure_info *info)
{
    struct refused *refused = context;

    if (info->mark != 'M')
        return true;
    if (strcmp(call(refused->caller, info->uri, "[\"org.acme\",{}]", "{}"),
               "wamp.error.not_authorized") != 0)
        fail_msg("%s is open to everybody", info->uri);
    refused->count++;
    return true;
}

/* Every row that is marked M, so that a new one cannot be forgotten. */
static void procedures_of_the_master_realm_are_closed_to_other_sessions(void **state)
{
    struct caller caller;
    struct refused refused = {.caller = &caller};

    join(&caller, *state, "org.acme", false);
    bondy_procedures_each(try_row, &refused);
    assert_true(refused.count >= 10);
    assert_string_equal(json_string_value(json_array_get(caller.args, 0)),
                        "You have no authorisation to perform this operation on this realm.");
    assert_true(json_is_string(json_object_get(caller.kwargs, "description")));
    leave(&caller);
}

static void a_session_may_read_its_own_realm_and_no_other(void **state)
{
    static const struct {
        const char *procedure, *args, *kwargs, *error;
    } cases[] = {
        {"bondy.ping", "[]", "{}", ""},
        {"bondy.ping", "[1]", "{}", "wamp.error.invalid_argument"},
        {"bondy.realm.get", "[]", "{}", ""},
        {"bondy.realm.get", "[\"org.acme\"]", "{}", ""},
        {"bondy.realm.get", "[\"ORG.ACME\"]", "{}", ""},
        {"bondy.realm.get", "[]", "{\"realm_uri\":\"org.acme\"}", ""},
        {"bondy.realm.get", "[\"org.other\"]", "{}", "wamp.error.not_authorized"},
        {"bondy.realm.get", "[]", "{\"realm_uri\":\"org.other\"}", "wamp.error.not_authorized"},
        {"bondy.realm.get", "[\"no.such\"]", "{}", "wamp.error.not_authorized"},
        {"bondy.realm.get", "[7]", "{}", "wamp.error.not_authorized"},
        {"bondy.realm.get", "[\"org.acme\",1]", "{}", "wamp.error.invalid_argument"},
        {"bondy.realm.security.status", "[]", "{}", ""},
        {"bondy.realm.security.status", "[\"bondy\"]", "{}", "wamp.error.not_authorized"},
        {"bondy.no.such", "[]", "{}", "wamp.error.no_such_procedure"},
    };
    struct caller caller;

    join(&caller, *state, "org.acme", false);
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        const char *error = call(&caller, cases[i].procedure, cases[i].args, cases[i].kwargs);

        if (strcmp(error, cases[i].error) != 0)
            fail_msg("%s %s %s: '%s'", cases[i].procedure, cases[i].args, cases[i].kwargs, error);
    }
    leave(&caller);
}

static void every_name_ever_used_is_answered(void **state)
{
    static const char *const names[] = {
        "bondy.realm.list",
        "com.bondy.realm.list",
        "com.leapsight.bondy.realm.list",
        "bondy.security.list_realms",
        "com.leapsight.bondy.security.list_realms",
        "bondy.http_gateway.api.list",
        "bondy.api_gateway.list",
        "com.leapsight.bondy.api_gateway.list",
        "com.leapsight.bondy.ping",
    };
    struct caller caller;

    join(&caller, *state, BONDY_MASTER_REALM, true);
    for (size_t i = 0; i < BONDY_COUNT(names); i++)
        if (*call(&caller, names[i], "[]", "{}") != '\0')
            fail_msg("%s: %s", names[i], caller.uri);
    assert_string_equal(call(&caller, "com.realm.list", "[]", "{}"),
                        "wamp.error.no_such_procedure");
    leave(&caller);
}

static void an_error_has_one_form(void **state)
{
    struct caller caller;

    join(&caller, *state, BONDY_MASTER_REALM, true);
    assert_string_equal(
        call(&caller, "bondy.realm.create", "[{\"uri\":1,\"description\":2}]", "{}"),
        "bondy.error.invalid_data");
    assert_string_equal(json_string_value(json_object_get(caller.kwargs, "code")),
                        "bondy.error.invalid_data");
    assert_int_equal(json_array_size(json_object_get(caller.kwargs, "errors")), 2);
    assert_true(
        json_equal(json_array_get(caller.args, 0), json_object_get(caller.kwargs, "message")));
    leave(&caller);
}

static void a_call_that_writes_is_answered_when_it_is_there(void **state)
{
    struct caller caller;
    struct house *house = *state;

    join(&caller, house, BONDY_MASTER_REALM, true);
    assert_string_equal(call(&caller, "bondy.realm.create", "[{\"uri\":\"org.new\"}]", "{}"), "");
    assert_non_null(bondy_realms_find(house->realms, BONDY_SLICE("org.new")));
    assert_string_equal(call(&caller, "bondy.realm.update", "[\"org.new\",{\"description\":\"d\"}]",
                             "{\"if_version\":\"0123\"}"),
                        "bondy.error.precondition_failed");
    assert_string_equal(
        call(&caller, "bondy.realm.update", "[\"org.new\",{\"description\":\"d\"}]", "{}"), "");
    assert_string_equal(call(&caller, "bondy.realm.delete", "[\"org.new\"]", "{}"), "");
    assert_null(bondy_realms_find(house->realms, BONDY_SLICE("org.new")));
    leave(&caller);
}

static void a_caller_that_left_meanwhile_harms_nobody(void **state)
{
    struct house *house = *state;
    struct bondy_buf bytes = BONDY_BUF_EMPTY;
    json_t *args = json_pack("[{s:s}]", "uri", "org.late");
    struct bondy_payload payload = bondy_payload_make(BONDY_JSON, args, NULL, &bytes);
    struct caller caller;

    join(&caller, house, BONDY_MASTER_REALM, true);
    bondy_session_call(caller.session, BONDY_SLICE("bondy.realm.create"),
                       &(struct bondy_call_options){0}, &payload);
    leave(&caller);
    for (int i = 0; i < 1000 && bondy_realms_find(house->realms, BONDY_SLICE("org.late")) == NULL;
         i++)
        bondy_loop_turn(house->loop, 10);
    assert_non_null(bondy_realms_find(house->realms, BONDY_SLICE("org.late")));
    assert_false(caller.has_answer);
    json_decref(args);
    bondy_buf_fini(&bytes);
}

static void metrics_come_as_list_and_as_text(void **state)
{
    struct caller caller;
    json_t *list, *sample;

    join(&caller, *state, BONDY_MASTER_REALM, true);
    assert_string_equal(call(&caller, "bondy.telemetry.metrics", "[]",
                             "{\"format\":\"prometheus\",\"prefix\":\"bondy_\"}"),
                        "");
    assert_true(json_is_string(json_array_get(caller.args, 0)));
    assert_string_equal(call(&caller, "bondy.telemetry.metrics", "[]", "{\"prefix\":\"bondy_\"}"),
                        "");
    list = json_array_get(caller.args, 0);
    assert_true(json_array_size(list) > 0);
    sample = json_array_get(list, 0);
    assert_int_equal(strncmp(json_string_value(json_object_get(sample, "name")), "bondy_", 6), 0);
    assert_true(json_is_object(json_object_get(sample, "labels")));
    assert_string_equal(call(&caller, "bondy.telemetry.metrics", "[]", "{\"format\":\"xml\"}"),
                        "bondy.error.invalid_value");
    leave(&caller);
}

struct page {
    const char *text;
    unsigned count;
};

/* "| `uri` | M | `args` | help | old names |", as the table has it. */
static bool find_in_page(void *context, const struct bondy_procedure_info *info)
{
    struct bondy_buf row = BONDY_BUF_EMPTY;
    struct page *page = context;

    bondy_buf_printf(&row, "\n| `%s` | %c | %s%s%s%s| %s |", info->uri, info->mark,
                     *info->args == '\0' ? "" : "`", info->args, *info->args == '\0' ? "" : "`",
                     *info->args == '\0' ? "" : " ", info->help);
    for (const char *const *old = info->aliases; old != NULL && *old != NULL; old++)
        bondy_buf_printf(&row, "%s`%s`", old == info->aliases ? " " : ", ", *old);
    bondy_buf_append_text(&row, " |\n");
    bondy_buf_append_byte(&row, '\0');
    if (strstr(page->text, row.data) == NULL)
        fail_msg("docs/reference/procedures.md has no row %s", row.data);
    page->count++;
    bondy_buf_fini(&row);
    return true;
}

static void the_reference_has_every_procedure_and_no_other(void **state)
{
    const char *source = getenv("srcdir");
    struct bondy_buf text = BONDY_BUF_EMPTY;
    struct bondy_error err = {0};
    struct page page = {NULL, 0};
    unsigned rows = 0;
    char path[512];

    (void)state;
    snprintf(path, sizeof path, "%s/docs/reference/procedures.md", source == NULL ? "." : source);
    if (bondy_file_read(path, 1 << 20, &text, &err) < 0)
        fail_msg("%s", err.text);
    bondy_buf_append_byte(&text, '\0');
    page.text = text.data;
    bondy_procedures_each(find_in_page, &page);
    for (const char *at = text.data; (at = strstr(at, " | M | ")) != NULL; at++)
        rows++;
    for (const char *at = text.data; (at = strstr(at, " | R | ")) != NULL; at++)
        rows++;
    for (const char *at = text.data; (at = strstr(at, " | A | ")) != NULL; at++)
        rows++;
    assert_int_equal(rows, page.count);
    bondy_buf_fini(&text);
}

/* The catalogue for programs says the same, old names too. */
static bool find_described(void *context, const struct bondy_procedure_info *info)
{
    const json_t *list = context, *row;
    size_t i;

    json_array_foreach((json_t *)list, i, row)
    {
        if (bondy_slice_is(bondy_json_text(row, "procedure"), info->uri)) {
            assert_null(json_object_get(row, "deprecated_by"));
            assert_int_equal(*json_string_value(json_object_get(row, "scope")), info->mark);
            return true;
        }
    }
    fail_msg("%s is not described", info->uri);
    return false;
}

static void procedures_are_described_for_programs(void **state)
{
    struct caller caller;

    join(&caller, *state, "org.acme", false);
    assert_string_equal(call(&caller, "bondy.api.describe", "[]", "{}"), "");
    bondy_procedures_each(find_described, json_array_get(caller.args, 0));
    leave(&caller);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(procedures_of_the_master_realm_are_closed_to_other_sessions),
        TEST(a_session_may_read_its_own_realm_and_no_other),
        TEST(every_name_ever_used_is_answered),
        TEST(an_error_has_one_form),
        TEST(a_call_that_writes_is_answered_when_it_is_there),
        TEST(a_caller_that_left_meanwhile_harms_nobody),
        TEST(metrics_come_as_list_and_as_text),
        TEST(procedures_are_described_for_programs),
        cmocka_unit_test(the_reference_has_every_procedure_and_no_other),
    };

    assert_int_equal(bondy_id_start(NULL), BONDY_OK);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
