/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_CTL_COMMANDS_H
#define BONDY_CTL_COMMANDS_H

/* commands: the verbs, one cmd_*.c each, and what they share. */

#include "src/ctl/client.h"
#include "src/ctl/options.h"

extern const struct bondy_ctl_verb bondy_cmd_call;
extern const struct bondy_ctl_verb bondy_cmd_publish;
extern const struct bondy_ctl_verb bondy_cmd_register;
extern const struct bondy_ctl_verb bondy_cmd_subscribe;
/* Those of administration; the last one has no name. */
extern const struct bondy_ctl_verb bondy_verbs_admin[];

/* Says what is wrong on standard error; returns the exit status for `rc`. */
int bondy_ctl_fail(int rc, const struct bondy_error *err);
/* The same for what the person at the command line can mend there: always the status for usage. */
int bondy_ctl_misuse(const struct bondy_error *err);
/* Reads what the options say to log in with; an exit status. Secrets are taken out of the
 * environment, so that programs started later do not find them there. May ask at the terminal. */
int bondy_ctl_credentials(const struct bondy_ctl_options *options,
                          struct bondy_ctl_credentials *out);
/* Logs in and joins as the options say; 0, or an exit status after a message. */
int bondy_ctl_join(const struct bondy_ctl_options *options, struct bondy_client **out);
/* Positional arguments from index 1 on, as an array the caller owns. */
json_t *bondy_ctl_arguments(const struct bondy_ctl_options *options);
/* Sends a request and waits for the message of type `expected` or an ERROR that carries its id. 0
 * with *answer filled, or an exit status after a message. */
int bondy_ctl_request(struct bondy_client *client, const struct bondy_ctl_options *options,
                      const struct bondy_message *request, enum bondy_message_type expected,
                      struct bondy_message *answer);
/* One line of JSON on standard output, flushed. Takes `value`. */
void bondy_ctl_print_json(json_t *value);

#endif
