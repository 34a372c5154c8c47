/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_GATEWAY_SPEC_CHECK_H
#define BONDY_GATEWAY_SPEC_CHECK_H

/* check: what the parts of the specification loader share. Everything is looked at where the
 * compiler's pointer stands; values are half-evaluated (expr_compile.h), so a pointer follows the
 * evaluated document: what a variable brought in is reported where it is used.
 *
 * A check says everything that is wrong and goes on; whether anything was wrong is known at the
 * end. Poisoned values were reported before and pass every check in silence. */

#include "gateway/expr/compile.h"
#include "gateway/spec/spec.h"

struct spec_loader {
    const struct bondy_spec_env *env;
    struct bondy_findings findings;
    struct expr_compiler compiler;
    struct bondy_spec *spec;
    size_t segments; /* of the routes so far */
};

size_t bondy_check_enter(struct spec_loader *loader, const char *key);
size_t bondy_check_enter_index(struct spec_loader *loader, size_t index);
void bondy_check_leave(struct spec_loader *loader, size_t mark);

void bondy_check_fail(struct spec_loader *loader, const char *code, const char *expected,
                      const char *format, ...) __attribute__((format(printf, 4, 5)));
void bondy_check_warn(struct spec_loader *loader, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* At the member `key` of where the pointer stands. */
void bondy_check_fail_at(struct spec_loader *loader, const char *key, const char *code,
                         const char *expected, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

enum check_when { CHECK_NOW, CHECK_MAY_WAIT };

/* Whether there is a value of one of `types` here: false, reported, when not; false in silence when
 * it is NULL or poison. With CHECK_MAY_WAIT a deferred value that may become one is fine too. */
bool bondy_check_type(struct spec_loader *loader, const json_t *value, unsigned types,
                      enum check_when when);
/* The same for the member `key` of an object (value known): returns it, or NULL. */
json_t *bondy_check_member(struct spec_loader *loader, const json_t *object, const char *key,
                           unsigned types);
/* Refuses members that are neither known nor start with "x-". */
void bondy_check_keys(struct spec_loader *loader, const json_t *object, const char *const *known);
/* A text out of a set. */
bool bondy_check_word(struct spec_loader *loader, const json_t *value, const char *const *words);
/* An integer from `least` on. */
bool bondy_check_integer(struct spec_loader *loader, const json_t *value, json_int_t least);
bool bondy_check_duration(struct spec_loader *loader, const json_t *value, enum check_when when);
bool bondy_check_is_deferred(struct spec_loader *loader, const json_t *value);
/* 100..599, as a number or text. */
bool bondy_check_status(struct spec_loader *loader, const json_t *value, enum check_when when);

/* ---- subjects ------------------------------------------------------------------------------ */

/* Names and values of headers known at load (1.9). Returns the object with lower-case names. */
json_t *bondy_check_headers(struct spec_loader *loader, json_t *headers);
/* The same object with lower-case names, unchecked. The caller owns it. */
json_t *bondy_check_lower(struct spec_loader *loader, json_t *headers);
void bondy_check_media(struct spec_loader *loader, const json_t *list);
void bondy_check_schemes(struct spec_loader *loader, const json_t *list);
/* A list of texts, or nothing. */
void bondy_check_texts(struct spec_loader *loader, const json_t *object, const char *key);
void bondy_check_require(struct spec_loader *loader, const json_t *object, const char *key);
/* RFC 9110, Tokens: names of headers and cookies. */
bool bondy_check_is_token(const char *text);
/* 1.6 (security.c). */
void bondy_check_security(struct spec_loader *loader, const json_t *security);
/* Warns of a realm that takes no logins of the kind that its paths ask for; the whole is loaded. */
void bondy_check_realm_methods(struct spec_loader *loader);
/* Keys of 1.11 that are refused until they are built, their content checked all the same. */
void bondy_check_later(struct spec_loader *loader, const json_t *object);
/* The known keys of `defaults`, in the object or (is_direct) on a path. */
void bondy_check_defaults(struct spec_loader *loader, struct expr_scope *scope);
/* `status_codes` of a level, merged into the scope. */
void bondy_check_status_codes(struct spec_loader *loader, struct expr_scope *scope,
                              const json_t *source);

/* Checks and compiles one operation; `half` is its evaluated value. */
void bondy_check_operation(struct spec_loader *loader, struct expr_scope *scope, json_t *half,
                           struct bondy_operation *out);
void bondy_check_action(struct spec_loader *loader, struct expr_scope *scope, const json_t *action,
                        struct bondy_operation *out);
void bondy_check_response(struct spec_loader *loader, struct expr_scope *scope,
                          const json_t *response, struct bondy_operation *out);
/* Compiles the member `key` of `object`, of one of `types` when known; NULL when there is none. */
const struct bondy_expr *bondy_check_compile(struct spec_loader *loader, const json_t *object,
                                             const char *key, unsigned types);
const struct bondy_expr *bondy_check_constant(struct spec_loader *loader, json_t *taken);
/* Reports expressions below the pointer that read what is never there (`never`, an error) or is
 * not there as things stand (`hardly`, a warning): BONDY_ROOT_* bits. */
void bondy_check_roots(struct spec_loader *loader, const json_t *value, unsigned never,
                       unsigned hardly);
/* The value of a default at this place, evaluated, borrowed; NULL when poisoned or not there. */
json_t *bondy_check_default(struct spec_loader *loader, struct expr_scope *scope, const char *key);
/* Whether it was written in the document. */
bool bondy_check_is_written(const struct expr_scope *scope, const char *key);
/* The defaults that every document starts from (table 1.2). The caller owns them. */
json_t *bondy_check_builtin_defaults(void);

#endif
