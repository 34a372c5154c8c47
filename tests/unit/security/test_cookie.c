/* SPDX-License-Identifier: Apache-2.0 */

/* Tickets in a Cookie header: RFC 6265, 4.2; realms-and-security.md 3.8. */
#include "tests/lib/test.h"

#include "src/base/alloc.h"
#include "src/security/credential/cookie.h"

static void the_ticket_of_a_realm_is_the_first_of_exactly_its_name(void **state)
{
    static const struct {
        const char *header;
        const char *ticket; /* of com.example.dev */
        bool has_any;
    } cases[] = {
        {"", "", false},
        {"bondy_ticket_com.example.dev=abc", "abc", true},
        {"a=b; bondy_ticket_com.example.dev=abc; c=d", "abc", true},
        {"a=b;bondy_ticket_com.example.dev=abc;c=d", "abc", true},
        {"  bondy_ticket_com.example.dev = abc ;", "abc", true},
        {"\tbondy_ticket_com.example.dev\t=\tabc\t", "abc", true},
        {"bondy_ticket_com.example.dev=\"abc\"", "abc", true},
        {"bondy_ticket_com.example.dev=\"", "\"", true},
        {"bondy_ticket_com.example.dev=\"\"", "", true},
        {"bondy_ticket_com.example.dev=a=b==", "a=b==", true},
        {"bondy_ticket_com.example.dev=", "", true},
        /* the first one, of several realms and of one */
        {"bondy_ticket_com.example.other=1; bondy_ticket_com.example.dev=2", "2", true},
        {"bondy_ticket_com.example.dev=1; bondy_ticket_com.example.dev=2", "1", true},
        /* other names */
        {"bondy_ticket_com.example.dev2=abc", "", true},
        {"bondy_ticket_com.example.de=abc", "", true},
        {"bondy_ticket_com.example.DEV=abc", "", true},
        {"Bondy_ticket_com.example.dev=abc", "", false},
        {"xbondy_ticket_com.example.dev=abc", "", false},
        {"bondy_csrf_com.example.dev=abc", "", false},
        {"a=bondy_ticket_com.example.dev=abc", "", false},
        {"a=\"x; bondy_ticket_com.example.dev=abc\"", "abc\"",
         true}, /* ';' ends a quoted value too */
        /* no pairs at all */
        {"bondy_ticket_com.example.dev", "", false},
        {";;;", "", false},
        {"=", "", false},
        {"=bondy_ticket_com.example.dev", "", false},
        {"; =; a; b=; bondy_ticket_com.example.dev=abc", "abc", true},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_slice header = bondy_slice_text(cases[i].header);
        struct bondy_slice ticket = bondy_cookie_ticket(header, BONDY_SLICE("com.example.dev"));

        if (!bondy_slice_is(ticket, cases[i].ticket) ||
            bondy_cookie_has_ticket(header) != cases[i].has_any)
            fail_msg("\"%s\": \"" BONDY_SLICE_FMT "\"", cases[i].header, BONDY_SLICE_ARG(ticket));
    }
}

/* Every beginning of a header, so that nothing is read behind its end. */
static void a_header_may_end_anywhere(void **state)
{
    static const char text[] = "a=\"b\"; bondy_ticket_x=\"abc\" ; ;=;c";

    (void)state;
    for (size_t len = 0; len < sizeof text; len++) {
        char *copy = bondy_alloc(len + 1);

        memcpy(copy, text, len);
        bondy_cookie_has_ticket(bondy_slice_of(copy, len));
        assert_true(bondy_cookie_ticket(bondy_slice_of(copy, len), BONDY_SLICE("x")).len <= 4);
        bondy_free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ticket_of_a_realm_is_the_first_of_exactly_its_name),
        cmocka_unit_test(a_header_may_end_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
