/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_ENTITY_STORED_H
#define BONDY_SECURITY_ENTITY_STORED_H

/* stored: records of identities as trees, the subkeys of elements (cluster.md B2.3), and writes
 * that leave alone what is the same already. Internal to src/security. */

#include "src/base/buf.h"
#include "src/base/json.h"
#include "src/security/entity/edit.h"
#include "src/store/store.h"

/* name NUL gen(4, big endian) NUL kind NUL value */
struct bondy_element {
    struct bondy_slice name;
    uint32_t gen;
    char kind;
    struct bondy_slice value;
};
void bondy_element_format(const struct bondy_element *element, struct bondy_buf *out);
/* What the subkeys of all elements of an object begin with. */
void bondy_element_prefix(struct bondy_slice name, uint32_t gen, struct bondy_buf *out);
/* What the subkeys of one value of one kind end with, whoever has it. */
void bondy_element_suffix(char kind, struct bondy_slice value, struct bondy_buf *out);
bool bondy_element_parse(struct bondy_slice subkey, struct bondy_element *out);

/* The body; the caller owns it. */
json_t *bondy_stored_tree(const struct bondy_record *record);
/* The same of what is stored under a key; NULL when there is nothing. `record` may be NULL. */
json_t *bondy_stored_get(const struct bondy_store_view *view, const struct bondy_store_key *key,
                         struct bondy_record *record);
bool bondy_stored_has(const struct bondy_store_view *view, const struct bondy_store_key *key);
/* How many records a range has, counting no further than `enough`. */
size_t bondy_stored_count(const struct bondy_store_view *view,
                          const struct bondy_store_range *range, size_t enough);
/* Keeps the greater one in `version`. */
void bondy_stored_newer(uint8_t version[BONDY_VERSION_LEN], const uint8_t *other);
/* 32 hex digits. */
json_t *bondy_stored_etag(const uint8_t version[BONDY_VERSION_LEN]);
json_t *bondy_stored_time(uint64_t wall_ms);
/* managed_by, created_at, updated_at and etag of an external form. What is built in has no times
 * until somebody changes it, and never one of its creation: it is the same on every node. */
void bondy_stored_describe(json_t *object, bool is_managed, uint64_t created_ms,
                           uint64_t updated_ms, const uint8_t version[BONDY_VERSION_LEN]);
/* created_ms and managed_by of a container's body, put there by bondy_stored_body(). Nothing was
 * made after its last change: versions are taken at the beginning of a job. 0: it is built in. */
uint64_t bondy_stored_created(const json_t *body, const uint8_t version[BONDY_VERSION_LEN]);
bool bondy_stored_is_managed(const json_t *body);
/* The body of a new container. */
json_t *bondy_stored_body(const struct bondy_edit *edit);

/* Write only what is not so already. A missing record is no error to delete. */
int bondy_stored_put(struct bondy_edit *edit, const struct bondy_store_key *key, uint32_t gen,
                     const json_t *body);
int bondy_stored_delete(struct bondy_edit *edit, const struct bondy_store_key *key);
/* Whether this was put since edit->touched was set. */
bool bondy_stored_is_touched(const struct bondy_edit *edit, enum bondy_record_type type,
                             struct bondy_slice subkey);
/* Deletes all live records of a range of one scope and generation for which `is_meant` (NULL: all)
 * holds. */
int bondy_stored_delete_range(struct bondy_edit *edit, const struct bondy_store_range *range,
                              bool (*is_meant)(void *context, const struct bondy_record *record),
                              void *context);

/* Zeroes and frees a text; NULL is fine. */
void bondy_stored_wipe(char *secret);

/* Lists of texts as sets. */
bool bondy_stored_list_has(const json_t *list, struct bondy_slice text);
/* Sorted by octets, each once; the caller owns it. */
json_t *bondy_stored_sorted(const json_t *list);

#endif
