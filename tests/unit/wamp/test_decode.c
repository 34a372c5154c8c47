/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/wamp/samples.h"

#include "src/base/id.h"

static struct bondy_buf bytes = BONDY_BUF_EMPTY;

/* Octets after `prefix` are hexadecimal in MessagePack and CBOR. */
static struct bondy_slice bytes_of(enum bondy_serializer serializer, const char *text)
{
    bytes.len = 0;
    if (serializer == BONDY_JSON)
        bondy_buf_append_text(&bytes, text);
    else
        append_hex(&bytes, text);
    return bondy_buf_slice(&bytes);
}

static struct bondy_slice message_of(enum bondy_serializer serializer, const char *json)
{
    bytes.len = 0;
    append_message(&bytes, serializer, json);
    return bondy_buf_slice(&bytes);
}

static void every_type_of_message_is_decoded(void **state)
{
    struct bondy_message message;

    (void)state;
    for (EACH_SERIALIZER(serializer))
        for (size_t i = 0; sample_messages[i] != NULL; i++)
            if (decode(serializer, message_of(serializer, sample_messages[i]), &message) < 0)
                fail_msg("%s: %s", bondy_serializer_name(serializer), sample_messages[i]);
}

static void fields_are_found(void **state)
{
    struct bondy_message message;

    (void)state;
    for (EACH_SERIALIZER(serializer)) {
        assert_int_equal(
            decode(serializer,
                   message_of(serializer, "[8,68,7,{\"a\":-1,\"b\":2},\"com.example.error\","
                                          "[\"text\",2,3],{\"k\":{\"l\":[]}}]"),
                   &message),
            BONDY_OK);
        assert_int_equal(message.type, BONDY_ERROR);
        assert_int_equal(message.request_type, BONDY_INVOCATION);
        assert_int_equal(message.id, 7);
        assert_int_equal(message.dict_count, 2);
        assert_slice_is(message.uri, "com.example.error");
        assert_int_equal(message.payload.serializer, serializer);
        assert_int_equal(message.payload.args_count, 3);
        assert_int_equal(message.payload.kwargs_count, 1);
        assert_false(message.payload.must_recode);

        assert_int_equal(decode(serializer, message_of(serializer, "[36,1,2,{},[]]"), &message),
                         BONDY_OK);
        assert_int_equal(message.id, 1);
        assert_int_equal(message.id2, 2);
        assert_int_equal(message.payload.args_count, 0);
        assert_true(message.payload.args.len > 0);
        assert_int_equal(message.payload.kwargs.len, 0);

        assert_int_equal(decode(serializer, message_of(serializer, "[5,\"sig\",{}]"), &message),
                         BONDY_OK);
        assert_slice_is(message.text, "sig");
    }
}

static void names_are_those_of_wamp(void **state)
{
    (void)state;
    assert_string_equal(bondy_message_name(BONDY_CALL), "CALL");
    assert_string_equal(bondy_message_name(BONDY_HELLO), "HELLO");
    assert_string_equal(bondy_message_name(7), "unknown");
    assert_string_equal(bondy_message_name(0), "unknown");
    assert_string_equal(bondy_message_name(BONDY_MESSAGE_TYPES), "unknown");
    for (EACH_SERIALIZER(serializer))
        assert_int_equal(
            bondy_serializer_of_subprotocol(bondy_slice_text(bondy_subprotocol(serializer))),
            serializer);
    assert_int_equal(bondy_serializer_of_subprotocol(BONDY_SLICE("wamp.2.json.batched")), 0);
    assert_int_equal(bondy_serializer_of_subprotocol(BONDY_SLICE("")), 0);
}

/* ID-RANGE-1, ID-ROUT-1 */
static void ids_go_up_to_2_to_the_53(void **state)
{
    struct bondy_message message;

    (void)state;
    for (EACH_SERIALIZER(serializer)) {
        assert_int_equal(
            decode(serializer, message_of(serializer, "[33,9007199254740992,1]"), &message),
            BONDY_OK);
        assert_true(message.id == BONDY_ID_MAX);
    }
}

/* SER-TYPE-4 */
static void escaped_text_is_unescaped(void **state)
{
    struct bondy_message message;

    (void)state;
    assert_int_equal(decode(BONDY_JSON,
                            bytes_of(BONDY_JSON, " [ 48 , 1 , { } , \"com.\\u00e9\\ud83d\\ude00."
                                                 "a\\/b\" ]\n"),
                            &message),
                     BONDY_OK);
    assert_slice_is(message.uri, "com.\xC3\xA9\xF0\x9F\x98\x80.a/b");
}

/* SER-CBOR-1 */
static void indefinite_payload_has_to_be_recoded(void **state)
{
    struct bondy_message message;

    (void)state;
    assert_int_equal(
        decode(BONDY_CBOR, bytes_of(BONDY_CBOR, "85 1830 01 a0 6161 9f01ff"), &message), BONDY_OK);
    assert_true(message.payload.must_recode);
    /* all of it of indefinite length, the URI in chunks */
    assert_int_equal(decode(BONDY_CBOR,
                            bytes_of(BONDY_CBOR, "9f183001bfff7f6161612e6162ff80bf6161f4ffff"),
                            &message),
                     BONDY_OK);
    assert_slice_is(message.uri, "a.b");
    assert_int_equal(message.payload.kwargs_count, 1);
    assert_true(message.payload.must_recode);
    /* only the rest of it */
    assert_int_equal(
        decode(BONDY_CBOR, bytes_of(BONDY_CBOR, "9f183001bfff7f6161612e6162ff81f6ff"), &message),
        BONDY_OK);
    assert_false(message.payload.must_recode);
}

/* SER-MP-1 */
static void heads_longer_than_needed_are_accepted(void **state)
{
    struct bondy_message message;

    (void)state;
    assert_int_equal(decode(BONDY_MSGPACK,
                            bytes_of(BONDY_MSGPACK, "dd00000004 cd0030 d300000000000000ff "
                                                    "df00000001db0000000161c0 da0003612e62"),
                            &message),
                     BONDY_OK);
    assert_int_equal(message.type, BONDY_CALL);
    assert_int_equal(message.id, 255);
    assert_slice_is(message.uri, "a.b");
}

/* SER-TYPE-2, threat-model P7: payload that only passes through is not searched. */
static void keys_may_repeat_in_payloads(void **state)
{
    struct bondy_message message;

    (void)state;
    for (EACH_SERIALIZER(serializer))
        assert_int_equal(
            decode(serializer,
                   message_of(serializer, "[48,1,{\"a\":{\"a\":1},\"b\":{\"a\":1}},\"a.b\","
                                          "[{\"a\":1,\"a\":2}],{\"k\":1,\"k\":2}]"),
                   &message),
            BONDY_OK);
}

/* Threat-model section 4: the router answers such a request with wamp.error.invalid_uri. */
static void long_uris_are_a_limit_not_a_violation(void **state)
{
    static const struct bondy_codec_limits limits = BONDY_CODEC_LIMITS_DEFAULT;
    struct bondy_buf json = BONDY_BUF_EMPTY;
    struct bondy_buf scratch = BONDY_BUF_EMPTY;
    struct bondy_message message;

    (void)state;
    for (size_t len = 1023; len <= 1026; len++) {
        json.len = 0;
        bondy_buf_append_text(&json, "[48,77,{\"a\":1},\"\\u0061");
        for (size_t i = 1; i < len; i++)
            bondy_buf_append_byte(&json, 'a');
        bondy_buf_append_text(&json, "\",[1,2]]");
        for (EACH_SERIALIZER(serializer)) {
            bytes.len = 0;
            bondy_value_recode(BONDY_JSON, bondy_buf_slice(&json), serializer, &bytes);
            assert_int_equal(bondy_message_decode(serializer, bondy_buf_slice(&bytes), &limits,
                                                  &scratch, &message, NULL),
                             len <= 1024 ? BONDY_OK : BONDY_ELIMIT);
            assert_int_equal(message.type, BONDY_CALL);
            assert_int_equal(message.id, 77);
            assert_int_equal(message.dict_count, 1);
            assert_int_equal(message.uri.len, len <= 1024 ? len : 0);
        }
        /* A violation behind it is one all the same. */
        bondy_buf_append_byte(&json, 'x');
        must_refuse(BONDY_JSON, bondy_buf_slice(&json), BONDY_EPROTO, "long URI");
    }
    bondy_buf_fini(&json);
    bondy_buf_fini(&scratch);
}

/* ---- many keys ---------------------------------------------------------------------------- */

static void append_keys(struct bondy_buf *json, size_t count)
{
    bondy_buf_append_text(json, "[48,1,{");
    for (size_t i = 0; i < count; i++)
        bondy_buf_printf(json, "%s\"%s%zu\":{\"x\":1,\"y\":2}", i == 0 ? "" : ",",
                         i % 3 == 0 ? "\\u006b" : "k", i);
}

/* SER-TYPE-2, threat-model P7, P8: sorted, not compared all with all. */
static void doubled_keys_are_found_among_many(void **state)
{
    static const size_t counts[] = {2, 11, 12, 13, 47, 48, 49, 100, 1023, 1024, 1025, 100000};
    struct bondy_buf json = BONDY_BUF_EMPTY;
    struct bondy_message message;
    size_t good;

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(counts); i++) {
        json.len = 0;
        append_keys(&json, counts[i]);
        good = json.len;
        bondy_buf_append_text(&json, "},\"a\"]");
        for (EACH_SERIALIZER(serializer)) {
            bytes.len = 0;
            bondy_value_recode(BONDY_JSON, bondy_buf_slice(&json), serializer, &bytes);
            assert_int_equal(decode(serializer, bondy_buf_slice(&bytes), &message), BONDY_OK);
            assert_int_equal(message.dict_count, counts[i]);
        }
        json.len = good;
        bondy_buf_printf(&json, ",\"k%zu\":0},\"a\"]", counts[i] / 2);
        for (EACH_SERIALIZER(serializer)) {
            bytes.len = 0;
            bondy_value_recode(BONDY_JSON, bondy_buf_slice(&json), serializer, &bytes);
            must_refuse(serializer, bondy_buf_slice(&bytes), BONDY_EPROTO, "a doubled key");
        }
    }
    bondy_buf_fini(&json);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_of_message_is_decoded),
        cmocka_unit_test(fields_are_found),
        cmocka_unit_test(names_are_those_of_wamp),
        cmocka_unit_test(ids_go_up_to_2_to_the_53),
        cmocka_unit_test(escaped_text_is_unescaped),
        cmocka_unit_test(indefinite_payload_has_to_be_recoded),
        cmocka_unit_test(heads_longer_than_needed_are_accepted),
        cmocka_unit_test(keys_may_repeat_in_payloads),
        cmocka_unit_test(long_uris_are_a_limit_not_a_violation),
        cmocka_unit_test(doubled_keys_are_found_among_many),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    bondy_buf_fini(&bytes);
    free_scratch();
    return failed;
}
