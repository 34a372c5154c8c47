/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SERVER_CONFIG_SCHEMA_H
#define BONDY_SERVER_CONFIG_SCHEMA_H

/* config_schema: the one table of every configuration key: its type, default, limits and help text.
 *
 * Parsing, validation, printing, the reference pages, the sample file and completion all come from
 * it. A new key is one row in one of the config_schema_*.c files. configuration.md 4 and 5. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/base/slice.h"

enum bondy_config_type {
    BONDY_KEY_STRING,
    BONDY_KEY_INT,
    BONDY_KEY_FLAG,
    BONDY_KEY_MS,      /* a duration; a bare number is milliseconds */
    BONDY_KEY_SECONDS, /* a duration; a bare number is seconds */
    BONDY_KEY_BYTES,
    BONDY_KEY_IP,
    BONDY_KEY_ADDRESS,
    BONDY_KEY_PATH,
    BONDY_KEY_WORD, /* one of `words` */
    BONDY_KEY_PORT,
    BONDY_KEY_LIST /* of texts: a, b, c or [a, b, c] or key.1 = a */
};

enum bondy_config_flag {
    BONDY_KEY_IS_SECRET = 1, /* never printed */
    BONDY_KEY_IS_LATER = 2,  /* its part is not built yet: warning C102 */
    BONDY_KEY_IS_GUARD = 4,  /* and with LATER: another value than the default is an error, because
                                ignoring it would leave something open */
    BONDY_KEY_IS_INFINITE = 8, /* `infinity` is a value */
    BONDY_KEY_IS_NUMBER = 16   /* a plain number is a value without warning */
};

/* One row. `compat` is how the value is treated: '=' as in the reference, '~' with an adapted
 * meaning, '+' new here, '0' accepted without effect, 'x' only the default is accepted, 'd'
 * deprecated. `cls` is what a reload does: 'R' applies it, 'L' concerns one listener, 'S' waits for
 * a restart. `min` and `max` bound numbers; max 0 = no upper bound. Words are separated by '|'. */
struct bondy_config_row {
    const char *name; /* "$word" segments stand for any identifier, a last "$$" for the rest */
    enum bondy_config_type type;
    const char *dflt; /* NULL: unset */
    char cls;
    char compat;
    const char *help;
    const char *words;
    int64_t min, max;
    unsigned flags;
};

/* One key: a row under one of the prefixes of its group. */
struct bondy_config_key {
    const char *name; /* whole */
    const char *section;
    const struct bondy_config_row *row;
    bool is_pattern;
};

/* All keys in the order of the tables, for documents; made at the first call, never freed. */
const struct bondy_config_key *bondy_config_keys(size_t *count);
/* The key for a name as a person wrote it, aliases excluded. NULL: there is none. */
const struct bondy_config_key *bondy_config_key_find(struct bondy_slice name);
/* The names an older name stands for: one or two, NULL-terminated; NULL when `name` is no alias.
 * `scratch` holds names with wildcards filled in. */
const char *const *bondy_config_alias(struct bondy_slice name, char scratch[256]);
/* Up to three keys that the person may have meant, best first; returns how many. Wildcards are
 * filled in from `name`. The texts are the caller's to free. */
size_t bondy_config_suggest(struct bondy_slice name, char *out[3]);
/* "integer", "duration", ... for messages and documents. */
const char *bondy_config_type_name(enum bondy_config_type type);

#endif
