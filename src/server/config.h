/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SERVER_CONFIG_H
#define BONDY_SERVER_CONFIG_H

/* config: the effective configuration: sources put together, checked as a whole, then read by name.
 *
 * A configuration is immutable once loaded; a reload makes a new one. Only src/server looks keys
 * up: lower floors are handed plain structs. May block (files): start and reload only.
 * configuration.md 1.3 to 1.5 and 2. */

#include "src/server/config_value.h"

struct bondy_config_sources {
    const char *file; /* -c; NULL: bondy.conf in the folder of BONDY_ETC_DIR or /etc */
    const char *const *environment; /* "NAME=value", NULL-terminated; NULL: none */
    const char *const *overrides;   /* "key=value" of --set, NULL-terminated; NULL: none */
    const char *const *presets;     /* defaults that stand before the file (--dev); NULL: none */
    bool no_default_file;           /* --dev: only `file` is read, nothing when it is NULL */
    bool loopback_only;             /* --dev: a listener on another address is an error */
};

enum bondy_config_severity { BONDY_CONFIG_ERROR, BONDY_CONFIG_WARNING };

/* One finding; `where` is "file:line:column", a variable or "--set". */
struct bondy_config_finding {
    enum bondy_config_severity severity;
    char code[5]; /* "C001" */
    char *text;   /* with the place in front */
};

struct bondy_config_diag {
    struct bondy_config_finding *findings;
    size_t count;
    size_t error_count;
};

void bondy_config_diag_fini(struct bondy_config_diag *diag);
/* Adds a finding; the place is left out when `source` is NULL, line and column when 0. */
void bondy_config_report(struct bondy_config_diag *diag, const char *code, const char *source,
                         unsigned line, unsigned column, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* Where a value came from. */
struct bondy_config_origin {
    const char *source; /* file, "environment NAME", "--set", "--dev"; NULL: the default */
    unsigned line;
    unsigned column;
};

struct bondy_config_entry {
    char *name;
    const struct bondy_config_key *key;
    struct bondy_config_origin origin;
    struct bondy_config_value value;
    /* While loading. */
    char *raw; /* as written */
    struct bondy_config_element {
        unsigned number;
        char *raw;
    } * elements; /* key.1 = a */
    size_t element_count;
    char *expanded;
    enum { BONDY_CONFIG_PLAIN, BONDY_CONFIG_EXPANDING, BONDY_CONFIG_EXPANDED } state;
};

struct bondy_config {
    struct bondy_config_entry *entries; /* sorted by name; every exact key, and patterns in use */
    size_t count, cap;
    char **texts; /* names of sources, owned */
    size_t text_count;
    bool found_file;
};

/* Reads all sources, checks everything, collects every finding. *out is made even when there are
 * errors (for print-config); the caller owns it. Returns BONDY_EINVAL when there are errors. */
int bondy_config_load(const struct bondy_config_sources *sources, struct bondy_config **out,
                      struct bondy_config_diag *diag);
void bondy_config_destroy(struct bondy_config *config);

/* The entry, or NULL for a pattern that nobody set. */
const struct bondy_config_entry *bondy_config_find(const struct bondy_config *config,
                                                   const char *name);
/* Values; asking for a name that is not in the table is our mistake and ends the process. */
bool bondy_config_flag(const struct bondy_config *config, const char *name);
/* INT, PORT, BYTES, durations in ms; 0 when unset. */
int64_t bondy_config_number(const struct bondy_config *config, const char *name);
/* NULL when unset. Borrowed until the configuration is destroyed. */
const char *bondy_config_text(const struct bondy_config *config, const char *name);
/* The same for `prefix` "." `suffix`: listeners. */
const struct bondy_config_entry *bondy_config_at(const struct bondy_config *config,
                                                 const char *prefix, const char *suffix);

#endif
