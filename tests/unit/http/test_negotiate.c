/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "src/base/alloc.h"
#include "src/http/negotiate.h"

static const char *const offers[] = {"application/json", "application/msgpack", "application/cbor"};

static void accept_takes_the_best_offer(void **state)
{
    static const struct {
        const char *accept;
        int expected;
    } cases[] = {
        {NULL, 0},
        {"", 0},
        {"*/*", 0},
        {"*", 0},
        {"application/json", 0},
        {"APPLICATION/CBOR", 2},
        {"application/*", 0},
        {"application/msgpack", 1},
        {"application/msgpack, */*;q=0.1", 1},
        {"application/json;q=0.5, application/cbor;q=0.9", 2},
        {"application/json;q=0, */*", 1},
        {"*/*;q=0.5, application/json;q=0.1, application/cbor;q=0.4", 1},
        {"text/html, application/xhtml+xml, */*;q=0.8", 0},
        {"text/html", -1},
        {"text/*", -1},
        {"*/*;q=0", -1},
        {"application/json;q=0", -1},
        {"application/json; charset=utf-8", 0},
        {"application/msgpack;q=1.0;ext=1", 1},
        {" , ,application/cbor , ", 2},
        {"application/json;q=nonsense", 0},
        {"application/json;q=0.000, application/cbor; q=0.001", 2},
        {"text/plain;x=\"a,application/json\", application/cbor", 2},
        {"application/jso", -1},
        {"application/jsonx", -1},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        int chosen =
            bondy_accept_choose(bondy_slice_text(cases[i].accept), offers, BONDY_COUNT(offers));

        if (chosen != cases[i].expected)
            fail_msg("Accept: %s gave %d, not %d", cases[i].accept, chosen, cases[i].expected);
    }
}

static void a_type_is_named_only_by_itself(void **state)
{
    (void)state;
    assert_true(
        bondy_accept_names(BONDY_SLICE("application/problem+json"), "application/problem+json"));
    assert_true(bondy_accept_names(BONDY_SLICE("text/html, Application/Problem+JSON;q=0.5"),
                                   "application/problem+json"));
    assert_false(bondy_accept_names(BONDY_SLICE("*/*"), "application/problem+json"));
    assert_false(bondy_accept_names(BONDY_SLICE("application/problem+json;q=0"),
                                    "application/problem+json"));
    assert_false(bondy_accept_names(BONDY_SLICE_EMPTY, "application/problem+json"));
}

static void languages_are_filtered_and_looked_up(void **state)
{
    static const char *const languages[] = {"en", "fr", "fr-ca"};
    static const struct {
        const char *accept;
        int expected;
    } cases[] = {
        {NULL, 0},        {"*", 0},
        {"fr", 1},        {"FR-ca", 2},
        {"fr-CH", 1},     {"en-US,en;q=0.9", 0},
        {"de", -1},       {"de, *;q=0.1", 0},
        {"en;q=0, *", 1}, {"de, fr;q=0.2, en;q=0.1", 1},
        {"e", -1},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        int chosen = bondy_language_choose(bondy_slice_text(cases[i].accept), languages,
                                           BONDY_COUNT(languages));

        if (chosen != cases[i].expected)
            fail_msg("Accept-Language: %s gave %d, not %d", cases[i].accept, chosen,
                     cases[i].expected);
    }
}

static void content_types_lose_their_parameters(void **state)
{
    static const struct {
        const char *value, *type;
    } cases[] = {
        {"application/json", "application/json"},
        {"Application/JSON; charset=utf-8", "application/json"},
        {"text/plain;a=\";\"", "text/plain"},
        {"", ""},
        {"json", ""},
        {"a/b/c", ""},
        {"/x", ""},
        {"x/", ""},
        {"a b/c", ""},
    };
    char type[BONDY_MEDIA_TYPE_MAX];

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        size_t len = bondy_media_type(bondy_slice_text(cases[i].value), type);

        assert_slice_is(bondy_slice_of(type, len), cases[i].type);
    }
    assert_slice_is(bondy_media_parameter(BONDY_SLICE("multipart/form-data; a=1; Boundary=\"x;y\""),
                                          "boundary"),
                    "x;y");
    assert_null(bondy_media_parameter(BONDY_SLICE("a/b; c"), "boundary").data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accept_takes_the_best_offer),
        cmocka_unit_test(a_type_is_named_only_by_itself),
        cmocka_unit_test(languages_are_filtered_and_looked_up),
        cmocka_unit_test(content_types_lose_their_parameters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
