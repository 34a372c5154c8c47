/* SPDX-License-Identifier: Apache-2.0 */
#include "src/router/broker.h"

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/router/authorize.h"
#include "src/router/remote.h"
#include "src/wamp/errors.h"

#define MATCHES_ON_STACK 16

/* ---- SUBSCRIBE, UNSUBSCRIBE -------------------------------------------------------------- */

static bool refuse(struct bondy_session *session, const struct bondy_message *message,
                   const char *uri, const char *text)
{
    bondy_deliver_error(session, message->type, message->id, uri, text);
    return true;
}

bool bondy_broker_on_subscribe(struct bondy_session *session, const struct bondy_message *message)
{
    struct bondy_router_thread *thread = session->thread;
    const struct bondy_router_options *limits = &thread->router->options;
    struct bondy_subscription *subscription;
    struct bondy_membership *membership;
    struct bondy_options options;
    struct bondy_refusal refusal;
    struct bondy_entry *entry;

    if (!bondy_options_read(message, &thread->option_scratch, &options, &refusal))
        return refuse(session, message, refusal.uri, refusal.text);
    if (!bondy_uri_is_valid(message->uri, options.match, limits->uri_rule))
        return refuse(session, message, BONDY_ERR_INVALID_URI, NULL);
    if (!bondy_authorize_pattern(session, message,
                                 &(struct bondy_demand){.permission = BONDY_PERMISSION_SUBSCRIBE,
                                                        .uri = message->uri,
                                                        .match = options.match}))
        return true;
    /* WAMP, Subscribing: a second time gives the same subscription and nothing else. */
    entry = bondy_registry_find(session->realm->registry, BONDY_SUBSCRIPTIONS, message->uri,
                                options.match);
    if (entry != NULL && bondy_idmap_find(&session->memberships, entry->id) != NULL) {
        bondy_deliver_ids(session, BONDY_SUBSCRIBED, message->id, entry->id);
        return true;
    }
    if (session->memberships.count >= limits->max_subscriptions)
        return refuse(session, message, BONDY_ERR_OPTION_NOT_ALLOWED,
                      "the session has as many subscriptions as it may");
    subscription = bondy_registry_subscribe(session->realm->registry, message->uri, options.match,
                                            thread->index);
    membership = bondy_receivers_join(session, subscription);
    membership->is_by_authorizer = thread->is_by_authorizer;
    bondy_idmap_put(&session->memberships, subscription->entry.id, membership);
    bondy_deliver_ids(session, BONDY_SUBSCRIBED, message->id, subscription->entry.id);
    return true;
}

static void leave_subscription(struct bondy_session *session, struct bondy_membership *membership)
{
    struct bondy_subscription *subscription = membership->receivers->subscription;

    bondy_receivers_leave(membership);
    bondy_registry_unsubscribe(session->realm->registry, subscription, session->thread->index);
}

bool bondy_broker_on_unsubscribe(struct bondy_session *session, const struct bondy_message *message)
{
    struct bondy_membership *membership = bondy_idmap_find(&session->memberships, message->id2);
    const struct bondy_entry *entry;

    if (membership == NULL)
        return refuse(session, message, BONDY_ERR_NO_SUCH_SUBSCRIPTION, NULL);
    entry = &membership->receivers->subscription->entry;
    if (!bondy_authorize_pattern(session, message,
                                 &(struct bondy_demand){.permission = BONDY_PERMISSION_UNSUBSCRIBE,
                                                        .uri = entry->uri,
                                                        .match = entry->match}))
        return true;
    bondy_idmap_remove(&session->memberships, message->id2);
    leave_subscription(session, membership);
    bondy_deliver_ids(session, BONDY_UNSUBSCRIBED, message->id, 0);
    return true;
}

/* WAMP, Subscription Revocation. Who did not announce it is not told. */
static void revoke_subscription(struct bondy_session *session, struct bondy_membership *membership)
{
    uint64_t id = membership->receivers->subscription->entry.id;
    const struct bondy_field_out fields[] = {
        {.key = "subscription", .type = BONDY_VALUE_UINT, .u64 = id},
        {.key = "reason", .type = BONDY_VALUE_TEXT, .text = BONDY_SLICE(BONDY_ERR_NOT_AUTHORIZED)}};
    const struct bondy_message message = {
        .type = BONDY_UNSUBSCRIBED, .fields = fields, .field_count = BONDY_COUNT(fields)};

    bondy_idmap_remove(&session->memberships, id);
    leave_subscription(session, membership);
    if (session->takes_revoked_subscriptions)
        bondy_deliver(session, &message, BONDY_SEND_REPLY);
}

void bondy_broker_revoke_illegal(struct bondy_session *session)
{
    size_t cursor = 0;
    uint64_t id;
    void *value;

    while (bondy_idmap_next(&session->memberships, &cursor, &id, &value)) {
        struct bondy_membership *membership = value;
        const struct bondy_entry *entry = &membership->receivers->subscription->entry;

        if (!membership->is_by_authorizer &&
            !bondy_access_covers(session, BONDY_PERMISSION_SUBSCRIBE, entry->uri, entry->match))
            revoke_subscription(session, membership);
    }
}

void bondy_broker_leave(struct bondy_session *session)
{
    size_t cursor = 0;
    uint64_t id;
    void *membership;

    while (bondy_idmap_next(&session->memberships, &cursor, &id, &membership))
        leave_subscription(session, membership);
    bondy_idmap_fini(&session->memberships);
}

/* ---- PUBLISH ----------------------------------------------------------------------------- */

/* Where the receivers of a publication are. */
struct targets {
    struct bondy_subscription *on_stack[MATCHES_ON_STACK];
    struct bondy_subscription **items; /* own copy: looking up may go on while we deliver */
    size_t count;
};

static void find_targets(struct bondy_session *session, struct bondy_slice topic, uint64_t hash,
                         struct targets *out)
{
    struct bondy_matches matches;

    bondy_match_topic(session->thread, session->realm, topic, hash, &matches);
    out->count = matches.count;
    out->items = matches.count <= MATCHES_ON_STACK
                     ? out->on_stack
                     : bondy_calloc(matches.count, sizeof out->items[0]);
    if (matches.count > 0)
        memcpy(out->items, matches.items, matches.count * sizeof out->items[0]);
    bondy_matches_fini(&matches);
}

static void send_to_thread(struct bondy_router_thread *thread, unsigned to,
                           const struct bondy_publication *publication,
                           const struct bondy_slice *lists, const struct targets *targets)
{
    uint64_t on_stack[MATCHES_ON_STACK];
    uint64_t *ids =
        targets->count <= MATCHES_ON_STACK ? on_stack : bondy_calloc(targets->count, sizeof ids[0]);
    size_t count = 0;

    for (size_t i = 0; i < targets->count; i++) {
        if (atomic_load_explicit(&targets->items[i]->here[to].count, memory_order_acquire) > 0)
            ids[count++] = targets->items[i]->entry.id;
    }
    if (count > 0)
        bondy_remote_publish(thread, to, publication, lists, ids, count);
    if (ids != on_stack)
        bondy_free(ids);
}

/* Other threads first: what local receivers do when they get the EVENT comes behind it. */
static void spread(struct bondy_session *session, const struct bondy_publication *publication,
                   uint64_t topic_hash, const struct bondy_slice *lists)
{
    struct bondy_router_thread *thread = session->thread;
    struct targets targets;

    find_targets(session, publication->topic, topic_hash, &targets);
    for (unsigned to = 0; targets.count > 0 && to < thread->router->options.thread_count; to++) {
        if (to != thread->index)
            send_to_thread(thread, to, publication, lists, &targets);
    }
    for (size_t i = 0; i < targets.count; i++) {
        struct bondy_receivers *receivers = targets.items[i]->here[thread->index].receivers;

        if (receivers != NULL)
            bondy_event_spread(thread, receivers, publication);
    }
    if (targets.items != targets.on_stack)
        bondy_free(targets.items);
}

/* NULL, or the error for a topic that the session may not publish to whatever is granted. What
 * belongs to the router is asked for every time: that the match cache knows such a topic means that
 * the router has said it (wamp-admin-api.md 1.1). */
static const char *topic_error(struct bondy_session *session, struct bondy_slice topic,
                               uint64_t hash)
{
    if (session->is_trusted)
        return NULL;
    if (bondy_uri_is_wamp(topic))
        return BONDY_ERR_INVALID_URI;
    if (topic.len > 0 && (topic.data[0] == 'b' || topic.data[0] == 'c') && bondy_uri_is_ours(topic))
        return BONDY_ERR_NOT_AUTHORIZED;
    if (!bondy_match_knows_topic(session->thread, session->realm, topic, hash) &&
        !bondy_uri_is_valid(topic, BONDY_MATCH_EXACT, session->thread->router->options.uri_rule))
        return BONDY_ERR_INVALID_URI;
    return NULL;
}

static uint64_t refuse_publish(struct bondy_session *session, const struct bondy_message *message,
                               bool acknowledge, const char *uri, const char *text)
{
    if (acknowledge)
        bondy_deliver_error(session, BONDY_PUBLISH, message->id, uri, text);
    return 0;
}

uint64_t bondy_broker_publish(struct bondy_session *session, const struct bondy_message *message,
                              const struct bondy_options *options)
{
    uint64_t topic_hash = bondy_hash(message->uri.data, message->uri.len);
    struct bondy_router_thread *thread = session->thread;
    uint64_t publisher = session->id;
    struct bondy_filter *filter = NULL;
    const char *error = topic_error(session, message->uri, topic_hash);
    uint64_t id;

    if (error != NULL)
        return refuse_publish(session, message, options->acknowledge, error, NULL);
    thread->current_options = options;
    /* What nobody waits for is dropped without a word (2.7). */
    if (!bondy_authorize(session, message,
                         &(struct bondy_demand){.permission = BONDY_PERMISSION_PUBLISH,
                                                .uri = message->uri,
                                                .is_quiet = !options->acknowledge},
                         topic_hash))
        return 0;
    if (!bondy_access_may_disclose(session, BONDY_PERMISSION_DISCLOSE_PUBLISHER,
                                   options->disclose_me, message->uri, topic_hash))
        return refuse_publish(session, message, options->acknowledge, BONDY_ERR_DISCLOSE_ME, NULL);
    if (options->has_lists) {
        filter = bondy_filter_create(message->serializer, options->lists, &thread->option_scratch);
        if (filter == NULL)
            return refuse_publish(
                session, message, options->acknowledge, BONDY_ERR_INVALID_ARGUMENT,
                "exclude and eligible hold session ids, the others texts, 10 000 at most");
    }
    id = bondy_id_random();
    spread(session,
           &(struct bondy_publication){.id = id,
                                       .publisher = publisher,
                                       .excludes_publisher = options->exclude_me,
                                       .discloses = options->disclose_me,
                                       .topic = message->uri,
                                       .authid = session->authid,
                                       .authrole = session->authrole,
                                       .payload = message->payload,
                                       .filter = filter,
                                       .list_serializer = message->serializer},
           topic_hash, options->has_lists ? options->lists : NULL);
    bondy_filter_destroy(filter);
    /* A local publisher may have ended itself when it got its own EVENT. */
    if (options->acknowledge && bondy_idmap_find(&thread->by_id, publisher) == session)
        bondy_deliver_ids(session, BONDY_PUBLISHED, message->id, id);
    return id;
}

/* Whether an answer was asked for, when the other options cannot be read. */
static bool wants_answer(struct bondy_session *session, const struct bondy_message *message)
{
    struct bondy_walk walk;
    struct bondy_slice key;
    struct bondy_value value;
    struct bondy_buf *scratch = &session->thread->option_scratch;

    scratch->len = 0;
    bondy_walk_start(&walk, message->serializer, message->dict, scratch);
    while (bondy_dict_next(&walk, &key, &value)) {
        if (bondy_slice_is(key, "acknowledge"))
            return value.type == BONDY_VALUE_BOOL && value.flag;
    }
    return false;
}

bool bondy_broker_on_publish(struct bondy_session *session, const struct bondy_message *message)
{
    struct bondy_options options;
    struct bondy_refusal refusal;

    if (bondy_options_read(message, &session->thread->option_scratch, &options, &refusal))
        bondy_broker_publish(session, message, &options);
    else
        refuse_publish(session, message, wants_answer(session, message), refusal.uri, refusal.text);
    return true;
}
