/* SPDX-License-Identifier: Apache-2.0 */

/* prepared: answers of libmicrohttpd's that are used again. It copies each header into three
 * allocations of its own, which makes an answer with the usual headers more expensive than the rest
 * of a request; but most answers differ in their body and their request id only. So an answer that
 * was sent is kept, and taken again for one with the same headers and a body of the same length.
 *
 * It belongs to one request at a time, which gives it back when libmicrohttpd told that the request
 * is over: only then may its body and its headers change. */

#include "src/http/internal.h"

struct bondy_prepared {
    struct bondy_list link; /* in a shelf, while no request has it */
    struct bondy_prepared_shelf *shelf;
    struct MHD_Response *mhd;
    size_t headers_len;
    size_t body_len;
    char id[BONDY_REQUEST_ID_MAX + 1]; /* "": says none */
    char data[];                       /* body, headers */
};

static struct bondy_slice headers_of(const struct bondy_prepared *prepared)
{
    return (struct bondy_slice){prepared->data + prepared->body_len, prepared->headers_len};
}

static void destroy(struct bondy_prepared *prepared)
{
    MHD_destroy_response(prepared->mhd);
    bondy_free(prepared);
}

static struct bondy_prepared *create(struct bondy_prepared_shelf *shelf, struct bondy_slice headers,
                                     size_t body_len)
{
    struct bondy_prepared *prepared = bondy_alloc(sizeof *prepared + headers.len + body_len);
    const char *at, *end;

    prepared->mhd = MHD_create_response_from_buffer(body_len, body_len == 0 ? NULL : prepared->data,
                                                    MHD_RESPMEM_PERSISTENT);
    if (prepared->mhd == NULL) {
        bondy_free(prepared);
        return NULL;
    }
    bondy_list_init(&prepared->link);
    prepared->shelf = shelf;
    prepared->headers_len = headers.len;
    prepared->body_len = body_len;
    prepared->id[0] = '\0';
    memcpy(prepared->data + body_len, headers.data, headers.len);
    at = prepared->data + body_len;
    end = at + headers.len;
    while (at < end) {
        const char *value = at + strlen(at) + 1;

        MHD_add_response_header(prepared->mhd, at, value);
        at = value + strlen(value) + 1;
    }
    return prepared;
}

static struct bondy_prepared *find(struct bondy_prepared_shelf *shelf, struct bondy_slice headers,
                                   size_t body_len)
{
    BONDY_LIST_EACH(link, &shelf->free)
    {
        struct bondy_prepared *prepared = BONDY_LIST_ENTRY(link, struct bondy_prepared, link);

        if (prepared->body_len == body_len && bondy_slice_eq(headers_of(prepared), headers)) {
            bondy_list_remove(&prepared->link);
            shelf->count--;
            return prepared;
        }
    }
    return NULL;
}

static void set_id(struct bondy_prepared *prepared, struct bondy_slice id)
{
    if (prepared->id[0] != '\0')
        MHD_del_response_header(prepared->mhd, "x-request-id", prepared->id);
    if (id.len > 0)
        memcpy(prepared->id, id.data, id.len);
    prepared->id[id.len] = '\0';
    if (id.len > 0)
        MHD_add_response_header(prepared->mhd, "x-request-id", prepared->id);
}

struct bondy_prepared *bondy_prepared_take(struct bondy_http_server *server,
                                           struct bondy_slice headers, struct bondy_slice id,
                                           struct bondy_slice body)
{
    struct bondy_prepared_shelf *shelf =
        &server->shelves[(headers.len * 7 + body.len) % BONDY_PREPARED_SHELVES];
    struct bondy_prepared *prepared = find(shelf, headers, body.len);

    if (prepared == NULL)
        prepared = create(shelf, headers, body.len);
    if (prepared == NULL)
        return NULL;
    if (body.len > 0)
        memcpy(prepared->data, body.data, body.len);
    set_id(prepared, id);
    return prepared;
}

struct MHD_Response *bondy_prepared_mhd(struct bondy_prepared *prepared)
{
    return prepared->mhd;
}

void bondy_prepared_give_back(struct bondy_prepared *prepared)
{
    struct bondy_prepared_shelf *shelf = prepared->shelf;

    bondy_list_prepend(&shelf->free, &prepared->link);
    if (shelf->count++ < BONDY_PREPARED_KEPT)
        return;
    shelf->count--;
    prepared = BONDY_LIST_ENTRY(shelf->free.prev, struct bondy_prepared, link);
    bondy_list_remove(&prepared->link); /* the one that was not wanted for longest */
    destroy(prepared);
}

void bondy_prepared_init(struct bondy_http_server *server)
{
    for (size_t i = 0; i < BONDY_PREPARED_SHELVES; i++)
        bondy_list_init(&server->shelves[i].free);
}

void bondy_prepared_fini(struct bondy_http_server *server)
{
    for (size_t i = 0; i < BONDY_PREPARED_SHELVES; i++) {
        struct bondy_list *list = &server->shelves[i].free;

        while (!bondy_list_is_empty(list)) {
            struct bondy_prepared *prepared =
                BONDY_LIST_ENTRY(list->next, struct bondy_prepared, link);

            bondy_list_remove(&prepared->link);
            destroy(prepared);
        }
    }
}
