/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SERVER_CERTIFICATES_H
#define BONDY_SERVER_CERTIFICATES_H

/* certificates: the certificates that listeners serve, read at start, at SIGHUP and when the admin
 * API asks: at all times from the files that the configuration named when it was last taken.
 *
 * New handshakes use what was read last, connections keep what they began with. */

#include "src/admin/node.h"
#include "src/server/server.h"

#define BONDY_SERVER_MOST_LISTENERS 16

struct bondy_server_certificates;

struct bondy_server_certificates *bondy_server_certificates_create(void);
/* After all threads are gone; drops the listeners' references too. NULL is fine. */
void bondy_server_certificates_destroy(struct bondy_server_certificates *certificates);

/* One more listener, in the order of their table. `name` is also the prefix of its keys and static;
 * `served` is where its connections take it from, and outlives this; NULL: it has no TLS. Reads the
 * files (may block). What is kept of client_auth.h goes before the configuration. Errors as of
 * bondy_tls_create(). Main thread, before the first listener is
 * open. */
int bondy_server_certificates_add(struct bondy_server *server, const char *name,
                                  struct bondy_tls *_Atomic *served, struct bondy_error *err);
/* Reads what the keys below `name` say and keeps nothing; may block. */
int bondy_server_certificate_check(const struct bondy_config *config, const char *name,
                                   struct bondy_error *err);

/* What the listener number `index` shows; false: there are not so many. Waits for who reads files:
 * pool threads. */
struct bondy_server_certificate {
    const char *name; /* of the listener; static */
    int64_t ends_s;   /* seconds since 1970; 0: the listener has no TLS */
};
bool bondy_server_certificate_at_wait(struct bondy_server *server, size_t index,
                                      struct bondy_server_certificate *out);

/* What the admin API asks of them; the context is the server. */
extern const struct bondy_admin_certificates bondy_server_certificate_hooks;

#endif
