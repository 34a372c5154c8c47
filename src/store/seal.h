/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_STORE_SEAL_H
#define BONDY_STORE_SEAL_H

/* seal: secrets inside records are kept encrypted under a master key. cluster.md B9, rule 5.
 *
 *   sealed body = format(1), key id(8), nonce(24), XChaCha20-Poly1305 of the body with its tag(16)
 *
 * The additional data is the record's place: its type, scope, generation, whole subkey and schema.
 * What was sealed for one user is no verifier of another one. A body that is sealed says so by
 * BONDY_ENVELOPE_SEALED. Seals never change; any thread. */

#include <stdbool.h>
#include <stdint.h>

#include "src/base/buf.h"
#include "src/base/error.h"
#include "src/base/slice.h"

struct bondy_store_key;

#define BONDY_MASTER_KEY_LEN 32
#define BONDY_MASTER_KEY_ID_LEN 8
#define BONDY_MASTER_KEY_ID_TEXT (2 * BONDY_MASTER_KEY_ID_LEN + 1)
#define BONDY_SEAL_OVERHEAD (1 + BONDY_MASTER_KEY_ID_LEN + 24 + 16)

struct bondy_master_key {
    uint8_t octets[BONDY_MASTER_KEY_LEN];
};

/* 64 hexadecimal digits or base64, between lines that are empty or begin with '#'. BONDY_EINVAL:
 * something else; the error never holds any of it. */
int bondy_master_key_parse(struct bondy_slice text, struct bondy_master_key *out,
                           struct bondy_error *err);
/* The same of a file; may block. BONDY_EDENIED: others may read it; BONDY_ENOENT, BONDY_EIO. */
int bondy_master_key_read(const char *path, struct bondy_master_key *out, struct bondy_error *err);
/* Writes a new random key to a file that must not be there (mode 0600), and its id to `id`.
 * BONDY_EEXIST. May block. */
int bondy_master_key_make(const char *path, char id[BONDY_MASTER_KEY_ID_TEXT],
                          struct bondy_error *err);
/* What a key is called where it must not be shown: a hash of it. */
void bondy_master_key_id(const struct bondy_master_key *key, uint8_t out[BONDY_MASTER_KEY_ID_LEN]);
void bondy_master_key_id_text(const uint8_t id[BONDY_MASTER_KEY_ID_LEN],
                              char out[BONDY_MASTER_KEY_ID_TEXT]);

struct bondy_seal_options {
    const struct bondy_master_key *key;      /* NULL: nothing is sealed any more */
    const struct bondy_master_key *previous; /* opens what was sealed before; NULL: none */
    /* Which records hold secrets; NULL: none. */
    bool (*is_secret)(const struct bondy_store_key *key);
};

struct bondy_seal;
/* The keys are copied to memory that is not swapped. */
struct bondy_seal *bondy_seal_create(const struct bondy_seal_options *options);
void bondy_seal_destroy(struct bondy_seal *seal); /* NULL is fine */

/* Where a body belongs. */
struct bondy_seal_place {
    struct bondy_slice key;    /* as octets (key.h); only what stands before the subkey counts */
    struct bondy_slice subkey; /* the whole one */
    uint32_t schema;
};

/* NULL: new bodies are not sealed. */
const uint8_t *bondy_seal_key_id(const struct bondy_seal *seal);
bool bondy_seal_knows(const struct bondy_seal *seal, const uint8_t id[BONDY_MASTER_KEY_ID_LEN]);
bool bondy_seal_is_secret(const struct bondy_seal *seal, const struct bondy_store_key *key);
/* Appends the sealed form. There is a key. */
void bondy_seal_close(const struct bondy_seal *seal, const struct bondy_seal_place *place,
                      struct bondy_slice body, struct bondy_buf *out);
/* The id in a sealed body; NULL: it is none. Borrows. */
const uint8_t *bondy_sealed_key_id(struct bondy_slice sealed);
/* Appends the body. BONDY_EPROTO: no sealed body, or not the one that was sealed for this place;
 * BONDY_EDENIED: under a key that is not here (`seal` NULL: none is); the error names it. */
int bondy_seal_open(const struct bondy_seal *seal, const struct bondy_seal_place *place,
                    struct bondy_slice sealed, struct bondy_buf *out, struct bondy_error *err);

#endif
