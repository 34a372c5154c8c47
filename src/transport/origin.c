/* SPDX-License-Identifier: Apache-2.0 */
#include "src/transport/origin.h"

#include <strings.h>

#include "src/security/credential/cookie.h"

static bool takes(struct bondy_slice *text, const char *prefix)
{
    size_t len = strlen(prefix);

    if (text->len < len || strncasecmp(text->data, prefix, len) != 0)
        return false;
    *text = bondy_slice_skip(*text, len);
    return true;
}

/* Host and port as they are compared: without the port that the scheme has anyway. */
static struct bondy_slice without_port(struct bondy_slice authority, const char *port)
{
    size_t len = strlen(port);

    if (authority.len > len && memcmp(authority.data + authority.len - len, port, len) == 0)
        authority.len -= len;
    return authority;
}

static bool is_same(struct bondy_slice a, struct bondy_slice b)
{
    return a.len == b.len && a.len > 0 && strncasecmp(a.data, b.data, a.len) == 0;
}

bool bondy_origin_is_own(struct bondy_slice origin, struct bondy_slice host, bool is_tls)
{
    if (takes(&origin, "https://"))
        return is_same(without_port(origin, ":443"), without_port(host, ":443"));
    if (!is_tls && takes(&origin, "http://"))
        return is_same(without_port(origin, ":80"), without_port(host, ":80"));
    return false;
}

static bool is_listed(struct bondy_slice origin, const char *const *listed)
{
    for (; listed != NULL && *listed != NULL; listed++)
        if (is_same(origin, bondy_slice_text(*listed)))
            return true;
    return false;
}

int bondy_origin_judge(const struct bondy_upgrade *upgrade, const struct bondy_origin_rules *rules,
                       struct bondy_slice *cookies, const char **why)
{
    *cookies = BONDY_SLICE_EMPTY;
    if (!bondy_cookie_has_ticket(upgrade->cookies))
        return 0;
    if (upgrade->cookies.len > BONDY_COOKIES_MAX) {
        *why = "too many octets in Cookie";
        return 431;
    }
    if (upgrade->origin_count > 1) {
        *why = "more than one Origin";
        return 400;
    }
    if (upgrade->origin_count == 1 &&
        !bondy_origin_is_own(upgrade->origin, upgrade->host, rules->is_tls) &&
        !is_listed(upgrade->origin, rules->listed)) {
        *why = "a page of this Origin may not log in with a cookie";
        return 403;
    }
    *cookies = upgrade->cookies;
    return 0;
}
