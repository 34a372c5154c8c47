/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/credential/keys.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <sodium.h>
#include <stdio.h>

#include "src/base/alloc.h"
#include "src/base/json.h"
#include "src/base/utf8.h"
#include "src/security/credential/kdf.h"

#define EC_LEN 32   /* octets of a coordinate of P-256 */
#define RSA_LEN 256 /* octets of a modulus of 2048 bits */

static int library_failed(struct bondy_error *err, int code, const char *what, int rc)
{
    return bondy_fail(err, code, "%s: %s", what, gnutls_strerror(rc));
}

/* ---- making ------------------------------------------------------------------------------ */

int bondy_key_generate_wait(enum bondy_key_kind kind, char **pem, struct bondy_error *err)
{
    gnutls_x509_privkey_t key = NULL;
    gnutls_datum_t text = {NULL, 0};
    int rc = gnutls_x509_privkey_init(&key);

    *pem = NULL;
    if (rc >= 0)
        rc = kind == BONDY_KEY_EC_P256
                 ? gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                                GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0)
                 : gnutls_x509_privkey_generate(key, GNUTLS_PK_RSA, 8 * RSA_LEN, 0);
    if (rc >= 0)
        rc = gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
                                               &text);
    if (rc >= 0) {
        *pem = bondy_memdup0(text.data, text.size);
        sodium_memzero(text.data, text.size);
        gnutls_free(text.data);
    }
    gnutls_x509_privkey_deinit(key);
    return rc < 0 ? library_failed(err, BONDY_EIO, "a key cannot be made", rc) : BONDY_OK;
}

/* ---- JWK --------------------------------------------------------------------------------- */

static json_t *base64url(const void *octets, size_t len)
{
    char text[sodium_base64_ENCODED_LEN(RSA_LEN + 8, sodium_base64_VARIANT_URLSAFE_NO_PADDING)];

    sodium_bin2base64(text, sizeof text, octets, len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return json_string(text);
}

/* An integer as GnuTLS gives it, without a sign octet. */
static struct bondy_slice stripped(const gnutls_datum_t *number)
{
    struct bondy_slice octets = bondy_slice_of(number->data, number->size);

    while (octets.len > 0 && octets.data[0] == 0)
        octets = bondy_slice_skip(octets, 1);
    return octets;
}

/* RFC 7518 6.2.1: coordinates have the curve's full length. */
static json_t *coordinate(const gnutls_datum_t *number)
{
    struct bondy_slice octets = stripped(number);
    uint8_t full[EC_LEN] = {0};

    if (octets.len > sizeof full)
        return NULL;
    memcpy(full + sizeof full - octets.len, octets.data, octets.len);
    return base64url(full, sizeof full);
}

static json_t *ec_jwk(gnutls_pubkey_t public)
{
    gnutls_datum_t x = {NULL, 0}, y = {NULL, 0};
    gnutls_ecc_curve_t curve;
    json_t *jwk = NULL;

    if (gnutls_pubkey_export_ecc_raw2(public, &curve, &x, &y, 0) < 0)
        return NULL;
    if (curve == GNUTLS_ECC_CURVE_SECP256R1) {
        jwk = bondy_json_with(json_object(), "kty", json_string("EC"));
        bondy_json_with(jwk, "crv", json_string("P-256"));
        bondy_json_with(jwk, "x", coordinate(&x));
        bondy_json_with(jwk, "y", coordinate(&y));
    }
    gnutls_free(x.data);
    gnutls_free(y.data);
    return jwk;
}

static json_t *rsa_jwk(gnutls_pubkey_t public)
{
    gnutls_datum_t n = {NULL, 0}, e = {NULL, 0};
    struct bondy_slice modulus, exponent;
    json_t *jwk = NULL;

    if (gnutls_pubkey_export_rsa_raw2(public, &n, &e, 0) < 0)
        return NULL;
    modulus = stripped(&n);
    exponent = stripped(&e);
    if (modulus.len == RSA_LEN && ((unsigned char)modulus.data[0] & 0x80) != 0 &&
        exponent.len <= 8) {
        jwk = bondy_json_with(json_object(), "kty", json_string("RSA"));
        bondy_json_with(jwk, "n", base64url(modulus.data, modulus.len));
        bondy_json_with(jwk, "e", base64url(exponent.data, exponent.len));
    }
    gnutls_free(n.data);
    gnutls_free(e.data);
    return jwk;
}

int bondy_key_thumbprint(const json_t *jwk, char out[44], struct bondy_error *err)
{
    static const char *const ec[] = {"crv", "kty", "x", "y", NULL};
    static const char *const rsa[] = {"e", "kty", "n", NULL};
    bool is_ec = bondy_slice_is(bondy_json_text(jwk, "kty"), "EC");
    struct bondy_buf text = BONDY_BUF_EMPTY;
    uint8_t digest[BONDY_KDF_LEN];
    json_t *required;

    if (!is_ec && !bondy_slice_is(bondy_json_text(jwk, "kty"), "RSA"))
        return bondy_fail(err, BONDY_EINVAL, "a JWK has kty EC or RSA here");
    required = json_object();
    for (const char *const *key = is_ec ? ec : rsa; *key != NULL; key++) {
        if (!json_is_string(json_object_get(jwk, *key))) {
            json_decref(required);
            return bondy_fail(err, BONDY_EINVAL, "a JWK has no text '%s'", *key);
        }
        json_object_set(required, *key, json_object_get(jwk, *key));
    }
    bondy_json_canonical(required, &text);
    json_decref(required);
    bondy_sha256(bondy_buf_slice(&text), digest);
    bondy_buf_fini(&text);
    sodium_bin2base64(out, 44, digest, sizeof digest, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return BONDY_OK;
}

/* ---- parsing ----------------------------------------------------------------------------- */

static int name_key(struct bondy_key *key, struct bondy_slice kid, struct bondy_error *err)
{
    if (kid.len > BONDY_KID_MAX || !bondy_utf8_is_valid(kid) ||
        (kid.len > 0 && memchr(kid.data, 0, kid.len) != NULL))
        return bondy_fail(err, BONDY_EINVAL, "a kid is text of at most %d octets", BONDY_KID_MAX);
    if (kid.len > 0)
        memcpy(key->kid, kid.data, kid.len);
    else if (bondy_key_thumbprint(key->jwk, key->kid, err) < 0)
        return BONDY_EINVAL;
    key->alg = key->kind == BONDY_KEY_EC_P256 ? "ES256" : NULL;
    bondy_json_with(key->jwk, "kid", json_string(key->kid));
    bondy_json_with(key->jwk, "use", json_string(key->alg == NULL ? "enc" : "sig"));
    bondy_json_with(key->jwk, "alg", json_string(key->alg == NULL ? "RSA-OAEP-256" : key->alg));
    return BONDY_OK;
}

/* Fills what is public. */
static int take_public(struct bondy_key *key, gnutls_pubkey_t public, struct bondy_slice kid,
                       struct bondy_error *err)
{
    bool is_ec = key->kind == BONDY_KEY_EC_P256;
    gnutls_datum_t text = {NULL, 0};
    int rc;

    key->jwk = is_ec ? ec_jwk(public) : rsa_jwk(public);
    if (key->jwk == NULL)
        return bondy_fail(err, BONDY_EINVAL, "a key is not of the kind %s",
                          is_ec ? "EC P-256" : "RSA with 2048 bits");
    if ((rc = gnutls_pubkey_export2(public, GNUTLS_X509_FMT_PEM, &text)) < 0)
        return library_failed(err, BONDY_EIO, "a public key cannot be written", rc);
    key->public_pem = bondy_memdup0(text.data, text.size);
    gnutls_free(text.data);
    return name_key(key, kid, err);
}

/* The public half of either PEM. */
static int import(struct bondy_key *key, struct bondy_slice pem, gnutls_pubkey_t public)
{
    gnutls_datum_t text = {(unsigned char *)(uintptr_t)pem.data, (unsigned)pem.len};
    gnutls_privkey_t private = NULL;
    int rc;

    if (gnutls_pubkey_import(public, &text, GNUTLS_X509_FMT_PEM) >= 0)
        return BONDY_OK;
    if ((rc = gnutls_privkey_init(&private)) < 0)
        return rc;
    rc = gnutls_privkey_import_x509_raw(private, &text, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (rc >= 0)
        rc = gnutls_pubkey_import_privkey(public, private, 0, 0);
    gnutls_privkey_deinit(private);
    if (rc >= 0)
        key->pem = bondy_memdup0(pem.data, pem.len);
    return rc;
}

int bondy_key_parse(struct bondy_slice pem, enum bondy_key_kind kind, struct bondy_slice kid,
                    struct bondy_key **out, struct bondy_error *err)
{
    struct bondy_key *key;
    gnutls_pubkey_t public = NULL;
    int rc;

    *out = NULL;
    if (pem.len == 0 || pem.len > BONDY_KEY_PEM_MAX || memchr(pem.data, 0, pem.len) != NULL)
        return bondy_fail(err, BONDY_EINVAL, "a key is PEM text of at most %d octets",
                          BONDY_KEY_PEM_MAX);
    key = bondy_zalloc(sizeof *key);
    key->kind = kind;
    if ((rc = gnutls_pubkey_init(&public)) < 0)
        rc = library_failed(err, BONDY_EIO, "a key cannot be read", rc);
    else if ((rc = import(key, pem, public)) < 0)
        rc = library_failed(err, BONDY_EINVAL, "a key is no PEM of a private or public key", rc);
    else
        rc = take_public(key, public, kid, err);
    gnutls_pubkey_deinit(public);
    if (rc < 0)
        bondy_key_destroy(key);
    else
        *out = key;
    return rc;
}

void bondy_key_destroy(struct bondy_key *key)
{
    if (key == NULL)
        return;
    if (key->pem != NULL)
        sodium_memzero(key->pem, strlen(key->pem));
    bondy_free(key->pem);
    bondy_free(key->public_pem);
    json_decref(key->jwk);
    bondy_free(key);
}
