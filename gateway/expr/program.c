/* SPDX-License-Identifier: Apache-2.0 */
/* program: one value compiled alone, outside of any specification. */
#include "gateway/expr/compile.h"

#include "src/http/status.h"
#include "src/base/alloc.h"

struct bondy_expr_program {
    struct expr_pool *pool;
    const struct bondy_expr *root;
};

static const struct bondy_expr *compile(struct expr_compiler *compiler, const json_t *value,
                                        const json_t *variables)
{
    struct expr_scope *scope = bondy_expr_scope_create(NULL, BONDY_SLICE_EMPTY, variables, NULL);
    const struct bondy_expr *root;
    json_t *half;

    scope->status_codes = bondy_status_builtin();
    bondy_expr_mark_status(compiler, scope->status_codes);
    bondy_json_pointer_push(&compiler->pointer, BONDY_SLICE("value"));
    half = bondy_expr_half(compiler, scope, value);
    root = bondy_expr_finish(compiler, half);
    bondy_expr_scope_settle(compiler, scope);
    json_decref(half);
    bondy_expr_scope_destroy(scope);
    return root;
}

int bondy_expr_program_create(const json_t *value, const json_t *variables,
                              struct bondy_expr_program **out, json_t **problems)
{
    struct bondy_expr_program *program = bondy_zalloc(sizeof *program);
    struct bondy_findings findings;
    struct expr_compiler compiler;
    int rc = BONDY_OK;

    program->pool = bondy_expr_pool_create();
    bondy_findings_init(&findings);
    bondy_expr_compiler_init(&compiler, program->pool, &findings);
    program->root = compile(&compiler, value, variables);
    bondy_expr_compiler_fini(&compiler);
    if (json_array_size(findings.errors) > 0) {
        if (problems != NULL)
            *problems = json_incref(findings.errors);
        bondy_expr_program_destroy(program);
        rc = BONDY_EINVAL;
    } else {
        *out = program;
    }
    bondy_findings_fini(&findings);
    return rc;
}

void bondy_expr_program_destroy(struct bondy_expr_program *program)
{
    if (program == NULL)
        return;
    bondy_expr_pool_destroy(program->pool);
    bondy_free(program);
}

const struct bondy_expr *bondy_expr_program_root(const struct bondy_expr_program *program)
{
    return program->root;
}
