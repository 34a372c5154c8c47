/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_ENTITY_NAMES_H
#define BONDY_SECURITY_ENTITY_NAMES_H

/* names: what users, aliases, groups and roles may be called. realms-and-security.md 2.1. Any
 * thread. */

#include <stdbool.h>
#include <stdint.h>

#include "src/base/slice.h"

#define BONDY_NAME_MAX 254
#define BONDY_USERNAME_MIN 3

/* A name as it is stored: folded. */
struct bondy_name {
    char text[BONDY_NAME_MAX + 1]; /* with a NUL */
    size_t len;
};

/* security.names.unicode: whether names may hold more than ASCII, for the whole process. Off at
 * first. Names that are ASCII are the same in both cases. */
void bondy_names_set_unicode(bool is_on);
/* What a name must be, to be said to whom it was refused: "must have 3 to 254 ..." of a user, "must
 * be a name of 1 to 254 ..." of others. */
const char *bondy_name_rule(bool is_username);

/* False when it cannot be a name at all (empty, too long, a character that names may not have):
 * then nothing of that name can be found. */
bool bondy_name_fold(struct bondy_slice text, struct bondy_name *out);
/* A name that is stored, as it is, whatever names may hold by now; one that is too long is none. */
void bondy_name_keep(struct bondy_slice stored, struct bondy_name *out);
/* Whether a character of ASCII may stand in a name. */
bool bondy_name_may_hold(uint32_t ascii);
struct bondy_slice bondy_name_slice(const struct bondy_name *name);
/* all, anonymous, any, from, on, to: in any case. */
bool bondy_name_is_reserved(struct bondy_slice text);
/* Names a login method of realms-and-security.md 3.1. */
bool bondy_name_is_authmethod(struct bondy_slice text);
/* The list of them, for texts of errors; NULL-terminated. */
extern const char *const bondy_name_authmethods[];

#endif
