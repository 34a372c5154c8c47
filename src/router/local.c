/* SPDX-License-Identifier: Apache-2.0 */
#include "src/router/local.h"

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/router/authorize.h"
#include "src/router/broker.h"
#include "src/router/core.h"
#include "src/router/dealer.h"
#include "src/router/stats.h"

/* Options given as a tree are read from this encoding, by the same code as a client's. */
#define OPTIONS_SERIALIZER BONDY_MSGPACK

struct bondy_session *bondy_session_open_local(struct bondy_router_thread *thread,
                                               struct bondy_slice realm,
                                               const struct bondy_identity *identity,
                                               const struct bondy_session_local *local, void *peer,
                                               struct bondy_error *err)
{
    const struct bondy_realm *found = bondy_realms_find(thread->router->options.realms, realm);
    struct bondy_session *session;

    if (found == NULL) {
        bondy_fail(err, BONDY_ENOENT, "there is no realm \"" BONDY_SLICE_FMT "\"",
                   BONDY_SLICE_ARG(realm));
        return NULL;
    }
    if (!found->allows_connections && !found->is_master && !identity->is_trusted) {
        bondy_fail(err, BONDY_EDENIED, "realm \"%s\" takes no connections", found->uri);
        return NULL;
    }
    session = bondy_session_alloc(thread);
    session->local = local;
    session->peer = peer;
    session->is_trusted = identity->is_trusted;
    session->roles = BONDY_ROLE_BIT(BONDY_ROLE_CALLER) | BONDY_ROLE_BIT(BONDY_ROLE_PUBLISHER);
    session->transport = BONDY_STATS_LOCAL;
    session->stats = bondy_stats_get(thread, found->is_master, BONDY_STATS_LOCAL, BONDY_JSON);
    bondy_timer_init(&session->timer, NULL);
    bondy_session_identify(session, identity);
    bondy_session_enter(session, bondy_join_realm(thread, found), identity);
    return session;
}

static uint64_t take_request(struct bondy_session *session)
{
    uint64_t request = session->next_request;

    session->next_request = request == BONDY_ID_MAX ? 1 : request + 1;
    return request;
}

/* Reads a tree of options as if a client had sent it. False: `refusal` says why. */
static bool read_options(struct bondy_session *session, struct bondy_message *message,
                         const json_t *tree, struct bondy_buf *encoded, struct bondy_options *out,
                         struct bondy_refusal *refusal)
{
    message->serializer = OPTIONS_SERIALIZER;
    if (tree != NULL && json_object_size(tree) > 0) {
        bondy_value_format(OPTIONS_SERIALIZER, tree, encoded);
        message->dict = bondy_buf_slice(encoded);
        message->dict_count = (uint32_t)json_object_size(tree);
    }
    return bondy_options_read(message, &session->thread->option_scratch, out, refusal);
}

void bondy_session_set_peername(struct bondy_session *session, struct bondy_slice peername)
{
    bondy_free((char *)(uintptr_t)session->peername.data);
    session->peername = bondy_slice_of(bondy_memdup0(peername.data, peername.len), peername.len);
}

uint64_t bondy_session_call(struct bondy_session *session, struct bondy_slice procedure,
                            const struct bondy_call_options *options,
                            const struct bondy_payload *payload)
{
    uint64_t request = take_request(session);
    struct bondy_message message = {.type = BONDY_CALL, .id = request, .uri = procedure};
    struct bondy_buf encoded = BONDY_BUF_EMPTY;
    struct bondy_options read;
    struct bondy_refusal refusal;
    bool is_fine;

    if (payload != NULL)
        message.payload = *payload;
    is_fine = read_options(session, &message, options == NULL ? NULL : options->extra, &encoded,
                           &read, &refusal);
    if (is_fine && options != NULL) {
        read.timeout_ms = options->timeout_ms != 0 ? options->timeout_ms : read.timeout_ms;
        read.disclose_me = read.disclose_me || options->disclose_me;
    }
    if (is_fine)
        bondy_dealer_call(session, &message, &read);
    else
        bondy_deliver_error(session, BONDY_CALL, request, refusal.uri, refusal.text);
    bondy_buf_fini(&encoded);
    return request;
}

void bondy_session_cancel(struct bondy_session *session, uint64_t request)
{
    struct bondy_pending *link = bondy_pending_find(&session->calls, request);

    if (link != NULL)
        bondy_dealer_abandon(BONDY_CONTAINER(link, struct bondy_call, link));
    else
        bondy_authorize_cancel(session, request);
}

uint64_t bondy_session_publish(struct bondy_session *session, struct bondy_slice topic,
                               const json_t *options, const struct bondy_payload *payload,
                               uint64_t *publication)
{
    uint64_t request = take_request(session);
    struct bondy_message message = {.type = BONDY_PUBLISH, .id = request, .uri = topic};
    bool wants_answer = json_is_true(json_object_get(options, "acknowledge"));
    struct bondy_buf encoded = BONDY_BUF_EMPTY;
    struct bondy_options read;
    struct bondy_refusal refusal;
    uint64_t id = 0;

    if (payload != NULL)
        message.payload = *payload;
    if (read_options(session, &message, options, &encoded, &read, &refusal))
        id = bondy_broker_publish(session, &message, &read);
    else if (wants_answer)
        bondy_deliver_error(session, BONDY_PUBLISH, request, refusal.uri, refusal.text);
    if (publication != NULL)
        *publication = id;
    bondy_buf_fini(&encoded);
    return request;
}
