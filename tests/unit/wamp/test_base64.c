/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/wamp/samples.h"

#include "src/wamp/base64.h"

/* RFC 4648, section 10. */
static void the_rfcs_vectors_hold(void **state)
{
    static const char *const rows[][2] = {{"", ""},
                                          {"f", "Zg=="},
                                          {"fo", "Zm8="},
                                          {"foo", "Zm9v"},
                                          {"foob", "Zm9vYg=="},
                                          {"fooba", "Zm9vYmE="},
                                          {"foobar", "Zm9vYmFy"}};
    char out[16];

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(rows); i++) {
        size_t len = bondy_base64_len(strlen(rows[i][0]));

        bondy_base64_encode(bondy_slice_text(rows[i][0]), out);
        assert_slice_is(bondy_slice_of(out, len), rows[i][1]);
        assert_true(bondy_base64_is_valid(bondy_slice_of(out, len)));
        len = bondy_base64_decode(bondy_slice_of(out, len), out); /* in place */
        assert_slice_is(bondy_slice_of(out, len), rows[i][0]);
    }
}

static void other_texts_are_not_base64(void **state)
{
    static const char *const rows[] = {"Z",
                                       "Zg",
                                       "Zg=",
                                       "=",
                                       "====",
                                       "Z===",
                                       "Zg==Zg==",
                                       "Zh==",
                                       "Zm9=",
                                       "Zm9v\n",
                                       " Zm9v",
                                       "Zm-v",
                                       "Zm_v",
                                       "Zg=a",
                                       "Zm9v=",
                                       "\xC3\xA9"
                                       "ab"};

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(rows); i++)
        if (bondy_base64_is_valid(bondy_slice_text(rows[i])))
            fail_msg("%s", rows[i]);
}

static void random_bytes_read_back(void **state)
{
    uint64_t seed = 3;
    char bytes[256];
    char text[400];
    char read[300];

    (void)state;
    for (size_t len = 0; len < sizeof bytes; len++) {
        for (size_t i = 0; i < len; i++)
            bytes[i] = (char)next_random(&seed);
        bondy_base64_encode(bondy_slice_of(bytes, len), text);
        assert_true(bondy_base64_is_valid(bondy_slice_of(text, bondy_base64_len(len))));
        assert_int_equal(bondy_base64_decode(bondy_slice_of(text, bondy_base64_len(len)), read),
                         len);
        assert_memory_equal(read, bytes, len);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rfcs_vectors_hold),
        cmocka_unit_test(other_texts_are_not_base64),
        cmocka_unit_test(random_bytes_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
