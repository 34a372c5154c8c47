/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_WAMP_URI_H
#define BONDY_WAMP_URI_H

/* uri: syntax of URIs and patterns, and who may use which name. WAMP, Building Blocks: URIs. */

#include <stdbool.h>

#include "src/base/slice.h"

enum bondy_match { BONDY_MATCH_EXACT, BONDY_MATCH_PREFIX, BONDY_MATCH_WILDCARD, BONDY_MATCHES };
enum bondy_uri_rule { BONDY_URI_LOOSE, BONDY_URI_STRICT };

/* A URI without empty components (exact), or a pattern: prefix patterns may end with a dot or in
 * the middle of a component, wildcard patterns have empty components for "anything". No white space
 * of Unicode, no '#'. `text` must be valid UTF-8. An empty text is never valid, an empty prefix
 * neither. */
bool bondy_uri_is_valid(struct bondy_slice text, enum bondy_match match, enum bondy_uri_rule rule);
/* `wamp` itself or anything below it. */
bool bondy_uri_is_wamp(struct bondy_slice uri);
/* `bondy`, `com.bondy`, `com.leapsight.bondy` themselves or anything below one of them (URI-RES-3).
 */
bool bondy_uri_is_ours(struct bondy_slice uri);
/* Text of a match policy to its value; false for any other text. */
bool bondy_match_parse(struct bondy_slice text, enum bondy_match *out);
const char *bondy_match_name(enum bondy_match match);
/* Whether `uri` is matched by `pattern` under `match`: the plain definition, for tests and for
 * single questions; the registry uses indexes. */
bool bondy_uri_matches(struct bondy_slice uri, struct bondy_slice pattern, enum bondy_match match);

#endif
