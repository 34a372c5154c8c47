/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/server/config_load.h"
#include "src/server/config_parse.h"
#include "src/sys/file.h"

/* Where settings come from, in the order of configuration.md 1.4: presets, file, conf.d,
 * environment, dedicated variables, command line. */

#define INCLUDE_DEPTH_MAX 8

struct file_reader {
    struct bondy_config_loader *loader;
    const char *path; /* kept by the configuration */
    unsigned depth;
};

static void read_file(struct bondy_config_loader *loader, const char *path, unsigned depth,
                      const struct bondy_config_origin *from);

static struct bondy_slice directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? BONDY_SLICE(".") : bondy_slice_of(path, (size_t)(slash - path));
}

/* Relative to the folder of `file`. The caller owns it. */
static char *beside(const char *file, struct bondy_slice path)
{
    struct bondy_buf out = BONDY_BUF_EMPTY;

    if (path.len == 0 || path.data[0] != '/') {
        bondy_buf_append_slice(&out, directory_of(file));
        bondy_buf_append_byte(&out, '/');
    }
    bondy_buf_append_slice(&out, path);
    return bondy_buf_take_text(&out);
}

static void include(struct file_reader *reader, const struct bondy_config_line *line)
{
    struct bondy_config_origin from = {reader->path, line->line, line->column};
    char *pattern;
    glob_t found;
    int rc;

    if (reader->depth + 1 >= INCLUDE_DEPTH_MAX) {
        bondy_config_report(reader->loader->diag, "C001", from.source, from.line, from.column,
                            "includes are nested deeper than %d", INCLUDE_DEPTH_MAX);
        return;
    }
    pattern = beside(reader->path, line->value);
    rc = glob(pattern, GLOB_ERR, NULL, &found);
    if (rc == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            read_file(reader->loader, found.gl_pathv[i], reader->depth + 1, &from);
        globfree(&found);
    } else if (rc != GLOB_NOMATCH || strpbrk(pattern, "*?[") == NULL) {
        /* A pattern that matches nothing is fine, a file that is not there is not. */
        bondy_config_report(reader->loader->diag, "C001", from.source, from.line, from.column,
                            "cannot read \"%s\"", pattern);
    }
    bondy_free(pattern);
}

static void on_line(void *context, const struct bondy_config_line *line)
{
    struct file_reader *reader = context;
    struct bondy_config_origin origin = {reader->path, line->line, line->column};

    if (line->kind == BONDY_CONFIG_INCLUDE)
        include(reader, line);
    else
        bondy_config_set(reader->loader, line->key, line->value, &origin);
}

static void on_error(void *context, unsigned line, unsigned column, const char *text)
{
    struct file_reader *reader = context;

    bondy_config_report(reader->loader->diag, "C001", reader->path, line, column, "%s", text);
}

static void read_file(struct bondy_config_loader *loader, const char *path, unsigned depth,
                      const struct bondy_config_origin *from)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    struct bondy_error err = {0};
    struct file_reader reader = {
        loader, bondy_config_keep_text(loader->config, bondy_slice_text(path)), depth};
    struct bondy_config_handler handler = {on_line, on_error, &reader};

    if (bondy_file_read(path, BONDY_CONFIG_FILE_MAX, &text, &err) < 0) {
        bondy_config_report(loader->diag, "C001", from->source, from->line, from->column, "%s",
                            err.text);
    } else {
        loader->config->found_file = true;
        bondy_config_parse(bondy_buf_slice(&text), &handler);
    }
    bondy_buf_fini(&text);
}

const char *bondy_config_environment(const struct bondy_config_sources *sources, const char *name)
{
    size_t len = strlen(name);

    for (const char *const *at = sources->environment; at != NULL && *at != NULL; at++) {
        if (strncmp(*at, name, len) == 0 && (*at)[len] == '=')
            return *at + len + 1;
    }
    return NULL;
}

/* conf.d beside the main file, in byte order (which is what glob sorts by in the C locale). */
static void read_folder(struct bondy_config_loader *loader, const char *main_file)
{
    char *pattern = beside(main_file, BONDY_SLICE("conf.d/*.conf"));
    struct bondy_config_origin from = {0};
    glob_t found;

    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            read_file(loader, found.gl_pathv[i], 0, &from);
        globfree(&found);
    }
    bondy_free(pattern);
}

static void read_files(struct bondy_config_loader *loader)
{
    const struct bondy_config_sources *sources = loader->sources;
    const char *etc = bondy_config_environment(sources, "BONDY_ETC_DIR");
    struct bondy_config_origin from = {.source = "-c"};
    struct bondy_buf path = BONDY_BUF_EMPTY;

    if (sources->file != NULL) {
        read_file(loader, sources->file, 0, &from);
        read_folder(loader, sources->file);
        return;
    }
    if (sources->no_default_file)
        return;
    bondy_buf_printf(&path, "%s/bondy.conf", etc != NULL ? etc : BONDY_SYSCONFDIR "/bondy");
    bondy_buf_append_byte(&path, 0);
    if (access(path.data, F_OK) == 0)
        read_file(loader, path.data, 0, &(struct bondy_config_origin){0});
    read_folder(loader, path.data);
    bondy_buf_fini(&path);
}

/* BONDY__WAMP__TCP__PORT=1 -> wamp.tcp.port = 1 */
static void read_variable(struct bondy_config_loader *loader, const char *variable)
{
    const char *equals = strchr(variable, '=');
    struct bondy_config_origin origin = {0};
    struct bondy_buf name = BONDY_BUF_EMPTY, source = BONDY_BUF_EMPTY;

    if (strncmp(variable, "BONDY__", 7) != 0 || equals == NULL)
        return;
    for (const char *at = variable + 7; at < equals; at++) {
        if (at[0] == '_' && at + 1 < equals && at[1] == '_') {
            bondy_buf_append_byte(&name, '.');
            at++;
        } else {
            bondy_buf_append_byte(&name, (unsigned)tolower((unsigned char)*at));
        }
    }
    bondy_buf_printf(&source, "environment %.*s", (int)(equals - variable), variable);
    origin.source = bondy_config_keep_text(loader->config, bondy_buf_slice(&source));
    bondy_config_set(loader, bondy_buf_slice(&name), bondy_slice_text(equals + 1), &origin);
    bondy_buf_fini(&name);
    bondy_buf_fini(&source);
}

/* Variables with names of their own; later rows win. */
static const struct {
    const char *variable;
    const char *key;
} dedicated[] = {
    {"BONDY_ERL_NODENAME", "nodename"},
    {"BONDY_NODENAME", "nodename"},
    {"BONDY_ETC_DIR", "platform_etc_dir"},
    {"BONDY_DATA_DIR", "platform_data_dir"},
    {"BONDY_LOG_DIR", "platform_log_dir"},
    {"BONDY_TMP_DIR", "platform_tmp_dir"},
    {"BONDY_ERL_DISTRIBUTED_COOKIE", "distributed_cookie"},
    {"BONDY_CLUSTER_SECRET", "cluster.secret"},
    {"BONDY_MASTER_KEY", "security.master_key"},
    {"BONDY_MASTER_KEY_PREVIOUS", "security.master_key.previous"},
    {"BONDY_LOG_LEVEL", "log.level"},
    {"BONDY_LOG_LEVEL", "log.handlers.default.level"},
};

static void read_dedicated(struct bondy_config_loader *loader)
{
    for (size_t i = 0; i < BONDY_COUNT(dedicated); i++) {
        const char *value = bondy_config_environment(loader->sources, dedicated[i].variable);
        struct bondy_config_origin origin = {0};
        struct bondy_buf source = BONDY_BUF_EMPTY;

        if (value == NULL)
            continue;
        bondy_buf_printf(&source, "environment %s", dedicated[i].variable);
        origin.source = bondy_config_keep_text(loader->config, bondy_buf_slice(&source));
        bondy_buf_fini(&source);
        bondy_config_set(loader, bondy_slice_text(dedicated[i].key), bondy_slice_text(value),
                         &origin);
    }
}

static void read_pairs(struct bondy_config_loader *loader, const char *const *pairs,
                       const char *source)
{
    struct bondy_config_origin origin = {.source = source};

    for (; pairs != NULL && *pairs != NULL; pairs++) {
        const char *equals = strchr(*pairs, '=');
        struct bondy_slice name = bondy_slice_of(*pairs, strcspn(*pairs, "="));

        while (name.len > 0 && name.data[name.len - 1] == ' ')
            name.len--;
        if (equals == NULL)
            bondy_config_report(loader->diag, "C001", source, 0, 0,
                                "\"%s\" is not of the form key=value", *pairs);
        else
            bondy_config_set(loader, name, bondy_slice_text(equals + 1), &origin);
    }
}

void bondy_config_read_sources(struct bondy_config_loader *loader)
{
    const struct bondy_config_sources *sources = loader->sources;

    read_pairs(loader, sources->presets, "--dev");
    read_files(loader);
    for (const char *const *at = sources->environment; at != NULL && *at != NULL; at++)
        read_variable(loader, *at);
    read_dedicated(loader);
    read_pairs(loader, sources->overrides, "--set");
}
