# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += gateway/libgateway.a
gateway_libgateway_a_SOURCES = \
	gateway/access.c gateway/access.h \
	gateway/action_call.c \
	gateway/action_endpoint.c \
	gateway/action_publish.c \
	gateway/action_static.c \
	gateway/admission.c \
	gateway/answer.c \
	gateway/body.c \
	gateway/catalog/catalog.c gateway/catalog/catalog.h \
	gateway/catalog/file.c \
	gateway/catalog/groups.c \
	gateway/catalog/load.c \
	gateway/catalog/record.c gateway/catalog/record.h \
	gateway/challenge.c \
	gateway/context.c \
	gateway/cors.c gateway/cors.h \
	gateway/draft.c gateway/draft.h \
	gateway/endpoint.h \
	gateway/exchange.c gateway/exchange.h \
	gateway/expr/compile.c gateway/expr/compile.h \
	gateway/expr/eval.c \
	gateway/expr/expr.h \
	gateway/expr/field.c \
	gateway/expr/fold.c \
	gateway/expr/local.h \
	gateway/expr/ops.c gateway/expr/ops.h \
	gateway/expr/ops_text.c \
	gateway/expr/parse.c \
	gateway/expr/parser.c gateway/expr/parser.h \
	gateway/expr/path.c \
	gateway/expr/pool.c \
	gateway/expr/program.c \
	gateway/expr/regex.c \
	gateway/expr/scope.c \
	gateway/expr/text.c \
	gateway/expr/value.c \
	gateway/form.c gateway/form.h \
	gateway/gateway.c gateway/gateway.h \
	gateway/send.c \
	gateway/session.c \
	gateway/spec/check.c gateway/spec/check.h \
	gateway/spec/check_action.c \
	gateway/spec/check_parts.c \
	gateway/spec/check_response.c \
	gateway/spec/default.c \
	gateway/expr/findings.c gateway/expr/findings.h \
	gateway/spec/local.h \
	gateway/spec/oauth2.c \
	gateway/spec/pattern.c gateway/spec/pattern.h \
	gateway/spec/pattern_split.c \
	gateway/spec/routes.c \
	gateway/spec/security.c \
	gateway/spec/spec.c gateway/spec/spec.h \
	gateway/spec/table.c gateway/spec/table.h \
	gateway/spec/table_local.h \
	gateway/spec/version.c
