/* SPDX-License-Identifier: Apache-2.0 */
#include "src/ctl/keyfile.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <sodium.h>

#include "src/base/alloc.h"
#include "src/base/buf.h"
#include "src/sys/file.h"

#define FILE_MAX 16384
#define SSH_BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----"
#define SSH_END "-----END OPENSSH PRIVATE KEY-----"
#define SSH_MAGIC "openssh-key-v1" /* with its NUL */
#define SSH_TYPE "ssh-ed25519"

/* ---- OpenSSH ---------------------------------------------------------------------------------
 * openssh-key-v1: magic, then strings (a length of 4 octets, most significant first, and the
 * octets): cipher, kdf, kdf options; the number of keys; the public key; the private part. That
 * one: two equal check numbers, key type, public key, seed and public key, comment, padding. */

static bool take_number(struct bondy_slice *in, uint32_t *out)
{
    const uint8_t *at = (const uint8_t *)in->data;

    if (in->len < 4)
        return false;
    *out = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    *in = bondy_slice_skip(*in, 4);
    return true;
}

static bool take_string(struct bondy_slice *in, struct bondy_slice *out)
{
    uint32_t len;

    if (!take_number(in, &len) || in->len < len)
        return false;
    *out = bondy_slice_of(in->data, len);
    *in = bondy_slice_skip(*in, len);
    return true;
}

static int broken(struct bondy_error *err)
{
    return bondy_fail(err, BONDY_EINVAL, "a broken OpenSSH private key");
}

static int read_private_part(struct bondy_slice in, uint8_t *seed, struct bondy_error *err)
{
    struct bondy_slice type, public_key, both;
    uint32_t check, check_again;

    if (!take_number(&in, &check) || !take_number(&in, &check_again) || check != check_again ||
        !take_string(&in, &type))
        return broken(err);
    if (!bondy_slice_is(type, SSH_TYPE))
        return bondy_fail(err, BONDY_EINVAL,
                          "a key of type " BONDY_SLICE_FMT ", expected " SSH_TYPE
                          " (ssh-keygen -t ed25519)",
                          BONDY_SLICE_ARG(type));
    if (!take_string(&in, &public_key) || !take_string(&in, &both) || both.len != 64)
        return broken(err);
    memcpy(seed, both.data, BONDY_KEYFILE_SEED_LEN);
    return BONDY_OK;
}

static int read_ssh(struct bondy_slice in, uint8_t *seed, struct bondy_error *err)
{
    struct bondy_slice cipher, kdf, kdf_options, public_key, private_part;
    uint32_t count;

    if (!bondy_slice_starts(in, bondy_slice_of(SSH_MAGIC, sizeof SSH_MAGIC)))
        return broken(err);
    in = bondy_slice_skip(in, sizeof SSH_MAGIC);
    if (!take_string(&in, &cipher) || !take_string(&in, &kdf) || !take_string(&in, &kdf_options) ||
        !take_number(&in, &count))
        return broken(err);
    if (!bondy_slice_is(cipher, "none"))
        return bondy_fail(err, BONDY_EINVAL,
                          "the key has a passphrase; ssh-keygen -p -N '' -f COPY takes it off a "
                          "copy");
    if (count != 1 || !take_string(&in, &public_key) || !take_string(&in, &private_part))
        return broken(err);
    return read_private_part(private_part, seed, err);
}

static int parse_ssh(struct bondy_slice text, uint8_t *seed, struct bondy_error *err)
{
    uint8_t octets[FILE_MAX];
    const char *end = memmem(text.data, text.len, SSH_END, strlen(SSH_END));
    size_t len = 0;
    int rc;

    text = bondy_slice_skip(text, strlen(SSH_BEGIN));
    if (end == NULL || end < text.data ||
        sodium_base642bin(octets, sizeof octets, text.data, (size_t)(end - text.data), "\r\n ",
                          &len, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
        return broken(err);
    rc = read_ssh(bondy_slice_of(octets, len), seed, err);
    sodium_memzero(octets, sizeof octets);
    return rc;
}

/* ---- PEM ------------------------------------------------------------------------------------- */

static int import_pem(gnutls_x509_privkey_t key, struct bondy_slice text, uint8_t *seed,
                      struct bondy_error *err)
{
    gnutls_datum_t pem = {(unsigned char *)(uintptr_t)text.data, (unsigned)text.len};
    gnutls_datum_t x = {NULL, 0}, k = {NULL, 0};
    gnutls_ecc_curve_t curve;
    int rc = gnutls_x509_privkey_import2(key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);

    if (rc == GNUTLS_E_DECRYPTION_FAILED)
        return bondy_fail(err, BONDY_EINVAL, "the key has a passphrase");
    if (rc < 0)
        return bondy_fail(err, BONDY_EINVAL, "no private key: %s", gnutls_strerror(rc));
    if (gnutls_x509_privkey_get_pk_algorithm(key) != GNUTLS_PK_EDDSA_ED25519)
        return bondy_fail(err, BONDY_EINVAL, "a key of type %s, expected Ed25519",
                          gnutls_pk_algorithm_get_name(
                              (gnutls_pk_algorithm_t)gnutls_x509_privkey_get_pk_algorithm(key)));
    if (gnutls_x509_privkey_export_ecc_raw(key, &curve, &x, NULL, &k) < 0 ||
        k.size != BONDY_KEYFILE_SEED_LEN)
        rc = bondy_fail(err, BONDY_EINVAL, "a broken Ed25519 key");
    else
        memcpy(seed, k.data, BONDY_KEYFILE_SEED_LEN);
    if (k.data != NULL)
        sodium_memzero(k.data, k.size);
    gnutls_free(k.data);
    gnutls_free(x.data);
    return rc;
}

static int parse_pem(struct bondy_slice text, uint8_t *seed, struct bondy_error *err)
{
    gnutls_x509_privkey_t key;
    int rc;

    if (gnutls_x509_privkey_init(&key) < 0)
        return bondy_fail(err, BONDY_EIO, "the key cannot be looked at");
    rc = import_pem(key, text, seed, err);
    gnutls_x509_privkey_deinit(key);
    return rc;
}

/* ---- any of them ----------------------------------------------------------------------------- */

int bondy_keyfile_parse(struct bondy_slice text, uint8_t seed[BONDY_KEYFILE_SEED_LEN],
                        struct bondy_error *err)
{
    size_t len = 0;

    text = bondy_slice_trim(text);
    if (text.len > FILE_MAX)
        return bondy_fail(err, BONDY_EINVAL, "a file of %zu octets is no private key", text.len);
    if (bondy_slice_starts(text, BONDY_SLICE(SSH_BEGIN)))
        return parse_ssh(text, seed, err);
    if (bondy_slice_starts(text, BONDY_SLICE("-----BEGIN ")))
        return parse_pem(text, seed, err);
    if (bondy_slice_starts(text, BONDY_SLICE("ssh-ed25519 ")))
        return bondy_fail(err, BONDY_EINVAL, "this is the public key; the private one is needed");
    if (text.len == 2 * (size_t)BONDY_KEYFILE_SEED_LEN &&
        sodium_hex2bin(seed, BONDY_KEYFILE_SEED_LEN, text.data, text.len, NULL, &len, NULL) == 0 &&
        len == BONDY_KEYFILE_SEED_LEN)
        return BONDY_OK;
    return bondy_fail(err, BONDY_EINVAL,
                      "no Ed25519 private key: expected OpenSSH, PEM or 64 hexadecimal digits");
}

int bondy_keyfile_read(const char *path, uint8_t seed[BONDY_KEYFILE_SEED_LEN],
                       struct bondy_error *err)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    int rc;

    if ((rc = bondy_file_check_private(path, err)) < 0 ||
        (rc = bondy_file_read(path, FILE_MAX, &text, err)) < 0)
        goto out;
    if ((rc = bondy_keyfile_parse(bondy_buf_slice(&text), seed, err)) < 0)
        bondy_wrap(err, "%s", path);
out:
    if (text.data != NULL)
        sodium_memzero(text.data, text.cap);
    bondy_buf_fini(&text);
    return rc;
}
