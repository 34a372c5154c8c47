/* SPDX-License-Identifier: Apache-2.0 */
/* Who may use a path: http-gateway.md 1.6, the identity that a call has, and what of it expressions
 * and callees see. */
#include "tests/lib/test.h"

#include <stdio.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "tests/unit/gateway/gateway_login.h"
#include "tests/unit/gateway/gateway_rig.h"

/* "a:b" is a name with a colon: ines:gauge. */
#define INES "Authorization: Basic aW5lczpnYXVnZTpyaXZlcg==\r\n"
#define WRONG "Authorization: Basic aW5lczp3cm9uZw==\r\n"
#define TOKEN "Authorization: Bearer good\r\n"

static const struct gateway_known known[] = {
    {.credential = "password ines:gauge river", .authid = "ines:gauge", .groups = {"staff"}},
    {.credential = "password busy pw", .authid = NULL},
    {.credential = "bearer  good",
     .authid = "joe",
     .groups = {"staff", "boss"},
     .token = "{'client_id':'webapp','client_device_id':'tablet','roles':['staff']}"},
    {.credential = "bearer  ticket", .authid = "zoe", .groups = {"boss"}},
    {.credential = "api_key  k1", .authid = "machine"},
    {.credential = NULL},
};

#define PATH(name, security)                                                                       \
    "'/" name "':{'security':" security ",'get':{'action':{'type':'static'},'response':"           \
    "{'on_result':{'body':['{{security.authid}}','{{security.authmethod}}']}}}}"
#define OAUTH2 "'type':'oauth2','flow':'client_credentials'"

static const char document[] =
    "{'id':'s','host':'_','realm_uri':'org.rivermap','versions':{'1':{'base_path':'','paths':"
    "{" PATH("open", "{}") "," PATH("basic", "{'type':'basic'}") "," PATH("token", "{" OAUTH2 "}") "," PATH("scoped", "{" OAUTH2 ",'scopes':['Staff','other']}") "," PATH("bosses", "{" OAUTH2 ",'scopes':['boss']}") "," PATH(
        "header",
        "{'type':'api_key','name':'X-Key'"
        "}") "," PATH("prefix",
                      "{'type':'api_key',"
                      "'prefix':'ApiKey "
                      "'}") "," PATH("que"
                                     "ry",
                                     "{'"
                                     "typ"
                                     "e':"
                                     "'ap"
                                     "i_"
                                     "key"
                                     "','"
                                     "in'"
                                     ":'"
                                     "que"
                                     "ry'"
                                     ",'"
                                     "nam"
                                     "e':"
                                     "'"
                                     "key"
                                     "'}") "," PATH("cookie",
                                                    "{'type':'api_key','in'"
                                                    ":'cookie','name':'key'"
                                                    "}") "," PATH("any",
                                                                  "{'any_"
                                                                  "of':[{'"
                                                                  "type':'"
                                                                  "basic'},"
                                                                  "{" OAUTH2 ",'"
                                                                  "scopes':"
                                                                  "['boss']"
                                                                  "},"
                                                                  "{'type':"
                                                                  "'api_"
                                                                  "key','"
                                                                  "name':'"
                                                                  "x-key'}]"
                                                                  "}") "," PATH("two",
                                                                                "{'any_of':[{'type'"
                                                                                ":'api_key','name':"
                                                                                "'x-key'},"
                                                                                "{'type':'api_key',"
                                                                                "'name':'x-other'}]"
                                                                                "}") ","
                                                                                     "'/"
                                                                                     "call':{'"
                                                                                     "security':"
                                                                                     "{" OAUTH2
                                                                                     "},'post':{'"
                                                                                     "action':{'"
                                                                                     "type':'wamp_"
                                                                                     "call',"
                                                                                     "'procedure':'"
                                                                                     "org.rivermap."
                                                                                     "call','"
                                                                                     "options':{'"
                                                                                     "disclose_me':"
                                                                                     "true},"
                                                                                     "'args':['{{"
                                                                                     "security}}']}"
                                                                                     ",'response':{"
                                                                                     "'on_result':{"
                                                                                     "'status_code'"
                                                                                     ":200,'body':'"
                                                                                     "{{action."
                                                                                     "result.args}}"
                                                                                     "'}}}}"
                                                                                     "}}}}";

static int start(void **state)
{
    int rc = gateway_rig_start(state);

    gateway_logins.known = known;
    gateway_rig_load(*state, document);
    return rc;
}

static const char *header(const struct gateway_rig *rig, const char *name)
{
    const char *value = http_reply_header(&rig->reply, name);

    return value == NULL ? "" : value;
}

struct answer_case {
    const char *path, *headers;
    unsigned status;
    const char *body;  /* of 200; NULL: not looked at */
    const char *asked; /* what the realm was asked */
};

static void check_answers(struct gateway_rig *rig, const struct answer_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char target[200];

        gateway_logins.asked[0] = '\0';
        snprintf(target, sizeof target, "GET %s", cases[i].path);
        if (gateway_rig_ask(rig, target, cases[i].headers, NULL) != cases[i].status ||
            strcmp(gateway_logins.asked, cases[i].asked) != 0)
            fail_msg("%s %s: %u, asked '%s'", cases[i].path, cases[i].headers, rig->reply.status,
                     gateway_logins.asked);
        if (cases[i].body != NULL)
            assert_json(rig->reply.body.data, cases[i].body);
    }
}

#define ASKED(what) "org.rivermap " what " secure"

static void each_kind_takes_its_own_credentials_and_no_others(void **state)
{
    static const struct answer_case CASES[] = {
        {"/basic", INES, 200, "['ines:gauge','password']", ASKED("password ines:gauge river")},
        {"/basic", WRONG, 401, NULL, ASKED("password ines wrong")},
        {"/basic", NULL, 401, NULL, ""},
        {"/basic", TOKEN, 401, NULL, ""},
        {"/basic", "Authorization: Basic bm9jb2xvbg==\r\n", 401, NULL, ""},
        {"/basic", "Authorization: Basic ***\r\n", 401, NULL, ""},
        {"/basic", "Authorization: Basic\r\n", 401, NULL, ""},
        {"/basic?authorization=Basic%20aW5lczpnYXVnZTpyaXZlcg", NULL, 401, NULL, ""},
        {"/token", TOKEN, 200, "['joe','oauth2']", ASKED("bearer  good")},
        {"/token", "Authorization: bearer   good\r\n", 200, NULL, ASKED("bearer  good")},
        {"/token", "Authorization: Bearer bad\r\n", 401, NULL, ASKED("bearer  bad")},
        {"/token", INES, 401, NULL, ""},
        {"/token?access_token=good", NULL, 401, NULL, ""},
        {"/token", "Cookie: access_token=good\r\n", 401, NULL, ""},
        {"/header", "X-Key: k1\r\n", 200, "['machine','api_key']", ASKED("api_key  k1")},
        {"/header", "X-Key: k2\r\n", 401, NULL, ASKED("api_key  k2")},
        {"/header", "Authorization: k1\r\n", 401, NULL, ""},
        {"/header?x-key=k1", NULL, 401, NULL, ""},
        {"/prefix", "Authorization: apikey  k1\r\n", 200, NULL, ASKED("api_key  k1")},
        {"/prefix", "Authorization: k1\r\n", 401, NULL, ""},
        {"/query?a=b&key=k1", NULL, 200, NULL, ASKED("api_key  k1")},
        {"/query?k%65y=%6b1", NULL, 200, NULL, ASKED("api_key  k1")},
        {"/query?key", NULL, 401, NULL, ""},
        {"/query", "key: k1\r\n", 401, NULL, ""},
        {"/cookie", "Cookie: a=b; key=k1\r\n", 200, NULL, ASKED("api_key  k1")},
        {"/cookie?key=k1", NULL, 401, NULL, ""},
    };

    check_answers(*state, CASES, BONDY_COUNT(CASES));
}

/* Z9: what is open is for nobody in particular, whatever is sent along. */
static void an_open_path_asks_for_nothing_and_knows_nobody(void **state)
{
    struct gateway_rig *rig = *state;

    assert_int_equal(gateway_rig_ask(rig, "GET /open", INES, NULL), 200);
    assert_non_null(strstr(rig->reply.body.data, "\"anonymous\"]"));
    assert_int_equal(gateway_logins.count, 0);
}

static void of_several_ways_the_first_that_succeeds_decides(void **state)
{
    static const struct answer_case CASES[] = {
        {"/any", NULL, 401, NULL, ""},
        {"/any", INES, 200, "['ines:gauge','password']", ASKED("password ines:gauge river")},
        {"/any", WRONG, 401, NULL, ASKED("password ines wrong")},
        {"/any", WRONG "X-Key: k1\r\n", 200, "['machine','api_key']",
         ASKED("password ines wrong") "; " ASKED("api_key  k1")},
        {"/any", "Authorization: Bearer ticket\r\n", 200, "['zoe','oauth2']",
         ASKED("bearer  ticket")},
        {"/any", TOKEN, 403, NULL, ASKED("bearer  good")},
        {"/any", TOKEN "X-Key: k1\r\n", 200, "['machine','api_key']",
         ASKED("bearer  good") "; " ASKED("api_key  k1")},
        {"/two", "X-Other: k1\r\n", 200, NULL, ASKED("api_key  k1")},
        {"/two", "X-Key: k2\r\nX-Other: k1\r\n", 200, NULL,
         ASKED("api_key  k2") "; " ASKED("api_key  k1")},
    };

    check_answers(*state, CASES, BONDY_COUNT(CASES));
}

/* The token was given for `staff`, whatever else joe is. */
static void a_token_needs_one_of_the_roles_of_the_path(void **state)
{
    static const struct answer_case CASES[] = {
        {"/scoped", TOKEN, 200, NULL, ASKED("bearer  good")},
        {"/bosses", TOKEN, 403, NULL, ASKED("bearer  good")},
        {"/bosses", "Authorization: Bearer ticket\r\n", 200, NULL, ASKED("bearer  ticket")},
        {"/scoped", "Authorization: Bearer ticket\r\n", 403, NULL, ASKED("bearer  ticket")},
    };
    struct gateway_rig *rig = *state;

    check_answers(rig, CASES, BONDY_COUNT(CASES));
    assert_string_equal(header(rig, "www-authenticate"),
                        "Bearer realm=\"org.rivermap\", error=\"insufficient_scope\", "
                        "error_description=\"the token has none of the roles that this path asks "
                        "for\", scope=\"Staff other\"");
    assert_non_null(strstr(rig->reply.body.data, "\"insufficient_scope\""));
}

static void a_401_says_how_to_come_in(void **state)
{
    static const struct {
        const char *path, *headers, *challenge;
    } CASES[] = {
        {"GET /basic", NULL, "Basic realm=\"org.rivermap\", charset=\"UTF-8\""},
        {"GET /basic", WRONG, "Basic realm=\"org.rivermap\", charset=\"UTF-8\""},
        {"GET /token", NULL, "Bearer realm=\"org.rivermap\""},
        {"GET /token", "Authorization: Bearer x\r\n",
         "Bearer realm=\"org.rivermap\", error=\"invalid_token\", error_description=\"the token is "
         "malformed, expired, revoked or of another realm\""},
        {"GET /header", NULL, "ApiKey realm=\"org.rivermap\""},
        {"GET /two", NULL, "ApiKey realm=\"org.rivermap\""},
        {"GET /any", NULL,
         "Basic realm=\"org.rivermap\", charset=\"UTF-8\", Bearer realm=\"org.rivermap\", "
         "scope=\"boss\", ApiKey realm=\"org.rivermap\""},
    };
    struct gateway_rig *rig = *state;

    for (size_t i = 0; i < BONDY_COUNT(CASES); i++) {
        assert_int_equal(gateway_rig_ask(rig, CASES[i].path, CASES[i].headers, NULL), 401);
        assert_string_equal(header(rig, "www-authenticate"), CASES[i].challenge);
        assert_non_null(strstr(rig->reply.body.data, "\"code\":\"invalid_token\""));
    }
}

static void too_many_logins_are_told_when_to_come_back(void **state)
{
    struct gateway_rig *rig = *state;

    assert_int_equal(
        gateway_rig_ask(rig, "GET /basic", "Authorization: Basic YnVzeTpwdw==\r\n", NULL), 429);
    assert_string_equal(header(rig, "retry-after"), "7");
}

static void options_are_never_asked_for_credentials(void **state)
{
    struct gateway_rig *rig = *state;

    assert_int_equal(gateway_rig_ask(rig, "OPTIONS /basic", WRONG, NULL), 204);
    assert_int_equal(gateway_logins.count, 0);
    assert_int_equal(gateway_rig_ask(rig, "HEAD /basic", NULL, NULL), 401);
}

static void nobody_gets_in_where_there_are_no_logins(void **state)
{
    struct gateway_rig *rig = *state;

    bondy_gateway_set_auth(rig->gateway, NULL);
    assert_int_equal(gateway_rig_ask(rig, "GET /basic", INES, NULL), 503);
    assert_int_equal(gateway_rig_ask(rig, "GET /open", NULL, NULL), 200);
}

/* The session of the call is the caller's, and expressions know it. */
static void a_call_is_made_as_who_was_let_in(void **state)
{
    struct gateway_rig *rig = *state;

    gateway_rig_register(rig, "org.rivermap.call");
    assert_int_equal(gateway_rig_call(rig, "POST /call", TOKEN "Content-Type: application/json\r\n",
                                      "{}", "[1]"),
                     200);
    assert_non_null(strstr(rig->last_invocation, "\"caller_authid\":\"joe\""));
    assert_non_null(strstr(rig->last_invocation, "\"client_id\":\"webapp\""));
    assert_non_null(strstr(rig->last_invocation, "\"username\":\"joe\""));
    assert_non_null(strstr(rig->last_invocation, "\"client_device_id\":\"tablet\""));
    assert_non_null(strstr(rig->last_invocation, "\"team\":\"blue\""));
    assert_non_null(strstr(rig->last_invocation, "\"groups\":[\"staff\",\"boss\"]"));
    assert_null(strstr(rig->last_invocation, "good"));
}

/* J8. */
static void expressions_do_not_see_what_the_path_takes_for_credentials(void **state)
{
#define SHOWN                                                                                      \
    "'get':{'action':{'type':'static'},'response':{'on_result':{'body':["                          \
    "'{{request.headers |> without([host])}}','{{request.cookies}}','{{request.query_string}}',"   \
    "'{{request.query_params}}','{{request.query_lists}}']}}}"
    struct gateway_rig *rig = *state;

    gateway_rig_load(
        rig, "{'id':'e','host':'_','realm_uri':'org.rivermap','versions':{'1':{'base_path':'/e',"
             "'paths':{'/basic':{'security':{'type':'basic'}," SHOWN "},"
             "'/open':{" SHOWN "},"
             "'/query':{'security':{'type':'api_key','in':'query','name':'key'}," SHOWN "},"
             "'/cookie':{'security':{'type':'api_key','in':'cookie','name':'key'}," SHOWN "},"
             "'/header':{'security':{'type':'api_key','name':'x-key'}," SHOWN "}}}}}");
    assert_int_equal(gateway_rig_ask(rig, "GET /e/basic", INES "Cookie: a=b\r\n", NULL), 200);
    assert_json(rig->reply.body.data, "[{'cookie':'a=b'},{'a':'b'},'',{},{}]");
    assert_int_equal(gateway_rig_ask(rig, "GET /e/open", "Authorization: own\r\n", NULL), 200);
    assert_json(rig->reply.body.data, "[{'authorization':'own'},{},'',{},{}]");
    assert_int_equal(gateway_rig_ask(rig, "GET /e/query?a=1&k%65y=k1&key=k1&b=2", NULL, NULL), 200);
    assert_json(rig->reply.body.data, "[{},{},'a=1&b=2',{'a':'1','b':'2'},{'a':['1'],'b':['2']}]");
    assert_int_equal(gateway_rig_ask(rig, "GET /e/cookie", "Cookie: a=b; key=k1;c=d\r\n", NULL),
                     200);
    assert_json(rig->reply.body.data, "[{'cookie':'a=b; c=d'},{'a':'b','c':'d'},'',{},{}]");
    assert_int_equal(
        gateway_rig_ask(rig, "GET /e/header", "X-Key: k1\r\nX-Key: k1\r\nX-A: 1\r\n", NULL), 200);
    assert_json(rig->reply.body.data, "[{'x-a':'1'},{},'',{},{}]");
}

/* ---- answers that come later ----------------------------------------------------------------- */

static void hold_until_asked(struct gateway_rig *rig)
{
    for (int i = 0; i < 1000 && !gateway_login_is_held(); i++)
        bondy_loop_turn(rig->loop, 10);
}

static void a_login_may_take_its_time(void **state)
{
    struct gateway_rig *rig = *state;

    gateway_logins.holds = true;
    gateway_rig_send(rig, "GET /any", WRONG "X-Key: k1\r\n", NULL);
    hold_until_asked(rig);
    gateway_login_answer();
    hold_until_asked(rig);
    gateway_login_answer();
    assert_int_equal(gateway_rig_read(rig), 200);
    assert_json(rig->reply.body.data, "['machine','api_key']");
    gateway_rig_send(rig, "GET /basic", WRONG, NULL);
    hold_until_asked(rig);
    gateway_login_answer();
    assert_int_equal(gateway_rig_read(rig), 401);
}

/* Its login ends with it: nothing is left for the end of the thread. */
static void a_client_may_leave_during_its_login(void **state)
{
    static const char *const HEADERS[] = {INES, WRONG, WRONG "X-Key: k1\r\n", TOKEN};
    struct gateway_rig *rig = *state;

    gateway_logins.holds = true;
    for (size_t i = 0; i < BONDY_COUNT(HEADERS); i++) {
        gateway_rig_send(rig, "GET /any", HEADERS[i], NULL);
        hold_until_asked(rig);
        assert_true(gateway_login_is_held());
        http_client_close(&rig->client);
        for (int turn = 0; turn < 1000 && gateway_login_is_held(); turn++)
            bondy_loop_turn(rig->loop, 10);
        assert_false(gateway_login_is_held());
    }
    assert_int_equal(gateway_logins.count, BONDY_COUNT(HEADERS));
    gateway_logins.holds = false;
    assert_int_equal(gateway_rig_ask(rig, "GET /any", INES, NULL), 200);
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, start, gateway_rig_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_kind_takes_its_own_credentials_and_no_others),
        TEST(an_open_path_asks_for_nothing_and_knows_nobody),
        TEST(of_several_ways_the_first_that_succeeds_decides),
        TEST(a_token_needs_one_of_the_roles_of_the_path),
        TEST(a_401_says_how_to_come_in),
        TEST(too_many_logins_are_told_when_to_come_back),
        TEST(options_are_never_asked_for_credentials),
        TEST(nobody_gets_in_where_there_are_no_logins),
        TEST(a_call_is_made_as_who_was_let_in),
        TEST(expressions_do_not_see_what_the_path_takes_for_credentials),
        TEST(a_login_may_take_its_time),
        TEST(a_client_may_leave_during_its_login),
    };

    if (bondy_id_start(NULL) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
