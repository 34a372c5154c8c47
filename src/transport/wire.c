/* SPDX-License-Identifier: Apache-2.0 */
#include "src/transport/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

#include "src/base/alloc.h"

struct bondy_wire {
    gnutls_session_t session;
    struct bondy_tls *tls;
    struct bondy_wire_ahead *ahead;
    int fd;
    uint32_t start, end; /* octets not yet given to GnuTLS: in `kept`, or else in `ahead` */
    uint8_t *kept;       /* owned */
    bool is_drained;     /* the last recv came back short: the socket is empty */
    bool is_blocked;
};

static ssize_t refill(struct bondy_wire *wire)
{
    ssize_t got;

    if (wire->is_drained) {
        gnutls_transport_set_errno(wire->session, EAGAIN);
        return -1;
    }
    got = recv(wire->fd, wire->ahead->bytes, sizeof wire->ahead->bytes, MSG_DONTWAIT);
    if (got <= 0) {
        gnutls_transport_set_errno(wire->session, errno);
        return got;
    }
    wire->is_drained = (size_t)got < sizeof wire->ahead->bytes;
    wire->start = 0;
    wire->end = (uint32_t)got;
    return got;
}

static ssize_t pull(gnutls_transport_ptr_t context, void *out, size_t len)
{
    struct bondy_wire *wire = context;
    const uint8_t *from;
    ssize_t got;

    if (wire->start == wire->end && (got = refill(wire)) <= 0)
        return got;
    if (len > wire->end - wire->start)
        len = wire->end - wire->start;
    from = wire->kept != NULL ? wire->kept : wire->ahead->bytes;
    memcpy(out, from + wire->start, len);
    wire->start += (uint32_t)len;
    if (wire->start == wire->end) {
        bondy_free(wire->kept);
        wire->kept = NULL;
        wire->start = wire->end = 0;
    }
    return (ssize_t)len;
}

int bondy_wire_create(struct bondy_tls *tls, int fd, struct bondy_wire_ahead *ahead,
                      struct bondy_wire **out, struct bondy_error *err)
{
    struct bondy_wire *wire = bondy_zalloc(sizeof *wire);
    int rc = bondy_tls_session_create(tls, &wire->session, err);

    if (rc < 0) {
        bondy_free(wire);
        return rc;
    }
    wire->tls = tls;
    wire->fd = fd;
    wire->ahead = ahead;
    gnutls_transport_set_ptr2(wire->session, wire, (gnutls_transport_ptr_t)(intptr_t)fd);
    gnutls_transport_set_pull_function(wire->session, pull);
    gnutls_handshake_set_timeout(wire->session, 0);
    *out = wire;
    return BONDY_OK;
}

void bondy_wire_destroy(struct bondy_wire *wire)
{
    if (wire == NULL)
        return;
    bondy_tls_session_destroy(wire->tls, wire->session);
    bondy_free(wire->kept);
    bondy_free(wire);
}

int bondy_wire_handshake(struct bondy_wire *wire)
{
    int rc;

    wire->is_drained = false;
    do
        rc = gnutls_handshake(wire->session);
    while (rc < 0 && rc != GNUTLS_E_AGAIN && gnutls_error_is_fatal(rc) == 0);
    bondy_wire_pause(wire);
    if (rc == GNUTLS_E_AGAIN)
        return 0;
    if (rc < 0) {
        /* Tells the peer what it did wrong, as far as that goes without waiting. */
        gnutls_alert_send_appropriate(wire->session, rc);
        return -EPROTO;
    }
    return 1;
}

/* TLS 1.3 has what the extension added to 1.2: keys that hang on the whole handshake. */
static bool has_own_keys(gnutls_session_t session)
{
    return gnutls_protocol_get_version(session) == GNUTLS_TLS1_3 ||
           (gnutls_session_get_flags(session) & GNUTLS_SFLAGS_EXT_MASTER_SECRET) != 0;
}

static size_t ask_library(gnutls_session_t session, gnutls_channel_binding_t kind, uint8_t *out)
{
    gnutls_datum_t id = {NULL, 0};
    size_t len = 0;

    if (gnutls_session_channel_binding(session, kind, &id) == 0 &&
        id.size <= BONDY_CHANNEL_ID_MAX) {
        len = id.size;
        memcpy(out, id.data, len);
    }
    gnutls_free(id.data);
    return len;
}

size_t bondy_wire_channel_id(const struct bondy_wire *wire, enum bondy_binding kind,
                             uint8_t out[BONDY_CHANNEL_ID_MAX])
{
    gnutls_session_t session = wire->session;

    switch (kind) {
    case BONDY_BINDING_TLS_UNIQUE:
        return gnutls_protocol_get_version(session) == GNUTLS_TLS1_2 && has_own_keys(session)
                   ? ask_library(session, GNUTLS_CB_TLS_UNIQUE, out)
                   : 0;
    case BONDY_BINDING_TLS_SERVER_END_POINT:
        return bondy_tls_end_point(wire->tls, out);
    case BONDY_BINDING_TLS_EXPORTER:
        return has_own_keys(session) ? ask_library(session, GNUTLS_CB_TLS_EXPORTER, out) : 0;
    case BONDY_BINDING_NONE:
        break;
    }
    return 0;
}

_Static_assert(BONDY_TLS_NAME_MAX <= BONDY_CERTIFICATE_NAME_MAX, "a login has room for the name");

void bondy_wire_client_name(const struct bondy_wire *wire, char out[BONDY_TLS_NAME_MAX])
{
    bondy_tls_client_name(wire->session, out);
}

int bondy_wire_events(const struct bondy_wire *wire)
{
    return gnutls_record_get_direction(wire->session) == 1 ? UV_WRITABLE : UV_READABLE;
}

void bondy_wire_is_readable(struct bondy_wire *wire)
{
    wire->is_drained = false;
}

ssize_t bondy_wire_read(struct bondy_wire *wire, void *out, size_t cap)
{
    ssize_t got;

    do
        got = gnutls_record_recv(wire->session, out, cap);
    while (got == GNUTLS_E_INTERRUPTED || got == GNUTLS_E_WARNING_ALERT_RECEIVED);
    if (got >= 0)
        return got;
    if (got == GNUTLS_E_AGAIN)
        return -EAGAIN;
    return got == GNUTLS_E_PREMATURE_TERMINATION ? 0 : -EPROTO;
}

void bondy_wire_pause(struct bondy_wire *wire)
{
    uint32_t left = wire->end - wire->start;

    if (left == 0 || wire->kept != NULL)
        return;
    wire->kept = bondy_alloc(left);
    memcpy(wire->kept, wire->ahead->bytes + wire->start, left);
    wire->start = 0;
    wire->end = left;
}

ssize_t bondy_wire_write(struct bondy_wire *wire, const void *bytes, size_t len)
{
    ssize_t sent;

    if (wire->is_blocked)
        return -EAGAIN;
    do
        sent = gnutls_record_send(wire->session, bytes, len);
    while (sent == GNUTLS_E_INTERRUPTED);
    if (sent == GNUTLS_E_AGAIN) {
        /* The record is made and waits inside GnuTLS. */
        wire->is_blocked = true;
        return (ssize_t)len;
    }
    return sent < 0 ? -EPIPE : sent;
}

bool bondy_wire_is_blocked(const struct bondy_wire *wire)
{
    return wire->is_blocked;
}

int bondy_wire_flush(struct bondy_wire *wire)
{
    ssize_t sent;

    if (!wire->is_blocked)
        return 0;
    do
        sent = gnutls_record_send(wire->session, NULL, 0);
    while (sent == GNUTLS_E_INTERRUPTED);
    if (sent == GNUTLS_E_AGAIN)
        return -EAGAIN;
    wire->is_blocked = false;
    return sent < 0 ? -EPIPE : 0;
}

void bondy_wire_bye(struct bondy_wire *wire)
{
    if (!wire->is_blocked)
        gnutls_bye(wire->session, GNUTLS_SHUT_WR);
}
