/* SPDX-License-Identifier: Apache-2.0 */

/* threat-model Z1, Z2: random realms with prototypes, groups in groups and grants, random changes
 * to them, random questions; the engine must answer each as the reference model below does, which
 * knows no index, no snapshot and no order, only the words of realms-and-security.md 1.6 and 2.8.
 */

#include "tests/lib/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/base/map.h"
#include "src/security/policy/rbac.h"
#include "src/security/policy/rbac_cache.h"
#include "src/sys/publish.h"

#if defined(BONDY_SANITIZED) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WORLDS 1500
#else
#define WORLDS 25000
#endif
#define QUESTIONS 40 /* a world */
#define GROUPS 5
#define GRANTS_MAX 14
#define TEXT_MAX 40

enum role { ALL, ANONYMOUS, GROUP, USER };

struct grant {
    bool is_base; /* of the prototype */
    enum role role;
    unsigned name;
    enum bondy_grant_match match;
    char uri[TEXT_MAX];
    unsigned permissions; /* bits: index into permission_names */
};

struct world {
    struct bondy_policy_settings settings;
    bool has_base;
    bool group[2][GROUPS]; /* [is_base] */
    bool member[2][GROUPS][GROUPS];
    struct grant grants[GRANTS_MAX];
    unsigned grant_count;
};

struct question {
    bool is_anonymous;
    unsigned user;
    bool chosen[GROUPS];
    unsigned permission;
    char uri[TEXT_MAX];
    enum bondy_match match;
};

static const char *const permission_names[] = {"wamp.call", "wamp.subscribe", "acme.paint"};
static const char *const group_names[GROUPS] = {"staff", "cashiers", "staf", "staff.x", "managers"};
static const char *const user_names[] = {"mona", "zoe", "staff"};

/* ---- the reference model ------------------------------------------------------------------ */

static unsigned split(const char *text, char parts[TEXT_MAX][TEXT_MAX])
{
    unsigned count = 0, len = 0;

    for (;; text++) {
        if (*text == '.' || *text == '\0') {
            parts[count++][len] = '\0';
            len = 0;
            if (*text == '\0')
                return count;
        } else {
            parts[count][len++] = *text;
        }
    }
}

static bool starts(const char *text, const char *head)
{
    return strncmp(text, head, strlen(head)) == 0;
}

static bool model_prefix(const struct world *world, const char *prefix, const char *text,
                         bool is_exact)
{
    char dotted[TEXT_MAX + 1];
    size_t len = strlen(prefix);

    if (world->settings.prefixes_are_bytes)
        return starts(text, prefix);
    snprintf(dotted, sizeof dotted, "%s%s", prefix, len > 0 && prefix[len - 1] == '.' ? "" : ".");
    return len == 0 || starts(text, dotted) || (is_exact && strcmp(text, prefix) == 0);
}

static bool model_wildcard(const char *pattern, const char *text)
{
    char want[TEXT_MAX][TEXT_MAX], have[TEXT_MAX][TEXT_MAX];
    unsigned count = split(pattern, want);

    if (split(text, have) != count)
        return false;
    for (unsigned i = 0; i < count; i++) {
        if (want[i][0] != '\0' && strcmp(want[i], have[i]) != 0)
            return false;
    }
    return true;
}

static bool model_matches(const struct world *world, const struct grant *grant, const char *text,
                          enum bondy_match match)
{
    char head[TEXT_MAX] = "", parts[TEXT_MAX][TEXT_MAX];
    unsigned count = split(text, parts);
    size_t head_len = 0; /* of what is in front of the first empty component */

    if (world->settings.coverage_is_literal)
        match = BONDY_MATCH_EXACT;
    for (unsigned i = 0; i < count && parts[i][0] != '\0'; i++)
        head_len += strlen(parts[i]) + (i + 1 < count);
    memcpy(head, text, head_len);
    switch (grant->match) {
    case BONDY_GRANT_EXACT:
        return match == BONDY_MATCH_EXACT && strcmp(grant->uri, text) == 0;
    case BONDY_GRANT_PREFIX:
        return model_prefix(world, grant->uri, match == BONDY_MATCH_WILDCARD ? head : text,
                            match == BONDY_MATCH_EXACT);
    case BONDY_GRANT_WILDCARD:
        return match != BONDY_MATCH_PREFIX && model_wildcard(grant->uri, text);
    default:
        return true;
    }
}

/* Whose group of that name counts: 0 the realm's, 1 the prototype's, -1 there is none. */
static int owner(const struct world *world, unsigned group)
{
    return world->group[0][group] ? 0 : world->has_base && world->group[1][group] ? 1 : -1;
}

static bool model_decides(const struct world *world, const struct question *question)
{
    bool in[GROUPS] = {false};

    if (!world->settings.security_enabled)
        return true;
    for (unsigned round = 0; round <= GROUPS; round++)
        for (unsigned g = 0; g < GROUPS; g++) {
            in[g] = in[g] || (question->chosen[g] && owner(world, g) >= 0);
            for (unsigned p = 0; in[g] && p < GROUPS; p++)
                in[p] = in[p] || (world->member[owner(world, g)][g][p] && owner(world, p) >= 0);
        }
    for (unsigned i = 0; i < world->grant_count; i++) {
        const struct grant *grant = &world->grants[i];
        bool counts = grant->role == ALL;

        if (grant->is_base && !world->has_base)
            continue;
        if (grant->role == ANONYMOUS)
            counts =
                question->is_anonymous && (!grant->is_base || world->settings.inherits_anonymous);
        if (grant->role == GROUP)
            counts = in[grant->name] && owner(world, grant->name) == grant->is_base;
        if (grant->role == USER)
            counts = !grant->is_base && !question->is_anonymous && question->user == grant->name;
        if (counts && (grant->permissions >> question->permission & 1) &&
            model_matches(world, grant, question->uri, question->match))
            return true;
    }
    return false;
}

/* ---- dice --------------------------------------------------------------------------------- */

static uint64_t dice;

static unsigned roll(unsigned sides)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return (unsigned)(dice >> 33) % sides;
}

static bool one_in(unsigned sides)
{
    return roll(sides) == 0;
}

/* Few components that start with each other, so that most questions are near some grant. */
static void roll_uri(char uri[TEXT_MAX], enum bondy_grant_match match)
{
    static const char *const components[] = {"a", "b", "ab", "a", "b", "abc"};
    unsigned count = 1 + roll(4);

    do {
        uri[0] = '\0';
        if (match == BONDY_GRANT_ANY || (match == BONDY_GRANT_PREFIX && one_in(12)))
            return;
        for (unsigned i = 0; i < count; i++) {
            bool is_empty =
                match != BONDY_GRANT_EXACT && one_in(match == BONDY_GRANT_WILDCARD ? 3 : 8);

            snprintf(uri + strlen(uri), TEXT_MAX - strlen(uri), "%s%s", i == 0 ? "" : ".",
                     is_empty ? "" : components[roll(BONDY_COUNT(components))]);
        }
    } while (uri[0] == '\0');
    if (match == BONDY_GRANT_PREFIX && one_in(2))
        snprintf(uri + strlen(uri), TEXT_MAX - strlen(uri), ".");
}

/* ---- both at once ------------------------------------------------------------------------- */

struct realms {
    struct bondy_policy *policy[2]; /* [is_base] */
};

static struct bondy_grant_key key_of(const struct grant *grant)
{
    const char *name = grant->role == ALL         ? "all"
                       : grant->role == ANONYMOUS ? "anonymous"
                       : grant->role == USER      ? user_names[grant->name]
                                                  : group_names[grant->name];

    return (struct bondy_grant_key){grant->role == USER ? BONDY_ROLE_USER : BONDY_ROLE_GROUP,
                                    bondy_slice_text(name), grant->match,
                                    bondy_slice_text(grant->uri)};
}

/* The same resource of the same role: a put replaces it. */
static int find_grant(const struct world *world, const struct grant *like)
{
    for (unsigned i = 0; i < world->grant_count; i++) {
        const struct grant *grant = &world->grants[i];

        if (grant->is_base == like->is_base && grant->role == like->role &&
            grant->name == like->name && grant->match == like->match &&
            strcmp(grant->uri, like->uri) == 0)
            return (int)i;
    }
    return -1;
}

static void put_grant(struct world *world, struct realms *realms)
{
    struct grant grant = {.is_base = one_in(2),
                          .role = (enum role)roll(4),
                          .match = (enum bondy_grant_match)roll(BONDY_GRANT_MATCHES),
                          .permissions = 1 + roll(7)};
    struct bondy_grant_key key;
    json_t *permissions = json_array();
    int at;

    if (grant.match == BONDY_GRANT_ANY && !one_in(4))
        grant.match = BONDY_GRANT_WILDCARD;
    if (grant.role >= GROUP)
        grant.name = roll(grant.role == GROUP ? GROUPS : (unsigned)BONDY_COUNT(user_names));
    roll_uri(grant.uri, grant.match);
    for (unsigned i = 0; i < BONDY_COUNT(permission_names); i++) {
        if (grant.permissions >> i & 1)
            json_array_append_new(permissions, json_string(permission_names[i]));
    }
    at = find_grant(world, &grant);
    if (at < 0 && world->grant_count < GRANTS_MAX)
        at = (int)world->grant_count++;
    if (at >= 0) {
        world->grants[at] = grant;
        key = key_of(&grant);
        bondy_policy_put_grant(realms->policy[grant.is_base], &key, permissions);
    }
    json_decref(permissions);
}

static void remove_grant(struct world *world, struct realms *realms)
{
    unsigned at = roll(GRANTS_MAX);
    struct bondy_grant_key key;

    if (at >= world->grant_count)
        return;
    key = key_of(&world->grants[at]);
    bondy_policy_remove_grant(realms->policy[world->grants[at].is_base], &key);
    world->grants[at] = world->grants[--world->grant_count];
}

static void change_group(struct world *world, struct realms *realms)
{
    bool is_base = one_in(2);
    unsigned g = roll(GROUPS);
    struct bondy_slice name = bondy_slice_text(group_names[g]);

    if (!one_in(4)) {
        world->group[is_base][g] = true;
        bondy_policy_put_group(realms->policy[is_base], name);
        return;
    }
    bondy_policy_remove_group(realms->policy[is_base], name);
    world->group[is_base][g] = false;
    memset(world->member[is_base][g], 0, sizeof world->member[is_base][g]);
    for (unsigned i = world->grant_count; i-- > 0;) {
        const struct grant *grant = &world->grants[i];

        if (grant->role == GROUP && grant->name == g && grant->is_base == is_base)
            world->grants[i] = world->grants[--world->grant_count];
    }
}

static void change_parent(struct world *world, struct realms *realms)
{
    bool is_base = one_in(2), is_member = !one_in(3);
    unsigned g = roll(GROUPS), p = roll(GROUPS);
    struct bondy_slice group = bondy_slice_text(group_names[g]);
    struct bondy_slice parent = bondy_slice_text(group_names[p]);

    world->member[is_base][g][p] = is_member;
    if (is_member)
        bondy_policy_put_parent(realms->policy[is_base], group, parent);
    else
        bondy_policy_remove_parent(realms->policy[is_base], group, parent);
}

static void change_settings(struct world *world, struct realms *realms)
{
    world->settings = bondy_policy_defaults;
    world->settings.security_enabled = !one_in(20);
    world->settings.inherits_anonymous = !one_in(4);
    world->settings.prefixes_are_bytes = one_in(4);
    world->settings.coverage_is_literal = one_in(4);
    world->has_base = !one_in(3);
    world->settings.prototype = world->has_base ? realms->policy[1] : NULL;
    bondy_policy_configure(realms->policy[0], &world->settings);
}

static void change(struct world *world, struct realms *realms, unsigned count)
{
    static void (*const changes[])(struct world *, struct realms *) = {
        put_grant, put_grant, put_grant, remove_grant, change_group, change_group, change_parent};

    while (count-- > 0)
        changes[roll(BONDY_COUNT(changes))](world, realms);
    if (one_in(3))
        change_settings(world, realms);
    bondy_policy_publish(realms->policy[0]);
    bondy_policy_publish(realms->policy[1]);
}

static struct bondy_rbac *build_rbac(const struct realms *realms, const struct question *question)
{
    struct bondy_slice groups[GROUPS];
    struct bondy_rbac_subject subject = {.groups = groups};

    if (!question->is_anonymous)
        subject.username = bondy_slice_text(user_names[question->user]);
    for (unsigned g = 0; g < GROUPS; g++) {
        if (question->chosen[g])
            groups[subject.group_count++] = bondy_slice_text(group_names[g]);
    }
    return bondy_rbac_create(realms->policy[0], &subject);
}

static bool engine_decides(const struct bondy_rbac *rbac, struct bondy_rbac_cache *cache,
                           const struct question *question)
{
    struct bondy_slice uri = bondy_slice_text(question->uri);
    struct bondy_slice name = bondy_slice_text(permission_names[question->permission]);
    enum bondy_permission permission = bondy_permission_of(name);
    json_t *why;
    bool answer;

    if (permission == BONDY_PERMISSIONS)
        return bondy_rbac_allows_text(rbac, name, uri);
    answer = bondy_rbac_covers(rbac, permission, uri, question->match);
    if (question->match == BONDY_MATCH_EXACT) {
        uint64_t hash = bondy_hash(uri.data, uri.len);

        assert_int_equal(bondy_rbac_decide(cache, rbac, permission, uri, hash), answer);
        assert_int_equal(bondy_rbac_decide(cache, rbac, permission, uri, hash), answer);
    }
    if (one_in(16)) { /* explain asks each grant by itself */
        why = bondy_rbac_explain(rbac, name, uri, question->match);
        json_t *first = json_array_get(json_object_get(why, "considered"), 0);
        assert_int_equal(json_is_true(json_object_get(why, "allowed")), answer);
        assert_int_equal(rbac->is_open ||
                             (json_is_true(json_object_get(first, "resource_matches")) &&
                              json_is_true(json_object_get(first, "permission_matches"))),
                         answer);
        json_decref(why);
    }
    return answer;
}

/* Z2: what a covered pattern receives, exact questions must allow too: every URI of up to three of
 * the components. */
static void check_coverage_is_sound(const struct bondy_rbac *rbac, const struct question *question)
{
    static const char *const components[] = {"", ".a", ".b", ".ab", ".abc", ".abcd"};
    struct bondy_slice pattern = bondy_slice_text(question->uri);
    char uri[TEXT_MAX];

    for (unsigned i = 0; i < 6 * 6 * 6; i++) {
        snprintf(uri, sizeof uri, "%s%s%s", components[i / 36], components[i / 6 % 6],
                 components[i % 6]);
        if (uri[0] == '\0' ||
            !bondy_uri_matches(bondy_slice_text(uri + 1), pattern, question->match))
            continue;
        if (!bondy_rbac_allows(rbac, BONDY_PERMISSION_SUBSCRIBE, bondy_slice_text(uri + 1)))
            fail_msg("%s pattern %s is covered but %s is not allowed",
                     bondy_match_name(question->match), question->uri, uri + 1);
    }
}

static void roll_question(struct question *question)
{
    memset(question, 0, sizeof *question);
    question->is_anonymous = one_in(4);
    question->user = roll(BONDY_COUNT(user_names));
    for (unsigned g = 0; g < GROUPS; g++)
        question->chosen[g] = !question->is_anonymous && one_in(3);
}

static void ask(const struct world *world, const struct realms *realms,
                struct bondy_rbac_cache *cache, unsigned long *allowed)
{
    struct question question;
    struct bondy_rbac *rbac = NULL;

    for (unsigned i = 0; i < QUESTIONS; i++) {
        bool answer;

        if (i % 8 == 0) {
            bondy_rbac_destroy(rbac);
            roll_question(&question);
            rbac = build_rbac(realms, &question);
        }
        question.permission = roll(BONDY_COUNT(permission_names));
        question.match =
            question.permission == 1 ? (enum bondy_match)roll(BONDY_MATCHES) : BONDY_MATCH_EXACT;
        roll_uri(question.uri, (enum bondy_grant_match)question.match);
        answer = engine_decides(rbac, cache, &question);
        *allowed += answer;
        if (answer != model_decides(world, &question))
            fail_msg("engine says %d: %s %s (%s)", answer, permission_names[question.permission],
                     question.uri, bondy_match_name(question.match));
        if (answer && question.match != BONDY_MATCH_EXACT && !world->settings.coverage_is_literal)
            check_coverage_is_sound(rbac, &question);
    }
    assert_true(bondy_rbac_is_current(rbac));
    bondy_rbac_destroy(rbac);
}

static void the_engine_decides_as_the_reference_model(void **state)
{
    struct bondy_rbac_cache *cache = bondy_rbac_cache_create(256);
    const char *given = getenv("BONDY_TEST_SEED");
    unsigned long allowed = 0;

    (void)state;
    bondy_id_bytes(&dice, sizeof dice);
    dice |= 1;
    if (given != NULL)
        dice = strtoull(given, NULL, 10);
    print_message("BONDY_TEST_SEED=%llu\n", (unsigned long long)dice);
    for (unsigned i = 0; i < WORLDS; i += 4) {
        struct world world = {.settings = bondy_policy_defaults};
        struct realms realms = {{bondy_policy_create(BONDY_SLICE("org.acme.shop7")),
                                 bondy_policy_create(BONDY_SLICE("org.acme.base"))}};

        for (unsigned round = 0; round < 4; round++) {
            change(&world, &realms, round == 0 ? 20 : 1 + roll(6));
            ask(&world, &realms, cache, &allowed);
        }
        bondy_policy_unref(realms.policy[1]);
        bondy_policy_unref(realms.policy[0]);
        bondy_publish_quiesce();
    }
    print_message("%u questions, %lu allowed\n", WORLDS * QUESTIONS, allowed);
    /* Neither side says always the same. */
    assert_true(allowed > WORLDS * QUESTIONS / 10 && allowed < WORLDS * QUESTIONS * 9ul / 10);
    bondy_rbac_cache_destroy(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_engine_decides_as_the_reference_model),
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
