/* SPDX-License-Identifier: Apache-2.0 */
/* procedures_audit: bondy.audit.query. admin-http-api.md 8; wamp-admin-api.md 6. */
#include <string.h>

#include "src/admin/procedures_local.h"
#include "src/base/problem.h"
#include "src/wamp/errors.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MAX 1000

static bool read_limit(const struct bondy_admin_call *call, unsigned *out)
{
    const json_t *value = json_object_get(call->kwargs, "limit");
    struct bondy_slice text = bondy_admin_kwarg(call, "limit");
    json_int_t number = json_is_integer(value) ? json_integer_value(value) : 0;

    *out = LIMIT_DEFAULT;
    if (value == NULL || json_is_null(value) || (json_is_string(value) && text.len == 0))
        return true;
    for (size_t i = 0; i < text.len && number <= LIMIT_MAX; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        number = number * 10 + (text.data[i] - '0');
    }
    *out = (unsigned)number;
    return number >= 1 && number <= LIMIT_MAX;
}

static int fail(struct bondy_admin_call *call, const struct bondy_error *err)
{
    if (strncmp(err->text, "cursor", 6) == 0)
        return bondy_admin_fail(call, bondy_problem("bondy.error.invalid_cursor",
                                                    "This is no cursor of this list.", ""));
    return bondy_admin_fail(
        call, bondy_admin_invalid(strncmp(err->text, "since", 5) == 0 ? "since" : "until",
                                  "A time in UTC is expected (RFC 3339)."));
}

/* Sessions of other realms than the master realm see what concerns theirs. */
static struct bondy_slice realm_of(const struct bondy_admin_call *call)
{
    return call->is_master ? bondy_admin_kwarg(call, "realm")
                           : bondy_invocation_realm(call->invocation);
}

static int read_query(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    struct bondy_audit_query query = {.since = bondy_admin_kwarg(call, "since"),
                                      .until = bondy_admin_kwarg(call, "until"),
                                      .realm = realm_of(call),
                                      .actor = bondy_admin_kwarg(call, "actor"),
                                      .action = bondy_admin_kwarg(call, "action"),
                                      .outcome = bondy_admin_kwarg(call, "outcome"),
                                      .cursor = bondy_admin_kwarg(call, "cursor")};
    struct bondy_error err = {0};
    char cursor[37] = "";

    (void)view;
    if (!read_limit(call, &query.limit))
        return bondy_admin_fail(
            call, bondy_admin_invalid("limit", "'limit' is a number from 1 to 1000."));
    if (call->node->audit == NULL)
        return bondy_admin_fail(call,
                                bondy_problem(BONDY_ERR_NOT_IMPLEMENTED, "There is no audit log.",
                                              "audit.enabled is off."));
    if (bondy_audit_query_wait(call->node->audit, &query, &call->value, cursor, &err) < 0)
        return fail(call, &err);
    if (cursor[0] != '\0')
        call->extra = json_pack("{s:s}", "next_cursor", cursor);
    return BONDY_OK;
}

const struct bondy_procedure_row bondy_procedures_audit[] = {
    {.info = {"bondy.audit.query", NULL, 0, 0, 'A',
              "since=, until=, realm=, actor=, action=, outcome=, limit=, cursor=",
              "what was done and refused, newest first; of the own realm, or of all", "0.1"},
     .read = read_query},
    {.info = {.uri = NULL}}};
