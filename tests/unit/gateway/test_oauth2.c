/* SPDX-License-Identifier: Apache-2.0 */
/* The pure parts of the OAuth2 endpoints: parameters, redirects, escaping; and the routes that a
 * specification gets for them. oauth2-oidc.md 3.1 and 3.3; threat-model J7. */
#include "tests/lib/test.h"

#include "gateway/oauth2/call.h"
#include "gateway/oauth2/params.h"
#include "gateway/oauth2/redirect.h"
#include "gateway/spec/spec.h"
#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/base/json.h"

/* ---- parameters ------------------------------------------------------------------------------ */

static void parameters_are_read_once_each_and_bounded(void **state)
{
    static const struct {
        const char *text;
        enum bondy_params_fault fault;
        const char *faulty; /* NULL: nobody's */
        const char *grant, *state;
    } cases[] = {
        {"", BONDY_PARAMS_SOUND, NULL, NULL, NULL},
        {"grant_type=password&state=a+b%26", BONDY_PARAMS_SOUND, NULL, "password", "a b&"},
        {"&&grant_type=x&", BONDY_PARAMS_SOUND, NULL, "x", NULL},
        {"%67rant_type=x", BONDY_PARAMS_SOUND, NULL, "x", NULL},
        {"grant_type=&state=1", BONDY_PARAMS_SOUND, NULL, NULL, "1"},
        {"grant_type", BONDY_PARAMS_SOUND, NULL, NULL, NULL},
        {"grant_type=&grant_type=x", BONDY_PARAMS_SOUND, NULL, "x", NULL},
        {"foo=1&foo=2&state=1", BONDY_PARAMS_SOUND, NULL, NULL, "1"},
        {"Grant_Type=x", BONDY_PARAMS_SOUND, NULL, NULL, NULL},
        {"state==&grant_type==x=", BONDY_PARAMS_SOUND, NULL, "=x=", "="},
        {"state=%E2%82%AC", BONDY_PARAMS_SOUND, NULL, NULL, "\xE2\x82\xAC"},
        {"grant_type=x&state=1&grant_type=y", BONDY_PARAMS_TWICE, "grant_type", "x", "1"},
        {"grant_type=x&grant_type=x", BONDY_PARAMS_TWICE, "grant_type", "x", NULL},
        {"grant_type=%", BONDY_PARAMS_MALFORMED, NULL, NULL, NULL},
        {"grant_type=%4", BONDY_PARAMS_MALFORMED, NULL, NULL, NULL},
        {"grant_type=%zz&state=1", BONDY_PARAMS_MALFORMED, NULL, NULL, "1"},
        {"state=%ff", BONDY_PARAMS_MALFORMED, NULL, NULL, NULL},
        {"%ff=1&state=1", BONDY_PARAMS_MALFORMED, NULL, NULL, "1"},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_oauth2_params params;

        bondy_oauth2_params_read(bondy_slice_text(cases[i].text), &params);
        assert_int_equal(params.fault, cases[i].fault);
        if (cases[i].faulty == NULL)
            assert_int_equal(params.faulty, BONDY_PARAMS);
        else
            assert_string_equal(bondy_oauth2_param_name(params.faulty), cases[i].faulty);
        assert_true(bondy_slice_eq(params.values[BONDY_PARAM_GRANT_TYPE],
                                   bondy_slice_text(cases[i].grant)));
        assert_true(
            bondy_slice_eq(params.values[BONDY_PARAM_STATE], bondy_slice_text(cases[i].state)));
        bondy_oauth2_params_fini(&params);
        assert_null(params.bytes);
    }
}

static void each_parameter_has_a_greatest_length(void **state)
{
    (void)state;
    for (size_t i = 0; i < BONDY_PARAMS; i++) {
        const char *name = bondy_oauth2_param_name((enum bondy_oauth2_param)i);
        struct bondy_oauth2_params params;
        struct bondy_buf text = BONDY_BUF_EMPTY;

        bondy_buf_printf(&text, "%s=", name);
        for (size_t n = 0; n < 16385; n++)
            bondy_buf_append_byte(&text, 'a');
        bondy_buf_append_text(&text, "&state=1");
        bondy_oauth2_params_read(bondy_buf_slice(&text), &params);
        assert_int_equal(params.fault, BONDY_PARAMS_TOO_LONG);
        assert_int_equal(params.faulty, i);
        assert_true(i == BONDY_PARAM_STATE || params.values[i].data == NULL);
        bondy_oauth2_params_fini(&params);
        bondy_buf_fini(&text);
    }
}

/* ---- redirects ------------------------------------------------------------------------------- */

static void only_exactly_registered_addresses_are_gone_back_to(void **state)
{
    static const struct {
        const char *uri;
        bool is_fine;
    } cases[] = {
        {"https://app.example/cb", true},
        {"https://app.example/cb?a=1", true},
        {"com.example.app:/cb", true},
        {"http://127.0.0.1:9999/", true},
        {"https://app.example/cb/", false},
        {"https://app.example/c", false},
        {"https://app.example/cbx", false},
        {"https://app.example/cb?", false},
        {"https://app.example/cb?x=1", false},
        {"https://app.example/cb?a=1&b=2", false},
        {"https://app.example/CB", false},
        {"https://APP.example/cb", false},
        {"HTTPS://app.example/cb", false},
        {"http://app.example/cb", false},
        {"https://app.example:443/cb", false},
        {"https://app.example/%63b", false},
        {"https://app.example/./cb", false},
        {"https://app.example@evil.example/cb", false},
        {"https://app.example/cb#x", false},
        {"", false},
        /* Registered, and still not used. */
        {"javascript:alert(1)", false},
        {"JavaScript:alert(1)", false},
        {"data:text/html,x", false},
        {"/relative", false},
        {"app.example", false},
        {"https:", false},
        {"https://app.example/cb#fragment", false},
        {"https://app.example/a b", false},
        {"https://app.example/\"", false},
        {"https://app.example/\r\nx: y", false},
        {"https://app.example/\xC3\xA9", false},
    };
    json_t *meta =
        json_pack("{s:[sssssssssssssssi]}", "redirect_uris", "https://app.example/cb",
                  "https://app.example/cb?a=1", "com.example.app:/cb", "http://127.0.0.1:9999/",
                  "javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "/relative",
                  "app.example", "https:", "https://app.example/cb#fragment",
                  "https://app.example/a b", "https://app.example/\"",
                  "https://app.example/\r\nx: y", "https://app.example/\xC3\xA9", 7);
    json_t *none = json_object();

    (void)state;
    assert_non_null(meta);
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        if (bondy_redirect_is_registered(meta, bondy_slice_text(cases[i].uri)) != cases[i].is_fine)
            fail_msg("%s", cases[i].uri);
        assert_false(bondy_redirect_is_registered(none, bondy_slice_text(cases[i].uri)));
    }
    assert_false(bondy_redirect_is_registered(meta, BONDY_SLICE_EMPTY));
    assert_false(bondy_redirect_is_registered(NULL, BONDY_SLICE("https://app.example/cb")));
    json_decref(meta);
    json_decref(none);
}

static void parameters_are_added_to_a_redirect_encoded(void **state)
{
    static const struct {
        const char *uri, *value, *result;
    } cases[] = {
        {"https://a/cb", "x", "https://a/cb?k=x&l=1"},
        {"https://a/cb?q=1", "x", "https://a/cb?q=1&k=x&l=1"},
        {"a:/", "&=#?\r\n \"\xC3\xA9", "a:/?k=%26%3D%23%3F%0D%0A%20%22%C3%A9&l=1"},
        {"a:/", "", "a:/?k=&l=1"},
        {"a:/", NULL, "a:/?l=1"},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_buf uri = BONDY_BUF_EMPTY;

        bondy_buf_append_text(&uri, cases[i].uri);
        bondy_redirect_add(&uri, "k", bondy_slice_text(cases[i].value));
        bondy_redirect_add(&uri, "l", BONDY_SLICE("1"));
        assert_true(bondy_slice_is(bondy_buf_slice(&uri), cases[i].result));
        bondy_buf_fini(&uri);
    }
}

static void a_policy_names_where_a_form_leads(void **state)
{
    static const struct {
        const char *uri, *source;
    } cases[] = {
        {"https://app.example/cb?x", "https://app.example"},
        {"http://127.0.0.1:80?x", "http://127.0.0.1:80"},
        {"https://app.example", "https://app.example"},
        {"com.example.app:/cb", "com.example.app:"},
        {"http://[::1]:80/cb", "http:"},
        {"https://a;script-src/", "https:"},
        {"https://user@a/", "https:"},
        {"https:///x", "https:"},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_buf source = BONDY_BUF_EMPTY;

        bondy_redirect_source(bondy_slice_text(cases[i].uri), &source);
        assert_true(bondy_slice_is(bondy_buf_slice(&source), cases[i].source));
        bondy_buf_fini(&source);
    }
}

static void text_in_a_page_stays_text(void **state)
{
    struct bondy_buf out = BONDY_BUF_EMPTY;

    (void)state;
    bondy_html_escape(BONDY_SLICE("<a href=\"x\" b='y'>&amp;\0\xC3\xA9"), &out);
    assert_true(bondy_slice_is(bondy_buf_slice(&out),
                               "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp;"
                               "\xEF\xBF\xBD\xC3\xA9"));
    bondy_buf_fini(&out);
}

/* ---- forms ----------------------------------------------------------------------------------- */

static void a_form_is_good_for_an_hour_in_its_browser(void **state)
{
    enum { MADE = 1000000, HOUR = 3600 * 1000 };
    struct bondy_oauth2 oauth2 = {.key = {1}}, other = {.key = {2}};
    struct bondy_realm realm = {.uri = (char *)(uintptr_t) "org.a"};
    struct oauth2_call call = {.oauth2 = &oauth2, .realm = &realm};
    char cookie[OAUTH2_COOKIE_TEXT], stranger[OAUTH2_COOKIE_TEXT], csrf[OAUTH2_CSRF_TEXT];
    struct bondy_slice given;

    (void)state;
    bondy_oauth2_params_read(BONDY_SLICE("client_id=a&redirect_uri=b:c"), &call.params);
    oauth2_cookie_make(cookie);
    oauth2_cookie_make(stranger);
    oauth2_csrf_make(&call, cookie, MADE, csrf);
    given = bondy_slice_text(csrf);
    assert_int_equal(given.len, OAUTH2_CSRF_TEXT - 1);
    assert_true(oauth2_csrf_fits(&call, cookie, MADE, given));
    assert_true(oauth2_csrf_fits(&call, cookie, MADE + HOUR, given));
    assert_false(oauth2_csrf_fits(&call, cookie, MADE + HOUR + 1, given));
    assert_false(oauth2_csrf_fits(&call, stranger, MADE, given));
    assert_false(oauth2_csrf_fits(&call, cookie, MADE, bondy_slice_skip(given, 1)));
    assert_false(oauth2_csrf_fits(&call, cookie, MADE, BONDY_SLICE_EMPTY));
    realm.uri = (char *)(uintptr_t) "org.b";
    assert_false(oauth2_csrf_fits(&call, cookie, MADE, given));
    realm.uri = (char *)(uintptr_t) "org.a";
    call.oauth2 = &other; /* the process started again */
    assert_false(oauth2_csrf_fits(&call, cookie, MADE, given));
    call.oauth2 = &oauth2;
    bondy_oauth2_params_fini(&call.params);
    bondy_oauth2_params_read(BONDY_SLICE("client_id=a&redirect_uri=b:d"), &call.params);
    assert_false(oauth2_csrf_fits(&call, cookie, MADE, given));
    bondy_oauth2_params_fini(&call.params);
}

/* ---- routes ---------------------------------------------------------------------------------- */

#define ANSWER "{'action': {'type': 'static', 'body': 1}}"

static struct bondy_spec *load(const char *versions, json_t **warnings)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    struct bondy_spec *spec = NULL;
    json_t *document, *problems = NULL;

    bondy_buf_printf(&text, "{'id': 'a', 'host': '_', 'realm_uri': 'org.a', 'versions': {%s}}",
                     versions);
    for (size_t i = 0; i < text.len; i++)
        text.data[i] = text.data[i] == '\'' ? '"' : text.data[i];
    document = bondy_json_parse(bondy_buf_slice(&text), 32, NULL);
    assert_non_null(document);
    if (bondy_spec_load(document, NULL, &spec, &problems, warnings) != BONDY_OK) {
        char *said = json_dumps(problems, 0);

        fail_msg("%s", said);
    }
    json_decref(document);
    bondy_buf_fini(&text);
    return spec;
}

/* "METHOD path endpoint" of each generated route, in order. */
static char *list_endpoints(const struct bondy_spec *spec)
{
    json_t *routes = bondy_spec_routes(spec), *route;
    struct bondy_buf text = BONDY_BUF_EMPTY;
    size_t i;

    json_array_foreach(routes, i, route)
    {
        const char *endpoint = json_string_value(json_object_get(route, "endpoint"));

        if (endpoint != NULL)
            bondy_buf_printf(&text, "%s %s://%s %s\n",
                             json_string_value(json_object_get(route, "method")),
                             json_string_value(json_object_get(route, "scheme")),
                             json_string_value(json_object_get(route, "path")), endpoint);
    }
    json_decref(routes);
    return bondy_buf_take_text(&text);
}

static void expect_endpoints(const char *versions, const char *expected)
{
    struct bondy_spec *spec = load(versions, NULL);
    char *listed = list_endpoints(spec);

    assert_string_equal(listed, expected);
    bondy_free(listed);
    bondy_spec_unref(spec);
}

static void a_version_with_oauth2_gets_the_routes_of_the_server(void **state)
{
    (void)state;
    expect_endpoints("'1': {'base_path': '/v1', 'paths': {'/x': {'get': " ANSWER
                     ", 'security': {'type': 'oauth2', 'flow': 'authorization_code'}}}}",
                     "POST http:///v1/oauth/token oauth2_token\n"
                     "POST http:///v1/oauth/revoke oauth2_revoke\n"
                     "POST http:///v1/oauth/introspect oauth2_introspect\n"
                     "GET http:///v1/oauth/jwks oauth2_jwks\n"
                     "GET http:///v1/.well-known/oauth-authorization-server oauth2_metadata\n"
                     "GET http:///.well-known/oauth-authorization-server/v1 oauth2_metadata\n"
                     "GET http:///v1/oauth/authorize oauth2_authorize\n"
                     "POST http:///v1/oauth/authorize oauth2_authorize\n"
                     "GET http:///v1/oauth/me oauth2_me\n");
    expect_endpoints("'1': {'base_path': '', 'paths': {'/x': {'get': " ANSWER
                     ", 'schemes': ['https'], 'security': {'any_of': [{'type': 'basic'}, {'type': "
                     "'oauth2', 'flow': 'client_credentials', 'token_path': '/t/', "
                     "'revoke_token_path': '/r'}]}}}}",
                     "POST https:///t oauth2_token\n"
                     "POST https:///r oauth2_revoke\n"
                     "POST https:///oauth/introspect oauth2_introspect\n"
                     "GET https:///oauth/jwks oauth2_jwks\n"
                     "GET https:///.well-known/oauth-authorization-server oauth2_metadata\n"
                     "GET https:///oauth/me oauth2_me\n");
}

static void a_version_without_oauth2_gets_none(void **state)
{
    (void)state;
    expect_endpoints("'1': {'base_path': '', 'paths': {'/x': {'get': " ANSWER "}}}, "
                     "'2': {'base_path': '/2', 'paths': {'/x': {'get': " ANSWER
                     ", 'security': {'type': 'basic'}}}}, "
                     "'3': {'base_path': '/3', 'is_active': false, 'paths': {'/x': {'get': " ANSWER
                     ", 'security': {'type': 'oauth2', 'flow': 'client_credentials'}}}}",
                     "");
}

static const struct bondy_operation *find_post(const struct bondy_spec *spec, const char *path)
{
    for (size_t i = 0; i < spec->versions[0].path_count; i++)
        if (strcmp(spec->versions[0].paths[i].pattern->text, path) == 0)
            return spec->versions[0].paths[i].operations[BONDY_METHOD_POST];
    return NULL;
}

static void a_token_endpoint_serves_the_grants_of_the_paths_that_name_it(void **state)
{
    struct bondy_spec *spec =
        load("'1': {'base_path': '', 'paths': {"
             "'/a': {'get': " ANSWER ", 'security': {'type': 'oauth2', "
             "'flow': 'client_credentials', 'grants': ['password'], 'token_path': '/one'}}, "
             "'/b': {'get': " ANSWER ", 'security': {'type': 'oauth2', "
             "'flow': 'client_credentials', 'grants': ['refresh_token'], 'token_path': '/one'}}, "
             "'/c': {'get': " ANSWER ", 'security': {'type': 'oauth2', "
             "'flow': 'client_credentials', 'token_path': '/two'}}}}",
             NULL);
    const struct bondy_operation *one = find_post(spec, "/one"), *two = find_post(spec, "/two");

    (void)state;
    assert_int_equal(one->path->security.grants, BONDY_GRANT_PASSWORD | BONDY_GRANT_REFRESH_TOKEN);
    assert_int_equal(two->path->security.grants,
                     BONDY_GRANT_CLIENT_CREDENTIALS | BONDY_GRANT_REFRESH_TOKEN);
    assert_int_equal(one->path->security.kind, BONDY_SECURITY_NONE);
    assert_int_equal(one->body_max_bytes, 16384);
    assert_string_equal(spec->versions[0].oauth2.token_path, "/one");
    assert_int_equal(spec->versions[0].oauth2.grants, BONDY_GRANT_PASSWORD |
                                                          BONDY_GRANT_REFRESH_TOKEN |
                                                          BONDY_GRANT_CLIENT_CREDENTIALS);
    bondy_spec_unref(spec);
}

static void a_route_of_the_document_stays_and_is_warned_of(void **state)
{
    json_t *warnings = NULL;
    struct bondy_spec *spec =
        load("'1': {'base_path': '/v', 'defaults': {'security': {'type': 'oauth2', "
             "'flow': 'client_credentials'}}, 'paths': {'/oauth/jwks': {'get': " ANSWER "}}}",
             &warnings);

    (void)state;
    assert_int_equal(json_array_size(warnings), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(warnings, 0), "code")),
                        "hidden_route");
    assert_string_equal(json_string_value(json_object_get(json_array_get(warnings, 0), "pointer")),
                        "/versions/1/paths/~1oauth~1jwks/get");
    json_decref(warnings);
    bondy_spec_unref(spec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_read_once_each_and_bounded),
        cmocka_unit_test(each_parameter_has_a_greatest_length),
        cmocka_unit_test(only_exactly_registered_addresses_are_gone_back_to),
        cmocka_unit_test(parameters_are_added_to_a_redirect_encoded),
        cmocka_unit_test(a_policy_names_where_a_form_leads),
        cmocka_unit_test(text_in_a_page_stays_text),
        cmocka_unit_test(a_form_is_good_for_an_hour_in_its_browser),
        cmocka_unit_test(a_version_with_oauth2_gets_the_routes_of_the_server),
        cmocka_unit_test(a_version_without_oauth2_gets_none),
        cmocka_unit_test(a_token_endpoint_serves_the_grants_of_the_paths_that_name_it),
        cmocka_unit_test(a_route_of_the_document_stays_and_is_warned_of),
    };

    if (bondy_id_start(NULL) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
