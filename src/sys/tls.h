/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SYS_TLS_H
#define BONDY_SYS_TLS_H

/* tls: what a listener needs to speak TLS as a server (GnuTLS): certificate, key, client
 * authorities, versions.
 *
 * A `struct bondy_tls` never changes: a reload makes a new one and the listener swaps its pointer;
 * sessions hold a reference to the one they began with. References may be dropped in any thread.
 * Holders: listeners, sessions. */

#include <stdbool.h>
#include <stdint.h>

#include <gnutls/gnutls.h>

#include "src/base/error.h"
#include "src/base/slice.h"

struct bondy_tls;

struct bondy_tls_options {
    const char *certfile;   /* PEM: leaf first, then the chain; may hold the key too */
    const char *keyfile;    /* PEM; NULL or "": the key is in certfile */
    const char *cacertfile; /* PEM: whose client certificates are accepted; NULL or "": nobody's */
    bool verify;            /* ask the client for a certificate and check the one that comes */
    bool fail_if_no_peer_cert; /* with verify: none is a failed handshake */
    const char *versions;      /* list of 1.2 and 1.3, by commas or spaces; NULL or "": 1.3 */
    const char *ciphers;       /* added to the GnuTLS priority string; NULL or "": none */
};

/* Reads the files (may block) and checks that they fit. The caller owns one reference of *out.
 * BONDY_ENOENT, BONDY_EINVAL (not PEM, key of another certificate, unknown version, authorities
 * missing), BONDY_EDENIED (others may read the key), BONDY_EIO. The error names file and key. */
int bondy_tls_create(const struct bondy_tls_options *options, struct bondy_tls **out,
                     struct bondy_error *err);
struct bondy_tls *bondy_tls_ref(struct bondy_tls *tls);
/* NULL is fine. */
void bondy_tls_unref(struct bondy_tls *tls);

/* A server session, non-blocking, that never raises SIGPIPE, with ALPN "http/1.1" when the client
 * offers it and, where no client certificate is asked for, tickets for resumption: each connection
 * shows its own certificate. Transport functions are the caller's to set, and so is
 * gnutls_session_get_ptr(): ours is kept aside. The caller owns *out and ends it with
 * bondy_tls_session_destroy(), which also drops the session's reference of `tls`. */
int bondy_tls_session_create(struct bondy_tls *tls, gnutls_session_t *out, struct bondy_error *err);
void bondy_tls_session_destroy(struct bondy_tls *tls, gnutls_session_t session);

/* The hash of the leaf certificate that binds a login to it: tls-server-end-point (RFC 5929, 4.1).
 * Its length, at most BONDY_TLS_HASH_MAX; 0: the certificate's signature (EdDSA) has none. */
#define BONDY_TLS_HASH_MAX 64
size_t bondy_tls_end_point(const struct bondy_tls *tls, uint8_t out[BONDY_TLS_HASH_MAX]);
/* The common name of the certificate that the client showed and that was checked; "" when there is
 * none, or when it does not fit. */
#define BONDY_TLS_NAME_MAX 256
void bondy_tls_client_name(gnutls_session_t session, char out[BONDY_TLS_NAME_MAX]);

/* Facts of the leaf certificate, for metrics and administration: when it ends (seconds since 1970)
 * and its subject (borrowed from `tls`). */
long long bondy_tls_expires_at(const struct bondy_tls *tls);
const char *bondy_tls_subject(const struct bondy_tls *tls);
/* The leaf certificate in DER form, borrowed from `tls`; for src/sys/certificate.h. */
struct bondy_slice bondy_tls_leaf(const struct bondy_tls *tls);

#endif
