/* SPDX-License-Identifier: Apache-2.0 */
/* codec_json: WAMP over JSON (RFC 8259, nothing more lenient).
 *
 * A number without point and exponent is an integer when 64 bits hold it, else a float, as is -0,
 * which no integer is. A number beyond the range of a double is refused: it cannot be carried. */
#include "src/base/utf8.h"
#include "src/wamp/base64.h"
#include "src/wamp/number.h"
#include "src/wamp/decode.h"
#include "src/wamp/encode.h"
#include "src/wamp/reader.h"
#include "src/wamp/rest.h"

/* ---- reading ---------------------------------------------------------------------------- */

static void blank(struct bondy_reader *reader)
{
    while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\t' ||
                                        *reader->at == '\n' || *reader->at == '\r'))
        reader->at++;
}

/* The length of the well-formed UTF-8 sequence at `at` (RFC 3629, section 4), or 0. */
static size_t sequence_len(const uint8_t *at, const uint8_t *end)
{
    size_t left = (size_t)(end - at);
    uint8_t least = 0x80;
    uint8_t most = 0xBF;
    size_t len;

    if (at[0] >= 0xC2 && at[0] <= 0xDF)
        len = 2;
    else if (at[0] >= 0xE0 && at[0] <= 0xEF)
        len = 3;
    else if (at[0] >= 0xF0 && at[0] <= 0xF4)
        len = 4;
    else
        return 0;
    if (at[0] == 0xE0)
        least = 0xA0;
    else if (at[0] == 0xED)
        most = 0x9F;
    else if (at[0] == 0xF0)
        least = 0x90;
    else if (at[0] == 0xF4)
        most = 0x8F;
    if (left < len || at[1] < least || at[1] > most)
        return 0;
    for (size_t i = 2; i < len; i++)
        if (at[i] < 0x80 || at[i] > 0xBF)
            return 0;
    return len;
}

/* Whether one of eight octets is a control character, a quote, a backslash or not ASCII. */
static inline uint64_t has_special(uint64_t eight)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t tops = ones << 7;
    uint64_t quote = eight ^ (ones * '"');
    uint64_t backslash = eight ^ (ones * '\\');

    return (eight | (eight - ones * 0x20) | (quote - ones) | (backslash - ones)) & tops;
}

static const uint8_t *skip_plain(const uint8_t *at, const uint8_t *end)
{
    uint64_t eight;

    while (end - at >= 8) {
        memcpy(&eight, at, sizeof eight);
        if (has_special(eight))
            break;
        at += 8;
    }
    while (at < end && *at >= 0x20 && *at < 0x80 && *at != '"' && *at != '\\')
        at++;
    return at;
}

static int hex_digit(uint8_t digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit |= 0x20;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* The four digits behind \u, or -1. */
static int hex_unit(const uint8_t *at, const uint8_t *end)
{
    int unit = 0;

    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(at[i]);

        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

/* Reads the escape whose backslash is at `at`; returns its length and the character, or 0. */
static size_t read_escape(const uint8_t *at, const uint8_t *end, uint32_t *code_point)
{
    static const char plain[256] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};
    int high;
    int low;

    if (end - at < 2)
        return 0;
    if (at[1] != 'u') {
        *code_point = (uint8_t)plain[at[1]];
        return *code_point == 0 ? 0 : 2;
    }
    if ((high = hex_unit(at + 2, end)) < 0 || (high >= 0xDC00 && high <= 0xDFFF))
        return 0;
    *code_point = (uint32_t)high;
    if (high < 0xD800 || high > 0xDBFF)
        return 6;
    if (end - at < 12 || at[6] != '\\' || at[7] != 'u')
        return 0;
    low = hex_unit(at + 8, end);
    if (low < 0xDC00 || low > 0xDFFF)
        return 0;
    *code_point = 0x10000 + ((uint32_t)(high - 0xD800) << 10) + (uint32_t)(low - 0xDC00);
    return 12;
}

/* `at` is behind the opening quote. */
static bool read_text(struct bondy_reader *reader, struct bondy_item *item)
{
    const uint8_t *start = reader->at;
    uint32_t code_point;
    size_t len;

    item->type = BONDY_VALUE_TEXT;
    item->is_folded = false;
    for (;;) {
        reader->at = skip_plain(reader->at, reader->end);
        if (reader->at == reader->end)
            return bondy_reader_fail(reader, "text without its closing quote");
        if (*reader->at == '"')
            break;
        if (*reader->at == '\\') {
            item->is_folded = true;
            if ((len = read_escape(reader->at, reader->end, &code_point)) == 0)
                return bondy_reader_fail(reader, "an escape that JSON does not have");
        } else if (*reader->at < 0x20) {
            return bondy_reader_fail(reader, "a control character in text");
        } else if ((len = sequence_len(reader->at, reader->end)) == 0) {
            return bondy_reader_fail(reader, "text that is not UTF-8");
        }
        reader->at += len;
    }
    item->text = bondy_slice_of(start, (size_t)(reader->at - start));
    reader->at++;
    return true;
}

static size_t count_digits(struct bondy_reader *reader)
{
    const uint8_t *start = reader->at;

    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9')
        reader->at++;
    return (size_t)(reader->at - start);
}

/* The integer of `text`, digits with perhaps a minus sign, when 64 bits hold it. */
static bool parse_integer(struct bondy_slice text, struct bondy_item *item)
{
    bool is_negative = text.data[0] == '-';
    uint64_t value = 0;

    for (size_t i = is_negative; i < text.len; i++) {
        uint64_t digit = (uint64_t)(text.data[i] - '0');

        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (is_negative && (value == 0 || value > (uint64_t)INT64_MAX + 1))
        return false;
    if (value > INT64_MAX && !is_negative) {
        item->type = BONDY_VALUE_UINT;
        item->u64 = value;
        return true;
    }
    item->type = BONDY_VALUE_INT;
    item->i64 = is_negative ? (int64_t)(UINT64_C(0) - value) : (int64_t)value;
    return true;
}

static bool read_number(struct bondy_reader *reader, struct bondy_item *item)
{
    const uint8_t *start = reader->at;
    const uint8_t *digits;
    bool is_integer = true;

    if (*reader->at == '-')
        reader->at++;
    digits = reader->at;
    if (count_digits(reader) == 0 || (digits[0] == '0' && reader->at - digits > 1))
        return bondy_reader_fail(reader, "no number of JSON");
    if (reader->at < reader->end && *reader->at == '.') {
        is_integer = false;
        reader->at++;
        if (count_digits(reader) == 0)
            return bondy_reader_fail(reader, "no digit behind a decimal point");
    }
    if (reader->at < reader->end && (*reader->at | 0x20) == 'e') {
        is_integer = false;
        reader->at++;
        if (reader->at < reader->end && (*reader->at == '+' || *reader->at == '-'))
            reader->at++;
        if (count_digits(reader) == 0)
            return bondy_reader_fail(reader, "no digit in an exponent");
    }
    item->text = bondy_slice_of(start, (size_t)(reader->at - start));
    if (is_integer && parse_integer(item->text, item))
        return true;
    item->type = BONDY_VALUE_FLOAT;
    if (!bondy_number_is_finite(item->text))
        return bondy_reader_fail(reader, "a number too large to be carried");
    return true;
}

static bool read_word(struct bondy_reader *reader, const char *word, size_t len)
{
    if (bondy_reader_left(reader) < len || memcmp(reader->at, word, len) != 0)
        return bondy_reader_fail(reader, "no value of JSON");
    reader->at += len;
    return true;
}

static bool read_item(struct bondy_reader *reader, struct bondy_item *item)
{
    if (reader->at == reader->end)
        return bondy_reader_fail(reader, "the end where a value should be");
    switch (*reader->at) {
    case '"':
        reader->at++;
        return read_text(reader, item);
    case '[':
    case '{':
        item->type = *reader->at == '[' ? BONDY_VALUE_LIST : BONDY_VALUE_DICT;
        item->count = BONDY_COUNT_UNKNOWN;
        reader->at++;
        return true;
    case 't':
        item->type = BONDY_VALUE_BOOL;
        item->flag = true;
        return read_word(reader, "true", 4);
    case 'f':
        item->type = BONDY_VALUE_BOOL;
        item->flag = false;
        return read_word(reader, "false", 5);
    case 'n':
        item->type = BONDY_VALUE_NULL;
        return read_word(reader, "null", 4);
    default:
        if (*reader->at != '-' && (*reader->at < '0' || *reader->at > '9'))
            return bondy_reader_fail(reader, "no value of JSON");
        return read_number(reader, item);
    }
}

static int to_next(struct bondy_reader *reader, struct bondy_frame *frame)
{
    blank(reader);
    if (reader->at == reader->end) {
        bondy_reader_fail(reader, "the end inside a container");
        return -1;
    }
    if (*reader->at == (frame->is_dict ? '}' : ']')) {
        reader->at++;
        return 0;
    }
    if (!frame->is_started) {
        frame->is_started = true;
        return 1;
    }
    if (*reader->at != ',') {
        bondy_reader_fail(reader, "no comma between two elements");
        return -1;
    }
    reader->at++;
    blank(reader);
    return 1;
}

static bool to_value(struct bondy_reader *reader)
{
    blank(reader);
    if (reader->at == reader->end || *reader->at != ':')
        return bondy_reader_fail(reader, "no colon behind a key");
    reader->at++;
    blank(reader);
    return true;
}

static bool read_rest(struct bondy_reader *reader, const struct bondy_item *container,
                      struct bondy_keys *keys, uint64_t *count)
{
    static const struct bondy_rest_ops ops = {read_item, to_next, to_value};

    return bondy_rest_read(reader, &ops, container, keys, count);
}

static size_t unfold(const struct bondy_item *item, char *out)
{
    const uint8_t *at = (const uint8_t *)item->text.data;
    const uint8_t *end = at + item->text.len;
    char *start = out;
    uint32_t code_point = 0;

    while (at < end) {
        const uint8_t *escape = memchr(at, '\\', (size_t)(end - at));
        size_t plain = (size_t)((escape == NULL ? end : escape) - at);

        memcpy(out, at, plain);
        out += plain;
        at += plain;
        if (escape == NULL)
            break;
        at += read_escape(at, end, &code_point);
        out += bondy_utf8_encode(code_point, out);
    }
    return (size_t)(out - start);
}

/* ---- writing ---------------------------------------------------------------------------- */

static void write_null(struct bondy_buf *out)
{
    bondy_buf_append(out, "null", 4);
}

static void write_bool(struct bondy_buf *out, bool value)
{
    bondy_buf_append(out, value ? "true" : "false", value ? 4 : 5);
}

static void write_int(struct bondy_buf *out, int64_t value)
{
    out->len += bondy_number_format_int(value, bondy_buf_reserve(out, BONDY_NUMBER_LEN));
}

static void write_uint(struct bondy_buf *out, uint64_t value)
{
    out->len += bondy_number_format_uint(value, bondy_buf_reserve(out, BONDY_NUMBER_LEN));
}

static void write_float(struct bondy_buf *out, double value)
{
    out->len += bondy_number_format_float(value, bondy_buf_reserve(out, BONDY_NUMBER_LEN));
}

static void write_escape(struct bondy_buf *out, uint8_t character)
{
    static const char letters[128] = {['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
                                      ['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't'};
    static const char digits[] = "0123456789abcdef";
    char *at = bondy_buf_reserve(out, 6);

    at[0] = '\\';
    if (letters[character] != '\0') {
        at[1] = letters[character];
        out->len += 2;
        return;
    }
    memcpy(at + 1, "u00", 3);
    at[4] = digits[character >> 4];
    at[5] = digits[character & 15];
    out->len += 6;
}

static void write_text(struct bondy_buf *out, struct bondy_slice text)
{
    const uint8_t *at = (const uint8_t *)text.data;
    const uint8_t *end = text.len == 0 ? at : at + text.len;

    bondy_buf_reserve(out, text.len + 2);
    bondy_buf_append_byte(out, '"');
    while (at < end) {
        const uint8_t *start = at;

        for (;;) {
            at = skip_plain(at, end);
            if (at == end || *at < 0x80)
                break;
            at++;
        }
        bondy_buf_append(out, start, (size_t)(at - start));
        if (at < end)
            write_escape(out, *at++);
    }
    bondy_buf_append_byte(out, '"');
}

/* WAMP, Binary conversion of JSON Strings. */
static void write_binary(struct bondy_buf *out, struct bondy_slice bytes)
{
    size_t len = bondy_base64_len(bytes.len);
    char *at = bondy_buf_reserve(out, len + 8);

    memcpy(at, "\"\\u0000", 7);
    bondy_base64_encode(bytes, at + 7);
    at[7 + len] = '"';
    out->len += len + 8;
}

static size_t open_container(struct bondy_buf *out, bool is_dict, uint64_t count)
{
    (void)count;
    bondy_buf_append_byte(out, is_dict ? '{' : '[');
    return 0;
}

static void close_container(struct bondy_buf *out, bool is_dict, uint64_t opened_as, uint64_t count,
                            size_t mark)
{
    (void)opened_as;
    (void)count;
    (void)mark;
    bondy_buf_append_byte(out, is_dict ? '}' : ']');
}

static void write_comma(struct bondy_buf *out, uint64_t index)
{
    if (index > 0)
        bondy_buf_append_byte(out, ',');
}

static void write_colon(struct bondy_buf *out)
{
    bondy_buf_append_byte(out, ':');
}

/* ---- messages ------------------------------------------------------------------------------- */

static bool decode(struct bondy_decoder *decoder)
{
    return bondy_decode_message(decoder, &bondy_codec_json);
}

static void encode(const struct bondy_message *message, struct bondy_buf *head,
                   struct bondy_encoded *out)
{
    bondy_encode_message(BONDY_JSON, message, head, &bondy_codec_json, out);
}

const struct bondy_serializer_ops bondy_codec_json = {
    .name = "json",
    .subprotocol = "wamp.2.json",
    .decode = decode,
    .encode = encode,
    .comma = ",",
    .list_end = "]",
    .blank = blank,
    .item = read_item,
    .more = to_next,
    .colon = to_value,
    .rest = read_rest,
    .unfold = unfold,
    .write_null = write_null,
    .write_bool = write_bool,
    .write_int = write_int,
    .write_uint = write_uint,
    .write_float = write_float,
    .write_text = write_text,
    .write_binary = write_binary,
    .open = open_container,
    .close = close_container,
    .write_comma = write_comma,
    .write_colon = write_colon,
};
