/* SPDX-License-Identifier: Apache-2.0 */

/* answer: what clients are told: JSON with Bondy's members and those of RFC 6749, 5.2. */

#include <stdio.h>

#include "gateway/oauth2/call.h"
#include "src/base/alloc.h"
#include "src/base/metric.h"

#define JSON "application/json; charset=utf-8"

/* ---- parts ----------------------------------------------------------------------------------- */

void oauth2_no_store(struct bondy_response *response)
{
    bondy_response_set_header(response, "cache-control", BONDY_SLICE("no-store"), NULL);
    bondy_response_set_header(response, "pragma", BONDY_SLICE("no-cache"), NULL);
}

struct bondy_response *oauth2_json(unsigned status, const json_t *body, const char *content_type)
{
    struct bondy_response *response = bondy_response_create(status);
    struct bondy_buf text = BONDY_BUF_EMPTY;

    bondy_json_format(body, &text);
    bondy_response_body(response, &text, content_type);
    return response;
}

static void set_challenge(struct bondy_response *response, const char *realm)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;

    bondy_buf_append_text(&text, "Basic realm=\"");
    for (; *realm != 0; realm++) {
        if (*realm == '"' || *realm == '\\')
            bondy_buf_append_byte(&text, '\\');
        bondy_buf_append_byte(&text, (unsigned char)*realm);
    }
    bondy_buf_append_text(&text, "\", charset=\"UTF-8\"");
    bondy_response_set_header(response, "www-authenticate", bondy_buf_slice(&text), NULL);
    bondy_buf_fini(&text);
}

/* Clients of others show error_description alone, which is the message: it names the parameter. */
static json_t *name_fault(const struct oauth2_fault *fault)
{
    return fault->key == NULL ? json_string(fault->message)
                              : json_sprintf("%s (%s)", fault->message, fault->key);
}

static struct bondy_response *make_refusal(const struct oauth2_fault *fault, const char *realm)
{
    json_t *message = name_fault(fault);
    json_t *body = json_pack("{s:s, s:O, s:s, s:s, s:o}", "code", fault->code, "message", message,
                             "description", fault->description == NULL ? "" : fault->description,
                             "error", fault->code, "error_description", message);
    struct bondy_response *response;

    if (fault->key != NULL)
        json_object_set_new(body, "key", json_string(fault->key));
    response = oauth2_json(fault->status, body, JSON);
    json_decref(body);
    oauth2_no_store(response);
    if (fault->status == 401)
        set_challenge(response, realm);
    if (fault->retry_after_s != 0)
        bondy_response_retry_after(response, fault->retry_after_s);
    return response;
}

/* ---- ends ------------------------------------------------------------------------------------ */

void oauth2_answer_response(struct oauth2_call *call, struct bondy_response *response)
{
    bondy_gateway_call_answer(call->gateway, response);
    oauth2_end(call);
}

static void count_refusal(const struct oauth2_call *call)
{
    static const char *const labels[] = {"realm", "error", NULL};
    static const struct bondy_metric_family family = {
        .name = "bondy_oauth2_errors_total",
        .help = "Requests to the OAuth2 endpoints that were refused, by error code.",
        .type = BONDY_METRIC_COUNTER,
        .labels = labels,
    };

    bondy_metric_add(
        bondy_metric_series(&family, (const char *const[]){call->realm->uri, call->fault.code}), 1);
}

void oauth2_refuse(struct oauth2_call *call)
{
    count_refusal(call);
    oauth2_answer_response(call, make_refusal(&call->fault, call->realm->uri));
}

void oauth2_answer(struct oauth2_call *call, json_t *body)
{
    struct bondy_response *response = oauth2_json(200, body, JSON);

    json_decref(body);
    oauth2_no_store(response);
    oauth2_answer_response(call, response);
}

void oauth2_refuse_early(struct bondy_gateway_call *gateway, const struct oauth2_fault *fault)
{
    const struct bondy_operation *operation = bondy_gateway_call_operation(gateway);

    bondy_gateway_call_answer(gateway,
                              make_refusal(fault, operation->path->version->spec->realm_uri));
}

/* ---- parameters ------------------------------------------------------------------------------ */

static void blame_params(struct oauth2_call *call)
{
    static const char *const messages[] = {
        [BONDY_PARAMS_MALFORMED] = "The parameters are malformed.",
        [BONDY_PARAMS_TWICE] = "A parameter is there twice.",
        [BONDY_PARAMS_TOO_LONG] = "A parameter is too long.",
    };

    call->fault = (struct oauth2_fault){
        .status = 400, .code = "invalid_request", .message = messages[call->params.fault]};
    if (call->params.faulty != BONDY_PARAMS)
        call->fault.key = bondy_oauth2_param_name(call->params.faulty);
}

bool oauth2_lacks(struct oauth2_call *call, const enum bondy_oauth2_param *required)
{
    if (call->params.fault != BONDY_PARAMS_SOUND) {
        blame_params(call);
        return true;
    }
    for (; *required != BONDY_PARAMS; required++) {
        if (oauth2_param(call, *required).data != NULL)
            continue;
        call->fault = (struct oauth2_fault){.status = 400,
                                            .code = "invalid_request",
                                            .message = "A required parameter is missing.",
                                            .key = bondy_oauth2_param_name(*required)};
        return true;
    }
    return false;
}

/* ---- values ---------------------------------------------------------------------------------- */

json_t *oauth2_scope(const json_t *groups, char separator)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    json_t *name, *scope;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)groups, i, name)
    {
        if (i > 0)
            bondy_buf_append_byte(&text, (unsigned char)separator);
        bondy_buf_append(&text, json_string_value(name), json_string_length(name));
    }
    scope = bondy_json_slice(bondy_buf_slice(&text));
    bondy_buf_fini(&text);
    return scope;
}

/* ---- audit ----------------------------------------------------------------------------------- */

void oauth2_audit(struct oauth2_call *call, const char *action, enum bondy_audit_outcome outcome,
                  const char *target, struct bondy_slice reason)
{
    const struct bondy_audit_entry entry = {
        .action = action,
        .outcome = outcome,
        .realm = bondy_slice_text(call->realm->uri),
        .actor = bondy_slice_text(call->authid != NULL ? call->authid : call->client_id),
        .target = bondy_slice_text(target),
        .reason = reason,
        .source_ip = bondy_slice_text(call->source),
        .request_id = bondy_slice_text(call->request_id),
    };

    bondy_audit_write(call->oauth2->options.audit, &entry, NULL);
}
