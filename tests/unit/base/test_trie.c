/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "src/base/alloc.h"
#include "src/base/trie.h"

#define KEYS 300
#define ROUNDS 4000
#define SEEN_MAX 400

/* The same numbers in every run. */
static uint32_t dice;

static unsigned roll(unsigned sides)
{
    dice = dice * 1664525 + 1013904223;
    return (dice >> 8) % sides;
}

struct seen {
    void *values[SEEN_MAX];
    size_t count;
    size_t most; /* stop behind so many */
};

static bool see(void *context, void *value)
{
    struct seen *seen = context;

    assert_true(seen->count < SEEN_MAX);
    seen->values[seen->count++] = value;
    return seen->most == 0 || seen->count < seen->most;
}

static bool has_seen(const struct seen *seen, const void *value)
{
    for (size_t i = 0; i < seen->count; i++) {
        if (seen->values[i] == value)
            return true;
    }
    return false;
}

static bondy_trie_root add(bondy_trie_root root, const char *key)
{
    struct bondy_trie_node *replaced = NULL;
    bondy_trie_root next =
        bondy_trie_add(root, bondy_slice_text(key), (void *)(uintptr_t)key, &replaced);

    bondy_trie_free_replaced(replaced);
    return next;
}

static bondy_trie_root take(bondy_trie_root root, const char *key)
{
    struct bondy_trie_node *replaced = NULL;
    bondy_trie_root next = bondy_trie_remove(root, bondy_slice_text(key), &replaced);

    bondy_trie_free_replaced(replaced);
    return next;
}

static const char *best(bondy_trie_root root, const char *uri)
{
    struct seen seen = {.most = 1};

    bondy_trie_wildcards(root, bondy_slice_text(uri), see, &seen);
    return seen.count == 0 ? "" : seen.values[0];
}

static void an_empty_tree_holds_nothing(void **state)
{
    struct seen seen = {.count = 0};

    (void)state;
    assert_null(bondy_trie_find(NULL, BONDY_SLICE("a")));
    assert_null(bondy_trie_longest(NULL, BONDY_SLICE("a")));
    bondy_trie_prefixes(NULL, BONDY_SLICE("a"), see, &seen);
    bondy_trie_wildcards(NULL, BONDY_SLICE("a"), see, &seen);
    assert_int_equal(seen.count, 0);
    bondy_trie_destroy(NULL);
}

static void prefixes_are_found_by_bytes_and_the_longest_last(void **state)
{
    bondy_trie_root root = NULL;
    struct seen seen = {.count = 0};

    (void)state;
    root = add(root, "com.ex");
    root = add(root, "com.example.");
    root = add(root, "com.example.a");
    root = add(root, "c");
    root = add(root, "org");
    bondy_trie_prefixes(root, BONDY_SLICE("com.example.b"), see, &seen);
    assert_int_equal(seen.count, 3);
    assert_string_equal(seen.values[0], "c");
    assert_string_equal(seen.values[1], "com.ex");
    assert_string_equal(seen.values[2], "com.example.");
    assert_string_equal(bondy_trie_longest(root, BONDY_SLICE("com.example.abc")), "com.example.a");
    assert_string_equal(bondy_trie_longest(root, BONDY_SLICE("cd")), "c");
    assert_null(bondy_trie_longest(root, BONDY_SLICE("or")));
    root = take(root, "com.example.");
    assert_string_equal(bondy_trie_longest(root, BONDY_SLICE("com.example.b")), "com.ex");
    bondy_trie_destroy(root);
}

/* RPC-PAT-2: a literal component wins over a wildcard where two patterns part. */
static void wildcards_are_found_by_components_best_first(void **state)
{
    bondy_trie_root root = NULL;

    (void)state;
    root = add(root, "a1.b2.#.d4.e5");
    root = add(root, "a1.b2.c33.#.e5");
    root = add(root, "#.b2.c33.d4.e5");
    root = add(root, "a.#");
    root = add(root, "#");
    assert_string_equal(best(root, "a1.b2.c33.d4.e5"), "a1.b2.c33.#.e5");
    assert_string_equal(best(root, "a1.b2.c34.d4.e5"), "a1.b2.#.d4.e5");
    assert_string_equal(best(root, "x.b2.c33.d4.e5"), "#.b2.c33.d4.e5");
    assert_string_equal(best(root, "x"), "#");
    assert_string_equal(best(root, "a.b"), "a.#");
    assert_string_equal(best(root, "a."), "");
    assert_string_equal(best(root, "a"), "#");
    assert_string_equal(best(root, "a.b.c"), "");
    assert_string_equal(best(root, ".b"), "");
    bondy_trie_destroy(root);
}

static void a_wildcard_mark_in_a_name_is_no_wildcard(void **state)
{
    bondy_trie_root root = add(NULL, "a.#");

    (void)state;
    assert_string_equal(best(root, "a.#"), "a.#"); /* as any other component */
    root = add(root, "b#.c");
    assert_string_equal(best(root, "b#.c"), "");
    bondy_trie_destroy(root);
}

static void everything_is_visited_sorted_by_key(void **state)
{
    static const char *const sorted[] = {"a", "ab", "abc.#", "abd", "b"};
    struct seen seen = {.most = 0};
    bondy_trie_root root = NULL;

    (void)state;
    bondy_trie_each(NULL, see, &seen);
    assert_int_equal(seen.count, 0);
    root = add(root, "abd");
    root = add(root, "b");
    root = add(root, "ab");
    root = add(root, "abc.#");
    root = add(root, "a");
    bondy_trie_each(root, see, &seen);
    assert_int_equal(seen.count, BONDY_COUNT(sorted));
    for (size_t i = 0; i < seen.count; i++)
        assert_string_equal(seen.values[i], sorted[i]);
    seen = (struct seen){.most = 3};
    bondy_trie_each(root, see, &seen);
    assert_int_equal(seen.count, 3);
    bondy_trie_destroy(root);
}

static void empty_components_are_marked_in_the_key_of_a_wildcard(void **state)
{
    static const struct {
        const char *pattern, *key;
    } cases[] = {{"a.b", "a.b"},  {"a..b", "a.#.b"}, {".a", "#.a"}, {"a.", "a.#"},
                 {"..", "#.#.#"}, {"", "#"},         {"a", "a"}};
    struct bondy_buf key = BONDY_BUF_EMPTY;

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        assert_slice_is(bondy_trie_wildcard_key(bondy_slice_text(cases[i].pattern), &key),
                        cases[i].key);
        bondy_buf_fini(&key);
    }
}

/* Asked with the key of a wildcard: what leaves open at least what it leaves open. */
static void an_open_component_is_matched_by_open_ones_only(void **state)
{
    bondy_trie_root root = NULL;

    (void)state;
    root = add(root, "a.#.c");
    root = add(root, "b.b.#");
    assert_string_equal(best(root, "a.#.c"), "a.#.c");
    assert_string_equal(best(root, "a.#.#"), "");
    assert_string_equal(best(root, "#.b.c"), "");
    assert_string_equal(best(root, "b.#.c"), "");
    assert_string_equal(best(root, "b.b.#"), "b.b.#");
    bondy_trie_destroy(root);
}

/* ---- against the plain definition -------------------------------------------------------- */

static void make_key(char *out, size_t size, bool is_pattern)
{
    unsigned components = 1 + roll(4);
    size_t at = 0;

    for (unsigned i = 0; i < components; i++) {
        unsigned letters = 1 + roll(3);

        if (i > 0)
            at += (size_t)snprintf(out + at, size - at, ".");
        if (is_pattern && roll(3) == 0) {
            at += (size_t)snprintf(out + at, size - at, "#");
            continue;
        }
        for (unsigned j = 0; j < letters; j++)
            at += (size_t)snprintf(out + at, size - at, "%c", 'a' + (int)roll(2));
    }
}

static bool component_fits(const char **uri, const char **pattern)
{
    size_t uri_len = strcspn(*uri, ".");
    size_t pattern_len = strcspn(*pattern, ".");
    bool fits = (pattern_len == 1 && **pattern == '#') ||
                (uri_len == pattern_len && memcmp(*uri, *pattern, uri_len) == 0);

    *uri += uri_len;
    *pattern += pattern_len;
    return fits;
}

static bool wildcard_fits(const char *uri, const char *pattern)
{
    for (;;) {
        if (!component_fits(&uri, &pattern))
            return false;
        if (*uri == '\0' || *pattern == '\0')
            return *uri == *pattern;
        uri++;
        pattern++;
    }
}

struct keys {
    char texts[KEYS][32];
    bool is_in[KEYS];
};

static void *value_of(size_t key)
{
    return (void *)(uintptr_t)(key + 1);
}

static void compare(bondy_trie_root root, const struct keys *keys, const char *uri, bool wildcards)
{
    struct seen seen = {.count = 0};
    size_t expected = 0;

    if (wildcards)
        bondy_trie_wildcards(root, bondy_slice_text(uri), see, &seen);
    else
        bondy_trie_prefixes(root, bondy_slice_text(uri), see, &seen);
    for (size_t i = 0; i < KEYS; i++) {
        bool fits = wildcards ? wildcard_fits(uri, keys->texts[i])
                              : strncmp(uri, keys->texts[i], strlen(keys->texts[i])) == 0;

        if (!keys->is_in[i])
            continue;
        assert_ptr_equal(bondy_trie_find(root, bondy_slice_text(keys->texts[i])), value_of(i));
        if (has_seen(&seen, value_of(i)) != fits)
            print_error("\"%s\" and pattern \"%s\"\n", uri, keys->texts[i]);
        assert_int_equal(has_seen(&seen, value_of(i)), fits);
        expected += fits;
    }
    assert_int_equal(seen.count, expected);
}

static bool is_double(const struct keys *keys, size_t at)
{
    for (size_t i = 0; i < KEYS; i++) {
        if (i != at && keys->is_in[i] && strcmp(keys->texts[i], keys->texts[at]) == 0)
            return true;
    }
    return false;
}

/* Readers of an old version go on as if nothing had happened. */
struct version {
    bondy_trie_root root;
    struct keys keys;
    struct bondy_trie_node *replaced;
};

static void check_version(struct version *version, bool wildcards)
{
    char uri[32];

    if (version == NULL)
        return;
    make_key(uri, sizeof uri, false);
    compare(version->root, &version->keys, uri, wildcards);
    bondy_trie_free_replaced(version->replaced);
    bondy_free(version);
}

static void play(bool wildcards)
{
    struct keys *keys = bondy_zalloc(sizeof *keys);
    struct version *old = NULL;
    bondy_trie_root root = NULL;
    char uri[32];

    dice = 7;
    for (size_t i = 0; i < KEYS; i++)
        make_key(keys->texts[i], sizeof keys->texts[i], wildcards);
    for (int round = 0; round < ROUNDS; round++) {
        size_t i = roll(KEYS);
        struct version *before = bondy_zalloc(sizeof *before);

        *before = (struct version){root, *keys, NULL};
        if (keys->is_in[i]) {
            root = bondy_trie_remove(root, bondy_slice_text(keys->texts[i]), &before->replaced);
            keys->is_in[i] = false;
        } else if (!is_double(keys, i)) {
            root = bondy_trie_add(root, bondy_slice_text(keys->texts[i]), value_of(i),
                                  &before->replaced);
            keys->is_in[i] = true;
        }
        make_key(uri, sizeof uri, false);
        compare(root, keys, uri, wildcards);
        check_version(old, wildcards);
        old = before;
    }
    check_version(old, wildcards);
    for (size_t i = 0; i < KEYS; i++) {
        if (keys->is_in[i])
            root = take(root, keys->texts[i]);
    }
    assert_null(root);
    bondy_free(keys);
}

static void prefixes_are_those_of_the_plain_definition(void **state)
{
    (void)state;
    play(false);
}

static void wildcards_are_those_of_the_plain_definition(void **state)
{
    (void)state;
    play(true);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_tree_holds_nothing),
        cmocka_unit_test(prefixes_are_found_by_bytes_and_the_longest_last),
        cmocka_unit_test(wildcards_are_found_by_components_best_first),
        cmocka_unit_test(a_wildcard_mark_in_a_name_is_no_wildcard),
        cmocka_unit_test(everything_is_visited_sorted_by_key),
        cmocka_unit_test(empty_components_are_marked_in_the_key_of_a_wildcard),
        cmocka_unit_test(an_open_component_is_matched_by_open_ones_only),
        cmocka_unit_test(prefixes_are_those_of_the_plain_definition),
        cmocka_unit_test(wildcards_are_those_of_the_plain_definition),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
