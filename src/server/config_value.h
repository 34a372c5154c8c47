/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SERVER_CONFIG_VALUE_H
#define BONDY_SERVER_CONFIG_VALUE_H

/* config_value: the text of a setting to its value. configuration.md 1.2. */

#include "src/base/buf.h"
#include "src/base/error.h"
#include "src/server/config_schema.h"

#define BONDY_CONFIG_INFINITE INT64_MAX

struct bondy_config_value {
    bool is_set;
    int64_t number; /* INT, PORT, FLAG (0, 1), durations in milliseconds, BYTES */
    char *text;     /* everything else, and the normal form of the above; owned */
    char **list;    /* LIST: owned, `list_count` texts */
    size_t list_count;
    bool is_bare_duration; /* warning C105 */
};

/* Reads `text` as a value of `row`. An empty text leaves it unset. On success the caller ends it
 * with bondy_config_value_fini(). BONDY_EINVAL: not of that type (C003). BONDY_ELIMIT: of the type,
 * but out of range or none of the words (C004). */
int bondy_config_value_parse(const struct bondy_config_row *row, struct bondy_slice text,
                             struct bondy_config_value *out, struct bondy_error *err);
void bondy_config_value_fini(struct bondy_config_value *value);

/* "1w2d" for milliseconds, "64KB" for bytes: what print-config shows. */
void bondy_config_format_duration(int64_t ms, struct bondy_buf *out);
void bondy_config_format_bytes(int64_t bytes, struct bondy_buf *out);

#endif
