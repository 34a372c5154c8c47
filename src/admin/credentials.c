/* SPDX-License-Identifier: Apache-2.0 */
#include "src/admin/credentials.h"

#include <sodium.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/security/login/principal.h"

#define THREADS 256 /* those with a higher index do without */
#define SLOTS 64
#define KEPT_MS 10000

struct slot {
    uint8_t fingerprint[BONDY_CREDENTIALS_FINGERPRINT];
    struct bondy_identity *identity; /* NULL: empty */
    uint64_t seq;                    /* of its principal when it was right */
    uint64_t until_ms;
};

struct bondy_credentials {
    uint8_t key[crypto_generichash_KEYBYTES];
    struct slot *tables[THREADS]; /* each its thread's own, made at the first use */
};

struct bondy_credentials *bondy_credentials_create(void)
{
    struct bondy_credentials *credentials = bondy_zalloc(sizeof *credentials);

    bondy_id_bytes(credentials->key, sizeof credentials->key);
    return credentials;
}

void bondy_credentials_destroy(struct bondy_credentials *credentials)
{
    if (credentials == NULL)
        return;
    for (unsigned i = 0; i < THREADS; i++)
        bondy_credentials_forget(credentials, i);
    sodium_memzero(credentials, sizeof *credentials);
    bondy_free(credentials);
}

void bondy_credentials_forget(struct bondy_credentials *credentials, unsigned thread)
{
    struct slot *slots = thread < THREADS ? BONDY_MOVE(credentials->tables[thread]) : NULL;

    for (unsigned i = 0; slots != NULL && i < SLOTS; i++)
        bondy_identity_free(slots[i].identity);
    bondy_free(slots);
}

void bondy_credentials_fingerprint(const struct bondy_credentials *credentials,
                                   struct bondy_slice header,
                                   uint8_t out[BONDY_CREDENTIALS_FINGERPRINT])
{
    crypto_generichash(out, BONDY_CREDENTIALS_FINGERPRINT, (const unsigned char *)header.data,
                       header.len, credentials->key, sizeof credentials->key);
}

static struct slot *slot_of(struct slot *slots, const uint8_t *fingerprint)
{
    return &slots[fingerprint[0] % SLOTS];
}

const struct bondy_identity *
bondy_credentials_find(struct bondy_credentials *credentials, unsigned thread,
                       const uint8_t fingerprint[BONDY_CREDENTIALS_FINGERPRINT], uint64_t now_ms)
{
    struct slot *slot;

    if (thread >= THREADS || credentials->tables[thread] == NULL)
        return NULL;
    slot = slot_of(credentials->tables[thread], fingerprint);
    if (slot->identity == NULL ||
        sodium_memcmp(slot->fingerprint, fingerprint, sizeof slot->fingerprint) != 0)
        return NULL;
    if (now_ms < slot->until_ms && bondy_principal_seq(slot->identity->principal) == slot->seq)
        return slot->identity;
    bondy_identity_free(BONDY_MOVE(slot->identity));
    return NULL;
}

void bondy_credentials_keep(struct bondy_credentials *credentials, unsigned thread,
                            const uint8_t fingerprint[BONDY_CREDENTIALS_FINGERPRINT],
                            const struct bondy_identity *identity, uint64_t now_ms)
{
    struct slot *slot;

    if (thread >= THREADS || identity->principal == NULL)
        return;
    if (credentials->tables[thread] == NULL)
        credentials->tables[thread] = bondy_calloc(SLOTS, sizeof(struct slot));
    slot = slot_of(credentials->tables[thread], fingerprint);
    bondy_identity_free(slot->identity);
    memcpy(slot->fingerprint, fingerprint, sizeof slot->fingerprint);
    slot->identity = bondy_identity_dup(identity);
    slot->seq = bondy_principal_seq(identity->principal);
    slot->until_ms = now_ms + KEPT_MS;
}
