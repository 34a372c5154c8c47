/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_STORE_BACKUP_FILE_H
#define BONDY_STORE_BACKUP_FILE_H

/* backup_file: the blocks of a backup file, out and in, and the records that stand in them.
 *
 * file    = "BDYBAK1\n", blocks
 * block   = CRC-32C of what follows (4), unpacked length (4), stored length (4), stored octets; all
 *           big endian. Stored: one zstd frame; when the file is encrypted, from the second block
 * on one message of a libsodium secretstream around it, with the SHA-256 of the header as
 *           additional data, the last block tagged as the last.
 * content = header map, alone in the first block; arrays [key, envelope] in key order, whole ones
 * in each block of about 1 MiB; trailer map {records, bytes, sha256}, alone in the last block.
 *           `bytes` and `sha256` are of all content before the trailer.
 * Internal to src/store. */

#include <jansson.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <zstd.h>

#include "src/base/buf.h"
#include "src/base/error.h"
#include "src/store/backup.h"
#include "src/store/version.h"

#define BONDY_BACKUP_MAGIC "BDYBAK1\n"
#define BONDY_BACKUP_MAGIC_LEN 8
#define BONDY_BACKUP_BLOCK ((size_t)1 << 20)
/* The greatest record and what surrounds it. */
#define BONDY_BACKUP_BLOCK_MAX (((size_t)32 << 20) + 4096)
#define BONDY_BACKUP_HEADER_MAX ((size_t)2 << 20)

/* ---- out ---- */

struct bondy_backup_writer {
    int fd;
    struct bondy_buf raw;    /* the block that is being filled */
    struct bondy_buf stored; /* room for one that is being written */
    ZSTD_CCtx *zstd;
    crypto_hash_sha256_state hash;
    uint64_t records, bytes; /* of the content so far */
    uint64_t file_bytes;
    bool is_sealed;
    crypto_secretstream_xchacha20poly1305_state seal;
    uint8_t header_hash[crypto_hash_sha256_BYTES];
};

/* `fd` stays the caller's and stands at its beginning. */
void bondy_backup_writer_init(struct bondy_backup_writer *writer, int fd);
void bondy_backup_writer_fini(struct bondy_backup_writer *writer);
/* Magic and header, once, first. With recipients the header gets its "encryption". */
int bondy_backup_write_header(struct bondy_backup_writer *writer, json_t *header,
                              const uint8_t (*recipients)[BONDY_BACKUP_KEY_LEN], size_t count,
                              struct bondy_error *err);
int bondy_backup_write_record(struct bondy_backup_writer *writer, struct bondy_slice key,
                              struct bondy_slice envelope, struct bondy_error *err);
/* What is left, and the trailer. */
int bondy_backup_write_trailer(struct bondy_backup_writer *writer, struct bondy_error *err);

/* ---- in ---- */

struct bondy_backup_reader {
    int fd;
    uint64_t size, at; /* of the file */
    struct bondy_buf raw, stored;
    json_t *header;
    struct bondy_slice rest; /* of the block's content */
    crypto_hash_sha256_state hash;
    uint64_t records, bytes; /* of the content so far */
    struct bondy_buf last_key;
    bool is_sealed, is_last; /* last: the seal says that no block follows */
    crypto_secretstream_xchacha20poly1305_state seal;
    uint8_t header_hash[crypto_hash_sha256_BYTES];
};

/* Magic and header. `fd` stays the caller's; read from its beginning. The caller calls fini in any
 * case. BONDY_EPROTO; BONDY_EDENIED: encrypted, and `secret_key` (NULL: none) does not open it;
 * without `is_to_read` only the header is looked at, and no key is needed. */
int bondy_backup_reader_init(struct bondy_backup_reader *reader, int fd, bool is_to_read,
                             const uint8_t *secret_key, struct bondy_error *err);
void bondy_backup_reader_fini(struct bondy_backup_reader *reader);
/* The next record, with everything about it checked; it borrows from the reader until the next call
 * that finds bondy_backup_reader_is_drained(). *has_record false: the end, trailer checked. */
int bondy_backup_read_record(struct bondy_backup_reader *reader, struct bondy_slice *key,
                             struct bondy_slice *envelope, bool *has_record,
                             struct bondy_error *err);
/* The next block by its frame alone, for files whose content cannot be looked at: length and
 * checksum. Behind the header; *has_block false: the file ends here. */
int bondy_backup_read_frame(struct bondy_backup_reader *reader, bool *has_block,
                            struct bondy_error *err);
/* The block has no further record: the next call invalidates those that were read. */
static inline bool bondy_backup_reader_is_drained(const struct bondy_backup_reader *reader)
{
    return reader->rest.len == 0;
}

#endif
