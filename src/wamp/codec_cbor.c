/* SPDX-License-Identifier: Apache-2.0 */
/* codec_cbor: WAMP over CBOR (RFC 8949).
 *
 * Tags are skipped to what they stand for, a run of them counting as depth; bignums are integers,
 * and those that 64 bits do not hold floats; undefined is null. Simple values without a meaning are
 * refused. What is written is of definite length and in the shortest form, floats always with 64
 * bits. */
#include <math.h>

#include "src/base/utf8.h"
#include "src/wamp/binary.h"
#include "src/wamp/decode.h"
#include "src/wamp/encode.h"
#include "src/wamp/reader.h"
#include "src/wamp/rest.h"

enum major { UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE };

#define INDEFINITE 31
#define BREAK 0xFF
#define TAG_BIGNUM 2
#define TAG_NEGATIVE_BIGNUM 3

/* ---- reading ---------------------------------------------------------------------------- */

static void blank(struct bondy_reader *reader)
{
    (void)reader;
}

/* Reads the number of a head whose first octet was read. */
static bool read_argument(struct bondy_reader *reader, unsigned info, uint64_t *out)
{
    size_t len;

    if (info < 24) {
        *out = info;
        return true;
    }
    if (info > 27) {
        reader->at--;
        return bondy_reader_fail(reader, "a head that CBOR does not have");
    }
    len = (size_t)1 << (info - 24);
    if (bondy_reader_left(reader) < len)
        return bondy_reader_fail(reader, "the end inside a value");
    *out = bondy_binary_get(reader->at, len);
    reader->at += len;
    return true;
}

/* One run of bytes or text of definite length. */
static bool read_run(struct bondy_reader *reader, bool is_text, uint64_t len,
                     struct bondy_slice *out)
{
    if (len > bondy_reader_left(reader))
        return bondy_reader_fail(reader, "text or bytes longer than what is there");
    *out = bondy_slice_of(reader->at, (size_t)len);
    if (is_text && !bondy_utf8_is_valid(*out))
        return bondy_reader_fail(reader, "text that is not UTF-8");
    reader->at += len;
    return true;
}

/* Chunks up to the break; each is of the same kind and of definite length, and text is valid in
 * each by itself. */
static bool read_chunks(struct bondy_reader *reader, enum major major, struct bondy_item *item)
{
    const uint8_t *start = reader->at;
    struct bondy_slice chunk;
    uint64_t len;

    reader->has_indefinite = true;
    item->is_folded = true;
    while (reader->at < reader->end && *reader->at != BREAK) {
        unsigned first = *reader->at;

        if (first >> 5 != major || (first & 31) == INDEFINITE)
            return bondy_reader_fail(reader, "a chunk of another kind");
        reader->at++;
        if (!read_argument(reader, first & 31, &len) ||
            !read_run(reader, major == TEXT, len, &chunk))
            return false;
    }
    if (reader->at == reader->end)
        return bondy_reader_fail(reader, "the end inside a value");
    item->text = bondy_slice_of(start, (size_t)(reader->at - start));
    reader->at++;
    return true;
}

static bool read_string(struct bondy_reader *reader, enum major major, unsigned info,
                        struct bondy_item *item)
{
    uint64_t len;

    item->type = major == TEXT ? BONDY_VALUE_TEXT : BONDY_VALUE_BINARY;
    item->is_ext = false;
    if (info == INDEFINITE)
        return read_chunks(reader, major, item);
    item->is_folded = false;
    return read_argument(reader, info, &len) && read_run(reader, major == TEXT, len, &item->text);
}

/* Each element takes an octet at least, so a count beyond what is left is a lie (threat-model
 * P3). */
static bool read_container(struct bondy_reader *reader, bool is_dict, unsigned info,
                           struct bondy_item *item)
{
    item->type = is_dict ? BONDY_VALUE_DICT : BONDY_VALUE_LIST;
    if (info == INDEFINITE) {
        reader->has_indefinite = true;
        item->count = BONDY_COUNT_UNKNOWN;
        return true;
    }
    if (!read_argument(reader, info, &item->count))
        return false;
    if (item->count > bondy_reader_left(reader) / (is_dict ? 2 : 1))
        return bondy_reader_fail(reader, "more elements announced than there can be");
    return true;
}

/* RFC 8949, appendix D. */
static double half(unsigned bits)
{
    int exponent = (bits >> 10) & 31;
    int fraction = bits & 0x3FF;
    double value;

    if (exponent == 0)
        value = ldexp(fraction, -24);
    else if (exponent != 31)
        value = ldexp(fraction + 1024, exponent - 25);
    else
        value = fraction == 0 ? INFINITY : NAN;
    return bits & 0x8000 ? -value : value;
}

static bool read_simple(struct bondy_reader *reader, unsigned info, struct bondy_item *item)
{
    uint64_t bits;

    if (!read_argument(reader, info, &bits))
        return false;
    item->type = BONDY_VALUE_FLOAT;
    item->text = BONDY_SLICE_EMPTY;
    switch (info) {
    case 20:
    case 21:
        item->type = BONDY_VALUE_BOOL;
        item->flag = info == 21;
        return true;
    case 22:
    case 23:
        item->type = BONDY_VALUE_NULL;
        return true;
    case 25:
        item->f64 = half((unsigned)bits);
        return true;
    case 26:
        item->f64 = bondy_binary_single((uint32_t)bits);
        return true;
    case 27:
        item->f64 = bondy_binary_double(bits);
        return true;
    default:
        return bondy_reader_fail(reader, "a simple value without a meaning");
    }
}

static void set_integer(bool is_negative, uint64_t number, struct bondy_item *item)
{
    if (number <= INT64_MAX) {
        item->type = BONDY_VALUE_INT;
        item->i64 = is_negative ? -1 - (int64_t)number : (int64_t)number;
    } else if (!is_negative) {
        item->type = BONDY_VALUE_UINT;
        item->u64 = number;
    } else {
        item->type = BONDY_VALUE_FLOAT;
        item->text = BONDY_SLICE_EMPTY;
        item->f64 = -1.0 - (double)number;
    }
}

static bool read_integer(struct bondy_reader *reader, enum major major, unsigned info,
                         struct bondy_item *item)
{
    uint64_t number;

    if (!read_argument(reader, info, &number))
        return false;
    set_integer(major == NEGATIVE, number, item);
    return true;
}

/* RFC 8949, Bignums: the bytes of an integer, most significant first; with the negative tag n
 * stands for -1 - n. Some encoders send 64-bit integers like this. */
static void convert_bignum(bool is_negative, struct bondy_item *item)
{
    const uint8_t *at = (const uint8_t *)item->text.data;
    size_t len = item->text.len;

    while (len > 0 && *at == 0) {
        at++;
        len--;
    }
    if (len <= 8) {
        set_integer(is_negative, bondy_binary_get(at, len), item);
        return;
    }
    item->type = BONDY_VALUE_FLOAT;
    item->f64 = 0;
    item->text = BONDY_SLICE_EMPTY;
    for (; len > 0; len--)
        item->f64 = item->f64 * 256 + *at++;
    if (is_negative)
        item->f64 = -item->f64;
}

static bool read_tagged_bytes(struct bondy_reader *reader, unsigned info, bool is_tagged,
                              uint64_t tag, struct bondy_item *item)
{
    if (!read_string(reader, BYTES, info, item))
        return false;
    if (is_tagged && (tag == TAG_BIGNUM || tag == TAG_NEGATIVE_BIGNUM) && !item->is_folded)
        convert_bignum(tag == TAG_NEGATIVE_BIGNUM, item);
    return true;
}

static bool read_item(struct bondy_reader *reader, struct bondy_item *item)
{
    unsigned tags = 0;
    uint64_t tag = 0;

    for (;;) {
        unsigned first;

        if (reader->at == reader->end)
            return bondy_reader_fail(reader, "the end where a value should be");
        first = *reader->at++;
        switch ((enum major)(first >> 5)) {
        case UNSIGNED:
        case NEGATIVE:
            return read_integer(reader, first >> 5, first & 31, item);
        case BYTES:
            return read_tagged_bytes(reader, first & 31, tags > 0, tag, item);
        case TEXT:
            return read_string(reader, TEXT, first & 31, item);
        case ARRAY:
        case MAP:
            return read_container(reader, first >> 5 == MAP, first & 31, item);
        case SIMPLE:
            return read_simple(reader, first & 31, item);
        case TAG:
            if (reader->depth + ++tags > reader->max_depth)
                return bondy_reader_fail(reader, "tags nested too deep");
            if (!read_argument(reader, first & 31, &tag))
                return false;
        }
    }
}

static int to_next(struct bondy_reader *reader, struct bondy_frame *frame)
{
    if (frame->left != BONDY_COUNT_UNKNOWN) {
        if (frame->left == 0)
            return 0;
        frame->left--;
        return 1;
    }
    if (reader->at == reader->end) {
        bondy_reader_fail(reader, "the end inside a container");
        return -1;
    }
    if (*reader->at != BREAK)
        return 1;
    reader->at++;
    return 0;
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
    struct bondy_reader reader;
    char *start = out;
    uint64_t len = 0;

    bondy_reader_init(&reader, item->text, BONDY_DEPTH_MAX);
    while (reader.at < reader.end) {
        unsigned first = *reader.at++;

        if (!read_argument(&reader, first & 31, &len) || len > bondy_reader_left(&reader))
            break;
        memcpy(out, reader.at, (size_t)len);
        out += len;
        reader.at += len;
    }
    return (size_t)(out - start);
}

/* ---- writing ---------------------------------------------------------------------------- */

static size_t format_head(char *at, enum major major, uint64_t value)
{
    unsigned first = (unsigned)major << 5;

    if (value < 24)
        return bondy_binary_put(at, first | (unsigned)value, 0, 0);
    if (value <= UINT8_MAX)
        return bondy_binary_put(at, first | 24, value, 1);
    if (value <= UINT16_MAX)
        return bondy_binary_put(at, first | 25, value, 2);
    if (value <= UINT32_MAX)
        return bondy_binary_put(at, first | 26, value, 4);
    return bondy_binary_put(at, first | 27, value, 8);
}

static void append_head(struct bondy_buf *out, enum major major, uint64_t value)
{
    out->len += format_head(bondy_buf_reserve(out, 9), major, value);
}

static void write_null(struct bondy_buf *out)
{
    append_head(out, SIMPLE, 22);
}

static void write_bool(struct bondy_buf *out, bool value)
{
    append_head(out, SIMPLE, value ? 21 : 20);
}

static void write_int(struct bondy_buf *out, int64_t value)
{
    if (value >= 0)
        append_head(out, UNSIGNED, (uint64_t)value);
    else
        append_head(out, NEGATIVE, (uint64_t)(-1 - value));
}

static void write_uint(struct bondy_buf *out, uint64_t value)
{
    append_head(out, UNSIGNED, value);
}

static void write_float(struct bondy_buf *out, double value)
{
    out->len +=
        bondy_binary_put(bondy_buf_reserve(out, 9), SIMPLE << 5 | 27, bondy_binary_bits(value), 8);
}

static void write_text(struct bondy_buf *out, struct bondy_slice text)
{
    append_head(out, TEXT, text.len);
    bondy_buf_append_slice(out, text);
}

static void write_binary(struct bondy_buf *out, struct bondy_slice bytes)
{
    append_head(out, BYTES, bytes.len);
    bondy_buf_append_slice(out, bytes);
}

static size_t open_container(struct bondy_buf *out, bool is_dict, uint64_t count)
{
    size_t mark = out->len;

    if (count == BONDY_COUNT_UNKNOWN)
        bondy_buf_append_byte(out, 0);
    else
        append_head(out, is_dict ? MAP : ARRAY, count);
    return mark;
}

static void close_container(struct bondy_buf *out, bool is_dict, uint64_t opened_as, uint64_t count,
                            size_t mark)
{
    char head[9];

    if (opened_as == BONDY_COUNT_UNKNOWN)
        bondy_binary_insert(out, mark, head, format_head(head, is_dict ? MAP : ARRAY, count));
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
    return bondy_decode_message(decoder, &bondy_codec_cbor);
}

static void encode(const struct bondy_message *message, struct bondy_buf *head,
                   struct bondy_encoded *out)
{
    bondy_encode_message(BONDY_CBOR, message, head, &bondy_codec_cbor, out);
}

const struct bondy_serializer_ops bondy_codec_cbor = {
    .name = "cbor",
    .subprotocol = "wamp.2.cbor",
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
