/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TESTS_UNIT_SECURITY_FIXTURE_H
#define BONDY_TESTS_UNIT_SECURITY_FIXTURE_H

/* fixture: a store in a temporary folder with the table of realms on its feed, and every change as
 * one call with JSON text, as an admin procedure would do it: prepare, job, answer. */

#include "tests/lib/test.h"

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/base/problem.h"
#include "src/security/entity/export.h"
#include "src/security/entity/grant.h"
#include "src/security/entity/group.h"
#include "src/security/login/auth.h"
#include "src/security/login/principal.h"
#include "src/security/entity/realm.h"
#include "src/security/entity/security_file.h"
#include "src/security/entity/source.h"
#include "src/security/entity/user.h"
#include "src/sys/publish.h"

struct fixture {
    char *folder;
    char path[512];
    struct bondy_security_rules rules;
    struct bondy_store *store;
    struct bondy_realms *realms;
    struct bondy_principals *_Atomic principals; /* NULL, or on the feed too: the test's */
    struct bondy_auth *_Atomic auth;             /* likewise */
    struct bondy_store_view *view;               /* of fixture_view() */
    unsigned changes;                            /* that the feed told */
    /* For the next change; taken back after it. */
    bool is_dry_run, is_lenient, is_rebase, force;
    const uint8_t *expected;
    /* Of the last change. */
    int rc;
    unsigned effects, writes;
    json_t *result, *problem;
};

int fixture_setup(void **state);
int fixture_teardown(void **state);
/* Closes and opens it again, as a restart does. */
void fixture_restart(struct fixture *f);
int fixture_run(const struct CMUnitTest *tests, size_t count);

/* Each says the code of the problem, "" when there is none. `args` are texts or JSON texts as the
 * apply function takes them. */
enum fixture_what {
    CREATE_REALM,
    UPDATE_REALM,
    DELETE_REALM,
    SUSPEND,
    RESUME,
    ENABLE,
    DISABLE,
    ADD_USER,
    UPDATE_USER,
    DELETE_USER,
    SET_PASSWORD,
    ENABLE_USER,
    DISABLE_USER,
    ADD_ALIAS,
    REMOVE_ALIAS,
    ADD_USER_GROUPS,
    REMOVE_USER_GROUPS,
    ADD_KEY,
    REMOVE_KEY,
    ADD_GROUP,
    UPDATE_GROUP,
    DELETE_GROUP,
    ADD_GROUP_GROUPS,
    REMOVE_GROUP_GROUPS,
    ADD_SOURCE,
    DELETE_SOURCE, /* name: JSON of usernames; input: JSON of {cidr, authmethod} */
    GRANT,
    REVOKE,
    APPLY_CONFIG,
    APPLY_MERGE,
    APPLY_REPLACE
};
const char *fixture_do(struct fixture *f, enum fixture_what what, const char *realm,
                       const char *name, const char *input);
/* Runs a function of the test's as a job. */
int fixture_job(struct fixture *f, int (*fn)(struct bondy_edit *edit, void *context),
                void *context);

/* Signing keys for a realm, small and quick. */
void fixture_keys(struct fixture *f, const char *uri);
const struct bondy_realm *fixture_realm(struct fixture *f, const char *uri);
/* A view of now, ended with the next one or with the fixture. */
const struct bondy_store_view *fixture_view(struct fixture *f);
/* External form as compact canonical text without times and etags; the caller frees it. NULL: there
 * is none. */
char *fixture_user(struct fixture *f, const char *realm, const char *name);
char *fixture_group(struct fixture *f, const char *realm, const char *name);
char *fixture_sources(struct fixture *f, const char *realm);
char *fixture_grants(struct fixture *f, const char *realm);
/* A tree as such a text. */
char *fixture_text(const json_t *value);
/* Compares and frees `got`. */
void fixture_is(char *got, const char *expected, const char *where, int line);
#define assert_text(got, expected) fixture_is((got), (expected), __FILE__, __LINE__)

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif
