/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SYS_NET_H
#define BONDY_SYS_NET_H

/* net: socket addresses, CIDR and listening sockets. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "src/base/error.h"
#include "src/base/slice.h"

struct bondy_address {
    socklen_t len;
    union {
        struct sockaddr any;
        struct sockaddr_storage storage;
        struct sockaddr_un local;
    };
};

#define BONDY_ADDRESS_TEXT 128

/* "127.0.0.1", "::1" or "[::1]" with a port; also "unix:/path". No names. */
int bondy_address_parse(const char *text, uint16_t port, struct bondy_address *out,
                        struct bondy_error *err);
/* "127.0.0.1:80", "[::1]:80", "unix:/path" or "unix:" for an unnamed peer. Returns `out`. */
char *bondy_address_format(const struct bondy_address *address, char out[BONDY_ADDRESS_TEXT]);
/* Without the port. */
char *bondy_address_format_host(const struct bondy_address *address, char out[BONDY_ADDRESS_TEXT]);
/* What bondy_address_format() wrote; anything else, and "unix:", is an unnamed Unix socket. */
void bondy_address_read(struct bondy_slice text, struct bondy_address *out);
uint16_t bondy_address_port(const struct bondy_address *address);
/* 127.0.0.0/8, ::1, IPv4-mapped loopback, and Unix sockets. */
bool bondy_address_is_loopback(const struct bondy_address *address);
/* The same host, ports aside; IPv4-mapped IPv6 equals IPv4. */
bool bondy_address_same_host(const struct bondy_address *a, const struct bondy_address *b);

struct bondy_listen_options {
    int backlog;
    bool reuseport;
    bool v6only;
    unsigned mode;      /* Unix sockets: permission bits, 0 = 0660 */
    int sndbuf, recbuf; /* 0 = the system's */
};
/* A non-blocking listening socket; *fd is the caller's. A stale Unix socket file is replaced, a
 * live one is an error. BONDY_EEXIST: the address is in use. `address` is updated with the port
 * chosen. */
int bondy_net_listen(struct bondy_address *address, const struct bondy_listen_options *options,
                     int *fd, struct bondy_error *err);

/* Whether no other process has an IP address and port: listening sockets that share a port
 * (`reuseport`) would not notice one of the same user. Port 0 is always free. BONDY_EEXIST: the
 * address is in use. */
int bondy_net_check_free(const struct bondy_address *address, bool v6only, struct bondy_error *err);

struct bondy_cidr {
    uint8_t bits[16]; /* IPv4 as IPv4-mapped */
    unsigned prefix;  /* of 128 */
};
int bondy_cidr_parse(struct bondy_slice text, struct bondy_cidr *out, struct bondy_error *err);
/* The same, but bits behind the prefix are taken for zeros, and IPv4-mapped IPv6 networks for IPv4.
 */
int bondy_cidr_parse_network(struct bondy_slice text, struct bondy_cidr *out,
                             struct bondy_error *err);
/* "10.0.0.0/8", "2001:db8::/32": of equal networks the same text. Returns `out`. */
char *bondy_cidr_format(const struct bondy_cidr *cidr, char out[BONDY_ADDRESS_TEXT]);
/* 0.0.0.0/0 or ::/0. */
bool bondy_cidr_is_all(const struct bondy_cidr *cidr);
bool bondy_cidr_contains(const struct bondy_cidr *cidr, const struct bondy_address *address);
/* As rules for peers mean it: a /0 of either family holds every address, else the families must
 * agree, and a peer on a Unix socket counts as one on a loopback address. */
bool bondy_cidr_admits(const struct bondy_cidr *cidr, const struct bondy_address *address);

#endif
