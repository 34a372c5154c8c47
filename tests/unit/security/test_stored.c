/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/security/fixture.h"

#include <string.h>

#include "src/security/entity/stored.h"

static void an_element_is_read_as_it_was_written(void **state)
{
    static const struct bondy_element elements[] = {
        {{"mona", 4}, 0, 'g', {"staff", 5}},      {{"mona", 4}, 1, 'e', {"", 0}},
        {{"m", 1}, 0x01020304, 'k', {"a\0b", 3}}, {{"m", 1}, 0xffffffff, 'a', {"x", 1}},
        {{"m", 1}, 0x00610000, 'a', {"x", 1}},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(elements); i++) {
        struct bondy_buf subkey = BONDY_BUF_EMPTY, prefix = BONDY_BUF_EMPTY;
        struct bondy_element out;

        bondy_element_format(&elements[i], &subkey);
        bondy_element_prefix(elements[i].name, elements[i].gen, &prefix);
        assert_true(bondy_slice_starts(bondy_buf_slice(&subkey), bondy_buf_slice(&prefix)));
        assert_true(bondy_element_parse(bondy_buf_slice(&subkey), &out));
        assert_true(bondy_slice_eq(out.name, elements[i].name));
        assert_int_equal(out.gen, elements[i].gen);
        assert_int_equal(out.kind, elements[i].kind);
        assert_true(bondy_slice_eq(out.value, elements[i].value));
        /* Cut anywhere before the value it is none. */
        for (size_t len = 0; len < prefix.len + 2; len++)
            assert_false(bondy_element_parse(bondy_slice_of(subkey.data, len), &out));
        bondy_buf_fini(&subkey);
        bondy_buf_fini(&prefix);
    }
}

static void an_index_entry_is_no_element(void **state)
{
    struct bondy_element out;

    (void)state;
    assert_false(bondy_element_parse(BONDY_SLICE("\0abcdefgh\0mona"), &out));
}

static void a_set_is_sorted_and_has_each_text_once(void **state)
{
    json_t *list = json_pack("[s, s, s, s]", "b", "a", "b", "ab");
    json_t *sorted = bondy_stored_sorted(list);

    (void)state;
    assert_text(fixture_text(sorted), "[\"a\",\"ab\",\"b\"]");
    assert_true(bondy_stored_list_has(sorted, BONDY_SLICE("ab")));
    assert_false(bondy_stored_list_has(sorted, BONDY_SLICE("abc")));
    json_decref(list);
    json_decref(sorted);
}

/* Subkeys over 480 octets are stored under a hash (cluster.md B2.3). */
static void names_of_any_length_are_found_and_taken_away_again(void **state)
{
    struct fixture *f = *state;
    char name[255], group[255], input[1200];
    struct bondy_user user;
    json_t *groups;

    memset(name, 'n', sizeof name);
    memset(group, 'g', sizeof group);
    name[254] = group[254] = '\0';
    snprintf(input, sizeof input,
             "{\"uri\":\"org.a\",\"groups\":[{\"name\":\"%s\"}],"
             "\"users\":[{\"username\":\"%s\",\"groups\":[\"%s\"]}]}",
             group, name, group);
    assert_string_equal(fixture_do(f, CREATE_REALM, NULL, NULL, input), "");
    snprintf(input, sizeof input, "{\"roles\":[\"%s\"],\"permissions\":[\"p\"],\"uri\":\"%0600d\"}",
             name, 0);
    assert_string_equal(fixture_do(f, GRANT, "org.a", NULL, input), "");
    assert_true(
        bondy_user_find(fixture_view(f), fixture_realm(f, "org.a"), bondy_slice_text(name), &user));
    assert_true(bondy_stored_list_has(user.groups, bondy_slice_text(group)));
    bondy_user_fini(&user);
    groups = json_pack("[s]", group);
    {
        char *text = json_dumps(groups, 0);

        assert_string_equal(fixture_do(f, REMOVE_USER_GROUPS, "org.a", name, text), "");
        assert_int_equal(f->writes, 1);
        free(text);
    }
    json_decref(groups);
    assert_string_equal(fixture_do(f, DELETE_USER, "org.a", name, NULL), "");
    assert_text(fixture_grants(f, "org.a"), "[]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_element_is_read_as_it_was_written),
        TEST(an_index_entry_is_no_element),
        TEST(a_set_is_sorted_and_has_each_text_once),
        TEST(names_of_any_length_are_found_and_taken_away_again),
    };

    return fixture_run(tests, BONDY_COUNT(tests));
}
