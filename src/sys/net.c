/* SPDX-License-Identifier: Apache-2.0 */
#include "src/sys/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNIX_PREFIX "unix:"

/* ---- addresses ------------------------------------------------------------------------------- */

static int parse_local(const char *path, struct bondy_address *out, struct bondy_error *err)
{
    size_t len = strlen(path);

    if (len == 0 || len >= sizeof out->local.sun_path)
        return bondy_fail(err, BONDY_EINVAL, "\"%s\" is not a socket path of 1 to %zu bytes", path,
                          sizeof out->local.sun_path - 1);
    out->local.sun_family = AF_UNIX;
    memcpy(out->local.sun_path, path, len + 1);
    out->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
    return BONDY_OK;
}

int bondy_address_parse(const char *text, uint16_t port, struct bondy_address *out,
                        struct bondy_error *err)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&out->storage;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&out->storage;
    char host[INET6_ADDRSTRLEN + 2];
    size_t len = strlen(text);

    memset(out, 0, sizeof *out);
    if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
        return parse_local(text + strlen(UNIX_PREFIX), out, err);
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        out->len = sizeof *v4;
        return BONDY_OK;
    }
    if (len > 2 && text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    }
    if (len < sizeof host) {
        memcpy(host, text, len);
        host[len] = '\0';
        if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
            v6->sin6_family = AF_INET6;
            v6->sin6_port = htons(port);
            out->len = sizeof *v6;
            return BONDY_OK;
        }
    }
    return bondy_fail(err, BONDY_EINVAL, "\"%s\" is not an IPv4 or IPv6 address or unix:/path",
                      text);
}

/* The path of a Unix address; "" when the peer has none or it is abstract. */
static const char *local_path(const struct bondy_address *address)
{
    return address->len > offsetof(struct sockaddr_un, sun_path) ? address->local.sun_path : "";
}

char *bondy_address_format_host(const struct bondy_address *address, char out[BONDY_ADDRESS_TEXT])
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address->storage;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address->storage;

    out[0] = '\0';
    if (address->any.sa_family == AF_INET)
        inet_ntop(AF_INET, &v4->sin_addr, out, BONDY_ADDRESS_TEXT);
    else if (address->any.sa_family == AF_INET6)
        inet_ntop(AF_INET6, &v6->sin6_addr, out, BONDY_ADDRESS_TEXT);
    else if (address->any.sa_family == AF_UNIX)
        snprintf(out, BONDY_ADDRESS_TEXT, UNIX_PREFIX "%s", local_path(address));
    return out;
}

char *bondy_address_format(const struct bondy_address *address, char out[BONDY_ADDRESS_TEXT])
{
    char host[BONDY_ADDRESS_TEXT];
    unsigned port = bondy_address_port(address);

    bondy_address_format_host(address, host);
    if (address->any.sa_family == AF_INET6)
        snprintf(out, BONDY_ADDRESS_TEXT, "[%.*s]:%u", INET6_ADDRSTRLEN, host, port);
    else if (address->any.sa_family == AF_INET)
        snprintf(out, BONDY_ADDRESS_TEXT, "%.*s:%u", INET_ADDRSTRLEN, host, port);
    else
        memcpy(out, host, sizeof host);
    return out;
}

void bondy_address_read(struct bondy_slice text, struct bondy_address *out)
{
    char host[BONDY_ADDRESS_TEXT];
    char *colon;

    if (text.len > 0 && text.len < sizeof host) {
        memcpy(host, text.data, text.len);
        host[text.len] = '\0';
        colon = strrchr(host, ':');
        if (strncmp(host, UNIX_PREFIX, strlen(UNIX_PREFIX)) != 0 && colon != NULL) {
            *colon = '\0';
            if (bondy_address_parse(host, (uint16_t)strtoul(colon + 1, NULL, 10), out, NULL) ==
                BONDY_OK)
                return;
        }
    }
    memset(out, 0, sizeof *out);
    out->local.sun_family = AF_UNIX;
    out->len = offsetof(struct sockaddr_un, sun_path);
}

uint16_t bondy_address_port(const struct bondy_address *address)
{
    if (address->any.sa_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)&address->storage)->sin_port);
    if (address->any.sa_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)&address->storage)->sin6_port);
    return 0;
}

/* An IP address as 16 bytes, IPv4 as IPv4-mapped; false for other families. */
static bool address_bits(const struct bondy_address *address, uint8_t out[16])
{
    static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};

    if (address->any.sa_family == AF_INET6) {
        memcpy(out, &((const struct sockaddr_in6 *)&address->storage)->sin6_addr, 16);
        return true;
    }
    if (address->any.sa_family != AF_INET)
        return false;
    memcpy(out, mapped, sizeof mapped);
    memcpy(out + 12, &((const struct sockaddr_in *)&address->storage)->sin_addr, 4);
    return true;
}

bool bondy_address_is_loopback(const struct bondy_address *address)
{
    static const struct bondy_cidr v4 = {{[10] = 0xFF, [11] = 0xFF, [12] = 127}, 104};
    static const struct bondy_cidr v6 = {{[15] = 1}, 128};

    return address->any.sa_family == AF_UNIX || bondy_cidr_contains(&v4, address) ||
           bondy_cidr_contains(&v6, address);
}

bool bondy_address_same_host(const struct bondy_address *a, const struct bondy_address *b)
{
    uint8_t a_bits[16];
    uint8_t b_bits[16];

    if (a->any.sa_family == AF_UNIX && b->any.sa_family == AF_UNIX)
        return strcmp(local_path(a), local_path(b)) == 0;
    return address_bits(a, a_bits) && address_bits(b, b_bits) && memcmp(a_bits, b_bits, 16) == 0;
}

/* ---- CIDR ------------------------------------------------------------------------------------ */

static bool has_bits_behind(const uint8_t bits[16], unsigned prefix)
{
    for (unsigned i = prefix; i < 128; i++)
        if ((bits[i / 8] & (0x80U >> i % 8)) != 0)
            return true;
    return false;
}

/* Decimal digits only, no sign, no leading zero. */
static bool parse_prefix(struct bondy_slice text, unsigned max, unsigned *out)
{
    unsigned value = 0;

    if (text.len == 0 || text.len > 3 || (text.len > 1 && text.data[0] == '0'))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        value = value * 10 + (unsigned)(text.data[i] - '0');
    }
    *out = value;
    return value <= max;
}

static int parse_cidr(struct bondy_slice text, struct bondy_cidr *out, struct bondy_error *err)
{
    const char *slash = text.len == 0 ? NULL : memchr(text.data, '/', text.len);
    size_t host_len = slash == NULL ? text.len : (size_t)(slash - text.data);
    char host[INET6_ADDRSTRLEN + 2];
    struct bondy_address address;
    unsigned max;

    if (host_len >= sizeof host || host_len == 0 || text.data[0] == '[')
        goto bad;
    memcpy(host, text.data, host_len);
    host[host_len] = '\0';
    if (bondy_address_parse(host, 0, &address, NULL) < 0 || !address_bits(&address, out->bits))
        goto bad;
    max = address.any.sa_family == AF_INET ? 32 : 128;
    out->prefix = max;
    if (slash != NULL && !parse_prefix(bondy_slice_skip(text, host_len + 1), max, &out->prefix))
        goto bad;
    out->prefix += 128 - max;
    return BONDY_OK;
bad:
    return bondy_fail(err, BONDY_EINVAL,
                      "\"" BONDY_SLICE_FMT "\" is not an address or address/prefix",
                      BONDY_SLICE_ARG(text));
}

int bondy_cidr_parse(struct bondy_slice text, struct bondy_cidr *out, struct bondy_error *err)
{
    int rc = parse_cidr(text, out, err);

    if (rc == BONDY_OK && has_bits_behind(out->bits, out->prefix))
        return bondy_fail(err, BONDY_EINVAL,
                          "\"" BONDY_SLICE_FMT "\" has bits behind its prefix, expected zeros",
                          BONDY_SLICE_ARG(text));
    return rc;
}

int bondy_cidr_parse_network(struct bondy_slice text, struct bondy_cidr *out,
                             struct bondy_error *err)
{
    int rc = parse_cidr(text, out, err);

    for (unsigned i = out->prefix; rc == BONDY_OK && i < 128; i++)
        out->bits[i / 8] &= (uint8_t) ~(0x80U >> i % 8);
    return rc;
}

static bool is_ipv4(const struct bondy_cidr *cidr)
{
    static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};

    return cidr->prefix >= 96 && memcmp(cidr->bits, mapped, sizeof mapped) == 0;
}

char *bondy_cidr_format(const struct bondy_cidr *cidr, char out[BONDY_ADDRESS_TEXT])
{
    char host[INET6_ADDRSTRLEN];

    if (is_ipv4(cidr)) {
        inet_ntop(AF_INET, cidr->bits + 12, host, sizeof host);
        snprintf(out, BONDY_ADDRESS_TEXT, "%s/%u", host, cidr->prefix - 96);
    } else {
        inet_ntop(AF_INET6, cidr->bits, host, sizeof host);
        snprintf(out, BONDY_ADDRESS_TEXT, "%s/%u", host, cidr->prefix);
    }
    return out;
}

bool bondy_cidr_is_all(const struct bondy_cidr *cidr)
{
    return cidr->prefix == 0 || (cidr->prefix == 96 && is_ipv4(cidr));
}

bool bondy_cidr_contains(const struct bondy_cidr *cidr, const struct bondy_address *address)
{
    uint8_t bits[16];
    unsigned whole = cidr->prefix / 8;
    unsigned rest = cidr->prefix % 8;

    if (!address_bits(address, bits) || memcmp(bits, cidr->bits, whole) != 0)
        return false;
    return rest == 0 || ((bits[whole] ^ cidr->bits[whole]) >> (8 - rest)) == 0;
}

bool bondy_cidr_admits(const struct bondy_cidr *cidr, const struct bondy_address *address)
{
    static const struct bondy_cidr mapped = {{[10] = 0xFF, [11] = 0xFF}, 96};
    struct bondy_address v4, v6;

    if (bondy_cidr_is_all(cidr))
        return true;
    if (address->any.sa_family == AF_UNIX)
        return (bondy_address_parse("127.0.0.1", 0, &v4, NULL) == BONDY_OK &&
                bondy_cidr_admits(cidr, &v4)) ||
               (bondy_address_parse("::1", 0, &v6, NULL) == BONDY_OK &&
                bondy_cidr_admits(cidr, &v6));
    return bondy_cidr_contains(&mapped, address) == is_ipv4(cidr) &&
           bondy_cidr_contains(cidr, address);
}

/* ---- listening ------------------------------------------------------------------------------- */

static int set_option(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value);
}

static int set_options(int fd, const struct bondy_address *address,
                       const struct bondy_listen_options *options)
{
    bool is_ip = address->any.sa_family != AF_UNIX;

    if (is_ip && set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0)
        return -1;
    if (is_ip && options->reuseport && set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0)
        return -1;
    if (address->any.sa_family == AF_INET6 &&
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, options->v6only) < 0)
        return -1;
    if (options->sndbuf > 0 && set_option(fd, SOL_SOCKET, SO_SNDBUF, options->sndbuf) < 0)
        return -1;
    if (options->recbuf > 0 && set_option(fd, SOL_SOCKET, SO_RCVBUF, options->recbuf) < 0)
        return -1;
    return 0;
}

/* Removes a socket file that nobody listens on. What is not a socket stays and makes bind fail. */
static int clear_stale_socket(const struct bondy_address *address, struct bondy_error *err)
{
    const char *path = local_path(address);
    struct stat info;
    int rc;
    int fd;

    if (lstat(path, &info) < 0 || !S_ISSOCK(info.st_mode))
        return BONDY_OK;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return bondy_fail(err, BONDY_EIO, "unix:%s: %s", path, strerror(errno));
    rc = connect(fd, &address->any, address->len);
    if (rc < 0 && errno == ECONNREFUSED)
        unlink(path);
    else if (rc == 0 || errno == EAGAIN)
        rc = 1;
    close(fd);
    if (rc == 1)
        return bondy_fail(err, BONDY_EEXIST, "unix:%s: another process listens on it", path);
    return BONDY_OK;
}

static int bind_and_listen(int fd, struct bondy_address *address,
                           const struct bondy_listen_options *options)
{
    bool is_local = address->any.sa_family == AF_UNIX;

    if (set_options(fd, address, options) < 0)
        return -1;
    /* Linux gives the file the mode of the socket: between bind and chmod nobody else connects. */
    if (is_local && fchmod(fd, 0600) < 0)
        return -1;
    if (bind(fd, &address->any, address->len) < 0)
        return -1;
    if (is_local && chmod(local_path(address), options->mode == 0 ? 0660 : options->mode) < 0)
        return -1;
    if (listen(fd, options->backlog > 0 ? options->backlog : SOMAXCONN) < 0)
        return -1;
    if (!is_local) {
        address->len = sizeof address->storage;
        return getsockname(fd, &address->any, &address->len);
    }
    return 0;
}

int bondy_net_listen(struct bondy_address *address, const struct bondy_listen_options *options,
                     int *fd, struct bondy_error *err)
{
    int family = address->any.sa_family;
    char text[BONDY_ADDRESS_TEXT];
    int rc = BONDY_OK;
    int made;

    bondy_address_format(address, text);
    if (family == AF_UNIX && (rc = clear_stale_socket(address, err)) < 0)
        return rc;
    made = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (made < 0)
        return bondy_fail(err, BONDY_EIO, "%s: %s", text, strerror(errno));
    if (bind_and_listen(made, address, options) < 0) {
        rc = errno == EADDRINUSE ? BONDY_EEXIST : errno == EACCES ? BONDY_EDENIED : BONDY_EIO;
        bondy_fail(err, rc, "%s: %s", text, strerror(errno));
        close(made);
        return rc;
    }
    *fd = made;
    return BONDY_OK;
}

int bondy_net_check_free(const struct bondy_address *address, bool v6only, struct bondy_error *err)
{
    const struct bondy_listen_options alone = {.v6only = v6only};
    char text[BONDY_ADDRESS_TEXT];
    int rc = BONDY_OK;
    int fd;

    if (bondy_address_port(address) == 0)
        return BONDY_OK;
    fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return BONDY_OK; /* what is wrong is said when the socket is made for good */
    if (set_options(fd, address, &alone) == 0 && bind(fd, &address->any, address->len) < 0 &&
        errno == EADDRINUSE)
        rc = bondy_fail(err, BONDY_EEXIST, "%s: %s", bondy_address_format(address, text),
                        strerror(errno));
    close(fd);
    return rc;
}
