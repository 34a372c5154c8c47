/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/base/json.h"
#include "src/base/problem.h"
#include "src/security/credential/password.h"

#define PASSWORD "kettle-46-rope"
/* Cheap, so that the tests are quick. */
#define CHEAP                                                                                      \
    ((struct bondy_password_opts){                                                                 \
        .cra = true, .cra_iterations = 4096, .scram_cost = {BONDY_KDF_PBKDF2, 4096, 0}})

/* ---- what key derivations were asked for (the linker puts these in between) --------------- */

static struct {
    unsigned pbkdf2;
    unsigned argon2;
    unsigned long long iterations;
    size_t memory;
} spent;

int __real_gnutls_pbkdf2(gnutls_mac_algorithm_t mac, const gnutls_datum_t *key,
                         const gnutls_datum_t *salt, unsigned iterations, void *out, size_t len);
int __wrap_gnutls_pbkdf2(gnutls_mac_algorithm_t mac, const gnutls_datum_t *key,
                         const gnutls_datum_t *salt, unsigned iterations, void *out, size_t len);
int __wrap_gnutls_pbkdf2(gnutls_mac_algorithm_t mac, const gnutls_datum_t *key,
                         const gnutls_datum_t *salt, unsigned iterations, void *out, size_t len)
{
    spent.pbkdf2++;
    spent.iterations += iterations;
    return __real_gnutls_pbkdf2(mac, key, salt, iterations, out, len);
}

int __real_crypto_pwhash(unsigned char *out, unsigned long long len, const char *text,
                         unsigned long long text_len, const unsigned char *salt,
                         unsigned long long iterations, size_t memory, int algorithm);
int __wrap_crypto_pwhash(unsigned char *out, unsigned long long len, const char *text,
                         unsigned long long text_len, const unsigned char *salt,
                         unsigned long long iterations, size_t memory, int algorithm);
int __wrap_crypto_pwhash(unsigned char *out, unsigned long long len, const char *text,
                         unsigned long long text_len, const unsigned char *salt,
                         unsigned long long iterations, size_t memory, int algorithm)
{
    spent.argon2++;
    spent.iterations += iterations;
    spent.memory += memory;
    return __real_crypto_pwhash(out, len, text, text_len, salt, iterations, memory, algorithm);
}

static int forget_spent(void **state)
{
    (void)state;
    memset(&spent, 0, sizeof spent);
    return 0;
}

/* ---- helpers ------------------------------------------------------------------------------ */

static json_t *tree(const char *text)
{
    struct bondy_error err;
    json_t *value = bondy_json_parse(bondy_slice_text(text), 32, &err);

    if (value == NULL)
        fail_msg("%s: %s", text, err.text);
    return value;
}

static bool verify(const json_t *stored, const char *text)
{
    bool matches = false;

    assert_int_equal(bondy_password_verify_wait(stored, bondy_slice_text(text), &matches, NULL),
                     BONDY_OK);
    return matches;
}

/* The code of the problem that `problem` is, "" for none; ends it. */
static const char *code_of(json_t *problem)
{
    static char code[64];

    snprintf(code, sizeof code, "%s", bondy_problem_code(problem));
    json_decref(problem);
    return code;
}

static json_t *make(struct bondy_password_opts opts)
{
    json_t *stored = bondy_password_make_wait(BONDY_SLICE(PASSWORD), &opts, NULL);

    assert_non_null(stored);
    return stored;
}

/* ---- stored objects ----------------------------------------------------------------------- */

static void both_verifiers_have_the_stored_form(void **state)
{
    struct bondy_password_opts opts = CHEAP;
    json_t *stored, *cra, *scram, *again;

    (void)state;
    opts.scram = true;
    stored = make(opts);
    assert_int_equal(json_array_size(stored), 2);
    cra = json_array_get(stored, 0);
    scram = json_array_get(stored, 1);
    assert_slice_is(bondy_json_text(cra, "type"), "password");
    assert_slice_is(bondy_json_text(cra, "version"), "1.2");
    assert_slice_is(bondy_json_text(cra, "protocol"), "cra");
    assert_slice_is(bondy_json_text(scram, "protocol"), "scram");
    assert_int_equal(bondy_json_text(json_object_get(cra, "data"), "salt").len, 24);
    assert_int_equal(bondy_json_text(json_object_get(cra, "data"), "salted_password").len, 44);
    assert_int_equal(bondy_json_text(json_object_get(scram, "data"), "stored_key").len, 44);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(cra, "params"), "iterations")), 4096);
    assert_null(json_object_get(json_object_get(scram, "params"), "memory"));
    /* And it is what may come back. */
    assert_null(bondy_password_parse(stored, &again));
    assert_true(json_equal(stored, again));
    json_decref(again);
    json_decref(stored);
}

static void every_form_verifies_its_password_and_no_other(void **state)
{
    struct bondy_password_opts forms[4] = {CHEAP, CHEAP, CHEAP, CHEAP};

    (void)state;
    forms[1].cra = false;
    forms[1].scram = true;
    forms[2].scram = true;
    forms[3] = forms[1];
    forms[3].scram_cost = (struct bondy_kdf_cost){BONDY_KDF_ARGON2ID13, 1, 64};
    for (size_t i = 0; i < BONDY_COUNT(forms); i++) {
        json_t *stored = make(forms[i]);

        assert_true(verify(stored, PASSWORD));
        assert_false(verify(stored, "kettle-46-ropf"));
        assert_false(verify(stored, PASSWORD " "));
        assert_false(verify(stored, ""));
        assert_false(verify(stored, "\x07\xff"));
        json_decref(stored);
    }
}

static void a_password_is_stored_with_a_salt_of_its_own(void **state)
{
    json_t *first = make(CHEAP), *second = make(CHEAP);

    (void)state;
    assert_false(json_equal(first, second));
    json_decref(first);
    json_decref(second);
}

/* Vectors of the specification; the last two from another implementation of PBKDF2. */
static const char cra_vector[] =
    "{\"type\":\"password\",\"version\":\"1.2\",\"protocol\":\"cra\",\"params\":{\"kdf\":"
    "\"pbkdf2\",\"iterations\":10000,\"hash_function\":\"sha256\",\"hash_length\":32,"
    "\"salt_length\":16},\"data\":{\"salt\":\"AAECAwQFBgcICQoLDA0ODw==\",\"salted_password\":"
    "\"y/BvFWWlc3e2LKCTyN6/XwYIKEw6baPby2ScakYe4+k=\"}}";
static const char scram_vector[] =
    "{\"version\":\"1.2\",\"protocol\":\"scram\",\"params\":{\"kdf\":\"pbkdf2\",\"iterations\":"
    "4096},\"data\":{\"salt\":\"AAECAwQFBgcICQoLDA0ODw==\",\"stored_key\":"
    "\"dcyhbDlqXtUsXW3uRwONTBy383kl73db+Jx+MuvtraM=\",\"server_key\":"
    "\"HQBQTH+Y9JxYxKTMfz4MhSNX86pcKFMTmppWy7bwuoM=\"}}";
static const char argon2_vector[] =
    "{\"version\":\"1.2\",\"protocol\":\"scram\",\"params\":{\"kdf\":\"argon2id13\","
    "\"iterations\":2,\"memory\":1048576},\"data\":{\"salt\":\"AAECAwQFBgcICQoLDA0ODw==\","
    "\"stored_key\":\"i77KLmUxXf15DZ+EQwQUMFdaOYS9iIYmEMYixO2yzxA=\",\"server_key\":"
    "\"wkE+JoXjXXQ/F0Zgfw7Q+B/NAgIuij+TAEwUJheooRA=\"}}";
static const char old_base64[] =
    "{\"version\":\"1.1\",\"auth_name\":\"pbkdf2\",\"hash_func\":\"sha256\",\"hash_pass\":"
    "\"y/BvFWWlc3e2LKCTyN6/XwYIKEw6baPby2ScakYe4+k=\",\"iterations\":10000,\"salt\":"
    "\"AAECAwQFBgcICQoLDA0ODw==\"}";
static const char old_sha1[] =
    "{\"auth_name\":\"pbkdf2\",\"hash_func\":\"sha\",\"hash_pass\":"
    "\"5073737427adc9d6169f6061c43b67734c134c92\",\"iterations\":1000,\"salt\":\"oldsalt\"}";
static const char old_sha512[] =
    "{\"version\":\"1.0\",\"hash_func\":\"sha512\",\"hash_pass\":"
    "\"cecdcb31bba457dbb78f98925462a9e92cac075b090fc49ccc8ac61c17950b71"
    "7e41ceb064689a8449636dccc3a571aaee83607f6dac4ee9f6ce247965d5e9f8\",\"iterations\":1000,"
    "\"salt\":\"oldsalt\"}";

static void known_verifiers_take_the_password(void **state)
{
    static const struct {
        const char *text;
        bool cra, scram, is_weaker;
    } cases[] = {
        {cra_vector, true, false, false},   {scram_vector, false, true, true},
        {argon2_vector, false, true, true}, {old_base64, true, false, false},
        {old_sha1, false, false, true},     {old_sha512, false, false, true},
    };
    struct bondy_password_opts opts = CHEAP;

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        json_t *input = tree(cases[i].text), *stored, *again;
        struct bondy_password_cra cra;
        struct bondy_password_scram scram;

        assert_null(bondy_password_parse(input, &stored));
        assert_true(verify(stored, PASSWORD));
        assert_false(verify(stored, "kettle-46-ropE"));
        assert_int_equal(bondy_password_find_cra(stored, &cra), cases[i].cra);
        assert_int_equal(bondy_password_find_scram(stored, &scram), cases[i].scram);
        assert_int_equal(bondy_password_is_weaker(stored, &opts), cases[i].is_weaker);
        if (cases[i].cra)
            assert_string_equal(cra.key, "y/BvFWWlc3e2LKCTyN6/XwYIKEw6baPby2ScakYe4+k=");
        /* What was stored is read again as the same. */
        assert_null(bondy_password_parse(stored, &again));
        assert_true(json_equal(stored, again));
        json_decref(again);
        json_decref(stored);
        json_decref(input);
    }
}

/* `vector` with the first `from` replaced by `to`, as a tree. */
static json_t *altered(const char *vector, const char *from, const char *to)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    const char *at = strstr(vector, from);
    json_t *value;

    assert_non_null(at);
    bondy_buf_append(&text, vector, (size_t)(at - vector));
    bondy_buf_append_text(&text, to);
    bondy_buf_append_text(&text, at + strlen(from));
    value = bondy_json_parse(bondy_buf_slice(&text), 32, NULL);
    assert_non_null(value);
    bondy_buf_fini(&text);
    return value;
}

static void hashed_passwords_of_a_wrong_shape_are_refused(void **state)
{
    static const struct {
        const char *vector, *from, *to;
    } cases[] = {
        {cra_vector, "\"1.2\"", "\"1.3\""},
        {cra_vector, "\"cra\"", "\"srp\""},
        {cra_vector, "\"type\":\"password\"", "\"type\":\"user\""},
        {cra_vector, "\"type\"", "\"types\""},
        {cra_vector, "\"pbkdf2\"", "\"argon2id13\""},
        {cra_vector, "10000", "4095"},
        {cra_vector, "10000", "1000001"},
        {cra_vector, "10000", "-1"},
        {cra_vector, "10000", "4294971392"},
        {cra_vector, "10000", "1e4"},
        {cra_vector, "\"iterations\":10000,", ""},
        {cra_vector, "\"hash_length\":32", "\"hash_length\":31"},
        {cra_vector, "\"sha256\"", "\"md5\""},
        {cra_vector, "ODw==\"", "ODw\""},
        {cra_vector, "ODw==\"", "ODx==\""},
        {cra_vector, "Ye4+k=", "Ye4+l="},
        {cra_vector, "Ye4+k=", "Ye4-k="},
        {cra_vector, "\"salted_password\"", "\"stored_key\""},
        {cra_vector, "\"data\":{", "\"data\":{\"extra\":1,"},
        {cra_vector, "\"params\":{", "\"params\":{\"memory\":1048576,"},
        {cra_vector, "\"params\":{", "\"params\":{\"cost\":1,"},
        {scram_vector, "\"server_key\":", "\"server_kez\":"},
        {scram_vector, "\"stored_key\":\"d", "\"stored_key\":\"dd"},
        {argon2_vector, "1048576", "8191"},
        {argon2_vector, "1048576", "1073742848"},
        {argon2_vector, "\"iterations\":2,", "\"iterations\":0,"},
        {argon2_vector, "\"iterations\":2,", "\"iterations\":4194304,"},
        {argon2_vector, "\"iterations\":2,", "\"iterations\":4294967296,"},
        {argon2_vector, ",\"memory\":1048576", ""},
        {old_base64, "10000", "1000001"},
        {old_base64, "+k=", "+k"},
        {old_base64, "\"pbkdf2\"", "\"bcrypt\""},
        {old_sha1, "\"sha\"", "\"md5\""},
        {old_sha1, "4c92\"", "4c9\""},
        {old_sha1, "4c92\"", "4c9g\""},
        {old_sha1, "\"oldsalt\"", "\"\""},
        {old_sha1, "\"oldsalt\"", "\"old salt\""},
        {old_sha1, "\"salt\"", "\"pepper\""},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        json_t *input = altered(cases[i].vector, cases[i].from, cases[i].to), *stored;
        json_t *problem = bondy_password_parse(input, &stored);

        if (problem == NULL)
            fail_msg("%s for %s is taken", cases[i].to, cases[i].from);
        assert_null(stored);
        assert_slice_is(bondy_json_text(problem, "key"), "password");
        assert_null(json_object_get(problem, "value"));
        json_decref(problem);
        json_decref(input);
    }
}

static void an_array_has_one_object_of_each_protocol(void **state)
{
    static const char *const formats[] = {"[]", "[%s,%s]", "[%s,%s,%s]", "[%s,7]", "7", "\"text\""};

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(formats); i++) {
        char text[2048];
        json_t *input, *stored;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(text, sizeof text, formats[i], cra_vector, cra_vector, cra_vector);
#pragma GCC diagnostic pop
        input = tree(text);
        assert_string_not_equal(code_of(bondy_password_parse(input, &stored)), "");
        assert_null(stored);
        json_decref(input);
    }
}

/* ---- equal cost --------------------------------------------------------------------------- */

static void an_unknown_user_costs_what_a_known_one_does(void **state)
{
    struct bondy_password_opts forms[3] = {CHEAP, CHEAP, CHEAP};

    (void)state;
    forms[1].scram = true;
    forms[2].cra = false;
    forms[2].scram = true;
    forms[2].scram_cost = (struct bondy_kdf_cost){BONDY_KDF_ARGON2ID13, 1, 64};
    for (size_t i = 0; i < BONDY_COUNT(forms); i++) {
        static const char *const texts[] = {PASSWORD, "wrong", "\xff not text", ""};
        json_t *stored = make(forms[i]);

        for (size_t j = 0; j < BONDY_COUNT(texts); j++) {
            unsigned char known[sizeof spent];

            memset(&spent, 0, sizeof spent);
            verify(stored, texts[j]);
            assert_int_equal(spent.pbkdf2 + spent.argon2, 1);
            memcpy(known, &spent, sizeof spent);
            memset(&spent, 0, sizeof spent);
            bondy_password_waste_wait(&forms[i], bondy_slice_text(texts[j]));
            assert_memory_equal(known, &spent, sizeof spent);
        }
        json_decref(stored);
    }
}

static void a_record_that_cannot_be_read_costs_nothing(void **state)
{
    json_t *bomb = altered(cra_vector, "10000", "4000000000");
    json_t *stored = json_pack("[o]", bomb);

    (void)state;
    assert_false(verify(stored, PASSWORD));
    assert_int_equal(spent.pbkdf2, 0);
    json_decref(stored);
}

/* ---- weaker ------------------------------------------------------------------------------- */

static void a_password_is_made_again_when_it_is_weaker(void **state)
{
    struct bondy_password_opts opts = CHEAP;
    json_t *stored = make(opts);

    (void)state;
    assert_false(bondy_password_is_weaker(stored, &opts));
    opts.cra_iterations = 4095; /* the stored one is dearer */
    assert_false(bondy_password_is_weaker(stored, &opts));
    opts.cra_iterations = 4097;
    assert_true(bondy_password_is_weaker(stored, &opts));
    opts = CHEAP;
    opts.scram = true;
    assert_true(bondy_password_is_weaker(stored, &opts));
    json_decref(stored);
    stored = make(opts);
    assert_false(bondy_password_is_weaker(stored, &opts));
    opts.scram_cost = (struct bondy_kdf_cost){BONDY_KDF_ARGON2ID13, 1, 64};
    assert_true(bondy_password_is_weaker(stored, &opts));
    json_decref(stored);
    stored = make(opts);
    opts.scram_cost.memory_kib = 65;
    assert_true(bondy_password_is_weaker(stored, &opts));
    opts.scram_cost = CHEAP.scram_cost;
    assert_false(bondy_password_is_weaker(stored, &opts));
    json_decref(stored);
}

/* ---- password_opts ------------------------------------------------------------------------ */

static void options_are_read_and_shown(void **state)
{
    static const struct {
        const char *input, *shown;
    } cases[] = {
        {"{}", "{\"params\":{\"iterations\":65536,\"kdf\":\"pbkdf2\"},\"protocol\":\"cra\"}"},
        {"{\"protocol\":\"cra\",\"params\":{\"kdf\":\"pbkdf2\",\"iterations\":10000}}",
         "{\"params\":{\"iterations\":10000,\"kdf\":\"pbkdf2\"},\"protocol\":\"cra\"}"},
        {"{\"protocol\":\"scram\",\"params\":{\"iterations\":5000,\"memory\":null}}",
         "{\"params\":{\"iterations\":5000,\"kdf\":\"pbkdf2\"},\"protocol\":\"scram\"}"},
        {"{\"protocol\":\"scram\",\"params\":{\"kdf\":\"argon2id13\"}}",
         "{\"params\":{\"iterations\":3,\"kdf\":\"argon2id13\",\"memory\":67108864},"
         "\"protocol\":\"scram\"}"},
        {"{\"protocol\":\"scram\",\"params\":{\"kdf\":\"argon2id13\",\"iterations\":\"sensitive\","
         "\"memory\":\"moderate\"}}",
         "{\"params\":{\"iterations\":4,\"kdf\":\"argon2id13\",\"memory\":268435456},"
         "\"protocol\":\"scram\"}"},
        {"{\"protocol\":\"scram\",\"params\":{\"kdf\":\"argon2id13\",\"iterations\":7,"
         "\"memory\":8192}}",
         "{\"params\":{\"iterations\":7,\"kdf\":\"argon2id13\",\"memory\":8192},\"protocol\":"
         "\"scram\"}"},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_password_opts opts = BONDY_PASSWORD_OPTS_DEFAULT, again;
        json_t *input = tree(cases[i].input), *shown;
        struct bondy_buf text = BONDY_BUF_EMPTY;

        assert_null(bondy_password_opts_parse(input, &opts, &opts));
        shown = bondy_password_opts_format(&opts);
        bondy_json_canonical(shown, &text);
        assert_slice_is(bondy_buf_slice(&text), cases[i].shown);
        again = BONDY_PASSWORD_OPTS_DEFAULT;
        assert_null(bondy_password_opts_parse(shown, &again, &again));
        assert_int_equal(again.cra, opts.cra);
        assert_int_equal(again.scram_cost.kind, opts.scram_cost.kind);
        bondy_buf_fini(&text);
        json_decref(shown);
        json_decref(input);
    }
}

static void bad_options_are_refused_by_name(void **state)
{
    static const struct {
        const char *input, *code;
    } cases[] = {
        {"7", "bondy.error.invalid_datatype"},
        {"{\"protocol\":7}", "bondy.error.invalid_datatype"},
        {"{\"protocol\":\"srp\"}", "bondy.error.invalid_value"},
        {"{\"params\":[]}", "bondy.error.invalid_datatype"},
        {"{\"protcol\":\"cra\"}", "bondy.error.invalid_data"},
        {"{\"params\":{\"iteration\":1}}", "bondy.error.invalid_data"},
        {"{\"params\":{\"iterations\":4095}}", "bondy.error.invalid_value"},
        {"{\"params\":{\"iterations\":1000001}}", "bondy.error.invalid_value"},
        {"{\"params\":{\"iterations\":5000.5}}", "bondy.error.invalid_datatype"},
        {"{\"params\":{\"iterations\":\"moderate\"}}", "bondy.error.invalid_datatype"},
        {"{\"params\":{\"memory\":8192}}", "bondy.error.invalid_value"},
        {"{\"params\":{\"salt\":\"AAECAwQFBgcICQoLDA0ODw==\"}}", "bondy.error.invalid_value"},
        {"{\"params\":{\"kdf\":\"argon2id13\"}}", "bondy.error.invalid_value"},
        {"{\"params\":{\"kdf\":\"bcrypt\"}}", "bondy.error.invalid_value"},
        {"{\"protocol\":\"srp\",\"params\":{\"kdf\":\"bcrypt\"}}", "bondy.error.invalid_data"},
        {"{\"protocol\":\"scram\",\"params\":{\"kdf\":\"argon2id13\",\"iterations\":0}}",
         "bondy.error.invalid_value"},
        {"{\"protocol\":\"scram\",\"params\":{\"kdf\":\"argon2id13\",\"memory\":8191}}",
         "bondy.error.invalid_value"},
        {"{\"protocol\":\"scram\",\"params\":{\"kdf\":\"argon2id13\",\"memory\":1073741825}}",
         "bondy.error.invalid_value"},
        {"{\"protocol\":\"scram\",\"params\":{\"kdf\":\"argon2id13\",\"iterations\":5,"
         "\"memory\":\"sensitive\"}}",
         "bondy.error.invalid_value"},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_password_opts opts = BONDY_PASSWORD_OPTS_DEFAULT, before = opts;
        json_t *input = tree(cases[i].input);
        const char *code = code_of(bondy_password_opts_parse(input, &opts, &opts));

        if (strcmp(code, cases[i].code) != 0)
            fail_msg("%s: '%s', expected %s", cases[i].input, code, cases[i].code);
        assert_memory_equal(&before, &opts, sizeof opts);
        json_decref(input);
    }
}

/* ---- policy ------------------------------------------------------------------------------- */

static void passwords_are_printable_text_of_the_right_length(void **state)
{
    static const struct {
        const char *text;
        bool is_taken, is_taken_as_legacy;
    } cases[] = {
        {"kettle-46-rope", true, true},
        {"1234567", false, false},
        {"12345678", true, true},
        {"pass word", true, false},
        {"pass:word", true, false},
        {"Stra\xc3\x9f"
         "e-46",
         true, false},
        /* seven characters of three octets */
        {"\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac",
         false, false},
        {"tab\there-46", false, false},
        {"bell\x07here-46", false, false},
        {"delete\x7fhere", false, false},
        {"c1\xc2\x85-control", false, false},
        {"broken\xc3-utf8", false, false},
        {"", false, false},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_slice text = bondy_slice_text(cases[i].text);
        json_t *problem = bondy_password_check(text, 8, 254, false);

        if ((problem == NULL) != cases[i].is_taken)
            fail_msg("'%s': %s", cases[i].text, bondy_problem_code(problem));
        if (problem != NULL) {
            assert_slice_is(bondy_json_text(problem, "key"), "password");
            assert_null(json_object_get(problem, "value"));
        }
        json_decref(problem);
        problem = bondy_password_check(text, 8, 254, true);
        assert_int_equal(problem == NULL, cases[i].is_taken_as_legacy);
        json_decref(problem);
    }
    assert_string_not_equal(
        code_of(bondy_password_check(bondy_slice_of("nul\0here-46", 11), 8, 254, false)), "");
}

/* One character typed in two ways is one password. */
static void scram_normalises_what_is_typed(void **state)
{
    struct bondy_password_opts opts = CHEAP;
    json_t *stored;

    (void)state;
    opts.cra = false;
    opts.scram = true;
    stored = bondy_password_make_wait(BONDY_SLICE("caf\xc3\xa9-46-rope"), &opts, NULL);
    assert_true(verify(stored, "cafe\xcc\x81-46-rope"));
    json_decref(stored);
    assert_null(bondy_password_make_wait(BONDY_SLICE("bell\x07here-46"), &opts, NULL));
    opts.scram = false;
    assert_null(bondy_password_make_wait(BONDY_SLICE(PASSWORD), &opts, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_verifiers_have_the_stored_form),
        cmocka_unit_test(every_form_verifies_its_password_and_no_other),
        cmocka_unit_test(a_password_is_stored_with_a_salt_of_its_own),
        cmocka_unit_test(known_verifiers_take_the_password),
        cmocka_unit_test(hashed_passwords_of_a_wrong_shape_are_refused),
        cmocka_unit_test(an_array_has_one_object_of_each_protocol),
        cmocka_unit_test(an_unknown_user_costs_what_a_known_one_does),
        cmocka_unit_test_setup(a_record_that_cannot_be_read_costs_nothing, forget_spent),
        cmocka_unit_test(a_password_is_made_again_when_it_is_weaker),
        cmocka_unit_test(options_are_read_and_shown),
        cmocka_unit_test(bad_options_are_refused_by_name),
        cmocka_unit_test(passwords_are_printable_text_of_the_right_length),
        cmocka_unit_test(scram_normalises_what_is_typed),
    };

    assert_int_equal(bondy_id_start(NULL), BONDY_OK);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
