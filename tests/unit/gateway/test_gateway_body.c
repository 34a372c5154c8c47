/* SPDX-License-Identifier: Apache-2.0 */

/* Bodies in and out (http-gateway.md 1.7, 1.9), and what a request looks like to expressions (2.4).
 */

#include "tests/lib/test.h"

#include <stdlib.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/wamp/codec.h"
#include "tests/unit/gateway/gateway_rig.h"

#define JSON_TYPE "Content-Type: application/json\r\n"

/* Everything is answered with what the request was. */
static const char mirror[] =
    "{'id':'mirror','host':'_','realm_uri':'org.rivermap','variables':{'upstream':'secret'},"
    "'defaults':{'accepts':['application/json','application/msgpack','application/cbor',"
    " 'application/x-www-form-urlencoded','multipart/form-data','text/plain','image/png',"
    " 'application/x-ndjson','application/merge-patch+json'],"
    " 'provides':['application/json','application/msgpack','application/cbor','text/plain',"
    "  'image/png']},"
    "'versions':{'1':{'base_path':'','paths':{"
    "'/body':{'post':{'action':{'type':'static'},"
    "  'response':{'on_result':{'body':'{{request.body}}'}}},"
    " 'delete':{'action':{'type':'static'},"
    "  'response':{'on_result':{'body':['{{request.body}}'],'status_code':200}}},"
    " 'get':{'action':{'type':'static'},"
    "  'response':{'on_result':{'body':['{{request.body}}','{{request.body_length}}']}}}},"
    "'/name':{'post':{'action':{'type':'static'},"
    "  'response':{'on_result':{'body':'{{request.body.n}}','body_encoding':'json'}}}},"
    "'/echo':{'post':{'action':{'type':'wamp_call','procedure':'bondy.test.echo',"
    "   'args':['{{request.body}}']},"
    "  'response':{'on_result':{'body':'{{action.result.args |> head}}',"
    "   'body_encoding':'json'}}}},"
    "'/text':{'get':{'action':{'type':'static','body':'plain {{request.method}}'}}},"
    "'/sniffed':{'post':{'action':{'type':'static'},"
    "  'response':{'on_result':{'body':'{{request.body.text}}'}}}},"
    "'/request/:a/:b':{'get':{'action':{'type':'static'},"
    "  'response':{'on_result':{'body':{'method':'{{request.method}}',"
    "   'scheme':'{{request.scheme}}','peername':'{{request.peername}}',"
    "   'source_ip':'{{request.source_ip}}','path':'{{request.path}}','host':'{{request.host}}',"
    "   'port':'{{request.port}}','language':'{{request.language}}',"
    "   'query_string':'{{request.query_string}}','query_params':'{{request.query_params}}',"
    "   'query_lists':'{{request.query_lists}}','bindings':'{{request.bindings}}',"
    "   'cookies':'{{request.cookies}}','trace_id':'{{request.trace_id}}',"
    "   'x':'{{request.headers |> get(x-one)}}','realm':'{{security.realm_uri}}'}}}}},"
    "'/tagged':{'get':{'action':{'type':'static'},'response':{'on_result':{'body':'x',"
    "   'headers':{'etag':'\\\"v7\\\"'}}}}},"
    "'/page':{'get':{'action':{'type':'static'},"
    "  'response':{'on_result':{'body':'{{request.query_params.page "
    "|> integer}}'}}}}"
    "}}}}";

static int start_mirror(void **state)
{
    gateway_rig_start(state);
    gateway_rig_load(*state, mirror);
    return 0;
}

/* ---- lines, merge patches, DELETE, validators --------------------------------------------------
 */

static void lines_are_an_array(void **state)
{
    static const struct {
        const char *body;
        unsigned status;
        const char *answer;
    } cases[] = {
        {"{\"a\":1}\n[2]\n\n\"x\"", 200, "[{'a':1},[2],'x']"},
        {"{\"a\":1}\r\n{\"b\":2}\r\n", 200, "[{'a':1},{'b':2}]"},
        {"\n\n", 200, "[]"},
        {"{\"a\":1}\n{\"a\":", 400, NULL},
        {"{\"a\":1,\"a\":2}\n", 400, NULL},
        {"1 2\n", 400, NULL},
    };
    struct gateway_rig *rig = *state;

    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        if (gateway_rig_ask(rig, "POST /body", "Content-Type: application/x-ndjson\r\n",
                            cases[i].body) != cases[i].status)
            fail_msg("%s: %u", cases[i].body, rig->reply.status);
        if (cases[i].answer != NULL)
            assert_json(rig->reply.body.data, cases[i].answer);
        else
            assert_non_null(strstr(rig->reply.body.data, "line "));
    }
}

static void a_merge_patch_is_json(void **state)
{
    struct gateway_rig *rig = *state;

    assert_int_equal(gateway_rig_ask(rig, "POST /body",
                                     "Content-Type: application/merge-patch+json\r\n",
                                     "{\"a\":null}"),
                     200);
    assert_json(rig->reply.body.data, "{'a':null}");
}

static void delete_may_have_a_body(void **state)
{
    struct gateway_rig *rig = *state;

    assert_int_equal(gateway_rig_ask(rig, "DELETE /body", JSON_TYPE, "{\"a\":1}"), 200);
    assert_json(rig->reply.body.data, "[{'a':1}]");
    assert_int_equal(gateway_rig_ask(rig, "DELETE /body", NULL, NULL), 200);
    assert_json(rig->reply.body.data, "['']");
    assert_int_equal(gateway_rig_ask(rig, "DELETE /body", "Content-Type: text/xml\r\n", NULL), 200);
    assert_int_equal(gateway_rig_ask(rig, "DELETE /body", "Content-Type: text/xml\r\n", "<a/>"),
                     415);
    assert_int_equal(gateway_rig_ask(rig, "DELETE /body", JSON_TYPE, "{"), 400);
}

static void what_the_client_has_is_not_sent_again(void **state)
{
    static const struct {
        const char *header;
        unsigned status;
    } cases[] = {
        {"If-None-Match: \"v7\"\r\n", 304},        {"If-None-Match: W/\"v7\"\r\n", 304},
        {"If-None-Match: \"a\", \"v7\"\r\n", 304}, {"If-None-Match: *\r\n", 304},
        {"If-None-Match: \"v8\"\r\n", 200},        {"If-None-Match: v7\r\n", 200},
    };
    struct gateway_rig *rig = *state;

    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        if (gateway_rig_ask(rig, "GET /tagged", cases[i].header, NULL) != cases[i].status)
            fail_msg("%s: %u", cases[i].header, rig->reply.status);
        assert_string_equal(http_reply_header(&rig->reply, "etag"), "\"v7\"");
        assert_int_equal(rig->reply.body.len == 0, cases[i].status == 304);
    }
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void json_bodies_are_proved_before_they_are_used(void **state)
{
    static const struct {
        const char *body;
        unsigned status;
    } cases[] = {
        {"{}", 200},
        {" [1, 2.5, \"x\", null, true] ", 200},
        {"\"text\"", 200},
        {"null", 200},
        {"{", 400},
        {"{} {}", 400},
        {"{\"a\":1,\"a\":2}", 400},
        {"{\"a\":{\"b\":1,\"b\":2}}", 400},
        {"[\"\xff\"]", 400},
        {"[1e999]", 400},
        {"nul", 400},
        {"[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]", 200},
        {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", 400},
    };
    struct gateway_rig *rig = *state;

    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        if (gateway_rig_ask(rig, "POST /body", JSON_TYPE, cases[i].body) != cases[i].status)
            fail_msg("%s: %u instead of %u", cases[i].body, rig->reply.status, cases[i].status);
        if (rig->reply.status == 400)
            assert_non_null(strstr(rig->reply.body.data, "\"code\":\"invalid_data\""));
    }
}

/* P3: what becomes a tree is counted first, whatever its octets. */
static void a_body_with_more_values_than_the_limit_is_400(void **state)
{
    struct gateway_rig *rig = *state;
    struct bondy_buf body = BONDY_BUF_EMPTY;

    for (int values = 1000; values <= 1001; values++) {
        bondy_buf_clear(&body, 0);
        bondy_buf_append_byte(&body, '[');
        for (int i = 0; i < values; i++)
            bondy_buf_append_text(&body, i == 0 ? "1" : ",1");
        bondy_buf_append(&body, "]", 2);
        assert_int_equal(gateway_rig_ask(rig, "POST /body", JSON_TYPE, body.data),
                         values == 1000 ? 200 : 400);
    }
    assert_non_null(strstr(rig->reply.body.data, "more values than the limit"));
    bondy_buf_fini(&body);
}

/* A body goes two containers deep into a CALL: of 32 it may have 30. */
static void a_body_too_deep_for_its_message_is_400(void **state)
{
    struct gateway_rig *rig = *state;
    char body[80];

    for (unsigned depth = 29; depth <= 32; depth++) {
        memset(body, '[', depth);
        memset(body + depth, ']', depth);
        body[2 * depth] = '\0';
        if (gateway_rig_ask(rig, "POST /echo", JSON_TYPE, body) != (depth <= 30 ? 200 : 400))
            fail_msg("depth %u: %u", depth, rig->reply.status);
    }
}

static void a_body_of_a_method_without_one_is_passed_over(void **state)
{
    struct gateway_rig *rig = *state;

    assert_int_equal(gateway_rig_ask(rig, "GET /body", JSON_TYPE, "{nonsense"), 200);
    assert_json(rig->reply.body.data, "['',9]");
}

static void an_empty_body_is_the_empty_string(void **state)
{
    struct gateway_rig *rig = *state;

    assert_int_equal(gateway_rig_ask(rig, "POST /body", JSON_TYPE, ""), 204);
    assert_int_equal(gateway_rig_ask(rig, "POST /echo", NULL, NULL), 204);
}

/* ---- injection (2.4) ------------------------------------------------------------------------- */

static void data_is_never_an_expression(void **state)
{
    struct gateway_rig *rig = *state;

    gateway_rig_ask(rig, "POST /name", JSON_TYPE, "{\"n\":\"{{variables.upstream}}\"}");
    assert_string_equal(rig->reply.body.data, "\"{{variables.upstream}}\"");
    gateway_rig_ask(rig, "POST /name", JSON_TYPE, "{\"n\":\"'tis\"}");
    assert_string_equal(rig->reply.body.data, "\"'tis\"");
    gateway_rig_ask(rig, "POST /echo", JSON_TYPE, "\"{{variables.upstream}}\"");
    assert_string_equal(rig->reply.body.data, "\"{{variables.upstream}}\"");
    gateway_rig_ask(rig, "POST /echo", JSON_TYPE, "\"\\\"{{request.method}}\\\"\"");
    assert_string_equal(rig->reply.body.data, "\"\\\"{{request.method}}\\\"\"");
}

static void what_a_client_left_out_is_its_own_mistake(void **state)
{
    struct gateway_rig *rig = *state;

    assert_int_equal(gateway_rig_ask(rig, "POST /name", JSON_TYPE, "{}"), 400);
    assert_non_null(strstr(rig->reply.body.data, "\"code\":\"wamp.error.invalid_argument\""));
    assert_non_null(strstr(rig->reply.body.data, "\"pointer\":\"/body/n\""));
    assert_int_equal(gateway_rig_ask(rig, "GET /page?page=x", NULL, NULL), 400);
    assert_non_null(strstr(rig->reply.body.data, "\"pointer\":\"/query_params/page\""));
    assert_int_equal(gateway_rig_ask(rig, "GET /page?page=%zz", NULL, NULL), 400);
    assert_int_equal(gateway_rig_ask(rig, "GET /page?page=12", NULL, NULL), 200);
    assert_string_equal(rig->reply.body.data, "12");
}

/* ---- other types ----------------------------------------------------------------------------- */

static void same_value(struct gateway_rig *rig, enum bondy_serializer serializer,
                       const char *expected)
{
    struct bondy_slice raw = bondy_buf_slice(&rig->reply.body);
    struct bondy_error err;
    json_t *tree;
    char *text;

    if (bondy_value_check(serializer, raw, 32, true, &err) < 0)
        fail_msg("%s", err.text);
    tree = bondy_value_tree(serializer, raw);
    text = json_dumps(tree, JSON_ENCODE_ANY);
    assert_json(text, expected);
    free(text);
    json_decref(tree);
}

static void msgpack_and_cbor_go_in_and_out(void **state)
{
    static const struct {
        const char *type;
        enum bondy_serializer serializer;
    } types[] = {{"application/json", BONDY_JSON},
                 {"application/msgpack", BONDY_MSGPACK},
                 {"application/cbor", BONDY_CBOR}};
    struct gateway_rig *rig = *state;
    json_t *value = json_pack("{s:[i,f,b,n],s:s}", "a", -5, 2.5, 1, "b", "\xc3\xa4");

    for (size_t in = 0; in < 3; in++) {
        struct bondy_buf body = BONDY_BUF_EMPTY;

        bondy_value_format(types[in].serializer, value, &body);
        for (size_t out = 0; out < 6; out++) {
            char headers[256];

            snprintf(headers, sizeof headers, "Content-Type: %s\r\nAccept: %s\r\n", types[in].type,
                     types[out % 3].type);
            assert_int_equal(gateway_rig_ask_bytes(rig, out < 3 ? "POST /body" : "POST /echo",
                                                   headers, body.data, body.len),
                             200);
            assert_true(strncmp(http_reply_header(&rig->reply, "content-type"), types[out % 3].type,
                                strlen(types[out % 3].type)) == 0);
            same_value(rig, types[out % 3].serializer, "{'a':[-5,2.5,true,null],'b':'\xc3\xa4'}");
        }
        bondy_buf_fini(&body);
    }
    json_decref(value);
}

static void errors_are_written_in_the_type_asked_for(void **state)
{
    struct gateway_rig *rig = *state;

    assert_int_equal(
        gateway_rig_ask(rig, "POST /name", JSON_TYPE "Accept: application/msgpack\r\n", "{"), 400);
    assert_string_equal(http_reply_header(&rig->reply, "content-type"), "application/msgpack");
    assert_int_equal(
        gateway_rig_ask(rig, "POST /name",
                        JSON_TYPE "Accept: application/json, application/problem+json\r\n", "{"),
        400);
    assert_string_equal(http_reply_header(&rig->reply, "content-type"), "application/problem+json");
    assert_non_null(strstr(rig->reply.body.data, "\"status\":400"));
}

static void malformed_binary_bodies_are_400(void **state)
{
    static const struct {
        const char *type, *body;
        size_t len;
    } cases[] = {
        {"application/msgpack", "\xc1", 1},
        {"application/msgpack", "\xdd\xff\xff\xff\xff", 5}, /* P3: an array of 2^32 */
        {"application/msgpack",
         "\x82\xa1"
         "a\x01\xa1"
         "a\x02",
         7},
        {"application/msgpack", "\x01\x01", 2},
        {"application/msgpack", "\x81\x01\x01", 3},
        {"application/cbor", "\x9b\xff\xff\xff\xff\xff\xff\xff\xff", 9},
        {"application/cbor", "\xff", 1},
        {"application/cbor", "\x61\xff", 2},
        {"application/x-www-form-urlencoded", "a=%f", 4},
        {"application/x-www-form-urlencoded", "a=%ff", 5},
        {"multipart/form-data; boundary=x", "--x\r\n\r\nabc", 10},
        {"multipart/form-data", "--x\r\n\r\nabc\r\n--x--", 17},
        {"text/plain", "\xff", 1},
    };
    struct gateway_rig *rig = *state;

    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        char headers[128];

        snprintf(headers, sizeof headers, "Content-Type: %s\r\n", cases[i].type);
        if (gateway_rig_ask_bytes(rig, "POST /body", headers, cases[i].body, cases[i].len) != 400)
            fail_msg("case %zu: %u", i, rig->reply.status);
    }
}

static void forms_become_objects(void **state)
{
    struct gateway_rig *rig = *state;

    gateway_rig_ask(rig, "POST /body", "Content-Type: application/x-www-form-urlencoded\r\n",
                    "a=1&b=x+y%20z&a=2&c&%C3%A4=%26&a=3&&d=");
    assert_json(rig->reply.body.data,
                "{'a':['1','2','3'],'b':'x y z','c':'','\xc3\xa4':'&','d':''}");
    gateway_rig_ask(rig, "POST /body", "Content-Type: multipart/form-data; boundary=\"-x\"\r\n",
                    "---x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\n"
                    "---x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"n.txt\"\r\n"
                    "Content-Type: text/plain\r\n\r\ntwo\r\nlines\r\n---x--\r\n");
    assert_json(rig->reply.body.data,
                "[{'name':'a','filename':null,'content_type':null,'content':'one'},"
                "{'name':'f','filename':'n.txt','content_type':'text/plain',"
                "'content':'two\\r\\nlines'}]");
}

static void text_and_bytes_pass_as_they_are(void **state)
{
    static const char png[] = "\x89PNG\r\n\x1a\n\0\xff";
    struct gateway_rig *rig = *state;

    assert_int_equal(gateway_rig_ask(rig, "POST /body",
                                     "Content-Type: text/plain\r\nAccept: text/plain\r\n",
                                     "say \"hi\""),
                     200);
    assert_string_equal(rig->reply.body.data, "say \"hi\"");
    assert_string_equal(http_reply_header(&rig->reply, "content-type"),
                        "text/plain; charset=utf-8");
    assert_int_equal(gateway_rig_ask(rig, "GET /text", "Accept: text/plain\r\n", NULL), 200);
    assert_string_equal(rig->reply.body.data, "plain get");
    assert_int_equal(gateway_rig_ask_bytes(rig, "POST /body", "Content-Type: image/png\r\n", png,
                                           sizeof png - 1),
                     200);
    assert_json(rig->reply.body.data, "{'type':'image/png','content':'\\u0000iVBORw0KGgoA/w=='}");
}

/* body_encoding "auto": 1.9. */
static void text_that_is_json_is_sent_as_json_unless_told_otherwise(void **state)
{
    struct gateway_rig *rig = *state;

    gateway_rig_ask(rig, "POST /sniffed", JSON_TYPE, "{\"text\":\"{\\\"a\\\": 1}\"}");
    assert_string_equal(rig->reply.body.data, "{\"a\": 1}");
    gateway_rig_ask(rig, "POST /sniffed", JSON_TYPE, "{\"text\":\"{a}\"}");
    assert_string_equal(rig->reply.body.data, "\"{a}\"");
    gateway_rig_ask(rig, "POST /sniffed", JSON_TYPE "Accept: application/msgpack\r\n",
                    "{\"text\":\"[1]\"}");
    assert_memory_equal(rig->reply.body.data, "\x91\x01", 2);
    gateway_rig_ask(rig, "POST /name", JSON_TYPE, "{\"n\":\"{\\\"a\\\":1}\"}");
    assert_string_equal(rig->reply.body.data, "\"{\\\"a\\\":1}\"");
}

/* ---- 2.4 ------------------------------------------------------------------------------------- */

static void a_request_has_these_members(void **state)
{
    struct gateway_rig *rig = *state;

    assert_int_equal(
        gateway_rig_ask(rig, "GET /request/%2Fa/b%20c/?x=1&y=%C3%A4&x=2&flag",
                        "Host: API.example.org:8080\r\nCookie: s=1; t=\"q\"\r\nX-One: 1\r\n"
                        "x-one: 2\r\nCookie: u=2\r\n"
                        "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n",
                        NULL),
        200);
    assert_json(rig->reply.body.data,
                "{'method':'get','scheme':'http','peername':'127.0.0.1:40000',"
                "'source_ip':'127.0.0.1','path':'/request/%2Fa/b%20c','host':'api.example.org',"
                "'port':8080,'language':'en','query_string':'x=1&y=%C3%A4&x=2&flag',"
                "'query_params':{'x':'2','y':'\xc3\xa4','flag':true},"
                "'query_lists':{'x':['1','2'],'y':['\xc3\xa4'],'flag':[true]},"
                "'bindings':{'a':'/a','b':'b c'},'cookies':{'s':'1','t':'\\\"q\\\"','u':'2'},"
                "'trace_id':'4bf92f3577b34da6a3ce929d0e0e4736','x':'1, 2',"
                "'realm':'org.rivermap'}");
}

int main(void)
{
#define MIRROR(test) cmocka_unit_test_setup_teardown(test, start_mirror, gateway_rig_stop)
    const struct CMUnitTest tests[] = {
        MIRROR(lines_are_an_array),
        MIRROR(a_merge_patch_is_json),
        MIRROR(delete_may_have_a_body),
        MIRROR(what_the_client_has_is_not_sent_again),
        MIRROR(json_bodies_are_proved_before_they_are_used),   /* P4, P5, P7 */
        MIRROR(a_body_with_more_values_than_the_limit_is_400), /* P4, P5, P7 */
        MIRROR(a_body_too_deep_for_its_message_is_400),
        MIRROR(a_body_of_a_method_without_one_is_passed_over),
        MIRROR(an_empty_body_is_the_empty_string),
        MIRROR(data_is_never_an_expression),
        MIRROR(what_a_client_left_out_is_its_own_mistake),
        MIRROR(msgpack_and_cbor_go_in_and_out),
        MIRROR(errors_are_written_in_the_type_asked_for),
        MIRROR(malformed_binary_bodies_are_400), /* P3, P7 */
        MIRROR(forms_become_objects),
        MIRROR(text_and_bytes_pass_as_they_are),
        MIRROR(text_that_is_json_is_sent_as_json_unless_told_otherwise),
        MIRROR(a_request_has_these_members),
    };

    if (bondy_id_start(NULL) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
