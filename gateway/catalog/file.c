/* SPDX-License-Identifier: Apache-2.0 */
/* file: the boot file of API specifications. http-gateway.md 8.3. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/catalog/catalog.h"
#include "src/base/alloc.h"
#include "src/base/log.h"
#include "src/sys/file.h"
#include "src/sys/publish.h"

#define FILE_MAX_BYTES (64u << 20)
#define FILE_MAX_DEPTH 33 /* documents of 32 in an array */
#define NAME_MAX_LEN 128

/* ---- variables --------------------------------------------------------------------------------*/

/* The text of a JSON string that says `value`, without its quotes. */
static void append_escaped(struct bondy_slice value, struct bondy_buf *out)
{
    json_t *string = bondy_json_slice(value);
    struct bondy_buf quoted = BONDY_BUF_EMPTY;

    bondy_json_format(string, &quoted);
    bondy_buf_append(out, quoted.data + 1, quoted.len - 2);
    bondy_buf_fini(&quoted);
    json_decref(string);
}

/* `inner` is what stands between ${ and }. */
static int append_variable(struct bondy_slice inner, bool in_string,
                           const char *(*lookup)(const char *name), struct bondy_buf *out,
                           struct bondy_error *err)
{
    const char *mark = memmem(inner.data, inner.len, ":-", 2);
    size_t name_len = mark == NULL ? inner.len : (size_t)(mark - inner.data);
    char name[NAME_MAX_LEN + 1];
    const char *found;

    if (name_len == 0 || name_len > NAME_MAX_LEN)
        return bondy_fail(err, BONDY_EINVAL, "'${" BONDY_SLICE_FMT "}' names no variable",
                          BONDY_SLICE_ARG(inner));
    memcpy(name, inner.data, name_len);
    name[name_len] = '\0';
    found = lookup(name);
    if (mark != NULL && (found == NULL || *found == '\0')) {
        /* The default is JSON text already: it stands in the file as it is. */
        bondy_buf_append_slice(out, bondy_slice_skip(inner, name_len + 2));
        return BONDY_OK;
    }
    if (found == NULL)
        return bondy_fail(err, BONDY_EINVAL,
                          "the variable '%s' is not in the environment and has no default "
                          "(${%s:-default})",
                          name, name);
    if (in_string)
        append_escaped(bondy_slice_text(found), out);
    else
        bondy_buf_append_text(out, found);
    return BONDY_OK;
}

int bondy_catalog_expand(struct bondy_slice text, const char *(*lookup)(const char *name),
                         struct bondy_buf *out, struct bondy_error *err)
{
    bool in_string = false;
    size_t i = 0;

    while (i < text.len) {
        char octet = text.data[i];
        const char *end;
        int rc;

        if (octet == '$' && i + 1 < text.len && text.data[i + 1] == '{' &&
            (end = memchr(text.data + i, '}', text.len - i)) != NULL) {
            struct bondy_slice inner =
                bondy_slice_of(text.data + i + 2, (size_t)(end - text.data) - i - 2);

            if ((rc = append_variable(inner, in_string, lookup, out, err)) < 0)
                return rc;
            i = (size_t)(end - text.data) + 1;
            continue;
        }
        if (octet == '"')
            in_string = !in_string;
        bondy_buf_append_byte(out, (uint8_t)octet);
        i++;
        if (in_string && octet == '\\' && i < text.len)
            bondy_buf_append_byte(out, (uint8_t)text.data[i++]);
    }
    return BONDY_OK;
}

static const char *from_environment(const char *name)
{
    return getenv(name);
}

/* ---- loading ----------------------------------------------------------------------------------*/

struct waiter {
    pthread_mutex_t lock; /* guards is_done */
    pthread_cond_t changed;
    bool is_done;
};

static void wake(struct bondy_catalog_request *request)
{
    struct waiter *waiter = request->context;

    pthread_mutex_lock(&waiter->lock);
    waiter->is_done = true;
    pthread_cond_signal(&waiter->changed);
    pthread_mutex_unlock(&waiter->lock);
}

static void log_problem(const struct bondy_catalog_request *request, const char *path)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;

    bondy_json_format(request->problem, &text);
    bondy_log(BONDY_LOG_ERROR, "api_spec_refused", BONDY_F_STR("file", path),
              BONDY_F_SLICE("id", bondy_json_text(request->body, "id")),
              BONDY_F_SLICE("problem", bondy_buf_slice(&text)));
    bondy_buf_fini(&text);
}

static bool load_one_wait(struct bondy_catalog *catalog, struct bondy_store *store,
                          json_t *document, const char *path)
{
    struct bondy_catalog_request *request = bondy_catalog_request_create(catalog);
    struct waiter waiter = {.is_done = false};
    bool is_loaded;

    pthread_mutex_init(&waiter.lock, NULL);
    pthread_cond_init(&waiter.changed, NULL);
    request->body = json_incref(document);
    request->keeps_same = true;
    request->done = wake;
    request->context = &waiter;
    bondy_catalog_load(request, store, NULL);
    pthread_mutex_lock(&waiter.lock);
    while (!waiter.is_done)
        pthread_cond_wait(&waiter.changed, &waiter.lock);
    pthread_mutex_unlock(&waiter.lock);
    pthread_cond_destroy(&waiter.changed);
    pthread_mutex_destroy(&waiter.lock);
    is_loaded = request->rc == BONDY_OK;
    if (!is_loaded)
        log_problem(request, path);
    bondy_catalog_request_destroy(request);
    return is_loaded;
}

int bondy_catalog_apply_file_wait(struct bondy_catalog *catalog, struct bondy_store *store,
                                  const char *path, unsigned *failed, struct bondy_error *err)
{
    struct bondy_buf raw = BONDY_BUF_EMPTY, text = BONDY_BUF_EMPTY;
    json_t *file = NULL, *document;
    size_t index;
    int rc;

    *failed = 0;
    if ((rc = bondy_file_read(path, FILE_MAX_BYTES, &raw, err)) < 0)
        goto out;
    if ((rc = bondy_catalog_expand(bondy_buf_slice(&raw), from_environment, &text, err)) < 0)
        goto out;
    file = bondy_json_parse(bondy_buf_slice(&text), FILE_MAX_DEPTH, err);
    if (file == NULL) {
        rc = BONDY_EINVAL;
        goto out;
    }
    if (json_is_array(file)) {
        json_array_foreach(file, index, document) *failed +=
            !load_one_wait(catalog, store, document, path);
    } else {
        *failed += !load_one_wait(catalog, store, file, path);
    }
out:
    if (rc < 0)
        bondy_wrap(err, "%s", path);
    json_decref(file);
    bondy_buf_fini(&raw);
    bondy_buf_fini(&text);
    return rc;
}
