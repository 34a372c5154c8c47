/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/backup_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/store/head.h"
#include "src/wamp/codec.h"

/* The way out; the way in is backup_read.c. */

#define ZSTD_LEVEL 3
#define BLOCK_HEAD 12
#define HEX_OF(octets) ((octets)*2 + 1)

void bondy_backup_writer_init(struct bondy_backup_writer *writer, int fd)
{
    memset(writer, 0, sizeof *writer);
    writer->fd = fd;
    writer->zstd = ZSTD_createCCtx();
    BONDY_BUG_ON(writer->zstd == NULL);
    ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
    crypto_hash_sha256_init(&writer->hash);
}

void bondy_backup_writer_fini(struct bondy_backup_writer *writer)
{
    sodium_memzero(&writer->seal, sizeof writer->seal);
    ZSTD_freeCCtx(writer->zstd);
    bondy_buf_fini(&writer->raw);
    bondy_buf_fini(&writer->stored);
}

static int write_all(struct bondy_backup_writer *writer, struct bondy_slice bytes,
                     struct bondy_error *err)
{
    writer->file_bytes += bytes.len;
    while (bytes.len > 0) {
        ssize_t written = write(writer->fd, bytes.data, bytes.len);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return bondy_fail(err, BONDY_EIO, "writing the backup: %s", strerror(errno));
        bytes = bondy_slice_skip(bytes, (size_t)written);
    }
    return BONDY_OK;
}

static void put_u32(char *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (char)(uint8_t)(value >> (24 - 8 * i));
}

/* Packs writer->raw to `at`, seals it there when the file is encrypted; returns the length. */
static int pack(struct bondy_backup_writer *writer, char *at, size_t room, bool is_last,
                size_t *len, struct bondy_error *err)
{
    size_t packed = ZSTD_compress2(writer->zstd, at, room, writer->raw.data, writer->raw.len);
    unsigned long long sealed = 0;
    char *plain;

    if (ZSTD_isError(packed))
        return bondy_fail(err, BONDY_EIO, "packing a block: %s", ZSTD_getErrorName(packed));
    *len = packed;
    if (!writer->is_sealed)
        return BONDY_OK;
    plain = bondy_memdup0(at, packed);
    crypto_secretstream_xchacha20poly1305_push(
        &writer->seal, (unsigned char *)at, &sealed, (const unsigned char *)plain, packed,
        writer->header_hash, sizeof writer->header_hash,
        is_last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL
                : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE);
    bondy_free(plain);
    *len = (size_t)sealed;
    return BONDY_OK;
}

static int write_block(struct bondy_backup_writer *writer, bool is_last, struct bondy_error *err)
{
    size_t room = ZSTD_compressBound(writer->raw.len);
    size_t len = 0;
    char *at;
    int rc;

    writer->stored.len = 0;
    at = bondy_buf_reserve(&writer->stored,
                           BLOCK_HEAD + room + crypto_secretstream_xchacha20poly1305_ABYTES);
    if ((rc = pack(writer, at + BLOCK_HEAD, room, is_last, &len, err)) < 0)
        return rc;
    put_u32(at + 4, (uint32_t)writer->raw.len);
    put_u32(at + 8, (uint32_t)len);
    put_u32(at, bondy_crc32c(bondy_slice_of(at + 4, BLOCK_HEAD - 4 + len)));
    writer->raw.len = 0;
    return write_all(writer, bondy_slice_of(at, BLOCK_HEAD + len), err);
}

static void count_content(struct bondy_backup_writer *writer, struct bondy_slice content)
{
    crypto_hash_sha256_update(&writer->hash, (const unsigned char *)content.data, content.len);
    writer->bytes += content.len;
}

static json_t *hex(const void *octets, size_t len)
{
    char text[HEX_OF(128)];

    BONDY_BUG_ON(len > 128);
    sodium_bin2hex(text, sizeof text, octets, len);
    return json_string(text);
}

/* A key of this file, sealed for each recipient; who they are is not told. */
static int add_encryption(struct bondy_backup_writer *writer, json_t *header,
                          const uint8_t (*recipients)[BONDY_BACKUP_KEY_LEN], size_t count,
                          struct bondy_error *err)
{
    uint8_t key[crypto_secretstream_xchacha20poly1305_KEYBYTES];
    uint8_t sealed[crypto_box_SEALBYTES + sizeof key];
    uint8_t start[crypto_secretstream_xchacha20poly1305_HEADERBYTES];
    json_t *keys = json_array();
    int rc = BONDY_OK;

    crypto_secretstream_xchacha20poly1305_keygen(key);
    for (size_t i = 0; i < count && rc == BONDY_OK; i++) {
        if (crypto_box_seal(sealed, key, sizeof key, recipients[i]) != 0)
            rc =
                bondy_fail(err, BONDY_EINVAL, "recipient %zu is not a public key of X25519", i + 1);
        else
            json_array_append_new(keys, hex(sealed, sizeof sealed));
    }
    crypto_secretstream_xchacha20poly1305_init_push(&writer->seal, start, key);
    sodium_memzero(key, sizeof key);
    json_object_set_new(header, "encryption",
                        json_pack("{s:s, s:o, s:o}", "algorithm", "x25519-xchacha20poly1305",
                                  "keys", keys, "start", hex(start, sizeof start)));
    return rc;
}

int bondy_backup_write_header(struct bondy_backup_writer *writer, json_t *header,
                              const uint8_t (*recipients)[BONDY_BACKUP_KEY_LEN], size_t count,
                              struct bondy_error *err)
{
    int rc = BONDY_OK;

    if (count > 0)
        rc = add_encryption(writer, header, recipients, count, err);
    if (rc < 0 || (rc = write_all(writer, BONDY_SLICE(BONDY_BACKUP_MAGIC), err)) < 0)
        return rc;
    bondy_value_format(BONDY_CBOR, header, &writer->raw);
    if (writer->raw.len > BONDY_BACKUP_HEADER_MAX)
        return bondy_fail(err, BONDY_EINVAL, "the list of realms is too long");
    count_content(writer, bondy_buf_slice(&writer->raw));
    crypto_hash_sha256(writer->header_hash, (const unsigned char *)writer->raw.data,
                       writer->raw.len);
    rc = write_block(writer, false, err);
    writer->is_sealed = count > 0;
    return rc;
}

int bondy_backup_write_record(struct bondy_backup_writer *writer, struct bondy_slice key,
                              struct bondy_slice envelope, struct bondy_error *err)
{
    size_t start;
    int rc;

    if (envelope.len > BONDY_BACKUP_BLOCK_MAX - 1024)
        return bondy_fail(err, BONDY_ELIMIT, "a record of %zu octets: a backup takes up to %zu",
                          envelope.len, BONDY_BACKUP_BLOCK_MAX - 1024);
    if (writer->raw.len > 0 && writer->raw.len + key.len + envelope.len > BONDY_BACKUP_BLOCK &&
        (rc = write_block(writer, false, err)) < 0)
        return rc;
    start = writer->raw.len;
    bondy_head_put(&writer->raw, BONDY_HEAD_ARRAY, 2);
    bondy_head_put_bytes(&writer->raw, key);
    bondy_head_put_bytes(&writer->raw, envelope);
    count_content(writer, bondy_slice_skip(bondy_buf_slice(&writer->raw), start));
    writer->records++;
    return BONDY_OK;
}

int bondy_backup_write_trailer(struct bondy_backup_writer *writer, struct bondy_error *err)
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    json_t *trailer;
    int rc = writer->raw.len > 0 ? write_block(writer, false, err) : BONDY_OK;

    if (rc < 0)
        return rc;
    crypto_hash_sha256_final(&writer->hash, hash);
    trailer = json_pack("{s:I, s:I, s:o}", "records", (json_int_t)writer->records, "bytes",
                        (json_int_t)writer->bytes, "sha256", hex(hash, sizeof hash));
    bondy_value_format(BONDY_CBOR, trailer, &writer->raw);
    json_decref(trailer);
    return write_block(writer, true, err);
}
