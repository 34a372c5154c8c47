/* SPDX-License-Identifier: Apache-2.0 */
#include "src/admin/exposition.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/metric.h"

/* One line of the text without its end; false at the end. */
static bool next_line(struct bondy_slice *rest, struct bondy_slice *line)
{
    const char *end;

    if (rest->len == 0)
        return false;
    end = memchr(rest->data, '\n', rest->len);
    *line = bondy_slice_of(rest->data, end == NULL ? rest->len : (size_t)(end - rest->data));
    *rest = bondy_slice_skip(*rest, line->len + 1);
    return true;
}

/* The metric's name: behind "# HELP " or "# TYPE ", else at the front. */
static struct bondy_slice name_of(struct bondy_slice line)
{
    size_t len = 0;

    if (bondy_slice_starts(line, BONDY_SLICE("# ")))
        line = bondy_slice_skip(line, 7);
    while (len < line.len && line.data[len] != '{' && line.data[len] != ' ')
        len++;
    return bondy_slice_of(line.data, len);
}

void bondy_exposition_text(struct bondy_slice prefix, struct bondy_buf *out)
{
    struct bondy_buf all = BONDY_BUF_EMPTY;
    struct bondy_slice rest, line;

    if (prefix.len == 0) {
        bondy_metric_format(out);
        return;
    }
    bondy_metric_format(&all);
    rest = bondy_buf_slice(&all);
    while (next_line(&rest, &line)) {
        if (!bondy_slice_starts(name_of(line), prefix))
            continue;
        bondy_buf_append_slice(out, line);
        bondy_buf_append_byte(out, '\n');
    }
    bondy_buf_fini(&all);
}

/* name="value" pairs behind '{'; returns what follows '}'. The text is our own, so it is well
 * formed. */
static struct bondy_slice read_labels(struct bondy_slice rest, json_t *labels)
{
    struct bondy_buf value = BONDY_BUF_EMPTY;

    while (rest.len > 0 && rest.data[0] != '}') {
        const char *equals = memchr(rest.data, '=', rest.len);
        size_t name_len = equals == NULL ? rest.len : (size_t)(equals - rest.data);
        struct bondy_slice name = bondy_slice_of(rest.data, name_len);

        rest = bondy_slice_skip(rest, name_len + 2);
        bondy_buf_clear(&value, SIZE_MAX);
        while (rest.len > 0 && rest.data[0] != '"') {
            bool is_escape = rest.data[0] == '\\' && rest.len > 1;
            char octet = rest.data[is_escape];

            bondy_buf_append_byte(&value, is_escape && octet == 'n' ? '\n' : (uint8_t)octet);
            rest = bondy_slice_skip(rest, is_escape ? 2 : 1);
        }
        rest = bondy_slice_skip(rest, 1);
        json_object_setn_new(labels, name.data, name.len,
                             bondy_json_slice(bondy_buf_slice(&value)));
        if (rest.len > 0 && rest.data[0] == ',')
            rest = bondy_slice_skip(rest, 1);
    }
    bondy_buf_fini(&value);
    return bondy_slice_skip(rest, 1);
}

static json_t *read_value(struct bondy_slice text)
{
    char *copy = bondy_memdup0(text.data, text.len);
    double number = strtod(copy, NULL);

    bondy_free(copy);
    if (!isfinite(number))
        return json_null();
    return fabs(number) < 9e15 && number == floor(number) ? json_integer((json_int_t)number)
                                                          : json_real(number);
}

json_t *bondy_exposition_json(struct bondy_slice prefix)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    struct bondy_slice rest, line;
    json_t *list = json_array();

    bondy_exposition_text(prefix, &text);
    rest = bondy_buf_slice(&text);
    while (next_line(&rest, &line)) {
        struct bondy_slice name = name_of(line);
        json_t *labels;

        if (line.len == 0 || line.data[0] == '#')
            continue;
        labels = json_object();
        line = bondy_slice_skip(line, name.len);
        if (line.len > 0 && line.data[0] == '{')
            line = read_labels(bondy_slice_skip(line, 1), labels);
        json_array_append_new(list,
                              json_pack("{s:o, s:o, s:o}", "name", bondy_json_slice(name), "labels",
                                        labels, "value", read_value(bondy_slice_skip(line, 1))));
    }
    bondy_buf_fini(&text);
    return list;
}
