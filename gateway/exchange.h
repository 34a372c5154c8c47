/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_GATEWAY_EXCHANGE_H
#define BONDY_GATEWAY_EXCHANGE_H

/* exchange: one request on its way through the gateway; shared by the files that handle it, nobody
 * else includes this.
 *
 * Born when the head is there and a route was found. `request` is NULL from the moment it was
 * answered or its client left. When the exchange has a session it lives on until the next flush
 * ends that session: the router may be in the middle of telling us something. */

#include "gateway/access.h"
#include "gateway/endpoint.h"
#include "gateway/gateway.h"
#include "src/base/list.h"
#include "src/base/slab.h"
#include "src/http/problem.h"
#include "src/sys/publish.h"

struct bondy_gateway_snapshot {
    struct bondy_retired retired;
    struct bondy_route_table *table;
};

struct bondy_gateway {
    struct bondy_gateway_options options;
    struct bondy_gateway_snapshot *tables[BONDY_GATEWAY_TABLES]; /* published */
    struct bondy_gateway_thread **threads;                       /* by the loop's index */
    struct bondy_auth *auth;                                     /* NULL: nobody gets in */
    struct bondy_credentials *credentials;                       /* NULL without auth */
};

struct bondy_gateway_thread {
    struct bondy_gateway *gateway;
    struct bondy_loop *loop;
    struct bondy_router_thread *router;
    struct bondy_slab *exchanges;
    struct bondy_list ended; /* exchanges whose session is to be ended */
    struct bondy_list begun; /* the same, and then their endpoint begins */
    struct bondy_flush flush;
    struct bondy_buf payload; /* memory for arguments, used again and again */
    struct bondy_buf scratch; /* path and host in pieces, while a route is looked for */
};

struct bondy_exchange {
    struct bondy_list link;
    struct bondy_gateway_thread *thread;
    const struct bondy_gateway_listener *listener;
    struct bondy_request *request;
    struct bondy_spec *spec; /* our reference: keeps everything below alive */
    const struct bondy_path *path;
    const struct bondy_operation *operation; /* NULL: OPTIONS that no document declares */
    const struct bondy_media *media;         /* what the answer is written in */
    const char *language;

    bool is_anonymous;
    struct bondy_identity *identity; /* NULL: anonymous, none made yet */

    /* While the guard thinks, and until the body is here. */
    bool is_undecided; /* the guard holds this exchange */
    bool is_late;      /* its verdict did not come with the head */
    bool is_whole;     /* on_request came */
    /* What follows when the verdict is a late yes and nothing else is waited for. */
    void (*go_on)(struct bondy_exchange *exchange);
    struct bondy_response *refusal; /* the guard's, which waits for the body to end */
    struct bondy_access access;     /* where the path's own security is the guard */

    /* Of an operation with an endpoint that begins before the body is read; NULL: any other. */
    const struct bondy_gateway_endpoint *early;
    bool is_held;        /* by an endpoint, until it has answered */
    void *endpoint_user; /* its own */

    struct bondy_session *session;
    bool was_opened; /* there is or was a session */
    bool is_waiting; /* for RESULT, PUBLISHED or ERROR */
    uint64_t call_id;
    uint64_t timeout_ms;
    struct bondy_slice target; /* procedure or topic; borrows `target_value` */
    json_t *target_value;
    const struct bondy_message *message; /* while the answer is looked at */
    bool failed;                         /* the message is an ERROR */
    int error_status;
    uint64_t publication;

    /* static action */
    json_t *static_headers, *static_body, *static_status;

    /* Bindings: name NUL, length of the value, value; in one piece. */
    struct bondy_buf bindings;
    size_t binding_count;

    json_t *fields[BONDY_FIELDS]; /* what was asked for, kept */
};

/* ---- exchange.c ---- */
/* Ends the exchange: after an answer or without one. */
void bondy_exchange_end(struct bondy_exchange *exchange);
/* The flush of a thread: ends sessions whose exchange has ended, or goes on without one. */
bool bondy_exchange_flush(struct bondy_flush *flush);
/* Its endpoint begins, before the body is read. */
void bondy_endpoint_begin(struct bondy_exchange *exchange);

/* ---- admission.c ---- */
/* The word of the listener's guard on a request whose head is there; NO: answered, the exchange is
 * over. */
enum bondy_admission bondy_exchange_admit(struct bondy_exchange *exchange);
/* From on_request: true when the request goes on now; one that is late was not prepared yet. */
bool bondy_exchange_is_admitted(struct bondy_exchange *exchange);
/* Who asks; copied. */
void bondy_exchange_keep_identity(struct bondy_exchange *exchange,
                                  const struct bondy_identity *identity);

/* ---- context.c: what expressions ask for ---- */
json_t *bondy_exchange_field(void *context, enum bondy_field field);
/* The value of a binding; data NULL: there is none. */
struct bondy_slice bondy_exchange_binding(const struct bondy_exchange *exchange,
                                          const char *wanted);
/* Evaluates; false: the client was answered (400 or 500), the exchange is over. */
bool bondy_exchange_eval(struct bondy_exchange *exchange, const struct bondy_expr *expr,
                         json_t **out);
/* authid, authrole, authmethod; made when first wanted. */
void bondy_exchange_identity(struct bondy_exchange *exchange, struct bondy_identity *out);

/* ---- body.c ---- */
/* Whether requests with this method have a body that is looked at. */
bool bondy_body_is_read(enum bondy_method method);
/* Whether the media type of the request is one that the path accepts. */
bool bondy_body_has_type(const struct bondy_exchange *exchange);
/* Proves the body well-formed; BONDY_EINVAL: 400 invalid_data. */
int bondy_body_check(struct bondy_exchange *exchange, struct bondy_error *err);
/* The body as a value, after a successful check; the caller owns it. */
json_t *bondy_body_tree(struct bondy_exchange *exchange);

/* ---- actions ---- */
void bondy_action_static(struct bondy_exchange *exchange);
void bondy_action_call(struct bondy_exchange *exchange);
void bondy_action_publish(struct bondy_exchange *exchange);
void bondy_action_endpoint(struct bondy_exchange *exchange);
/* The endpoint that begins before the body is read, or NULL. */
const struct bondy_gateway_endpoint *bondy_endpoint_early(const struct bondy_exchange *exchange);
/* Of such an exchange, paused and admitted: calls the procedure, if there is one, or begins. */
void bondy_endpoint_start(struct bondy_exchange *exchange);
/* session.c: what both WAMP actions share. False: answered. */
bool bondy_exchange_open(struct bondy_exchange *exchange);
/* Evaluates args and kwargs, checks their form and depth and encodes them into the thread's buffer.
 * False: answered. */
bool bondy_exchange_payload(struct bondy_exchange *exchange, struct bondy_payload *out);
/* An object or NULL from options; the caller owns it. False: answered. */
bool bondy_exchange_options(struct bondy_exchange *exchange, json_t **out);
bool bondy_exchange_target(struct bondy_exchange *exchange);

/* ---- send.c ---- */
/* Sends and takes an answer made elsewhere, with what every answer of the listener has; ends the
 * exchange. */
void bondy_exchange_answer(struct bondy_exchange *exchange, struct bondy_response *response);
/* A refusal by the gateway itself (7.3), made but not sent; the caller owns it. */
struct bondy_response *bondy_exchange_problem(const struct bondy_exchange *exchange,
                                              const struct bondy_problem *problem);
/* The same, sent; ends the exchange. */
void bondy_exchange_refuse(struct bondy_exchange *exchange, const struct bondy_problem *problem);
/* RFC 9110, 15.5.2: 401 says how one may identify oneself. */
void bondy_exchange_challenge(const struct bondy_exchange *exchange, unsigned status,
                              struct bondy_response *response);

/* ---- answer.c ---- */
/* The answers of the action; end the exchange. */
void bondy_exchange_succeed(struct bondy_exchange *exchange);
void bondy_exchange_fail(struct bondy_exchange *exchange);
/* OPTIONS: 204 with Allow and what cross-origin rules add. */
void bondy_exchange_answer_options(struct bondy_exchange *exchange, unsigned methods);

#endif
