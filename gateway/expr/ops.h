/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_GATEWAY_EXPR_OPS_H
#define BONDY_GATEWAY_EXPR_OPS_H

/* The operators that live beside the table of expr_ops.c: on text and numbers. */

#include "gateway/expr/local.h"

int bondy_expr_op_integer(struct expr_call *call, json_t *left, json_t **out);
int bondy_expr_op_float(struct expr_call *call, json_t *left, json_t **out);
int bondy_expr_op_string(struct expr_call *call, json_t *left, json_t **out);
int bondy_expr_op_abs(struct expr_call *call, json_t *left, json_t **out);
int bondy_expr_op_boolean(struct expr_call *call, json_t *left, json_t **out);
int bondy_expr_op_not(struct expr_call *call, json_t *left, json_t **out);
int bondy_expr_op_lower(struct expr_call *call, json_t *left, json_t **out);
int bondy_expr_op_upper(struct expr_call *call, json_t *left, json_t **out);
int bondy_expr_op_trim(struct expr_call *call, json_t *left, json_t **out);
int bondy_expr_op_split(struct expr_call *call, json_t *left, json_t **out);
int bondy_expr_op_join(struct expr_call *call, json_t *left, json_t **out);
int bondy_expr_op_json(struct expr_call *call, json_t *left, json_t **out);
int bondy_expr_op_parse_json(struct expr_call *call, json_t *left, json_t **out);
int bondy_expr_op_base64(struct expr_call *call, json_t *left, json_t **out);
int bondy_expr_op_unbase64(struct expr_call *call, json_t *left, json_t **out);
int bondy_expr_op_url_encode(struct expr_call *call, json_t *left, json_t **out);
int bondy_expr_op_url_query(struct expr_call *call, json_t *left, json_t **out);
int bondy_expr_op_matches(struct expr_call *call, json_t *left, json_t **out);

#endif
