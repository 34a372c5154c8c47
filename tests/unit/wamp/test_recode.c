/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/wamp/samples.h"

#include <cbor.h>
#include <float.h>
#include <math.h>
#include <msgpack.h>

static const struct bondy_serializer_ops *ops_of(enum bondy_serializer serializer)
{
    return bondy_reader_ops(serializer);
}

static void must_be_same(const struct bondy_buf *a, const struct bondy_buf *b, const char *name)
{
    if (!bondy_slice_eq(bondy_buf_slice(a), bondy_buf_slice(b)))
        fail_msg("%s: %zu and %zu octets", name, a->len, b->len);
}

/* Another implementation takes what we write. */
static void must_load(enum bondy_serializer serializer, const struct bondy_buf *bytes)
{
    if (serializer == BONDY_CBOR) {
        struct cbor_load_result result;
        cbor_item_t *item = cbor_load((const unsigned char *)bytes->data, bytes->len, &result);

        assert_non_null(item);
        assert_int_equal(result.read, bytes->len);
        cbor_decref(&item);
    } else if (serializer == BONDY_MSGPACK) {
        msgpack_unpacked unpacked;
        size_t offset = 0;

        msgpack_unpacked_init(&unpacked);
        assert_int_equal(msgpack_unpack_next(&unpacked, bytes->data, bytes->len, &offset),
                         MSGPACK_UNPACK_SUCCESS);
        assert_int_equal(offset, bytes->len);
        msgpack_unpacked_destroy(&unpacked);
    } else {
        json_t *tree = json_loadb(bytes->data, bytes->len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

        /* Jansson cannot hold integers above INT64_MAX. */
        if (tree == NULL)
            assert_int_equal(bondy_value_check(serializer, bondy_buf_slice(bytes), 32, false, NULL),
                             BONDY_OK);
        json_decref(tree);
    }
}

/* SER-CROSS-1, SER-BIN-1, SER-INT-1, SER-INT-2, SER-INT-3, threat-model P6: a random value recoded
 * equals the same value written directly. */
static void random_values_survive_between_any_two_serializers(void **state)
{
    struct bondy_buf direct[BONDY_SERIALIZERS] = {BONDY_BUF_EMPTY};
    struct bondy_buf recoded = BONDY_BUF_EMPTY;

    (void)state;
    for (uint64_t round = 0; round < 1500; round++) {
        for (EACH_SERIALIZER(to)) {
            uint64_t seed = round;

            direct[to].len = 0;
            write_random(ops_of(to), &seed, 6, &direct[to]);
            if (round % 8 == 0)
                must_load(to, &direct[to]);
        }
        for (EACH_SERIALIZER(from)) {
            assert_int_equal(
                bondy_value_check(from, bondy_buf_slice(&direct[from]), 32, false, NULL), BONDY_OK);
            for (EACH_SERIALIZER(to)) {
                recoded.len = 0;
                bondy_value_recode(from, bondy_buf_slice(&direct[from]), to, &recoded);
                must_be_same(&recoded, &direct[to], bondy_serializer_name(from));
            }
        }
    }
    for (EACH_SERIALIZER(to))
        bondy_buf_fini(&direct[to]);
    bondy_buf_fini(&recoded);
}

static const int64_t integers[] = {0,
                                   1,
                                   -1,
                                   23,
                                   24,
                                   -24,
                                   -25,
                                   31,
                                   32,
                                   -32,
                                   -33,
                                   127,
                                   128,
                                   -128,
                                   -129,
                                   255,
                                   256,
                                   -256,
                                   -257,
                                   32767,
                                   32768,
                                   -32768,
                                   -32769,
                                   65535,
                                   65536,
                                   2147483647,
                                   2147483648,
                                   -2147483648,
                                   -2147483649,
                                   4294967295,
                                   4294967296,
                                   -4294967296,
                                   -4294967297,
                                   INT64_C(1) << 53,
                                   (INT64_C(1) << 53) + 1,
                                   -(INT64_C(1) << 53) - 1,
                                   INT64_MAX - 1,
                                   INT64_MAX,
                                   INT64_MIN + 1,
                                   INT64_MIN};
static const uint64_t unsigneds[] = {(uint64_t)INT64_MAX + 1, UINT64_MAX - 1, UINT64_MAX};
static const double floats[] = {0.0,
                                -0.0,
                                1.0,
                                -1.0,
                                0.1,
                                1e22,
                                1e23,
                                5e-324,
                                DBL_MIN,
                                DBL_MAX,
                                -DBL_MAX,
                                65504.0,
                                5.960464477539063e-8,
                                9007199254740993.0,
                                18446744073709551616.0,
                                1.5};

/* Goes from one serializer to another and back and must be the same octets. */
static void must_survive(enum bondy_serializer from, const struct bondy_buf *bytes)
{
    struct bondy_buf there = BONDY_BUF_EMPTY;
    struct bondy_buf back = BONDY_BUF_EMPTY;

    for (EACH_SERIALIZER(to)) {
        there.len = 0;
        back.len = 0;
        bondy_value_recode(from, bondy_buf_slice(bytes), to, &there);
        bondy_value_recode(to, bondy_buf_slice(&there), from, &back);
        if (!bondy_slice_eq(bondy_buf_slice(bytes), bondy_buf_slice(&back)))
            fail_msg("from %s to %s and back", bondy_serializer_name(from),
                     bondy_serializer_name(to));
    }
    bondy_buf_fini(&there);
    bondy_buf_fini(&back);
}

/* SER-INT-1, SER-INT-2, SER-INT-3, threat-model P6 */
static void boundary_numbers_survive_between_any_two_serializers(void **state)
{
    struct bondy_buf bytes = BONDY_BUF_EMPTY;

    (void)state;
    for (EACH_SERIALIZER(from)) {
        for (size_t i = 0; i < BONDY_COUNT(integers); i++) {
            bytes.len = 0;
            ops_of(from)->write_int(&bytes, integers[i]);
            must_survive(from, &bytes);
        }
        for (size_t i = 0; i < BONDY_COUNT(unsigneds); i++) {
            bytes.len = 0;
            ops_of(from)->write_uint(&bytes, unsigneds[i]);
            must_survive(from, &bytes);
        }
        for (size_t i = 0; i < BONDY_COUNT(floats); i++) {
            bytes.len = 0;
            ops_of(from)->write_float(&bytes, floats[i]);
            must_survive(from, &bytes);
        }
    }
    bondy_buf_fini(&bytes);
}

struct conversion {
    const char *name;
    enum bondy_serializer from;
    const char *bytes; /* JSON: text; else hexadecimal */
    enum bondy_serializer to;
    const char *wanted;
};

static const struct conversion conversions[] = {
    /* SER-INT-2 */
    {"uint64 to JSON", BONDY_MSGPACK, "cfffffffffffffffff", BONDY_JSON, "18446744073709551615"},
    {"uint64 to JSON", BONDY_CBOR, "1bffffffffffffffff", BONDY_JSON, "18446744073709551615"},
    {"uint64 from JSON", BONDY_JSON, "9223372036854775808", BONDY_CBOR, "1b8000000000000000"},
    {"uint64", BONDY_CBOR, "1bffffffffffffffff", BONDY_MSGPACK, "cfffffffffffffffff"},
    /* numbers that 64 bits do not hold become floats, in JSON -0 too */
    {"2^64", BONDY_JSON, "18446744073709551616", BONDY_MSGPACK, "cb43f0000000000000"},
    {"-2^63-1", BONDY_JSON, "-9223372036854775809", BONDY_CBOR, "fbc3e0000000000000"},
    {"-0", BONDY_JSON, "-0", BONDY_MSGPACK, "cb8000000000000000"},
    {"-2^64 of CBOR", BONDY_CBOR, "3bffffffffffffffff", BONDY_JSON, "-1.8446744073709552e19"},
    {"-2^64 of CBOR", BONDY_CBOR, "3bffffffffffffffff", BONDY_MSGPACK, "cbc3f0000000000000"},
    /* SER-INT-3 */
    {"1.0", BONDY_MSGPACK, "cb3ff0000000000000", BONDY_JSON, "1.0"},
    {"1.0", BONDY_JSON, "1.0", BONDY_CBOR, "fb3ff0000000000000"},
    {"1e2", BONDY_JSON, "1e2", BONDY_MSGPACK, "cb4059000000000000"},
    {"NaN", BONDY_MSGPACK, "cb7ff8000000000000", BONDY_JSON, "null"},
    {"infinity", BONDY_CBOR, "fb7ff0000000000000", BONDY_JSON, "null"},
    {"-infinity", BONDY_CBOR, "f9fc00", BONDY_JSON, "null"},
    {"NaN stays", BONDY_CBOR, "fb7ff8000000000000", BONDY_MSGPACK, "cb7ff8000000000000"},
    {"float32", BONDY_MSGPACK, "ca3fc00000", BONDY_JSON, "1.5"},
    /* SER-CBOR-2 */
    {"half 1.5", BONDY_CBOR, "f93e00", BONDY_JSON, "1.5"},
    {"half subnormal", BONDY_CBOR, "f90001", BONDY_MSGPACK, "cb3e70000000000000"},
    {"half 65504", BONDY_CBOR, "f97bff", BONDY_JSON, "65504.0"},
    {"half -4", BONDY_CBOR, "f9c400", BONDY_JSON, "-4.0"},
    {"half -0", BONDY_CBOR, "f98000", BONDY_JSON, "-0.0"},
    {"half NaN", BONDY_CBOR, "f97e00", BONDY_JSON, "null"},
    {"single", BONDY_CBOR, "fa47c35000", BONDY_JSON, "100000.0"},
    {"undefined", BONDY_CBOR, "f7", BONDY_MSGPACK, "c0"},
    {"tag of one octet", BONDY_CBOR, "c613", BONDY_JSON, "19"},
    {"tagged time", BONDY_CBOR, "c11a514b67b0", BONDY_JSON, "1363896240"},
    {"bignum", BONDY_CBOR, "c248ffffffffffffffff", BONDY_JSON, "18446744073709551615"},
    {"bignum with zeros", BONDY_CBOR, "c24b00000000000000000000ff", BONDY_MSGPACK, "ccff"},
    {"empty bignum", BONDY_CBOR, "c240", BONDY_MSGPACK, "00"},
    {"negative bignum", BONDY_CBOR, "c3487fffffffffffffff", BONDY_JSON, "-9223372036854775808"},
    {"large bignum", BONDY_CBOR, "c249010000000000000000", BONDY_JSON, "1.8446744073709552e19"},
    {"large negative bignum", BONDY_CBOR, "c349010000000000000000", BONDY_MSGPACK,
     "cbc3f0000000000000"},
    {"bytes with another tag", BONDY_CBOR, "d8404101", BONDY_MSGPACK, "c40101"},
    {"bytes with a bignum tag further out", BONDY_CBOR, "c2d8404101", BONDY_MSGPACK, "c40101"},
    {"tag of eight octets", BONDY_CBOR, "dbfffffffffffffffff6", BONDY_JSON, "null"},
    {"tags in a row", BONDY_CBOR, "d9d9f7d818c3820102", BONDY_JSON, "[1,2]"},
    /* SER-CBOR-1 */
    {"indefinite", BONDY_CBOR, "9f018202039f0405ffff", BONDY_JSON, "[1,[2,3],[4,5]]"},
    {"indefinite", BONDY_CBOR, "9f018202039f0405ffff", BONDY_CBOR, "8301820203820405"},
    {"indefinite map", BONDY_CBOR, "bf61610161629f0203ffff", BONDY_CBOR, "a26161016162820203"},
    {"indefinite text", BONDY_CBOR, "7f657374726561646d696e67ff", BONDY_CBOR,
     "6973747265616d696e67"},
    {"indefinite text", BONDY_CBOR, "7f657374726561646d696e67ff", BONDY_JSON, "\"streaming\""},
    {"indefinite bytes", BONDY_CBOR, "5f42010243030405ff", BONDY_MSGPACK, "c4050102030405"},
    {"indefinite bytes", BONDY_CBOR, "5f42010243030405ff", BONDY_JSON, "\"\\u0000AQIDBAU=\""},
    {"empty indefinite", BONDY_CBOR, "845fff7fff9fffbfff", BONDY_CBOR, "84406080a0"},
    {"indefinite key", BONDY_CBOR, "a17f61616162ff01", BONDY_JSON, "{\"ab\":1}"},
    {"24 elements", BONDY_CBOR, "9f000000000000000000000000000000000000000000000000ff", BONDY_CBOR,
     "9818000000000000000000000000000000000000000000000000"},
    /* SER-MP-1 */
    {"uint8 5", BONDY_MSGPACK, "cc05", BONDY_MSGPACK, "05"},
    {"uint64 5", BONDY_MSGPACK, "cf0000000000000005", BONDY_CBOR, "05"},
    {"int64 -1", BONDY_MSGPACK, "d3ffffffffffffffff", BONDY_MSGPACK, "ff"},
    {"int16 5", BONDY_MSGPACK, "d10005", BONDY_JSON, "5"},
    {"str32", BONDY_MSGPACK, "db0000000161", BONDY_MSGPACK, "a161"},
    {"str8", BONDY_MSGPACK, "d90161", BONDY_CBOR, "6161"},
    {"bin32", BONDY_MSGPACK, "c60000000161", BONDY_MSGPACK, "c40161"},
    {"array32, map16", BONDY_MSGPACK, "dd00000001de0001a16102", BONDY_MSGPACK, "9181a16102"},
    {"array of 16", BONDY_JSON, "[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]", BONDY_MSGPACK,
     "dc001000000000000000000000000000000000"},
    /* SER-MP-2 */
    {"str and bin", BONDY_MSGPACK, "92a161c40161", BONDY_CBOR, "8261614161"},
    {"fixext", BONDY_MSGPACK, "d405aa", BONDY_MSGPACK, "d405aa"},
    {"ext8", BONDY_MSGPACK, "c703ff010203", BONDY_MSGPACK, "c703ff010203"},
    {"ext to CBOR", BONDY_MSGPACK, "d6ff01020304", BONDY_CBOR, "4401020304"},
    {"ext to JSON", BONDY_MSGPACK, "c70005", BONDY_JSON, "\"\\u0000\""},
    /* SER-BIN-1, SER-BIN-2 */
    {"bytes", BONDY_JSON, "\"\\u0000EOP/kFMHXFJvX8BtT+N82w==\"", BONDY_MSGPACK,
     "c41010e3ff9053075c526f5fc06d4fe37cdb"},
    {"bytes, escaped slash", BONDY_JSON, "\"\\u0000EOP\\/kFMHXFJvX8BtT+N82w==\"", BONDY_CBOR,
     "5010e3ff9053075c526f5fc06d4fe37cdb"},
    {"bytes", BONDY_MSGPACK, "c41010e3ff9053075c526f5fc06d4fe37cdb", BONDY_JSON,
     "\"\\u0000EOP/kFMHXFJvX8BtT+N82w==\""},
    {"no bytes", BONDY_JSON, "\"\\u0000\"", BONDY_MSGPACK, "c400"},
    {"no bytes", BONDY_CBOR, "40", BONDY_JSON, "\"\\u0000\""},
    {"nested bytes", BONDY_JSON, "[{\"a\":[\"\\u0000AQ==\"]}]", BONDY_CBOR, "81a16161814101"},
    /* SER-BIN-3 */
    {"not base64", BONDY_JSON, "\"\\u0000A?==\"", BONDY_CBOR, "6500413f3d3d"},
    {"no padding", BONDY_JSON, "\"\\u0000AQ\"", BONDY_MSGPACK, "a3004151"},
    {"unused bits", BONDY_JSON, "\"\\u0000AR==\"", BONDY_MSGPACK, "a50041523d3d"},
    {"NUL elsewhere", BONDY_JSON, "\"a\\u0000\"", BONDY_MSGPACK, "a26100"},
    {"a key that looks like bytes", BONDY_JSON, "{\"\\u0000AQ==\":1}", BONDY_MSGPACK,
     "81a50041513d3d01"},
    /* SER-TYPE-4 */
    {"white space", BONDY_JSON, " [ 1 ,\t{ \"a\" :\r\n2 } ] ", BONDY_MSGPACK, "920181a16102"},
    {"escapes", BONDY_JSON, "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20AC\\ud83d\\uDE00\"",
     BONDY_CBOR, "7222 5c2f080c0a0d0941c3a9e282acf09f9880"},
    {"escapes", BONDY_MSGPACK, "a9225c2f080c0a0d0941", BONDY_JSON, "\"\\\"\\\\/\\b\\f\\n\\r\\tA\""},
    {"controls", BONDY_CBOR, "64001f7f61", BONDY_JSON,
     "\"\\u0000\\u001f\x7F"
     "a\""},
};

static void append_bytes(struct bondy_buf *out, enum bondy_serializer serializer, const char *bytes)
{
    if (serializer == BONDY_JSON)
        bondy_buf_append_text(out, bytes);
    else
        append_hex(out, bytes);
}

/* SER-INT-2, SER-INT-3, SER-CBOR-1, SER-CBOR-2, SER-MP-1, SER-MP-2, SER-BIN-1, SER-BIN-2,
 * SER-BIN-3, SER-TYPE-4 */
static void conversions_give_the_octets_they_should(void **state)
{
    struct bondy_buf bytes = BONDY_BUF_EMPTY;
    struct bondy_buf wanted = BONDY_BUF_EMPTY;
    struct bondy_buf recoded = BONDY_BUF_EMPTY;

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(conversions); i++) {
        const struct conversion *row = &conversions[i];

        bytes.len = wanted.len = recoded.len = 0;
        append_bytes(&bytes, row->from, row->bytes);
        append_bytes(&wanted, row->to, row->wanted);
        if (bondy_value_check(row->from, bondy_buf_slice(&bytes), 32, true, NULL) != BONDY_OK)
            fail_msg("%s: refused", row->name);
        bondy_value_recode(row->from, bondy_buf_slice(&bytes), row->to, &recoded);
        must_be_same(&recoded, &wanted, row->name);
    }
    bondy_buf_fini(&bytes);
    bondy_buf_fini(&wanted);
    bondy_buf_fini(&recoded);
}

static void append_repeated(struct bondy_buf *out, const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bondy_buf_append_text(out, text);
}

/* SER-ECHO-1 and SER-CROSS-1 for long texts, long lists and wide dicts, whose counts take longer
 * heads. */
static void large_values_survive_between_any_two_serializers(void **state)
{
    static const size_t sizes[] = {15, 16, 23, 24, 31, 32, 255, 256, 300, 65535, 65536, 70000};
    struct bondy_buf json = BONDY_BUF_EMPTY;

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(sizes); i++) {
        json.len = 0;
        bondy_buf_append_text(&json, "[\"");
        append_repeated(&json, "x", sizes[i]);
        bondy_buf_append_text(&json, "\",[0");
        append_repeated(&json, ",1", sizes[i] - 1);
        bondy_buf_append_text(&json, "],{\"k0\":0");
        for (size_t k = 1; k < sizes[i]; k++)
            bondy_buf_printf(&json, ",\"k%zu\":%zu", k, k);
        bondy_buf_append_text(&json, "}]");
        must_survive(BONDY_JSON, &json);
    }
    bondy_buf_fini(&json);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_values_survive_between_any_two_serializers),
        cmocka_unit_test(boundary_numbers_survive_between_any_two_serializers),
        cmocka_unit_test(conversions_give_the_octets_they_should),
        cmocka_unit_test(large_values_survive_between_any_two_serializers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
