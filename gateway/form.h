/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_GATEWAY_FORM_H
#define BONDY_GATEWAY_FORM_H

/* form: queries and form bodies as values. Pure. Results belong to the caller. */

#include <jansson.h>

#include "src/base/buf.h"

/* Percent-decoding with '+' for space; false when it is malformed or not UTF-8. Appends. */
bool bondy_form_decode(struct bondy_slice text, struct bondy_buf *out);

/* "a=1&b=2" to an object. LAST: the last of equal names wins, a name without '=' is true (a query).
 * LISTS: arrays of all values. BODY: a string, or an array when repeated (1.7). NULL: malformed, or
 * more than 1000 fields. */
enum bondy_form_mode { BONDY_FORM_LAST, BONDY_FORM_LISTS, BONDY_FORM_BODY };
json_t *bondy_form_tree(struct bondy_slice text, enum bondy_form_mode mode);

/* multipart/form-data (RFC 7578): an array of {name, filename, content_type, content}, null for
 * what is not there. NULL: not multipart with this boundary, or more than 1000 parts. */
json_t *bondy_multipart_tree(struct bondy_slice body, struct bondy_slice boundary);

/* Text as it is, anything else in WAMP's form of binary in JSON: NUL and base64. */
json_t *bondy_bytes_value(struct bondy_slice bytes);

#endif
