/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_CTL_ADMIN_H
#define BONDY_CTL_ADMIN_H

/* admin: one request to the admin API for a verb, with what its options say of where and as whom;
 * everything that goes wrong is told on standard error. */

#include "src/ctl/http.h"
#include "src/ctl/options.h"

struct bondy_admin_request {
    const char *method, *path;
    struct bondy_slice body;            /* JSON */
    const struct bondy_http_file *file; /* instead of method and body; NULL: none */
};
/* An exit status. The caller ends *answer and owns *body, which is NULL when there is none or it is
 * not JSON. */
int bondy_admin_ask(const struct bondy_ctl_options *options,
                    const struct bondy_admin_request *request, struct bondy_http_answer *answer,
                    json_t **body);
/* A value for people or programs, as the options say. */
void bondy_admin_print(const struct bondy_ctl_options *options, const json_t *value);

#endif
