/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <sodium.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/base/json.h"
#include "src/security/credential/cryptosign.h"

#define CHANNEL "62e935ae755f3d48f80d4d59f6121358c435722a67e859cc0caa8b539027f2ff"

/* realms-and-security.md 3.6, then the six of the WAMP specification (Cryptosign, Test Vectors). */
/* AUTH-CSIGN-2 */
static const struct vector {
    const char *channel_id, *seed, *challenge, *signature;
} vectors[] = {
    {NULL, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
     "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0",
     "14a27374b4e03fd642d77ecaf9b9d46e9e427d757314de98e72cbaf7586b245b"
     "feb02cce7054e43dab892e577b803ef3e73583db92856ee46e48f081eb35fa03"},
    {NULL, "4d57d97a68f555696620a6d849c0ce582568518d729eb753dc7c732de2804510",
     "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "b32675b221f08593213737bef8240e7c15228b07028e19595294678c90d11c0c"
     "ae80a357331bfc5cc9fb71081464e6e75013517c2cf067ad566a6b7b728e5d03"
     "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
    {NULL, "d511fe78e23934b3dadb52fcd022974b80bd92bccc7c5cf404e46cc0a8a2f5cd",
     "b26c1f87c13fc1da14997f1b5a71995dff8fbe0a62fae8473c7bdbd05bfb607d",
     "d4209ad10d5aff6bfbc009d7e924795de138a63515efc7afc6b01b7fe5201372"
     "190374886a70207b042294af5bd64ce725cd8dceb344e6d11c09d1aaaf4d660f"
     "b26c1f87c13fc1da14997f1b5a71995dff8fbe0a62fae8473c7bdbd05bfb607d"},
    {NULL, "6e1fde9cf9e2359a87420b65a87dc0c66136e66945196ba2475990d8a0c3a25b",
     "b05e6b8ad4d69abf74aa3be3c0ee40ae07d66e1895b9ab09285a2f1192d562d2",
     "7beb282184baadd08f166f16dd683b39cab53816ed81e6955def951cb2ddad1e"
     "c184e206746fd82bda075af03711d3d5658fc84a76196b0fa8d1ebc92ef9f30b"
     "b05e6b8ad4d69abf74aa3be3c0ee40ae07d66e1895b9ab09285a2f1192d562d2"},
    {CHANNEL, "4d57d97a68f555696620a6d849c0ce582568518d729eb753dc7c732de2804510",
     "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "9b6f41540c9b95b4b7b281c3042fa9c54cef43c842d62ea3fd6030fcb66e70b3"
     "e80d49d44c29d1635da9348d02ec93f3ed1ef227dfb59a07b580095c2b82f80f"
     "9d16ca518aa0c2b707f2b2a609edeca73bca8dd59817a633f35574ac6fd80d00"},
    {CHANNEL, "d511fe78e23934b3dadb52fcd022974b80bd92bccc7c5cf404e46cc0a8a2f5cd",
     "b26c1f87c13fc1da14997f1b5a71995dff8fbe0a62fae8473c7bdbd05bfb607d",
     "305aaa3ac25e98f651427688b3fc43fe7d8a68a7ec1d7d61c61517c519bd4a42"
     "7c3015599d83ca28b4c652333920223844ef0725eb5dc2febfd6af7677b73f01"
     "d0852a29b460fc92ec943242ac638a053bbacc200512b18b30d15083cbdc9282"},
    {CHANNEL, "6e1fde9cf9e2359a87420b65a87dc0c66136e66945196ba2475990d8a0c3a25b",
     "b05e6b8ad4d69abf74aa3be3c0ee40ae07d66e1895b9ab09285a2f1192d562d2",
     "ee3c7644fd8070532bc1fde3d70d742267da545d8c8f03e63bda63f1ad4214f4"
     "d2c4bfdb4eb9526def42deeb7e31602a6ff99eba893e0a4ad4d45892ca75e608"
     "d2b75e24a189a7f78ca776ba36fc53f6c3e31c32f251f2c524f0a44202f2902d"},
};

static void unhex(const char *text, uint8_t out[32])
{
    assert_true(bondy_hex_parse(bondy_slice_text(text), out, 32));
}

/* The login of a vector, challenged. */
static json_t *challenge_for(const struct vector *vector, struct bondy_cryptosign *login)
{
    uint8_t seed[32], challenge[32], channel_id[32], public[32], private[64];
    char pubkey[65];
    json_t *authextra, *extra;

    unhex(vector->seed, seed);
    unhex(vector->challenge, challenge);
    crypto_sign_seed_keypair(public, private, seed);
    sodium_bin2hex(pubkey, sizeof pubkey, public, sizeof public);
    authextra = json_pack("{s:s,s:s?}", "pubkey", pubkey, "channel_binding",
                          vector->channel_id == NULL ? NULL : "tls-unique");
    assert_int_equal(bondy_cryptosign_start(login, authextra, NULL), BONDY_OK);
    if (vector->channel_id != NULL) {
        unhex(vector->channel_id, channel_id);
        bondy_cryptosign_bind(login, bondy_slice_of(channel_id, sizeof channel_id));
    }
    extra = bondy_cryptosign_challenge(login, challenge, NULL);
    assert_slice_is(bondy_json_text(extra, "challenge"), vector->challenge);
    json_decref(authextra);
    return extra;
}

static void the_vectors_verify(void **state)
{
    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(vectors); i++) {
        struct bondy_cryptosign login;
        struct bondy_slice signature = bondy_slice_text(vectors[i].signature);
        json_t *extra = challenge_for(&vectors[i], &login);
        uint8_t seed[32];
        char again[193];

        assert_int_equal(json_is_null(json_object_get(extra, "channel_binding")),
                         vectors[i].channel_id == NULL);
        assert_true(bondy_cryptosign_verify(&login, signature));
        assert_true(bondy_cryptosign_verify(&login, bondy_slice_of(signature.data, 128)));
        unhex(vectors[i].seed, seed);
        bondy_cryptosign_sign(seed, login.challenge, login.channel_id, again);
        assert_memory_equal(again, signature.data, signature.len);
        json_decref(extra);
    }
}

static void the_public_key_of_the_vector_belongs_to_its_seed(void **state)
{
    struct bondy_cryptosign login;
    char pubkey[65];

    (void)state;
    json_decref(challenge_for(&vectors[0], &login));
    sodium_bin2hex(pubkey, sizeof pubkey, login.pubkey, sizeof login.pubkey);
    assert_string_equal(pubkey, "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8");
}

static void every_flipped_bit_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(vectors); i++) {
        uint8_t octets[96];
        char text[193];
        size_t len = strlen(vectors[i].signature) / 2;
        struct bondy_cryptosign login;

        json_decref(challenge_for(&vectors[i], &login));
        assert_true(bondy_hex_parse(bondy_slice_text(vectors[i].signature), octets, len));
        for (size_t bit = 0; bit < 8 * len; bit++) {
            octets[bit / 8] ^= (uint8_t)(1 << bit % 8);
            sodium_bin2hex(text, sizeof text, octets, len);
            assert_false(bondy_cryptosign_verify(&login, bondy_slice_text(text)));
            octets[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        sodium_bin2hex(text, sizeof text, octets, len);
        login.challenge[5] ^= 1;
        assert_false(bondy_cryptosign_verify(&login, bondy_slice_text(text)));
    }
}

static void only_hexadecimal_of_the_right_length_is_a_signature(void **state)
{
    const char *signature = vectors[1].signature;
    struct bondy_cryptosign login;
    char text[256];

    (void)state;
    json_decref(challenge_for(&vectors[1], &login));
    for (size_t len = 0; len < 192; len++)
        if (len != 128)
            assert_false(bondy_cryptosign_verify(&login, bondy_slice_of(signature, len)));
    memset(text, 'f', sizeof text);
    memcpy(text, signature, 192);
    assert_false(bondy_cryptosign_verify(&login, bondy_slice_of(text, 194)));
    text[10] = 'g';
    assert_false(bondy_cryptosign_verify(&login, bondy_slice_of(text, 192)));
    text[10] = ' ';
    assert_false(bondy_cryptosign_verify(&login, bondy_slice_of(text, 192)));
    for (size_t i = 0; i < 192; i++)
        text[i] = (char)(signature[i] >= 'a' ? signature[i] - 32 : signature[i]);
    assert_true(bondy_cryptosign_verify(&login, bondy_slice_of(text, 192)));
}

/* A signature over the bare challenge, which a relay on another channel would get. */
static void without_the_channel_a_signature_does_not_count(void **state)
{
    struct bondy_cryptosign login;

    (void)state;
    json_decref(challenge_for(&vectors[4], &login));
    assert_false(bondy_cryptosign_verify(&login, bondy_slice_text(vectors[1].signature)));
    json_decref(challenge_for(&vectors[1], &login));
    assert_false(bondy_cryptosign_verify(&login, bondy_slice_text(vectors[4].signature)));
}

/* The zero key is a point of small order, for which signatures can be made without a secret. */
static void without_a_key_nothing_verifies(void **state)
{
    static const char zeros[193] = "";
    struct bondy_cryptosign login;
    char text[129];

    (void)state;
    json_decref(challenge_for(&vectors[1], &login));
    memset(login.pubkey, 0, sizeof login.pubkey);
    assert_false(bondy_cryptosign_verify(&login, bondy_slice_text(vectors[1].signature)));
    memset(text, '0', 128);
    text[1] = '1';
    assert_false(bondy_cryptosign_verify(&login, bondy_slice_of(text, 128)));
    assert_false(bondy_cryptosign_verify(&login, bondy_slice_of(zeros, 128)));
}

static void a_binding_is_echoed_when_the_channel_has_it(void **state)
{
    static const struct {
        const char *asked, *data, *echoed;
    } cases[] = {
        {"tls-unique", "finished-msg", "tls-unique"},
        {"tls-exporter", "0123456789abcdef0123456789abcdef", "tls-exporter"},
        {"tls-exporter", "", NULL},
        {"tls-server-end-point", "0123456789abcdef0123456789abcdef", NULL},
        {"tls-magic", "0123456789abcdef0123456789abcdef", NULL},
    };
    static const uint8_t zero[32], random[32] = {1};

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        json_t *authextra = json_pack("{s:s}", "channel_binding", cases[i].asked);
        struct bondy_cryptosign login;
        json_t *extra;

        assert_int_equal(bondy_cryptosign_start(&login, authextra, NULL), BONDY_OK);
        bondy_cryptosign_bind(&login, bondy_slice_text(cases[i].data));
        extra = bondy_cryptosign_challenge(&login, random, NULL);
        assert_slice_is(bondy_json_text(extra, "channel_binding"),
                        cases[i].echoed == NULL ? "" : cases[i].echoed);
        assert_int_equal(memcmp(login.channel_id, zero, 32) != 0, cases[i].echoed != NULL);
        json_decref(extra);
        json_decref(authextra);
    }
}

static void bad_authextra_is_refused(void **state)
{
    static const char *const bad[] = {
        "{\"pubkey\":7}",
        "{\"pubkey\":\"\"}",
        "{\"pubkey\":\"03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b\"}",
        "{\"pubkey\":\"03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8a\"}",
        "{\"pubkey\":\"0x03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531\"}",
        "{\"pubkey\":\"03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531bg\"}",
        "{\"challenge\":\"00\"}",
        "{\"challenge\":[]}",
    };
    struct bondy_cryptosign login;
    json_t *authextra;

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(bad); i++) {
        authextra = bondy_json_parse(bondy_slice_text(bad[i]), 4, NULL);
        assert_int_equal(bondy_cryptosign_start(&login, authextra, NULL), BONDY_EINVAL);
        json_decref(authextra);
    }
    assert_int_equal(bondy_cryptosign_start(&login, NULL, NULL), BONDY_OK);
    assert_false(login.has_pubkey);
}

static void the_router_answers_a_clients_challenge_with_its_key(void **state)
{
    static const uint8_t random[32] = {7};
    json_t *authextra = json_pack("{s:s}", "challenge", vectors[2].challenge), *extra;
    struct bondy_cryptosign login;
    uint8_t seed[32], pubkey[32], signature[96], challenge[32];

    (void)state;
    unhex(vectors[2].seed, seed);
    unhex(vectors[2].challenge, challenge);
    assert_int_equal(bondy_cryptosign_start(&login, authextra, NULL), BONDY_OK);
    assert_true(login.wants_router);
    extra = bondy_cryptosign_challenge(&login, random, NULL); /* a node without a key */
    assert_null(json_object_get(extra, "signature"));
    json_decref(extra);
    extra = bondy_cryptosign_challenge(&login, random, seed);
    assert_slice_is(bondy_json_text(extra, "signature"), vectors[2].signature);
    assert_true(bondy_hex_parse(bondy_json_text(extra, "pubkey"), pubkey, 32));
    assert_true(bondy_hex_parse(bondy_json_text(extra, "signature"), signature, 96));
    assert_int_equal(crypto_sign_verify_detached(signature, challenge, 32, pubkey), 0);
    json_decref(extra);
    json_decref(authextra);
    /* With a channel both are mixed. */
    authextra = json_pack("{s:s,s:s}", "challenge", vectors[5].challenge, "channel_binding",
                          "tls-exporter");
    assert_int_equal(bondy_cryptosign_start(&login, authextra, NULL), BONDY_OK);
    unhex(CHANNEL, challenge);
    bondy_cryptosign_bind(&login, bondy_slice_of(challenge, 32));
    extra = bondy_cryptosign_challenge(&login, random, seed);
    assert_slice_is(bondy_json_text(extra, "signature"), vectors[5].signature);
    json_decref(extra);
    json_decref(authextra);
    /* Who does not ask gets none. */
    assert_int_equal(bondy_cryptosign_start(&login, NULL, NULL), BONDY_OK);
    extra = bondy_cryptosign_challenge(&login, random, seed);
    assert_null(json_object_get(extra, "pubkey"));
    json_decref(extra);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_verify),
        cmocka_unit_test(the_public_key_of_the_vector_belongs_to_its_seed),
        cmocka_unit_test(every_flipped_bit_is_refused),
        cmocka_unit_test(only_hexadecimal_of_the_right_length_is_a_signature),
        cmocka_unit_test(without_the_channel_a_signature_does_not_count),
        cmocka_unit_test(without_a_key_nothing_verifies),
        cmocka_unit_test(a_binding_is_echoed_when_the_channel_has_it),
        cmocka_unit_test(bad_authextra_is_refused),
        cmocka_unit_test(the_router_answers_a_clients_challenge_with_its_key),
    };

    assert_int_equal(bondy_id_start(NULL), BONDY_OK);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
