/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_ENTITY_NAMES_UNICODE_H
#define BONDY_SECURITY_ENTITY_NAMES_UNICODE_H

/* names_unicode: names in other scripts than ASCII, for names.c. Pure.
 *
 * The profile is UsernameCaseMapped of PRECIS (RFC 8265, 3.3) in the form that
 * realms-and-security.md 2.1 gives it: NFKC and full case folding until nothing changes any more,
 * then the characters of IdentifierClass (RFC 8264, 4.2) with its rules of context, and the Bidi
 * Rule (RFC 5893). Stricter than it: nothing that is not shown (joiners too), and no mark in front.
 * What is ASCII afterwards obeys the rule of ASCII names. */

#include "src/security/entity/names.h"

bool bondy_name_fold_unicode(struct bondy_slice text, struct bondy_name *out);

#endif
