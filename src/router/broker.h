/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ROUTER_BROKER_H
#define BONDY_ROUTER_BROKER_H

/* broker: subscriptions and publications.
 *
 * A publication becomes one operation for each thread that has receivers; there, for each matching
 * subscription, the EVENT is encoded once for each framing, serializer and set of details, and
 * given by reference to all receivers that need this form. */

#include "src/router/core.h"

/* Messages of a joined session. False: the session is gone (protocol violation). */
bool bondy_broker_on_subscribe(struct bondy_session *session, const struct bondy_message *message);
bool bondy_broker_on_unsubscribe(struct bondy_session *session,
                                 const struct bondy_message *message);
bool bondy_broker_on_publish(struct bondy_session *session, const struct bondy_message *message);

/* Checks and publishes a PUBLISH whose options were read; answers when they say so. Returns the
 * publication id, 0 when it was refused. */
uint64_t bondy_broker_publish(struct bondy_session *session, const struct bondy_message *message,
                              const struct bondy_options *options);
/* Subscriptions that the session may not have any more are taken away; it is told. */
void bondy_broker_revoke_illegal(struct bondy_session *session);
/* The session leaves: its memberships are gone. */
void bondy_broker_leave(struct bondy_session *session);

/* ---- event.c ----------------------------------------------------------------------------- */

struct bondy_filter;

/* A publication on its way to receivers. */
struct bondy_publication {
    uint64_t id;
    uint64_t publisher; /* session id */
    bool excludes_publisher;
    bool discloses; /* publisher, authid, authrole go to who wants them */
    struct bondy_slice topic;
    struct bondy_slice authid;
    struct bondy_slice authrole;
    struct bondy_payload payload;
    const struct bondy_filter *filter;     /* NULL: everybody */
    enum bondy_serializer list_serializer; /* of the lists the filter is made from */
};

/* Gives the EVENT to the subscribers on this thread. */
void bondy_event_spread(struct bondy_router_thread *thread, struct bondy_receivers *receivers,
                        const struct bondy_publication *publication);

/* Black- and whitelists in the form that answers quickly; NULL when an element has a wrong type, or
 * a list more than 10 000 elements.
 * `lists` as in struct bondy_options, of `serializer`. */
struct bondy_filter *bondy_filter_create(enum bondy_serializer serializer,
                                         const struct bondy_slice lists[BONDY_LIST_KINDS],
                                         struct bondy_buf *scratch);
void bondy_filter_destroy(struct bondy_filter *filter);
bool bondy_filter_passes(const struct bondy_filter *filter, const struct bondy_session *session);

/* ---- receivers.c ------------------------------------------------------------------------- */

/* Adds the session to the subscribers of the subscription on its thread. */
struct bondy_membership *bondy_receivers_join(struct bondy_session *session,
                                              struct bondy_subscription *subscription);
/* Takes it away, frees the membership, and the receivers when it was the last. */
void bondy_receivers_leave(struct bondy_membership *membership);
/* Brackets a walk over `items`; places may become NULL meanwhile. */
void bondy_receivers_start_walk(struct bondy_receivers *receivers);
void bondy_receivers_end_walk(struct bondy_receivers *receivers);

#endif
