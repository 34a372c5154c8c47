/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_HTTP_PROBLEM_H
#define BONDY_HTTP_PROBLEM_H

/* problem: bodies of refusals: the object of http-gateway.md 7.3, or RFC 9457. */

#include "src/http/response.h"

/* What is refused, in words for the program and for the person. Texts are borrowed; NULL is "". */
struct bondy_problem {
    unsigned status;
    const char *code; /* an error URI or a short code */
    const char *message;
    const char *description;
    const json_t *extra; /* members to add, borrowed; NULL none */
};

/* Whether the client's Accept names application/problem+json. */
bool bondy_problem_is_wanted(const struct bondy_request *request);
/* The body as a tree that the caller owns; `as_rfc9457` chooses the form. */
json_t *bondy_problem_tree(const struct bondy_request *request, const struct bondy_problem *problem,
                           bool as_rfc9457);
/* The whole answer, JSON, in the form that the client wants; the caller owns it. `request` may be
 * NULL. */
struct bondy_response *bondy_problem_create(const struct bondy_request *request,
                                            const struct bondy_problem *problem);

#endif
