/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/sys/certificate.h"

#define Y2020 1577836800
#define Y2051 2556144000

struct san {
    gnutls_x509_subject_alt_name_t type;
    const void *data;
    unsigned len;
};

struct recipe {
    const char *name; /* NULL: none */
    const unsigned char *serial;
    size_t serial_len;
    const struct san *sans;
    size_t san_count;
};

/* A certificate that answers for itself, described. */
static json_t *describe(const struct recipe *recipe)
{
    gnutls_x509_crt_t certificate;
    gnutls_x509_privkey_t key;
    gnutls_datum_t der = {NULL, 0};
    json_t *out;

    gnutls_x509_privkey_init(&key);
    assert_int_equal(gnutls_x509_privkey_generate(key, GNUTLS_PK_EDDSA_ED25519, 0, 0), 0);
    gnutls_x509_crt_init(&certificate);
    gnutls_x509_crt_set_version(certificate, 3);
    gnutls_x509_crt_set_key(certificate, key);
    gnutls_x509_crt_set_serial(certificate, recipe->serial, recipe->serial_len);
    gnutls_x509_crt_set_activation_time(certificate, Y2020);
    gnutls_x509_crt_set_expiration_time(certificate, Y2051);
    if (recipe->name != NULL)
        gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, recipe->name,
                                      (unsigned)strlen(recipe->name));
    for (size_t i = 0; i < recipe->san_count; i++)
        gnutls_x509_crt_set_subject_alt_name(certificate, recipe->sans[i].type,
                                             recipe->sans[i].data, recipe->sans[i].len,
                                             GNUTLS_FSAN_APPEND);
    assert_int_equal(gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA512, 0), 0);
    assert_int_equal(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_DER, &der), 0);
    out = bondy_certificate_describe(bondy_slice_of(der.data, der.size));
    gnutls_free(der.data);
    gnutls_x509_crt_deinit(certificate);
    gnutls_x509_privkey_deinit(key);
    assert_non_null(out);
    return out;
}

static void serial_numbers_are_decimal_however_long(void **state)
{
    static const struct {
        const char *octets;
        size_t len;
        const char *text;
    } cases[] = {
        {"\x01", 1, "1"},
        {"\x0a", 1, "10"},
        {"\x01\x00", 2, "256"},
        {"\x7f\xff\xff\xff\xff\xff\xff\xff", 8, "9223372036854775807"},
        {"\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 20,
         "730750818665451459101842416358141509827966271487"},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        const struct recipe recipe = {.serial = (const unsigned char *)cases[i].octets,
                                      .serial_len = cases[i].len};
        json_t *shown = describe(&recipe);

        assert_string_equal(json_string_value(json_object_get(shown, "serial")), cases[i].text);
        json_decref(shown);
    }
}

static void names_and_times_are_shown(void **state)
{
    unsigned char six[16];
    const struct san sans[] = {{GNUTLS_SAN_DNSNAME, "shop.example", 12},
                               {GNUTLS_SAN_IPADDRESS, "\xc0\x00\x02\x01", 4},
                               {GNUTLS_SAN_IPADDRESS, six, 16},
                               {GNUTLS_SAN_RFC822NAME, "mona@shop.example", 17},
                               {GNUTLS_SAN_URI, "urn:shop", 8}};
    const struct recipe recipe = {.name = "Shop",
                                  .serial = (const unsigned char *)"\x01",
                                  .serial_len = 1,
                                  .sans = sans,
                                  .san_count = BONDY_COUNT(sans)};
    json_t *shown, *wanted;

    (void)state;
    inet_pton(AF_INET6, "2001:db8::1", six);
    shown = describe(&recipe);
    assert_int_equal(json_string_length(json_object_get(shown, "fingerprint_sha256")), 64);
    json_object_del(shown, "fingerprint_sha256");
    wanted = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:[s, s, s, s, s]}", "subject", "Shop",
                       "issuer", "Shop", "serial", "1", "not_before", "200101000000Z", "not_after",
                       "20510101000000Z", "valid_from", "2020-01-01T00:00:00.000Z", "valid_until",
                       "2051-01-01T00:00:00.000Z", "sans", "DNS:shop.example", "IP:192.0.2.1",
                       "IP:2001:db8::1", "email:mona@shop.example", "URI:urn:shop");
    assert_true(json_equal(shown, wanted));
    json_decref(wanted);
    json_decref(shown);
}

static void a_certificate_may_have_no_names(void **state)
{
    const struct recipe recipe = {.serial = (const unsigned char *)"\x01", .serial_len = 1};
    json_t *shown = describe(&recipe);

    (void)state;
    assert_string_equal(json_string_value(json_object_get(shown, "subject")), "");
    assert_string_equal(json_string_value(json_object_get(shown, "issuer")), "");
    assert_int_equal(json_array_size(json_object_get(shown, "sans")), 0);
    json_decref(shown);
}

static void what_is_no_certificate_is_not_described(void **state)
{
    (void)state;
    assert_null(bondy_certificate_describe(BONDY_SLICE_EMPTY));
    assert_null(bondy_certificate_describe(BONDY_SLICE("\x30\x03\x02\x01\x01")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serial_numbers_are_decimal_however_long),
        cmocka_unit_test(names_and_times_are_shown),
        cmocka_unit_test(a_certificate_may_have_no_names),
        cmocka_unit_test(what_is_no_certificate_is_not_described),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
