/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <jwt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/base/json.h"
#include "src/security/credential/kdf.h"
#include "src/security/credential/token.h"

#define URLSAFE sodium_base64_VARIANT_URLSAFE_NO_PADDING

static struct bondy_key *key, *other_key, *rsa_key;

/* ---- making tokens that the code would not make ------------------------------------------- */

static void append_base64url(struct bondy_buf *out, const void *octets, size_t len)
{
    size_t room = sodium_base64_ENCODED_LEN(len, URLSAFE);

    sodium_bin2base64(bondy_buf_reserve(out, room), room, octets, len, URLSAFE);
    out->len += room - 1;
}

enum signer { BY_KEY, BY_OTHER_KEY, BY_PUBLIC_PEM, BY_NOBODY };

/* The signature as r and s, each 32 octets. */
static void append_es256(struct bondy_buf *out, const struct bondy_key *by)
{
    gnutls_datum_t pem = {(unsigned char *)by->pem, (unsigned)strlen(by->pem)};
    gnutls_datum_t text = {(unsigned char *)out->data, (unsigned)out->len - 1};
    gnutls_datum_t der, r, s;
    gnutls_privkey_t private;
    uint8_t raw[64] = {0};

    assert_int_equal(gnutls_privkey_init(&private), 0);
    assert_int_equal(gnutls_privkey_import_x509_raw(private, &pem, GNUTLS_X509_FMT_PEM, NULL, 0),
                     0);
    assert_int_equal(gnutls_privkey_sign_data2(private, GNUTLS_SIGN_ECDSA_SHA256, 0, &text, &der),
                     0);
    assert_int_equal(gnutls_decode_rs_value(&der, &r, &s), 0);
    for (unsigned i = 0; i < r.size && i < 32; i++)
        raw[31 - i] = r.data[r.size - 1 - i];
    for (unsigned i = 0; i < s.size && i < 32; i++)
        raw[63 - i] = s.data[s.size - 1 - i];
    append_base64url(out, raw, sizeof raw);
    gnutls_free(der.data);
    gnutls_free(r.data);
    gnutls_free(s.data);
    gnutls_privkey_deinit(private);
}

/* A token of these texts; $kid stands for the key's. The caller ends it with bondy_free(). */
static char *craft(const char *header, const char *claims, enum signer by)
{
    struct bondy_buf text = BONDY_BUF_EMPTY, out = BONDY_BUF_EMPTY;
    const char *at = strstr(header, "$kid");
    uint8_t mac[BONDY_KDF_LEN];

    bondy_buf_append(&text, header, at == NULL ? strlen(header) : (size_t)(at - header));
    if (at != NULL) {
        bondy_buf_append_text(&text, key->kid);
        bondy_buf_append_text(&text, at + 4);
    }
    append_base64url(&out, text.data, text.len);
    bondy_buf_append_byte(&out, '.');
    append_base64url(&out, claims, strlen(claims));
    bondy_buf_append_byte(&out, '.');
    if (by == BY_KEY || by == BY_OTHER_KEY)
        append_es256(&out, by == BY_KEY ? key : other_key);
    if (by == BY_PUBLIC_PEM) {
        bondy_hmac_sha256(bondy_slice_text(key->public_pem), bondy_slice_of(out.data, out.len - 1),
                          mac);
        append_base64url(&out, mac, sizeof mac);
    }
    bondy_buf_fini(&text);
    return bondy_buf_take_text(&out);
}

static int verify_text(const char *jws, const struct bondy_key *with)
{
    struct bondy_token token;
    int rc = bondy_token_verify(bondy_slice_text(jws), with, &token, NULL);

    bondy_token_fini(&token);
    return rc;
}

static char *sign(const char *claims_text, const char *typ)
{
    json_t *claims = bondy_json_parse(bondy_slice_text(claims_text), 32, NULL);
    char *jws;

    assert_int_equal(bondy_token_sign(claims, typ, key, &jws, NULL), BONDY_OK);
    json_decref(claims);
    return jws;
}

/* ---- signatures --------------------------------------------------------------------------- */

static void what_is_signed_is_verified(void **state)
{
    static const char claims[] = "{\"sub\":\"mona\",\"n\":9007199254740993,\"f\":1.5,\"l\":[{}]}";
    char *jws = sign(claims, "at+jwt");
    json_t *expected = bondy_json_parse(bondy_slice_text(claims), 32, NULL);
    struct bondy_token token;
    struct bondy_error err;

    (void)state;
    if (bondy_token_verify(bondy_slice_text(jws), key, &token, &err) < 0)
        fail_msg("%s", err.text);
    assert_slice_is(token.alg, "ES256");
    assert_slice_is(token.typ, "at+jwt");
    assert_slice_is(token.kid, key->kid);
    assert_int_equal(json_object_size(token.header), 3);
    assert_true(json_equal(token.claims, expected));
    bondy_token_fini(&token);
    assert_int_equal(bondy_token_peek(bondy_slice_text(jws), &token, NULL), BONDY_OK);
    bondy_token_fini(&token);
    json_decref(expected);
    bondy_free(jws);
}

static void tokens_that_must_not_verify(void **state)
{
    static const char claims[] = "{\"sub\":\"mona\"}";
    static const struct {
        const char *header, *claims;
        enum signer by;
        int code;
    } cases[] = {
        {"{\"alg\":\"ES256\",\"kid\":\"$kid\"}", claims, BY_KEY, BONDY_OK},
        {"{\"alg\":\"ES256\",\"kid\":\"$kid\"}", claims, BY_OTHER_KEY, BONDY_EDENIED},
        /* J1 */
        {"{\"alg\":\"none\",\"kid\":\"$kid\"}", claims, BY_NOBODY, BONDY_EINVAL},
        {"{\"alg\":\"none\",\"kid\":\"$kid\"}", claims, BY_KEY, BONDY_EDENIED},
        {"{\"alg\":\"NONE\",\"kid\":\"$kid\"}", claims, BY_KEY, BONDY_EDENIED},
        {"{\"alg\":\"nOnE\",\"kid\":\"$kid\"}", claims, BY_KEY, BONDY_EDENIED},
        {"{\"alg\":\"es256\",\"kid\":\"$kid\"}", claims, BY_KEY, BONDY_EDENIED},
        {"{\"alg\":\"ES256 \",\"kid\":\"$kid\"}", claims, BY_KEY, BONDY_EDENIED},
        {"{\"alg\":\"ES256\\u0000\",\"kid\":\"$kid\"}", claims, BY_KEY, BONDY_EDENIED},
        {"{\"alg\":\"\",\"kid\":\"$kid\"}", claims, BY_KEY, BONDY_EINVAL},
        {"{\"kid\":\"$kid\"}", claims, BY_KEY, BONDY_EINVAL},
        {"{\"alg\":null,\"kid\":\"$kid\"}", claims, BY_KEY, BONDY_EINVAL},
        {"{\"alg\":7,\"kid\":\"$kid\"}", claims, BY_KEY, BONDY_EINVAL},
        {"{\"alg\":[\"ES256\"],\"kid\":\"$kid\"}", claims, BY_KEY, BONDY_EINVAL},
        {"{\"ALG\":\"ES256\",\"kid\":\"$kid\"}", claims, BY_KEY, BONDY_EINVAL},
        {"{\"alg\":\"none\",\"alg\":\"ES256\",\"kid\":\"$kid\"}", claims, BY_KEY, BONDY_EINVAL},
        {"{\"alg\":\"ES256\",\"kid\":\"$kid\"}", claims, BY_NOBODY, BONDY_EINVAL},
        /* J2 */
        {"{\"alg\":\"HS256\",\"kid\":\"$kid\"}", claims, BY_PUBLIC_PEM, BONDY_EDENIED},
        {"{\"alg\":\"ES256\",\"kid\":\"$kid\"}", claims, BY_PUBLIC_PEM, BONDY_EDENIED},
        {"{\"alg\":\"HS512\",\"kid\":\"$kid\"}", claims, BY_KEY, BONDY_EDENIED},
        {"{\"alg\":\"RS256\",\"kid\":\"$kid\"}", claims, BY_KEY, BONDY_EDENIED},
        {"{\"alg\":\"ES384\",\"kid\":\"$kid\"}", claims, BY_KEY, BONDY_EDENIED},
        /* J3 */
        {"{\"alg\":\"ES256\"}", claims, BY_KEY, BONDY_EDENIED},
        {"{\"alg\":\"ES256\",\"kid\":\"\"}", claims, BY_KEY, BONDY_EINVAL},
        {"{\"alg\":\"ES256\",\"kid\":7}", claims, BY_KEY, BONDY_EINVAL},
        {"{\"alg\":\"ES256\",\"kid\":\"../../$kid\"}", claims, BY_KEY, BONDY_EDENIED},
        {"{\"alg\":\"ES256\",\"kid\":\"$kid' OR '1'='1\"}", claims, BY_KEY, BONDY_EDENIED},
        {"{\"alg\":\"ES256\",\"kid\":\"$kid\\u0000\"}", claims, BY_KEY, BONDY_EDENIED},
        {"{\"alg\":\"ES256\",\"kid\":\"https://evil.example/$kid\"}", claims, BY_OTHER_KEY,
         BONDY_EDENIED},
        {"{\"alg\":\"ES256\",\"kid\":"
         "\"0123456789012345678901234567890123456789012345678901234567890"
         "12345678901234567890123456789012345678901234567890123456789012345678\"}",
         claims, BY_KEY, BONDY_EINVAL},
        {"{\"alg\":\"ES256\",\"kid\":\"$kid\",\"jku\":\"https://evil.example/k\"}", claims,
         BY_OTHER_KEY, BONDY_EDENIED},
        {"{\"alg\":\"ES256\",\"kid\":\"$kid\",\"x5u\":\"https://evil.example/k\"}", claims,
         BY_OTHER_KEY, BONDY_EDENIED},
        {"{\"alg\":\"ES256\",\"kid\":\"$kid\",\"jwk\":{\"kty\":\"EC\"}}", claims, BY_OTHER_KEY,
         BONDY_EDENIED},
        {"{\"alg\":\"ES256\",\"kid\":\"$kid\",\"jwk\":{\"kty\":\"EC\"}}", claims, BY_KEY, BONDY_OK},
        {"{\"alg\":\"ES256\",\"kid\":\"$kid\"}", "{\"kid\":\"another\"}", BY_KEY, BONDY_EINVAL},
        {"{\"alg\":\"ES256\",\"kid\":\"$kid\",\"crit\":[\"b64\"],\"b64\":false}", claims, BY_KEY,
         BONDY_EINVAL},
        {"{\"alg\":\"ES256\",\"kid\":\"$kid\",\"typ\":7}", claims, BY_KEY, BONDY_EINVAL},
        /* J5 and the rest */
        {"[\"alg\",\"ES256\"]", claims, BY_KEY, BONDY_EINVAL},
        {"{\"alg\":\"ES256\",\"kid\":\"$kid\"}", "[]", BY_KEY, BONDY_EINVAL},
        {"{\"alg\":\"ES256\",\"kid\":\"$kid\"}", "{\"a\":1,\"a\":2}", BY_KEY, BONDY_EINVAL},
        {"{\"alg\":\"ES256\",\"kid\":\"$kid\"}", "{\"exp\":9223372036854775808}", BY_KEY,
         BONDY_EINVAL},
        {"{\"alg\":\"ES256\",\"kid\":\"$kid\"}", "{\"exp\":1e999}", BY_KEY, BONDY_EINVAL},
        {"{\"alg\":\"ES256\",\"kid\":\"$kid\"}", "{\"s\":\"\xff\"}", BY_KEY, BONDY_EINVAL},
        {"{\"alg\":\"ES256\",\"kid\":\"$kid\"}", "{} {}", BY_KEY, BONDY_EINVAL},
        {"{\"alg\":\"ES256\",\"kid\":\"$kid\"}", "{\"d\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}", BY_KEY,
         BONDY_EINVAL},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        char *jws = craft(cases[i].header, cases[i].claims, cases[i].by);
        int rc = verify_text(jws, key);

        if (rc != cases[i].code)
            fail_msg("%s %s: %s, expected %s", cases[i].header, cases[i].claims,
                     bondy_code_name(rc), bondy_code_name(cases[i].code));
        bondy_free(jws);
    }
}

/* Signed by OpenSSL. */
static void a_token_made_elsewhere_verifies(void **state)
{
    static const char public_pem[] =
        "-----BEGIN PUBLIC KEY-----\n"
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAErrEH2qAyQznbsJjIz6XoEMAkTm3m\n"
        "eUH8DKtM9NxwdQn1S02Jnin+PVTDZOFCN0UFymm4r//vd/SRthPQQnTQYg==\n"
        "-----END PUBLIC KEY-----\n";
    static const char jws[] =
        "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6IjExOTM4NDkyMCJ9.eyJpZCI6IjAxOTA"
        "iLCJ2c24iOiIxLjEiLCJpYXQiOjE3NjczMjI4MDAsImV4cCI6MTc2NzMyNjQwMCwiaXNzIjoib3JnLmF"
        "jbWUuc3NvIiwiYXVkIjpbIngiLCJvcmcuYWNtZS5zc28iXSwic3ViIjoibW9uYSIsImF1dGgiOnsic2N"
        "vcGUiOnsicmVhbG0iOiJvcmcuYWNtZS5zaG9wIiwiY2xpZW50X2lkIjoiYWxsIiwiZGV2aWNlX2lkIjo"
        "iYWxsIn0sInJvbGVzIjpbXX0sIm5iZiI6MTc2NzMyMjgwMCwianRpIjoiYSJ9.cPTKzHCqh1V2HS_OhD"
        "dLQdMNENr8ufKXDIsiDIbhRIJN1FydH-wyyBZVndhVyXd3AtKWqsko8P9-aubxmeWqGA";
    struct bondy_key *theirs;

    (void)state;
    assert_int_equal(bondy_key_parse(bondy_slice_text(public_pem), BONDY_KEY_EC_P256,
                                     BONDY_SLICE("119384920"), &theirs, NULL),
                     BONDY_OK);
    assert_int_equal(verify_text(jws, theirs), BONDY_OK);
    bondy_key_destroy(theirs);
}

/* Another implementation of ES256 takes what is signed here; what that one signs over GnuTLS has r
 * and s of 66 octets, which the standard has not, and is refused. */
static void another_implementation_agrees(void **state)
{
    char *jws = sign("{\"sub\":\"mona\"}", "JWT"), *theirs;
    const unsigned char *pem = (const unsigned char *)key->public_pem;
    jwt_t *jwt;

    (void)state;
    assert_int_equal(jwt_decode(&jwt, jws, pem, (int)strlen(key->public_pem)), 0);
    assert_string_equal(jwt_get_grant(jwt, "sub"), "mona");
    assert_int_equal(jwt_add_header(jwt, "kid", key->kid), EEXIST);
    assert_int_equal(
        jwt_set_alg(jwt, JWT_ALG_ES256, (const unsigned char *)key->pem, (int)strlen(key->pem)), 0);
    theirs = jwt_encode_str(jwt);
    assert_non_null(theirs);
    if (strlen(strrchr(theirs, '.')) > 87)
        assert_int_equal(verify_text(theirs, key), BONDY_EDENIED);
    else
        assert_int_equal(verify_text(theirs, key), BONDY_OK);
    free(theirs);
    jwt_free(jwt);
    bondy_free(jws);
}

/* Bondy's access tokens name the key in the claims only. */
static void the_claims_may_name_the_key(void **state)
{
    char claims[BONDY_KID_MAX + 16];
    char *jws;

    (void)state;
    snprintf(claims, sizeof claims, "{\"kid\":\"%s\"}", key->kid);
    jws = craft("{\"alg\":\"ES256\",\"typ\":\"JWT\"}", claims, BY_KEY);
    assert_int_equal(verify_text(jws, key), BONDY_OK);
    bondy_free(jws);
    jws = craft("{\"alg\":\"ES256\",\"typ\":\"JWT\"}", "{\"kid\":\"another\"}", BY_KEY);
    assert_int_equal(verify_text(jws, key), BONDY_EDENIED);
    bondy_free(jws);
}

static void without_a_usable_key_nothing_verifies(void **state)
{
    char *jws = sign("{\"sub\":\"mona\"}", "JWT");
    struct bondy_key broken = *key;
    char empty[] = "";
    json_t *claims = json_object();
    char *out;

    (void)state;
    assert_int_equal(verify_text(jws, key), BONDY_OK);
    assert_int_equal(verify_text(jws, NULL), BONDY_EDENIED);
    broken.public_pem = NULL;
    assert_int_equal(verify_text(jws, &broken), BONDY_EDENIED);
    broken.public_pem = empty;
    assert_int_equal(verify_text(jws, &broken), BONDY_EDENIED);
    broken = *key;
    broken.alg = NULL;
    assert_int_equal(verify_text(jws, &broken), BONDY_EDENIED);
    broken = *rsa_key;
    memcpy(broken.kid, key->kid, sizeof broken.kid);
    broken.alg = "ES256";
    assert_int_equal(verify_text(jws, &broken), BONDY_EDENIED);
    broken = *key;
    broken.alg = "HS256";
    assert_int_equal(verify_text(jws, &broken), BONDY_EDENIED);
    /* Nor is anything signed without the private key. */
    broken = *key;
    broken.pem = NULL;
    assert_int_equal(bondy_token_sign(claims, "JWT", &broken, &out, NULL), BONDY_EINVAL);
    assert_int_equal(bondy_token_sign(claims, "JWT", rsa_key, &out, NULL), BONDY_EINVAL);
    assert_int_equal(bondy_token_sign(claims, "JWT", NULL, &out, NULL), BONDY_EINVAL);
    json_decref(claims);
    bondy_free(jws);
}

static void every_changed_character_is_refused(void **state)
{
    char *jws = sign("{\"sub\":\"mona\"}", "JWT");
    size_t len = strlen(jws);

    (void)state;
    for (size_t i = 0; i < len; i++) {
        char kept = jws[i];

        for (unsigned bit = 0; bit < 7; bit++) {
            jws[i] = (char)(kept ^ 1 << bit);
            assert_true(verify_text(jws, key) < 0);
        }
        jws[i] = kept;
    }
    for (size_t cut = 0; cut < len; cut++) {
        struct bondy_token token;

        assert_true(bondy_token_verify(bondy_slice_of(jws, cut), key, &token, NULL) < 0);
    }
    bondy_free(jws);
}

static void base64url_is_strict(void **state)
{
    static const char *const forms[] = {
        "%.*s.%s.%s=", "%.*s.%s.%s\n", " %.*s.%s.%s", "%.*s..%s.%s", "%.*s.%s.%s.",
        "%.*s.%s%s",   ".%.*s.%s.%s",  "%.*s=.%s.%s", "%.*s.%s.",    "%.*s.%s=.%s",
    };
    char *jws = sign("{\"sub\":\"mona7\"}", "JWT");
    char *claims = strchr(jws, '.') + 1;
    char *signature = strchr(claims, '.') + 1;
    char text[1024];

    (void)state;
    claims[signature - claims - 1] = '\0';
    for (size_t i = 0; i < BONDY_COUNT(forms); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
        snprintf(text, sizeof text, forms[i], (int)(claims - jws - 1), jws, claims, signature);
#pragma GCC diagnostic pop
        if (verify_text(text, key) != BONDY_EINVAL)
            fail_msg("%s is taken", forms[i]);
    }
    claims[signature - claims - 1] = '.';
    for (unsigned octet = 0x80; octet <= 0xff; octet++) {
        signature[0] = (char)octet;
        assert_int_equal(verify_text(jws, key), BONDY_EINVAL);
    }
    bondy_free(jws);
}

static void a_token_has_a_greatest_size(void **state)
{
    char *text = bondy_zalloc(BONDY_TOKEN_MAX + 2);
    json_t *claims;
    struct bondy_token token;
    char *jws;

    (void)state;
    memset(text, 'A', BONDY_TOKEN_MAX + 1);
    text[100] = text[200] = '.';
    assert_int_equal(bondy_token_peek(bondy_slice_of(text, BONDY_TOKEN_MAX + 1), &token, NULL),
                     BONDY_ELIMIT);
    assert_int_equal(bondy_token_peek(bondy_slice_of(text, BONDY_TOKEN_MAX), &token, NULL),
                     BONDY_EINVAL);
    assert_int_equal(bondy_token_peek(BONDY_SLICE_EMPTY, &token, NULL), BONDY_EINVAL);
    text[BONDY_TOKEN_MAX] = '\0';
    claims = json_pack("{s:s}", "long", text);
    assert_int_equal(bondy_token_sign(claims, "JWT", key, &jws, NULL), BONDY_ELIMIT);
    json_decref(claims);
    bondy_free(text);
}

/* ---- claims ------------------------------------------------------------------------------- */

static char letter_of(enum bondy_token_reason reason)
{
    static const char letters[] = {[BONDY_TOKEN_OK] = 'o',
                                   [BONDY_TOKEN_MALFORMED] = 'm',
                                   [BONDY_TOKEN_WRONG_TYPE] = 't',
                                   [BONDY_TOKEN_EXPIRED] = 'x',
                                   [BONDY_TOKEN_NOT_YET] = 'n',
                                   [BONDY_TOKEN_WRONG_ISSUER] = 'i',
                                   [BONDY_TOKEN_WRONG_AUDIENCE] = 'a',
                                   [BONDY_TOKEN_WRONG_REALM] = 'r',
                                   [BONDY_TOKEN_WRONG_SUBJECT] = 's',
                                   [BONDY_TOKEN_WRONG_CLIENT] = 'c',
                                   [BONDY_TOKEN_WRONG_DEVICE] = 'd'};

    return letters[reason];
}

#define BASE                                                                                       \
    "{\"id\":\"0190\",\"vsn\":\"1.1\",\"iat\":1767322800,\"exp\":3600,\"iss\":\"org.acme.sso\","   \
    "\"aud\":\"org.acme.sso\",\"sub\":\"mona\",\"auth\":{\"scope\":{\"realm\":\"org.acme.shop\","  \
    "\"client_id\":\"all\",\"device_id\":\"all\"},\"roles\":[]}}"
#define REMOVED "\"(removed)\""

/* J4: what is changed of BASE, and the reason before, in and after its hour (letter_of). */
static const struct claim_case {
    const char *change, *expected, *claim;
} claim_cases[] = {
    {"{}", "nox", NULL},
    {"{\"exp\":1767326400,\"nbf\":1767322800,\"jti\":\"a\"}", "nox", NULL},
    {"{\"exp\":" REMOVED "}", "mmm", "exp"},
    {"{\"exp\":\"3600\"}", "mmm", "exp"},
    {"{\"exp\":3600.0}", "mmm", "exp"},
    {"{\"exp\":-1}", "mmm", "exp"},
    {"{\"exp\":null}", "mmm", "exp"},
    {"{\"exp\":true}", "mmm", "exp"},
    {"{\"exp\":0}", "nxx", "exp"},
    {"{\"exp\":9223372036854775807}", "noo", NULL},
    {"{\"exp\":999999999}", "noo", NULL},
    {"{\"exp\":1000000000}", "xxx", "exp"},
    {"{\"iat\":" REMOVED "}", "mmm", "iat"},
    {"{\"iat\":\"now\"}", "mmm", "iat"},
    {"{\"iat\":-9223372036854775807}", "mmm", "iat"},
    {"{\"iat\":1767400000,\"exp\":1767500000}", "nnn", "iat"},
    {"{\"iat\":9223372036854775807}", "mmm", "exp"},
    {"{\"iat\":9223372036854775807,\"exp\":9223372036854775807}", "nnn", "iat"},
    {"{\"nbf\":\"now\"}", "mmm", "nbf"},
    {"{\"nbf\":1767326000}", "nnx", "nbf"},
    {"{\"nbf\":9223372036854775807}", "nnx", "nbf"},
    {"{\"nbf\":0}", "nox", NULL},
    {"{\"iss\":\"org.acme.other\"}", "nix", "iss"},
    {"{\"iss\":\"api.acme.example/org.acme.sso\"}", "nox", NULL},
    {"{\"iss\":\"xorg.acme.sso\"}", "nix", "iss"},
    {"{\"iss\":\"/org.acme.sso\"}", "nix", "iss"},
    {"{\"iss\":\"org.acme.sso/org.acme.other\"}", "nix", "iss"},
    {"{\"iss\":" REMOVED "}", "nmx", "iss"},
    {"{\"aud\":\"org.acme.other\"}", "nax", "aud"},
    {"{\"aud\":\"org.acme.shop\"}", "nax", "aud"},
    {"{\"aud\":[\"x\",\"org.acme.sso\"]}", "nox", NULL},
    {"{\"aud\":[\"x\"]}", "nax", "aud"},
    {"{\"aud\":[]}", "nax", "aud"},
    {"{\"aud\":[\"org.acme.sso\",7]}", "nmx", "aud"},
    {"{\"aud\":" REMOVED "}", "nmx", "aud"},
    {"{\"sub\":\"Mona\"}", "nsx", "sub"},
    {"{\"sub\":\"mona\\u0000\"}", "nsx", "sub"},
    {"{\"sub\":" REMOVED "}", "nmx", "sub"},
    {"{\"auth\":{\"scope\":{\"realm\":\"all\"}}}", "nox", NULL},
    {"{\"auth\":{\"scope\":{\"realm\":\"org.acme.sso\"}}}", "nrx", "auth.scope.realm"},
    {"{\"auth\":{\"scope\":{\"realm\":null}}}", "nrx", "auth.scope.realm"},
    {"{\"auth\":{\"scope\":{\"realm\":7}}}", "nmx", "auth.scope.realm"},
    {"{\"auth\":{\"scope\":[]}}", "nmx", "auth.scope"},
    {"{\"auth\":\"all\"}", "nmx", "auth"},
    {"{\"auth\":" REMOVED "}", "nrx", "auth.scope.realm"},
    {"{\"vsn\":" REMOVED ",\"iss\":\"a-client\"}", "nox", NULL},
    {"{\"id\":" REMOVED "}", "mmm", "id"},
    {"{\"id\":" REMOVED ",\"jti\":\"0190\"}", "nox", NULL},
};

static json_t *changed(const char *base, const char *change_text)
{
    json_t *claims = bondy_json_parse(bondy_slice_text(base), 32, NULL);
    json_t *change = bondy_json_parse(bondy_slice_text(change_text), 32, NULL);
    const char *name;
    json_t *value;

    assert_non_null(claims);
    assert_non_null(change);
    json_object_foreach(change, name, value)
    {
        if (bondy_slice_is(bondy_json_text(change, name), "(removed)"))
            json_object_del(claims, name);
        else
            json_object_set(claims, name, value);
    }
    json_decref(change);
    return claims;
}

static void claims_are_checked_against_three_clocks(void **state)
{
    static const int64_t clocks[] = {1767322000, 1767322900, 1767330000};

    (void)state;
    assert_true(BONDY_COUNT(claim_cases) >= 30);
    for (size_t i = 0; i < BONDY_COUNT(claim_cases); i++) {
        const struct claim_case *c = &claim_cases[i];
        struct bondy_token token = {.claims = changed(BASE, c->change), .typ = BONDY_SLICE("JWT")};
        struct bondy_token_expect expect = {.realm = BONDY_SLICE("org.acme.shop"),
                                            .authrealm = BONDY_SLICE("org.acme.sso"),
                                            .authid = BONDY_SLICE("mona"),
                                            .leeway = 30};

        for (size_t j = 0; j < BONDY_COUNT(clocks); j++) {
            struct bondy_token_verdict verdict;

            expect.now = clocks[j];
            verdict = bondy_token_check_access(&token, &expect);
            if (letter_of(verdict.reason) != c->expected[j])
                fail_msg("%s at %ld: it %s (%s), expected %c", c->change, (long)clocks[j],
                         bondy_token_reason_text(verdict.reason), verdict.claim, c->expected[j]);
            assert_int_equal(verdict.claim == NULL, verdict.reason == BONDY_TOKEN_OK);
            if (j == 1 && c->claim != NULL)
                assert_string_equal(verdict.claim, c->claim);
        }
        json_decref(token.claims);
    }
}

static void an_access_token_has_a_type(void **state)
{
    static const struct {
        const char *typ;
        enum bondy_token_reason reason;
    } cases[] = {{"", BONDY_TOKEN_OK},
                 {"JWT", BONDY_TOKEN_OK},
                 {"at+jwt", BONDY_TOKEN_OK},
                 {"application/at+jwt", BONDY_TOKEN_OK},
                 {"bondy-ticket+jwt", BONDY_TOKEN_WRONG_TYPE},
                 {"logout+jwt", BONDY_TOKEN_WRONG_TYPE}};
    struct bondy_token_expect expect = {.realm = BONDY_SLICE("org.acme.shop"),
                                        .authrealm = BONDY_SLICE("org.acme.sso"),
                                        .now = 1767322900};

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_token token = {.claims = changed(BASE, "{}"),
                                    .typ = bondy_slice_text(cases[i].typ)};

        assert_int_equal(bondy_token_check_access(&token, &expect).reason, cases[i].reason);
        json_decref(token.claims);
    }
}

static void times_are_exact_at_their_edges(void **state)
{
    static const struct {
        const char *claims;
        int64_t now, leeway;
        char expected;
    } cases[] = {
        {"{\"exp\":1000}", 999, 0, 'o'},
        {"{\"exp\":1000}", 1000, 0, 'x'},
        {"{\"exp\":1000}", 1029, 30, 'o'},
        {"{\"exp\":1000}", 1030, 30, 'x'},
        {"{\"exp\":1000}", 1059, 3600, 'o'},
        {"{\"exp\":1000}", 1060, 3600, 'x'},
        {"{\"exp\":1000}", 1000, -5, 'x'},
        {"{\"exp\":1000}", 999, INT64_MIN, 'o'},
        {"{\"exp\":1000}", 1060, INT64_MAX, 'x'},
        {"{\"exp\":9223372036854775807}", INT64_MAX, 60, 'o'},
        {"{\"exp\":9223372036854775807}", INT64_MAX, 0, 'x'},
        {"{\"exp\":9223372036854775807}", 0, 60, 'o'},
        {"{\"exp\":0}", 0, 60, 'o'},
        {"{\"exp\":0}", 60, 60, 'x'},
        {"{\"exp\":1000,\"iat\":530}", 500, 30, 'o'},
        {"{\"exp\":1000,\"iat\":531}", 500, 30, 'n'},
        {"{\"exp\":1000,\"nbf\":530}", 500, 30, 'o'},
        {"{\"exp\":1000,\"nbf\":531}", 500, 30, 'n'},
        {"{\"exp\":9223372036854775807,\"iat\":9223372036854775807}", INT64_MAX, 60, 'o'},
        {"{\"exp\":9223372036854775807,\"nbf\":9223372036854775807}", 0, 60, 'n'},
        {"{\"exp\":1000}", INT64_MIN, 60, 'o'},
        {"{\"nbf\":0}", 0, 60, 'm'},
        {"{\"exp\":-9223372036854775808}", 0, 60, 'm'},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        json_t *claims = bondy_json_parse(bondy_slice_text(cases[i].claims), 4, NULL);
        char letter =
            letter_of(bondy_token_check_times(claims, cases[i].now, cases[i].leeway).reason);

        if (letter != cases[i].expected)
            fail_msg("%s at %ld +- %ld: %c, expected %c", cases[i].claims, (long)cases[i].now,
                     (long)cases[i].leeway, letter, cases[i].expected);
        json_decref(claims);
    }
}

/* ---- the rule that makes all this hold ---------------------------------------------------- */

/* Where the library's functions are named, outside of a word. */
static bool names_the_library(const char *text)
{
    for (const char *at = text; (at = strstr(at, "jwt_")) != NULL; at++)
        if (at == text || (!isalnum((unsigned char)at[-1]) && at[-1] != '_'))
            return true;
    return strstr(text, "<jwt.h>") != NULL;
}

static void check_file(const char *path, unsigned *count)
{
    static char text[1 << 20];
    FILE *file = fopen(path, "r");
    const char *end = path + strlen(path) - 2;
    size_t len;

    assert_non_null(file);
    len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[len] = '\0';
    if (strcmp(end, ".c") != 0 && strcmp(end, ".h") != 0)
        return;
    ++*count;
    if (names_the_library(text) && strstr(path, "/src/security/credential/token.c") == NULL)
        fail_msg("%s: libjwt is for src/security/credential/token.c", path);
}

static void check_folder(const char *folder, unsigned *count)
{
    DIR *listing = opendir(folder);
    struct dirent *entry;

    assert_non_null(listing);
    while ((entry = readdir(listing)) != NULL) {
        char path[4096];

        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
            check_folder(path, count);
        else if (entry->d_type == DT_REG)
            check_file(path, count);
    }
    closedir(listing);
}

static void no_other_file_calls_libjwt(void **state)
{
    static const char *const folders[] = {"src", "gateway"};
    const char *source = getenv("srcdir");
    unsigned count = 0;

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(folders); i++) {
        char folder[2048];

        snprintf(folder, sizeof folder, "%s/%s", source == NULL ? ".." : source, folders[i]);
        check_folder(folder, &count);
    }
    assert_true(count > 100);
}

/* ------------------------------------------------------------------------------------------- */

static struct bondy_key *make_key(enum bondy_key_kind kind)
{
    struct bondy_key *made;
    char *pem;

    assert_int_equal(bondy_key_generate_wait(kind, &pem, NULL), BONDY_OK);
    assert_int_equal(bondy_key_parse(bondy_slice_text(pem), kind, BONDY_SLICE_EMPTY, &made, NULL),
                     BONDY_OK);
    bondy_free(pem);
    return made;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_signed_is_verified),
        cmocka_unit_test(tokens_that_must_not_verify),
        cmocka_unit_test(a_token_made_elsewhere_verifies),
        cmocka_unit_test(another_implementation_agrees),
        cmocka_unit_test(the_claims_may_name_the_key),
        cmocka_unit_test(without_a_usable_key_nothing_verifies),
        cmocka_unit_test(every_changed_character_is_refused),
        cmocka_unit_test(base64url_is_strict),
        cmocka_unit_test(a_token_has_a_greatest_size),
        cmocka_unit_test(claims_are_checked_against_three_clocks),
        cmocka_unit_test(an_access_token_has_a_type),
        cmocka_unit_test(times_are_exact_at_their_edges),
        cmocka_unit_test(no_other_file_calls_libjwt),
    };
    int failed;

    assert_int_equal(bondy_id_start(NULL), BONDY_OK);
    key = make_key(BONDY_KEY_EC_P256);
    other_key = make_key(BONDY_KEY_EC_P256);
    rsa_key = make_key(BONDY_KEY_RSA_2048);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    bondy_key_destroy(key);
    bondy_key_destroy(other_key);
    bondy_key_destroy(rsa_key);
    return failed;
}
