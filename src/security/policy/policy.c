/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/policy/policy.h"

#include <pthread.h>

#include "src/base/alloc.h"
#include "src/base/list.h"
#include "src/security/policy/role_edit.h"
#include "src/security/policy/policy_view.h"

/* Changes are collected per role in edits and turned into new role objects by publish, each once.
 * Names lead to roles through a trie of names because its versions share nodes: all changes of a
 * publish become visible by one pointer, at the cost of what changed. (Roles seen one by one would
 * let a reader find a realm's group gone before its replacement is there, and so the prototype's of
 * the same name.) */

struct bondy_policy {
    struct bondy_policy_epoch epoch; /* first: bondy_policy_epoch() */
    struct bondy_ref ref;
    char *realm_uri;
    struct bondy_policy_view *view; /* published */

    /* The writer's: */
    struct bondy_policy_settings settings; /* of the next view; borrowed unless it is configured */
    bool is_configured;                    /* settings differ from the view's */
    struct bondy_role_edits edits;

    struct bondy_list dependents; /* policies with this one as prototype */
    struct bondy_list as_dependent;
};

/* Guards `dependents` and `as_dependent` of all policies: a session on any thread may be the last
 * to let go of a policy, while the control thread walks the dependents of its prototype. Held for
 * a walk without calls out. */
static pthread_mutex_t dependents_lock = PTHREAD_MUTEX_INITIALIZER;

_Static_assert(offsetof(struct bondy_policy, epoch) == 0, "bondy_policy_epoch() relies on it");

const struct bondy_policy_settings bondy_policy_defaults = {
    .security_enabled = true,
    .inherits_anonymous = true,
    .max_groups = 1000,
    .max_depth = 32,
};

/* ---- life --------------------------------------------------------------------------------- */

struct bondy_policy *bondy_policy_create(struct bondy_slice realm_uri)
{
    struct bondy_policy *policy = bondy_zalloc(sizeof *policy);

    atomic_init(&policy->epoch.now, 1);
    bondy_ref_init(&policy->ref);
    policy->realm_uri = bondy_memdup0(realm_uri.data, realm_uri.len);
    policy->settings = bondy_policy_defaults;
    policy->view = bondy_zalloc(sizeof *policy->view);
    policy->view->settings = bondy_policy_defaults;
    bondy_list_init(&policy->dependents);
    bondy_list_init(&policy->as_dependent);
    return policy;
}

void bondy_policy_ref(const struct bondy_policy *policy)
{
    if (policy != NULL)
        bondy_ref_take(&((struct bondy_policy *)policy)->ref);
}

static bool drop_role(void *context, void *role)
{
    (void)context;
    bondy_role_unref(role);
    return true;
}

void bondy_policy_unref(const struct bondy_policy *policy)
{
    struct bondy_policy *mine = (struct bondy_policy *)policy;

    if (mine == NULL || !bondy_ref_drop(&mine->ref))
        return;
    pthread_mutex_lock(&dependents_lock);
    bondy_list_remove(&mine->as_dependent);
    pthread_mutex_unlock(&dependents_lock);
    for (unsigned kind = 0; kind < BONDY_ROLE_KINDS; kind++) {
        bondy_trie_each(mine->view->roles[kind], drop_role, NULL);
        bondy_trie_destroy(mine->view->roles[kind]);
    }
    bondy_policy_unref(mine->view->settings.prototype);
    bondy_free(mine->view);
    if (mine->is_configured)
        bondy_policy_unref(mine->settings.prototype);
    bondy_role_edits_fini(&mine->edits);
    bondy_free(mine->realm_uri);
    bondy_free(mine);
}

struct bondy_slice bondy_policy_realm(const struct bondy_policy *policy)
{
    return bondy_slice_text(policy->realm_uri);
}

/* ---- writing ------------------------------------------------------------------------------ */

static bool are_same(const struct bondy_policy_settings *a, const struct bondy_policy_settings *b)
{
    return a->security_enabled == b->security_enabled &&
           a->inherits_anonymous == b->inherits_anonymous &&
           a->prefixes_are_bytes == b->prefixes_are_bytes &&
           a->coverage_is_literal == b->coverage_is_literal && a->max_groups == b->max_groups &&
           a->max_depth == b->max_depth && a->prototype == b->prototype;
}

void bondy_policy_configure(struct bondy_policy *policy,
                            const struct bondy_policy_settings *settings)
{
    BONDY_BUG_ON(settings->prototype == policy);
    bondy_policy_ref(settings->prototype);
    if (policy->is_configured)
        bondy_policy_unref(policy->settings.prototype);
    policy->settings = *settings;
    policy->is_configured = !are_same(settings, &policy->view->settings);
    if (!policy->is_configured)
        bondy_policy_unref(settings->prototype); /* the view holds it */
}

static struct bondy_role_edit *edit(struct bondy_policy *policy, enum bondy_role_kind kind,
                                    struct bondy_slice name)
{
    return bondy_role_edits_get(&policy->edits, kind, name,
                                bondy_trie_find(policy->view->roles[kind], name));
}

void bondy_policy_put_group(struct bondy_policy *policy, struct bondy_slice name)
{
    bondy_role_edit_exists(edit(policy, BONDY_ROLE_GROUP, name));
}

void bondy_policy_remove_group(struct bondy_policy *policy, struct bondy_slice name)
{
    bondy_role_edit_clear(edit(policy, BONDY_ROLE_GROUP, name));
}

void bondy_policy_remove_user(struct bondy_policy *policy, struct bondy_slice name)
{
    bondy_role_edit_clear(edit(policy, BONDY_ROLE_USER, name));
}

void bondy_policy_put_parent(struct bondy_policy *policy, struct bondy_slice group,
                             struct bondy_slice parent)
{
    bondy_role_edit_put_parent(edit(policy, BONDY_ROLE_GROUP, group), parent);
}

void bondy_policy_remove_parent(struct bondy_policy *policy, struct bondy_slice group,
                                struct bondy_slice parent)
{
    bondy_role_edit_remove_parent(edit(policy, BONDY_ROLE_GROUP, group), parent);
}

void bondy_policy_put_grant(struct bondy_policy *policy, const struct bondy_grant_key *key,
                            const json_t *permissions)
{
    struct bondy_slice uri = key->match == BONDY_GRANT_ANY ? BONDY_SLICE_EMPTY : key->uri;

    bondy_role_edit_add_rule(edit(policy, key->kind, key->name),
                             bondy_rule_create(key->match, uri, permissions));
}

void bondy_policy_remove_grant(struct bondy_policy *policy, const struct bondy_grant_key *key)
{
    bondy_policy_put_grant(policy, key, NULL);
}

/* ---- publishing --------------------------------------------------------------------------- */

static void free_view(struct bondy_retired *retired)
{
    struct bondy_policy_view *view = BONDY_CONTAINER(retired, struct bondy_policy_view, retired);

    bondy_trie_free_replaced(view->replaced);
    for (size_t i = 0; i < view->dropped_count; i++)
        bondy_role_unref(view->dropped[i]);
    bondy_free(view->dropped);
    bondy_policy_unref(view->settings.prototype);
    bondy_free(view);
}

/* Puts what became of one role into the next view; `old` gets what that no longer uses. */
static void apply(struct bondy_role_edit *edit, struct bondy_policy_view *next,
                  struct bondy_policy_view *old)
{
    enum bondy_role_kind kind = bondy_role_edit_kind(edit);
    const struct bondy_role *before = bondy_role_edit_before(edit);
    struct bondy_role *role = bondy_role_edit_finish(edit);

    if (before != NULL) {
        next->roles[kind] = bondy_trie_remove(next->roles[kind], before->name, &old->replaced);
        old->dropped[old->dropped_count++] = before;
    }
    if (role != NULL)
        next->roles[kind] = bondy_trie_add(next->roles[kind], role->name, role, &old->replaced);
}

static void apply_edits(struct bondy_policy *policy, struct bondy_policy_view *next,
                        struct bondy_policy_view *old)
{
    bool is_first = old->roles[BONDY_ROLE_GROUP] == NULL && old->roles[BONDY_ROLE_USER] == NULL;
    size_t cursor = 0;
    void *each;

    old->dropped = bondy_calloc(policy->edits.by_key.count, sizeof(struct bondy_role *));
    while (bondy_map_next(&policy->edits.by_key, &cursor, NULL, &each)) {
        apply(each, next, old);
        /* Filling an empty policy: nothing that was replaced on the way was ever seen. */
        if (is_first) {
            bondy_trie_free_replaced(old->replaced);
            old->replaced = NULL;
        }
    }
    bondy_role_edits_fini(&policy->edits);
}

static void change_prototype(struct bondy_policy *policy, struct bondy_policy *prototype)
{
    pthread_mutex_lock(&dependents_lock);
    bondy_list_remove(&policy->as_dependent);
    if (prototype != NULL)
        bondy_list_append(&prototype->dependents, &policy->as_dependent);
    pthread_mutex_unlock(&dependents_lock);
}

static void move_epoch(struct bondy_policy *policy)
{
    atomic_fetch_add_explicit(&policy->epoch.now, 1, memory_order_release);
}

void bondy_policy_touch(struct bondy_policy *policy)
{
    move_epoch(policy);
    pthread_mutex_lock(&dependents_lock);
    BONDY_LIST_EACH(link, &policy->dependents)
    move_epoch(BONDY_LIST_ENTRY(link, struct bondy_policy, as_dependent));
    pthread_mutex_unlock(&dependents_lock);
}

bool bondy_policy_publish(struct bondy_policy *policy)
{
    struct bondy_policy_view *old = policy->view;
    struct bondy_policy_view *next;

    if (!policy->is_configured && policy->edits.by_key.count == 0)
        return false;
    next = bondy_zalloc(sizeof *next);
    memcpy(next->roles, old->roles, sizeof next->roles);
    next->settings = policy->settings;
    if (policy->is_configured)
        change_prototype(policy, next->settings.prototype); /* the reference goes over */
    else
        bondy_policy_ref(next->settings.prototype);
    policy->is_configured = false;
    apply_edits(policy, next, old);
    /* First the view, then the epoch: who sees the new epoch sees the new view. */
    bondy_publish_set(policy->view, next);
    bondy_policy_touch(policy);
    bondy_publish_retire(&old->retired, free_view);
    return true;
}

/* ---- reading ------------------------------------------------------------------------------ */

const struct bondy_policy_view *bondy_policy_view(const struct bondy_policy *policy)
{
    return bondy_publish_get(policy->view);
}

const struct bondy_policy_view *bondy_policy_prototype_view(const struct bondy_policy_view *view)
{
    return view->settings.prototype == NULL ? NULL : bondy_policy_view(view->settings.prototype);
}

const struct bondy_role *bondy_policy_find_role(const struct bondy_policy_view *view,
                                                enum bondy_role_kind kind, struct bondy_slice name)
{
    const struct bondy_role *role = bondy_trie_find(view->roles[kind], name);

    return role != NULL && role->exists ? role : NULL;
}

static const struct bondy_role *find_group(const struct bondy_policy *policy,
                                           struct bondy_slice name, bool or_in_prototype)
{
    const struct bondy_policy_view *view = bondy_policy_view(policy);
    const struct bondy_role *role = bondy_policy_find_role(view, BONDY_ROLE_GROUP, name);

    if (role == NULL && or_in_prototype && view->settings.prototype != NULL)
        role = bondy_policy_find_role(bondy_policy_prototype_view(view), BONDY_ROLE_GROUP, name);
    return role;
}

bool bondy_policy_has_group(const struct bondy_policy *policy, struct bondy_slice name,
                            bool or_in_prototype)
{
    return bondy_role_is_builtin(name) || find_group(policy, name, or_in_prototype) != NULL;
}

void bondy_policy_parents(const struct bondy_policy *policy, struct bondy_slice group,
                          bondy_policy_name_fn visit, void *context)
{
    const struct bondy_role *role = find_group(policy, group, true);

    for (size_t i = 0; role != NULL && i < role->parent_count; i++) {
        if (!visit(context, role->parents[i]))
            return;
    }
}

json_t *bondy_role_text(const struct bondy_role *role)
{
    if (role->kind == BONDY_ROLE_GROUP && bondy_role_is_builtin(role->name))
        return bondy_json_slice(role->name);
    return json_sprintf("%s/" BONDY_SLICE_FMT, role->kind == BONDY_ROLE_USER ? "user" : "group",
                        BONDY_SLICE_ARG(role->name));
}

static bool list_rules(void *context, void *value)
{
    const struct bondy_role *role = value;

    for (size_t i = 0; i < role->rule_count; i++) {
        json_t *grant = json_object();

        bondy_json_with(grant, "permissions", bondy_rules_permissions(&role->rules[i], 1));
        bondy_json_with(grant, "resource", bondy_rule_resource(role->rules[i]));
        bondy_json_with(grant, "roles", json_pack("[o]", bondy_role_text(role)));
        json_array_append_new(context, grant);
    }
    return true;
}

json_t *bondy_policy_grants(const struct bondy_policy *policy)
{
    const struct bondy_policy_view *view = bondy_policy_view(policy);
    json_t *array = json_array();

    for (unsigned kind = 0; kind < BONDY_ROLE_KINDS; kind++)
        bondy_trie_each(view->roles[kind], list_rules, array);
    return array;
}
