/* SPDX-License-Identifier: Apache-2.0 */
#include "src/wamp/codec.h"
#include "src/wamp/reader.h"

void bondy_message_encode(enum bondy_serializer serializer, const struct bondy_message *message,
                          struct bondy_buf *head, struct bondy_encoded *out)
{
    bondy_reader_ops(serializer)->encode(message, head, out);
}

void bondy_message_format(enum bondy_serializer serializer, const struct bondy_message *message,
                          struct bondy_buf *out)
{
    struct bondy_encoded encoded;

    bondy_message_encode(serializer, message, out, &encoded);
    for (unsigned i = 1; i < encoded.part_count; i++)
        bondy_buf_append_slice(out, encoded.parts[i]);
}
