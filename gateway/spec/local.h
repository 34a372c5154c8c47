/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_GATEWAY_SPEC_LOCAL_H
#define BONDY_GATEWAY_SPEC_LOCAL_H

/* Inside of a compiled specification, and the steps of its loading. */

#include "gateway/spec/check.h"
#include "src/base/ref.h"

struct spec_box {
    struct bondy_spec spec;
    struct bondy_ref ref; /* the loader, route tables, requests being answered */
    struct expr_pool *pool;
};

/* "get" -> BONDY_METHOD_GET; false for any other key. */
bool bondy_method_of_key(const char *key, enum bondy_method *out);
const char *bondy_key_of_method(enum bondy_method method);

/* One version and what is below it; the pointer stands at it. */
void bondy_spec_load_version(struct spec_loader *loader, struct expr_scope *api, const char *label,
                             const json_t *source, struct bondy_version *out);
/* One path; the pointer stands at it. */
void bondy_spec_load_path(struct spec_loader *loader, struct expr_scope *version, const char *key,
                          const json_t *source, struct bondy_path *out);

/* What is checked already, compiled; in doubt nobody gets in. */
void bondy_security_load(const json_t *security, struct bondy_security *out);
void bondy_security_fini(struct bondy_security *security);
/* Parses `whole` (base path and key) to path->pattern, with everything that is wrong with it, and
 * counts its segments. */
void bondy_spec_check_route(struct spec_loader *loader, struct bondy_path *path, const char *whole);
/* The routes of the authorization server, when a path of the version needs one; the pointer stands
 * at the version. */
void bondy_spec_add_oauth2(struct spec_loader *loader, struct bondy_version *version);

/* Makes a scope below `parent` where the pointer stands: variables, defaults and the members of
 * `direct` (keys of defaults written beside them, NULL-terminated, or NULL); settles and checks it.
 * `held` gets an object that has to live as long as the scope. */
struct expr_scope *bondy_spec_open_scope(struct spec_loader *loader, struct expr_scope *parent,
                                         const json_t *source, const char *const *direct,
                                         json_t **held);

#endif
