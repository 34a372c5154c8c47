/* SPDX-License-Identifier: Apache-2.0 */
#include "src/router/authorize.h"

#include "src/base/alloc.h"
#include "src/router/ask.h"
#include "src/router/broker.h"
#include "src/router/dealer.h"
#include "src/wamp/errors.h"

#define KEPT_MAX 1024                   /* answers kept for one identity on one thread */
#define WAITING_BYTES_MAX (4u << 20)    /* that a session may send behind what waits */
#define WAITING_MAX 4096                /* and messages */
#define TIMEOUT_MS 5000                 /* unless the realm says otherwise */
#define TTL_MAX_MS (UINT64_C(86400000)) /* a day */

/* ---- answers that are kept --------------------------------------------------------------------
 */

enum answer { ANSWER_NONE, ANSWER_ALLOWED, ANSWER_DENIED, ANSWER_FAILED };

struct kept {
    enum answer answer;
    uint64_t until_ms;
};

/* What was asked for one message, while that message goes on: it counts once, for nothing else. */
struct bondy_verdict {
    const struct bondy_session *session;
    const struct bondy_demand *demand;
    enum answer answer;
};

static struct bondy_slice make_key(const struct bondy_demand *demand, struct bondy_buf *out)
{
    bondy_buf_append_byte(out, (unsigned char)demand->permission);
    bondy_buf_append_byte(out, (unsigned char)demand->match);
    bondy_buf_append_slice(out, demand->uri);
    return bondy_buf_slice(out);
}

void bondy_authorize_forget(struct bondy_access *access)
{
    struct bondy_slice key;
    size_t cursor = 0;
    void *kept;

    while (bondy_map_next(&access->answers, &cursor, &key, &kept))
        bondy_free(kept);
    bondy_map_fini(&access->answers);
}

static void keep(struct bondy_access *access, const struct bondy_demand *demand, enum answer answer,
                 uint64_t until_ms)
{
    struct bondy_buf key = BONDY_BUF_EMPTY;
    struct kept *kept = bondy_alloc(sizeof *kept);

    if (access->answers.count >= KEPT_MAX)
        bondy_authorize_forget(access);
    *kept = (struct kept){answer, until_ms};
    bondy_free(bondy_map_put(&access->answers, make_key(demand, &key), kept));
    bondy_buf_fini(&key);
}

/* The answer to what was asked for the message at hand. */
static enum answer take_verdict(const struct bondy_session *session,
                                const struct bondy_demand *demand)
{
    struct bondy_router_thread *thread = session->thread;
    const struct bondy_verdict *verdict = thread->verdict;

    if (verdict == NULL || verdict->session != session ||
        verdict->demand->permission != demand->permission ||
        verdict->demand->match != demand->match ||
        !bondy_slice_eq(verdict->demand->uri, demand->uri))
        return ANSWER_NONE;
    thread->verdict = NULL;
    return verdict->answer;
}

static enum answer recall(struct bondy_session *session, const struct bondy_demand *demand)
{
    struct bondy_access *access = session->access;
    enum answer answer = take_verdict(session, demand);
    struct bondy_buf key = BONDY_BUF_EMPTY;
    struct bondy_slice slice;
    struct kept *kept;

    if (answer != ANSWER_NONE)
        return answer;
    slice = make_key(demand, &key);
    kept = bondy_map_find(&access->answers, slice);
    if (kept != NULL && kept->until_ms <= session->thread->wheel->now_ms)
        bondy_free(bondy_map_remove(&access->answers, slice));
    else if (kept != NULL)
        answer = kept->answer;
    bondy_buf_fini(&key);
    return answer;
}

/* ---- what waits -------------------------------------------------------------------------------
 */

struct waiting {
    struct waiting *next;
    size_t len;
    char bytes[];
};

/* A message that was put aside, and those behind it. */
struct bondy_parked {
    struct bondy_session *session;
    struct bondy_asking *asking;
    struct bondy_demand demand; /* its URI is owned */
    struct waiting *first, **last;
    size_t count, len;
    /* The message itself: bytes of a transport, or of a local session what it is made of. */
    struct waiting *own;
    struct bondy_message message;
    struct bondy_options options;
    struct bondy_buf texts;
};

static struct waiting *waiting_create(struct bondy_slice bytes)
{
    struct waiting *waiting = bondy_alloc(sizeof *waiting + bytes.len);

    waiting->next = NULL;
    waiting->len = bytes.len;
    memcpy(waiting->bytes, bytes.data, bytes.len);
    return waiting;
}

static void free_waiting(struct waiting *waiting)
{
    while (waiting != NULL) {
        struct waiting *next = waiting->next;

        bondy_free(waiting);
        waiting = next;
    }
}

static void parked_destroy(struct bondy_parked *parked)
{
    bondy_ask_stop(parked->asking);
    free_waiting(parked->own);
    free_waiting(parked->first);
    bondy_buf_fini(&parked->texts);
    bondy_free((char *)(uintptr_t)parked->demand.uri.data);
    bondy_free(parked);
}

bool bondy_authorize_hold(struct bondy_session *session, struct bondy_slice bytes)
{
    struct bondy_parked *parked = session->parked;

    if (parked->count >= WAITING_MAX || parked->len + bytes.len > WAITING_BYTES_MAX) {
        bondy_session_abort(session, BONDY_ERR_UNAVAILABLE,
                            "too much was sent while the authorizer of the realm was asked");
        return false;
    }
    *parked->last = waiting_create(bytes);
    parked->last = &(*parked->last)->next;
    parked->count++;
    parked->len += bytes.len;
    return true;
}

void bondy_authorize_leave(struct bondy_session *session)
{
    struct bondy_parked *parked = BONDY_MOVE(session->parked);

    if (parked != NULL)
        parked_destroy(parked);
}

void bondy_authorize_cancel(struct bondy_session *session, uint64_t request)
{
    const struct bondy_parked *parked = session->parked;

    if (parked != NULL && parked->message.type == BONDY_CALL && parked->message.id == request)
        bondy_authorize_leave(session);
}

/* ---- going on ---------------------------------------------------------------------------------
 */

/* Where copies of a local session's message will lie: offsets until the buffer has its last size.
 */
static struct bondy_slice copy(struct bondy_buf *texts, struct bondy_slice text)
{
    size_t at = texts->len;

    bondy_buf_append_slice(texts, text);
    return bondy_slice_of((const char *)at, text.len);
}

static void settle(const struct bondy_buf *texts, struct bondy_slice *text)
{
    *text = text->len == 0 ? BONDY_SLICE_EMPTY
                           : bondy_slice_of(texts->data + (uintptr_t)text->data, text->len);
}

static void keep_local(struct bondy_parked *parked, const struct bondy_message *message,
                       const struct bondy_options *options)
{
    struct bondy_message *own = &parked->message;

    *own = *message;
    own->uri = copy(&parked->texts, message->uri);
    own->dict = copy(&parked->texts, message->dict);
    own->payload.args = copy(&parked->texts, message->payload.args);
    own->payload.kwargs = copy(&parked->texts, message->payload.kwargs);
    settle(&parked->texts, &own->uri);
    settle(&parked->texts, &own->dict);
    settle(&parked->texts, &own->payload.args);
    settle(&parked->texts, &own->payload.kwargs);
    parked->options = *options;
}

/* Lists of receivers are slices of the dict: they are read again from the copy. */
static void run_local(struct bondy_parked *parked)
{
    struct bondy_session *session = parked->session;
    struct bondy_options options;
    struct bondy_refusal refusal;

    if (!bondy_options_read(&parked->message, &session->thread->option_scratch, &options, &refusal))
        return;
    options.timeout_ms = parked->options.timeout_ms;
    options.disclose_me = parked->options.disclose_me;
    if (parked->message.type == BONDY_CALL)
        bondy_dealer_call(session, &parked->message, &options);
    else
        bondy_broker_publish(session, &parked->message, &options);
}

/* The message finds the answer, unless it does not need it any more. What waits behind it may have
 * to ask again, and may end the session. */
static void go_on(struct bondy_session *session, enum answer answer)
{
    struct bondy_router_thread *thread = session->thread;
    struct bondy_parked *parked = BONDY_MOVE(session->parked);
    struct waiting *waiting = BONDY_MOVE(parked->first);
    const struct bondy_verdict verdict = {session, &parked->demand, answer};
    bool is_alive = true;

    parked->asking = NULL;
    thread->verdict = &verdict;
    if (parked->own != NULL)
        is_alive =
            bondy_session_again(session, bondy_slice_of(parked->own->bytes, parked->own->len));
    else
        run_local(parked);
    thread->verdict = NULL;
    parked_destroy(parked);
    while (waiting != NULL && is_alive) {
        struct waiting *next = waiting->next;

        is_alive = bondy_session_receive(session, bondy_slice_of(waiting->bytes, waiting->len));
        bondy_free(waiting);
        waiting = next;
    }
    free_waiting(waiting);
}

/* ---- asking -----------------------------------------------------------------------------------
 */

static bool is_allowed(const json_t *result)
{
    return json_is_object(result) ? json_is_true(json_object_get(result, "allow"))
                                  : json_is_true(result);
}

static uint64_t ttl_ms(const json_t *result)
{
    const json_t *ttl = json_object_get(result, "ttl");
    double seconds = json_is_number(ttl) ? json_number_value(ttl) : 0;

    if (!(seconds > 0))
        return 0;
    return seconds * 1000 > (double)TTL_MAX_MS ? TTL_MAX_MS : (uint64_t)(seconds * 1000);
}

static void on_answer(void *context, const json_t *result, const char *error)
{
    struct bondy_parked *parked = context;
    struct bondy_session *session = parked->session;
    uint64_t ttl = error == NULL ? ttl_ms(result) : 0;
    enum answer answer = error != NULL        ? ANSWER_FAILED
                         : is_allowed(result) ? ANSWER_ALLOWED
                                              : ANSWER_DENIED;

    if (ttl > 0)
        keep(session->access, &parked->demand, answer, session->thread->wheel->now_ms + ttl);
    go_on(session, answer);
}

/* [session, uri, action, options] */
static json_t *make_args(const struct bondy_session *session, const struct bondy_demand *demand)
{
    static const char *const policies[] = {[BONDY_MATCH_EXACT] = "exact",
                                           [BONDY_MATCH_PREFIX] = "prefix",
                                           [BONDY_MATCH_WILDCARD] = "wildcard"};
    const char *action = strchr(bondy_permission_name(demand->permission), '.') + 1;
    json_t *args = json_array();

    json_array_append_new(args, bondy_session_info(session));
    json_array_append_new(args, bondy_json_slice(demand->uri));
    json_array_append_new(args, json_string(action));
    json_array_append_new(args, json_pack("{s:s}", "match", policies[demand->match]));
    return args;
}

static void park(struct bondy_session *session, const struct bondy_message *message,
                 const struct bondy_demand *demand)
{
    struct bondy_parked *parked = bondy_zalloc(sizeof *parked);

    parked->session = session;
    parked->last = &parked->first;
    parked->demand = *demand;
    parked->demand.uri =
        bondy_slice_of(bondy_memdup0(demand->uri.data, demand->uri.len), demand->uri.len);
    if (session->local == NULL)
        parked->own = waiting_create(session->thread->current);
    else
        keep_local(parked, message, session->thread->current_options);
    session->parked = parked;
}

static void ask(struct bondy_session *session, const json_t *authorizer)
{
    struct bondy_parked *parked = session->parked;
    const json_t *timeout = json_object_get(authorizer, "timeout");
    json_t *args = make_args(session, &parked->demand);
    const struct bondy_question question = {
        .realm = bondy_session_realm(session),
        .procedure = bondy_json_text(authorizer, "procedure"),
        .args = args,
        .timeout_ms = json_is_integer(timeout) ? (uint64_t)json_integer_value(timeout) : TIMEOUT_MS,
        .answer = on_answer,
        .context = parked};

    bondy_ask(session->thread, &question, &parked->asking);
    json_decref(args);
}

/* Whoever provides the authorizer is not asked about. */
static bool is_provider(struct bondy_session *session, struct bondy_slice procedure)
{
    struct bondy_registration *registration = bondy_registry_best(
        session->realm->registry, procedure, bondy_hash(procedure.data, procedure.len));
    const struct bondy_callees *callees =
        registration == NULL ? NULL : bondy_publish_get(registration->callees);

    for (unsigned i = 0; callees != NULL && i < callees->count; i++)
        if (callees->items[i].session_id == session->id)
            return true;
    return false;
}

static const json_t *find_authorizer(struct bondy_session *session)
{
    const struct bondy_realm *realm =
        bondy_realms_find(session->thread->router->options.realms, bondy_session_realm(session));

    return realm == NULL ? NULL : realm->authorizer;
}

static bool refuse(struct bondy_session *session, const struct bondy_message *message,
                   const struct bondy_demand *demand, bool has_failed)
{
    if (demand->is_quiet)
        bondy_access_note_denial(session, demand->permission, demand->uri);
    else if (has_failed)
        bondy_deliver_problem(session, message->type, message->id, BONDY_ERR_AUTHORIZATION_FAILED,
                              BONDY_SLICE("the authorizer of the realm did not answer"));
    else
        bondy_access_deny(session, message->type, message->id, demand->permission, demand->uri);
    return false;
}

bool bondy_authorize_dynamic(struct bondy_session *session, const struct bondy_message *message,
                             const struct bondy_demand *demand)
{
    const json_t *authorizer = find_authorizer(session);
    enum answer answer;

    if (authorizer == NULL || is_provider(session, bondy_json_text(authorizer, "procedure")))
        return refuse(session, message, demand, false);
    answer = recall(session, demand);
    session->thread->is_by_authorizer = answer == ANSWER_ALLOWED;
    if (answer == ANSWER_ALLOWED)
        return true;
    /* One at a time: sessions of this process do not queue. */
    if (answer != ANSWER_NONE || session->parked != NULL)
        return refuse(session, message, demand, answer != ANSWER_DENIED);
    park(session, message, demand);
    ask(session, authorizer);
    return false;
}
