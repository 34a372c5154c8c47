/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/wamp/samples.h"

static struct bondy_buf bytes = BONDY_BUF_EMPTY;
static struct bondy_buf scratch = BONDY_BUF_EMPTY;

static struct bondy_slice value_of(enum bondy_serializer serializer, const char *json)
{
    bytes.len = 0;
    bondy_value_recode(BONDY_JSON, bondy_slice_text(json), serializer, &bytes);
    return bondy_buf_slice(&bytes);
}

static void dicts_are_walked_in_place(void **state)
{
    (void)state;
    for (EACH_SERIALIZER(serializer)) {
        struct bondy_slice raw =
            value_of(serializer, "{\"n\":null,\"b\":true,\"i\":-5,\"u\":18446744073709551615,"
                                 "\"f\":1.5,\"t\":\"x\\u00e9\",\"y\":\"\\u0000AQI=\",\"l\":[1,[2]],"
                                 "\"d\":{\"k\":[3]},\"\\u00e9\":\"\\n\"}");
        struct bondy_walk walk;
        struct bondy_slice key;
        struct bondy_value value;
        struct bondy_value inner;
        unsigned count = 0;

        bondy_walk_start(&walk, serializer, raw, &scratch);
        while (bondy_dict_next(&walk, &key, &value)) {
            count++;
            assert_true(value.raw.len > 0);
            switch (key.data[0]) {
            case 'n':
                assert_int_equal(value.type, BONDY_VALUE_NULL);
                break;
            case 'b':
                assert_int_equal(value.type, BONDY_VALUE_BOOL);
                assert_true(value.flag);
                break;
            case 'i':
                assert_int_equal(value.type, BONDY_VALUE_INT);
                assert_int_equal(value.i64, -5);
                break;
            case 'u':
                assert_int_equal(value.type, BONDY_VALUE_UINT);
                assert_true(value.u64 == UINT64_MAX);
                break;
            case 'f':
                assert_int_equal(value.type, BONDY_VALUE_FLOAT);
                assert_true(value.f64 == 1.5);
                break;
            case 't':
                assert_int_equal(value.type, BONDY_VALUE_TEXT);
                assert_slice_is(value.text, "x\xC3\xA9");
                break;
            case 'y':
                assert_int_equal(value.type, BONDY_VALUE_BINARY);
                if (serializer == BONDY_JSON) /* still encoded, the NUL in front */
                    assert_memory_equal(value.text.data, "\0AQI=", 5);
                else
                    assert_slice_is(value.text, "\x01\x02");
                break;
            case 'l':
                assert_int_equal(value.type, BONDY_VALUE_LIST);
                bondy_walk_start(&walk, serializer, value.raw, &scratch);
                assert_true(bondy_list_next(&walk, &inner));
                assert_int_equal(inner.i64, 1);
                assert_true(bondy_list_next(&walk, &inner));
                assert_int_equal(inner.type, BONDY_VALUE_LIST);
                assert_false(bondy_list_next(&walk, &inner));
                /* the walk over the dict goes on behind it */
                bondy_walk_start(&walk, serializer, raw, &scratch);
                while (bondy_dict_next(&walk, &key, &inner) && inner.raw.data != value.raw.data)
                    ;
                break;
            case 'd':
                assert_true(bondy_dict_find(serializer, value.raw, "k", &scratch, &inner));
                assert_int_equal(inner.type, BONDY_VALUE_LIST);
                assert_false(bondy_dict_find(serializer, value.raw, "K", &scratch, &inner));
                break;
            default:
                assert_slice_is(key, "\xC3\xA9");
                assert_slice_is(value.text, "\n");
            }
        }
        assert_int_equal(count, 10);
    }
}

static void what_is_no_container_is_not_walked(void **state)
{
    static const char *const rows[] = {"1", "\"text\"", "null", "[]", "{}"};
    struct bondy_walk walk;
    struct bondy_slice key;
    struct bondy_value value;

    (void)state;
    for (EACH_SERIALIZER(serializer)) {
        for (size_t i = 0; i < BONDY_COUNT(rows); i++) {
            bondy_walk_start(&walk, serializer, value_of(serializer, rows[i]), &scratch);
            assert_false(bondy_dict_next(&walk, &key, &value));
            assert_false(bondy_list_next(&walk, &value));
        }
        bondy_walk_start(&walk, serializer, BONDY_SLICE_EMPTY, &scratch);
        assert_false(bondy_dict_next(&walk, &key, &value));
        bondy_walk_start(&walk, serializer, value_of(serializer, "[\"k\",1]"), &scratch);
        assert_false(bondy_dict_next(&walk, &key, &value));
        bondy_walk_start(&walk, serializer, value_of(serializer, "{\"k\":1}"), &scratch);
        assert_false(bondy_list_next(&walk, &value));
    }
}

/* Indefinite length and text in chunks. */
static void dicts_of_indefinite_length_are_walked(void **state)
{
    struct bondy_buf raw = BONDY_BUF_EMPTY;
    struct bondy_walk walk;
    struct bondy_slice key;
    struct bondy_value value;

    (void)state;
    append_hex(&raw, "bf 7f61616162ff 7f61636164ff 6165 5f410142 0203ff ff");
    bondy_walk_start(&walk, BONDY_CBOR, bondy_buf_slice(&raw), &scratch);
    assert_true(bondy_dict_next(&walk, &key, &value));
    assert_slice_is(key, "ab");
    assert_slice_is(value.text, "cd");
    assert_true(bondy_dict_next(&walk, &key, &value));
    assert_slice_is(key, "e");
    assert_int_equal(value.type, BONDY_VALUE_BINARY);
    assert_slice_is(value.text, "\x01\x02\x03");
    assert_false(bondy_dict_next(&walk, &key, &value));
    bondy_buf_fini(&raw);
}

static void trees_have_what_was_encoded(void **state)
{
    json_t *wanted =
        json_pack("[n,b,b,i,I,f,s,{s:[],s:{}},s%,s]", 1, 0, -5, (json_int_t)INT64_MAX, 1.0,
                  "\xC3\xA9", "a", "b", "\0AQI=", (size_t)5, "18446744073709551615");
    struct bondy_buf back = BONDY_BUF_EMPTY;

    (void)state;
    assert_non_null(wanted);
    for (EACH_SERIALIZER(serializer)) {
        struct bondy_slice raw =
            value_of(serializer, "[null,true,false,-5,9223372036854775807,1.0,\"\\u00e9\","
                                 "{\"a\":[],\"b\":{}},\"\\u0000AQI=\",18446744073709551615]");
        json_t *tree = bondy_value_tree(serializer, raw);
        json_t *again;

        assert_true(json_equal(tree, wanted));
        assert_true(json_is_real(json_array_get(tree, 5)));
        back.len = 0;
        bondy_value_format(serializer, tree, &back);
        again = bondy_value_tree(serializer, bondy_buf_slice(&back));
        assert_true(json_equal(again, wanted));
        json_decref(tree);
        json_decref(again);
    }
    json_decref(wanted);
    bondy_buf_fini(&back);
}

/* SER-BIN-3, SER-INT-3 */
static void trees_cannot_hold_everything(void **state)
{
    struct bondy_buf raw = BONDY_BUF_EMPTY;
    json_t *tree;

    (void)state;
    append_hex(&raw, "85 f97e00 f97c00 fbfff0000000000000 f7 a36300 6161 01 60 02 6100 03");
    tree = bondy_value_tree(BONDY_CBOR, bondy_buf_slice(&raw));
    for (size_t i = 0; i < 4; i++)
        assert_true(json_is_null(json_array_get(tree, i)));
    /* keys with NUL and the empty one */
    assert_int_equal(json_object_size(json_array_get(tree, 4)), 3);
    json_decref(tree);

    raw.len = 0;
    tree = json_stringn("\0no base64", 10);
    bondy_value_format(BONDY_MSGPACK, tree, &raw);
    assert_int_equal((unsigned char)raw.data[0], 0xAA); /* text of 10 octets */
    json_decref(tree);
    bondy_buf_fini(&raw);
}

struct check {
    const char *json;
    bool is_good;
    bool is_good_unique;
};

static const struct check checks[] = {
    {"null", true, true},
    {" [1, 2] ", true, true},
    {"\"text\"", true, true},
    {"0", true, true},
    {"{\"a\":{\"a\":1},\"b\":{\"a\":1}}", true, true},
    {"{\"a\":1,\"a\":2}", true, false},
    {"[{\"b\":{\"a\":1,\"a\":2}}]", true, false},
    {"[[[[[]]]]]", true, true},
    {"[[[[[[]]]]]]", false, false},
};

/* Threat-model P7: HTTP bodies. */
static void single_values_are_checked(void **state)
{
    (void)state;
    for (EACH_SERIALIZER(serializer)) {
        for (size_t i = 0; i < BONDY_COUNT(checks); i++) {
            struct bondy_slice raw = value_of(serializer, checks[i].json);

            assert_int_equal(bondy_value_check(serializer, raw, 5, false, NULL),
                             checks[i].is_good ? BONDY_OK : BONDY_EPROTO);
            assert_int_equal(bondy_value_check(serializer, raw, 5, true, NULL),
                             checks[i].is_good_unique ? BONDY_OK : BONDY_EPROTO);
        }
        bondy_buf_append_byte(&bytes, serializer == BONDY_JSON ? '1' : 1);
        assert_int_equal(bondy_value_check(serializer, bondy_buf_slice(&bytes), 32, false, NULL),
                         BONDY_EPROTO);
        assert_int_equal(bondy_value_check(serializer, BONDY_SLICE_EMPTY, 32, false, NULL),
                         BONDY_EPROTO);
    }
}

static void errors_say_where(void **state)
{
    struct bondy_error err;

    (void)state;
    assert_int_equal(bondy_value_check(BONDY_JSON, BONDY_SLICE("[1,2,x]"), 32, true, &err),
                     BONDY_EPROTO);
    assert_non_null(strstr(err.text, "octet 5"));
    assert_int_equal(bondy_value_check(BONDY_MSGPACK, BONDY_SLICE("\x92\x01\xC1"), 32, true, &err),
                     BONDY_EPROTO);
    assert_non_null(strstr(err.text, "octet 2"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(dicts_are_walked_in_place),
        cmocka_unit_test(what_is_no_container_is_not_walked),
        cmocka_unit_test(dicts_of_indefinite_length_are_walked),
        cmocka_unit_test(trees_have_what_was_encoded),
        cmocka_unit_test(trees_cannot_hold_everything),
        cmocka_unit_test(single_values_are_checked),
        cmocka_unit_test(errors_say_where),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    bondy_buf_fini(&bytes);
    bondy_buf_fini(&scratch);
    return failed;
}
