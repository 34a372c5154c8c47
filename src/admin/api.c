/* SPDX-License-Identifier: Apache-2.0 */
#include "src/admin/api.h"

#include "src/base/problem.h"
#include "src/wamp/errors.h"

#define DOCUMENT_DEPTH 32

/* Made by the build from api-specs/admin.json. */
extern const unsigned char bondy_admin_api_text[];
extern const size_t bondy_admin_api_text_len;

struct bondy_slice bondy_admin_api_document(void)
{
    return bondy_slice_of(bondy_admin_api_text, bondy_admin_api_text_len);
}

static int fail(const json_t *problems, struct bondy_error *err)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;

    bondy_json_format(problems, &text);
    bondy_fail(err, BONDY_EINVAL, "api-specs/admin.json: " BONDY_SLICE_FMT,
               BONDY_SLICE_ARG(bondy_buf_slice(&text)));
    bondy_buf_fini(&text);
    return BONDY_EINVAL;
}

int bondy_admin_api_build(int already_exists_status, struct bondy_route_table **out,
                          struct bondy_error *err)
{
    const struct bondy_spec_env env = {.listeners = BONDY_SCHEME_HTTP | BONDY_SCHEME_HTTPS,
                                       .is_own = true};
    json_t *document = bondy_json_parse(bondy_admin_api_document(), DOCUMENT_DEPTH, err);
    json_t *problems = NULL, *warnings = NULL;
    struct bondy_spec *spec = NULL;
    int rc;

    if (document == NULL)
        return bondy_wrap(err, "api-specs/admin.json");
    if (already_exists_status != 0)
        json_object_set_new(json_object_get(document, "status_codes"), BONDY_ERR_ALREADY_EXISTS,
                            json_integer(already_exists_status));
    rc = bondy_spec_load(document, &env, &spec, &problems, &warnings);
    if (rc == BONDY_OK)
        *out = bondy_route_table_build((const struct bondy_spec *const[]){spec}, 1, NULL);
    else
        rc = fail(problems, err);
    bondy_spec_unref(spec); /* the table has its own reference */
    json_decref(problems);
    json_decref(warnings);
    json_decref(document);
    return rc;
}
