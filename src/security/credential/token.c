/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/credential/token.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <sodium.h>

#include "src/base/alloc.h"
#include "src/base/json.h"
#include "src/security/credential/base64url.h"

#define DEPTH_MAX 16
#define ES256_LEN 64 /* octets of a signature */

/* ---- taking apart ------------------------------------------------------------------------ */

struct parts {
    struct bondy_slice header;
    struct bondy_slice claims;
    struct bondy_slice signature;
};

static int split(struct bondy_slice jws, struct parts *out, struct bondy_error *err)
{
    struct bondy_slice *const part[] = {&out->header, &out->claims, &out->signature};
    struct bondy_slice rest = jws;

    if (jws.len > BONDY_TOKEN_MAX)
        return bondy_fail(err, BONDY_ELIMIT, "a token has %zu octets, at most %d are allowed",
                          jws.len, BONDY_TOKEN_MAX);
    for (size_t i = 0; i < 3; i++) {
        const char *dot = rest.len == 0 ? NULL : memchr(rest.data, '.', rest.len);

        *part[i] = dot == NULL ? rest : bondy_slice_of(rest.data, (size_t)(dot - rest.data));
        if (part[i]->len == 0 || (dot == NULL) != (i == 2))
            return bondy_fail(err, BONDY_EINVAL, "a token has three parts between two dots");
        rest = bondy_slice_skip(rest, part[i]->len + 1);
    }
    return BONDY_OK;
}

/* Strict: no padding, no white space, no bits left over. */
static int unbase64url(struct bondy_slice text, uint8_t **out, size_t *len, struct bondy_error *err)
{
    size_t cap = text.len / 4 * 3 + 3;

    *out = bondy_alloc(cap);
    if (bondy_base64url_decode(text, *out, cap, len))
        return BONDY_OK;
    bondy_free(*out);
    *out = NULL;
    return bondy_fail(err, BONDY_EINVAL, "a part of a token is not base64url");
}

static json_t *parse_part(struct bondy_slice text, const char *name, struct bondy_error *err)
{
    uint8_t *octets = NULL;
    json_t *value = NULL;
    size_t len = 0;

    if (unbase64url(text, &octets, &len, err) < 0)
        return NULL;
    value = bondy_json_parse(bondy_slice_of(octets, len), DEPTH_MAX, NULL);
    bondy_free(octets);
    if (json_is_object(value))
        return value;
    json_decref(value);
    bondy_fail(err, BONDY_EINVAL, "the %s of a token is no JSON object", name);
    return NULL;
}

/* An optional text member of at most `max` octets. */
static int read_text(const json_t *object, const char *key, size_t max, struct bondy_slice *out,
                     struct bondy_error *err)
{
    const json_t *value = json_object_get(object, key);

    *out = bondy_json_text(object, key);
    if (value == NULL)
        return BONDY_OK;
    if (!json_is_string(value) || out->len == 0 || out->len > max)
        return bondy_fail(err, BONDY_EINVAL, "'%s' of a token must be text of 1 to %zu octets", key,
                          max);
    return BONDY_OK;
}

static int read_names(struct bondy_token *token, struct bondy_error *err)
{
    struct bondy_slice claimed;
    int rc;

    if ((rc = read_text(token->header, "alg", 16, &token->alg, err)) < 0 ||
        (rc = read_text(token->header, "typ", 64, &token->typ, err)) < 0 ||
        (rc = read_text(token->header, "kid", BONDY_KID_MAX, &token->kid, err)) < 0 ||
        (rc = read_text(token->claims, "kid", BONDY_KID_MAX, &claimed, err)) < 0)
        return rc;
    if (token->alg.len == 0)
        return bondy_fail(err, BONDY_EINVAL, "a token has no 'alg'");
    /* RFC 7515 4.1.11: extensions that must be understood; none is. */
    if (json_object_get(token->header, "crit") != NULL)
        return bondy_fail(err, BONDY_EINVAL, "a token has critical extensions");
    if (token->kid.len == 0)
        token->kid = claimed;
    else if (claimed.len > 0 && !bondy_slice_eq(token->kid, claimed))
        return bondy_fail(err, BONDY_EINVAL, "a token names two keys");
    return BONDY_OK;
}

static int peek(const struct parts *parts, struct bondy_token *out, struct bondy_error *err)
{
    int rc = BONDY_EINVAL;

    memset(out, 0, sizeof *out);
    if ((out->header = parse_part(parts->header, "header", err)) != NULL &&
        (out->claims = parse_part(parts->claims, "payload", err)) != NULL)
        rc = read_names(out, err);
    if (rc < 0)
        bondy_token_fini(out);
    return rc;
}

int bondy_token_peek(struct bondy_slice jws, struct bondy_token *out, struct bondy_error *err)
{
    struct parts parts;
    uint8_t *signature;
    size_t len;
    int rc;

    memset(out, 0, sizeof *out);
    /* The signature's text is as strict as the rest: one token, one text. */
    if ((rc = split(jws, &parts, err)) < 0 ||
        (rc = unbase64url(parts.signature, &signature, &len, err)) < 0)
        return rc;
    bondy_free(signature);
    return peek(&parts, out, err);
}

void bondy_token_fini(struct bondy_token *token)
{
    json_decref(token->header);
    json_decref(token->claims);
    memset(token, 0, sizeof *token);
}

/* ---- verifying --------------------------------------------------------------------------- */

/* What must fit before anything is calculated. */
static int check_binding(const struct bondy_token *token, const struct bondy_key *key,
                         size_t signature_len, struct bondy_error *err)
{
    if (key == NULL || key->alg == NULL || key->kind != BONDY_KEY_EC_P256 ||
        key->public_pem == NULL || key->public_pem[0] == '\0')
        return bondy_fail(err, BONDY_EDENIED, "there is no key to verify a token with");
    if (!bondy_slice_is(token->alg, key->alg) || !bondy_slice_is(token->alg, "ES256"))
        return bondy_fail(err, BONDY_EDENIED, "a token is not signed with the key's algorithm %s",
                          key->alg);
    if (!bondy_slice_is(token->kid, key->kid))
        return bondy_fail(err, BONDY_EDENIED, "a token is signed with another key");
    if (signature_len != ES256_LEN)
        return bondy_fail(err, BONDY_EDENIED, "a token's signature has %zu octets, ES256 has %d",
                          signature_len, ES256_LEN);
    return BONDY_OK;
}

static int check_signature(struct bondy_slice text, uint8_t signature[ES256_LEN],
                           const struct bondy_key *key, struct bondy_error *err)
{
    gnutls_datum_t pem = {(unsigned char *)key->public_pem, (unsigned)strlen(key->public_pem)};
    gnutls_datum_t data = {(unsigned char *)(uintptr_t)text.data, (unsigned)text.len};
    gnutls_datum_t r = {signature, ES256_LEN / 2}, s = {signature + ES256_LEN / 2, ES256_LEN / 2};
    gnutls_datum_t der = {NULL, 0};
    gnutls_pubkey_t public = NULL;
    int rc = gnutls_pubkey_init(&public);

    if (rc >= 0)
        rc = gnutls_pubkey_import(public, &pem, GNUTLS_X509_FMT_PEM);
    if (rc >= 0)
        rc = gnutls_encode_rs_value(&der, &r, &s);
    if (rc >= 0)
        rc = gnutls_pubkey_verify_data2(public, GNUTLS_SIGN_ECDSA_SHA256, 0, &data, &der);
    gnutls_free(der.data);
    gnutls_pubkey_deinit(public);
    return rc < 0 ? bondy_fail(err, BONDY_EDENIED, "a token's signature does not match") : BONDY_OK;
}

int bondy_token_verify(struct bondy_slice jws, const struct bondy_key *key, struct bondy_token *out,
                       struct bondy_error *err)
{
    struct parts parts;
    struct bondy_slice signed_text;
    uint8_t *signature = NULL;
    size_t signature_len = 0;
    int rc;

    memset(out, 0, sizeof *out);
    if ((rc = split(jws, &parts, err)) < 0 ||
        (rc = unbase64url(parts.signature, &signature, &signature_len, err)) < 0)
        return rc;
    signed_text = bondy_slice_of(jws.data, parts.header.len + 1 + parts.claims.len);
    if ((rc = peek(&parts, out, err)) == BONDY_OK &&
        ((rc = check_binding(out, key, signature_len, err)) < 0 ||
         (rc = check_signature(signed_text, signature, key, err)) < 0))
        bondy_token_fini(out);
    bondy_free(signature);
    return rc;
}

/* ---- signing ----------------------------------------------------------------------------- */

static void append_base64url(struct bondy_buf *out, struct bondy_slice octets)
{
    size_t room = sodium_base64_ENCODED_LEN(octets.len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);

    sodium_bin2base64(bondy_buf_reserve(out, room), room, (const unsigned char *)octets.data,
                      octets.len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    out->len += room - 1;
}

static void append_json(struct bondy_buf *out, const json_t *value)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;

    bondy_json_format(value, &text);
    append_base64url(out, bondy_buf_slice(&text));
    bondy_buf_fini(&text);
}

/* A number of ECDSA, which may come with a sign octet or shorter, as `len` octets. */
static void put_number(const gnutls_datum_t *number, uint8_t *out, size_t len)
{
    memset(out, 0, len);
    for (size_t i = 0; i < len && i < number->size; i++)
        out[len - 1 - i] = number->data[number->size - 1 - i];
}

/* RFC 7518 3.4: r and s, each of 32 octets. */
static int sign_es256(const struct bondy_key *key, struct bondy_slice text, uint8_t out[ES256_LEN])
{
    gnutls_datum_t pem = {(unsigned char *)key->pem, (unsigned)strlen(key->pem)};
    gnutls_datum_t data = {(unsigned char *)(uintptr_t)text.data, (unsigned)text.len};
    gnutls_datum_t der = {NULL, 0}, r = {NULL, 0}, s = {NULL, 0};
    gnutls_privkey_t private = NULL;
    int rc = gnutls_privkey_init(&private);

    if (rc >= 0)
        rc = gnutls_privkey_import_x509_raw(private, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (rc >= 0)
        rc = gnutls_privkey_sign_data2(private, GNUTLS_SIGN_ECDSA_SHA256, 0, &data, &der);
    if (rc >= 0)
        rc = gnutls_decode_rs_value(&der, &r, &s);
    if (rc >= 0) {
        put_number(&r, out, ES256_LEN / 2);
        put_number(&s, out + ES256_LEN / 2, ES256_LEN / 2);
    }
    gnutls_free(der.data);
    gnutls_free(r.data);
    gnutls_free(s.data);
    gnutls_privkey_deinit(private);
    return rc;
}

int bondy_token_sign(const json_t *claims, const char *typ, const struct bondy_key *key, char **out,
                     struct bondy_error *err)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    uint8_t signature[ES256_LEN];
    json_t *header;
    int rc;

    *out = NULL;
    if (key == NULL || key->pem == NULL || key->kind != BONDY_KEY_EC_P256)
        return bondy_fail(err, BONDY_EINVAL, "a token is signed with a private EC key");
    if (!json_is_object(claims))
        return bondy_fail(err, BONDY_EINVAL, "the claims of a token are an object");
    header = json_pack("{s:s, s:s, s:s}", "alg", key->alg, "typ", typ, "kid", key->kid);
    append_json(&text, header);
    json_decref(header);
    bondy_buf_append_byte(&text, '.');
    append_json(&text, claims);
    if ((rc = sign_es256(key, bondy_buf_slice(&text), signature)) < 0) {
        rc = bondy_fail(err, BONDY_EIO, "a token cannot be signed with key %s: %s", key->kid,
                        gnutls_strerror(rc));
    } else {
        bondy_buf_append_byte(&text, '.');
        append_base64url(&text, bondy_slice_of(signature, sizeof signature));
        if (text.len > BONDY_TOKEN_MAX)
            rc = bondy_fail(err, BONDY_ELIMIT, "a token has %zu octets, at most %d are allowed",
                            text.len, BONDY_TOKEN_MAX);
    }
    if (rc >= 0)
        *out = bondy_buf_take_text(&text);
    bondy_buf_fini(&text);
    return rc < 0 ? rc : BONDY_OK;
}
