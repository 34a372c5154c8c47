/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ADMIN_OPENAPI_H
#define BONDY_ADMIN_OPENAPI_H

/* openapi: GET /openapi.json, an OpenAPI 3.1 description of the admin API.
 *
 * It is read off the same document that the gateway compiles into routes (api-specs/admin.json) and
 * off the table of procedures, so that it cannot say anything else than what is served: paths and
 * methods; parameters of the path, and those of the query and the headers that the operation's
 * templates mention; whether there is a body; statuses of results and errors. */

#include "src/base/json.h"

/* `document` is borrowed; `version` is the program's. The caller owns the result. */
json_t *bondy_openapi_make(const json_t *document, const char *version);

#endif
