/* SPDX-License-Identifier: Apache-2.0 */
#include "src/sys/tls.h"

#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/buf.h"
#include "src/base/ref.h"
#include "src/sys/file.h"

#define MOST_PEM_BYTES (1024 * 1024)
#define MOST_CHAIN 32

struct bondy_tls {
    struct bondy_ref ref;
    gnutls_certificate_credentials_t credentials;
    gnutls_priority_t priority;
    gnutls_datum_t ticket_key;
    gnutls_certificate_request_t client_certificate;
    long long expires_at;
    char *subject;
    uint8_t end_point[BONDY_TLS_HASH_MAX];
    size_t end_point_len;
};

static bool is_given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static gnutls_datum_t datum_of(const struct bondy_buf *buf)
{
    return (gnutls_datum_t){(unsigned char *)buf->data, (unsigned)buf->len};
}

/* RFC 5929, 4.1: the hash of the certificate's signature, SHA-256 instead of MD5 and SHA-1. */
static gnutls_digest_algorithm_t end_point_hash(int signature)
{
    gnutls_digest_algorithm_t hash;

    if (signature < 0 || signature == GNUTLS_SIGN_EDDSA_ED25519 ||
        signature == GNUTLS_SIGN_EDDSA_ED448)
        return GNUTLS_DIG_UNKNOWN;
    hash = gnutls_sign_get_hash_algorithm((gnutls_sign_algorithm_t)signature);
    return hash == GNUTLS_DIG_MD5 || hash == GNUTLS_DIG_SHA1 ? GNUTLS_DIG_SHA256 : hash;
}

/* Kept, because GnuTLS does not know our certificate any more on a resumed connection. */
static void keep_end_point(struct bondy_tls *tls, gnutls_x509_crt_t leaf)
{
    gnutls_digest_algorithm_t hash = end_point_hash(gnutls_x509_crt_get_signature_algorithm(leaf));
    gnutls_datum_t der = {NULL, 0};
    unsigned len = hash == GNUTLS_DIG_UNKNOWN ? 0 : gnutls_hash_get_len((int)hash);

    if (len == 0 || len > sizeof tls->end_point ||
        gnutls_x509_crt_export2(leaf, GNUTLS_X509_FMT_DER, &der) < 0)
        return;
    if (gnutls_hash_fast((int)hash, der.data, der.size, tls->end_point) == 0)
        tls->end_point_len = len;
    gnutls_free(der.data);
}

/* ---- files ----------------------------------------------------------------------------------- */

static int import_leaf(struct bondy_tls *tls, const gnutls_datum_t *pem, const char *path,
                       struct bondy_error *err)
{
    gnutls_x509_crt_t chain[MOST_CHAIN];
    unsigned count = MOST_CHAIN;
    gnutls_datum_t subject = {NULL, 0};
    int rc = gnutls_x509_crt_list_import(chain, &count, pem, GNUTLS_X509_FMT_PEM,
                                         GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED);

    if (rc < 0)
        return bondy_fail(err, BONDY_EINVAL, "%s: no usable certificates in PEM form: %s", path,
                          gnutls_strerror(rc));
    tls->expires_at = (long long)gnutls_x509_crt_get_expiration_time(chain[0]);
    if (gnutls_x509_crt_get_dn3(chain[0], &subject, 0) == 0) {
        tls->subject = bondy_memdup0(subject.data, subject.size);
        gnutls_free(subject.data);
    } else {
        tls->subject = bondy_strdup("");
    }
    keep_end_point(tls, chain[0]);
    for (unsigned i = 0; i < count; i++)
        gnutls_x509_crt_deinit(chain[i]);
    return BONDY_OK;
}

static int load_identity(struct bondy_tls *tls, const struct bondy_tls_options *options,
                         struct bondy_error *err)
{
    const char *keyfile = is_given(options->keyfile) ? options->keyfile : options->certfile;
    struct bondy_buf cert = BONDY_BUF_EMPTY;
    struct bondy_buf key = BONDY_BUF_EMPTY;
    gnutls_datum_t cert_pem;
    gnutls_datum_t key_pem;
    int rc;

    if ((rc = bondy_file_check_private(keyfile, err)) < 0 ||
        (rc = bondy_file_read(options->certfile, MOST_PEM_BYTES, &cert, err)) < 0 ||
        (rc = bondy_file_read(keyfile, MOST_PEM_BYTES, &key, err)) < 0)
        goto out;
    cert_pem = datum_of(&cert);
    key_pem = datum_of(&key);
    if ((rc = import_leaf(tls, &cert_pem, options->certfile, err)) < 0)
        goto out;
    /* GnuTLS compares key and certificate here and refuses a pair that does not match. */
    rc = gnutls_certificate_set_x509_key_mem2(tls->credentials, &cert_pem, &key_pem,
                                              GNUTLS_X509_FMT_PEM, NULL, 0);
    if (rc == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
        rc = bondy_fail(err, BONDY_EINVAL, "%s: the key of another certificate than the one in %s",
                        keyfile, options->certfile);
    else if (rc < 0)
        rc = bondy_fail(err, BONDY_EINVAL, "%s: no usable private key in PEM form: %s", keyfile,
                        gnutls_strerror(rc));
    else
        rc = BONDY_OK;
out:
    if (key.data != NULL)
        gnutls_memset(key.data, 0, key.len);
    if (cert.data != NULL)
        gnutls_memset(cert.data, 0, cert.len);
    bondy_buf_fini(&key);
    bondy_buf_fini(&cert);
    return rc;
}

/* GnuTLS' own check also refuses a client that has no certificate, which is right only when one is
 * required; that case it finds itself. */
static int check_client(gnutls_session_t session)
{
    gnutls_typed_vdata_st purpose = {
        .type = GNUTLS_DT_KEY_PURPOSE_OID,
        .data = (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT,
    };
    unsigned status = 0;
    unsigned count = 0;

    if (gnutls_certificate_get_peers(session, &count) == NULL || count == 0)
        return 0;
    if (gnutls_certificate_verify_peers(session, &purpose, 1, &status) < 0 || status != 0)
        return GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
    return 0;
}

static int load_authorities(struct bondy_tls *tls, const struct bondy_tls_options *options,
                            struct bondy_error *err)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    gnutls_datum_t pem;
    int rc;

    if (!options->verify)
        return BONDY_OK;
    if (!is_given(options->cacertfile))
        return bondy_fail(err, BONDY_EINVAL,
                          "verify is on without cacertfile: no client certificate could be right");
    if ((rc = bondy_file_read(options->cacertfile, MOST_PEM_BYTES, &text, err)) < 0)
        goto out;
    pem = datum_of(&text);
    rc = gnutls_certificate_set_x509_trust_mem(tls->credentials, &pem, GNUTLS_X509_FMT_PEM);
    if (rc <= 0)
        rc = bondy_fail(err, BONDY_EINVAL, "%s: no usable certificates in PEM form%s%s",
                        options->cacertfile, rc < 0 ? ": " : "", rc < 0 ? gnutls_strerror(rc) : "");
    else
        rc = BONDY_OK;
    gnutls_certificate_set_verify_function(tls->credentials, check_client);
    tls->client_certificate =
        options->fail_if_no_peer_cert ? GNUTLS_CERT_REQUIRE : GNUTLS_CERT_REQUEST;
out:
    bondy_buf_fini(&text);
    return rc;
}

/* ---- versions -------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    const char *priority;
} versions[] = {{"1.3", ":+VERS-TLS1.3"}, {"1.2", ":+VERS-TLS1.2"}};

static int find_versions(const char *list, unsigned *wanted, struct bondy_error *err)
{
    static const char separators[] = ", \t";

    *wanted = 0;
    for (list += strspn(list, separators); *list != '\0'; list += strspn(list, separators)) {
        struct bondy_slice name = {list, strcspn(list, separators)};
        unsigned found = 0;

        for (size_t i = 0; i < BONDY_COUNT(versions); i++)
            if (bondy_slice_is(name, versions[i].name))
                found = 1U << i;
        if (found == 0)
            return bondy_fail(err, BONDY_EINVAL,
                              "TLS version \"" BONDY_SLICE_FMT "\", expected 1.2 or 1.3",
                              BONDY_SLICE_ARG(name));
        *wanted |= found;
        list += name.len;
    }
    if (*wanted == 0)
        return bondy_fail(err, BONDY_EINVAL, "no TLS version, expected 1.2 or 1.3");
    return BONDY_OK;
}

static int choose_priority(struct bondy_tls *tls, const struct bondy_tls_options *options,
                           struct bondy_error *err)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    const char *problem = NULL;
    unsigned wanted;
    int rc = find_versions(is_given(options->versions) ? options->versions : "1.3", &wanted, err);

    if (rc < 0)
        return rc;
    bondy_buf_append_text(&text, "NORMAL:-VERS-ALL");
    for (size_t i = 0; i < BONDY_COUNT(versions); i++)
        if ((wanted & 1U << i) != 0)
            bondy_buf_append_text(&text, versions[i].priority);
    if (is_given(options->ciphers))
        bondy_buf_printf(&text, ":%s", options->ciphers);
    bondy_buf_append_byte(&text, '\0');
    if (gnutls_priority_init(&tls->priority, text.data, &problem) < 0)
        rc = bondy_fail(err, BONDY_EINVAL, "ciphers \"%s\": not understood from \"%s\"",
                        is_given(options->ciphers) ? options->ciphers : "",
                        problem == NULL ? "" : problem);
    bondy_buf_fini(&text);
    return rc;
}

/* ---- credentials ----------------------------------------------------------------------------- */

int bondy_tls_create(const struct bondy_tls_options *options, struct bondy_tls **out,
                     struct bondy_error *err)
{
    struct bondy_tls *tls = bondy_zalloc(sizeof *tls);
    int rc;

    bondy_ref_init(&tls->ref);
    tls->client_certificate = GNUTLS_CERT_IGNORE;
    if (!is_given(options->certfile)) {
        rc = bondy_fail(err, BONDY_EINVAL, "certfile is missing");
        goto out;
    }
    if (gnutls_certificate_allocate_credentials(&tls->credentials) < 0 ||
        gnutls_session_ticket_key_generate(&tls->ticket_key) < 0) {
        rc = bondy_fail(err, BONDY_EIO, "GnuTLS could not be set up");
        goto out;
    }
    if ((rc = load_identity(tls, options, err)) < 0 ||
        (rc = load_authorities(tls, options, err)) < 0 ||
        (rc = choose_priority(tls, options, err)) < 0)
        goto out;
    *out = BONDY_MOVE(tls);
out:
    bondy_tls_unref(tls);
    return rc;
}

struct bondy_tls *bondy_tls_ref(struct bondy_tls *tls)
{
    bondy_ref_take(&tls->ref);
    return tls;
}

void bondy_tls_unref(struct bondy_tls *tls)
{
    if (tls == NULL || !bondy_ref_drop(&tls->ref))
        return;
    if (tls->priority != NULL)
        gnutls_priority_deinit(tls->priority);
    if (tls->credentials != NULL)
        gnutls_certificate_free_credentials(tls->credentials);
    if (tls->ticket_key.data != NULL) {
        gnutls_memset(tls->ticket_key.data, 0, tls->ticket_key.size);
        gnutls_free(tls->ticket_key.data);
    }
    bondy_free(tls->subject);
    bondy_free(tls);
}

long long bondy_tls_expires_at(const struct bondy_tls *tls)
{
    return tls->expires_at;
}

const char *bondy_tls_subject(const struct bondy_tls *tls)
{
    return tls->subject;
}

struct bondy_slice bondy_tls_leaf(const struct bondy_tls *tls)
{
    gnutls_datum_t der = {NULL, 0};

    if (gnutls_certificate_get_crt_raw(tls->credentials, 0, 0, &der) < 0)
        return BONDY_SLICE_EMPTY;
    return bondy_slice_of(der.data, der.size);
}

/* ---- sessions -------------------------------------------------------------------------------- */

static int configure_session(struct bondy_tls *tls, gnutls_session_t session)
{
    static const gnutls_datum_t protocols[] = {{(unsigned char *)"http/1.1", 8}};
    int rc;

    if ((rc = gnutls_priority_set(session, tls->priority)) < 0 ||
        (rc = gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, tls->credentials)) < 0 ||
        (rc = gnutls_alpn_set_protocols(session, protocols, BONDY_COUNT(protocols), 0)) < 0)
        return rc;
    /* A ticket would carry the client's certificate to another connection, past the check of its
     * chain and its dates. */
    if (tls->client_certificate == GNUTLS_CERT_IGNORE &&
        (rc = gnutls_session_ticket_enable_server(session, &tls->ticket_key)) < 0)
        return rc;
    gnutls_certificate_server_set_request(session, tls->client_certificate);
    return 0;
}

int bondy_tls_session_create(struct bondy_tls *tls, gnutls_session_t *out, struct bondy_error *err)
{
    gnutls_session_t session;
    int rc = gnutls_init(&session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);

    if (rc == 0 && (rc = configure_session(tls, session)) < 0)
        gnutls_deinit(session);
    if (rc < 0)
        return bondy_fail(err, BONDY_EIO, "TLS session: %s", gnutls_strerror(rc));
    bondy_tls_ref(tls);
    *out = session;
    return BONDY_OK;
}

void bondy_tls_session_destroy(struct bondy_tls *tls, gnutls_session_t session)
{
    if (session == NULL)
        return;
    gnutls_deinit(session);
    bondy_tls_unref(tls);
}

/* ---- what a connection is bound to ----------------------------------------------------------- */

size_t bondy_tls_end_point(const struct bondy_tls *tls, uint8_t out[BONDY_TLS_HASH_MAX])
{
    memcpy(out, tls->end_point, tls->end_point_len);
    return tls->end_point_len;
}

void bondy_tls_client_name(gnutls_session_t session, char out[BONDY_TLS_NAME_MAX])
{
    gnutls_x509_crt_t certificate;
    const gnutls_datum_t *chain;
    size_t len = BONDY_TLS_NAME_MAX;
    unsigned count = 0;

    out[0] = '\0';
    chain = gnutls_certificate_get_peers(session, &count);
    if (chain == NULL || count == 0 || gnutls_x509_crt_init(&certificate) < 0)
        return;
    /* A name that holds a NUL would be read as another, shorter one. */
    if (gnutls_x509_crt_import(certificate, &chain[0], GNUTLS_X509_FMT_DER) < 0 ||
        gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, out, &len) <
            0 ||
        strlen(out) != len)
        out[0] = '\0';
    gnutls_x509_crt_deinit(certificate);
}
