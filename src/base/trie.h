/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_BASE_TRIE_H
#define BONDY_BASE_TRIE_H

/* trie: URI patterns to values, for readers that never wait.
 *
 * A byte radix tree whose nodes never change once they are linked: adding or removing a pattern
 * copies the nodes on the way to it (at most 256 children each, so a change costs what the pattern
 * is long, not how many there are) and returns a new root. Readers of the old root see the old
 * content. The nodes that the new version no longer uses are handed to the caller, who frees them
 * when no reader can hold them. One writer at a time; versions follow each other, they do not
 * branch.
 *
 * The same tree serves both kinds of patterns. A prefix is stored as it is. In a wildcard an empty
 * component is stored as '#', which no URI may contain. Memory of an entry: one node of about 40
 * bytes and the bytes it does not share with others, and at most one more node where it branches
 * off. */

#include <stdbool.h>
#include <stddef.h>

#include "src/base/buf.h"
#include "src/base/slice.h"

struct bondy_trie_node;

/* NULL is the empty tree. */
typedef const struct bondy_trie_node *bondy_trie_root;

/* Adds `key`, which must not be there and not be empty, with a value that is not NULL (borrowed).
 * Nodes that are no longer used are put in front of *replaced. */
bondy_trie_root bondy_trie_add(bondy_trie_root root, struct bondy_slice key, void *value,
                               struct bondy_trie_node **replaced);
/* Removes `key`, which must be there. */
bondy_trie_root bondy_trie_remove(bondy_trie_root root, struct bondy_slice key,
                                  struct bondy_trie_node **replaced);
/* A wildcard pattern (or a URI) with '#' for each empty component, as the tree has it; appended to
 * *out, of which the result is the content. */
struct bondy_slice bondy_trie_wildcard_key(struct bondy_slice pattern, struct bondy_buf *out);
/* Frees a chain of replaced nodes. */
void bondy_trie_free_replaced(struct bondy_trie_node *replaced);
/* Frees a whole version, the last one; values are not touched. */
void bondy_trie_destroy(bondy_trie_root root);

/* The value of exactly this key, or NULL. */
void *bondy_trie_find(bondy_trie_root root, struct bondy_slice key);

/* Called with each match; false ends the walk. */
typedef bool (*bondy_trie_visit_fn)(void *context, void *value);

/* Everything, sorted by key. */
void bondy_trie_each(bondy_trie_root root, bondy_trie_visit_fn visit, void *context);
/* All prefixes of `uri`, shortest first. */
void bondy_trie_prefixes(bondy_trie_root root, struct bondy_slice uri, bondy_trie_visit_fn visit,
                         void *context);
/* The longest prefix of `uri`, or NULL. */
void *bondy_trie_longest(bondy_trie_root root, struct bondy_slice uri);
/* All wildcards (with '#' components) that match `uri`, best first in the sense of WAMP,
 * Pattern-based Registrations: where two patterns part, the one with the literal component comes
 * first. So the first visited is the best match. A component '#' of `uri` is matched by '#' only:
 * with the key of a wildcard these are the patterns that stand for all that it stands for. */
void bondy_trie_wildcards(bondy_trie_root root, struct bondy_slice uri, bondy_trie_visit_fn visit,
                          void *context);

#endif
