/* SPDX-License-Identifier: Apache-2.0 */

/* Families ended and listed. */

#include <stdlib.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/problem.h"
#include "src/security/entity/stored.h"
#include "src/security/token/refresh_local.h"
#include "src/wamp/errors.h"

/* ---- one ------------------------------------------------------------------------------------- */

/* Where it would be; one that is not there is no error. */
struct name {
    struct bondy_slice realm, client_id;
    const uint8_t *owner;
    const char *id;
};

static int end_one(struct bondy_edit *edit, const struct name *name)
{
    const struct bondy_store_view *view = bondy_edit_view(edit);
    struct bondy_realm *realm = bondy_token_realm(view, name->realm), *authrealm;
    struct bondy_family family;
    int rc = BONDY_OK;

    json_decref(edit->result);
    edit->result = json_integer(0);
    if (realm == NULL)
        return BONDY_OK;
    bondy_family_subkey(name->owner, bondy_slice_text(realm->uri), name->client_id, name->id,
                        family.subkey);
    if (bondy_family_find(view, realm, &family, &authrealm)) {
        rc = bondy_family_end(edit, authrealm, &family, true);
        json_integer_set(edit->result, 1);
        json_decref(family.stored);
        bondy_realm_unref(authrealm);
    }
    bondy_realm_unref(realm);
    return rc;
}

/* Whatever the secret: who has one that was used up has got it from the same place. */
int bondy_refresh_apply_revoke(struct bondy_edit *edit, struct bondy_slice realm,
                               struct bondy_slice client_id, struct bondy_slice text)
{
    struct bondy_refresh_parts parts;
    char id[BONDY_REFRESH_ID];

    if (!bondy_refresh_parse(text, &parts)) {
        json_decref(edit->result);
        edit->result = json_integer(0);
        return BONDY_OK;
    }
    bondy_refresh_id(&parts, id);
    return end_one(edit, &(struct name){realm, client_id, parts.owner, id});
}

int bondy_refresh_apply_end(struct bondy_edit *edit, struct bondy_slice realm,
                            struct bondy_slice client_id, struct bondy_slice authid,
                            struct bondy_slice id)
{
    uint8_t owner[BONDY_FAMILY_OWNER_LEN];
    char text[BONDY_REFRESH_ID];

    if (id.len != sizeof text - 1)
        return BONDY_OK;
    memcpy(text, id.data, id.len);
    text[id.len] = '\0';
    bondy_family_owner(authid, owner);
    return end_one(edit, &(struct name){realm, client_id, owner, text});
}

/* ---- of a user ------------------------------------------------------------------------------- */

/* Which of a user's families. */
struct choice {
    const struct bondy_realm *realm; /* only its own, unless it authenticates the user */
    struct bondy_slice client_id;    /* empty: any */
    struct bondy_slice id;           /* empty: any */
};

static bool is_chosen(const struct choice *choice, const struct bondy_user *user,
                      const json_t *stored)
{
    return bondy_token_ms(stored, "auth_ugen") == user->auth_ugen &&
           (strcmp(user->authrealm, choice->realm->uri) == 0 ||
            bondy_slice_is(bondy_json_text(stored, "realm"), choice->realm->uri)) &&
           (choice->client_id.len == 0 ||
            bondy_slice_eq(bondy_json_text(stored, "client_id"), choice->client_id)) &&
           (choice->id.len == 0 || bondy_slice_eq(bondy_json_text(stored, "id"), choice->id));
}

static int end_chosen(struct bondy_edit *edit, const struct choice *choice,
                      const struct bondy_user *user, size_t *ended)
{
    const struct bondy_store_view *view = bondy_edit_view(edit);
    struct bondy_realm *authrealm = bondy_token_realm(view, bondy_slice_text(user->authrealm));
    struct bondy_family *families;
    size_t count;
    int rc = BONDY_OK;

    *ended = 0;
    if (authrealm == NULL)
        return BONDY_OK;
    families = bondy_families_of(view, authrealm, bondy_slice_text(user->username), &count);
    for (size_t i = 0; i < count && rc == BONDY_OK; i++) {
        if (!is_chosen(choice, user, families[i].stored))
            continue;
        rc = bondy_family_end(edit, authrealm, &families[i], true);
        (*ended)++;
    }
    bondy_families_free(families, count);
    bondy_realm_unref(authrealm);
    return rc;
}

static int end_of_user(struct bondy_edit *edit, struct bondy_slice realm_uri,
                       struct bondy_slice authid, struct choice *choice, size_t *ended)
{
    const struct bondy_store_view *view = bondy_edit_view(edit);
    struct bondy_realm *realm = bondy_token_realm(view, realm_uri);
    struct bondy_user user;
    int rc;

    if (realm == NULL || !bondy_user_resolve(view, realm, authid, &user)) {
        bondy_realm_unref(realm);
        return bondy_edit_refuse(edit, BONDY_ENOENT,
                                 bondy_problem_format(BONDY_ERR_NO_SUCH_PRINCIPAL,
                                                      "There is no user '" BONDY_SLICE_FMT "'.",
                                                      BONDY_SLICE_ARG(authid)));
    }
    choice->realm = realm;
    rc = end_chosen(edit, choice, &user, ended);
    bondy_user_fini(&user);
    bondy_realm_unref(realm);
    json_decref(edit->result);
    edit->result = json_integer((json_int_t)*ended);
    return rc;
}

int bondy_refresh_apply_revoke_user(struct bondy_edit *edit, struct bondy_slice realm,
                                    struct bondy_slice authid, struct bondy_slice client_id)
{
    struct choice choice = {.client_id = client_id};
    size_t ended;

    return end_of_user(edit, realm, authid, &choice, &ended);
}

int bondy_refresh_apply_revoke_id(struct bondy_edit *edit, struct bondy_slice realm,
                                  struct bondy_slice authid, struct bondy_slice id)
{
    struct choice choice = {.id = id};
    size_t ended = 0;
    int rc = id.len == 0 ? BONDY_OK : end_of_user(edit, realm, authid, &choice, &ended);

    if (rc < 0 || ended > 0)
        return rc;
    return bondy_edit_refuse(
        edit, BONDY_ENOENT,
        bondy_problem(BONDY_ERR_NOT_FOUND, "The user has no token with this id.", ""));
}

/* ---- listing --------------------------------------------------------------------------------- */

static int by_issue(const void *a, const void *b)
{
    const struct bondy_family *left = a, *right = b;
    uint64_t left_ms = bondy_token_ms(left->stored, "issued_ms");
    uint64_t right_ms = bondy_token_ms(right->stored, "issued_ms");

    if (left_ms != right_ms)
        return left_ms < right_ms ? 1 : -1;
    return bondy_slice_cmp(bondy_json_text(left->stored, "id"),
                           bondy_json_text(right->stored, "id"));
}

static json_t *external(const json_t *stored)
{
    json_t *device = json_object_get(stored, "device_id");
    uint64_t used_ms = bondy_token_ms(stored, "used_ms");

    return json_pack("{s:O, s:O, s:o, s:O, s:o, s:o, s:o}", "id", json_object_get(stored, "id"),
                     "client_id", json_object_get(stored, "client_id"), "device_id",
                     device == NULL ? json_null() : json_incref(device), "realm",
                     json_object_get(stored, "realm"), "issued_at",
                     bondy_stored_time(bondy_token_ms(stored, "issued_ms")), "expires_at",
                     bondy_stored_time(bondy_token_ms(stored, "end_ms")), "last_used_at",
                     used_ms == 0 ? json_null() : bondy_stored_time(used_ms));
}

json_t *bondy_refresh_list(const struct bondy_store_view *view, const struct bondy_realm *realm,
                           const struct bondy_user *user)
{
    const struct choice choice = {.realm = realm};
    struct bondy_realm *authrealm = bondy_token_realm(view, bondy_slice_text(user->authrealm));
    struct bondy_realm *where;
    struct bondy_family *families;
    json_t *list = json_array();
    size_t count;

    if (authrealm == NULL)
        return list;
    families = bondy_families_of(view, authrealm, bondy_slice_text(user->username), &count);
    if (count > 1)
        qsort(families, count, sizeof families[0], by_issue);
    for (size_t i = 0; i < count; i++) {
        if (!is_chosen(&choice, user, families[i].stored))
            continue;
        where = bondy_token_realm(view, bondy_json_text(families[i].stored, "realm"));
        if (where != NULL && bondy_family_stands(view, where, families[i].stored))
            json_array_append_new(list, external(families[i].stored));
        bondy_realm_unref(where);
    }
    bondy_families_free(families, count);
    bondy_realm_unref(authrealm);
    return list;
}
