/* SPDX-License-Identifier: Apache-2.0 */

/* csrf: that a form was filled in in the browser it was given to. The form carries the time it was
 * made and a keyed hash over that, a random cookie and what the form is for; the key is of this
 * process. The cookie's name makes browsers refuse it from other hosts and from clear text, where
 * there is TLS. */

#include <sodium.h>
#include <stdio.h>
#include <strings.h>

#include "gateway/oauth2/call.h"
#include "src/base/alloc.h"
#include "src/base/id.h"

#define COOKIE_LEN 32
#define TIME_LEN 8
#define MAC_LEN 32
#define LIFE_MS (60 * 60 * 1000)

/* ---- cookie ---------------------------------------------------------------------------------- */

static bool is_https(const struct bondy_request *request)
{
    return strcmp(bondy_request_listener(request)->scheme, "https") == 0;
}

static const char *name_of(const struct bondy_request *request)
{
    return is_https(request) ? "__Host-bondy_oauth2" : "bondy_oauth2";
}

struct search {
    const char *name;
    struct bondy_slice found;
};

static bool look_at_header(void *context, struct bondy_slice name, struct bondy_slice rest)
{
    struct search *search = context;
    size_t wanted = strlen(search->name);

    if (name.len != 6 || strncasecmp(name.data, "cookie", 6) != 0)
        return true;
    while (rest.len > 0) {
        const char *end = memchr(rest.data, ';', rest.len);
        struct bondy_slice pair = {rest.data, end == NULL ? rest.len : (size_t)(end - rest.data)};

        rest = bondy_slice_skip(rest, end == NULL ? rest.len : pair.len + 1);
        pair = bondy_slice_trim(pair);
        if (pair.len > wanted && pair.data[wanted] == '=' &&
            memcmp(pair.data, search->name, wanted) == 0) {
            search->found = bondy_slice_skip(pair, wanted + 1);
            return false;
        }
    }
    return true;
}

bool oauth2_cookie_find(const struct bondy_request *request, char out[OAUTH2_COOKIE_TEXT])
{
    struct search search = {.name = name_of(request)};
    uint8_t bytes[COOKIE_LEN];
    size_t len = 0;

    bondy_request_headers(request, look_at_header, &search);
    if (search.found.len != OAUTH2_COOKIE_TEXT - 1 ||
        sodium_base642bin(bytes, sizeof bytes, search.found.data, search.found.len, NULL, &len,
                          NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        len != sizeof bytes)
        return false;
    memcpy(out, search.found.data, search.found.len);
    out[search.found.len] = '\0';
    return true;
}

void oauth2_cookie_make(char out[OAUTH2_COOKIE_TEXT])
{
    uint8_t bytes[COOKIE_LEN];

    bondy_id_bytes(bytes, sizeof bytes);
    sodium_bin2base64(out, OAUTH2_COOKIE_TEXT, bytes, sizeof bytes,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

char *oauth2_cookie_header(const struct bondy_request *request, const char *cookie)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;

    /* Lax: the browser comes from the client's site, and its cookie has to come along. A form of
     * another site is sent without it. */
    bondy_buf_printf(&text, "%s=%s; Path=/; HttpOnly; SameSite=Lax%s", name_of(request), cookie,
                     is_https(request) ? "; Secure" : "");
    return bondy_buf_take_text(&text);
}

/* ---- token ----------------------------------------------------------------------------------- */

static void add_text(crypto_generichash_state *state, struct bondy_slice text)
{
    uint64_t len = text.len;

    crypto_generichash_update(state, (const uint8_t *)&len, sizeof len);
    if (len > 0)
        crypto_generichash_update(state, (const uint8_t *)text.data, text.len);
}

static void hash(const struct oauth2_call *call, const char *cookie, const uint8_t time[TIME_LEN],
                 uint8_t out[MAC_LEN])
{
    static const enum bondy_oauth2_param bound[] = {BONDY_PARAM_CLIENT_ID, BONDY_PARAM_REDIRECT_URI,
                                                    BONDY_PARAM_STATE, BONDY_PARAM_CODE_CHALLENGE,
                                                    BONDY_PARAM_DEVICE_ID};
    crypto_generichash_state state;

    crypto_generichash_init(&state, call->oauth2->key, sizeof call->oauth2->key, MAC_LEN);
    crypto_generichash_update(&state, time, TIME_LEN);
    add_text(&state, bondy_slice_text(cookie));
    add_text(&state, bondy_slice_text(call->realm->uri));
    for (size_t i = 0; i < BONDY_COUNT(bound); i++)
        add_text(&state, oauth2_param(call, bound[i]));
    crypto_generichash_final(&state, out, MAC_LEN);
}

void oauth2_csrf_make(const struct oauth2_call *call, const char *cookie, uint64_t now_ms,
                      char out[OAUTH2_CSRF_TEXT])
{
    uint8_t bytes[TIME_LEN + MAC_LEN];

    for (size_t i = 0; i < TIME_LEN; i++)
        bytes[i] = (uint8_t)(now_ms >> (8 * (TIME_LEN - 1 - i)));
    hash(call, cookie, bytes, bytes + TIME_LEN);
    sodium_bin2base64(out, OAUTH2_CSRF_TEXT, bytes, sizeof bytes,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool oauth2_csrf_fits(const struct oauth2_call *call, const char *cookie, uint64_t now_ms,
                      struct bondy_slice given)
{
    uint8_t bytes[TIME_LEN + MAC_LEN], wanted[MAC_LEN];
    uint64_t made_ms = 0;
    size_t len = 0;

    if (given.data == NULL ||
        sodium_base642bin(bytes, sizeof bytes, given.data, given.len, NULL, &len, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        len != sizeof bytes)
        return false;
    hash(call, cookie, bytes, wanted);
    if (sodium_memcmp(wanted, bytes + TIME_LEN, MAC_LEN) != 0)
        return false;
    for (size_t i = 0; i < TIME_LEN; i++)
        made_ms = made_ms << 8 | bytes[i];
    return now_ms <= made_ms || now_ms - made_ms <= LIFE_MS;
}
