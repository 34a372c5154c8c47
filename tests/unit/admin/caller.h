/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TESTS_UNIT_ADMIN_CALLER_H
#define BONDY_TESTS_UNIT_ADMIN_CALLER_H

/* caller: WAMP sessions that call procedures of a house. */

#include "tests/lib/test.h"

#include "src/router/core.h"
#include "tests/unit/admin/house.h"

struct caller {
    struct house *house;
    struct bondy_session *session;
    bool has_answer, is_error;
    char uri[256];
    char deprecated[128]; /* RESULT.Details.deprecated */
    json_t *args, *kwargs;
    json_t *events; /* [args, kwargs] of each */
};

/* A session as a login leaves it; `authid` NULL: the router's own. */
void join(struct caller *caller, struct house *house, const char *realm, const char *authid);
void leave(struct caller *caller);
/* Drops the last answer. */
void forget(struct caller *caller);
/* JSON with ' for "; the caller owns it. */
json_t *tree_of(const char *text);
/* Calls and waits; returns the error URI, or "" for a result. Takes the trees. */
const char *call_with(struct caller *caller, const char *procedure, json_t *args, json_t *kwargs);
const char *call(struct caller *caller, const char *procedure, const char *args,
                 const char *kwargs);
void must(struct caller *caller, const char *procedure, const char *args);

#endif
