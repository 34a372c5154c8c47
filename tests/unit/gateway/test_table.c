/* SPDX-License-Identifier: Apache-2.0 */
/* The route table: http-gateway.md 1.4. */
#include "tests/lib/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/spec/table.h"
#include "src/base/alloc.h"
#include "src/base/id.h"

/* A specification whose operations call a procedure named after their path's position: the list is
 * "METHOD path", ended by NULL. */
static struct bondy_spec *spec_of(const char *id, const char *host, const char *const *routes)
{
    json_t *paths = json_object();
    json_t *document;
    struct bondy_spec *spec = NULL;
    json_t *problems = NULL;

    for (; *routes != NULL; routes++) {
        char method[16];
        const char *path = strchr(*routes, ' ') + 1;
        json_t *object = json_object_get(paths, path);

        snprintf(method, sizeof method, "%.*s", (int)(path - *routes - 1), *routes);
        if (object == NULL) {
            object = json_object();
            json_object_set_new(paths, path, object);
        }
        json_object_set_new(object, method,
                            json_pack("{s:{s:s, s:s}}", "action", "type", "static", "body", path));
    }
    document = json_pack("{s:s, s:s, s:s, s:{s:{s:s, s:o}}}", "id", id, "host", host, "realm_uri",
                         "r", "versions", "1", "base_path", "", "paths", paths);
    if (bondy_spec_load(document, NULL, &spec, &problems, NULL) < 0) {
        char *text = json_dumps(problems, 0);

        print_error("%s\n", text);
        free(text);
    }
    assert_non_null(spec);
    json_decref(document);
    return spec;
}

/* "api:path name=value name=value", "405 ALLOW", or "404". */
static char *find(const struct bondy_route_table *table, const char *host, const char *path,
                  enum bondy_method method)
{
    struct bondy_path_parts host_parts, path_parts;
    char host_scratch[128], path_scratch[512];
    struct bondy_route_match match;
    struct bondy_buf out = BONDY_BUF_EMPTY;

    assert_int_equal(bondy_host_split(bondy_slice_text(host), host_scratch, &host_parts, NULL),
                     BONDY_OK);
    assert_int_equal(bondy_path_split(bondy_slice_text(path), path_scratch, &path_parts, NULL),
                     BONDY_OK);
    if (!bondy_route_table_find(table, BONDY_SCHEME_HTTP, &host_parts, &path_parts, method,
                                &match)) {
        bondy_buf_append_text(&out, "404");
    } else if (match.operation == NULL) {
        char allow[64];

        bondy_route_allow(match.methods, allow);
        bondy_buf_printf(&out, "405 %s", allow);
    } else {
        bondy_buf_printf(&out, "%s:%s", match.path->version->spec->id, match.path->key);
        for (size_t i = 0; i < match.binding_count; i++)
            bondy_buf_printf(&out, " " BONDY_SLICE_FMT "=" BONDY_SLICE_FMT,
                             BONDY_SLICE_ARG(match.bindings[i].name),
                             BONDY_SLICE_ARG(match.bindings[i].value));
    }
    return bondy_buf_take_text(&out);
}

static void expect(const struct bondy_route_table *table, const char *host, const char *path,
                   enum bondy_method method, const char *wanted)
{
    char *got = find(table, host, path, method);

    if (strcmp(got, wanted) != 0)
        print_error("%s %s\n", host, path);
    assert_string_equal(got, wanted);
    bondy_free(got);
}

static void the_most_specific_route_wins_whatever_the_order(void **state)
{
    static const char *const ROUTES[] = {"get /[...]",
                                         "get /users/:_/x",
                                         "get /users/:id",
                                         "get /users/me",
                                         "get /users/:id/:part",
                                         "get /:a/me",
                                         "get /users/[...]",
                                         "get /twice/:x/:x",
                                         "get /twice/:x/:y",
                                         "get /opt/[b/[:c]]",
                                         NULL};
    static const char *const BACKWARDS[] = {"get /opt/[b/[:c]]",
                                            "get /twice/:x/:y",
                                            "get /twice/:x/:x",
                                            "get /users/[...]",
                                            "get /:a/me",
                                            "get /users/:id/:part",
                                            "get /users/me",
                                            "get /users/:id",
                                            "get /users/:_/x",
                                            "get /[...]",
                                            NULL};
    static const struct {
        const char *path;
        const char *wanted;
    } ROWS[] = {
        {"/", "a:/[...]"},
        {"/users", "a:/users/[...]"},
        {"/users/me", "a:/users/me"},
        {"/users//me/", "a:/users/me"},
        {"/users/%6de", "a:/users/me"},
        {"/users/Me", "a:/users/:id id=Me"},
        {"/users/7", "a:/users/:id id=7"},
        {"/users/7/x", "a:/users/:id/:part id=7 part=x"},
        {"/users/7/8/9", "a:/users/[...]"},
        {"/groups/me", "a:/:a/me a=groups"},
        {"/groups/you", "a:/[...]"},
        {"/twice/1/1", "a:/twice/:x/:x x=1"},
        {"/twice/1/2", "a:/twice/:x/:y x=1 y=2"},
        {"/opt", "a:/opt/[b/[:c]]"},
        {"/opt/b", "a:/opt/[b/[:c]]"},
        {"/opt/b/7", "a:/opt/[b/[:c]] c=7"},
        {"/opt/c", "a:/[...]"},
        {"/users/a%2Fb", "a:/users/:id id=a/b"},
    };

    (void)state;
    for (int turn = 0; turn < 2; turn++) {
        struct bondy_spec *spec = spec_of("a", "_", turn == 0 ? ROUTES : BACKWARDS);
        const struct bondy_spec *const list[] = {spec};
        struct bondy_route_table *table = bondy_route_table_build(list, 1, NULL);

        bondy_spec_unref(spec);
        for (size_t i = 0; i < BONDY_COUNT(ROWS); i++)
            expect(table, "any.host", ROWS[i].path, BONDY_METHOD_GET, ROWS[i].wanted);
        bondy_route_table_destroy(table);
    }
}

static void hosts_come_before_paths_and_give_way_to_each_other(void **state)
{
    static const char *const ALL[] = {"get /x", "get /y", NULL};
    static const char *const X[] = {"get /x", "get /t/:tenant", NULL};
    static const char *const *const ROUTES[] = {ALL, X, X, X, X, X};
    static const char *const HOSTS[] = {"_",           "[...]example.org", ":tenant.example.org",
                                        "[www.]a.org", "www.example.org",  "b.:_"};
    static const char *const IDS[] = {"any", "deep", "tenant", "optional", "exact", "top"};
    static const struct {
        const char *host;
        const char *path;
        const char *wanted;
    } ROWS[] = {
        {"www.example.org", "/x", "exact:/x"},
        {"WWW.EXAMPLE.ORG.", "/x", "exact:/x"},
        {"shop.example.org", "/x", "tenant:/x tenant=shop"},
        {"shop.example.org", "/t/other", "tenant:/t/:tenant tenant=other"},
        {"a.b.example.org", "/x", "deep:/x"},
        {"example.org", "/x", "deep:/x"},
        {"a.org", "/x", "optional:/x"},
        {"www.a.org", "/x", "optional:/x"},
        {"b.net", "/x", "top:/x"},
        {"elsewhere.net", "/x", "any:/x"},
        {"[::1]", "/x", "any:/x"},
        {"", "/x", "any:/x"},
        {"www.example.org", "/y", "any:/y"},
        {"www.example.org", "/z", "404"},
    };
    const struct bondy_spec *list[BONDY_COUNT(IDS)];
    struct bondy_route_table *table;

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(IDS); i++)
        list[i] = spec_of(IDS[i], HOSTS[i], ROUTES[i]);
    table = bondy_route_table_build(list, BONDY_COUNT(list), NULL);
    for (size_t i = 0; i < BONDY_COUNT(ROWS); i++)
        expect(table, ROWS[i].host, ROWS[i].path, BONDY_METHOD_GET, ROWS[i].wanted);
    bondy_route_table_destroy(table);
    for (size_t i = 0; i < BONDY_COUNT(IDS); i++)
        bondy_spec_unref(list[i]);
}

static void methods_of_one_path_may_come_from_two_documents(void **state)
{
    static const char *const GET[] = {"get /x/:a", NULL};
    static const char *const POST[] = {"post /x/:b", "get /only", NULL};
    struct bondy_spec *one = spec_of("one", "_", GET);
    struct bondy_spec *two = spec_of("two", "_", POST);
    const struct bondy_spec *const list[] = {one, two};
    json_t *warnings = NULL;
    struct bondy_route_table *table = bondy_route_table_build(list, 2, &warnings);

    (void)state;
    assert_int_equal(json_array_size(warnings), 0);
    expect(table, "h", "/x/1", BONDY_METHOD_GET, "one:/x/:a a=1");
    expect(table, "h", "/x/1", BONDY_METHOD_HEAD, "one:/x/:a a=1");
    expect(table, "h", "/x/1", BONDY_METHOD_POST, "two:/x/:b b=1");
    expect(table, "h", "/x/1", BONDY_METHOD_DELETE, "405 GET, HEAD, POST, OPTIONS");
    expect(table, "h", "/x/1", BONDY_METHOD_OPTIONS, "405 GET, HEAD, POST, OPTIONS");
    expect(table, "h", "/only", BONDY_METHOD_OTHER, "405 GET, HEAD, OPTIONS");
    bondy_route_table_destroy(table);
    bondy_spec_unref(one);
    bondy_spec_unref(two);
    json_decref(warnings);
}

static void the_api_stored_first_keeps_a_route_that_two_want(void **state)
{
    static const char *const ROUTES[] = {"get /x/:a", NULL};
    struct bondy_spec *one = spec_of("one", "_", ROUTES);
    struct bondy_spec *two = spec_of("two", "_", ROUTES);
    const struct bondy_spec *const list[] = {two, one};
    json_t *warnings = NULL;
    struct bondy_route_table *table = bondy_route_table_build(list, 2, &warnings);

    (void)state;
    expect(table, "h", "/x/1", BONDY_METHOD_GET, "two:/x/:a a=1");
    assert_int_equal(json_array_size(warnings), 1);
    assert_slice_is(bondy_json_text(json_array_get(warnings, 0), "code"), "duplicate_route");
    assert_slice_is(bondy_json_text(json_array_get(warnings, 0), "api"), "one");
    assert_slice_is(bondy_json_text(json_array_get(warnings, 0), "other"), "two");
    bondy_route_table_destroy(table);
    bondy_spec_unref(one);
    bondy_spec_unref(two);
    json_decref(warnings);
}

static void a_scheme_without_routes_and_an_inactive_version_have_none(void **state)
{
    json_t *document = json_pack("{s:s, s:s, s:s, s:{s:{s:b, s:s, s:{s:{s:{s:{s:s}}}}}, s:{s:s, "
                                 "s:{s:{s:[s], s:{s:{s:s}}}}}}}",
                                 "id", "a", "host", "_", "realm_uri", "r", "versions", "1",
                                 "is_active", 0, "base_path", "/v1", "paths", "/x", "get", "action",
                                 "type", "static", "2", "base_path", "/v2", "paths", "/x",
                                 "schemes", "https", "get", "action", "type", "static");
    struct bondy_spec *spec = NULL;
    struct bondy_route_table *table;
    const struct bondy_spec *list[1];

    (void)state;
    assert_int_equal(bondy_spec_load(document, NULL, &spec, NULL, NULL), BONDY_OK);
    list[0] = spec;
    table = bondy_route_table_build(list, 1, NULL);
    assert_int_equal(bondy_route_table_count(table), 1);
    expect(table, "h", "/v1/x", BONDY_METHOD_GET, "404");
    expect(table, "h", "/v2/x", BONDY_METHOD_GET, "404");
    bondy_route_table_destroy(table);
    bondy_spec_unref(spec);
    json_decref(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_most_specific_route_wins_whatever_the_order),
        cmocka_unit_test(hosts_come_before_paths_and_give_way_to_each_other),
        cmocka_unit_test(methods_of_one_path_may_come_from_two_documents),
        cmocka_unit_test(the_api_stored_first_keeps_a_route_that_two_want),
        cmocka_unit_test(a_scheme_without_routes_and_an_inactive_version_have_none),
    };

    if (bondy_id_start(NULL) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
