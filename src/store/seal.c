/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/store/key.h"
#include "src/sys/file.h"

#define FORMAT 1
#define ID_LEN BONDY_MASTER_KEY_ID_LEN
#define KEY_LEN BONDY_MASTER_KEY_LEN
#define NONCE_LEN crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_LEN crypto_aead_xchacha20poly1305_ietf_ABYTES
#define HEAD_LEN (1 + ID_LEN + NONCE_LEN)
#define FILE_MAX 4096
#define PLACE_LABEL "bondy record 1"
#define KEY_LABEL "bondy master key"

_Static_assert(KEY_LEN == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "one key seals");
_Static_assert(HEAD_LEN + TAG_LEN == BONDY_SEAL_OVERHEAD, "what a seal adds");

struct bondy_seal {
    bool has_key, has_previous;
    struct bondy_master_key key, previous;
    uint8_t key_id[ID_LEN], previous_id[ID_LEN];
    bool (*is_secret)(const struct bondy_store_key *key);
};

/* ---- keys ------------------------------------------------------------------------------------ */

void bondy_master_key_id(const struct bondy_master_key *key, uint8_t out[ID_LEN])
{
    uint8_t hash[crypto_generichash_BYTES];

    crypto_generichash(hash, sizeof hash, (const uint8_t *)KEY_LABEL, sizeof KEY_LABEL - 1,
                       key->octets, sizeof key->octets);
    memcpy(out, hash, ID_LEN);
}

void bondy_master_key_id_text(const uint8_t id[ID_LEN], char out[BONDY_MASTER_KEY_ID_TEXT])
{
    sodium_bin2hex(out, BONDY_MASTER_KEY_ID_TEXT, id, ID_LEN);
}

static bool read_octets(struct bondy_slice word, uint8_t out[KEY_LEN])
{
    size_t got = 0;

    if (word.len == 2 * KEY_LEN)
        return sodium_hex2bin(out, KEY_LEN, word.data, word.len, NULL, &got, NULL) == 0 &&
               got == KEY_LEN;
    while (word.len > 0 && word.data[word.len - 1] == '=')
        word.len--;
    return sodium_base642bin(out, KEY_LEN, word.data, word.len, NULL, &got, NULL,
                             sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0 &&
           got == KEY_LEN;
}

static struct bondy_slice take_line(struct bondy_slice *text)
{
    const char *end = text->len == 0 ? NULL : memchr(text->data, '\n', text->len);
    size_t len = end == NULL ? text->len : (size_t)(end - text->data);
    struct bondy_slice line = bondy_slice_of(text->data, len);

    *text = bondy_slice_skip(*text, end == NULL ? len : len + 1);
    return bondy_slice_trim(line);
}

int bondy_master_key_parse(struct bondy_slice text, struct bondy_master_key *out,
                           struct bondy_error *err)
{
    struct bondy_slice word = BONDY_SLICE_EMPTY;

    while (text.len > 0) {
        struct bondy_slice line = take_line(&text);

        if (line.len == 0 || line.data[0] == '#')
            continue;
        if (word.len > 0)
            return bondy_fail(err, BONDY_EINVAL,
                              "a master key is one line, and there are more than one");
        word = line;
    }
    if (word.len == 0)
        return bondy_fail(err, BONDY_EINVAL,
                          "there is no master key (bondyd --make-master-key FILE makes one)");
    if (!read_octets(word, out->octets))
        return bondy_fail(err, BONDY_EINVAL,
                          "a master key is %d octets: %d hexadecimal digits, or base64; this is "
                          "%zu characters of something else (bondyd --make-master-key FILE makes "
                          "one)",
                          KEY_LEN, 2 * KEY_LEN, word.len);
    if (sodium_is_zero(out->octets, sizeof out->octets))
        return bondy_fail(err, BONDY_EINVAL, "a master key of nothing but zeros is none");
    return BONDY_OK;
}

int bondy_master_key_read(const char *path, struct bondy_master_key *out, struct bondy_error *err)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    int rc;

    bondy_buf_reserve(&text, FILE_MAX + 1); /* does not move: no copy is left behind */
    if ((rc = bondy_file_check_private(path, err)) == BONDY_OK &&
        (rc = bondy_file_read(path, FILE_MAX, &text, err)) == BONDY_OK &&
        (rc = bondy_master_key_parse(bondy_buf_slice(&text), out, err)) < 0)
        bondy_wrap(err, "%s", path);
    if (text.data != NULL)
        sodium_memzero(text.data, text.len);
    bondy_buf_fini(&text);
    return rc;
}

int bondy_master_key_make(const char *path, char id[BONDY_MASTER_KEY_ID_TEXT],
                          struct bondy_error *err)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    struct bondy_master_key key;
    uint8_t octets[ID_LEN];
    char hex[2 * KEY_LEN + 1];
    int rc = BONDY_OK, fd;

    /* One that is there may be the only way to open a store. */
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return bondy_fail(err, errno == EEXIST ? BONDY_EEXIST : BONDY_EIO, "%s: %s", path,
                          errno == EEXIST ? "it is there already, and stays as it is"
                                          : strerror(errno));
    randombytes_buf(key.octets, sizeof key.octets);
    bondy_master_key_id(&key, octets);
    bondy_master_key_id_text(octets, id);
    sodium_bin2hex(hex, sizeof hex, key.octets, sizeof key.octets);
    bondy_buf_printf(&text, "# bondy master key %s\n%s\n", id, hex);
    if (write(fd, text.data, text.len) != (ssize_t)text.len || fsync(fd) != 0) {
        rc = bondy_fail(err, BONDY_EIO, "%s: %s", path, strerror(errno));
        unlink(path);
    }
    close(fd);
    sodium_memzero(text.data, text.len);
    sodium_memzero(&key, sizeof key);
    sodium_memzero(hex, sizeof hex);
    bondy_buf_fini(&text);
    return rc;
}

/* ---- seals ----------------------------------------------------------------------------------- */

struct bondy_seal *bondy_seal_create(const struct bondy_seal_options *options)
{
    struct bondy_seal *seal = sodium_malloc(sizeof *seal);

    BONDY_BUG_ON(seal == NULL);
    memset(seal, 0, sizeof *seal);
    seal->is_secret = options->is_secret;
    seal->has_key = options->key != NULL;
    seal->has_previous = options->previous != NULL;
    if (seal->has_key) {
        seal->key = *options->key;
        bondy_master_key_id(&seal->key, seal->key_id);
    }
    if (seal->has_previous) {
        seal->previous = *options->previous;
        bondy_master_key_id(&seal->previous, seal->previous_id);
    }
    sodium_mprotect_readonly(seal);
    return seal;
}

void bondy_seal_destroy(struct bondy_seal *seal)
{
    sodium_free(seal); /* zeroes it */
}

const uint8_t *bondy_seal_key_id(const struct bondy_seal *seal)
{
    return seal != NULL && seal->has_key ? seal->key_id : NULL;
}

static const struct bondy_master_key *find_key(const struct bondy_seal *seal,
                                               const uint8_t id[ID_LEN])
{
    if (seal != NULL && seal->has_key && memcmp(id, seal->key_id, ID_LEN) == 0)
        return &seal->key;
    if (seal != NULL && seal->has_previous && memcmp(id, seal->previous_id, ID_LEN) == 0)
        return &seal->previous;
    return NULL;
}

bool bondy_seal_knows(const struct bondy_seal *seal, const uint8_t id[ID_LEN])
{
    return find_key(seal, id) != NULL;
}

bool bondy_seal_is_secret(const struct bondy_seal *seal, const struct bondy_store_key *key)
{
    return seal != NULL && seal->is_secret != NULL && seal->is_secret(key);
}

static void format_place(const struct bondy_seal_place *place, struct bondy_buf *out)
{
    BONDY_BUG_ON(place->key.len < BONDY_KEY_HEAD);
    bondy_buf_append(out, PLACE_LABEL, sizeof PLACE_LABEL - 1);
    bondy_buf_append(out, place->key.data, BONDY_KEY_HEAD);
    for (int shift = 24; shift >= 0; shift -= 8)
        bondy_buf_append_byte(out, (place->schema >> shift) & 0xff);
    bondy_buf_append_slice(out, place->subkey);
}

void bondy_seal_close(const struct bondy_seal *seal, const struct bondy_seal_place *place,
                      struct bondy_slice body, struct bondy_buf *out)
{
    struct bondy_buf data = BONDY_BUF_EMPTY;
    unsigned long long len = 0;
    uint8_t *at = (uint8_t *)bondy_buf_reserve(out, BONDY_SEAL_OVERHEAD + body.len);

    format_place(place, &data);
    at[0] = FORMAT;
    memcpy(at + 1, seal->key_id, ID_LEN);
    randombytes_buf(at + 1 + ID_LEN, NONCE_LEN);
    crypto_aead_xchacha20poly1305_ietf_encrypt(at + HEAD_LEN, &len, (const uint8_t *)body.data,
                                               body.len, (const uint8_t *)data.data, data.len, NULL,
                                               at + 1 + ID_LEN, seal->key.octets);
    out->len += HEAD_LEN + (size_t)len;
    bondy_buf_fini(&data);
}

const uint8_t *bondy_sealed_key_id(struct bondy_slice sealed)
{
    return sealed.len < BONDY_SEAL_OVERHEAD || sealed.data[0] != FORMAT
               ? NULL
               : (const uint8_t *)sealed.data + 1;
}

int bondy_seal_open(const struct bondy_seal *seal, const struct bondy_seal_place *place,
                    struct bondy_slice sealed, struct bondy_buf *out, struct bondy_error *err)
{
    const uint8_t *id = bondy_sealed_key_id(sealed);
    const struct bondy_master_key *key;
    struct bondy_buf data = BONDY_BUF_EMPTY;
    char id_text[BONDY_MASTER_KEY_ID_TEXT];
    unsigned long long len = 0;
    int rc;

    if (id == NULL)
        return bondy_fail(err, BONDY_EPROTO, "a sealed record that is none of format %d", FORMAT);
    if ((key = find_key(seal, id)) == NULL) {
        bondy_master_key_id_text(id, id_text);
        return bondy_fail(err, BONDY_EDENIED, "a record is sealed with master key %s, not here",
                          id_text);
    }
    format_place(place, &data);
    rc = crypto_aead_xchacha20poly1305_ietf_decrypt(
        (uint8_t *)bondy_buf_reserve(out, sealed.len), &len, NULL,
        (const uint8_t *)sealed.data + HEAD_LEN, sealed.len - HEAD_LEN, (const uint8_t *)data.data,
        data.len, id + ID_LEN, key->octets);
    bondy_buf_fini(&data);
    if (rc != 0)
        return bondy_fail(err, BONDY_EPROTO,
                          "a sealed record that was changed, or belongs elsewhere");
    out->len += (size_t)len;
    return BONDY_OK;
}
