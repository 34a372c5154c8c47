/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "src/base/alloc.h"
#include "src/base/json.h"

static void good_text_comes_back_as_compact_text(void **state)
{
    static const struct {
        const char *in;
        const char *out;
    } cases[] = {
        {"{ \"b\" : 1 , \"a\" : [ true , null ] }", "{\"b\":1,\"a\":[true,null]}"},
        {" 17 ", "17"},
        {"\"text\"", "\"text\""},
        {"-9223372036854775808", "-9223372036854775808"},
        {"0.1", "0.1"},
        {"1.0", "1.0"},
        {"1e3", "1000.0"},
        {"1e300", "1e+300"},
        {"5e-324", "5e-324"},
        {"0.30000000000000004", "0.30000000000000004"},
        {"-0.0", "-0.0"},
        {"\"\\u0000a\\u001f\\u007f\\\"\\\\\\/\\n\"", "\"\\u0000a\\u001f\\u007f\\\"\\\\/\\n\""},
        {"\"\\ud83d\\ude00\"", "\"\xF0\x9F\x98\x80\""},
        {"[]", "[]"},
        {"{}", "{}"},
        {"[[[[]]]]", "[[[[]]]]"},
        {"\"[[[[[[\"", "\"[[[[[[\""},
        {"[\"\\\"[[[[\"]", "[\"\\\"[[[[\"]"},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_buf out = BONDY_BUF_EMPTY;
        struct bondy_error err = {0};
        json_t *value = bondy_json_parse(bondy_slice_text(cases[i].in), 4, &err);

        if (value == NULL)
            fail_msg("%s: %s", cases[i].in, err.text);
        bondy_json_format(value, &out);
        assert_slice_is(bondy_buf_slice(&out), cases[i].out);
        json_decref(value);
        bondy_buf_fini(&out);
    }
}

static void bad_text_is_refused_with_its_place(void **state)
{
    static const struct {
        struct bondy_slice text;
        int code;
        const char *place;
    } cases[] = {
        {BONDY_SLICE(""), BONDY_EINVAL, "line 1"},
        {BONDY_SLICE("{\n\"a\": 1,\n\"a\": 2}"), BONDY_EINVAL, "line 3, column"},
        {BONDY_SLICE("[1] 2"), BONDY_EINVAL, "line 1"},
        {BONDY_SLICE("[1,]"), BONDY_EINVAL, "line 1"},
        {BONDY_SLICE("\"\xC0\xAF\""), BONDY_EINVAL, "line 1"},
        {BONDY_SLICE("\"\xED\xA0\x80\""), BONDY_EINVAL, "line 1"},
        {BONDY_SLICE("\"\\ud800\""), BONDY_EINVAL, "line 1"},
        {BONDY_SLICE("[\n[[[[]]]]]"), BONDY_ELIMIT, "line 2"},
        {BONDY_SLICE("{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}"), BONDY_ELIMIT, "line 1"},
        {BONDY_SLICE("[[[[[[[[[[[["), BONDY_ELIMIT, "line 1"},
        {BONDY_SLICE("]]]"), BONDY_EINVAL, "line 1"},
        {BONDY_SLICE("\"a\0b\""), BONDY_EINVAL, "line 1"},
        {BONDY_SLICE("NaN"), BONDY_EINVAL, "line 1"},
        {BONDY_SLICE("1e999"), BONDY_EINVAL, "line 1"},
        {BONDY_SLICE("\"\\"), BONDY_EINVAL, "line 1"},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_error err = {0};

        assert_null(bondy_json_parse(cases[i].text, 4, &err));
        assert_int_equal(err.code, cases[i].code);
        assert_true(strncmp(err.text, cases[i].place, strlen(cases[i].place)) == 0);
    }
    assert_null(bondy_json_parse(BONDY_SLICE_EMPTY, 4, NULL));
}

static void equal_trees_have_equal_canonical_text(void **state)
{
    json_t *a =
        bondy_json_parse(BONDY_SLICE("{\"b\":{\"y\":1,\"x\":2},\"a\":0,\"ab\":1}"), 9, NULL);
    json_t *b =
        bondy_json_parse(BONDY_SLICE("{\"ab\":1,\"a\":0,\"b\":{\"x\":2,\"y\":1}}"), 9, NULL);
    struct bondy_buf left = BONDY_BUF_EMPTY;
    struct bondy_buf right = BONDY_BUF_EMPTY;

    (void)state;
    bondy_json_canonical(a, &left);
    bondy_json_canonical(b, &right);
    assert_slice_is(bondy_buf_slice(&left), "{\"a\":0,\"ab\":1,\"b\":{\"x\":2,\"y\":1}}");
    assert_true(bondy_slice_eq(bondy_buf_slice(&left), bondy_buf_slice(&right)));
    bondy_buf_fini(&left);
    bondy_buf_fini(&right);
    json_decref(a);
    json_decref(b);
}

static void trees_are_built_by_chaining(void **state)
{
    json_t *object = bondy_json_with(json_object(), "uri", bondy_json_slice(BONDY_SLICE("a\0b")));

    (void)state;
    bondy_json_with(object, "count", json_integer(3));
    assert_true(bondy_slice_eq(bondy_json_text(object, "uri"), BONDY_SLICE("a\0b")));
    assert_int_equal(bondy_json_text(object, "count").len, 0);
    assert_int_equal(bondy_json_text(object, "absent").len, 0);
    json_decref(object);
}

static void pointers_are_escaped_and_shortened_again(void **state)
{
    struct bondy_buf pointer = BONDY_BUF_EMPTY;
    size_t len;

    (void)state;
    bondy_json_pointer_push(&pointer, BONDY_SLICE("paths"));
    len = pointer.len;
    bondy_json_pointer_push(&pointer, BONDY_SLICE("/a~b"));
    bondy_json_pointer_push_index(&pointer, 12);
    assert_slice_is(bondy_buf_slice(&pointer), "/paths/~1a~0b/12");
    bondy_json_pointer_pop(&pointer, len);
    assert_slice_is(bondy_buf_slice(&pointer), "/paths");
    bondy_buf_fini(&pointer);
}

static void a_slip_finds_its_word_and_nonsense_does_not(void **state)
{
    static const char *const words[] = {"timeout", "retries", "host", "path", "id", NULL};
    static const struct {
        const char *word;
        const char *nearest;
    } cases[] = {
        {"timeuot", "timeout"}, {"timout", "timeout"}, {"timeouts", "timeout"}, {"hots", "host"},
        {"retires", "retries"}, {"xyzzy", NULL},       {"id2", NULL},           {"", NULL},
        {"pth", "path"},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        const char *nearest = bondy_json_nearest(bondy_slice_text(cases[i].word), words);

        if (cases[i].nearest == NULL)
            assert_null(nearest);
        else
            assert_string_equal(nearest, cases[i].nearest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_text_comes_back_as_compact_text),
        cmocka_unit_test(bad_text_is_refused_with_its_place),
        cmocka_unit_test(equal_trees_have_equal_canonical_text),
        cmocka_unit_test(trees_are_built_by_chaining),
        cmocka_unit_test(pointers_are_escaped_and_shortened_again),
        cmocka_unit_test(a_slip_finds_its_word_and_nonsense_does_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
