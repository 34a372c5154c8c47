/* SPDX-License-Identifier: Apache-2.0 */
/* The admin REST API from the client's side. admin-http-api.md 2, 5 and 7; http-gateway.md 8. */
#include "tests/lib/test.h"

#include <stdio.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "tests/unit/admin/house.h"

static const struct house_options open_to_all = {.allow_anonymous = true};

#define REALM "{\"uri\":\"org.acme\",\"description\":\"Shop\"}"
#define API(id, path)                                                                              \
    "{\"id\":\"" id "\",\"name\":\"n\",\"host\":\"_\",\"realm_uri\":\"org.acme\",\"versions\":"    \
    "{\"1.0.0\":{\"base_path\":\"\",\"paths\":{\"" path "\":{\"get\":{\"action\":{\"type\":"       \
    "\"static\",\"body\":{\"from\":\"" id "\"},\"status_code\":200}}}}}}}"

static int setup(void **state)
{
    *state = house_open(&open_to_all);
    return 0;
}

static int teardown(void **state)
{
    house_close(*state);
    return 0;
}

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? "" : text;
}

/* A request of which only status and error code matter. */
static void expect_code(struct house *house, unsigned status, const char *code, const char *method,
                        const char *path, const char *body)
{
    json_t *problem = house_expect(house, status, method, path, body);

    assert_string_equal(text_at(problem, "code"), code);
    assert_true(json_is_string(json_object_get(problem, "message")));
    assert_true(json_is_string(json_object_get(problem, "description")));
    json_decref(problem);
}

static void expect(struct house *house, unsigned status, const char *method, const char *path,
                   const char *body)
{
    json_decref(house_expect(house, status, method, path, body));
}

static void a_realm_lives_from_post_to_delete(void **state)
{
    struct house *house = *state;
    struct http_reply reply;
    json_t *realm;

    assert_int_equal(house_ask(house, "POST", "/realms", NULL, REALM, &reply), 201);
    assert_string_equal(http_reply_header(&reply, "location"), "/realms/org.acme");
    assert_non_null(http_reply_header(&reply, "etag"));
    http_reply_fini(&reply);
    realm = house_expect(house, 200, "GET", "/realms/org.acme", NULL);
    assert_string_equal(text_at(realm, "description"), "Shop");
    assert_string_equal(text_at(realm, "security_status"), "enabled");
    assert_int_equal(json_array_size(json_object_get(realm, "public_keys")), 3);
    json_decref(realm);
    realm = house_expect(house, 200, "PUT", "/v1.0/realms/org.acme/", "{\"description\":\"New\"}");
    assert_string_equal(text_at(realm, "description"), "New");
    json_decref(realm);
    realm = house_expect(house, 200, "GET", "/realms", NULL);
    assert_int_equal(json_array_size(realm), 2); /* the master realm too */
    json_decref(realm);
    expect(house, 204, "DELETE", "/realms/org.acme", NULL);
    expect_code(house, 404, "bondy.error.not_found", "DELETE", "/realms/org.acme", NULL);
    expect_code(house, 404, "bondy.error.not_found", "GET", "/realms/org.acme", NULL);
}

static void what_is_wrong_with_a_realm_is_said(void **state)
{
    static const struct {
        const char *method, *path, *body;
        unsigned status;
        const char *code;
    } cases[] = {
        {"POST", "/realms", "{}", 400, "bondy.error.missing_required_value"},
        {"POST", "/realms", "{\"uri\":7}", 400, "bondy.error.invalid_datatype"},
        {"POST", "/realms", "{\"uri\":\"a b\"}", 400, "bondy.error.invalid_value"},
        {"POST", "/realms", "{\"uri\":\"a\",\"x\":1}", 400, "bondy.error.invalid_data"},
        {"POST", "/realms", "{\"uri\":\"bondy\"}", 400, "wamp.error.invalid_argument"},
        {"POST", "/realms", "{\"uri\":\"a\",\"users\":7}", 400, "bondy.error.invalid_datatype"},
        {"POST", "/realms", REALM, 409, "bondy.error.already_exists"},
        {"POST", "/realms?dry_run=true", REALM, 409, "bondy.error.already_exists"},
        {"PUT", "/realms/no.such", "{}", 404, "bondy.error.not_found"},
        {"DELETE", "/realms/com.leapsight.bondy", NULL, 400, "wamp.error.invalid_argument"},
        {"GET", "/realms/no.such/security_enabled", NULL, 404, "bondy.error.not_found"},
    };
    struct house *house = *state;

    expect(house, 201, "POST", "/realms", REALM);
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        print_message("%s %s %s\n", cases[i].method, cases[i].path,
                      cases[i].body == NULL ? "" : cases[i].body);
        expect_code(house, cases[i].status, cases[i].code, cases[i].method, cases[i].path,
                    cases[i].body);
    }
}

static void requests_that_are_no_requests_are_refused(void **state)
{
    struct house *house = *state;
    struct http_reply reply;

    expect(house, 400, "POST", "/realms", "{\"uri\":");
    expect(house, 404, "GET", "/no/such/path", NULL);
    expect(house, 405, "PATCH", "/api_specs", "{}");
    assert_int_equal(
        house_ask(house, "POST", "/realms", "Content-Type: text/plain\r\n", "x", &reply), 415);
    http_reply_fini(&reply);
    assert_int_equal(house_ask(house, "GET", "/realms", "Accept: text/html\r\n", NULL, &reply),
                     406);
    http_reply_fini(&reply);
}

static void security_is_a_resource_of_its_own(void **state)
{
    struct house *house = *state;
    struct http_reply reply;

    expect(house, 201, "POST", "/realms", REALM);
    assert_int_equal(
        house_ask(house, "GET", "/realms/org.acme/security_enabled", NULL, NULL, &reply), 200);
    assert_string_equal(reply.body.data, "true");
    http_reply_fini(&reply);
    expect(house, 204, "DELETE", "/realms/org.acme/security_enabled", NULL);
    house_ask(house, "GET", "/realms/org.acme/security_enabled", NULL, NULL, &reply);
    assert_string_equal(reply.body.data, "false");
    http_reply_fini(&reply);
    expect(house, 204, "PUT", "/realms/org.acme/security_enabled", NULL);
    expect_code(house, 400, "wamp.error.invalid_argument", "DELETE",
                "/realms/bondy/security_enabled", NULL);
}

static void a_stale_etag_is_refused(void **state)
{
    struct house *house = *state;
    struct http_reply reply;
    char header[128];

    expect(house, 201, "POST", "/realms", REALM);
    house_ask(house, "GET", "/realms/org.acme", NULL, NULL, &reply);
    snprintf(header, sizeof header, "If-Match: %s\r\n", http_reply_header(&reply, "etag"));
    http_reply_fini(&reply);
    assert_int_equal(house_ask(house, "PUT", "/realms/org.acme", header,
                               "{\"allow_connections\":false}", &reply),
                     200);
    http_reply_fini(&reply);
    assert_int_equal(
        house_ask(house, "PUT", "/realms/org.acme", header, "{\"description\":\"b\"}", &reply),
        412);
    assert_non_null(strstr(reply.body.data, "bondy.error.precondition_failed"));
    http_reply_fini(&reply);
    assert_int_equal(house_ask(house, "DELETE", "/realms/org.acme", header, NULL, &reply), 412);
    http_reply_fini(&reply);
}

static void a_loaded_api_is_served_at_once(void **state)
{
    struct house *house = *state;
    struct http_reply reply;
    json_t *answer;

    expect(house, 201, "POST", "/realms", REALM);
    assert_int_equal(house_ask_public(house, "GET", "/one", NULL, &reply), 404);
    http_reply_fini(&reply);
    answer = house_expect(house, 201, "POST", "/api_specs", API("a", "/one"));
    assert_string_equal(text_at(answer, "id"), "a");
    assert_int_equal(json_integer_value(json_object_get(answer, "revision")), 1);
    assert_int_equal(json_array_size(json_object_get(answer, "routes")), 1);
    json_decref(answer);
    assert_int_equal(house_ask_public(house, "GET", "/one", NULL, &reply), 200);
    assert_string_equal(reply.body.data, "{\"from\":\"a\"}");
    http_reply_fini(&reply);
    answer = house_expect(house, 200, "POST", "/api_specs", API("a", "/two"));
    assert_int_equal(json_integer_value(json_object_get(answer, "revision")), 2);
    json_decref(answer);
    assert_int_equal(house_ask_public(house, "GET", "/one", NULL, &reply), 404);
    http_reply_fini(&reply);
    assert_int_equal(house_ask_public(house, "GET", "/two", NULL, &reply), 200);
    http_reply_fini(&reply);
    expect(house, 204, "DELETE", "/api_specs/a", NULL);
    assert_int_equal(house_ask_public(house, "GET", "/two", NULL, &reply), 404);
    http_reply_fini(&reply);
    expect_code(house, 404, "bondy.error.not_found", "DELETE", "/api_specs/a", NULL);
}

static void a_loaded_api_can_be_read(void **state)
{
    struct house *house = *state;
    json_t *answer;
    char *text;

    expect(house, 201, "POST", "/realms", REALM);
    expect(house, 201, "PUT", "/api_specs/a", API("a", "/one"));
    answer = house_expect(house, 200, "GET", "/api_specs/a", NULL);
    assert_string_equal(text_at(answer, "status"), "active");
    assert_true(json_is_integer(json_object_get(answer, "ts")));
    text = json_dumps(answer, 0);
    expect(house, 200, "PUT", "/api_specs/a", text); /* what GET gives can be sent back */
    free(text);
    json_decref(answer);
    answer = house_expect(house, 200, "GET", "/api_specs/a/info", NULL);
    assert_int_equal(json_object_size(answer), 5); /* it has no meta */
    json_decref(answer);
    answer = house_expect(house, 200, "GET", "/api_specs/a/routes", NULL);
    assert_int_equal(json_array_size(answer), 1);
    json_decref(answer);
    answer = house_expect(house, 200, "GET", "/api_specs", NULL);
    assert_int_equal(json_array_size(answer), 1);
    json_decref(answer);
    expect(house, 404, "GET", "/api_specs/b", NULL);
    expect(house, 404, "GET", "/api_specs/b/info", NULL);
    expect(house, 404, "GET", "/api_specs/b/routes", NULL);
    expect(house, 204, "POST", "/services/load_api_spec", API("a", "/one"));
}

static void a_dry_run_stores_nothing(void **state)
{
    struct house *house = *state;
    json_t *answer;

    expect(house, 201, "POST", "/realms", REALM);
    answer = house_expect(house, 200, "POST", "/api_specs?dry_run=true", API("a", "/one"));
    assert_true(json_is_true(json_object_get(answer, "valid")));
    assert_int_equal(json_array_size(json_object_get(answer, "routes")), 1);
    assert_true(json_is_array(json_object_get(answer, "warnings")));
    json_decref(answer);
    expect(house, 404, "GET", "/api_specs/a", NULL);
}

static void every_mistake_of_every_document_is_reported_and_nothing_loaded(void **state)
{
    struct house *house = *state;
    json_t *answer, *error;
    size_t index;
    bool has_second = false;

    expect(house, 201, "POST", "/realms", REALM);
    answer = house_expect(house, 422, "POST", "/api_specs",
                          "[" API("a", "/one") ",{\"id\":\"b\",\"host\":7}]");
    assert_string_equal(text_at(answer, "code"), "bondy.error.invalid_data");
    json_array_foreach(json_object_get(answer, "errors"), index, error) has_second |=
        strncmp(text_at(error, "pointer"), "/1/", 3) == 0;
    assert_true(has_second);
    json_decref(answer);
    expect(house, 404, "GET", "/api_specs/a", NULL);
    answer = house_expect(house, 201, "POST", "/api_specs",
                          "[" API("a", "/one") "," API("b", "/two") "]");
    assert_int_equal(json_array_size(answer), 2);
    json_decref(answer);
    answer =
        house_expect(house, 422, "POST", "/api_specs", "[" API("c", "/c") "," API("c", "/d") "]");
    json_decref(answer);
    answer = house_expect(house, 422, "PUT", "/api_specs/x", API("y", "/y"));
    json_decref(answer);
    expect_code(house, 400, "wamp.error.invalid_argument", "POST", "/api_specs",
                "{\"id\":\"z\",\"name\":\"n\",\"host\":\"_\",\"realm_uri\":\"no.such\","
                "\"versions\":{\"1\":{\"base_path\":\"\",\"paths\":{}}}}");
}

/* http-gateway.md 8.3: quarantine. */
static void an_api_waits_for_its_realm_without_harm_to_others(void **state)
{
    struct house *house = *state;
    struct http_reply reply;
    json_t *answer;

    expect(house, 201, "POST", "/realms", REALM);
    expect(house, 201, "POST", "/realms", "{\"uri\":\"org.other\"}");
    expect(house, 201, "POST", "/api_specs", API("a", "/one"));
    expect(house, 204, "DELETE", "/realms/org.acme", NULL);
    answer = house_expect(house, 200, "GET", "/api_specs/a", NULL);
    assert_string_equal(text_at(answer, "status"), "orphan");
    json_decref(answer);
    assert_int_equal(house_ask_public(house, "GET", "/one", NULL, &reply), 404);
    http_reply_fini(&reply);
    house = house_reopen(house, &open_to_all);
    answer = house_expect(house, 200, "GET", "/api_specs/a", NULL);
    assert_string_equal(text_at(answer, "status"), "orphan");
    json_decref(answer);
    expect(house, 201, "POST", "/realms", REALM);
    answer = house_expect(house, 200, "GET", "/api_specs/a", NULL);
    assert_string_equal(text_at(answer, "status"), "active");
    json_decref(answer);
    assert_int_equal(house_ask_public(house, "GET", "/one", NULL, &reply), 200);
    http_reply_fini(&reply);
}

static void a_loaded_api_is_served_after_a_restart(void **state)
{
    struct house *house = *state;
    struct http_reply reply;

    expect(house, 201, "POST", "/realms", REALM);
    expect(house, 201, "POST", "/api_specs", API("a", "/one"));
    house = house_reopen(house, &open_to_all);
    assert_int_equal(house_ask_public(house, "GET", "/one", NULL, &reply), 200);
    http_reply_fini(&reply);
}

static void any_procedure_can_be_called(void **state)
{
    struct house *house = *state;
    json_t *answer;

    answer = house_expect(house, 200, "POST", "/services/call", "{\"procedure\":\"bondy.ping\"}");
    assert_string_equal(json_string_value(json_array_get(json_object_get(answer, "args"), 0)),
                        "pong");
    assert_true(json_is_object(json_object_get(answer, "kwargs")));
    assert_true(json_is_object(json_object_get(answer, "details")));
    json_decref(answer);
    answer = house_expect(house, 404, "POST", "/services/call",
                          "{\"procedure\":\"com.leapsight.bondy.realm.get\",\"args\":[\"x.y\"]}");
    assert_string_equal(text_at(answer, "error_uri"), "bondy.error.not_found");
    assert_string_equal(text_at(json_object_get(answer, "kwargs"), "message"), "x.y");
    json_decref(answer);
    answer = house_expect(house, 200, "POST", "/services/call",
                          "{\"procedure\":\"bondy.security.list_realms\"}");
    json_decref(answer);
    answer = house_expect(house, 400, "POST", "/services/call",
                          "{\"procedure\":\"bondy.realm.create\"}");
    assert_string_equal(text_at(answer, "error_uri"), "wamp.error.invalid_argument");
    json_decref(answer);
    expect(house, 501, "POST", "/services/call", "{\"procedure\":\"bondy.no.such\"}");
    expect(house, 400, "POST", "/services/call", "{}");
    answer = house_expect(house, 200, "POST", "/services/call",
                          "{\"procedure\":\"bondy.telemetry.metrics\"}");
    assert_true(json_is_array(json_array_get(json_object_get(answer, "args"), 0)));
    json_decref(answer);
    expect(house, 200, "POST", "/services/call", "{\"procedure\":\"bondy.status\"}");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_realm_lives_from_post_to_delete),
        TEST(what_is_wrong_with_a_realm_is_said),
        TEST(requests_that_are_no_requests_are_refused),
        TEST(security_is_a_resource_of_its_own),
        TEST(a_stale_etag_is_refused),
        TEST(a_loaded_api_is_served_at_once),
        TEST(a_loaded_api_can_be_read),
        TEST(a_dry_run_stores_nothing),
        TEST(every_mistake_of_every_document_is_reported_and_nothing_loaded),
        TEST(an_api_waits_for_its_realm_without_harm_to_others),
        TEST(a_loaded_api_is_served_after_a_restart),
        TEST(any_procedure_can_be_called),
    };

    assert_int_equal(bondy_id_start(NULL), BONDY_OK);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
