/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/log.h"

#include <unistd.h>

#include "src/base/clock.h"

enum bondy_log_level bondy_log_threshold = BONDY_LOG_INFO;

static void append_field(struct bondy_buf *line, const struct bondy_field *field)
{
    bondy_buf_printf(line, " %s=", field->name);
    switch (field->type) {
    case BONDY_FIELD_SLICE:
        bondy_buf_append_slice(line, field->value.slice);
        break;
    case BONDY_FIELD_U64:
        bondy_buf_printf(line, "%llu", (unsigned long long)field->value.u64);
        break;
    case BONDY_FIELD_I64:
        bondy_buf_printf(line, "%lld", (long long)field->value.i64);
        break;
    case BONDY_FIELD_F64:
        bondy_buf_printf(line, "%g", field->value.f64);
        break;
    case BONDY_FIELD_BOOL:
        bondy_buf_append_text(line, field->value.flag ? "true" : "false");
        break;
    case BONDY_FIELD_REDACTED:
        bondy_buf_append_text(line, "***");
        break;
    }
}

void bondy_log_write(enum bondy_log_level level, const char *file, const char *function, int line,
                     const char *event, const struct bondy_field *fields, size_t count)
{
    static const char *const levels[] = {"error", "warning", "info", "debug"};
    struct bondy_buf text = BONDY_BUF_EMPTY;
    char when[25];

    bondy_clock_format(bondy_clock_wall_ms(), when);
    bondy_buf_printf(&text, "when=%s level=%s at=%s:%s/%d event=%s", when, levels[level], file,
                     function, line, event);
    for (size_t i = 0; i < count; i++)
        append_field(&text, &fields[i]);
    bondy_buf_append_byte(&text, '\n');
    if (write(STDERR_FILENO, text.data, text.len) < 0) {
        /* Nobody is left to tell. */
    }
    bondy_buf_fini(&text);
}
