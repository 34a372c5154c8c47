/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <stdio.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/base/map.h"
#include "src/security/policy/rbac.h"
#include "src/security/policy/rbac_cache.h"
#include "src/sys/publish.h"

/* The realms of realms-and-security.md 2.12. */
static struct bondy_policy *base, *shop;
static struct bondy_policy_settings settings; /* of shop */

static void grant(struct bondy_policy *policy, enum bondy_role_kind kind, const char *name,
                  enum bondy_grant_match match, const char *uri, const char *permission)
{
    struct bondy_grant_key key = {kind, bondy_slice_text(name), match, bondy_slice_text(uri)};
    json_t *permissions = json_pack("[s]", permission);

    bondy_policy_put_grant(policy, &key, permissions);
    json_decref(permissions);
}

static int create_realms(void **state)
{
    (void)state;
    base = bondy_policy_create(BONDY_SLICE("org.acme.base"));
    shop = bondy_policy_create(BONDY_SLICE("org.acme.shop7"));
    bondy_policy_put_group(base, BONDY_SLICE("staff"));
    bondy_policy_put_group(base, BONDY_SLICE("cashiers"));
    bondy_policy_put_parent(base, BONDY_SLICE("cashiers"), BONDY_SLICE("staff"));
    grant(base, BONDY_ROLE_GROUP, "staff", BONDY_GRANT_PREFIX, "org.acme.pub.", "wamp.call");
    grant(base, BONDY_ROLE_GROUP, "all", BONDY_GRANT_EXACT, "org.acme.news", "wamp.subscribe");
    grant(base, BONDY_ROLE_GROUP, "anonymous", BONDY_GRANT_EXACT, "org.acme.hello", "wamp.call");
    bondy_policy_publish(base);
    grant(shop, BONDY_ROLE_USER, "mona", BONDY_GRANT_WILDCARD, "org.acme..temp", "wamp.publish");
    grant(shop, BONDY_ROLE_GROUP, "all", BONDY_GRANT_EXACT, "org.acme.ping", "wamp.call");
    settings = bondy_policy_defaults;
    settings.prototype = base;
    bondy_policy_configure(shop, &settings);
    bondy_policy_publish(shop);
    return 0;
}

static int drop_realms(void **state)
{
    (void)state;
    bondy_policy_unref(shop);
    bondy_policy_unref(base);
    bondy_publish_quiesce();
    return 0;
}

/* `groups` separated by spaces; `user` NULL: anonymous. */
static struct bondy_rbac *rbac_of(const char *user, const char *groups)
{
    struct bondy_slice each[8];
    struct bondy_rbac_subject subject = {.username = bondy_slice_text(user), .groups = each};

    while (*groups != '\0') {
        size_t len = strcspn(groups, " ");

        each[subject.group_count++] = bondy_slice_of(groups, len);
        groups += len + (groups[len] == ' ');
    }
    return bondy_rbac_create(shop, &subject);
}

static bool decides(const char *user, const char *groups, const char *permission, const char *uri,
                    enum bondy_match match)
{
    struct bondy_rbac *rbac = rbac_of(user, groups);
    struct bondy_slice name = bondy_slice_text(permission);
    bool answer = bondy_rbac_covers(rbac, bondy_permission_of(name), bondy_slice_text(uri), match);

    if (match == BONDY_MATCH_EXACT)
        assert_int_equal(bondy_rbac_allows_text(rbac, name, bondy_slice_text(uri)), answer);
    bondy_rbac_destroy(rbac);
    return answer;
}

/* ---- the worked example, row by row ------------------------------------------------------- */

static void keep_as_it_is(void)
{
}

static void compare_literally(void)
{
    settings.coverage_is_literal = true;
    bondy_policy_configure(shop, &settings);
}

static void keep_anonymous_apart(void)
{
    settings.inherits_anonymous = false;
    bondy_policy_configure(shop, &settings);
}

static void define_staff(void)
{
    bondy_policy_put_group(shop, BONDY_SLICE("staff"));
}

static void define_cashiers(void)
{
    bondy_policy_put_group(shop, BONDY_SLICE("cashiers"));
}

static void define_managers(void)
{
    bondy_policy_put_group(shop, BONDY_SLICE("managers"));
    grant(shop, BONDY_ROLE_GROUP, "managers", BONDY_GRANT_EXACT, "org.acme.close", "wamp.call");
}

static void disable_security(void)
{
    settings.security_enabled = false;
    bondy_policy_configure(shop, &settings);
}

static const struct example {
    const char *row;
    void (*change)(void);
    const char *user, *groups;
    const char *permission, *uri;
    enum bondy_match match;
    bool is_allowed;
} examples[] = {
    {"1", keep_as_it_is, "mona", "cashiers", "wamp.call", "org.acme.pub.x", BONDY_MATCH_EXACT,
     true},
    {"2", keep_as_it_is, "mona", "cashiers", "wamp.call", "org.acme.pub", BONDY_MATCH_EXACT, false},
    {"3", keep_as_it_is, "mona", "cashiers", "wamp.publish", "org.acme.room1.temp",
     BONDY_MATCH_EXACT, true},
    {"4", keep_as_it_is, "mona", "cashiers", "wamp.publish", "org.acme.a.b.temp", BONDY_MATCH_EXACT,
     false},
    {"5", keep_as_it_is, "zoe", "", "wamp.subscribe", "org.acme.news", BONDY_MATCH_EXACT, true},
    {"6 strict", keep_as_it_is, "zoe", "", "wamp.subscribe", "org.acme.news", BONDY_MATCH_PREFIX,
     false},
    {"6 literal", compare_literally, "zoe", "", "wamp.subscribe", "org.acme.news",
     BONDY_MATCH_PREFIX, true},
    {"7", keep_as_it_is, "zoe", "", "wamp.call", "org.acme.ping", BONDY_MATCH_EXACT, true},
    {"8", keep_as_it_is, NULL, "", "wamp.call", "org.acme.ping", BONDY_MATCH_EXACT, true},
    {"9", keep_as_it_is, NULL, "", "wamp.call", "org.acme.hello", BONDY_MATCH_EXACT, true},
    {"9 by name", keep_as_it_is, "anonymous", "", "wamp.call", "org.acme.hello", BONDY_MATCH_EXACT,
     true},
    {"9 off", keep_anonymous_apart, NULL, "", "wamp.call", "org.acme.hello", BONDY_MATCH_EXACT,
     false},
    {"9 user", keep_as_it_is, "zoe", "", "wamp.call", "org.acme.hello", BONDY_MATCH_EXACT, false},
    {"9 user who says so", keep_as_it_is, "zoe", "anonymous", "wamp.call", "org.acme.hello",
     BONDY_MATCH_EXACT, false},
    {"10", define_staff, "mona", "cashiers", "wamp.call", "org.acme.pub.x", BONDY_MATCH_EXACT,
     false},
    {"11", define_cashiers, "mona", "cashiers", "wamp.call", "org.acme.pub.x", BONDY_MATCH_EXACT,
     false},
    {"12 both groups", define_managers, "mona", "cashiers managers", "wamp.call", "org.acme.close",
     BONDY_MATCH_EXACT, true},
    {"12 one chosen", define_managers, "mona", "cashiers", "wamp.call", "org.acme.close",
     BONDY_MATCH_EXACT, false},
    {"13", disable_security, "mona", "", "wamp.register", "any.thing", BONDY_MATCH_PREFIX, true},
    {"13 before", keep_as_it_is, "mona", "", "wamp.register", "any.thing", BONDY_MATCH_PREFIX,
     false},
};

static void the_worked_example_is_decided_row_by_row(void **state)
{
    for (size_t i = 0; i < BONDY_COUNT(examples); i++) {
        const struct example *example = &examples[i];
        bool answer;

        create_realms(state);
        example->change();
        bondy_policy_publish(shop);
        answer = decides(example->user, example->groups, example->permission, example->uri,
                         example->match);
        drop_realms(state);
        if (answer != example->is_allowed)
            fail_msg("row %s: decided %d", example->row, answer);
    }
}

/* ---- coverage ----------------------------------------------------------------------------- */

static const struct coverage {
    enum bondy_grant_match grant;
    const char *uri;
    enum bondy_match match;
    const char *pattern;
    bool strict, bytes, literal; /* what each way of comparing says */
} coverages[] = {
    {BONDY_GRANT_EXACT, "a.b", BONDY_MATCH_EXACT, "a.b", true, true, true},
    {BONDY_GRANT_EXACT, "a.b", BONDY_MATCH_EXACT, "a.bb", false, false, false},
    {BONDY_GRANT_EXACT, "a.b", BONDY_MATCH_EXACT, "a.b.c", false, false, false},
    {BONDY_GRANT_EXACT, "a.b", BONDY_MATCH_PREFIX, "a.b", false, false, true},
    {BONDY_GRANT_EXACT, "a.b", BONDY_MATCH_WILDCARD, "a.b", false, false, true},
    {BONDY_GRANT_PREFIX, "a.b", BONDY_MATCH_EXACT, "a.b", true, true, true},
    {BONDY_GRANT_PREFIX, "a.b", BONDY_MATCH_EXACT, "a.b.c", true, true, true},
    {BONDY_GRANT_PREFIX, "a.b", BONDY_MATCH_EXACT, "a.bc", false, true, false},
    {BONDY_GRANT_PREFIX, "a.b", BONDY_MATCH_EXACT, "a", false, false, false},
    {BONDY_GRANT_PREFIX, "a.b.", BONDY_MATCH_EXACT, "a.b", false, false, false},
    {BONDY_GRANT_PREFIX, "a.b.", BONDY_MATCH_EXACT, "a.b.c", true, true, true},
    {BONDY_GRANT_PREFIX, "a.b", BONDY_MATCH_PREFIX, "a.b", false, true, true},
    {BONDY_GRANT_PREFIX, "a.b", BONDY_MATCH_PREFIX, "a.b.", true, true, true},
    {BONDY_GRANT_PREFIX, "a.b", BONDY_MATCH_PREFIX, "a.bc", false, true, false},
    {BONDY_GRANT_PREFIX, "a.b", BONDY_MATCH_PREFIX, "a.", false, false, false},
    {BONDY_GRANT_PREFIX, "a.b.", BONDY_MATCH_PREFIX, "a.b.", true, true, true},
    {BONDY_GRANT_PREFIX, "a.b.", BONDY_MATCH_PREFIX, "a.b.c", true, true, true},
    {BONDY_GRANT_PREFIX, "a.b.", BONDY_MATCH_PREFIX, "a.b", false, false, false},
    {BONDY_GRANT_PREFIX, "a.b", BONDY_MATCH_WILDCARD, "a.b..c", true, true, true},
    {BONDY_GRANT_PREFIX, "a.b", BONDY_MATCH_WILDCARD, "a..c", false, false, false},
    {BONDY_GRANT_PREFIX, "a.b", BONDY_MATCH_WILDCARD, "a.b", false, true, true},
    {BONDY_GRANT_PREFIX, "a.b", BONDY_MATCH_WILDCARD, "a.b.", true, true, true},
    {BONDY_GRANT_PREFIX, "a.b", BONDY_MATCH_WILDCARD, ".b.c", false, false, false},
    {BONDY_GRANT_PREFIX, "a", BONDY_MATCH_WILDCARD, "ab..c", false, true, false},
    {BONDY_GRANT_PREFIX, "a..", BONDY_MATCH_WILDCARD, "a..b", false, false, true},
    {BONDY_GRANT_PREFIX, "", BONDY_MATCH_EXACT, "a", true, true, true},
    {BONDY_GRANT_PREFIX, "", BONDY_MATCH_PREFIX, "w", true, true, true},
    {BONDY_GRANT_PREFIX, "", BONDY_MATCH_WILDCARD, "..", true, true, true},
    {BONDY_GRANT_WILDCARD, "a..c", BONDY_MATCH_EXACT, "a.b.c", true, true, true},
    {BONDY_GRANT_WILDCARD, "a..c", BONDY_MATCH_EXACT, "a.b.b.c", false, false, false},
    {BONDY_GRANT_WILDCARD, "a..c", BONDY_MATCH_EXACT, "a.b.d", false, false, false},
    {BONDY_GRANT_WILDCARD, "a..c", BONDY_MATCH_PREFIX, "a.b.c", false, false, true},
    {BONDY_GRANT_WILDCARD, "a..", BONDY_MATCH_PREFIX, "a.b.", false, false, true},
    {BONDY_GRANT_WILDCARD, "a..c", BONDY_MATCH_WILDCARD, "a..c", true, true, true},
    {BONDY_GRANT_WILDCARD, "a..", BONDY_MATCH_WILDCARD, "a..c", true, true, true},
    {BONDY_GRANT_WILDCARD, "a..c", BONDY_MATCH_WILDCARD, "a..", false, false, false},
    {BONDY_GRANT_WILDCARD, "a..c", BONDY_MATCH_WILDCARD, ".b.c", false, false, false},
    {BONDY_GRANT_WILDCARD, "..", BONDY_MATCH_WILDCARD, "a..c", true, true, true},
    {BONDY_GRANT_WILDCARD, "..", BONDY_MATCH_WILDCARD, "...", false, false, false},
    {BONDY_GRANT_WILDCARD, "a.#", BONDY_MATCH_EXACT, "a.b", false, false, false},
    {BONDY_GRANT_ANY, "", BONDY_MATCH_EXACT, "a", true, true, true},
    {BONDY_GRANT_ANY, "", BONDY_MATCH_PREFIX, "a", true, true, true},
    {BONDY_GRANT_ANY, "", BONDY_MATCH_WILDCARD, "..", true, true, true},
    /* Z2: what is ours and the meta API is nothing special. */
    {BONDY_GRANT_PREFIX, "com.acme", BONDY_MATCH_WILDCARD, "wamp.", false, false, false},
    {BONDY_GRANT_PREFIX, "com.acme", BONDY_MATCH_WILDCARD, "bondy..", false, false, false},
    {BONDY_GRANT_WILDCARD, "com..x", BONDY_MATCH_WILDCARD, "..", false, false, false},
};

static bool is_covered(const struct coverage *coverage)
{
    bool answer;

    bondy_policy_configure(shop, &settings);
    bondy_policy_publish(shop);
    answer = decides("uma", "", "wamp.subscribe", coverage->pattern, coverage->match);
    settings = bondy_policy_defaults;
    return answer;
}

static void a_pattern_is_allowed_when_a_grant_covers_all_of_it(void **state)
{
    for (size_t i = 0; i < BONDY_COUNT(coverages); i++) {
        const struct coverage *coverage = &coverages[i];
        bool strict, bytes, literal;

        create_realms(state);
        settings = bondy_policy_defaults;
        grant(shop, BONDY_ROLE_USER, "uma", coverage->grant, coverage->uri, "wamp.subscribe");
        strict = is_covered(coverage);
        settings.prefixes_are_bytes = true;
        bytes = is_covered(coverage);
        settings.coverage_is_literal = true;
        literal = is_covered(coverage);
        drop_realms(state);
        if (strict != coverage->strict || bytes != coverage->bytes || literal != coverage->literal)
            fail_msg("grant %s (%s), pattern %s (%s): %d %d %d", coverage->uri,
                     bondy_grant_match_name(coverage->grant), coverage->pattern,
                     bondy_match_name(coverage->match), strict, bytes, literal);
    }
}

/* ---- groups ------------------------------------------------------------------------------- */

static void groups_that_are_members_of_each_other_are_followed_once(void **state)
{
    struct bondy_rbac *rbac;

    (void)state;
    bondy_policy_put_group(shop, BONDY_SLICE("one"));
    bondy_policy_put_group(shop, BONDY_SLICE("two"));
    bondy_policy_put_parent(shop, BONDY_SLICE("one"), BONDY_SLICE("one"));
    bondy_policy_put_parent(shop, BONDY_SLICE("one"), BONDY_SLICE("two"));
    bondy_policy_put_parent(shop, BONDY_SLICE("two"), BONDY_SLICE("one"));
    bondy_policy_put_parent(shop, BONDY_SLICE("two"), BONDY_SLICE("nobody"));
    grant(shop, BONDY_ROLE_GROUP, "two", BONDY_GRANT_EXACT, "a.b", "acme.paint");
    bondy_policy_publish(shop);
    rbac = rbac_of("mona", "one one two nobody");
    assert_true(bondy_rbac_allows_text(rbac, BONDY_SLICE("acme.paint"), BONDY_SLICE("a.b")));
    assert_false(bondy_rbac_allows_text(rbac, BONDY_SLICE("acme.pain"), BONDY_SLICE("a.b")));
    assert_true(bondy_rbac_has_group(rbac, BONDY_SLICE("one")));
    assert_true(bondy_rbac_has_group(rbac, BONDY_SLICE("two")));
    assert_true(bondy_rbac_has_group(rbac, BONDY_SLICE("all")));
    assert_false(bondy_rbac_has_group(rbac, BONDY_SLICE("nobody")));
    assert_false(bondy_rbac_has_group(rbac, BONDY_SLICE("anonymous")));
    assert_false(bondy_rbac_has_group(rbac, BONDY_SLICE("mona")));
    bondy_rbac_destroy(rbac);
}

/* Group 0 is a member of 1, that of 2 and so on; the last one of them has the grant. */
static bool reaches(unsigned group_count)
{
    char name[16], parent[16];

    for (unsigned i = 0; i < group_count; i++) {
        snprintf(name, sizeof name, "g%u", i);
        snprintf(parent, sizeof parent, "g%u", i + 1);
        bondy_policy_put_group(shop, bondy_slice_text(name));
        if (i + 1 < group_count)
            bondy_policy_put_parent(shop, bondy_slice_text(name), bondy_slice_text(parent));
    }
    grant(shop, BONDY_ROLE_GROUP, name, BONDY_GRANT_EXACT, "a.deep", "wamp.call");
    bondy_policy_publish(shop);
    return decides("mona", "g0", "wamp.call", "a.deep", BONDY_MATCH_EXACT);
}

static void groups_beyond_the_limits_count_for_nothing(void **state)
{
    (void)state;
    assert_true(reaches(settings.max_depth));
    settings.max_groups = settings.max_depth - 1;
    bondy_policy_configure(shop, &settings);
    bondy_policy_publish(shop);
    assert_false(decides("mona", "g0", "wamp.call", "a.deep", BONDY_MATCH_EXACT));
    settings.max_groups = 1000;
    settings.max_depth = 31;
    bondy_policy_configure(shop, &settings);
    bondy_policy_publish(shop);
    assert_false(decides("mona", "g0", "wamp.call", "a.deep", BONDY_MATCH_EXACT));
}

/* A parent of the prototype's group is looked for in the realm first; grants of a hidden group do
 * not count even when the realm's has none. */
static void a_parent_of_an_inherited_group_may_be_the_realms_own(void **state)
{
    (void)state;
    define_staff();
    grant(shop, BONDY_ROLE_GROUP, "staff", BONDY_GRANT_EXACT, "a.own", "wamp.call");
    bondy_policy_publish(shop);
    assert_true(decides("mona", "cashiers", "wamp.call", "a.own", BONDY_MATCH_EXACT));
    assert_false(decides("mona", "cashiers", "wamp.call", "org.acme.pub.x", BONDY_MATCH_EXACT));
    bondy_policy_remove_group(shop, BONDY_SLICE("staff"));
    bondy_policy_publish(shop);
    assert_true(decides("mona", "cashiers", "wamp.call", "org.acme.pub.x", BONDY_MATCH_EXACT));
}

static void users_of_the_prototype_are_never_inherited(void **state)
{
    (void)state;
    grant(base, BONDY_ROLE_USER, "mona", BONDY_GRANT_ANY, "", "wamp.call");
    bondy_policy_publish(base);
    assert_false(decides("mona", "", "wamp.call", "a.b", BONDY_MATCH_EXACT));
}

/* Group and user of one name are two roles. */
static void a_user_is_not_the_group_of_that_name(void **state)
{
    (void)state;
    assert_false(decides("staff", "", "wamp.call", "org.acme.pub.x", BONDY_MATCH_EXACT));
    assert_false(decides("zoe", "mona", "wamp.publish", "org.acme.x.temp", BONDY_MATCH_EXACT));
}

/* ---- immediacy ---------------------------------------------------------------------------- */

static void a_change_is_decided_upon_with_the_next_message(void **state)
{
    struct bondy_grant_key key = {BONDY_ROLE_USER, BONDY_SLICE("zoe"), BONDY_GRANT_EXACT,
                                  BONDY_SLICE("a.b")};
    struct bondy_rbac *rbac = rbac_of("zoe", "");
    uint64_t id = rbac->id;

    (void)state;
    assert_true(bondy_rbac_is_current(rbac));
    assert_false(bondy_rbac_allows(rbac, BONDY_PERMISSION_CALL, key.uri));
    grant(shop, BONDY_ROLE_USER, "zoe", BONDY_GRANT_EXACT, "a.b", "wamp.call");
    bondy_policy_publish(shop);
    assert_false(bondy_rbac_is_current(rbac));
    bondy_rbac_destroy(rbac);

    rbac = rbac_of("zoe", "");
    assert_int_not_equal(rbac->id, id);
    assert_true(bondy_rbac_allows(rbac, BONDY_PERMISSION_CALL, key.uri));
    bondy_policy_remove_grant(shop, &key);
    bondy_policy_publish(shop);
    assert_false(bondy_rbac_is_current(rbac));
    bondy_rbac_destroy(rbac);

    rbac = rbac_of("zoe", "");
    assert_false(bondy_rbac_allows(rbac, BONDY_PERMISSION_CALL, key.uri));
    bondy_policy_touch(shop); /* the groups of zoe's record changed */
    assert_false(bondy_rbac_is_current(rbac));
    bondy_rbac_destroy(rbac);
}

/* ---- the cache ---------------------------------------------------------------------------- */

static bool decide(struct bondy_rbac_cache *cache, const struct bondy_rbac *rbac,
                   enum bondy_permission permission, const char *uri)
{
    struct bondy_slice text = bondy_slice_text(uri);

    return bondy_rbac_decide(cache, rbac, permission, text, bondy_hash(text.data, text.len));
}

static void cached_decisions_keep_identities_permissions_and_uris_apart(void **state)
{
    struct bondy_rbac_cache *cache = bondy_rbac_cache_create(1); /* all share one slot */
    struct bondy_rbac *mona = rbac_of("mona", "cashiers");
    struct bondy_rbac *zoe = rbac_of("zoe", "");
    struct bondy_slice uri = BONDY_SLICE("org.acme.pub.x");

    (void)state;
    assert_null(cache->slots);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(decide(cache, mona, BONDY_PERMISSION_CALL, "org.acme.pub.x"));
        assert_true(decide(cache, mona, BONDY_PERMISSION_CALL, "org.acme.pub.x"));
        assert_false(decide(cache, zoe, BONDY_PERMISSION_CALL, "org.acme.pub.x"));
        assert_false(decide(cache, zoe, BONDY_PERMISSION_CALL, "org.acme.pub.x"));
        assert_false(decide(cache, mona, BONDY_PERMISSION_PUBLISH, "org.acme.pub.x"));
        assert_true(decide(cache, mona, BONDY_PERMISSION_CALL, "org.acme.pub.y"));
        assert_false(decide(cache, mona, BONDY_PERMISSION_CALL, "org.acme.pux.y"));
    }
    /* The same hash for another URI, as no peer can make it: the text decides. */
    assert_true(bondy_rbac_decide(cache, mona, BONDY_PERMISSION_CALL, uri, 7));
    assert_false(
        bondy_rbac_decide(cache, mona, BONDY_PERMISSION_CALL, BONDY_SLICE("org.acme.pux.x"), 7));
    bondy_rbac_destroy(zoe);
    bondy_rbac_destroy(mona);
    bondy_rbac_cache_destroy(cache);
    bondy_rbac_cache_destroy(NULL);
}

static void long_and_empty_uris_are_decided_too(void **state)
{
    struct bondy_rbac_cache *cache = bondy_rbac_cache_create(16);
    struct bondy_rbac *rbac = rbac_of("mona", "cashiers");
    char uri[BONDY_RBAC_SLOT_URI_MAX + 3] = "org.acme.pub.";

    (void)state;
    for (size_t len = BONDY_RBAC_SLOT_URI_MAX - 1; len < sizeof uri; len++) {
        memset(uri + 13, 'x', len - 13);
        uri[len] = '\0';
        assert_true(decide(cache, rbac, BONDY_PERMISSION_CALL, uri));
        assert_true(decide(cache, rbac, BONDY_PERMISSION_CALL, uri));
        assert_false(decide(cache, rbac, BONDY_PERMISSION_PUBLISH, uri));
    }
    assert_false(bondy_rbac_decide(cache, rbac, BONDY_PERMISSION_CALL, BONDY_SLICE_EMPTY, 0));
    bondy_rbac_destroy(rbac);
    bondy_rbac_cache_destroy(cache);
}

static void an_open_realm_needs_no_slots(void **state)
{
    struct bondy_rbac_cache *cache = bondy_rbac_cache_create(16);
    struct bondy_rbac *rbac;

    (void)state;
    disable_security();
    bondy_policy_publish(shop);
    rbac = rbac_of("zoe", "");
    assert_true(rbac->is_open);
    assert_true(decide(cache, rbac, BONDY_PERMISSION_CALL, "a.b"));
    assert_null(cache->slots);
    bondy_rbac_destroy(rbac);
    bondy_rbac_cache_destroy(cache);
}

/* ---- for people --------------------------------------------------------------------------- */

static void assert_json(json_t *value, const char *text)
{
    struct bondy_buf found = BONDY_BUF_EMPTY;

    bondy_json_canonical(value, &found);
    assert_slice_is(bondy_buf_slice(&found), text);
    bondy_buf_fini(&found);
    json_decref(value);
}

static void effective_grants_are_merged_by_resource_and_sorted(void **state)
{
    struct bondy_rbac *rbac;

    (void)state;
    grant(shop, BONDY_ROLE_USER, "mona", BONDY_GRANT_PREFIX, "org.acme.pub.", "acme.paint");
    grant(shop, BONDY_ROLE_USER, "mona", BONDY_GRANT_ANY, "", "wamp.cancel");
    bondy_policy_publish(shop);
    rbac = rbac_of("mona", "cashiers");
    assert_json(
        bondy_rbac_grants(rbac),
        "[{\"permissions\":[\"wamp.cancel\"],\"resource\":{\"uri\":\"any\"}},"
        "{\"permissions\":[\"wamp.publish\"],\"resource\":{\"match\":\"wildcard\",\"uri\":"
        "\"org.acme..temp\"}},"
        "{\"permissions\":[\"wamp.subscribe\"],\"resource\":{\"match\":\"exact\",\"uri\":"
        "\"org.acme.news\"}},"
        "{\"permissions\":[\"wamp.call\"],\"resource\":{\"match\":\"exact\",\"uri\":"
        "\"org.acme.ping\"}},"
        "{\"permissions\":[\"acme.paint\",\"wamp.call\"],\"resource\":{\"match\":\"prefix\","
        "\"uri\":\"org.acme.pub.\"}}]");
    bondy_rbac_destroy(rbac);
}

static void a_denial_is_explained_by_the_grants_that_came_near(void **state)
{
    struct bondy_rbac *rbac = rbac_of("mona", "cashiers");

    (void)state;
    assert_json(
        bondy_rbac_explain(rbac, BONDY_SLICE("wamp.publish"), BONDY_SLICE("org.acme.pub.x"),
                           BONDY_MATCH_EXACT),
        "{\"allowed\":false,\"authid\":\"mona\",\"considered\":["
        "{\"permission_matches\":false,\"permissions\":[\"wamp.call\"],\"realm\":\"org.acme.base\","
        "\"resource\":{\"match\":\"prefix\",\"uri\":\"org.acme.pub.\"},\"resource_matches\":true,"
        "\"role\":\"group/staff\"},"
        "{\"permission_matches\":true,\"permissions\":[\"wamp.publish\"],\"realm\":"
        "\"org.acme.shop7\",\"resource\":{\"match\":\"wildcard\",\"uri\":\"org.acme..temp\"},"
        "\"resource_matches\":false,\"role\":\"user/mona\"}],"
        "\"groups\":[{\"name\":\"cashiers\",\"realm\":\"org.acme.base\",\"via\":\"user\"},"
        "{\"name\":\"staff\",\"realm\":\"org.acme.base\",\"via\":\"cashiers\"}],"
        "\"permission\":\"wamp.publish\",\"reason\":\"no grant gives wamp.publish on "
        "org.acme.pub.x\",\"resource\":\"org.acme.pub.x\",\"security_enabled\":true}");
    bondy_rbac_destroy(rbac);
}

static void what_is_allowed_is_explained_by_the_grant_that_gives_it(void **state)
{
    struct bondy_rbac *rbac = rbac_of(NULL, "");
    json_t *why = bondy_rbac_explain(rbac, BONDY_SLICE("wamp.call"), BONDY_SLICE("org.acme.hello"),
                                     BONDY_MATCH_EXACT);

    (void)state;
    assert_true(json_is_true(json_object_get(why, "allowed")));
    assert_slice_is(bondy_json_text(why, "authid"), "anonymous");
    assert_slice_is(bondy_json_text(why, "reason"),
                    "a grant to anonymous gives wamp.call on org.acme.hello");
    json_decref(why);
    why = bondy_rbac_explain(rbac, BONDY_SLICE("wamp.subscribe"), BONDY_SLICE("org.acme.news"),
                             BONDY_MATCH_PREFIX);
    assert_slice_is(bondy_json_text(why, "reason"),
                    "no grant gives wamp.subscribe on everything that starts with org.acme.news");
    assert_slice_is(bondy_json_text(why, "match"), "prefix");
    json_decref(why);
    bondy_rbac_destroy(rbac);

    disable_security();
    bondy_policy_publish(shop);
    rbac = rbac_of(NULL, "");
    why = bondy_rbac_explain(rbac, BONDY_SLICE("acme.paint"), BONDY_SLICE("a"), BONDY_MATCH_EXACT);
    assert_true(json_is_true(json_object_get(why, "allowed")));
    assert_true(json_is_false(json_object_get(why, "security_enabled")));
    json_decref(why);
    bondy_rbac_destroy(rbac);
}

static void an_explanation_has_an_end(void **state)
{
    struct bondy_rbac *rbac;
    char uri[32];
    json_t *why;

    (void)state;
    for (unsigned i = 0; i < 150; i++) {
        snprintf(uri, sizeof uri, "a.b%u", i);
        grant(shop, BONDY_ROLE_USER, "zoe", BONDY_GRANT_EXACT, uri, "wamp.publish");
    }
    bondy_policy_publish(shop);
    rbac = rbac_of("zoe", "");
    why = bondy_rbac_explain(rbac, BONDY_SLICE("wamp.publish"), BONDY_SLICE("a.c"),
                             BONDY_MATCH_EXACT);
    assert_int_equal(json_array_size(json_object_get(why, "considered")), 100);
    assert_int_equal(json_integer_value(json_object_get(why, "omitted")), 50);
    json_decref(why);
    bondy_rbac_destroy(rbac);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worked_example_is_decided_row_by_row),
        cmocka_unit_test(a_pattern_is_allowed_when_a_grant_covers_all_of_it),
#define WITH_REALMS(test) cmocka_unit_test_setup_teardown(test, create_realms, drop_realms)
        WITH_REALMS(groups_that_are_members_of_each_other_are_followed_once),
        WITH_REALMS(groups_beyond_the_limits_count_for_nothing),
        WITH_REALMS(a_parent_of_an_inherited_group_may_be_the_realms_own),
        WITH_REALMS(users_of_the_prototype_are_never_inherited),
        WITH_REALMS(a_user_is_not_the_group_of_that_name),
        WITH_REALMS(a_change_is_decided_upon_with_the_next_message),
        WITH_REALMS(cached_decisions_keep_identities_permissions_and_uris_apart),
        WITH_REALMS(long_and_empty_uris_are_decided_too),
        WITH_REALMS(an_open_realm_needs_no_slots),
        WITH_REALMS(effective_grants_are_merged_by_resource_and_sorted),
        WITH_REALMS(a_denial_is_explained_by_the_grants_that_came_near),
        WITH_REALMS(what_is_allowed_is_explained_by_the_grant_that_gives_it),
        WITH_REALMS(an_explanation_has_an_end),
    };
    int failed;

    if (bondy_id_start(NULL) < 0)
        return 1;
    bondy_publish_thread_start();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    bondy_publish_barrier_wait();
    bondy_publish_thread_stop();
    return failed;
}
