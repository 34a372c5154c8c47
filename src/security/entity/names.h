/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_ENTITY_NAMES_H
#define BONDY_SECURITY_ENTITY_NAMES_H

/* names: what users, aliases, groups and roles may be called. Pure. realms-and-security.md 2.1. */

#include <stdbool.h>

#include "src/base/slice.h"

#define BONDY_NAME_MAX 254
#define BONDY_USERNAME_MIN 3

/* A name as it is stored: ASCII letters folded. */
struct bondy_name {
    char text[BONDY_NAME_MAX + 1]; /* with a NUL */
    size_t len;
};

/* False when it cannot be a name at all (empty, too long, an octet that names may not have): then
 * nothing of that name exists. */
bool bondy_name_fold(struct bondy_slice text, struct bondy_name *out);
struct bondy_slice bondy_name_slice(const struct bondy_name *name);
/* all, anonymous, any, from, on, to: in any case. */
bool bondy_name_is_reserved(struct bondy_slice text);
/* Names a login method of realms-and-security.md 3.1. */
bool bondy_name_is_authmethod(struct bondy_slice text);
/* The list of them, for texts of errors; NULL-terminated. */
extern const char *const bondy_name_authmethods[];

#endif
