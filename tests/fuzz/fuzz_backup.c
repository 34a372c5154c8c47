/* SPDX-License-Identifier: Apache-2.0 */
/* A backup file: as it is; as the content of a block that is right; and as one record of a file
 * that is right, with its checksum put right, so that what lies behind each check is reached too.
 */
#include "tests/fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/store/backup_file.h"
#include "src/store/write.h"

static void put_u32(struct bondy_buf *out, uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        bondy_buf_append_byte(out, value >> shift & 0xff);
}

static void append_block(struct bondy_buf *file, struct bondy_slice content)
{
    size_t room = ZSTD_compressBound(content.len), len;
    struct bondy_buf rest = BONDY_BUF_EMPTY;

    put_u32(&rest, (uint32_t)content.len);
    put_u32(&rest, 0);
    len = ZSTD_compress(bondy_buf_reserve(&rest, room), room, content.data, content.len, 1);
    rest.len += len;
    for (int i = 0; i < 4; i++)
        rest.data[4 + i] = (char)(uint8_t)(len >> (24 - 8 * i));
    put_u32(file, bondy_crc32c(bondy_buf_slice(&rest)));
    bondy_buf_append_slice(file, bondy_buf_slice(&rest));
    bondy_buf_fini(&rest);
}

static void read_all(int fd)
{
    static const uint8_t secret_key[BONDY_BACKUP_KEY_LEN] = "a key of thirty-two octets, thus";
    struct bondy_backup_reader reader;
    struct bondy_slice key, envelope;
    bool has_record = true;
    int rc = bondy_backup_reader_init(&reader, fd, true, secret_key, NULL);

    while (rc == BONDY_OK && has_record) {
        rc = bondy_backup_read_record(&reader, &key, &envelope, &has_record, NULL);
        if (rc == BONDY_OK && has_record) {
            struct bondy_record record;

            BONDY_BUG_ON(!bondy_record_fill(key, envelope, NULL, &record));
        }
    }
    bondy_backup_reader_fini(&reader);
}

static void read_bytes(struct bondy_slice bytes)
{
    int fd = memfd_create("backup", MFD_CLOEXEC);

    BONDY_BUG_ON(fd < 0 || write(fd, bytes.data, bytes.len) != (ssize_t)bytes.len);
    read_all(fd);
    close(fd);
}

static void read_as_content(struct bondy_slice content)
{
    struct bondy_buf file = BONDY_BUF_EMPTY;

    bondy_buf_append_text(&file, BONDY_BACKUP_MAGIC);
    append_block(&file, BONDY_SLICE("\xa1\x66"
                                    "format\x01"));
    append_block(&file, content);
    read_bytes(bondy_buf_slice(&file));
    bondy_buf_fini(&file);
}

/* The first octet says how long the key is. */
static void read_as_record(struct bondy_slice bytes)
{
    struct bondy_backup_writer writer;
    struct bondy_buf envelope = BONDY_BUF_EMPTY;
    struct bondy_slice key, rest = bondy_slice_skip(bytes, 1);
    json_t *header = json_pack("{s:i}", "format", 1);
    size_t key_len = (uint8_t)bytes.data[0];
    int fd = memfd_create("backup", MFD_CLOEXEC);
    uint32_t crc;

    key = bondy_slice_of(rest.data, key_len < rest.len ? key_len : rest.len);
    bondy_buf_append_slice(&envelope, bondy_slice_skip(rest, key.len));
    crc = bondy_crc32c(bondy_buf_slice(&envelope));
    put_u32(&envelope, crc);
    bondy_backup_writer_init(&writer, fd);
    bondy_backup_write_header(&writer, header, NULL, 0, NULL);
    bondy_backup_write_record(&writer, key, bondy_buf_slice(&envelope), NULL);
    bondy_backup_write_trailer(&writer, NULL);
    bondy_backup_writer_fini(&writer);
    read_all(fd);
    close(fd);
    json_decref(header);
    bondy_buf_fini(&envelope);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bondy_slice bytes = bondy_slice_of(data, size);

    read_bytes(bytes);
    if (size == 0)
        return 0;
    read_as_content(bytes);
    read_as_record(bytes);
    return 0;
}
