/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/json.h"
#include "src/base/log.h"
#include "src/base/utf8.h"

#define WHEN UINT64_C(1935483303120)

static void format(enum bondy_log_format form, const struct bondy_log_field *fields, size_t count,
                   struct bondy_buf *out)
{
    const struct bondy_log_record record = {
        .level = BONDY_LOG_WARN,
        .line = 412,
        .wall_ms = WHEN,
        .thread = "w3",
        .file = "../src/cluster/link.c",
        .function = "on_timeout",
        .event = "peer_silent",
        .fields = fields,
        .count = count,
    };

    bondy_log_format(form, &record, out);
}

#define HEAD "when=2031-05-02T10:15:03.120Z level=warning pid=w3 at=link:on_timeout/412 "

static void a_line_looks_like_the_specification_s_example(void **state)
{
    /* operations, Format `logfmt`, with the fixed event name in front */
    const struct bondy_log_field fields[] = {
        BONDY_F_STR("peer", "bondy@10.0.0.3"),
        BONDY_F_U64("idle_ms", 5003),
        BONDY_F_STR("node", "bondy@10.0.0.1"),
        BONDY_F_STR("description", "Peer not responding"),
    };
    struct bondy_buf out = BONDY_BUF_EMPTY;

    (void)state;
    format(BONDY_LOG_LOGFMT, fields, BONDY_COUNT(fields), &out);
    assert_slice_is(bondy_buf_slice(&out),
                    HEAD "event=peer_silent description=\"Peer not responding\" "
                         "node=bondy@10.0.0.1 peer=bondy@10.0.0.3 idle_ms=5003\n");
    bondy_buf_fini(&out);
}

static void fields_are_sorted_as_specified_and_others_keep_their_order(void **state)
{
    const struct bondy_log_field fields[] = {
        BONDY_F_U64("version", 1),         BONDY_F_U64("zebra", 2),
        BONDY_F_STR("serializer", "json"), BONDY_F_STR("realm", "com.example"),
        BONDY_F_U64("apple", 3),           BONDY_F_STR("reason", "x"),
    };
    struct bondy_buf out = BONDY_BUF_EMPTY;

    (void)state;
    bondy_log_identify("n1", "0.1.0");
    format(BONDY_LOG_LOGFMT, fields, BONDY_COUNT(fields), &out);
    assert_slice_is(bondy_buf_slice(&out),
                    HEAD "event=peer_silent reason=x node=n1 router_vsn=0.1.0 realm=com.example "
                         "serializer=json zebra=2 apple=3 version=1\n");
    bondy_log_identify(NULL, NULL);
    bondy_buf_fini(&out);
}

static void values_cannot_forge_lines_or_fields_or_reach_the_terminal(void **state)
{
    static const struct {
        struct bondy_slice value;
        const char *logfmt;
        const char *json;
    } cases[] = {
        {BONDY_SLICE("plain"), "plain", "\"plain\""},
        {BONDY_SLICE(""), "\"\"", "\"\""},
        {BONDY_SLICE("two words"), "\"two words\"", "\"two words\""},
        {BONDY_SLICE("a=b"), "\"a=b\"", "\"a=b\""},
        {BONDY_SLICE("say \"hi\""), "\"say \\\"hi\\\"\"", "\"say \\\"hi\\\"\""},
        {BONDY_SLICE("x\nwhen=2031 level=error event=forged"),
         "\"x\\nwhen=2031 level=error event=forged\"",
         "\"x\\nwhen=2031 level=error event=forged\""},
        {BONDY_SLICE("\r\t\\"), "\"\\r\\t\\\\\"", "\"\\r\\t\\\\\""},
        {BONDY_SLICE("\x1B[31mred\x07"), "\"\\x1B[31mred\\x07\"", "\"\\u001b[31mred\\u0007\""},
        {BONDY_SLICE("a\0b"), "\"a\\x00b\"", "\"a\\u0000b\""},
        {BONDY_SLICE("\x7F"), "\"\\x7F\"", "\"\\u007f\""},
        {BONDY_SLICE("\xC2\x9B"
                     "31m"),
         "\"\\u009b31m\"", "\"\\u009b31m\""},
        {BONDY_SLICE("\xE2\x80\xA8"), "\"\\u2028\"", "\"\\u2028\""},
        {BONDY_SLICE("\xC3\xA9t\xC3\xA9"), "\"\xC3\xA9t\xC3\xA9\"", "\"\xC3\xA9t\xC3\xA9\""},
        {BONDY_SLICE("a\xFFz"), "\"a\\xFFz\"", "\"a\\\\xFFz\""},
        {BONDY_SLICE("cut \xE2\x82"), "\"cut \\xE2\\x82\"", "\"cut \\\\xE2\\\\x82\""},
        {BONDY_SLICE("\xC0\x8A"), "\"\\xC0\\x8A\"", "\"\\\\xC0\\\\x8A\""},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        const struct bondy_log_field field = BONDY_F_SLICE("v", cases[i].value);
        struct bondy_buf out = BONDY_BUF_EMPTY;
        struct bondy_buf expected = BONDY_BUF_EMPTY;

        bondy_buf_printf(&expected, HEAD "event=peer_silent v=%s\n", cases[i].logfmt);
        format(BONDY_LOG_LOGFMT, &field, 1, &out);
        bondy_buf_append_byte(&expected, '\0');
        assert_slice_is(bondy_buf_slice(&out), expected.data);
        bondy_buf_clear(&out, 9999);
        bondy_buf_clear(&expected, 9999);
        bondy_buf_printf(&expected,
                         "{\"when\":\"2031-05-02T10:15:03.120Z\",\"level\":\"warning\","
                         "\"level_num\":4,\"pid\":\"w3\",\"at\":\"link:on_timeout/412\","
                         "\"event\":\"peer_silent\",\"v\":%s}\n",
                         cases[i].json);
        bondy_buf_append_byte(&expected, '\0');
        format(BONDY_LOG_JSON, &field, 1, &out);
        assert_slice_is(bondy_buf_slice(&out), expected.data);
        bondy_buf_fini(&out);
        bondy_buf_fini(&expected);
    }
}

static void every_type_of_value_has_its_form(void **state)
{
    const struct bondy_log_field fields[] = {
        BONDY_F_U64("u", UINT64_MAX), BONDY_F_I64("i", INT64_MIN), BONDY_F_F64("f", 0.25),
        BONDY_F_BOOL("b", true),      BONDY_F_REDACTED("secret"),  BONDY_F_F64("inf", 1e308 * 10),
        BONDY_F_STR("none", NULL),
    };
    struct bondy_buf out = BONDY_BUF_EMPTY;

    (void)state;
    format(BONDY_LOG_LOGFMT, fields, BONDY_COUNT(fields), &out);
    assert_slice_is(bondy_buf_slice(&out), HEAD "event=peer_silent u=18446744073709551615 "
                                                "i=-9223372036854775808 f=0.25 b=true secret=*** "
                                                "inf=inf none=\"\"\n");
    bondy_buf_clear(&out, 9999);
    format(BONDY_LOG_TEXT, fields, 5, &out);
    assert_slice_is(bondy_buf_slice(&out), "10:15:03.120 WARNING peer_silent "
                                           "u=18446744073709551615 i=-9223372036854775808 f=0.25 "
                                           "b=true secret=***\n");
    bondy_buf_clear(&out, 9999);
    format(BONDY_LOG_JSON, fields, BONDY_COUNT(fields), &out);
    bondy_buf_append_byte(&out, '\0');
    assert_non_null(strstr(out.data, "\"secret\":\"***\",\"inf\":null"));
    bondy_buf_fini(&out);
}

static void a_long_line_is_cut_and_says_so(void **state)
{
    static char text[20000];

    (void)state;
    for (int form = BONDY_LOG_LOGFMT; form <= BONDY_LOG_TEXT; form++) {
        /* One byte, quotes and three-byte characters, around the limit and far beyond. */
        static const char *const units[] = {"x", "\"", "\xE2\x82\xAC", "\x01"};

        for (size_t u = 0; u < BONDY_COUNT(units); u++) {
            for (size_t len = 7800; len < 20000; len += len < 8300 ? 1 : 3000) {
                struct bondy_log_field fields[] = {
                    BONDY_F_SLICE("long", bondy_slice_of(text, len - len % strlen(units[u]))),
                    BONDY_F_U64("after", 1)};
                struct bondy_buf out = BONDY_BUF_EMPTY;
                struct bondy_slice line;

                for (size_t i = 0; i < sizeof text; i++)
                    text[i] = units[u][i % strlen(units[u])];
                format((enum bondy_log_format)form, fields, 2, &out);
                line = bondy_buf_slice(&out);
                assert_true(line.len <= BONDY_LOG_LINE_MAX);
                assert_true(bondy_utf8_is_valid(line));
                assert_int_equal(line.data[line.len - 1], '\n');
                bondy_buf_append_byte(&out, '\0');
                assert_true((strstr(out.data, "after") == NULL) ==
                            (strstr(out.data, "truncated") != NULL));
                if (form == BONDY_LOG_JSON) {
                    json_t *object = bondy_json_parse(line, 1, NULL);

                    assert_non_null(object);
                    json_decref(object);
                }
                bondy_buf_fini(&out);
                if (u > 0 && len < 8300)
                    len += 50;
                else if (len < 8300)
                    len += 6;
            }
        }
    }
}

static void level_and_format_names_of_the_configuration_are_known(void **state)
{
    enum bondy_log_level level;
    enum bondy_log_format form;
    struct bondy_error err;

    (void)state;
    assert_int_equal(bondy_log_level_parse("critical", &level, NULL), BONDY_OK);
    assert_int_equal(level, BONDY_LOG_ERROR);
    assert_int_equal(bondy_log_level_parse("notice", &level, NULL), BONDY_OK);
    assert_int_equal(level, BONDY_LOG_INFO);
    assert_int_equal(bondy_log_level_parse("loud", &level, &err), BONDY_EINVAL);
    assert_int_equal(bondy_log_format_parse("json", &form, NULL), BONDY_OK);
    assert_int_equal(form, BONDY_LOG_JSON);
    assert_int_equal(bondy_log_format_parse("xml", &form, &err), BONDY_EINVAL);
}

/* ---- rings ----------------------------------------------------------------------------------- */

static atomic_int wakes;

static void count_wake(void)
{
    atomic_fetch_add(&wakes, 1);
}

struct seen {
    uint64_t next[4];
    uint64_t count;
    struct bondy_buf last;
};

static void look(const struct bondy_log_record *record, void *context)
{
    struct seen *seen = context;

    if (record->count >= 2 && strcmp(record->fields[0].name, "writer") == 0) {
        uint64_t writer = record->fields[0].value.u64;
        uint64_t number = record->fields[1].value.u64;

        assert_true(writer < 4);
        assert_true(number >= seen->next[writer]); /* some may have been dropped */
        seen->next[writer] = number + 1;
    }
    seen->count++;
    bondy_buf_clear(&seen->last, 99999);
    bondy_log_format(BONDY_LOG_TEXT, record, &seen->last);
}

static void drain(struct seen *seen)
{
    while (bondy_log_drain(100, look, seen) > 0)
        continue;
}

static void records_come_out_of_the_ring_as_they_went_in(void **state)
{
    static const struct bondy_clock_source clock = {0, WHEN};
    struct seen seen = {.last = BONDY_BUF_EMPTY};
    char text[] = "gone when the ring is read";

    (void)state;
    bondy_clock_replace(&clock);
    bondy_log_attach(count_wake);
    bondy_log(BONDY_LOG_INFO, "mixed", BONDY_F_STR("s", text), BONDY_F_BOOL("b", true),
              BONDY_F_F64("f", -1.5), BONDY_F_STR("e", ""), BONDY_F_I64("i", -7));
    memset(text, 'x', sizeof text - 1);
    drain(&seen);
    assert_int_equal(seen.count, 1);
    assert_slice_is(bondy_buf_slice(&seen.last),
                    "10:15:03.120 INFO    mixed s=\"gone when the ring is read\" b=true f=-1.5 "
                    "e=\"\" i=-7\n");
    bondy_log(BONDY_LOG_DEBUG, "unheard", BONDY_F_U64("n", 1));
    drain(&seen);
    assert_int_equal(seen.count, 1);
    bondy_log_always(BONDY_LOG_DEBUG, "heard");
    drain(&seen);
    assert_int_equal(seen.count, 2);
    bondy_log_detach();
    bondy_clock_replace(NULL);
    bondy_buf_fini(&seen.last);
}

static void a_text_larger_than_a_line_is_cut_on_its_way_in(void **state)
{
    static char text[100000];
    struct seen seen = {.last = BONDY_BUF_EMPTY};

    (void)state;
    memset(text, 'y', sizeof text);
    bondy_log_attach(count_wake);
    bondy_log(BONDY_LOG_INFO, "large", BONDY_F_SLICE("s", bondy_slice_of(text, sizeof text)));
    drain(&seen);
    assert_true(seen.last.len <= BONDY_LOG_LINE_MAX);
    bondy_buf_append_byte(&seen.last, '\0');
    assert_non_null(strstr(seen.last.data, " truncated=true\n"));
    bondy_log_detach();
    bondy_buf_fini(&seen.last);
}

static void a_full_ring_drops_and_counts_and_goes_on(void **state)
{
    static char text[3000];
    struct seen seen = {.last = BONDY_BUF_EMPTY};
    uint64_t before = bondy_log_dropped();
    uint64_t written = 0;

    (void)state;
    memset(text, 'z', sizeof text);
    bondy_log_attach(count_wake);
    for (int round = 0; round < 20; round++) {
        for (uint64_t i = 0; i < 150; i++, written++)
            bondy_log(BONDY_LOG_INFO, "flood", BONDY_F_U64("writer", 0),
                      BONDY_F_U64("number", written),
                      BONDY_F_SLICE("s", bondy_slice_of(text, 1 + written * 37 % sizeof text)));
        bondy_log_drain(round % 3 == 0 ? 7 : 1000, look, &seen);
    }
    drain(&seen);
    assert_true(bondy_log_dropped() > before);
    assert_int_equal(seen.count + (bondy_log_dropped() - before), written);
    bondy_log_detach();
    bondy_buf_fini(&seen.last);
}

enum { WRITERS = 4, RECORDS = 20000 };

static void *write_many(void *context)
{
    char name[8];

    snprintf(name, sizeof name, "w%d", (int)(uintptr_t)context);
    bondy_log_name_thread(name);
    for (uint64_t i = 0; i < RECORDS; i++)
        bondy_log(BONDY_LOG_INFO, "many", BONDY_F_U64("writer", (uintptr_t)context),
                  BONDY_F_U64("number", i), BONDY_F_STR("text", name));
    return NULL;
}

static void many_threads_write_while_one_reads(void **state)
{
    struct seen seen = {.last = BONDY_BUF_EMPTY};
    uint64_t before = bondy_log_dropped();
    pthread_t threads[WRITERS];

    (void)state;
    bondy_log_attach(count_wake);
    atomic_store(&wakes, 0);
    for (uintptr_t i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, (void *)i), 0);
    while (seen.count + (bondy_log_dropped() - before) < WRITERS * RECORDS) {
        drain(&seen);
        bondy_log_may_sleep();
    }
    for (int i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    drain(&seen);
    assert_int_equal(seen.count + (bondy_log_dropped() - before), WRITERS * RECORDS);
    bondy_log_detach();
    bondy_buf_fini(&seen.last);
}

static void only_a_sleeping_reader_is_woken(void **state)
{
    struct seen seen = {.last = BONDY_BUF_EMPTY};

    (void)state;
    bondy_log_attach(count_wake);
    atomic_store(&wakes, 0);
    bondy_log(BONDY_LOG_INFO, "awake");
    assert_int_equal(atomic_load(&wakes), 0);
    assert_false(bondy_log_may_sleep());
    drain(&seen);
    assert_true(bondy_log_may_sleep());
    bondy_log(BONDY_LOG_INFO, "first");
    bondy_log(BONDY_LOG_INFO, "second");
    assert_int_equal(atomic_load(&wakes), 1);
    drain(&seen);
    bondy_log_detach();
    bondy_buf_fini(&seen.last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_looks_like_the_specification_s_example),
        cmocka_unit_test(fields_are_sorted_as_specified_and_others_keep_their_order),
        cmocka_unit_test(values_cannot_forge_lines_or_fields_or_reach_the_terminal),
        cmocka_unit_test(every_type_of_value_has_its_form),
        cmocka_unit_test(a_long_line_is_cut_and_says_so),
        cmocka_unit_test(level_and_format_names_of_the_configuration_are_known),
        cmocka_unit_test(records_come_out_of_the_ring_as_they_went_in),
        cmocka_unit_test(a_text_larger_than_a_line_is_cut_on_its_way_in),
        cmocka_unit_test(a_full_ring_drops_and_counts_and_goes_on),
        cmocka_unit_test(many_threads_write_while_one_reads),
        cmocka_unit_test(only_a_sleeping_reader_is_woken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
