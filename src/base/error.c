/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int bondy_fail(struct bondy_error *err, int code, const char *format, ...)
{
    va_list args;

    if (err == NULL)
        return code;
    err->code = code;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return code;
}

int bondy_wrap(struct bondy_error *err, const char *format, ...)
{
    char inner[sizeof err->text];
    va_list args;
    size_t len;

    if (err == NULL)
        return BONDY_EINVAL;
    memcpy(inner, err->text, sizeof inner);
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    len = strlen(err->text);
    snprintf(err->text + len, sizeof err->text - len, ": %s", inner);
    return err->code;
}

const char *bondy_code_name(int code)
{
    static const char *const names[] = {
        "BONDY_OK",        "BONDY_EINVAL",  "BONDY_ENOENT", "BONDY_EEXIST",
        "BONDY_ELIMIT",    "BONDY_EPROTO",  "BONDY_EIO",    "BONDY_ESTATE",
        "BONDY_ECONFLICT", "BONDY_EDENIED", "BONDY_EAGAIN", "BONDY_EUNSUPPORTED",
    };

    if (code > 0 || -code >= (int)(sizeof names / sizeof names[0]))
        return "unknown code";
    return names[-code];
}
