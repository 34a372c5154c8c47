/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/entity/names.h"

#include <stddef.h>

static char fold(char octet)
{
    return octet >= 'A' && octet <= 'Z' ? (char)(octet - 'A' + 'a') : octet;
}

/* Every octet from 0x80 to 0xBF stands in a character of more than one octet, so names are ASCII;
 * what is above never stands alone. */
static bool may_stand_in_a_name(unsigned char octet)
{
    return octet > 0x20 && octet < 0x7F && octet != '<' && octet != '=' && octet != '>';
}

bool bondy_name_fold(struct bondy_slice text, struct bondy_name *out)
{
    if (text.len == 0 || text.len > BONDY_NAME_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (!may_stand_in_a_name((unsigned char)text.data[i]))
            return false;
        out->text[i] = fold(text.data[i]);
    }
    out->text[text.len] = '\0';
    out->len = text.len;
    return true;
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
