/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_WAMP_READER_H
#define BONDY_WAMP_READER_H

/* reader: how the three serializers are read and written, one table each. Inside src/wamp only.
 *
 * Reading goes item by item: the head of a value is an item, a container's elements follow it. A
 * reader never allocates and never descends; whoever walks keeps its own stack of frames, of at
 * most BONDY_DEPTH_MAX. Everything is checked on the way, so that the same functions serve the
 * proof of what a peer sent and the walks over what was proved. */

#include "src/base/buf.h"
#include "src/wamp/message.h"

#define BONDY_DEPTH_MAX 32
#define BONDY_COUNT_UNKNOWN UINT64_MAX
#define BONDY_READER_TOO_MANY "more values than the limit"

struct bondy_reader {
    const uint8_t *start;
    const uint8_t *at;
    const uint8_t *end;
    const char *problem; /* why the last function failed, which happened at `at` */
    unsigned depth;      /* containers open around `at`, kept by whoever walks */
    unsigned max_depth;
    bool has_indefinite;  /* something of indefinite length was read (CBOR) */
    uint64_t values_left; /* elements of containers that may still come */
};

struct bondy_item {
    enum bondy_value_type type; /* text that stands for bytes in JSON is still BONDY_VALUE_TEXT */
    bool is_folded;             /* `text` has escapes (JSON) or comes in chunks (CBOR) */
    bool is_ext;                /* BONDY_VALUE_BINARY: `ext_type` says which (MessagePack) */
    int8_t ext_type;
    uint64_t count; /* elements or pairs of a container, perhaps BONDY_COUNT_UNKNOWN */
    union {
        bool flag;
        int64_t i64;
        uint64_t u64;
        double f64;
    };
    struct bondy_slice text; /* TEXT, BINARY; FLOAT of JSON: its digits instead of .f64 */
};

/* One open container. */
struct bondy_frame {
    uint64_t left; /* elements still to come, or BONDY_COUNT_UNKNOWN: until the end mark */
    bool is_dict;
    bool is_started;
};

struct bondy_keys;
struct bondy_decoder;
struct bondy_encoded;

/* Everything that differs between serializers. Functions that return bool or -1 set
 * reader->problem when they fail. */
struct bondy_serializer_ops {
    const char *name;
    const char *subprotocol;

    /* A whole message (decode.h, encode.h). */
    bool (*decode)(struct bondy_decoder *decoder);
    void (*encode)(const struct bondy_message *message, struct bondy_buf *head,
                   struct bondy_encoded *out);

    /* What may stand around the one value: white space in JSON. */
    void (*blank)(struct bondy_reader *reader);
    /* Reads the head of the value at `at`. */
    bool (*item)(struct bondy_reader *reader, struct bondy_item *item);
    /* Goes to the next element or key of a container: 1, or 0 at its end. */
    int (*more)(struct bondy_reader *reader, struct bondy_frame *frame);
    /* Goes from a key to its value. */
    bool (*colon)(struct bondy_reader *reader);
    /* Reads on to the end of the container whose head was read, and counts its elements. With
     * `keys` no dict in it may have a key twice. */
    bool (*rest)(struct bondy_reader *reader, const struct bondy_item *container,
                 struct bondy_keys *keys, uint64_t *count);
    /* Writes the text of a folded item to `out`, which has room for item->text.len bytes, and says
     * how many it wrote. */
    size_t (*unfold)(const struct bondy_item *item, char *out);

    void (*write_null)(struct bondy_buf *out);
    void (*write_bool)(struct bondy_buf *out, bool value);
    void (*write_int)(struct bondy_buf *out, int64_t value);
    void (*write_uint)(struct bondy_buf *out, uint64_t value);
    void (*write_float)(struct bondy_buf *out, double value);
    void (*write_text)(struct bondy_buf *out, struct bondy_slice text);
    void (*write_binary)(struct bondy_buf *out, struct bondy_slice bytes);
    /* Containers: `count` may be BONDY_COUNT_UNKNOWN when opening and is right when closing; the
     * mark goes from one to the other. */
    size_t (*open)(struct bondy_buf *out, bool is_dict, uint64_t count);
    void (*close)(struct bondy_buf *out, bool is_dict, uint64_t opened_as, uint64_t count,
                  size_t mark);
    /* Between two elements of a list, and behind the last one. */
    const char *comma;
    const char *list_end;
    /* In front of the element, or the key, of this index; and between key and value. */
    void (*write_comma)(struct bondy_buf *out, uint64_t index);
    void (*write_colon)(struct bondy_buf *out);
};

extern const struct bondy_serializer_ops bondy_codec_json;
extern const struct bondy_serializer_ops bondy_codec_msgpack;
extern const struct bondy_serializer_ops bondy_codec_cbor;

/* Always there: anything but a serializer's number is a bug. */
const struct bondy_serializer_ops *bondy_reader_ops(enum bondy_serializer serializer);

static inline void bondy_reader_init(struct bondy_reader *reader, struct bondy_slice bytes,
                                     unsigned max_depth)
{
    reader->start = (const uint8_t *)bytes.data;
    reader->at = reader->start;
    reader->end = bytes.len == 0 ? reader->start : reader->start + bytes.len;
    reader->problem = NULL;
    reader->depth = 0;
    reader->max_depth = max_depth < BONDY_DEPTH_MAX ? max_depth : BONDY_DEPTH_MAX;
    reader->has_indefinite = false;
    reader->values_left = UINT64_MAX;
}

static inline size_t bondy_reader_left(const struct bondy_reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

static inline bool bondy_reader_fail(struct bondy_reader *reader, const char *problem)
{
    reader->problem = problem;
    return false;
}

static inline bool bondy_item_is_container(const struct bondy_item *item)
{
    return item->type == BONDY_VALUE_LIST || item->type == BONDY_VALUE_DICT;
}

/* The whole value at `at`, whatever it is. */
bool bondy_reader_value(struct bondy_reader *reader, const struct bondy_serializer_ops *ops,
                        struct bondy_item *item, struct bondy_keys *keys, uint64_t *count);
/* The number of a BONDY_VALUE_FLOAT. */
double bondy_item_float(const struct bondy_item *item);

#endif
