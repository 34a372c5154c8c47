/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_BASE_PROBLEM_H
#define BONDY_BASE_PROBLEM_H

/* problem: the error object of the admin APIs: {code, message, description} and more.
 * admin-http-api.md 7.1. The caller owns what is returned. */

#include <jansson.h>

json_t *bondy_problem(const char *code, const char *message, const char *description);
/* The message made like printf does. */
json_t *bondy_problem_format(const char *code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
#define BONDY_PROBLEMS_SHOWN 100
/* One object for a list of them (taken): a single one stands for itself, several become
 * bondy.error.invalid_data with `errors`, of which the first BONDY_PROBLEMS_SHOWN are kept: a
 * document of a million wrong users is no reason for an answer as long. NULL when the list is
 * empty.
 */
json_t *bondy_problem_of_list(json_t *problems);
/* What `code` says, or "". */
const char *bondy_problem_code(const json_t *problem);

#endif
