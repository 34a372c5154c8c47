/* SPDX-License-Identifier: Apache-2.0 */
/* The head of a request that asks for a WebSocket. */
#include "tests/fuzz/fuzz.h"

#include "src/base/alloc.h"
#include "src/security/credential/cookie.h"
#include "src/transport/origin.h"
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

/* What may log in lies inside the header and is not too long; with a foreign page nothing does. */
static void check_cookies(const struct bondy_upgrade *upgrade)
{
    const struct bondy_origin_rules rules = {.is_tls = true};
    struct bondy_slice cookies, ticket;
    const char *why;
    int status = bondy_origin_judge(upgrade, &rules, &cookies, &why);

    BONDY_BUG_ON(status != 0 && cookies.len > 0);
    if (cookies.len == 0)
        return;
    BONDY_BUG_ON(cookies.len > BONDY_COOKIES_MAX || !bondy_cookie_has_ticket(cookies));
    BONDY_BUG_ON(upgrade->origin_count > 0 &&
                 !bondy_origin_is_own(upgrade->origin, upgrade->host, true));
    ticket = bondy_cookie_ticket(cookies, BONDY_SLICE("dev"));
    BONDY_BUG_ON(ticket.len > 0 && (ticket.data < cookies.data ||
                                    ticket.data + ticket.len > cookies.data + cookies.len));
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
        check_cookies(&upgrade);
    }
    return 0;
}
