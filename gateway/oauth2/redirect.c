/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/oauth2/redirect.h"

#include <ctype.h>
#include <strings.h>

#define REDIRECT_MAX 2048

/* ---- which ----------------------------------------------------------------------------------- */

/* RFC 3986, 3.1; with its ':'. 0: there is none. */
static size_t scheme_len(struct bondy_slice uri)
{
    size_t len = 0;

    if (uri.len == 0 || !isalpha((unsigned char)uri.data[0]))
        return 0;
    while (len < uri.len && (isalnum((unsigned char)uri.data[len]) ||
                             (uri.data[len] != 0 && strchr("+-.", uri.data[len]) != NULL)))
        len++;
    return len < uri.len && uri.data[len] == ':' ? len + 1 : 0;
}

static bool is_run_by_browsers(struct bondy_slice scheme)
{
    static const char *const WORDS[] = {
        "javascript:", "data:", "vbscript:", "blob:", "file:", "view-source:", "about:", NULL};

    for (const char *const *word = WORDS; *word != NULL; word++)
        if (scheme.len == strlen(*word) && strncasecmp(scheme.data, *word, scheme.len) == 0)
            return true;
    return false;
}

static bool is_sound(struct bondy_slice uri)
{
    size_t scheme = scheme_len(uri);

    if (scheme == 0 || scheme == uri.len || uri.len > REDIRECT_MAX ||
        is_run_by_browsers(bondy_slice_of(uri.data, scheme)))
        return false;
    for (size_t i = 0; i < uri.len; i++)
        if (uri.data[i] <= ' ' || uri.data[i] > '~' || strchr("#\"<>\\^`{|}", uri.data[i]) != NULL)
            return false;
    return true;
}

bool bondy_redirect_is_registered(const json_t *meta, struct bondy_slice uri)
{
    const json_t *list = json_object_get(meta, "redirect_uris"), *one;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)list, i, one)
    {
        if (json_is_string(one) &&
            bondy_slice_eq(uri, bondy_slice_of(json_string_value(one), json_string_length(one))))
            return is_sound(uri);
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
        if (!isalnum((unsigned char)text.data[i]) && strchr(".-:", text.data[i]) == NULL)
            return false;
    return text.len > 0;
}

void bondy_redirect_source(struct bondy_slice uri, struct bondy_buf *out)
{
    size_t scheme = scheme_len(uri);
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
