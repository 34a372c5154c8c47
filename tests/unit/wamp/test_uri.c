/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "src/base/alloc.h"
#include "src/wamp/uri.h"

struct validity {
    const char *text;
    bool exact, prefix, wildcard; /* loose */
    bool strict;                  /* exact, strict */
};

static const struct validity validities[] = {
    {"com.example.topic", true, true, true, true},
    {"single", true, true, true, true},
    {"with_9.under_score", true, true, true, true},
    /* URI-LOOSE-5 */
    {"Com.Example", true, true, true, false},
    {"a-b.c/d", true, true, true, false},
    {"b\xC3\xBC"
     "cher.caf\xC3\xA9",
     true, true, true, false},
    {"a:b.c$d", true, true, true, false},
    /* URI-LOOSE-1 to 4, URI-PAT-1 to 3 */
    {"", false, false, false, false},
    {"a..b", false, true, true, false},
    {".a", false, true, true, false},
    {"a.", false, true, true, false},
    {".", false, true, true, false},
    {"..", false, true, true, false},
    {"..x", false, true, true, false},
    {".a..", false, true, true, false},
    {"a b", false, false, false, false},
    {"a.\tb", false, false, false, false},
    {"a\n", false, false, false, false},
    {"a#b", false, false, false, false},
    {"#", false, false, false, false},
    {"a.\xC2\xA0", false, false, false, false}, /* U+00A0 */
    {"a.\xE2\x80\x83"
     "b",
     false, false, false, false},                  /* U+2003 */
    {"\xE3\x80\x80", false, false, false, false},  /* U+3000 */
    {"a\xC2\x85", false, false, false, false},     /* U+0085 */
    {"a\xE1\x9A\x80", false, false, false, false}, /* U+1680 */
    {"a\xE2\x80\xA8", false, false, false, false}, /* U+2028 */
    {"a\xE2\x80\x8B", true, true, true, false},    /* U+200B is no white space */
};

/* URI-LOOSE-1, URI-LOOSE-2, URI-LOOSE-3, URI-LOOSE-4, URI-LOOSE-5, URI-PAT-1, URI-PAT-2, URI-PAT-3,
 * URI-STRICT-1 */
static void uris_and_patterns_are_told_from_what_is_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(validities); i++) {
        const struct validity *row = &validities[i];
        struct bondy_slice text = bondy_slice_text(row->text);

        if (bondy_uri_is_valid(text, BONDY_MATCH_EXACT, BONDY_URI_LOOSE) != row->exact ||
            bondy_uri_is_valid(text, BONDY_MATCH_PREFIX, BONDY_URI_LOOSE) != row->prefix ||
            bondy_uri_is_valid(text, BONDY_MATCH_WILDCARD, BONDY_URI_LOOSE) != row->wildcard ||
            bondy_uri_is_valid(text, BONDY_MATCH_EXACT, BONDY_URI_STRICT) != row->strict)
            fail_msg("\"%s\"", row->text);
    }
}

/* URI-STRICT-1 */
static void strict_patterns_may_have_empty_components(void **state)
{
    (void)state;
    assert_true(bondy_uri_is_valid(BONDY_SLICE("com..x"), BONDY_MATCH_WILDCARD, BONDY_URI_STRICT));
    assert_true(bondy_uri_is_valid(BONDY_SLICE("com."), BONDY_MATCH_PREFIX, BONDY_URI_STRICT));
    assert_false(bondy_uri_is_valid(BONDY_SLICE("Com..x"), BONDY_MATCH_WILDCARD, BONDY_URI_STRICT));
    assert_false(bondy_uri_is_valid(BONDY_SLICE("com."), BONDY_MATCH_EXACT, BONDY_URI_STRICT));
}

/* URI-RES-1, URI-RES-2 */
static void only_the_component_wamp_is_reserved(void **state)
{
    (void)state;
    assert_true(bondy_uri_is_wamp(BONDY_SLICE("wamp")));
    assert_true(bondy_uri_is_wamp(BONDY_SLICE("wamp.session.count")));
    assert_true(bondy_uri_is_wamp(BONDY_SLICE("wamp.")));
    assert_false(bondy_uri_is_wamp(BONDY_SLICE("wampish.x")));
    assert_false(bondy_uri_is_wamp(BONDY_SLICE("com.wamp")));
    assert_false(bondy_uri_is_wamp(BONDY_SLICE("wam")));
    assert_false(bondy_uri_is_wamp(BONDY_SLICE("")));
}

/* URI-RES-3 */
static void our_namespaces_are_told_from_others(void **state)
{
    static const char *const ours[] = {
        "bondy",       "bondy.realm.list",    "com.bondy",
        "com.bondy.x", "com.leapsight.bondy", "com.leapsight.bondy.x"};
    static const char *const others[] = {"bondyx", "com.bondyx", "com.leapsight",
                                         "com",    "x.bondy",    "com.leapsight.bondyx"};

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(ours); i++)
        assert_true(bondy_uri_is_ours(bondy_slice_text(ours[i])));
    for (size_t i = 0; i < BONDY_COUNT(others); i++)
        assert_false(bondy_uri_is_ours(bondy_slice_text(others[i])));
}

struct matching {
    const char *uri;
    const char *pattern;
    enum bondy_match match;
    bool is_match;
};

static const struct matching matchings[] = {
    {"a.b", "a.b", BONDY_MATCH_EXACT, true},
    {"a.b", "a.bc", BONDY_MATCH_EXACT, false},
    {"a.b", "a..", BONDY_MATCH_EXACT, false},
    {"a.bcd", "a.b", BONDY_MATCH_PREFIX, true},
    {"a.b", "a.b", BONDY_MATCH_PREFIX, true},
    {"a.b.c", "a.b.", BONDY_MATCH_PREFIX, true},
    {"a.b", "a.b.", BONDY_MATCH_PREFIX, false},
    {"a.b", "b", BONDY_MATCH_PREFIX, false},
    {"a.b.c", "a..c", BONDY_MATCH_WILDCARD, true},
    {"a.b.d", "a..c", BONDY_MATCH_WILDCARD, false},
    {"a.c", "a..c", BONDY_MATCH_WILDCARD, false},
    {"a.b.b.c", "a..c", BONDY_MATCH_WILDCARD, false},
    {"a.b.c", "..", BONDY_MATCH_WILDCARD, true},
    {"a.b", "..", BONDY_MATCH_WILDCARD, false},
    {"a.b.c", ".b.", BONDY_MATCH_WILDCARD, true},
    {"x", "x", BONDY_MATCH_WILDCARD, true},
    {"a.b.c.d.e", "a..c..e", BONDY_MATCH_WILDCARD, true},
};

static void patterns_match_as_wamp_defines_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(matchings); i++) {
        const struct matching *row = &matchings[i];

        if (bondy_uri_matches(bondy_slice_text(row->uri), bondy_slice_text(row->pattern),
                              row->match) != row->is_match)
            fail_msg("%s against %s as %s", row->uri, row->pattern, bondy_match_name(row->match));
    }
}

static void match_policies_have_names(void **state)
{
    enum bondy_match match;

    (void)state;
    for (int i = 0; i < BONDY_MATCHES; i++) {
        assert_true(bondy_match_parse(bondy_slice_text(bondy_match_name(i)), &match));
        assert_int_equal(match, i);
    }
    assert_false(bondy_match_parse(BONDY_SLICE("Exact"), &match));
    assert_false(bondy_match_parse(BONDY_SLICE(""), &match));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(uris_and_patterns_are_told_from_what_is_none),
        cmocka_unit_test(strict_patterns_may_have_empty_components),
        cmocka_unit_test(only_the_component_wamp_is_reserved),
        cmocka_unit_test(our_namespaces_are_told_from_others),
        cmocka_unit_test(patterns_match_as_wamp_defines_them),
        cmocka_unit_test(match_policies_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
