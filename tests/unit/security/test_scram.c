/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <string.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/base/json.h"
#include "src/security/credential/scram.h"

/* realms-and-security.md 3.7 */
#define CLIENT_NONCE "oKGio6SlpqeoqaqrrK2urw=="
#define NONCE "oKGio6SlpqeoqaqrrK2ur7CxsrO0tba3uLm6u7y9vr8="
#define PROOF "mFhmx4GptnCosOroXvPVtq80dn94kdCtGqx7FUEFya4="
#define VERIFIER "v=myI3t9Hqs9x4kpZYbC8qOeyqHZYxFsLuUzuzV1gRTAQ="
#define PASSWORD BONDY_SLICE("kettle-46-rope")

static const uint8_t server_random[BONDY_SCRAM_RANDOM_LEN] = {
    0xb0, 0xb1, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xbb, 0xbc, 0xbd, 0xbe, 0xbf};

static json_t *tree(const char *text)
{
    json_t *value = bondy_json_parse(bondy_slice_text(text), 32, NULL);

    assert_non_null(value);
    return value;
}

static struct bondy_password_scram verifier_of(const struct bondy_kdf_cost *cost)
{
    struct bondy_password_opts opts = {.scram = true, .scram_cost = *cost};
    struct bondy_password_scram verifier;
    json_t *stored = bondy_password_make_wait(PASSWORD, &opts, NULL);

    assert_true(bondy_password_find_scram(stored, &verifier));
    json_decref(stored);
    return verifier;
}

static struct bondy_password_scram alices(void)
{
    struct bondy_password_scram verifier = {.cost = {BONDY_KDF_PBKDF2, 4096, 0}};

    for (unsigned i = 0; i < sizeof verifier.salt; i++)
        verifier.salt[i] = (uint8_t)i;
    assert_true(bondy_secret_unbase64(BONDY_SLICE("dcyhbDlqXtUsXW3uRwONTBy383kl73db+Jx+MuvtraM="),
                                      verifier.stored_key, 32));
    assert_true(bondy_secret_unbase64(BONDY_SLICE("HQBQTH+Y9JxYxKTMfz4MhSNX86pcKFMTmppWy7bwuoM="),
                                      verifier.server_key, 32));
    return verifier;
}

/* Starts alice's login up to the challenge. */
static json_t *challenge_alice(struct bondy_scram *login)
{
    struct bondy_password_scram verifier = alices();
    json_t *authextra = tree("{\"nonce\":\"" CLIENT_NONCE "\",\"channel_binding\":null}");

    assert_int_equal(bondy_scram_start(login, BONDY_SLICE("alice"), authextra), BONDY_SCRAM_OK);
    assert_int_equal(bondy_scram_bind(login, BONDY_SLICE_EMPTY), BONDY_SCRAM_OK);
    json_decref(authextra);
    return bondy_scram_challenge(login, &verifier, server_random);
}

/* One whole login with this answer, ended. */
static enum bondy_scram_error answer_alice(const char *signature, const char *extra_text)
{
    char verifier[BONDY_SCRAM_VERIFIER_TEXT] = "";
    json_t *extra = tree(extra_text);
    struct bondy_scram login;
    enum bondy_scram_error wrong;

    json_decref(challenge_alice(&login));
    wrong = bondy_scram_finish(&login, bondy_slice_text(signature), extra, verifier);
    assert_string_equal(verifier, wrong == BONDY_SCRAM_OK ? VERIFIER : "");
    bondy_scram_fini(&login);
    json_decref(extra);
    return wrong;
}

static void the_vector_logs_in(void **state)
{
    struct bondy_scram login;
    json_t *extra = challenge_alice(&login);
    char proof[BONDY_KDF_TEXT];
    char *message = bondy_scram_message(&login);

    (void)state;
    assert_slice_is(bondy_json_text(extra, "nonce"), NONCE);
    assert_slice_is(bondy_json_text(extra, "salt"), "AAECAwQFBgcICQoLDA0ODw==");
    assert_slice_is(bondy_json_text(extra, "kdf"), "pbkdf2");
    assert_int_equal(json_integer_value(json_object_get(extra, "iterations")), 4096);
    assert_true(json_is_null(json_object_get(extra, "memory")));
    assert_string_equal(message, "n=alice,r=" CLIENT_NONCE ",r=" NONCE
                                 ",s=AAECAwQFBgcICQoLDA0ODw==,i=4096,c=biws,r=" NONCE);
    assert_int_equal(bondy_scram_proof_wait(&login, PASSWORD, proof, NULL), BONDY_OK);
    assert_string_equal(proof, PROOF);
    bondy_free(message);
    bondy_scram_fini(&login);
    json_decref(extra);
    assert_int_equal(answer_alice(PROOF, "{\"nonce\":\"" NONCE "\"}"), BONDY_SCRAM_OK);
    assert_int_equal(answer_alice(PROOF, "{\"nonce\":\"" NONCE
                                         "\",\"channel_binding\":null,\"cbind_data\":null}"),
                     BONDY_SCRAM_OK);
}

/* RFC 7677 section 3, whose nonces are no base64. */
/* AUTH-SCRAM-3 */
static void the_message_is_that_of_scram_sha_256(void **state)
{
    struct bondy_scram login = {.client_nonce = "rOprNGfwEbeRWgbNEkqO",
                                .nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
                                .verifier = {.cost = {BONDY_KDF_PBKDF2, 4096, 0}}};
    char proof[BONDY_KDF_TEXT];

    (void)state;
    login.authid = bondy_strdup("user");
    assert_true(bondy_secret_unbase64(BONDY_SLICE("W22ZaJ0SNY7soEsUEjb6gQ=="), login.verifier.salt,
                                      sizeof login.verifier.salt));
    assert_int_equal(bondy_scram_proof_wait(&login, BONDY_SLICE("pencil"), proof, NULL), BONDY_OK);
    assert_string_equal(proof, "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    bondy_scram_fini(&login);
}

static void every_flipped_bit_of_the_proof_is_refused(void **state)
{
    uint8_t octets[32];
    char text[BONDY_KDF_TEXT];

    (void)state;
    assert_true(bondy_secret_unbase64(BONDY_SLICE(PROOF), octets, sizeof octets));
    for (size_t bit = 0; bit < 256; bit++) {
        octets[bit / 8] ^= (uint8_t)(1 << bit % 8);
        bondy_secret_base64(bondy_slice_of(octets, sizeof octets), text, sizeof text);
        assert_int_equal(answer_alice(text, "{\"nonce\":\"" NONCE "\"}"),
                         BONDY_SCRAM_INVALID_PROOF);
        octets[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void answers_are_refused_with_the_words_of_rfc_5802(void **state)
{
    static const struct {
        const char *signature, *extra, *word;
    } cases[] = {
        {PROOF, "{}", "other-error"},
        {PROOF, "{\"nonce\":7}", "other-error"},
        {PROOF, "{\"nonce\":\"" CLIENT_NONCE "\"}", "other-error"},
        {PROOF, "{\"nonce\":\"oKGio6SlpqeoqaqrrK2ur7CxsrO0tba3uLm6u7y9vr9=\"}", "other-error"},
        {PROOF, "{\"nonce\":\"" NONCE "\",\"channel_binding\":\"tls-unique\"}",
         "channel-bindings-dont-match"},
        {PROOF, "{\"nonce\":\"" NONCE "\",\"channel_binding\":7}", "channel-bindings-dont-match"},
        {PROOF, "{\"nonce\":\"" NONCE "\",\"cbind_data\":\"AAAA\"}", "channel-bindings-dont-match"},
        {"", "{\"nonce\":\"" NONCE "\"}", "invalid-encoding"},
        {"AAAA", "{\"nonce\":\"" NONCE "\"}", "invalid-encoding"},
        {"mFhmx4GptnCosOroXvPVtq80dn94kdCtGqx7FUEFya4", "{\"nonce\":\"" NONCE "\"}",
         "invalid-encoding"},
        {"mFhmx4GptnCosOroXvPVtq80dn94kdCtGqx7FUEFya5=", "{\"nonce\":\"" NONCE "\"}",
         "invalid-encoding"},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        const char *word = bondy_scram_error_word(answer_alice(cases[i].signature, cases[i].extra));

        if (strcmp(word, cases[i].word) != 0)
            fail_msg("%s %s: '%s', expected %s", cases[i].signature, cases[i].extra, word,
                     cases[i].word);
    }
}

static void hello_is_refused_with_the_words_of_rfc_5802(void **state)
{
    static const struct {
        const char *authid, *authextra, *word;
    } cases[] = {
        {"alice", "{}", "other-error"},
        {"alice", "{\"nonce\":null}", "other-error"},
        {"alice", "{\"nonce\":7}", "other-error"},
        {"alice", "{\"nonce\":\"\"}", "other-error"},
        {"alice", "{\"nonce\":\"AAAA\"}", "invalid-encoding"},
        {"alice", "{\"nonce\":\"AAAAAAAAAA=\"}", "invalid-encoding"},
        {"alice", "{\"nonce\":\"AAAAAAAAAA\"}", "invalid-encoding"},
        {"alice", "{\"nonce\":\"AAAAAAAA AAA=\"}", "invalid-encoding"},
        {"alice", "{\"nonce\":\"AAAAAAAAAAA=\"}", ""},
        {"alice", "{\"nonce\":\"AAAAAAAAAAB=\"}", "invalid-encoding"},
        {"alice",
         "{\"nonce\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
         "AAAAAAAAAAAAAAAA==\"}",
         "invalid-encoding"},
        {"", "{\"nonce\":\"" CLIENT_NONCE "\"}", "invalid-username-encoding"},
        {"al\x07ice", "{\"nonce\":\"" CLIENT_NONCE "\"}", "invalid-username-encoding"},
        {"alice", "{\"nonce\":\"" CLIENT_NONCE "\",\"channel_binding\":\"tls-magic\"}",
         "unsupported-channel-binding-type"},
        {"alice", "{\"nonce\":\"" CLIENT_NONCE "\",\"channel_binding\":7}",
         "unsupported-channel-binding-type"},
        {"alice", "{\"nonce\":\"" CLIENT_NONCE "\",\"channel_binding\":\"tls-exporter\"}", ""},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        json_t *authextra = tree(cases[i].authextra);
        struct bondy_scram login;
        const char *word = bondy_scram_error_word(
            bondy_scram_start(&login, bondy_slice_text(cases[i].authid), authextra));

        if (strcmp(word, cases[i].word) != 0)
            fail_msg("%s: '%s', expected %s", cases[i].authextra, word, cases[i].word);
        bondy_scram_fini(&login);
        json_decref(authextra);
    }
}

static void a_challenge_is_answered_once(void **state)
{
    json_t *wrong = tree("{}"), *right = tree("{\"nonce\":\"" NONCE "\"}");
    char text[BONDY_SCRAM_VERIFIER_TEXT];
    struct bondy_scram login;

    (void)state;
    json_decref(challenge_alice(&login));
    assert_int_equal(bondy_scram_finish(&login, BONDY_SLICE(PROOF), wrong, text),
                     BONDY_SCRAM_OTHER_ERROR);
    assert_int_equal(bondy_scram_finish(&login, BONDY_SLICE(PROOF), right, text),
                     BONDY_SCRAM_OTHER_ERROR);
    bondy_scram_fini(&login);
    json_decref(challenge_alice(&login));
    assert_int_equal(bondy_scram_finish(&login, BONDY_SLICE(PROOF), right, text), BONDY_SCRAM_OK);
    assert_int_equal(bondy_scram_finish(&login, BONDY_SLICE(PROOF), right, text),
                     BONDY_SCRAM_OTHER_ERROR);
    bondy_scram_fini(&login);
    json_decref(wrong);
    json_decref(right);
}

static void names_are_prepared_and_escaped(void **state)
{
    json_t *authextra = tree("{\"nonce\":\"" CLIENT_NONCE "\"}");
    struct bondy_scram login;

    (void)state;
    assert_int_equal(bondy_scram_start(&login, BONDY_SLICE("a=b,c"), authextra), BONDY_SCRAM_OK);
    assert_string_equal(login.authid, "a=3Db=2Cc");
    bondy_scram_fini(&login);
    assert_int_equal(bondy_scram_start(&login, BONDY_SLICE("cafe\xcc\x81"), authextra),
                     BONDY_SCRAM_OK);
    assert_string_equal(login.authid, "caf\xc3\xa9");
    bondy_scram_fini(&login);
    /* Clients prepare names by SASLprep: what is compatible becomes the same. */
    assert_int_equal(bondy_scram_start(&login, BONDY_SLICE("\xef\xbc\xa1,b"), authextra),
                     BONDY_SCRAM_OK);
    assert_string_equal(login.authid, "A=2Cb");
    bondy_scram_fini(&login);
    json_decref(authextra);
}

static void a_channel_binding_binds_to_the_channel(void **state)
{
    static const char *const types[] = {"tls-unique", "tls-server-end-point", "tls-exporter"};
    struct bondy_slice data = BONDY_SLICE("finished-msg");
    struct bondy_password_scram verifier = alices();

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(types); i++) {
        char verifier_text[BONDY_SCRAM_VERIFIER_TEXT], proof[BONDY_KDF_TEXT], cbind[64];
        json_t *authextra =
            json_pack("{s:s,s:s}", "nonce", CLIENT_NONCE, "channel_binding", types[i]);
        struct bondy_scram login, other;
        json_t *extra;

        assert_int_equal(bondy_scram_start(&login, BONDY_SLICE("alice"), authextra),
                         BONDY_SCRAM_OK);
        assert_int_equal(bondy_scram_bind(&login, BONDY_SLICE_EMPTY),
                         BONDY_SCRAM_CHANNEL_BINDING_NOT_SUPPORTED);
        assert_int_equal(bondy_scram_bind(&login, data), BONDY_SCRAM_OK);
        json_decref(bondy_scram_challenge(&login, &verifier, server_random));
        assert_int_equal(bondy_scram_proof_wait(&login, PASSWORD, proof, NULL), BONDY_OK);
        bondy_secret_base64(data, cbind, sizeof cbind);
        extra = json_pack("{s:s,s:s,s:s}", "nonce", NONCE, "channel_binding", types[i],
                          "cbind_data", cbind);
        assert_int_equal(bondy_scram_finish(&login, bondy_slice_text(proof), extra, verifier_text),
                         BONDY_SCRAM_OK);
        /* The same answer on another channel, which a relay would have. */
        bondy_scram_start(&other, BONDY_SLICE("alice"), authextra);
        bondy_scram_bind(&other, BONDY_SLICE("finished-Msg"));
        json_decref(bondy_scram_challenge(&other, &verifier, server_random));
        assert_int_equal(bondy_scram_finish(&other, bondy_slice_text(proof), extra, verifier_text),
                         BONDY_SCRAM_CHANNEL_BINDINGS_DONT_MATCH);
        bondy_scram_fini(&other);
        bondy_scram_start(&other, BONDY_SLICE("alice"), authextra);
        bondy_scram_bind(&other, BONDY_SLICE("finished-Msg"));
        json_decref(bondy_scram_challenge(&other, &verifier, server_random));
        bondy_secret_base64(BONDY_SLICE("finished-Msg"), cbind, sizeof cbind);
        json_object_set_new(extra, "cbind_data", json_string(cbind));
        assert_int_equal(bondy_scram_finish(&other, bondy_slice_text(proof), extra, verifier_text),
                         BONDY_SCRAM_INVALID_PROOF);
        bondy_scram_fini(&other);
        bondy_scram_fini(&login);
        json_decref(extra);
        json_decref(authextra);
    }
}

static void the_binding_input_names_type_and_data(void **state)
{
    json_t *authextra = tree("{\"nonce\":\"" CLIENT_NONCE "\",\"channel_binding\":\"tls-unique\"}");
    struct bondy_password_scram verifier = alices();
    struct bondy_scram login;
    char *message;

    (void)state;
    bondy_scram_start(&login, BONDY_SLICE("alice"), authextra);
    bondy_scram_bind(&login, BONDY_SLICE("abc"));
    json_decref(bondy_scram_challenge(&login, &verifier, server_random));
    message = bondy_scram_message(&login);
    /* base64 of "p=tls-unique,,abc" */
    assert_non_null(strstr(message, ",c=cD10bHMtdW5pcXVlLCxhYmM=,r="));
    bondy_free(message);
    bondy_scram_fini(&login);
    json_decref(authextra);
}

static void argon2_logs_in_with_its_memory_in_kib(void **state)
{
    struct bondy_kdf_cost cost = {BONDY_KDF_ARGON2ID13, 2, 1024};
    struct bondy_password_scram verifier = verifier_of(&cost);
    json_t *authextra = tree("{\"nonce\":\"" CLIENT_NONCE "\"}");
    json_t *extra, *answer = tree("{\"nonce\":\"" NONCE "\"}");
    char proof[BONDY_KDF_TEXT], text[BONDY_SCRAM_VERIFIER_TEXT];
    struct bondy_scram login;

    (void)state;
    assert_int_equal(bondy_scram_start(&login, BONDY_SLICE("alice"), authextra), BONDY_SCRAM_OK);
    extra = bondy_scram_challenge(&login, &verifier, server_random);
    assert_slice_is(bondy_json_text(extra, "kdf"), "argon2id13");
    assert_int_equal(json_integer_value(json_object_get(extra, "memory")), 1024);
    assert_int_equal(json_integer_value(json_object_get(extra, "iterations")), 2);
    assert_int_equal(bondy_scram_proof_wait(&login, PASSWORD, proof, NULL), BONDY_OK);
    assert_int_equal(bondy_scram_finish(&login, bondy_slice_text(proof), answer, text),
                     BONDY_SCRAM_OK);
    bondy_scram_fini(&login);
    json_decref(extra);
    json_decref(answer);
    json_decref(authextra);
}

static void a_name_that_is_nobodys_is_challenged_like_any_other(void **state)
{
    struct bondy_slice secret = BONDY_SLICE("0123456789abcdef0123456789abcdef");
    struct bondy_kdf_cost cost = {BONDY_KDF_PBKDF2, 65536, 0};
    struct bondy_password_scram first, again, other;
    json_t *authextra = tree("{\"nonce\":\"" CLIENT_NONCE "\"}");
    json_t *extra = tree("{\"nonce\":\"" NONCE "\"}"), *real, *fake;
    char text[BONDY_SCRAM_VERIFIER_TEXT];
    struct bondy_scram login;

    (void)state;
    bondy_scram_fake(secret, BONDY_SLICE("org.acme"), BONDY_SLICE("nobody"), &cost, &first);
    bondy_scram_fake(secret, BONDY_SLICE("org.acme"), BONDY_SLICE("nobody"), &cost, &again);
    bondy_scram_fake(secret, BONDY_SLICE("org.other"), BONDY_SLICE("nobody"), &cost, &other);
    assert_memory_equal(&first, &again, sizeof first);
    assert_memory_not_equal(first.salt, other.salt, sizeof first.salt);
    assert_int_equal(first.cost.iterations, 65536);
    real = challenge_alice(&login);
    bondy_scram_fini(&login);
    bondy_scram_start(&login, BONDY_SLICE("nobody"), authextra);
    fake = bondy_scram_challenge(&login, &first, server_random);
    assert_int_equal(json_object_size(fake), json_object_size(real));
    assert_int_equal(bondy_scram_finish(&login, BONDY_SLICE(PROOF), extra, text),
                     BONDY_SCRAM_INVALID_PROOF);
    bondy_scram_fini(&login);
    json_decref(real);
    json_decref(fake);
    json_decref(extra);
    json_decref(authextra);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vector_logs_in),
        cmocka_unit_test(the_message_is_that_of_scram_sha_256),
        cmocka_unit_test(every_flipped_bit_of_the_proof_is_refused),
        cmocka_unit_test(answers_are_refused_with_the_words_of_rfc_5802),
        cmocka_unit_test(hello_is_refused_with_the_words_of_rfc_5802),
        cmocka_unit_test(a_challenge_is_answered_once),
        cmocka_unit_test(names_are_prepared_and_escaped),
        cmocka_unit_test(a_channel_binding_binds_to_the_channel),
        cmocka_unit_test(the_binding_input_names_type_and_data),
        cmocka_unit_test(argon2_logs_in_with_its_memory_in_kib),
        cmocka_unit_test(a_name_that_is_nobodys_is_challenged_like_any_other),
    };

    assert_int_equal(bondy_id_start(NULL), BONDY_OK);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
