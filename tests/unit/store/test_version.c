/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <string.h>

#include "src/base/buf.h"
#include "src/base/id.h"
#include "src/store/version.h"

#define NOW UINT64_C(1800000000000)

static struct bondy_hlc clock_at(uint64_t wall_ms)
{
    struct bondy_hlc hlc = {.wall_ms = wall_ms, .writer = "ABCDEFG", .max_drift_ms = 10000};

    return hlc;
}

/* R9: whatever the wall clock does, each version is greater than the one before. */
static void versions_only_grow_whatever_the_clock_does(void **state)
{
    static const int64_t jumps[] = {0, 0, 1, -3600000, 0, 5, 3600000, -1, 0, -86400000, 2};
    struct bondy_hlc hlc = clock_at(0);
    uint8_t last[BONDY_VERSION_LEN] = {0}, next[BONDY_VERSION_LEN];
    uint64_t now = NOW;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        now = (uint64_t)((int64_t)now + jumps[round % 11]);
        bondy_hlc_next(&hlc, now, NULL, next);
        assert_true(memcmp(next, last, sizeof next) > 0);
        memcpy(last, next, sizeof next);
    }
}

static void an_update_beats_the_value_it_read_even_from_the_future(void **state)
{
    struct bondy_hlc hlc = clock_at(NOW);
    uint8_t future[BONDY_VERSION_LEN], next[BONDY_VERSION_LEN], after[BONDY_VERSION_LEN];

    (void)state;
    bondy_version_make(NOW + 86400000, UINT16_MAX, hlc.writer, future);
    bondy_hlc_next(&hlc, NOW, future, next);
    assert_true(memcmp(next, future, sizeof next) > 0);
    assert_int_equal(bondy_version_wall_ms(next), NOW + 86400001);
    /* The clock itself stays: other keys are not dragged into the future. */
    bondy_hlc_next(&hlc, NOW + 1, NULL, after);
    assert_int_equal(bondy_version_wall_ms(after), NOW + 1);
}

static void a_full_counter_carries_into_the_wall_clock(void **state)
{
    struct bondy_hlc hlc = clock_at(NOW);
    uint8_t next[BONDY_VERSION_LEN];

    (void)state;
    hlc.logical = UINT16_MAX;
    bondy_hlc_next(&hlc, NOW, NULL, next);
    assert_int_equal(bondy_version_wall_ms(next), NOW + 1);
    assert_int_equal(bondy_version_logical(next), 0);
}

static void a_remote_version_moves_the_clock_unless_it_drifts(void **state)
{
    struct bondy_hlc hlc = clock_at(NOW);
    uint8_t remote[BONDY_VERSION_LEN];

    (void)state;
    bondy_version_make(NOW + 9000, 3, hlc.writer, remote);
    assert_true(bondy_hlc_observe(&hlc, NOW, remote));
    assert_int_equal(hlc.wall_ms, NOW + 9000);
    assert_int_equal(hlc.logical, 3);
    bondy_version_make(NOW + 10001, 0, hlc.writer, remote);
    assert_false(bondy_hlc_observe(&hlc, NOW, remote));
    assert_int_equal(hlc.wall_ms, NOW + 9000);
}

static void a_restart_is_a_second_ahead_of_what_was_stored(void **state)
{
    struct bondy_hlc hlc = clock_at(0);
    uint8_t stored[BONDY_VERSION_LEN];

    (void)state;
    bondy_version_make(NOW, 9, hlc.writer, stored);
    bondy_hlc_start(&hlc, stored, NOW - 5);
    assert_int_equal(hlc.wall_ms, NOW + 1000);
    bondy_hlc_start(&hlc, stored, NOW + 5000);
    assert_int_equal(hlc.wall_ms, NOW + 5000);
    bondy_hlc_start(&hlc, NULL, NOW);
    assert_int_equal(hlc.wall_ms, NOW);
}

static void crc_is_castagnoli(void **state)
{
    uint8_t bytes[32];

    (void)state;
    assert_int_equal(bondy_crc32c(BONDY_SLICE("123456789")), 0xE3069283);
    assert_int_equal(bondy_crc32c(BONDY_SLICE_EMPTY), 0);
    /* RFC 3720, B.4. */
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(bondy_crc32c(bondy_slice_of(bytes, sizeof bytes)), 0x8A9136AA);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(bondy_crc32c(bondy_slice_of(bytes, sizeof bytes)), 0x62A8AB43);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    assert_int_equal(bondy_crc32c(bondy_slice_of(bytes, sizeof bytes)), 0x46DD794E);
}

static struct bondy_envelope sample(void)
{
    struct bondy_envelope envelope = {.flags = BONDY_ENVELOPE_TOMBSTONE,
                                      .gen = 7,
                                      .expires_ms = NOW,
                                      .schema = 3,
                                      .body = BONDY_SLICE("\xa0 a body"),
                                      .subkey = BONDY_SLICE("the whole subkey")};

    memset(envelope.version, 0x5a, sizeof envelope.version);
    return envelope;
}

static void an_envelope_comes_back_as_it_was(void **state)
{
    struct bondy_envelope in = sample(), out;
    struct bondy_buf buf = BONDY_BUF_EMPTY;

    (void)state;
    bondy_envelope_encode(&in, &buf);
    assert_int_equal(bondy_envelope_decode(bondy_buf_slice(&buf), &out, NULL), BONDY_OK);
    assert_int_equal(out.flags, in.flags);
    assert_int_equal(out.gen, in.gen);
    assert_int_equal(out.expires_ms, in.expires_ms);
    assert_int_equal(out.schema, in.schema);
    assert_memory_equal(out.version, in.version, sizeof in.version);
    assert_true(bondy_slice_eq(out.body, in.body));
    assert_true(bondy_slice_eq(out.subkey, in.subkey));
    bondy_buf_fini(&buf);
}

static void a_damaged_envelope_is_refused(void **state)
{
    struct bondy_envelope in = sample(), out;
    struct bondy_buf buf = BONDY_BUF_EMPTY;

    (void)state;
    bondy_envelope_encode(&in, &buf);
    for (size_t len = 0; len < buf.len; len++)
        assert_int_equal(bondy_envelope_decode(bondy_slice_of(buf.data, len), &out, NULL),
                         BONDY_EPROTO);
    for (size_t bit = 0; bit < buf.len * 8; bit++) {
        buf.data[bit / 8] = (char)(buf.data[bit / 8] ^ (1 << bit % 8));
        assert_int_equal(bondy_envelope_decode(bondy_buf_slice(&buf), &out, NULL), BONDY_EPROTO);
        buf.data[bit / 8] = (char)(buf.data[bit / 8] ^ (1 << bit % 8));
    }
    bondy_buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_only_grow_whatever_the_clock_does),
        cmocka_unit_test(an_update_beats_the_value_it_read_even_from_the_future),
        cmocka_unit_test(a_full_counter_carries_into_the_wall_clock),
        cmocka_unit_test(a_remote_version_moves_the_clock_unless_it_drifts),
        cmocka_unit_test(a_restart_is_a_second_ahead_of_what_was_stored),
        cmocka_unit_test(crc_is_castagnoli),
        cmocka_unit_test(an_envelope_comes_back_as_it_was),
        cmocka_unit_test(a_damaged_envelope_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
