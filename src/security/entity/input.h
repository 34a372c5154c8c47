/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_ENTITY_INPUT_H
#define BONDY_SECURITY_ENTITY_INPUT_H

/* input: one checker for all objects that come from outside, driven by tables of keys. Internal to
 * src/security. realms-and-security.md 1.1, admin-http-api.md 7.1.
 *
 * Unknown keys are refused by name; with `is_lenient` they are dropped with a warning (whoever uses
 * an input takes from it only what it knows). Every mistake is noted with its JSON pointer, up to a
 * limit; nothing secret is repeated. */

#include "src/base/buf.h"
#include "src/base/json.h"
#include "src/security/entity/edit.h"
#include "src/wamp/uri.h"

struct bondy_input;
typedef void (*bondy_input_fn)(struct bondy_input *input, const json_t *value);

enum bondy_input_flag {
    BONDY_INPUT_REQUIRED = 1, /* unless it is an update */
    BONDY_INPUT_SECRET = 2,   /* the value is not repeated in an error */
    BONDY_INPUT_EXTERNAL = 4, /* of the external form only: ignored */
    BONDY_INPUT_FIXED = 8,    /* cannot be changed: ignored in an update */
    BONDY_INPUT_FILE = 32,    /* unknown but in files and imports */
    BONDY_INPUT_NULL = 16     /* null: the default, or what the prototype says */
};

struct bondy_input_row {
    const char *key;
    unsigned flags;
    bondy_input_fn check; /* NULL for what is ignored */
};

struct bondy_input_table {
    const char *noun; /* "user" */
    const struct bondy_input_row *rows;
    size_t count;
    bondy_input_fn whole; /* after the keys: what concerns several; NULL */
};

struct bondy_input {
    const struct bondy_security_rules *rules;
    bool is_update, is_lenient;
    bool is_quiet;    /* in a job: what is dropped was logged before */
    bool is_prepared; /* what prepare made stands where text was */
    json_t *problems;
    struct bondy_buf pointer;
    const char *key; /* under check */
    bool is_secret;
};

/* Starts a check; ended with bondy_input_end(), which says BONDY_OK or BONDY_EINVAL with *problem.
 */
void bondy_input_start(struct bondy_input *input, const struct bondy_edit *edit, bool is_update);
int bondy_input_end(struct bondy_input *input, json_t **problem);
void bondy_input_object(struct bondy_input *input, const struct bondy_input_table *table,
                        const json_t *value);

/* Note a mistake at the place under check. `expected` goes on behind "'key' must be" and "'key'".
 */
void bondy_input_wrong_type(struct bondy_input *input, const json_t *value, const char *expected);
void bondy_input_wrong_value(struct bondy_input *input, const json_t *value, const char *expected);
/* Takes `problem`. */
void bondy_input_add(struct bondy_input *input, json_t *problem);
/* Of several members that do not fit each other: wamp.error.invalid_argument with `keys`. */
void bondy_input_inconsistent(struct bondy_input *input, const char *message, const char *one,
                              const char *other);

/* Checks of values. */
void bondy_input_flag(struct bondy_input *input, const json_t *value);
void bondy_input_meta(struct bondy_input *input, const json_t *value);
/* A list of at most rules->max_list items, each checked by `item`. */
void bondy_input_list(struct bondy_input *input, const json_t *value, bondy_input_fn item);
void bondy_input_list_of(struct bondy_input *input, const json_t *value,
                         const struct bondy_input_table *table);
/* A user, group or role name, reserved ones too. */
void bondy_input_name(struct bondy_input *input, const json_t *value);
/* A username or alias: 3 octets or more, not reserved. */
void bondy_input_username(struct bondy_input *input, const json_t *value);
void bondy_input_password_opts(struct bondy_input *input, const json_t *value);
void bondy_input_authmethod(struct bondy_input *input, const json_t *value);
void bondy_input_realm_uri(struct bondy_input *input, const json_t *value);
/* A valid URI or pattern (loose) of at most 1024 octets without NUL, which parts the keys of
 * records and ends texts. */
bool bondy_input_is_uri(struct bondy_slice uri, enum bondy_match match);

/* The tables, for realms that have lists of them. */
extern const struct bondy_input_table bondy_user_table, bondy_group_table, bondy_source_table,
    bondy_grant_table, bondy_realm_table;

#endif
