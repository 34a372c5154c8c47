/* SPDX-License-Identifier: Apache-2.0 */
#include "src/server/config_parse.h"

#include <stdbool.h>
#include <stdio.h>

#include "src/base/buf.h"
#include "src/base/utf8.h"

/* One line at a time: cut it off, skip white space, read the key, the '=', then a quoted or a bare
 * value. A mistake ends its line only, so that one run names every mistake. */

struct parser {
    const struct bondy_config_handler *handler;
    struct bondy_slice line;
    size_t at;
    unsigned number;
    struct bondy_buf value; /* of a quoted value, reused */
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static bool fail(struct parser *parser, size_t at, const char *text)
{
    parser->handler->on_error(parser->handler->context, parser->number, (unsigned)at + 1, text);
    return false;
}

static void skip_space(struct parser *parser)
{
    while (parser->at < parser->line.len && is_space(parser->line.data[parser->at]))
        parser->at++;
}

static bool at_end(const struct parser *parser)
{
    return parser->at >= parser->line.len;
}

static char now(const struct parser *parser)
{
    return at_end(parser) ? '\0' : parser->line.data[parser->at];
}

static bool is_key_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == '$';
}

static bool read_key(struct parser *parser, struct bondy_slice *key)
{
    size_t start = parser->at;

    while (!at_end(parser)) {
        char c = now(parser);

        if (c == '\\' && parser->at + 1 < parser->line.len &&
            parser->line.data[parser->at + 1] == '.')
            parser->at++;
        else if (!is_key_char(c))
            break;
        parser->at++;
    }
    *key = bondy_slice_of(parser->line.data + start, parser->at - start);
    if (key->len == 0)
        return fail(parser, start, "expected a key");
    if (key->data[0] == '.' || key->data[key->len - 1] == '.' ||
        memmem(key->data, key->len, "..", 2) != NULL)
        return fail(parser, start, "empty segment in a key");
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* \uHHHH of the basic plane; surrogates and NUL are refused. */
static bool read_unicode(struct parser *parser, size_t start)
{
    uint32_t code = 0;
    char text[4];

    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(now(parser));

        if (digit < 0)
            return fail(parser, start, "expected four hexadecimal digits after \\u");
        code = code * 16 + (uint32_t)digit;
        parser->at++;
    }
    if (code == 0 || (code >= 0xD800 && code <= 0xDFFF))
        return fail(parser, start, "\\u names no character");
    bondy_buf_append(&parser->value, text, bondy_utf8_encode(code, text));
    return true;
}

static bool read_escape(struct parser *parser)
{
    static const char from[] = "\"\\nte", to[] = "\"\\\n\t\x1b";
    size_t start = parser->at - 1;
    char c = now(parser);
    const char *place;

    parser->at++;
    if (c == 'u')
        return read_unicode(parser, start);
    place = c == '\0' ? NULL : strchr(from, c);
    if (place == NULL)
        return fail(parser, start, "unknown escape; known are \\\" \\\\ \\n \\t \\e \\uHHHH");
    bondy_buf_append_byte(&parser->value, (unsigned char)to[place - from]);
    return true;
}

static bool read_quoted(struct parser *parser, struct bondy_slice *value)
{
    size_t start = parser->at++;

    bondy_buf_clear(&parser->value, BONDY_CONFIG_LINE_MAX);
    while (!at_end(parser) && now(parser) != '"') {
        char c = now(parser);

        parser->at++;
        if (c != '\\')
            bondy_buf_append_byte(&parser->value, (unsigned char)c);
        else if (!read_escape(parser))
            return false;
    }
    if (at_end(parser))
        return fail(parser, start, "the quote is not closed");
    parser->at++;
    *value = bondy_buf_slice(&parser->value);
    skip_space(parser);
    if (!at_end(parser) && now(parser) != '#')
        return fail(parser, parser->at, "unexpected text behind the closing quote");
    return true;
}

/* Up to white space and '#', or the end. A '#' at the very start is a comment too. */
static void read_bare(struct parser *parser, struct bondy_slice *value)
{
    size_t start = parser->at, end = start;

    for (; !at_end(parser); parser->at++) {
        if (now(parser) == '#' &&
            (parser->at == start || is_space(parser->line.data[parser->at - 1])))
            break;
        if (!is_space(now(parser)))
            end = parser->at + 1;
    }
    *value = bondy_slice_of(parser->line.data + start, end - start);
}

static bool is_include(const struct parser *parser)
{
    struct bondy_slice rest = bondy_slice_skip(parser->line, parser->at);
    struct bondy_slice word = BONDY_SLICE("include");

    if (!bondy_slice_starts(rest, word) || rest.len == word.len || !is_space(rest.data[word.len]))
        return false;
    rest = bondy_slice_skip(rest, word.len);
    while (rest.len > 0 && is_space(rest.data[0]))
        rest = bondy_slice_skip(rest, 1);
    return rest.len > 0 && rest.data[0] != '=';
}

static bool read_value(struct parser *parser, struct bondy_slice *value)
{
    skip_space(parser);
    if (now(parser) == '"')
        return read_quoted(parser, value);
    read_bare(parser, value);
    return true;
}

static void parse_line(struct parser *parser)
{
    struct bondy_config_line out = {.kind = BONDY_CONFIG_SETTING, .line = parser->number};
    char text[300];

    skip_space(parser);
    if (at_end(parser) || now(parser) == '#')
        return;
    if (is_include(parser)) {
        out.kind = BONDY_CONFIG_INCLUDE;
        parser->at += strlen("include");
    } else {
        if (!read_key(parser, &out.key))
            return;
        skip_space(parser);
        if (now(parser) != '=') {
            snprintf(text, sizeof text, "expected '=' after key \"%.*s\"",
                     out.key.len > 200 ? 200 : (int)out.key.len, out.key.data);
            fail(parser, parser->at, text);
            return;
        }
        parser->at++;
    }
    skip_space(parser);
    out.column = (unsigned)parser->at + 1;
    if (read_value(parser, &out.value))
        parser->handler->on_line(parser->handler->context, &out);
}

void bondy_config_parse(struct bondy_slice text, const struct bondy_config_handler *handler)
{
    struct parser parser = {.handler = handler};

    if (bondy_slice_starts(text, BONDY_SLICE("\xEF\xBB\xBF")))
        text = bondy_slice_skip(text, 3);
    while (text.len > 0) {
        const char *end = memchr(text.data, '\n', text.len);
        size_t len = end == NULL ? text.len : (size_t)(end - text.data);

        parser.line = bondy_slice_of(text.data, len);
        parser.at = 0;
        parser.number++;
        text = bondy_slice_skip(text, len + 1);
        if (parser.line.len > 0 && parser.line.data[parser.line.len - 1] == '\r')
            parser.line.len--;
        if (parser.line.len > BONDY_CONFIG_LINE_MAX)
            fail(&parser, 0, "the line is longer than 64 KiB");
        else if (!bondy_utf8_is_valid(parser.line))
            fail(&parser, 0, "the line is not valid UTF-8");
        else if (parser.line.len > 0 && memchr(parser.line.data, '\0', parser.line.len) != NULL)
            fail(&parser, 0, "the line holds a NUL character");
        else
            parse_line(&parser);
    }
    bondy_buf_fini(&parser.value);
}
