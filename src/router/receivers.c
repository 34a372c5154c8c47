/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/alloc.h"
#include "src/router/broker.h"

static struct bondy_receivers *receivers_create(struct bondy_router_thread *thread,
                                                struct bondy_subscription *subscription)
{
    struct bondy_receivers *receivers = bondy_zalloc(sizeof *receivers);

    receivers->subscription = subscription;
    subscription->here[thread->index].receivers = receivers;
    bondy_idmap_put(&thread->receivers, subscription->entry.id, receivers);
    return receivers;
}

static void receivers_destroy(struct bondy_receivers *receivers)
{
    bondy_free(receivers->items);
    bondy_free(receivers);
}

struct bondy_membership *bondy_receivers_join(struct bondy_session *session,
                                              struct bondy_subscription *subscription)
{
    struct bondy_router_thread *thread = session->thread;
    struct bondy_receivers *receivers = subscription->here[thread->index].receivers;
    struct bondy_membership *membership = bondy_slab_alloc(thread->membership_slab);

    if (receivers == NULL)
        receivers = receivers_create(thread, subscription);
    if (receivers->count == receivers->cap) {
        receivers->cap = receivers->cap == 0 ? 1 : receivers->cap * 2;
        receivers->items =
            bondy_realloc(receivers->items, receivers->cap * sizeof(receivers->items[0]));
    }
    *membership = (struct bondy_membership){
        .session = session, .receivers = receivers, .at = receivers->count};
    receivers->items[receivers->count++] = membership;
    receivers->left++;
    return membership;
}

/* Closes the places that became empty during a walk, keeping the order. */
static void tidy(struct bondy_receivers *receivers)
{
    size_t kept = 0;

    for (size_t i = 0; i < receivers->count; i++) {
        struct bondy_membership *membership = receivers->items[i];

        if (membership != NULL) {
            membership->at = kept;
            receivers->items[kept++] = membership;
        }
    }
    receivers->count = kept;
}

void bondy_receivers_leave(struct bondy_membership *membership)
{
    struct bondy_receivers *receivers = membership->receivers;
    struct bondy_router_thread *thread = membership->session->thread;
    struct bondy_membership *last;

    receivers->left--;
    if (receivers->walkers > 0) {
        receivers->items[membership->at] = NULL;
    } else {
        last = receivers->items[--receivers->count];
        last->at = membership->at;
        receivers->items[membership->at] = last;
    }
    bondy_slab_free(thread->membership_slab, membership);
    if (receivers->left > 0)
        return;
    bondy_idmap_remove(&thread->receivers, receivers->subscription->entry.id);
    receivers->subscription->here[thread->index].receivers = NULL;
    receivers->subscription = NULL;
    if (receivers->walkers == 0)
        receivers_destroy(receivers);
}

void bondy_receivers_start_walk(struct bondy_receivers *receivers)
{
    receivers->walkers++;
}

void bondy_receivers_end_walk(struct bondy_receivers *receivers)
{
    if (--receivers->walkers > 0)
        return;
    if (receivers->left == 0)
        receivers_destroy(receivers);
    else if (receivers->left < receivers->count)
        tidy(receivers);
}
