/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/entity/edit.h"

#include <string.h>

#include "src/base/alloc.h"
#include "src/base/problem.h"
#include "src/security/entity/realm.h"
#include "src/security/entity/stored.h"
#include "src/wamp/errors.h"

void bondy_security_rules_init(struct bondy_security_rules *rules)
{
    static const char *const aliases[] = {"bondy", NULL};

    *rules = (struct bondy_security_rules){
        .password_min = 8,
        .password_max = 254,
        .pbkdf2_iterations = 65536,
        .scram_kdf = "pbkdf2",
        .meta_max = 64 * 1024,
        .max_groups = 1000,
        .max_grants = 10000,
        .max_keys = 100,
        .max_aliases = 5,
        .group_depth = 32,
        .max_list = 100000,
        .master_aliases = aliases,
        .allow_anonymous_user = true,
        .inherit_anonymous = true,
    };
}

void bondy_edit_forget_realm(struct bondy_edit *edit)
{
    bondy_realm_unref(BONDY_MOVE(edit->realm));
    bondy_free(BONDY_MOVE(edit->realm_uri));
}

void bondy_edit_fini(struct bondy_edit *edit)
{
    bondy_edit_forget_realm(edit);
    json_decref(BONDY_MOVE(edit->problem));
    json_decref(BONDY_MOVE(edit->result));
}

void bondy_edit_start(struct bondy_edit *edit, struct bondy_store_write *write)
{
    bondy_edit_fini(edit);
    edit->write = write;
    edit->effects = 0;
    edit->writes = 0;
}

int bondy_edit_end(struct bondy_edit *edit, int rc)
{
    bondy_edit_forget_realm(edit);
    edit->write = NULL;
    if (rc < 0) {
        json_decref(BONDY_MOVE(edit->result));
        edit->effects = 0;
        return rc;
    }
    return edit->is_dry_run ? BONDY_EDIT_TAKEN_BACK : BONDY_OK;
}

int bondy_edit_refuse(struct bondy_edit *edit, int code, json_t *problem)
{
    json_decref(edit->problem);
    edit->problem = problem;
    return code;
}

int bondy_edit_refuse_names(struct bondy_edit *edit, int code, json_t *problem, json_t *names)
{
    json_object_set_new(problem, "details", json_pack("{s:o}", "names", names));
    return bondy_edit_refuse(edit, code, problem);
}

int bondy_edit_refuse_store(struct bondy_edit *edit, int rc, const struct bondy_error *err)
{
    return bondy_edit_refuse(
        edit, rc, bondy_problem(BONDY_ERR_INTERNAL, "The store could not write.", err->text));
}

int bondy_edit_check_version(struct bondy_edit *edit, const char *what, const uint8_t *version)
{
    json_t *problem;

    if (edit->expected == NULL || memcmp(edit->expected, version, BONDY_VERSION_LEN) == 0)
        return BONDY_OK;
    problem = bondy_problem_format("bondy.error.precondition_failed",
                                   "The %s was changed by someone else.", what);
    json_object_set_new(problem, "details", json_pack("{s:o}", "etag", bondy_stored_etag(version)));
    return bondy_edit_refuse(edit, BONDY_ECONFLICT, problem);
}

const struct bondy_store_view *bondy_edit_view(const struct bondy_edit *edit)
{
    return bondy_store_write_view(edit->write);
}

int bondy_edit_realm(struct bondy_edit *edit, struct bondy_slice uri,
                     const struct bondy_realm **out)
{
    char canonical[BONDY_REALM_URI_MAX];
    size_t len;

    if (edit->realm != NULL && bondy_slice_is(uri, edit->realm_uri)) {
        *out = edit->realm;
        return BONDY_OK;
    }
    bondy_edit_forget_realm(edit);
    if (bondy_realm_canonical(edit->rules, uri, canonical, sizeof canonical, &len))
        edit->realm = bondy_realm_read_plain(edit->rules, bondy_edit_view(edit),
                                             bondy_slice_of(canonical, len));
    if (edit->realm == NULL) {
        json_t *problem =
            bondy_problem_format(BONDY_ERR_NO_SUCH_REALM,
                                 "There is no realm '" BONDY_SLICE_FMT "'.", BONDY_SLICE_ARG(uri));

        return bondy_edit_refuse(edit, BONDY_ENOENT, problem);
    }
    edit->realm_uri = bondy_memdup0(uri.data, uri.len);
    *out = edit->realm;
    return BONDY_OK;
}
