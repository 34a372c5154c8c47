/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_REALM_INPUT_H
#define BONDY_SECURITY_REALM_INPUT_H

/* realm_input: which keys a realm document may have, and what each may hold. Internal to
 * src/security. realms-and-security.md 1.1; of it, until identities exist, what may already be
 * given. */

#include <stdbool.h>

#include "src/base/json.h"

/* Appends an error object for everything that is wrong; unknown keys are a mistake unless
 * `lenient`. */
void bondy_realm_input_check(const json_t *input, bool is_update, bool lenient, json_t *problems);
/* The members that are stored in the realm's document: the given ones without uri, switches and
 * keys of the external form; null means: clear. The caller owns the object. */
json_t *bondy_realm_input_document(const json_t *input);

#endif
