/* SPDX-License-Identifier: Apache-2.0 */
/* What is refused when a message is decoded. */
#include "tests/unit/wamp/samples.h"

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

/* PROTO-FORM-1, PROTO-PRE-1, PROTO-POST-1, SER-TYPE-2: the same in every serializer. */
static const char *const bad_messages[] = {
    /* no list, empty, no type, unknown type */
    "{}",
    "{\"a\":1}",
    "1",
    "\"text\"",
    "null",
    "true",
    "[]",
    "[null]",
    "[\"HELLO\"]",
    "[[48]]",
    "[0]",
    "[7,1]",
    "[9,1]",
    "[-1]",
    "[48.0,1,{},\"a.b\"]",
    "[true]",
    "[71,1]",
    "[337,1,2]",
    "[1000000,1]",
    "[9223372036854775807]",
    "[18446744073709551615]",
    /* too few */
    "[1]",
    "[1,\"a\"]",
    "[2,1]",
    "[3,{}]",
    "[4,\"x\"]",
    "[5,\"x\"]",
    "[6,{}]",
    "[8,48,1,{}]",
    "[8]",
    "[16,1,{}]",
    "[17,1]",
    "[32,1,{}]",
    "[33,1]",
    "[34,1]",
    "[35]",
    "[36,1,2]",
    "[48,1,{}]",
    "[48,1]",
    "[48]",
    "[49,1]",
    "[50,1]",
    "[64,1,{}]",
    "[65,1]",
    "[66,1]",
    "[67]",
    "[68,1,2]",
    "[69,1]",
    "[70,1]",
    "[35,0]",
    "[67,0]",
    /* too many */
    "[1,\"a\",{},1]",
    "[2,1,{},[]]",
    "[3,{},\"a\",[],{},1]",
    "[4,\"x\",{},{}]",
    "[5,\"x\",{},1]",
    "[6,{},\"a\",[]]",
    "[8,48,1,{},\"a\",[],{},null]",
    "[16,1,{},\"a\",[],{},1]",
    "[17,1,2,3]",
    "[32,1,{},\"a\",1]",
    "[33,1,2,3]",
    "[34,1,2,{}]",
    "[35,1,{}]",
    "[36,1,2,{},[],{},1]",
    "[48,1,{},\"a\",[],{},[]]",
    "[49,1,{},1]",
    "[50,1,{},[],{},1]",
    "[64,1,{},\"a\",1]",
    "[65,1,2,3]",
    "[66,1,2,3]",
    "[67,1,{}]",
    "[67,0,{},1]",
    "[68,1,2,{},[],{},1]",
    "[69,1,{},1]",
    "[70,1,{},[],{},1]",
    /* ids */
    "[48,0,{},\"a\"]",
    "[48,-1,{},\"a\"]",
    "[48,1.5,{},\"a\"]",
    "[48,1.0,{},\"a\"]",
    "[48,true,{},\"a\"]",
    "[48,null,{},\"a\"]",
    "[48,\"1\",{},\"a\"]",
    "[48,9007199254740993,{},\"a\"]",
    "[48,18446744073709551615,{},\"a\"]",
    "[48,-9223372036854775808,{},\"a\"]",
    "[48,-0,{},\"a\"]",
    "[48,[1],{},\"a\"]",
    "[34,1,0]",
    "[34,1,-5]",
    "[34,1,2.5]",
    "[66,1,\"2\"]",
    "[66,1,9007199254740993]",
    "[36,1,0,{}]",
    "[2,0,{}]",
    "[70,0,{}]",
    /* request types of ERROR */
    "[8,0,1,{},\"a\"]",
    "[8,7,1,{},\"a\"]",
    "[8,1000,1,{},\"a\"]",
    "[8,\"48\",1,{},\"a\"]",
    "[8,48.0,1,{},\"a\"]",
    "[8,-48,1,{},\"a\"]",
    /* options and details */
    "[48,1,[],\"a\"]",
    "[48,1,null,\"a\"]",
    "[48,1,1,\"a\"]",
    "[48,1,\"\",\"a\"]",
    "[6,[],\"a\"]",
    "[1,\"a\",[]]",
    "[1,\"a\",null]",
    "[35,0,[]]",
    "[50,1,[]]",
    "[36,1,2,[]]",
    "[48,1,{\"a\":1,\"a\":1},\"a\"]",
    "[48,1,{\"a\":{\"x\":1,\"y\":2,\"x\":3}},\"a\"]",
    "[48,1,{\"a\":[{\"x\":1,\"x\":3}]},\"a\"]",
    "[48,1,{\"\":1,\"\":2},\"a\"]",
    /* URIs and texts */
    "[48,1,{},1]",
    "[48,1,{},null]",
    "[48,1,{},true]",
    "[48,1,{},[\"a\"]]",
    "[48,1,{},{}]",
    "[1,1,{}]",
    "[5,1,{}]",
    "[5,null,{}]",
    "[4,1,{}]",
    "[6,{},1]",
    "[3,{},null]",
    "[48,1,{},1.5]",
    "[8,48,1,{},2]",
    "[16,1,{},3]",
    "[32,1,{},4]",
    "[64,1,{},5]",
    /* bytes instead (SER-TYPE-1) */
    "[48,1,{},\"\\u0000AQ==\"]",
    "[1,\"\\u0000\",{}]",
    "[5,\"\\u0000AQ==\",{}]",
    /* payload */
    "[48,1,{},\"a\",1]",
    "[48,1,{},\"a\",null]",
    "[48,1,{},\"a\",{}]",
    "[48,1,{},\"a\",\"x\"]",
    "[48,1,{},\"a\",[],[]]",
    "[48,1,{},\"a\",[],null]",
    "[48,1,{},\"a\",[],1]",
    "[50,1,{},{}]",
    "[36,1,2,{},\"x\"]",
    "[70,1,{},[],false]",
    "[3,{},\"a\",{}]",
};

static void messages_of_another_form_are_refused(void **state)
{
    (void)state;
    for (EACH_SERIALIZER(serializer)) {
        for (size_t i = 0; i < BONDY_COUNT(bad_messages); i++) {
            /* "-0" is a float when recoded, and 1.0 stays one. */
            must_refuse(serializer, message_of(serializer, bad_messages[i]), BONDY_EPROTO,
                        bad_messages[i]);
        }
    }
}

/* RFC 8259 */
static const char *const bad_json[] = {
    "",
    " ",
    "[",
    "]",
    "[48,1,{},\"a\"",
    "[48,1,{},\"a\"]]",
    "[48,1,{},\"a\"] x",
    "[48,1,{},\"a\"]1",
    "[48,1,{},\"a\"][]",
    "[48,,1,{},\"a\"]",
    "[48,1,{},\"a\",]",
    "[,48,1,{},\"a\"]",
    "[48 1,{},\"a\"]",
    "[48,1,{,},\"a\"]",
    "[48,1,{\"a\"},\"a\"]",
    "[48,1,{\"a\":},\"a\"]",
    "[48,1,{\"a\":1,},\"a\"]",
    "[48,1,{\"a\" 1},\"a\"]",
    "[48,1,{a:1},\"a\"]",
    "[48,1,{1:1},\"a\"]",
    "[48,1,{\"a\":1]",
    "[48,1,{},\"a\"}",
    "[48,1,{},'a']",
    "[48,1,{},\"a",
    "[48,1,{},\"a\\\"]",
    "[48,1,{},\"a\\x41\"]",
    "[48,1,{},\"\\u12\"]",
    "[48,1,{},\"\\u12g4\"]",
    "[48,1,{},\"a\nb\"]",
    "[48,1,{},\"a\tb\"]",
    "[48,1,{},\"a\x01\"]",
    "[48,1,{},\"\\ud800\"]",
    "[48,1,{},\"\\udc00\"]",
    "[48,1,{},\"\\ud800\\u0041\"]",
    "[48,1,{},\"\\ud800\\ud800\"]",
    "[48,1,{},\"\\ud800x\"]",
    "[48,1,{},\"\\ude00\\ud83d\"]",
    "[48,1,{},\"\\uD83D\\\"]",
    "[48,1,{},\"\\ud83d\\ude0\"]",
    "[48,1,{},\"a\",[01]]",
    "[48,1,{},\"a\",[-]]",
    "[48,1,{},\"a\",[+1]]",
    "[48,1,{},\"a\",[1.]]",
    "[48,1,{},\"a\",[.5]]",
    "[48,1,{},\"a\",[1e]]",
    "[48,1,{},\"a\",[1e+]]",
    "[48,1,{},\"a\",[-01]]",
    "[48,1,{},\"a\",[0x10]]",
    "[48,1,{},\"a\",[1_0]]",
    "[48,1,{},\"a\",[NaN]]",
    "[48,1,{},\"a\",[Infinity]]",
    "[48,1,{},\"a\",[-Infinity]]",
    "[48,1,{},\"a\",[1e999]]",
    "[48,1,{},\"a\",[-1e999]]",
    "[48,1,{},\"a\",[1.8e308]]",
    "[48,1,{},\"a\",[True]]",
    "[48,1,{},\"a\",[nul]]",
    "[48,1,{},\"a\",[tru]]",
    "[48,1,{},\"a\",[fals]]",
    "[48,1,{},\"a\",[truee]]",
    "[48,1,{},\"a\",[undefined]]",
    "[48,1,{},\"a\",[/*c*/]]",
    "[48,1,{},\"a\"//\n]",
    "\xEF\xBB\xBF[48,1,{},\"a\"]",
    "[48,1,{},\"a\"]\xC2\xA0",
    "[48,1,{},\v\"a\"]",
    "[48,1,{},\"a\",[\f]]",
    "(48,1,{},\"a\")",
    "[48:1,{},\"a\"]",
    "[48,1,{\"a\":1,\"\\u0061\":2},\"a\"]",
    "[48,1,{\"a\":1,\"b\":2,\"\\u0061\":2},\"a\"]",
    "[48,1,{\"\\u0061\":1,\"\\u0061\":2},\"a\"]",
    "[\"48\",1,{},\"a\"]",
    "[48,1e0,{},\"a\"]",
    "[4.8e1,1,{},\"a\"]",
    "[48,1,{},\"a\",[],{\"k\":1 \"l\":2}]",
    "[48,1,{},\"a\",[1 2]]",
    "[48,1,{},\"a\",[1}]",
    "[48,1,{},\"a\",[[]]",
    "[48,1,{},\"a\",[],{]]",
};

static const char *const bad_msgpack[] = {
    "",
    "c1",
    "94c1",
    "93 30 01 80",
    "95 30 01 80 a161",
    "94 30 01 80 a161 00",
    "94 30 01 80 a161 94",
    "94 30 01 80 a261",
    "94 30 01 80 d902 61",
    "94 30 01 80 da",
    "94 30 01 80 db00",
    "95 30 01 80 a161 c1",
    /* keys that are no text, in options and in payload (SER-TYPE-2) */
    "94 30 01 810101 a161",
    "94 30 01 81c40161 01 a161",
    "94 30 01 81c001 a161",
    "94 30 01 819001 a161",
    "94 30 01 81a161810101 a161",
    "95 30 01 80 a161 91810101",
    "96 30 01 80 a161 90 810101",
    "96 30 01 80 a161 90 81c4016101",
    "96 30 01 80 a161 90 81c3c3",
    "96 30 01 80 a161 90 81a16b810101",
    "95 30 01 80 a161 9181c4016101",
    "94 30 01 81d4016101 a161",
    /* bytes and ext where a URI should be (SER-TYPE-1) */
    "94 30 01 80 c40161",
    "94 30 01 80 d40161",
    "93 01 c40161 80",
    "93 05 c40161 80",
    /* counts beyond what is there (threat-model P3) */
    "ddffffffff",
    "dfffffffff",
    "dcffff",
    "deffff",
    "ddffffffff 30 01 80 a161",
    "94 30 01 dfffffffff",
    "95 30 01 80 a161 ddffffffff",
    "96 30 01 80 a161 90 dfffffffff",
    "95 30 01 80 a161 91ddffffffff",
    "94 30 01 80 dbffffffff 61",
    "95 30 01 80 a161 91c6ffffffff",
    "95 30 01 80 a161 91c9ffffffff01",
    "95 30 01 80 a161 91c8",
    "95 30 01 80 a161 91d8",
    "95 30 01 80 a161 91d801",
    "95 30 01 80 a161 dd7fffffff",
    "95 30 01 80 a161 df80000000",
    "95 30 01 80 a161 91df7fffffff",
    "94 30 01 8f a161",
    /* ids */
    "94 30 ff 80 a161",
    "94 30 cb3ff0000000000000 80 a161",
    "94 30 cf0020000000000001 80 a161",
    "94 30 d3ffffffffffffffff 80 a161",
    "94 30 cfffffffffffffffff 80 a161",
    "94 30 c3 80 a161",
    "94 30 c0 80 a161",
    "94 30 ca3f800000 80 a161",
    "94 30 cc00 80 a161",
};

static const char *const bad_cbor[] = {
    "",
    "ff",
    "84",
    "83 1830 01 a0",
    "85 1830 01 a0 6161",
    "84 1830 01 a0 6161 00",
    "84 1830 01 a0 6161 f6",
    "84 1830 01 a0 6261",
    "84 1830 01 a0 7801",
    "84 1830 01 a0 79",
    "84 1830 01 a0 7a00",
    /* heads that CBOR does not have, stray and missing breaks */
    "1c",
    "1d",
    "1e",
    "1f",
    "3f",
    "df",
    "85 1830 01 a0 6161 81 1c",
    "85 1830 01 a0 6161 81 3e",
    "85 1830 01 a0 6161 81 5d",
    "85 1830 01 a0 6161 81 7c",
    "85 1830 01 a0 6161 81 9c",
    "85 1830 01 a0 6161 81 bd",
    "85 1830 01 a0 6161 81 dc",
    "85 1830 01 a0 6161 81 fc",
    "85 1830 01 a0 6161 81 ff",
    "85 1830 01 a0 6161 81 dfff",
    "85 1830 01 a0 6161 9f",
    "85 1830 01 a0 6161 9f01",
    "86 1830 01 a0 6161 80 bf",
    "86 1830 01 a0 6161 80 bf6161ff",
    "86 1830 01 a0 6161 80 bf6161",
    "9f 1830 01 a0 6161",
    "9f 1830 01 a0",
    "9f 1830 01 a0 ff",
    "9fff",
    "9f 1830 01 a0 6161 80 a0 00 ff",
    "85 1830 01 a0 6161 81 c6",
    "85 1830 01 a0 6161 81 d8",
    /* simple values without a meaning */
    "85 1830 01 a0 6161 81 e0",
    "85 1830 01 a0 6161 81 f3",
    "85 1830 01 a0 6161 81 f8ff",
    "85 1830 01 a0 6161 81 f814",
    "85 1830 01 a0 6161 81 f818",
    /* chunks */
    "84 1830 01 a0 7f6161",
    "84 1830 01 a0 7f4161ff",
    "84 1830 01 a0 7f01ff",
    "84 1830 01 a0 7f7f6161ffff",
    "85 1830 01 a0 6161 81 5f6161ff",
    "85 1830 01 a0 6161 81 5f5f4101ffff",
    "85 1830 01 a0 6161 81 5f",
    "84 1830 01 a0 7f61c361a9ff",
    "84 1830 01 a0 7fc16161ff",
    /* keys that are no text (SER-TYPE-2) */
    "84 1830 01 a10101 6161",
    "84 1830 01 a1416101 6161",
    "84 1830 01 a1f601 6161",
    "84 1830 01 a18001 6161",
    "84 1830 01 a16161a10101 6161",
    "85 1830 01 a0 6161 81a10101",
    "86 1830 01 a0 6161 80 a10101",
    "86 1830 01 a0 6161 80 a1416101",
    "86 1830 01 a0 6161 80 bf20f6ff",
    "84 1830 01 a26161017f6161ff02 6161",
    "84 1830 01 a27f6161ff017f6161ff02 6161",
    /* bytes where a URI should be (SER-TYPE-1) */
    "84 1830 01 a0 4161",
    "84 1830 01 a0 5f4161ff",
    "84 1830 01 a0 c24161",
    "83 01 4161 a0",
    /* counts beyond what is there (threat-model P3) */
    "9bffffffffffffffff",
    "bbffffffffffffffff",
    "9b8000000000000000",
    "bb8000000000000000",
    "9affffffff",
    "baffffffff",
    "85 1830 01 a0 6161 9bffffffffffffffff",
    "85 1830 01 a0 6161 819b7fffffffffffffff",
    "86 1830 01 a0 6161 80 bbffffffffffffffff",
    "86 1830 01 a0 6161 80 bb8000000000000000",
    "84 1830 01 bb8000000000000001 6161",
    "84 1830 01 a0 7bffffffffffffffff 61",
    "85 1830 01 a0 6161 815bffffffffffffffff",
    "85 1830 01 a0 6161 817bffffffffffffffff",
    "84 1830 01 b7 6161",
    "99ffff",
    "b9ffff",
    /* ids */
    "84 1830 00 a0 6161",
    "84 1830 20 a0 6161",
    "84 1830 f5 a0 6161",
    "84 1830 f6 a0 6161",
    "84 1830 f93c00 a0 6161",
    "84 1830 1b0020000000000001 a0 6161",
    "84 1830 1bffffffffffffffff a0 6161",
    "84 1830 3bffffffffffffffff a0 6161",
    "84 1830 c24100 a0 6161",
    "84 1830 c340 a0 6161",
};

static void refuse_rows(enum bondy_serializer serializer, const char *const *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        must_refuse(serializer, bytes_of(serializer, rows[i]), BONDY_EPROTO, rows[i]);
}

/* PROTO-PRE-2, PROTO-POST-2, SER-TYPE-1, SER-TYPE-2, SER-TYPE-3, SER-TYPE-4, threat-model P3, P7 */
static void malformed_bytes_are_refused(void **state)
{
    (void)state;
    refuse_rows(BONDY_JSON, bad_json, BONDY_COUNT(bad_json));
    refuse_rows(BONDY_MSGPACK, bad_msgpack, BONDY_COUNT(bad_msgpack));
    refuse_rows(BONDY_CBOR, bad_cbor, BONDY_COUNT(bad_cbor));
}

static void messages_cut_anywhere_are_refused(void **state)
{
    (void)state;
    for (EACH_SERIALIZER(serializer)) {
        for (size_t i = 0; sample_messages[i] != NULL; i++) {
            struct bondy_slice whole = message_of(serializer, sample_messages[i]);

            for (size_t len = 0; len < whole.len; len++) {
                /* In memory of that length, so that a sanitizer sees what is read beyond. */
                char *cut = bondy_alloc(len);

                memcpy(cut, whole.data, len);
                must_refuse(serializer, bondy_slice_of(cut, len), BONDY_EPROTO, sample_messages[i]);
                bondy_free(cut);
            }
        }
    }
}

/* SER-TYPE-3, threat-model P7 */
static void nothing_may_follow_a_message(void **state)
{
    (void)state;
    for (EACH_SERIALIZER(serializer)) {
        for (size_t i = 0; sample_messages[i] != NULL; i++) {
            struct bondy_buf twice = BONDY_BUF_EMPTY;

            append_message(&twice, serializer, sample_messages[i]);
            bondy_buf_append_byte(&twice, serializer == BONDY_JSON ? '0' : 0);
            must_refuse(serializer, bondy_buf_slice(&twice), BONDY_EPROTO, "an octet behind it");
            twice.len--;
            append_message(&twice, serializer, sample_messages[i]);
            must_refuse(serializer, bondy_buf_slice(&twice), BONDY_EPROTO, "two messages");
            bondy_buf_fini(&twice);
        }
    }
}

/* Where invalid text can stand; the text itself replaces the %. */
static const char *const text_places[] = {
    "[48,1,{},\"%\"]",
    "[48,1,{\"%\":1},\"a\"]",
    "[48,1,{\"a\":\"%\"},\"a\"]",
    "[48,1,{},\"a\",[\"%\"]]",
    "[48,1,{},\"a\",[[{\"k\":\"%\"}]]]",
    "[48,1,{},\"a\",[{\"%\":1}]]",
    "[48,1,{},\"a\",[],{\"k\":\"%\"}]",
    "[48,1,{},\"a\",[],{\"%\":1}]",
    "[1,\"%\",{}]",
    "[5,\"%\",{}]",
};

/* Puts `text` where the one octet of a placeholder of the same length stands, so that the heads of
 * all serializers are right. */
static void put_text(struct bondy_buf *out, enum bondy_serializer serializer, const char *place,
                     struct bondy_slice text)
{
    struct bondy_buf json = BONDY_BUF_EMPTY;
    char *at;

    for (; *place != '\0'; place++) {
        if (*place != '%') {
            bondy_buf_append_byte(&json, (unsigned char)*place);
            continue;
        }
        for (size_t i = 0; i < text.len; i++)
            bondy_buf_append_byte(&json, '%');
    }
    out->len = 0;
    bondy_value_recode(BONDY_JSON, bondy_buf_slice(&json), serializer, out);
    at = memchr(out->data, '%', out->len);
    assert_non_null(at);
    memcpy(at, text.data, text.len);
    bondy_buf_fini(&json);
}

/* SER-TYPE-4, threat-model P5 */
static void text_that_is_not_utf8_is_refused_everywhere(void **state)
{
    struct bondy_buf message = BONDY_BUF_EMPTY;
    struct bondy_message decoded;

    (void)state;
    for (EACH_SERIALIZER(serializer)) {
        for (size_t place = 0; place < BONDY_COUNT(text_places); place++) {
            for (size_t i = 0; i < INVALID_UTF8_COUNT; i++) {
                put_text(&message, serializer, text_places[place], invalid_utf8[i]);
                must_refuse(serializer, bondy_buf_slice(&message), BONDY_EPROTO,
                            text_places[place]);
            }
            put_text(&message, serializer, text_places[place],
                     BONDY_SLICE("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\xF4\x8F\xBF\xBF"));
            assert_int_equal(decode(serializer, bondy_buf_slice(&message), &decoded), BONDY_OK);
        }
    }
    bondy_buf_fini(&message);
}

/* Bytes may be anything. */
static void bytes_need_not_be_utf8(void **state)
{
    struct bondy_message message;

    (void)state;
    assert_int_equal(
        decode(BONDY_MSGPACK, bytes_of(BONDY_MSGPACK, "95300180a16191c402c0ff"), &message),
        BONDY_OK);
    assert_int_equal(decode(BONDY_CBOR, bytes_of(BONDY_CBOR, "85183001a0616181 42c0ff"), &message),
                     BONDY_OK);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_another_form_are_refused),
        cmocka_unit_test(malformed_bytes_are_refused),
        cmocka_unit_test(messages_cut_anywhere_are_refused),
        cmocka_unit_test(nothing_may_follow_a_message),
        cmocka_unit_test(text_that_is_not_utf8_is_refused_everywhere),
        cmocka_unit_test(bytes_need_not_be_utf8),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    bondy_buf_fini(&bytes);
    free_scratch();
    return failed;
}
