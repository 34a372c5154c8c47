/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/login/credentials.h"

#include <sodium.h>
#include <string.h>
#include <strings.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/id.h"
#include "src/security/login/principal.h"
#include "src/wamp/base64.h"

#define THREADS 256 /* those with a higher index do without */
#define SLOTS 1024
#define KEPT_MS 10000
#define GRACE_MS 5000

/* ---- reading ----------------------------------------------------------------------------------*/

bool bondy_credentials_scheme(struct bondy_slice header, const char *scheme,
                              struct bondy_slice *rest)
{
    size_t len = strlen(scheme);

    if (header.len <= len || strncasecmp(header.data, scheme, len) != 0 || header.data[len] != ' ')
        return false;
    while (header.len > len && header.data[len] == ' ')
        len++;
    *rest = bondy_slice_skip(header, len);
    return true;
}

static size_t find_colon(struct bondy_slice text, enum bondy_colon which)
{
    size_t found = text.len;

    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != ':')
            continue;
        found = i;
        if (which == BONDY_COLON_FIRST)
            break;
    }
    return found;
}

bool bondy_credentials_basic(struct bondy_slice encoded, enum bondy_colon colon,
                             char bytes[BONDY_BASIC_MAX], struct bondy_auth_check *out)
{
    struct bondy_slice decoded;
    size_t at;

    if (encoded.len > BONDY_BASIC_MAX || !bondy_base64_is_valid(encoded))
        return false;
    decoded = bondy_slice_of(bytes, bondy_base64_decode(encoded, bytes));
    at = find_colon(decoded, colon);
    if (at == 0 || at == decoded.len)
        return false;
    out->method = "password";
    out->authid = bondy_slice_of(bytes, at);
    out->secret = bondy_slice_skip(decoded, at + 1);
    return true;
}

/* ---- remembering ------------------------------------------------------------------------------*/

struct slot {
    struct bondy_credentials_mark mark;
    struct bondy_identity *identity; /* NULL: empty */
    uint64_t seq;                    /* of its principal when it was right */
    uint64_t until_ms;
    uint64_t end_ms; /* of the credential itself */
    bool is_asked;   /* `until_ms` came once, and somebody asks again */
};

struct bondy_credentials {
    const struct bondy_auth *auth;
    uint8_t key[crypto_generichash_KEYBYTES];
    struct slot *tables[THREADS]; /* each its thread's own, made at the first use */
};

struct bondy_credentials *bondy_credentials_create(const struct bondy_auth *auth)
{
    struct bondy_credentials *credentials = bondy_zalloc(sizeof *credentials);

    credentials->auth = auth;
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

/* With its length, so that no text can be taken for the end of another. */
static void add(crypto_generichash_state *state, const void *data, size_t len)
{
    uint64_t count = len;

    crypto_generichash_update(state, (const unsigned char *)&count, sizeof count);
    if (len > 0)
        crypto_generichash_update(state, data, len);
}

void bondy_credentials_mark(const struct bondy_credentials *credentials,
                            const struct bondy_auth_check *check,
                            struct bondy_credentials_mark *out)
{
    unsigned char is_secure = check->peer->is_secure;
    char address[BONDY_ADDRESS_TEXT];
    crypto_generichash_state state;

    /* Before anything is looked at: what is revoked meanwhile counts. */
    out->revocations = bondy_auth_revocations(credentials->auth);
    bondy_address_format_host(&check->peer->address, address);
    crypto_generichash_init(&state, credentials->key, sizeof credentials->key,
                            sizeof out->fingerprint);
    add(&state, check->realm->uri, strlen(check->realm->uri));
    add(&state, &check->realm->gen, sizeof check->realm->gen);
    add(&state, check->method, strlen(check->method));
    add(&state, address, strlen(address));
    add(&state, &is_secure, sizeof is_secure);
    add(&state, check->authid.data, check->authid.len);
    add(&state, check->secret.data, check->secret.len);
    crypto_generichash_final(&state, out->fingerprint, sizeof out->fingerprint);
    sodium_memzero(&state, sizeof state);
}

static struct slot *slot_of(struct slot *slots, const struct bondy_credentials_mark *mark)
{
    return &slots[(mark->fingerprint[0] | (unsigned)mark->fingerprint[1] << 8) % SLOTS];
}

const struct bondy_identity *bondy_credentials_find(struct bondy_credentials *credentials,
                                                    unsigned thread,
                                                    const struct bondy_credentials_mark *mark,
                                                    uint64_t now_ms)
{
    struct slot *slot;

    if (thread >= THREADS || credentials->tables[thread] == NULL)
        return NULL;
    slot = slot_of(credentials->tables[thread], mark);
    if (slot->identity == NULL ||
        sodium_memcmp(slot->mark.fingerprint, mark->fingerprint, sizeof mark->fingerprint) != 0)
        return NULL;
    if (now_ms >= slot->end_ms || slot->mark.revocations != mark->revocations ||
        bondy_principal_seq(slot->identity->principal) != slot->seq) {
        bondy_identity_free(BONDY_MOVE(slot->identity));
        return NULL;
    }
    if (now_ms < slot->until_ms)
        return slot->identity;
    if (slot->is_asked)
        bondy_identity_free(BONDY_MOVE(slot->identity));
    slot->is_asked = true;
    slot->until_ms = now_ms + GRACE_MS;
    return NULL;
}

void bondy_credentials_drop(struct bondy_credentials *credentials, unsigned thread,
                            const struct bondy_credentials_mark *mark)
{
    struct slot *slot;

    if (thread >= THREADS || credentials->tables[thread] == NULL)
        return;
    slot = slot_of(credentials->tables[thread], mark);
    if (sodium_memcmp(slot->mark.fingerprint, mark->fingerprint, sizeof mark->fingerprint) == 0)
        bondy_identity_free(BONDY_MOVE(slot->identity));
}

/* On the monotonic clock. */
static uint64_t end_of(const struct bondy_login_answer *answer, uint64_t now_ms)
{
    uint64_t wall_ms = bondy_clock_wall_ms();

    if (answer->expires_ms == 0)
        return UINT64_MAX;
    return answer->expires_ms > wall_ms ? now_ms + (answer->expires_ms - wall_ms) : now_ms;
}

void bondy_credentials_keep(struct bondy_credentials *credentials, unsigned thread,
                            const struct bondy_credentials_mark *mark,
                            const struct bondy_login_answer *answer, uint64_t now_ms)
{
    struct slot *slot;

    if (thread >= THREADS || answer->identity.principal == NULL)
        return;
    if (credentials->tables[thread] == NULL)
        credentials->tables[thread] = bondy_calloc(SLOTS, sizeof(struct slot));
    slot = slot_of(credentials->tables[thread], mark);
    bondy_identity_free(slot->identity);
    slot->mark = *mark;
    slot->identity = bondy_identity_dup(&answer->identity);
    slot->seq = answer->identity.principal_seq;
    slot->until_ms = now_ms + KEPT_MS;
    slot->end_ms = end_of(answer, now_ms);
    slot->is_asked = false;
}
