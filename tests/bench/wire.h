/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TESTS_BENCH_WIRE_H
#define BONDY_TESTS_BENCH_WIRE_H

/* wire: the messages of the load generator as bytes, built once and patched with a request id, so
 * that the generator costs little beside what it measures. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum transport { TRANSPORT_RS, TRANSPORT_WS, TRANSPORT_RAW, TRANSPORT_HTTP };
enum serializer { SERIALIZER_JSON = 1, SERIALIZER_MSGPACK = 2, SERIALIZER_CBOR = 3 };

#define RAW_FAN UINT32_MAX
#define RAW_HEAD 16 /* length, to, from, id: 4 octets each */

/* A frame with the place of its request id: a fixed width, so that it can be patched. */
struct frame {
    uint8_t *bytes;
    size_t len;
    size_t id_at;
    enum serializer serializer;
};

/* `authid` NULL: anonymous; else the method `trust`. */
struct frame wire_hello(enum transport transport, enum serializer serializer, const char *realm,
                        const char *authid);
struct frame wire_goodbye(enum transport transport, enum serializer serializer);
struct frame wire_register(enum transport transport, enum serializer serializer, const char *uri);
struct frame wire_subscribe(enum transport transport, enum serializer serializer, const char *uri);
/* With one argument: a text of `payload` octets. */
struct frame wire_call(enum transport transport, enum serializer serializer, const char *uri,
                       size_t payload);
struct frame wire_yield(enum transport transport, enum serializer serializer, size_t payload);
struct frame wire_publish(enum transport transport, enum serializer serializer, const char *uri,
                          size_t payload, bool acknowledge);
/* A frame of the anchor as long as `model`, which is a frame of the router. */
struct frame wire_raw(size_t like_len, uint32_t to, uint32_t from);
void wire_set_id(struct frame *frame, uint32_t id);
void wire_free(struct frame *frame);

/* What a received message is: its type and first two ids; false when it cannot be one. */
bool wire_scan(enum serializer serializer, const uint8_t *bytes, size_t len, unsigned *type,
               uint64_t *id, uint64_t *id2);
/* Whether the message ends with the text of `payload` octets that the frames above carry. */
bool wire_has_payload(enum serializer serializer, const uint8_t *bytes, size_t len, size_t payload);

#endif
