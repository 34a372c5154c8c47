/* SPDX-License-Identifier: Apache-2.0 */
#include "src/http/problem.h"

#include "src/base/json.h"
#include "src/http/internal.h"
#include "src/http/negotiate.h"

bool bondy_problem_is_wanted(const struct bondy_request *request)
{
    struct bondy_slice accept =
        request == NULL ? BONDY_SLICE_EMPTY : bondy_request_header(request, "accept");

    return accept.data != NULL && bondy_accept_names(accept, "application/problem+json");
}

/* Text from a client may stand in a message, and JSON takes valid UTF-8 only. */
static json_t *text(const char *value)
{
    json_t *string = json_string(value == NULL ? "" : value);

    return string != NULL ? string : json_string("");
}

/* Short codes are no URIs yet: http-gateway.md 7.3. */
static json_t *type_of(const char *code)
{
    json_t *type = json_sprintf("urn:wamp:error:%s", code == NULL ? "" : code);

    return type != NULL ? type : json_string("about:blank");
}

static json_t *as_problem(const struct bondy_request *request, const struct bondy_problem *problem)
{
    json_t *body = json_object();

    bondy_json_with(body, "type", type_of(problem->code));
    bondy_json_with(body, "title", text(problem->message));
    bondy_json_with(body, "status", json_integer((json_int_t)problem->status));
    bondy_json_with(body, "detail", text(problem->description));
    if (request != NULL && request->id_is_ours)
        bondy_json_with(body, "instance", json_sprintf("urn:uuid:%s", request->id));
    bondy_json_with(body, "code", text(problem->code));
    return body;
}

json_t *bondy_problem_tree(const struct bondy_request *request, const struct bondy_problem *problem,
                           bool as_rfc9457)
{
    json_t *body;

    if (as_rfc9457) {
        body = as_problem(request, problem);
    } else {
        body = json_object();
        bondy_json_with(body, "code", text(problem->code));
        bondy_json_with(body, "message", text(problem->message));
        bondy_json_with(body, "description", text(problem->description));
    }
    if (problem->extra != NULL)
        json_object_update_missing(body, (json_t *)problem->extra);
    return body;
}

struct bondy_response *bondy_problem_create(const struct bondy_request *request,
                                            const struct bondy_problem *problem)
{
    struct bondy_response *response = bondy_response_create(problem->status);
    bool as_rfc9457 = bondy_problem_is_wanted(request);
    struct bondy_buf out = BONDY_BUF_EMPTY;
    json_t *body = bondy_problem_tree(request, problem, as_rfc9457);

    bondy_json_format(body, &out);
    json_decref(body);
    bondy_response_body(response, &out,
                        as_rfc9457 ? "application/problem+json"
                                   : "application/json; charset=utf-8");
    return response;
}

struct bondy_response *bondy_problem_response(const struct bondy_request *request, unsigned status,
                                              const char *code, const char *message)
{
    return bondy_problem_create(
        request, &(struct bondy_problem){.status = status, .code = code, .message = message});
}

void bondy_response_problem(struct bondy_request *request, unsigned status, const char *code,
                            const char *message, const char *description, const json_t *extra)
{
    bondy_response_send(
        request, bondy_problem_create(request, &(struct bondy_problem){.status = status,
                                                                       .code = code,
                                                                       .message = message,
                                                                       .description = description,
                                                                       .extra = extra}));
}
