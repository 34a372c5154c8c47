/* SPDX-License-Identifier: Apache-2.0 */
#include "src/wamp/features.h"

#include "src/base/alloc.h"
#include "src/base/json.h"
#include "src/wamp/codec.h"

static const char *const role_names[BONDY_ROLES] = {
    [BONDY_ROLE_CALLER] = "caller",       [BONDY_ROLE_CALLEE] = "callee",
    [BONDY_ROLE_PUBLISHER] = "publisher", [BONDY_ROLE_SUBSCRIBER] = "subscriber",
    [BONDY_ROLE_DEALER] = "dealer",       [BONDY_ROLE_BROKER] = "broker",
};

static const char *const feature_names[BONDY_FEATURES] = {
    [BONDY_FEATURE_PROGRESSIVE_CALL_RESULTS] = "progressive_call_results",
    [BONDY_FEATURE_PROGRESSIVE_CALL_INVOCATIONS] = "progressive_call_invocations",
    [BONDY_FEATURE_CALL_TIMEOUT] = "call_timeout",
    [BONDY_FEATURE_CALL_CANCELING] = "call_canceling",
    [BONDY_FEATURE_CALLER_IDENTIFICATION] = "caller_identification",
    [BONDY_FEATURE_CALL_TRUSTLEVELS] = "call_trustlevels",
    [BONDY_FEATURE_REGISTRATION_META_API] = "registration_meta_api",
    [BONDY_FEATURE_PATTERN_BASED_REGISTRATION] = "pattern_based_registration",
    [BONDY_FEATURE_SHARED_REGISTRATION] = "shared_registration",
    [BONDY_FEATURE_SHARDED_REGISTRATION] = "sharded_registration",
    [BONDY_FEATURE_REGISTRATION_REVOCATION] = "registration_revocation",
    [BONDY_FEATURE_SESSION_META_API] = "session_meta_api",
    [BONDY_FEATURE_TESTAMENT_META_API] = "testament_meta_api",
    [BONDY_FEATURE_CALL_REROUTE] = "call_reroute",
    [BONDY_FEATURE_PAYLOAD_PASSTHRU_MODE] = "payload_passthru_mode",
    [BONDY_FEATURE_REFLECTION] = "reflection",
    [BONDY_FEATURE_SUBSCRIBER_BLACKWHITE_LISTING] = "subscriber_blackwhite_listing",
    [BONDY_FEATURE_PUBLISHER_EXCLUSION] = "publisher_exclusion",
    [BONDY_FEATURE_PUBLISHER_IDENTIFICATION] = "publisher_identification",
    [BONDY_FEATURE_PUBLICATION_TRUSTLEVELS] = "publication_trustlevels",
    [BONDY_FEATURE_SUBSCRIPTION_META_API] = "subscription_meta_api",
    [BONDY_FEATURE_PATTERN_BASED_SUBSCRIPTION] = "pattern_based_subscription",
    [BONDY_FEATURE_SHARDED_SUBSCRIPTION] = "sharded_subscription",
    [BONDY_FEATURE_EVENT_HISTORY] = "event_history",
    [BONDY_FEATURE_EVENT_RETENTION] = "event_retention",
    [BONDY_FEATURE_SUBSCRIPTION_REVOCATION] = "subscription_revocation",
};

/* As the specification's text has them in places; never sent. */
static const struct {
    const char *name;
    enum bondy_feature feature;
} misspelled[] = {
    {"call_cancelling", BONDY_FEATURE_CALL_CANCELING},
    {"shareded_subscriptions", BONDY_FEATURE_SHARDED_SUBSCRIPTION},
};

const char *bondy_role_name(enum bondy_role role)
{
    return role_names[role];
}

const char *bondy_feature_name(enum bondy_feature feature)
{
    return feature_names[feature];
}

/* BONDY_ROLES when there is none of that name. */
static unsigned find_role(struct bondy_slice name)
{
    unsigned role = 0;

    while (role < BONDY_ROLES && !bondy_slice_is(name, role_names[role]))
        role++;
    return role;
}

/* The bit of a feature, or 0. */
static uint64_t find_feature(struct bondy_slice name)
{
    for (unsigned feature = 0; feature < BONDY_FEATURES; feature++)
        if (bondy_slice_is(name, feature_names[feature]))
            return BONDY_FEATURE_BIT(feature);
    for (unsigned i = 0; i < BONDY_COUNT(misspelled); i++)
        if (bondy_slice_is(name, misspelled[i].name))
            return BONDY_FEATURE_BIT(misspelled[i].feature);
    return 0;
}

struct parser {
    enum bondy_serializer serializer;
    struct bondy_buf *scratch;
    struct bondy_features *out;
    struct bondy_error *err;
};

static int parse_features(struct parser *parser, unsigned role, struct bondy_slice raw)
{
    struct bondy_walk walk;
    struct bondy_slice key;
    struct bondy_value value;

    bondy_walk_start(&walk, parser->serializer, raw, parser->scratch);
    while (bondy_dict_next(&walk, &key, &value)) {
        uint64_t bit = find_feature(key);

        if (bit == 0)
            continue;
        if (value.type != BONDY_VALUE_BOOL)
            return bondy_fail(parser->err, BONDY_EPROTO,
                              "roles.%s.features." BONDY_SLICE_FMT " is no boolean",
                              role_names[role], BONDY_SLICE_ARG(key));
        if (value.flag)
            parser->out->of_role[role] |= bit;
    }
    return BONDY_OK;
}

static int parse_role(struct parser *parser, unsigned role, const struct bondy_value *value)
{
    struct bondy_value features;

    if (value->type != BONDY_VALUE_DICT)
        return bondy_fail(parser->err, BONDY_EPROTO, "roles.%s is no dict", role_names[role]);
    parser->out->roles |= BONDY_ROLE_BIT(role);
    if (!bondy_dict_find(parser->serializer, value->raw, "features", parser->scratch, &features))
        return BONDY_OK;
    if (features.type != BONDY_VALUE_DICT)
        return bondy_fail(parser->err, BONDY_EPROTO, "roles.%s.features is no dict",
                          role_names[role]);
    return parse_features(parser, role, features.raw);
}

int bondy_features_parse(enum bondy_serializer serializer, struct bondy_slice details,
                         uint32_t known, struct bondy_buf *scratch, struct bondy_features *out,
                         struct bondy_error *err)
{
    struct parser parser = {serializer, scratch, out, err};
    struct bondy_value roles;
    struct bondy_value value;
    struct bondy_slice key;
    struct bondy_walk walk;
    int rc;

    *out = (struct bondy_features){0};
    if (!bondy_dict_find(serializer, details, "roles", scratch, &roles))
        return bondy_fail(err, BONDY_EPROTO, "no roles are announced");
    if (roles.type != BONDY_VALUE_DICT)
        return bondy_fail(err, BONDY_EPROTO, "roles is no dict");
    bondy_walk_start(&walk, serializer, roles.raw, scratch);
    while (bondy_dict_next(&walk, &key, &value)) {
        unsigned role = find_role(key);

        if (role == BONDY_ROLES || (known & BONDY_ROLE_BIT(role)) == 0)
            continue;
        if ((rc = parse_role(&parser, role, &value)) < 0)
            return rc;
    }
    if (out->roles == 0)
        return bondy_fail(err, BONDY_EPROTO, "no known role is announced");
    return BONDY_OK;
}

static json_t *features_of(uint64_t bits)
{
    json_t *features = json_object();

    for (unsigned feature = 0; feature < BONDY_FEATURES; feature++)
        if ((bits & BONDY_FEATURE_BIT(feature)) != 0)
            bondy_json_with(features, feature_names[feature], json_true());
    return features;
}

json_t *bondy_features_tree(const struct bondy_features *features)
{
    json_t *roles = json_object();

    for (unsigned role = 0; role < BONDY_ROLES; role++) {
        if ((features->roles & BONDY_ROLE_BIT(role)) == 0)
            continue;
        bondy_json_with(
            roles, role_names[role],
            bondy_json_with(json_object(), "features", features_of(features->of_role[role])));
    }
    return roles;
}
