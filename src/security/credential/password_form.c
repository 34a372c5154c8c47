/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/credential/password_form.h"

#include <gnutls/gnutls.h>
#include <sodium.h>

#include "src/base/alloc.h"
#include "src/base/json.h"
#include "src/base/problem.h"

const struct bondy_password_hash bondy_password_hashes[] = {
    {"sha256", GNUTLS_MAC_SHA256}, {"sha", GNUTLS_MAC_SHA1},      {"sha1", GNUTLS_MAC_SHA1},
    {"sha224", GNUTLS_MAC_SHA224}, {"sha384", GNUTLS_MAC_SHA384}, {"sha512", GNUTLS_MAC_SHA512},
};

const struct bondy_password_hash *bondy_password_find_hash(struct bondy_slice name)
{
    for (size_t i = 0; i < BONDY_COUNT(bondy_password_hashes); i++)
        if (bondy_slice_is(name, bondy_password_hashes[i].name))
            return &bondy_password_hashes[i];
    return NULL;
}

/* ---- reading ----------------------------------------------------------------------------- */

static bool refuse(const char **wrong, const char *what)
{
    *wrong = what;
    return false;
}

/* Whether every key is one of `known` (NULL-terminated). */
static bool has_only(const json_t *object, const char *const *known)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        size_t i = 0;

        while (known[i] != NULL && strcmp(known[i], key) != 0)
            i++;
        if (known[i] == NULL)
            return false;
    }
    return true;
}

static bool is_absent(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return value == NULL || json_is_null(value);
}

static bool read_uint32(const json_t *object, const char *key, uint32_t *out)
{
    const json_t *value = json_object_get(object, key);
    json_int_t number = json_integer_value(value);

    if (!json_is_integer(value) || number < 0 || number > UINT32_MAX)
        return false;
    *out = (uint32_t)number;
    return true;
}

/* A constant that may be left out. */
static bool is_number(const json_t *object, const char *key, json_int_t expected)
{
    const json_t *value = json_object_get(object, key);

    return is_absent(object, key) ||
           (json_is_integer(value) && json_integer_value(value) == expected);
}

static bool is_text(const json_t *object, const char *key, const char *expected)
{
    return is_absent(object, key) || bondy_slice_is(bondy_json_text(object, key), expected);
}

static bool read_salt_text(const json_t *object, struct bondy_password_verifier *out)
{
    struct bondy_slice salt = bondy_json_text(object, "salt");

    if (salt.len == 0 || salt.len > BONDY_PASSWORD_SALT_MAX)
        return false;
    for (size_t i = 0; i < salt.len; i++)
        if (salt.data[i] < 0x21 || salt.data[i] > 0x7e)
            return false;
    memcpy(out->salt_text, salt.data, salt.len);
    return true;
}

static bool read_cost(const json_t *params, struct bondy_password_verifier *out, const char **wrong)
{
    struct bondy_slice kdf = bondy_json_text(params, "kdf");
    uint32_t memory = 0;

    if (bondy_slice_is(kdf, "argon2id13") && out->form == BONDY_PASSWORD_SCRAM)
        out->cost.kind = BONDY_KDF_ARGON2ID13;
    else if (!bondy_slice_is(kdf, "pbkdf2"))
        return refuse(wrong, "params.kdf is none of this protocol");
    if (!read_uint32(params, "iterations", &out->cost.iterations))
        return refuse(wrong, "params.iterations is missing or no number of iterations");
    if (out->cost.kind == BONDY_KDF_ARGON2ID13 && !read_uint32(params, "memory", &memory))
        return refuse(wrong, "params.memory is missing or no number of octets");
    if (out->cost.kind == BONDY_KDF_PBKDF2 && !is_absent(params, "memory"))
        return refuse(wrong, "params.memory is not for pbkdf2");
    out->cost.memory_kib = memory / 1024;
    if (!bondy_kdf_is_allowed(&out->cost))
        return refuse(wrong, "params asks for more work than is allowed");
    if (out->cost.kind == BONDY_KDF_PBKDF2 && out->cost.iterations < BONDY_PBKDF2_MIN)
        return refuse(wrong, "params.iterations is below 4096");
    return true;
}

static bool read_cra_data(const json_t *data, struct bondy_password_verifier *out,
                          const char **wrong)
{
    static const char *const keys[] = {"salt", "salted_password", NULL};
    uint8_t salt[BONDY_KDF_SALT_LEN];

    out->hash_len = BONDY_KDF_LEN;
    if (!json_is_object(data) || !has_only(data, keys))
        return refuse(wrong, "data must hold salt and salted_password");
    if (!bondy_secret_unbase64(bondy_json_text(data, "salt"), salt, sizeof salt) ||
        !read_salt_text(data, out))
        return refuse(wrong, "data.salt must be the base64 of 16 octets");
    if (!bondy_secret_unbase64(bondy_json_text(data, "salted_password"), out->hash, BONDY_KDF_LEN))
        return refuse(wrong, "data.salted_password must be the base64 of 32 octets");
    return true;
}

static bool read_scram_data(const json_t *data, struct bondy_password_verifier *out,
                            const char **wrong)
{
    static const char *const keys[] = {"salt", "stored_key", "server_key", NULL};

    out->hash_len = BONDY_KDF_LEN;
    if (!json_is_object(data) || !has_only(data, keys))
        return refuse(wrong, "data must hold salt, stored_key and server_key");
    if (!bondy_secret_unbase64(bondy_json_text(data, "salt"), out->salt, BONDY_KDF_SALT_LEN))
        return refuse(wrong, "data.salt must be the base64 of 16 octets");
    if (!bondy_secret_unbase64(bondy_json_text(data, "stored_key"), out->hash, BONDY_KDF_LEN))
        return refuse(wrong, "data.stored_key must be the base64 of 32 octets");
    if (!bondy_secret_unbase64(bondy_json_text(data, "server_key"), out->server_key, BONDY_KDF_LEN))
        return refuse(wrong, "data.server_key must be the base64 of 32 octets");
    return true;
}

static bool read_current(const json_t *object, struct bondy_password_verifier *out,
                         const char **wrong)
{
    static const char *const keys[] = {"type", "version", "protocol", "params", "data", NULL};
    static const char *const param_keys[] = {
        "kdf", "iterations", "memory", "hash_function", "hash_length", "salt_length", NULL};
    const json_t *params = json_object_get(object, "params");
    const json_t *data = json_object_get(object, "data");
    struct bondy_slice protocol = bondy_json_text(object, "protocol");

    if (!has_only(object, keys))
        return refuse(wrong, "it may hold type, version, protocol, params and data");
    if (bondy_slice_is(protocol, "scram"))
        out->form = BONDY_PASSWORD_SCRAM;
    else if (!bondy_slice_is(protocol, "cra"))
        return refuse(wrong, "protocol is neither cra nor scram");
    if (!json_is_object(params) || !has_only(params, param_keys))
        return refuse(wrong, "params may hold kdf, iterations, memory, hash_function, hash_length "
                             "and salt_length");
    if (!is_text(params, "hash_function", "sha256") || !is_number(params, "hash_length", 32) ||
        !is_number(params, "salt_length", 16))
        return refuse(wrong, "params must be for sha256, hash_length 32 and salt_length 16");
    if (!read_cost(params, out, wrong))
        return false;
    if (out->form == BONDY_PASSWORD_SCRAM)
        return read_scram_data(data, out, wrong);
    return read_cra_data(data, out, wrong);
}

/* The hash of an old record: base64 in 1.1, hexadecimal before. */
static bool read_old_hash(const json_t *object, bool is_hex, struct bondy_password_verifier *out)
{
    struct bondy_slice text = bondy_json_text(object, "hash_pass");

    if (is_hex)
        return sodium_hex2bin(out->hash, sizeof out->hash, text.data, text.len, NULL,
                              &out->hash_len, NULL) == 0 &&
               out->hash_len >= 16 && out->hash_len * 2 == text.len;
    return text.len > 0 &&
           sodium_base642bin(out->hash, sizeof out->hash, text.data, text.len, NULL, &out->hash_len,
                             NULL, sodium_base64_VARIANT_ORIGINAL) == 0 &&
           out->hash_len >= 16;
}

static bool read_old(const json_t *object, bool is_hex, struct bondy_password_verifier *out,
                     const char **wrong)
{
    static const char *const keys[] = {"type",      "version",  "auth_name",   "hash_func",
                                       "hash_pass", "hash_len", "hash_length", "iterations",
                                       "salt",      NULL};
    const struct bondy_password_hash *hash = bondy_password_find_hash(
        is_absent(object, "hash_func") ? bondy_slice_text("sha256")
                                       : bondy_json_text(object, "hash_func"));

    if (!has_only(object, keys))
        return refuse(wrong, "it may hold version, auth_name, hash_func, hash_pass, hash_len, "
                             "iterations and salt");
    if (!is_text(object, "auth_name", "pbkdf2") || hash == NULL)
        return refuse(wrong, "auth_name or hash_func is unknown");
    if (!read_uint32(object, "iterations", &out->cost.iterations) ||
        !bondy_kdf_is_allowed(&out->cost))
        return refuse(wrong, "iterations must be from 1 to 1000000");
    if (!read_salt_text(object, out))
        return refuse(wrong, "salt must be 1 to 128 printable ASCII characters");
    if (!read_old_hash(object, is_hex, out) ||
        !is_number(object, "hash_len", (json_int_t)out->hash_len) ||
        !is_number(object, "hash_length", (json_int_t)out->hash_len))
        return refuse(wrong, "hash_pass must be 16 to 64 octets, in base64 (1.1) or hexadecimal");
    /* What CRA can use becomes a CRA verifier: the same salt text, the same octets. */
    out->form = hash->gnutls_mac == GNUTLS_MAC_SHA256 && out->hash_len == BONDY_KDF_LEN &&
                        out->cost.iterations >= BONDY_PBKDF2_MIN &&
                        strlen(out->salt_text) == BONDY_KDF_SALT_TEXT - 1
                    ? BONDY_PASSWORD_CRA
                    : BONDY_PASSWORD_LEGACY;
    out->hash_name = hash->name;
    return true;
}

/* A salt of the right length that is no base64 would be refused in the form of 1.2. */
static void keep_readable(struct bondy_password_verifier *out)
{
    uint8_t salt[BONDY_KDF_SALT_LEN];

    if (out->form == BONDY_PASSWORD_CRA &&
        !bondy_secret_unbase64(bondy_slice_text(out->salt_text), salt, sizeof salt))
        out->form = BONDY_PASSWORD_LEGACY;
}

bool bondy_password_read(const json_t *object, struct bondy_password_verifier *out,
                         const char **wrong)
{
    struct bondy_slice version = bondy_json_text(object, "version");
    bool ok;

    memset(out, 0, sizeof *out);
    if (!json_is_object(object))
        return refuse(wrong, "it must be an object");
    if (!is_text(object, "type", "password"))
        return refuse(wrong, "type must be password");
    if (bondy_slice_is(version, "1.2"))
        return read_current(object, out, wrong);
    if (!is_absent(object, "version") && !bondy_slice_is(version, "1.1") &&
        !bondy_slice_is(version, "1.0"))
        return refuse(wrong, "version must be 1.2, 1.1 or 1.0");
    ok = read_old(object, !bondy_slice_is(version, "1.1"), out, wrong);
    keep_readable(out);
    return ok;
}

/* ---- writing ----------------------------------------------------------------------------- */

static void put_base64(json_t *object, const char *key, const uint8_t *octets, size_t len)
{
    char text[BONDY_KDF_TEXT];

    bondy_secret_base64(bondy_slice_of(octets, len), text, sizeof text);
    bondy_json_with(object, key, json_string(text));
    sodium_memzero(text, sizeof text);
}

static json_t *write_old(const struct bondy_password_verifier *verifier)
{
    char hash[2 * BONDY_PASSWORD_HASH_MAX + 1];
    json_t *object = json_object();

    sodium_bin2hex(hash, sizeof hash, verifier->hash, verifier->hash_len);
    bondy_json_with(object, "type", json_string("password"));
    bondy_json_with(object, "version", json_string("1.0"));
    bondy_json_with(object, "auth_name", json_string("pbkdf2"));
    bondy_json_with(object, "hash_func", json_string(verifier->hash_name));
    bondy_json_with(object, "hash_pass", json_string(hash));
    bondy_json_with(object, "iterations", json_integer(verifier->cost.iterations));
    sodium_memzero(hash, sizeof hash);
    return bondy_json_with(object, "salt", json_string(verifier->salt_text));
}

json_t *bondy_password_write(const struct bondy_password_verifier *verifier)
{
    bool is_scram = verifier->form == BONDY_PASSWORD_SCRAM;
    json_t *object = json_object();
    json_t *params = json_object();
    json_t *data = json_object();

    if (verifier->form == BONDY_PASSWORD_LEGACY) {
        json_decref(object);
        json_decref(params);
        json_decref(data);
        return write_old(verifier);
    }
    bondy_json_with(params, "kdf", json_string(bondy_kdf_name(verifier->cost.kind)));
    bondy_json_with(params, "iterations", json_integer(verifier->cost.iterations));
    if (verifier->cost.kind == BONDY_KDF_ARGON2ID13)
        bondy_json_with(params, "memory",
                        json_integer((json_int_t)verifier->cost.memory_kib * 1024));
    bondy_json_with(params, "hash_function", json_string("sha256"));
    bondy_json_with(params, "hash_length", json_integer(BONDY_KDF_LEN));
    bondy_json_with(params, "salt_length", json_integer(BONDY_KDF_SALT_LEN));
    if (is_scram) {
        put_base64(data, "salt", verifier->salt, BONDY_KDF_SALT_LEN);
        put_base64(data, "stored_key", verifier->hash, BONDY_KDF_LEN);
        put_base64(data, "server_key", verifier->server_key, BONDY_KDF_LEN);
    } else {
        bondy_json_with(data, "salt", json_string(verifier->salt_text));
        put_base64(data, "salted_password", verifier->hash, BONDY_KDF_LEN);
    }
    bondy_json_with(object, "type", json_string("password"));
    bondy_json_with(object, "version", json_string("1.2"));
    bondy_json_with(object, "protocol", json_string(is_scram ? "scram" : "cra"));
    bondy_json_with(object, "params", params);
    return bondy_json_with(object, "data", data);
}

/* ---- from outside ------------------------------------------------------------------------ */

static json_t *wrong_password(const char *code, const char *what)
{
    json_t *problem =
        bondy_problem_format(code, "A hashed password in 'password' is not usable: %s.", what);

    json_object_set_new(problem, "key", json_string("password"));
    return problem;
}

static json_t *parse_one(const json_t *input, unsigned *forms, json_t *stored)
{
    struct bondy_password_verifier verifier;
    const char *wrong = NULL;
    json_t *problem = NULL;

    if (!bondy_password_read(input, &verifier, &wrong))
        problem = wrong_password("bondy.error.invalid_value", wrong);
    else if ((*forms & 1u << verifier.form) != 0)
        problem = wrong_password("bondy.error.invalid_value", "there are two of one protocol");
    else
        json_array_append_new(stored, bondy_password_write(&verifier));
    if (problem == NULL)
        *forms |= 1u << verifier.form;
    sodium_memzero(&verifier, sizeof verifier);
    return problem;
}

json_t *bondy_password_parse(const json_t *input, json_t **stored)
{
    json_t *problem = NULL;
    unsigned forms = 0;
    size_t index;
    json_t *item;

    *stored = NULL;
    if (!json_is_object(input) && !json_is_array(input))
        return wrong_password("bondy.error.invalid_datatype", "it must be an object");
    if (json_is_array(input) && (json_array_size(input) == 0 || json_array_size(input) > 2))
        return wrong_password("bondy.error.invalid_value", "there must be one or two");
    *stored = json_array();
    if (json_is_object(input))
        problem = parse_one(input, &forms, *stored);
    for (index = 0; problem == NULL && index < json_array_size(input); index++) {
        item = json_array_get(input, index);
        problem = parse_one(item, &forms, *stored);
    }
    if (problem == NULL && json_array_size(*stored) == 2 &&
        (forms & 1u << BONDY_PASSWORD_LEGACY) != 0)
        problem = wrong_password("bondy.error.invalid_value", "one of an old version stands alone");
    if (problem != NULL) {
        json_decref(*stored);
        *stored = NULL;
    }
    return problem;
}
