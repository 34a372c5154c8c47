/* SPDX-License-Identifier: Apache-2.0 */
#include "src/sys/pool.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/base/log.h"
#include "src/sys/publish.h"

struct bondy_pool {
    pthread_mutex_t lock; /* guards first, last, count and closing */
    pthread_cond_t arrived;
    struct bondy_work *first;
    struct bondy_work *last;
    size_t count;
    size_t max_queue;
    bool closing;
    int nice;
    unsigned started;
    pthread_t threads[];
};

static void hand_back(struct bondy_mail *mail)
{
    struct bondy_work *work = BONDY_CONTAINER(mail, struct bondy_work, mail);

    work->done(work);
}

/* The next piece of work, or NULL when the pool closes and nothing is left. */
static struct bondy_work *next_work_wait(struct bondy_pool *pool)
{
    struct bondy_work *work;

    pthread_mutex_lock(&pool->lock);
    while (pool->first == NULL && !pool->closing)
        pthread_cond_wait(&pool->arrived, &pool->lock);
    work = pool->first;
    if (work != NULL) {
        pool->first = work->next;
        pool->count--;
    }
    pthread_mutex_unlock(&pool->lock);
    return work;
}

static void *serve(void *context)
{
    struct bondy_pool *pool = context;
    struct bondy_work *work;

    /* On Linux niceness is each thread's own. */
    if (pool->nice != 0 && setpriority(PRIO_PROCESS, (id_t)gettid(), pool->nice) != 0)
        bondy_log(BONDY_LOG_DEBUG, "pool_not_nice");
    bondy_publish_thread_start();
    for (;;) {
        bondy_publish_idle();
        work = next_work_wait(pool);
        bondy_publish_busy();
        if (work == NULL)
            break;
        work->run(work);
        bondy_loop_post(work->loop, &work->mail);
    }
    bondy_publish_thread_stop();
    return NULL;
}

int bondy_pool_create(unsigned threads, size_t max_queue, int nice, struct bondy_pool **out,
                      struct bondy_error *err)
{
    struct bondy_pool *pool = bondy_zalloc(sizeof *pool + threads * sizeof pool->threads[0]);

    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->arrived, NULL);
    pool->max_queue = max_queue;
    pool->nice = nice;
    for (; pool->started < threads; pool->started++) {
        int rc = pthread_create(&pool->threads[pool->started], NULL, serve, pool);

        if (rc != 0) {
            bondy_pool_destroy(pool);
            return bondy_fail(err, BONDY_EIO, "cannot start a pool thread: %s", strerror(rc));
        }
        pthread_setname_np(pool->threads[pool->started], "pool");
    }
    *out = pool;
    return BONDY_OK;
}

void bondy_pool_stop(struct bondy_pool *pool)
{
    if (pool == NULL)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->closing = true;
    pthread_cond_broadcast(&pool->arrived);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->started; i++)
        pthread_join(pool->threads[i], NULL);
    pool->started = 0;
}

void bondy_pool_destroy(struct bondy_pool *pool)
{
    if (pool == NULL)
        return;
    bondy_pool_stop(pool);
    pthread_cond_destroy(&pool->arrived);
    pthread_mutex_destroy(&pool->lock);
    bondy_free(pool);
}

int bondy_pool_submit(struct bondy_pool *pool, struct bondy_loop *loop, struct bondy_work *work,
                      struct bondy_error *err)
{
    bool is_full;

    work->next = NULL;
    work->loop = loop;
    work->mail.run = hand_back;
    pthread_mutex_lock(&pool->lock);
    is_full = pool->closing || pool->count >= pool->max_queue;
    if (!is_full) {
        if (pool->first == NULL)
            pool->first = work;
        else
            pool->last->next = work;
        pool->last = work;
        pool->count++;
        pthread_cond_signal(&pool->arrived);
    }
    pthread_mutex_unlock(&pool->lock);
    if (is_full)
        return bondy_fail(err, BONDY_ELIMIT, "%zu pieces of work wait already", pool->max_queue);
    return BONDY_OK;
}
