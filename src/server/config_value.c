/* SPDX-License-Identifier: Apache-2.0 */
#include "src/server/config_value.h"

#include <inttypes.h>

#include "src/base/alloc.h"
#include "src/sys/net.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits with single '_' between them. Returns how many octets were read, 0 when none or too large.
 */
static size_t read_number(struct bondy_slice text, int64_t *out)
{
    int64_t number = 0;
    size_t i = 0;

    for (; i < text.len; i++) {
        if (text.data[i] == '_' && i > 0 && i + 1 < text.len && is_digit(text.data[i - 1]) &&
            is_digit(text.data[i + 1]))
            continue;
        if (!is_digit(text.data[i]))
            break;
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, text.data[i] - '0', &number))
            return 0;
    }
    *out = number;
    return i;
}

static int wrong(struct bondy_error *err, const struct bondy_config_row *row,
                 struct bondy_slice text, const char *example)
{
    const char *type = bondy_config_type_name(row->type);
    const char *article = strchr("aeiou", type[0]) != NULL ? "an" : "a";

    return bondy_fail(err, BONDY_EINVAL, "\"" BONDY_SLICE_FMT "\" is not %s %s (example: %s)",
                      BONDY_SLICE_ARG(text), article, type, example);
}

/* A limit in the words of its key: "1s", "64KB", "18080". */
static void put_limit(const struct bondy_config_row *row, int64_t number, struct bondy_buf *out)
{
    switch (row->type) {
    case BONDY_KEY_MS:
    case BONDY_KEY_SECONDS:
        bondy_config_format_duration(number, out);
        break;
    case BONDY_KEY_BYTES:
        bondy_config_format_bytes(number, out);
        break;
    default:
        bondy_buf_printf(out, "%" PRId64, number);
        break;
    }
}

static int check_range(const struct bondy_config_row *row, struct bondy_slice text, int64_t number,
                       struct bondy_error *err)
{
    int64_t max = row->type == BONDY_KEY_PORT ? 65535 : row->max;
    struct bondy_buf allowed = BONDY_BUF_EMPTY;

    if (number >= row->min && (max == 0 || number <= max))
        return BONDY_OK;
    put_limit(row, row->min, &allowed);
    bondy_buf_append_text(&allowed, max == 0 ? " and more" : " to ");
    if (max != 0)
        put_limit(row, max, &allowed);
    bondy_fail(err, BONDY_ELIMIT, BONDY_SLICE_FMT " is %s, allowed: " BONDY_SLICE_FMT,
               BONDY_SLICE_ARG(text), max == 0 ? "too small" : "out of range",
               BONDY_SLICE_ARG(bondy_buf_slice(&allowed)));
    bondy_buf_fini(&allowed);
    return BONDY_ELIMIT;
}

static int parse_int(const struct bondy_config_row *row, struct bondy_slice text,
                     struct bondy_config_value *out, struct bondy_error *err)
{
    bool is_negative = text.len > 1 && text.data[0] == '-';
    struct bondy_slice digits = bondy_slice_skip(text, is_negative);

    if (read_number(digits, &out->number) != digits.len)
        return wrong(err, row, text, row->type == BONDY_KEY_PORT ? "18080" : "10");
    if (is_negative)
        out->number = -out->number;
    return check_range(row, text, out->number, err);
}

static int parse_flag(const struct bondy_config_row *row, struct bondy_slice text,
                      struct bondy_config_value *out, struct bondy_error *err)
{
    static const char *const words[][3] = {{"off", "false", "no"}, {"on", "true", "yes"}};

    if ((row->flags & BONDY_KEY_IS_NUMBER) && text.len > 0 && is_digit(text.data[0]))
        return parse_int(row, text, out, err);
    for (int flag = 0; flag < 2; flag++) {
        for (size_t i = 0; i < 3; i++) {
            if (bondy_slice_is(text, words[flag][i])) {
                out->number = flag;
                return BONDY_OK;
            }
        }
    }
    if (bondy_slice_is(text, "0") || bondy_slice_is(text, "1")) {
        out->number = text.data[0] - '0';
        return BONDY_OK;
    }
    return wrong(err, row, text, "on");
}

static const struct {
    const char *unit;
    int64_t ms;
} units[] = {
    {"f", INT64_C(14) * 86400000},
    {"w", INT64_C(7) * 86400000},
    {"d", 86400000},
    {"h", 3600000},
    {"m", 60000},
    {"s", 1000},
    {"ms", 1},
};

/* One "1.5h". Returns how much was read, 0 when it is none. `*unit` is the row of `units`. */
static size_t read_span(struct bondy_slice text, int64_t *ms, size_t *unit)
{
    int64_t whole, fraction = 0, scale = 1;
    size_t read = read_number(text, &whole), best = BONDY_COUNT(units);

    if (read == 0)
        return 0;
    if (read + 1 < text.len && text.data[read] == '.' && is_digit(text.data[read + 1])) {
        for (read++; read < text.len && is_digit(text.data[read]); read++) {
            if (scale > 1000000)
                return 0;
            fraction = fraction * 10 + (text.data[read] - '0');
            scale *= 10;
        }
    }
    for (size_t i = 0; i < BONDY_COUNT(units); i++) {
        struct bondy_slice name = bondy_slice_text(units[i].unit);

        if (bondy_slice_starts(bondy_slice_skip(text, read), name) &&
            (best == BONDY_COUNT(units) || name.len > strlen(units[best].unit)))
            best = i;
    }
    if (best == BONDY_COUNT(units) || __builtin_mul_overflow(whole, units[best].ms, ms))
        return 0;
    if (__builtin_add_overflow(*ms, fraction * units[best].ms / scale, ms))
        return 0;
    *unit = best;
    return read + strlen(units[best].unit);
}

static int parse_duration(const struct bondy_config_row *row, struct bondy_slice text,
                          struct bondy_config_value *out, struct bondy_error *err)
{
    struct bondy_slice rest = text;
    size_t last_unit = 0;
    bool is_negative = row->min < 0 && bondy_slice_is(text, "-1");
    int64_t total = 0, part;

    if (is_negative) {
        out->number = -1;
        return BONDY_OK;
    }
    if ((row->flags & BONDY_KEY_IS_INFINITE) && bondy_slice_is(text, "infinity")) {
        out->number = BONDY_CONFIG_INFINITE;
        return BONDY_OK;
    }
    if (read_number(text, &total) == text.len) {
        out->is_bare_duration = total != 0 && !(row->flags & BONDY_KEY_IS_NUMBER);
        if (__builtin_mul_overflow(total, row->type == BONDY_KEY_SECONDS ? 1000 : 1, &out->number))
            return wrong(err, row, text, "10s");
        return check_range(row, text, out->number, err);
    }
    for (total = 0; rest.len > 0;) {
        size_t unit, read = read_span(rest, &part, &unit);

        if (read == 0 || (rest.data != text.data && unit <= last_unit) ||
            __builtin_add_overflow(total, part, &total))
            return wrong(err, row, text, "10s");
        last_unit = unit;
        rest = bondy_slice_skip(rest, read);
    }
    out->number = total;
    return check_range(row, text, total, err);
}

static int parse_bytes(const struct bondy_config_row *row, struct bondy_slice text,
                       struct bondy_config_value *out, struct bondy_error *err)
{
    static const struct {
        const char *names[2];
        unsigned shift;
    } sizes[] = {{{"KB", "kb"}, 10}, {{"MB", "mb"}, 20}, {{"GB", "gb"}, 30}};
    size_t read = read_number(text, &out->number);
    struct bondy_slice unit = bondy_slice_skip(text, read);

    if ((row->flags & BONDY_KEY_IS_INFINITE) && bondy_slice_is(text, "infinity")) {
        out->number = BONDY_CONFIG_INFINITE;
        return BONDY_OK;
    }
    if (read == 0)
        return wrong(err, row, text, "64KB");
    if (unit.len == 0)
        return check_range(row, text, out->number, err);
    for (size_t i = 0; i < BONDY_COUNT(sizes); i++) {
        if (!bondy_slice_is(unit, sizes[i].names[0]) && !bondy_slice_is(unit, sizes[i].names[1]))
            continue;
        if (__builtin_mul_overflow(out->number, INT64_C(1) << sizes[i].shift, &out->number))
            break;
        return check_range(row, text, out->number, err);
    }
    return wrong(err, row, text, "64KB");
}

static int parse_word(const struct bondy_config_row *row, struct bondy_slice text,
                      struct bondy_config_value *out, struct bondy_error *err)
{
    const char *word = row->words;

    (void)out;
    for (;;) {
        size_t len = strcspn(word, "|");

        if (bondy_slice_eq(text, bondy_slice_of(word, len)))
            return BONDY_OK;
        if (word[len] == '\0')
            return bondy_fail(err, BONDY_ELIMIT, "\"" BONDY_SLICE_FMT "\" is none of %s",
                              BONDY_SLICE_ARG(text), row->words);
        word += len + 1;
    }
}

static int parse_ip(const struct bondy_config_row *row, struct bondy_slice text,
                    struct bondy_config_value *out, struct bondy_error *err)
{
    struct bondy_address address;

    if (out->text[0] == 'u' || bondy_address_parse(out->text, 0, &address, NULL) < 0)
        return wrong(err, row, text, "127.0.0.1");
    return BONDY_OK;
}

static int parse_address(const struct bondy_config_row *row, struct bondy_slice text,
                         struct bondy_config_value *out, struct bondy_error *err)
{
    (void)out;
    if (bondy_slice_starts(text, BONDY_SLICE("unix:/")) ||
        (text.len > 2 && memchr(text.data, ':', text.len) != NULL))
        return BONDY_OK;
    return wrong(err, row, text, "127.0.0.1:18082");
}

static int parse_list(const struct bondy_config_row *row, struct bondy_slice text,
                      struct bondy_config_value *out, struct bondy_error *err)
{
    if (text.data[0] == '[') {
        if (text.data[text.len - 1] != ']')
            return wrong(err, row, text, "[a, b, c]");
        text = bondy_slice_trim(bondy_slice_of(text.data + 1, text.len - 2));
    }
    while (text.len > 0) {
        const char *comma = memchr(text.data, ',', text.len);
        size_t len = comma == NULL ? text.len : (size_t)(comma - text.data);
        struct bondy_slice item = bondy_slice_trim(bondy_slice_of(text.data, len));

        if (item.len > 0) {
            out->list = bondy_realloc(out->list, (out->list_count + 1) * sizeof *out->list);
            out->list[out->list_count++] = bondy_memdup0(item.data, item.len);
        }
        text = bondy_slice_skip(text, len + 1);
    }
    return BONDY_OK;
}

static int parse_any(const struct bondy_config_row *row, struct bondy_slice text,
                     struct bondy_config_value *out, struct bondy_error *err)
{
    (void)row;
    (void)out;
    if (memchr(text.data, '\0', text.len) != NULL)
        return bondy_fail(err, BONDY_EINVAL, "a value cannot hold a NUL character");
    return BONDY_OK;
}

typedef int (*parse_fn)(const struct bondy_config_row *row, struct bondy_slice text,
                        struct bondy_config_value *out, struct bondy_error *err);

int bondy_config_value_parse(const struct bondy_config_row *row, struct bondy_slice text,
                             struct bondy_config_value *out, struct bondy_error *err)
{
    static const parse_fn parsers[] = {
        [BONDY_KEY_STRING] = parse_any,
        [BONDY_KEY_INT] = parse_int,
        [BONDY_KEY_FLAG] = parse_flag,
        [BONDY_KEY_MS] = parse_duration,
        [BONDY_KEY_SECONDS] = parse_duration,
        [BONDY_KEY_BYTES] = parse_bytes,
        [BONDY_KEY_IP] = parse_ip,
        [BONDY_KEY_ADDRESS] = parse_address,
        [BONDY_KEY_PATH] = parse_any,
        [BONDY_KEY_WORD] = parse_word,
        [BONDY_KEY_PORT] = parse_int,
        [BONDY_KEY_LIST] = parse_list,
    };
    int rc;

    *out = (struct bondy_config_value){0};
    text = bondy_slice_trim(text);
    if (text.len == 0)
        return BONDY_OK;
    out->text = bondy_memdup0(text.data, text.len);
    rc = parsers[row->type](row, text, out, err);
    if (rc < 0) {
        bondy_config_value_fini(out);
        return rc;
    }
    out->is_set = true;
    return BONDY_OK;
}

void bondy_config_value_fini(struct bondy_config_value *value)
{
    for (size_t i = 0; i < value->list_count; i++)
        bondy_free(value->list[i]);
    bondy_free(value->list);
    bondy_free(value->text);
    *value = (struct bondy_config_value){0};
}

void bondy_config_format_duration(int64_t ms, struct bondy_buf *out)
{
    size_t before = out->len;

    if (ms == BONDY_CONFIG_INFINITE) {
        bondy_buf_append_text(out, "infinity");
        return;
    }
    /* Not in fortnights: nobody counts in them. */
    for (size_t i = 1; i < BONDY_COUNT(units) && ms > 0; i++) {
        if (ms >= units[i].ms)
            bondy_buf_printf(out, "%" PRId64 "%s", ms / units[i].ms, units[i].unit);
        ms %= units[i].ms;
    }
    if (out->len == before)
        bondy_buf_append_text(out, ms < 0 ? "-1" : "0s");
}

void bondy_config_format_bytes(int64_t bytes, struct bondy_buf *out)
{
    static const char *const names[] = {"", "KB", "MB", "GB"};
    size_t unit = 0;

    if (bytes == BONDY_CONFIG_INFINITE) {
        bondy_buf_append_text(out, "infinity");
        return;
    }
    while (unit + 1 < BONDY_COUNT(names) && bytes != 0 && bytes % 1024 == 0) {
        bytes /= 1024;
        unit++;
    }
    bondy_buf_printf(out, "%" PRId64 "%s", bytes, names[unit]);
}
