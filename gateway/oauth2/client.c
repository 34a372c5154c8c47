/* SPDX-License-Identifier: Apache-2.0 */

/* client: which client asks. oauth2-oidc.md 3.2: by the Authorization header (split at the last
 * colon, as Bondy has it), by client_id and client_secret in the body, or, for public ones, by
 * client_id alone. A client is a user of the realm in the group api_clients. */

#include <sodium.h>

#include "gateway/oauth2/call.h"
#include "src/base/alloc.h"
#include "src/security/login/credentials.h"

static void deny(struct oauth2_call *call, const char *description)
{
    call->fault = (struct oauth2_fault){.status = 401,
                                        .code = "invalid_client",
                                        .message = "The client could not be authenticated.",
                                        .description = description};
}

static void deny_now(struct oauth2_call *call, const char *description)
{
    deny(call, description);
    oauth2_refuse(call);
}

/* ---- what was sent --------------------------------------------------------------------------- */

enum sent { SENT_SECRET, SENT_NAME, SENT_FAULT };

static enum sent fail(struct oauth2_call *call, const char *message, const char *key)
{
    call->fault = (struct oauth2_fault){
        .status = 400, .code = "invalid_request", .message = message, .key = key};
    return SENT_FAULT;
}

static enum sent read_header(struct oauth2_call *call, struct bondy_slice header,
                             char bytes[BONDY_BASIC_MAX], struct bondy_auth_check *out)
{
    struct bondy_slice named = oauth2_param(call, BONDY_PARAM_CLIENT_ID), rest;

    if (!bondy_credentials_scheme(header, "Basic", &rest) ||
        !bondy_credentials_basic(rest, BONDY_COLON_LAST, bytes, out)) {
        deny(call, "The header 'authorization' is malformed: Basic credentials are expected.");
        return SENT_FAULT;
    }
    if (oauth2_param(call, BONDY_PARAM_CLIENT_SECRET).data != NULL)
        return fail(call, "The client authenticates in two ways at once.", "client_secret");
    if (named.data != NULL && !bondy_slice_eq(named, out->authid))
        return fail(call, "This is not the client that authenticates.", "client_id");
    return SENT_SECRET;
}

static enum sent read_sent(struct oauth2_call *call, char bytes[BONDY_BASIC_MAX],
                           struct bondy_auth_check *out)
{
    struct bondy_slice header =
        bondy_request_header(bondy_gateway_call_request(call->gateway), "authorization");

    if (header.data != NULL)
        return read_header(call, header, bytes, out);
    out->authid = oauth2_param(call, BONDY_PARAM_CLIENT_ID);
    out->secret = oauth2_param(call, BONDY_PARAM_CLIENT_SECRET);
    if (out->authid.data == NULL) {
        deny(call, "Send the client's name and secret as Basic credentials, or as client_id and "
                   "client_secret.");
        return SENT_FAULT;
    }
    return out->secret.data == NULL ? SENT_NAME : SENT_SECRET;
}

/* ---- secrets --------------------------------------------------------------------------------- */

static bool is_client(const struct bondy_identity *identity)
{
    for (size_t i = 0; i < identity->group_count; i++)
        if (bondy_slice_is(identity->groups[i], OAUTH2_CLIENTS))
            return true;
    return false;
}

static void put_off(struct oauth2_call *call, unsigned seconds)
{
    call->fault =
        (struct oauth2_fault){.status = 429,
                              .code = "temporarily_unavailable",
                              .message = "Too many logins.",
                              .description = "Logins from this address failed too often, or there "
                                             "are too many at once.",
                              .retry_after_s = seconds};
    oauth2_refuse(call);
}

static void checked(struct oauth2_call *call)
{
    const struct bondy_login_answer *answer = oauth2_login_answer(call);
    unsigned seconds = oauth2_login_wait(call);

    if (seconds != 0) {
        put_off(call, seconds);
        return;
    }
    if (answer->step != BONDY_LOGIN_WELCOME || !is_client(&answer->identity)) {
        deny_now(call, NULL);
        return;
    }
    bondy_free(call->client_id);
    call->client_id = bondy_memdup0(answer->identity.authid.data, answer->identity.authid.len);
    call->is_proved = true;
    call->after_client(call);
}

void oauth2_client(struct oauth2_call *call, void (*next)(struct oauth2_call *call))
{
    char bytes[BONDY_BASIC_MAX];
    struct bondy_auth_check found = {0};
    enum sent sent = read_sent(call, bytes, &found);

    call->after_client = next;
    switch (sent) {
    case SENT_FAULT:
        oauth2_refuse(call);
        break;
    case SENT_NAME:
        call->client_id = bondy_memdup0(found.authid.data, found.authid.len);
        next(call);
        break;
    case SENT_SECRET:
        oauth2_login(call, found.authid, found.secret, checked);
        break;
    }
    sodium_memzero(bytes, sizeof bytes);
}

/* ---- the record ------------------------------------------------------------------------------ */

static bool may_ask(const struct oauth2_call *call, const struct bondy_user *user)
{
    return user->is_enabled && oauth2_has_group(user->groups, OAUTH2_CLIENTS) &&
           (call->is_proved || call->is_absent ||
            json_is_true(json_object_get(user->meta, "public")));
}

bool oauth2_client_look(struct oauth2_call *call, const struct bondy_store_view *view)
{
    struct bondy_user user;

    if (!bondy_user_resolve(view, call->realm, bondy_slice_text(call->client_id), &user)) {
        deny(call, NULL);
        return false;
    }
    if (may_ask(call, &user)) {
        bondy_free(call->client_id);
        call->client_id = bondy_strdup(user.username);
        call->client_meta = json_incref(user.meta);
    } else {
        deny(call, NULL);
    }
    bondy_user_fini(&user);
    return call->fault.status == 0;
}

void oauth2_serve_client(void *context, struct bondy_gateway_call *gateway,
                         void (*next)(struct oauth2_call *call))
{
    static const enum bondy_oauth2_param none[] = {BONDY_PARAMS};
    struct oauth2_call *call =
        oauth2_begin(context, gateway, bondy_request_body(bondy_gateway_call_request(gateway)));

    if (call == NULL)
        return;
    if (oauth2_lacks(call, none))
        oauth2_refuse(call);
    else
        oauth2_client(call, next);
}

void oauth2_look_at_token(struct oauth2_call *call,
                          void (*look)(struct oauth2_call *call,
                                       const struct bondy_store_view *view),
                          void (*next)(struct oauth2_call *call))
{
    static const enum bondy_oauth2_param required[] = {BONDY_PARAM_TOKEN, BONDY_PARAMS};

    if (oauth2_lacks(call, required)) {
        oauth2_refuse(call);
        return;
    }
    call->look = look;
    oauth2_look(call, next);
}
