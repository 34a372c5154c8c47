/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "src/base/alloc.h"
#include "src/ctl/login.h"
#include "src/ctl/secret.h"
#include "src/wamp/errors.h"

/* Vectors of realms-and-security.md 3.5 to 3.7. */
#define PASSWORD "kettle-46-rope"
#define CLIENT_NONCE "oKGio6SlpqeoqaqrrK2urw=="
#define NONCE "oKGio6SlpqeoqaqrrK2ur7CxsrO0tba3uLm6u7y9vr8="
#define SALT "AAECAwQFBgcICQoLDA0ODw=="
#define PROOF "mFhmx4GptnCosOroXvPVtq80dn94kdCtGqx7FUEFya4="
#define VERIFIER "myI3t9Hqs9x4kpZYbC8qOeyqHZYxFsLuUzuzV1gRTAQ="
#define PUBKEY "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
#define CHALLENGE "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0"
#define SIGNATURE                                                                                  \
    "14a27374b4e03fd642d77ecaf9b9d46e9e427d757314de98e72cbaf7586b245b"                             \
    "feb02cce7054e43dab892e577b803ef3e73583db92856ee46e48f081eb35fa03"

struct fixture {
    struct bondy_ctl_credentials credentials;
    struct bondy_ctl_login login;
    json_t *details;
};

static void begin(struct fixture *fixture, const char *authid, const char *secret, bool is_private)
{
    memset(fixture, 0, sizeof *fixture);
    fixture->credentials.authid = authid == NULL ? NULL : bondy_strdup(authid);
    fixture->credentials.secret = secret == NULL ? NULL : bondy_strdup(secret);
    fixture->login.credentials = &fixture->credentials;
    fixture->login.is_private = is_private;
    for (unsigned i = 0; i < BONDY_CTL_NONCE_LEN; i++)
        fixture->login.nonce[i] = (uint8_t)(0xA0 + i);
    fixture->details = json_object();
}

static void give_seed(struct fixture *fixture)
{
    for (unsigned i = 0; i < 32; i++)
        fixture->credentials.seed[i] = (uint8_t)i;
    fixture->credentials.has_seed = true;
}

static void end(struct fixture *fixture)
{
    bondy_ctl_credentials_fini(&fixture->credentials);
    json_decref(fixture->details);
}

/* Takes `extra`; the answer's signature is the caller's. */
static int answer(struct fixture *fixture, const char *method, json_t *extra, char **signature,
                  json_t **more, struct bondy_error *err)
{
    int rc = bondy_ctl_login_answer(&fixture->login, bondy_slice_text(method), extra, signature,
                                    more, err);

    json_decref(extra);
    return rc;
}

static json_t *scram_extra(void)
{
    return json_pack("{s:s, s:s, s:s, s:i, s:n}", "nonce", NONCE, "salt", SALT, "kdf", "pbkdf2",
                     "iterations", 4096, "memory");
}

/* ---- what is offered ------------------------------------------------------------------------- */

static void methods_are_offered_for_what_is_there_and_secrets_only_in_private(void **state)
{
    static const struct {
        const char *authid, *secret, *ticket;
        bool has_seed, is_private;
        const char *offered; /* NULL: refused */
    } cases[] = {
        {NULL, NULL, NULL, false, false, "anonymous"},
        {"alice", NULL, NULL, false, false, "trust"},
        {"alice", "x", NULL, false, true, "wamp-scram wampcra password"},
        {"alice", "x", NULL, false, false, "wamp-scram wampcra"},
        {"alice", NULL, "x", false, true, "ticket"},
        {"alice", NULL, "x", false, false, NULL},
        {NULL, NULL, NULL, true, false, "cryptosign"},
        {"alice", NULL, NULL, true, false, "cryptosign"},
        {"alice", "x", "x", true, true, "cryptosign ticket wamp-scram wampcra password"},
        {NULL, "x", NULL, false, true, NULL},
        {NULL, NULL, "x", false, true, NULL},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct fixture fixture;
        struct bondy_buf offered = BONDY_BUF_EMPTY;
        json_t *names;
        int rc;

        print_message("case %zu\n", i);
        begin(&fixture, cases[i].authid, cases[i].secret, cases[i].is_private);
        if (cases[i].ticket != NULL)
            fixture.credentials.ticket = bondy_strdup(cases[i].ticket);
        if (cases[i].has_seed)
            give_seed(&fixture);
        rc = bondy_ctl_login_hello(&fixture.login, fixture.details, NULL);
        assert_int_equal(rc == BONDY_OK, cases[i].offered != NULL);
        names = json_object_get(fixture.details, "authmethods");
        for (size_t j = 0; cases[i].offered != NULL && j < json_array_size(names); j++)
            bondy_buf_printf(&offered, "%s%s", j == 0 ? "" : " ",
                             json_string_value(json_array_get(names, j)));
        bondy_buf_append_byte(&offered, 0);
        if (cases[i].offered != NULL)
            assert_string_equal(offered.data, cases[i].offered);
        bondy_buf_fini(&offered);
        end(&fixture);
    }
}

static void hello_holds_the_public_key_and_the_nonce_but_no_secret(void **state)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    struct fixture fixture;

    (void)state;
    begin(&fixture, "alice", PASSWORD, true);
    give_seed(&fixture);
    assert_int_equal(bondy_ctl_login_hello(&fixture.login, fixture.details, NULL), BONDY_OK);
    bondy_json_format(fixture.details, &text);
    bondy_buf_append_byte(&text, 0);
    assert_non_null(strstr(text.data, "\"pubkey\":\"" PUBKEY "\""));
    assert_non_null(strstr(text.data, "\"nonce\":\"" CLIENT_NONCE "\""));
    assert_null(strstr(text.data, PASSWORD));
    bondy_buf_fini(&text);
    end(&fixture);
}

/* ---- answers --------------------------------------------------------------------------------- */

static void wampcra_signs_as_the_vector_says(void **state)
{
    static const char challenge[] =
        "{\"authid\":\"alice\",\"authmethod\":\"wampcra\",\"authprovider\":"
        "\"com.leapsight.bondy.rbac\",\"authrole\":null,\"nonce\":\"AAECAwQFBgcICQoLDA0ODw==\","
        "\"session\":3545138187643908,\"timestamp\":\"2026-01-02T03:04:05.000006Z\"}";
    struct fixture fixture;
    char *signature;
    json_t *more;

    (void)state;
    begin(&fixture, "alice", PASSWORD, false);
    bondy_ctl_login_hello(&fixture.login, fixture.details, NULL);
    assert_int_equal(answer(&fixture, "wampcra",
                            json_pack("{s:s, s:s, s:i, s:i}", "challenge", challenge, "salt", SALT,
                                      "keylen", 32, "iterations", 10000),
                            &signature, &more, NULL),
                     BONDY_OK);
    assert_string_equal(signature, "Hd0P8KJ5vEoAbu0iPNUAczJhPhEwDWp53HkwkMWs1wc=");
    assert_int_equal(bondy_ctl_login_welcome(&fixture.login, NULL, NULL), BONDY_OK);
    bondy_secret_destroy(signature);
    json_decref(more);
    end(&fixture);
}

static void scram_proves_as_the_vector_says_and_the_router_must_too(void **state)
{
    static const struct {
        const char *verifier; /* NULL: none */
        int expected;
    } cases[] = {
        {"v=" VERIFIER, BONDY_OK}, {VERIFIER, BONDY_OK},        {NULL, BONDY_EDENIED},
        {"", BONDY_EDENIED},       {"v=" PROOF, BONDY_EDENIED}, {"v=bXlJMw==", BONDY_EDENIED},
    };
    struct fixture fixture;
    char *signature;
    json_t *more;

    (void)state;
    begin(&fixture, "alice", PASSWORD, false);
    bondy_ctl_login_hello(&fixture.login, fixture.details, NULL);
    assert_int_equal(answer(&fixture, "wamp-scram", scram_extra(), &signature, &more, NULL),
                     BONDY_OK);
    assert_string_equal(signature, PROOF);
    assert_string_equal(json_string_value(json_object_get(more, "nonce")), NONCE);
    bondy_secret_destroy(signature);
    json_decref(more);
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        json_t *details = json_pack("{s:{s:s*}}", "authextra", "verifier", cases[i].verifier);

        print_message("case %zu\n", i);
        assert_int_equal(bondy_ctl_login_welcome(&fixture.login, details, NULL), cases[i].expected);
        json_decref(details);
    }
    end(&fixture);
}

/* Made with OpenSSL's Argon2id and Python's hmac: one pass over 64 KiB, one lane. */
static void scram_takes_argon2id_too(void **state)
{
    struct fixture fixture;
    char *signature;
    json_t *more;

    (void)state;
    begin(&fixture, "alice", PASSWORD, false);
    bondy_ctl_login_hello(&fixture.login, fixture.details, NULL);
    assert_int_equal(answer(&fixture, "wamp-scram",
                            json_pack("{s:s, s:s, s:s, s:i, s:i}", "nonce", NONCE, "salt", SALT,
                                      "kdf", "argon2id13", "iterations", 1, "memory", 64),
                            &signature, &more, NULL),
                     BONDY_OK);
    assert_string_equal(signature, "2K2GKqGwEFvFh7y7m62eNkcQJLa9N+T7uaM36eWjCKM=");
    bondy_secret_destroy(signature);
    json_decref(more);
    end(&fixture);
}

static void cryptosign_signs_as_the_vector_says(void **state)
{
    struct fixture fixture;
    char *signature;
    json_t *more;

    (void)state;
    begin(&fixture, "alice", NULL, false);
    give_seed(&fixture);
    bondy_ctl_login_hello(&fixture.login, fixture.details, NULL);
    assert_int_equal(answer(&fixture, "cryptosign",
                            json_pack("{s:s, s:n}", "challenge", CHALLENGE, "channel_binding"),
                            &signature, &more, NULL),
                     BONDY_OK);
    assert_string_equal(signature, SIGNATURE CHALLENGE);
    bondy_secret_destroy(signature);
    json_decref(more);
    end(&fixture);
}

/* ---- a false router -------------------------------------------------------------------------- */

static void a_challenge_that_no_honest_router_sends_is_not_answered(void **state)
{
    static const struct {
        const char *name, *method, *extra;
    } cases[] = {
        {"a password in clear where somebody can listen", "password", "{}"},
        {"a ticket that was not offered", "ticket", "{}"},
        {"a method nobody knows", "telepathy", "{}"},
        {"anonymous has no challenge", "anonymous", "{}"},
        {"no challenge", "wampcra", "{}"},
        {"few iterations", "wampcra",
         "{\"challenge\":\"x\",\"salt\":\"x\",\"keylen\":32,\"iterations\":1}"},
        {"many iterations", "wampcra",
         "{\"challenge\":\"x\",\"salt\":\"x\",\"keylen\":32,\"iterations\":1000000000}"},
        {"a long key", "wampcra",
         "{\"challenge\":\"x\",\"salt\":\"x\",\"keylen\":1000000,\"iterations\":10000}"},
        {"another nonce", "wamp-scram",
         "{\"nonce\":\"AAECAwQFBgcICQoLDA0OD7CxsrO0tba3uLm6u7y9vr8=\",\"salt\":\"" SALT
         "\",\"kdf\":\"pbkdf2\",\"iterations\":4096}"},
        {"only our nonce", "wamp-scram",
         "{\"nonce\":\"" CLIENT_NONCE "\",\"salt\":\"" SALT
         "\",\"kdf\":\"pbkdf2\",\"iterations\":4096}"},
        {"cheap guesses", "wamp-scram",
         "{\"nonce\":\"" NONCE "\",\"salt\":\"" SALT "\",\"kdf\":\"pbkdf2\",\"iterations\":1}"},
        {"no salt", "wamp-scram",
         "{\"nonce\":\"" NONCE "\",\"salt\":\"\",\"kdf\":\"pbkdf2\",\"iterations\":4096}"},
        {"another kdf", "wamp-scram",
         "{\"nonce\":\"" NONCE "\",\"salt\":\"" SALT "\",\"kdf\":\"md5\",\"iterations\":4096}"},
        {"all memory", "wamp-scram",
         "{\"nonce\":\"" NONCE "\",\"salt\":\"" SALT
         "\",\"kdf\":\"argon2id13\",\"iterations\":1,\"memory\":1000000000}"},
        {"a binding", "wamp-scram",
         "{\"nonce\":\"" NONCE "\",\"salt\":\"" SALT
         "\",\"kdf\":\"pbkdf2\",\"iterations\":4096,\"channel_binding\":\"tls-unique\"}"},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct fixture fixture;
        char *signature;
        json_t *more;

        print_message("%s\n", cases[i].name);
        begin(&fixture, "alice", PASSWORD, false);
        bondy_ctl_login_hello(&fixture.login, fixture.details, NULL);
        assert_int_equal(answer(&fixture, cases[i].method,
                                bondy_json_parse(bondy_slice_text(cases[i].extra), 8, NULL),
                                &signature, &more, NULL),
                         BONDY_EPROTO);
        assert_null(signature);
        json_decref(more);
        end(&fixture);
    }
}

static void a_challenge_is_answered_once(void **state)
{
    struct fixture fixture;
    char *signature;
    json_t *more;

    (void)state;
    begin(&fixture, "alice", PASSWORD, true);
    bondy_ctl_login_hello(&fixture.login, fixture.details, NULL);
    assert_int_equal(answer(&fixture, "wamp-scram", scram_extra(), &signature, &more, NULL),
                     BONDY_OK);
    bondy_secret_destroy(signature);
    json_decref(more);
    assert_int_equal(answer(&fixture, "password", json_object(), &signature, &more, NULL),
                     BONDY_EPROTO);
    assert_null(signature);
    json_decref(more);
    end(&fixture);
}

static void a_welcome_without_a_question_counts_only_when_none_was_expected(void **state)
{
    struct fixture fixture;

    (void)state;
    begin(&fixture, "alice", PASSWORD, true);
    bondy_ctl_login_hello(&fixture.login, fixture.details, NULL);
    assert_int_equal(bondy_ctl_login_welcome(&fixture.login, NULL, NULL), BONDY_EPROTO);
    end(&fixture);
    begin(&fixture, NULL, NULL, false);
    bondy_ctl_login_hello(&fixture.login, fixture.details, NULL);
    assert_int_equal(bondy_ctl_login_welcome(&fixture.login, NULL, NULL), BONDY_OK);
    end(&fixture);
}

static void a_refusal_comes_with_advice(void **state)
{
    static const struct {
        const char *reason;
        bool is_denial;
    } cases[] = {
        {BONDY_ERR_AUTHENTICATION_DENIED, true},   {BONDY_ERR_AUTHENTICATION_REQUIRED, true},
        {BONDY_ERR_NO_MATCHING_AUTH_METHOD, true}, {BONDY_ERR_AUTHENTICATION_FAILED, true},
        {BONDY_ERR_NO_SUCH_PRINCIPAL, true},       {BONDY_ERR_NO_SUCH_ROLE, true},
        {BONDY_ERR_NO_SUCH_REALM, false},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_slice reason = bondy_slice_text(cases[i].reason);

        print_message("%s\n", cases[i].reason);
        assert_non_null(bondy_ctl_login_advice(reason));
        assert_int_equal(bondy_ctl_login_is_denial(reason), cases[i].is_denial);
    }
    assert_null(bondy_ctl_login_advice(BONDY_SLICE("com.example.own")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods_are_offered_for_what_is_there_and_secrets_only_in_private),
        cmocka_unit_test(hello_holds_the_public_key_and_the_nonce_but_no_secret),
        cmocka_unit_test(wampcra_signs_as_the_vector_says),
        cmocka_unit_test(scram_proves_as_the_vector_says_and_the_router_must_too),
        cmocka_unit_test(scram_takes_argon2id_too),
        cmocka_unit_test(cryptosign_signs_as_the_vector_says),
        cmocka_unit_test(a_challenge_that_no_honest_router_sends_is_not_answered),
        cmocka_unit_test(a_challenge_is_answered_once),
        cmocka_unit_test(a_welcome_without_a_question_counts_only_when_none_was_expected),
        cmocka_unit_test(a_refusal_comes_with_advice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
