/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_TOKEN_RULES_H
#define BONDY_SECURITY_TOKEN_RULES_H

/* rules: the keys oauth2.* of the configuration, which a reload may change. */

#include <stdbool.h>

/* Seconds. */
struct bondy_token_rules {
    const char *node_name;
    bool is_bondy_format; /* oauth2.token_format = bondy */
    unsigned password_s;  /* life of an access token, by grant */
    unsigned client_s;
    unsigned code_s;
    unsigned refresh_s;     /* life of a refresh token */
    unsigned refresh_max_s; /* of its whole family; 0: no end */
    unsigned refresh_grace_s;
    unsigned refresh_limit; /* families of a user */
};
/* The defaults of the configuration. */
void bondy_token_rules_init(struct bondy_token_rules *rules);

/* The rules of now. What was put is there as long as the settings: a call keeps the pointer while
 * it goes from thread to thread, and sees one state of them. */
struct bondy_token_settings;
struct bondy_token_settings *bondy_token_settings_create(void);
void bondy_token_settings_destroy(struct bondy_token_settings *settings); /* NULL is fine */
/* One thread at a time; copied, node_name is borrowed. */
void bondy_token_settings_put(struct bondy_token_settings *settings,
                              const struct bondy_token_rules *rules);
/* Any thread. The defaults before the first put. */
const struct bondy_token_rules *
bondy_token_settings_now(const struct bondy_token_settings *settings);

#endif
