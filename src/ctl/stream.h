/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_CTL_STREAM_H
#define BONDY_CTL_STREAM_H

/* stream: a connection to the router's host: TCP, TLS over TCP, or a Unix socket. Blocking with
 * deadlines: this is a command-line program of one thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/base/buf.h"
#include "src/base/error.h"

struct bondy_stream;

/* Where a URL leads. Texts are owned. */
struct bondy_stream_url {
    bool tls;
    bool websocket;
    bool is_insecure; /* TLS without a look at the certificate; false after parsing */
    char *host;       /* or the path of a Unix socket */
    char *port;       /* NULL: a Unix socket */
    char *path;       /* of a WebSocket */
};
int bondy_stream_url_parse(const char *text, struct bondy_stream_url *out, struct bondy_error *err);
void bondy_stream_url_fini(struct bondy_stream_url *url);

/* Connects until `deadline_ms` (monotonic). `ca_file`: authorities for TLS, NULL: the system's.
 * BONDY_EIO: not reachable. BONDY_EDENIED: the certificate is not one for this host from an
 * authority that this system trusts. */
int bondy_stream_open(const struct bondy_stream_url *url, const char *ca_file, uint64_t deadline_ms,
                      struct bondy_stream **out, struct bondy_error *err);
void bondy_stream_close(struct bondy_stream *stream);
int bondy_stream_fd(const struct bondy_stream *stream);
/* Nobody else can read what is sent: TLS, a Unix socket, or the other end is on this machine. */
bool bondy_stream_is_private(const struct bondy_stream *stream);
/* Bytes are there that poll() does not see. */
bool bondy_stream_has_pending(const struct bondy_stream *stream);
int bondy_stream_write(struct bondy_stream *stream, struct bondy_slice bytes,
                       struct bondy_error *err);
/* Appends what is there, waiting for the first byte. BONDY_EIO: failed; BONDY_ENOENT: it ended. */
int bondy_stream_read(struct bondy_stream *stream, struct bondy_buf *out, struct bondy_error *err);
/* Waits for something to read. BONDY_EAGAIN: the deadline passed; BONDY_ESTATE: a signal asked to
 * stop (bondy_stream_stopping). */
int bondy_stream_wait(struct bondy_stream *stream, uint64_t deadline_ms, struct bondy_error *err);

/* SIGINT and SIGTERM end waits from now on. */
void bondy_stream_catch_signals(void);
bool bondy_stream_stopping(void);

#endif
