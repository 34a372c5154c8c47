/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/wamp/samples.h"

#include <ctype.h>

static struct bondy_buf scratch = BONDY_BUF_EMPTY;

const char *const sample_messages[] = {
    "[1,\"com.example\",{\"roles\":{\"caller\":{},\"callee\":{\"features\":{\"x\":true}}}}]",
    "[2,9007199254740992,{\"roles\":{\"broker\":{},\"dealer\":{}}}]",
    "[3,{\"message\":\"no\"},\"wamp.error.no_such_realm\"]",
    "[3,{},\"wamp.error.no_such_realm\",[1,\"a\"],{\"k\":2}]",
    "[4,\"ticket\",{\"x\":[1,2.5,null]}]",
    "[5,\"secret!\",{}]",
    "[6,{},\"wamp.close.normal\"]",
    "[8,48,7,{},\"com.example.error\"]",
    "[8,68,7,{\"a\":-1},\"com.example.error\",[\"text\"],{\"k\":{\"l\":[]}}]",
    "[16,1,{\"acknowledge\":true,\"exclude\":[1,2]},\"com.example.topic\"]",
    "[16,1,{},\"com.example.topic\",[],{\"k\":1}]",
    "[17,1,4503599627370496]",
    "[32,1,{\"match\":\"prefix\"},\"com.example.\"]",
    "[33,1,2]",
    "[34,1,2]",
    "[35,1]",
    "[35,0,{\"subscription\":5,\"reason\":\"wamp.error.not_authorized\"}]",
    "[36,1,2,{},[\"event\"]]",
    "[48,1,{\"timeout\":5000},\"com.example.add\",[2,3]]",
    "[48,1,{},\"com.example.add\",[2,[3,{\"a\":[]}]],{\"x\":0.5,\"y\":\"\\u00e9\"}]",
    "[49,1,{\"mode\":\"kill\"}]",
    "[50,1,{},[5]]",
    "[64,1,{\"invoke\":\"roundrobin\"},\"com.example.add\"]",
    "[65,1,2]",
    "[66,1,2]",
    "[67,1]",
    "[67,0,{\"registration\":5}]",
    "[68,1,2,{\"caller\":9},[1,true,false,null],{}]",
    "[69,1,{}]",
    "[70,1,{\"progress\":true},[]]",
    NULL,
};

#define INVALID(literal)                                                                           \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }

const struct bondy_slice invalid_utf8[INVALID_UTF8_COUNT] = {
    /* continuation octets alone, and octets that never occur */
    INVALID("\x80"),
    INVALID("\xBF"),
    INVALID("a\x80z"),
    INVALID("\xC0"),
    INVALID("\xFE"),
    INVALID("\xFF"),
    INVALID("\xF5\x80\x80\x80"),
    INVALID("\xF8\x88\x80\x80\x80"),
    INVALID("\xFC\x84\x80\x80\x80\x80"),
    /* sequences that end too early */
    INVALID("\xC3"),
    INVALID("\xC3z"),
    INVALID("\xE2\x82"),
    INVALID("\xE2\x82z"),
    INVALID("\xF0\x9F\x98"),
    INVALID("\xF0\x9F\x98z"),
    INVALID("\xE2z\x82"),
    /* longer than needed */
    INVALID("\xC0\x80"),
    INVALID("\xC0\xAF"),
    INVALID("\xC1\xBF"),
    INVALID("\xE0\x80\xAF"),
    INVALID("\xE0\x9F\xBF"),
    INVALID("\xF0\x80\x80\xAF"),
    INVALID("\xF0\x8F\xBF\xBF"),
    /* surrogates */
    INVALID("\xED\xA0\x80"),
    INVALID("\xED\xBF\xBF"),
    INVALID("\xED\xA0\xBD\xED\xB8\x80"),
    /* beyond U+10FFFF */
    INVALID("\xF4\x90\x80\x80"),
    INVALID("\xF7\xBF\xBF\xBF"),
};

static int digit_of(char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    assert_true(character >= 'a' && character <= 'f');
    return character - 'a' + 10;
}

void append_hex(struct bondy_buf *out, const char *hex)
{
    while (*hex != '\0') {
        if (isspace((unsigned char)*hex)) {
            hex++;
            continue;
        }
        bondy_buf_append_byte(out, (unsigned)(digit_of(hex[0]) << 4 | digit_of(hex[1])));
        hex += 2;
    }
}

void append_message(struct bondy_buf *out, enum bondy_serializer serializer, const char *json)
{
    bondy_value_recode(BONDY_JSON, bondy_slice_text(json), serializer, out);
}

int decode(enum bondy_serializer serializer, struct bondy_slice bytes, struct bondy_message *out)
{
    static const struct bondy_codec_limits limits = BONDY_CODEC_LIMITS_DEFAULT;
    /* On the heap and no longer than it is, so that reading past the end is seen. */
    static char *copy;
    int rc;

    bondy_free(copy);
    copy = bondy_alloc(bytes.len);
    if (bytes.len > 0)
        memcpy(copy, bytes.data, bytes.len);
    rc = bondy_message_decode(serializer, bondy_slice_of(copy, bytes.len), &limits, &scratch, out,
                              NULL);
    if (rc < 0) {
        bondy_free(copy);
        copy = NULL;
    }
    return rc;
}

void must_refuse(enum bondy_serializer serializer, struct bondy_slice bytes, int code,
                 const char *name)
{
    static const struct bondy_codec_limits limits = BONDY_CODEC_LIMITS_DEFAULT;
    struct bondy_error err = {0, ""};
    struct bondy_message message;
    int rc = bondy_message_decode(serializer, bytes, &limits, &scratch, &message, &err);

    if (rc != code)
        fail_msg("%s, %s: %s, expected %s", bondy_serializer_name(serializer), name,
                 rc == 0 ? "accepted" : err.text, bondy_code_name(code));
    assert_true(strlen(err.text) > 0);
}

void free_scratch(void)
{
    bondy_buf_fini(&scratch);
}

uint64_t next_random(uint64_t *seed)
{
    uint64_t z = (*seed += UINT64_C(0x9E3779B97F4A7C15));

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static void write_random_text(const struct bondy_serializer_ops *ops, uint64_t *seed,
                              struct bondy_buf *out, bool is_key)
{
    static const char *const pieces[] = {"a",  "key", "\xC3\xA9", "\xF0\x9F\x98\x80", "\"",
                                         "\\", "\n",  "\x01",     "0123456789abcdef", "/"};
    char text[700];
    size_t count = next_random(seed) % (is_key ? 4 : 40);
    size_t len = 0;

    /* Not NUL first: in JSON that stands for bytes. */
    for (size_t i = 0; i < count; i++) {
        const char *piece = pieces[next_random(seed) % BONDY_COUNT(pieces)];

        memcpy(text + len, piece, strlen(piece));
        len += strlen(piece);
    }
    if (len > 0 && next_random(seed) % 8 == 0)
        text[len++] = '\0';
    ops->write_text(out, bondy_slice_of(text, len));
}

static void write_random_float(const struct bondy_serializer_ops *ops, uint64_t *seed,
                               struct bondy_buf *out)
{
    uint64_t bits = next_random(seed);
    double value;

    if (next_random(seed) % 2 == 0) {
        ops->write_float(out, (double)(int64_t)bits / (double)(1 << (bits & 15)));
        return;
    }
    if ((bits >> 52 & 0x7FF) == 0x7FF) /* neither NaN nor infinite: JSON does not have them */
        bits ^= UINT64_C(1) << 60;
    memcpy(&value, &bits, sizeof value);
    ops->write_float(out, value);
}

static void write_random_container(const struct bondy_serializer_ops *ops, uint64_t *seed,
                                   unsigned depth, struct bondy_buf *out)
{
    bool is_dict = next_random(seed) % 2 == 0;
    uint64_t count = next_random(seed) % (next_random(seed) % 16 == 0 ? 400 : 6);
    size_t mark = ops->open(out, is_dict, count);

    for (uint64_t i = 0; i < count; i++) {
        ops->write_comma(out, i);
        if (is_dict) {
            write_random_text(ops, seed, out, true);
            ops->write_colon(out);
        }
        write_random(ops, seed, count > 20 ? 0 : depth - 1, out);
    }
    ops->close(out, is_dict, count, count, mark);
}

void write_random(const struct bondy_serializer_ops *ops, uint64_t *seed, unsigned depth,
                  struct bondy_buf *out)
{
    uint8_t bytes[300];
    uint64_t random = next_random(seed);

    switch (random % (depth > 0 ? 12 : 7)) {
    case 0:
        ops->write_null(out);
        break;
    case 1:
        ops->write_bool(out, random >> 63);
        break;
    case 2:
        ops->write_int(out, (int64_t)next_random(seed) >> (random >> 58));
        break;
    case 3:
        ops->write_uint(out, next_random(seed) >> (random >> 58));
        break;
    case 4:
        write_random_float(ops, seed, out);
        break;
    case 5:
        write_random_text(ops, seed, out, false);
        break;
    case 6:
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)next_random(seed);
        ops->write_binary(out, bondy_slice_of(bytes, (random >> 8) % sizeof bytes));
        break;
    default:
        write_random_container(ops, seed, depth, out);
        break;
    }
}
