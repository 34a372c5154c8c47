/* SPDX-License-Identifier: Apache-2.0 */
#include "src/http/status.h"

#include "src/base/alloc.h"
#include "src/wamp/errors.h"

struct row {
    const char *uri;
    int status;
};

/* One table: 7.1 with the changes of 7.2. Documents may overlay every row. */
static const struct row ROWS[] = {
    {BONDY_ERR_ALREADY_EXISTS, 409},
    {BONDY_ERR_NOT_FOUND, 404},
    {BONDY_ERR_BAD_GATEWAY, 502},
    {BONDY_ERR_INVALID_EXPRESSION, 500},
    {"bondy.error.timeout", 504},
    {"bondy.error.too_many_requests", 429},
    {"wamp.close.close_realm", 500},
    {"wamp.close.goodbye_and_out", 500},
    {"wamp.close.system_shutdown", 503},
    {"wamp.error.authorization_failed", 403},
    {"wamp.error.canceled", 503},
    {"wamp.error.disclose_me.not_allowed", 400},
    {"wamp.error.invalid_argument", 400},
    {"wamp.error.invalid_payload", 400},
    {"wamp.error.invalid_uri", 400},
    {"wamp.error.network_failure", 502},
    {"wamp.error.no_available_callee", 503},
    {"wamp.error.no_eligible_callee", 502},
    {"wamp.error.no_such_principal", 404},
    {"wamp.error.no_such_procedure", 501},
    {"wamp.error.no_such_realm", 502},
    {"wamp.error.no_such_registration", 502},
    {"wamp.error.no_such_role", 400},
    {"wamp.error.no_such_session", 500},
    {"wamp.error.no_such_subscription", 502},
    {"wamp.error.not_authorized", 403},
    {"wamp.error.not_found", 404},
    {"wamp.error.option_disallowed.disclose_me", 400},
    {"wamp.error.option_not_allowed", 400},
    {"wamp.error.payload_size_exceeded", 413},
    {"wamp.error.procedure_already_exists", 409},
    {"wamp.error.timeout", 504},
    {"wamp.error.type_check_error", 400},
    {"wamp.error.unavailable", 503},
};

json_t *bondy_status_builtin(void)
{
    json_t *map = json_object();

    for (size_t i = 0; i < BONDY_COUNT(ROWS); i++)
        json_object_set_new(map, ROWS[i].uri, json_integer(ROWS[i].status));
    return map;
}

static const json_t *find_in(const json_t *overlay, struct bondy_slice uri)
{
    return overlay == NULL ? NULL : json_object_getn(overlay, uri.data, uri.len);
}

int bondy_status_of(struct bondy_slice uri, const json_t *overlay, bool is_anonymous)
{
    const json_t *own = uri.data == NULL ? NULL : find_in(overlay, uri);

    if (json_is_integer(own))
        return (int)json_integer_value(own);
    if (is_anonymous && bondy_slice_is(uri, BONDY_ERR_NOT_AUTHORIZED))
        return 401;
    for (size_t i = 0; i < BONDY_COUNT(ROWS); i++)
        if (bondy_slice_is(uri, ROWS[i].uri))
            return ROWS[i].status;
    return 500;
}

void bondy_status_uri(struct bondy_slice code, struct bondy_buf *out)
{
    if (bondy_slice_is(code, "invalid_argument"))
        bondy_buf_append_text(out, "wamp.error.");
    else if (!bondy_slice_starts(code, BONDY_SLICE("wamp.")) &&
             !bondy_slice_starts(code, BONDY_SLICE("bondy.")) &&
             !bondy_slice_starts(code, BONDY_SLICE("com.")))
        bondy_buf_append_text(out, "bondy.error.");
    bondy_buf_append_slice(out, code);
}
