/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_HTTP_NEGOTIATE_H
#define BONDY_HTTP_NEGOTIATE_H

/* negotiate: Accept, Accept-Language and Content-Type. RFC 9110, 8.3 and 12.5; RFC 4647. Pure. */

#include <stdbool.h>
#include <stddef.h>

#include "src/base/slice.h"

/* The media type of a Content-Type value, without parameters and in lower case, into `out`; its
 * length, or 0 when there is none or it has not the form type/subtype. */
#define BONDY_MEDIA_TYPE_MAX 128
size_t bondy_media_type(struct bondy_slice content_type, char out[BONDY_MEDIA_TYPE_MAX]);
/* A parameter of a Content-Type value ("boundary"), quotes removed; empty with data NULL when it is
 * not there. Backslashes in quoted text are left alone. */
struct bondy_slice bondy_media_parameter(struct bondy_slice content_type, const char *name);

/* Which of `offers` (lower case, without parameters, best first) suits the client best: the highest
 * q, where the most specific range decides an offer's q; of equal ones the one that was named more
 * exactly, then in the order of the offers. An absent or empty Accept takes the first. -1: none. */
int bondy_accept_choose(struct bondy_slice accept, const char *const offers[], size_t count);
/* Whether Accept names this type itself (no wildcard), with a q above 0. */
bool bondy_accept_names(struct bondy_slice accept, const char *type);
/* The same for Accept-Language: "fr" takes the offer "fr-ca", and "fr-CA" the offer "fr". */
int bondy_language_choose(struct bondy_slice accept, const char *const offers[], size_t count);

#endif
