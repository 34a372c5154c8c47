/* SPDX-License-Identifier: Apache-2.0 */

/* Black- and whitelists of a publication. A list becomes a set once, so that the question for one
 * receiver does not cost what the list is long. WAMP, Subscriber Black- and Whitelisting. */

#include "src/base/alloc.h"
#include "src/router/broker.h"

/* A set takes more memory than the bytes it was read from: longer lists are refused before. */
#define ELEMENTS_MAX 10000

struct list {
    bool is_present;
    struct bondy_idmap ids;
    struct bondy_map texts;
};

struct bondy_filter {
    struct list lists[BONDY_LIST_KINDS];
};

static bool is_of_ids(int kind)
{
    return kind == BONDY_EXCLUDE || kind == BONDY_ELIGIBLE;
}

static bool read_list(struct list *list, int kind, struct bondy_walk *walk)
{
    struct bondy_value value;
    size_t count = 0;

    list->is_present = true;
    while (bondy_list_next(walk, &value)) {
        if (++count > ELEMENTS_MAX)
            return false;
        if (is_of_ids(kind)) {
            if (value.type != BONDY_VALUE_INT)
                return false;
            if (value.i64 > 0) /* 0 is no id, and no key */
                bondy_idmap_put(&list->ids, (uint64_t)value.i64, list);
        } else {
            if (value.type != BONDY_VALUE_TEXT)
                return false;
            bondy_map_put(&list->texts, value.text, list);
        }
    }
    return true;
}

struct bondy_filter *bondy_filter_create(enum bondy_serializer serializer,
                                         const struct bondy_slice lists[BONDY_LIST_KINDS],
                                         struct bondy_buf *scratch)
{
    struct bondy_filter *filter = bondy_zalloc(sizeof *filter);

    for (int kind = 0; kind < BONDY_LIST_KINDS; kind++) {
        struct bondy_walk walk;

        if (lists[kind].len == 0)
            continue;
        scratch->len = 0;
        bondy_walk_start(&walk, serializer, lists[kind], scratch);
        if (!read_list(&filter->lists[kind], kind, &walk)) {
            bondy_filter_destroy(filter);
            return NULL;
        }
    }
    return filter;
}

void bondy_filter_destroy(struct bondy_filter *filter)
{
    if (filter == NULL)
        return;
    for (int kind = 0; kind < BONDY_LIST_KINDS; kind++) {
        bondy_idmap_fini(&filter->lists[kind].ids);
        bondy_map_fini(&filter->lists[kind].texts);
    }
    bondy_free(filter);
}

static bool holds(const struct list *list, int kind, const struct bondy_session *session)
{
    switch (kind) {
    case BONDY_EXCLUDE:
    case BONDY_ELIGIBLE:
        return bondy_idmap_find(&list->ids, session->id) != NULL;
    case BONDY_EXCLUDE_AUTHID:
    case BONDY_ELIGIBLE_AUTHID:
        return bondy_map_find(&list->texts, session->authid) != NULL;
    default:
        return bondy_map_find(&list->texts, session->authrole) != NULL;
    }
}

bool bondy_filter_passes(const struct bondy_filter *filter, const struct bondy_session *session)
{
    for (int kind = 0; kind < BONDY_LIST_KINDS; kind++) {
        const struct list *list = &filter->lists[kind];
        bool is_blacklist = kind <= BONDY_EXCLUDE_AUTHROLE;

        if (list->is_present && holds(list, kind, session) == is_blacklist)
            return false;
    }
    return true;
}
