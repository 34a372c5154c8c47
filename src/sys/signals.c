/* SPDX-License-Identifier: Apache-2.0 */
#include "src/sys/signals.h"

#include <signal.h>

#include "src/base/alloc.h"
#include "src/sys/loop.h"

struct bondy_signals {
    bondy_signals_fn fn;
    void *context;
    size_t count; /* handles that are not closed yet */
    uv_signal_t handles[];
};

static void on_signal(uv_signal_t *handle, int number)
{
    struct bondy_signals *signals = handle->data;

    signals->fn(number, signals->context);
}

static void on_close(uv_handle_t *handle)
{
    struct bondy_signals *signals = handle->data;

    if (--signals->count == 0)
        bondy_free(signals);
}

int bondy_signals_start(struct bondy_loop *loop, const int *numbers, size_t count,
                        bondy_signals_fn fn, void *context, struct bondy_signals **out,
                        struct bondy_error *err)
{
    struct bondy_signals *signals =
        bondy_zalloc(sizeof *signals + count * sizeof signals->handles[0]);

    signals->fn = fn;
    signals->context = context;
    for (size_t i = 0; i < count; i++) {
        uv_signal_t *handle = &signals->handles[i];
        int rc;

        BONDY_BUG_ON(uv_signal_init(bondy_loop_uv(loop), handle) < 0);
        handle->data = signals;
        signals->count++;
        rc = uv_signal_start(handle, on_signal, numbers[i]);
        if (rc < 0) {
            bondy_signals_stop(signals);
            return bondy_fail(err, BONDY_EIO, "signal %d: %s", numbers[i], uv_strerror(rc));
        }
    }
    *out = signals;
    return BONDY_OK;
}

void bondy_signals_stop(struct bondy_signals *signals)
{
    if (signals == NULL)
        return;
    for (size_t i = signals->count; i > 0; i--)
        uv_close((uv_handle_t *)&signals->handles[i - 1], on_close);
}

void bondy_signals_ignore_pipe(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    sigaction(SIGPIPE, &ignore, NULL);
}
