/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/entity/names.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/security/entity/names_unicode.h"

static atomic_bool has_unicode;

void bondy_names_set_unicode(bool is_on)
{
    atomic_store_explicit(&has_unicode, is_on, memory_order_relaxed);
}

static bool is_unicode_on(void)
{
    return atomic_load_explicit(&has_unicode, memory_order_relaxed);
}

const char *bondy_name_rule(bool is_username)
{
    static const char *const rules[2][2] = {
        {"must be a name of 1 to 254 ASCII characters without white space, '<', '=' or '>'",
         "must have 3 to 254 ASCII characters without white space, '<', '=' or '>'"},
        {"must be a name of 1 to 254 octets: letters, marks and digits of any script, and ASCII "
         "without white space, '<', '=' or '>'",
         "must have 3 to 254 octets: letters, marks and digits of any script, and ASCII without "
         "white space, '<', '=' or '>'"}};

    return rules[is_unicode_on()][is_username];
}

static char fold(char octet)
{
    return octet >= 'A' && octet <= 'Z' ? (char)(octet - 'A' + 'a') : octet;
}

bool bondy_name_may_hold(uint32_t octet)
{
    return octet > 0x20 && octet < 0x7F && octet != '<' && octet != '=' && octet != '>';
}

bool bondy_name_fold(struct bondy_slice text, struct bondy_name *out)
{
    if (text.len == 0 || text.len > BONDY_NAME_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t octet = (uint8_t)text.data[i];

        if (octet >= 0x80 && is_unicode_on())
            return bondy_name_fold_unicode(text, out);
        if (!bondy_name_may_hold(octet))
            return false;
        out->text[i] = fold(text.data[i]);
    }
    out->text[text.len] = '\0';
    out->len = text.len;
    return true;
}

void bondy_name_keep(struct bondy_slice stored, struct bondy_name *out)
{
    if (stored.len > BONDY_NAME_MAX)
        stored.len = 0;
    if (stored.len > 0)
        memcpy(out->text, stored.data, stored.len);
    out->text[stored.len] = '\0';
    out->len = stored.len;
}

struct bondy_slice bondy_name_slice(const struct bondy_name *name)
{
    return bondy_slice_of(name->text, name->len);
}

static bool is_listed(struct bondy_slice text, const char *const *list)
{
    while (*list != NULL && !bondy_slice_is(text, *list))
        list++;
    return *list != NULL;
}

bool bondy_name_is_reserved(struct bondy_slice text)
{
    static const char *const reserved[] = {"all", "anonymous", "any", "from", "on", "to", NULL};
    struct bondy_name name;

    return bondy_name_fold(text, &name) && is_listed(bondy_name_slice(&name), reserved);
}

/* `oidcrp` is only what sessions report, so nobody can ask for it. */
const char *const bondy_name_authmethods[] = {"anonymous", "trust",      "password",   "ticket",
                                              "wampcra",   "wamp-scram", "cryptosign", "oauth2",
                                              "tls",       "cookie",     "oidc",       NULL};

bool bondy_name_is_authmethod(struct bondy_slice text)
{
    return is_listed(text, bondy_name_authmethods);
}
