/* SPDX-License-Identifier: Apache-2.0 */
#include "src/ctl/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/sys/net.h"

struct bondy_stream {
    int fd;
    gnutls_session_t session; /* NULL: plain */
    gnutls_certificate_credentials_t credentials;
};

static volatile sig_atomic_t stopping;

static void on_signal(int number)
{
    (void)number;
    stopping = 1;
}

void bondy_stream_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t both;

    /* Blocked but in ppoll(): none is lost between a look at the flag and the wait. */
    sigemptyset(&both);
    sigaddset(&both, SIGINT);
    sigaddset(&both, SIGTERM);
    sigprocmask(SIG_BLOCK, &both, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool bondy_stream_stopping(void)
{
    return stopping != 0;
}

/* ---- URLs ---- */

static const struct {
    const char *scheme;
    bool tls, websocket;
    const char *port;
} schemes[] = {
    {"tcp://", false, false, "18082"}, {"tls://", true, false, "18085"},
    {"tcps://", true, false, "18085"}, {"rs://", false, false, "18082"},
    {"rss://", true, false, "18085"},  {"ws://", false, true, "80"},
    {"wss://", true, true, "443"},
};

static int bad_url(const char *text, struct bondy_error *err)
{
    return bondy_fail(err, BONDY_EINVAL,
                      "\"%s\" is no address of a router; examples: tcp://127.0.0.1:18082, "
                      "ws://127.0.0.1:18080/ws, unix:/run/bondy.sock",
                      text);
}

/* host, host:port, [v6], [v6]:port, then a path. */
static bool parse_authority(const char *rest, const char *dflt_port, struct bondy_stream_url *out)
{
    size_t len = strcspn(rest, "/?#");
    const char *host = rest, *end = rest + len, *colon;

    if (*host == '[') {
        const char *bracket = memchr(host, ']', len);

        if (bracket == NULL)
            return false;
        out->host = bondy_memdup0(host + 1, (size_t)(bracket - host) - 1);
        colon = bracket + 1 < end ? bracket + 1 : NULL;
        if (colon != NULL && *colon != ':')
            return false;
    } else {
        colon = memchr(host, ':', len);
        out->host = bondy_memdup0(host, (size_t)((colon == NULL ? end : colon) - host));
    }
    out->port = colon == NULL ? bondy_strdup(dflt_port)
                              : bondy_memdup0(colon + 1, (size_t)(end - colon) - 1);
    out->path = bondy_strdup(*end == '\0' ? "/ws" : end);
    return *out->host != '\0' && *out->port != '\0' &&
           strspn(out->port, "0123456789") == strlen(out->port) && strlen(out->port) < 6;
}

int bondy_stream_url_parse(const char *text, struct bondy_stream_url *out, struct bondy_error *err)
{
    *out = (struct bondy_stream_url){0};
    if (strncmp(text, "unix:", 5) == 0) {
        const char *path = strncmp(text, "unix://", 7) == 0 ? text + 7 : text + 5;

        if (*path == '\0')
            return bad_url(text, err);
        out->host = bondy_strdup(path);
        return BONDY_OK;
    }
    for (size_t i = 0; i < BONDY_COUNT(schemes); i++) {
        size_t len = strlen(schemes[i].scheme);

        if (strncmp(text, schemes[i].scheme, len) != 0)
            continue;
        out->tls = schemes[i].tls;
        out->websocket = schemes[i].websocket;
        if (parse_authority(text + len, schemes[i].port, out))
            return BONDY_OK;
        bondy_stream_url_fini(out);
        break;
    }
    return bad_url(text, err);
}

void bondy_stream_url_fini(struct bondy_stream_url *url)
{
    bondy_free(url->host);
    bondy_free(url->port);
    bondy_free(url->path);
    *url = (struct bondy_stream_url){0};
}

/* ---- connecting ---- */

/* ppoll() on one descriptor; signals interrupt it. */
static int wait_for(int fd, short events, uint64_t deadline_ms, struct bondy_error *err)
{
    sigset_t none;

    sigemptyset(&none);
    for (;;) {
        uint64_t now = bondy_clock_mono_ms(), left = deadline_ms > now ? deadline_ms - now : 0;
        struct timespec wait = {(time_t)(left / 1000), (long)(left % 1000) * 1000000};
        struct pollfd poll_fd = {fd, events, 0};
        int rc;

        if (stopping)
            return bondy_fail(err, BONDY_ESTATE, "stopped by a signal");
        rc = ppoll(&poll_fd, 1, deadline_ms == UINT64_MAX ? NULL : &wait, &none);
        if (rc > 0)
            return BONDY_OK;
        if (rc == 0)
            return bondy_fail(err, BONDY_EAGAIN, "no answer in time");
        if (errno != EINTR)
            return bondy_fail(err, BONDY_EIO, "waiting failed: %s", strerror(errno));
    }
}

static int connect_to(int fd, const struct sockaddr *address, socklen_t len, uint64_t deadline_ms,
                      struct bondy_error *err)
{
    int failure = 0, rc;
    socklen_t failure_len = sizeof failure;

    if (connect(fd, address, len) == 0)
        return BONDY_OK;
    if (errno != EINPROGRESS)
        return bondy_fail(err, BONDY_EIO, "%s", strerror(errno));
    if ((rc = wait_for(fd, POLLOUT, deadline_ms, err)) < 0)
        return rc;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &failure_len);
    return failure == 0 ? BONDY_OK : bondy_fail(err, BONDY_EIO, "%s", strerror(failure));
}

static int open_unix(const char *path, uint64_t deadline_ms, int *out, struct bondy_error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int rc;

    if (strlen(path) >= sizeof address.sun_path)
        return bondy_fail(err, BONDY_EINVAL, "the path of the Unix socket is too long");
    memcpy(address.sun_path, path, strlen(path) + 1);
    *out = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*out < 0)
        return bondy_fail(err, BONDY_EIO, "%s", strerror(errno));
    rc = connect_to(*out, (struct sockaddr *)&address, sizeof address, deadline_ms, err);
    return rc < 0 ? bondy_wrap(err, "unix:%s", path) : rc;
}

static int open_tcp(const struct bondy_stream_url *url, uint64_t deadline_ms, int *out,
                    struct bondy_error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC}, *list = NULL;
    int rc = getaddrinfo(url->host, url->port, &hints, &list), on = 1;

    if (rc != 0)
        return bondy_fail(err, BONDY_EIO, "%s: %s", url->host, gai_strerror(rc));
    rc = bondy_fail(err, BONDY_EIO, "%s has no address", url->host);
    for (struct addrinfo *at = list; at != NULL && rc < 0; at = at->ai_next) {
        if (*out >= 0)
            close(*out);
        *out = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (*out < 0)
            rc = bondy_fail(err, BONDY_EIO, "%s", strerror(errno));
        else
            rc = connect_to(*out, at->ai_addr, at->ai_addrlen, deadline_ms, err);
    }
    freeaddrinfo(list);
    if (rc < 0)
        return bondy_wrap(err, "%s:%s", url->host, url->port);
    setsockopt(*out, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return BONDY_OK;
}

/* Both calls say how many authorities they found. */
static int trust(gnutls_certificate_credentials_t credentials, const char *ca_file)
{
    if (ca_file == NULL)
        return gnutls_certificate_set_x509_system_trust(credentials);
    return gnutls_certificate_set_x509_trust_file(credentials, ca_file, GNUTLS_X509_FMT_PEM);
}

static int start_tls(struct bondy_stream *stream, const struct bondy_stream_url *url,
                     const char *ca_file, uint64_t deadline_ms, struct bondy_error *err)
{
    gnutls_datum_t status;
    int rc;

    if (gnutls_certificate_allocate_credentials(&stream->credentials) < 0 ||
        (!url->is_insecure && trust(stream->credentials, ca_file) < 0))
        return bondy_fail(err, BONDY_EINVAL, "TLS: no authorities in %s",
                          ca_file == NULL ? "the system's store" : ca_file);
    if (gnutls_init(&stream->session, GNUTLS_CLIENT) < 0 ||
        gnutls_set_default_priority(stream->session) < 0 ||
        gnutls_credentials_set(stream->session, GNUTLS_CRD_CERTIFICATE, stream->credentials) < 0)
        return bondy_fail(err, BONDY_EIO, "TLS cannot be set up");
    gnutls_server_name_set(stream->session, GNUTLS_NAME_DNS, url->host, strlen(url->host));
    if (!url->is_insecure)
        gnutls_session_set_verify_cert(stream->session, url->host, 0);
    gnutls_transport_set_int(stream->session, stream->fd);
    while ((rc = gnutls_handshake(stream->session)) < 0 && !gnutls_error_is_fatal(rc)) {
        short events = gnutls_record_get_direction(stream->session) == 0 ? POLLIN : POLLOUT;
        int waited = wait_for(stream->fd, events, deadline_ms, err);

        if (waited < 0)
            return waited;
    }
    if (rc == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR &&
        gnutls_certificate_verification_status_print(
            gnutls_session_get_verify_cert_status(stream->session), GNUTLS_CRT_X509, &status, 0) ==
            0) {
        bondy_fail(err, BONDY_EDENIED, "TLS: %s", (const char *)status.data);
        gnutls_free(status.data);
        return BONDY_EDENIED;
    }
    return rc < 0 ? bondy_fail(err, BONDY_EIO, "TLS: %s", gnutls_strerror(rc)) : BONDY_OK;
}

int bondy_stream_open(const struct bondy_stream_url *url, const char *ca_file, uint64_t deadline_ms,
                      struct bondy_stream **out, struct bondy_error *err)
{
    struct bondy_stream *stream = bondy_zalloc(sizeof *stream);
    int rc;

    stream->fd = -1;
    rc = url->port == NULL ? open_unix(url->host, deadline_ms, &stream->fd, err)
                           : open_tcp(url, deadline_ms, &stream->fd, err);
    if (rc == BONDY_OK && url->tls)
        rc = start_tls(stream, url, ca_file, deadline_ms, err);
    if (rc < 0) {
        bondy_stream_close(stream);
        return rc;
    }
    *out = stream;
    return BONDY_OK;
}

void bondy_stream_close(struct bondy_stream *stream)
{
    if (stream == NULL)
        return;
    if (stream->session != NULL) {
        gnutls_bye(stream->session, GNUTLS_SHUT_WR);
        gnutls_deinit(stream->session);
    }
    if (stream->credentials != NULL)
        gnutls_certificate_free_credentials(stream->credentials);
    if (stream->fd >= 0)
        close(stream->fd);
    bondy_free(stream);
}

int bondy_stream_fd(const struct bondy_stream *stream)
{
    return stream->fd;
}

bool bondy_stream_is_private(const struct bondy_stream *stream)
{
    struct bondy_address peer = {.len = sizeof peer.storage};

    return stream->session != NULL ||
           (getpeername(stream->fd, &peer.any, &peer.len) == 0 && bondy_address_is_loopback(&peer));
}

bool bondy_stream_has_pending(const struct bondy_stream *stream)
{
    return stream->session != NULL && gnutls_record_check_pending(stream->session) > 0;
}

int bondy_stream_wait(struct bondy_stream *stream, uint64_t deadline_ms, struct bondy_error *err)
{
    return bondy_stream_has_pending(stream) ? BONDY_OK
                                            : wait_for(stream->fd, POLLIN, deadline_ms, err);
}

/* How many octets went, or a negative errno-like result: -EAGAIN to try again. */
static ssize_t send_some(struct bondy_stream *stream, struct bondy_slice bytes)
{
    ssize_t sent;

    if (stream->session == NULL) {
        sent = send(stream->fd, bytes.data, bytes.len, MSG_NOSIGNAL);
        return sent >= 0 ? sent : errno == EINTR ? -EAGAIN : -errno;
    }
    sent = gnutls_record_send(stream->session, bytes.data, bytes.len);
    if (sent >= 0)
        return sent;
    return gnutls_error_is_fatal((int)sent) ? -EPIPE : -EAGAIN;
}

int bondy_stream_write(struct bondy_stream *stream, struct bondy_slice bytes,
                       struct bondy_error *err)
{
    while (bytes.len > 0) {
        ssize_t sent = send_some(stream, bytes);

        if (sent == -EAGAIN || sent == -EWOULDBLOCK) {
            int rc = wait_for(stream->fd, POLLOUT, UINT64_MAX, err);

            if (rc < 0)
                return rc;
            continue;
        }
        if (sent < 0)
            return bondy_fail(err, BONDY_EIO, "the connection broke: %s", strerror((int)-sent));
        bytes = bondy_slice_skip(bytes, (size_t)sent);
    }
    return BONDY_OK;
}

int bondy_stream_read(struct bondy_stream *stream, struct bondy_buf *out, struct bondy_error *err)
{
    enum { PIECE = 65536 };
    char *room = bondy_buf_reserve(out, PIECE);
    ssize_t got;

    if (stream->session == NULL) {
        got = recv(stream->fd, room, PIECE, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return BONDY_OK;
    } else {
        got = gnutls_record_recv(stream->session, room, PIECE);
        if (got < 0 && !gnutls_error_is_fatal((int)got))
            return BONDY_OK;
    }
    if (got == 0)
        return bondy_fail(err, BONDY_ENOENT, "the router closed the connection");
    if (got < 0)
        return bondy_fail(err, BONDY_EIO, "the connection broke");
    out->len += (size_t)got;
    return BONDY_OK;
}
