/* SPDX-License-Identifier: Apache-2.0 */
#include "src/wamp/reader.h"

#include "src/base/alloc.h"
#include "src/wamp/number.h"

const struct bondy_serializer_ops *bondy_reader_ops(enum bondy_serializer serializer)
{
    static const struct bondy_serializer_ops *const table[BONDY_SERIALIZERS] = {
        [BONDY_JSON] = &bondy_codec_json,
        [BONDY_MSGPACK] = &bondy_codec_msgpack,
        [BONDY_CBOR] = &bondy_codec_cbor,
    };

    BONDY_BUG_ON(serializer <= 0 || serializer >= BONDY_SERIALIZERS);
    return table[serializer];
}

bool bondy_reader_value(struct bondy_reader *reader, const struct bondy_serializer_ops *ops,
                        struct bondy_item *item, struct bondy_keys *keys, uint64_t *count)
{
    *count = 0;
    if (!ops->item(reader, item))
        return false;
    return !bondy_item_is_container(item) || ops->rest(reader, item, keys, count);
}

double bondy_item_float(const struct bondy_item *item)
{
    return item->text.len > 0 ? bondy_number_parse(item->text) : item->f64;
}
