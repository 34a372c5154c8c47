/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_HTTP_STATUS_H
#define BONDY_HTTP_STATUS_H

/* status: error URIs to HTTP status codes. http-gateway.md 7.1 and 7.2. */

#include <stdbool.h>

#include "src/base/buf.h"
#include "src/base/json.h"

/* The built-in map as a fresh object URI -> integer; the caller owns it. */
json_t *bondy_status_builtin(void);
/* The status of a URI: the overlay (what documents wrote, NULL for nothing) first, then the
 * built-in map, then 500. `wamp.error.not_authorized` of an anonymous caller is 401 unless the
 * overlay has it. */
int bondy_status_of(struct bondy_slice uri, const json_t *overlay, bool is_anonymous);
/* Short codes become URIs (7.3): "invalid_argument" -> "wamp.error.invalid_argument";
 * wamp.*, bondy.*, com.* stay; others get "bondy.error." in front. Appends to `out`. */
void bondy_status_uri(struct bondy_slice code, struct bondy_buf *out);

#endif
