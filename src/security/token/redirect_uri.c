/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/token/redirect_uri.h"

#include <ctype.h>
#include <strings.h>

size_t bondy_redirect_uri_scheme(struct bondy_slice uri)
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

bool bondy_redirect_uri_is_sound(struct bondy_slice uri)
{
    size_t scheme = bondy_redirect_uri_scheme(uri);

    if (scheme == 0 || scheme == uri.len || uri.len > BONDY_REDIRECT_URI_MAX ||
        is_run_by_browsers(bondy_slice_of(uri.data, scheme)))
        return false;
    for (size_t i = 0; i < uri.len; i++)
        if (uri.data[i] <= ' ' || uri.data[i] > '~' || strchr("#\"<>\\^`{|}", uri.data[i]) != NULL)
            return false;
    return true;
}
