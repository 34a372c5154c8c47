/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_HTTP_INTERNAL_H
#define BONDY_HTTP_INTERNAL_H

/* internal: what the files of this folder share; nobody else includes it.
 *
 * Owners: server -> engines (one libmicrohttpd daemon each) -> connections -> at most one request.
 * A connection is born in bondy_http_server_adopt() and dies in libmicrohttpd's close notice; a
 * request is born when its request line was read and dies in the completion notice. */

#include <microhttpd.h>
#include <uv.h>

#include "src/base/alloc.h"
#include "src/base/buf.h"
#include "src/base/list.h"
#include "src/base/metric.h"
#include "src/base/slab.h"
#include "src/http/request.h"
#include "src/http/response.h"
#include "src/http/server.h"

#define BONDY_REQUEST_ID_MAX 128
/* A body that is not wanted is still read up to here, so that its connection can be kept. */
#define BONDY_SKIP_BODY_MAX (64u << 10)
#define BONDY_LINGER_MS 2000u
#define BONDY_LINGER_MAX 256u
/* A request that is answered within this time is not watched for a client that leaves: the watch
 * costs a quarter of the throughput (architecture 9.4). */
#define BONDY_WATCH_AFTER_MS 250u
/* A request that is answered within this time is not suspended: taking its descriptor out of
 * libmicrohttpd's set and putting it back costs two system calls, and a third for the read that
 * finds nothing afterwards. Until then libmicrohttpd asks again in each run. */
#define BONDY_SUSPEND_AFTER_MS 2u

/* One libmicrohttpd daemon. Its pool and its own timeout are fixed when it starts, listeners may
 * differ: each pair of values has an engine, made for the first connection that needs it. */
struct bondy_http_engine {
    struct bondy_list link;
    struct bondy_http_server *server;
    struct MHD_Daemon *daemon;
    size_t pool_len;
    unsigned timeout_s;
    uv_poll_t *poll; /* on the daemon's epoll descriptor */
    int epoll_fd;
    struct bondy_timer timer;
    bool is_due; /* something was added, resumed or answered since the last run */
    bool is_running;
    bool has_more;              /* the run left an answer or a body to the next one */
    unsigned unsuspended_count; /* requests that wait for their answer, but not suspended */
};

#define BONDY_HTTP_CLASSES 6 /* of status codes; 0 is "no answer" */

struct bondy_http_series {
    bool is_known;
    bondy_metric_id count;
    bondy_metric_id duration;
};

/* Answers that were sent and may be sent again: see prepared.c. The shelf is chosen by the lengths
 * of headers and body. */
#define BONDY_PREPARED_SHELVES 16
#define BONDY_PREPARED_KEPT 64 /* a shelf */
#define BONDY_PREPARED_HEADERS_MAX 512
#define BONDY_PREPARED_BODY_MAX 1024

struct bondy_prepared_shelf {
    struct bondy_list free;
    unsigned count;
};

struct bondy_http_server {
    struct bondy_loop *loop;
    unsigned max_connections;
    struct bondy_flush flush;
    struct bondy_list engines;
    struct bondy_slab *requests;
    struct bondy_prepared_shelf shelves[BONDY_PREPARED_SHELVES];
    struct bondy_list connections;
    struct bondy_list pending; /* requests that wait for their answer */
    size_t pending_count;
    struct bondy_http_connection *adopting; /* during MHD_add_connection() */
    struct bondy_list lingerers;
    unsigned linger_count;
    struct bondy_http_series series[BONDY_METHODS][BONDY_HTTP_CLASSES];
    bondy_metric_id early;
    bool knows_early;
    bool is_draining;
    bool is_stopping;
};

enum bondy_connection_phase {
    BONDY_PHASE_IDLE, /* between requests */
    BONDY_PHASE_HEAD, /* a request line came, or the connection is new */
    BONDY_PHASE_BODY,
    BONDY_PHASE_WAITING, /* suspended: the answer is awaited */
    BONDY_PHASE_SENDING,
    BONDY_PHASE_REFUSED /* answered within the body: the connection ends */
};

/* The uv handle outlives the connection until its close callback ran. */
struct bondy_http_watch {
    uv_poll_t poll;
    struct bondy_http_connection *connection;
};

struct bondy_http_connection {
    struct bondy_list link;
    struct bondy_http_server *server;
    struct bondy_http_engine *engine;
    const struct bondy_http_listener *listener;
    struct bondy_http_peer peer;
    struct MHD_Connection *mhd;
    int fd; /* libmicrohttpd's: valid until the close notice */
    enum bondy_connection_phase phase;
    struct bondy_timer timer; /* of the phase */
    struct bondy_http_watch *watch;
    struct bondy_request *request;
    unsigned request_count;
    bool lingers; /* closes with octets unread: see linger.c */
};

struct bondy_header {
    struct bondy_slice name;
    struct bondy_slice value;
};

enum bondy_request_state {
    BONDY_REQUEST_HEAD,
    BONDY_REQUEST_HELD, /* paused with nothing but its head read */
    BONDY_REQUEST_BODY,
    BONDY_REQUEST_WITH_HANDLER,
    BONDY_REQUEST_ANSWERED, /* `answer` waits to be queued */
    BONDY_REQUEST_SENT,     /* libmicrohttpd has the answer, or we wrote it ourselves */
    BONDY_REQUEST_GONE
};

#define BONDY_INLINE_HEADERS 16
#define BONDY_INLINE_URI 160
#define BONDY_INLINE_HOST 64

struct bondy_request {
    struct bondy_list link;
    struct bondy_http_connection *connection;
    enum bondy_request_state state;
    unsigned status; /* of the answer; 0: none was sent */
    uint64_t started_ns;
    bool handler_knows; /* on_head was called: on_gone is due when nobody answers */
    bool in_handler;
    bool is_waiting; /* in the server's list of these */
    bool is_suspended;
    uint64_t waiting_since_ms;
    bool expects_continue;
    bool has_body;
    bool is_chunked;
    bool wants_upgrade;
    const char *raw_uri; /* in libmicrohttpd's pool: to check the head's layout only */
    char *uri;           /* own copy */
    size_t uri_len;
    enum bondy_method method;
    struct bondy_slice method_text;
    struct bondy_slice path;
    struct bondy_slice query;
    struct bondy_slice authority; /* of an absolute-form target */
    struct bondy_header *headers;
    size_t header_count;
    size_t header_cap;
    struct bondy_slice host;
    uint16_t port;
    uint64_t content_length;
    size_t body_max;
    uint64_t body_timeout_ms;
    size_t body_seen; /* octets received, kept or not */
    bool body_dropped;
    bool is_early;               /* answered while it was held */
    struct bondy_body_sink sink; /* write NULL: the body is kept */
    bool is_paused;              /* the handler wants nothing more for now */
    struct bondy_buf body;
    struct bondy_response *answer;
    struct bondy_prepared *prepared; /* what libmicrohttpd sends, when it can be used again */
    void *user;
    size_t id_len;
    char id[BONDY_REQUEST_ID_MAX + 1];
    bool id_is_ours;
    char host_space[BONDY_INLINE_HOST];
    char uri_space[BONDY_INLINE_URI];
    struct bondy_header header_space[BONDY_INLINE_HEADERS];
};

struct bondy_response {
    unsigned status;
    bool closes;
    const char *content_type;
    struct bondy_buf body;
    struct bondy_buf headers; /* name NUL value NUL, and so on */
    bool has_file;            /* the body is of `fd` */
    int fd;
    uint64_t file_offset, file_len;
};

/* ---- request.c ---- */
struct bondy_request *bondy_request_create(struct bondy_http_connection *connection,
                                           const char *uri);
void bondy_request_destroy(struct bondy_request *request);

/* ---- head.c ---- */
/* Everything that is checked before a handler sees a request (threat-model H1). 0, or the status to
 * refuse it with and *why in words. */
unsigned bondy_head_check(struct bondy_request *request, const char *method, const char *version,
                          const char **why);

/* False unless there are digits and nothing else; more than 19 of them give UINT64_MAX. */
bool bondy_head_length(struct bondy_slice text, uint64_t *out);

/* ---- response.c ---- */
/* Takes the response; libmicrohttpd sends it. False: it could not. */
bool bondy_response_queue(struct bondy_request *request, struct bondy_response *response);
/* Writes a short answer past libmicrohttpd, for moments when it takes none (in the middle of a
 * body); the connection must be closed then. Takes the response. */
void bondy_response_write(struct bondy_http_connection *connection, struct bondy_request *request,
                          struct bondy_response *response);

/* ---- prepared.c ---- */
/* An answer with these headers (name NUL value NUL, and so on), this request id (or none) and a
 * copy of this body; lengths within the limits above. The caller's until it is given back, after
 * libmicrohttpd is done with it. NULL: libmicrohttpd made none. */
struct bondy_prepared *bondy_prepared_take(struct bondy_http_server *server,
                                           struct bondy_slice headers, struct bondy_slice id,
                                           struct bondy_slice body);
struct MHD_Response *bondy_prepared_mhd(struct bondy_prepared *prepared);
void bondy_prepared_give_back(struct bondy_prepared *prepared);
void bondy_prepared_init(struct bondy_http_server *server);
/* After every request is over. */
void bondy_prepared_fini(struct bondy_http_server *server);

/* ---- problem.c ---- */
struct bondy_response *bondy_problem_response(const struct bondy_request *request, unsigned status,
                                              const char *code, const char *message);

/* ---- connection.c ---- */
struct bondy_http_connection *bondy_connection_create(struct bondy_http_server *server,
                                                      struct bondy_http_engine *engine, int fd,
                                                      const struct bondy_http_listener *listener,
                                                      const struct bondy_http_peer *peer);
void bondy_connection_destroy(struct bondy_http_connection *connection);
void bondy_connection_enter(struct bondy_http_connection *connection,
                            enum bondy_connection_phase phase);
/* libmicrohttpd finds the end of the connection and closes it. */
void bondy_connection_shut(struct bondy_http_connection *connection);
/* The answer is there: back to libmicrohttpd. */
void bondy_connection_resume(struct bondy_http_connection *connection);
/* The body goes on. */
void bondy_connection_resume_body(struct bondy_http_connection *connection);
/* libmicrohttpd's callbacks. */
void *bondy_connection_on_uri(void *context, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result bondy_connection_on_access(void *context, struct MHD_Connection *mhd,
                                           const char *url, const char *method, const char *version,
                                           const char *data, size_t *data_len, void **slot);
void bondy_connection_on_completed(void *context, struct MHD_Connection *mhd, void **slot,
                                   enum MHD_RequestTerminationCode code);
void bondy_connection_on_notify(void *context, struct MHD_Connection *mhd, void **slot,
                                enum MHD_ConnectionNotificationCode code);
/* Answers each request of this engine whose head has a Content-Length that is no number. */
void bondy_connection_refuse_lengths(struct bondy_http_engine *engine);
/* on_gone, and then `status` (0: nothing, the client left). */
void bondy_request_give_up(struct bondy_request *request, unsigned status);

/* on_gone, when the handler knows of the request. */
void bondy_request_tell_gone(struct bondy_request *request);

/* ---- body.c ---- */
enum MHD_Result bondy_body_take(struct bondy_request *request, const char *data, size_t *len);
/* From libmicrohttpd's callback, when the handler paused the request. */
enum MHD_Result bondy_body_wait(struct bondy_request *request);
/* There is an answer before the body is whole. True: the little that is left is read first; false:
 * it was written, and the connection is to end. */
bool bondy_body_answer(struct bondy_request *request);

/* ---- metrics.c ---- */
void bondy_http_count_early(struct bondy_http_server *server);
/* When a request is over. */
void bondy_http_count_request(const struct bondy_request *request);

/* ---- linger.c ---- */
/* Keeps the connection's socket open a little after libmicrohttpd closed it and throws away what
 * still comes: closing with octets unread would reset the connection and could destroy the answer
 * on its way. Call before libmicrohttpd closes. */
void bondy_linger_start(struct bondy_http_connection *connection);
void bondy_linger_stop_all(struct bondy_http_server *server);

#endif
