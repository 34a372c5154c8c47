/* SPDX-License-Identifier: Apache-2.0 */
/* The head of a request that asks for a WebSocket. */
#include "tests/fuzz/fuzz.h"

#include "src/base/alloc.h"
#include "src/transport/upgrade.h"

/* A head that is taken makes one that is taken again, with the same choice. */
static void check_taken(const struct bondy_upgrade *upgrade)
{
    struct bondy_buf head = BONDY_BUF_EMPTY;
    struct bondy_upgrade again;
    const char *why;

    bondy_upgrade_format(upgrade, true, &head);
    BONDY_BUG_ON(bondy_upgrade_head_len(bondy_buf_slice(&head)) != head.len);
    BONDY_BUG_ON(!bondy_upgrade_is_wanted(bondy_buf_slice(&head)));
    BONDY_BUG_ON(bondy_upgrade_parse(bondy_buf_slice(&head), &again, &why) != 0);
    BONDY_BUG_ON(again.serializer != upgrade->serializer);
    BONDY_BUG_ON(again.offers_deflate != upgrade->offers_deflate);
    BONDY_BUG_ON(!bondy_slice_eq(again.key, upgrade->key));
    bondy_buf_fini(&head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bondy_slice bytes = bondy_slice_of(data, size);
    size_t head_len = size == 0 ? 0 : bondy_upgrade_head_len(bytes);
    struct bondy_upgrade upgrade;
    const char *why;

    if (head_len == 0)
        return 0;
    bytes.len = head_len;
    if (bondy_upgrade_parse(bytes, &upgrade, &why) == 0) {
        BONDY_BUG_ON(!bondy_upgrade_is_wanted(bytes));
        check_taken(&upgrade);
    }
    return 0;
}
