/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_expr: a string of a specification: compiled, then evaluated against a request. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "gateway/expr/expr.h"
#include "src/base/id.h"
#include "src/base/utf8.h"

static json_t *variables;
static json_t *values[BONDY_FIELDS];

static json_t *field_of(void *context, enum bondy_field field)
{
    (void)context;
    return values[field];
}

static void prepare(void)
{
    if (variables != NULL)
        return;
    if (bondy_id_start(NULL) < 0)
        abort();
    variables = json_pack("{s:i, s:s, s:{s:i, s:s}, s:[i,s,n], s:s, s:s, s:[s,s], s:s}", "n", 3,
                          "b", "k", "a", "k", 7, "t", "{{request.body}}", "l", 1, "x", "p",
                          "{{request.body.list}}", "v", "{{variables.w}}", "d", "{{variables.p}}",
                          "{{variables.p}}", "w", "{{variables.v}}");
    for (unsigned f = 0; f < BONDY_FIELDS; f++)
        values[f] = json_pack("{s:s, s:[i,i,s], s:f}", "name", "{{variables.n}}", "list", 1, 2, "z",
                              "f", 2.5);
    json_decref(values[BONDY_FIELD_REQUEST_ID]);
    values[BONDY_FIELD_REQUEST_ID] = json_string("'id");
    json_decref(values[BONDY_FIELD_SECURITY_META]);
    values[BONDY_FIELD_SECURITY_META] = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bondy_slice text = bondy_slice_of(data, size);
    struct bondy_expr_program *program = NULL;
    struct bondy_expr_source source = {field_of, NULL};
    struct bondy_expr_error error;
    json_t *problems = NULL;
    json_t *out = NULL;
    json_t *value;

    prepare();
    if (!bondy_utf8_is_valid(text))
        return 0;
    value = json_stringn((const char *)data, size);
    if (bondy_expr_program_create(value, variables, &program, &problems) == BONDY_OK) {
        if (bondy_expr_eval(bondy_expr_program_root(program), &source, &out, &error) < 0 &&
            !bondy_utf8_is_valid(bondy_slice_text(error.message)))
            abort();
    } else if (json_array_size(problems) == 0) {
        abort();
    }
    json_decref(out);
    json_decref(problems);
    json_decref(value);
    bondy_expr_program_destroy(program);
    return 0;
}
