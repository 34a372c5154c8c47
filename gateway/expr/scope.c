/* SPDX-License-Identifier: Apache-2.0 */
/* scope: variables and defaults, level by level. An entry is evaluated in the scope that
 * defines it, once, when first asked for: order does not matter, and a circle is found because an
 * entry is asked for while it is being evaluated. */
#include "gateway/expr/compile.h"

#include "src/base/alloc.h"

#define MAX_CANDIDATES 256

struct expr_active {
    const struct expr_entry *entry;
    struct expr_active *outer;
};

const char *bondy_expr_names_text(enum expr_names names)
{
    return names == NAMES_VARIABLES ? "variables" : "defaults";
}

static void add_entries(struct expr_scope *scope, enum expr_names names, const json_t *object)
{
    size_t count = json_object_size(object);
    struct expr_entry *entry;
    const char *key;
    json_t *value;

    if (count == 0)
        return;
    entry = scope->entries[names] = bondy_calloc(count, sizeof *entry);
    scope->counts[names] = count;
    json_object_foreach((json_t *)object, key, value)
    {
        *entry = (struct expr_entry){key, value, scope, names, false, ENTRY_NEW, NULL};
        bondy_map_put(&scope->maps[names], bondy_slice_text(key), entry);
        entry++;
    }
}

struct expr_scope *bondy_expr_scope_create(struct expr_scope *parent, struct bondy_slice pointer,
                                           const json_t *variables, const json_t *defaults)
{
    struct expr_scope *scope = bondy_zalloc(sizeof *scope);

    scope->parent = parent;
    scope->pointer = bondy_memdup0(pointer.data == NULL ? "" : pointer.data, pointer.len);
    add_entries(scope, NAMES_VARIABLES, variables);
    add_entries(scope, NAMES_DEFAULTS, defaults);
    if (parent != NULL) {
        scope->status_codes = json_incref(parent->status_codes);
        scope->status_overlay = json_incref(parent->status_overlay);
    }
    return scope;
}

void bondy_expr_scope_destroy(struct expr_scope *scope)
{
    if (scope == NULL)
        return;
    for (size_t n = 0; n < NAMES_COUNT; n++) {
        for (size_t i = 0; i < scope->counts[n]; i++)
            json_decref(scope->entries[n][i].value);
        bondy_free(scope->entries[n]);
        bondy_map_fini(&scope->maps[n]);
    }
    json_decref(scope->status_codes);
    json_decref(scope->status_overlay);
    bondy_free(scope->pointer);
    bondy_free(scope);
}

struct expr_entry *bondy_expr_scope_find(const struct expr_scope *scope, enum expr_names names,
                                         struct bondy_slice key)
{
    for (; scope != NULL; scope = scope->parent) {
        struct expr_entry *entry = bondy_map_find(&scope->maps[names], key);

        if (entry != NULL)
            return entry;
    }
    return NULL;
}

const char *bondy_expr_scope_nearest(const struct expr_scope *scope, enum expr_names names,
                                     struct bondy_slice key)
{
    const char *candidates[MAX_CANDIDATES + 1];
    size_t count = 0;

    for (; scope != NULL; scope = scope->parent)
        for (size_t i = 0; i < scope->counts[names] && count < MAX_CANDIDATES; i++)
            candidates[count++] = scope->entries[names][i].key;
    candidates[count] = NULL;
    return bondy_json_nearest(key, candidates);
}

static struct bondy_slice entry_pointer(const struct expr_entry *entry, struct bondy_buf *out)
{
    bondy_buf_append_text(out, entry->owner->pointer);
    if (!entry->is_direct)
        bondy_json_pointer_push(out, bondy_slice_text(bondy_expr_names_text(entry->names)));
    bondy_json_pointer_push(out, bondy_slice_text(entry->key));
    return bondy_buf_slice(out);
}

/* "variables.a -> variables.b -> variables.a" */
static void append_chain(struct bondy_buf *out, const struct expr_active *active,
                         const struct expr_entry *entry)
{
    if (active->entry != entry)
        append_chain(out, active->outer, entry);
    bondy_buf_printf(out, "%s.%.100s -> ", bondy_expr_names_text(active->entry->names),
                     active->entry->key);
}

static void report_cycle(struct expr_compiler *compiler, const struct expr_entry *entry)
{
    struct bondy_buf pointer = BONDY_BUF_EMPTY;
    struct bondy_buf chain = BONDY_BUF_EMPTY;

    append_chain(&chain, compiler->active, entry);
    bondy_buf_printf(&chain, "%s.%.100s", bondy_expr_names_text(entry->names), entry->key);
    if (chain.len > 700) {
        chain.len = 700;
        bondy_buf_append_text(&chain, "...");
    }
    bondy_findings_add(compiler->findings, entry_pointer(entry, &pointer),
                       &(struct bondy_finding){.code = "cycle"},
                       "this needs itself: " BONDY_SLICE_FMT,
                       BONDY_SLICE_ARG(bondy_buf_slice(&chain)));
    bondy_buf_fini(&pointer);
    bondy_buf_fini(&chain);
}

static json_t *evaluate(struct expr_compiler *compiler, struct expr_entry *entry)
{
    struct expr_active active = {entry, compiler->active};
    struct bondy_buf outside = compiler->pointer;
    json_t *value;

    compiler->pointer = (struct bondy_buf)BONDY_BUF_EMPTY;
    entry_pointer(entry, &compiler->pointer);
    compiler->active = &active;
    compiler->entry_depth++;
    value = bondy_expr_half(compiler, entry->owner, entry->source);
    compiler->entry_depth--;
    compiler->active = active.outer;
    if (bondy_expr_depth(compiler, value) > BONDY_EXPR_MAX_VALUE_DEPTH ||
        bondy_expr_count(compiler, value) > BONDY_EXPR_MAX_CONSTANT) {
        bondy_findings_add(compiler->findings, bondy_buf_slice(&compiler->pointer),
                           &(struct bondy_finding){.code = "too_large"},
                           "the value nests deeper than %d or holds more than %d values",
                           BONDY_EXPR_MAX_VALUE_DEPTH, BONDY_EXPR_MAX_CONSTANT);
        json_decref(value);
        value = json_incref(compiler->poison);
    }
    bondy_buf_fini(&compiler->pointer);
    compiler->pointer = outside;
    return value;
}

json_t *bondy_expr_entry_value(struct expr_compiler *compiler, struct expr_entry *entry)
{
    if (entry->state == ENTRY_DONE)
        return entry->value;
    if (entry->state == ENTRY_BUSY) {
        report_cycle(compiler, entry);
        return compiler->poison;
    }
    if (compiler->entry_depth >= BONDY_EXPR_MAX_ENTRY_DEPTH) {
        struct bondy_buf pointer = BONDY_BUF_EMPTY;

        bondy_findings_add(compiler->findings, entry_pointer(entry, &pointer),
                           &(struct bondy_finding){.code = "too_deep"},
                           "more than %d variables refer to each other in a row",
                           BONDY_EXPR_MAX_ENTRY_DEPTH);
        bondy_buf_fini(&pointer);
        entry->value = json_incref(compiler->poison);
    } else {
        entry->state = ENTRY_BUSY;
        entry->value = evaluate(compiler, entry);
    }
    entry->state = ENTRY_DONE;
    return entry->value;
}

void bondy_expr_scope_settle(struct expr_compiler *compiler, struct expr_scope *scope)
{
    for (size_t n = 0; n < NAMES_COUNT; n++)
        for (size_t i = 0; i < scope->counts[n]; i++)
            bondy_expr_entry_value(compiler, &scope->entries[n][i]);
}
