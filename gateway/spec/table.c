/* SPDX-License-Identifier: Apache-2.0 */
/* Two kinds of trees with the same nodes: one over host labels, whose leaves hold a tree over path
 * segments. Patterns that differ in their names alone share a leaf; which places must be equal
 * (":x/:x") tells leaves apart, more of them first. A leaf keeps for each method the operation and
 * where its names stand. */
#include "gateway/spec/table.h"
#include "gateway/spec/table_local.h"

#include "src/base/alloc.h"
#include "src/base/map.h"

#include <stdio.h>

#define SCHEMES 2
#define MAX_PLACES 32 /* host and path together: 2 * names of a pattern */

/* Which operation answers a method, and what its pattern calls the named places, in order. */
struct slot {
    const struct bondy_operation *operation;
    struct bondy_slice *names;
    size_t name_count;
};

struct leaf {
    struct leaf *next; /* fewer equal places */
    uint8_t same_as[MAX_PLACES];
    size_t place_count;
    size_t equal_count;
    struct node *paths;                 /* a leaf of the host tree has these ... */
    struct slot methods[BONDY_METHODS]; /* ... one of a path tree these */
    const struct bondy_path *first;
    unsigned declared;
};

struct node {
    struct bondy_map literals;
    struct node *named;
    struct node *any;
    struct leaf *ends;  /* the pattern ends here */
    struct leaf *rests; /* the pattern ends here with [...] */
};

struct bondy_route_table {
    struct node *hosts[SCHEMES];
    const struct bondy_spec **specs;
    size_t spec_count;
    size_t route_count;
};

/* ---- building ------------------------------------------------------------------------------ */

struct build {
    struct bondy_route_table *table;
    bondy_route_duplicate_fn on_duplicate;
    void *context;
    const struct bondy_operation *last[2]; /* the pair reported last */
};

/* The named places of a reading, in order, appended to `names`. */
static size_t collect_names(const struct bondy_variant *variant, struct bondy_slice *names)
{
    size_t count = 0;

    for (size_t i = 0; i < variant->count; i++)
        if (variant->segments[i].kind == BONDY_SEGMENT_NAMED)
            names[count++] = variant->segments[i].text;
    return count;
}

static struct node *step(struct node *node, const struct bondy_segment *segment)
{
    struct node *next;

    if (segment->kind == BONDY_SEGMENT_LITERAL) {
        next = bondy_map_find(&node->literals, segment->text);
        if (next == NULL) {
            next = bondy_zalloc(sizeof *next);
            bondy_map_put(&node->literals, segment->text, next);
        }
        return next;
    }
    if (segment->kind == BONDY_SEGMENT_NAMED) {
        if (node->named == NULL)
            node->named = bondy_zalloc(sizeof *node->named);
        return node->named;
    }
    if (node->any == NULL)
        node->any = bondy_zalloc(sizeof *node->any);
    return node->any;
}

static void find_equals(struct leaf *leaf, const struct bondy_slice *names, size_t count)
{
    leaf->place_count = count;
    for (size_t i = 0; i < count; i++) {
        leaf->same_as[i] = (uint8_t)i;
        for (size_t k = i; k-- > 0;)
            if (bondy_slice_eq(names[k], names[i]))
                leaf->same_as[i] = (uint8_t)k;
        leaf->equal_count += leaf->same_as[i] != i;
    }
}

/* The leaf at the end of the reading, made when it is not there. */
static struct leaf *descend(struct node *node, const struct bondy_variant *variant)
{
    struct bondy_slice names[BONDY_PATTERN_MAX_SEGMENTS];
    struct leaf wanted = {.next = NULL};
    struct leaf **place = NULL;
    struct leaf *leaf;

    find_equals(&wanted, names, collect_names(variant, names));
    for (size_t i = 0; i < variant->count; i++) {
        if (variant->segments[i].kind == BONDY_SEGMENT_REST)
            place = &node->rests;
        else
            node = step(node, &variant->segments[i]);
    }
    if (place == NULL)
        place = &node->ends;
    for (; *place != NULL && (*place)->equal_count >= wanted.equal_count; place = &(*place)->next)
        if (memcmp((*place)->same_as, wanted.same_as, sizeof wanted.same_as) == 0)
            return *place;
    leaf = bondy_alloc(sizeof *leaf);
    *leaf = wanted;
    leaf->next = *place;
    *place = leaf;
    return leaf;
}

static void add_operation(struct build *build, struct leaf *leaf, const struct bondy_variant *host,
                          const struct bondy_variant *path, const struct bondy_operation *operation)
{
    struct slot *slot = &leaf->methods[operation->method];
    struct bondy_slice names[2 * BONDY_PATTERN_MAX_SEGMENTS];

    if (slot->operation == operation)
        return;
    if (slot->operation != NULL) {
        if (build->on_duplicate != NULL &&
            (build->last[0] != slot->operation || build->last[1] != operation))
            build->on_duplicate(build->context, slot->operation, operation);
        build->last[0] = slot->operation;
        build->last[1] = operation;
        return;
    }
    slot->name_count = collect_names(host, names);
    slot->name_count += collect_names(path, names + slot->name_count);
    slot->names = bondy_calloc(slot->name_count, sizeof *slot->names);
    for (size_t i = 0; i < slot->name_count; i++)
        slot->names[i] = names[i];
    slot->operation = operation;
    leaf->declared |= 1u << operation->method;
    if (leaf->first == NULL)
        leaf->first = operation->path;
    build->table->route_count++;
}

static void add_path(struct build *build, const struct bondy_variant *host,
                     const struct bondy_path *path)
{
    for (size_t scheme = 0; scheme < SCHEMES; scheme++) {
        struct leaf *host_leaf;

        if ((path->schemes & 1u << scheme) == 0)
            continue;
        host_leaf = descend(build->table->hosts[scheme], host);
        if (host_leaf->paths == NULL)
            host_leaf->paths = bondy_zalloc(sizeof *host_leaf->paths);
        for (size_t i = 0; i < path->pattern->variant_count; i++) {
            const struct bondy_variant *variant = &path->pattern->variants[i];
            struct leaf *leaf = descend(host_leaf->paths, variant);

            for (size_t m = 0; m < BONDY_METHODS; m++)
                if (path->operations[m] != NULL)
                    add_operation(build, leaf, host, variant, path->operations[m]);
        }
    }
}

static void add_spec(struct build *build, const struct bondy_spec *spec)
{
    for (size_t v = 0; v < spec->version_count; v++) {
        const struct bondy_version *version = &spec->versions[v];

        for (size_t p = 0; version->is_active && p < version->path_count; p++)
            for (size_t h = 0; h < spec->host_pattern->variant_count; h++)
                add_path(build, &spec->host_pattern->variants[h], &version->paths[p]);
    }
}

struct bondy_route_table *bondy_route_table_collect(const struct bondy_spec *const specs[],
                                                    size_t count, bondy_route_duplicate_fn fn,
                                                    void *context)
{
    struct bondy_route_table *table = bondy_zalloc(sizeof *table);
    struct build build = {table, fn, context, {NULL, NULL}};

    for (size_t scheme = 0; scheme < SCHEMES; scheme++)
        table->hosts[scheme] = bondy_zalloc(sizeof *table->hosts[scheme]);
    table->specs = bondy_calloc(count, sizeof(struct bondy_spec *));
    for (size_t i = 0; i < count; i++) {
        table->specs[table->spec_count++] = bondy_spec_ref(specs[i]);
        add_spec(&build, specs[i]);
    }
    return table;
}

static void warn_of_duplicate(void *context, const struct bondy_operation *first,
                              const struct bondy_operation *second)
{
    json_t *warnings = context;
    const struct bondy_path *path = second->path;
    const struct bondy_spec *spec = path->version->spec;
    const char *other = first->path->version->spec->id;

    if (json_array_size(warnings) >= BONDY_SPEC_MAX_PROBLEMS)
        return;
    json_array_append_new(
        warnings, json_pack("{s:s, s:s, s:o, s:s, s:s}", "pointer", second->pointer, "code",
                            "duplicate_route", "message",
                            json_sprintf("%s '%.400s' of API '%.100s' is also a route of API "
                                         "'%.100s', which was there first and keeps it",
                                         bondy_method_name(second->method), path->pattern->text,
                                         spec->id, other),
                            "api", spec->id, "other", other));
}

struct bondy_route_table *bondy_route_table_build(const struct bondy_spec *const specs[],
                                                  size_t count, json_t **warnings)
{
    json_t *list = warnings == NULL ? NULL : json_array();

    if (warnings != NULL)
        *warnings = list;
    return bondy_route_table_collect(specs, count, list == NULL ? NULL : warn_of_duplicate, list);
}

static void destroy_node(struct node *node);

static void destroy_leaves(struct leaf *leaf)
{
    while (leaf != NULL) {
        struct leaf *next = leaf->next;

        destroy_node(leaf->paths);
        for (size_t i = 0; i < BONDY_METHODS; i++)
            bondy_free(leaf->methods[i].names);
        bondy_free(leaf);
        leaf = next;
    }
}

/* As deep as a host pattern and a path pattern together: bounded when they were parsed. */
static void destroy_node(struct node *node)
{
    struct bondy_slice key;
    size_t cursor = 0;
    void *child;

    if (node == NULL)
        return;
    while (bondy_map_next(&node->literals, &cursor, &key, &child))
        destroy_node(child);
    bondy_map_fini(&node->literals);
    destroy_node(node->named);
    destroy_node(node->any);
    destroy_leaves(node->ends);
    destroy_leaves(node->rests);
    bondy_free(node);
}

void bondy_route_table_destroy(struct bondy_route_table *table)
{
    if (table == NULL)
        return;
    for (size_t scheme = 0; scheme < SCHEMES; scheme++)
        destroy_node(table->hosts[scheme]);
    for (size_t i = 0; i < table->spec_count; i++)
        bondy_spec_unref((struct bondy_spec *)table->specs[i]);
    bondy_free(table->specs);
    bondy_free(table);
}

size_t bondy_route_table_count(const struct bondy_route_table *table)
{
    return table->route_count;
}

/* ---- looking up ---------------------------------------------------------------------------- */

struct search {
    const struct bondy_path_parts *path;
    enum bondy_method method;
    struct bondy_route_match *out;
    struct bondy_slice places[MAX_PLACES]; /* values of the named places so far */
    size_t place_count;
    size_t host_places; /* how many of them belong to the host */
};

/* Tries a leaf; true ends the search. */
typedef bool (*visit_fn)(struct search *search, const struct leaf *leaf);

static bool equals_hold(const struct search *search, const struct leaf *leaf, size_t from)
{
    for (size_t i = 0; leaf->equal_count > 0 && i < leaf->place_count; i++)
        if (!bondy_slice_eq(search->places[from + leaf->same_as[i]], search->places[from + i]))
            return false;
    return true;
}

static void bind_name(struct bondy_route_match *out, struct bondy_slice name,
                      struct bondy_slice value)
{
    for (size_t i = 0; i < out->binding_count; i++) {
        if (!bondy_slice_eq(out->bindings[i].name, name))
            continue;
        out->bindings[i].value = value;
        return;
    }
    out->bindings[out->binding_count++] = (struct bondy_path_binding){name, value};
}

static bool accept_path(struct search *search, const struct leaf *leaf)
{
    struct bondy_route_match *out = search->out;
    const struct slot *slot = &leaf->methods[search->method];

    if (leaf->declared == 0 || !equals_hold(search, leaf, search->host_places))
        return false;
    if (slot->operation == NULL && search->method == BONDY_METHOD_HEAD)
        slot = &leaf->methods[BONDY_METHOD_GET];
    out->operation = slot->operation;
    out->path = slot->operation == NULL ? leaf->first : slot->operation->path;
    out->methods = leaf->declared | 1u << BONDY_METHOD_OPTIONS;
    if (leaf->declared & 1u << BONDY_METHOD_GET)
        out->methods |= 1u << BONDY_METHOD_HEAD;
    out->binding_count = 0;
    for (size_t i = 0; i < slot->name_count; i++)
        bind_name(out, slot->names[i], search->places[i]);
    return true;
}

static bool walk(struct search *search, const struct node *node,
                 const struct bondy_path_parts *parts, size_t at, visit_fn visit);

static bool accept_host(struct search *search, const struct leaf *leaf)
{
    if (leaf->paths == NULL || !equals_hold(search, leaf, 0))
        return false;
    search->host_places = search->place_count;
    return walk(search, leaf->paths, search->path, 0, accept_path);
}

static bool visit_all(struct search *search, const struct leaf *leaf, visit_fn visit)
{
    for (; leaf != NULL; leaf = leaf->next)
        if (visit(search, leaf))
            return true;
    return false;
}

/* Every node is entered at most once for one host leaf: the place in the path follows from the
 * depth. Recursion goes as deep as patterns do, not paths. */
static bool walk(struct search *search, const struct node *node,
                 const struct bondy_path_parts *parts, size_t at, visit_fn visit)
{
    const struct node *next;

    if (at == parts->count)
        return visit_all(search, node->ends, visit) || visit_all(search, node->rests, visit);
    next = node->literals.count == 0 ? NULL : bondy_map_find(&node->literals, parts->segments[at]);
    if (next != NULL && walk(search, next, parts, at + 1, visit))
        return true;
    if (node->named != NULL) {
        search->places[search->place_count++] = parts->segments[at];
        if (walk(search, node->named, parts, at + 1, visit))
            return true;
        search->place_count--;
    }
    if (node->any != NULL && walk(search, node->any, parts, at + 1, visit))
        return true;
    return visit_all(search, node->rests, visit);
}

bool bondy_route_table_find(const struct bondy_route_table *table, unsigned scheme,
                            const struct bondy_path_parts *host,
                            const struct bondy_path_parts *path, enum bondy_method method,
                            struct bondy_route_match *out)
{
    struct search search;

    search.path = path;
    search.method = method;
    search.out = out;
    search.place_count = 0;
    search.host_places = 0;
    return walk(&search, table->hosts[scheme == BONDY_SCHEME_HTTPS], host, 0, accept_host);
}

void bondy_route_allow(unsigned methods, char out[64])
{
    size_t len = 0;

    out[0] = 0;
    for (unsigned m = 0; m < BONDY_METHOD_OTHER; m++) {
        const char *name = bondy_method_name((enum bondy_method)m);

        if ((methods & 1u << m) == 0)
            continue;
        len += (size_t)snprintf(out + len, 64 - len, "%s%s", len == 0 ? "" : ", ", name);
    }
}
