/* SPDX-License-Identifier: Apache-2.0 */

/* Status codes, error bodies, deadlines, and requests that end badly
 * (http-gateway.md 1.2, 1.8, 1.9, part 7). */

#include "tests/lib/test.h"

#include <stdlib.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "tests/unit/gateway/gateway_rig.h"

#define JSON_TYPE "Content-Type: application/json\r\n"

#define CALL(options_)                                                                             \
    "'action':{'type':'wamp_call','procedure':'org.rivermap.p','args':['{{request.body}}'"         \
    "]" options_ "}"

/* A static answer for each way to say body, uri and status; the path says which. */
static const char table[] =
    "{'id':'table','host':'_','realm_uri':'org.rivermap',"
    "'defaults':{'headers':{'x-default':'yes'}},'versions':{'1':{'base_path':'',"
    "'is_deprecated':true,'sunset':'2031-01-01T00:00:00Z',"
    "'paths':{"
    "'/full':{" /* a body */
    "  'get':{'action':{'type':'static'},'response':{'on_result':{'body':{'a':1}}}},"
    "  'post':{'action':{'type':'static'},'response':{'on_result':{'body':{'a':1}}}},"
    "  'put':{'action':{'type':'static'},'response':{'on_result':{'body':{'a':1}}}},"
    "  'patch':{'action':{'type':'static'},'response':{'on_result':{'body':{'a':1}}}},"
    "  'delete':{'action':{'type':'static'},'response':{'on_result':{'body':{'a':1}}}}},"
    "'/bare':{" /* no body */
    "  'get':{'action':{'type':'static'},'response':{'on_result':{}}},"
    "  'post':{'action':{'type':'static'},'response':{'on_result':{}}},"
    "  'put':{'action':{'type':'static'},'response':{'on_result':{}}},"
    "  'patch':{'action':{'type':'static'},'response':{'on_result':{}}},"
    "  'delete':{'action':{'type':'static'},'response':{'on_result':{}}}},"
    "'/made':{" /* a uri */
    "  'post':{'action':{'type':'static'},'response':{'on_result':{'uri':'/made/1'}}},"
    "  'put':{'action':{'type':'static'},'response':{'on_result':{'uri':'/made/1'}}}},"
    "'/said':{" /* a status */
    "  'get':{'action':{'type':'static'},'response':{'on_result':{'body':'x',"
    "    'status_code':203}}},"
    "  'post':{'action':{'type':'static'},'response':{'on_result':{'body':'x',"
    "    'status_code':'202'}}},"
    "  'put':{'action':{'type':'static'},'response':{'on_result':{'body':'x',"
    "    'status_code':204}}},"
    "  'delete':{'action':{'type':'static'},'response':{'on_result':{'uri':'/made/1',"
    "    'status_code':303}}}},"
    "'/collection':{'is_collection':true,"
    "  'post':{'action':{'type':'static'},'response':{'on_result':{"
    "    'headers':{'location':'/collection/2'}}}}},"
    "'/null':{'get':{'action':{'type':'static'},'response':{'on_result':{'body':null}}}},"
    "'/static':{'get':{'action':{'type':'static','headers':{'x-static':'1'},'body':[1],"
    "   'status_code':299}}},"
    "'/status/:code':{'get':{'action':{'type':'static'},'response':{'on_result':{"
    "   'status_code':'{{request.bindings.code}}'}}}}"
    "}}}}";

static const char calls[] =
    "{'id':'calls','host':'_','realm_uri':'org.rivermap','status_codes':{'org.rivermap.mine':"
    "418},"
    "'versions':{'1':{'base_path':'/c','paths':{"
    "'/plain':{'get':{" CALL(
        "") ",'response':{}},"
            "  'post':{" CALL(
                "") ",'response':{'on_result':{'body':'{{action.result.args |> head}}'}}}},"
                    "'/mapped':{'get':{" CALL(
                        "") ",'response':{'on_error':{'body':"
                            "   '{{action.error.kwargs |> put(code, "
                            "{{action.error.error_uri}})}}'}}}},"
                            "'/text':{'get':{" CALL(
                                "") ",'response':{'on_error':{'body':"
                                    "   '{{action.error.error_uri}}'}}}},"
                                    "'/whole':{'get':{" CALL(
                                        "") ",'response':{'on_error':{'status_code':"
                                            "   "
                                            "'{{action.error.status_code}}','body':{'type':'{{"
                                            "action.error.request_type}}',"
                                            "   "
                                            "'args':'{{action.error.arguments}}','kwargs':'{{"
                                            "action.error.arguments_kw}}'}}}}},"
                                            "'/kwargs':{'get':{" CALL(
                                                "") ",'response':{'on_error':{'body':'{{action."
                                                    "error.kwargs}}'}}}},"
                                                    "'/header':{'get':{" CALL(
                                                        "") ",'response':{'on_result':{'"
                                                            "headers':{'x-from':"
                                                            "   '{{action.result.args |> "
                                                            "head}}'}}}}},"
                                                            "'/headers':{'get':{" CALL(
                                                                "") ",'response':{'on_result':{"
                                                                    "'headers':"
                                                                    "   "
                                                                    "'{{action.result.kwargs}}'"
                                                                    "}}}},"
                                                                    "'/quick':{'get':{" CALL(
                                                                        ",'options':{'timeout':"
                                                                        "40}") ",'response':{}}"
                                                                               "},"
                                                                               "'/"
                                                                               "quicker':{'get'"
                                                                               ":{" CALL(
                                                                                   ",'timeout':"
                                                                                   "40") ",'"
                                                                                         "respo"
                                                                                         "nse':"
                                                                                         "{'on_"
                                                                                         "timeo"
                                                                                         "ut':{"
                                                                                         "'stat"
                                                                                         "us_"
                                                                                         "code'"
                                                                                         ":599,"
                                                                                         "   "
                                                                                         "'body"
                                                                                         "':'{{"
                                                                                         "actio"
                                                                                         "n."
                                                                                         "error"
                                                                                         ".erro"
                                                                                         "r_"
                                                                                         "uri}}"
                                                                                         "'}}}}"
                                                                                         ","
                                                                                         "'/"
                                                                                         "missi"
                                                                                         "ng':{"
                                                                                         "'get'"
                                                                                         ":"
                                                                                         "{" CALL(
                                                                                             "") ","
                                                                                                 "'"
                                                                                                 "r"
                                                                                                 "e"
                                                                                                 "s"
                                                                                                 "p"
                                                                                                 "o"
                                                                                                 "n"
                                                                                                 "s"
                                                                                                 "e"
                                                                                                 "'"
                                                                                                 ":"
                                                                                                 "{"
                                                                                                 "'"
                                                                                                 "o"
                                                                                                 "n"
                                                                                                 "_"
                                                                                                 "r"
                                                                                                 "e"
                                                                                                 "s"
                                                                                                 "u"
                                                                                                 "l"
                                                                                                 "t"
                                                                                                 "'"
                                                                                                 ":"
                                                                                                 "{"
                                                                                                 "'"
                                                                                                 "b"
                                                                                                 "o"
                                                                                                 "d"
                                                                                                 "y"
                                                                                                 "'"
                                                                                                 ":"
                                                                                                 " "
                                                                                                 " "
                                                                                                 " "
                                                                                                 "'"
                                                                                                 "{"
                                                                                                 "{"
                                                                                                 "a"
                                                                                                 "c"
                                                                                                 "t"
                                                                                                 "i"
                                                                                                 "o"
                                                                                                 "n"
                                                                                                 "."
                                                                                                 "r"
                                                                                                 "e"
                                                                                                 "s"
                                                                                                 "u"
                                                                                                 "l"
                                                                                                 "t"
                                                                                                 "."
                                                                                                 "k"
                                                                                                 "w"
                                                                                                 "a"
                                                                                                 "r"
                                                                                                 "g"
                                                                                                 "s"
                                                                                                 "."
                                                                                                 "n"
                                                                                                 "o"
                                                                                                 "t"
                                                                                                 "h"
                                                                                                 "i"
                                                                                                 "n"
                                                                                                 "g"
                                                                                                 "}"
                                                                                                 "}"
                                                                                                 "'"
                                                                                                 "}"
                                                                                                 "}"
                                                                                                 "}"
                                                                                                 "}"
                                                                                                 ","
                                                                                                 "'"
                                                                                                 "/"
                                                                                                 "b"
                                                                                                 "u"
                                                                                                 "i"
                                                                                                 "l"
                                                                                                 "t"
                                                                                                 "i"
                                                                                                 "n"
                                                                                                 "'"
                                                                                                 ":"
                                                                                                 "{"
                                                                                                 "'"
                                                                                                 "p"
                                                                                                 "o"
                                                                                                 "s"
                                                                                                 "t"
                                                                                                 "'"
                                                                                                 ":"
                                                                                                 "{"
                                                                                                 "'"
                                                                                                 "a"
                                                                                                 "c"
                                                                                                 "t"
                                                                                                 "i"
                                                                                                 "o"
                                                                                                 "n"
                                                                                                 "'"
                                                                                                 ":"
                                                                                                 "{"
                                                                                                 "'"
                                                                                                 "t"
                                                                                                 "y"
                                                                                                 "p"
                                                                                                 "e"
                                                                                                 "'"
                                                                                                 ":"
                                                                                                 "'"
                                                                                                 "w"
                                                                                                 "a"
                                                                                                 "m"
                                                                                                 "p"
                                                                                                 "_"
                                                                                                 "c"
                                                                                                 "a"
                                                                                                 "l"
                                                                                                 "l"
                                                                                                 "'"
                                                                                                 ","
                                                                                                 "'"
                                                                                                 "p"
                                                                                                 "r"
                                                                                                 "o"
                                                                                                 "c"
                                                                                                 "e"
                                                                                                 "d"
                                                                                                 "u"
                                                                                                 "r"
                                                                                                 "e"
                                                                                                 "'"
                                                                                                 ":"
                                                                                                 "'"
                                                                                                 "b"
                                                                                                 "o"
                                                                                                 "n"
                                                                                                 "d"
                                                                                                 "y"
                                                                                                 "."
                                                                                                 "t"
                                                                                                 "e"
                                                                                                 "s"
                                                                                                 "t"
                                                                                                 "."
                                                                                                 "r"
                                                                                                 "e"
                                                                                                 "f"
                                                                                                 "u"
                                                                                                 "s"
                                                                                                 "e"
                                                                                                 "'"
                                                                                                 ","
                                                                                                 " "
                                                                                                 " "
                                                                                                 " "
                                                                                                 "'"
                                                                                                 "a"
                                                                                                 "r"
                                                                                                 "g"
                                                                                                 "s"
                                                                                                 "'"
                                                                                                 ":"
                                                                                                 "["
                                                                                                 "'"
                                                                                                 "{"
                                                                                                 "{"
                                                                                                 "r"
                                                                                                 "e"
                                                                                                 "q"
                                                                                                 "u"
                                                                                                 "e"
                                                                                                 "s"
                                                                                                 "t"
                                                                                                 "."
                                                                                                 "b"
                                                                                                 "o"
                                                                                                 "d"
                                                                                                 "y"
                                                                                                 "}"
                                                                                                 "}"
                                                                                                 "'"
                                                                                                 "]"
                                                                                                 "}"
                                                                                                 ","
                                                                                                 "'"
                                                                                                 "r"
                                                                                                 "e"
                                                                                                 "s"
                                                                                                 "p"
                                                                                                 "o"
                                                                                                 "n"
                                                                                                 "s"
                                                                                                 "e"
                                                                                                 "'"
                                                                                                 ":"
                                                                                                 "{"
                                                                                                 "}"
                                                                                                 "}"
                                                                                                 "}"
                                                                                                 ","
                                                                                                 "'"
                                                                                                 "/"
                                                                                                 "p"
                                                                                                 "u"
                                                                                                 "b"
                                                                                                 "l"
                                                                                                 "i"
                                                                                                 "s"
                                                                                                 "h"
                                                                                                 "'"
                                                                                                 ":"
                                                                                                 "{"
                                                                                                 "'"
                                                                                                 "p"
                                                                                                 "o"
                                                                                                 "s"
                                                                                                 "t"
                                                                                                 "'"
                                                                                                 ":"
                                                                                                 "{"
                                                                                                 "'"
                                                                                                 "a"
                                                                                                 "c"
                                                                                                 "t"
                                                                                                 "i"
                                                                                                 "o"
                                                                                                 "n"
                                                                                                 "'"
                                                                                                 ":"
                                                                                                 "{"
                                                                                                 "'"
                                                                                                 "t"
                                                                                                 "y"
                                                                                                 "p"
                                                                                                 "e"
                                                                                                 "'"
                                                                                                 ":"
                                                                                                 "'"
                                                                                                 "w"
                                                                                                 "a"
                                                                                                 "m"
                                                                                                 "p"
                                                                                                 "_"
                                                                                                 "p"
                                                                                                 "u"
                                                                                                 "b"
                                                                                                 "l"
                                                                                                 "i"
                                                                                                 "s"
                                                                                                 "h"
                                                                                                 "'"
                                                                                                 ","
                                                                                                 "'"
                                                                                                 "t"
                                                                                                 "o"
                                                                                                 "p"
                                                                                                 "i"
                                                                                                 "c"
                                                                                                 "'"
                                                                                                 ":"
                                                                                                 "'"
                                                                                                 "{"
                                                                                                 "{"
                                                                                                 "r"
                                                                                                 "e"
                                                                                                 "q"
                                                                                                 "u"
                                                                                                 "e"
                                                                                                 "s"
                                                                                                 "t"
                                                                                                 "."
                                                                                                 "b"
                                                                                                 "o"
                                                                                                 "d"
                                                                                                 "y"
                                                                                                 "."
                                                                                                 "t"
                                                                                                 "o"
                                                                                                 "p"
                                                                                                 "i"
                                                                                                 "c"
                                                                                                 "}"
                                                                                                 "}"
                                                                                                 "'"
                                                                                                 "}"
                                                                                                 ","
                                                                                                 " "
                                                                                                 " "
                                                                                                 " "
                                                                                                 "'"
                                                                                                 "r"
                                                                                                 "e"
                                                                                                 "s"
                                                                                                 "p"
                                                                                                 "o"
                                                                                                 "n"
                                                                                                 "s"
                                                                                                 "e"
                                                                                                 "'"
                                                                                                 ":"
                                                                                                 "{"
                                                                                                 "'"
                                                                                                 "o"
                                                                                                 "n"
                                                                                                 "_"
                                                                                                 "r"
                                                                                                 "e"
                                                                                                 "s"
                                                                                                 "u"
                                                                                                 "l"
                                                                                                 "t"
                                                                                                 "'"
                                                                                                 ":"
                                                                                                 "{"
                                                                                                 "'"
                                                                                                 "b"
                                                                                                 "o"
                                                                                                 "d"
                                                                                                 "y"
                                                                                                 "'"
                                                                                                 ":"
                                                                                                 "{"
                                                                                                 "'"
                                                                                                 "i"
                                                                                                 "d"
                                                                                                 "'"
                                                                                                 ":"
                                                                                                 "'"
                                                                                                 "{"
                                                                                                 "{"
                                                                                                 "a"
                                                                                                 "c"
                                                                                                 "t"
                                                                                                 "i"
                                                                                                 "o"
                                                                                                 "n"
                                                                                                 "."
                                                                                                 "r"
                                                                                                 "e"
                                                                                                 "s"
                                                                                                 "u"
                                                                                                 "l"
                                                                                                 "t"
                                                                                                 "."
                                                                                                 "p"
                                                                                                 "u"
                                                                                                 "b"
                                                                                                 "l"
                                                                                                 "i"
                                                                                                 "c"
                                                                                                 "a"
                                                                                                 "t"
                                                                                                 "i"
                                                                                                 "o"
                                                                                                 "n"
                                                                                                 "_"
                                                                                                 "i"
                                                                                                 "d"
                                                                                                 "}"
                                                                                                 "}"
                                                                                                 "'"
                                                                                                 "}"
                                                                                                 "}"
                                                                                                 "}"
                                                                                                 "}"
                                                                                                 "}"
                                                                                                 ","
                                                                                                 "'"
                                                                                                 "/"
                                                                                                 "u"
                                                                                                 "r"
                                                                                                 "i"
                                                                                                 "'"
                                                                                                 ":"
                                                                                                 "{"
                                                                                                 "'"
                                                                                                 "p"
                                                                                                 "o"
                                                                                                 "s"
                                                                                                 "t"
                                                                                                 "'"
                                                                                                 ":"
                                                                                                 "{"
                                                                                                 "'"
                                                                                                 "a"
                                                                                                 "c"
                                                                                                 "t"
                                                                                                 "i"
                                                                                                 "o"
                                                                                                 "n"
                                                                                                 "'"
                                                                                                 ":"
                                                                                                 "{"
                                                                                                 "'"
                                                                                                 "t"
                                                                                                 "y"
                                                                                                 "p"
                                                                                                 "e"
                                                                                                 "'"
                                                                                                 ":"
                                                                                                 "'"
                                                                                                 "w"
                                                                                                 "a"
                                                                                                 "m"
                                                                                                 "p"
                                                                                                 "_"
                                                                                                 "c"
                                                                                                 "a"
                                                                                                 "l"
                                                                                                 "l"
                                                                                                 "'"
                                                                                                 ","
                                                                                                 "'"
                                                                                                 "p"
                                                                                                 "r"
                                                                                                 "o"
                                                                                                 "c"
                                                                                                 "e"
                                                                                                 "d"
                                                                                                 "u"
                                                                                                 "r"
                                                                                                 "e"
                                                                                                 "'"
                                                                                                 ":"
                                                                                                 "'"
                                                                                                 "{"
                                                                                                 "{"
                                                                                                 "r"
                                                                                                 "e"
                                                                                                 "q"
                                                                                                 "u"
                                                                                                 "e"
                                                                                                 "s"
                                                                                                 "t"
                                                                                                 "."
                                                                                                 "b"
                                                                                                 "o"
                                                                                                 "d"
                                                                                                 "y"
                                                                                                 "}"
                                                                                                 "}"
                                                                                                 "'"
                                                                                                 "}"
                                                                                                 ","
                                                                                                 " "
                                                                                                 " "
                                                                                                 " "
                                                                                                 "'"
                                                                                                 "r"
                                                                                                 "e"
                                                                                                 "s"
                                                                                                 "p"
                                                                                                 "o"
                                                                                                 "n"
                                                                                                 "s"
                                                                                                 "e"
                                                                                                 "'"
                                                                                                 ":"
                                                                                                 "{"
                                                                                                 "}"
                                                                                                 "}"
                                                                                                 "}"
                                                                                                 "}"
                                                                                                 "}"
                                                                                                 "}"
                                                                                                 "}";

static const char closed[] =
    "{'id':'closed','host':'_','realm_uri':'closed','versions':{'1':{'base_path':'/closed',"
    "'paths':{'/x':{'get':{" CALL("") ",'response':{}}}}}}}";

static int start_tables(void **state)
{
    gateway_rig_start(state);
    gateway_rig_load(*state, table);
    gateway_rig_load(*state, calls);
    gateway_rig_load(*state, closed);
    gateway_rig_register(*state, "org.rivermap.p");
    return 0;
}

/* ---- success --------------------------------------------------------------------------------- */

static void success_has_this_status(void **state)
{
    static const struct {
        const char *target;
        unsigned status;
        const char *body, *location;
    } cases[] = {
        {"GET /full", 200, "{\"a\":1}", NULL},
        {"POST /full", 200, "{\"a\":1}", NULL},
        {"PUT /full", 200, "{\"a\":1}", NULL},
        {"PATCH /full", 200, "{\"a\":1}", NULL},
        {"DELETE /full", 200, "{\"a\":1}", NULL},
        {"GET /bare", 200, "", NULL},
        {"POST /bare", 204, "", NULL},
        {"PUT /bare", 204, "", NULL},
        {"PATCH /bare", 204, "", NULL},
        {"DELETE /bare", 204, "", NULL},
        {"POST /made", 201, "", "/made/1"},
        {"PUT /made", 201, "", "/made/1"},
        {"GET /said", 203, "\"x\"", NULL},
        {"POST /said", 202, "\"x\"", NULL},
        {"PUT /said", 204, "", NULL},
        {"DELETE /said", 303, "", "/made/1"},
        {"POST /collection", 201, "", "/collection/2"},
        {"GET /null", 200, "null", NULL},
        {"GET /static", 299, "[1]", NULL},
        {"GET /status/404", 404, "", NULL},
        {"GET /status/99", 500, NULL, NULL},
        {"GET /status/600", 500, NULL, NULL},
        {"GET /status/abc", 500, NULL, NULL},
        {"GET /status/100", 500, NULL, NULL},
    };
    struct gateway_rig *rig = *state;

    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        const char *location;

        if (gateway_rig_ask(rig, cases[i].target, NULL, NULL) != cases[i].status)
            fail_msg("%s: %u instead of %u", cases[i].target, rig->reply.status, cases[i].status);
        if (cases[i].body != NULL)
            assert_string_equal(rig->reply.body.data, cases[i].body);
        location = http_reply_header(&rig->reply, "location");
        if ((location == NULL) != (cases[i].location == NULL))
            fail_msg("%s: location %s", cases[i].target, location);
        if (location != NULL)
            assert_string_equal(location, cases[i].location);
    }
    assert_int_equal(gateway_rig_ask(rig, "GET /static", NULL, NULL), 299);
    assert_string_equal(http_reply_header(&rig->reply, "x-static"), "1");
    assert_int_equal(gateway_rig_ask(rig, "GET /full", NULL, NULL), 200);
    assert_string_equal(http_reply_header(&rig->reply, "x-default"), "yes");
    assert_non_null(http_reply_header(&rig->reply, "deprecation"));
    assert_non_null(http_reply_header(&rig->reply, "sunset"));
}

/* ---- errors ---------------------------------------------------------------------------------- */

static void error_uris_have_these_statuses(void **state)
{
    static const struct {
        const char *uri;
        unsigned status;
    } cases[] = {
        {"bondy.error.already_exists", 409},
        {"bondy.error.not_found", 404},
        {"bondy.error.bad_gateway", 502},
        {"bondy.error.http_gateway.invalid_expression", 500},
        {"bondy.error.timeout", 504},
        {"bondy.error.too_many_requests", 429},
        {"wamp.error.authorization_failed", 403},
        {"wamp.error.canceled", 503},
        {"wamp.error.invalid_argument", 400},
        {"wamp.error.invalid_uri", 400},
        {"wamp.error.not_authorized", 401}, /* the caller is anonymous */
        {"wamp.error.no_eligible_callee", 502},
        {"wamp.error.no_such_procedure", 501},
        {"wamp.error.no_such_principal", 404},
        {"wamp.error.unavailable", 503},
        {"wamp.error.payload_size_exceeded", 413},
        {"wamp.error.timeout", 504},
        {"org.rivermap.mine", 418},
        {"org.rivermap.unknown", 500},
    };
    struct gateway_rig *rig = *state;
    char body[256];

    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        for (unsigned k = 0; k < 2; k++) {
            if (gateway_rig_call_error(rig, k == 0 ? "GET /c/plain" : "GET /c/text", NULL, NULL,
                                       cases[i].uri, "['sorry']") != cases[i].status)
                fail_msg("%s: %u instead of %u", cases[i].uri, rig->reply.status, cases[i].status);
            snprintf(body, sizeof body, "\"%s\"", cases[i].uri);
            if (k == 0)
                snprintf(body, sizeof body,
                         "{\"code\":\"%s\",\"message\":\"sorry\",\"description\":\"\"}",
                         cases[i].uri);
            assert_string_equal(rig->reply.body.data, body);
        }
    }
}

static void an_error_body_decides_its_status(void **state)
{
    static const struct {
        const char *kwargs;
        unsigned status;
        const char *body;
    } cases[] = {
        {"[],{'status_code':410,'a':1}", 410, "{'a':1}"},
        {"[],{'status_code':'451'}", 451, "{}"},
        {"[],{'code':'wamp.error.invalid_argument'}", 400,
         "{'code':'wamp.error.invalid_argument'}"},
        {"[],{'code':'invalid_argument'}", 400, "{'code':'invalid_argument'}"},
        {"[],{'code':'not_found'}", 404, "{'code':'not_found'}"},
        {"[],{'code':7}", 500, "{'code':7}"},
        {"[],{'a':1}", 500, "{'a':1}"},
    };
    struct gateway_rig *rig = *state;

    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        if (gateway_rig_call_error(rig, "GET /c/kwargs", NULL, NULL, "org.rivermap.mine",
                                   cases[i].kwargs) != cases[i].status)
            fail_msg("%s: %u", cases[i].kwargs, rig->reply.status);
        assert_json(rig->reply.body.data, cases[i].body);
    }
    assert_int_equal(
        gateway_rig_call_error(rig, "GET /c/whole", NULL, NULL, "org.rivermap.mine", "[1],{'a':2}"),
        418);
    assert_json(rig->reply.body.data, "{'type':48,'args':[1],'kwargs':{'a':2}}");
}

static void a_missing_member_of_the_result_is_the_specifications_mistake(void **state)
{
    struct gateway_rig *rig = *state;

    assert_int_equal(gateway_rig_call(rig, "GET /c/missing", NULL, NULL, "[],{}"), 500);
    assert_non_null(
        strstr(rig->reply.body.data, "\"code\":\"bondy.error.http_gateway.invalid_expression\""));
}

static void built_in_procedures_answer_at_once(void **state)
{
    struct gateway_rig *rig = *state;

    assert_int_equal(gateway_rig_ask(rig, "POST /c/builtin", JSON_TYPE, "\"org.rivermap.mine\""),
                     418);
    assert_json(rig->reply.body.data,
                "{'code':'org.rivermap.mine','message':'refused','description':''}");
    assert_int_equal(bondy_http_server_pending(rig->server), 0);
}

static void uris_from_a_request_are_checked(void **state)
{
    struct gateway_rig *rig = *state;

    assert_int_equal(gateway_rig_ask(rig, "POST /c/uri", JSON_TYPE, "\"a..b\""), 400);
    assert_non_null(strstr(rig->reply.body.data, "wamp.error.invalid_uri"));
    assert_int_equal(gateway_rig_ask(rig, "POST /c/uri", JSON_TYPE, "\"no.such\""), 501);
    assert_int_equal(gateway_rig_ask(rig, "POST /c/uri", JSON_TYPE, "7"), 500);
    assert_int_equal(gateway_rig_ask(rig, "POST /c/publish", JSON_TYPE, "{\"topic\":\"a b\"}"),
                     400);
    assert_int_equal(gateway_rig_ask(rig, "POST /c/publish", JSON_TYPE, "{\"topic\":\"a.b\"}"),
                     200);
}

/* threat-model H3, from a callee's result. */
static void a_result_cannot_inject_headers(void **state)
{
    struct gateway_rig *rig = *state;

    assert_int_equal(gateway_rig_call(rig, "GET /c/header", NULL, NULL, "['fine']"), 200);
    assert_string_equal(http_reply_header(&rig->reply, "x-from"), "fine");
    assert_int_equal(gateway_rig_call(rig, "GET /c/header", NULL, NULL, "['a\\r\\nX-Evil: 1']"),
                     500);
    assert_null(http_reply_header(&rig->reply, "x-evil"));
    assert_int_equal(gateway_rig_call(rig, "GET /c/headers", NULL, NULL, "[],{'a b':'c'}"), 500);
    assert_int_equal(gateway_rig_call(rig, "GET /c/headers", NULL, NULL, "[],{'a:b':'c'}"), 500);
    assert_int_equal(
        gateway_rig_call(rig, "GET /c/headers", NULL, NULL, "[],{'Content-Length':'3'}"), 500);
    assert_int_equal(gateway_rig_call(rig, "GET /c/headers", NULL, NULL, "[],{'x':[1]}"), 500);
    assert_int_equal(gateway_rig_call(rig, "GET /c/headers", NULL, NULL, "[],{'X-N':3}"), 200);
    assert_string_equal(http_reply_header(&rig->reply, "x-n"), "3");
}

/* ---- deadlines and departures ---------------------------------------------------------------- */

static void a_call_without_answer_is_504_in_time(void **state)
{
    struct gateway_rig *rig = *state;

    assert_int_equal(gateway_rig_ask(rig, "GET /c/quick", NULL, NULL), 504);
    assert_non_null(strstr(rig->reply.body.data, "\"code\":\"wamp.error.timeout\""));
    assert_int_equal(gateway_rig_ask(rig, "GET /c/quicker", NULL, NULL), 599);
    assert_string_equal(rig->reply.body.data, "\"wamp.error.timeout\"");
}

static void a_client_that_leaves_takes_its_call_along(void **state)
{
    struct gateway_rig *rig = *state;
    unsigned long id;

    gateway_rig_send(rig, "GET /c/plain", NULL, NULL);
    id = gateway_rig_invocation(rig);
    http_client_close(&rig->client);
    for (unsigned i = 0; i < 2000 && bondy_http_server_pending(rig->server) > 0; i++)
        bondy_loop_turn(rig->loop, 5);
    assert_int_equal(bondy_http_server_pending(rig->server), 0);
    bondy_loop_turn(rig->loop, 0);
    gateway_rig_yield(rig, id, "[1]");
    assert_int_equal(gateway_rig_call(rig, "GET /c/plain", NULL, NULL, "[1]"), 200);
}

static void a_callee_that_leaves_is_an_error_to_the_client(void **state)
{
    struct gateway_rig *rig = *state;

    gateway_rig_send(rig, "GET /c/plain", NULL, NULL);
    gateway_rig_invocation(rig);
    bondy_session_lost(rig->callee);
    rig->callee = NULL;
    assert_int_equal(gateway_rig_read(rig), 503);
}

static void a_closed_realm_lets_nobody_in(void **state)
{
    struct gateway_rig *rig = *state;

    assert_int_equal(gateway_rig_ask(rig, "GET /closed/x", NULL, NULL), 401);
    assert_non_null(strstr(rig->reply.body.data, "wamp.error.not_authorized"));
    assert_string_equal(http_reply_header(&rig->reply, "www-authenticate"),
                        "Bearer realm=\"closed\"");
}

static void a_server_that_stops_answers_what_waits_for_callees(void **state)
{
    struct gateway_rig *rig = *state;

    gateway_rig_send(rig, "GET /c/plain", NULL, NULL);
    gateway_rig_invocation(rig);
    bondy_http_server_destroy(rig->server);
    rig->server = NULL;
    assert_int_equal(gateway_rig_read(rig), 503);
}

int main(void)
{
#define TABLES(test) cmocka_unit_test_setup_teardown(test, start_tables, gateway_rig_stop)
    const struct CMUnitTest tests[] = {
        TABLES(success_has_this_status),
        TABLES(error_uris_have_these_statuses),
        TABLES(an_error_body_decides_its_status),
        TABLES(a_missing_member_of_the_result_is_the_specifications_mistake),
        TABLES(built_in_procedures_answer_at_once),
        TABLES(uris_from_a_request_are_checked),
        TABLES(a_result_cannot_inject_headers), /* H3 */
        TABLES(a_call_without_answer_is_504_in_time),
        TABLES(a_client_that_leaves_takes_its_call_along),
        TABLES(a_callee_that_leaves_is_an_error_to_the_client),
        TABLES(a_closed_realm_lets_nobody_in),
        TABLES(a_server_that_stops_answers_what_waits_for_callees),
    };

    if (bondy_id_start(NULL) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
