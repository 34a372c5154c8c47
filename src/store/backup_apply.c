/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/backup_apply.h"

#include <string.h>

#include "src/base/alloc.h"
#include "src/store/envelope_seal.h"

#define GEN_LEN 4
#define CONTAINERS_MAX ((size_t)1 << 20)

/* Which generation of a container's children counts. Children of a lower one are hidden; in mode
 * force those of `in_file` become those of `target`. */
struct generation {
    uint32_t in_file;
    uint32_t target;
    uint32_t limit; /* the least that is not hidden */
};

/* The user or group that a record belongs to. */
struct owner {
    enum bondy_record_type type;
    struct bondy_slice name;
    size_t gen_at; /* in the subkey */
    uint32_t gen;
};

/* A record of the file, taken apart. */
struct incoming {
    struct bondy_slice key, bytes, subkey;
    struct bondy_store_key decoded;
    struct bondy_envelope envelope;
};

static uint32_t get_gen(const char *at)
{
    const uint8_t *octets = (const uint8_t *)at;

    return (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 |
           octets[3];
}

static void put_gen(char *at, uint32_t gen)
{
    for (int i = 0; i < GEN_LEN; i++)
        at[i] = (char)(uint8_t)(gen >> (24 - 8 * i));
}

static uint32_t limit_of(const struct bondy_envelope *container)
{
    return container->gen + (container->flags & BONDY_ENVELOPE_TOMBSTONE ? 1 : 0);
}

/* False for records that belong to no user or group. */
static bool find_owner(enum bondy_record_type type, struct bondy_slice subkey, struct owner *out)
{
    size_t start = 0;
    const char *end;

    switch (type) {
    case BONDY_RECORD_USER_ELEMENT:
    case BONDY_RECORD_TICKET:
        out->type = BONDY_RECORD_USER;
        break;
    case BONDY_RECORD_GROUP_ELEMENT:
        out->type = BONDY_RECORD_GROUP;
        break;
    case BONDY_RECORD_GRANT:
        if (subkey.len < 2 || subkey.data[1] != '\0')
            return false;
        out->type = subkey.data[0] == 'u' ? BONDY_RECORD_USER : BONDY_RECORD_GROUP;
        start = 2;
        break;
    default:
        return false;
    }
    end = memchr(subkey.data + start, '\0', subkey.len - start);
    if (end == NULL || subkey.len - (size_t)(end + 1 - subkey.data) < GEN_LEN)
        return false;
    out->name = bondy_slice_of(subkey.data + start, (size_t)(end - subkey.data) - start);
    out->gen_at = (size_t)(end + 1 - subkey.data);
    out->gen = get_gen(end + 1);
    return true;
}

static struct bondy_slice scope_of(const struct incoming *in)
{
    return bondy_slice_of(in->key.data + 1, BONDY_SCOPE_HASH_LEN);
}

/* The key of an owner in the realm and generation of its child. */
static struct bondy_slice owner_key(const struct incoming *child, uint32_t realm_gen,
                                    const struct owner *owner, struct bondy_key_bytes *out)
{
    const struct bondy_store_key key = {
        .type = owner->type, .gen = realm_gen, .subkey = owner->name};

    bondy_key_encode(&key, out);
    memcpy(out->bytes + 1, child->key.data + 1, BONDY_SCOPE_HASH_LEN);
    return bondy_slice_of(out->bytes, out->len);
}

static int remember(struct bondy_map *map, struct bondy_slice key, struct generation generation,
                    struct bondy_error *err)
{
    struct generation *known = bondy_map_find(map, key);

    if (known != NULL) {
        *known = generation;
        return BONDY_OK;
    }
    if (map->count >= CONTAINERS_MAX)
        return bondy_fail(err, BONDY_ELIMIT,
                          "the backup has too many users or groups that were made again");
    known = bondy_alloc(sizeof *known);
    *known = generation;
    bondy_map_put(map, key, known);
    return BONDY_OK;
}

static void forget_all(struct bondy_map *map)
{
    struct bondy_slice key;
    size_t cursor = 0;
    void *value;

    while (bondy_map_next(map, &cursor, &key, &value))
        bondy_free(value);
    bondy_map_fini(map);
}

/* ---- merge ----------------------------------------------------------------------------------- */

static int remember_realm(struct bondy_apply *apply, struct bondy_slice uri,
                          const struct bondy_envelope *realm, struct bondy_error *err)
{
    uint8_t scope[BONDY_SCOPE_HASH_LEN];

    bondy_store_scope_hash(uri, scope);
    return remember(&apply->realms, bondy_slice_of(scope, sizeof scope),
                    (struct generation){.limit = limit_of(realm)}, err);
}

static int note_stored_realm(void *context, struct bondy_slice key, struct bondy_slice value)
{
    struct bondy_apply *apply = context;
    struct bondy_envelope envelope;

    if (bondy_envelope_decode(value, &envelope, NULL) < 0)
        return 0;
    return remember_realm(
        apply, envelope.subkey.len > 0 ? envelope.subkey : bondy_slice_skip(key, BONDY_KEY_HEAD),
        &envelope, NULL);
}

/* Whether the store has a container that hides this child. */
static bool is_hidden(const struct bondy_apply *apply, const struct bondy_store_view *view,
                      const struct incoming *in)
{
    const struct generation *realm;
    struct bondy_key_bytes bytes;
    struct bondy_envelope envelope;
    struct bondy_slice raw;
    struct owner owner;

    if (bondy_key_is_global(in->decoded.type))
        return false;
    realm = bondy_map_find(&apply->realms, scope_of(in));
    if (realm != NULL && in->decoded.gen < realm->limit)
        return true;
    if (!find_owner(in->decoded.type, in->subkey, &owner))
        return false;
    return bondy_store_find_raw(view, owner_key(in, in->decoded.gen, &owner, &bytes), &raw,
                                &envelope, NULL) == BONDY_OK &&
           owner.gen < limit_of(&envelope);
}

static int merge_record(struct bondy_apply *apply, const struct bondy_store_view *view,
                        struct bondy_store_write *write, const struct incoming *in,
                        struct bondy_applied *out, struct bondy_error *err)
{
    out->is_hidden = is_hidden(apply, view, in);
    if (out->is_hidden || write == NULL)
        return BONDY_OK;
    out->is_written = out->merge == BONDY_MERGE_FRESH || out->merge == BONDY_MERGE_NEWER;
    return bondy_store_merge(write, in->key, in->bytes, &out->merge, &out->is_drifted, err);
}

/* ---- force ----------------------------------------------------------------------------------- */

/* A child's generation moved along with its container; false: hidden in the file already. */
static bool move_gen(const struct generation *generation, uint32_t *gen)
{
    if (generation == NULL || *gen > generation->in_file)
        return true;
    if (*gen < generation->limit)
        return false;
    *gen = generation->target;
    return true;
}

/* The key that a record gets; false when it is hidden. `subkey` holds it and is the caller's. */
static bool move_key(struct bondy_apply *apply, const struct incoming *in,
                     struct bondy_key_bytes *key, struct bondy_buf *subkey)
{
    struct bondy_store_key moved = in->decoded;
    struct bondy_key_bytes bytes;
    struct owner owner;

    bondy_buf_append_slice(subkey, in->subkey);
    if (!bondy_key_is_global(moved.type)) {
        if (!move_gen(bondy_map_find(&apply->realms, scope_of(in)), &moved.gen))
            return false;
        if (find_owner(moved.type, in->subkey, &owner)) {
            if (!move_gen(bondy_map_find(&apply->containers,
                                         owner_key(in, in->decoded.gen, &owner, &bytes)),
                          &owner.gen))
                return false;
            put_gen(subkey->data + owner.gen_at, owner.gen);
        }
    }
    moved.subkey = bondy_buf_slice(subkey);
    bondy_key_encode(&moved, key);
    memcpy(key->bytes + 1, in->key.data + 1, BONDY_SCOPE_HASH_LEN);
    return true;
}

static bool is_container(enum bondy_record_type type)
{
    return type == BONDY_RECORD_REALM || type == BONDY_RECORD_USER || type == BONDY_RECORD_GROUP;
}

/* The generation in which a container of the file is written, and what that means for its children.
 * What was deleted meanwhile comes back as a new one. */
static int place_container(struct bondy_apply *apply, const struct incoming *in,
                           const struct bondy_envelope *there, uint32_t *gen,
                           struct bondy_error *err)
{
    uint32_t least = there == NULL ? 0 : there->gen;
    bool is_gone = (in->envelope.flags & BONDY_ENVELOPE_TOMBSTONE) != 0;
    struct generation generation = {.in_file = in->envelope.gen, .limit = limit_of(&in->envelope)};
    uint8_t scope[BONDY_SCOPE_HASH_LEN];

    if (!is_gone && there != NULL)
        least = limit_of(there);
    *gen = in->envelope.gen > least ? in->envelope.gen : least;
    generation.target = *gen;
    if (in->decoded.type == BONDY_RECORD_REALM) {
        bondy_store_scope_hash(in->subkey, scope);
        return remember(&apply->realms, bondy_slice_of(scope, sizeof scope), generation, err);
    }
    if (generation.limit == 0 && generation.target == 0)
        return BONDY_OK; /* nothing moves and nothing is hidden: nearly all are like that */
    return remember(&apply->containers, in->key, generation, err);
}

static int force_record(struct bondy_apply *apply, const struct bondy_store_view *view,
                        struct bondy_store_write *write, const struct incoming *in,
                        struct bondy_applied *out, struct bondy_error *err)
{
    struct bondy_buf subkey = BONDY_BUF_EMPTY, body = BONDY_BUF_EMPTY;
    struct bondy_envelope there, written = in->envelope;
    struct bondy_key_bytes bytes;
    struct bondy_slice raw, key;
    bool is_there;
    int rc = BONDY_OK;

    if (!move_key(apply, in, &bytes, &subkey)) {
        out->is_hidden = true;
        goto out;
    }
    key = bondy_slice_of(bytes.bytes, bytes.len);
    rc = bondy_store_find_raw(view, key, &raw, &there, err);
    if (rc < 0 && rc != BONDY_ENOENT)
        goto out;
    is_there = rc == BONDY_OK;
    rc = BONDY_OK;
    if (is_container(in->decoded.type))
        rc = place_container(apply, in, is_there ? &there : NULL, &written.gen, err);
    /* What is not there, or deleted, need not be deleted. */
    if (rc < 0 || write == NULL ||
        (in->envelope.flags & BONDY_ENVELOPE_TOMBSTONE &&
         (!is_there || there.flags & BONDY_ENVELOPE_TOMBSTONE)))
        goto out;
    /* Its place may be another one than what it was sealed for. */
    if ((rc = bondy_envelope_open(view->seal, in->key, &written, &body, err)) < 0)
        goto out;
    out->is_written = true;
    written.subkey = bytes.is_hashed ? bondy_buf_slice(&subkey) : BONDY_SLICE_EMPTY;
    rc = bondy_store_rewrite(write, key, &written, err);
out:
    bondy_record_close(&body);
    bondy_buf_fini(&subkey);
    return rc;
}

/* ---- both ------------------------------------------------------------------------------------ */

void bondy_apply_init(struct bondy_apply *apply, bool is_forced,
                      const struct bondy_store_view *view)
{
    static const char realms[] = {BONDY_RECORD_REALM};

    memset(apply, 0, sizeof *apply);
    apply->is_forced = is_forced;
    if (!is_forced)
        bondy_lmdb_scan(view->txn, BONDY_LMDB_RECORDS, bondy_slice_of(realms, sizeof realms),
                        BONDY_SLICE_EMPTY, note_stored_realm, apply, NULL);
}

void bondy_apply_fini(struct bondy_apply *apply)
{
    forget_all(&apply->realms);
    forget_all(&apply->containers);
}

int bondy_apply_record(struct bondy_apply *apply, const struct bondy_store_view *view,
                       struct bondy_store_write *write, struct bondy_slice key,
                       struct bondy_slice envelope, struct bondy_applied *out,
                       struct bondy_error *err)
{
    struct incoming in = {.key = key, .bytes = envelope};
    struct bondy_envelope there;
    struct bondy_slice raw;
    int rc = bondy_envelope_decode(envelope, &in.envelope, err);

    *out = (struct bondy_applied){.merge = BONDY_MERGE_FRESH};
    if (rc < 0 || !bondy_key_decode(key, &in.decoded))
        return rc < 0 ? rc : bondy_fail(err, BONDY_EPROTO, "a record with an impossible key");
    in.subkey = in.envelope.subkey.len > 0 ? in.envelope.subkey : in.decoded.subkey;
    rc = bondy_store_find_raw(view, key, &raw, &there, err);
    if (rc < 0 && rc != BONDY_ENOENT)
        return rc;
    if (rc == BONDY_OK)
        out->merge = bondy_merge_compare(&there, &in.envelope);
    if (in.decoded.type == BONDY_RECORD_REALM && !apply->is_forced) {
        bool wins = out->merge == BONDY_MERGE_FRESH || out->merge == BONDY_MERGE_NEWER;

        if ((rc = remember_realm(apply, in.subkey, wins ? &in.envelope : &there, err)) < 0)
            return rc;
    }
    return apply->is_forced ? force_record(apply, view, write, &in, out, err)
                            : merge_record(apply, view, write, &in, out, err);
}
