/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_GATEWAY_DRAFT_H
#define BONDY_GATEWAY_DRAFT_H

/* draft: what an answer is made of, and how it becomes headers and octets. http-gateway.md 1.9.
 * Internal to the gateway. */

#include "gateway/spec/spec.h"
#include "src/http/response.h"

/* Evaluated values; owned. */
struct bondy_draft {
    unsigned status; /* 0: not said */
    json_t *headers;
    json_t *body;
    json_t *uri;
    bool sniffs_json; /* a text body that is JSON is sent as that JSON */
};

void bondy_draft_fini(struct bondy_draft *draft);
/* Writes the body, unless it is empty or the status has none; a content-type among the headers says
 * how, otherwise `media` does. */
void bondy_draft_encode(const struct bondy_draft *draft, const struct bondy_media *media,
                        struct bondy_response *response);
/* Adds an object of headers. BONDY_EINVAL: one of them cannot be set (threat-model H3). */
int bondy_draft_headers(struct bondy_response *response, const json_t *headers,
                        struct bondy_error *err);

/* No body: absent, or an empty text. */
static inline bool bondy_draft_is_empty(const json_t *body)
{
    return body == NULL || (json_is_string(body) && json_string_length(body) == 0);
}

#endif
