/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/server/config_load.h"

/* Substitution and typing. A text is expanded at most once; meeting an entry that is being expanded
 * is a cycle. $(sysconfdir) and the like stand for what `configure` was told. configuration.md 1.3.
 */

#define EXPANDED_MAX ((size_t)64 * 1024)

static const struct {
    const char *name;
    const char *text;
} builtins[] = {
    {"sysconfdir", BONDY_SYSCONFDIR},
    {"localstatedir", BONDY_LOCALSTATEDIR},
    {"libdir", BONDY_DATADIR},
};

static bool expand_entry(struct bondy_config_loader *loader, struct bondy_config_entry *entry);

static void complain(struct bondy_config_loader *loader, const struct bondy_config_entry *entry,
                     const char *code, const char *text)
{
    bondy_config_report(loader->diag, code, entry->origin.source, entry->origin.line,
                        entry->origin.column, "%s: %s", entry->name, text);
}

static bool append_key(struct bondy_config_loader *loader, struct bondy_config_entry *entry,
                       struct bondy_slice name, struct bondy_buf *out)
{
    struct bondy_config_entry *other = bondy_config_entry_find(loader->config, name);
    char host[256];

    for (size_t i = 0; i < BONDY_COUNT(builtins); i++) {
        if (bondy_slice_is(name, builtins[i].name)) {
            bondy_buf_append_text(out, builtins[i].text);
            return true;
        }
    }
    if (bondy_slice_is(name, "hostname") && gethostname(host, sizeof host) == 0) {
        host[sizeof host - 1] = '\0';
        bondy_buf_append_text(out, host);
        return true;
    }
    if (other == NULL) {
        bondy_config_report(loader->diag, "C003", entry->origin.source, entry->origin.line,
                            entry->origin.column, "%s: there is no key \"" BONDY_SLICE_FMT "\"",
                            entry->name, BONDY_SLICE_ARG(name));
        return false;
    }
    if (other->state == BONDY_CONFIG_EXPANDING) {
        complain(loader, entry, "C003", "the value refers to itself");
        return false;
    }
    if (!expand_entry(loader, other))
        return false;
    bondy_buf_append_text(out, other->expanded);
    return true;
}

/* NAME or NAME:-default. */
static bool append_variable(struct bondy_config_loader *loader, struct bondy_config_entry *entry,
                            struct bondy_slice inside, struct bondy_buf *out)
{
    const char *mark = memmem(inside.data, inside.len, ":-", 2);
    size_t name_len = mark == NULL ? inside.len : (size_t)(mark - inside.data);
    char *name = bondy_memdup0(inside.data, name_len);
    const char *value = bondy_config_environment(loader->sources, name);

    bondy_free(name);
    if (value != NULL && (mark == NULL || *value != '\0')) {
        bondy_buf_append_text(out, value);
        return true;
    }
    if (mark != NULL) {
        bondy_buf_append_slice(out, bondy_slice_skip(inside, name_len + 2));
        return true;
    }
    bondy_config_report(loader->diag, "C003", entry->origin.source, entry->origin.line,
                        entry->origin.column,
                        "%s: the variable " BONDY_SLICE_FMT " is not set; ${" BONDY_SLICE_FMT
                        ":-default} gives a default",
                        entry->name, BONDY_SLICE_ARG(inside), BONDY_SLICE_ARG(inside));
    return false;
}

static bool expand_text(struct bondy_config_loader *loader, struct bondy_config_entry *entry,
                        struct bondy_slice text, struct bondy_buf *out)
{
    while (text.len > 0) {
        bool is_key = bondy_slice_starts(text, BONDY_SLICE("$("));
        bool is_variable = bondy_slice_starts(text, BONDY_SLICE("${"));
        const char *end;
        struct bondy_slice inside;

        if (!is_key && !is_variable) {
            bondy_buf_append_byte(out, (unsigned char)text.data[0]);
            text = bondy_slice_skip(text, 1);
            continue;
        }
        end = memchr(text.data, is_key ? ')' : '}', text.len);
        if (end == NULL) {
            complain(loader, entry, "C003", "a substitution is not closed");
            return false;
        }
        inside = bondy_slice_of(text.data + 2, (size_t)(end - text.data) - 2);
        if (!(is_key ? append_key : append_variable)(loader, entry, inside, out))
            return false;
        if (out->len > EXPANDED_MAX) {
            complain(loader, entry, "C003", "the value is longer than 64 KiB");
            return false;
        }
        text = bondy_slice_skip(text, inside.len + 3);
    }
    return true;
}

static void join_elements(struct bondy_config_entry *entry)
{
    struct bondy_buf out = BONDY_BUF_EMPTY;

    if (entry->element_count == 0)
        return;
    for (size_t i = 0; i < entry->element_count; i++)
        bondy_buf_printf(&out, "%s%s", i == 0 ? "" : ", ", entry->elements[i].raw);
    bondy_free(entry->raw);
    entry->raw = bondy_buf_take_text(&out);
}

/* Relative paths in a file are meant from the folder of that file. */
static void anchor_path(const struct bondy_config_entry *entry, struct bondy_buf *text)
{
    const char *source = entry->origin.source;
    const char *slash = source == NULL || entry->origin.line == 0 ? NULL : strrchr(source, '/');
    struct bondy_buf out = BONDY_BUF_EMPTY;

    if (slash == NULL || text->len == 0 || text->data[0] == '/')
        return;
    bondy_buf_append(&out, source, (size_t)(slash - source) + 1);
    bondy_buf_append_slice(&out, bondy_buf_slice(text));
    bondy_buf_fini(text);
    *text = out;
}

static bool expand_entry(struct bondy_config_loader *loader, struct bondy_config_entry *entry)
{
    const char *dflt = entry->key->row->dflt;
    struct bondy_buf out = BONDY_BUF_EMPTY;
    bool is_fine;

    if (entry->state == BONDY_CONFIG_EXPANDED)
        return entry->expanded != NULL;
    entry->state = BONDY_CONFIG_EXPANDING;
    join_elements(entry);
    is_fine = expand_text(loader, entry,
                          bondy_slice_text(entry->raw != NULL ? entry->raw
                                           : dflt != NULL     ? dflt
                                                              : ""),
                          &out);
    if (is_fine && entry->key->row->type == BONDY_KEY_PATH)
        anchor_path(entry, &out);
    entry->state = BONDY_CONFIG_EXPANDED;
    if (is_fine)
        entry->expanded = bondy_buf_take_text(&out);
    bondy_buf_fini(&out);
    return is_fine;
}

/* What to call a value in messages: never the text of a secret. */
static void report_value(struct bondy_config_loader *loader, struct bondy_config_entry *entry,
                         int rc, const struct bondy_error *err)
{
    bool is_secret = entry->key->row->flags & BONDY_KEY_IS_SECRET;

    complain(loader, entry, rc == BONDY_ELIMIT ? "C004" : "C003",
             is_secret ? "the value does not fit" : err->text);
}

static void note_effect(struct bondy_config_loader *loader, const struct bondy_config_entry *entry,
                        const struct bondy_config_value *dflt)
{
    const struct bondy_config_row *row = entry->key->row;
    bool is_default = entry->value.number == dflt->number &&
                      (entry->value.text == NULL) == (dflt->text == NULL) &&
                      (dflt->text == NULL || entry->value.number != 0 ||
                       strcmp(entry->value.text, dflt->text) == 0 || row->type == BONDY_KEY_FLAG);

    if (strncmp(entry->name, "vm.", 3) == 0 || strncmp(entry->name, "erlang.", 7) == 0)
        loader->machine_keys++;
    else if (row->compat == 'x' && !is_default)
        complain(loader, entry, "C004", "reserved: only the default is accepted");
    else if ((row->flags & BONDY_KEY_IS_GUARD) && (row->flags & BONDY_KEY_IS_LATER) && !is_default)
        complain(loader, entry, "C006",
                 "not built yet, and without it the node would be more open than this asks for");
    else if (row->compat == '0')
        complain(loader, entry, "C102", "accepted without effect");
    else if (row->flags & BONDY_KEY_IS_LATER)
        complain(loader, entry, "C102", "accepted without effect: its part is not built yet");
}

static void check_secret(struct bondy_config_loader *loader, const struct bondy_config_entry *entry)
{
    const char *text = entry->value.text;

    if (!(entry->key->row->flags & BONDY_KEY_IS_SECRET) || text == NULL)
        return;
    if (strncmp(text, "env:", 4) == 0 &&
        bondy_config_environment(loader->sources, text + 4) == NULL)
        complain(loader, entry, "C005", "the variable after env: is not set");
    if (strncmp(text, "file:", 5) == 0 && access(text + 5, R_OK) != 0)
        complain(loader, entry, "C005", "the file after file: cannot be read");
}

static void resolve_entry(struct bondy_config_loader *loader, struct bondy_config_entry *entry)
{
    const struct bondy_config_row *row = entry->key->row;
    struct bondy_config_value dflt = {0};
    struct bondy_error err = {0};
    int rc;

    if (!expand_entry(loader, entry))
        return;
    rc = bondy_config_value_parse(row, bondy_slice_text(entry->expanded), &entry->value, &err);
    if (rc < 0) {
        report_value(loader, entry, rc, &err);
        return;
    }
    if (entry->origin.source == NULL)
        return;
    if (!entry->value.is_set && row->dflt != NULL && row->type != BONDY_KEY_STRING &&
        row->type != BONDY_KEY_PATH && row->type != BONDY_KEY_LIST)
        bondy_config_value_parse(row, bondy_slice_text(row->dflt), &entry->value, NULL);
    if (entry->value.is_bare_duration)
        complain(loader, entry, "C105",
                 row->type == BONDY_KEY_SECONDS
                     ? "a bare number means seconds; write the unit"
                     : "a bare number means milliseconds; write the unit");
    if (row->dflt == NULL ||
        bondy_config_value_parse(row, bondy_slice_text(row->dflt), &dflt, NULL) == BONDY_OK)
        note_effect(loader, entry, &dflt);
    check_secret(loader, entry);
    bondy_config_value_fini(&dflt);
}

void bondy_config_resolve(struct bondy_config_loader *loader)
{
    for (size_t i = 0; i < loader->config->count; i++)
        resolve_entry(loader, &loader->config->entries[i]);
    if (loader->machine_keys > 0)
        bondy_config_report(loader->diag, "C102", NULL, 0, 0,
                            "%u keys of vm.* and erlang.* are accepted without effect",
                            loader->machine_keys);
}
