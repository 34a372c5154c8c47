/* SPDX-License-Identifier: Apache-2.0 */
#include "src/sys/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int bondy_notify_send(const char *lines, struct bondy_error *err)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t len = path == NULL ? 0 : strlen(path);
    ssize_t sent;
    int fd;

    if (len == 0)
        return BONDY_OK;
    if ((path[0] != '/' && path[0] != '@') || len >= sizeof to.sun_path)
        return bondy_fail(err, BONDY_EINVAL, "NOTIFY_SOCKET: \"%s\" is not a path or @name", path);
    memcpy(to.sun_path, path, len);
    if (path[0] == '@')
        to.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return bondy_fail(err, BONDY_EIO, "NOTIFY_SOCKET: %s", strerror(errno));
    sent = sendto(fd, lines, strlen(lines), MSG_NOSIGNAL, (struct sockaddr *)&to,
                  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
    if (sent < 0)
        bondy_fail(err, BONDY_EIO, "NOTIFY_SOCKET %s: %s", path, strerror(errno));
    close(fd);
    return sent < 0 ? BONDY_EIO : BONDY_OK;
}

uint64_t bondy_notify_watchdog_ms(void)
{
    const char *pid = getenv("WATCHDOG_PID");
    const char *usec = getenv("WATCHDOG_USEC");

    if (usec == NULL || (pid != NULL && strtol(pid, NULL, 10) != (long)getpid()))
        return 0;
    return strtoull(usec, NULL, 10) / 1000;
}

int bondy_notify_raise_nofile(uint64_t wanted, uint64_t *got, struct bondy_error *err)
{
    struct rlimit limit;
    rlim_t target;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return bondy_fail(err, BONDY_EIO, "RLIMIT_NOFILE: %s", strerror(errno));
    target = wanted == 0 || wanted > limit.rlim_max ? limit.rlim_max : (rlim_t)wanted;
    *got = limit.rlim_cur;
    if (target != limit.rlim_cur) {
        limit.rlim_cur = target;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
            return bondy_fail(err, BONDY_EIO, "RLIMIT_NOFILE %llu: %s", (unsigned long long)target,
                              strerror(errno));
        *got = target;
    }
    if (wanted > target)
        return bondy_fail(err, BONDY_ELIMIT, "%llu open files wanted, %llu allowed",
                          (unsigned long long)wanted, (unsigned long long)target);
    return BONDY_OK;
}
