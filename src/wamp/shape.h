/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_WAMP_SHAPE_H
#define BONDY_WAMP_SHAPE_H

/* shape: the elements of each message type, in wire order, which decoding and encoding go by.
 * Inside src/wamp only. */

#include "src/wamp/message.h"

enum bondy_shape_field {
    BONDY_SHAPE_END,
    BONDY_SHAPE_REQUEST_TYPE,
    BONDY_SHAPE_ID,
    BONDY_SHAPE_ID2,
    BONDY_SHAPE_REVOKED_ID,   /* may be 0: a revocation, and then the next field is there */
    BONDY_SHAPE_REVOKED_DICT, /* there exactly when the id is 0 */
    BONDY_SHAPE_DICT,
    BONDY_SHAPE_URI,
    BONDY_SHAPE_TEXT,
    BONDY_SHAPE_PAYLOAD, /* Arguments and ArgumentsKw, both optional; always the last */
    BONDY_SHAPE_FIELDS
};

#define BONDY_SHAPE_FIELDS_MAX 6

struct bondy_shape {
    const char *name;
    uint8_t fields[BONDY_SHAPE_FIELDS_MAX]; /* ends with BONDY_SHAPE_END */
    uint8_t field_count;
};

extern const struct bondy_shape bondy_shapes[BONDY_MESSAGE_TYPES];

/* NULL: no such message type. */
static inline const struct bondy_shape *bondy_shape_find(uint64_t type)
{
    return type < BONDY_MESSAGE_TYPES && bondy_shapes[type].name != NULL ? &bondy_shapes[type]
                                                                         : NULL;
}

static inline enum bondy_shape_field bondy_shape_last(const struct bondy_shape *shape)
{
    return (enum bondy_shape_field)shape->fields[shape->field_count - 1];
}

#endif
