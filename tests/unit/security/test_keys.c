/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <string.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/base/json.h"
#include "src/security/credential/keys.h"

static struct bondy_key *parse(const char *pem, enum bondy_key_kind kind, const char *kid)
{
    struct bondy_key *key;
    struct bondy_error err;

    if (bondy_key_parse(bondy_slice_text(pem), kind, bondy_slice_text(kid), &key, &err) < 0)
        fail_msg("%s", err.text);
    return key;
}

static void made_keys_are_what_they_should_be(void **state)
{
    static const struct {
        enum bondy_key_kind kind, other;
        const char *kty, *alg, *use, *member;
        size_t member_len;
    } cases[] = {
        {BONDY_KEY_EC_P256, BONDY_KEY_RSA_2048, "EC", "ES256", "sig", "y", 43},
        {BONDY_KEY_RSA_2048, BONDY_KEY_EC_P256, "RSA", "RSA-OAEP-256", "enc", "n", 342},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_key *key, *public, *other;
        char thumbprint[44];
        char *pem;

        assert_int_equal(bondy_key_generate_wait(cases[i].kind, &pem, NULL), BONDY_OK);
        key = parse(pem, cases[i].kind, NULL);
        assert_string_equal(key->pem, pem);
        assert_slice_is(bondy_json_text(key->jwk, "kty"), cases[i].kty);
        assert_slice_is(bondy_json_text(key->jwk, "alg"), cases[i].alg);
        assert_slice_is(bondy_json_text(key->jwk, "use"), cases[i].use);
        assert_slice_is(bondy_json_text(key->jwk, "kid"), key->kid);
        assert_int_equal(bondy_json_text(key->jwk, cases[i].member).len, cases[i].member_len);
        assert_null(json_object_get(key->jwk, "d"));
        assert_int_equal(key->alg != NULL, cases[i].kind == BONDY_KEY_EC_P256);
        assert_int_equal(bondy_key_thumbprint(key->jwk, thumbprint, NULL), BONDY_OK);
        assert_string_equal(key->kid, thumbprint);
        /* The public half alone is the same key. */
        public = parse(key->public_pem, cases[i].kind, NULL);
        assert_null(public->pem);
        assert_string_equal(public->kid, key->kid);
        assert_string_equal(public->public_pem, key->public_pem);
        assert_true(json_equal(public->jwk, key->jwk));
        assert_int_equal(
            bondy_key_parse(bondy_slice_text(pem), cases[i].other, BONDY_SLICE_EMPTY, &other, NULL),
            BONDY_EINVAL);
        assert_null(other);
        bondy_key_destroy(public);
        bondy_key_destroy(key);
        bondy_free(pem);
    }
}

/* RFC 7638 section 3.1 */
static void the_thumbprint_is_that_of_the_rfc(void **state)
{
    static const char jwk_text[] =
        "{\"kty\":\"RSA\",\"n\":\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86z"
        "wu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w"
        "6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbIS"
        "D08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJ"
        "zKnqDKgw\",\"e\":\"AQAB\",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}";
    json_t *jwk = bondy_json_parse(bondy_slice_text(jwk_text), 4, NULL);
    char thumbprint[44];

    (void)state;
    assert_int_equal(bondy_key_thumbprint(jwk, thumbprint, NULL), BONDY_OK);
    assert_string_equal(thumbprint, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    json_object_del(jwk, "e");
    assert_int_equal(bondy_key_thumbprint(jwk, thumbprint, NULL), BONDY_EINVAL);
    json_object_set_new(jwk, "kty", json_string("oct"));
    assert_int_equal(bondy_key_thumbprint(jwk, thumbprint, NULL), BONDY_EINVAL);
    assert_int_equal(bondy_key_thumbprint(NULL, thumbprint, NULL), BONDY_EINVAL);
    json_decref(jwk);
}

static void a_stored_kid_is_kept(void **state)
{
    char long_kid[BONDY_KID_MAX + 2];
    struct bondy_key *key, *other;
    char *pem;

    (void)state;
    assert_int_equal(bondy_key_generate_wait(BONDY_KEY_EC_P256, &pem, NULL), BONDY_OK);
    key = parse(pem, BONDY_KEY_EC_P256, "119384920");
    assert_string_equal(key->kid, "119384920");
    assert_slice_is(bondy_json_text(key->jwk, "kid"), "119384920");
    memset(long_kid, 'k', sizeof long_kid);
    assert_int_equal(bondy_key_parse(bondy_slice_text(pem), BONDY_KEY_EC_P256,
                                     bondy_slice_of(long_kid, BONDY_KID_MAX + 1), &other, NULL),
                     BONDY_EINVAL);
    assert_int_equal(bondy_key_parse(bondy_slice_text(pem), BONDY_KEY_EC_P256,
                                     bondy_slice_of("a\0b", 3), &other, NULL),
                     BONDY_EINVAL);
    assert_int_equal(bondy_key_parse(bondy_slice_text(pem), BONDY_KEY_EC_P256, BONDY_SLICE("a\xff"),
                                     &other, NULL),
                     BONDY_EINVAL);
    bondy_key_destroy(key);
    bondy_free(pem);
}

static void other_text_and_other_curves_are_no_keys(void **state)
{
    static const char *const bad[] = {
        "",
        "text",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
        /* P-384 */
        "-----BEGIN PUBLIC KEY-----\n"
        "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEkySkMmVqpvcs6I2mZtF6dc5Ac2nF0JeH\n"
        "8sGDpFhS3aVDkyAlNO4MQJWCoOdAY73uy+CQvOw/U7V2z54G+aLWRA5bUzX376Ei\n"
        "Rl7MRGPn/OdYaMA4kbQaPp+1tdLIeO2Z\n"
        "-----END PUBLIC KEY-----\n",
        /* RSA of 1024 bits */
        "-----BEGIN PUBLIC KEY-----\n"
        "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDmQad2Xtm4XYIpEdK7cPEdZaH0\n"
        "AuUa6+TtSej7ZyqfFjdfasBDaGl5rcd2AJ/J/nwqj5ToZ7jwqKhK2eMjQAP3tsI4\n"
        "EF52pHeb0D5o95OXkaDBkWiU0S5r8JNExxqhz0ohem+xltGP4F8QLrQWPYj7w4Y6\n"
        "FrJpcafKZMB8IuB4eQIDAQAB\n"
        "-----END PUBLIC KEY-----\n",
    };
    struct bondy_key *key;
    struct bondy_error err;
    char large[BONDY_KEY_PEM_MAX + 1];

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(bad); i++) {
        for (unsigned kind = BONDY_KEY_EC_P256; kind <= BONDY_KEY_RSA_2048; kind++) {
            assert_int_equal(bondy_key_parse(bondy_slice_text(bad[i]), (enum bondy_key_kind)kind,
                                             BONDY_SLICE_EMPTY, &key, &err),
                             BONDY_EINVAL);
            assert_null(key);
            assert_null(strstr(err.text, "BEGIN"));
        }
    }
    memset(large, 'A', sizeof large);
    assert_int_equal(bondy_key_parse(bondy_slice_of(large, sizeof large), BONDY_KEY_EC_P256,
                                     BONDY_SLICE_EMPTY, &key, NULL),
                     BONDY_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made_keys_are_what_they_should_be),
        cmocka_unit_test(the_thumbprint_is_that_of_the_rfc),
        cmocka_unit_test(a_stored_kid_is_kept),
        cmocka_unit_test(other_text_and_other_curves_are_no_keys),
    };

    assert_int_equal(bondy_id_start(NULL), BONDY_OK);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
