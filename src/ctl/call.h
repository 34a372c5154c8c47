/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_CTL_CALL_H
#define BONDY_CTL_CALL_H

/* call: the verbs of administration. Each is one row (verbs_admin.c): a procedure of the admin API,
 * called by POST /services/call, and a form that says what becomes of the words of the command
 * line. A form is a list of pieces, each with the next word of the command line unless it says
 * otherwise:
 *
 *     s      a text argument            n      a number argument
 *     l      a,b or all: a list, or that word
 *     f      an argument that is JSON, a file's name, or - for standard input
 *     F      the same; an object stands for a list of one
 *     j...   all further words, each JSON or else text
 *     >key   a text member of the object   .key   a text keyword argument
 *     {      the object as argument: --data, the words above, and the options that describe it
 *     $key   a secret as argument: from the option --KEY-file, else asked for
 *
 * and `?` behind a piece lets it be absent. The secret `password` is a member of the object when
 * there is one. wamp-admin-api.md 2; admin-http-api.md 5.1. */

#include "src/ctl/options.h"

/* {procedure, args, kwargs} of a command line. The caller owns *out. BONDY_EINVAL: a word is
 * missing or too much, or is not what it must be; others when a file or secret cannot be read. */
int bondy_ctl_call_make(const struct bondy_ctl_options *options, json_t **out,
                        struct bondy_error *err);
/* JSON, a file that holds it, or "-" for standard input. The caller owns *out. */
int bondy_ctl_document_read(const char *where, json_t **out, struct bondy_error *err);

/* What the verbs run. */
int bondy_ctl_run_call(const struct bondy_ctl_options *options);
int bondy_ctl_run_request(const struct bondy_ctl_options *options);
int bondy_ctl_run_download(const struct bondy_ctl_options *options);
int bondy_ctl_run_upload(const struct bondy_ctl_options *options);

#endif
