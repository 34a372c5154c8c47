/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_GATEWAY_CATALOG_RECORD_H
#define BONDY_GATEWAY_CATALOG_RECORD_H

/* record: an API specification as it lies in the store: {document, loaded_at, updated_at,
 * revision, hash} in CBOR. The document is JSON text, so that its depth is its own. Internal to the
 * catalog. */

#include "gateway/catalog/catalog.h"

#define BONDY_API_SCHEMA 1
#define BONDY_API_HASH_LEN 65 /* hex of a SHA-256, with a NUL */

struct bondy_api_record {
    json_t *document;
    uint64_t loaded_ms, updated_ms; /* wall clock */
    uint64_t revision;              /* counts from 1, also over a deletion that was not purged */
    char hash[BONDY_API_HASH_LEN];
};

struct bondy_store_key bondy_api_key(struct bondy_slice id);
/* False when the body cannot be read. bondy_api_record_fini() in any case. */
bool bondy_api_record_decode(const struct bondy_record *stored, struct bondy_api_record *out);
void bondy_api_record_encode(const struct bondy_api_record *record, struct bondy_buf *out);
void bondy_api_record_fini(struct bondy_api_record *record);
/* Of the canonical text: equal documents have equal hashes. */
void bondy_api_hash(const json_t *document, char out[BONDY_API_HASH_LEN]);
/* 32 hex digits and a NUL. */
void bondy_api_etag(const uint8_t version[BONDY_VERSION_LEN], char out[2 * BONDY_VERSION_LEN + 1]);
/* Whether an If-Match value (`*`, quoted, weak or bare tags, separated by commas) has the tag. */
bool bondy_api_etag_matches(const char *if_match, const char *etag);

/* Compiles for the world as it is now; the return values are those of bondy_spec_load(). */
int bondy_catalog_compile(const struct bondy_catalog *catalog, const json_t *document,
                          const char *pointer, struct bondy_spec **out, json_t **problems,
                          json_t **warnings);
/* What a job compiled is kept for the feed that follows, so that it is not compiled twice. Takes
 * the reference. Control thread. */
void bondy_catalog_keep(struct bondy_catalog *catalog, const char *hash, struct bondy_spec *spec);

const struct bondy_security_rules *bondy_catalog_rules(const struct bondy_catalog *catalog);
/* [in a store job] groups.c: makes api_clients and resource_owners where the realm lacks them.
 * `rules` NULL: the defaults. */
int bondy_catalog_make_groups(const struct bondy_security_rules *rules,
                              struct bondy_store_write *write, struct bondy_slice realm_uri,
                              struct bondy_error *err);

#endif
