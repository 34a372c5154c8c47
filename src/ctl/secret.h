/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_CTL_SECRET_H
#define BONDY_CTL_SECRET_H

/* secret: passwords and tickets, from where no other user of the machine sees them. Blocking. */

#include "src/base/error.h"

#define BONDY_SECRET_MAX 65536 /* octets: a ticket is a few hundred, a password less */

/* The first line of the file `where`, without its end. "-": a line typed at the terminal without
 * echo, asked for with `prompt`; when standard input is no terminal, its next line. `option` is
 * named in errors. On success the caller ends *out with bondy_secret_destroy(). BONDY_EDENIED:
 * others may read the file; BONDY_EINVAL: no text in there; BONDY_ESTATE: stopped by a signal. */
int bondy_secret_read(const char *option, const char *where, const char *prompt, char **out,
                      struct bondy_error *err);
/* Asks twice when there is a terminal, and once more as long as the two differ. */
int bondy_secret_choose(const char *option, const char *where, const char *prompt, char **out,
                        struct bondy_error *err);
/* Overwrites it first. NULL is fine. */
void bondy_secret_destroy(char *secret);

#endif
