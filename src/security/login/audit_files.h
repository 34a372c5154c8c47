/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_LOGIN_AUDIT_FILES_H
#define BONDY_SECURITY_LOGIN_AUDIT_FILES_H

/* audit_files: the files of the audit log: names, rotation, reading from the end. Part of audit;
 * only audit.c looks in here. Everything may block. */

#include "src/security/login/audit.h"

#define BONDY_AUDIT_FILES_MAX 128

/* Opens the current file for appending and says how long it is; a line that a crash cut off is
 * ended. The descriptor, or -1. */
int bondy_audit_files_open(const char *folder, uint64_t *len, struct bondy_error *err);
/* Puts the current file aside and removes the oldest ones beyond `kept`. */
void bondy_audit_files_rotate(const char *folder, unsigned kept);
/* All files for reading, newest first; the caller closes them. */
size_t bondy_audit_files_list(const char *folder, int fds[BONDY_AUDIT_FILES_MAX]);
/* Appends what the query selects; `cursor` gets the id of the last entry when there may be more. */
void bondy_audit_files_read(const int *fds, size_t count, const struct bondy_audit_query *query,
                            json_t *entries, char cursor[37]);
/* BONDY_EINVAL: since, until or cursor cannot be one. */
int bondy_audit_query_check(const struct bondy_audit_query *query, struct bondy_error *err);

#endif
