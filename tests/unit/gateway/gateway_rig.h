/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TESTS_UNIT_GATEWAY_RIG_H
#define BONDY_TESTS_UNIT_GATEWAY_RIG_H

/* gateway_rig: gateway, HTTP server and router on one loop, with realms "org.rivermap" and
 * "closed", a callee that is an ordinary WAMP session, and a client. */

#include "gateway/endpoint.h"
#include "gateway/gateway.h"
#include "tests/lib/http_client.h"

struct gateway_rig {
    struct bondy_loop *loop;
    struct bondy_http_server *server;
    struct bondy_router *router;
    struct bondy_router_thread *thread;
    struct bondy_gateway *gateway;
    struct bondy_gateway_listener context;
    struct bondy_http_listener listener;
    struct bondy_gateway_endpoint endpoints[3]; /* the test's; ends with one without a name */
    struct bondy_spec *specs[4];
    size_t spec_count;

    struct bondy_session *callee;
    unsigned last_request;      /* the callee's */
    struct bondy_buf heard;     /* what the callee was sent, one JSON text a line */
    size_t heard_used;          /* of that, what was looked at */
    char last_invocation[4096]; /* [68,...] as text */
    char last_event[4096];

    struct http_client client;
    struct http_reply reply;
};

/* cmocka's fixture. */
int gateway_rig_start(void **state);
int gateway_rig_stop(void **state);
/* Loads a specification (JSON with ' for ") beside those loaded before and publishes them all. */
void gateway_rig_load(struct gateway_rig *rig, const char *text);
/* Registers a procedure, or subscribes to a topic, as the callee. */
void gateway_rig_register(struct gateway_rig *rig, const char *uri);
void gateway_rig_subscribe(struct gateway_rig *rig, const char *uri);
/* Sends a request of the client, whole as it stands; Host is added. Waits for the answer. */
unsigned gateway_rig_ask(struct gateway_rig *rig, const char *method_and_target,
                         const char *headers, const char *body);
/* The same with a body of any octets. */
unsigned gateway_rig_ask_bytes(struct gateway_rig *rig, const char *method_and_target,
                               const char *headers, const void *body, size_t body_len);
/* Sends only. */
void gateway_rig_send(struct gateway_rig *rig, const char *method_and_target, const char *headers,
                      const char *body);
unsigned gateway_rig_read(struct gateway_rig *rig);
/* Turns until the callee has an INVOCATION; returns its request id and keeps its text. */
unsigned long gateway_rig_invocation(struct gateway_rig *rig);
/* Answers it: what follows the options of YIELD ("[1],{'a':2}"), or an ERROR. ' for ". */
void gateway_rig_yield(struct gateway_rig *rig, unsigned long id, const char *payload);
void gateway_rig_error(struct gateway_rig *rig, unsigned long id, const char *uri,
                       const char *payload);
/* A call from request to answer: sends, yields, reads. */
unsigned gateway_rig_call(struct gateway_rig *rig, const char *method_and_target,
                          const char *headers, const char *body, const char *payload);
unsigned gateway_rig_call_error(struct gateway_rig *rig, const char *method_and_target,
                                const char *headers, const char *body, const char *uri,
                                const char *payload);
/* Text with ' turned into ", static. */
const char *quoted(const char *text);
/* Compares JSON texts as values; ' for " in what is expected. */
#define assert_json(text_, expected_)                                                              \
    gateway_rig_same_json((text_), (expected_), __FILE__, __LINE__)
void gateway_rig_same_json(const char *text, const char *expected, const char *file, int line);

#endif
