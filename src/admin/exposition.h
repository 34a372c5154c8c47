/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ADMIN_EXPOSITION_H
#define BONDY_ADMIN_EXPOSITION_H

/* exposition: the metric registry as text for scrapers and as JSON for procedures. Any thread. */

#include "src/base/buf.h"
#include "src/base/json.h"

#define BONDY_EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Prometheus text 0.0.4 of the families whose name starts with `prefix` (empty: all). */
void bondy_exposition_text(struct bondy_slice prefix, struct bondy_buf *out);
/* The same as an array of {name, labels: {}, value}; the caller owns it. Values that JSON cannot
 * hold (NaN, infinities) are null. */
json_t *bondy_exposition_json(struct bondy_slice prefix);

#endif
