/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/base/log.h"
#include "src/server/config_print.h"
#include "src/server/dev.h"
#include "src/server/documents.h"
#include "src/server/log_level.h"
#include "src/server/server.h"
#include "src/store/seal.h"
#include "src/sys/logger.h"
#include "src/sys/notify.h"

#include <config.h>

/* bondyd: command line, configuration, then start, wait for signals, stop. */

extern char **environ;

int bondy_server_load_config(const struct bondy_options *options, const char *temporary_dir,
                             struct bondy_config **out, struct bondy_config_diag *diag)
{
    struct bondy_config_sources sources = {
        .file = options->file,
        .environment = (const char *const *)environ,
        .overrides = options->overrides,
        .presets = options->dev ? bondy_dev_presets(temporary_dir) : NULL,
        .no_default_file = options->dev,
        .loopback_only = options->dev,
    };

    return bondy_config_load(&sources, out, diag);
}

static void print(struct bondy_buf *text)
{
    if (text->len > 0)
        fwrite(text->data, 1, text->len, stdout);
    bondy_buf_fini(text);
}

/* ---- what ends at once: help, documents, check and print ---- */

static void make_master_key(const char *path, struct bondy_buf *out, int *status)
{
    char id[BONDY_MASTER_KEY_ID_TEXT];
    struct bondy_error err;

    if (bondy_master_key_make(path, id, &err) < 0) {
        fprintf(stderr, "bondyd: %s\n", err.text);
        *status = BONDY_SERVER_EXIT_FAILURE;
    } else {
        bondy_buf_printf(out, "%s: master key %s\n", path, id);
    }
}

static bool print_document(const struct bondy_options *options, int *status)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    struct bondy_error err;

    *status = BONDY_SERVER_EXIT_OK;
    if (options->help) {
        bondy_options_help(&text);
    } else if (options->version) {
        bondy_buf_printf(&text, "bondyd %s (%s)\n", PACKAGE_VERSION, BONDY_REVISION);
    } else if (options->print_sample) {
        bondy_config_print_sample(&text);
    } else if (options->reference_format != NULL) {
        if (bondy_config_print_reference(options->reference_format, &text, &err) < 0) {
            fprintf(stderr, "bondyd: %s\n", err.text);
            *status = BONDY_SERVER_EXIT_CONFIG;
        }
    } else if (options->master_key != NULL) {
        make_master_key(options->master_key, &text, status);
    } else {
        return false;
    }
    print(&text);
    return true;
}

static void show_findings(const struct bondy_config_diag *diag)
{
    for (size_t i = 0; i < diag->count; i++)
        fprintf(stderr, "%s %s: %s\n", diag->findings[i].code,
                diag->findings[i].severity == BONDY_CONFIG_ERROR ? "error" : "warning",
                diag->findings[i].text);
}

static void log_findings(const struct bondy_config *config, const struct bondy_config_diag *diag)
{
    for (size_t i = 0; i < diag->count; i++)
        bondy_log(BONDY_LOG_WARN, "config_warning", BONDY_F_STR("code", diag->findings[i].code),
                  BONDY_F_STR("description", diag->findings[i].text));
    if (!config->found_file)
        bondy_log(BONDY_LOG_INFO, "config_defaults",
                  BONDY_F_STR("description", "there is no configuration file; bondyd "
                                             "--print-config-sample > bondy.conf makes one"));
}

static int check_config(const struct bondy_options *options, const struct bondy_config *config,
                        struct bondy_config_diag *diag)
{
    if (diag->error_count == 0)
        bondy_documents_check(config, diag);
    show_findings(diag);
    printf("%zu errors, %zu warnings\n", diag->error_count, diag->count - diag->error_count);
    if (diag->error_count > 0)
        return BONDY_SERVER_EXIT_CONFIG;
    return options->strict && diag->count > 0 ? BONDY_SERVER_EXIT_FAILURE : BONDY_SERVER_EXIT_OK;
}

static int print_config(const struct bondy_options *options, const struct bondy_config *config,
                        const struct bondy_config_diag *diag)
{
    struct bondy_config_print how = {options->diff, options->origin, options->json};
    struct bondy_buf text = BONDY_BUF_EMPTY;

    show_findings(diag);
    bondy_config_print(config, &how, &text);
    print(&text);
    return diag->error_count > 0 ? BONDY_SERVER_EXIT_CONFIG : BONDY_SERVER_EXIT_OK;
}

/* ---- the process ---- */

/* threat-model.md D1 and D3: nothing we make is readable by others, no cores with secrets. */
static void harden_process(void)
{
    umask(077);
    bondy_signals_ignore_pipe();
#ifndef BONDY_SANITIZED
    prctl(PR_SET_DUMPABLE, 0);
#endif
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static void raise_descriptors(const struct bondy_config *config)
{
    uint64_t got = 0;
    struct bondy_error err;

    if (bondy_notify_raise_nofile((uint64_t)bondy_config_number(config, "runtime.nofile"), &got,
                                  &err) < 0)
        bondy_log(BONDY_LOG_WARN, "descriptors_limited", BONDY_F_STR("reason", err.text));
    if (got < 65536)
        bondy_log(BONDY_LOG_WARN, "few_descriptors", BONDY_F_U64("limit", got),
                  BONDY_F_STR("description", "65536 and more are recommended (ulimit -n)"));
}

/* The handler's own level wins over log.level where it is set. */
static int start_log(const struct bondy_config *config, struct bondy_error *err)
{
    struct bondy_logger_options options = {
        .path = bondy_config_text(config, "log.handlers.default.config.file")};
    const char *format = bondy_config_text(config, "log.handlers.default.formatter.format");

    bondy_log_format_parse(format, &options.format, NULL);
    bondy_log_set_format(options.format);
    atomic_store(&bondy_log_threshold, bondy_server_configured_log_level(config));
    bondy_log_identify(bondy_config_text(config, "nodename"), PACKAGE_VERSION);
    return bondy_logger_start(&options, err);
}

/* ---- running ---- */

static void on_signal(int number, void *context)
{
    struct bondy_server *server = context;

    if (number == SIGTERM || number == SIGINT) {
        if (++server->stop_count > 1) { /* the second one: at once */
            bondy_dev_remove_folder(server->temporary_dir);
            _exit(BONDY_SERVER_EXIT_FAILURE);
        }
    } else if (number == SIGHUP) {
        server->wants_reload = true;
    } else {
        server->wants_reopen = true;
    }
    bondy_loop_stop(server->main_loop);
}

static int watch_signals(struct bondy_server *server, struct bondy_error *err)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
    int rc = bondy_loop_create(UINT32_MAX, &server->main_loop, err);

    if (rc < 0)
        return rc;
    return bondy_signals_start(server->main_loop, numbers, BONDY_COUNT(numbers), on_signal, server,
                               &server->signals, err);
}

/* Slow work is done here, between two runs of the loop: then this thread is no reader and nobody
 * waits for it. */
static void wait_for_stop(struct bondy_server *server)
{
    while (server->stop_count == 0) {
        bondy_loop_run(server->main_loop);
        if (server->wants_reopen)
            bondy_logger_reopen();
        if (server->wants_reload && server->stop_count == 0)
            bondy_server_reload(server);
        server->wants_reopen = server->wants_reload = false;
    }
}

static int run(const struct bondy_options *options, struct bondy_config *config,
               char *temporary_dir, struct bondy_config_diag *diag)
{
    struct bondy_server server = {.options = options,
                                  .config = config,
                                  .live = config,
                                  .node_name = bondy_config_text(config, "nodename"),
                                  .temporary_dir = temporary_dir};
    struct bondy_error err;
    int status;

    harden_process();
    if (start_log(config, &err) < 0) {
        fprintf(stderr, "bondyd: %s\n", err.text);
        return BONDY_SERVER_EXIT_CONFIG;
    }
    log_findings(config, diag);
    raise_descriptors(config);
    if (watch_signals(&server, &err) < 0) {
        bondy_log(BONDY_LOG_ERROR, "start_failed", BONDY_F_STR("reason", err.text));
        status = BONDY_SERVER_EXIT_FAILURE;
    } else {
        status = bondy_server_start(&server);
    }
    if (status == BONDY_SERVER_EXIT_OK)
        wait_for_stop(&server);
    bondy_server_stop(&server);
    bondy_logger_stop();
    if (server.live != server.config)
        bondy_config_destroy(server.live);
    return status;
}

/* --ports-file is the key ports_file, before all other sources. */
static void add_ports_file(struct bondy_options *options, struct bondy_buf *text)
{
    const char **overrides = options->overrides;

    if (options->ports_file == NULL)
        return;
    bondy_buf_printf(text, "ports_file=%s", options->ports_file);
    bondy_buf_append_byte(text, 0);
    overrides = bondy_realloc(overrides, (options->override_count + 2) * sizeof *overrides);
    overrides[options->override_count++] = text->data;
    overrides[options->override_count] = NULL;
    options->overrides = overrides;
}

static int configure_and_run(const struct bondy_options *options)
{
    struct bondy_config_diag diag = {0};
    struct bondy_config *config = NULL;
    char *temporary_dir = NULL;
    struct bondy_error err;
    int status;

    if (options->dev && bondy_dev_make_folder(&temporary_dir, &err) < 0) {
        fprintf(stderr, "bondyd: --dev: %s\n", err.text);
        bondy_dev_remove_folder(temporary_dir);
        return BONDY_SERVER_EXIT_FAILURE;
    }
    bondy_server_load_config(options, temporary_dir, &config, &diag);
    if (options->check_config) {
        status = check_config(options, config, &diag);
    } else if (options->print_config) {
        status = print_config(options, config, &diag);
    } else if (diag.error_count > 0) {
        show_findings(&diag);
        status = BONDY_SERVER_EXIT_CONFIG;
    } else {
        status = run(options, config, temporary_dir, &diag);
    }
    bondy_config_diag_fini(&diag);
    bondy_config_destroy(config);
    bondy_dev_remove_folder(temporary_dir);
    return status;
}

int main(int argc, char **argv)
{
    struct bondy_buf ports_file = BONDY_BUF_EMPTY;
    struct bondy_options options;
    struct bondy_error err;
    int status;

    if (bondy_options_parse(argc, argv, &options, &err) < 0 || bondy_id_start(&err) < 0) {
        fprintf(stderr, "bondyd: %s\n", err.text);
        bondy_options_fini(&options);
        return BONDY_SERVER_EXIT_CONFIG;
    }
    if (!print_document(&options, &status)) {
        add_ports_file(&options, &ports_file);
        status = configure_and_run(&options);
    }
    bondy_options_fini(&options);
    bondy_buf_fini(&ports_file);
    return status;
}
