/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_GATEWAY_EXPR_FINDINGS_H
#define BONDY_GATEWAY_EXPR_FINDINGS_H

/* findings: what is wrong with a document, all of it, in the form of http-gateway.md 8.2. */

#include <stdbool.h>

#include "src/base/json.h"

/* Kept of each kind; more errors are counted. */
#define BONDY_FINDINGS_MAX 500

struct bondy_findings {
    json_t *errors;
    json_t *warnings;
    size_t dropped; /* errors beyond the limit */
};

struct bondy_finding {
    const char *code;       /* "unknown_operator" */
    const char *expected;   /* what would have been right; NULL: the message says it */
    const char *suggestion; /* "did you mean"; NULL: nothing near */
    size_t column;          /* in the string, from 1; 0: not about a place in a string */
    bool is_warning;
};

void bondy_findings_init(struct bondy_findings *findings);
void bondy_findings_fini(struct bondy_findings *findings);
/* Adds one; `pointer` is where. A suggestion is put behind the message too. */
void bondy_findings_add(struct bondy_findings *findings, struct bondy_slice pointer,
                        const struct bondy_finding *finding, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
