/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_CREDENTIAL_BASE64URL_H
#define BONDY_SECURITY_CREDENTIAL_BASE64URL_H

/* base64url: secrets as text (RFC 4648 section 5), without padding, in time that does not depend
 * on them. Pure; any thread. */

#include <sodium.h>

#include "src/base/slice.h"

/* Decodes the one text that stands for its octets: no padding, no white space, no bits left over.
 * False: it is none, or longer than `room`. libsodium alone takes octets from 0x80 for letters. */
static inline bool bondy_base64url_decode(struct bondy_slice text, uint8_t *out, size_t room,
                                          size_t *len)
{
    unsigned high = 0;

    for (size_t i = 0; i < text.len; i++)
        high |= (unsigned char)text.data[i];
    return (high & 0x80) == 0 && sodium_base642bin(out, room, text.data, text.len, NULL, len, NULL,
                                                   sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0;
}

#endif
