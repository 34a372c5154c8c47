/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/token.h"

#include <jwt.h>
#include <sodium.h>
#include <stdlib.h>

#include "src/base/alloc.h"
#include "src/base/json.h"

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
    if (sodium_base642bin(*out, cap, text.data, text.len, NULL, len, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0)
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

/* The signature's octets must be base64url as strict as the rest: one token, one text. */
static int check_signature_text(struct bondy_slice text, size_t *len, struct bondy_error *err)
{
    uint8_t *octets;
    int rc = unbase64url(text, &octets, len, err);

    bondy_free(octets);
    return rc;
}

int bondy_token_peek(struct bondy_slice jws, struct bondy_token *out, struct bondy_error *err)
{
    struct parts parts;
    size_t len;
    int rc;

    memset(out, 0, sizeof *out);
    if ((rc = split(jws, &parts, err)) < 0 ||
        (rc = check_signature_text(parts.signature, &len, err)) < 0)
        return rc;
    return peek(&parts, out, err);
}

void bondy_token_fini(struct bondy_token *token)
{
    json_decref(token->header);
    json_decref(token->claims);
    memset(token, 0, sizeof *token);
}

/* ---- verifying --------------------------------------------------------------------------- */

/* Everything that libjwt does not ask before it calculates. */
static int check_binding(const struct bondy_token *token, const struct bondy_key *key,
                         size_t signature_len, struct bondy_error *err)
{
    if (key == NULL || key->alg == NULL || key->public_pem == NULL || key->public_pem[0] == '\0')
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

static int check_signature(struct bondy_slice jws, const struct bondy_key *key,
                           struct bondy_error *err)
{
    char *text = bondy_memdup0(jws.data, jws.len);
    jwt_t *jwt = NULL;
    int rc = jwt_decode(&jwt, text, (const unsigned char *)key->public_pem,
                        (int)strlen(key->public_pem));
    bool is_right = rc == 0 && jwt_get_alg(jwt) == JWT_ALG_ES256;

    if (rc == 0)
        jwt_free(jwt);
    bondy_free(text);
    return is_right ? BONDY_OK
                    : bondy_fail(err, BONDY_EDENIED, "a token's signature does not match");
}

int bondy_token_verify(struct bondy_slice jws, const struct bondy_key *key, struct bondy_token *out,
                       struct bondy_error *err)
{
    struct parts parts;
    size_t signature_len = 0;
    int rc;

    memset(out, 0, sizeof *out);
    if ((rc = split(jws, &parts, err)) < 0 ||
        (rc = check_signature_text(parts.signature, &signature_len, err)) < 0 ||
        (rc = peek(&parts, out, err)) < 0)
        return rc;
    if ((rc = check_binding(out, key, signature_len, err)) < 0 ||
        (rc = check_signature(jws, key, err)) < 0)
        bondy_token_fini(out);
    return rc;
}

/* ---- signing ----------------------------------------------------------------------------- */

static int fill(jwt_t *jwt, const json_t *claims, const char *typ, const struct bondy_key *key)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    char *json;
    int rc;

    bondy_json_format(claims, &text);
    json = bondy_buf_take_text(&text);
    rc = jwt_add_grants_json(jwt, json);
    bondy_free(json);
    if (rc == 0)
        rc = jwt_add_header(jwt, "typ", typ);
    if (rc == 0)
        rc = jwt_add_header(jwt, "kid", key->kid);
    if (rc == 0)
        rc =
            jwt_set_alg(jwt, JWT_ALG_ES256, (const unsigned char *)key->pem, (int)strlen(key->pem));
    return rc;
}

int bondy_token_sign(const json_t *claims, const char *typ, const struct bondy_key *key, char **out,
                     struct bondy_error *err)
{
    jwt_t *jwt = NULL;
    char *text = NULL;
    int rc = BONDY_OK;

    *out = NULL;
    if (key == NULL || key->pem == NULL || key->kind != BONDY_KEY_EC_P256)
        return bondy_fail(err, BONDY_EINVAL, "a token is signed with a private EC key");
    if (!json_is_object(claims))
        return bondy_fail(err, BONDY_EINVAL, "the claims of a token are an object");
    if (jwt_new(&jwt) != 0 || fill(jwt, claims, typ, key) != 0 ||
        (text = jwt_encode_str(jwt)) == NULL)
        rc = bondy_fail(err, BONDY_EIO, "a token cannot be signed with key %s", key->kid);
    else if (strlen(text) > BONDY_TOKEN_MAX)
        rc = bondy_fail(err, BONDY_ELIMIT, "a token has %zu octets, at most %d are allowed",
                        strlen(text), BONDY_TOKEN_MAX);
    else
        *out = bondy_strdup(text);
    free(text);
    jwt_free(jwt);
    return rc;
}
