/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <gnutls/x509.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>

#include "src/base/alloc.h"
#include "src/base/buf.h"
#include "src/ctl/keyfile.h"
#include "src/sys/file.h"

/* The seed 00..1f, written by OpenSSL and by OpenSSH's format. It is in the specification of the
 * login, so it protects nothing. */
#define HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define PEM                                                                                        \
    "-----BEGIN PRIVATE KEY-----\n"                                                                \
    "MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n"                           \
    "-----END PRIVATE KEY-----\n"
#define SSH                                                                                        \
    "-----BEGIN OPENSSH PRIVATE KEY-----\n"                                                        \
    "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZWQyNTUx\n"               \
    "OQAAACADoQe/884Qvh1w3RjnS8CZZ+TWMJulDV8d3IZkElUxuAAAAIi6SwAtuksALQAAAAtzc2gt\n"               \
    "ZWQyNTUxOQAAACADoQe/884Qvh1w3RjnS8CZZ+TWMJulDV8d3IZkElUxuAAAAEAAAQIDBAUGBwgJ\n"               \
    "CgsMDQ4PEBESExQVFhcYGRobHB0eHwOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4AAAA\n"               \
    "AAECAwQF\n"                                                                                   \
    "-----END OPENSSH PRIVATE KEY-----\n"

static void assert_is_the_seed(const uint8_t *seed)
{
    for (unsigned i = 0; i < BONDY_KEYFILE_SEED_LEN; i++)
        assert_int_equal(seed[i], i);
}

static void every_form_gives_the_seed(void **state)
{
    static const char *const texts[] = {HEX, HEX "\n", "  " HEX "\r\n", PEM, SSH, "\n" SSH "\n"};

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(texts); i++) {
        uint8_t seed[BONDY_KEYFILE_SEED_LEN] = {0xFF};

        print_message("case %zu\n", i);
        assert_int_equal(bondy_keyfile_parse(bondy_slice_text(texts[i]), seed, NULL), BONDY_OK);
        assert_is_the_seed(seed);
    }
}

static void what_is_no_key_is_refused_with_what_it_is(void **state)
{
    static const struct {
        const char *text, *told;
    } cases[] = {
        {"", "expected OpenSSH, PEM or 64 hexadecimal digits"},
        {"secret", "expected OpenSSH"},
        {HEX "00", "expected OpenSSH"},
        {"0x" HEX, "expected OpenSSH"},
        {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4 me",
         "public key"},
        {"-----BEGIN OPENSSH PRIVATE KEY-----\nbm8=\n-----END OPENSSH PRIVATE KEY-----", "broken"},
        {"-----BEGIN OPENSSH PRIVATE KEY-----\n!!!\n-----END OPENSSH PRIVATE KEY-----", "broken"},
        {"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA", "broken"},
        {"-----BEGIN PRIVATE KEY-----\nnothing\n-----END PRIVATE KEY-----", "no private key"},
        {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "no private key"},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        uint8_t seed[BONDY_KEYFILE_SEED_LEN];
        struct bondy_error err;

        print_message("%s\n", cases[i].text);
        assert_int_equal(bondy_keyfile_parse(bondy_slice_text(cases[i].text), seed, &err),
                         BONDY_EINVAL);
        assert_non_null(strstr(err.text, cases[i].told));
    }
}

/* ---- OpenSSH keys made by hand --------------------------------------------------------------- */

static void add_string(struct bondy_buf *out, const void *data, size_t len)
{
    bondy_buf_append_byte(out, 0);
    bondy_buf_append_byte(out, 0);
    bondy_buf_append_byte(out, (unsigned)len >> 8);
    bondy_buf_append_byte(out, (unsigned)len & 0xFF);
    bondy_buf_append(out, data, len);
}

static void make_blob(const char *cipher, const char *type, unsigned check, struct bondy_buf *out)
{
    uint8_t both[64] = {0};
    uint8_t checks[8] = {0, 0, 0, 7, 0, 0, 0, (uint8_t)check};
    struct bondy_buf inner = BONDY_BUF_EMPTY;

    for (unsigned i = 0; i < 32; i++)
        both[i] = (uint8_t)i;
    bondy_buf_append(&inner, checks, sizeof checks);
    add_string(&inner, type, strlen(type));
    add_string(&inner, both + 32, 32);
    add_string(&inner, both, 64);
    add_string(&inner, "", 0);
    bondy_buf_append(out, "openssh-key-v1", 15);
    add_string(out, cipher, strlen(cipher));
    add_string(out, "none", 4);
    add_string(out, "", 0);
    bondy_buf_append(out, "\0\0\0\1", 4);
    add_string(out, "public", 6);
    add_string(out, inner.data, inner.len);
    bondy_buf_fini(&inner);
}

static int parse_blob(struct bondy_slice blob, uint8_t *seed, struct bondy_error *err)
{
    size_t room = sodium_base64_ENCODED_LEN(blob.len, sodium_base64_VARIANT_ORIGINAL);
    char *text = bondy_alloc(room);
    struct bondy_buf file = BONDY_BUF_EMPTY;
    int rc;

    sodium_bin2base64(text, room, (const unsigned char *)blob.data, blob.len,
                      sodium_base64_VARIANT_ORIGINAL);
    bondy_buf_printf(
        &file, "-----BEGIN OPENSSH PRIVATE KEY-----\n%s\n-----END OPENSSH PRIVATE KEY-----", text);
    rc = bondy_keyfile_parse(bondy_buf_slice(&file), seed, err);
    bondy_buf_fini(&file);
    bondy_free(text);
    return rc;
}

static void an_openssh_key_is_refused_when_it_has_a_passphrase_or_another_type(void **state)
{
    static const struct {
        const char *cipher, *type;
        unsigned check;
        const char *told; /* NULL: fine */
    } cases[] = {
        {"none", "ssh-ed25519", 7, NULL},
        {"aes256-ctr", "ssh-ed25519", 7, "passphrase"},
        {"none", "ssh-rsa", 7, "ssh-rsa"},
        {"none", "ssh-ed25519", 8, "broken"},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_buf blob = BONDY_BUF_EMPTY;
        uint8_t seed[BONDY_KEYFILE_SEED_LEN];
        struct bondy_error err = {0};
        int rc;

        print_message("case %zu\n", i);
        make_blob(cases[i].cipher, cases[i].type, cases[i].check, &blob);
        rc = parse_blob(bondy_buf_slice(&blob), seed, &err);
        assert_int_equal(rc, cases[i].told == NULL ? BONDY_OK : BONDY_EINVAL);
        if (cases[i].told != NULL)
            assert_non_null(strstr(err.text, cases[i].told));
        else
            assert_is_the_seed(seed);
        bondy_buf_fini(&blob);
    }
}

static void an_openssh_key_that_was_cut_off_is_refused_wherever_that_was(void **state)
{
    struct bondy_buf blob = BONDY_BUF_EMPTY;

    (void)state;
    make_blob("none", "ssh-ed25519", 7, &blob);
    for (size_t len = 0; len < blob.len; len++) {
        uint8_t seed[BONDY_KEYFILE_SEED_LEN];

        assert_int_equal(parse_blob(bondy_slice_of(blob.data, len), seed, NULL), BONDY_EINVAL);
    }
    bondy_buf_fini(&blob);
}

/* ---- PEM keys made by GnuTLS ------------------------------------------------------------------
 */

static void a_pem_key_is_refused_when_it_has_a_passphrase_or_another_type(void **state)
{
    static const struct {
        gnutls_pk_algorithm_t algorithm;
        unsigned bits;
        const char *password, *told;
    } cases[] = {
        {GNUTLS_PK_EDDSA_ED25519, 256, NULL, NULL},
        {GNUTLS_PK_EDDSA_ED25519, 256, "secret", "passphrase"},
        {GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), NULL, "EC"},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        uint8_t seed[BONDY_KEYFILE_SEED_LEN];
        struct bondy_error err = {0};
        gnutls_x509_privkey_t key;
        gnutls_datum_t pem;
        int rc;

        print_message("case %zu\n", i);
        gnutls_x509_privkey_init(&key);
        assert_int_equal(gnutls_x509_privkey_generate(key, cases[i].algorithm, cases[i].bits, 0),
                         0);
        assert_int_equal(
            gnutls_x509_privkey_export2_pkcs8(
                key, GNUTLS_X509_FMT_PEM, cases[i].password,
                cases[i].password == NULL ? GNUTLS_PKCS_PLAIN : GNUTLS_PKCS_PBES2_AES_256, &pem),
            0);
        rc = bondy_keyfile_parse(bondy_slice_of(pem.data, pem.size), seed, &err);
        assert_int_equal(rc, cases[i].told == NULL ? BONDY_OK : BONDY_EINVAL);
        if (cases[i].told != NULL)
            assert_non_null(strstr(err.text, cases[i].told));
        gnutls_free(pem.data);
        gnutls_x509_privkey_deinit(key);
    }
}

static void a_file_that_others_may_read_is_refused(void **state)
{
    char *folder = bondy_test_mkdir();
    uint8_t seed[BONDY_KEYFILE_SEED_LEN];
    struct bondy_error err;
    char path[200];

    (void)state;
    snprintf(path, sizeof path, "%s/key", folder);
    assert_int_equal(bondy_file_write(path, BONDY_SLICE(HEX "\n"), 0600, NULL), BONDY_OK);
    assert_int_equal(bondy_keyfile_read(path, seed, NULL), BONDY_OK);
    assert_is_the_seed(seed);
    chmod(path, 0640);
    assert_int_equal(bondy_keyfile_read(path, seed, &err), BONDY_EDENIED);
    assert_non_null(strstr(err.text, path));
    snprintf(path, sizeof path, "%s/none", folder);
    assert_int_equal(bondy_keyfile_read(path, seed, NULL), BONDY_ENOENT);
    bondy_test_rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_gives_the_seed),
        cmocka_unit_test(what_is_no_key_is_refused_with_what_it_is),
        cmocka_unit_test(an_openssh_key_is_refused_when_it_has_a_passphrase_or_another_type),
        cmocka_unit_test(an_openssh_key_that_was_cut_off_is_refused_wherever_that_was),
        cmocka_unit_test(a_pem_key_is_refused_when_it_has_a_passphrase_or_another_type),
        cmocka_unit_test(a_file_that_others_may_read_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
