/* SPDX-License-Identifier: Apache-2.0 */
#include "src/router/remote.h"

#include "src/base/alloc.h"
#include "src/router/stats.h"
#include "src/wamp/errors.h"

/* What every operation starts with. `bytes` of an operation hold the copies of all its texts and
 * payload, one behind the other. */
struct op {
    struct bondy_mail mail;
    struct bondy_router *router;
    unsigned from;
    unsigned to;
    uint64_t token;
};

struct copier {
    char *at;
};

static struct bondy_slice copy(struct copier *copier, struct bondy_slice slice)
{
    struct bondy_slice copied = {copier->at, slice.len};

    if (slice.len == 0)
        return BONDY_SLICE_EMPTY;
    memcpy(copier->at, slice.data, slice.len);
    copier->at += slice.len;
    return copied;
}

static void copy_payload(struct copier *copier, struct bondy_payload *payload)
{
    payload->args = copy(copier, payload->args);
    payload->kwargs = copy(copier, payload->kwargs);
}

static size_t payload_len(const struct bondy_payload *payload)
{
    return payload->args.len + payload->kwargs.len;
}

/* An operation of `size` bytes with room for `more` behind it. */
static void *op_create(struct bondy_router_thread *thread, unsigned to, size_t size, size_t more,
                       void (*run)(struct bondy_mail *mail), struct copier *copier)
{
    struct op *op = bondy_alloc(size + more);

    *op = (struct op){{NULL, run}, thread->router, thread->index, to, 0};
    copier->at = (char *)op + size;
    return op;
}

void bondy_remote_post(struct bondy_router_thread *thread, unsigned to, struct bondy_mail *mail)
{
    struct bondy_outbox *outbox = &thread->outboxes[to];

    if (outbox->first == NULL)
        outbox->first = mail;
    else
        outbox->last->next = mail;
    outbox->last = mail;
}

static void post(struct bondy_router_thread *thread, struct op *op)
{
    bondy_remote_post(thread, op->to, &op->mail);
}

void bondy_router_flush(struct bondy_router_thread *thread)
{
    const struct bondy_router_options *options = &thread->router->options;

    bondy_stats_flush(thread);
    for (unsigned to = 0; to < options->thread_count; to++) {
        struct bondy_outbox outbox = thread->outboxes[to];

        if (outbox.first == NULL)
            continue;
        thread->outboxes[to] = (struct bondy_outbox){NULL, NULL};
        options->post(options->context, thread->index, to, outbox.first, outbox.last);
    }
}

/* The thread an operation is for; NULL when it has ended meanwhile. */
static struct bondy_router_thread *target(const struct op *op)
{
    return op->router->threads[op->to];
}

/* ---- answers ----------------------------------------------------------------------------- */

struct answer_op {
    struct op op;
    struct bondy_message message;
};

static void run_answer(struct bondy_mail *mail)
{
    struct answer_op *answer = BONDY_CONTAINER(mail, struct answer_op, op.mail);
    struct bondy_router_thread *thread = target(&answer->op);
    struct bondy_call *call =
        thread == NULL ? NULL : bondy_idmap_find(&thread->away, answer->op.token);

    if (call != NULL)
        bondy_dealer_answer(call, &answer->message);
    bondy_free(answer);
}

void bondy_remote_answer(struct bondy_router_thread *thread, unsigned caller_thread, uint64_t token,
                         const struct bondy_message *message)
{
    struct copier copier;
    struct answer_op *answer =
        op_create(thread, caller_thread, sizeof *answer,
                  message->uri.len + payload_len(&message->payload), run_answer, &copier);

    answer->op.token = token;
    answer->message = (struct bondy_message){.type = message->type, .payload = message->payload};
    answer->message.uri = copy(&copier, message->uri);
    copy_payload(&copier, &answer->message.payload);
    post(thread, &answer->op);
}

static void answer_error(struct bondy_router_thread *thread, const struct op *op, const char *uri)
{
    const struct bondy_message message = {.type = BONDY_ERROR, .uri = bondy_slice_text(uri)};

    bondy_remote_answer(thread, op->from, op->token, &message);
}

/* ---- invocations ------------------------------------------------------------------------- */

struct invoke_op {
    struct op op;
    uint64_t callee;
    struct bondy_invoke invoke;
};

static void invoke_here(struct bondy_router_thread *thread, struct invoke_op *op)
{
    struct bondy_session *callee = bondy_idmap_find(&thread->by_id, op->callee);
    struct bondy_invoked *invoked;
    const char *error = NULL;

    if (callee == NULL) {
        answer_error(thread, &op->op, BONDY_ERR_CANCELED);
        return;
    }
    /* It unregistered while the call was under way. */
    if (bondy_idmap_find(&callee->registrations, op->invoke.registration_id) == NULL) {
        answer_error(thread, &op->op, BONDY_ERR_NO_SUCH_PROCEDURE);
        return;
    }
    invoked = bondy_dealer_invoke(callee, &op->invoke, &error);
    if (invoked == NULL) {
        answer_error(thread, &op->op, error);
        return;
    }
    invoked->caller_thread = op->op.from;
    invoked->token = op->op.token;
    bondy_idmap_put(&thread->visiting, bondy_remote_key(thread, op->op.from, op->op.token),
                    invoked);
}

static void run_invoke(struct bondy_mail *mail)
{
    struct invoke_op *op = BONDY_CONTAINER(mail, struct invoke_op, op.mail);
    struct bondy_router_thread *thread = target(&op->op);

    if (thread != NULL)
        invoke_here(thread, op);
    bondy_free(op);
}

void bondy_remote_invoke(struct bondy_router_thread *thread, const struct bondy_callee *callee,
                         uint64_t token, const struct bondy_invoke *invoke)
{
    struct copier copier;
    size_t more = invoke->procedure.len + invoke->caller_authid.len + invoke->caller_authrole.len +
                  payload_len(&invoke->payload);
    struct invoke_op *op = op_create(thread, callee->thread, sizeof *op, more, run_invoke, &copier);

    op->op.token = token;
    op->callee = callee->session_id;
    op->invoke = *invoke;
    op->invoke.procedure = copy(&copier, invoke->procedure);
    op->invoke.caller_authid = copy(&copier, invoke->caller_authid);
    op->invoke.caller_authrole = copy(&copier, invoke->caller_authrole);
    copy_payload(&copier, &op->invoke.payload);
    post(thread, &op->op);
}

/* ---- callers that leave ------------------------------------------------------------------ */

struct abandon_op {
    struct op op;
    bool interrupt;
};

static void run_abandon(struct bondy_mail *mail)
{
    struct abandon_op *op = BONDY_CONTAINER(mail, struct abandon_op, op.mail);
    struct bondy_router_thread *thread = target(&op->op);
    struct bondy_invoked *invoked =
        thread == NULL ? NULL
                       : bondy_idmap_find(&thread->visiting,
                                          bondy_remote_key(thread, op->op.from, op->op.token));

    if (invoked != NULL)
        bondy_dealer_drop_invoked(invoked, op->interrupt);
    bondy_free(op);
}

void bondy_remote_abandon(struct bondy_router_thread *thread, unsigned callee_thread,
                          uint64_t token, bool interrupt)
{
    struct copier copier;
    struct abandon_op *op = op_create(thread, callee_thread, sizeof *op, 0, run_abandon, &copier);

    op->op.token = token;
    op->interrupt = interrupt;
    post(thread, &op->op);
}

/* ---- publications ------------------------------------------------------------------------ */

struct publish_op {
    struct op op;
    struct bondy_publication publication;
    bool has_lists;
    struct bondy_slice lists[BONDY_LIST_KINDS];
    size_t count;
    uint64_t subscriptions[];
};

static void publish_here(struct bondy_router_thread *thread, struct publish_op *op)
{
    struct bondy_filter *filter = NULL;

    if (op->has_lists) {
        filter = bondy_filter_create(op->publication.list_serializer, op->lists,
                                     &thread->option_scratch);
        BONDY_BUG_ON(filter == NULL); /* the publisher's thread read them too */
        op->publication.filter = filter;
    }
    for (size_t i = 0; i < op->count; i++) {
        struct bondy_receivers *receivers =
            bondy_idmap_find(&thread->receivers, op->subscriptions[i]);

        if (receivers != NULL)
            bondy_event_spread(thread, receivers, &op->publication);
    }
    bondy_filter_destroy(filter);
}

static void run_publish(struct bondy_mail *mail)
{
    struct publish_op *op = BONDY_CONTAINER(mail, struct publish_op, op.mail);
    struct bondy_router_thread *thread = target(&op->op);

    if (thread != NULL)
        publish_here(thread, op);
    bondy_free(op);
}

void bondy_remote_publish(struct bondy_router_thread *thread, unsigned to,
                          const struct bondy_publication *publication,
                          const struct bondy_slice *lists, const uint64_t *subscriptions,
                          size_t count)
{
    size_t more = publication->topic.len + publication->authid.len + publication->authrole.len +
                  payload_len(&publication->payload);
    struct publish_op *op;
    struct copier copier;

    for (int kind = 0; lists != NULL && kind < BONDY_LIST_KINDS; kind++)
        more += lists[kind].len;
    op = op_create(thread, to, sizeof *op + count * sizeof subscriptions[0], more, run_publish,
                   &copier);
    op->publication = *publication;
    op->publication.filter = NULL;
    op->publication.topic = copy(&copier, publication->topic);
    op->publication.authid = copy(&copier, publication->authid);
    op->publication.authrole = copy(&copier, publication->authrole);
    copy_payload(&copier, &op->publication.payload);
    op->has_lists = lists != NULL;
    for (int kind = 0; lists != NULL && kind < BONDY_LIST_KINDS; kind++)
        op->lists[kind] = copy(&copier, lists[kind]);
    op->count = count;
    memcpy(op->subscriptions, subscriptions, count * sizeof subscriptions[0]);
    post(thread, &op->op);
}
