/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_WAMP_BASE64_H
#define BONDY_WAMP_BASE64_H

/* base64: bytes as text, RFC 4648 section 4 with padding, for WAMP's binary in JSON. Not for
 * secrets: its time depends on the data (libsodium has one for those). */

#include "src/base/slice.h"

static inline size_t bondy_base64_len(size_t bytes)
{
    return (bytes + 2) / 3 * 4;
}

/* Writes bondy_base64_len(bytes.len) characters. */
void bondy_base64_encode(struct bondy_slice bytes, char *out);
/* Whether `text` is base64 in the one form that encoding gives, padding and unused bits included,
 * so that decoding and encoding again gives the same text. */
bool bondy_base64_is_valid(struct bondy_slice text);
/* Decodes valid text to `out`, which has room for text.len / 4 * 3 bytes and may be where the text
 * is; returns how many it wrote. */
size_t bondy_base64_decode(struct bondy_slice text, char *out);

#endif
