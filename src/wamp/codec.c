/* SPDX-License-Identifier: Apache-2.0 */
#include "src/wamp/codec.h"

#include "src/wamp/reader.h"

enum bondy_serializer bondy_serializer_of_subprotocol(struct bondy_slice name)
{
    for (int serializer = BONDY_JSON; serializer < BONDY_SERIALIZERS; serializer++)
        if (bondy_slice_is(name, bondy_subprotocol((enum bondy_serializer)serializer)))
            return (enum bondy_serializer)serializer;
    return 0;
}

const char *bondy_subprotocol(enum bondy_serializer serializer)
{
    return bondy_reader_ops(serializer)->subprotocol;
}
