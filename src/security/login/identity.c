/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/login/identity.h"

#include <string.h>

#include "src/base/alloc.h"
#include "src/security/login/principal.h"

static const struct bondy_slice anonymous_groups[] = {BONDY_SLICE("anonymous")};

const struct bondy_identity bondy_identity_anonymous = {
    .authrole = BONDY_SLICE("anonymous"),
    .authmethod = BONDY_SLICE("anonymous"),
    .authprovider = BONDY_SLICE(BONDY_AUTHPROVIDER),
    .groups = anonymous_groups,
    .group_count = 1,
};

static size_t texts_len(const struct bondy_identity *identity)
{
    size_t len = identity->authid.len + identity->authrole.len + identity->authmethod.len +
                 identity->authprovider.len;

    for (size_t i = 0; i < identity->group_count; i++)
        len += identity->groups[i].len;
    return len;
}

static struct bondy_slice keep(char **at, struct bondy_slice text)
{
    char *start = *at;

    if (text.len > 0)
        memcpy(start, text.data, text.len);
    *at += text.len;
    return bondy_slice_of(start, text.len);
}

/* One piece of memory: the struct, the groups, the texts. */
struct bondy_identity *bondy_identity_dup(const struct bondy_identity *from)
{
    size_t groups_len = from->group_count * sizeof from->groups[0];
    struct bondy_identity *made = bondy_alloc(sizeof *made + groups_len + texts_len(from));
    struct bondy_slice *groups = (struct bondy_slice *)(made + 1);
    char *at = (char *)groups + groups_len;

    *made = *from;
    made->authid = keep(&at, from->authid);
    made->authrole = keep(&at, from->authrole);
    made->authmethod = keep(&at, from->authmethod);
    made->authprovider = keep(&at, from->authprovider);
    for (size_t i = 0; i < from->group_count; i++)
        groups[i] = keep(&at, from->groups[i]);
    made->groups = groups;
    bondy_principal_ref(made->principal);
    json_incref((json_t *)(uintptr_t)made->extra);
    json_incref((json_t *)(uintptr_t)made->ticket);
    json_incref((json_t *)(uintptr_t)made->token);
    return made;
}

void bondy_identity_free(struct bondy_identity *identity)
{
    if (identity == NULL)
        return;
    bondy_principal_unref(identity->principal);
    json_decref((json_t *)(uintptr_t)identity->extra);
    json_decref((json_t *)(uintptr_t)identity->ticket);
    json_decref((json_t *)(uintptr_t)identity->token);
    bondy_free(identity);
}
