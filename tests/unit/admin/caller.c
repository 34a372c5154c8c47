/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/admin/caller.h"

#include <string.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/router/broker.h"
#include "src/router/core.h"
#include "src/wamp/codec.h"

static void take_answer(struct caller *caller, const struct bondy_message *message)
{
    caller->has_answer = true;
    caller->is_error = message->type == BONDY_ERROR;
    snprintf(caller->uri, sizeof caller->uri, BONDY_SLICE_FMT, BONDY_SLICE_ARG(message->uri));
    caller->deprecated[0] = '\0';
    for (size_t i = 0; i < message->field_count; i++)
        if (strcmp(message->fields[i].key, "deprecated") == 0)
            snprintf(caller->deprecated, sizeof caller->deprecated, BONDY_SLICE_FMT,
                     BONDY_SLICE_ARG(message->fields[i].text));
    caller->args = bondy_payload_args(&message->payload);
    caller->kwargs = bondy_payload_kwargs(&message->payload);
}

static void on_message(void *peer, const struct bondy_message *message)
{
    struct caller *caller = peer;

    if (message->type == BONDY_EVENT)
        json_array_append_new(caller->events,
                              json_pack("[o, o]", bondy_payload_args(&message->payload),
                                        bondy_payload_kwargs(&message->payload)));
    else
        take_answer(caller, message);
}

static void on_closed(void *peer, const char *reason)
{
    (void)reason;
    ((struct caller *)peer)->session = NULL;
}

void forget(struct caller *caller)
{
    json_decref(caller->args);
    json_decref(caller->kwargs);
    caller->args = caller->kwargs = NULL;
    caller->has_answer = false;
}

void join(struct caller *caller, struct house *house, const char *realm, const char *authid)
{
    static const struct bondy_session_local local = {on_message, on_closed};
    struct bondy_identity identity = {.authid = bondy_slice_text(authid),
                                      .authmethod = BONDY_SLICE("password"),
                                      .is_trusted = authid == NULL};
    struct bondy_error err = {0};
    json_t *groups = json_array();
    uint64_t seq;

    if (authid != NULL) {
        identity.principal =
            bondy_principals_get(house->principals, bondy_slice_text(realm), identity.authid, &seq);
        assert_true(bondy_principal_fill(identity.principal, &seq, groups));
    }
    *caller = (struct caller){.house = house, .events = json_array()};
    caller->session = bondy_session_open_local(house->router_thread, bondy_slice_text(realm),
                                               &identity, &local, caller, &err);
    if (caller->session == NULL)
        fail_msg("%s", err.text);
    bondy_principal_unref(identity.principal);
    json_decref(groups);
}

void leave(struct caller *caller)
{
    forget(caller);
    json_decref(caller->events);
    if (caller->session != NULL)
        bondy_session_lost(caller->session);
}

/* A call is made where it would be: inside a turn of the loop, which is where answers come back to.
 */
struct sending {
    struct bondy_mail mail;
    struct caller *caller;
    const char *procedure;
    const struct bondy_payload *payload;
};

static void send_now(struct bondy_mail *mail)
{
    struct sending *sending = BONDY_CONTAINER(mail, struct sending, mail);

    bondy_session_call(sending->caller->session, bondy_slice_text(sending->procedure),
                       &(struct bondy_call_options){0}, sending->payload);
}

const char *call_with(struct caller *caller, const char *procedure, json_t *args, json_t *kwargs)
{
    struct bondy_buf bytes = BONDY_BUF_EMPTY;
    struct bondy_payload payload;
    struct sending sending = {{.run = send_now}, caller, procedure, &payload};

    forget(caller);
    payload = bondy_payload_make(BONDY_JSON, args, kwargs, &bytes);
    bondy_loop_post(caller->house->loop, &sending.mail);
    for (int i = 0; i < 30000 && !caller->has_answer; i++)
        bondy_loop_turn(caller->house->loop, 2);
    if (!caller->has_answer)
        fail_msg("%s: no answer", procedure);
    json_decref(args);
    json_decref(kwargs);
    bondy_buf_fini(&bytes);
    return caller->is_error ? caller->uri : "";
}

json_t *tree_of(const char *text)
{
    char *copy = bondy_memdup0(text, strlen(text));
    json_t *tree;

    for (char *at = copy; *at != '\0'; at++)
        *at = *at == '\'' ? '"' : *at;
    tree = bondy_json_parse(bondy_slice_text(copy), 32, NULL);
    if (tree == NULL)
        fail_msg("%s", text);
    bondy_free(copy);
    return tree;
}

const char *call(struct caller *caller, const char *procedure, const char *args, const char *kwargs)
{
    return call_with(caller, procedure, tree_of(args), tree_of(kwargs));
}

void must(struct caller *caller, const char *procedure, const char *args)
{
    if (*call(caller, procedure, args, "{}") != '\0')
        fail_msg("%s %s: %s %s", procedure, args, caller->uri,
                 json_string_value(json_object_get(caller->kwargs, "message")));
}
