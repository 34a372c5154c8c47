/* SPDX-License-Identifier: Apache-2.0 */
/* codec_msgpack: WAMP over MessagePack.
 *
 * Read and written directly: an item is a switch over its first octet, and the library's unpacker
 * would allocate what a peer announces. Keys must be str; ext values are bytes with a number. */
#include "src/base/utf8.h"
#include "src/wamp/binary.h"
#include "src/wamp/decode.h"
#include "src/wamp/encode.h"
#include "src/wamp/reader.h"
#include "src/wamp/rest.h"

enum kind { NEVER, NIL, FLAG, UNSIGNED, SIGNED, SINGLE, DOUBLE, STR, BIN, EXT, FIXEXT, ARRAY, MAP };

/* Octets 0xc0 to 0xdf: what follows, and how many octets of number. For FIXEXT the latter is the
 * length itself. */
static const struct {
    uint8_t kind;
    uint8_t len;
} heads[32] = {
    {NIL, 0},      {NEVER, 0},    {FLAG, 0},     {FLAG, 0},     {BIN, 1},    {BIN, 2},
    {BIN, 4},      {EXT, 1},      {EXT, 2},      {EXT, 4},      {SINGLE, 4}, {DOUBLE, 8},
    {UNSIGNED, 1}, {UNSIGNED, 2}, {UNSIGNED, 4}, {UNSIGNED, 8}, {SIGNED, 1}, {SIGNED, 2},
    {SIGNED, 4},   {SIGNED, 8},   {FIXEXT, 1},   {FIXEXT, 2},   {FIXEXT, 4}, {FIXEXT, 8},
    {FIXEXT, 16},  {STR, 1},      {STR, 2},      {STR, 4},      {ARRAY, 2},  {ARRAY, 4},
    {MAP, 2},      {MAP, 4},
};

/* ---- reading ---------------------------------------------------------------------------- */

static void blank(struct bondy_reader *reader)
{
    (void)reader;
}

static bool read_bytes(struct bondy_reader *reader, struct bondy_item *item, uint64_t len)
{
    if (len > bondy_reader_left(reader))
        return bondy_reader_fail(reader, "text or bytes longer than what is there");
    item->is_folded = false;
    item->is_ext = false;
    item->text = bondy_slice_of(reader->at, (size_t)len);
    reader->at += len;
    return true;
}

static bool read_str(struct bondy_reader *reader, struct bondy_item *item, uint64_t len)
{
    const uint8_t *start = reader->at;

    item->type = BONDY_VALUE_TEXT;
    if (!read_bytes(reader, item, len))
        return false;
    if (bondy_utf8_is_valid(item->text))
        return true;
    reader->at = start;
    return bondy_reader_fail(reader, "text that is not UTF-8");
}

static bool read_ext(struct bondy_reader *reader, struct bondy_item *item, uint64_t len)
{
    int8_t ext_type;

    item->type = BONDY_VALUE_BINARY;
    if (bondy_reader_left(reader) < 1)
        return bondy_reader_fail(reader, "the end inside a value");
    ext_type = (int8_t)*reader->at++;
    if (!read_bytes(reader, item, len))
        return false;
    item->is_ext = true;
    item->ext_type = ext_type;
    return true;
}

/* Each element takes an octet at least, so a count beyond what is left is a lie (threat-model
 * P3). */
static bool read_container(struct bondy_reader *reader, struct bondy_item *item, uint64_t count,
                           bool is_dict)
{
    if (count * (is_dict ? 2 : 1) > bondy_reader_left(reader))
        return bondy_reader_fail(reader, "more elements announced than there can be");
    item->type = is_dict ? BONDY_VALUE_DICT : BONDY_VALUE_LIST;
    item->count = count;
    return true;
}

static void set_unsigned(struct bondy_item *item, uint64_t value)
{
    item->type = value > INT64_MAX ? BONDY_VALUE_UINT : BONDY_VALUE_INT;
    item->u64 = value;
}

static void set_signed(struct bondy_item *item, uint64_t number, size_t len)
{
    item->type = BONDY_VALUE_INT;
    item->i64 = (int64_t)(number << (64 - 8 * len)) >> (64 - 8 * len);
}

static void set_float(struct bondy_item *item, double value)
{
    item->type = BONDY_VALUE_FLOAT;
    item->text = BONDY_SLICE_EMPTY;
    item->f64 = value;
}

static bool read_kind(struct bondy_reader *reader, struct bondy_item *item, enum kind kind,
                      uint64_t number, size_t len)
{
    switch (kind) {
    case NIL:
        item->type = BONDY_VALUE_NULL;
        return true;
    case FLAG:
        item->type = BONDY_VALUE_BOOL;
        item->flag = reader->at[-1] == 0xC3;
        return true;
    case UNSIGNED:
        set_unsigned(item, number);
        return true;
    case SIGNED:
        set_signed(item, number, len);
        return true;
    case SINGLE:
        set_float(item, bondy_binary_single((uint32_t)number));
        return true;
    case DOUBLE:
        set_float(item, bondy_binary_double(number));
        return true;
    case STR:
        return read_str(reader, item, number);
    case BIN:
        item->type = BONDY_VALUE_BINARY;
        return read_bytes(reader, item, number);
    case EXT:
    case FIXEXT:
        return read_ext(reader, item, number);
    case ARRAY:
    case MAP:
        return read_container(reader, item, number, kind == MAP);
    case NEVER:
        break;
    }
    reader->at--;
    return bondy_reader_fail(reader, "the octet 0xc1, which MessagePack does not use");
}

static bool read_long(struct bondy_reader *reader, struct bondy_item *item, unsigned first)
{
    enum kind kind = heads[first - 0xC0].kind;
    size_t len = heads[first - 0xC0].len;
    uint64_t number = len;

    if (kind != FIXEXT) {
        if (bondy_reader_left(reader) < len)
            return bondy_reader_fail(reader, "the end inside a value");
        number = bondy_binary_get(reader->at, len);
        reader->at += len;
    }
    return read_kind(reader, item, kind, number, len);
}

static bool read_item(struct bondy_reader *reader, struct bondy_item *item)
{
    unsigned first;

    if (reader->at == reader->end)
        return bondy_reader_fail(reader, "the end where a value should be");
    first = *reader->at++;
    if (first < 0x80 || first >= 0xE0) {
        item->type = BONDY_VALUE_INT;
        item->i64 = (int8_t)first;
        return true;
    }
    if (first >= 0xC0)
        return read_long(reader, item, first);
    if (first >= 0xA0)
        return read_str(reader, item, first & 0x1F);
    return read_container(reader, item, first & 0x0F, first < 0x90);
}

static int to_next(struct bondy_reader *reader, struct bondy_frame *frame)
{
    (void)reader;
    if (frame->left == 0)
        return 0;
    frame->left--;
    return 1;
}

static bool to_value(struct bondy_reader *reader)
{
    (void)reader;
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
    memcpy(out, item->text.data, item->text.len);
    return item->text.len;
}

/* ---- writing ---------------------------------------------------------------------------- */

/* The first of 1, 2, 4, 8 octets that holds `value`, as the power of two. */
static unsigned width_of(uint64_t value)
{
    return value <= UINT8_MAX ? 0 : value <= UINT16_MAX ? 1 : value <= UINT32_MAX ? 2 : 3;
}

static void append_head(struct bondy_buf *out, unsigned head, uint64_t value, size_t len)
{
    out->len += bondy_binary_put(bondy_buf_reserve(out, 9), head, value, len);
}

static void write_null(struct bondy_buf *out)
{
    bondy_buf_append_byte(out, 0xC0);
}

static void write_bool(struct bondy_buf *out, bool value)
{
    bondy_buf_append_byte(out, value ? 0xC3 : 0xC2);
}

static void write_uint(struct bondy_buf *out, uint64_t value)
{
    unsigned width = width_of(value);

    if (value < 0x80)
        bondy_buf_append_byte(out, (unsigned)value);
    else
        append_head(out, 0xCC + width, value, (size_t)1 << width);
}

static void write_int(struct bondy_buf *out, int64_t value)
{
    unsigned width;

    if (value >= 0) {
        write_uint(out, (uint64_t)value);
        return;
    }
    if (value >= -32) {
        bondy_buf_append_byte(out, (unsigned)(value & 0xFF));
        return;
    }
    width = value >= INT8_MIN ? 0 : value >= INT16_MIN ? 1 : value >= INT32_MIN ? 2 : 3;
    append_head(out, 0xD0 + width, (uint64_t)value, (size_t)1 << width);
}

static void write_float(struct bondy_buf *out, double value)
{
    append_head(out, 0xCB, bondy_binary_bits(value), 8);
}

static void write_text(struct bondy_buf *out, struct bondy_slice text)
{
    unsigned width = width_of(text.len);

    if (text.len < 32)
        bondy_buf_append_byte(out, 0xA0 | (unsigned)text.len);
    else
        append_head(out, 0xD9 + width, text.len, (size_t)1 << width);
    bondy_buf_append_slice(out, text);
}

static void write_binary(struct bondy_buf *out, struct bondy_slice bytes)
{
    unsigned width = width_of(bytes.len);

    append_head(out, 0xC4 + width, bytes.len, (size_t)1 << width);
    bondy_buf_append_slice(out, bytes);
}

static size_t format_container(char *at, bool is_dict, uint64_t count)
{
    unsigned width = width_of(count);

    if (count < 16)
        return bondy_binary_put(at, (is_dict ? 0x80 : 0x90) | (unsigned)count, 0, 0);
    if (width < 1)
        width = 1;
    return bondy_binary_put(at, (is_dict ? 0xDD : 0xDB) + width, count, (size_t)1 << width);
}

static size_t open_container(struct bondy_buf *out, bool is_dict, uint64_t count)
{
    size_t mark = out->len;

    if (count == BONDY_COUNT_UNKNOWN)
        bondy_buf_append_byte(out, 0);
    else
        out->len += format_container(bondy_buf_reserve(out, 9), is_dict, count);
    return mark;
}

static void close_container(struct bondy_buf *out, bool is_dict, uint64_t opened_as, uint64_t count,
                            size_t mark)
{
    char head[9];

    if (opened_as == BONDY_COUNT_UNKNOWN)
        bondy_binary_insert(out, mark, head, format_container(head, is_dict, count));
}

static void write_comma(struct bondy_buf *out, uint64_t index)
{
    (void)out;
    (void)index;
}

static void write_colon(struct bondy_buf *out)
{
    (void)out;
}

/* ---- messages ------------------------------------------------------------------------------- */

static bool decode(struct bondy_decoder *decoder)
{
    return bondy_decode_message(decoder, &bondy_codec_msgpack);
}

static void encode(const struct bondy_message *message, struct bondy_buf *head,
                   struct bondy_encoded *out)
{
    bondy_encode_message(BONDY_MSGPACK, message, head, &bondy_codec_msgpack, out);
}

const struct bondy_serializer_ops bondy_codec_msgpack = {
    .name = "msgpack",
    .subprotocol = "wamp.2.msgpack",
    .decode = decode,
    .encode = encode,
    .comma = "",
    .list_end = "",
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
