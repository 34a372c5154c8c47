/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_BASE_LIST_H
#define BONDY_BASE_LIST_H

/* list: intrusive, doubly linked, circular. A head and a link are the same struct; a link that is
 * in no list points to itself. */

#include <stdbool.h>

struct bondy_list {
    struct bondy_list *next;
    struct bondy_list *prev;
};

static inline void bondy_list_init(struct bondy_list *link)
{
    link->next = link;
    link->prev = link;
}

static inline bool bondy_list_is_empty(const struct bondy_list *link)
{
    return link->next == link;
}

static inline void bondy_list_append(struct bondy_list *head, struct bondy_list *link)
{
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}

static inline void bondy_list_prepend(struct bondy_list *head, struct bondy_list *link)
{
    bondy_list_append(head->next, link);
}

/* Takes a link out of whatever list it is in; harmless when it is in none. */
static inline void bondy_list_remove(struct bondy_list *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    bondy_list_init(link);
}

/* Moves everything from `from` behind the last of `to`; `from` is empty afterwards. */
static inline void bondy_list_splice(struct bondy_list *to, struct bondy_list *from)
{
    if (bondy_list_is_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    bondy_list_init(from);
}

#define BONDY_LIST_ENTRY(link, type, member) BONDY_CONTAINER(link, type, member)
#define BONDY_LIST_EACH(link, head)                                                                \
    for (struct bondy_list *link = (head)->next; link != (head); link = link->next)
/* The current link may be removed while looping. */
#define BONDY_LIST_EACH_SAFE(link, head)                                                           \
    for (struct bondy_list *link = (head)->next, *link##_next = link->next; link != (head);        \
         link = link##_next, link##_next = link->next)

#endif
