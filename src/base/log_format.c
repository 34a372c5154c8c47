/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/base/utf8.h"

/* operations, Format `logfmt`: the fields in this order, all others between `serializer` and
 * `version` as they were given. A value is escaped so that nothing a peer sent can begin a line or
 * a field, or reach a terminal as a control character. */

#define TAIL_BYTES 32 /* kept free for the mark of a line that was cut, and the newline */
#define MOST_FIELDS 64

static const char *const first_fields[] = {
    "description", "reason",    "id",       "span_id",    "trace_id",   "node",
    "router_vsn",  "realm",     "agent",    "authmethod", "session_id", "protocol_session_id",
    "protocol",    "transport", "peername", "listener",   "serializer",
};

static const struct {
    const char *name;
    const char *capital;
    unsigned number; /* syslog's */
} levels[] = {
    [BONDY_LOG_ERROR] = {"error", "ERROR", 3},
    [BONDY_LOG_WARN] = {"warning", "WARNING", 4},
    [BONDY_LOG_INFO] = {"info", "INFO", 6},
    [BONDY_LOG_DEBUG] = {"debug", "DEBUG", 7},
};

static const char *own_node;
static const char *own_version;

void bondy_log_identify(const char *node, const char *version)
{
    own_node = node;
    own_version = version;
}

/* ---- names ----------------------------------------------------------------------------------- */

int bondy_log_level_parse(const char *text, enum bondy_log_level *out, struct bondy_error *err)
{
    static const struct {
        const char *name;
        enum bondy_log_level level;
    } names[] = {
        {"emergency", BONDY_LOG_ERROR}, {"alert", BONDY_LOG_ERROR},  {"critical", BONDY_LOG_ERROR},
        {"error", BONDY_LOG_ERROR},     {"warning", BONDY_LOG_WARN}, {"warn", BONDY_LOG_WARN},
        {"notice", BONDY_LOG_INFO},     {"info", BONDY_LOG_INFO},    {"debug", BONDY_LOG_DEBUG},
    };

    for (size_t i = 0; i < BONDY_COUNT(names); i++) {
        if (strcmp(text, names[i].name) == 0) {
            *out = names[i].level;
            return BONDY_OK;
        }
    }
    return bondy_fail(err, BONDY_EINVAL,
                      "log level \"%s\", expected emergency, alert, critical, error, warning, "
                      "notice, info or debug",
                      text);
}

int bondy_log_format_parse(const char *text, enum bondy_log_format *out, struct bondy_error *err)
{
    static const char *const names[] = {"logfmt", "json", "text"};

    for (size_t i = 0; i < BONDY_COUNT(names); i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = (enum bondy_log_format)i;
            return BONDY_OK;
        }
    }
    return bondy_fail(err, BONDY_EINVAL, "log format \"%s\", expected logfmt, json or text", text);
}

/* ---- values ---------------------------------------------------------------------------------- */

/* One character of a value, escaped if need be, as text in `out`; says how many bytes it was. */
static size_t escape_next(struct bondy_slice text, bool is_json, char out[8])
{
    static const char letters[256] = {
        ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't', ['"'] = '"', ['\\'] = '\\'};
    unsigned char c = (unsigned char)text.data[0];
    uint32_t code_point = c;
    size_t len = 1;

    if (c >= 0x80) {
        len = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
        if (len > text.len || !bondy_utf8_is_valid(bondy_slice_of(text.data, len))) {
            snprintf(out, 8, is_json ? "\\\\x%02X" : "\\x%02X", c);
            return 1;
        }
        bondy_utf8_decode(text, &code_point);
    }
    if (letters[c] != 0)
        snprintf(out, 8, "\\%c", letters[c]);
    else if (code_point < 0x20 || code_point == 0x7F)
        snprintf(out, 8, is_json ? "\\u%04x" : "\\x%02X", (unsigned)code_point);
    else if ((code_point >= 0x80 && code_point < 0xA0) || code_point == 0x2028 ||
             code_point == 0x2029)
        snprintf(out, 8, "\\u%04x", (unsigned)code_point);
    else
        snprintf(out, 8, "%.*s", (int)len, text.data);
    return len;
}

static bool needs_quotes(struct bondy_slice text)
{
    if (text.len == 0 || !bondy_utf8_is_valid(text))
        return true;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (c <= ' ' || c >= 0x7F || c == '=' || c == '"' || c == '\\')
            return true;
    }
    return false;
}

/* False when the value did not fit into `limit` bytes and was cut. */
static bool append_text(struct bondy_buf *out, struct bondy_slice text, bool is_json, size_t limit)
{
    char escaped[8];
    bool fits = true;

    if (!is_json && !needs_quotes(text) && out->len + text.len <= limit) {
        bondy_buf_append_slice(out, text);
        return true;
    }
    bondy_buf_append_byte(out, '"');
    while (text.len > 0) {
        size_t used = escape_next(text, is_json, escaped);

        if (out->len + strlen(escaped) > limit) {
            fits = false;
            break;
        }
        bondy_buf_append_text(out, escaped);
        text = bondy_slice_skip(text, used);
    }
    bondy_buf_append_byte(out, '"');
    return fits;
}

static bool append_value(struct bondy_buf *out, const struct bondy_log_field *field, bool is_json,
                         size_t limit)
{
    switch (field->type) {
    case BONDY_FIELD_SLICE:
        return append_text(out, field->value.slice, is_json, limit);
    case BONDY_FIELD_U64:
        bondy_buf_printf(out, "%llu", (unsigned long long)field->value.u64);
        break;
    case BONDY_FIELD_I64:
        bondy_buf_printf(out, "%lld", (long long)field->value.i64);
        break;
    case BONDY_FIELD_F64:
        if (is_json && !isfinite(field->value.f64))
            bondy_buf_append_text(out, "null");
        else
            bondy_buf_printf(out, "%.15g", field->value.f64);
        break;
    case BONDY_FIELD_BOOL:
        bondy_buf_append_text(out, field->value.flag ? "true" : "false");
        break;
    case BONDY_FIELD_REDACTED:
        bondy_buf_append_text(out, is_json ? "\"***\"" : "***");
        break;
    }
    return true;
}

/* ---- lines ----------------------------------------------------------------------------------- */

/* Appends one field, or nothing of it when there is no room for its name; false: stop here. */
static bool append_field(struct bondy_buf *out, const struct bondy_log_field *field, bool is_json,
                         size_t limit)
{
    size_t name_len = strlen(field->name);

    if (out->len + name_len + 32 > limit)
        return false;
    bondy_buf_printf(out, is_json ? ",\"%s\":" : " %s=", field->name);
    return append_value(out, field, is_json, limit);
}

static bool has_field(const struct bondy_log_record *record, const char *name)
{
    for (size_t i = 0; i < record->count; i++)
        if (strcmp(record->fields[i].name, name) == 0)
            return true;
    return false;
}

static size_t rank_of(const char *name)
{
    for (size_t i = 0; i < BONDY_COUNT(first_fields); i++)
        if (strcmp(name, first_fields[i]) == 0)
            return i;
    return strcmp(name, "version") == 0 ? BONDY_COUNT(first_fields) + 1 : BONDY_COUNT(first_fields);
}

/* The record's fields and what every record says, in the order of the specification. */
static size_t collect_fields(const struct bondy_log_record *record,
                             struct bondy_log_field fields[MOST_FIELDS])
{
    size_t ranks[MOST_FIELDS];
    size_t count = 0;

    for (size_t i = 0; i < record->count && count < MOST_FIELDS - 2; i++)
        fields[count++] = record->fields[i];
    if (own_node != NULL && !has_field(record, "node"))
        fields[count++] = BONDY_F_STR("node", own_node);
    if (own_version != NULL && !has_field(record, "router_vsn"))
        fields[count++] = BONDY_F_STR("router_vsn", own_version);
    for (size_t i = 0; i < count; i++) {
        struct bondy_log_field field = fields[i];
        size_t rank = rank_of(field.name);
        size_t at = i;

        for (; at > 0 && ranks[at - 1] > rank; at--) {
            fields[at] = fields[at - 1];
            ranks[at] = ranks[at - 1];
        }
        fields[at] = field;
        ranks[at] = rank;
    }
    return count;
}

static struct bondy_slice module_of(const char *file)
{
    const char *slash = strrchr(file, '/');
    const char *name = slash == NULL ? file : slash + 1;

    return bondy_slice_of(name, strcspn(name, "."));
}

static void append_head(enum bondy_log_format format, const struct bondy_log_record *record,
                        struct bondy_buf *out)
{
    struct bondy_slice module = module_of(record->file);
    char when[25];

    bondy_clock_format(record->wall_ms, when);
    if (format == BONDY_LOG_TEXT)
        bondy_buf_printf(out, "%.12s %-7s %s", when + 11, levels[record->level].capital,
                         record->event);
    else if (format == BONDY_LOG_JSON)
        bondy_buf_printf(out,
                         "{\"when\":\"%s\",\"level\":\"%s\",\"level_num\":%u,\"pid\":\"%s\","
                         "\"at\":\"" BONDY_SLICE_FMT ":%s/%d\",\"event\":\"%s\"",
                         when, levels[record->level].name, levels[record->level].number,
                         record->thread, BONDY_SLICE_ARG(module), record->function, record->line,
                         record->event);
    else
        bondy_buf_printf(out, "when=%s level=%s pid=%s at=" BONDY_SLICE_FMT ":%s/%d event=%s", when,
                         levels[record->level].name, record->thread, BONDY_SLICE_ARG(module),
                         record->function, record->line, record->event);
}

size_t bondy_log_time_len(enum bondy_log_format format)
{
    static const size_t lens[] = {
        [BONDY_LOG_LOGFMT] = sizeof "when=2031-05-02T10:15:03.120Z" - 1,
        [BONDY_LOG_JSON] = sizeof "{\"when\":\"2031-05-02T10:15:03.120Z" - 1,
        [BONDY_LOG_TEXT] = sizeof "10:15:03.120" - 1,
    };

    return lens[format];
}

void bondy_log_format(enum bondy_log_format format, const struct bondy_log_record *record,
                      struct bondy_buf *out)
{
    size_t limit = out->len + BONDY_LOG_LINE_MAX - TAIL_BYTES;
    bool is_json = format == BONDY_LOG_JSON;
    struct bondy_log_field fields[MOST_FIELDS];
    bool is_whole = !record->is_cut;
    size_t count = collect_fields(record, fields);

    append_head(format, record, out);
    for (size_t i = 0; i < count; i++) {
        if (!append_field(out, &fields[i], is_json, limit)) {
            is_whole = false;
            break;
        }
    }
    if (!is_whole)
        bondy_buf_append_text(out, is_json ? ",\"truncated\":true" : " truncated=true");
    bondy_buf_append_text(out, is_json ? "}\n" : "\n");
}
