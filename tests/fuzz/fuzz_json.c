/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include "src/base/alloc.h"
#include "src/base/json.h"
#include "src/base/utf8.h"

/* What is accepted is UTF-8, and its text means the same tree again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *value = bondy_json_parse(bondy_slice_of(data, size), 16, NULL);
    struct bondy_buf first = BONDY_BUF_EMPTY;
    struct bondy_buf second = BONDY_BUF_EMPTY;
    json_t *again;

    if (value == NULL)
        return 0;
    BONDY_BUG_ON(!bondy_utf8_is_valid(bondy_slice_of(data, size)));
    bondy_json_canonical(value, &first);
    BONDY_BUG_ON(!bondy_utf8_is_valid(bondy_buf_slice(&first)));
    again = bondy_json_parse(bondy_buf_slice(&first), 16, NULL);
    BONDY_BUG_ON(again == NULL || !json_equal(value, again));
    bondy_json_canonical(again, &second);
    BONDY_BUG_ON(!bondy_slice_eq(bondy_buf_slice(&first), bondy_buf_slice(&second)));
    json_decref(value);
    json_decref(again);
    bondy_buf_fini(&first);
    bondy_buf_fini(&second);
    return 0;
}
