/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "src/base/alloc.h"
#include "src/security/token/code.h"

/* Refresh tokens from outside: what is taken for one is the only text of its parts. And the texts
 * of PKCE. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bondy_slice text = bondy_slice_of(data, size);
    struct bondy_refresh_parts parts;
    char again[BONDY_REFRESH_TEXT], id[BONDY_REFRESH_ID];

    if (bondy_refresh_parse(text, &parts)) {
        bondy_refresh_format(&parts, again);
        BONDY_BUG_ON(!bondy_slice_is(text, again));
        bondy_refresh_id(&parts, id);
        BONDY_BUG_ON(strlen(id) != sizeof id - 1);
    }
    BONDY_BUG_ON(bondy_code_is_verifier(text) && (size < 43 || size > 128));
    BONDY_BUG_ON(bondy_code_is_challenge(text) && !bondy_code_is_verifier(text));
    return 0;
}
