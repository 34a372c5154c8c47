/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_WAMP_FEATURES_H
#define BONDY_WAMP_FEATURES_H

/* features: the roles of a session and the advanced features that each announces. Pure, any thread.
 * WAMP, Advanced Profile: Feature Announcement. */

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "src/base/buf.h"
#include "src/base/error.h"
#include "src/wamp/message.h"

enum bondy_role {
    BONDY_ROLE_CALLER,
    BONDY_ROLE_CALLEE,
    BONDY_ROLE_PUBLISHER,
    BONDY_ROLE_SUBSCRIBER,
    BONDY_ROLE_DEALER,
    BONDY_ROLE_BROKER,
    BONDY_ROLES
};

#define BONDY_ROLE_BIT(role) (1u << (role))
#define BONDY_ROLES_CLIENT                                                                         \
    (BONDY_ROLE_BIT(BONDY_ROLE_CALLER) | BONDY_ROLE_BIT(BONDY_ROLE_CALLEE) |                       \
     BONDY_ROLE_BIT(BONDY_ROLE_PUBLISHER) | BONDY_ROLE_BIT(BONDY_ROLE_SUBSCRIBER))
#define BONDY_ROLES_ROUTER (BONDY_ROLE_BIT(BONDY_ROLE_DEALER) | BONDY_ROLE_BIT(BONDY_ROLE_BROKER))

/* A feature has one name whatever the role. */
enum bondy_feature {
    BONDY_FEATURE_PROGRESSIVE_CALL_RESULTS,
    BONDY_FEATURE_PROGRESSIVE_CALL_INVOCATIONS,
    BONDY_FEATURE_CALL_TIMEOUT,
    BONDY_FEATURE_CALL_CANCELING,
    BONDY_FEATURE_CALLER_IDENTIFICATION,
    BONDY_FEATURE_CALL_TRUSTLEVELS,
    BONDY_FEATURE_REGISTRATION_META_API,
    BONDY_FEATURE_PATTERN_BASED_REGISTRATION,
    BONDY_FEATURE_SHARED_REGISTRATION,
    BONDY_FEATURE_SHARDED_REGISTRATION,
    BONDY_FEATURE_REGISTRATION_REVOCATION,
    BONDY_FEATURE_SESSION_META_API,
    BONDY_FEATURE_TESTAMENT_META_API,
    BONDY_FEATURE_CALL_REROUTE,
    BONDY_FEATURE_PAYLOAD_PASSTHRU_MODE,
    BONDY_FEATURE_REFLECTION,
    BONDY_FEATURE_SUBSCRIBER_BLACKWHITE_LISTING,
    BONDY_FEATURE_PUBLISHER_EXCLUSION,
    BONDY_FEATURE_PUBLISHER_IDENTIFICATION,
    BONDY_FEATURE_PUBLICATION_TRUSTLEVELS,
    BONDY_FEATURE_SUBSCRIPTION_META_API,
    BONDY_FEATURE_PATTERN_BASED_SUBSCRIPTION,
    BONDY_FEATURE_SHARDED_SUBSCRIPTION,
    BONDY_FEATURE_EVENT_HISTORY,
    BONDY_FEATURE_EVENT_RETENTION,
    BONDY_FEATURE_SUBSCRIPTION_REVOCATION,
    BONDY_FEATURES
};

#define BONDY_FEATURE_BIT(feature) (UINT64_C(1) << (feature))

/* What is built, and so what WELCOME announces (FEAT-1). */
#define BONDY_FEATURES_OF_DEALER                                                                   \
    (BONDY_FEATURE_BIT(BONDY_FEATURE_CALL_TIMEOUT) |                                               \
     BONDY_FEATURE_BIT(BONDY_FEATURE_CALLER_IDENTIFICATION) |                                      \
     BONDY_FEATURE_BIT(BONDY_FEATURE_PATTERN_BASED_REGISTRATION) |                                 \
     BONDY_FEATURE_BIT(BONDY_FEATURE_REGISTRATION_REVOCATION))
#define BONDY_FEATURES_OF_BROKER                                                                   \
    (BONDY_FEATURE_BIT(BONDY_FEATURE_PUBLISHER_EXCLUSION) |                                        \
     BONDY_FEATURE_BIT(BONDY_FEATURE_PUBLISHER_IDENTIFICATION) |                                   \
     BONDY_FEATURE_BIT(BONDY_FEATURE_SUBSCRIBER_BLACKWHITE_LISTING) |                              \
     BONDY_FEATURE_BIT(BONDY_FEATURE_PATTERN_BASED_SUBSCRIPTION) |                                 \
     BONDY_FEATURE_BIT(BONDY_FEATURE_SUBSCRIPTION_REVOCATION))

struct bondy_features {
    uint32_t roles;                /* BONDY_ROLE_BIT() of each role announced */
    uint64_t of_role[BONDY_ROLES]; /* BONDY_FEATURE_BIT() of each feature, by role */
};

/* Reads the roles of HELLO.Details (or WELCOME.Details); `details` is the encoded dict, `scratch`
 * as for bondy_walk_start(). Only the roles in `known` (BONDY_ROLES_CLIENT, BONDY_ROLES_ROUTER) are
 * looked at; others, and unknown features, are ignored. Two names that the specification misspells
 * in places are understood too (FEAT-2).
 * BONDY_EPROTO: no roles, none of the known ones, or something of a wrong type (SESS-OPEN-6). */
int bondy_features_parse(enum bondy_serializer serializer, struct bondy_slice details,
                         uint32_t known, struct bondy_buf *scratch, struct bondy_features *out,
                         struct bondy_error *err);
/* The roles dict of WELCOME.Details (or HELLO.Details); the caller owns it. */
json_t *bondy_features_tree(const struct bondy_features *features);

const char *bondy_role_name(enum bondy_role role);
const char *bondy_feature_name(enum bondy_feature feature);

static inline bool bondy_features_have(const struct bondy_features *features, enum bondy_role role,
                                       enum bondy_feature feature)
{
    return (features->of_role[role] & BONDY_FEATURE_BIT(feature)) != 0;
}

#endif
