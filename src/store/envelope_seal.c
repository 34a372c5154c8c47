/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/envelope_seal.h"

#include <sodium.h>
#include <string.h>

#include "src/store/key.h"

static struct bondy_seal_place place_of(struct bondy_slice key,
                                        const struct bondy_envelope *envelope)
{
    return (struct bondy_seal_place){.key = key,
                                     .subkey = envelope->subkey.len > 0
                                                   ? envelope->subkey
                                                   : bondy_slice_skip(key, BONDY_KEY_HEAD),
                                     .schema = envelope->schema};
}

static bool is_to_be_sealed(const struct bondy_seal *seal, struct bondy_slice key,
                            const struct bondy_envelope *envelope)
{
    struct bondy_store_key decoded;

    if (bondy_seal_key_id(seal) == NULL || envelope->flags & BONDY_ENVELOPE_TOMBSTONE ||
        !bondy_key_decode(key, &decoded))
        return false;
    if (envelope->subkey.len > 0)
        decoded.subkey = envelope->subkey;
    return bondy_seal_is_secret(seal, &decoded);
}

void bondy_envelope_seal(const struct bondy_seal *seal, struct bondy_slice key,
                         struct bondy_envelope *envelope, struct bondy_buf *room)
{
    struct bondy_seal_place place = place_of(key, envelope);

    if (envelope->flags & BONDY_ENVELOPE_SEALED || !is_to_be_sealed(seal, key, envelope))
        return;
    bondy_seal_close(seal, &place, envelope->body, room);
    envelope->body = bondy_buf_slice(room);
    envelope->flags |= BONDY_ENVELOPE_SEALED;
}

int bondy_envelope_open(const struct bondy_seal *seal, struct bondy_slice key,
                        struct bondy_envelope *envelope, struct bondy_buf *room,
                        struct bondy_error *err)
{
    struct bondy_seal_place place = place_of(key, envelope);
    int rc;

    if (!(envelope->flags & BONDY_ENVELOPE_SEALED))
        return BONDY_OK;
    if ((rc = bondy_seal_open(seal, &place, envelope->body, room, err)) < 0)
        return rc;
    envelope->body = bondy_buf_slice(room);
    envelope->flags &= ~BONDY_ENVELOPE_SEALED;
    return BONDY_OK;
}

static bool is_right(const struct bondy_seal *seal, const struct bondy_envelope *envelope,
                     bool is_secret)
{
    const uint8_t *id = bondy_sealed_key_id(envelope->body);

    if (!(envelope->flags & BONDY_ENVELOPE_SEALED))
        return !is_secret;
    return bondy_seal_key_id(seal) != NULL && id != NULL &&
           memcmp(id, bondy_seal_key_id(seal), BONDY_MASTER_KEY_ID_LEN) == 0;
}

int bondy_envelope_reseal(const struct bondy_seal *seal, struct bondy_slice key,
                          struct bondy_envelope *envelope, struct bondy_buf *anew, bool *is_other,
                          struct bondy_error *err)
{
    struct bondy_seal_place place = place_of(key, envelope);
    struct bondy_buf body = BONDY_BUF_EMPTY, sealed = BONDY_BUF_EMPTY;
    bool was_sealed = (envelope->flags & BONDY_ENVELOPE_SEALED) != 0;
    bool is_secret = was_sealed || is_to_be_sealed(seal, key, envelope);
    int rc;

    *is_other = !is_right(seal, envelope, is_secret);
    if (!*is_other)
        return BONDY_OK;
    if ((rc = bondy_envelope_open(seal, key, envelope, &body, err)) == BONDY_OK) {
        if (bondy_seal_key_id(seal) != NULL) {
            bondy_seal_close(seal, &place, envelope->body, &sealed);
            envelope->body = bondy_buf_slice(&sealed);
            envelope->flags |= BONDY_ENVELOPE_SEALED;
        }
        bondy_envelope_encode(envelope, anew);
        bondy_envelope_decode(bondy_buf_slice(anew), envelope, NULL); /* borrows from it now */
    }
    if (body.data != NULL)
        sodium_memzero(body.data, body.len);
    bondy_buf_fini(&body);
    bondy_buf_fini(&sealed);
    return rc;
}
