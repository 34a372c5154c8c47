/* SPDX-License-Identifier: Apache-2.0 */
/* A URI and a pattern with a line feed between them. */
#include "tests/fuzz/fuzz.h"

#include "src/base/alloc.h"
#include "src/base/utf8.h"
#include "src/wamp/uri.h"

static void check_rules(struct bondy_slice text)
{
    for (int match = 0; match < BONDY_MATCHES; match++) {
        bool is_loose = bondy_uri_is_valid(text, match, BONDY_URI_LOOSE);

        BONDY_BUG_ON(bondy_uri_is_valid(text, match, BONDY_URI_STRICT) && !is_loose);
        BONDY_BUG_ON(is_loose && text.len == 0);
        if (bondy_uri_is_valid(text, BONDY_MATCH_EXACT, BONDY_URI_LOOSE))
            BONDY_BUG_ON(!is_loose);
        BONDY_BUG_ON(!bondy_uri_matches(text, text, match));
    }
    BONDY_BUG_ON(bondy_uri_is_wamp(text) && bondy_uri_is_ours(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bondy_slice whole = bondy_slice_of(data, size);
    const uint8_t *line = size == 0 ? NULL : memchr(data, '\n', size);
    struct bondy_slice uri = whole;
    struct bondy_slice pattern = whole;

    if (!bondy_utf8_is_valid(whole))
        return 0;
    if (line != NULL) {
        uri.len = (size_t)(line - data);
        pattern = bondy_slice_skip(whole, uri.len + 1);
    }
    check_rules(uri);
    check_rules(pattern);
    for (int match = 0; match < BONDY_MATCHES; match++)
        if (bondy_uri_matches(uri, pattern, match) && match == BONDY_MATCH_EXACT)
            BONDY_BUG_ON(!bondy_uri_matches(uri, pattern, BONDY_MATCH_PREFIX));
    return 0;
}
