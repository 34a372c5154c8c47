/* SPDX-License-Identifier: Apache-2.0 */
#include "src/router/options.h"

#include <stdio.h>

#include "src/wamp/codec.h"
#include "src/wamp/errors.h"

struct row;

struct reading {
    const struct bondy_message *message;
    struct bondy_options *out;
    struct bondy_refusal *refusal;
};

/* False: `reading->refusal` is filled. */
typedef bool (*read_fn)(struct reading *reading, const struct row *row,
                        const struct bondy_value *value);

struct row {
    const char *key;
    size_t key_len;
    read_fn read;
    size_t offset; /* of the member of struct bondy_options, or the kind of list */
};

static bool refuse(struct reading *reading, const struct row *row, const char *uri,
                   const char *text)
{
    reading->refusal->uri = uri;
    snprintf(reading->refusal->text, sizeof reading->refusal->text, "option \"%s\" %s", row->key,
             text);
    return false;
}

static bool wrong_type(struct reading *reading, const struct row *row, const char *expected)
{
    return refuse(reading, row, BONDY_ERR_INVALID_ARGUMENT, expected);
}

static bool read_flag(struct reading *reading, const struct row *row,
                      const struct bondy_value *value)
{
    if (value->type != BONDY_VALUE_BOOL)
        return wrong_type(reading, row, "must be a boolean");
    *(bool *)((char *)reading->out + row->offset) = value->flag;
    return true;
}

static bool read_count(struct reading *reading, const struct row *row,
                       const struct bondy_value *value)
{
    if (value->type != BONDY_VALUE_INT || value->i64 < 0)
        return wrong_type(reading, row, "must be an integer, 0 or more");
    *(uint64_t *)((char *)reading->out + row->offset) = (uint64_t)value->i64;
    return true;
}

static bool read_match(struct reading *reading, const struct row *row,
                       const struct bondy_value *value)
{
    if (value->type != BONDY_VALUE_TEXT || !bondy_match_parse(value->text, &reading->out->match))
        return wrong_type(reading, row, "must be \"exact\", \"prefix\" or \"wildcard\"");
    return true;
}

/* Elements are checked where the list is used: integers for sessions, texts otherwise. */
static bool read_list(struct reading *reading, const struct row *row,
                      const struct bondy_value *value)
{
    if (value->type != BONDY_VALUE_LIST)
        return wrong_type(reading, row, "must be a list");
    reading->out->lists[row->offset] = value->raw;
    reading->out->has_lists = true;
    return true;
}

/* The other policies come with shared registrations. */
static bool read_invoke(struct reading *reading, const struct row *row,
                        const struct bondy_value *value)
{
    static const char *const later[] = {"first",
                                        "last",
                                        "roundrobin",
                                        "random",
                                        "jump_consistent_hash",
                                        "jch",
                                        "queue_least_loaded",
                                        "qll",
                                        "queue_least_loaded_sample",
                                        "qlls",
                                        "all"};

    if (value->type != BONDY_VALUE_TEXT)
        return wrong_type(reading, row, "must be a text");
    if (bondy_slice_is(value->text, "single"))
        return true;
    for (size_t i = 0; i < sizeof later / sizeof later[0]; i++) {
        if (bondy_slice_is(value->text, later[i]))
            return refuse(reading, row, BONDY_ERR_OPTION_NOT_ALLOWED,
                          "must be \"single\": shared registrations are not supported");
    }
    return wrong_type(reading, row, "is not a known invocation policy");
}

static bool read_mode(struct reading *reading, const struct row *row,
                      const struct bondy_value *value)
{
    if (value->type != BONDY_VALUE_TEXT ||
        (!bondy_slice_is(value->text, "skip") && !bondy_slice_is(value->text, "kill") &&
         !bondy_slice_is(value->text, "killnowait")))
        return wrong_type(reading, row, "must be \"skip\", \"kill\" or \"killnowait\"");
    return true;
}

/* A switch that may be there as long as it is off. */
static bool must_be_off(struct reading *reading, const struct row *row,
                        const struct bondy_value *value)
{
    if (value->type != BONDY_VALUE_BOOL)
        return wrong_type(reading, row, "must be a boolean");
    return !value->flag || refuse(reading, row, BONDY_ERR_OPTION_NOT_ALLOWED, "is not supported");
}

static bool must_be_absent(struct reading *reading, const struct row *row,
                           const struct bondy_value *value)
{
    return value->type == BONDY_VALUE_NULL ||
           refuse(reading, row, BONDY_ERR_OPTION_NOT_ALLOWED, "is not supported");
}

static bool is_no_feature(struct reading *reading, const struct row *row,
                          const struct bondy_value *value)
{
    if (value->type == BONDY_VALUE_NULL || (value->type == BONDY_VALUE_BOOL && !value->flag))
        return true;
    return refuse(reading, row, BONDY_ERR_FEATURE_NOT_SUPPORTED, "is not supported");
}

#define KEY(text) text, sizeof(text) - 1
#define MEMBER(name) offsetof(struct bondy_options, name)

static const struct row publish_rows[] = {
    {KEY("acknowledge"), read_flag, MEMBER(acknowledge)},
    {KEY("exclude_me"), read_flag, MEMBER(exclude_me)},
    {KEY("disclose_me"), read_flag, MEMBER(disclose_me)},
    {KEY("exclude"), read_list, BONDY_EXCLUDE},
    {KEY("exclude_authid"), read_list, BONDY_EXCLUDE_AUTHID},
    {KEY("exclude_authrole"), read_list, BONDY_EXCLUDE_AUTHROLE},
    {KEY("eligible"), read_list, BONDY_ELIGIBLE},
    {KEY("eligible_authid"), read_list, BONDY_ELIGIBLE_AUTHID},
    {KEY("eligible_authrole"), read_list, BONDY_ELIGIBLE_AUTHROLE},
    {KEY("retain"), must_be_off, 0},
    {KEY("rkey"), must_be_absent, 0},
    {KEY("ppt_scheme"), is_no_feature, 0},
    {NULL, 0, NULL, 0},
};

static const struct row subscribe_rows[] = {
    {KEY("match"), read_match, 0},
    {KEY("get_retained"), must_be_off, 0},
    {KEY("nkey"), must_be_absent, 0},
    {NULL, 0, NULL, 0},
};

static const struct row register_rows[] = {
    {KEY("match"), read_match, 0},
    {KEY("invoke"), read_invoke, 0},
    {KEY("disclose_caller"), read_flag, MEMBER(disclose_caller)},
    {KEY("forward_timeout"), read_flag, MEMBER(forward_timeout)},
    {KEY("force_reregister"), must_be_off, 0},
    {KEY("concurrency"), must_be_absent, 0},
    {NULL, 0, NULL, 0},
};

/* receive_progress asks for something the caller can do without: nothing but one final RESULT is
 * a conforming answer to it, so it is passed over. */
static const struct row call_rows[] = {
    {KEY("timeout"), read_count, MEMBER(timeout_ms)},
    {KEY("disclose_me"), read_flag, MEMBER(disclose_me)},
    {KEY("progress"), is_no_feature, 0},
    {KEY("runmode"), must_be_absent, 0},
    {KEY("rkey"), must_be_absent, 0},
    {KEY("ppt_scheme"), is_no_feature, 0},
    {NULL, 0, NULL, 0},
};

static const struct row cancel_rows[] = {
    {KEY("mode"), read_mode, 0},
    {NULL, 0, NULL, 0},
};

static const struct row yield_rows[] = {
    {KEY("progress"), read_flag, MEMBER(progress)},
    {KEY("ppt_scheme"), is_no_feature, 0},
    {NULL, 0, NULL, 0},
};

static const struct row *const rows_of[BONDY_MESSAGE_TYPES] = {
    [BONDY_PUBLISH] = publish_rows,   [BONDY_SUBSCRIBE] = subscribe_rows,
    [BONDY_REGISTER] = register_rows, [BONDY_CALL] = call_rows,
    [BONDY_CANCEL] = cancel_rows,     [BONDY_YIELD] = yield_rows,
};

static const struct row *find_row(const struct row *rows, struct bondy_slice key)
{
    for (const struct row *row = rows; row->key != NULL; row++) {
        if (key.len == row->key_len && memcmp(key.data, row->key, key.len) == 0)
            return row;
    }
    return NULL;
}

bool bondy_options_read(const struct bondy_message *message, struct bondy_buf *scratch,
                        struct bondy_options *out, struct bondy_refusal *refusal)
{
    struct reading reading = {message, out, refusal};
    const struct row *rows = rows_of[message->type];
    struct bondy_walk walk;
    struct bondy_slice key;
    struct bondy_value value;

    *out = (struct bondy_options){.exclude_me = true, .match = BONDY_MATCH_EXACT};
    if (message->dict_count == 0 || rows == NULL)
        return true;
    scratch->len = 0;
    bondy_walk_start(&walk, message->serializer, message->dict, scratch);
    while (bondy_dict_next(&walk, &key, &value)) {
        const struct row *row = find_row(rows, key);

        if (row != NULL && !row->read(&reading, row, &value))
            return false;
    }
    return true;
}
