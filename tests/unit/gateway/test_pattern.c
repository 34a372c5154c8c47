/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/spec/pattern.h"
#include "src/base/alloc.h"
#include "src/base/buf.h"

static void append_segments(struct bondy_buf *out, const struct bondy_variant *variant)
{
    for (size_t i = 0; i < variant->count; i++) {
        const struct bondy_segment *segment = &variant->segments[i];

        if (i > 0)
            bondy_buf_append_byte(out, '|');
        if (segment->kind == BONDY_SEGMENT_NAMED)
            bondy_buf_append_byte(out, ':');
        if (segment->kind == BONDY_SEGMENT_ANY)
            bondy_buf_append_text(out, "?");
        if (segment->kind == BONDY_SEGMENT_REST)
            bondy_buf_append_text(out, "...");
        bondy_buf_append_slice(out, segment->text);
    }
}

/* "a|:b ; a": the readings of a pattern, or "!" and why there are none. */
static char *describe(const char *text, bool is_host)
{
    struct bondy_pattern *pattern = NULL;
    struct bondy_error err = {0, ""};
    struct bondy_buf out = BONDY_BUF_EMPTY;
    int rc = (is_host ? bondy_pattern_parse_host : bondy_pattern_parse_path)(bondy_slice_text(text),
                                                                             &pattern, &err);

    if (rc < 0) {
        bondy_buf_append_text(&out, "!");
        assert_true(err.text[0] != 0);
        return bondy_buf_take_text(&out);
    }
    for (size_t i = 0; i < pattern->variant_count; i++) {
        if (i > 0)
            bondy_buf_append_text(&out, " ; ");
        append_segments(&out, &pattern->variants[i]);
    }
    bondy_pattern_destroy(pattern);
    return bondy_buf_take_text(&out);
}

struct row {
    const char *text;
    const char *readings;
};

static void check_rows(const struct row *rows, bool is_host)
{
    for (; rows->text != NULL; rows++) {
        char *got = describe(rows->text, is_host);

        if (strcmp(got, rows->readings) != 0)
            print_error("%s\n", rows->text);
        assert_string_equal(got, rows->readings);
        bondy_free(got);
    }
}

/* 1.4 */
static void paths_are_read_in_all_their_ways(void **state)
{
    static const struct row ROWS[] = {{"/literal", "literal"},
                                      {"/a/:name/b", "a|:name|b"},
                                      {"/a/[b/[:c]]", "a ; a|b ; a|b|:c"},
                                      {"/[v1.0]", " ; v1.0"},
                                      {"/[v1]/gauges", "gauges ; v1|gauges"},
                                      {"/tiles/[...]", "tiles|..."},
                                      {"/a/:_/b", "a|?|b"},
                                      {"/:x/:x", ":x|:x"},
                                      {"//x//y/", "x|y"},
                                      {"/a[b]c", "ac ; abc"},
                                      {"/a/[b/[...]]", "a ; a|b|..."},
                                      {"", "!"},
                                      {"a", "!"},
                                      {"/a/[b", "!"},
                                      {"/a/b]", "!"},
                                      {"/[...]/a", "!"},
                                      {"/a[...]", "!"},
                                      {"/:", "!"},
                                      {"/:1a", "!"},
                                      {"/:a-b", "!"},
                                      {"/{id}", "!"},
                                      {"/a/*", "!"},
                                      {"/a?b", "!"},
                                      {"/a b", "!"},
                                      {"/a/../b", "!"},
                                      {"/[a]/[b]/[c]/[d]/[e]/[f]/[g]", "!"},
                                      {NULL, NULL}};

    (void)state;
    check_rows(ROWS, false);
}

static void hosts_are_read_from_the_right(void **state)
{
    static const struct row ROWS[] = {{"www.example.org", "org|example|www"},
                                      {"[www.]Example.org", "org|example ; org|example|www"},
                                      {":Tenant.example.org", "org|example|:Tenant"},
                                      {"example.:_", "?|example"},
                                      {"[...]example.org", "org|example|..."},
                                      {"[...].example.org", "org|example|..."},
                                      {"_", "..."},
                                      {".example.org.", "org|example"},
                                      {"", "!"},
                                      {"http://example.org", "!"},
                                      {"example.org:8080", "!"},
                                      {"example.[...]", "!"},
                                      {NULL, NULL}};

    (void)state;
    check_rows(ROWS, true);
}

static void reserved_paths_are_found_in_every_reading(void **state)
{
    static const struct {
        const char *text;
        bool is_reserved;
    } ROWS[] = {{"/ws", true},     {"/ws/", true},  {"/[v1]/ws", true},       {"/v1/ws", false},
                {"/ws/x", false},  {"/wamp", true}, {"/wamp/sse/open", true}, {"/[x/]wamp/y", true},
                {"/wampx", false}, {"/:x", false},  {"/[...]", false}};

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(ROWS); i++) {
        struct bondy_pattern *pattern = NULL;

        assert_int_equal(bondy_pattern_parse_path(bondy_slice_text(ROWS[i].text), &pattern, NULL),
                         BONDY_OK);
        assert_int_equal(bondy_pattern_is_reserved(pattern), ROWS[i].is_reserved);
        bondy_pattern_destroy(pattern);
    }
}

/* threat-model H5: the vectors. "!" is an answer of 400. */
static void paths_are_split_decoded_once_and_normalised(void **state)
{
    static const struct row ROWS[] = {{"/", ""},
                                      {"/a/b", "a|b"},
                                      {"//a///b/", "a|b"},
                                      {"/a%20b", "a b"},
                                      {"/a%2Fb", "a/b"},
                                      {"/caf%C3%A9", "caf\xc3\xa9"},
                                      {"/a/./b", "a|b"},
                                      {"/a/../b", "b"},
                                      {"/../../etc/passwd", "etc|passwd"},
                                      {"/a/%2e%2e/b", "b"},
                                      {"/a/%2E%2E/b", "b"},
                                      {"/a/.%2e/b", "b"},
                                      {"/a/%2e/b", "a|b"},
                                      {"/..%2fetc", "!"},
                                      {"/a/..%2F..%2Fetc", "!"},
                                      {"/%2e%2e%2fetc", "!"},
                                      {"/a%2f..%2fb", "!"},
                                      {"/..%5cetc", "!"},
                                      {"/%2e%2e%5cetc", "!"},
                                      {"/a%5cb", "a\\b"},
                                      {"/a%00b", "!"},
                                      {"/%252e%252e/a", "%2e%2e|a"},
                                      {"/a%252fb", "a%2fb"},
                                      {"/%c0%ae%c0%ae/a", "!"},
                                      {"/%c0%af", "!"},
                                      {"/%ff", "!"},
                                      {"/%ed%a0%80", "!"},
                                      {"/a%", "!"},
                                      {"/a%2", "!"},
                                      {"/a%zz", "!"},
                                      {"/%u0041", "!"},
                                      {"a/b", "!"},
                                      {"", "!"},
                                      {"*", "!"},
                                      {"http://x/a", "!"},
                                      {NULL, NULL}};

    (void)state;
    for (const struct row *row = ROWS; row->text != NULL; row++) {
        struct bondy_path_parts parts;
        struct bondy_buf got = BONDY_BUF_EMPTY;
        char scratch[64];
        char *text;

        if (bondy_path_split(bondy_slice_text(row->text), scratch, &parts, NULL) < 0)
            bondy_buf_append_text(&got, "!");
        else
            for (size_t i = 0; i < parts.count; i++) {
                if (i > 0)
                    bondy_buf_append_byte(&got, '|');
                bondy_buf_append_slice(&got, parts.segments[i]);
            }
        text = bondy_buf_take_text(&got);
        if (strcmp(text, row->readings) != 0)
            print_error("%s\n", row->text);
        assert_string_equal(text, row->readings);
        bondy_free(text);
    }
}

static void a_path_with_too_many_segments_is_over_the_limit(void **state)
{
    struct bondy_path_parts parts;
    char path[2 * (BONDY_PATH_MAX_SEGMENTS + 1) + 1];
    char scratch[sizeof path];

    (void)state;
    for (size_t i = 0; i < sizeof path - 1; i++)
        path[i] = i % 2 == 0 ? '/' : 'a';
    path[sizeof path - 1] = 0;
    assert_int_equal(
        bondy_path_split((struct bondy_slice){path, sizeof path - 1}, scratch, &parts, NULL),
        BONDY_ELIMIT);
    assert_int_equal(
        bondy_path_split((struct bondy_slice){path, sizeof path - 3}, scratch, &parts, NULL),
        BONDY_OK);
    assert_int_equal(parts.count, BONDY_PATH_MAX_SEGMENTS);
}

static void a_received_host_is_lower_case_and_read_from_the_right(void **state)
{
    struct bondy_path_parts parts;
    char scratch[64];

    (void)state;
    assert_int_equal(bondy_host_split(BONDY_SLICE("WWW.Example.org."), scratch, &parts, NULL),
                     BONDY_OK);
    assert_int_equal(parts.count, 3);
    assert_slice_is(parts.segments[0], "org");
    assert_slice_is(parts.segments[2], "www");
    assert_int_equal(bondy_host_split(BONDY_SLICE("[::1]"), scratch, &parts, NULL), BONDY_OK);
    assert_int_equal(parts.count, 1);
    assert_int_equal(bondy_host_split(BONDY_SLICE_EMPTY, scratch, &parts, NULL), BONDY_OK);
    assert_int_equal(parts.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_read_in_all_their_ways),
        cmocka_unit_test(hosts_are_read_from_the_right),
        cmocka_unit_test(reserved_paths_are_found_in_every_reading),
        cmocka_unit_test(paths_are_split_decoded_once_and_normalised),
        cmocka_unit_test(a_path_with_too_many_segments_is_over_the_limit),
        cmocka_unit_test(a_received_host_is_lower_case_and_read_from_the_right),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
