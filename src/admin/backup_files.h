/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ADMIN_BACKUP_FILES_H
#define BONDY_ADMIN_BACKUP_FILES_H

/* backup_files: GET and PUT of /backups/{name}: copies of the store leave the node and come to it,
 * in constant memory whatever their size. admin-http-api.md 5.8.
 *
 * Who may is decided by calls of bondy.backup.download and .upload, which the gateway makes first.
 * A download is sent from the file. An upload is written by threads of this module, two buffers
 * each, so that a slow disk holds back its client and nobody else; when it is whole it is checked
 * (src/store/backup.h, take in) and is a backup from then on. */

#include "gateway/endpoint.h"
#include "src/admin/node.h"

struct bondy_backup_files;

/* Uploads at the same time; further ones are told to come later. */
#define BONDY_UPLOADS_MAX 4

/* Starts the threads. `node` is borrowed, with its desk of backups. BONDY_EIO. */
int bondy_backup_files_create(const struct bondy_admin_node *node, struct bondy_backup_files **out,
                              struct bondy_error *err);
/* The rows "backup_download" and "backup_upload", for struct bondy_gateway_options. */
#define BONDY_BACKUP_ENDPOINTS 2
void bondy_backup_files_endpoints(struct bondy_backup_files *files,
                                  struct bondy_gateway_endpoint out[BONDY_BACKUP_ENDPOINTS]);
/* Gives up the checks that run, and takes nothing more. While the loops turn. NULL is fine. */
void bondy_backup_files_stop(struct bondy_backup_files *files);
/* After the loops left the gateway. NULL is fine. */
void bondy_backup_files_destroy(struct bondy_backup_files *files);

#endif
