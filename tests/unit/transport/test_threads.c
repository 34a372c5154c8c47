/* SPDX-License-Identifier: Apache-2.0 */

/* One listener on two threads: one port, one limit. */

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/test.h"

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/transport/front_door.h"
#include "tests/unit/transport/fake_session.h"

#define THREADS 2

struct worker {
    pthread_t thread;
    struct bondy_loop *loop;
    struct bondy_door *door;
    struct bondy_door_listener *listener;
    pthread_barrier_t *is_ready;
    unsigned opened;
    int rc;
};

static void *work(void *context)
{
    struct worker *worker = context;
    struct bondy_door_options options = {.loop = worker->loop, .node_name = "test"};

    fake_reset();
    worker->rc = bondy_door_create(&options, &worker->door, NULL);
    if (worker->rc == BONDY_OK)
        worker->rc = bondy_door_listen(worker->door, worker->listener, NULL);
    pthread_barrier_wait(worker->is_ready);
    bondy_loop_run(worker->loop);
    bondy_door_destroy(worker->door);
    worker->opened = fake_opened;
    return NULL;
}

static int knock(const struct bondy_door_listener *listener)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, &listener->address.any, listener->address.len), 0);
    assert_int_equal(send(fd, "\x7f\xf1\0\0\0\0\0\2hi", 10, MSG_NOSIGNAL), 10);
    return fd;
}

static void limits_and_the_port_hold_over_all_threads(void **state)
{
    enum { MOST = 60, LIMIT = 40 };
    struct bondy_door_listener listener = {
        .name = "test",
        .accepts = BONDY_DOOR_RAWSOCKET | BONDY_DOOR_WEBSOCKET,
        .reuseport = true,
        .backlog = 100,
        .max_connections = 1000,
        .max_connections_per_ip = LIMIT,
        .handshake_timeout_ms = 10000,
        .rawsocket = {.max_message = 1 << 20, .queue_bytes = 1 << 20, .queue_messages = 1000},
    };
    struct worker workers[THREADS];
    pthread_barrier_t is_ready;
    int fds[MOST];
    unsigned served = 0, refused = 0, opened = 0;

    (void)state;
    assert_int_equal(bondy_id_start(NULL), BONDY_OK);
    assert_int_equal(bondy_address_parse("127.0.0.1", 0, &listener.address, NULL), BONDY_OK);
    pthread_barrier_init(&is_ready, NULL, THREADS + 1);
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.listener = &listener, .is_ready = &is_ready};
        assert_int_equal(bondy_loop_create(i, &workers[i].loop, NULL), BONDY_OK);
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    pthread_barrier_wait(&is_ready);
    for (unsigned i = 0; i < MOST; i++)
        fds[i] = knock(&listener);
    for (unsigned i = 0; i < MOST; i++) {
        uint8_t reply[10];

        assert_int_equal(recv(fds[i], reply, 4, MSG_WAITALL), 4);
        if (reply[1] == 0x40)
            refused++;
        else if (recv(fds[i], reply, 6, MSG_WAITALL) == 6)
            served++;
    }
    assert_int_equal(served, LIMIT);
    assert_int_equal(refused, MOST - LIMIT);
    for (unsigned i = 0; i < MOST; i++)
        close(fds[i]);
    for (unsigned i = 0; i < THREADS; i++)
        bondy_loop_stop(workers[i].loop);
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_int_equal(workers[i].rc, BONDY_OK);
        opened += workers[i].opened;
        bondy_loop_destroy(workers[i].loop);
    }
    assert_int_equal(opened, LIMIT);
    assert_int_equal(atomic_load(&listener.connections), 0);
    pthread_barrier_destroy(&is_ready);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_and_the_port_hold_over_all_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
