/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "src/base/alloc.h"
#include "src/transport/outq.h"
#include "tests/unit/transport/fake_session.h"

static struct bondy_shared *make_shared(const char *text)
{
    size_t len = strlen(text);
    struct bondy_shared *shared = bondy_alloc(sizeof *shared + len);

    shared->refs = 1;
    shared->len = (uint32_t)len;
    memcpy(shared->bytes, text, len);
    return shared;
}

static bool push(struct bondy_outq *queue, const char *text, enum bondy_send_kind kind)
{
    struct bondy_encoded message = {
        .parts = {bondy_slice_text(text)}, .part_count = 1, .len = strlen(text)};

    return bondy_outq_push(queue, NULL, 0, &message, kind);
}

static void share(struct bondy_outq *queue, const char *text, enum bondy_send_kind kind)
{
    struct bondy_shared *shared = make_shared(text);

    assert_true(bondy_outq_push_shared(queue, shared, kind));
    bondy_shared_unref(shared);
}

static void assert_queue_is(const struct bondy_outq *queue, const char *text)
{
    uint8_t bytes[4096];
    size_t len = bondy_outq_gather(queue, bytes, sizeof bytes);

    assert_slice_is(bondy_slice_of(bytes, len), text);
    assert_int_equal(queue->bytes, len);
}

static void octets_come_out_in_the_order_they_went_in(void **state)
{
    struct bondy_outq_pool pool;
    struct bondy_outq queue;
    uint8_t some[4];

    (void)state;
    bondy_outq_pool_init(&pool);
    bondy_outq_init(&queue, &pool, 1000, 100);
    push(&queue, "one ", BONDY_SEND_REPLY);
    share(&queue, "two ", BONDY_SEND_EVENT);
    push(&queue, "three ", BONDY_SEND_EVENT);
    push(&queue, "four", BONDY_SEND_REPLY);
    assert_queue_is(&queue, "one two three four");
    assert_int_equal(queue.messages, 4);
    assert_int_equal(bondy_outq_gather(&queue, some, 4), 4);
    bondy_outq_consume(&queue, 6);
    assert_queue_is(&queue, "o three four");
    bondy_outq_consume(&queue, queue.bytes);
    assert_true(bondy_outq_is_empty(&queue));
    assert_int_equal(queue.messages, 0);
    assert_int_equal(bondy_slab_count(pool.chunks) + bondy_slab_count(pool.references), 0);
    bondy_outq_pool_fini(&pool);
}

static void at_the_limit_the_oldest_events_give_way(void **state)
{
    struct bondy_outq_pool pool;
    struct bondy_outq queue;

    (void)state;
    bondy_outq_pool_init(&pool);
    bondy_outq_init(&queue, &pool, 12, 100);
    share(&queue, "aaaa", BONDY_SEND_EVENT);
    share(&queue, "bbbb", BONDY_SEND_EVENT);
    share(&queue, "cccc", BONDY_SEND_EVENT);
    share(&queue, "dddd", BONDY_SEND_EVENT);
    assert_queue_is(&queue, "bbbbccccdddd");
    assert_int_equal(queue.dropped, 1);
    assert_true(push(&queue, "reply", BONDY_SEND_REPLY));
    assert_queue_is(&queue, "ddddreply");
    assert_int_equal(queue.dropped, 3);
    bondy_outq_clear(&queue);
    bondy_outq_pool_fini(&pool);
}

static void an_event_that_is_half_written_is_not_dropped(void **state)
{
    struct bondy_outq_pool pool;
    struct bondy_outq queue;

    (void)state;
    bondy_outq_pool_init(&pool);
    bondy_outq_init(&queue, &pool, 8, 100);
    share(&queue, "aaaa", BONDY_SEND_EVENT);
    share(&queue, "bbbb", BONDY_SEND_EVENT);
    bondy_outq_consume(&queue, 1);
    share(&queue, "cccc", BONDY_SEND_EVENT);
    assert_queue_is(&queue, "aaacccc");
    bondy_outq_clear(&queue);
    bondy_outq_pool_fini(&pool);
}

static void replies_overflow_and_events_behind_them_are_dropped(void **state)
{
    struct bondy_outq_pool pool;
    struct bondy_outq queue;

    (void)state;
    bondy_outq_pool_init(&pool);
    bondy_outq_init(&queue, &pool, 8, 100);
    assert_true(push(&queue, "rrrrr", BONDY_SEND_REPLY));
    /* Taken while what waits is below the limit: the bound is the limit and one message. */
    assert_true(push(&queue, "sssss", BONDY_SEND_REPLY));
    assert_false(push(&queue, "t", BONDY_SEND_REPLY));
    assert_true(push(&queue, "event", BONDY_SEND_EVENT));
    assert_int_equal(queue.dropped, 1);
    assert_queue_is(&queue, "rrrrrsssss");
    bondy_outq_clear(&queue);
    /* A message over the limit goes when nothing else waits. */
    assert_true(push(&queue, "longer than eight", BONDY_SEND_EVENT));
    assert_queue_is(&queue, "longer than eight");
    bondy_outq_clear(&queue);
    bondy_outq_pool_fini(&pool);
}

static void messages_are_counted_too(void **state)
{
    struct bondy_outq_pool pool;
    struct bondy_outq queue;

    (void)state;
    bondy_outq_pool_init(&pool);
    bondy_outq_init(&queue, &pool, 1000, 2);
    share(&queue, "a", BONDY_SEND_EVENT);
    share(&queue, "b", BONDY_SEND_EVENT);
    share(&queue, "c", BONDY_SEND_EVENT);
    assert_queue_is(&queue, "bc");
    assert_true(push(&queue, "r", BONDY_SEND_REPLY));
    assert_true(push(&queue, "s", BONDY_SEND_REPLY));
    assert_false(push(&queue, "t", BONDY_SEND_REPLY));
    assert_queue_is(&queue, "rs");
    bondy_outq_clear(&queue);
    bondy_outq_pool_fini(&pool);
}

/* Copied events of a receiver that does not keep up free their memory when they are dropped. */
static void copied_events_can_be_dropped_once_a_backlog_is_there(void **state)
{
    enum { LIMIT = 1 << 20 };
    struct bondy_outq_pool pool;
    struct bondy_outq queue;
    char event[1000];

    (void)state;
    memset(event, 'e', sizeof event - 1);
    event[sizeof event - 1] = '\0';
    bondy_outq_pool_init(&pool);
    bondy_outq_init(&queue, &pool, LIMIT, 100000);
    for (unsigned i = 0; i < 10000; i++)
        assert_true(push(&queue, event, BONDY_SEND_EVENT));
    assert_true(queue.bytes <= LIMIT);
    assert_true(queue.dropped > 8000);
    for (unsigned i = 0; i < 900; i++)
        assert_true(push(&queue, event, BONDY_SEND_REPLY));
    assert_true(queue.bytes <= LIMIT + sizeof event);
    bondy_outq_clear(&queue);
    bondy_outq_pool_fini(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(octets_come_out_in_the_order_they_went_in),
        cmocka_unit_test(at_the_limit_the_oldest_events_give_way),
        cmocka_unit_test(an_event_that_is_half_written_is_not_dropped),
        cmocka_unit_test(replies_overflow_and_events_behind_them_are_dropped),
        cmocka_unit_test(messages_are_counted_too),
        cmocka_unit_test(copied_events_can_be_dropped_once_a_backlog_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
