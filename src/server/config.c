/* SPDX-License-Identifier: Apache-2.0 */
#include "src/server/config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/base/alloc.h"
#include "src/server/config_load.h"

/* Loading: an entry for every exact key; the sources write their texts into the entries, a later
 * one over an earlier one; then texts are expanded and parsed, then rules are checked. */

void bondy_config_report(struct bondy_config_diag *diag, const char *code, const char *source,
                         unsigned line, unsigned column, const char *format, ...)
{
    struct bondy_config_finding *finding;
    struct bondy_buf text = BONDY_BUF_EMPTY;
    char *message;
    va_list arguments;

    if (source != NULL)
        bondy_buf_append_text(&text, source);
    if (line != 0)
        bondy_buf_printf(&text, ":%u", line);
    if (column != 0)
        bondy_buf_printf(&text, ":%u", column);
    if (source != NULL)
        bondy_buf_append_text(&text, ": ");
    va_start(arguments, format);
    if (vasprintf(&message, format, arguments) >= 0) {
        bondy_buf_append_text(&text, message);
        free(message);
    }
    va_end(arguments);
    diag->findings = bondy_realloc(diag->findings, (diag->count + 1) * sizeof *diag->findings);
    finding = &diag->findings[diag->count++];
    finding->severity = code[1] == '0' ? BONDY_CONFIG_ERROR : BONDY_CONFIG_WARNING;
    snprintf(finding->code, sizeof finding->code, "%s", code);
    finding->text = bondy_buf_take_text(&text);
    diag->error_count += finding->severity == BONDY_CONFIG_ERROR;
}

void bondy_config_soften(struct bondy_config_diag *diag, size_t index)
{
    diag->findings[index].severity = BONDY_CONFIG_WARNING;
    diag->error_count--;
}

void bondy_config_diag_fini(struct bondy_config_diag *diag)
{
    for (size_t i = 0; i < diag->count; i++)
        bondy_free(diag->findings[i].text);
    bondy_free(diag->findings);
    *diag = (struct bondy_config_diag){0};
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct bondy_config_entry *)a)->name,
                  ((const struct bondy_config_entry *)b)->name);
}

/* Room for one more, kept sorted. Entries move: callers hold no pointers across it. */
static struct bondy_config_entry *insert(struct bondy_config *config, struct bondy_slice name,
                                         const struct bondy_config_key *key)
{
    size_t at = config->count;

    if (config->count == config->cap) {
        config->cap = config->cap == 0 ? 1024 : config->cap * 2;
        config->entries = bondy_realloc(config->entries, config->cap * sizeof *config->entries);
    }
    while (at > 0 && bondy_slice_cmp(bondy_slice_text(config->entries[at - 1].name), name) > 0)
        at--;
    memmove(config->entries + at + 1, config->entries + at,
            (config->count - at) * sizeof *config->entries);
    config->count++;
    config->entries[at] =
        (struct bondy_config_entry){.name = bondy_memdup0(name.data, name.len), .key = key};
    return &config->entries[at];
}

struct bondy_config_entry *bondy_config_entry_find(struct bondy_config *config,
                                                   struct bondy_slice name)
{
    size_t low = 0, high = config->count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = bondy_slice_cmp(name, bondy_slice_text(config->entries[middle].name));

        if (order == 0)
            return &config->entries[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static struct bondy_config *create(void)
{
    struct bondy_config *config = bondy_zalloc(sizeof *config);
    size_t count;
    const struct bondy_config_key *keys = bondy_config_keys(&count);

    config->cap = count + 64;
    config->entries = bondy_calloc(config->cap, sizeof *config->entries);
    for (size_t i = 0; i < count; i++) {
        if (keys[i].is_pattern)
            continue;
        config->entries[config->count].name = bondy_strdup(keys[i].name);
        config->entries[config->count++].key = &keys[i];
    }
    qsort(config->entries, config->count, sizeof *config->entries, by_name);
    return config;
}

static void drop_elements(struct bondy_config_entry *entry)
{
    for (size_t i = 0; i < entry->element_count; i++)
        bondy_free(entry->elements[i].raw);
    bondy_free(entry->elements);
    entry->elements = NULL;
    entry->element_count = 0;
}

void bondy_config_destroy(struct bondy_config *config)
{
    if (config == NULL)
        return;
    for (size_t i = 0; i < config->count; i++) {
        struct bondy_config_entry *entry = &config->entries[i];

        drop_elements(entry);
        bondy_config_value_fini(&entry->value);
        bondy_free(entry->name);
        bondy_free(entry->raw);
        bondy_free(entry->expanded);
    }
    for (size_t i = 0; i < config->text_count; i++)
        bondy_free(config->texts[i]);
    bondy_free(config->texts);
    bondy_free(config->entries);
    bondy_free(config);
}

const char *bondy_config_keep_text(struct bondy_config *config, struct bondy_slice text)
{
    config->texts = bondy_realloc(config->texts, (config->text_count + 1) * sizeof *config->texts);
    config->texts[config->text_count] = bondy_memdup0(text.data, text.len);
    return config->texts[config->text_count++];
}

static void report_unknown(struct bondy_config_loader *loader, struct bondy_slice name,
                           const struct bondy_config_origin *origin)
{
    char *near[3];
    size_t count = bondy_config_suggest(name, near);
    struct bondy_buf hint = BONDY_BUF_EMPTY;

    for (size_t i = 0; i < count; i++) {
        bondy_buf_printf(&hint, "%s\"%s\"", i == 0 ? "; did you mean " : " or ", near[i]);
        bondy_free(near[i]);
    }
    bondy_buf_append_text(&hint, count == 0 ? "" : "?");
    bondy_buf_append_byte(&hint, 0);
    bondy_config_report(loader->diag, "C002", origin->source, origin->line, 0,
                        "unknown key \"" BONDY_SLICE_FMT "\"%s", BONDY_SLICE_ARG(name), hint.data);
    bondy_buf_fini(&hint);
}

/* "a.b.3" is an element of the list "a.b". */
static bool split_element(struct bondy_slice name, struct bondy_slice *parent, unsigned *number)
{
    size_t dot = name.len;
    const struct bondy_config_key *key;

    *number = 0;
    while (dot > 0 && name.data[dot - 1] >= '0' && name.data[dot - 1] <= '9')
        dot--;
    if (dot < 2 || dot == name.len || name.len - dot > 6 || name.data[dot - 1] != '.')
        return false;
    for (size_t i = dot; i < name.len; i++)
        *number = *number * 10 + (unsigned)(name.data[i] - '0');
    *parent = bondy_slice_of(name.data, dot - 1);
    key = bondy_config_key_find(*parent);
    return key != NULL && key->row->type == BONDY_KEY_LIST;
}

static void note_duplicate(struct bondy_config_loader *loader,
                           const struct bondy_config_entry *entry,
                           const struct bondy_config_origin *origin)
{
    if (entry->origin.source != NULL && origin->line != 0 && entry->origin.source == origin->source)
        bondy_config_report(loader->diag, "C103", origin->source, origin->line, 0,
                            "\"%s\" was set before in line %u; this line counts", entry->name,
                            entry->origin.line);
}

static void store(struct bondy_config_loader *loader, struct bondy_slice name,
                  const struct bondy_config_key *key, struct bondy_slice value,
                  const struct bondy_config_origin *origin)
{
    struct bondy_config_entry *entry = bondy_config_entry_find(loader->config, name);

    if (entry == NULL)
        entry = insert(loader->config, name, key);
    note_duplicate(loader, entry, origin);
    drop_elements(entry);
    bondy_free(entry->raw);
    entry->raw = bondy_memdup0(value.data, value.len);
    entry->origin = *origin;
}

static void store_element(struct bondy_config_loader *loader, struct bondy_slice name,
                          unsigned number, struct bondy_slice value,
                          const struct bondy_config_origin *origin)
{
    struct bondy_config_entry *entry = bondy_config_entry_find(loader->config, name);
    size_t at;

    if (entry == NULL)
        entry = insert(loader->config, name, bondy_config_key_find(name));
    if (entry->raw != NULL || entry->origin.source != origin->source)
        drop_elements(entry);
    bondy_free(BONDY_MOVE(entry->raw));
    entry->origin = *origin;
    entry->elements =
        bondy_realloc(entry->elements, (entry->element_count + 1) * sizeof *entry->elements);
    for (at = entry->element_count++; at > 0 && entry->elements[at - 1].number > number; at--)
        entry->elements[at] = entry->elements[at - 1];
    entry->elements[at] =
        (struct bondy_config_element){number, bondy_memdup0(value.data, value.len)};
}

void bondy_config_set(struct bondy_config_loader *loader, struct bondy_slice name,
                      struct bondy_slice value, const struct bondy_config_origin *origin)
{
    const struct bondy_config_key *key = bondy_config_key_find(name);
    const char *const *targets;
    struct bondy_slice parent;
    char scratch[256];
    unsigned number;

    if (key != NULL) {
        store(loader, name, key, value, origin);
        return;
    }
    if (split_element(name, &parent, &number)) {
        store_element(loader, parent, number, value, origin);
        return;
    }
    targets = bondy_config_alias(name, scratch);
    if (targets == NULL) {
        report_unknown(loader, name, origin);
        return;
    }
    bondy_config_report(loader->diag, "C101", origin->source, origin->line, 0,
                        "\"" BONDY_SLICE_FMT "\" is an older name; write \"%s\"",
                        BONDY_SLICE_ARG(name), targets[0]);
    for (; *targets != NULL; targets++)
        store(loader, bondy_slice_text(*targets), bondy_config_key_find(bondy_slice_text(*targets)),
              value, origin);
}

/* config.unknown_keys = warn turns the findings C002 into warnings; known only at the end. */
static void soften_unknown(struct bondy_config_loader *loader)
{
    struct bondy_config_diag *diag = loader->diag;

    if (strcmp(bondy_config_text(loader->config, "config.unknown_keys"), "warn") != 0)
        return;
    for (size_t i = 0; i < diag->count; i++) {
        if (strcmp(diag->findings[i].code, "C002") == 0)
            bondy_config_soften(diag, i);
    }
}

int bondy_config_load(const struct bondy_config_sources *sources, struct bondy_config **out,
                      struct bondy_config_diag *diag)
{
    struct bondy_config_loader loader = {.sources = sources, .config = create(), .diag = diag};

    bondy_config_read_sources(&loader);
    bondy_config_resolve(&loader);
    bondy_config_check(&loader);
    soften_unknown(&loader);
    *out = loader.config;
    return diag->error_count == 0 ? BONDY_OK : BONDY_EINVAL;
}

/* ---- reading ---- */

const struct bondy_config_entry *bondy_config_find(const struct bondy_config *config,
                                                   const char *name)
{
    return bondy_config_entry_find((struct bondy_config *)config, bondy_slice_text(name));
}

static const struct bondy_config_entry *get(const struct bondy_config *config, const char *name)
{
    const struct bondy_config_entry *entry = bondy_config_find(config, name);

    BONDY_BUG_ON(entry == NULL);
    return entry;
}

bool bondy_config_flag(const struct bondy_config *config, const char *name)
{
    return get(config, name)->value.number != 0;
}

int64_t bondy_config_number(const struct bondy_config *config, const char *name)
{
    return get(config, name)->value.number;
}

const char *bondy_config_text(const struct bondy_config *config, const char *name)
{
    return get(config, name)->value.text;
}

const struct bondy_config_entry *bondy_config_at(const struct bondy_config *config,
                                                 const char *prefix, const char *suffix)
{
    char name[160];

    snprintf(name, sizeof name, "%s.%s", prefix, suffix);
    return get(config, name);
}
