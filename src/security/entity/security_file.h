/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_ENTITY_SECURITY_FILE_H
#define BONDY_SECURITY_ENTITY_SECURITY_FILE_H

/* security_file: a list of realms with everything in them, applied at start and on reload; the same
 * form is exported and imported. realms-and-security.md 1.11, admin-http-api.md 8.
 *
 * Realms are applied in an order in which prototypes and SSO realms come before who needs them,
 * groups after the groups they are members of. What exists is brought to what the file says, and
 * only what differs is written: applied twice, nothing changes. */

#include "src/security/entity/edit.h"

struct bondy_realms;

enum bondy_file_mode {
    BONDY_FILE_CONFIG, /* objects are marked as managed by the file; `prune` of a realm deletes
                          those that left it */
    BONDY_FILE_MERGE,  /* import */
    BONDY_FILE_REPLACE /* import; deletes what a realm has and the file has not */
};

struct bondy_file {
    enum bondy_file_mode mode;
    json_t *realms; /* prepared, in the order of applying */
    size_t *places; /* where each of them was in the document */
};

/* [start or pool thread] Takes nothing of `document` (the parsed file), checks all of it, replaces
 * ${ENV:NAME} and {"$file": path} in passwords and keys (refusing files that others can read;
 * config mode only), hashes passwords that the stored verifiers do not fit. `view` may be NULL:
 * nothing is stored. All mistakes are in *problem (`errors`, each with its JSON pointer). */
int bondy_file_prepare(const struct bondy_edit *edit, const struct bondy_store_view *view,
                       const json_t *document, enum bondy_file_mode mode, struct bondy_file *out,
                       json_t **problem);
/* [in a store job] All of it or nothing; edit->result is the plan: {"create": [...], "update":
 * [...], "delete": [...], "unchanged": n, "omitted": n, "counts": {"realms", "groups", "users",
 * "sources", "grants"}} with texts like "user org.acme/mona", the first thousand of each kind. A
 * problem has the JSON pointer of what it is about. With edit->is_dry_run nothing is kept. */
int bondy_file_apply(struct bondy_edit *edit, const struct bondy_file *file);
/* One realm of a prepared file, by its index in file->realms, for imports that are atomic per
 * realm; edit->result is the plan of that one. */
int bondy_file_apply_realm(struct bondy_edit *edit, const struct bondy_file *file, size_t index);
void bondy_file_fini(struct bondy_file *file);

#endif
