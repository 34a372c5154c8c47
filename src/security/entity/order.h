/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_ENTITY_ORDER_H
#define BONDY_SECURITY_ENTITY_ORDER_H

/* order: sorts things so that what a thing needs comes before it. Pure. Internal to src/security.
 */

#include <stddef.h>

#include "src/base/json.h"

/* `names`: one text for each thing; `needs`: for each a list of names, of which those that are not
 * among `names` do not count. *order gets the indexes (the caller frees it), in the order of
 * `names` as far as the needs allow. BONDY_EINVAL: some need each other; *cycle is the caller's
 * list of them, the first repeated at the end. */
int bondy_order_sort(const json_t *names, const json_t *needs, size_t **order, json_t **cycle);

#endif
