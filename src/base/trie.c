/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/trie.h"

#include "src/base/alloc.h"

/* A node is one allocation: the struct, its children (sorted by their first byte), then its label.
 * Children are told apart by the first byte of their labels, kept here so that a search touches
 * one cache line. No label is empty except the root's. */
struct bondy_trie_node {
    void *value;
    struct bondy_trie_node *replaced; /* only after readers of new versions cannot get here */
    unsigned label_len;
    unsigned child_count;
    char *label;
    unsigned char *firsts;
    const struct bondy_trie_node *children[];
};

static struct bondy_trie_node *node_create(struct bondy_slice label, void *value,
                                           unsigned child_count)
{
    size_t children = child_count * sizeof(struct bondy_trie_node *);
    struct bondy_trie_node *node = bondy_alloc(sizeof *node + children + child_count + label.len);

    node->value = value;
    node->replaced = NULL;
    node->label_len = (unsigned)label.len;
    node->child_count = child_count;
    node->firsts = (unsigned char *)(node + 1) + children;
    node->label = (char *)node->firsts + child_count;
    if (label.len > 0)
        memcpy(node->label, label.data, label.len);
    return node;
}

static struct bondy_slice node_label(const struct bondy_trie_node *node)
{
    return bondy_slice_of(node->label, node->label_len);
}

static void set_child(struct bondy_trie_node *node, unsigned at,
                      const struct bondy_trie_node *child)
{
    node->children[at] = child;
    node->firsts[at] = (unsigned char)child->label[0];
}

static void replace(const struct bondy_trie_node *node, struct bondy_trie_node **replaced)
{
    struct bondy_trie_node *old = (struct bondy_trie_node *)node;

    old->replaced = *replaced;
    *replaced = old;
}

/* Where the child that starts with `byte` is or would have to be. */
static unsigned child_position(const struct bondy_trie_node *node, unsigned char byte)
{
    unsigned low = 0;
    unsigned high = node->child_count;

    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (node->firsts[middle] < byte)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const struct bondy_trie_node *find_child(const struct bondy_trie_node *node,
                                                unsigned char byte)
{
    unsigned at = child_position(node, byte);

    return at < node->child_count && node->firsts[at] == byte ? node->children[at] : NULL;
}

/* The same node with another label, value or set of children; `node` itself is replaced. */
static struct bondy_trie_node *copy_relabelled(const struct bondy_trie_node *node,
                                               struct bondy_slice label, void *value)
{
    struct bondy_trie_node *copy = node_create(label, value, node->child_count);

    for (unsigned i = 0; i < node->child_count; i++)
        set_child(copy, i, node->children[i]);
    return copy;
}

static struct bondy_trie_node *copy_with_child(const struct bondy_trie_node *node,
                                               const struct bondy_trie_node *child)
{
    struct bondy_trie_node *copy =
        node_create(node_label(node), node->value, node->child_count + 1);
    unsigned at = child_position(node, (unsigned char)child->label[0]);

    for (unsigned i = 0; i < at; i++)
        set_child(copy, i, node->children[i]);
    set_child(copy, at, child);
    for (unsigned i = at; i < node->child_count; i++)
        set_child(copy, i + 1, node->children[i]);
    return copy;
}

static struct bondy_trie_node *copy_without_child(const struct bondy_trie_node *node, unsigned at)
{
    struct bondy_trie_node *copy =
        node_create(node_label(node), node->value, node->child_count - 1);

    for (unsigned i = 0; i < at; i++)
        set_child(copy, i, node->children[i]);
    for (unsigned i = at + 1; i < node->child_count; i++)
        set_child(copy, i - 1, node->children[i]);
    return copy;
}

static size_t common_len(struct bondy_slice a, struct bondy_slice b)
{
    size_t len = 0;

    while (len < a.len && len < b.len && a.data[len] == b.data[len])
        len++;
    return len;
}

/* Two patterns part inside the label of `node`: a new node above both holds what they share. */
static struct bondy_trie_node *split(const struct bondy_trie_node *node, size_t shared,
                                     struct bondy_slice key, void *value)
{
    struct bondy_slice label = node_label(node);
    struct bondy_slice rest = bondy_slice_skip(key, shared);
    struct bondy_trie_node *lower =
        copy_relabelled(node, bondy_slice_skip(label, shared), node->value);
    struct bondy_trie_node *leaf, *upper;
    unsigned leaf_at;

    if (rest.len == 0) {
        upper = node_create(bondy_slice_of(label.data, shared), value, 1);
        set_child(upper, 0, lower);
        return upper;
    }
    leaf = node_create(rest, value, 0);
    upper = node_create(bondy_slice_of(label.data, shared), NULL, 2);
    leaf_at = (unsigned char)leaf->label[0] > (unsigned char)lower->label[0];
    set_child(upper, leaf_at, leaf);
    set_child(upper, 1 - leaf_at, lower);
    return upper;
}

bondy_trie_root bondy_trie_add(bondy_trie_root node, struct bondy_slice key, void *value,
                               struct bondy_trie_node **replaced)
{
    struct bondy_trie_node *copy;
    struct bondy_slice rest;
    size_t shared;
    unsigned at;

    BONDY_BUG_ON(value == NULL);
    if (node == NULL)
        return node_create(key, value, 0);
    shared = common_len(node_label(node), key);
    rest = bondy_slice_skip(key, shared);
    if (shared < node->label_len) {
        copy = split(node, shared, key, value);
    } else if (rest.len == 0) {
        BONDY_BUG_ON(node->value != NULL);
        copy = copy_relabelled(node, node_label(node), value);
    } else if (find_child(node, (unsigned char)rest.data[0]) == NULL) {
        copy = copy_with_child(node, node_create(rest, value, 0));
    } else {
        at = child_position(node, (unsigned char)rest.data[0]);
        copy = copy_relabelled(node, node_label(node), node->value);
        set_child(copy, at, bondy_trie_add(node->children[at], rest, value, replaced));
    }
    replace(node, replaced);
    return copy;
}

/* A node that neither holds a value nor branches is one with its only child. */
static struct bondy_trie_node *merged(struct bondy_trie_node *node,
                                      struct bondy_trie_node **replaced)
{
    const struct bondy_trie_node *child;
    struct bondy_trie_node *both;
    struct bondy_slice label;
    char *text;

    if (node->value != NULL || node->child_count != 1)
        return node;
    child = node->children[0];
    label.len = (size_t)node->label_len + child->label_len;
    text = bondy_alloc(label.len);
    memcpy(text, node->label, node->label_len);
    memcpy(text + node->label_len, child->label, child->label_len);
    label.data = text;
    both = copy_relabelled(child, label, child->value);
    bondy_free(text);
    replace(child, replaced);
    bondy_free(node); /* never linked */
    return both;
}

bondy_trie_root bondy_trie_remove(bondy_trie_root node, struct bondy_slice key,
                                  struct bondy_trie_node **replaced)
{
    struct bondy_trie_node *copy;
    bondy_trie_root below;
    struct bondy_slice rest;
    unsigned at;

    BONDY_BUG_ON(node == NULL || !bondy_slice_starts(key, node_label(node)));
    rest = bondy_slice_skip(key, node->label_len);
    replace(node, replaced);
    if (rest.len == 0) {
        BONDY_BUG_ON(node->value == NULL);
        if (node->child_count == 0)
            return NULL;
        return merged(copy_relabelled(node, node_label(node), NULL), replaced);
    }
    at = child_position(node, (unsigned char)rest.data[0]);
    BONDY_BUG_ON(at == node->child_count);
    below = bondy_trie_remove(node->children[at], rest, replaced);
    if (below != NULL) {
        copy = copy_relabelled(node, node_label(node), node->value);
        set_child(copy, at, below);
        return copy;
    }
    copy = copy_without_child(node, at);
    if (copy->value == NULL && copy->child_count == 0) { /* the root of an empty tree */
        bondy_free(copy);
        return NULL;
    }
    return merged(copy, replaced);
}

struct bondy_slice bondy_trie_wildcard_key(struct bondy_slice pattern, struct bondy_buf *out)
{
    bool at_start = true;

    for (size_t i = 0; i < pattern.len; i++) {
        if (at_start && pattern.data[i] == '.')
            bondy_buf_append_byte(out, '#');
        bondy_buf_append_byte(out, (unsigned char)pattern.data[i]);
        at_start = pattern.data[i] == '.';
    }
    if (at_start)
        bondy_buf_append_byte(out, '#');
    return bondy_buf_slice(out);
}

void bondy_trie_free_replaced(struct bondy_trie_node *replaced)
{
    while (replaced != NULL) {
        struct bondy_trie_node *next = replaced->replaced;

        bondy_free(replaced);
        replaced = next;
    }
}

void bondy_trie_destroy(bondy_trie_root node)
{
    if (node == NULL)
        return;
    for (unsigned i = 0; i < node->child_count; i++)
        bondy_trie_destroy(node->children[i]);
    bondy_free((struct bondy_trie_node *)node);
}

void *bondy_trie_find(bondy_trie_root node, struct bondy_slice key)
{
    while (node != NULL && bondy_slice_starts(key, node_label(node))) {
        key = bondy_slice_skip(key, node->label_len);
        if (key.len == 0)
            return node->value;
        node = find_child(node, (unsigned char)key.data[0]);
    }
    return NULL;
}

/* False when the visitor ended the walk. Depth: at most the length of a key. */
static bool walk_all(bondy_trie_root node, bondy_trie_visit_fn visit, void *context)
{
    if (node->value != NULL && !visit(context, node->value))
        return false;
    for (unsigned i = 0; i < node->child_count; i++) {
        if (!walk_all(node->children[i], visit, context))
            return false;
    }
    return true;
}

void bondy_trie_each(bondy_trie_root root, bondy_trie_visit_fn visit, void *context)
{
    if (root != NULL)
        walk_all(root, visit, context);
}

void bondy_trie_prefixes(bondy_trie_root node, struct bondy_slice uri, bondy_trie_visit_fn visit,
                         void *context)
{
    while (node != NULL && bondy_slice_starts(uri, node_label(node))) {
        if (node->value != NULL && !visit(context, node->value))
            return;
        uri = bondy_slice_skip(uri, node->label_len);
        if (uri.len == 0)
            return;
        node = find_child(node, (unsigned char)uri.data[0]);
    }
}

static bool keep_last(void *context, void *value)
{
    *(void **)context = value;
    return true;
}

void *bondy_trie_longest(bondy_trie_root root, struct bondy_slice uri)
{
    void *longest = NULL;

    bondy_trie_prefixes(root, uri, keep_last, &longest);
    return longest;
}

struct walk {
    bondy_trie_visit_fn visit;
    void *context;
};

/* What is left of `uri` behind its first component. */
static struct bondy_slice skip_component(struct bondy_slice uri)
{
    const char *dot = uri.len == 0 ? NULL : memchr(uri.data, '.', uri.len);

    return dot == NULL ? bondy_slice_skip(uri, uri.len)
                       : bondy_slice_skip(uri, (size_t)(dot - uri.data));
}

/* Walks the label of `node`; false when it does not match the start of *uri. `at_start`: whether a
 * component starts here. */
static bool walk_label(const struct bondy_trie_node *node, struct bondy_slice *uri, bool *at_start)
{
    for (unsigned i = 0; i < node->label_len; i++) {
        if (node->label[i] == '#') {
            /* A wildcard stands for one whole component, which is never empty. */
            if (!*at_start || uri->len == 0 || uri->data[0] == '.')
                return false;
            *uri = skip_component(*uri);
            *at_start = false;
            continue;
        }
        if (uri->len == 0 || uri->data[0] != node->label[i])
            return false;
        *uri = bondy_slice_skip(*uri, 1);
        *at_start = node->label[i] == '.';
    }
    return true;
}

/* False when the visitor ended the walk. Depth: at most the length of a URI. */
static bool walk_wildcards(const struct walk *walk, const struct bondy_trie_node *node,
                           struct bondy_slice uri, bool at_start)
{
    const struct bondy_trie_node *child;

    if (!walk_label(node, &uri, &at_start))
        return true;
    /* At the end of the URI a trailing dot still wants a component: "a." is not "a.#". */
    if (uri.len == 0)
        return node->value == NULL || walk->visit(walk->context, node->value);
    child = uri.data[0] == '#' ? NULL : find_child(node, (unsigned char)uri.data[0]);
    if (child != NULL && !walk_wildcards(walk, child, uri, at_start))
        return false;
    child = at_start ? find_child(node, '#') : NULL;
    return child == NULL || walk_wildcards(walk, child, uri, at_start);
}

void bondy_trie_wildcards(bondy_trie_root root, struct bondy_slice uri, bondy_trie_visit_fn visit,
                          void *context)
{
    const struct walk walk = {visit, context};

    if (root != NULL)
        walk_wildcards(&walk, root, uri, true);
}
