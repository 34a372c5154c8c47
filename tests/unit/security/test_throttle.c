/* SPDX-License-Identifier: Apache-2.0 */
/* Login throttling, realms-and-security.md 6 and acceptance row 17. */
#include "tests/lib/test.h"

#include <stdio.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/security/login/throttle.h"

struct rig {
    struct bondy_throttle *throttle;
    struct bondy_address addresses[4];
    uint64_t now_ms;
};

static void fail_login(struct rig *rig, const char *ip, const char *authid);

static struct bondy_throttle_login login(struct rig *rig, const char *ip, const char *authid)
{
    struct bondy_address *address = NULL;

    if (ip != NULL) {
        address = &rig->addresses[0];
        assert_int_equal(bondy_address_parse(ip, 1234, address, NULL), BONDY_OK);
    }
    return (struct bondy_throttle_login){address, BONDY_SLICE("org.acme"),
                                         bondy_slice_text(authid)};
}

static struct bondy_throttle_verdict ask(struct rig *rig, const char *ip, const char *authid)
{
    struct bondy_throttle_login attempt = login(rig, ip, authid);

    return bondy_throttle_ask(rig->throttle, &attempt, rig->now_ms);
}

static void fail_login(struct rig *rig, const char *ip, const char *authid)
{
    struct bondy_throttle_login attempt = login(rig, ip, authid);

    bondy_throttle_failed(rig->throttle, &attempt, rig->now_ms);
}

static int start_with(void **state, struct bondy_throttle_options options)
{
    struct rig *rig = bondy_zalloc(sizeof *rig);

    rig->throttle = bondy_throttle_create(&options);
    rig->now_ms = 1000000;
    *state = rig;
    return 0;
}

static int start(void **state)
{
    return start_with(state, (struct bondy_throttle_options)BONDY_THROTTLE_DEFAULT);
}

static int start_small(void **state)
{
    return start_with(state, (struct bondy_throttle_options){10, 20, 1000, 8});
}

static int start_off(void **state)
{
    return start_with(state, (struct bondy_throttle_options){0});
}

static int stop(void **state)
{
    struct rig *rig = *state;

    bondy_throttle_destroy(rig->throttle);
    bondy_free(rig);
    return 0;
}

/* Acceptance row 17: 50 bad logins from one address. */
static void fifty_bad_logins_stop_one_address_and_no_other(void **state)
{
    struct rig *rig = *state;
    unsigned looked_at = 0;
    char name[16];

    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "user-%d", i);
        if (ask(rig, "192.0.2.9", name).retry_after_ms != 0)
            continue;
        looked_at++;
        fail_login(rig, "192.0.2.9", name);
        rig->now_ms += 10;
    }
    assert_int_equal(looked_at, 10);
    assert_in_range(ask(rig, "192.0.2.9", "right").retry_after_ms, 1, 1000);
    assert_int_equal(ask(rig, "192.0.2.10", "right").retry_after_ms, 0);
    assert_int_equal(ask(rig, "192.0.2.10", "right").delay_ms, 0);
}

static void a_refusal_doubles_up_to_a_minute(void **state)
{
    static const uint32_t expected[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};
    struct rig *rig = *state;

    for (int i = 0; i < 9; i++)
        fail_login(rig, "192.0.2.9", "ann");
    for (size_t i = 0; i < BONDY_COUNT(expected); i++) {
        /* Somebody who uses up at once whatever time gives back. */
        for (int again = 0; again < 12; again++)
            if (ask(rig, "192.0.2.9", "ann").retry_after_ms == 0)
                fail_login(rig, "192.0.2.9", "ann");
        assert_int_equal(ask(rig, "192.0.2.9", "ann").retry_after_ms, expected[i]);
        rig->now_ms += expected[i] - 1;
        assert_int_equal(ask(rig, "192.0.2.9", "ann").retry_after_ms, 1);
        rig->now_ms += 1;
        assert_int_equal(ask(rig, "192.0.2.9", "ann").retry_after_ms, 0);
    }
    rig->now_ms += 120000;
    for (int i = 0; i < 9; i++)
        fail_login(rig, "192.0.2.9", "ann");
    assert_int_equal(ask(rig, "192.0.2.9", "ann").retry_after_ms, 0);
    fail_login(rig, "192.0.2.9", "ann");
    assert_int_equal(ask(rig, "192.0.2.9", "ann").retry_after_ms, 1000);
}

static void ten_failures_a_minute_are_let_through_for_ever(void **state)
{
    struct rig *rig = *state;

    for (int i = 0; i < 200; i++) {
        assert_int_equal(ask(rig, "192.0.2.9", "ann").retry_after_ms, 0);
        fail_login(rig, "192.0.2.9", "ann");
        rig->now_ms += 6000;
    }
}

static void sources_are_told_apart_by_address_or_64_bits_of_it(void **state)
{
    static const struct {
        const char *ip;
        bool is_same;
    } cases[] = {
        {"2001:db8:1:2::1", true},   {"2001:db8:1:2:ffff::9", true}, {"2001:db8:1:3::1", false},
        {"::ffff:192.0.2.9", false}, {"192.0.2.9", false},
    };
    struct rig *rig = *state;

    for (int i = 0; i < 10; i++)
        fail_login(rig, "2001:db8:1:2::7", "ann");
    for (size_t i = 0; i < BONDY_COUNT(cases); i++)
        if ((ask(rig, cases[i].ip, "x").retry_after_ms != 0) != cases[i].is_same)
            fail_msg("%s", cases[i].ip);
    for (int i = 0; i < 10; i++)
        fail_login(rig, "::ffff:192.0.2.77", "ann");
    assert_int_not_equal(ask(rig, "192.0.2.77", "x").retry_after_ms, 0);
    assert_int_equal(ask(rig, "192.0.2.78", "x").retry_after_ms, 0);
}

/* Nobody can lock an account from elsewhere: an answer is late, but it is given. */
static void failures_of_one_authid_only_delay_its_answers(void **state)
{
    struct rig *rig = *state;
    struct bondy_throttle_login right = login(rig, NULL, "ann");
    char ip[32];

    for (int i = 0; i < 60; i++) {
        snprintf(ip, sizeof ip, "198.51.100.%d", i);
        fail_login(rig, ip, "ann");
        assert_int_equal(ask(rig, "192.0.2.9", "ann").retry_after_ms, 0);
        assert_true(ask(rig, "192.0.2.9", "ann").delay_ms <= 2000);
        assert_int_equal(ask(rig, "192.0.2.9", "ann").delay_ms == 0, i < 19);
    }
    assert_int_equal(ask(rig, "192.0.2.9", "ann").delay_ms, 2000);
    assert_int_equal(ask(rig, "192.0.2.9", "ben").delay_ms, 0);
    bondy_throttle_succeeded(rig->throttle, &right, rig->now_ms);
    assert_int_equal(ask(rig, "192.0.2.9", "ann").delay_ms, 0);
}

static void failures_of_all_delay_everybody(void **state)
{
    struct rig *rig = *state;
    char ip[48], name[16];

    for (int i = 0; i < 1100; i++) {
        snprintf(ip, sizeof ip, "2001:db8:%x::1", i + 1);
        snprintf(name, sizeof name, "u%d", i);
        fail_login(rig, ip, name);
    }
    assert_int_equal(ask(rig, "192.0.2.9", "zoe").retry_after_ms, 0);
    assert_int_equal(ask(rig, "192.0.2.9", "zoe").delay_ms, 2000);
    rig->now_ms += 60000;
    assert_int_equal(ask(rig, "192.0.2.9", "zoe").delay_ms, 0);
}

/* A flood of addresses does not wash out the one that is being refused. */
static void a_full_table_forgets_who_failed_least(void **state)
{
    struct rig *rig = *state;
    char ip[48];

    for (int i = 0; i < 10; i++)
        fail_login(rig, "192.0.2.9", "ann");
    for (int i = 0; i < 10000; i++) {
        snprintf(ip, sizeof ip, "2001:db8:%x::1", i % 60000 + 1);
        fail_login(rig, ip, "");
    }
    assert_int_not_equal(ask(rig, "192.0.2.9", "ann").retry_after_ms, 0);
}

static void local_peers_and_rates_of_zero_have_no_limit(void **state)
{
    struct rig *rig = *state;

    for (int i = 0; i < 100; i++) {
        fail_login(rig, "192.0.2.9", "ann");
        fail_login(rig, "unix:/tmp/x", "ann");
    }
    assert_int_equal(ask(rig, "192.0.2.9", "ann").retry_after_ms, 0);
    assert_int_equal(ask(rig, "192.0.2.9", "ann").delay_ms, 0);
    assert_int_equal(ask(rig, "unix:/tmp/x", "ann").retry_after_ms, 0);
}

static void seconds_are_rounded_up(void **state)
{
    (void)state;
    assert_int_equal(bondy_throttle_seconds(1), 1);
    assert_int_equal(bondy_throttle_seconds(1000), 1);
    assert_int_equal(bondy_throttle_seconds(1001), 2);
}

#define THROTTLE(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        THROTTLE(fifty_bad_logins_stop_one_address_and_no_other),
        THROTTLE(a_refusal_doubles_up_to_a_minute),
        THROTTLE(ten_failures_a_minute_are_let_through_for_ever),
        THROTTLE(sources_are_told_apart_by_address_or_64_bits_of_it),
        THROTTLE(failures_of_one_authid_only_delay_its_answers),
        THROTTLE(failures_of_all_delay_everybody),
        cmocka_unit_test_setup_teardown(a_full_table_forgets_who_failed_least, start_small, stop),
        cmocka_unit_test_setup_teardown(local_peers_and_rates_of_zero_have_no_limit, start_off,
                                        stop),
        cmocka_unit_test(seconds_are_rounded_up),
    };

    if (bondy_id_start(NULL) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
