/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/problem.h"

#include <stdarg.h>
#include <stdio.h>

#include "src/base/utf8.h"

json_t *bondy_problem(const char *code, const char *message, const char *description)
{
    return json_pack("{s:s, s:s, s:s}", "code", code, "message", message, "description",
                     description);
}

json_t *bondy_problem_format(const char *code, const char *format, ...)
{
    char message[512];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    /* A value that was cut in the middle of a character is no JSON string. */
    for (size_t len = strlen(message); !bondy_utf8_is_valid(bondy_slice_text(message)) && len > 0;)
        message[--len] = '\0';
    return bondy_problem(code, message, "");
}

json_t *bondy_problem_of_list(json_t *problems)
{
    size_t count = json_array_size(problems);
    json_t *problem;
    char description[80];

    if (count == 0) {
        json_decref(problems);
        return NULL;
    }
    if (count == 1) {
        problem = json_incref(json_array_get(problems, 0));
        json_decref(problems);
        return problem;
    }
    if (count >= BONDY_PROBLEMS_SHOWN) {
        snprintf(description, sizeof description,
                 "There were %d validation errors or more: here are the first.",
                 BONDY_PROBLEMS_SHOWN);
        while (json_array_size(problems) > BONDY_PROBLEMS_SHOWN)
            json_array_remove(problems, json_array_size(problems) - 1);
    } else {
        snprintf(description, sizeof description, "There were %zu validation errors.", count);
    }
    problem = bondy_problem("bondy.error.invalid_data", "Invalid data.", description);
    json_object_set_new(problem, "errors", problems);
    return problem;
}

const char *bondy_problem_code(const json_t *problem)
{
    const char *code = json_string_value(json_object_get(problem, "code"));

    return code == NULL ? "" : code;
}
