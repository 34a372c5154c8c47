/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_CREDENTIAL_BINDING_H
#define BONDY_SECURITY_CREDENTIAL_BINDING_H

/* binding: names of TLS channel bindings (RFC 5929, RFC 9266), for SCRAM and cryptosign. */

#include <jansson.h>
#include <stdbool.h>

enum bondy_binding {
    BONDY_BINDING_NONE,
    BONDY_BINDING_TLS_UNIQUE, /* TLS 1.2 with extended master secret only */
    BONDY_BINDING_TLS_SERVER_END_POINT,
    BONDY_BINDING_TLS_EXPORTER
};

/* The name on the wire; NULL for none. */
const char *bondy_binding_name(enum bondy_binding binding);
/* Reads `authextra.channel_binding`: absent and null are none; false when it is another type or an
 * unknown name. */
bool bondy_binding_parse(const json_t *value, enum bondy_binding *out);

#endif
