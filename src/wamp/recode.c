/* SPDX-License-Identifier: Apache-2.0 */
/* recode: one encoded value from one serializer to another, item by item, without a tree. */
#include "src/base/alloc.h"
#include "src/wamp/base64.h"
#include "src/wamp/codec.h"
#include "src/wamp/reader.h"

struct level {
    struct bondy_frame frame;
    uint64_t opened_as;
    uint64_t count;
    size_t mark;
};

struct recoder {
    struct bondy_reader reader;
    const struct bondy_serializer_ops *from;
    const struct bondy_serializer_ops *to;
    struct bondy_buf *out;
    struct bondy_buf folded; /* text that has to be put together, one at a time */
    struct level levels[BONDY_DEPTH_MAX];
    unsigned depth;
};

/* Text that was folded: an escaped string of JSON may stand for bytes. */
static void write_folded(struct recoder *recoder, const struct bondy_item *item)
{
    struct bondy_slice text;

    recoder->folded.len = 0;
    recoder->folded.len =
        recoder->from->unfold(item, bondy_buf_reserve(&recoder->folded, item->text.len));
    text = bondy_buf_slice(&recoder->folded);
    if (item->type == BONDY_VALUE_BINARY) {
        recoder->to->write_binary(recoder->out, text);
        return;
    }
    if (recoder->from == &bondy_codec_json && recoder->to != &bondy_codec_json && text.len > 0 &&
        text.data[0] == '\0' && bondy_base64_is_valid(bondy_slice_skip(text, 1))) {
        size_t len = bondy_base64_decode(bondy_slice_skip(text, 1), recoder->folded.data);

        recoder->to->write_binary(recoder->out, bondy_slice_of(recoder->folded.data, len));
        return;
    }
    recoder->to->write_text(recoder->out, text);
}

static void write_text(struct recoder *recoder, const struct bondy_item *item)
{
    if (item->is_folded)
        write_folded(recoder, item);
    else
        recoder->to->write_text(recoder->out, item->text);
}

static void write_binary(struct recoder *recoder, const struct bondy_item *item,
                         const uint8_t *start)
{
    if (item->is_folded)
        write_folded(recoder, item);
    else if (item->is_ext && recoder->to == &bondy_codec_msgpack)
        bondy_buf_append(recoder->out, start, (size_t)(recoder->reader.at - start));
    else
        recoder->to->write_binary(recoder->out, item->text);
}

static void write_open(struct recoder *recoder, const struct bondy_item *item)
{
    struct level *level = &recoder->levels[recoder->depth];
    bool is_dict = item->type == BONDY_VALUE_DICT;

    BONDY_BUG_ON(recoder->depth == BONDY_DEPTH_MAX);
    recoder->depth++;
    level->frame = (struct bondy_frame){item->count, is_dict, false};
    level->opened_as = item->count;
    level->count = 0;
    level->mark = recoder->to->open(recoder->out, is_dict, item->count);
}

static void write_item(struct recoder *recoder, const struct bondy_item *item, const uint8_t *start)
{
    switch (item->type) {
    case BONDY_VALUE_NULL:
        recoder->to->write_null(recoder->out);
        break;
    case BONDY_VALUE_BOOL:
        recoder->to->write_bool(recoder->out, item->flag);
        break;
    case BONDY_VALUE_INT:
        recoder->to->write_int(recoder->out, item->i64);
        break;
    case BONDY_VALUE_UINT:
        recoder->to->write_uint(recoder->out, item->u64);
        break;
    case BONDY_VALUE_FLOAT:
        recoder->to->write_float(recoder->out, bondy_item_float(item));
        break;
    case BONDY_VALUE_TEXT:
        write_text(recoder, item);
        break;
    case BONDY_VALUE_BINARY:
        write_binary(recoder, item, start);
        break;
    case BONDY_VALUE_LIST:
    case BONDY_VALUE_DICT:
        write_open(recoder, item);
        break;
    }
}

/* Only what was proved well-formed gets here, so a failure is our own mistake. */
static void recode_item(struct recoder *recoder)
{
    const uint8_t *start = recoder->reader.at;
    struct bondy_item item;

    BONDY_BUG_ON(!recoder->from->item(&recoder->reader, &item));
    write_item(recoder, &item, start);
}

/* Keys stay text, even one that looks like the bytes of JSON. */
static void recode_key(struct recoder *recoder)
{
    struct bondy_item key;

    BONDY_BUG_ON(!recoder->from->item(&recoder->reader, &key) || key.type != BONDY_VALUE_TEXT);
    if (key.is_folded) {
        recoder->folded.len = 0;
        recoder->folded.len =
            recoder->from->unfold(&key, bondy_buf_reserve(&recoder->folded, key.text.len));
        key.text = bondy_buf_slice(&recoder->folded);
    }
    recoder->to->write_text(recoder->out, key.text);
    BONDY_BUG_ON(!recoder->from->colon(&recoder->reader));
    recoder->to->write_colon(recoder->out);
}

static void recode_next(struct recoder *recoder)
{
    struct level *level = &recoder->levels[recoder->depth - 1];
    int more = recoder->from->more(&recoder->reader, &level->frame);

    BONDY_BUG_ON(more < 0);
    if (more == 0) {
        recoder->depth--;
        recoder->to->close(recoder->out, level->frame.is_dict, level->opened_as, level->count,
                           level->mark);
        return;
    }
    recoder->to->write_comma(recoder->out, level->count++);
    if (level->frame.is_dict)
        recode_key(recoder);
    recode_item(recoder);
}

void bondy_value_recode(enum bondy_serializer from, struct bondy_slice raw,
                        enum bondy_serializer to, struct bondy_buf *out)
{
    struct recoder recoder;

    bondy_reader_init(&recoder.reader, raw, BONDY_DEPTH_MAX);
    recoder.from = bondy_reader_ops(from);
    recoder.to = bondy_reader_ops(to);
    recoder.out = out;
    recoder.folded = (struct bondy_buf)BONDY_BUF_EMPTY;
    recoder.depth = 0;
    bondy_buf_reserve(out, raw.len);
    recoder.from->blank(&recoder.reader);
    recode_item(&recoder);
    while (recoder.depth > 0)
        recode_next(&recoder);
    bondy_buf_fini(&recoder.folded);
}
