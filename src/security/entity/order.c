/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/entity/order.h"

#include "src/base/alloc.h"
#include "src/base/error.h"

/* Depth first without recursion: a thing is taken when all it needs was taken. `next` counts the
 * needs that were looked at. */
enum state { NEW, OPEN, TAKEN };

struct sort {
    const json_t *names, *needs;
    json_t *index; /* name to index */
    enum state *states;
    size_t *next, *stack, *order;
    size_t depth, count;
};

static json_t *describe_cycle(const struct sort *sort, size_t again)
{
    json_t *cycle = json_array();
    size_t from = 0;

    while (sort->stack[from] != again)
        from++;
    for (; from < sort->depth; from++)
        json_array_append(cycle, json_array_get(sort->names, sort->stack[from]));
    json_array_append(cycle, json_array_get(sort->names, again));
    return cycle;
}

static void open_one(struct sort *sort, size_t i)
{
    sort->states[i] = OPEN;
    sort->stack[sort->depth++] = i;
}

/* One step from the top of the stack; NULL, or the cycle that it found. */
static json_t *step(struct sort *sort)
{
    size_t top = sort->stack[sort->depth - 1], needed;
    const json_t *name = json_array_get(json_array_get(sort->needs, top), sort->next[top]);
    const json_t *found;

    if (name == NULL) {
        sort->states[top] = TAKEN;
        sort->order[sort->count++] = top;
        sort->depth--;
        return NULL;
    }
    sort->next[top]++;
    found = json_object_get(sort->index, json_string_value(name));
    if (found == NULL)
        return NULL;
    needed = (size_t)json_integer_value(found);
    if (sort->states[needed] == OPEN)
        return describe_cycle(sort, needed);
    if (sort->states[needed] == NEW)
        open_one(sort, needed);
    return NULL;
}

int bondy_order_sort(const json_t *names, const json_t *needs, size_t **order, json_t **cycle)
{
    size_t count = json_array_size(names);
    struct sort sort = {.names = names,
                        .needs = needs,
                        .index = json_object(),
                        .states = bondy_calloc(count, sizeof *sort.states),
                        .next = bondy_calloc(count, sizeof *sort.next),
                        .stack = bondy_calloc(count, sizeof *sort.stack),
                        .order = bondy_calloc(count, sizeof *sort.order)};
    json_t *found = NULL;

    for (size_t i = count; i-- > 0;)
        json_object_set_new(sort.index, json_string_value(json_array_get(names, i)),
                            json_integer((json_int_t)i));
    for (size_t i = 0; i < count && found == NULL; i++) {
        if (sort.states[i] == NEW)
            open_one(&sort, i);
        while (sort.depth > 0 && found == NULL)
            found = step(&sort);
    }
    json_decref(sort.index);
    bondy_free(sort.states);
    bondy_free(sort.next);
    bondy_free(sort.stack);
    if (found != NULL) {
        bondy_free(sort.order);
        *cycle = found;
        return BONDY_EINVAL;
    }
    *order = sort.order;
    return BONDY_OK;
}
