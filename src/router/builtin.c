/* SPDX-License-Identifier: Apache-2.0 */
#include "src/router/builtin.h"

#include "src/base/alloc.h"
#include "src/router/access.h"
#include "src/router/dealer.h"
#include "src/wamp/errors.h"

/* Knows its call by session and request id, never by pointer: either may end before the reply. */
struct bondy_invocation {
    struct bondy_router_thread *thread;
    uint64_t session_id;
    uint64_t request;
    bool is_master;
    struct bondy_caller caller;
    bool is_starting;             /* the procedure's function has not returned yet */
    bool is_done;                 /* the reply was given meanwhile */
    struct bondy_payload payload; /* borrowed while it starts */
    json_t *args;
    json_t *kwargs;
    struct bondy_slice realm; /* these and the caller's texts lie behind the struct */
    struct bondy_slice procedure;
    const char *deprecated; /* RESULT.Details.deprecated; NULL: none */
};

bool bondy_builtin_is_name(struct bondy_slice uri)
{
    /* Most calls end here. */
    if (uri.len == 0 || (uri.data[0] != 'b' && uri.data[0] != 'w' && uri.data[0] != 'c'))
        return false;
    return bondy_uri_is_ours(uri) || bondy_uri_is_wamp(uri);
}

static struct bondy_slice put(char **at, struct bondy_slice text)
{
    char *start = *at;

    if (text.len > 0)
        memcpy(start, text.data, text.len);
    *at += text.len;
    return bondy_slice_of(start, text.len);
}

static struct bondy_invocation *invocation_create(const struct bondy_call *call,
                                                  const struct bondy_message *message)
{
    const struct bondy_session *caller = call->caller;
    struct bondy_slice realm = bondy_session_realm(caller);
    struct bondy_invocation *invocation =
        bondy_zalloc(sizeof *invocation + realm.len + message->uri.len + caller->authid.len +
                     caller->authrole.len + caller->authmethod.len + caller->peername.len);
    char *at = (char *)(invocation + 1);

    invocation->thread = caller->thread;
    invocation->session_id = caller->id;
    invocation->request = call->link.id;
    invocation->is_master = caller->realm->is_master;
    invocation->payload = message->payload;
    invocation->realm = put(&at, realm);
    invocation->procedure = put(&at, message->uri);
    invocation->caller.authid = put(&at, caller->authid);
    invocation->caller.authrole = put(&at, caller->authrole);
    invocation->caller.authmethod = put(&at, caller->authmethod);
    invocation->caller.peername = put(&at, caller->peername);
    return invocation;
}

static void invocation_destroy(struct bondy_invocation *invocation)
{
    json_decref(invocation->args);
    json_decref(invocation->kwargs);
    bondy_free(invocation);
}

void bondy_builtin_call(struct bondy_call *call, const struct bondy_message *message)
{
    const struct bondy_router_options *options = &call->caller->thread->router->options;
    struct bondy_invocation *invocation;
    bondy_procedure_fn fn;
    void *context;

    if (options->find_procedure == NULL ||
        !options->find_procedure(options->context, message->uri, &fn, &context)) {
        bondy_dealer_fail(call, BONDY_ERR_NO_SUCH_PROCEDURE,
                          "the node has no procedure of this name; bondy.api.describe lists all");
        return;
    }
    invocation = invocation_create(call, message);
    invocation->is_starting = true;
    fn(context, invocation);
    invocation->is_starting = false;
    if (invocation->is_done) {
        invocation_destroy(invocation);
        return;
    }
    /* The reply comes later, the bytes of the message do not stay. */
    bondy_invocation_args(invocation);
    bondy_invocation_kwargs(invocation);
    invocation->payload = (struct bondy_payload){0};
}

struct bondy_slice bondy_invocation_realm(const struct bondy_invocation *invocation)
{
    return invocation->realm;
}

struct bondy_slice bondy_invocation_procedure(const struct bondy_invocation *invocation)
{
    return invocation->procedure;
}

uint64_t bondy_invocation_session(const struct bondy_invocation *invocation)
{
    return invocation->session_id;
}

bool bondy_invocation_is_master(const struct bondy_invocation *invocation)
{
    return invocation->is_master;
}

const struct bondy_caller *bondy_invocation_caller(const struct bondy_invocation *invocation)
{
    return &invocation->caller;
}

/* NULL when it has gone. */
static struct bondy_session *find_caller(const struct bondy_invocation *invocation)
{
    return bondy_idmap_find(&invocation->thread->by_id, invocation->session_id);
}

bool bondy_invocation_may(const struct bondy_invocation *invocation,
                          enum bondy_permission permission, struct bondy_slice uri)
{
    struct bondy_session *session = find_caller(invocation);

    return session != NULL &&
           bondy_access_allows(session, permission, uri, bondy_hash(uri.data, uri.len));
}

json_t *bondy_invocation_session_info(const struct bondy_invocation *invocation)
{
    struct bondy_session *session = find_caller(invocation);

    return session == NULL ? NULL : bondy_session_info(session);
}

struct bondy_router_thread *bondy_invocation_thread(const struct bondy_invocation *invocation)
{
    return invocation->thread;
}

json_t *bondy_invocation_args(struct bondy_invocation *invocation)
{
    if (invocation->args == NULL)
        invocation->args = bondy_payload_args(&invocation->payload);
    return invocation->args;
}

json_t *bondy_invocation_kwargs(struct bondy_invocation *invocation)
{
    if (invocation->kwargs == NULL)
        invocation->kwargs = bondy_payload_kwargs(&invocation->payload);
    return invocation->kwargs;
}

/* The call, as long as somebody waits for it. */
static struct bondy_call *find_call(const struct bondy_invocation *invocation)
{
    struct bondy_session *session = find_caller(invocation);
    struct bondy_pending *link =
        session == NULL ? NULL : bondy_pending_find(&session->calls, invocation->request);

    return link == NULL ? NULL : BONDY_CONTAINER(link, struct bondy_call, link);
}

static void reply(struct bondy_invocation *invocation, struct bondy_message *answer, json_t *args,
                  json_t *kwargs)
{
    struct bondy_call *call = find_call(invocation);
    struct bondy_buf bytes = BONDY_BUF_EMPTY;

    BONDY_BUG_ON(invocation->is_done);
    invocation->is_done = true;
    if (call != NULL) {
        enum bondy_serializer serializer = call->caller->local != NULL
                                               ? BONDY_MSGPACK
                                               : (enum bondy_serializer)call->caller->serializer;

        answer->payload = bondy_payload_make(serializer, args, kwargs, &bytes);
        bondy_dealer_answer(call, answer);
    }
    bondy_buf_fini(&bytes);
    json_decref(args);
    json_decref(kwargs);
    if (!invocation->is_starting)
        invocation_destroy(invocation);
}

void bondy_invocation_deprecate(struct bondy_invocation *invocation, const char *name)
{
    invocation->deprecated = name;
}

void bondy_invocation_result(struct bondy_invocation *invocation, json_t *args, json_t *kwargs)
{
    struct bondy_message answer = {.type = BONDY_RESULT};
    const struct bondy_field_out detail = {.key = "deprecated",
                                           .type = BONDY_VALUE_TEXT,
                                           .text = bondy_slice_text(invocation->deprecated)};

    if (invocation->deprecated != NULL) {
        answer.fields = &detail;
        answer.field_count = 1;
    }
    reply(invocation, &answer, args, kwargs);
}

void bondy_invocation_error(struct bondy_invocation *invocation, const char *uri, json_t *args,
                            json_t *kwargs)
{
    struct bondy_message answer = {.type = BONDY_ERROR, .uri = bondy_slice_text(uri)};

    reply(invocation, &answer, args, kwargs);
}
