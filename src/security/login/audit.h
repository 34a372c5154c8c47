/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_LOGIN_AUDIT_H
#define BONDY_SECURITY_LOGIN_AUDIT_H

/* audit: who did what, when, from where, and what came of it. realms-and-security.md 6;
 * admin-http-api.md 8.
 *
 * One JSON object a line, in files of a folder of its own: `audit.jsonl` and, when that one is
 * full, `audit-<time>.jsonl`, of which some are kept. An entry is put into a bounded buffer and
 * written by a thread of this module, so that nobody waits for the disk; what does not fit is
 * dropped and counted (bondy_audit_dropped_total). Entries tell the truth, also where the peer was
 * told less; they never hold secrets, only what is named below. */

#include <stdbool.h>
#include <stdint.h>

#include "src/base/error.h"
#include "src/base/json.h"
#include "src/base/slice.h"

struct bondy_audit;

struct bondy_audit_options {
    const char *folder;          /* made with mode 0700; its files have 0600 */
    uint64_t max_bytes;          /* audit.max_bytes, of one file (16 MiB) */
    unsigned max_files;          /* audit.max_files, full ones that are kept (10) */
    size_t buffer_len;           /* audit.buffer, entries that wait for the disk, octets (1 MiB) */
    unsigned denials_per_second; /* audit.denials_per_second, entries that are samples (10) */
};

enum bondy_audit_outcome { BONDY_AUDIT_OK, BONDY_AUDIT_DENIED, BONDY_AUDIT_ERROR };

/* Texts are borrowed and may hold anything: they are cut at 1024 octets, what is no UTF-8 becomes
 * '?', control octets are escaped. Empty ones are left out of the entry. */
struct bondy_audit_entry {
    const char *action; /* bondy.user.add, auth.login, auth.fail, ticket.issue, ticket.revoke,
                           token.issue, token.revoke, token.reuse, authz.deny */
    enum bondy_audit_outcome outcome;
    struct bondy_slice realm;  /* the one it is about */
    struct bondy_slice actor;  /* authid */
    struct bondy_slice target; /* "users/mona" */
    struct bondy_slice reason; /* the true cause, an error URI or a word */
    struct bondy_slice source_ip;
    struct bondy_slice request_id;
    struct bondy_slice before, after; /* bondy_audit_hash() of the object */
    bool is_sample; /* one of many alike: only some of them are kept (audit.denials_per_second) */
};

/* Opens the files and starts the thread; may block. Logs nothing; BONDY_EIO. */
int bondy_audit_create(const struct bondy_audit_options *options, struct bondy_audit **out,
                       struct bondy_error *err);
/* Writes what waits; may block. Nobody may write any more. NULL is fine. */
void bondy_audit_destroy(struct bondy_audit *audit);

/* Any thread, never waits. `audit` may be NULL: nothing happens. `out_id` (37 octets) gets the
 * entry's id, a UUIDv7; NULL: not wanted. */
void bondy_audit_write(struct bondy_audit *audit, const struct bondy_audit_entry *entry,
                       char *out_id);

#define BONDY_AUDIT_HASH 65
/* SHA-256 of the object's canonical text, in hexadecimal digits; NULL gives "". The object must be
 * an external form: without secrets, as even their hash would tell something. */
void bondy_audit_hash(const json_t *object, char out[BONDY_AUDIT_HASH]);

/* ---- reading ----------------------------------------------------------------------------------*/

/* Empty texts do not filter. Texts are borrowed. */
struct bondy_audit_query {
    struct bondy_slice since, until; /* RFC 3339 in UTC or its beginning; since <= time < until */
    struct bondy_slice realm, actor, outcome;
    struct bondy_slice action; /* whole, or with a final dot everything below: "bondy.user." */
    struct bondy_slice cursor; /* of the page before */
    unsigned limit;            /* 1..1000 */
};

/* Newest first. The caller owns *entries, an array of what was written. `cursor` (37 octets) gets
 * the next page's, or "". Waits for the disk, and a little for entries that are on their way: pool
 * threads. BONDY_EINVAL: since, until or cursor cannot be one. */
int bondy_audit_query_wait(struct bondy_audit *audit, const struct bondy_audit_query *query,
                           json_t **entries, char cursor[37], struct bondy_error *err);

#endif
