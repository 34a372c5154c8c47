/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/oauth2/redirect.h"

#include <ctype.h>

#include "src/security/token/redirect_uri.h"

/* ---- which ----------------------------------------------------------------------------------- */

bool bondy_redirect_is_registered(const json_t *meta, struct bondy_slice uri)
{
    const json_t *list = json_object_get(meta, "redirect_uris"), *one;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)list, i, one)
    {
        if (json_is_string(one) &&
            bondy_slice_eq(uri, bondy_slice_of(json_string_value(one), json_string_length(one))))
            return bondy_redirect_uri_is_sound(uri);
    }
    return false;
}

/* ---- how ------------------------------------------------------------------------------------- */

static void percent_encode(struct bondy_slice text, struct bondy_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (isalnum(c) || (c != 0 && strchr("-._~", c) != NULL))
            bondy_buf_append_byte(out, c);
        else
            bondy_buf_printf(out, "%%%02X", c);
    }
}

void bondy_redirect_add(struct bondy_buf *uri, const char *name, struct bondy_slice value)
{
    if (value.data == NULL)
        return;
    bondy_buf_append_byte(uri,
                          uri->len > 0 && memchr(uri->data, '?', uri->len) != NULL ? '&' : '?');
    bondy_buf_append_text(uri, name);
    bondy_buf_append_byte(uri, '=');
    percent_encode(value, uri);
}

/* Host and port as a policy may write them. */
static bool is_host(struct bondy_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!isalnum((unsigned char)text.data[i]) && memchr(".-:", text.data[i], 3) == NULL)
            return false;
    return text.len > 0;
}

void bondy_redirect_source(struct bondy_slice uri, struct bondy_buf *out)
{
    size_t scheme = bondy_redirect_uri_scheme(uri);
    struct bondy_slice rest = bondy_slice_skip(uri, scheme);
    struct bondy_slice host = BONDY_SLICE_EMPTY;

    if (bondy_slice_starts(rest, BONDY_SLICE("//"))) {
        host = bondy_slice_skip(rest, 2);
        for (size_t i = 0; i < host.len; i++)
            if (host.data[i] == '/' || host.data[i] == '?')
                host.len = i;
    }
    bondy_buf_append(out, uri.data, scheme);
    if (!is_host(host))
        return;
    bondy_buf_append_text(out, "//");
    bondy_buf_append_slice(out, host);
}

void bondy_html_escape(struct bondy_slice text, struct bondy_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        switch (text.data[i]) {
        case '&':
            bondy_buf_append_text(out, "&amp;");
            break;
        case '<':
            bondy_buf_append_text(out, "&lt;");
            break;
        case '>':
            bondy_buf_append_text(out, "&gt;");
            break;
        case '"':
            bondy_buf_append_text(out, "&quot;");
            break;
        case '\'':
            bondy_buf_append_text(out, "&#39;");
            break;
        case '\0': /* no document may have one */
            bondy_buf_append_text(out, "\xEF\xBF\xBD");
            break;
        default:
            bondy_buf_append_byte(out, (unsigned char)text.data[i]);
        }
    }
}
