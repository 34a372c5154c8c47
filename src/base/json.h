/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_BASE_JSON_H
#define BONDY_BASE_JSON_H

/* json: small helpers over jansson, the one value tree of options, specifications and admin.
 *
 * Trees follow jansson's reference counts; "the caller owns" means one reference. */

#include <jansson.h>

#include "src/base/buf.h"
#include "src/base/error.h"
#include "src/base/slice.h"

/* Parses one JSON text, any value at the top: valid UTF-8, no duplicate keys, at most `max_depth`
 * containers inside each other, nothing behind it. Depth is checked before jansson sees the text.
 * The error says line and column. NULL on failure. */
json_t *bondy_json_parse(struct bondy_slice text, unsigned max_depth, struct bondy_error *err);
/* Compact text, integers as integers, floats shortest round-trip, keys in insertion order (or
 * sorted, so that equal trees give equal bytes, with bondy_json_canonical). */
void bondy_json_format(const json_t *value, struct bondy_buf *out);
void bondy_json_canonical(const json_t *value, struct bondy_buf *out);
/* A string member as a slice, or empty when there is none. Borrowed from the tree. */
struct bondy_slice bondy_json_text(const json_t *object, const char *key);
/* Takes `value`; adds it under `key` and returns `object`, so that calls can be chained. */
json_t *bondy_json_with(json_t *object, const char *key, json_t *value);
/* A string value from a slice (must be valid UTF-8). */
json_t *bondy_json_slice(struct bondy_slice text);

/* JSON pointer (RFC 6901) under construction: appends "/token" with ~ and / escaped. */
void bondy_json_pointer_push(struct bondy_buf *pointer, struct bondy_slice token);
void bondy_json_pointer_push_index(struct bondy_buf *pointer, size_t index);
/* Shortens it again to what it was; `len` is pointer->len before the push. */
void bondy_json_pointer_pop(struct bondy_buf *pointer, size_t len);

/* The nearest of `candidates` (NULL-terminated) by Damerau-Levenshtein distance, or NULL when none
 * is near enough to be a slip (distance at most 2 and below half the length): "did you mean". */
const char *bondy_json_nearest(struct bondy_slice word, const char *const *candidates);

#endif
