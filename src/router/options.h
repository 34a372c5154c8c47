/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ROUTER_OPTIONS_H
#define BONDY_ROUTER_OPTIONS_H

/* options: the Options of a client's message, read in place into a struct.
 *
 * One table of rows for each message type says which options exist and of what type they are.
 * Unknown ones are ignored (WAMP, Messages). A known one of a wrong type is
 * wamp.error.invalid_argument. One that belongs to a feature which is not announced, and that a
 * peer would be harmed by if it was ignored, is refused by name: wamp.error.option_not_allowed, or
 * wamp.error.feature_not_supported for payload passthru mode and progressive calls. */

#include <stdbool.h>
#include <stdint.h>

#include "src/base/buf.h"
#include "src/wamp/message.h"
#include "src/wamp/uri.h"

/* The lists of WAMP, Subscriber Black- and Whitelisting, as they were received. */
enum bondy_list_kind {
    BONDY_EXCLUDE,
    BONDY_EXCLUDE_AUTHID,
    BONDY_EXCLUDE_AUTHROLE,
    BONDY_ELIGIBLE,
    BONDY_ELIGIBLE_AUTHID,
    BONDY_ELIGIBLE_AUTHROLE,
    BONDY_LIST_KINDS
};

struct bondy_options {
    /* PUBLISH */
    bool acknowledge;
    bool exclude_me; /* true unless said otherwise */
    bool has_lists;
    struct bondy_slice lists[BONDY_LIST_KINDS]; /* empty: absent */
    /* PUBLISH, CALL */
    bool disclose_me;
    /* SUBSCRIBE, REGISTER */
    enum bondy_match match;
    /* REGISTER */
    bool disclose_caller;
    bool forward_timeout;
    /* CALL */
    uint64_t timeout_ms;
    /* YIELD */
    bool progress;
};

/* What is wrong with them. */
struct bondy_refusal {
    const char *uri;
    char text[120];
};

/* Reads the options of a PUBLISH, SUBSCRIBE, REGISTER, CALL, CANCEL or YIELD; other types have
 * none. `scratch` is used meanwhile. False: *refusal says why. */
bool bondy_options_read(const struct bondy_message *message, struct bondy_buf *scratch,
                        struct bondy_options *out, struct bondy_refusal *refusal);

#endif
