/* SPDX-License-Identifier: Apache-2.0 */
#include "src/ctl/client.h"

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/id.h"
#include "src/ctl/options.h"
#include "src/ctl/secret.h"
#include "src/ctl/stream.h"
#include "src/ctl/table.h"
#include "src/ctl/websocket.h"
#include "src/wamp/codec.h"
#include "src/wamp/errors.h"
#include "src/wamp/rawsocket.h"

#define MESSAGE_MAX ((size_t)BONDY_RAWSOCKET_LEN_MAX)
#define GOODBYE_WAIT_MS 1000

struct bondy_client {
    struct bondy_stream *stream;
    enum bondy_serializer serializer;
    bool is_websocket;
    bool has_joined;
    uint64_t last_id;
    size_t peer_max; /* octets of a message the router takes */
    struct bondy_buf in;
    size_t consumed; /* of `in`: the message handed out last */
    struct bondy_buf fragments;
    struct bondy_buf scratch;
    struct bondy_buf head;
    struct bondy_buf out;
    struct bondy_buf payload;
};

static int write_frame(struct bondy_client *client, unsigned type, struct bondy_slice payload,
                       struct bondy_error *err)
{
    uint8_t head[4];

    bondy_buf_clear(&client->out, MESSAGE_MAX);
    if (client->is_websocket) {
        bondy_websocket_write(type, payload, &client->out);
    } else {
        bondy_rawsocket_write_head(type, (uint32_t)payload.len, head);
        bondy_buf_append(&client->out, head, sizeof head);
        bondy_buf_append_slice(&client->out, payload);
    }
    return bondy_stream_write(client->stream, bondy_buf_slice(&client->out), err);
}

int bondy_client_send(struct bondy_client *client, const struct bondy_message *message,
                      struct bondy_error *err)
{
    unsigned type = BONDY_FRAME_MESSAGE;

    bondy_buf_clear(&client->head, MESSAGE_MAX);
    bondy_message_format(client->serializer, message, &client->head);
    if (client->head.len > client->peer_max)
        return bondy_fail(err, BONDY_ELIMIT, "the message has %zu octets, the router takes %zu",
                          client->head.len, client->peer_max);
    if (client->is_websocket)
        type = client->serializer == BONDY_JSON ? BONDY_WEBSOCKET_TEXT : BONDY_WEBSOCKET_BINARY;
    return write_frame(client, type, bondy_buf_slice(&client->head), err);
}

struct bondy_payload bondy_client_payload(struct bondy_client *client, const json_t *args,
                                          const json_t *kwargs)
{
    bondy_buf_clear(&client->payload, MESSAGE_MAX);
    return bondy_payload_make(client->serializer, args, kwargs, &client->payload);
}

uint64_t bondy_client_next_id(struct bondy_client *client)
{
    return ++client->last_id;
}

int bondy_client_fd(const struct bondy_client *client)
{
    return bondy_stream_fd(client->stream);
}

/* ---- receiving ---- */

/* Takes one frame off `in`. *bytes is a whole message, or empty when the frame was something else.
 * BONDY_EAGAIN: more is needed. */
static int take_rawsocket(struct bondy_client *client, struct bondy_slice *bytes,
                          struct bondy_error *err)
{
    struct bondy_slice in = bondy_buf_slice(&client->in);
    enum bondy_frame_type type;
    uint32_t len;

    if (in.len < BONDY_RAWSOCKET_HEAD_LEN)
        return BONDY_EAGAIN;
    if (!bondy_rawsocket_head((const uint8_t *)in.data, &type, &len))
        return bondy_fail(err, BONDY_EPROTO, "the router sent a broken frame");
    if (in.len - BONDY_RAWSOCKET_HEAD_LEN < len)
        return BONDY_EAGAIN;
    client->consumed = BONDY_RAWSOCKET_HEAD_LEN + len;
    *bytes = bondy_slice_of(in.data + BONDY_RAWSOCKET_HEAD_LEN, len);
    if (type == BONDY_FRAME_MESSAGE)
        return BONDY_OK;
    if (type == BONDY_FRAME_PING) {
        int rc = write_frame(client, BONDY_FRAME_PONG, *bytes, err);

        *bytes = BONDY_SLICE_EMPTY;
        return rc;
    }
    *bytes = BONDY_SLICE_EMPTY;
    return BONDY_OK;
}

static int take_websocket(struct bondy_client *client, struct bondy_slice *bytes,
                          struct bondy_error *err)
{
    struct bondy_websocket_frame frame;
    struct bondy_error why;
    int rc = bondy_websocket_read(bondy_buf_slice(&client->in), MESSAGE_MAX, &frame, &why);

    *bytes = BONDY_SLICE_EMPTY;
    if (rc == BONDY_EAGAIN)
        return rc;
    if (rc < 0)
        return bondy_fail(err, rc, "%s", why.text);
    client->consumed = frame.used;
    switch (frame.opcode) {
    case BONDY_WEBSOCKET_PING:
        return write_frame(client, BONDY_WEBSOCKET_PONG, frame.payload, err);
    case BONDY_WEBSOCKET_PONG:
        return BONDY_OK;
    case BONDY_WEBSOCKET_CLOSE:
        return bondy_fail(err, BONDY_ENOENT, "the router closed the connection");
    default:
        break;
    }
    if (frame.is_final && client->fragments.len == 0) {
        *bytes = frame.payload;
        return BONDY_OK;
    }
    bondy_buf_append_slice(&client->fragments, frame.payload);
    if (client->fragments.len > MESSAGE_MAX)
        return bondy_fail(err, BONDY_EPROTO, "a message over %zu octets", MESSAGE_MAX);
    if (frame.is_final)
        *bytes = bondy_buf_slice(&client->fragments);
    return BONDY_OK;
}

/* Drops what was handed out last. */
static void let_go(struct bondy_client *client)
{
    if (client->consumed == 0)
        return;
    bondy_buf_consume(&client->in, client->consumed);
    client->consumed = 0;
}

/* A whole message that is here already. */
static int take_message(struct bondy_client *client, struct bondy_slice *bytes,
                        struct bondy_error *err)
{
    for (;;) {
        int rc;

        let_go(client);
        rc = (client->is_websocket ? take_websocket : take_rawsocket)(client, bytes, err);
        if (rc < 0 || bytes->len > 0)
            return rc;
    }
}

static int receive_bytes(struct bondy_client *client, uint64_t deadline_ms,
                         struct bondy_slice *bytes, struct bondy_error *err)
{
    bool was_read = false;

    if (client->consumed != 0 && client->fragments.len > 0)
        bondy_buf_clear(&client->fragments, 65536);
    for (;;) {
        int rc = take_message(client, bytes, err);

        if (rc != BONDY_EAGAIN)
            return rc;
        if (deadline_ms == 0 && was_read && !bondy_stream_has_pending(client->stream))
            return bondy_fail(err, BONDY_EAGAIN, "nothing is here");
        if (deadline_ms != 0 && (rc = bondy_stream_wait(client->stream, deadline_ms, err)) < 0)
            return rc;
        if ((rc = bondy_stream_read(client->stream, &client->in, err)) < 0)
            return rc;
        was_read = true;
    }
}

static void describe(const struct bondy_message *message, struct bondy_buf *out)
{
    json_t *details = bondy_value_tree(message->serializer, message->dict);
    struct bondy_slice text = bondy_json_text(details, "message");

    bondy_table_text(message->uri, false, out);
    if (text.len > 0) {
        bondy_buf_append_text(out, ": ");
        bondy_table_text(text, true, out);
    }
    json_decref(details);
}

/* GOODBYE and ABORT end the session; everything else is the caller's. */
static int end_session(struct bondy_client *client, const struct bondy_message *message,
                       struct bondy_error *err)
{
    const char *advice = bondy_ctl_login_advice(message->uri);
    struct bondy_buf text = BONDY_BUF_EMPTY;
    int code = message->type == BONDY_GOODBYE ? BONDY_ENOENT : BONDY_EPROTO;

    if (message->type == BONDY_GOODBYE) {
        struct bondy_message answer = {.type = BONDY_GOODBYE,
                                       .uri = BONDY_SLICE(BONDY_CLOSE_GOODBYE_AND_OUT)};

        bondy_client_send(client, &answer, NULL);
    }
    client->has_joined = false;
    if (bondy_ctl_login_is_denial(message->uri))
        code = BONDY_EDENIED;
    describe(message, &text);
    if (advice != NULL)
        bondy_buf_printf(&text, "\n%s", advice);
    bondy_fail(err, code, "the router ended the session: " BONDY_SLICE_FMT,
               BONDY_SLICE_ARG(bondy_buf_slice(&text)));
    bondy_buf_fini(&text);
    return code;
}

int bondy_client_receive(struct bondy_client *client, uint64_t deadline_ms,
                         struct bondy_message *out, struct bondy_error *err)
{
    static const struct bondy_codec_limits limits = {32, 65535};
    struct bondy_slice bytes;
    int rc = receive_bytes(client, deadline_ms, &bytes, err);

    if (rc < 0)
        return rc;
    rc = bondy_message_decode(client->serializer, bytes, &limits, &client->scratch, out, err);
    if (rc < 0)
        return bondy_wrap(err, "the router sent a broken message");
    if (out->type == BONDY_ABORT || out->type == BONDY_GOODBYE)
        return end_session(client, out, err);
    return BONDY_OK;
}

/* ---- joining ---- */

static int shake_rawsocket(struct bondy_client *client, uint64_t deadline_ms,
                           struct bondy_error *err)
{
    static const char *const reasons[] = {"", "the serializer is not supported",
                                          "the message length is not acceptable",
                                          "reserved bits were used", "too many connections"};
    uint8_t octets[4];
    int rc;

    bondy_rawsocket_request(client->serializer, BONDY_RAWSOCKET_LEN_MAX, octets);
    if ((rc = bondy_stream_write(client->stream, bondy_slice_of(octets, 4), err)) < 0)
        return rc;
    while (client->in.len < 4) {
        if ((rc = bondy_stream_wait(client->stream, deadline_ms, err)) < 0 ||
            (rc = bondy_stream_read(client->stream, &client->in, err)) < 0)
            return rc == BONDY_ENOENT ? BONDY_EIO : rc;
    }
    memcpy(octets, client->in.data, 4);
    if (octets[0] != BONDY_RAWSOCKET_MAGIC)
        return bondy_fail(err, BONDY_EPROTO, "this is no RawSocket");
    if ((octets[1] & 0x0F) == 0)
        return bondy_fail(err, BONDY_EPROTO, "the router refused: %s",
                          octets[1] >> 4 < (int)BONDY_COUNT(reasons) ? reasons[octets[1] >> 4]
                                                                     : "unknown reason");
    client->peer_max = (size_t)1 << (9 + (octets[1] >> 4));
    bondy_buf_consume(&client->in, 4);
    return BONDY_OK;
}

static int shake_websocket(struct bondy_client *client, const struct bondy_stream_url *url,
                           uint64_t deadline_ms, struct bondy_error *err)
{
    const char *subprotocol = bondy_subprotocol(client->serializer);
    struct bondy_buf text = BONDY_BUF_EMPTY, host = BONDY_BUF_EMPTY;
    bool is_v6 = strchr(url->host, ':') != NULL;
    char key[25];
    size_t used;
    int rc;

    bondy_buf_printf(&host, is_v6 ? "[%s]:%s" : "%s:%s", url->host, url->port);
    bondy_buf_append_byte(&host, 0);
    bondy_websocket_request(host.data, url->path, subprotocol, key, &text);
    rc = bondy_stream_write(client->stream, bondy_buf_slice(&text), err);
    while (rc == BONDY_OK) {
        rc = bondy_websocket_accept(bondy_buf_slice(&client->in), key, subprotocol, &used, err);
        if (rc != BONDY_EAGAIN)
            break;
        rc = bondy_stream_wait(client->stream, deadline_ms, err);
        if (rc == BONDY_OK)
            rc = bondy_stream_read(client->stream, &client->in, err);
    }
    if (rc == BONDY_OK)
        bondy_buf_consume(&client->in, used);
    bondy_buf_fini(&text);
    bondy_buf_fini(&host);
    return rc == BONDY_ENOENT ? BONDY_EIO : rc;
}

static json_t *hello_details(void)
{
    return json_pack("{s:s, s:{s:{}, s:{s:{s:b, s:b, s:b, s:b}}, s:{}, s:{s:{s:b, s:b}}}}", "agent",
                     "bondy-client", "roles", "caller", "callee", "features", "call_canceling", 1,
                     "pattern_based_registration", 1, "shared_registration", 1,
                     "registration_revocation", 1, "publisher", "subscriber", "features",
                     "pattern_based_subscription", 1, "subscription_revocation", 1);
}

static int say_hello(struct bondy_client *client, const char *realm, struct bondy_ctl_login *login,
                     struct bondy_error *err)
{
    json_t *details = hello_details();
    struct bondy_message hello = {
        .type = BONDY_HELLO, .uri = bondy_slice_text(realm), .tree = details};
    int rc = bondy_ctl_login_hello(login, details, err);

    if (rc == BONDY_OK)
        rc = bondy_client_send(client, &hello, err);
    json_decref(details);
    return rc;
}

static int answer_challenge(struct bondy_client *client, const struct bondy_message *challenge,
                            struct bondy_ctl_login *login, struct bondy_error *err)
{
    json_t *extra = bondy_value_tree(challenge->serializer, challenge->dict), *answer = NULL;
    char *signature = NULL;
    int rc = bondy_ctl_login_answer(login, challenge->uri, extra, &signature, &answer, err);

    if (rc == BONDY_OK) {
        struct bondy_message message = {
            .type = BONDY_AUTHENTICATE, .text = bondy_slice_text(signature), .tree = answer};

        rc = bondy_client_send(client, &message, err);
    }
    bondy_secret_destroy(signature);
    json_decref(answer);
    json_decref(extra);
    return rc;
}

/* A session that the other side began and we do not want ends with an ABORT. */
static int take_welcome(struct bondy_client *client, const struct bondy_message *welcome,
                        struct bondy_ctl_login *login, struct bondy_error *err)
{
    struct bondy_message abort_ = {.type = BONDY_ABORT,
                                   .uri = BONDY_SLICE(BONDY_ERR_AUTHENTICATION_FAILED)};
    json_t *details = bondy_value_tree(welcome->serializer, welcome->dict);
    int rc = bondy_ctl_login_welcome(login, details, err);

    json_decref(details);
    if (rc < 0)
        bondy_client_send(client, &abort_, NULL);
    else
        client->has_joined = true;
    return rc;
}

static int join(struct bondy_client *client, const struct bondy_client_options *options,
                uint64_t deadline_ms, struct bondy_error *err)
{
    struct bondy_ctl_login login = {.credentials = options->credentials,
                                    .is_private = bondy_stream_is_private(client->stream)};
    struct bondy_message answer;
    int rc;

    bondy_id_bytes(login.nonce, sizeof login.nonce);
    rc = say_hello(client, options->realm, &login, err);
    while (rc == BONDY_OK) {
        rc = bondy_client_receive(client, deadline_ms, &answer, err);
        if (rc < 0)
            return rc == BONDY_ENOENT ? BONDY_EIO : rc;
        if (answer.type == BONDY_WELCOME)
            return take_welcome(client, &answer, &login, err);
        if (answer.type != BONDY_CHALLENGE)
            return bondy_fail(err, BONDY_EPROTO, "the router answered HELLO with %s",
                              bondy_message_name(answer.type));
        rc = answer_challenge(client, &answer, &login, err);
    }
    return rc;
}

int bondy_client_open(const struct bondy_client_options *options, struct bondy_client **out,
                      struct bondy_error *err)
{
    uint64_t deadline_ms = bondy_clock_mono_ms() + options->timeout_ms;
    struct bondy_client *client = bondy_zalloc(sizeof *client);
    struct bondy_stream_url url = {0};
    int rc;

    client->serializer = options->serializer;
    client->peer_max = MESSAGE_MAX;
    if ((rc = bondy_stream_url_parse(options->url, &url, err)) < 0)
        goto out;
    client->is_websocket = url.websocket;
    url.is_insecure = options->is_insecure;
    if ((rc = bondy_stream_open(&url, options->ca_file, deadline_ms, &client->stream, err)) < 0)
        goto out;
    rc = url.websocket ? shake_websocket(client, &url, deadline_ms, err)
                       : shake_rawsocket(client, deadline_ms, err);
    if (rc == BONDY_OK)
        rc = join(client, options, deadline_ms, err);
    if (rc == BONDY_OK)
        *out = BONDY_MOVE(client);
out:
    if (rc < 0)
        bondy_wrap(err, "%s", options->url);
    bondy_stream_url_fini(&url);
    bondy_client_close(client);
    return rc;
}

static void say_goodbye(struct bondy_client *client)
{
    struct bondy_message goodbye = {.type = BONDY_GOODBYE, .uri = BONDY_SLICE(BONDY_CLOSE_NORMAL)};
    uint64_t deadline_ms = bondy_clock_mono_ms() + GOODBYE_WAIT_MS;
    struct bondy_message answer;

    if (bondy_client_send(client, &goodbye, NULL) < 0)
        return;
    /* Answers that cross it are nobody's any more. */
    while (bondy_client_receive(client, deadline_ms, &answer, NULL) == BONDY_OK)
        continue;
}

void bondy_client_close(struct bondy_client *client)
{
    if (client == NULL)
        return;
    if (client->has_joined)
        say_goodbye(client);
    bondy_stream_close(client->stream);
    bondy_buf_fini(&client->in);
    bondy_buf_fini(&client->fragments);
    bondy_buf_fini(&client->scratch);
    bondy_buf_fini(&client->head);
    bondy_buf_fini(&client->out);
    bondy_buf_fini(&client->payload);
    bondy_free(client);
}

int bondy_client_exit_status(int rc)
{
    switch (rc) {
    case BONDY_OK:
        return BONDY_EXIT_OK;
    case BONDY_EINVAL:
    case BONDY_EUNSUPPORTED:
        return BONDY_EXIT_USAGE;
    case BONDY_EIO:
    case BONDY_EAGAIN:
        return BONDY_EXIT_UNREACHABLE;
    case BONDY_EDENIED:
        return BONDY_EXIT_UNAUTHORISED;
    default:
        return BONDY_EXIT_ERROR;
    }
}

int bondy_client_report(const struct bondy_message *error, const char *what)
{
    json_t *args = bondy_payload_args(&error->payload);
    json_t *kwargs = bondy_payload_kwargs(&error->payload);
    struct bondy_buf text = BONDY_BUF_EMPTY;
    const char *first = json_string_value(json_array_get(args, 0));
    bool is_denial = bondy_slice_is(error->uri, BONDY_ERR_NOT_AUTHORIZED) ||
                     bondy_slice_is(error->uri, BONDY_ERR_AUTHORIZATION_FAILED);

    bondy_buf_printf(&text, "bondy: %s: ", what);
    describe(error, &text);
    if (first != NULL && json_array_size(args) == 1) {
        bondy_buf_printf(&text, ": %s", first);
    } else if (json_array_size(args) > 0) {
        bondy_buf_append_text(&text, ": ");
        bondy_json_format(args, &text);
    }
    if (json_object_size(kwargs) > 0) {
        bondy_buf_append_byte(&text, ' ');
        bondy_json_format(kwargs, &text);
    }
    bondy_buf_append_byte(&text, '\n');
    fwrite(text.data, 1, text.len, stderr);
    bondy_buf_fini(&text);
    json_decref(args);
    json_decref(kwargs);
    return is_denial ? BONDY_EXIT_UNAUTHORISED : BONDY_EXIT_ERROR;
}
