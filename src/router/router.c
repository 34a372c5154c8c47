/* SPDX-License-Identifier: Apache-2.0 */
#include "src/router/router.h"

#include "src/base/alloc.h"
#include "src/router/core.h"
#include "src/router/stats.h"
#include "src/wamp/errors.h"

/* Decisions about permissions that a thread remembers. */
#define DECISIONS 4096

int bondy_router_create(const struct bondy_router_options *options, struct bondy_router **out,
                        struct bondy_error *err)
{
    struct bondy_router *router;

    if (options->thread_count == 0)
        return bondy_fail(err, BONDY_EINVAL, "a router needs at least one thread");
    router = bondy_zalloc(sizeof *router + options->thread_count * sizeof router->threads[0]);
    router->options = *options;
    router->agent = bondy_strdup(options->agent);
    router->node_name = bondy_strdup(options->node_name == NULL ? "" : options->node_name);
    router->options.agent = router->agent;
    router->options.node_name = router->node_name;
    pthread_mutex_init(&router->mutex, NULL);
    *out = router;
    return BONDY_OK;
}

void bondy_router_destroy(struct bondy_router *router)
{
    if (router == NULL)
        return;
    BONDY_BUG_ON(router->registries != NULL);
    pthread_mutex_destroy(&router->mutex);
    bondy_free(router->agent);
    bondy_free(router->node_name);
    bondy_free(router);
}

/* ---- threads ----------------------------------------------------------------------------- */

/* What the router can do, and nothing else (wamp.md FEAT-1). */
static json_t *make_roles(void)
{
    const struct bondy_features features = {
        .roles = BONDY_ROLES_ROUTER,
        .of_role = {[BONDY_ROLE_DEALER] = BONDY_FEATURES_OF_DEALER,
                    [BONDY_ROLE_BROKER] = BONDY_FEATURES_OF_BROKER}};

    return bondy_features_tree(&features);
}

struct bondy_router_thread *bondy_router_thread_create(struct bondy_router *router, unsigned index,
                                                       struct bondy_wheel *wheel)
{
    struct bondy_router_thread *thread = bondy_zalloc(sizeof *thread);

    BONDY_BUG_ON(index >= router->options.thread_count);
    thread->router = router;
    thread->index = index;
    thread->wheel = wheel;
    bondy_list_init(&thread->sessions);
    bondy_list_init(&thread->stats);
    thread->session_slab = bondy_slab_create(sizeof(struct bondy_session), 0);
    thread->call_slab = bondy_slab_create(sizeof(struct bondy_call), 0);
    thread->invoked_slab = bondy_slab_create(sizeof(struct bondy_invoked), 0);
    thread->membership_slab = bondy_slab_create(sizeof(struct bondy_membership), 0);
    thread->outboxes = bondy_calloc(router->options.thread_count, sizeof thread->outboxes[0]);
    thread->decisions = bondy_rbac_cache_create(DECISIONS);
    thread->roles = make_roles();
    BONDY_BUG_ON(thread->roles == NULL);
    router->threads[index] = thread;
    return thread;
}

static void forget_realms(struct bondy_router_thread *thread)
{
    size_t cursor = 0;
    struct bondy_slice uri;
    void *value;

    while (bondy_map_next(&thread->realms, &cursor, &uri, &value)) {
        struct bondy_realm_here *here = value;

        here->is_gone = true;
        bondy_join_realm_check(thread, here);
    }
    bondy_map_fini(&thread->realms);
}

void bondy_router_thread_destroy(struct bondy_router_thread *thread)
{
    if (thread == NULL)
        return;
    bondy_publish_thread_start(); /* the loop may have ended already */
    while (!bondy_list_is_empty(&thread->sessions))
        bondy_session_lost(BONDY_LIST_ENTRY(thread->sessions.next, struct bondy_session, link));
    bondy_router_flush(thread);
    thread->router->threads[thread->index] = NULL;
    forget_realms(thread);
    bondy_match_cache_fini(thread);
    bondy_rbac_cache_destroy(thread->decisions);
    bondy_stats_fini(thread);
    bondy_idmap_fini(&thread->by_id);
    bondy_idmap_fini(&thread->receivers);
    bondy_idmap_fini(&thread->away);
    bondy_idmap_fini(&thread->visiting);
    bondy_idmap_fini(&thread->waiters);
    bondy_slab_destroy(thread->session_slab);
    bondy_slab_destroy(thread->call_slab);
    bondy_slab_destroy(thread->invoked_slab);
    bondy_slab_destroy(thread->membership_slab);
    bondy_buf_fini(&thread->decode_scratch);
    bondy_buf_fini(&thread->option_scratch);
    bondy_buf_fini(&thread->head);
    bondy_free(thread->outboxes);
    json_decref(thread->roles);
    bondy_free(thread);
    bondy_publish_thread_stop();
}

unsigned bondy_router_thread_index(const struct bondy_router_thread *thread)
{
    return thread->index;
}

struct bondy_router *bondy_router_thread_router(const struct bondy_router_thread *thread)
{
    return thread->router;
}

/* Gateway requests are left to end by themselves: their door is closed by who opened it. Sessions
 * may come to an end while others are told, so each is taken from a list of its own. */
void bondy_router_thread_drain(struct bondy_router_thread *thread)
{
    struct bondy_list all;

    thread->is_draining = true;
    bondy_list_init(&all);
    bondy_list_splice(&all, &thread->sessions);
    while (!bondy_list_is_empty(&all)) {
        struct bondy_session *session = BONDY_LIST_ENTRY(all.next, struct bondy_session, link);

        bondy_list_remove(&session->link);
        bondy_list_append(&thread->sessions, &session->link);
        if (session->out != NULL)
            bondy_session_goodbye(session, BONDY_CLOSE_SYSTEM_SHUTDOWN, NULL);
    }
}

size_t bondy_router_thread_session_count(const struct bondy_router_thread *thread)
{
    return thread->session_count;
}
