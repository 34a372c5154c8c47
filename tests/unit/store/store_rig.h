/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TESTS_UNIT_STORE_STORE_RIG_H
#define BONDY_TESTS_UNIT_STORE_STORE_RIG_H

/* store_rig: a store in a temporary folder, records put in one line each, and all of it as text. */

#include "tests/lib/test.h"

#include "src/base/buf.h"
#include "src/store/store.h"

struct store_rig {
    char *folder;
    char *path; /* of the store, in the folder */
    char *dir;  /* for backups, in the folder, not made */
    struct bondy_store *store;
    size_t changes;                /* told by the feed */
    const struct bondy_seal *seal; /* of stores that are opened from now on; NULL: none */
};

void store_rig_init(struct store_rig *rig, uint64_t map_size);
void store_rig_fini(struct store_rig *rig);
void store_rig_reopen(struct store_rig *rig);
void store_rig_close(struct store_rig *rig);
/* With rig->seal, which may not fit: an error then, and no store. */
int store_rig_try_open(struct store_rig *rig, struct bondy_error *err);
/* Ends the store, removes its files, opens a new one. */
void store_rig_wipe(struct store_rig *rig);

/* A record in words. `realm` NULL: global. The body is CBOR of the text, or what `cbor` says. */
struct store_word {
    enum bondy_record_type type;
    const char *realm;
    uint32_t key_gen;
    struct bondy_slice subkey;
    const char *text;
    uint32_t gen;
    uint64_t expires_ms;
    bool is_gone;    /* deleted instead of put */
    bool is_builtin; /* put with the version of built-in defaults */
};
/* All of them in one job. */
int store_rig_write(struct store_rig *rig, const struct store_word *words, size_t count);
#define store_rig_put(rig, ...) store_rig_write((rig), &(struct store_word){__VA_ARGS__}, 1)

/* Every stored octet, key order, hex, a line each. The caller frees. */
char *store_rig_dump(struct store_rig *rig);
/* "type/gen/subkey=text" of live records, "-type/gen/subkey" of tombstones, a space behind each;
 * "~" before what is sealed, and no text when it cannot be opened;
 * octets that cannot be printed as ".". The caller frees. */
char *store_rig_text(struct store_rig *rig);

#endif
