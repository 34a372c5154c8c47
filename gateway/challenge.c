/* SPDX-License-Identifier: Apache-2.0 */

/* challenge: what a path asks for, in the words of WWW-Authenticate (RFC 9110, 11.6.1; RFC 6750, 3)
 * and in words for people. */

#include "gateway/exchange.h"
#include "src/base/alloc.h"

static const struct bondy_security *security_of(const struct bondy_exchange *exchange)
{
    return exchange->operation == NULL ? NULL : &exchange->operation->path->security;
}

/* A security that is no list is a list of one. NULL: that was all. */
const struct bondy_security *bondy_access_way(const struct bondy_exchange *exchange, size_t index)
{
    const struct bondy_security *security = security_of(exchange);

    if (security == NULL || security->kind == BONDY_SECURITY_NONE)
        return NULL;
    if (security->kind == BONDY_SECURITY_ANY_OF)
        return index < security->count ? &security->items[index] : NULL;
    return index == 0 ? security : NULL;
}

/* ---- words ----------------------------------------------------------------------------------- */

static const struct {
    const char *scheme; /* of WWW-Authenticate */
    const char *wanted; /* for people */
} words[] = {
    [BONDY_SECURITY_BASIC] = {"Basic", "Basic credentials of a user of the realm"},
    [BONDY_SECURITY_API_KEY] = {"ApiKey", "an API key of the realm"},
    [BONDY_SECURITY_OAUTH2] = {"Bearer", "a Bearer token of the realm"},
};

static void put_quoted(struct bondy_buf *out, const char *key, const char *text)
{
    bondy_buf_printf(out, "%s=\"", key);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            bondy_buf_append_byte(out, '\\');
        bondy_buf_append_byte(out, (unsigned char)*text);
    }
    bondy_buf_append_byte(out, '"');
}

static void put_scopes(struct bondy_buf *out, const struct bondy_security *item)
{
    struct bondy_buf scopes = BONDY_BUF_EMPTY;

    for (size_t i = 0; i < item->scopes.count; i++)
        bondy_buf_printf(&scopes, "%s%s", i == 0 ? "" : " ", item->scopes.items[i]);
    bondy_buf_append_byte(&scopes, 0);
    bondy_buf_append_text(out, ", ");
    put_quoted(out, "scope", scopes.data);
    bondy_buf_fini(&scopes);
}

/* RFC 6750, 3.1. */
static void put_fault(struct bondy_buf *out, const struct bondy_exchange *exchange,
                      const struct bondy_security *item)
{
    const struct bondy_access *access = &exchange->access;

    if (access->lacks_scope) {
        bondy_buf_append_text(out, ", error=\"insufficient_scope\", error_description=\"the token "
                                   "has none of the roles that this path asks for\"");
    } else if (access->was_bearer) {
        bondy_buf_append_text(out, ", error=\"invalid_token\", error_description=\"the token is "
                                   "malformed, expired, revoked or of another realm\"");
    }
    if (item->scopes.count > 0)
        put_scopes(out, item);
}

static bool came_before(const struct bondy_exchange *exchange, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (bondy_access_way(exchange, i)->kind == bondy_access_way(exchange, index)->kind)
            return true;
    return false;
}

void bondy_access_challenge(const struct bondy_exchange *exchange, struct bondy_response *response)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    const struct bondy_security *item;

    for (size_t i = 0; (item = bondy_access_way(exchange, i)) != NULL; i++) {
        if (came_before(exchange, i))
            continue;
        bondy_buf_printf(&text, "%s%s ", text.len == 0 ? "" : ", ", words[item->kind].scheme);
        put_quoted(&text, "realm", exchange->spec->realm_uri);
        if (item->kind == BONDY_SECURITY_BASIC)
            bondy_buf_append_text(&text, ", charset=\"UTF-8\"");
        if (item->kind == BONDY_SECURITY_OAUTH2)
            put_fault(&text, exchange, item);
    }
    if (text.len == 0) {
        bondy_buf_append_text(&text, "Bearer ");
        put_quoted(&text, "realm", exchange->spec->realm_uri);
    }
    bondy_response_set_header(response, "www-authenticate", bondy_buf_slice(&text), NULL);
    bondy_buf_fini(&text);
}

/* "send Basic credentials of a user of the realm, or an API key of the realm". */
char *bondy_access_describe_ways(const struct bondy_exchange *exchange)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    const struct bondy_security *item;

    for (size_t i = 0; (item = bondy_access_way(exchange, i)) != NULL; i++)
        if (!came_before(exchange, i))
            bondy_buf_printf(&text, "%s%s", text.len == 0 ? "send " : ", or ",
                             words[item->kind].wanted);
    return bondy_buf_take_text(&text);
}
