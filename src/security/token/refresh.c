/* SPDX-License-Identifier: Apache-2.0 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/id.h"
#include "src/base/problem.h"
#include "src/security/credential/ticket.h"
#include "src/security/entity/stored.h"
#include "src/security/token/refresh_local.h"
#include "src/wamp/errors.h"

#define SALT_LEN 32u

static struct bondy_slice secret_of(const struct bondy_refresh_parts *parts)
{
    return bondy_slice_of(parts->secret, sizeof parts->secret);
}

/* ---- a new family ---------------------------------------------------------------------------- */

void bondy_refresh_prepare(struct bondy_refresh_issue *issue, const struct bondy_user *user)
{
    char uuid[37];

    bondy_id_uuid7(uuid);
    sodium_hex2bin(issue->parts.family, sizeof issue->parts.family, uuid, 36, "-", NULL, NULL);
    bondy_id_bytes(issue->parts.secret, sizeof issue->parts.secret);
    issue->authid = bondy_slice_text(user->username);
    issue->ugen = user->ugen;
    issue->auth_ugen = user->auth_ugen;
    issue->now_ms = bondy_clock_wall_ms();
    bondy_family_owner(issue->authid, issue->parts.owner);
    bondy_refresh_id(&issue->parts, issue->id);
    bondy_refresh_format(&issue->parts, issue->text);
    sodium_memzero(uuid, sizeof uuid);
}

/* A token's life is never longer than what is left of its family's. */
static uint64_t end_of(const struct bondy_token_rules *rules, uint64_t started_ms, uint64_t now_ms)
{
    uint64_t end_ms = now_ms + (uint64_t)rules->refresh_s * 1000;
    uint64_t last_ms = started_ms + (uint64_t)rules->refresh_max_s * 1000;

    return rules->refresh_max_s > 0 && last_ms < end_ms ? last_ms : end_ms;
}

static json_t *body_of(const struct bondy_refresh_issue *issue)
{
    char hash[BONDY_TOKEN_HASH_TEXT];
    json_int_t now = (json_int_t)issue->now_ms;
    json_t *body;

    bondy_token_hash(secret_of(&issue->parts), hash);
    body = json_pack("{s:s, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:s}", "id", issue->id,
                     "realm", bondy_json_slice(issue->realm), "client_id",
                     bondy_json_slice(issue->client_id), "authid", bondy_json_slice(issue->authid),
                     "ugen", (json_int_t)issue->ugen, "auth_ugen", (json_int_t)issue->auth_ugen,
                     "started_ms", now, "issued_ms", now, "end_ms",
                     (json_int_t)end_of(issue->rules, issue->now_ms, issue->now_ms),
                     "access_end_ms", (json_int_t)issue->access_end_ms, "hash", hash);
    if (issue->device_id.len > 0)
        json_object_set_new(body, "device_id", bondy_json_slice(issue->device_id));
    if (issue->only_groups != NULL)
        json_object_set(body, "only_groups", (json_t *)(uintptr_t)issue->only_groups);
    return body;
}

/* Of another user of this name, or in the place of the new one. */
static bool is_in_the_way(const struct bondy_refresh_issue *issue, const json_t *stored)
{
    return bondy_token_ms(stored, "auth_ugen") != issue->auth_ugen ||
           (bondy_slice_eq(bondy_json_text(stored, "realm"), issue->realm) &&
            bondy_slice_eq(bondy_json_text(stored, "client_id"), issue->client_id) &&
            bondy_slice_eq(bondy_json_text(stored, "device_id"), issue->device_id));
}

/* What ends first is the last. */
static int by_end(const void *a, const void *b)
{
    const struct bondy_family *left = a, *right = b;
    uint64_t left_ms = bondy_token_ms(left->stored, "end_ms");
    uint64_t right_ms = bondy_token_ms(right->stored, "end_ms");

    if (left_ms != right_ms)
        return left_ms < right_ms ? 1 : -1;
    return bondy_slice_cmp(bondy_json_text(right->stored, "id"),
                           bondy_json_text(left->stored, "id"));
}

static int make_room(struct bondy_edit *edit, const struct bondy_realm *authrealm,
                     const struct bondy_refresh_issue *issue)
{
    size_t count, kept = 0;
    struct bondy_family *families =
        bondy_families_of(bondy_edit_view(edit), authrealm, issue->authid, &count);
    int rc = BONDY_OK;

    if (count > 1)
        qsort(families, count, sizeof families[0], by_end);
    for (size_t i = 0; i < count && rc == BONDY_OK; i++) {
        if (is_in_the_way(issue, families[i].stored) || kept + 1 >= issue->rules->refresh_limit)
            rc = bondy_family_end(edit, authrealm, &families[i], false);
        else
            kept++;
    }
    bondy_families_free(families, count);
    return rc;
}

static int store_new(struct bondy_edit *edit, const struct bondy_realm *authrealm,
                     const struct bondy_refresh_issue *issue)
{
    struct bondy_family family;
    int rc = make_room(edit, authrealm, issue);

    if (rc < 0)
        return rc;
    bondy_family_subkey(issue->parts.owner, issue->realm, issue->client_id, issue->id,
                        family.subkey);
    family.stored = body_of(issue);
    rc = bondy_family_put(edit, authrealm, &family);
    json_decref(family.stored);
    return rc;
}

int bondy_refresh_apply_issue(struct bondy_edit *edit, const struct bondy_refresh_issue *issue)
{
    const struct bondy_store_view *view = bondy_edit_view(edit);
    const struct bondy_token_owner owner = {issue->authid, issue->ugen, issue->auth_ugen,
                                            issue->now_ms};
    struct bondy_realm *realm = bondy_token_realm(view, issue->realm), *authrealm = NULL;
    struct bondy_user user;
    int rc;

    if (issue->device_id.len > 0 && !bondy_ticket_id_is_valid(issue->device_id)) {
        bondy_realm_unref(realm);
        return bondy_edit_refuse(
            edit, BONDY_EINVAL,
            bondy_problem("bondy.error.invalid_value", "This can be no device's id.", ""));
    }
    if (realm == NULL || !bondy_token_owner_stands(view, realm, &owner, &user)) {
        bondy_realm_unref(realm);
        return bondy_token_owner_refuse(edit);
    }
    authrealm = bondy_token_realm(view, bondy_slice_text(user.authrealm));
    rc = authrealm == NULL ? bondy_token_owner_refuse(edit) : store_new(edit, authrealm, issue);
    bondy_user_fini(&user);
    bondy_realm_unref(authrealm);
    bondy_realm_unref(realm);
    return rc;
}

/* ---- using one ------------------------------------------------------------------------------- */

void bondy_refresh_use_fini(struct bondy_refresh_use *use)
{
    bondy_free(BONDY_MOVE(use->authid));
    bondy_free(BONDY_MOVE(use->device_id));
    json_decref(BONDY_MOVE(use->only_groups));
    sodium_memzero(use->text, sizeof use->text);
}

/* A token that was presented, and what is stored of its family. */
struct shown {
    struct bondy_refresh_parts parts;
    struct bondy_realm *realm, *authrealm;
    struct bondy_family family;
    bool is_previous; /* it was used up, a moment ago */
};

static bool find(const struct bondy_store_view *view, struct bondy_refresh_use *use,
                 struct shown *shown)
{
    bondy_refresh_use_fini(use);
    *shown = (struct shown){0};
    use->verdict = BONDY_REFRESH_MALFORMED;
    if (!bondy_refresh_parse(use->given, &shown->parts))
        return false;
    use->verdict = BONDY_REFRESH_UNKNOWN;
    bondy_refresh_id(&shown->parts, use->id);
    shown->realm = bondy_token_realm(view, use->realm);
    if (shown->realm == NULL)
        return false;
    bondy_family_subkey(shown->parts.owner, bondy_slice_text(shown->realm->uri), use->client_id,
                        use->id, shown->family.subkey);
    if (!bondy_family_find(view, shown->realm, &shown->family, &shown->authrealm))
        return false;
    use->authid = bondy_token_text(shown->family.stored, "authid");
    use->device_id = bondy_token_text(shown->family.stored, "device_id");
    use->only_groups = json_incref(json_object_get(shown->family.stored, "only_groups"));
    return true;
}

static void forget(struct shown *shown)
{
    json_decref(shown->family.stored);
    bondy_realm_unref(shown->authrealm);
    bondy_realm_unref(shown->realm);
    sodium_memzero(shown, sizeof *shown);
}

/* The secret that follows this one: nobody who has not got this one can tell, and who asks twice
 * gets the same. */
static void derive(const struct bondy_refresh_parts *from, const uint8_t salt[SALT_LEN],
                   struct bondy_refresh_parts *out)
{
    *out = *from;
    crypto_generichash(out->secret, sizeof out->secret, salt, SALT_LEN, from->secret,
                       sizeof from->secret);
}

static bool derive_again(const struct shown *shown, struct bondy_refresh_parts *out)
{
    struct bondy_slice text = bondy_json_text(shown->family.stored, "salt");
    uint8_t salt[SALT_LEN];
    size_t len;

    if (sodium_hex2bin(salt, sizeof salt, text.data, text.len, NULL, &len, NULL) != 0 ||
        len != sizeof salt)
        return false;
    derive(&shown->parts, salt, out);
    return bondy_token_hash_fits(shown->family.stored, "hash", secret_of(out));
}

static enum bondy_refresh_verdict judge(const struct bondy_store_view *view,
                                        const struct bondy_refresh_use *use, struct shown *shown)
{
    const json_t *stored = shown->family.stored;
    uint64_t now_ms = bondy_clock_wall_ms();

    if (!bondy_token_hash_fits(stored, "hash", secret_of(&shown->parts))) {
        shown->is_previous = bondy_token_hash_fits(stored, "previous", secret_of(&shown->parts)) &&
                             now_ms < bondy_token_ms(stored, "issued_ms") +
                                          (uint64_t)use->rules->refresh_grace_s * 1000;
        if (!shown->is_previous)
            return BONDY_REFRESH_REUSED;
    }
    if (!bondy_family_stands(view, shown->realm, stored))
        return BONDY_REFRESH_ENDED;
    /* The configuration may have become stricter. */
    if (end_of(use->rules, bondy_token_ms(stored, "started_ms"), now_ms) <= now_ms)
        return BONDY_REFRESH_UNKNOWN;
    return BONDY_REFRESH_GOOD;
}

void bondy_refresh_look(const struct bondy_store_view *view, struct bondy_refresh_use *use)
{
    struct shown shown;

    if (find(view, use, &shown))
        use->verdict = judge(view, use, &shown);
    forget(&shown);
}

static void set_ms(json_t *object, const char *key, uint64_t ms)
{
    json_object_set_new(object, key, json_integer((json_int_t)ms));
}

static void move_on(const struct bondy_refresh_use *use, json_t *stored,
                    const struct bondy_refresh_parts *from, struct bondy_refresh_parts *next)
{
    uint64_t now_ms = bondy_clock_wall_ms();
    char hash[BONDY_TOKEN_HASH_TEXT], salt_text[2 * SALT_LEN + 1];
    uint8_t salt[SALT_LEN];

    bondy_id_bytes(salt, sizeof salt);
    derive(from, salt, next);
    json_object_set(stored, "previous", json_object_get(stored, "hash"));
    bondy_token_hash(secret_of(next), hash);
    json_object_set_new(stored, "hash", json_string(hash));
    /* Only for who may ask twice. */
    sodium_bin2hex(salt_text, sizeof salt_text, salt, sizeof salt);
    if (use->rules->refresh_grace_s > 0)
        json_object_set_new(stored, "salt", json_string(salt_text));
    else
        json_object_del(stored, "salt");
    set_ms(stored, "issued_ms", now_ms);
    set_ms(stored, "end_ms", end_of(use->rules, bondy_token_ms(stored, "started_ms"), now_ms));
    sodium_memzero(salt, sizeof salt);
    sodium_memzero(salt_text, sizeof salt_text);
}

static int rotate(struct bondy_edit *edit, struct bondy_refresh_use *use, struct shown *shown)
{
    json_t *stored = shown->family.stored;
    struct bondy_refresh_parts next;
    int rc;

    if (!shown->is_previous) {
        move_on(use, stored, &shown->parts, &next);
    } else if (!derive_again(shown, &next)) {
        use->verdict = BONDY_REFRESH_REUSED;
        return bondy_family_end(edit, shown->authrealm, &shown->family, true);
    }
    set_ms(stored, "used_ms", bondy_clock_wall_ms());
    if (use->access_end_ms > bondy_token_ms(stored, "access_end_ms"))
        set_ms(stored, "access_end_ms", use->access_end_ms);
    use->end_ms = bondy_token_ms(stored, "end_ms");
    rc = bondy_family_put(edit, shown->authrealm, &shown->family);
    if (rc == BONDY_OK)
        bondy_refresh_format(&next, use->text);
    sodium_memzero(&next, sizeof next);
    return rc;
}

int bondy_refresh_apply_rotate(struct bondy_edit *edit, struct bondy_refresh_use *use)
{
    const struct bondy_store_view *view = bondy_edit_view(edit);
    struct shown shown;
    int rc = BONDY_OK;

    if (find(view, use, &shown)) {
        use->verdict = judge(view, use, &shown);
        if (use->verdict == BONDY_REFRESH_GOOD)
            rc = rotate(edit, use, &shown);
        else
            rc = bondy_family_end(edit, shown.authrealm, &shown.family, true);
    }
    forget(&shown);
    return rc;
}
