/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_CTL_CLIENT_H
#define BONDY_CTL_CLIENT_H

/* client: one WAMP session of a command-line program, over RawSocket or WebSocket. Blocking, one
 * thread. WAMP, Basic Profile: Sessions; Advanced Profile: Authentication. */

#include "src/base/error.h"
#include "src/base/json.h"
#include "src/ctl/login.h"
#include "src/wamp/message.h"

struct bondy_client;

struct bondy_client_options {
    const char *url;
    const char *realm;
    const char *ca_file; /* NULL: the system's authorities */
    bool is_insecure;    /* the certificate is not checked */
    const struct bondy_ctl_credentials *credentials;
    enum bondy_serializer serializer;
    uint64_t timeout_ms; /* for connecting and joining together */
};

/* Connects and joins; the caller owns *out. BONDY_EIO: not reachable, or it broke; BONDY_EAGAIN:
 * not in time; BONDY_EDENIED: the realm does not let us in; BONDY_EINVAL: no such URL;
 * BONDY_EPROTO: an ABORT for another reason, or not a WAMP router; BONDY_ESTATE: a signal. */
int bondy_client_open(const struct bondy_client_options *options, struct bondy_client **out,
                      struct bondy_error *err);
/* Says GOODBYE when the session still lives, and closes. NULL is fine. */
void bondy_client_close(struct bondy_client *client);

uint64_t bondy_client_next_id(struct bondy_client *client);
/* Encodes and writes. The message's payload may be of any serializer. */
int bondy_client_send(struct bondy_client *client, const struct bondy_message *message,
                      struct bondy_error *err);
/* A payload from trees (borrowed), valid until the next call of this function. */
struct bondy_payload bondy_client_payload(struct bondy_client *client, const json_t *args,
                                          const json_t *kwargs);
/* The next message; borrowed until the next call. Pings are answered in here. BONDY_EAGAIN: not
 * until `deadline_ms` (monotonic; 0: only what is here already); BONDY_ENOENT: the session ended,
 * the text says why; BONDY_EIO, BONDY_EPROTO, BONDY_ESTATE as above. */
int bondy_client_receive(struct bondy_client *client, uint64_t deadline_ms,
                         struct bondy_message *out, struct bondy_error *err);
/* For poll(): readable means that bondy_client_receive() should be called with deadline 0. */
int bondy_client_fd(const struct bondy_client *client);

/* Ends a program that failed with `rc`: one of enum bondy_exit. */
int bondy_client_exit_status(int rc);
/* Writes what an ERROR says to standard error, and says which exit status it means. */
int bondy_client_report(const struct bondy_message *error, const char *what);

#endif
