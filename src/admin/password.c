/* SPDX-License-Identifier: Apache-2.0 */
#include "src/admin/password.h"

#include <sodium.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/base/log.h"
#include "src/sys/file.h"

#define PASSWORD_MAX 254
#define RANDOM_LEN 24
#define FILE_MODE 0600

/* One line of at most 254 octets; the final newline is no part of it. */
static int take_line(struct bondy_buf *text, char **out, struct bondy_error *err)
{
    size_t len = text->len;

    if (len > 0 && text->data[len - 1] == '\n')
        len--;
    if (len > 0 && text->data[len - 1] == '\r')
        len--;
    if (len == 0 || len > PASSWORD_MAX || memchr(text->data, '\n', len) != NULL ||
        memchr(text->data, '\0', len) != NULL)
        return bondy_fail(err, BONDY_EINVAL, "expected one line with a password of 1 to %d octets",
                          PASSWORD_MAX);
    *out = bondy_memdup0(text->data, len);
    return BONDY_OK;
}

static int read_file(const char *path, char **out, struct bondy_error *err)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    int rc;

    if ((rc = bondy_file_read(path, PASSWORD_MAX + 2, &text, err)) == BONDY_OK &&
        (rc = bondy_file_check_private(path, err)) == BONDY_OK)
        rc = take_line(&text, out, err);
    if (text.len > 0)
        sodium_memzero(text.data, text.len);
    bondy_buf_fini(&text);
    return rc;
}

static int make_file(const char *path, char **out, struct bondy_error *err)
{
    uint8_t secret[RANDOM_LEN];
    char text[sodium_base64_ENCODED_LEN(RANDOM_LEN, sodium_base64_VARIANT_URLSAFE_NO_PADDING) + 1];
    size_t len;
    int rc;

    bondy_id_bytes(secret, sizeof secret);
    sodium_bin2base64(text, sizeof text - 1, secret, sizeof secret,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    len = strlen(text);
    *out = bondy_memdup0(text, len);
    text[len] = '\n';
    rc = bondy_file_write(path, bondy_slice_of(text, len + 1), FILE_MODE, err);
    sodium_memzero(text, sizeof text);
    sodium_memzero(secret, sizeof secret);
    if (rc == BONDY_OK) {
        bondy_log(BONDY_LOG_INFO, "admin_password_made", BONDY_F_STR("path", path));
        return BONDY_OK;
    }
    bondy_admin_password_free(BONDY_MOVE(*out));
    return rc;
}

int bondy_admin_password_read(const char *password_file, const char *data_dir, char **out,
                              struct bondy_error *err)
{
    struct bondy_buf path = BONDY_BUF_EMPTY;
    char *own;
    int rc;

    *out = NULL;
    if (password_file != NULL && *password_file != '\0') {
        if ((rc = read_file(password_file, out, err)) < 0)
            bondy_wrap(err, "%s (security.admin.password_file)", password_file);
        return rc;
    }
    bondy_buf_printf(&path, "%s/admin.password", data_dir);
    own = bondy_buf_take_text(&path);
    rc = read_file(own, out, err);
    if (rc == BONDY_ENOENT)
        rc = make_file(own, out, err);
    if (rc < 0)
        bondy_wrap(err, "%s", own);
    bondy_free(own);
    return rc;
}

void bondy_admin_password_free(char *password)
{
    if (password == NULL)
        return;
    sodium_memzero(password, strlen(password));
    bondy_free(password);
}
