/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/cert.h"

#include "tests/lib/test.h"

#include <gnutls/x509.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

static void write_file(const char *folder, const char *name, const char *suffix,
                       gnutls_datum_t *content)
{
    char path[512];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s.%s", folder, name, suffix);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(content->data, 1, content->size, file), content->size);
    fclose(file);
    assert_int_equal(chmod(path, 0600), 0);
    gnutls_free(content->data);
}

static gnutls_datum_t read_file(const char *folder, const char *name, const char *suffix)
{
    gnutls_datum_t content;
    char path[512];

    snprintf(path, sizeof path, "%s/%s.%s", folder, name, suffix);
    assert_int_equal(gnutls_load_file(path, &content), 0);
    return content;
}

static void describe(gnutls_x509_crt_t cert, gnutls_x509_privkey_t key, const char *name,
                     bool is_authority)
{
    static unsigned char serial;
    static const unsigned char loopback[] = {127, 0, 0, 1};

    serial++;
    gnutls_x509_crt_set_version(cert, 3);
    gnutls_x509_crt_set_serial(cert, &serial, 1);
    gnutls_x509_crt_set_key(cert, key);
    gnutls_x509_crt_set_dn_by_oid(cert, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                  (unsigned)strlen(name));
    gnutls_x509_crt_set_activation_time(cert, time(NULL) - 3600);
    gnutls_x509_crt_set_expiration_time(cert, time(NULL) + 86400);
    gnutls_x509_crt_set_subject_alt_name(cert, GNUTLS_SAN_DNSNAME, "localhost", 9,
                                         GNUTLS_FSAN_APPEND);
    gnutls_x509_crt_set_subject_alt_name(cert, GNUTLS_SAN_IPADDRESS, loopback, sizeof loopback,
                                         GNUTLS_FSAN_APPEND);
    gnutls_x509_crt_set_basic_constraints(cert, is_authority, -1);
    gnutls_x509_crt_set_key_usage(cert, GNUTLS_KEY_DIGITAL_SIGNATURE |
                                            (is_authority ? GNUTLS_KEY_KEY_CERT_SIGN : 0U));
    gnutls_x509_crt_set_key_purpose_oid(cert, GNUTLS_KP_TLS_WWW_SERVER, 0);
    gnutls_x509_crt_set_key_purpose_oid(cert, GNUTLS_KP_TLS_WWW_CLIENT, 0);
}

void bondy_test_certificate(const char *folder, const char *name, const char *issuer)
{
    gnutls_x509_crt_t cert, by;
    gnutls_x509_privkey_t key, by_key;
    gnutls_datum_t pem;

    gnutls_x509_crt_init(&cert);
    gnutls_x509_crt_init(&by);
    gnutls_x509_privkey_init(&key);
    gnutls_x509_privkey_init(&by_key);
    assert_int_equal(gnutls_x509_privkey_generate(
                         key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
                     0);
    describe(cert, key, name, issuer == NULL);
    if (issuer != NULL) {
        pem = read_file(folder, issuer, "pem");
        assert_int_equal(gnutls_x509_crt_import(by, &pem, GNUTLS_X509_FMT_PEM), 0);
        gnutls_free(pem.data);
        pem = read_file(folder, issuer, "key");
        assert_int_equal(gnutls_x509_privkey_import(by_key, &pem, GNUTLS_X509_FMT_PEM), 0);
        gnutls_free(pem.data);
    }
    assert_int_equal(gnutls_x509_crt_sign2(cert, issuer == NULL ? cert : by,
                                           issuer == NULL ? key : by_key, GNUTLS_DIG_SHA256, 0),
                     0);
    assert_int_equal(gnutls_x509_crt_export2(cert, GNUTLS_X509_FMT_PEM, &pem), 0);
    write_file(folder, name, "pem", &pem);
    assert_int_equal(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem), 0);
    write_file(folder, name, "key", &pem);
    gnutls_x509_crt_deinit(cert);
    gnutls_x509_crt_deinit(by);
    gnutls_x509_privkey_deinit(key);
    gnutls_x509_privkey_deinit(by_key);
}
