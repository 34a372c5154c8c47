/* SPDX-License-Identifier: Apache-2.0 */

/* Master keys, and bodies that are sealed for one place. */

#include "tests/lib/test.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "src/base/alloc.h"
#include "src/store/key.h"
#include "src/store/seal.h"

#define HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define BASE64 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

/* ---- keys ------------------------------------------------------------------------------------ */

static void a_key_is_hex_or_base64_on_a_line_of_its_own(void **state)
{
    static const char *const texts[] = {HEX,
                                        HEX "\n",
                                        BASE64,
                                        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
                                        "  " HEX " \r\n\n",
                                        "# bondy master key 1\n\n" HEX "\n# the end",
                                        "000102030405060708090A0B0C0D0E0F"
                                        "101112131415161718191A1B1C1D1E1F"};
    struct bondy_master_key key;
    struct bondy_error err;

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(texts); i++) {
        memset(&key, 0xff, sizeof key);
        if (bondy_master_key_parse(bondy_slice_text(texts[i]), &key, &err) < 0)
            fail_msg("%s: %s", texts[i], err.text);
        for (size_t k = 0; k < sizeof key.octets; k++)
            assert_int_equal(key.octets[k], k);
    }
}

static void what_is_no_key_is_refused_and_not_told(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "no master key"},
        {"# only words\n\n", "no master key"},
        {"secretpassword", "14 characters"},
        {HEX "0", "65 characters"},
        {HEX "\n" HEX, "more than one"},
        {"g00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "64 characters"},
        {ZEROS, "zeros"},
        {"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8==A", "characters"},
        {"-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PRIVATE KEY-----\n", "more than one"}};
    struct bondy_master_key key;
    struct bondy_error err;

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        assert_int_equal(bondy_master_key_parse(bondy_slice_text(cases[i].text), &key, &err),
                         BONDY_EINVAL);
        if (strstr(err.text, cases[i].why) == NULL)
            fail_msg("%s: %s", cases[i].text, err.text);
        assert_null(strstr(err.text, "secret"));
        assert_null(strstr(err.text, "00010203"));
    }
}

static void a_key_file_is_made_once_and_read_only_when_it_is_private(void **state)
{
    char *folder = bondy_test_mkdir(), path[300], id[BONDY_MASTER_KEY_ID_TEXT];
    char again[BONDY_MASTER_KEY_ID_TEXT];
    uint8_t octets[BONDY_MASTER_KEY_ID_LEN];
    struct bondy_master_key key;
    struct bondy_error err;
    struct stat info;

    (void)state;
    snprintf(path, sizeof path, "%s/master.key", folder);
    assert_int_equal(bondy_master_key_read(path, &key, &err), BONDY_ENOENT);
    assert_int_equal(bondy_master_key_make(path, id, &err), BONDY_OK);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(bondy_master_key_read(path, &key, &err), BONDY_OK);
    bondy_master_key_id(&key, octets);
    bondy_master_key_id_text(octets, again);
    assert_string_equal(id, again);
    assert_int_equal(bondy_master_key_make(path, again, &err), BONDY_EEXIST);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(bondy_master_key_read(path, &key, &err), BONDY_EDENIED);
    assert_non_null(strstr(err.text, "mode 640"));
    bondy_test_rmdir(folder);
}

/* Whoever sees the id cannot tell the key; it is the same everywhere. */
static void the_id_is_a_hash_of_the_key(void **state)
{
    struct bondy_master_key key;
    uint8_t id[BONDY_MASTER_KEY_ID_LEN];
    char text[BONDY_MASTER_KEY_ID_TEXT];

    (void)state;
    assert_int_equal(bondy_master_key_parse(BONDY_SLICE(HEX), &key, NULL), BONDY_OK);
    bondy_master_key_id(&key, id);
    bondy_master_key_id_text(id, text);
    /* BLAKE2b-256, with the key as its key, of "bondy master key", made with another program. */
    assert_string_equal(text, "befa80e4a5fa92af");
}

/* ---- seals ----------------------------------------------------------------------------------- */

static const struct bondy_master_key key1 = {{1}}, key2 = {{2}};

static bool is_secret(const struct bondy_store_key *key)
{
    return key->type == BONDY_RECORD_USER_ELEMENT;
}

static struct bondy_seal *seal_with(const struct bondy_master_key *key,
                                    const struct bondy_master_key *previous)
{
    return bondy_seal_create(
        &(struct bondy_seal_options){.key = key, .previous = previous, .is_secret = is_secret});
}

static struct bondy_key_bytes bytes;

static struct bondy_seal_place place_of(enum bondy_record_type type, const char *realm,
                                        uint32_t gen, struct bondy_slice subkey, uint32_t schema)
{
    const struct bondy_store_key key = {type, bondy_slice_text(realm), gen, subkey};

    bondy_key_encode(&key, &bytes);
    return (struct bondy_seal_place){bondy_slice_of(bytes.bytes, bytes.len), subkey, schema};
}

static struct bondy_seal_place home(void)
{
    return place_of(BONDY_RECORD_USER_ELEMENT, "com.acme", 1, BONDY_SLICE("ann\0\0\0\0\0\0p\0"), 1);
}

#define BODY BONDY_SLICE("the verifier of ann")

static void what_is_sealed_can_be_opened_with_either_key(void **state)
{
    struct bondy_seal *old = seal_with(&key1, NULL), *both = seal_with(&key2, &key1);
    struct bondy_seal *fresh = seal_with(&key2, NULL), *none = seal_with(NULL, &key2);
    struct bondy_buf sealed = BONDY_BUF_EMPTY, opened = BONDY_BUF_EMPTY;
    struct bondy_seal_place place = home();
    struct bondy_error err;

    (void)state;
    bondy_seal_close(old, &place, BODY, &sealed);
    assert_int_equal(sealed.len, BODY.len + BONDY_SEAL_OVERHEAD);
    assert_null(memmem(sealed.data, sealed.len, "verifier", 8));
    assert_int_equal(bondy_seal_open(both, &place, bondy_buf_slice(&sealed), &opened, &err),
                     BONDY_OK);
    assert_slice_is(bondy_buf_slice(&opened), "the verifier of ann");
    assert_int_equal(bondy_seal_open(fresh, &place, bondy_buf_slice(&sealed), &opened, &err),
                     BONDY_EDENIED);
    assert_int_equal(bondy_seal_open(none, &place, bondy_buf_slice(&sealed), &opened, &err),
                     BONDY_EDENIED);
    assert_int_equal(bondy_seal_open(NULL, &place, bondy_buf_slice(&sealed), &opened, &err),
                     BONDY_EDENIED);
    sealed.len = opened.len = 0;
    bondy_seal_close(both, &place, BODY, &sealed);
    assert_int_equal(bondy_seal_open(none, &place, bondy_buf_slice(&sealed), &opened, &err),
                     BONDY_OK);
    assert_slice_is(bondy_buf_slice(&opened), "the verifier of ann");
    assert_null(bondy_seal_key_id(none));
    assert_null(bondy_seal_key_id(NULL));
    bondy_buf_fini(&sealed);
    bondy_buf_fini(&opened);
    bondy_seal_destroy(old);
    bondy_seal_destroy(both);
    bondy_seal_destroy(fresh);
    bondy_seal_destroy(none);
}

static void the_same_body_never_looks_the_same(void **state)
{
    struct bondy_seal *seal = seal_with(&key1, NULL);
    struct bondy_buf one = BONDY_BUF_EMPTY, other = BONDY_BUF_EMPTY;
    struct bondy_seal_place place = home();

    (void)state;
    bondy_seal_close(seal, &place, BODY, &one);
    bondy_seal_close(seal, &place, BODY, &other);
    assert_memory_equal(one.data, other.data, 1 + BONDY_MASTER_KEY_ID_LEN);
    assert_memory_not_equal(one.data + 9, other.data + 9, 24);
    assert_memory_not_equal(one.data + 33, other.data + 33, BODY.len);
    bondy_buf_fini(&one);
    bondy_buf_fini(&other);
    bondy_seal_destroy(seal);
}

static void each_octet_that_is_changed_is_noticed(void **state)
{
    struct bondy_seal *seal = seal_with(&key1, NULL);
    struct bondy_buf sealed = BONDY_BUF_EMPTY, opened = BONDY_BUF_EMPTY;
    struct bondy_seal_place place = home();

    (void)state;
    bondy_seal_close(seal, &place, BODY, &sealed);
    for (size_t i = 0; i < sealed.len; i++) {
        sealed.data[i] ^= 1;
        assert_true(bondy_seal_open(seal, &place, bondy_buf_slice(&sealed), &opened, NULL) < 0);
        sealed.data[i] ^= 1;
        assert_true(bondy_seal_open(seal, &place, bondy_slice_of(sealed.data, i), &opened, NULL) <
                    0);
    }
    assert_int_equal(opened.len, 0);
    bondy_buf_append_byte(&sealed, 0);
    assert_int_equal(bondy_seal_open(seal, &place, bondy_buf_slice(&sealed), &opened, NULL),
                     BONDY_EPROTO);
    bondy_buf_fini(&sealed);
    bondy_buf_fini(&opened);
    bondy_seal_destroy(seal);
}

/* What an attacker who may write to the disk would do: make one user's verifier another's. */
static void what_was_sealed_for_one_place_opens_at_no_other(void **state)
{
    static const struct {
        enum bondy_record_type type;
        const char *realm;
        uint32_t gen;
        struct bondy_slice subkey;
        uint32_t schema;
    } others[] = {
        {BONDY_RECORD_USER_ELEMENT, "com.acme", 1, BONDY_SLICE("bob\0\0\0\0\0\0p\0"), 1},
        {BONDY_RECORD_USER_ELEMENT, "com.acme", 1, BONDY_SLICE("ann\0\0\0\0\1\0p\0"), 1},
        {BONDY_RECORD_USER_ELEMENT, "com.acme", 1, BONDY_SLICE("ann\0\0\0\0\0\0k\0"), 1},
        {BONDY_RECORD_USER_ELEMENT, "com.acme", 2, BONDY_SLICE("ann\0\0\0\0\0\0p\0"), 1},
        {BONDY_RECORD_USER_ELEMENT, "com.acm", 1, BONDY_SLICE("ann\0\0\0\0\0\0p\0"), 1},
        {BONDY_RECORD_REALM_ELEMENT, "com.acme", 1, BONDY_SLICE("ann\0\0\0\0\0\0p\0"), 1},
        {BONDY_RECORD_USER_ELEMENT, "com.acme", 1, BONDY_SLICE("ann\0\0\0\0\0\0p\0"), 2},
    };
    struct bondy_seal *seal = seal_with(&key1, NULL);
    struct bondy_buf sealed = BONDY_BUF_EMPTY, opened = BONDY_BUF_EMPTY;
    struct bondy_seal_place place = home();
    struct bondy_error err;

    (void)state;
    bondy_seal_close(seal, &place, BODY, &sealed);
    for (size_t i = 0; i < BONDY_COUNT(others); i++) {
        place = place_of(others[i].type, others[i].realm, others[i].gen, others[i].subkey,
                         others[i].schema);
        assert_int_equal(bondy_seal_open(seal, &place, bondy_buf_slice(&sealed), &opened, &err),
                         BONDY_EPROTO);
        assert_non_null(strstr(err.text, "belongs elsewhere"));
    }
    place = home();
    assert_int_equal(bondy_seal_open(seal, &place, bondy_buf_slice(&sealed), &opened, &err),
                     BONDY_OK);
    bondy_buf_fini(&sealed);
    bondy_buf_fini(&opened);
    bondy_seal_destroy(seal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_hex_or_base64_on_a_line_of_its_own),
        cmocka_unit_test(what_is_no_key_is_refused_and_not_told),
        cmocka_unit_test(a_key_file_is_made_once_and_read_only_when_it_is_private),
        cmocka_unit_test(the_id_is_a_hash_of_the_key),
        cmocka_unit_test(what_is_sealed_can_be_opened_with_either_key),
        cmocka_unit_test(the_same_body_never_looks_the_same),
        cmocka_unit_test(each_octet_that_is_changed_is_noticed),
        cmocka_unit_test(what_was_sealed_for_one_place_opens_at_no_other),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
