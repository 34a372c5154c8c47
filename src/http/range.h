/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_HTTP_RANGE_H
#define BONDY_HTTP_RANGE_H

/* range: conditions and parts of RFC 9110, 13 and 14, as far as they are worth having. Pure. */

#include <stdbool.h>
#include <stdint.h>

#include "src/base/slice.h"

/* Whether a list of entity tags, as If-None-Match has it, names `tag` (in its quotes), by weak
 * comparison, or is "*". */
bool bondy_range_has_tag(struct bondy_slice list, struct bondy_slice tag);

enum bondy_range_outcome {
    BONDY_RANGE_WHOLE, /* none was asked for, or in a form that one may ignore: several, say */
    BONDY_RANGE_PART,
    BONDY_RANGE_NONE /* nothing of it is there: 416 */
};
/* What a Range header asks for of `size` octets. *first and *len are set for a part. */
enum bondy_range_outcome bondy_range_parse(struct bondy_slice header, uint64_t size,
                                           uint64_t *first, uint64_t *len);

#endif
