/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_ENTITY_EDIT_H
#define BONDY_SECURITY_ENTITY_EDIT_H

/* edit: what all changes of realms, users, groups, sources and grants have in common.
 *
 * A change has three steps. [pool thread] prepare: the input's shape is checked and what is slow is
 * done (passwords are hashed, keys are parsed). [control thread, in a store job] apply: everything
 * that depends on what is stored, then the writes. [any] the caller answers with edit->result or
 * edit->problem. A job may run twice, so it begins with bondy_edit_start() each time:
 *
 *     static int run(struct bondy_store_job *job, struct bondy_store_write *write, ... *err)
 *     {
 *         bondy_edit_start(&call->edit, write);
 *         return bondy_edit_end(&call->edit, bondy_user_apply_add(&call->edit, realm, prepared));
 *     }
 *
 * A dry run ends with BONDY_EDIT_TAKEN_BACK, an error to the store, which forgets what was written:
 * the result is the object that would be.
 *
 * Codes of all apply functions, each with an error object in edit->problem: BONDY_EINVAL,
 * BONDY_EEXIST, BONDY_ENOENT, BONDY_ECONFLICT (precondition), BONDY_ELIMIT, BONDY_EDENIED,
 * BONDY_ESTATE (in use), BONDY_EIO. */

#include <stdbool.h>
#include <stdint.h>

#include "src/base/json.h"
#include "src/base/map.h"
#include "src/store/store.h"

struct bondy_realm;

/* What the configuration says; the server fills it once, before anything reads it. */
struct bondy_security_rules {
    unsigned password_min, password_max; /* octets */
    bool legacy_charset;                 /* Bondy's alphabet of passwords */
    bool scram_by_default;               /* security.password.protocol */
    uint32_t pbkdf2_iterations;
    const char *scram_kdf; /* "pbkdf2" or "argon2id13" */

    size_t meta_max;     /* octets of a meta as JSON */
    unsigned max_groups; /* of one user or group */
    unsigned max_grants; /* of one role of a realm */
    unsigned max_keys;   /* authorized keys of a user */
    unsigned max_aliases;
    unsigned group_depth;
    unsigned max_list; /* members of a list in an input */

    const char *const *master_aliases; /* ends with NULL */
    const char *auto_realm_prototype;  /* NULL: none */
    bool allow_anonymous_user;
    bool inherit_anonymous;
    bool prefix_by_octet;  /* security.rbac.prefix_match = byte */
    bool literal_patterns; /* security.rbac.pattern_coverage = literal */
    bool insecure_defaults;
};
void bondy_security_rules_init(struct bondy_security_rules *rules);

/* What a change did, for events; live sessions are told by the store's change feed. */
enum bondy_edit_effect {
    BONDY_EDIT_CREATED = 1,
    BONDY_EDIT_UPDATED = 2, /* anything of an existing object */
    BONDY_EDIT_DELETED = 4,
    BONDY_EDIT_CREDENTIALS = 8, /* password or keys, of this realm's or of the SSO realm's user */
    BONDY_EDIT_DISABLED = 16,
    BONDY_EDIT_ENABLED = 32,
    BONDY_EDIT_GROUPS = 64
};

#define BONDY_EDIT_TAKEN_BACK (-1000)

struct bondy_edit {
    /* The caller's; the rest is filled here. */
    const struct bondy_security_rules *rules;
    const uint8_t *expected; /* version the object must have, or NULL */
    bool is_dry_run;
    bool is_lenient; /* unknown keys are dropped with a warning (strict: false, files) */
    bool is_file;    /* objects are marked managed_by: "file" */
    bool is_builtin; /* written as built-in defaults, which lose to any other write */
    bool is_rebase;  /* what exists is brought to what the input says instead of refused */

    bool is_replace; /* with `touched`: a grant is what the input says, not the union with it */

    struct bondy_map *touched; /* internal: NULL, or gets the keys of all that was put */
    struct bondy_store_write *write;
    json_t *problem;  /* after a failure: the error object */
    json_t *result;   /* after success: the object's external form, when there is one */
    unsigned effects; /* of enum bondy_edit_effect */
    unsigned writes;  /* records written; 0: everything was so already */
    char *realm_uri;  /* internal: the realm read last, as this job sees it */
    const struct bondy_realm *realm;
};

/* Forgets an earlier run. `rules` and the flags stay; a zeroed edit with rules is ready. */
void bondy_edit_start(struct bondy_edit *edit, struct bondy_store_write *write);
/* What the job has to return for the `rc` of an apply function. */
int bondy_edit_end(struct bondy_edit *edit, int rc);
void bondy_edit_fini(struct bondy_edit *edit);

/* ---- for the files of src/security ------------------------------------------------------- */

/* Takes `problem` and returns `code`. */
int bondy_edit_refuse(struct bondy_edit *edit, int code, json_t *problem);
/* The same with details.names. Takes both. */
int bondy_edit_refuse_names(struct bondy_edit *edit, int code, json_t *problem, json_t *names);
/* A failure of the store. */
int bondy_edit_refuse_store(struct bondy_edit *edit, int rc, const struct bondy_error *err);
/* BONDY_ECONFLICT unless `version` is what the caller expects. */
int bondy_edit_check_version(struct bondy_edit *edit, const char *what, const uint8_t *version);
const struct bondy_store_view *bondy_edit_view(const struct bondy_edit *edit);
/* The realm as this job sees it, by any spelling, without its keys; borrowed until the realm is
 * written or the edit started again. BONDY_ENOENT: wamp.error.no_such_realm. */
int bondy_edit_realm(struct bondy_edit *edit, struct bondy_slice uri,
                     const struct bondy_realm **out);
/* The realm was written: reads it again next time. */
void bondy_edit_forget_realm(struct bondy_edit *edit);

#endif
