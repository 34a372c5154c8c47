/* SPDX-License-Identifier: Apache-2.0 */

/* body: a request's body on its way in: kept, thrown away, or handed to a sink by the piece; and
 * answers that stand before it is whole, when libmicrohttpd takes none.
 *
 * A paused request is suspended in libmicrohttpd, which calls again for the head when that was all
 * there was, so that it takes an answer even then. Its octets stay in the socket, and it waits
 * in the server's list like one whose answer is pending: it may be answered, its client may leave,
 * the server may stop. */

#include <sys/socket.h>

#include "src/http/internal.h"

/* ---- pauses ---------------------------------------------------------------------------------- */

enum MHD_Result bondy_body_wait(struct bondy_request *request)
{
    struct bondy_http_connection *connection = request->connection;

    request->is_waiting = true;
    request->is_suspended = true;
    bondy_list_append(&connection->server->pending, &request->link);
    connection->server->pending_count++;
    bondy_connection_enter(connection, BONDY_PHASE_WAITING);
    MHD_suspend_connection(connection->mhd);
    return MHD_YES;
}

/* ---- answers before the end ------------------------------------------------------------------ */

/* A file cannot be sent here, and who asks for one has no body to send. */
static struct bondy_response *without_file(struct bondy_request *request,
                                           struct bondy_response *answer)
{
    if (!answer->has_file)
        return answer;
    bondy_response_destroy(answer);
    return bondy_problem_response(request, 413, "body_max_bytes_exceeded",
                                  "this resource takes no body");
}

bool bondy_body_answer(struct bondy_request *request)
{
    struct bondy_http_connection *connection = request->connection;
    struct bondy_response *answer;

    if (!request->is_chunked && !request->answer->closes &&
        request->content_length - request->body_seen <= BONDY_SKIP_BODY_MAX) {
        request->body_dropped = true;
        bondy_connection_enter(connection, BONDY_PHASE_BODY);
        return true;
    }
    answer = without_file(request, BONDY_MOVE(request->answer));
    request->state = BONDY_REQUEST_SENT;
    bondy_response_write(connection, request, answer);
    connection->lingers = true;
    shutdown(connection->fd, SHUT_WR); /* nothing else gets out: no "100 Continue" either */
    /* Until the client's next octets, or its end, bring libmicrohttpd back here. */
    bondy_connection_enter(connection, BONDY_PHASE_REFUSED);
    return false;
}

/* Too much in the middle of a body. */
static enum MHD_Result refuse(struct bondy_request *request)
{
    bondy_request_tell_gone(request);
    request->state = BONDY_REQUEST_SENT;
    bondy_response_write(request->connection, request,
                         bondy_problem_response(request, 413, "body_max_bytes_exceeded",
                                                "the body is larger than this resource takes"));
    request->connection->lingers = true;
    return MHD_NO;
}

/* ---- octets ---------------------------------------------------------------------------------- */

/* libmicrohttpd asks for edges, and takes a read that was not full for the last one: a client whose
 * end came together with its last octets would never be noticed. A connection that it resumes is
 * read again in any case. */
static void look_for_end(struct bondy_request *request)
{
    struct bondy_http_connection *connection = request->connection;
    char next;

    if (!request->is_chunked && request->body_seen >= request->content_length)
        return;
    if (recv(connection->fd, &next, 1, MSG_PEEK | MSG_DONTWAIT) != 0)
        return;
    MHD_suspend_connection(connection->mhd);
    MHD_resume_connection(connection->mhd);
    connection->engine->is_due = true;
    bondy_loop_again(connection->server->loop);
}

static enum MHD_Result hand_over(struct bondy_request *request, struct bondy_slice piece)
{
    request->in_handler = true;
    request->sink.write(request->sink.context, request, piece);
    request->in_handler = false;
    if (request->state == BONDY_REQUEST_ANSWERED)
        return bondy_body_answer(request) ? MHD_YES : MHD_NO;
    if (request->is_paused)
        return bondy_body_wait(request);
    look_for_end(request);
    return MHD_YES;
}

enum MHD_Result bondy_body_take(struct bondy_request *request, const char *data, size_t *len)
{
    size_t more = *len;

    if (request->is_suspended) /* the library goes on to the next chunk that it has */
        return MHD_YES;
    *len = 0;
    request->connection->engine->has_more = true;
    bondy_connection_enter(request->connection, BONDY_PHASE_BODY);
    if (request->body_dropped)
        return MHD_YES;
    if (more > request->body_max - request->body_seen)
        return refuse(request);
    request->body_seen += more;
    if (request->sink.write != NULL)
        return hand_over(request, bondy_slice_of(data, more));
    bondy_buf_append(&request->body, data, more);
    look_for_end(request);
    return MHD_YES;
}
