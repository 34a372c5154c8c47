/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TESTS_LIB_PATTERN_H
#define BONDY_TESTS_LIB_PATTERN_H

/* pattern: messages as scripts write them: JSON with a few words more. tests/script/README.md.
 *
 *   CALL, EVENT, ...   the number of a message type
 *   *                  any value
 *   id                 any WAMP id: an integer from 1 to 2^53
 *   text               any text that is not empty
 *   $name              a variable: takes the value it meets first, equals it afterwards
 *   ...                at the end of a list or dict: anything more
 */

#include <stdbool.h>

#include <jansson.h>

/* Reads a pattern into a tree; NULL and *problem (a text that stays until the next call) when it
 * is none. The caller owns the tree. */
json_t *bondy_pattern_parse(const char *text, const char **problem);
/* Whether the value fits; variables are read from and written to `variables`, an object. */
bool bondy_pattern_fits(const json_t *pattern, const json_t *value, json_t *variables);
/* The value a pattern stands for when it is sent: variables filled in. NULL when it holds an
 * unknown variable or a word that stands for no value. The caller owns it. */
json_t *bondy_pattern_fill(const json_t *pattern, const json_t *variables);

#endif
