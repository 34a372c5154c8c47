/* SPDX-License-Identifier: Apache-2.0 */
#include "src/ctl/websocket.h"

#include <ctype.h>
#include <stdint.h>

#include <gnutls/crypto.h>
#include <sodium.h>

#include "src/base/alloc.h"
#include "src/base/id.h"

#define ANSWER_MAX 16384
#define BASE64 sodium_base64_VARIANT_ORIGINAL

void bondy_websocket_request(const char *host, const char *path, const char *subprotocol,
                             char key[25], struct bondy_buf *out)
{
    uint8_t random[16];

    bondy_id_bytes(random, sizeof random);
    sodium_bin2base64(key, 25, random, sizeof random, BASE64);
    bondy_buf_printf(out,
                     "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Protocol: %s\r\n\r\n",
                     path, host, key, subprotocol);
}

/* RFC 6455, 4.2.2: what proves that the server understood. */
static void accept_text(const char *key, char out[29])
{
    static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    uint8_t digest[20];
    struct bondy_buf text = BONDY_BUF_EMPTY;

    bondy_buf_printf(&text, "%s%s", key, magic);
    gnutls_hash_fast(GNUTLS_DIG_SHA1, text.data, text.len, digest);
    sodium_bin2base64(out, 29, digest, sizeof digest, BASE64);
    bondy_buf_fini(&text);
}

static bool same_name(struct bondy_slice name, const char *lower)
{
    for (size_t i = 0; i < name.len; i++) {
        if (lower[i] == '\0' || tolower((unsigned char)name.data[i]) != lower[i])
            return false;
    }
    return lower[name.len] == '\0';
}

static struct bondy_slice header(struct bondy_slice head, const char *name)
{
    while (head.len > 0) {
        const char *end = memmem(head.data, head.len, "\r\n", 2);
        size_t len = end == NULL ? head.len : (size_t)(end - head.data);
        const char *colon = memchr(head.data, ':', len);

        if (colon != NULL &&
            same_name(bondy_slice_of(head.data, (size_t)(colon - head.data)), name)) {
            struct bondy_slice value =
                bondy_slice_of(colon + 1, len - (size_t)(colon - head.data) - 1);

            while (value.len > 0 && value.data[0] == ' ')
                value = bondy_slice_skip(value, 1);
            while (value.len > 0 && value.data[value.len - 1] == ' ')
                value.len--;
            return value;
        }
        head = bondy_slice_skip(head, len + 2);
    }
    return BONDY_SLICE_EMPTY;
}

int bondy_websocket_accept(struct bondy_slice bytes, const char *key, const char *subprotocol,
                           size_t *used, struct bondy_error *err)
{
    const char *end = bytes.len == 0 ? NULL : memmem(bytes.data, bytes.len, "\r\n\r\n", 4);
    struct bondy_slice head;
    size_t line;
    char expected[29];

    if (end == NULL && bytes.len < ANSWER_MAX)
        return bondy_fail(err, BONDY_EAGAIN, "the answer is incomplete");
    if (end == NULL)
        return bondy_fail(err, BONDY_EPROTO, "the answer is no WebSocket handshake");
    head = bondy_slice_of(bytes.data, (size_t)(end - bytes.data));
    line = (size_t)((const char *)memmem(bytes.data, bytes.len, "\r\n", 2) - bytes.data);
    if (!bondy_slice_starts(head, BONDY_SLICE("HTTP/1.1 101")))
        return bondy_fail(err, BONDY_EPROTO, "no WebSocket there: the server answered \"%.*s\"",
                          (int)line, head.data);
    accept_text(key, expected);
    if (!bondy_slice_is(header(head, "sec-websocket-accept"), expected))
        return bondy_fail(err, BONDY_EPROTO, "the WebSocket handshake is wrong");
    if (!bondy_slice_is(header(head, "sec-websocket-protocol"), subprotocol))
        return bondy_fail(err, BONDY_EPROTO, "the server does not speak %s", subprotocol);
    *used = head.len + 4;
    return BONDY_OK;
}

void bondy_websocket_write(enum bondy_websocket_opcode opcode, struct bondy_slice payload,
                           struct bondy_buf *out)
{
    uint8_t mask[4];
    char *to;

    bondy_id_bytes(mask, sizeof mask);
    bondy_buf_append_byte(out, 0x80u | opcode);
    if (payload.len < 126) {
        bondy_buf_append_byte(out, 0x80u | (unsigned)payload.len);
    } else {
        unsigned octets = payload.len < 65536 ? 2 : 8;

        bondy_buf_append_byte(out, octets == 2 ? 0xFE : 0xFF);
        for (unsigned i = octets; i > 0; i--)
            bondy_buf_append_byte(out, (unsigned)(payload.len >> (8 * (i - 1)) & 0xFF));
    }
    bondy_buf_append(out, mask, sizeof mask);
    to = bondy_buf_reserve(out, payload.len);
    for (size_t i = 0; i < payload.len; i++)
        to[i] = (char)((uint8_t)payload.data[i] ^ mask[i % 4]);
    out->len += payload.len;
}

int bondy_websocket_read(struct bondy_slice bytes, size_t max, struct bondy_websocket_frame *out,
                         struct bondy_error *err)
{
    const uint8_t *octets = (const uint8_t *)bytes.data;
    size_t head = 2;
    uint64_t len;

    if (bytes.len < 2)
        return bondy_fail(err, BONDY_EAGAIN, "the frame is incomplete");
    if ((octets[0] & 0x70) != 0 || (octets[1] & 0x80) != 0)
        return bondy_fail(err, BONDY_EPROTO, "a frame with reserved bits or a mask");
    len = octets[1] & 0x7F;
    if (len >= 126) {
        size_t count = len == 126 ? 2 : 8;

        if (bytes.len < head + count)
            return bondy_fail(err, BONDY_EAGAIN, "the frame is incomplete");
        for (len = 0; count > 0; count--)
            len = len << 8 | octets[head++];
    }
    if (len > max)
        return bondy_fail(err, BONDY_EPROTO, "a frame over %zu octets", max);
    if (bytes.len - head < len)
        return bondy_fail(err, BONDY_EAGAIN, "the frame is incomplete");
    *out = (struct bondy_websocket_frame){octets[0] & 0x0F, (octets[0] & 0x80) != 0,
                                          bondy_slice_of(bytes.data + head, (size_t)len),
                                          head + (size_t)len};
    return BONDY_OK;
}
