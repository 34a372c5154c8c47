/* SPDX-License-Identifier: Apache-2.0 */

/* Four threads with real loops. On each, one peer that stays: it subscribes to everything published
 * on "all" and answers calls of "echo.<thread>"; and a few that come, subscribe, register, publish,
 * call and go as they please. At the end nothing is lost: every call had one answer, every stayer
 * every event of "all", once and in the order of its publisher. Meanwhile the grants of the realm
 * change all the time, in ways that leave everything permitted. */

#include "tests/lib/test.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/id.h"
#include "src/base/map.h"
#include "src/router/router.h"
#include "src/sys/publish.h"
#include "src/wamp/codec.h"
#include "src/wamp/rawsocket.h"
#include "tests/lib/rig.h"

#define THREADS 4
#define ROAMERS 5 /* a thread */
#define STEPS 3000
#define PATIENCE_MS 120000

struct house;

struct peer {
    struct house *house;
    struct bondy_session *session;
    enum bondy_serializer serializer;
    bool stays;
    uint64_t next_request;
    struct bondy_buf inbox;   /* messages: length, bytes */
    struct bondy_idmap calls; /* request -> this, not answered yet */
    uint64_t subscription;
    uint64_t registration;
    unsigned long events;
    struct bondy_idmap last_seen; /* publisher -> its last number, one more */
};

struct house {
    pthread_t os_thread;
    unsigned index;
    struct bondy_loop *loop;
    struct bondy_router_thread *thread;
    struct bondy_flush flush;
    struct peer peers[1 + ROAMERS];
    uint32_t dice;
    uint64_t published; /* numbers of publications on "all" */
    unsigned long calls;
    unsigned long results;
    unsigned long errors;
};

static struct bondy_router *router;
static struct house houses[THREADS];
static atomic_uint ready, finished, settled, left;
static atomic_bool is_changing = true;
static atomic_ulong published_in_all;

static unsigned roll(struct house *house, unsigned sides)
{
    house->dice = house->dice * 1664525 + 1013904223;
    return (house->dice >> 8) % sides;
}

/* ---- the transport: keeps what comes until the session is not at work -------------------- */

static void keep(struct peer *peer, const void *data, size_t len)
{
    uint32_t length = (uint32_t)len;

    bondy_buf_append(&peer->inbox, &length, sizeof length);
    bondy_buf_append(&peer->inbox, data, len);
}

static size_t frame_head(uint8_t head[BONDY_FRAME_HEAD_MAX], enum bondy_serializer serializer,
                         size_t len)
{
    (void)serializer;
    bondy_rawsocket_write_head(BONDY_FRAME_MESSAGE, (uint32_t)len, head);
    return BONDY_RAWSOCKET_HEAD_LEN;
}

static void on_send(void *transport, const struct bondy_encoded *message, enum bondy_send_kind kind)
{
    struct bondy_buf whole = BONDY_BUF_EMPTY;

    (void)kind;
    for (unsigned i = 0; i < message->part_count; i++)
        bondy_buf_append_slice(&whole, message->parts[i]);
    keep(transport, whole.data, whole.len);
    bondy_buf_fini(&whole);
}

static void on_send_shared(void *transport, struct bondy_shared *message, enum bondy_send_kind kind)
{
    (void)kind;
    keep(transport, message->bytes + BONDY_RAWSOCKET_HEAD_LEN,
         message->len - BONDY_RAWSOCKET_HEAD_LEN);
}

static void on_close(void *transport)
{
    struct peer *peer = transport;

    BONDY_BUG_ON(peer->stays);
    peer->session = NULL;
}

static const struct bondy_session_out out = {.framing = BONDY_FRAMING_RAWSOCKET,
                                             .frame_head = frame_head,
                                             .send = on_send,
                                             .send_shared = on_send_shared,
                                             .close = on_close};

static void say(struct peer *peer, json_t *message)
{
    struct bondy_buf bytes = BONDY_BUF_EMPTY;

    BONDY_BUG_ON(message == NULL);
    bondy_value_format(peer->serializer, message, &bytes);
    bondy_session_receive(peer->session, bondy_buf_slice(&bytes));
    bondy_buf_fini(&bytes);
    json_decref(message);
}

/* ---- what a peer does with what it gets -------------------------------------------------- */

static void on_event(struct peer *peer, json_t *args)
{
    uint64_t publisher = (uint64_t)json_integer_value(json_array_get(args, 0));
    uintptr_t number = (uintptr_t)json_integer_value(json_array_get(args, 1));

    /* A roamer may have several subscriptions that match. */
    if (!peer->stays)
        return;
    BONDY_BUG_ON((uintptr_t)bondy_idmap_find(&peer->last_seen, publisher) >= number);
    bondy_idmap_put(&peer->last_seen, publisher, (void *)number);
    peer->events++;
}

static void on_answer(struct peer *peer, json_t *message, bool is_result)
{
    size_t at = is_result ? 1 : 2;
    uint64_t request = (uint64_t)json_integer_value(json_array_get(message, at));
    json_t *args = json_array_get(message, is_result ? 3 : 5);

    if (!is_result && json_integer_value(json_array_get(message, 1)) != BONDY_CALL)
        return;
    BONDY_BUG_ON(bondy_idmap_remove(&peer->calls, request) == NULL);
    if (!is_result) {
        peer->house->errors++;
        return;
    }
    BONDY_BUG_ON((uint64_t)json_integer_value(json_array_get(args, 0)) != request);
    peer->house->results++;
}

static void on_message(struct peer *peer, json_t *message)
{
    json_t *id = json_array_get(message, 1);

    switch (json_integer_value(json_array_get(message, 0))) {
    case BONDY_SUBSCRIBED:
        peer->subscription = (uint64_t)json_integer_value(json_array_get(message, 2));
        break;
    case BONDY_REGISTERED:
        peer->registration = (uint64_t)json_integer_value(json_array_get(message, 2));
        break;
    case BONDY_EVENT:
        on_event(peer, json_array_get(message, 4));
        break;
    case BONDY_INVOCATION:
        say(peer, json_pack("[i,O,{},O]", BONDY_YIELD, id, json_array_get(message, 4)));
        break;
    case BONDY_RESULT:
        on_answer(peer, message, true);
        break;
    case BONDY_ERROR:
        on_answer(peer, message, false);
        break;
    default:
        break;
    }
}

/* Messages that come meanwhile are for the next time. */
static void read_inbox(struct peer *peer)
{
    struct bondy_buf inbox = peer->inbox;
    size_t at = 0;

    peer->inbox = (struct bondy_buf)BONDY_BUF_EMPTY;
    while (at < inbox.len && peer->session != NULL) {
        uint32_t length;
        json_t *message;

        memcpy(&length, inbox.data + at, sizeof length);
        at += sizeof length;
        message = bondy_value_tree(peer->serializer, bondy_slice_of(inbox.data + at, length));
        on_message(peer, message);
        json_decref(message);
        at += length;
    }
    bondy_buf_fini(&inbox);
}

/* ---- roaming ----------------------------------------------------------------------------- */

static void join(struct peer *peer)
{
    const struct bondy_session_peer about = {
        .serializer = peer->serializer, .transport = "tcp", .peername = BONDY_SLICE("test")};

    peer->session = bondy_session_open(peer->house->thread, &about, &out, peer);
    peer->next_request = 1;
    peer->subscription = 0;
    peer->registration = 0;
    say(peer, json_pack("[i,s,{s:{s:{},s:{},s:{},s:{}}}]", BONDY_HELLO, "dev", "roles", "caller",
                        "callee", "publisher", "subscriber"));
}

static void leave(struct peer *peer)
{
    struct bondy_session *session = peer->session;

    if (roll(peer->house, 2) == 0)
        say(peer, json_pack("[i,{},s]", BONDY_GOODBYE, "wamp.close.normal"));
    peer->session = NULL;
    bondy_session_lost(session);
    peer->inbox.len = 0;
    bondy_idmap_fini(&peer->calls);
}

static json_int_t next_request(struct peer *peer)
{
    return (json_int_t)peer->next_request++;
}

static void subscribe(struct peer *peer)
{
    static const char *const topics[][2] = {{"exact", "all"},  {"exact", "t.0"}, {"exact", "t.1"},
                                            {"prefix", "t"},   {"prefix", "al"}, {"wildcard", "t."},
                                            {"wildcard", ".0"}};
    unsigned which = roll(peer->house, BONDY_COUNT(topics));

    say(peer, json_pack("[i,I,{s:s},s]", BONDY_SUBSCRIBE, next_request(peer), "match",
                        topics[which][0], topics[which][1]));
}

static void unsubscribe(struct peer *peer)
{
    if (peer->subscription != 0)
        say(peer, json_pack("[i,I,I]", BONDY_UNSUBSCRIBE, next_request(peer),
                            (json_int_t)peer->subscription));
}

static void publish_to_all(struct peer *peer)
{
    struct house *house = peer->house;

    atomic_fetch_add(&published_in_all, 1);
    say(peer, json_pack("[i,I,{},s,[I,I]]", BONDY_PUBLISH, next_request(peer), "all",
                        (json_int_t)house->index + 1, (json_int_t)++house->published));
}

static void publish(struct peer *peer)
{
    say(peer, json_pack("[i,I,{s:b},s]", BONDY_PUBLISH, next_request(peer), "acknowledge",
                        roll(peer->house, 2), roll(peer->house, 2) == 0 ? "t.0" : "t.1"));
}

static void call_to(struct peer *peer, const char *procedure)
{
    json_int_t request = next_request(peer);

    peer->house->calls++;
    bondy_idmap_put(&peer->calls, (uint64_t)request, peer);
    say(peer, json_pack("[i,I,{},s,[I]]", BONDY_CALL, request, procedure, request));
}

static void call_echo(struct peer *peer)
{
    static const char *const names[THREADS] = {"echo.0", "echo.1", "echo.2", "echo.3"};

    call_to(peer, names[roll(peer->house, THREADS)]);
}

static void call_roamer(struct peer *peer)
{
    static const char *const names[] = {"r.0", "r.1", "r.2"};

    call_to(peer, names[roll(peer->house, BONDY_COUNT(names))]);
}

static void offer(struct peer *peer)
{
    static const char *const names[][2] = {
        {"exact", "r.0"}, {"exact", "r.1"}, {"prefix", "r"}, {"wildcard", "r."}};
    unsigned which = roll(peer->house, BONDY_COUNT(names));

    say(peer, json_pack("[i,I,{s:s},s]", BONDY_REGISTER, next_request(peer), "match",
                        names[which][0], names[which][1]));
}

static void withdraw(struct peer *peer)
{
    if (peer->registration != 0)
        say(peer, json_pack("[i,I,I]", BONDY_UNREGISTER, next_request(peer),
                            (json_int_t)peer->registration));
}

static void act(struct peer *peer)
{
    static void (*const actions[])(struct peer * peer) = {
        subscribe, unsubscribe, publish_to_all, publish,  call_echo,
        call_echo, call_roamer, offer,          withdraw, leave};

    if (peer->session == NULL)
        join(peer);
    else
        actions[roll(peer->house, BONDY_COUNT(actions))](peer);
}

/* ---- a thread ---------------------------------------------------------------------------- */

static bool on_flush(struct bondy_flush *flush)
{
    bondy_router_flush(BONDY_CONTAINER(flush, struct house, flush)->thread);
    return false;
}

static void turn(struct house *house)
{
    bondy_loop_turn(house->loop, 1);
    for (size_t i = 0; i < BONDY_COUNT(house->peers); i++)
        read_inbox(&house->peers[i]);
}

static void wait_for(struct house *house, atomic_uint *counter, const char *what)
{
    uint64_t start = bondy_clock_mono_ms();

    atomic_fetch_add(counter, 1);
    while (atomic_load(counter) < THREADS) {
        turn(house);
        if (bondy_clock_mono_ms() - start > PATIENCE_MS) {
            fprintf(stderr, "thread %u waits for %s\n", house->index, what);
            abort();
        }
    }
}

static bool is_settled(const struct house *house)
{
    for (size_t i = 0; i < BONDY_COUNT(house->peers); i++) {
        if (house->peers[i].calls.count > 0)
            return false;
    }
    return house->peers[0].events == atomic_load(&published_in_all);
}

static void start_house(struct house *house)
{
    char procedure[20];

    BONDY_BUG_ON(bondy_loop_create(house->index, &house->loop, NULL) != BONDY_OK);
    house->thread = bondy_router_thread_create(router, house->index, bondy_loop_wheel(house->loop));
    house->flush.rank = BONDY_FLUSH_ROUTER;
    house->flush.fn = on_flush;
    bondy_loop_add_flush(house->loop, &house->flush);
    for (unsigned i = 0; i < BONDY_COUNT(house->peers); i++) {
        house->peers[i].house = house;
        house->peers[i].stays = i == 0;
        house->peers[i].serializer = (enum bondy_serializer)(1 + (house->index + i) % 3);
    }
    join(&house->peers[0]);
    say(&house->peers[0], json_pack("[i,i,{},s]", BONDY_SUBSCRIBE, 1, "all"));
    snprintf(procedure, sizeof procedure, "echo.%u", house->index);
    say(&house->peers[0], json_pack("[i,i,{},s]", BONDY_REGISTER, 2, procedure));
}

static void end_house(struct house *house)
{
    for (size_t i = 0; i < BONDY_COUNT(house->peers); i++) {
        struct peer *peer = &house->peers[i];

        if (peer->session != NULL)
            bondy_session_lost(BONDY_MOVE(peer->session));
        bondy_buf_fini(&peer->inbox);
        bondy_idmap_fini(&peer->calls);
        bondy_idmap_fini(&peer->last_seen);
    }
    wait_for(house, &left, "others to leave");
    bondy_loop_turn(house->loop, 0);
    bondy_router_thread_destroy(house->thread);
    bondy_loop_remove_flush(house->loop, &house->flush);
    bondy_loop_destroy(house->loop);
}

static void *run_house(void *context)
{
    struct house *house = context;
    uint64_t start;

    bondy_publish_thread_start();
    start_house(house);
    wait_for(house, &ready, "others to start");
    for (int step = 0; step < STEPS; step++) {
        for (unsigned i = 0; i <= roll(house, 8); i++)
            act(&house->peers[1 + roll(house, ROAMERS)]);
        turn(house);
    }
    wait_for(house, &finished, "others to finish");
    while (atomic_load(&is_changing))
        turn(house);
    start = bondy_clock_mono_ms();
    while (!is_settled(house)) {
        turn(house);
        if (bondy_clock_mono_ms() - start > PATIENCE_MS) {
            fprintf(stderr, "thread %u: %lu of %lu events\n", house->index, house->peers[0].events,
                    atomic_load(&published_in_all));
            abort();
        }
    }
    wait_for(house, &settled, "others to settle");
    end_house(house);
    bondy_publish_thread_stop();
    return NULL;
}

static void post(void *context, unsigned from, unsigned to, struct bondy_mail *first,
                 struct bondy_mail *last)
{
    (void)context;
    (void)from;
    bondy_loop_post_chain(houses[to].loop, first, last);
}

/* ---- grants that change ---------------------------------------------------------------------- */

struct notice {
    struct bondy_mail mail;
    struct house *house;
};

static void run_notice(struct bondy_mail *mail)
{
    struct notice *notice = BONDY_CONTAINER(mail, struct notice, mail);

    bondy_router_thread_recheck(notice->house->thread, BONDY_SLICE("dev"), BONDY_SLICE_EMPTY);
    bondy_router_thread_purge(notice->house->thread, BONDY_SLICE("dev"), BONDY_SLICE_EMPTY);
    bondy_free(notice);
}

static void put_grant(struct bondy_policy *policy, enum bondy_grant_match match, bool is_given)
{
    const struct bondy_grant_key key = {
        .kind = BONDY_ROLE_GROUP, .name = BONDY_SLICE("all"), .match = match};
    json_t *permissions = is_given ? json_pack("[s,s,s,s,s,s,s]", "wamp.call", "wamp.cancel",
                                               "wamp.publish", "wamp.subscribe", "wamp.unsubscribe",
                                               "wamp.register", "wamp.unregister")
                                   : json_array();

    bondy_policy_put_grant(policy, &key, permissions);
    json_decref(permissions);
}

/* Two grants of everything: one of them is always there. */
static void change_grants(struct bondy_policy *policy, unsigned round)
{
    put_grant(policy, round % 2 == 0 ? BONDY_GRANT_PREFIX : BONDY_GRANT_ANY, true);
    bondy_policy_publish(policy);
    put_grant(policy, round % 2 == 0 ? BONDY_GRANT_ANY : BONDY_GRANT_PREFIX, false);
    bondy_policy_publish(policy);
    for (unsigned i = 0; i < THREADS; i++) {
        struct notice *notice = bondy_alloc(sizeof *notice);

        *notice = (struct notice){.mail = {.run = run_notice}, .house = &houses[i]};
        bondy_loop_post(houses[i].loop, &notice->mail);
    }
    bondy_publish_quiesce();
}

static void change_until_all_have_finished(struct bondy_policy *policy)
{
    unsigned round = 0;

    while (atomic_load(&finished) < THREADS) {
        if (atomic_load(&ready) >= THREADS)
            change_grants(policy, round++);
        bondy_publish_idle();
        sched_yield();
        bondy_publish_busy();
    }
    assert_true(round > 0);
    atomic_store(&is_changing, false);
}

/* Nobody logs in, but what is not granted is denied. */
static struct bondy_policy *secure(struct bondy_rig *rig)
{
    struct bondy_policy *policy = bondy_rig_realm(rig, "dev")->policy;

    bondy_policy_configure(policy, &bondy_policy_defaults);
    put_grant(policy, BONDY_GRANT_ANY, true);
    bondy_policy_publish(policy);
    return policy;
}

static void nothing_is_lost_between_threads(void **state)
{
    struct bondy_rig *rig = bondy_zalloc(sizeof *rig);
    struct bondy_router_options options;
    unsigned long calls = 0, results = 0;
    struct bondy_policy *policy;

    (void)state;
    bondy_publish_thread_start();
    bondy_rig_init(rig, THREADS);
    bondy_rig_add_realm(rig, "dev", 0);
    policy = secure(rig);
    options = rig->options;
    options.standing = BONDY_STANDING_ALL;
    options.post = post;
    assert_int_equal(bondy_router_create(&options, &router, NULL), BONDY_OK);
    for (unsigned i = 0; i < THREADS; i++) {
        houses[i].index = i;
        houses[i].dice = i + 1;
        assert_int_equal(pthread_create(&houses[i].os_thread, NULL, run_house, &houses[i]), 0);
    }
    change_until_all_have_finished(policy);
    bondy_publish_idle();
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(houses[i].os_thread, NULL);
    bondy_publish_busy();
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(houses[i].peers[0].events, atomic_load(&published_in_all));
        calls += houses[i].calls;
        results += houses[i].results;
    }
    print_message("%lu publications to %d, %lu calls, %lu results\n",
                  atomic_load(&published_in_all), THREADS, calls, results);
    assert_true(results > calls / 4);
    bondy_router_destroy(router);
    bondy_publish_barrier_wait();
    bondy_publish_thread_stop();
    bondy_rig_clear_realms(rig);
    bondy_free(rig);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_lost_between_threads)};

    if (bondy_id_start(NULL) != BONDY_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
