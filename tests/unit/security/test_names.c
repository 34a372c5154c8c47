/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <string.h>

#include "src/base/alloc.h"
#include "src/security/entity/names.h"

static void names_are_folded_and_their_octets_checked(void **state)
{
    static const struct {
        const char *text, *folded;
    } cases[] = {
        {"Mona", "mona"},
        {"urn:user:1", "urn:user:1"},
        {"A@B/c", "a@b/c"},
        {"a", "a"},
        {"", NULL},
        {"a b", NULL},
        {"a\tb", NULL},
        {"a<b", NULL},
        {"a=b", NULL},
        {"a>b", NULL},
        {"caf\xc3\xa9", NULL},
        {"a\x7f", NULL},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_name name;
        bool is_name = bondy_name_fold(bondy_slice_text(cases[i].text), &name);

        if (is_name != (cases[i].folded != NULL) ||
            (is_name && strcmp(name.text, cases[i].folded) != 0))
            fail_msg("'%s'", cases[i].text);
    }
}

static void a_name_has_at_most_254_octets(void **state)
{
    char text[256];
    struct bondy_name name;

    (void)state;
    memset(text, 'x', sizeof text);
    assert_true(bondy_name_fold(bondy_slice_of(text, 254), &name));
    assert_int_equal(name.len, 254);
    assert_false(bondy_name_fold(bondy_slice_of(text, 255), &name));
    assert_false(bondy_name_fold(bondy_slice_of("a\0b", 3), &name));
}

static void six_names_are_reserved_in_any_case(void **state)
{
    static const char *const reserved[] = {"all", "anonymous", "any", "from", "on", "to"};

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(reserved); i++)
        assert_true(bondy_name_is_reserved(bondy_slice_text(reserved[i])));
    assert_true(bondy_name_is_reserved(BONDY_SLICE("ALL")));
    assert_false(bondy_name_is_reserved(BONDY_SLICE("alle")));
    assert_false(bondy_name_is_reserved(BONDY_SLICE_EMPTY));
    assert_true(bondy_name_is_authmethod(BONDY_SLICE("wamp-scram")));
    assert_false(bondy_name_is_authmethod(BONDY_SLICE("oidcrp")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_folded_and_their_octets_checked),
        cmocka_unit_test(a_name_has_at_most_254_octets),
        cmocka_unit_test(six_names_are_reserved_in_any_case),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
