/* SPDX-License-Identifier: Apache-2.0 */
#include "src/router/ask.h"

#include "src/base/alloc.h"
#include "src/router/local.h"
#include "src/wamp/codec.h"
#include "src/wamp/errors.h"

struct bondy_asking {
    struct bondy_session *session;
    void (*answer)(void *context, const json_t *result, const char *error);
    void *context;
};

/* Ends the question, then answers. Takes the result. */
static void finish(struct bondy_asking *asking, json_t *result, const char *error)
{
    struct bondy_asking done = *asking;

    bondy_free(asking);
    if (done.session != NULL)
        bondy_session_lost(done.session);
    done.answer(done.context, result, error);
    json_decref(result);
}

static void take_result(struct bondy_asking *asking, const struct bondy_message *message)
{
    json_t *args = bondy_payload_args(&message->payload);
    json_t *first = json_array_get(args, 0);

    first = first == NULL ? json_null() : json_incref(first);
    json_decref(args);
    finish(asking, first, NULL);
}

static void on_message(void *peer, const struct bondy_message *message)
{
    struct bondy_asking *asking = peer;
    char *uri;

    if (message->type == BONDY_RESULT) {
        take_result(asking, message);
    } else if (message->type == BONDY_ERROR) {
        uri = bondy_memdup0(message->uri.data, message->uri.len);
        finish(asking, NULL, uri);
        bondy_free(uri);
    }
}

static void on_closed(void *peer, const char *reason)
{
    struct bondy_asking *asking = peer;

    asking->session = NULL;
    finish(asking, NULL, reason);
}

static const struct bondy_session_local local = {on_message, on_closed};

void bondy_ask(struct bondy_router_thread *thread, const struct bondy_question *question,
               struct bondy_asking **out)
{
    static const struct bondy_identity router = {.authid = BONDY_SLICE("bondy"),
                                                 .authrole = BONDY_SLICE("bondy"),
                                                 .authmethod = BONDY_SLICE("internal"),
                                                 .is_trusted = true};
    const struct bondy_call_options options = {.timeout_ms = question->timeout_ms};
    struct bondy_asking *asking = bondy_zalloc(sizeof *asking);
    struct bondy_buf bytes = BONDY_BUF_EMPTY;
    struct bondy_payload payload = bondy_payload_make(BONDY_MSGPACK, question->args, NULL, &bytes);
    struct bondy_slice procedure = question->procedure;

    asking->answer = question->answer;
    asking->context = question->context;
    *out = asking;
    asking->session =
        bondy_session_open_local(thread, question->realm, &router, &local, asking, NULL);
    if (asking->session == NULL)
        finish(asking, NULL, BONDY_ERR_NO_SUCH_REALM);
    else
        bondy_session_call(asking->session, procedure, &options, &payload);
    bondy_buf_fini(&bytes);
}

void bondy_ask_stop(struct bondy_asking *asking)
{
    if (asking == NULL)
        return;
    bondy_session_lost(asking->session);
    bondy_free(asking);
}
