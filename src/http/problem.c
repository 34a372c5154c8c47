/* SPDX-License-Identifier: Apache-2.0 */

/* problem: bodies of refusals: the object of http-gateway.md 7.3, or RFC 9457 when asked for. */

#include "src/base/json.h"
#include "src/http/internal.h"
#include "src/http/negotiate.h"

bool bondy_request_accepts_problem(const struct bondy_request *request)
{
    struct bondy_slice accept =
        request == NULL ? BONDY_SLICE_EMPTY : bondy_request_header(request, "accept");

    return accept.data != NULL && bondy_accept_names(accept, "application/problem+json");
}

/* Text that a client sent may stand in a message: JSON takes valid UTF-8 only. */
static json_t *text(const char *value)
{
    json_t *string = json_string(value == NULL ? "" : value);

    return string != NULL ? string : json_string("");
}

static json_t *as_problem(const struct bondy_request *request, unsigned status, const char *code,
                          const char *message, const char *description)
{
    json_t *body = json_object();
    char buffer[BONDY_REQUEST_ID_MAX + 16];

    bondy_json_with(body, "type", json_sprintf("urn:wamp:error:%s", code));
    bondy_json_with(body, "title", text(message));
    bondy_json_with(body, "status", json_integer((json_int_t)status));
    bondy_json_with(body, "detail", text(description));
    if (request != NULL && request->id_is_ours) {
        snprintf(buffer, sizeof buffer, "urn:uuid:%s", request->id);
        bondy_json_with(body, "instance", json_string(buffer));
    }
    bondy_json_with(body, "code", text(code));
    return body;
}

struct bondy_response *bondy_problem_response(const struct bondy_request *request, unsigned status,
                                              const char *code, const char *message,
                                              const char *description, const json_t *extra)
{
    struct bondy_response *response = bondy_response_create(status);
    bool is_problem = bondy_request_accepts_problem(request);
    struct bondy_buf out = BONDY_BUF_EMPTY;
    json_t *body;

    if (is_problem) {
        body = as_problem(request, status, code, message, description);
    } else {
        body = json_object();
        bondy_json_with(body, "code", text(code));
        bondy_json_with(body, "message", text(message));
        bondy_json_with(body, "description", text(description));
    }
    if (extra != NULL)
        json_object_update_missing(body, (json_t *)extra);
    bondy_json_format(body, &out);
    json_decref(body);
    bondy_response_body(response, &out,
                        is_problem ? "application/problem+json"
                                   : "application/json; charset=utf-8");
    return response;
}

void bondy_response_problem(struct bondy_request *request, unsigned status, const char *code,
                            const char *message, const char *description, const json_t *extra)
{
    bondy_response_send(request,
                        bondy_problem_response(request, status, code, message, description, extra));
}
