/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/expr/findings.h"

#include <stdarg.h>
#include <stdio.h>

#include "src/base/utf8.h"

void bondy_findings_init(struct bondy_findings *findings)
{
    findings->errors = json_array();
    findings->warnings = json_array();
    findings->dropped = 0;
}

void bondy_findings_fini(struct bondy_findings *findings)
{
    json_decref(findings->errors);
    json_decref(findings->warnings);
}

/* printf may have cut a character in two. */
static json_t *valid_text(const char *text)
{
    struct bondy_slice whole = bondy_slice_text(text);

    while (whole.len > 0 && !bondy_utf8_is_valid(whole))
        whole.len--;
    return json_stringn(whole.data, whole.len);
}

void bondy_findings_add(struct bondy_findings *findings, struct bondy_slice pointer,
                        const struct bondy_finding *finding, const char *format, ...)
{
    json_t *list = finding->is_warning ? findings->warnings : findings->errors;
    char message[1024];
    size_t len;
    json_t *item;
    va_list args;

    if (json_array_size(list) >= BONDY_FINDINGS_MAX) {
        findings->dropped += !finding->is_warning;
        return;
    }
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    len = strlen(message);
    if (finding->suggestion != NULL)
        snprintf(message + len, sizeof message - len, "; did you mean '%s'?", finding->suggestion);
    item = json_object();
    json_object_set_new(item, "pointer",
                        json_stringn(pointer.data ? pointer.data : "", pointer.len));
    json_object_set_new(item, "code", json_string(finding->code));
    json_object_set_new(item, "message", valid_text(message));
    if (finding->expected != NULL)
        json_object_set_new(item, "expected", json_string(finding->expected));
    if (finding->suggestion != NULL)
        json_object_set_new(item, "suggestion", json_string(finding->suggestion));
    if (finding->column > 0)
        json_object_set_new(item, "column", json_integer((json_int_t)finding->column));
    json_array_append_new(list, item);
}
