/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/token/rules.h"

#include <stdatomic.h>
#include <string.h>

#include "src/base/alloc.h"

void bondy_token_rules_init(struct bondy_token_rules *rules)
{
    *rules = (struct bondy_token_rules){.node_name = "bondy",
                                        .password_s = 15 * 60,
                                        .client_s = 15 * 60,
                                        .code_s = 10 * 60,
                                        .refresh_s = 30 * 24 * 3600,
                                        .refresh_limit = 25};
}

/* Few and small: one for each reload that changed something. */
struct state {
    struct bondy_token_rules rules;
    struct state *before;
};

struct bondy_token_settings {
    _Atomic(struct state *) now;
};

struct bondy_token_settings *bondy_token_settings_create(void)
{
    struct bondy_token_settings *settings = bondy_zalloc(sizeof *settings);
    struct state *state = bondy_zalloc(sizeof *state);

    bondy_token_rules_init(&state->rules);
    atomic_init(&settings->now, state);
    return settings;
}

void bondy_token_settings_destroy(struct bondy_token_settings *settings)
{
    struct state *state = settings == NULL ? NULL : atomic_load(&settings->now);

    while (state != NULL) {
        struct state *before = state->before;

        bondy_free(state);
        state = before;
    }
    bondy_free(settings);
}

static bool is_same(const struct bondy_token_rules *a, const struct bondy_token_rules *b)
{
    return strcmp(a->node_name, b->node_name) == 0 && a->is_bondy_format == b->is_bondy_format &&
           a->password_s == b->password_s && a->client_s == b->client_s && a->code_s == b->code_s &&
           a->refresh_s == b->refresh_s && a->refresh_max_s == b->refresh_max_s &&
           a->refresh_grace_s == b->refresh_grace_s && a->refresh_limit == b->refresh_limit;
}

void bondy_token_settings_put(struct bondy_token_settings *settings,
                              const struct bondy_token_rules *rules)
{
    struct state *before = atomic_load(&settings->now), *state;

    if (is_same(&before->rules, rules))
        return;
    state = bondy_zalloc(sizeof *state);
    state->rules = *rules;
    state->before = before;
    atomic_store_explicit(&settings->now, state, memory_order_release);
}

const struct bondy_token_rules *
bondy_token_settings_now(const struct bondy_token_settings *settings)
{
    return &atomic_load_explicit(&settings->now, memory_order_acquire)->rules;
}
