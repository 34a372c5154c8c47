/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/pattern.h"

#include <ctype.h>
#include <stdio.h>

#include "src/base/buf.h"
#include "src/base/id.h"
#include "src/wamp/message.h"

/* Words become strings that start with this: no script writes it otherwise. */
#define MARK "\x01"
#define MARK_JSON "\\u0001"

static int type_of_name(struct bondy_slice name)
{
    for (int type = 1; type < BONDY_MESSAGE_TYPES; type++) {
        if (bondy_slice_is(name, bondy_message_name((enum bondy_message_type)type)))
            return type;
    }
    return 0;
}

static bool is_json_word(struct bondy_slice word)
{
    return bondy_slice_is(word, "true") || bondy_slice_is(word, "false") ||
           bondy_slice_is(word, "null") || bondy_slice_is(word, "e") || bondy_slice_is(word, "E");
}

static const char *copy_string(const char *at, struct bondy_buf *out)
{
    bondy_buf_append_byte(out, '"');
    for (at++; *at != '\0' && *at != '"'; at++) {
        bondy_buf_append_byte(out, (unsigned char)*at);
        if (*at == '\\' && at[1] != '\0')
            bondy_buf_append_byte(out, (unsigned char)*++at);
    }
    bondy_buf_append_byte(out, '"');
    return *at == '"' ? at + 1 : at;
}

static const char *copy_word(const char *at, struct bondy_buf *out)
{
    const char *end = at + 1;
    struct bondy_slice word;
    int type;

    while (isalnum((unsigned char)*end) || *end == '_' || (*at == '$' && *end == '.'))
        end++;
    word = bondy_slice_of(at, (size_t)(end - at));
    type = type_of_name(word);
    if (type != 0)
        bondy_buf_printf(out, "%d", type);
    else if (is_json_word(word))
        bondy_buf_append_slice(out, word);
    else
        bondy_buf_printf(out, "\"" MARK_JSON BONDY_SLICE_FMT "\"", BONDY_SLICE_ARG(word));
    return end;
}

/* "..." stands where an element stands in a list, and where a member stands in a dict. */
static const char *copy_more(const char *at, struct bondy_buf *out, bool in_dict)
{
    bondy_buf_append_text(out, in_dict ? "\"" MARK_JSON "more\":1" : "\"" MARK_JSON "more\"");
    return at + 3;
}

static void translate(const char *at, struct bondy_buf *out)
{
    char inside[64] = "";
    size_t depth = 0;

    while (*at != '\0') {
        if (*at == '"') {
            at = copy_string(at, out);
        } else if (strncmp(at, "...", 3) == 0) {
            at = copy_more(at, out, depth > 0 && inside[depth - 1] == '{');
        } else if (*at == '*') {
            bondy_buf_append_text(out, "\"" MARK_JSON "*\"");
            at++;
        } else if (isalpha((unsigned char)*at) || *at == '$') {
            at = copy_word(at, out);
        } else {
            if ((*at == '[' || *at == '{') && depth < sizeof inside)
                inside[depth++] = *at;
            else if ((*at == ']' || *at == '}') && depth > 0)
                depth--;
            bondy_buf_append_byte(out, (unsigned char)*at++);
        }
    }
}

json_t *bondy_pattern_parse(const char *text, const char **problem)
{
    static char buffer[512];
    struct bondy_buf json = BONDY_BUF_EMPTY;
    json_error_t error;
    json_t *tree;

    translate(text, &json);
    tree = json_loadb(json.data == NULL ? "" : json.data, json.len,
                      JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
    if (tree == NULL) {
        snprintf(buffer, sizeof buffer, "%s in: " BONDY_SLICE_FMT, error.text,
                 BONDY_SLICE_ARG(bondy_buf_slice(&json)));
        *problem = buffer;
    }
    bondy_buf_fini(&json);
    return tree;
}

/* The word behind the mark, or NULL. */
static const char *word_of(const json_t *pattern)
{
    const char *text = json_is_string(pattern) ? json_string_value(pattern) : NULL;

    return text != NULL && text[0] == MARK[0] ? text + 1 : NULL;
}

static bool word_fits(const char *word, const json_t *value, json_t *variables)
{
    json_t *known;

    if (strcmp(word, "*") == 0)
        return true;
    if (strcmp(word, "id") == 0)
        return json_is_integer(value) && json_integer_value(value) >= 1 &&
               (uint64_t)json_integer_value(value) <= BONDY_ID_MAX;
    if (strcmp(word, "text") == 0)
        return json_is_string(value) && json_string_length(value) > 0;
    if (word[0] != '$')
        return false;
    known = json_object_get(variables, word + 1);
    if (known != NULL)
        return json_equal(known, value);
    json_object_set(variables, word + 1, (json_t *)value);
    return true;
}

static bool list_fits(const json_t *pattern, const json_t *value, json_t *variables)
{
    size_t i, count = json_array_size(pattern);

    if (!json_is_array(value))
        return false;
    for (i = 0; i < count; i++) {
        const json_t *item = json_array_get(pattern, i);
        const char *word = word_of(item);

        if (word != NULL && strcmp(word, "more") == 0)
            return true;
        if (i >= json_array_size(value) ||
            !bondy_pattern_fits(item, json_array_get(value, i), variables))
            return false;
    }
    return json_array_size(value) == count;
}

static bool dict_fits(const json_t *pattern, const json_t *value, json_t *variables)
{
    bool allows_more = json_object_get(pattern, MARK "more") != NULL;
    size_t count = json_object_size(pattern) - (allows_more ? 1 : 0);
    const char *key;
    json_t *item;

    if (!json_is_object(value) || (!allows_more && json_object_size(value) != count))
        return false;
    json_object_foreach((json_t *)pattern, key, item)
    {
        json_t *other = json_object_get(value, key);

        if (strcmp(key, MARK "more") == 0)
            continue;
        if (other == NULL || !bondy_pattern_fits(item, other, variables))
            return false;
    }
    return true;
}

bool bondy_pattern_fits(const json_t *pattern, const json_t *value, json_t *variables)
{
    const char *word = word_of(pattern);

    if (word != NULL)
        return word_fits(word, value, variables);
    if (json_is_array(pattern))
        return list_fits(pattern, value, variables);
    if (json_is_object(pattern))
        return dict_fits(pattern, value, variables);
    return json_equal(pattern, value);
}

static json_t *fill_list(const json_t *pattern, const json_t *variables)
{
    json_t *list = json_array();
    size_t i;
    json_t *item;

    json_array_foreach(pattern, i, item)
    {
        if (json_array_append_new(list, bondy_pattern_fill(item, variables)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *fill_dict(const json_t *pattern, const json_t *variables)
{
    json_t *dict = json_object();
    const char *key;
    json_t *item;

    json_object_foreach((json_t *)pattern, key, item)
    {
        if (json_object_set_new(dict, key, bondy_pattern_fill(item, variables)) != 0) {
            json_decref(dict);
            return NULL;
        }
    }
    return dict;
}

json_t *bondy_pattern_fill(const json_t *pattern, const json_t *variables)
{
    const char *word = word_of(pattern);

    if (word != NULL)
        return word[0] == '$' ? json_incref(json_object_get(variables, word + 1)) : NULL;
    if (json_is_array(pattern))
        return fill_list(pattern, variables);
    if (json_is_object(pattern))
        return fill_dict(pattern, variables);
    return json_incref((json_t *)pattern);
}
