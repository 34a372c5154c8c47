/* SPDX-License-Identifier: Apache-2.0 */

/* The text of refresh tokens. */

#include <sodium.h>
#include <string.h>

#include "src/security/credential/base64url.h"
#include "src/security/token/refresh.h"

#define PREFIX "bondy:rtoken:1:"
#define FAMILY_LEN 16u
#define SECRET_LEN 32u
#define OWNER_LEN 32u
#define ID_TEXT 64u    /* base64url of family and secret */
#define OWNER_TEXT 43u /* base64url of the owner */
#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING

static bool decode(struct bondy_slice text, uint8_t *out, size_t len)
{
    size_t got;

    return bondy_base64url_decode(text, out, len, &got) && got == len;
}

bool bondy_refresh_parse(struct bondy_slice text, struct bondy_refresh_parts *out)
{
    uint8_t both[FAMILY_LEN + SECRET_LEN];
    struct bondy_slice rest = bondy_slice_skip(text, strlen(PREFIX));
    bool is_good;

    if (!bondy_slice_starts(text, BONDY_SLICE(PREFIX)) || rest.len != ID_TEXT + 1 + OWNER_TEXT ||
        rest.data[ID_TEXT] != '.')
        return false;
    is_good = decode(bondy_slice_of(rest.data, ID_TEXT), both, sizeof both) &&
              decode(bondy_slice_skip(rest, ID_TEXT + 1), out->owner, sizeof out->owner);
    memcpy(out->family, both, FAMILY_LEN);
    memcpy(out->secret, both + FAMILY_LEN, SECRET_LEN);
    sodium_memzero(both, sizeof both);
    return is_good;
}

void bondy_refresh_format(const struct bondy_refresh_parts *parts, char out[BONDY_REFRESH_TEXT])
{
    uint8_t both[FAMILY_LEN + SECRET_LEN];
    size_t len = strlen(PREFIX);

    memcpy(both, parts->family, FAMILY_LEN);
    memcpy(both + FAMILY_LEN, parts->secret, SECRET_LEN);
    memcpy(out, PREFIX, len);
    sodium_bin2base64(out + len, ID_TEXT + 1, both, sizeof both, VARIANT);
    len += ID_TEXT;
    out[len++] = '.';
    sodium_bin2base64(out + len, OWNER_TEXT + 1, parts->owner, OWNER_LEN, VARIANT);
    sodium_memzero(both, sizeof both);
}

void bondy_refresh_id(const struct bondy_refresh_parts *parts, char out[BONDY_REFRESH_ID])
{
    uint8_t hash[(BONDY_REFRESH_ID - 1) / 2];

    crypto_generichash(hash, sizeof hash, parts->family, sizeof parts->family, NULL, 0);
    sodium_bin2hex(out, BONDY_REFRESH_ID, hash, sizeof hash);
}
