/* SPDX-License-Identifier: Apache-2.0 */
/* regex: matches(re). Patterns are written by whoever writes specifications, subjects by
 * anybody: no pattern may cost more than the limits below, whatever it is given (threat-model P10).
 */
#include "gateway/expr/local.h"

#include "src/base/alloc.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define MAX_PATTERN_LEN 1024
#define MATCH_LIMIT 200000
#define DEPTH_LIMIT 5000
#define HEAP_LIMIT_KIB 1024

struct expr_regex {
    pcre2_code *code;
    pcre2_match_context *limits;
};

int bondy_expr_regex_compile(struct bondy_slice text, struct expr_regex **out,
                             struct bondy_error *err)
{
    pcre2_compile_context *context;
    pcre2_code *code;
    PCRE2_SIZE at = 0;
    int problem = 0;
    PCRE2_UCHAR message[160] = "";

    if (text.len > MAX_PATTERN_LEN)
        return bondy_fail(err, BONDY_EINVAL, "longer than %d octets", MAX_PATTERN_LEN);
    context = pcre2_compile_context_create(NULL);
    pcre2_set_parens_nest_limit(context, 32);
    code = pcre2_compile((PCRE2_SPTR)text.data, text.len,
                         PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_NEVER_UCP, &problem, &at,
                         context);
    pcre2_compile_context_free(context);
    if (code == NULL) {
        pcre2_get_error_message(problem, message, sizeof message);
        return bondy_fail(err, BONDY_EINVAL, "%s at offset %zu", (const char *)message, at);
    }
    *out = bondy_alloc(sizeof **out);
    (*out)->code = code;
    (*out)->limits = pcre2_match_context_create(NULL);
    pcre2_set_match_limit((*out)->limits, MATCH_LIMIT);
    pcre2_set_depth_limit((*out)->limits, DEPTH_LIMIT);
    pcre2_set_heap_limit((*out)->limits, HEAP_LIMIT_KIB);
    return BONDY_OK;
}

void bondy_expr_regex_destroy(struct expr_regex *regex)
{
    if (regex == NULL)
        return;
    pcre2_match_context_free(regex->limits);
    pcre2_code_free(regex->code);
    bondy_free(regex);
}

int bondy_expr_regex_match(const struct expr_regex *regex, struct bondy_slice text)
{
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    int rc = pcre2_match(regex->code, (PCRE2_SPTR)(text.data == NULL ? "" : text.data), text.len, 0,
                         PCRE2_NO_UTF_CHECK, data, regex->limits);

    pcre2_match_data_free(data);
    if (rc == PCRE2_ERROR_NOMATCH)
        return 0;
    return rc >= 0 ? 1 : BONDY_ELIMIT;
}
