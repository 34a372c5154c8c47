/* SPDX-License-Identifier: Apache-2.0 */
/* default: what is inherited: defaults, status codes. http-gateway.md 1.2 and 1.3. */
#include "gateway/spec/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "src/base/alloc.h"
#include "src/wamp/uri.h"

json_t *bondy_check_builtin_defaults(void)
{
    return json_pack("{s:[s], s:{}, s:{}, s:[s,s], s:[s,s], s:i, s:i, s:i, s:i}", "schemes", "http",
                     "security", "headers", "accepts", "application/json", "application/msgpack",
                     "provides", "application/json", "application/msgpack", "timeout", 60000,
                     "connect_timeout", 8000, "retries", 0, "retry_timeout", 5000);
}

json_t *bondy_check_default(struct spec_loader *loader, struct expr_scope *scope, const char *key)
{
    struct expr_entry *entry = bondy_expr_scope_find(scope, NAMES_DEFAULTS, bondy_slice_text(key));
    json_t *value;

    if (entry == NULL)
        return NULL;
    value = bondy_expr_entry_value(&loader->compiler, entry);
    return bondy_expr_is_poison(&loader->compiler, value) ? NULL : value;
}

bool bondy_check_is_written(const struct expr_scope *scope, const char *key)
{
    const struct expr_entry *entry =
        bondy_expr_scope_find(scope, NAMES_DEFAULTS, bondy_slice_text(key));

    return entry != NULL && entry->owner->parent != NULL;
}

/* ---- known keys ---------------------------------------------------------------------------- */

static void check_duration(struct spec_loader *loader, const json_t *value)
{
    bondy_check_duration(loader, value, CHECK_NOW);
}

static void check_headers(struct spec_loader *loader, const json_t *value)
{
    json_decref(bondy_check_headers(loader, (json_t *)value));
}

static void check_count(struct spec_loader *loader, const json_t *value)
{
    bondy_check_integer(loader, value, 1);
}

static void check_retries(struct spec_loader *loader, const json_t *value)
{
    if (bondy_check_integer(loader, value, 0) && json_integer_value(value) > 0)
        bondy_check_fail(loader, "not_implemented", "0", "retries are not built yet");
}

static void check_encoding(struct spec_loader *loader, const json_t *value)
{
    static const char *const WORDS[] = {"auto", "json", NULL};

    bondy_check_word(loader, value, WORDS);
}

static void check_boolean(struct spec_loader *loader, const json_t *value)
{
    bondy_check_type(loader, value, T_BOOLEAN, CHECK_NOW);
}

static void check_read_seconds(struct spec_loader *loader, const json_t *value)
{
    bondy_check_warn(loader, "deprecated_key",
                     "'body_read_seconds' is in milliseconds despite its name; write "
                     "'body_read_timeout'");
    bondy_check_duration(loader, value, CHECK_NOW);
}

static const struct known {
    const char *key;
    void (*check)(struct spec_loader *loader, const json_t *value);
} KNOWN[] = {
    {"schemes", bondy_check_schemes},
    {"security", bondy_check_security},
    {"headers", check_headers},
    {"accepts", bondy_check_media},
    {"provides", bondy_check_media},
    {"timeout", check_duration},
    {"connect_timeout", check_duration},
    {"retries", check_retries},
    {"retry_timeout", check_duration},
    {"body_max_bytes", check_count},
    {"body_max_values", check_count},
    {"body_read_bytes", check_count},
    {"body_read_seconds", check_read_seconds},
    {"body_read_timeout", check_duration},
    {"body_encoding", check_encoding},
    {"problem_details", check_boolean},
};

/* Each level's own entries, once, where they were written. */
void bondy_check_defaults(struct spec_loader *loader, struct expr_scope *scope)
{
    for (size_t i = 0; i < BONDY_COUNT(KNOWN); i++) {
        struct expr_entry *entry =
            bondy_map_find(&scope->maps[NAMES_DEFAULTS], bondy_slice_text(KNOWN[i].key));
        size_t outer = loader->compiler.pointer.len;
        size_t mark;

        if (entry == NULL)
            continue;
        if (!entry->is_direct)
            bondy_check_enter(loader, "defaults");
        mark = bondy_check_enter(loader, KNOWN[i].key);
        KNOWN[i].check(loader, bondy_expr_entry_value(&loader->compiler, entry));
        bondy_check_leave(loader, mark);
        bondy_check_leave(loader, outer);
    }
}

/* ---- status codes -------------------------------------------------------------------------- */

static void check_status_entry(struct spec_loader *loader, const char *uri, const json_t *value)
{
    if (!bondy_uri_is_valid(bondy_slice_text(uri), BONDY_MATCH_EXACT, BONDY_URI_LOOSE))
        bondy_check_fail(loader, "invalid_uri", "an error URI", "'%.200s' is not a valid WAMP URI",
                         uri);
    bondy_check_status(loader, value, CHECK_NOW);
}

static json_int_t status_number(const json_t *value)
{
    return json_is_string(value) ? strtoll(json_string_value(value), NULL, 10)
                                 : json_integer_value(value);
}

void bondy_check_status_codes(struct spec_loader *loader, struct expr_scope *scope,
                              const json_t *source)
{
    size_t outer = bondy_check_enter(loader, "status_codes");
    json_t *half = source == NULL ? NULL : bondy_expr_half(&loader->compiler, scope, source);
    const char *uri;
    json_t *value;

    if (half != NULL && bondy_check_type(loader, half, T_OBJECT, CHECK_NOW) &&
        json_object_size(half) > 0 &&
        bondy_expr_spend(&loader->compiler, json_object_size(scope->status_codes))) {
        json_t *merged = json_copy(scope->status_codes);
        json_t *overlay =
            scope->status_overlay == NULL ? json_object() : json_copy(scope->status_overlay);

        json_object_foreach(half, uri, value)
        {
            size_t mark = bondy_check_enter(loader, uri);

            check_status_entry(loader, uri, value);
            json_object_set_new_nocheck(merged, uri, json_integer(status_number(value)));
            json_object_set_new_nocheck(overlay, uri, json_integer(status_number(value)));
            bondy_check_leave(loader, mark);
        }
        json_decref(scope->status_codes);
        json_decref(scope->status_overlay);
        scope->status_codes = merged;
        scope->status_overlay = overlay;
    }
    bondy_expr_mark_status(&loader->compiler, scope->status_codes);
    json_decref(half);
    bondy_check_leave(loader, outer);
}
