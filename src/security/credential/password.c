/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/credential/password.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <sodium.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/base/json.h"
#include "src/security/credential/password_form.h"

char *bondy_password_prepare(struct bondy_slice text, size_t *len)
{
    gnutls_datum_t prepared = {NULL, 0};
    char *out;

    if (text.len > UINT32_MAX ||
        gnutls_utf8_password_normalize((const unsigned char *)(text.data == NULL ? "" : text.data),
                                       (unsigned)text.len, &prepared, 0) < 0)
        return NULL;
    out = bondy_memdup0(prepared.data, prepared.size);
    *len = prepared.size;
    sodium_memzero(prepared.data, prepared.size);
    gnutls_free(prepared.data);
    return out;
}

/* ---- deriving ---------------------------------------------------------------------------- */

/* Old records may have another hash than SHA-256, and another length. */
static int derive_legacy(const struct bondy_password_verifier *verifier, struct bondy_slice text,
                         uint8_t *out, struct bondy_error *err)
{
    gnutls_datum_t key = {(unsigned char *)(uintptr_t)text.data, (unsigned)text.len};
    gnutls_datum_t salt = {(unsigned char *)(uintptr_t)verifier->salt_text,
                           (unsigned)strlen(verifier->salt_text)};
    int mac = bondy_password_find_hash(bondy_slice_text(verifier->hash_name))->gnutls_mac;
    int rc = gnutls_pbkdf2((gnutls_mac_algorithm_t)mac, &key, &salt, verifier->cost.iterations, out,
                           verifier->hash_len);

    return rc < 0 ? bondy_fail(err, BONDY_EIO, "PBKDF2: %s", gnutls_strerror(rc)) : BONDY_OK;
}

/* RFC 5802: what SCRAM stores of the salted password. */
static void scram_keys(const uint8_t salted[BONDY_KDF_LEN], uint8_t stored_key[BONDY_KDF_LEN],
                       uint8_t server_key[BONDY_KDF_LEN])
{
    struct bondy_slice key = bondy_slice_of(salted, BONDY_KDF_LEN);
    uint8_t client_key[BONDY_KDF_LEN];

    bondy_hmac_sha256(key, BONDY_SLICE("Client Key"), client_key);
    bondy_sha256(bondy_slice_of(client_key, sizeof client_key), stored_key);
    bondy_hmac_sha256(key, BONDY_SLICE("Server Key"), server_key);
    sodium_memzero(client_key, sizeof client_key);
}

/* A text that cannot be prepared costs as much as any other and matches nothing: *is_usable. */
static int derive_scram(const struct bondy_password_verifier *verifier, struct bondy_slice text,
                        struct bondy_password_verifier *out, bool *is_usable,
                        struct bondy_error *err)
{
    size_t len = 0;
    char *prepared = bondy_password_prepare(text, &len);
    uint8_t salted[BONDY_KDF_LEN];
    int rc;

    *is_usable = prepared != NULL;
    rc = bondy_kdf_wait(&verifier->cost, prepared == NULL ? text : bondy_slice_of(prepared, len),
                        bondy_slice_of(verifier->salt, BONDY_KDF_SALT_LEN), salted, err);
    if (rc == BONDY_OK)
        scram_keys(salted, out->hash, out->server_key);
    sodium_memzero(salted, sizeof salted);
    if (prepared != NULL)
        sodium_memzero(prepared, len);
    bondy_free(prepared);
    return rc;
}

/* Fills hash (and server_key) of *out with what `text` gives under the salt and cost of
 * `verifier`, which may be the same struct. */
static int derive(const struct bondy_password_verifier *verifier, struct bondy_slice text,
                  struct bondy_password_verifier *out, bool *is_usable, struct bondy_error *err)
{
    *is_usable = true;
    out->hash_len = verifier->hash_len;
    if (verifier->form == BONDY_PASSWORD_SCRAM)
        return derive_scram(verifier, text, out, is_usable, err);
    if (verifier->form == BONDY_PASSWORD_LEGACY)
        return derive_legacy(verifier, text, out->hash, err);
    return bondy_kdf_wait(&verifier->cost, text, bondy_slice_text(verifier->salt_text), out->hash,
                          err);
}

/* ---- making ------------------------------------------------------------------------------ */

static void prepare_verifier(enum bondy_password_form form, const struct bondy_password_opts *opts,
                             struct bondy_password_verifier *out)
{
    memset(out, 0, sizeof *out);
    out->form = form;
    out->hash_len = BONDY_KDF_LEN;
    bondy_id_bytes(out->salt, sizeof out->salt);
    if (form == BONDY_PASSWORD_SCRAM) {
        out->cost = opts->scram_cost;
        return;
    }
    out->cost = (struct bondy_kdf_cost){BONDY_KDF_PBKDF2, opts->cra_iterations, 0};
    bondy_secret_base64(bondy_slice_of(out->salt, sizeof out->salt), out->salt_text,
                        sizeof out->salt_text);
}

static int make_one(enum bondy_password_form form, struct bondy_slice text,
                    const struct bondy_password_opts *opts, json_t *stored, struct bondy_error *err)
{
    struct bondy_password_verifier verifier;
    bool is_usable;
    int rc;

    prepare_verifier(form, opts, &verifier);
    rc = derive(&verifier, text, &verifier, &is_usable, err);
    if (rc == BONDY_OK && !is_usable)
        rc = bondy_fail(err, BONDY_EINVAL, "a password has characters that it may not have");
    if (rc == BONDY_OK)
        json_array_append_new(stored, bondy_password_write(&verifier));
    sodium_memzero(&verifier, sizeof verifier);
    return rc;
}

json_t *bondy_password_make_wait(struct bondy_slice text, const struct bondy_password_opts *opts,
                                 struct bondy_error *err)
{
    json_t *stored = json_array();
    int rc = BONDY_OK;

    if (!opts->cra && !opts->scram)
        rc = bondy_fail(err, BONDY_EINVAL, "a password needs a verifier: cra or scram");
    if (rc == BONDY_OK && opts->cra)
        rc = make_one(BONDY_PASSWORD_CRA, text, opts, stored, err);
    if (rc == BONDY_OK && opts->scram)
        rc = make_one(BONDY_PASSWORD_SCRAM, text, opts, stored, err);
    if (rc == BONDY_OK)
        return stored;
    json_decref(stored);
    return NULL;
}

/* ---- verifying --------------------------------------------------------------------------- */

static bool find_form(const json_t *stored, enum bondy_password_form form,
                      struct bondy_password_verifier *out)
{
    const char *wrong;
    size_t i;

    for (i = 0; i < json_array_size(stored); i++)
        if (bondy_password_read(json_array_get(stored, i), out, &wrong) && out->form == form)
            return true;
    sodium_memzero(out, sizeof *out);
    return false;
}

int bondy_password_verify_wait(const json_t *stored, struct bondy_slice text, bool *matches,
                               struct bondy_error *err)
{
    struct bondy_password_verifier verifier, given;
    bool is_usable = false;
    int rc = BONDY_OK;

    *matches = false;
    memset(&given, 0, sizeof given);
    if (find_form(stored, BONDY_PASSWORD_CRA, &verifier) ||
        find_form(stored, BONDY_PASSWORD_SCRAM, &verifier) ||
        find_form(stored, BONDY_PASSWORD_LEGACY, &verifier)) {
        rc = derive(&verifier, text, &given, &is_usable, err);
        *matches = rc == BONDY_OK &&
                   (int)(sodium_memcmp(verifier.hash, given.hash, verifier.hash_len) == 0) +
                           (int)is_usable ==
                       2;
    }
    sodium_memzero(&verifier, sizeof verifier);
    sodium_memzero(&given, sizeof given);
    return rc;
}

void bondy_password_waste_wait(const struct bondy_password_opts *opts, struct bondy_slice text)
{
    struct bondy_password_verifier verifier;
    bool is_usable;

    /* In the order in which a stored array would be looked through. */
    prepare_verifier(opts->cra || !opts->scram ? BONDY_PASSWORD_CRA : BONDY_PASSWORD_SCRAM, opts,
                     &verifier);
    derive(&verifier, text, &verifier, &is_usable, NULL);
    sodium_memzero(&verifier, sizeof verifier);
}

static bool is_cheaper(const struct bondy_kdf_cost *stored, const struct bondy_kdf_cost *wanted)
{
    if (stored->kind != wanted->kind)
        return stored->kind == BONDY_KDF_PBKDF2;
    return stored->iterations < wanted->iterations || stored->memory_kib < wanted->memory_kib;
}

bool bondy_password_is_weaker(const json_t *stored, const struct bondy_password_opts *opts)
{
    struct bondy_kdf_cost cra_cost = {BONDY_KDF_PBKDF2, opts->cra_iterations, 0};
    struct bondy_password_verifier verifier;
    bool is_weaker = false;

    if (opts->cra)
        is_weaker |= !find_form(stored, BONDY_PASSWORD_CRA, &verifier) ||
                     is_cheaper(&verifier.cost, &cra_cost);
    if (opts->scram)
        is_weaker |= !find_form(stored, BONDY_PASSWORD_SCRAM, &verifier) ||
                     is_cheaper(&verifier.cost, &opts->scram_cost);
    is_weaker |= find_form(stored, BONDY_PASSWORD_LEGACY, &verifier);
    sodium_memzero(&verifier, sizeof verifier);
    return is_weaker;
}

/* ---- for the challenges ------------------------------------------------------------------ */

bool bondy_password_find_cra(const json_t *stored, struct bondy_password_cra *out)
{
    struct bondy_password_verifier verifier;

    memset(out, 0, sizeof *out);
    if (!find_form(stored, BONDY_PASSWORD_CRA, &verifier))
        return false;
    out->iterations = verifier.cost.iterations;
    memcpy(out->salt, verifier.salt_text, sizeof out->salt);
    bondy_secret_base64(bondy_slice_of(verifier.hash, BONDY_KDF_LEN), out->key, sizeof out->key);
    sodium_memzero(&verifier, sizeof verifier);
    return true;
}

bool bondy_password_find_scram(const json_t *stored, struct bondy_password_scram *out)
{
    struct bondy_password_verifier verifier;

    memset(out, 0, sizeof *out);
    if (!find_form(stored, BONDY_PASSWORD_SCRAM, &verifier))
        return false;
    out->cost = verifier.cost;
    memcpy(out->salt, verifier.salt, sizeof out->salt);
    memcpy(out->stored_key, verifier.hash, sizeof out->stored_key);
    memcpy(out->server_key, verifier.server_key, sizeof out->server_key);
    sodium_memzero(&verifier, sizeof verifier);
    return true;
}
