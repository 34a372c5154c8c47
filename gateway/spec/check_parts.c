/* SPDX-License-Identifier: Apache-2.0 */
/* check_parts: headers, media types, schemes and what is not built yet. http-gateway.md 1.7, 1.9,
 * 1.11. */
#include "gateway/spec/check.h"

#include <ctype.h>

#include "src/base/alloc.h"

/* ---- headers ------------------------------------------------------------------------------- */

/* RFC 9110, Tokens. */
bool bondy_check_is_token(const char *text)
{
    if (*text == 0)
        return false;
    for (; *text != 0; text++)
        if (!isalnum((unsigned char)*text) && strchr("!#$%&'*+-.^_`|~", *text) == NULL)
            return false;
    return true;
}

static bool is_header_text(const json_t *value)
{
    const char *text = json_string_value(value);

    for (size_t i = 0; i < json_string_length(value); i++)
        if (((unsigned char)text[i] < 0x20 && text[i] != '\t') || text[i] == 0x7f)
            return false;
    return true;
}

static void check_header(struct spec_loader *loader, const char *name, const json_t *value)
{
    static const char *const OURS[] = {"content-length", "transfer-encoding", "connection", NULL};

    if (!bondy_check_is_token(name))
        bondy_check_fail(loader, "invalid_header", "letters, digits and '-'",
                         "not the name of a header");
    for (const char *const *our = OURS; *our != NULL; our++)
        if (strcasecmp(name, *our) == 0)
            bondy_check_fail(loader, "forbidden_header", NULL,
                             "'%s' belongs to the server and cannot be set", *our);
    if (bondy_check_type(loader, value, T_STRING | T_NUMBER | T_BOOLEAN, CHECK_MAY_WAIT) &&
        !is_header_text(value))
        bondy_check_fail(loader, "invalid_header", "text without control characters",
                         "a header value cannot hold line breaks or control characters");
}

static bool is_lower(const json_t *headers)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)headers, key,
                        value) for (const char *c = key; *c != 0;
                                    c++) if (*c >= 'A' && *c <= 'Z') return false;
    return true;
}

json_t *bondy_check_lower(struct spec_loader *loader, json_t *headers)
{
    json_t *lower;
    const char *key;
    json_t *value;

    if (!json_is_object(headers) || is_lower(headers) ||
        !bondy_expr_spend(&loader->compiler, json_object_size(headers)))
        return json_incref(headers);
    lower = json_object();
    json_object_foreach(headers, key, value)
    {
        char *name = bondy_strdup(key);

        for (char *c = name; *c != 0; c++)
            *c = (char)tolower((unsigned char)*c);
        json_object_set_nocheck(lower, name, value);
        bondy_free(name);
    }
    return lower;
}

json_t *bondy_check_headers(struct spec_loader *loader, json_t *headers)
{
    json_t *lower;
    const char *key;
    json_t *value;

    if (!bondy_check_type(loader, headers, T_OBJECT, CHECK_MAY_WAIT) || !json_is_object(headers))
        return json_incref(headers);
    json_object_foreach(headers, key, value)
    {
        size_t mark = bondy_check_enter(loader, key);

        check_header(loader, key, value);
        bondy_check_leave(loader, mark);
    }
    lower = bondy_check_lower(loader, headers);
    if (json_object_size(lower) < json_object_size(headers))
        bondy_check_fail(loader, "duplicate_header", NULL,
                         "a header is there twice: case does not matter in their names");
    return lower;
}

/* ---- lists --------------------------------------------------------------------------------- */

static bool is_media_type(const char *text)
{
    const char *slash = strchr(text, '/');
    const char *end = strchr(text, ';');
    char type[128];
    size_t len = end == NULL ? strlen(text) : (size_t)(end - text);

    while (len > 0 && text[len - 1] == ' ')
        len--;
    if (slash == NULL || len >= sizeof type || (size_t)(slash - text) >= len)
        return false;
    memcpy(type, text, len);
    type[len] = 0;
    type[slash - text] = 0;
    return bondy_check_is_token(type) && bondy_check_is_token(type + (slash - text) + 1);
}

void bondy_check_media(struct spec_loader *loader, const json_t *list)
{
    json_t *item;
    size_t i;

    if (!bondy_check_type(loader, list, T_ARRAY, CHECK_NOW))
        return;
    if (json_array_size(list) == 0)
        bondy_check_fail(loader, "invalid_value", "at least one media type", "the list is empty");
    json_array_foreach(list, i, item)
    {
        size_t mark = bondy_check_enter_index(loader, i);

        if (bondy_check_type(loader, item, T_STRING, CHECK_NOW) &&
            !is_media_type(json_string_value(item)))
            bondy_check_fail(loader, "invalid_media_type", "type/subtype",
                             "'%.100s' is not a media type", json_string_value(item));
        bondy_check_leave(loader, mark);
    }
}

void bondy_check_schemes(struct spec_loader *loader, const json_t *list)
{
    static const char *const WORDS[] = {"http", "https", NULL};
    json_t *item;
    size_t i;

    if (!bondy_check_type(loader, list, T_ARRAY, CHECK_NOW))
        return;
    if (json_array_size(list) == 0)
        bondy_check_fail(loader, "invalid_value", "\"http\", \"https\" or both",
                         "the list is empty");
    json_array_foreach(list, i, item)
    {
        size_t mark = bondy_check_enter_index(loader, i);

        if (bondy_check_word(loader, item, WORDS) && loader->env->listeners != 0) {
            bool is_tls = strcmp(json_string_value(item), "https") == 0;

            if ((loader->env->listeners & (is_tls ? BONDY_SCHEME_HTTPS : BONDY_SCHEME_HTTP)) == 0)
                bondy_check_warn(loader, "listener_off",
                                 "the %s listener is off: these routes "
                                 "cannot be reached by it",
                                 json_string_value(item));
        }
        bondy_check_leave(loader, mark);
    }
}

/* ---- what others need too ------------------------------------------------------------------ */

void bondy_check_texts(struct spec_loader *loader, const json_t *object, const char *key)
{
    json_t *list = bondy_check_member(loader, object, key, T_ARRAY);
    size_t outer = bondy_check_enter(loader, key);
    json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        size_t mark = bondy_check_enter_index(loader, i);

        bondy_check_type(loader, item, T_STRING, CHECK_NOW);
        bondy_check_leave(loader, mark);
    }
    bondy_check_leave(loader, outer);
}

void bondy_check_require(struct spec_loader *loader, const json_t *object, const char *key)
{
    if (json_object_get(object, key) == NULL)
        bondy_check_fail_at(loader, key, "missing_key", NULL, "'%s' is required here", key);
}

/* ---- not built yet ------------------------------------------------------------------------- */

static void check_schema_refs(struct spec_loader *loader, const json_t *schema)
{
    const json_t *reference = json_object_get(schema, "$ref");
    const char *key;
    json_t *value;
    size_t i;

    if (json_is_string(reference) && json_string_value(reference)[0] != '#')
        bondy_check_fail_at(loader, "$ref", "invalid_schema", "a reference inside the schema",
                            "'%.200s' leaves the document", json_string_value(reference));
    json_object_foreach((json_t *)schema, key, value)
    {
        size_t mark = bondy_check_enter(loader, key);

        if (bondy_expr_spend(&loader->compiler, 1))
            check_schema_refs(loader, value);
        bondy_check_leave(loader, mark);
    }
    json_array_foreach(schema, i, value)
    {
        size_t mark = bondy_check_enter_index(loader, i);

        if (bondy_expr_spend(&loader->compiler, 1))
            check_schema_refs(loader, value);
        bondy_check_leave(loader, mark);
    }
}

static void check_schema(struct spec_loader *loader, const json_t *value)
{
    static const char *const KEYS[] = {"body", "query", "bindings", "headers", "response", NULL};

    if (!bondy_check_type(loader, value, T_OBJECT, CHECK_NOW))
        return;
    bondy_check_keys(loader, value, KEYS);
    for (const char *const *key = KEYS; *key != NULL; key++) {
        size_t mark = bondy_check_enter(loader, *key);
        const json_t *schema = json_object_get(value, *key);

        if (bondy_check_type(loader, schema, T_OBJECT | T_BOOLEAN, CHECK_NOW))
            check_schema_refs(loader, schema);
        bondy_check_leave(loader, mark);
    }
}

static void check_member_integer(struct spec_loader *loader, const json_t *object, const char *key)
{
    size_t mark = bondy_check_enter(loader, key);

    if (json_object_get(object, key) != NULL)
        bondy_check_integer(loader, json_object_get(object, key), 1);
    bondy_check_leave(loader, mark);
}

static void check_member_duration(struct spec_loader *loader, const json_t *object, const char *key)
{
    size_t mark = bondy_check_enter(loader, key);

    if (json_object_get(object, key) != NULL)
        bondy_check_duration(loader, json_object_get(object, key), CHECK_NOW);
    bondy_check_leave(loader, mark);
}

static void check_rate_limit(struct spec_loader *loader, const json_t *value)
{
    static const char *const KEYS[] = {"limit", "window", "burst", "key", NULL};

    if (!bondy_check_type(loader, value, T_OBJECT, CHECK_NOW))
        return;
    bondy_check_keys(loader, value, KEYS);
    bondy_check_require(loader, value, "limit");
    check_member_integer(loader, value, "limit");
    check_member_integer(loader, value, "burst");
    check_member_duration(loader, value, "window");
}

static void check_cache(struct spec_loader *loader, const json_t *value)
{
    static const char *const KEYS[] = {"ttl", "vary", "key", NULL};

    if (!bondy_check_type(loader, value, T_OBJECT, CHECK_NOW))
        return;
    bondy_check_keys(loader, value, KEYS);
    check_member_duration(loader, value, "ttl");
    bondy_check_texts(loader, value, "vary");
}

static void check_boolean(struct spec_loader *loader, const json_t *value)
{
    bondy_check_type(loader, value, T_BOOLEAN, CHECK_NOW);
}

static void check_count(struct spec_loader *loader, const json_t *value)
{
    bondy_check_integer(loader, value, 1);
}

static void check_progressive(struct spec_loader *loader, const json_t *value)
{
    static const char *const WORDS[] = {"sse", "ndjson", NULL};

    bondy_check_word(loader, value, WORDS);
}

static const struct later {
    const char *key;
    void (*check)(struct spec_loader *loader, const json_t *value);
} LATER[] = {
    {"schema", check_schema},      {"rate_limit", check_rate_limit},
    {"cache", check_cache},        {"etag", check_boolean},
    {"max_inflight", check_count}, {"progressive", check_progressive},
    {"openapi", check_boolean},
};

void bondy_check_later(struct spec_loader *loader, const json_t *object)
{
    for (size_t i = 0; i < BONDY_COUNT(LATER); i++) {
        const json_t *value = json_object_get(object, LATER[i].key);
        size_t mark = bondy_check_enter(loader, LATER[i].key);

        if (value != NULL) {
            LATER[i].check(loader, value);
            bondy_check_fail(loader, "not_implemented", NULL,
                             "'%s' is not built yet; a request would not be treated as it says",
                             LATER[i].key);
        }
        bondy_check_leave(loader, mark);
    }
}
