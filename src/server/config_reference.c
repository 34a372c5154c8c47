/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "src/base/alloc.h"
#include "src/base/json.h"
#include "src/server/config_print.h"

/* Documents made from the key table: Markdown, a man page, JSON, a sample file. The same table
 * gives the same bytes: the checked-in copies are compared with it by a test. */

/* Listeners are not restarted by a reload yet: class L waits like S. */
static const char *class_text(char cls)
{
    return cls == 'R' ? "reload" : "restart";
}

/* Type and limits in words: "integer, 1 to 32", "strict | loose". */
static void append_type(const struct bondy_config_row *row, struct bondy_buf *out)
{
    if (row->type == BONDY_KEY_WORD) {
        for (const char *word = row->words; *word != '\0'; word++)
            bondy_buf_append_text(out, *word == '|' ? " or " : (char[2]){*word, '\0'});
        return;
    }
    bondy_buf_append_text(out, bondy_config_type_name(row->type));
    if (row->flags & BONDY_KEY_IS_INFINITE)
        bondy_buf_append_text(out, " or infinity");
    if (row->type == BONDY_KEY_INT && row->max != 0)
        bondy_buf_printf(out, ", %" PRId64 " to %" PRId64, row->min, row->max);
    else if (row->type == BONDY_KEY_INT && row->min != 0)
        bondy_buf_printf(out, " from %" PRId64, row->min);
}

static const char *state_text(const struct bondy_config_row *row)
{
    if (row->compat == '0')
        return "no effect";
    if (row->compat == 'x')
        return "reserved";
    return row->flags & BONDY_KEY_IS_LATER ? "not built yet" : "";
}

static bool begins_section(const struct bondy_config_key *keys, size_t i)
{
    return i == 0 || strcmp(keys[i].section, keys[i - 1].section) != 0;
}

/* Shown default: escapes written out, a secret's never. */
static void append_default(const struct bondy_config_row *row, struct bondy_buf *out)
{
    for (const char *c = row->dflt == NULL ? "" : row->dflt; *c != '\0'; c++) {
        if (*c == '\x1b')
            bondy_buf_append_text(out, "\\e");
        else
            bondy_buf_append_byte(out, (unsigned char)*c);
    }
}

static void print_markdown(struct bondy_buf *out)
{
    size_t count;
    const struct bondy_config_key *keys = bondy_config_keys(&count);

    bondy_buf_append_text(
        out, "# Configuration reference\n\n"
             "Made from the key table by `bondyd --print-config-reference md`; do not edit.\n\n"
             "`Applied`: *reload* = on SIGHUP, *restart* = at the next start.\n");
    for (size_t i = 0; i < count; i++) {
        const struct bondy_config_row *row = keys[i].row;

        if (begins_section(keys, i))
            bondy_buf_printf(out,
                             "\n## %s\n\n| Key | Type | Default | Applied | Meaning |\n"
                             "|---|---|---|---|---|\n",
                             keys[i].section);
        bondy_buf_printf(out, "| `%s` | ", keys[i].name);
        append_type(row, out);
        bondy_buf_append_text(out, row->dflt == NULL ? " | " : " | `");
        append_default(row, out);
        bondy_buf_printf(out, "%s | %s | %s", row->dflt == NULL ? "" : "`", class_text(row->cls),
                         row->help);
        if (*state_text(row) != '\0')
            bondy_buf_printf(out, " *(%s)*", state_text(row));
        bondy_buf_append_text(out, " |\n");
    }
}

/* Text of a man page: a leading dot or quote and every backslash or minus is escaped. */
static void append_roff(const char *text, struct bondy_buf *out)
{
    if (*text == '.' || *text == '\'')
        bondy_buf_append_text(out, "\\&");
    for (; *text != '\0'; text++) {
        if (*text == '\\')
            bondy_buf_append_text(out, "\\e");
        else if (*text == '-')
            bondy_buf_append_text(out, "\\-");
        else if (*text == '\x1b')
            bondy_buf_append_text(out, "\\ee");
        else
            bondy_buf_append_byte(out, (unsigned char)*text);
    }
}

static const char man_head[] =
    ".\\\" SPDX-License-Identifier: Apache-2.0\n"
    ".\\\" Made by bondyd --print-config-reference man; do not edit.\n"
    ".TH BONDY.CONF 5 \"\" \"bondy\" \"File formats\"\n"
    ".SH NAME\nbondy.conf \\- configuration of bondyd\n"
    ".SH DESCRIPTION\n"
    "One setting a line:\n.IR key \" = \" value .\n"
    "Text from a # that follows white space is a comment; a value in double quotes may hold "
    "anything, with the escapes \\e\\(dq \\e\\e \\en \\et \\ee \\euHHHH.\n"
    "The last setting of a key wins.\n"
    ".B include\n.I path\nreads more files; a pattern is allowed.\n"
    ".PP\n"
    "$(key) in a value stands for the value of another key, ${VAR} and ${VAR:\\-default} for a "
    "variable of the environment.\n"
    "A key is also set by a variable: BONDY__WAMP__TCP__PORT sets wamp.tcp.port; and by "
    ".B bondyd \\-\\-set key=value.\n"
    ".PP\n"
    "Durations are written 1w2d, 90m, 1.5s, 250ms; sizes 64KB, 8MB, 1GB (of 1024); flags on and "
    "off; lists a, b, c.\n"
    ".SH KEYS\n";

static void print_man(struct bondy_buf *out)
{
    size_t count;
    const struct bondy_config_key *keys = bondy_config_keys(&count);

    bondy_buf_append_text(out, man_head);
    for (size_t i = 0; i < count; i++) {
        const struct bondy_config_row *row = keys[i].row;

        if (begins_section(keys, i))
            bondy_buf_printf(out, ".SS %s\n", keys[i].section);
        bondy_buf_append_text(out, ".TP\n.B ");
        append_roff(keys[i].name, out);
        bondy_buf_append_text(out, "\n");
        append_roff(row->help, out);
        bondy_buf_append_text(out, " (");
        append_type(row, out);
        if (row->dflt != NULL) {
            bondy_buf_append_text(out, "; default ");
            append_roff(row->dflt, out);
        }
        if (*state_text(row) != '\0')
            bondy_buf_printf(out, "; %s", state_text(row));
        bondy_buf_append_text(out, ")\n");
    }
    bondy_buf_append_text(out, ".SH SEE ALSO\n.BR bondyd (8),\n.BR bondy (1)\n");
}

static void print_json(struct bondy_buf *out)
{
    size_t count;
    const struct bondy_config_key *keys = bondy_config_keys(&count);
    json_t *list = json_array();
    char *text;

    for (size_t i = 0; i < count; i++) {
        const struct bondy_config_row *row = keys[i].row;
        struct bondy_buf type = BONDY_BUF_EMPTY;

        append_type(row, &type);
        json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:s?, s:s, s:s, s:s, s:b, s:b}",
                                              "key", keys[i].name, "section", keys[i].section,
                                              "type", bondy_json_slice(bondy_buf_slice(&type)),
                                              "default", row->dflt, "applied", class_text(row->cls),
                                              "state", state_text(row), "help", row->help, "secret",
                                              (row->flags & BONDY_KEY_IS_SECRET) != 0, "pattern",
                                              keys[i].is_pattern));
        bondy_buf_fini(&type);
    }
    text = json_dumps(list, JSON_INDENT(2));
    bondy_buf_append_text(out, text);
    bondy_buf_append_byte(out, '\n');
    free(text);
    json_decref(list);
}

int bondy_config_print_reference(const char *format, struct bondy_buf *out, struct bondy_error *err)
{
    static const struct {
        const char *name;
        void (*print)(struct bondy_buf *out);
    } formats[] = {{"md", print_markdown}, {"man", print_man}, {"json", print_json}};

    for (size_t i = 0; i < BONDY_COUNT(formats); i++) {
        if (strcmp(format, formats[i].name) == 0) {
            formats[i].print(out);
            return BONDY_OK;
        }
    }
    return bondy_fail(err, BONDY_EINVAL, "no reference in the form \"%s\"; there are md, man, json",
                      format);
}

void bondy_config_print_sample(struct bondy_buf *out)
{
    size_t count;
    const struct bondy_config_key *keys = bondy_config_keys(&count);

    bondy_buf_append_text(out, "# bondy.conf: every key with its default. Take the # away from a "
                               "line to change it.\n# Format: bondy.conf(5).\n");
    for (size_t i = 0; i < count; i++) {
        const struct bondy_config_row *row = keys[i].row;

        if (row->compat == '0' || row->compat == 'x')
            continue;
        if (begins_section(keys, i))
            bondy_buf_printf(out, "\n\n# ---- %s\n", keys[i].section);
        bondy_buf_printf(out, "\n# %s (", row->help);
        append_type(row, out);
        bondy_buf_printf(out,
                         ")%s\n# %s = ", (row->flags & BONDY_KEY_IS_LATER) ? "; not built yet" : "",
                         keys[i].name);
        append_default(row, out);
        bondy_buf_append_byte(out, '\n');
    }
}
