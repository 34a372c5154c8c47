/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/wire.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_ROOM 16
#define ID_DIGITS 10

/* Builds one message behind HEAD_ROOM octets, where the frame head is put at the end. */
struct builder {
    enum serializer serializer;
    uint8_t *data;
    size_t len, cap, id_at;
    bool is_first;
};

static void put(struct builder *b, const void *bytes, size_t len)
{
    if (b->len + len > b->cap) {
        b->cap = (b->len + len) * 2;
        b->data = realloc(b->data, b->cap);
        if (b->data == NULL)
            abort();
    }
    memcpy(b->data + b->len, bytes, len);
    b->len += len;
}

static void put_octet(struct builder *b, unsigned octet)
{
    uint8_t value = (uint8_t)octet;

    put(b, &value, 1);
}

static void separate(struct builder *b)
{
    if (b->serializer == SERIALIZER_JSON && !b->is_first)
        put_octet(b, ',');
    b->is_first = false;
}

static void put_list(struct builder *b, unsigned count)
{
    static const unsigned heads[] = {0, '[', 0x90, 0x80};

    separate(b);
    put_octet(b, heads[b->serializer] | (b->serializer == SERIALIZER_JSON ? 0 : count));
    b->is_first = true;
}

static void end_list(struct builder *b)
{
    if (b->serializer == SERIALIZER_JSON)
        put_octet(b, ']');
    b->is_first = false;
}

static void put_dict(struct builder *b, unsigned count)
{
    static const unsigned heads[] = {0, '{', 0x80, 0xa0};

    separate(b);
    put_octet(b, heads[b->serializer] | (b->serializer == SERIALIZER_JSON ? 0 : count));
    b->is_first = true;
}

static void end_dict(struct builder *b)
{
    if (b->serializer == SERIALIZER_JSON)
        put_octet(b, '}');
    b->is_first = false;
}

static void put_text_head(struct builder *b, size_t len)
{
    uint32_t wide = htonl((uint32_t)len);

    if (b->serializer == SERIALIZER_JSON) {
        put_octet(b, '"');
    } else if (len < 24) {
        put_octet(b, (b->serializer == SERIALIZER_MSGPACK ? 0xa0u : 0x60u) | (unsigned)len);
    } else if (len < 256) {
        put_octet(b, b->serializer == SERIALIZER_MSGPACK ? 0xd9 : 0x78);
        put_octet(b, (unsigned)len);
    } else {
        put_octet(b, b->serializer == SERIALIZER_MSGPACK ? 0xdb : 0x7a);
        put(b, &wide, 4);
    }
}

static void put_text(struct builder *b, const char *text, size_t len)
{
    separate(b);
    put_text_head(b, len);
    put(b, text, len);
    if (b->serializer == SERIALIZER_JSON)
        put_octet(b, '"');
}

static void put_key(struct builder *b, const char *key)
{
    put_text(b, key, strlen(key));
    if (b->serializer == SERIALIZER_JSON) {
        put_octet(b, ':');
        b->is_first = true;
    }
}

static void put_true(struct builder *b)
{
    separate(b);
    if (b->serializer == SERIALIZER_JSON)
        put(b, "true", 4);
    else
        put_octet(b, b->serializer == SERIALIZER_MSGPACK ? 0xc3 : 0xf5);
}

static void put_small(struct builder *b, unsigned value)
{
    char digits[16];

    separate(b);
    if (b->serializer == SERIALIZER_JSON) {
        put(b, digits, (size_t)snprintf(digits, sizeof digits, "%u", value));
    } else if (b->serializer == SERIALIZER_CBOR && value >= 24) {
        put_octet(b, 0x18);
        put_octet(b, value);
    } else {
        put_octet(b, value); /* every WAMP type is below 128 */
    }
}

static void put_id(struct builder *b)
{
    separate(b);
    if (b->serializer != SERIALIZER_JSON)
        put_octet(b, b->serializer == SERIALIZER_MSGPACK ? 0xce : 0x1a);
    b->id_at = b->len;
    put(b, "         0", b->serializer == SERIALIZER_JSON ? ID_DIGITS : 4);
}

static void put_payload(struct builder *b, size_t payload)
{
    char *text = malloc(payload + 1);

    if (text == NULL)
        abort();
    memset(text, 'x', payload);
    put_list(b, 1);
    put_text(b, text, payload);
    end_list(b);
    free(text);
}

static struct builder begin(enum serializer serializer, unsigned type, unsigned count)
{
    struct builder b = {.serializer = serializer, .is_first = true};

    put(&b, "                ", HEAD_ROOM);
    put_list(&b, count);
    put_small(&b, type);
    return b;
}

/* WebSocket, client to server: mask key 0, so that the payload is sent as it is. */
static size_t websocket_head(uint8_t *out, enum serializer serializer, size_t len)
{
    size_t at = 0;

    out[at++] = serializer == SERIALIZER_JSON ? 0x81 : 0x82;
    if (len < 126) {
        out[at++] = (uint8_t)(0x80 | len);
    } else if (len < 65536) {
        out[at++] = 0x80 | 126;
        out[at++] = (uint8_t)(len >> 8);
        out[at++] = (uint8_t)len;
    } else {
        out[at++] = 0x80 | 127;
        for (int shift = 56; shift >= 0; shift -= 8)
            out[at++] = (uint8_t)((uint64_t)len >> shift);
    }
    memset(out + at, 0, 4);
    return at + 4;
}

static struct frame finish(struct builder *b, enum transport transport)
{
    uint8_t head[HEAD_ROOM];
    size_t head_len, len;
    struct frame frame = {.serializer = b->serializer};

    end_list(b);
    len = b->len - HEAD_ROOM;
    if (transport == TRANSPORT_WS) {
        head_len = websocket_head(head, b->serializer, len);
    } else {
        uint32_t wide = htonl((uint32_t)len);

        memcpy(head, &wide, 4);
        head_len = 4;
    }
    frame.len = head_len + len;
    frame.bytes = malloc(frame.len);
    if (frame.bytes == NULL)
        abort();
    memcpy(frame.bytes, head, head_len);
    memcpy(frame.bytes + head_len, b->data + HEAD_ROOM, len);
    if (b->id_at != 0)
        frame.id_at = b->id_at - HEAD_ROOM + head_len;
    free(b->data);
    return frame;
}

struct frame wire_hello(enum transport transport, enum serializer serializer, const char *realm,
                        const char *authid)
{
    static const char *const roles[] = {"caller", "callee", "publisher", "subscriber"};
    struct builder b = begin(serializer, 1, 3);

    put_text(&b, realm, strlen(realm));
    put_dict(&b, authid == NULL ? 1 : 3);
    if (authid != NULL) {
        put_key(&b, "authid");
        put_text(&b, authid, strlen(authid));
        put_key(&b, "authmethods");
        put_list(&b, 1);
        put_text(&b, "trust", 5);
        end_list(&b);
    }
    put_key(&b, "roles");
    put_dict(&b, 4);
    for (int i = 0; i < 4; i++) {
        put_key(&b, roles[i]);
        put_dict(&b, 0);
        end_dict(&b);
    }
    end_dict(&b);
    end_dict(&b);
    return finish(&b, transport);
}

struct frame wire_goodbye(enum transport transport, enum serializer serializer)
{
    static const char reason[] = "wamp.close.normal";
    struct builder b = begin(serializer, 6, 3);

    put_dict(&b, 0);
    end_dict(&b);
    put_text(&b, reason, sizeof reason - 1);
    return finish(&b, transport);
}

/* [type, id, {}, uri], the form of REGISTER and SUBSCRIBE. */
static struct frame with_uri(enum transport transport, enum serializer serializer, unsigned type,
                             const char *uri)
{
    struct builder b = begin(serializer, type, 4);

    put_id(&b);
    put_dict(&b, 0);
    end_dict(&b);
    put_text(&b, uri, strlen(uri));
    return finish(&b, transport);
}

struct frame wire_register(enum transport transport, enum serializer serializer, const char *uri)
{
    return with_uri(transport, serializer, 64, uri);
}

struct frame wire_subscribe(enum transport transport, enum serializer serializer, const char *uri)
{
    return with_uri(transport, serializer, 32, uri);
}

struct frame wire_call(enum transport transport, enum serializer serializer, const char *uri,
                       size_t payload)
{
    struct builder b = begin(serializer, 48, 5);

    put_id(&b);
    put_dict(&b, 0);
    end_dict(&b);
    put_text(&b, uri, strlen(uri));
    put_payload(&b, payload);
    return finish(&b, transport);
}

struct frame wire_yield(enum transport transport, enum serializer serializer, size_t payload)
{
    struct builder b = begin(serializer, 70, 4);

    put_id(&b);
    put_dict(&b, 0);
    end_dict(&b);
    put_payload(&b, payload);
    return finish(&b, transport);
}

struct frame wire_publish(enum transport transport, enum serializer serializer, const char *uri,
                          size_t payload, bool acknowledge)
{
    struct builder b = begin(serializer, 16, 5);

    put_id(&b);
    put_dict(&b, acknowledge ? 1 : 0);
    if (acknowledge) {
        put_key(&b, "acknowledge");
        put_true(&b);
    }
    end_dict(&b);
    put_text(&b, uri, strlen(uri));
    put_payload(&b, payload);
    return finish(&b, transport);
}

struct frame wire_raw(size_t like_len, uint32_t to, uint32_t from)
{
    struct frame frame = {.len = like_len < RAW_HEAD ? RAW_HEAD : like_len, .id_at = 12};
    uint32_t head[4] = {htonl((uint32_t)(frame.len - 4)), htonl(to), htonl(from), 0};

    frame.serializer = SERIALIZER_MSGPACK; /* a patched id is four octets there */
    frame.bytes = calloc(1, frame.len);
    if (frame.bytes == NULL)
        abort();
    memcpy(frame.bytes, head, sizeof head);
    return frame;
}

void wire_set_id(struct frame *frame, uint32_t id)
{
    uint8_t *at = frame->bytes + frame->id_at;

    if (frame->serializer != SERIALIZER_JSON) {
        id = htonl(id);
        memcpy(at, &id, 4);
        return;
    }
    for (int i = ID_DIGITS - 1; i >= 0; i--) {
        at[i] = (uint8_t)(id > 0 || i == ID_DIGITS - 1 ? '0' + id % 10 : ' ');
        id /= 10;
    }
}

void wire_free(struct frame *frame)
{
    free(frame->bytes);
    frame->bytes = NULL;
}

static bool scan_json(const uint8_t *at, const uint8_t *end, uint64_t numbers[3])
{
    if (at == end || *at++ != '[')
        return false;
    for (int i = 0; i < 3 && at < end; i++) {
        while (at < end && *at == ' ')
            at++;
        for (; at < end && *at >= '0' && *at <= '9'; at++)
            numbers[i] = numbers[i] * 10 + (uint64_t)(*at - '0');
        if (at == end || *at++ != ',')
            break;
    }
    return true;
}

static uint64_t big_endian(const uint8_t *at, unsigned len)
{
    uint64_t value = 0;

    while (len-- > 0)
        value = value << 8 | *at++;
    return value;
}

/* One unsigned integer of MessagePack or CBOR, or false when there is something else. */
static bool scan_uint(enum serializer serializer, const uint8_t **at, const uint8_t *end,
                      uint64_t *value)
{
    unsigned head, wide = 0;

    if (*at == end)
        return false;
    head = *(*at)++;
    if (serializer == SERIALIZER_MSGPACK) {
        if (head >= 0x80 && (head < 0xcc || head > 0xcf))
            return false;
        wide = head < 0x80 ? 0 : 1u << (head - 0xcc);
    } else {
        if (head > 0x1b)
            return false;
        wide = head < 0x18 ? 0 : 1u << (head - 0x18);
    }
    if ((size_t)(end - *at) < wide)
        return false;
    *value = wide == 0 ? head : big_endian(*at, wide);
    *at += wide;
    return true;
}

bool wire_scan(enum serializer serializer, const uint8_t *bytes, size_t len, unsigned *type,
               uint64_t *id, uint64_t *id2)
{
    const uint8_t *at = bytes, *end = bytes + len;
    uint64_t numbers[3] = {0, 0, 0};

    if (len < 2)
        return false;
    if (serializer == SERIALIZER_JSON) {
        if (!scan_json(at, end, numbers))
            return false;
    } else {
        at++;
        for (int i = 0; i < 3 && scan_uint(serializer, &at, end, &numbers[i]); i++)
            ;
    }
    *type = (unsigned)numbers[0];
    *id = numbers[1];
    *id2 = numbers[2];
    return true;
}

bool wire_has_payload(enum serializer serializer, const uint8_t *bytes, size_t len, size_t payload)
{
    size_t tail = serializer == SERIALIZER_JSON ? 3 : 0; /* "]] behind the text */
    const uint8_t *at;

    if (len < payload + tail)
        return false;
    at = bytes + len - tail - payload;
    for (size_t i = 0; i < payload; i++)
        if (at[i] != 'x')
            return false;
    return true;
}
