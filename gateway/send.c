/* SPDX-License-Identifier: Apache-2.0 */

/* send: answers on their way out, with what every answer of the listener and the version has, and
 * the gateway's own refusals. http-gateway.md 7.3. */

#include "gateway/draft.h"
#include "gateway/exchange.h"
#include "src/base/alloc.h"

static void put_version(const struct bondy_exchange *exchange, struct bondy_response *response)
{
    const struct bondy_version *version = exchange->operation->path->version;

    if (version->deprecation != NULL)
        bondy_response_set_header(response, "deprecation", bondy_slice_text(version->deprecation),
                                  NULL);
    if (version->sunset != NULL)
        bondy_response_set_header(response, "sunset", bondy_slice_text(version->sunset), NULL);
    if (version->languages.count > 1 && exchange->language != NULL &&
        !bondy_response_has_header(response, "content-language"))
        bondy_response_header(response, "content-language", bondy_slice_text(exchange->language),
                              NULL);
}

void bondy_exchange_challenge(const struct bondy_exchange *exchange, unsigned status,
                              struct bondy_response *response)
{
    if (status == 401 && !bondy_response_has_header(response, "www-authenticate"))
        bondy_access_challenge(exchange, response);
}

/* ---- sending --------------------------------------------------------------------------------- */

void bondy_exchange_answer(struct bondy_exchange *exchange, struct bondy_response *response)
{
    struct bondy_request *request = BONDY_MOVE(exchange->request);

    if (exchange->operation != NULL)
        put_version(exchange, response);
    if (!exchange->path->is_page)
        bondy_cors_apply(&exchange->listener->cors, request, response);
    bondy_request_set_user(request, NULL);
    bondy_response_send(request, response);
    bondy_exchange_end(exchange);
}

struct bondy_response *bondy_exchange_problem(const struct bondy_exchange *exchange,
                                              const struct bondy_problem *problem)
{
    static const struct bondy_media json = {BONDY_MEDIA_JSON, (char *)"application/json"};
    static const struct bondy_media rfc9457 = {BONDY_MEDIA_OTHER,
                                               (char *)"application/problem+json"};
    const struct bondy_media *media = exchange->media;
    bool as_rfc9457 = bondy_problem_is_wanted(exchange->request) ||
                      (exchange->operation != NULL && exchange->operation->problem_details);
    struct bondy_draft draft = {.status = problem->status};
    struct bondy_response *response = bondy_response_create(problem->status);

    if (as_rfc9457)
        media = &rfc9457;
    else if (media == NULL ||
             (media->kind != BONDY_MEDIA_MSGPACK && media->kind != BONDY_MEDIA_CBOR))
        media = &json;
    draft.body = bondy_problem_tree(exchange->request, problem, as_rfc9457);
    bondy_draft_encode(&draft, media, response);
    bondy_draft_fini(&draft);
    bondy_exchange_challenge(exchange, problem->status, response);
    return response;
}

void bondy_exchange_refuse(struct bondy_exchange *exchange, const struct bondy_problem *problem)
{
    bondy_exchange_answer(exchange, bondy_exchange_problem(exchange, problem));
}
