/* SPDX-License-Identifier: Apache-2.0 */
#include "src/ctl/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/sys/net.h"

void bondy_http_answer_fini(struct bondy_http_answer *answer)
{
    bondy_buf_fini(&answer->body);
}

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    struct bondy_http_answer *answer = context;

    if (size * count > BONDY_HTTP_ANSWER_MAX - answer->body.len)
        return 0;
    bondy_buf_append(&answer->body, data, size * count);
    return size * count;
}

/* ---- where ----------------------------------------------------------------------------------- */

static bool is_this_machine(const char *host)
{
    struct bondy_address address;

    return strcmp(host, "localhost") == 0 || (bondy_address_parse(host, 1, &address, NULL) == 0 &&
                                              bondy_address_is_loopback(&address));
}

/* A secret goes only where nobody can read it. */
static int check_secrecy(const struct bondy_http_place *place, CURLU *parts,
                         struct bondy_error *err)
{
    char *host = NULL;
    bool is_private;

    if (strncmp(place->url, "https:", 6) == 0 || (place->user == NULL && place->token == NULL))
        return BONDY_OK;
    is_private =
        curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK && is_this_machine(host);
    curl_free(host);
    return is_private ? BONDY_OK
                      : bondy_fail(err, BONDY_EDENIED,
                                   "%s: a password or token goes only over https:// or to this "
                                   "machine",
                                   place->url);
}

static int bad_url(const char *url, struct bondy_error *err)
{
    return bondy_fail(err, BONDY_EINVAL,
                      "\"%s\" is no address of an admin API; examples: unix:/run/bondy/admin.sock, "
                      "http://127.0.0.1:18081",
                      url);
}

static int set_tcp(CURL *curl, const struct bondy_http_place *place, const char *path,
                   struct bondy_error *err)
{
    CURLU *parts = curl_url();
    size_t len = strlen(place->url);
    struct bondy_buf url = BONDY_BUF_EMPTY;
    int rc;

    while (len > 0 && place->url[len - 1] == '/')
        len--;
    bondy_buf_append(&url, place->url, len);
    bondy_buf_append_text(&url, path);
    bondy_buf_append_byte(&url, 0);
    if ((strncmp(place->url, "http://", 7) != 0 && strncmp(place->url, "https://", 8) != 0) ||
        curl_url_set(parts, CURLUPART_URL, url.data, CURLU_DISALLOW_USER) != CURLUE_OK)
        rc = bad_url(place->url, err);
    else
        rc = check_secrecy(place, parts, err);
    if (rc == BONDY_OK)
        curl_easy_setopt(curl, CURLOPT_URL, url.data);
    curl_url_cleanup(parts);
    bondy_buf_fini(&url);
    return rc;
}

static int set_unix(CURL *curl, const char *socket_path, const char *path, struct bondy_error *err)
{
    struct bondy_buf url = BONDY_BUF_EMPTY;

    if (strncmp(socket_path, "//", 2) == 0)
        socket_path += 2;
    if (*socket_path == '\0')
        return bad_url("unix:", err);
    bondy_buf_printf(&url, "http://localhost%s", path);
    bondy_buf_append_byte(&url, 0);
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket_path);
    curl_easy_setopt(curl, CURLOPT_URL, url.data);
    bondy_buf_fini(&url);
    return BONDY_OK;
}

static int set_place(CURL *curl, const struct bondy_http_place *place, const char *path,
                     struct bondy_error *err)
{
    int rc = strncmp(place->url, "unix:", 5) == 0 ? set_unix(curl, place->url + 5, path, err)
                                                  : set_tcp(curl, place, path, err);

    if (rc < 0)
        return rc;
    if (place->user != NULL) {
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(curl, CURLOPT_USERNAME, place->user);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, place->password);
    }
    if (place->token != NULL) {
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, place->token);
    }
    if (place->ca_file != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, place->ca_file);
    if (place->is_insecure) {
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    return BONDY_OK;
}

/* ---- the request ----------------------------------------------------------------------------- */

static void set_body(CURL *curl, const char *method, struct bondy_slice body,
                     struct curl_slist **headers)
{
    if (strcmp(method, "HEAD") == 0)
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    *headers = curl_slist_append(*headers, "accept: application/json");
    *headers = curl_slist_append(*headers, "expect:");
    if (body.len > 0) {
        *headers = curl_slist_append(*headers, "content-type: application/json");
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    }
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, *headers);
}

static int outcome(CURLcode code, const char *text, struct bondy_error *err)
{
    int rc = BONDY_EIO;

    if (code == CURLE_OK)
        return BONDY_OK;
    if (code == CURLE_OPERATION_TIMEDOUT)
        rc = BONDY_EAGAIN;
    else if (code == CURLE_PEER_FAILED_VERIFICATION)
        rc = BONDY_EDENIED;
    else if (code == CURLE_SSL_CACERT_BADFILE)
        rc = BONDY_EINVAL;
    return bondy_fail(err, rc, "%s", *text != '\0' ? text : curl_easy_strerror(code));
}

static CURL *make_handle(const struct bondy_http_place *place, char text[CURL_ERROR_SIZE])
{
    CURL *curl = curl_easy_init();

    text[0] = '\0';
    if (curl == NULL)
        return NULL;
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, text);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "bondy");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)place->timeout_ms);
    return curl;
}

static int perform(const struct bondy_http_place *place, CURL *curl, const char *text,
                   struct bondy_http_answer *out, struct bondy_error *err)
{
    int rc = outcome(curl_easy_perform(curl), text, err);

    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &out->status);
    return rc == BONDY_EIO || rc == BONDY_EAGAIN || rc == BONDY_EDENIED
               ? bondy_wrap(err, "%s", place->url)
               : rc;
}

int bondy_http_request(const struct bondy_http_place *place, const char *method, const char *path,
                       struct bondy_slice body, struct bondy_http_answer *out,
                       struct bondy_error *err)
{
    char text[CURL_ERROR_SIZE];
    struct curl_slist *headers = NULL;
    CURL *curl = make_handle(place, text);
    int rc;

    *out = (struct bondy_http_answer){0};
    if (curl == NULL)
        return bondy_fail(err, BONDY_EIO, "HTTP cannot be set up");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)place->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
    rc = set_place(curl, place, path, err);
    if (rc == BONDY_EDENIED)
        bondy_wrap(err, "%s", place->url);
    if (rc == BONDY_OK) {
        set_body(curl, method, body, &headers);
        rc = perform(place, curl, text, out, err);
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return rc;
}

/* ---- files ----------------------------------------------------------------------------------- */

struct transfer {
    CURL *curl;
    const struct bondy_http_file *file;
    struct bondy_http_answer *answer;
    int error; /* of a file; 0: none */
};

static size_t on_octets(char *data, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    size_t len = size * count, at = 0;
    long status = 0;

    curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200 || transfer->file->out < 0)
        return on_body(data, size, count, transfer->answer);
    while (at < len) {
        ssize_t written = write(transfer->file->out, data + at, len - at);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0) {
            transfer->error = errno;
            return 0;
        }
        at += (size_t)written;
    }
    return len;
}

static size_t on_wanted(char *data, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    ssize_t len;

    do
        len = read(transfer->file->in, data, size * count);
    while (len < 0 && errno == EINTR);
    if (len >= 0)
        return (size_t)len;
    transfer->error = errno;
    return CURL_READFUNC_ABORT;
}

/* "Expect: 100-continue" is curl's own: who may not, or has that backup, does not send it. */
static void set_upload(struct transfer *transfer, struct curl_slist **headers)
{
    curl_easy_setopt(transfer->curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(transfer->curl, CURLOPT_READFUNCTION, on_wanted);
    curl_easy_setopt(transfer->curl, CURLOPT_READDATA, transfer);
    curl_easy_setopt(transfer->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)transfer->file->in_len);
    *headers = curl_slist_append(*headers, "content-type: application/octet-stream");
}

int bondy_http_transfer(const struct bondy_http_place *place, const char *path,
                        const struct bondy_http_file *file, struct bondy_http_answer *out,
                        struct bondy_error *err)
{
    char text[CURL_ERROR_SIZE];
    struct transfer transfer = {.curl = make_handle(place, text), .file = file, .answer = out};
    struct curl_slist *headers = NULL;
    int rc;

    *out = (struct bondy_http_answer){0};
    if (transfer.curl == NULL)
        return bondy_fail(err, BONDY_EIO, "HTTP cannot be set up");
    curl_easy_setopt(transfer.curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(transfer.curl, CURLOPT_WRITEFUNCTION, on_octets);
    curl_easy_setopt(transfer.curl, CURLOPT_WRITEDATA, &transfer);
    rc = set_place(transfer.curl, place, path, err);
    if (rc == BONDY_EDENIED)
        bondy_wrap(err, "%s", place->url);
    if (rc == BONDY_OK) {
        if (file->in >= 0)
            set_upload(&transfer, &headers);
        curl_easy_setopt(transfer.curl, CURLOPT_HTTPHEADER, headers);
        rc = perform(place, transfer.curl, text, out, err);
    }
    if (transfer.error != 0)
        rc = bondy_fail(err, BONDY_EIO, "the file: %s", strerror(transfer.error));
    curl_slist_free_all(headers);
    curl_easy_cleanup(transfer.curl);
    return rc;
}
