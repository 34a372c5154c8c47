/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TESTS_LIB_HTTP_CLIENT_H
#define BONDY_TESTS_LIB_HTTP_CLIENT_H

/* http_client: an HTTP client that says exactly what it is told to, for a server in the same
 * thread: whenever it waits it turns the server's loop. */

#include <stdbool.h>

#include "src/base/buf.h"
#include "src/http/server.h"

struct http_client {
    struct bondy_loop *loop;
    int fd;
    struct bondy_buf in;
    bool at_end; /* the server closed, or reset */
};

struct http_reply {
    unsigned status;
    struct bondy_buf head; /* status line and headers, NUL-terminated */
    struct bondy_buf body; /* chunks joined; NUL-terminated */
};

/* A connection to `server` over a socket pair. */
void http_client_open(struct http_client *client, struct bondy_http_server *server,
                      struct bondy_loop *loop, const struct bondy_http_listener *listener);
/* The same over TCP on the loopback interface. */
void http_client_open_tcp(struct http_client *client, struct bondy_http_server *server,
                          struct bondy_loop *loop, const struct bondy_http_listener *listener);
void http_client_close(struct http_client *client);
/* Sends all of it, turning the loop while the socket is full; false when the server closed. */
bool http_client_send(struct http_client *client, const void *bytes, size_t len);
bool http_client_say(struct http_client *client, const char *text);
/* The next answer. False: the connection ended, or nothing came for ten seconds. `to_head`: the
 * answer belongs to a HEAD request. */
bool http_client_read(struct http_client *client, bool to_head, struct http_reply *reply);
/* say and read; fails the test when there is no answer. */
unsigned http_client_ask(struct http_client *client, const char *text, struct http_reply *reply);
/* Turns until the server closed; false after ten seconds. Octets that came are kept. */
bool http_client_wait_end(struct http_client *client);
/* Reads what is there without waiting. */
void http_client_poll(struct http_client *client);

/* The first header of that name as a static copy, or NULL. */
const char *http_reply_header(const struct http_reply *reply, const char *name);
unsigned http_reply_header_count(const struct http_reply *reply, const char *name);
void http_reply_fini(struct http_reply *reply);

#endif
