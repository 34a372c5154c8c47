/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <string.h>

#include "src/base/id.h"
#include "src/base/json.h"
#include "src/security/credential/cra.h"

/* realms-and-security.md 3.5 */
#define SALT "AAECAwQFBgcICQoLDA0ODw=="
#define KEY "y/BvFWWlc3e2LKCTyN6/XwYIKEw6baPby2ScakYe4+k="
#define SIGNATURE "Hd0P8KJ5vEoAbu0iPNUAczJhPhEwDWp53HkwkMWs1wc="
#define CHALLENGE                                                                                  \
    "{\"authid\":\"alice\",\"authmethod\":\"wampcra\",\"authprovider\":"                           \
    "\"com.leapsight.bondy.rbac\",\"authrole\":null,\"nonce\":\"AAECAwQFBgcICQoLDA0ODw==\","       \
    "\"session\":3545138187643908,\"timestamp\":\"2026-01-02T03:04:05.000006Z\"}"

static const struct bondy_cra_challenge alice = {
    .authid = {"alice", 5},
    .session = 3545138187643908,
    .nonce = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    .wall_us = UINT64_C(1767323045000006),
};

static void the_challenge_is_that_of_the_vector(void **state)
{
    struct bondy_cra_challenge other = alice;
    struct bondy_buf text = BONDY_BUF_EMPTY;

    (void)state;
    bondy_cra_challenge(&alice, &text);
    assert_slice_is(bondy_buf_slice(&text), CHALLENGE);
    bondy_buf_clear(&text, 4096);
    other.authrole = BONDY_SLICE("a \"role\"");
    bondy_cra_challenge(&other, &text);
    bondy_buf_append_byte(&text, 0);
    assert_non_null(strstr(text.data, "\"authrole\":\"a \\\"role\\\"\""));
    bondy_buf_fini(&text);
}

static void the_extra_says_how_the_key_is_derived(void **state)
{
    struct bondy_password_cra verifier = {.iterations = 10000, .salt = SALT, .key = KEY};
    json_t *extra = bondy_cra_extra(BONDY_SLICE(CHALLENGE), &verifier);

    (void)state;
    assert_slice_is(bondy_json_text(extra, "challenge"), CHALLENGE);
    assert_slice_is(bondy_json_text(extra, "salt"), SALT);
    assert_int_equal(json_integer_value(json_object_get(extra, "keylen")), 32);
    assert_int_equal(json_integer_value(json_object_get(extra, "iterations")), 10000);
    assert_int_equal(json_object_size(extra), 4);
    json_decref(extra);
}

/* AUTH-CRA-2 */
static void the_signature_of_the_vector_is_taken_and_no_other(void **state)
{
    struct bondy_password_cra verifier = {.iterations = 10000, .salt = SALT, .key = KEY};
    struct bondy_slice challenge = BONDY_SLICE(CHALLENGE);
    char signature[] = SIGNATURE;
    char text[] = CHALLENGE;

    (void)state;
    assert_true(bondy_cra_verify(&verifier, challenge, BONDY_SLICE(SIGNATURE)));
    for (size_t bit = 0; bit < 8 * strlen(signature); bit++) {
        signature[bit / 8] ^= (char)(1 << bit % 8);
        assert_false(bondy_cra_verify(&verifier, challenge, bondy_slice_of(signature, 44)));
        signature[bit / 8] ^= (char)(1 << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * strlen(text); bit++) {
        text[bit / 8] ^= (char)(1 << bit % 8);
        assert_false(bondy_cra_verify(&verifier, bondy_slice_of(text, challenge.len),
                                      BONDY_SLICE(SIGNATURE)));
        text[bit / 8] ^= (char)(1 << bit % 8);
    }
    for (size_t len = 0; len < strlen(signature); len++)
        assert_false(bondy_cra_verify(&verifier, challenge, bondy_slice_of(signature, len)));
    assert_false(bondy_cra_verify(&verifier, challenge, BONDY_SLICE(SIGNATURE "\n")));
    assert_false(bondy_cra_verify(&verifier, challenge, BONDY_SLICE_EMPTY));
}

static void the_key_of_the_vector_is_derived_from_the_password(void **state)
{
    struct bondy_kdf_cost cost = {BONDY_KDF_PBKDF2, 10000, 0};
    uint8_t key[BONDY_KDF_LEN];
    char text[BONDY_KDF_TEXT];

    (void)state;
    assert_int_equal(
        bondy_kdf_wait(&cost, BONDY_SLICE("kettle-46-rope"), BONDY_SLICE(SALT), key, NULL),
        BONDY_OK);
    bondy_secret_base64(bondy_slice_of(key, sizeof key), text, sizeof text);
    assert_string_equal(text, KEY);
}

static void a_name_that_is_nobodys_has_the_same_salt_each_time(void **state)
{
    struct bondy_slice secret = BONDY_SLICE("0123456789abcdef0123456789abcdef");
    struct bondy_password_cra first, again, other;
    char signature[BONDY_KDF_TEXT];

    (void)state;
    bondy_cra_fake(secret, BONDY_SLICE("org.acme"), BONDY_SLICE("nobody"), 65536, &first);
    bondy_cra_fake(secret, BONDY_SLICE("org.acme"), BONDY_SLICE("nobody"), 65536, &again);
    assert_memory_equal(&first, &again, sizeof first);
    assert_int_equal(first.iterations, 65536);
    assert_int_equal(strlen(first.salt), strlen(SALT));
    bondy_cra_fake(secret, BONDY_SLICE("org.acme"), BONDY_SLICE("noone"), 65536, &other);
    assert_string_not_equal(first.salt, other.salt);
    bondy_cra_fake(secret, BONDY_SLICE("org.acm"), BONDY_SLICE("enobody"), 65536, &other);
    assert_string_not_equal(first.salt, other.salt);
    bondy_cra_fake(BONDY_SLICE("another"), BONDY_SLICE("org.acme"), BONDY_SLICE("nobody"), 65536,
                   &other);
    assert_string_not_equal(first.salt, other.salt);
    /* And nobody gets in as nobody, not even with the right signature. */
    bondy_cra_sign(bondy_slice_text(first.key), BONDY_SLICE("x"), signature);
    assert_false(bondy_cra_verify(&first, BONDY_SLICE("x"), bondy_slice_text(signature)));
    first.is_fake = false;
    assert_true(bondy_cra_verify(&first, BONDY_SLICE("x"), bondy_slice_text(signature)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_challenge_is_that_of_the_vector),
        cmocka_unit_test(the_extra_says_how_the_key_is_derived),
        cmocka_unit_test(the_signature_of_the_vector_is_taken_and_no_other),
        cmocka_unit_test(the_key_of_the_vector_is_derived_from_the_password),
        cmocka_unit_test(a_name_that_is_nobodys_has_the_same_salt_each_time),
    };

    assert_int_equal(bondy_id_start(NULL), BONDY_OK);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
