/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_TOKEN_REDIRECT_URI_H
#define BONDY_SECURITY_TOKEN_REDIRECT_URI_H

/* redirect_uri: where OAuth2 clients have browsers sent back to. RFC 6749, 3.1.2; RFC 9700, 2.1.
 * Pure. */

#include <stdbool.h>

#include "src/base/slice.h"

#define BONDY_REDIRECT_URI_MAX 2048 /* octets */
#define BONDY_REDIRECT_URIS_MAX 50  /* of one client */

/* One that can be used: absolute, printable ASCII, without fragment, and of no scheme that a
 * browser would run. */
bool bondy_redirect_uri_is_sound(struct bondy_slice uri);
/* Octets of the scheme with its ':' (RFC 3986, 3.1); 0: there is none. */
size_t bondy_redirect_uri_scheme(struct bondy_slice uri);

#endif
