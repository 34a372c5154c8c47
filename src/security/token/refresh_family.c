/* SPDX-License-Identifier: Apache-2.0 */

/* Families as records. */

#include <sodium.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/security/entity/stored.h"
#include "src/security/token/denied.h"
#include "src/security/token/refresh_local.h"
#include "src/wamp/codec.h"

void bondy_family_owner(struct bondy_slice authid, uint8_t out[BONDY_FAMILY_OWNER_LEN])
{
    crypto_hash_sha256(out, (const uint8_t *)authid.data, authid.len);
}

static void head_of(const uint8_t owner[BONDY_FAMILY_OWNER_LEN], uint8_t out[BONDY_FAMILY_OF_USER])
{
    memcpy(out, BONDY_FAMILY_HEAD, BONDY_FAMILY_HEAD_LEN);
    memcpy(out + BONDY_FAMILY_HEAD_LEN, owner, BONDY_FAMILY_OWNER_LEN);
}

void bondy_family_subkey(const uint8_t owner[BONDY_FAMILY_OWNER_LEN], struct bondy_slice realm,
                         struct bondy_slice client_id, const char *id,
                         uint8_t out[BONDY_FAMILY_SUBKEY])
{
    uint8_t *at = out + BONDY_FAMILY_OF_USER;

    head_of(owner, out);
    bondy_token_name(realm, client_id, at);
    sodium_hex2bin(at + BONDY_FAMILY_CLIENT_LEN, BONDY_FAMILY_ID_LEN, id, strlen(id), NULL, NULL,
                   NULL);
}

static struct bondy_store_key key_of(const struct bondy_realm *authrealm,
                                     const struct bondy_family *family)
{
    return bondy_token_key(authrealm, bondy_slice_of(family->subkey, sizeof family->subkey));
}

bool bondy_family_find(const struct bondy_store_view *view, const struct bondy_realm *realm,
                       struct bondy_family *family, struct bondy_realm **authrealm)
{
    struct bondy_store_key key = key_of(realm, family);

    *authrealm = NULL;
    family->stored = bondy_stored_get(view, &key, NULL);
    if (family->stored != NULL) {
        *authrealm = bondy_realm_read_plain(NULL, view, bondy_slice_text(realm->uri));
    } else if (realm->sso_realm_uri != NULL) {
        *authrealm = bondy_realm_read_plain(NULL, view, bondy_slice_text(realm->sso_realm_uri));
        if (*authrealm == NULL)
            return false;
        key = key_of(*authrealm, family);
        family->stored = bondy_stored_get(view, &key, NULL);
    }
    if (family->stored == NULL)
        bondy_realm_unref(BONDY_MOVE(*authrealm));
    return family->stored != NULL;
}

/* ---- all of a user --------------------------------------------------------------------------- */

struct families {
    struct bondy_family *list;
    size_t count;
};

static int take(void *context, const struct bondy_record *record)
{
    struct families *families = context;
    struct bondy_family *family;

    if (record->key.subkey.len != BONDY_FAMILY_SUBKEY)
        return 0;
    families->list =
        bondy_realloc(families->list, (families->count + 1) * sizeof families->list[0]);
    family = &families->list[families->count++];
    memcpy(family->subkey, record->key.subkey.data, BONDY_FAMILY_SUBKEY);
    family->stored = bondy_stored_tree(record);
    return 0;
}

struct bondy_family *bondy_families_of(const struct bondy_store_view *view,
                                       const struct bondy_realm *authrealm,
                                       struct bondy_slice authid, size_t *count)
{
    uint8_t owner[BONDY_FAMILY_OWNER_LEN], prefix[BONDY_FAMILY_OF_USER];
    const struct bondy_store_range range = {.type = BONDY_RECORD_TOKEN,
                                            .scope = bondy_slice_text(authrealm->uri),
                                            .gen = authrealm->gen,
                                            .prefix = bondy_slice_of(prefix, sizeof prefix)};
    struct families families = {0};

    bondy_family_owner(authid, owner);
    head_of(owner, prefix);
    bondy_store_view_scan(view, &range, take, &families);
    *count = families.count;
    return families.list;
}

void bondy_families_free(struct bondy_family *families, size_t count)
{
    for (size_t i = 0; i < count; i++)
        json_decref(families[i].stored);
    bondy_free(families);
}

/* ---- writing --------------------------------------------------------------------------------- */

int bondy_family_put(struct bondy_edit *edit, const struct bondy_realm *authrealm,
                     const struct bondy_family *family)
{
    struct bondy_store_key key = key_of(authrealm, family);

    return bondy_token_put(edit, &key, family->stored, bondy_token_ms(family->stored, "end_ms"));
}

int bondy_family_end(struct bondy_edit *edit, const struct bondy_realm *authrealm,
                     const struct bondy_family *family, bool is_denied)
{
    struct bondy_store_key key = key_of(authrealm, family);
    int rc = bondy_stored_delete(edit, &key);

    if (rc < 0 || !is_denied)
        return rc;
    return bondy_denied_apply_add(edit, bondy_slice_text(authrealm->uri), BONDY_DENIED_FAMILY,
                                  bondy_json_text(family->stored, "id"),
                                  bondy_token_ms(family->stored, "access_end_ms"));
}

bool bondy_family_stands(const struct bondy_store_view *view, const struct bondy_realm *realm,
                         const json_t *stored)
{
    const struct bondy_token_owner owner = {.authid = bondy_json_text(stored, "authid"),
                                            .ugen = (uint32_t)bondy_token_ms(stored, "ugen"),
                                            .auth_ugen =
                                                (uint32_t)bondy_token_ms(stored, "auth_ugen"),
                                            .since_ms = bondy_token_ms(stored, "started_ms")};

    return bondy_token_owner_stands(view, realm, &owner, NULL);
}
