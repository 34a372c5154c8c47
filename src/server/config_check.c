/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/server/config_load.h"
#include "src/sys/net.h"

/* What no single value shows: rules between keys (X1 to X12), files that must be there, addresses
 * used twice, insecure choices. configuration.md 2 and 2.1. */

typedef void (*check_fn)(struct bondy_config_loader *loader);

static const struct bondy_config_entry *entry_at(struct bondy_config_loader *loader,
                                                 const char *prefix, const char *suffix)
{
    char name[160];

    snprintf(name, sizeof name, "%s%s%s", prefix, suffix[0] == '\0' ? "" : ".", suffix);
    return bondy_config_find(loader->config, name);
}

static int64_t number(struct bondy_config_loader *loader, const char *name)
{
    return bondy_config_number(loader->config, name);
}

static void report(struct bondy_config_loader *loader, const struct bondy_config_entry *entry,
                   const char *code, const char *text)
{
    bondy_config_report(loader->diag, code, entry->origin.source, entry->origin.line, 0, "%s: %s",
                        entry->name, text);
}

/* Rules of the form "left < right" or "left <= right": rows of one table. */
static const struct {
    const char *left, *right;
    bool may_be_equal;
    const char *code;
    const char *text;
} orders[] = {
    /* X1 */
    {"wamp.longpoll.poll_timeout", "wamp.longpoll.idle_timeout", false, "C006",
     "must be shorter than wamp.longpoll.idle_timeout"},
    /* X2 */
    {"wamp.call_timeout", "wamp.max_call_timeout", true, "C104",
     "is longer than wamp.max_call_timeout, which counts"},
    /* X3 */
    {"security.password.min_length", "security.password.max_length", true, "C006",
     "must not be above security.password.max_length"},
    /* X6 */
    {"log.handlers.default.config.sync_mode_qlen", "log.handlers.default.config.drop_mode_qlen",
     true, "C006", "must not be above drop_mode_qlen"},
    {"log.handlers.default.config.drop_mode_qlen", "log.handlers.default.config.flush_qlen", true,
     "C006", "must not be above flush_qlen"},
    /* X11 */
    {"security.ticket.expiry_time", "security.ticket.max_expiry_time", true, "C006",
     "must not be longer than security.ticket.max_expiry_time"},
    {"store.map_size", "store.map_size_max", true, "C006", "must not be above store.map_size_max"},
};

static void check_orders(struct bondy_config_loader *loader)
{
    for (size_t i = 0; i < BONDY_COUNT(orders); i++) {
        int64_t left = number(loader, orders[i].left), right = number(loader, orders[i].right);

        if (left > right || (left == right && !orders[i].may_be_equal))
            report(loader, bondy_config_find(loader->config, orders[i].left), orders[i].code,
                   orders[i].text);
    }
}

/* X4: a silent peer is pinged and given up before the connection counts as idle. */
static void check_pings(struct bondy_config_loader *loader)
{
    static const char *const prefixes[] = {"wamp.tcp", "wamp.tls", "wamp.websocket"};

    for (size_t i = 0; i < BONDY_COUNT(prefixes); i++) {
        const struct bondy_config_entry *idle = entry_at(loader, prefixes[i], "idle_timeout");
        int64_t silence = entry_at(loader, prefixes[i], "ping.idle_timeout")->value.number;
        int64_t wait = entry_at(loader, prefixes[i], "ping.timeout")->value.number;
        int64_t attempts = entry_at(loader, prefixes[i], "ping.max_attempts")->value.number;
        int64_t total;

        if (entry_at(loader, prefixes[i], "ping.enabled")->value.number == 0)
            continue;
        if (__builtin_mul_overflow(wait, attempts, &total) ||
            __builtin_add_overflow(total, silence, &total) || total >= idle->value.number)
            report(loader, idle, "C006",
                   "must be longer than ping.idle_timeout + ping.timeout x ping.max_attempts");
    }
}

/* X5 */
static void check_buffers(struct bondy_config_loader *loader)
{
    static const char *const prefixes[] = {"api_gateway.http", "api_gateway.https",
                                           "admin_api.http", "admin_api.https", "wamp.websocket"};

    for (size_t i = 0; i < BONDY_COUNT(prefixes); i++) {
        const struct bondy_config_entry *min = entry_at(loader, prefixes[i], "buffer.min");
        const struct bondy_config_entry *max = entry_at(loader, prefixes[i], "buffer.max");

        if (min->value.is_set != max->value.is_set)
            report(loader, min->value.is_set ? min : max, "C006",
                   "buffer.min and buffer.max are set together or not at all");
        else if (min->value.is_set && (min->value.number < 1024 || max->value.number > 131072 ||
                                       min->value.number > max->value.number))
            report(loader, min, "C006", "1KB <= buffer.min <= buffer.max <= 128KB is not true");
    }
}

static bool can_read(const char *path)
{
    return path != NULL && access(path, R_OK) == 0;
}

/* X7. Whether key and certificate belong together shows when they are loaded. */
static void check_certificates(struct bondy_config_loader *loader)
{
    static const char *const prefixes[] = {"api_gateway.https", "admin_api.https", "wamp.tls"};

    for (size_t i = 0; i < BONDY_COUNT(prefixes); i++) {
        const struct bondy_config_entry *file = entry_at(loader, prefixes[i], "certfile");

        if (entry_at(loader, prefixes[i], "enabled")->value.number == 0)
            continue;
        if (!can_read(file->value.text))
            bondy_config_report(loader->diag, "C005", file->origin.source, file->origin.line, 0,
                                "%s: cannot read \"%s\"", file->name,
                                file->value.text == NULL ? "" : file->value.text);
        if (entry_at(loader, prefixes[i], "verify")->value.text != NULL &&
            strcmp(entry_at(loader, prefixes[i], "verify")->value.text, "verify_peer") == 0 &&
            !can_read(entry_at(loader, prefixes[i], "cacertfile")->value.text))
            report(loader, entry_at(loader, prefixes[i], "cacertfile"), "C005",
                   "cannot be read, and verify = verify_peer needs it");
    }
}

/* Documents: an absent one is a warning, the node runs without it. */
static void check_documents(struct bondy_config_loader *loader)
{
    static const char *const names[] = {"security.config_file", "api_gateway.config_file",
                                        "api_gateway.config_dir"};

    for (size_t i = 0; i < BONDY_COUNT(names); i++) {
        const struct bondy_config_entry *entry = bondy_config_find(loader->config, names[i]);

        if (!entry->value.is_set || can_read(entry->value.text))
            continue;
        bondy_config_report(loader->diag, "C005", entry->origin.source, entry->origin.line, 0,
                            "%s: cannot read \"%s\"; the node runs without it", entry->name,
                            entry->value.text);
        bondy_config_soften(loader->diag, loader->diag->count - 1);
    }
}

/* X8 to X10: cluster and hash trees. */
static void check_cluster(struct bondy_config_loader *loader)
{
    const struct bondy_config_entry *method =
        bondy_config_find(loader->config, "cluster.auth.method");
    const struct bondy_config_entry *ttl = bondy_config_find(loader->config, "store.tombstone_ttl");
    const struct bondy_config_entry *wait =
        bondy_config_find(loader->config, "startup.wait_for_store_aae_exchange");
    const char *topology = bondy_config_text(loader->config, "cluster.overlay.topology");

    if (ttl->value.number < number(loader, "cluster.member.expiry") + INT64_C(2) * 86400000)
        report(loader, ttl, "C006", "must be at least cluster.member.expiry + 2d");
    if (method->origin.source != NULL && method->value.text != NULL &&
        strcmp(method->value.text, "none") == 0)
        report(loader, method, "C104", "any machine that reaches the port is taken for a node");
    if (wait->value.number != 0 && !bondy_config_flag(loader->config, "aae.enabled"))
        report(loader, wait, "C006", "needs aae.enabled = on");
    if (topology != NULL && strcmp(topology, "p2p") == 0)
        report(loader, bondy_config_find(loader->config, "cluster.overlay.topology"), "C004",
               "p2p is not built; only fullmesh");
}

/* Listeners with their enabled keys, for C007 and the rules on addresses. */
static const struct {
    const char *prefix;
    bool is_admin, is_tls;
} listeners[] = {
    {"api_gateway.http", false, false}, {"api_gateway.https", false, true},
    {"admin_api.http", true, false},    {"admin_api.https", true, true},
    {"wamp.tcp", false, false},         {"wamp.tls", false, true},
};

static bool is_enabled(struct bondy_config_loader *loader, size_t index)
{
    return entry_at(loader, listeners[index].prefix, "enabled")->value.number != 0;
}

/* An unset address meets every other one on the same port. */
static bool share_address(struct bondy_config_loader *loader, size_t a, size_t b)
{
    const char *left = entry_at(loader, listeners[a].prefix, "ip")->value.text;
    const char *right = entry_at(loader, listeners[b].prefix, "ip")->value.text;
    int64_t port = entry_at(loader, listeners[a].prefix, "port")->value.number;

    return port != 0 && port == entry_at(loader, listeners[b].prefix, "port")->value.number &&
           (left == NULL || right == NULL || strcmp(left, right) == 0);
}

static void check_addresses(struct bondy_config_loader *loader)
{
    for (size_t i = 0; i < BONDY_COUNT(listeners); i++) {
        for (size_t j = i + 1; j < BONDY_COUNT(listeners); j++) {
            const struct bondy_config_entry *port = entry_at(loader, listeners[j].prefix, "port");

            if (is_enabled(loader, i) && is_enabled(loader, j) && share_address(loader, i, j))
                bondy_config_report(loader->diag, "C007", port->origin.source, port->origin.line, 0,
                                    "%s: %s listens on the same address", port->name,
                                    listeners[i].prefix);
        }
    }
}

static bool is_loopback(const struct bondy_config_entry *ip)
{
    struct bondy_address address;

    return ip->value.text != NULL &&
           bondy_address_parse(ip->value.text, 0, &address, NULL) == BONDY_OK &&
           bondy_address_is_loopback(&address);
}

/* threat-model.md H9: whoever reaches the admin API from another machine needs credentials, and
 * these do not cross the network in clear text unless somebody says so. */
static void check_admin_exposure(struct bondy_config_loader *loader,
                                 const struct bondy_config_entry *ip, bool is_tls)
{
    if (bondy_config_flag(loader->config, "admin_api.allow_anonymous"))
        report(loader, ip, "C006",
               "with admin_api.allow_anonymous = on the admin API listens on loopback addresses "
               "only (127.0.0.1, ::1)");
    else if (!is_tls && !bondy_config_flag(loader->config, "admin_api.allow_cleartext"))
        report(loader, ip, "C006",
               "without TLS the admin API listens on loopback addresses only (127.0.0.1, ::1); "
               "admin_api.https has TLS, and admin_api.allow_cleartext = on is for a network that "
               "encrypts by itself");
    else if (!is_tls)
        report(loader, ip, "C104", "passwords of administrators cross the network in clear text");
}

/* --dev opens the node to everybody who reaches it, so all of it stays on this machine. */
static void check_exposure(struct bondy_config_loader *loader)
{
    for (size_t i = 0; i < BONDY_COUNT(listeners); i++) {
        const struct bondy_config_entry *ip = entry_at(loader, listeners[i].prefix, "ip");

        if (!is_enabled(loader, i) || is_loopback(ip))
            continue;
        if (loader->sources->loopback_only)
            report(loader, ip, "C006", "--dev listens on loopback addresses only");
        else if (listeners[i].is_admin)
            check_admin_exposure(loader, ip, listeners[i].is_tls);
    }
}

static void check_private(struct bondy_config_loader *loader)
{
    const char *last = NULL;

    for (size_t i = 0; i < loader->config->count; i++) {
        const struct bondy_config_entry *entry = &loader->config->entries[i];
        struct stat info;

        if (!(entry->key->row->flags & BONDY_KEY_IS_SECRET) || !entry->value.is_set ||
            entry->origin.line == 0 || entry->origin.source == last ||
            strncmp(entry->value.text, "env:", 4) == 0 ||
            strncmp(entry->value.text, "file:", 5) == 0)
            continue;
        if (stat(entry->origin.source, &info) == 0 && (info.st_mode & 077) != 0)
            report(loader, entry, "C104", "a secret in a file that group or others may read");
        last = entry->origin.source;
    }
}

/* One key in two places is one that somebody forgot to change. */
static void check_master_keys(struct bondy_config_loader *loader)
{
    static const char *const pairs[][2] = {
        {"security.master_key_file", "security.master_key"},
        {"security.master_key_file.previous", "security.master_key.previous"}};

    for (size_t i = 0; i < BONDY_COUNT(pairs); i++)
        if (bondy_config_text(loader->config, pairs[i][0]) != NULL &&
            bondy_config_text(loader->config, pairs[i][1]) != NULL)
            bondy_config_report(loader->diag, "C006", NULL, 0, 0,
                                "%s and %s: only one of them can be the key", pairs[i][0],
                                pairs[i][1]);
}

static bool is_octal_mode(const char *text)
{
    size_t len = strlen(text);

    return len >= 3 && len <= 4 && strspn(text, "01234567") == len && (len == 3 || text[0] == '0');
}

/* What a socket address cannot hold; and a socket in a folder that others may write to, which could
 * be replaced by theirs. */
static void check_socket_path(struct bondy_config_loader *loader,
                              const struct bondy_config_entry *path)
{
    const char *slash = path->value.text == NULL ? NULL : strrchr(path->value.text, '/');
    struct stat info;
    char *folder;

    if (path->value.text != NULL &&
        strlen(path->value.text) >= sizeof((struct sockaddr_un *)0)->sun_path)
        report(loader, path, "C006", "the path is too long for a Unix socket");
    if (slash == NULL)
        return;
    folder = bondy_memdup0(path->value.text, (size_t)(slash - path->value.text));
    if (stat(*folder == '\0' ? "/" : folder, &info) == 0 && (info.st_mode & S_IWOTH) != 0)
        report(loader, path, "C006", "the folder may be written to by others");
    bondy_free(folder);
}

static void check_unix_sockets(struct bondy_config_loader *loader)
{
    const struct bondy_config_entry *mode = bondy_config_find(loader->config, "wamp.unix.mode");
    const struct bondy_config_entry *admin =
        bondy_config_find(loader->config, "admin_api.unix.path");

    if (mode->value.text == NULL || !is_octal_mode(mode->value.text))
        report(loader, mode, "C003", "expected permissions in octal (example: 0660)");
    if (bondy_config_flag(loader->config, "wamp.unix.enabled"))
        check_socket_path(loader, bondy_config_find(loader->config, "wamp.unix.path"));
    /* The default one is left out when it does not fit (admin-http-api.md 3). */
    if (admin->origin.source != NULL)
        check_socket_path(loader, admin);
}

void bondy_config_check(struct bondy_config_loader *loader)
{
    static const check_fn checks[] = {check_orders,       check_pings,      check_buffers,
                                      check_certificates, check_documents,  check_cluster,
                                      check_addresses,    check_exposure,   check_private,
                                      check_unix_sockets, check_master_keys};

    for (size_t i = 0; i < BONDY_COUNT(checks); i++)
        checks[i](loader);
}
