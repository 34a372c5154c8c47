/* SPDX-License-Identifier: Apache-2.0 */
#include "src/server/config_schema.h"

#include <stdlib.h>

#include "src/base/buf.h"
#include "src/server/config_schema_tables.h"

/* Keys are expanded once into two arrays: in document order, and sorted by name for the exact ones.
 * The few patterns are tried one after the other. */

static const struct bondy_config_group *const tables[] = {
    bondy_config_node_groups,   bondy_config_listener_groups, bondy_config_wamp_groups,
    bondy_config_bridge_groups, bondy_config_cluster_groups,  bondy_config_log_groups,
};

static struct {
    struct bondy_config_key *keys;
    size_t count, cap;
    const struct bondy_config_key **sorted;
    size_t sorted_count;
} schema;

/* Older names. "$1" is what the wildcard of the alias stood for. configuration.md 6. */
static const struct {
    const char *alias;
    const char *names[3];
} aliases[] = {
    {"shutdown_grace_period", {"shutdown.grace_period"}},
    {"cluster.listen_addrs", {"cluster.listen_addresses"}},
    {"cluster.topology", {"cluster.overlay.topology"}},
    {"cluster.tls.certfile", {"cluster.tls.server.certfile", "cluster.tls.client.certfile"}},
    {"cluster.tls.keyfile", {"cluster.tls.server.keyfile", "cluster.tls.client.keyfile"}},
    {"cluster.tls.cacertfile", {"cluster.tls.server.cacertfile", "cluster.tls.client.cacertfile"}},
    {"cluster.exchange_tick_period", {"aae.exchange_timer"}},
    {"store.open_retry_Limit", {"store.open_retry_limit"}},
    {"admin_api.http.dynamic_buffer.min", {"admin_api.http.buffer.min"}},
    {"admin_api.http.dynamic_buffer.max", {"admin_api.http.buffer.max"}},
    {"bridge.$name.timeout", {"bridge.$1.connect_timeout"}},
    {"wamp.tls.ping.interval", {"wamp.tls.ping.idle_timeout"}},
};

static int by_name(const void *a, const void *b)
{
    const struct bondy_config_key *const *left = a;
    const struct bondy_config_key *const *right = b;

    return strcmp((*left)->name, (*right)->name);
}

static void add_key(const char *section, struct bondy_slice prefix,
                    const struct bondy_config_row *row)
{
    struct bondy_config_key *key;
    struct bondy_buf name = BONDY_BUF_EMPTY;

    if (schema.count == schema.cap) {
        schema.cap = schema.cap == 0 ? 1024 : schema.cap * 2;
        schema.keys = bondy_realloc(schema.keys, schema.cap * sizeof *schema.keys);
    }
    key = &schema.keys[schema.count++];
    key->section = section;
    key->row = row;
    key->is_pattern = strchr(row->name, '$') != NULL;
    key->name = row->name;
    if (prefix.len != 0) {
        bondy_buf_printf(&name, BONDY_SLICE_FMT ".%s", BONDY_SLICE_ARG(prefix), row->name);
        key->name = bondy_buf_take_text(&name);
    }
}

static void add_group(const struct bondy_config_group *group)
{
    const char *prefix = group->prefixes == NULL ? "" : group->prefixes;

    do {
        size_t len = strcspn(prefix, " ");

        for (size_t i = 0; i < group->count; i++)
            add_key(group->section, bondy_slice_of(prefix, len), &group->rows[i]);
        prefix += len + (prefix[len] == ' ');
    } while (*prefix != '\0');
}

static void build(void)
{
    for (size_t i = 0; i < BONDY_COUNT(tables); i++) {
        for (const struct bondy_config_group *group = tables[i]; group->section != NULL; group++)
            add_group(group);
    }
    schema.sorted = bondy_calloc(schema.count, sizeof *schema.sorted);
    for (size_t i = 0; i < schema.count; i++) {
        if (!schema.keys[i].is_pattern)
            schema.sorted[schema.sorted_count++] = &schema.keys[i];
    }
    qsort(schema.sorted, schema.sorted_count, sizeof *schema.sorted, by_name);
}

const struct bondy_config_key *bondy_config_keys(size_t *count)
{
    if (schema.keys == NULL)
        build();
    *count = schema.count;
    return schema.keys;
}

/* Cuts the first segment off; "\." does not end one. */
static struct bondy_slice next_segment(struct bondy_slice *rest)
{
    struct bondy_slice segment = *rest;

    for (size_t i = 0; i < rest->len; i++) {
        if (rest->data[i] == '\\') {
            i++;
            continue;
        }
        if (rest->data[i] == '.') {
            segment.len = i;
            *rest = bondy_slice_skip(*rest, i + 1);
            return segment;
        }
    }
    *rest = bondy_slice_skip(*rest, rest->len);
    return segment;
}

static bool is_identifier(struct bondy_slice segment)
{
    if (segment.len == 0 || segment.len > 64)
        return false;
    for (size_t i = 0; i < segment.len; i++) {
        char c = segment.data[i];

        if (c == '\\' && i + 1 < segment.len && segment.data[i + 1] == '.')
            continue;
        if (c == '.' && i > 0 && segment.data[i - 1] == '\\')
            continue;
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-'))
            return false;
    }
    return true;
}

/* `wild` receives what the first wildcard stood for. */
static bool matches(const char *pattern, struct bondy_slice name, struct bondy_slice *wild)
{
    struct bondy_slice rest = bondy_slice_text(pattern);

    while (rest.len != 0 && name.len != 0) {
        struct bondy_slice want = next_segment(&rest);
        struct bondy_slice have;

        if (bondy_slice_is(want, "$$"))
            return true;
        have = next_segment(&name);
        if (want.data[0] == '$' ? !is_identifier(have) : !bondy_slice_eq(want, have))
            return false;
        if (want.data[0] == '$' && wild->data == NULL)
            *wild = have;
    }
    return rest.len == 0 && name.len == 0;
}

/* "forward" and "listener" are no names of bridges. */
static bool is_reserved_bridge(struct bondy_slice name)
{
    return bondy_slice_starts(name, BONDY_SLICE("bridge.listener")) ||
           bondy_slice_starts(name, BONDY_SLICE("bridge.forward"));
}

const struct bondy_config_key *bondy_config_key_find(struct bondy_slice name)
{
    size_t low = 0, high, count;

    bondy_config_keys(&count);
    high = schema.sorted_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = bondy_slice_cmp(name, bondy_slice_text(schema.sorted[middle]->name));

        if (order == 0)
            return schema.sorted[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    if (is_reserved_bridge(name))
        return NULL;
    for (size_t i = 0; i < count; i++) {
        struct bondy_slice wild = BONDY_SLICE_EMPTY;

        if (schema.keys[i].is_pattern && matches(schema.keys[i].name, name, &wild))
            return &schema.keys[i];
    }
    return NULL;
}

const char *const *bondy_config_alias(struct bondy_slice name, char scratch[256])
{
    static const char *filled[3];

    for (size_t i = 0; i < BONDY_COUNT(aliases); i++) {
        struct bondy_slice wild = BONDY_SLICE_EMPTY;
        const char *mark;
        size_t head;

        if (!matches(aliases[i].alias, name, &wild))
            continue;
        mark = strstr(aliases[i].names[0], "$1");
        if (mark == NULL)
            return aliases[i].names;
        head = (size_t)(mark - aliases[i].names[0]);
        if (head + wild.len + strlen(mark + 2) >= 256)
            return NULL;
        memcpy(scratch, aliases[i].names[0], head);
        memcpy(scratch + head, wild.data, wild.len);
        memcpy(scratch + head + wild.len, mark + 2, strlen(mark + 2) + 1);
        filled[0] = scratch;
        return filled;
    }
    return NULL;
}

const char *bondy_config_type_name(enum bondy_config_type type)
{
    static const char *const names[] = {
        [BONDY_KEY_STRING] = "text", [BONDY_KEY_INT] = "integer",      [BONDY_KEY_FLAG] = "flag",
        [BONDY_KEY_MS] = "duration", [BONDY_KEY_SECONDS] = "duration", [BONDY_KEY_BYTES] = "bytes",
        [BONDY_KEY_IP] = "ip",       [BONDY_KEY_ADDRESS] = "address",  [BONDY_KEY_PATH] = "path",
        [BONDY_KEY_WORD] = "word",   [BONDY_KEY_PORT] = "port",        [BONDY_KEY_LIST] = "list",
    };

    return names[type];
}
