/* SPDX-License-Identifier: Apache-2.0 */
#include "src/sys/certificate.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "src/base/alloc.h"
#include "src/base/buf.h"
#include "src/base/clock.h"

/* RFC 5280, 4.1.2.2: a serial number has at most 20 octets; some have more. */
#define MOST_SERIAL 64
#define MOST_NAME 1024
#define SHA256_LEN 32

/* ---- parts ----------------------------------------------------------------------------------- */

/* Text from a certificate is anybody's: what is no UTF-8 is left out. */
static json_t *text_of(const char *data, size_t len)
{
    json_t *text = json_stringn(data, len);

    return text == NULL ? json_string("") : text;
}

static json_t *common_name(gnutls_x509_crt_t certificate,
                           int (*get)(gnutls_x509_crt_t certificate, const char *oid,
                                      unsigned index, unsigned raw, void *out, size_t *len))
{
    char name[MOST_NAME];
    size_t len = sizeof name;

    if (get(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &len) < 0)
        return json_string("");
    return text_of(name, len);
}

/* Long division by ten; the digits come from the last to the first. */
static json_t *serial_of(gnutls_x509_crt_t certificate)
{
    unsigned char octets[MOST_SERIAL];
    char digits[MOST_SERIAL * 3 + 1]; /* an octet has at most 2.5 digits */
    size_t len = sizeof octets, at = sizeof digits;

    if (gnutls_x509_crt_get_serial(certificate, octets, &len) < 0)
        return json_string("");
    for (size_t first = 0; first < len;) {
        unsigned rest = 0;

        for (size_t i = first; i < len; i++) {
            unsigned value = rest << 8 | octets[i];

            octets[i] = (unsigned char)(value / 10);
            rest = value % 10;
        }
        while (first < len && octets[first] == 0)
            first++;
        digits[--at] = (char)('0' + rest);
    }
    return json_stringn(digits + at, sizeof digits - at);
}

static json_t *fingerprint_of(gnutls_x509_crt_t certificate)
{
    unsigned char hash[SHA256_LEN];
    char hex[2 * SHA256_LEN + 1] = "";
    size_t len = sizeof hash;

    if (gnutls_x509_crt_get_fingerprint(certificate, GNUTLS_DIG_SHA256, hash, &len) < 0)
        return json_string("");
    for (size_t i = 0; i < len; i++)
        snprintf(hex + 2 * i, 3, "%02x", hash[i]);
    return json_string(hex);
}

/* RFC 5280, 4.1.2.5: UTCTime through 2049, then GeneralizedTime. */
static json_t *asn1_time(time_t at)
{
    struct tm parts;
    char text[32];

    if (gmtime_r(&at, &parts) == NULL || strftime(text, sizeof text, "%Y%m%d%H%M%SZ", &parts) == 0)
        return json_string("");
    return json_string(parts.tm_year < 150 ? text + 2 : text);
}

static json_t *iso_time(time_t at)
{
    char text[25];

    if (at < 0)
        return json_null();
    bondy_clock_format((uint64_t)at * 1000, text);
    return json_string(text);
}

/* ---- alternative names ----------------------------------------------------------------------- */

static const struct {
    gnutls_x509_subject_alt_name_t type;
    const char *prefix;
} sorts[] = {{GNUTLS_SAN_DNSNAME, "DNS:"},
             {GNUTLS_SAN_IPADDRESS, "IP:"},
             {GNUTLS_SAN_RFC822NAME, "email:"},
             {GNUTLS_SAN_URI, "URI:"}};

static void add_san(json_t *list, int type, const char *name, size_t len)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    char address[INET6_ADDRSTRLEN] = "";

    for (size_t i = 0; i < BONDY_COUNT(sorts); i++)
        if ((int)sorts[i].type == type)
            bondy_buf_append_text(&text, sorts[i].prefix);
    if (text.len > 0 && type == GNUTLS_SAN_IPADDRESS) {
        inet_ntop(len == 4 ? AF_INET : AF_INET6, name, address, sizeof address);
        bondy_buf_append_text(&text, address);
    } else if (text.len > 0) {
        bondy_buf_append_slice(&text, bondy_slice_of(name, len));
    }
    if (text.len > 0)
        json_array_append_new(list, text_of(text.data, text.len));
    bondy_buf_fini(&text);
}

static json_t *sans_of(gnutls_x509_crt_t certificate)
{
    json_t *list = json_array();

    for (unsigned i = 0;; i++) {
        char name[MOST_NAME];
        size_t len = sizeof name;
        int type = gnutls_x509_crt_get_subject_alt_name(certificate, i, name, &len, NULL);

        if (type == GNUTLS_E_SHORT_MEMORY_BUFFER)
            continue; /* too long to be shown */
        if (type < 0)
            break;
        if (type != GNUTLS_SAN_IPADDRESS || len == 4 || len == 16)
            add_san(list, type, name, len);
    }
    return list;
}

/* ---- the whole ------------------------------------------------------------------------------- */

json_t *bondy_certificate_describe(struct bondy_slice der)
{
    const gnutls_datum_t datum = {(unsigned char *)der.data, (unsigned)der.len};
    gnutls_x509_crt_t certificate;
    json_t *out = NULL;

    if (gnutls_x509_crt_init(&certificate) < 0)
        return NULL;
    if (gnutls_x509_crt_import(certificate, &datum, GNUTLS_X509_FMT_DER) == 0) {
        time_t from = gnutls_x509_crt_get_activation_time(certificate);
        time_t until = gnutls_x509_crt_get_expiration_time(certificate);

        out = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "subject",
                        common_name(certificate, gnutls_x509_crt_get_dn_by_oid), "issuer",
                        common_name(certificate, gnutls_x509_crt_get_issuer_dn_by_oid),
                        "not_before", asn1_time(from), "not_after", asn1_time(until), "serial",
                        serial_of(certificate), "valid_from", iso_time(from), "valid_until",
                        iso_time(until), "sans", sans_of(certificate), "fingerprint_sha256",
                        fingerprint_of(certificate));
    }
    gnutls_x509_crt_deinit(certificate);
    return out;
}
