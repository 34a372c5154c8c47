/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_CTL_HTTP_H
#define BONDY_CTL_HTTP_H

/* http: one request to the admin API, over a Unix socket or TCP. Blocking. admin-http-api.md 2, 3.
 */

#include <stdbool.h>
#include <stdint.h>

#include "src/base/buf.h"
#include "src/base/error.h"

#define BONDY_HTTP_ANSWER_MAX ((size_t)1 << 30) /* octets; an export is long */

/* Where the admin API is, and as whom. Borrowed texts. */
struct bondy_http_place {
    const char *url;      /* unix:/path, http://host:port, https://host:port */
    const char *user;     /* Basic; NULL: none */
    const char *password; /* with `user` */
    const char *token;    /* Bearer; NULL: none */
    const char *ca_file;  /* NULL: the system's authorities */
    bool is_insecure;
    uint64_t timeout_ms;
};

struct bondy_http_answer {
    long status;
    struct bondy_buf body;
};
void bondy_http_answer_fini(struct bondy_http_answer *answer);

/* `path` begins with a slash. `body` is JSON; empty: none. Redirections are not followed, proxies
 * not asked. BONDY_EINVAL: no such URL; BONDY_EDENIED: a secret that somebody could read on its
 * way, or a wrong certificate; BONDY_EIO: not reachable, or it broke; BONDY_EAGAIN: not in time. */
int bondy_http_request(const struct bondy_http_place *place, const char *method, const char *path,
                       struct bondy_slice body, struct bondy_http_answer *out,
                       struct bondy_error *err);

/* A body that is a file, of any length: descriptors that the caller opens and closes, -1 for none.
 */
struct bondy_http_file {
    int in; /* what is sent, from where it stands, as application/octet-stream */
    uint64_t in_len;
    int out; /* where the body of an answer with status 200 goes; others go into the answer */
};
/* GET of a file, or PUT of one. place->timeout_ms is for reaching the other side; how long it takes
 * then is not limited. Errors as above, and BONDY_EIO when a file cannot be read or written. */
int bondy_http_transfer(const struct bondy_http_place *place, const char *path,
                        const struct bondy_http_file *file, struct bondy_http_answer *out,
                        struct bondy_error *err);

#endif
