/* SPDX-License-Identifier: Apache-2.0 */
#include "src/server/documents.h"

#include <glob.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/catalog/catalog.h"
#include "src/base/alloc.h"
#include "src/base/json.h"
#include "src/security/entity/realm.h"
#include "src/server/listeners.h"
#include "src/server/master_key.h"
#include "src/sys/file.h"

#define DOCUMENT_MAX ((size_t)16 * 1024 * 1024)
#define DOCUMENT_DEPTH 64

static const char *from_environment(const char *name)
{
    return getenv(name);
}

/* Reads and parses; with `expands`, ${VAR} is replaced first. NULL after a finding. */
static json_t *read_json(const char *path, bool expands, struct bondy_config_diag *diag)
{
    struct bondy_buf raw = BONDY_BUF_EMPTY, text = BONDY_BUF_EMPTY;
    struct bondy_error err = {0};
    json_t *document = NULL;

    if (bondy_file_read(path, DOCUMENT_MAX, &raw, &err) < 0) {
        bondy_config_report(diag, "C005", NULL, 0, 0, "%s", err.text);
    } else if (expands &&
               bondy_catalog_expand(bondy_buf_slice(&raw), from_environment, &text, &err) < 0) {
        bondy_config_report(diag, "C005", path, 0, 0, "%s", err.text);
    } else {
        document = bondy_json_parse(bondy_buf_slice(expands ? &text : &raw), DOCUMENT_DEPTH, &err);
        if (document == NULL)
            bondy_config_report(diag, "C005", path, 0, 0, "%s", err.text);
    }
    bondy_buf_fini(&raw);
    bondy_buf_fini(&text);
    return document;
}

/* One finding for each item of `errors`, or for the problem itself. */
static void report_problem(const char *path, const json_t *problem, struct bondy_config_diag *diag)
{
    const json_t *errors = json_object_get(problem, "errors"), *one;
    size_t i;

    if (json_array_size(errors) == 0)
        bondy_config_report(diag, "C005", path, 0, 0, BONDY_SLICE_FMT,
                            BONDY_SLICE_ARG(bondy_json_text(problem, "message")));
    json_array_foreach(errors, i, one)
    {
        struct bondy_slice pointer = bondy_json_text(one, "pointer");
        struct bondy_slice message = bondy_json_text(one, "message");
        struct bondy_slice expected = bondy_json_text(one, "expected");

        bondy_config_report(diag, "C005", path, 0, 0,
                            BONDY_SLICE_FMT ": " BONDY_SLICE_FMT "%s" BONDY_SLICE_FMT,
                            BONDY_SLICE_ARG(pointer), BONDY_SLICE_ARG(message),
                            expected.len == 0 ? "" : "; expected ", BONDY_SLICE_ARG(expected));
    }
}

static void check_spec(const char *path, const json_t *document, struct bondy_config_diag *diag)
{
    static const struct bondy_spec_env env = {0}; /* realms are not known without the store */
    struct bondy_spec *spec = NULL;
    json_t *problem = NULL;

    if (bondy_spec_load(document, &env, &spec, &problem, NULL) < 0)
        report_problem(path, problem, diag);
    else
        bondy_spec_unref(spec);
    json_decref(problem);
}

static void check_specs(const char *path, struct bondy_config_diag *diag)
{
    json_t *document = read_json(path, true, diag), *one;
    size_t i;

    if (!json_is_array(document) && document != NULL)
        check_spec(path, document, diag);
    json_array_foreach(document, i, one)
    {
        check_spec(path, one, diag);
    }
    json_decref(document);
}

static void check_spec_folder(const char *folder, struct bondy_config_diag *diag)
{
    struct bondy_buf pattern = BONDY_BUF_EMPTY;
    glob_t found;

    bondy_buf_printf(&pattern, "%s/*.json", folder);
    bondy_buf_append_byte(&pattern, 0);
    if (glob(pattern.data, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            check_specs(found.gl_pathv[i], diag);
        globfree(&found);
    }
    bondy_buf_fini(&pattern);
}

static void check_realms(const char *path, struct bondy_config_diag *diag)
{
    struct bondy_security_rules rules;
    struct bondy_edit edit = {.rules = &rules, .is_lenient = true, .is_file = true};
    json_t *document = read_json(path, false, diag), *one;
    size_t i;

    bondy_security_rules_init(&rules);
    if (document != NULL && !json_is_array(document))
        bondy_config_report(diag, "C005", path, 0, 0, "expected an array of realms");
    json_array_foreach(document, i, one)
    {
        json_t *problem = NULL;

        if (bondy_realm_check(&edit, one, false, &problem) < 0)
            report_problem(path, problem, diag);
        json_decref(problem);
    }
    json_decref(document);
}

/* An absent file was a warning before. */
static const char *path_of(const struct bondy_config *config, const char *key)
{
    const char *path = bondy_config_text(config, key);

    return path != NULL && access(path, R_OK) == 0 ? path : NULL;
}

void bondy_documents_check(const struct bondy_config *config, struct bondy_config_diag *diag)
{
    const char *realms = path_of(config, "security.config_file");
    const char *specs = path_of(config, "api_gateway.config_file");
    const char *folder = path_of(config, "api_gateway.config_dir");

    bondy_server_apply_names(config);
    bondy_server_check_certificates(config, diag);
    bondy_server_check_master_key(config, diag);
    if (realms != NULL)
        check_realms(realms, diag);
    if (specs != NULL)
        check_specs(specs, diag);
    if (folder != NULL)
        check_spec_folder(folder, diag);
}
