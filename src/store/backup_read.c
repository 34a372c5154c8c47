/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/store/backup_file.h"
#include "src/store/backup_name.h"
#include "src/store/head.h"
#include "src/store/key.h"
#include "src/store/seal.h"
#include "src/wamp/codec.h"

/* The way in. Whatever the file says is compared with a limit before memory is spent, and nothing
 * is handed out of a block whose checksum is wrong. */

#define BLOCK_HEAD 12
#define TRAILER_MAX 4096
#define META_DEPTH 8
#define META_VALUES 16384
#define BODY_DEPTH 32
/* Neither a clock nor a generation gets anywhere near; beyond, the next write could not count on.
 */
#define WALL_MS_MAX (UINT64_C(1) << 46)
#define GEN_MAX UINT32_C(0x7fffffff)
#define CBOR_MAJOR_MAP 5

static int damaged(const struct bondy_backup_reader *reader, struct bondy_error *err,
                   const char *what)
{
    return bondy_fail(err, BONDY_EPROTO, "the backup is damaged near octet %" PRIu64 ": %s",
                      reader->at, what);
}

/* ---- blocks ---------------------------------------------------------------------------------- */

static int read_exactly(struct bondy_backup_reader *reader, char *at, size_t len,
                        struct bondy_error *err)
{
    while (len > 0) {
        ssize_t got = pread(reader->fd, at, len, (off_t)reader->at);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return bondy_fail(err, BONDY_EIO, "reading the backup: %s", strerror(errno));
        if (got == 0)
            return damaged(reader, err, "it ends too early");
        at += got;
        len -= (size_t)got;
        reader->at += (uint64_t)got;
    }
    return BONDY_OK;
}

static uint32_t get_u32(const char *at)
{
    uint32_t value = 0;

    for (int i = 0; i < 4; i++)
        value = value << 8 | (uint8_t)at[i];
    return value;
}

/* Opens the seal around `stored`, in place. */
static int unseal(struct bondy_backup_reader *reader, struct bondy_slice *stored,
                  struct bondy_error *err)
{
    unsigned char *at = (unsigned char *)reader->stored.data + BLOCK_HEAD;
    unsigned long long len = 0;
    unsigned char tag = 0;
    char *copy;
    int rc;

    if (stored->len < crypto_secretstream_xchacha20poly1305_ABYTES)
        return damaged(reader, err, "a block that is too short to be sealed");
    copy = bondy_memdup0(stored->data, stored->len);
    rc = crypto_secretstream_xchacha20poly1305_pull(
        &reader->seal, at, &len, &tag, (const unsigned char *)copy, stored->len,
        reader->header_hash, sizeof reader->header_hash);
    bondy_free(copy);
    if (rc != 0)
        return damaged(reader, err, "a block whose seal is broken");
    reader->is_last = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
    *stored = bondy_slice_of(at, (size_t)len);
    return BONDY_OK;
}

static int unpack(struct bondy_backup_reader *reader, struct bondy_slice stored, size_t len,
                  struct bondy_error *err)
{
    size_t got;

    if (ZSTD_getFrameContentSize(stored.data, stored.len) != len)
        return damaged(reader, err, "a block whose length is not the one it says");
    reader->raw.len = 0;
    got = ZSTD_decompress(bondy_buf_reserve(&reader->raw, len), len, stored.data, stored.len);
    if (ZSTD_isError(got) || got != len)
        return damaged(reader, err, "a block that cannot be unpacked");
    reader->raw.len = len;
    reader->rest = bondy_buf_slice(&reader->raw);
    return BONDY_OK;
}

/* A whole block, proved by its checksum; what it holds is still packed. */
static int read_stored(struct bondy_backup_reader *reader, size_t max, struct bondy_slice *out,
                       size_t *out_raw_len, struct bondy_error *err)
{
    char head[BLOCK_HEAD], *at;
    size_t raw_len, stored_len;
    int rc;

    if (reader->is_last)
        return damaged(reader, err, "a block follows the last one");
    if ((rc = read_exactly(reader, head, sizeof head, err)) < 0)
        return rc;
    raw_len = get_u32(head + 4);
    stored_len = get_u32(head + 8);
    if (raw_len == 0 || raw_len > max ||
        stored_len > ZSTD_compressBound(raw_len) + crypto_secretstream_xchacha20poly1305_ABYTES ||
        stored_len > reader->size - reader->at)
        return damaged(reader, err, "a block with an impossible length");
    reader->stored.len = 0;
    at = bondy_buf_reserve(&reader->stored, BLOCK_HEAD + stored_len);
    memcpy(at, head, BLOCK_HEAD);
    if ((rc = read_exactly(reader, at + BLOCK_HEAD, stored_len, err)) < 0)
        return rc;
    if (bondy_crc32c(bondy_slice_of(at + 4, BLOCK_HEAD - 4 + stored_len)) != get_u32(head))
        return damaged(reader, err, "a block with a wrong checksum");
    *out = bondy_slice_of(at + BLOCK_HEAD, stored_len);
    *out_raw_len = raw_len;
    return BONDY_OK;
}

static int read_block(struct bondy_backup_reader *reader, size_t max, struct bondy_error *err)
{
    struct bondy_slice stored;
    size_t raw_len;
    int rc = read_stored(reader, max, &stored, &raw_len, err);

    if (rc < 0)
        return rc;
    if (reader->is_sealed && (rc = unseal(reader, &stored, err)) < 0)
        return rc;
    return unpack(reader, stored, raw_len, err);
}

/* ---- header ---------------------------------------------------------------------------------- */

static bool from_hex(const json_t *text, void *out, size_t len)
{
    size_t got = 0;

    return json_is_string(text) && json_string_length(text) == len * 2 &&
           sodium_hex2bin(out, len, json_string_value(text), len * 2, NULL, &got, NULL) == 0 &&
           got == len;
}

static int unwrap_key(const json_t *encryption, const uint8_t *secret_key, uint8_t *key, size_t len)
{
    uint8_t public_key[crypto_box_PUBLICKEYBYTES];
    uint8_t sealed[crypto_box_SEALBYTES + crypto_secretstream_xchacha20poly1305_KEYBYTES];
    json_t *keys = json_object_get(encryption, "keys");

    BONDY_BUG_ON(sizeof sealed != crypto_box_SEALBYTES + len);
    if (crypto_scalarmult_base(public_key, secret_key) != 0 ||
        json_array_size(keys) > BONDY_BACKUP_RECIPIENTS_MAX)
        return -1;
    for (size_t i = 0; i < json_array_size(keys); i++)
        if (from_hex(json_array_get(keys, i), sealed, sizeof sealed) &&
            crypto_box_seal_open(key, sealed, sizeof sealed, public_key, secret_key) == 0)
            return 0;
    return -1;
}

static int start_unsealing(struct bondy_backup_reader *reader, const json_t *encryption,
                           const uint8_t *secret_key, struct bondy_error *err)
{
    uint8_t key[crypto_secretstream_xchacha20poly1305_KEYBYTES];
    uint8_t start[crypto_secretstream_xchacha20poly1305_HEADERBYTES];
    int rc;

    if (secret_key == NULL)
        return bondy_fail(err, BONDY_EDENIED, "the backup is encrypted: its key is needed");
    if (!from_hex(json_object_get(encryption, "start"), start, sizeof start))
        return damaged(reader, err, "an encryption that this program does not know");
    if (unwrap_key(encryption, secret_key, key, sizeof key) != 0)
        return bondy_fail(err, BONDY_EDENIED, "the backup is encrypted, and not for this key");
    rc = crypto_secretstream_xchacha20poly1305_init_pull(&reader->seal, start, key);
    sodium_memzero(key, sizeof key);
    if (rc != 0)
        return damaged(reader, err, "an encryption that does not start");
    reader->is_sealed = true;
    return BONDY_OK;
}

static int take_tree(struct bondy_backup_reader *reader, json_t **out, struct bondy_error *err)
{
    if (bondy_value_check_count(BONDY_CBOR, reader->rest, META_DEPTH, META_VALUES, true, NULL) < 0)
        return damaged(reader, err, "a header or trailer that is not one map");
    *out = bondy_value_tree(BONDY_CBOR, reader->rest);
    reader->rest = BONDY_SLICE_EMPTY;
    if (!json_is_object(*out)) {
        json_decref(BONDY_MOVE(*out));
        return damaged(reader, err, "a header or trailer that is not one map");
    }
    return BONDY_OK;
}

static void count_content(struct bondy_backup_reader *reader, struct bondy_slice content)
{
    crypto_hash_sha256_update(&reader->hash, (const unsigned char *)content.data, content.len);
    reader->bytes += content.len;
}

static int read_header(struct bondy_backup_reader *reader, struct bondy_error *err)
{
    char magic[BONDY_BACKUP_MAGIC_LEN];
    const json_t *format;
    int rc;

    if (reader->size < sizeof magic)
        return bondy_fail(err, BONDY_EPROTO, "not a backup: %" PRIu64 " octets", reader->size);
    if ((rc = read_exactly(reader, magic, sizeof magic, err)) < 0)
        return rc;
    if (memcmp(magic, BONDY_BACKUP_MAGIC, sizeof magic) != 0)
        return bondy_fail(err, BONDY_EPROTO, "not a backup: it does not begin with BDYBAK1");
    if ((rc = read_block(reader, BONDY_BACKUP_HEADER_MAX, err)) < 0)
        return rc;
    count_content(reader, reader->rest);
    crypto_hash_sha256(reader->header_hash, (const unsigned char *)reader->rest.data,
                       reader->rest.len);
    if ((rc = take_tree(reader, &reader->header, err)) < 0)
        return rc;
    format = json_object_get(reader->header, "format");
    if (!json_is_integer(format) || json_integer_value(format) != 1)
        return bondy_fail(err, BONDY_EPROTO, "a backup of a format other than 1, the one known");
    return BONDY_OK;
}

int bondy_backup_reader_init(struct bondy_backup_reader *reader, int fd, bool is_to_read,
                             const uint8_t *secret_key, struct bondy_error *err)
{
    const json_t *encryption;
    struct stat info;
    int rc;

    memset(reader, 0, sizeof *reader);
    reader->fd = fd;
    crypto_hash_sha256_init(&reader->hash);
    if (fstat(fd, &info) < 0)
        return bondy_fail(err, BONDY_EIO, "reading the backup: %s", strerror(errno));
    reader->size = (uint64_t)info.st_size;
    if ((rc = read_header(reader, err)) < 0 || !is_to_read)
        return rc;
    encryption = json_object_get(reader->header, "encryption");
    if (encryption == NULL)
        return BONDY_OK;
    return start_unsealing(reader, encryption, secret_key, err);
}

void bondy_backup_reader_fini(struct bondy_backup_reader *reader)
{
    json_decref(reader->header);
    sodium_memzero(&reader->seal, sizeof reader->seal);
    bondy_buf_fini(&reader->raw);
    bondy_buf_fini(&reader->stored);
    bondy_buf_fini(&reader->last_key);
}

/* ---- records --------------------------------------------------------------------------------- */

static bool is_container(struct bondy_slice key)
{
    return key.data[0] == BONDY_RECORD_REALM || key.data[0] == BONDY_RECORD_USER ||
           key.data[0] == BONDY_RECORD_GROUP;
}

static const char *what_is_wrong(struct bondy_slice key, struct bondy_slice bytes)
{
    struct bondy_envelope envelope;
    struct bondy_store_key decoded;

    if (bondy_envelope_decode(bytes, &envelope, NULL) < 0)
        return "a record that is not an envelope, or with a wrong checksum";
    if (bytes.len > BONDY_BACKUP_BLOCK_MAX || !bondy_key_is_right(key, envelope.subkey))
        return "a record with an impossible key";
    bondy_key_decode(key, &decoded);
    if (envelope.flags & ~(BONDY_ENVELOPE_TOMBSTONE | BONDY_ENVELOPE_SEALED))
        return "a record with unknown flags";
    if (envelope.gen > GEN_MAX || decoded.gen > GEN_MAX ||
        (envelope.gen != 0 && !is_container(key)))
        return "a record with an impossible generation";
    if (bondy_version_wall_ms(envelope.version) > WALL_MS_MAX ||
        bondy_version_wall_ms(envelope.version) == 0)
        return "a record with an impossible version";
    if (envelope.flags & BONDY_ENVELOPE_TOMBSTONE)
        return envelope.body.len == 0 ? NULL : "a tombstone with a body";
    if (envelope.flags & BONDY_ENVELOPE_SEALED)
        return bondy_sealed_key_id(envelope.body) == NULL ? "a sealed record of an unknown format"
                                                          : NULL;
    if (bondy_value_check(BONDY_CBOR, envelope.body, BODY_DEPTH, true, NULL) < 0)
        return "a record whose body is not one value of CBOR";
    return NULL;
}

static int check_trailer(struct bondy_backup_reader *reader, const json_t *trailer,
                         struct bondy_error *err)
{
    uint8_t stored[crypto_hash_sha256_BYTES], hash[crypto_hash_sha256_BYTES];

    crypto_hash_sha256_final(&reader->hash, hash);
    if (json_integer_value(json_object_get(trailer, "records")) != (json_int_t)reader->records ||
        json_integer_value(json_object_get(trailer, "bytes")) != (json_int_t)reader->bytes)
        return damaged(reader, err, "another number of records or octets than the trailer says");
    if (!from_hex(json_object_get(trailer, "sha256"), stored, sizeof stored) ||
        sodium_memcmp(stored, hash, sizeof hash) != 0)
        return damaged(reader, err, "another hash than the trailer says");
    if (reader->is_sealed && !reader->is_last)
        return damaged(reader, err, "the seal says that more should follow");
    if (reader->at != reader->size)
        return damaged(reader, err, "something follows the trailer");
    return BONDY_OK;
}

static int read_trailer(struct bondy_backup_reader *reader, struct bondy_error *err)
{
    json_t *trailer = NULL;
    int rc;

    if (reader->rest.len > TRAILER_MAX)
        return damaged(reader, err, "a trailer that is too long");
    if ((rc = take_tree(reader, &trailer, err)) == BONDY_OK)
        rc = check_trailer(reader, trailer, err);
    json_decref(trailer);
    return rc;
}

int bondy_backup_read_frame(struct bondy_backup_reader *reader, bool *has_block,
                            struct bondy_error *err)
{
    struct bondy_slice stored;
    size_t raw_len;

    *has_block = reader->at < reader->size;
    return *has_block ? read_stored(reader, BONDY_BACKUP_BLOCK_MAX, &stored, &raw_len, err)
                      : BONDY_OK;
}

int bondy_backup_read_record(struct bondy_backup_reader *reader, struct bondy_slice *key,
                             struct bondy_slice *envelope, bool *has_record,
                             struct bondy_error *err)
{
    struct bondy_slice start;
    const char *wrong;
    uint64_t count;
    int rc;

    *has_record = false;
    if (reader->rest.len == 0) {
        if ((rc = read_block(reader, BONDY_BACKUP_BLOCK_MAX, err)) < 0)
            return rc;
        if ((uint8_t)reader->rest.data[0] >> 5 == CBOR_MAJOR_MAP)
            return read_trailer(reader, err);
    }
    start = reader->rest;
    if (!bondy_head_take(&reader->rest, BONDY_HEAD_ARRAY, &count) || count != 2 ||
        !bondy_head_take_bytes(&reader->rest, key) ||
        !bondy_head_take_bytes(&reader->rest, envelope))
        return damaged(reader, err, "something that is not a record");
    if ((wrong = what_is_wrong(*key, *envelope)) != NULL)
        return damaged(reader, err, wrong);
    if (bondy_slice_cmp(*key, bondy_buf_slice(&reader->last_key)) <= 0)
        return damaged(reader, err, "a record that is out of order, or there twice");
    reader->last_key.len = 0;
    bondy_buf_append_slice(&reader->last_key, *key);
    count_content(reader, bondy_slice_of(start.data, start.len - reader->rest.len));
    reader->records++;
    *has_record = true;
    return BONDY_OK;
}

/* ---- header and verify ----------------------------------------------------------------------- */

int bondy_backup_header_wait(const char *dir, struct bondy_slice filename, json_t **out,
                             struct bondy_error *err)
{
    struct bondy_backup_reader reader;
    int fd = -1;
    int rc = bondy_backup_open_file(dir, filename, &fd, err);

    if (rc < 0)
        return rc;
    rc = bondy_backup_reader_init(&reader, fd, false, NULL, err);
    if (rc == BONDY_OK)
        *out = BONDY_MOVE(reader.header);
    bondy_backup_reader_fini(&reader);
    close(fd);
    return rc;
}
