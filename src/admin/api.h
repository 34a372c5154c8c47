/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ADMIN_API_H
#define BONDY_ADMIN_API_H

/* api: the admin REST API: api-specs/admin.json, which is part of the program, compiled into the
 * route table of the admin listeners. */

#include "gateway/spec/table.h"

/* `already_exists_status` is admin_api.compat.already_exists_status (0: 409). The caller owns *out
 * and hands it to bondy_gateway_publish(..., BONDY_GATEWAY_ADMIN, ...). BONDY_EINVAL is our own
 * mistake: the text says where. */
int bondy_admin_api_build(int already_exists_status, struct bondy_route_table **out,
                          struct bondy_error *err);
/* The document as it is built in. Static. */
struct bondy_slice bondy_admin_api_document(void);

#endif
