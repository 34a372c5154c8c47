/* SPDX-License-Identifier: Apache-2.0 */
/* The small parts: buf, slice, error, list, clock, id. */
#include "tests/lib/test.h"

#include "src/base/alloc.h"
#include "src/base/buf.h"
#include "src/base/clock.h"
#include "src/base/error.h"
#include "src/base/id.h"
#include "src/base/list.h"

static void a_buffer_grows_consumes_and_hands_over(void **state)
{
    struct bondy_buf buf = BONDY_BUF_EMPTY;
    char *text;

    (void)state;
    for (int i = 0; i < 1000; i++)
        bondy_buf_printf(&buf, "%d,", i);
    assert_int_equal(buf.len, 10 * 2 + 90 * 3 + 900 * 4);
    bondy_buf_consume(&buf, buf.len - 4);
    assert_slice_is(bondy_buf_slice(&buf), "999,");
    bondy_buf_append_slice(&buf, BONDY_SLICE_EMPTY);
    bondy_buf_append_text(&buf, "x");
    bondy_buf_append_byte(&buf, 'y');
    text = bondy_buf_take_text(&buf);
    assert_string_equal(text, "999,xy");
    assert_null(buf.data);
    bondy_free(text);
    bondy_buf_reserve(&buf, 5000);
    bondy_buf_clear(&buf, 100);
    assert_null(buf.data);
    bondy_buf_fini(&buf);
}

static void slices_order_by_bytes_with_prefixes_first(void **state)
{
    (void)state;
    assert_true(bondy_slice_cmp(BONDY_SLICE("a"), BONDY_SLICE("ab")) < 0);
    assert_true(bondy_slice_cmp(BONDY_SLICE("b"), BONDY_SLICE("ab")) > 0);
    assert_true(bondy_slice_cmp(BONDY_SLICE("\xFF"), BONDY_SLICE("a")) > 0);
    assert_int_equal(bondy_slice_cmp(BONDY_SLICE_EMPTY, BONDY_SLICE("")), 0);
    assert_true(bondy_slice_starts(BONDY_SLICE("wamp.error"), BONDY_SLICE("wamp.")));
    assert_true(bondy_slice_starts(BONDY_SLICE("a"), BONDY_SLICE_EMPTY));
    assert_false(bondy_slice_starts(BONDY_SLICE("a"), BONDY_SLICE("ab")));
    assert_int_equal(bondy_slice_skip(BONDY_SLICE("abc"), 9).len, 0);
}

static void an_error_tells_the_whole_way(void **state)
{
    struct bondy_error err;
    char long_text[2000];

    (void)state;
    assert_int_equal(bondy_fail(&err, BONDY_ENOENT, "no %s", "key"), BONDY_ENOENT);
    assert_int_equal(bondy_wrap(&err, "loading %s", "a.pem"), BONDY_ENOENT);
    assert_string_equal(err.text, "loading a.pem: no key");
    assert_int_equal(bondy_fail(NULL, BONDY_EIO, "unheard"), BONDY_EIO);
    memset(long_text, 'x', sizeof long_text);
    long_text[sizeof long_text - 1] = '\0';
    bondy_fail(&err, BONDY_EIO, "%s", long_text);
    bondy_wrap(&err, "%s", long_text);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_string_equal(bondy_code_name(BONDY_EUNSUPPORTED), "BONDY_EUNSUPPORTED");
    assert_string_equal(bondy_code_name(-99), "unknown code");
}

struct item {
    struct bondy_list link;
    int number;
};

static void a_list_keeps_its_order_and_lets_go_while_walking(void **state)
{
    struct bondy_list head;
    struct bondy_list other;
    struct item items[4];
    int expected = 0;

    (void)state;
    bondy_list_init(&head);
    bondy_list_init(&other);
    for (int i = 0; i < 4; i++) {
        items[i].number = i;
        bondy_list_append(i < 2 ? &head : &other, &items[i].link);
    }
    bondy_list_splice(&head, &other);
    assert_true(bondy_list_is_empty(&other));
    BONDY_LIST_EACH_SAFE(link, &head)
    {
        assert_int_equal(BONDY_LIST_ENTRY(link, struct item, link)->number, expected++);
        bondy_list_remove(link);
    }
    assert_int_equal(expected, 4);
    assert_true(bondy_list_is_empty(&head));
}

static void time_is_written_as_rfc_3339(void **state)
{
    static const struct bondy_clock_source source = {5000000, 1935483303120};
    char text[25];

    (void)state;
    bondy_clock_replace(&source);
    assert_int_equal(bondy_clock_mono_ms(), 5);
    bondy_clock_format(bondy_clock_wall_ms(), text);
    assert_string_equal(text, "2031-05-02T10:15:03.120Z");
    bondy_clock_replace(NULL);
    assert_true(bondy_clock_wall_ms() < 1935483303120);
}

static void ids_stay_in_their_range_and_repeat_only_on_request(void **state)
{
    uint64_t first[10];
    char uuid[37];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        uint64_t id = bondy_id_random();

        assert_true(id >= 1 && id <= BONDY_ID_MAX);
    }
    bondy_id_replace(7);
    for (int i = 0; i < 10; i++)
        first[i] = bondy_id_random();
    bondy_id_replace(7);
    for (int i = 0; i < 10; i++)
        assert_true(bondy_id_random() == first[i]);
    bondy_id_replace(0);
    assert_true(bondy_id_random() != first[0] || bondy_id_random() != first[1]);
    bondy_id_uuid4(uuid);
    assert_int_equal(strlen(uuid), 36);
    assert_int_equal(uuid[14], '4');
    bondy_id_uuid7(uuid);
    assert_int_equal(uuid[14], '7');
    assert_non_null(strchr("89ab", uuid[19]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buffer_grows_consumes_and_hands_over),
        cmocka_unit_test(slices_order_by_bytes_with_prefixes_first),
        cmocka_unit_test(an_error_tells_the_whole_way),
        cmocka_unit_test(a_list_keeps_its_order_and_lets_go_while_walking),
        cmocka_unit_test(time_is_written_as_rfc_3339),
        cmocka_unit_test(ids_stay_in_their_range_and_repeat_only_on_request),
    };

    if (bondy_id_start(NULL) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
