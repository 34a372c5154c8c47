/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ADMIN_PASSWORD_H
#define BONDY_ADMIN_PASSWORD_H

/* password: the password of `admin` until users exist. realms-and-security.md 1.4. May block: at
 * start only. */

#include "src/base/error.h"

/* From `password_file` (security.admin.password_file) when given: one line, the final newline cut,
 * BONDY_EDENIED when group or others may read it. Otherwise from admin.password in `data_dir`,
 * which is made with a random password and mode 0600 when it is not there; its path is logged then,
 * never the password. The caller owns *out and ends it with bondy_admin_password_free(). */
int bondy_admin_password_read(const char *password_file, const char *data_dir, char **out,
                              struct bondy_error *err);
/* Clears the memory first. NULL is fine. */
void bondy_admin_password_free(char *password);

#endif
