/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "src/base/alloc.h"
#include "src/ctl/table.h"

static void values_are_laid_out_for_people(void **state)
{
    static const struct {
        const char *json, *text;
    } cases[] = {
        {"[]", ""},
        {"true", "true\n"},
        {"null", "-\n"},
        {"7", "7\n"},
        {"\"a b\"", "a b\n"},
        {"[\"a\",\"b\"]", "a\nb\n"},
        {"[{\"name\":\"a\",\"groups\":[\"x\",\"y\"],\"on\":true},{\"name\":\"longer\",\"more\":1}]",
         "NAME    GROUPS  ON    MORE\n"
         "a       x,y     true  -\n"
         "longer  -       -     1\n"},
        {"[{\"name\":\"\xC3\xA4\xC3\xB6\",\"b\":1},{\"name\":\"abc\",\"b\":2}]",
         "NAME  B\n\xC3\xA4\xC3\xB6    1\nabc   2\n"},
        /* What is said in every line, or is too deep for one. */
        {"[{\"name\":\"a\",\"type\":\"user\",\"etag\":\"x\",\"keys\":[{\"x\":1}],"
         "\"where\":{\"uri\":\"u\"}}]",
         "NAME  WHERE\na     {\"uri\":\"u\"}\n"},
        {"{\"a\":1,\"longer\":\"x\",\"list\":[{\"b\":1},{\"b\":2}],\"none\":[]}",
         "a       1\nlonger  x\nlist\n    {\"b\":1}\n    {\"b\":2}\nnone    -\n"},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        json_t *value = bondy_json_parse(bondy_slice_text(cases[i].json), 8, NULL);
        struct bondy_buf out = BONDY_BUF_EMPTY;

        print_message("%s\n", cases[i].json);
        assert_non_null(value);
        bondy_table_format(value, &out);
        bondy_buf_append_byte(&out, 0);
        assert_string_equal(out.data, cases[i].text);
        bondy_buf_fini(&out);
        json_decref(value);
    }
}

static void nothing_from_a_router_reaches_the_terminal_as_a_command(void **state)
{
    static const char json[] = "[{\"na\\u001bme\":\"\\u001b[2J\\u0007\\u009b31m\\r\\n\\u007fx\"}]";
    json_t *value = bondy_json_parse(bondy_slice_text(json), 8, NULL);
    struct bondy_buf out = BONDY_BUF_EMPTY;

    (void)state;
    assert_non_null(value);
    bondy_table_format(value, &out);
    bondy_table_format(json_array_get(value, 0), &out);
    for (size_t i = 0; i < out.len; i++) {
        unsigned char octet = (unsigned char)out.data[i];

        assert_true(octet == '\n' || (octet >= 0x20 && octet != 0x7F));
        assert_false(octet == 0xC2 && (unsigned char)out.data[i + 1] < 0xA0);
    }
    bondy_buf_fini(&out);
    json_decref(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_laid_out_for_people),
        cmocka_unit_test(nothing_from_a_router_reaches_the_terminal_as_a_command),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
