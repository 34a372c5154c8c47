/* SPDX-License-Identifier: Apache-2.0 */
#include "src/router/sessions.h"

#include <stdio.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/router/authorize.h"
#include "src/router/remote.h"
#include "src/wamp/errors.h"

/* ---- one session ----------------------------------------------------------------------------- */

static json_t *text_or_null(struct bondy_slice text)
{
    return text.len == 0 ? json_null() : bondy_json_slice(text);
}

json_t *bondy_session_info(const struct bondy_session *session)
{
    json_t *info = json_object(), *extra = json_object_get(session->extra, "authextra");
    json_t *roles = json_object_get(session->extra, "x_authroles"), *transport = json_object();
    char created[25];

    bondy_clock_format(session->joined_wall_ms, created);
    json_object_set_new(info, "session", json_integer((json_int_t)session->id));
    json_object_set_new(info, "realm", bondy_json_slice(bondy_session_realm(session)));
    json_object_set_new(info, "authid", bondy_json_slice(session->authid));
    json_object_set_new(info, "authrole", text_or_null(session->authrole));
    json_object_set_new(info, "authmethod", bondy_json_slice(session->authmethod));
    json_object_set_new(info, "authprovider", text_or_null(session->authprovider));
    json_object_set_new(info, "authextra", extra == NULL ? json_object() : json_incref(extra));
    if (roles != NULL)
        json_object_set(info, "x_authroles", roles);
    json_object_set_new(transport, "type", json_string(session->transport));
    json_object_set_new(transport, "peername", text_or_null(session->peername));
    json_object_set_new(info, "transport", transport);
    json_object_set_new(info, "node", json_string(session->thread->router->options.node_name));
    json_object_set_new(info, "created", json_string(created));
    return info;
}

/* ---- looking through one thread -------------------------------------------------------------- */

/* The question; one for all threads, counted in `waiting` on the asking thread. */
struct asked {
    struct bondy_router *router;
    unsigned from;
    unsigned waiting;
    struct bondy_session_query query; /* its texts are owned */
    size_t count;
    json_t *list;
};

/* On its way to a thread and back. */
struct visit {
    struct bondy_mail mail;
    struct asked *asked;
    unsigned to;
    size_t count;
    json_t *list;
};

static bool has_role(const struct bondy_session *session, const json_t *role)
{
    const json_t *own, *groups = json_object_get(session->extra, "x_authroles");
    size_t index;

    if (bondy_slice_is(session->authrole, json_string_value(role)))
        return true;
    json_array_foreach(groups, index, own)
    {
        if (json_equal(own, role))
            return true;
    }
    return false;
}

static bool has_role_among(const struct bondy_session *session, const json_t *roles)
{
    size_t index;
    const json_t *role;

    json_array_foreach(roles, index, role)
    {
        if (has_role(session, role))
            return true;
    }
    return false;
}

static bool is_wanted(const struct bondy_session_query *query, const struct bondy_session *session)
{
    if (session->local != NULL && !query->with_local)
        return false;
    if (query->session != 0 && session->id != query->session)
        return false;
    if (query->authid.len > 0 && !bondy_slice_eq(session->authid, query->authid))
        return false;
    if (query->authrole.len > 0 && !bondy_slice_eq(session->authrole, query->authrole))
        return false;
    if (query->authroles != NULL && !has_role_among(session, query->authroles))
        return false;
    if (query->subscription != 0 &&
        bondy_idmap_find(&session->memberships, query->subscription) == NULL)
        return false;
    return session->id != query->but;
}

static void describe(struct visit *visit, json_t *description)
{
    if (json_array_size(visit->list) < visit->asked->query.limit)
        json_array_append_new(visit->list, description);
    else
        json_decref(description);
    visit->count++;
}

static json_t *describe_entry(const struct bondy_session *session, const struct bondy_entry *entry,
                              const char *type)
{
    static const char *const policies[] = {[BONDY_MATCH_EXACT] = "exact",
                                           [BONDY_MATCH_PREFIX] = "prefix",
                                           [BONDY_MATCH_WILDCARD] = "wildcard"};
    const char *node = session->thread->router->options.node_name;
    json_t *described = json_object();
    char created[25], ref[128];

    bondy_clock_format(entry->created_ms, created);
    snprintf(ref, sizeof ref, "%.80s/%llu", node, (unsigned long long)session->id);
    json_object_set_new(described, "type", json_string(type));
    json_object_set_new(described, "realm_uri", bondy_json_slice(bondy_session_realm(session)));
    json_object_set_new(described, "entry_id", json_integer((json_int_t)entry->id));
    json_object_set_new(described, "uri", bondy_json_slice(entry->uri));
    json_object_set_new(described, "match_policy", json_string(policies[entry->match]));
    json_object_set_new(described, "ref", json_string(ref));
    json_object_set_new(described, "session_id", json_integer((json_int_t)session->id));
    json_object_set_new(described, "authid", bondy_json_slice(session->authid));
    json_object_set_new(described, "node", json_string(node));
    json_object_set_new(described, "created", json_string(created));
    return described;
}

static void look_at_entries(struct visit *visit, const struct bondy_session *session)
{
    const struct bondy_session_query *query = &visit->asked->query;
    bool is_registrations = query->view == BONDY_VIEW_REGISTRATIONS;
    const struct bondy_idmap *entries =
        is_registrations ? &session->registrations : &session->memberships;
    size_t cursor = 0;
    uint64_t id;
    void *value;

    while (bondy_idmap_next(entries, &cursor, &id, &value)) {
        const struct bondy_entry *entry =
            is_registrations ? &((struct bondy_registration *)value)->entry
                             : &((struct bondy_membership *)value)->receivers->subscription->entry;

        if (query->uri.len == 0 || bondy_slice_eq(query->uri, entry->uri))
            describe(visit, describe_entry(session, entry,
                                           is_registrations ? "registration" : "subscription"));
    }
}

/* Ending a session may end others: each is taken from a list of its own. */
static size_t close_those(struct bondy_realm_here *here, const struct bondy_session_query *query,
                          bool (*is_meant)(const struct bondy_session_query *query,
                                           const struct bondy_session *session))
{
    struct bondy_list all;
    size_t count = 0;

    bondy_list_init(&all);
    here->session_count++; /* the view stays while its sessions go */
    bondy_list_splice(&all, &here->sessions);
    while (!bondy_list_is_empty(&all)) {
        struct bondy_session *session =
            BONDY_LIST_ENTRY(all.next, struct bondy_session, realm_link);

        bondy_list_remove(&session->realm_link);
        bondy_list_append(&here->sessions, &session->realm_link);
        if (!is_meant(query, session))
            continue;
        count++;
        bondy_session_goodbye(session, query->reason, query->message);
    }
    here->session_count--;
    bondy_join_realm_check(here->thread, here);
    return count;
}

static size_t close_wanted(struct bondy_realm_here *here, const struct bondy_session_query *query)
{
    return close_those(here, query, is_wanted);
}

static void look(struct bondy_router_thread *thread, const struct bondy_session_query *query,
                 struct visit *visit)
{
    struct bondy_realm_here *here = bondy_map_find(&thread->realms, query->realm);

    if (here == NULL)
        return;
    for (struct bondy_list *at = here->sessions.next; at != &here->sessions; at = at->next) {
        struct bondy_session *session = BONDY_LIST_ENTRY(at, struct bondy_session, realm_link);

        if (!is_wanted(query, session))
            continue;
        if (query->forgets && session->access != NULL)
            bondy_authorize_forget(session->access);
        if (query->view == BONDY_VIEW_REGISTRATIONS || query->view == BONDY_VIEW_SUBSCRIPTIONS)
            look_at_entries(visit, session);
        else if (query->limit == 0)
            visit->count++;
        else if (query->view == BONDY_VIEW_SESSION_IDS)
            describe(visit, json_integer((json_int_t)session->id));
        else
            describe(visit, bondy_session_info(session));
    }
    if (query->reason != NULL)
        close_wanted(here, query);
}

/* ---- there and back -------------------------------------------------------------------------- */

static void asked_destroy(struct asked *asked)
{
    bondy_free((char *)(uintptr_t)asked->query.realm.data);
    bondy_free((char *)(uintptr_t)asked->query.authid.data);
    bondy_free((char *)(uintptr_t)asked->query.authrole.data);
    bondy_free((char *)(uintptr_t)asked->query.uri.data);
    bondy_free((char *)(uintptr_t)asked->query.reason);
    bondy_free((char *)(uintptr_t)asked->query.message);
    json_decref((json_t *)(uintptr_t)asked->query.authroles);
    json_decref(asked->list);
    bondy_free(asked);
}

/* One thread's part is there; with the last one the question is answered. */
static void collect(struct asked *asked, struct visit *visit)
{
    size_t index;
    json_t *one;

    asked->count += visit->count;
    json_array_foreach(visit->list, index, one)
    {
        if (json_array_size(asked->list) < asked->query.limit)
            json_array_append(asked->list, one);
    }
    json_decref(visit->list);
    bondy_free(visit);
    if (--asked->waiting > 0)
        return;
    if (asked->router->threads[asked->from] != NULL)
        asked->query.answer(asked->query.context, asked->count, BONDY_MOVE(asked->list));
    asked_destroy(asked);
}

static void come_back(struct bondy_mail *mail)
{
    struct visit *visit = BONDY_CONTAINER(mail, struct visit, mail);

    collect(visit->asked, visit);
}

static void arrive(struct bondy_mail *mail)
{
    struct visit *visit = BONDY_CONTAINER(mail, struct visit, mail);
    struct bondy_router_thread *thread = visit->asked->router->threads[visit->to];

    /* A thread that has ended has no sessions; who posts back for it does not matter. */
    if (thread == NULL)
        return;
    look(thread, &visit->asked->query, visit);
    visit->mail = (struct bondy_mail){.run = come_back};
    bondy_remote_post(thread, visit->asked->from, &visit->mail);
}

static struct bondy_slice copy_slice(struct bondy_slice text)
{
    return bondy_slice_of(bondy_memdup0(text.len == 0 ? "" : text.data, text.len), text.len);
}

static char *copy_text(const char *text)
{
    return text == NULL ? NULL : bondy_strdup(text);
}

static struct asked *asked_create(struct bondy_router_thread *thread,
                                  const struct bondy_session_query *query)
{
    struct asked *asked = bondy_zalloc(sizeof *asked);

    asked->router = thread->router;
    asked->from = thread->index;
    asked->waiting = thread->router->options.thread_count;
    asked->query = *query;
    asked->query.realm = copy_slice(query->realm);
    asked->query.authid = copy_slice(query->authid);
    asked->query.authrole = copy_slice(query->authrole);
    asked->query.uri = copy_slice(query->uri);
    asked->query.authroles = json_deep_copy(query->authroles);
    asked->query.reason = copy_text(query->reason);
    asked->query.message = copy_text(query->message);
    asked->list = json_array();
    return asked;
}

void bondy_sessions_query(struct bondy_router_thread *thread,
                          const struct bondy_session_query *query)
{
    struct asked *asked = asked_create(thread, query);
    struct visit *own = NULL;

    for (unsigned to = 0; to < thread->router->options.thread_count; to++) {
        struct visit *visit = bondy_zalloc(sizeof *visit);

        *visit =
            (struct visit){.mail = {.run = arrive}, .asked = asked, .to = to, .list = json_array()};
        if (to == thread->index)
            own = visit;
        else
            bondy_remote_post(thread, to, &visit->mail);
    }
    look(thread, &asked->query, own);
    collect(asked, own);
}

/* ---- what a change of a user or of permissions means here ------------------------------------ */

void bondy_router_thread_close_user(struct bondy_router_thread *thread, struct bondy_slice realm,
                                    struct bondy_slice authid, const char *reason, uint64_t spared)
{
    struct bondy_realm_here *here = bondy_map_find(&thread->realms, realm);
    const struct bondy_session_query query = {
        .realm = realm, .authid = authid, .but = spared, .with_local = true, .reason = reason};

    if (here != NULL)
        close_wanted(here, &query);
}

static bool is_unchecked(const struct bondy_session_query *query,
                         const struct bondy_session *session)
{
    (void)query;
    return session->is_unchecked;
}

/* Security was switched on (1.8): who came before has to say who it is, like everybody. */
static void close_unchecked(struct bondy_realm_here *here)
{
    const struct bondy_session_query query = {
        .reason = BONDY_CLOSE_REALM, .message = "security was enabled in this realm: join again"};

    close_those(here, &query, is_unchecked);
}

void bondy_router_thread_recheck(struct bondy_router_thread *thread, struct bondy_slice realm,
                                 struct bondy_slice authid)
{
    const struct bondy_realm *now = bondy_realms_find(thread->router->options.realms, realm);
    struct bondy_realm_here *here = bondy_map_find(&thread->realms, realm);

    if (here == NULL)
        return;
    bondy_access_sweep(here, authid);
    if (now != NULL && now->has_security && here->unchecked_count > 0)
        close_unchecked(here);
}

void bondy_router_thread_purge(struct bondy_router_thread *thread, struct bondy_slice realm,
                               struct bondy_slice authid)
{
    struct bondy_realm_here *here = bondy_map_find(&thread->realms, realm);
    struct bondy_slice key;
    size_t cursor = 0;
    void *access;

    while (here != NULL && bondy_map_next(&here->accesses, &cursor, &key, &access))
        if (authid.len == 0 || bondy_slice_eq(((struct bondy_access *)access)->username, authid))
            bondy_authorize_forget(access);
}
