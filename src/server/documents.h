/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SERVER_DOCUMENTS_H
#define BONDY_SERVER_DOCUMENTS_H

/* documents: --check-config's look into the files that keys name: certificates, realms, API
 * specifications. Nothing is started and nothing is written. configuration.md 3. */

#include "src/server/config.h"

/* Adds a finding C005 for every mistake. */
void bondy_documents_check(const struct bondy_config *config, struct bondy_config_diag *diag);

#endif
