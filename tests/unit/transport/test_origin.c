/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "src/base/alloc.h"
#include "src/security/credential/cookie.h"
#include "src/transport/origin.h"

static void a_page_is_of_the_own_host_by_scheme_host_and_port(void **state)
{
    static const struct {
        const char *origin, *host;
        bool plain, tls; /* on a listener of that kind */
    } cases[] = {
        {"http://example.com", "example.com", true, false},
        {"https://example.com", "example.com", true, true},
        {"HTTPS://Example.COM", "example.com", true, true},
        {"https://example.com", "example.com:443", true, true},
        {"https://example.com:443", "example.com", true, true},
        {"http://example.com", "example.com:80", true, false},
        {"http://example.com:80", "example.com:80", true, false},
        {"https://example.com:18083", "example.com:18083", true, true},
        {"http://[::1]:8080", "[::1]:8080", true, false},
        /* another port, another host, what only looks like it */
        {"https://example.com", "example.com:18083", false, false},
        {"https://example.com:18083", "example.com", false, false},
        {"http://example.com:443", "example.com", false, false},
        {"https://example.com:80", "example.com", false, false},
        {"https://evil.com", "example.com", false, false},
        {"https://example.com.evil.com", "example.com", false, false},
        {"https://sub.example.com", "example.com", false, false},
        {"https://evilexample.com", "example.com", false, false},
        {"https://example.com/", "example.com", false, false},
        {"https://example.com@evil.com", "example.com", false, false},
        {"null", "example.com", false, false},
        {"null", "null", false, false},
        {"", "example.com", false, false},
        {"", "", false, false},
        {"https://", "", false, false},
        {"https://:443", ":443", true, true},
        {"example.com", "example.com", false, false},
        {"file://example.com", "example.com", false, false},
        {"wss://example.com", "example.com", false, false},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_slice origin = bondy_slice_text(cases[i].origin);
        struct bondy_slice host = bondy_slice_text(cases[i].host);

        if (bondy_origin_is_own(origin, host, false) != cases[i].plain ||
            bondy_origin_is_own(origin, host, true) != cases[i].tls)
            fail_msg("origin \"%s\" of host \"%s\"", cases[i].origin, cases[i].host);
    }
}

static void listed_origins_count_too_whole_and_without_case(void **state)
{
    static const char *const listed[] = {"https://app.example.com", "http://localhost:3000", NULL};
    static const struct {
        const char *origin;
        int status;
    } cases[] = {{"https://app.example.com", 0},        {"HTTPS://APP.example.com", 0},
                 {"http://localhost:3000", 0},          {"http://app.example.com", 403},
                 {"https://app.example.com:8443", 403}, {"http://localhost:3001", 403},
                 {"https://app.example.com.evil", 403}, {"null", 403}};
    const struct bondy_origin_rules rules = {.is_tls = true, .listed = listed};

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        const struct bondy_upgrade upgrade = {.host = BONDY_SLICE("router.example.com"),
                                              .origin = bondy_slice_text(cases[i].origin),
                                              .origin_count = 1,
                                              .cookies = BONDY_SLICE("bondy_ticket_dev=x")};
        struct bondy_slice cookies;
        const char *why;

        if (bondy_origin_judge(&upgrade, &rules, &cookies, &why) != cases[i].status)
            fail_msg("origin \"%s\"", cases[i].origin);
        assert_int_equal(cookies.len > 0, cases[i].status == 0);
    }
}

/* WS: pages of elsewhere may open a WebSocket; what they may not is log in with a cookie. */
static void without_a_ticket_origin_and_length_do_not_matter(void **state)
{
    static char other[BONDY_COOKIES_MAX + 10] = "a=";
    const struct bondy_origin_rules rules = {.is_tls = false};
    struct bondy_upgrade upgrade = {
        .host = BONDY_SLICE("a"), .origin = BONDY_SLICE("http://evil"), .origin_count = 2};
    struct bondy_slice cookies;
    const char *why;

    (void)state;
    memset(other + 2, 'x', sizeof other - 2);
    assert_int_equal(bondy_origin_judge(&upgrade, &rules, &cookies, &why), 0);
    upgrade.cookies = bondy_slice_of(other, sizeof other);
    assert_int_equal(bondy_origin_judge(&upgrade, &rules, &cookies, &why), 0);
    assert_int_equal(cookies.len, 0);
}

static void a_ticket_comes_in_8_kib_of_cookies_and_with_one_origin(void **state)
{
    static char text[BONDY_COOKIES_MAX + 1] = "bondy_ticket_dev=";
    const struct bondy_origin_rules rules = {.is_tls = false};
    struct bondy_upgrade upgrade = {.host = BONDY_SLICE("a")};
    struct bondy_slice cookies;
    const char *why;

    (void)state;
    memset(text + 17, 'x', sizeof text - 17);
    upgrade.cookies = bondy_slice_of(text, BONDY_COOKIES_MAX);
    assert_int_equal(bondy_origin_judge(&upgrade, &rules, &cookies, &why), 0);
    assert_int_equal(cookies.len, BONDY_COOKIES_MAX);
    upgrade.cookies.len++;
    assert_int_equal(bondy_origin_judge(&upgrade, &rules, &cookies, &why), 431);
    assert_int_equal(cookies.len, 0);
    upgrade.cookies.len--;
    upgrade.origin = BONDY_SLICE("http://a");
    upgrade.origin_count = 2;
    assert_int_equal(bondy_origin_judge(&upgrade, &rules, &cookies, &why), 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_is_of_the_own_host_by_scheme_host_and_port),
        cmocka_unit_test(listed_origins_count_too_whole_and_without_case),
        cmocka_unit_test(without_a_ticket_origin_and_length_do_not_matter),
        cmocka_unit_test(a_ticket_comes_in_8_kib_of_cookies_and_with_one_origin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
