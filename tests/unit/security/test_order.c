/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "src/base/alloc.h"
#include "src/security/entity/order.h"

/* The names in order, or those of the cycle behind "!". */
static char *sorted(const char *names_text, const char *needs_text)
{
    json_t *names = json_loads(names_text, 0, NULL), *needs = json_loads(needs_text, 0, NULL);
    json_t *cycle = NULL, *one;
    struct bondy_buf text = BONDY_BUF_EMPTY;
    size_t *order = NULL, i;

    if (bondy_order_sort(names, needs, &order, &cycle) < 0)
        bondy_buf_append_byte(&text, '!');
    else
        for (i = 0; i < json_array_size(names); i++)
            bondy_buf_append_text(&text, json_string_value(json_array_get(names, order[i])));
    json_array_foreach(cycle, i, one)
    {
        bondy_buf_append_text(&text, json_string_value(one));
    }
    bondy_free(order);
    json_decref(cycle);
    json_decref(names);
    json_decref(needs);
    return bondy_buf_take_text(&text);
}

static void what_is_needed_comes_first_else_as_given(void **state)
{
    static const struct {
        const char *names, *needs, *order;
    } cases[] = {
        {"[]", "[]", ""},
        {"[\"a\",\"b\"]", "[[],[]]", "ab"},
        {"[\"a\",\"b\"]", "[[\"b\"],[]]", "ba"},
        {"[\"a\",\"b\",\"c\"]", "[[\"c\"],[\"a\"],[]]", "cab"},
        {"[\"a\",\"b\",\"c\",\"d\"]", "[[\"b\",\"c\"],[\"d\"],[\"d\"],[]]", "dbca"},
        {"[\"a\"]", "[[\"elsewhere\"]]", "a"},
        {"[\"a\"]", "[[\"a\"]]", "!aa"},
        {"[\"a\",\"b\",\"c\"]", "[[\"b\"],[\"c\"],[\"b\"]]", "!bcb"},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        char *got = sorted(cases[i].names, cases[i].needs);

        assert_string_equal(got, cases[i].order);
        bondy_free(got);
    }
}

static void a_chain_of_a_hundred_thousand_takes_no_stack(void **state)
{
    enum { COUNT = 100000 };
    json_t *names = json_array(), *needs = json_array(), *cycle = NULL;
    char text[16];
    size_t *order;

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        snprintf(text, sizeof text, "%d", i);
        json_array_append_new(names, json_string(text));
        snprintf(text, sizeof text, "%d", i + 1);
        json_array_append_new(needs, json_pack("[s]", text));
    }
    assert_int_equal(bondy_order_sort(names, needs, &order, &cycle), 0);
    assert_int_equal(order[0], COUNT - 1);
    assert_int_equal(order[COUNT - 1], 0);
    bondy_free(order);
    json_decref(names);
    json_decref(needs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_needed_comes_first_else_as_given),
        cmocka_unit_test(a_chain_of_a_hundred_thousand_takes_no_stack),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
