/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_GATEWAY_OAUTH2_REDIRECT_H
#define BONDY_GATEWAY_OAUTH2_REDIRECT_H

/* redirect: where a browser may be sent back to, and how. RFC 6749, 3.1.2; RFC 9700, 2.1; threat-
 * model J7. Pure. */

#include <jansson.h>
#include <stdbool.h>

#include "src/base/buf.h"

/* Whether `uri` is, octet for octet, one of meta.redirect_uris of a client, and one that can be
 * used: absolute, printable ASCII, without fragment, and nothing that a browser would run. */
bool bondy_redirect_is_registered(const json_t *meta, struct bondy_slice uri);

/* Adds a parameter to a URI, behind '?' or '&' as it needs; the value is percent-encoded. An empty
 * value with data NULL adds nothing. */
void bondy_redirect_add(struct bondy_buf *uri, const char *name, struct bondy_slice value);

/* What a Content-Security-Policy has to allow for a form whose answer sends the browser there:
 * "https://app.example:8443", or the scheme alone ("com.example.app:") where that is no host that a
 * policy can name. Appends. */
void bondy_redirect_source(struct bondy_slice uri, struct bondy_buf *out);

/* Text in HTML, between tags or in quotes. Appends. */
void bondy_html_escape(struct bondy_slice text, struct bondy_buf *out);

#endif
