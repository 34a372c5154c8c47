/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/store_rig.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/store/backup.h"
#include "src/store/backup_file.h"
#include "src/store/key.h"
#include "src/sys/file.h"

/* threat-model D2: whatever the file is, the store is as before unless all of it is right. */

#define FILE_MAX ((size_t)8 << 20)

static int setup(void **state)
{
    struct store_rig *rig = bondy_alloc(sizeof *rig);

    store_rig_init(rig, 1 << 20);
    assert_int_equal(mkdir(rig->dir, 0700), 0);
    store_rig_put(rig, BONDY_RECORD_SETTING, .subkey = BONDY_SLICE("mine"), .text = "mine");
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    store_rig_fini(*state);
    bondy_free(*state);
    return 0;
}

static int restore(struct store_rig *rig, const char *name, struct bondy_error *err)
{
    struct bondy_backup_restore options = {
        .source = {.dir = rig->dir, .filename = bondy_slice_text(name)}};
    struct bondy_backup_progress progress = {0};
    struct bondy_backup_report report;

    return bondy_backup_restore_wait(rig->store, &options, &progress, &report, err);
}

static void write_file(struct store_rig *rig, const char *name, struct bondy_slice content)
{
    char path[600];

    snprintf(path, sizeof path, "%s/%s", rig->dir, name);
    assert_int_equal(bondy_file_write(path, content, 0600, NULL), BONDY_OK);
}

/* ---- damaged files ----------------------------------------------------------------------------
 */

/* A backup of some records that cannot be packed, over several blocks. */
static struct bondy_buf whole_backup(struct store_rig *rig, bool is_encrypted)
{
    uint8_t keys[1][BONDY_BACKUP_KEY_LEN];
    uint8_t secret_key[BONDY_BACKUP_KEY_LEN];
    struct bondy_backup_options options = {.dir = rig->dir,
                                           .recipients =
                                               (const uint8_t(*)[BONDY_BACKUP_KEY_LEN])keys,
                                           .recipient_count = is_encrypted};
    struct bondy_backup_progress progress = {0};
    struct bondy_buf content = BONDY_BUF_EMPTY;
    struct bondy_backup *backup;
    char name[16], text[4096];

    crypto_box_keypair(keys[0], secret_key);
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "n%04d", i);
        bondy_id_bytes(text, sizeof text);
        for (size_t j = 0; j < sizeof text; j++)
            text[j] = text[j] == 0 ? 'z' : text[j];
        text[sizeof text - 1] = '\0';
        store_rig_put(rig, BONDY_RECORD_SETTING, .subkey = bondy_slice_text(name), .text = text);
    }
    assert_int_equal(bondy_backup_begin_wait(rig->store, &options, &backup, NULL), BONDY_OK);
    assert_int_equal(bondy_backup_run_wait(backup, &progress, NULL), BONDY_OK);
    assert_int_equal(bondy_file_read(bondy_backup_path(backup), FILE_MAX, &content, NULL),
                     BONDY_OK);
    bondy_backup_destroy(backup);
    store_rig_wipe(rig);
    return content;
}

static void expect_refused(struct store_rig *rig, struct bondy_slice content, const char *what,
                           size_t at)
{
    struct bondy_error err = {0};
    char *dump;
    int rc;

    write_file(rig, "bad.bdyb", content);
    rc = restore(rig, "bad.bdyb", &err);
    if (rc != BONDY_EPROTO && rc != BONDY_EDENIED)
        fail_msg("%s at %zu: %s %s", what, at, bondy_code_name(rc), err.text);
    dump = store_rig_dump(rig);
    assert_string_equal(dump, "");
    bondy_free(dump);
}

static void a_file_that_was_cut_anywhere_changes_nothing(void **state)
{
    struct store_rig *rig = *state;
    struct bondy_buf content = whole_backup(rig, false);

    assert_true(content.len > BONDY_BACKUP_BLOCK);
    for (size_t len = 0; len < content.len; len += 4096)
        expect_refused(rig, bondy_slice_of(content.data, len), "cut", len);
    for (size_t len = content.len - 1; len > content.len - 200; len -= 9)
        expect_refused(rig, bondy_slice_of(content.data, len), "cut", len);
    bondy_buf_append_byte(&content, 0);
    expect_refused(rig, bondy_buf_slice(&content), "longer", content.len);
    content.len--;
    write_file(rig, "good.bdyb", bondy_buf_slice(&content));
    assert_int_equal(restore(rig, "good.bdyb", NULL), BONDY_OK);
    bondy_buf_fini(&content);
}

static void a_file_with_a_flipped_bit_changes_nothing(void **state)
{
    struct store_rig *rig = *state;
    struct bondy_buf content = whole_backup(rig, false);

    for (size_t at = 0; at < content.len; at += at < 400 || at > content.len - 300 ? 1 : 17771) {
        content.data[at] = (char)(content.data[at] ^ (1 << at % 8));
        expect_refused(rig, bondy_buf_slice(&content), "flipped", at);
        content.data[at] = (char)(content.data[at] ^ (1 << at % 8));
    }
    bondy_buf_fini(&content);
}

/* ---- files that are made on purpose -----------------------------------------------------------
 */

/* One wrong record among right ones, in a file that is right in every other way. */
struct forged {
    const char *what;
    enum bondy_record_type type;
    const char *realm;
    uint32_t key_gen;
    struct bondy_slice subkey;
    struct bondy_slice body;
    unsigned flags;
    uint32_t gen;
    uint64_t wall_ms;
    struct bondy_slice kept_subkey;
    bool is_twice;
    bool is_broken; /* its own checksum is wrong */
};

#define RIGHT_BODY BONDY_SLICE("\xa0")
#define RIGHT .type = BONDY_RECORD_SETTING, .subkey = BONDY_SLICE("k"), .wall_ms = 5

static void write_forged(struct bondy_backup_writer *writer, const struct forged *forged)
{
    static const uint8_t nobody[BONDY_WRITER_LEN];
    const struct bondy_store_key key = {forged->type, bondy_slice_text(forged->realm),
                                        forged->key_gen, forged->subkey};
    struct bondy_envelope envelope = {.flags = forged->flags,
                                      .gen = forged->gen,
                                      .schema = 1,
                                      .body = forged->body,
                                      .subkey = forged->kept_subkey};
    struct bondy_buf bytes = BONDY_BUF_EMPTY;
    struct bondy_key_bytes raw;

    bondy_key_encode(&key, &raw);
    bondy_version_make(forged->wall_ms, 1, nobody, envelope.version);
    bondy_envelope_encode(&envelope, &bytes);
    bytes.data[bytes.len - 1] = (char)(bytes.data[bytes.len - 1] ^ forged->is_broken);
    for (int i = 0; i <= forged->is_twice; i++)
        bondy_backup_write_record(writer, bondy_slice_of(raw.bytes, raw.len),
                                  bondy_buf_slice(&bytes), NULL);
    bondy_buf_fini(&bytes);
}

static void make_forged(struct store_rig *rig, const struct forged *forged)
{
    struct bondy_backup_writer writer;
    json_t *header = json_pack("{s:i}", "format", 1);
    char path[600];
    int fd;

    snprintf(path, sizeof path, "%s/forged.bdyb", rig->dir);
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    bondy_backup_writer_init(&writer, fd);
    assert_int_equal(bondy_backup_write_header(&writer, header, NULL, 0, NULL), BONDY_OK);
    write_forged(&writer, &(struct forged){.type = BONDY_RECORD_REALM,
                                           .subkey = BONDY_SLICE("a"),
                                           .body = RIGHT_BODY,
                                           .wall_ms = 5});
    if (forged != NULL)
        write_forged(&writer, forged);
    assert_int_equal(bondy_backup_write_trailer(&writer, NULL), BONDY_OK);
    bondy_backup_writer_fini(&writer);
    json_decref(header);
    close(fd);
}

static void a_wrong_record_refuses_the_whole_file(void **state)
{
    static const char long_key[500];
    static const struct forged cases[] = {
        {"unknown type", .type = (enum bondy_record_type)0x13, .subkey = {"k", 1},
         .body = {"\xa0", 1}, .wall_ms = 5},
        {"type 0", .type = (enum bondy_record_type)0, .subkey = {"k", 1}, .body = {"\xa0", 1},
         .wall_ms = 5},
        {"no subkey", .type = BONDY_RECORD_SETTING, .body = {"\xa0", 1}, .wall_ms = 5},
        {"a global type with a scope", RIGHT, .realm = "a", .body = {"\xa0", 1}},
        {"a global type with a generation", RIGHT, .key_gen = 1, .body = {"\xa0", 1}},
        {"a user without a scope", .type = BONDY_RECORD_USER, .subkey = {"k", 1},
         .body = {"\xa0", 1}, .wall_ms = 5},
        {"a generation of what has none", RIGHT, .gen = 1, .body = {"\xa0", 1}},
        {"a generation near the end", .type = BONDY_RECORD_USER, .realm = "a", .subkey = {"k", 1},
         .body = {"\xa0", 1}, .wall_ms = 5, .gen = UINT32_MAX},
        {"a key generation near the end", .type = BONDY_RECORD_USER, .realm = "a",
         .key_gen = UINT32_MAX, .subkey = {"k", 1}, .body = {"\xa0", 1}, .wall_ms = 5},
        {"a version of the far future", .type = BONDY_RECORD_SETTING, .subkey = {"k", 1},
         .body = {"\xa0", 1}, .wall_ms = (UINT64_C(1) << 48) - 1},
        {"a version of nothing", .type = BONDY_RECORD_SETTING, .subkey = {"k", 1},
         .body = {"\xa0", 1}},
        {"unknown flags", RIGHT, .flags = 4, .body = {"\xa0", 1}},
        {"a tombstone with a body", RIGHT, .flags = BONDY_ENVELOPE_TOMBSTONE, .body = {"\xa0", 1}},
        {"no body", RIGHT},
        {"a body that is not CBOR", RIGHT, .body = {"\xff", 1}},
        {"a body that is cut", RIGHT, .body = {"\x82\x01", 2}},
        {"a body with more behind it", RIGHT, .body = {"\xa0\xa0", 2}},
        {"a long key without its whole", RIGHT, .body = {"\xa0", 1}, .kept_subkey = {"k", 1}},
        {"a long key with another whole", .type = BONDY_RECORD_SETTING,
         .subkey = {long_key, sizeof long_key}, .body = {"\xa0", 1}, .wall_ms = 5,
         .kept_subkey = {long_key, sizeof long_key - 1}},
        {"twice", RIGHT, .body = {"\xa0", 1}, .is_twice = true},
        {"a wrong checksum of its own", RIGHT, .body = {"\xa0", 1}, .is_broken = true},
        {"out of order", .type = BONDY_RECORD_REALM, .subkey = {"A", 1}, .body = {"\xa0", 1},
         .wall_ms = 5},
    };
    struct store_rig *rig = *state;
    struct bondy_error err;

    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        int rc;
        char *text;

        make_forged(rig, &cases[i]);
        rc = restore(rig, "forged.bdyb", &err);
        if (rc != BONDY_EPROTO)
            fail_msg("%s: %s", cases[i].what, bondy_code_name(rc));
        text = store_rig_text(rig);
        assert_string_equal(text, "15/0/mine=mine ");
        bondy_free(text);
    }
    make_forged(rig, NULL);
    assert_int_equal(restore(rig, "forged.bdyb", &err), BONDY_OK);
}

/* Lengths that ask for more memory than the file has octets. */
static void lengths_are_not_believed(void **state)
{
    struct store_rig *rig = *state;
    struct bondy_buf content = whole_backup(rig, false);
    static const uint8_t lengths[][8] = {
        {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
        {0, 0x10, 0, 0, 0xff, 0xff, 0xff, 0xff},
        {0, 0x1f, 0xff, 0xff, 0, 0x1f, 0xff, 0xff},
        {0, 0, 0, 0, 0, 0, 0, 0},
        {0, 0, 0, 1, 0, 0, 0, 0},
    };

    for (size_t i = 0; i < BONDY_COUNT(lengths); i++) {
        memcpy(content.data + BONDY_BACKUP_MAGIC_LEN + 4, lengths[i], 8);
        expect_refused(rig, bondy_buf_slice(&content), "length", i);
    }
    bondy_buf_fini(&content);
}

static int refuse_blue(void *context, const struct bondy_record *record, struct bondy_error *err)
{
    (void)context;
    return record->key.type == BONDY_RECORD_REALM ? bondy_fail(err, BONDY_EINVAL, "no such body")
                                                  : BONDY_OK;
}

static void the_caller_may_refuse_a_body(void **state)
{
    struct store_rig *rig = *state;
    struct bondy_backup_source source = {
        .dir = rig->dir, .filename = BONDY_SLICE("forged.bdyb"), .check = refuse_blue};
    struct bondy_backup_progress progress = {0};
    struct bondy_backup_report report;

    make_forged(rig, NULL);
    assert_int_equal(bondy_backup_verify_wait(&source, &progress, &report, NULL), BONDY_EINVAL);
}

static void a_seal_that_was_touched_is_noticed(void **state)
{
    struct store_rig *rig = *state;
    struct bondy_buf content = whole_backup(rig, true);

    expect_refused(rig, bondy_buf_slice(&content), "sealed", 0);
    for (size_t at = 20; at < 400; at += 7) {
        content.data[at] = (char)(content.data[at] ^ 1);
        expect_refused(rig, bondy_buf_slice(&content), "flipped", at);
        content.data[at] = (char)(content.data[at] ^ 1);
    }
    bondy_buf_fini(&content);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_that_was_cut_anywhere_changes_nothing),
        TEST(a_file_with_a_flipped_bit_changes_nothing),
        TEST(a_wrong_record_refuses_the_whole_file),
        TEST(lengths_are_not_believed),
        TEST(the_caller_may_refuse_a_body),
        TEST(a_seal_that_was_touched_is_noticed),
    };

    assert_int_equal(bondy_id_start(NULL), BONDY_OK);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
