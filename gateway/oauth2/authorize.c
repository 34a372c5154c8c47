/* SPDX-License-Identifier: Apache-2.0 */

/* authorize: GET and POST <base>/oauth/authorize. RFC 6749, 4.1; RFC 7636 (S256 alone); RFC 9207;
 * RFC 9700, 2.1. Both check the whole request; GET answers with a form that POSTs it again with a
 * name and a password. As long as client or redirect URI are in doubt, the person is told and
 * nobody is redirected. */

#include "gateway/oauth2/call.h"
#include "gateway/oauth2/redirect.h"
#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/security/credential/ticket.h"

/* ---- answers --------------------------------------------------------------------------------- */

static void show_problem(struct oauth2_call *call, unsigned status, const char *problem)
{
    const struct oauth2_page page = {.status = status, .problem = problem};

    oauth2_answer_response(call, oauth2_page(call, &page));
}

static void show_form(struct oauth2_call *call, unsigned status, const char *problem)
{
    const struct bondy_request *request = bondy_gateway_call_request(call->gateway);
    struct oauth2_page page = {
        .status = status, .problem = problem, .retry_after_s = call->fault.retry_after_s};
    char cookie[OAUTH2_COOKIE_TEXT], csrf[OAUTH2_CSRF_TEXT], *header = NULL;

    if (request == NULL) {
        oauth2_answer_response(call, NULL);
        return;
    }
    if (!oauth2_cookie_find(request, cookie)) {
        oauth2_cookie_make(cookie);
        header = oauth2_cookie_header(request, cookie);
        page.cookie = bondy_slice_text(header);
    }
    oauth2_csrf_make(call, cookie, bondy_clock_wall_ms(), csrf);
    page.csrf = csrf;
    oauth2_answer_response(call, oauth2_page(call, &page));
    bondy_free(header);
}

/* Sends the browser back to the client. Every answer has state and iss. */
static void send_back(struct oauth2_call *call, const char *key, const char *value,
                      const char *description)
{
    struct bondy_response *response = bondy_response_create(302);
    struct bondy_buf uri = BONDY_BUF_EMPTY;

    bondy_buf_append_slice(&uri, oauth2_param(call, BONDY_PARAM_REDIRECT_URI));
    bondy_redirect_add(&uri, key, bondy_slice_text(value));
    bondy_redirect_add(&uri, "error_description", bondy_slice_text(description));
    bondy_redirect_add(&uri, "state", oauth2_param(call, BONDY_PARAM_STATE));
    bondy_redirect_add(&uri, "iss", bondy_slice_text(call->issuer));
    bondy_response_set_header(response, "location", bondy_buf_slice(&uri), NULL);
    bondy_response_set_header(response, "referrer-policy", BONDY_SLICE("no-referrer"), NULL);
    oauth2_no_store(response);
    bondy_buf_fini(&uri);
    oauth2_answer_response(call, response);
}

/* ---- the request ----------------------------------------------------------------------------- */

/* False: sent back. */
static bool refuse(struct oauth2_call *call, const char *error, const char *description)
{
    send_back(call, "error", error, description);
    return false;
}

static bool check_pkce(struct oauth2_call *call)
{
    struct bondy_slice challenge = oauth2_param(call, BONDY_PARAM_CODE_CHALLENGE);

    if (challenge.data == NULL)
        return refuse(call, "invalid_request", "code_challenge is missing: PKCE is required.");
    if (!bondy_slice_is(oauth2_param(call, BONDY_PARAM_CODE_CHALLENGE_METHOD), "S256"))
        return refuse(call, "invalid_request", "code_challenge_method must be S256.");
    if (!bondy_code_is_challenge(challenge))
        return refuse(call, "invalid_request", "code_challenge is no S256 challenge.");
    return true;
}

static bool check_request(struct oauth2_call *call)
{
    const json_t *allowed = json_object_get(call->client_meta, "grants");
    struct bondy_slice mode = oauth2_param(call, BONDY_PARAM_RESPONSE_MODE);
    struct bondy_slice device = oauth2_param(call, BONDY_PARAM_DEVICE_ID);
    struct bondy_slice type = oauth2_param(call, BONDY_PARAM_RESPONSE_TYPE);

    if (call->params.fault != BONDY_PARAMS_SOUND)
        return refuse(call, "invalid_request", "A parameter is there twice, or too long.");
    if (type.data == NULL)
        return refuse(call, "invalid_request", "response_type is missing.");
    if (!bondy_slice_is(type, "code"))
        return refuse(call, "unsupported_response_type", "response_type must be code.");
    if (mode.data != NULL && !bondy_slice_is(mode, "query"))
        return refuse(call, "invalid_request", "response_mode must be query.");
    if (device.data != NULL && !bondy_ticket_id_is_valid(device))
        return refuse(call, "invalid_request", "client_device_id cannot be the id of a device.");
    if (json_is_array(allowed) && !oauth2_has_group(allowed, "authorization_code"))
        return refuse(call, "unauthorized_client", "This client may not ask for codes.");
    if (!bondy_realm_has_authmethod(call->realm, BONDY_SLICE("oauth2")))
        return refuse(call, "unauthorized_client", "This realm takes no access tokens.");
    return check_pkce(call);
}

/* ---- the code -------------------------------------------------------------------------------- */

static void look_user(struct oauth2_call *call, const struct bondy_store_view *view)
{
    call->has_user =
        bondy_user_resolve(view, call->realm, bondy_slice_text(call->authid), &call->user);
    if (!call->has_user || !oauth2_has_group(call->user.groups, OAUTH2_OWNERS)) {
        call->fault = (struct oauth2_fault){.status = 403, .code = "access_denied"};
        return;
    }
    call->new_code = (struct bondy_code_issue){
        .realm = bondy_slice_text(call->realm->uri),
        .client_id = bondy_slice_text(call->client_id),
        .redirect_uri = oauth2_param(call, BONDY_PARAM_REDIRECT_URI),
        .challenge = oauth2_param(call, BONDY_PARAM_CODE_CHALLENGE),
        .device_id = oauth2_param(call, BONDY_PARAM_DEVICE_ID),
    };
    bondy_code_prepare(&call->new_code, &call->user);
}

static int apply_code(struct oauth2_call *call)
{
    return bondy_code_apply_make(&call->edit, &call->new_code);
}

static void code_stored(struct oauth2_call *call)
{
    if (call->fault.status != 0)
        send_back(call, "error", "server_error", NULL);
    else if (call->job.rc < 0)
        send_back(call, "error", "access_denied", "The user is not what it was a moment ago.");
    else
        send_back(call, "code", call->new_code.text, NULL);
}

static void user_looked(struct oauth2_call *call)
{
    if (call->fault.status == 403) {
        send_back(call, "error", "access_denied", "The user is not in the group resource_owners.");
    } else if (call->fault.status != 0) {
        send_back(call, "error",
                  call->fault.status == 503 ? "temporarily_unavailable" : "server_error", NULL);
    } else {
        call->apply = apply_code;
        oauth2_apply(call, code_stored);
    }
}

/* ---- the form that came back ----------------------------------------------------------------- */

static void user_checked(struct oauth2_call *call)
{
    const struct bondy_login_answer *answer = oauth2_login_answer(call);

    call->fault.retry_after_s = oauth2_login_wait(call);
    if (answer->step == BONDY_LOGIN_WELCOME) {
        call->authid = bondy_memdup0(answer->identity.authid.data, answer->identity.authid.len);
        call->look = look_user;
        oauth2_look(call, user_looked);
    } else if (call->fault.retry_after_s != 0) {
        show_form(call, 429, "There were too many attempts. Please wait a moment.");
    } else {
        show_form(call, 401, "The user name or the password is wrong.");
    }
}

static bool comes_from_elsewhere(const struct bondy_request *request)
{
    struct bondy_slice site = bondy_request_header(request, "sec-fetch-site");

    return bondy_slice_is(site, "cross-site") || bondy_slice_is(site, "same-site");
}

static void take_form(struct oauth2_call *call, const struct bondy_request *request)
{
    struct bondy_slice name = oauth2_param(call, BONDY_PARAM_USERNAME);
    struct bondy_slice password = oauth2_param(call, BONDY_PARAM_PASSWORD);
    char cookie[OAUTH2_COOKIE_TEXT];

    if (comes_from_elsewhere(request) || !oauth2_cookie_find(request, cookie) ||
        !oauth2_csrf_fits(call, cookie, bondy_clock_wall_ms(),
                          oauth2_param(call, BONDY_PARAM_CSRF)))
        show_form(call, 403, "The form was too old, or cookies are off. Please try again.");
    else if (name.data == NULL || password.data == NULL)
        show_form(call, 400, "Please give a user name and a password.");
    else
        oauth2_login(call, name, password, user_checked);
}

/* ---- the client ------------------------------------------------------------------------------ */

static void look_client(struct oauth2_call *call, const struct bondy_store_view *view)
{
    oauth2_client_look(call, view);
}

static void client_looked(struct oauth2_call *call)
{
    const struct bondy_request *request = bondy_gateway_call_request(call->gateway);

    if (request == NULL) {
        oauth2_answer_response(call, NULL);
    } else if (call->fault.status == 401) {
        show_problem(call, 400, "This application is not known here.");
    } else if (call->fault.status != 0) {
        show_problem(call, call->fault.status, "Something went wrong. Please try again later.");
    } else if (!bondy_redirect_is_registered(call->client_meta,
                                             oauth2_param(call, BONDY_PARAM_REDIRECT_URI))) {
        show_problem(call, 400,
                     "The address that the application wants you to be sent back to is not one of "
                     "its registered ones.");
    } else if (check_request(call)) {
        if (bondy_request_method(request) == BONDY_METHOD_POST)
            take_form(call, request);
        else
            show_form(call, 200, NULL);
    }
}

/* Without these two nobody knows whom to tell. */
static bool lacks_addressee(const struct oauth2_call *call)
{
    return call->params.fault == BONDY_PARAMS_MALFORMED ||
           (call->params.fault != BONDY_PARAMS_SOUND &&
            (call->params.faulty == BONDY_PARAM_CLIENT_ID ||
             call->params.faulty == BONDY_PARAM_REDIRECT_URI)) ||
           oauth2_param(call, BONDY_PARAM_CLIENT_ID).data == NULL ||
           oauth2_param(call, BONDY_PARAM_REDIRECT_URI).data == NULL;
}

void oauth2_serve_authorize(void *context, struct bondy_gateway_call *gateway)
{
    const struct bondy_request *request = bondy_gateway_call_request(gateway);
    bool is_post = bondy_request_method(request) == BONDY_METHOD_POST;
    struct oauth2_call *call = oauth2_begin(
        context, gateway, is_post ? bondy_request_body(request) : bondy_request_query(request));
    struct bondy_slice client;

    if (call == NULL)
        return;
    if (lacks_addressee(call)) {
        show_problem(call, 400,
                     "The application that sent you here did not say clearly who it is and where "
                     "to send you back to.");
        return;
    }
    client = oauth2_param(call, BONDY_PARAM_CLIENT_ID);
    call->client_id = bondy_memdup0(client.data, client.len);
    call->is_absent = true;
    call->look = look_client;
    oauth2_look(call, client_looked);
}
