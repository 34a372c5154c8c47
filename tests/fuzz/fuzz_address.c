/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include "src/base/alloc.h"
#include "src/base/buf.h"
#include "src/sys/net.h"

/* An address that parses formats to text that parses to the same; a block contains its base. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = bondy_memdup0(data, size);
    struct bondy_address address, again;
    struct bondy_cidr cidr;
    char host[BONDY_ADDRESS_TEXT];

    if (bondy_address_parse(text, 80, &address, NULL) == BONDY_OK) {
        bondy_address_format_host(&address, host);
        BONDY_BUG_ON(bondy_address_parse(host, 80, &again, NULL) < 0);
        BONDY_BUG_ON(!bondy_address_same_host(&address, &again));
        bondy_address_is_loopback(&address);
    }
    if (bondy_cidr_parse(bondy_slice_of(data, size), &cidr, NULL) == BONDY_OK) {
        text[strcspn(text, "/")] = '\0';
        BONDY_BUG_ON(bondy_address_parse(text, 0, &address, NULL) < 0);
        BONDY_BUG_ON(!bondy_cidr_contains(&cidr, &address));
    }
    bondy_free(text);
    return 0;
}
