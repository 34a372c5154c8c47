/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SERVER_DEV_H
#define BONDY_SERVER_DEV_H

/* dev: what --dev adds: defaults that keep the node on this machine and open, a data folder that is
 * gone afterwards, a demo API. design/names.md. */

#include "src/base/error.h"

/* "key=value" texts, NULL-terminated, valid until the next call; they stand before file,
 * environment and --set. */
const char *const *bondy_dev_presets(const char *temporary_dir);
/* Makes the folder and puts the demo API into it; the caller owns *out. */
int bondy_dev_make_folder(char **out, struct bondy_error *err);
/* Removes the folder with everything in it, and frees `path`. NULL is fine. */
void bondy_dev_remove_folder(char *path);

#endif
