/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include "gateway/form.h"
#include "src/base/alloc.h"
#include "src/base/utf8.h"
#include "src/http/negotiate.h"

static void check_strings(const json_t *value)
{
    const char *key;
    json_t *item;
    size_t i;

    if (json_is_string(value))
        BONDY_BUG_ON(!bondy_utf8_is_valid(
            bondy_slice_of(json_string_value(value), json_string_length(value))));
    json_array_foreach((json_t *)value, i, item) check_strings(item);
    json_object_foreach((json_t *)value, key, item)
    {
        check_strings(item);
    }
}

/* Queries, form bodies, and the headers that say what a body is: whatever comes out is UTF-8. The
 * first line is a Content-Type and an Accept value, the rest a body. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const offers[] = {"application/json", "text/plain"};
    struct bondy_slice all = bondy_slice_of(data, size);
    const char *end = size == 0 ? NULL : memchr(data, '\n', size);
    struct bondy_slice line = {all.data, end == NULL ? size : (size_t)(end - all.data)};
    struct bondy_slice body = bondy_slice_skip(all, line.len + 1);
    char type[BONDY_MEDIA_TYPE_MAX];
    int chosen = bondy_accept_choose(line, offers, BONDY_COUNT(offers));
    json_t *value;

    BONDY_BUG_ON(chosen < -1 || chosen > 1);
    BONDY_BUG_ON(bondy_media_type(line, type) >= sizeof type);
    bondy_language_choose(line, offers, BONDY_COUNT(offers));
    for (unsigned mode = BONDY_FORM_LAST; mode <= BONDY_FORM_BODY; mode++) {
        value = bondy_form_tree(body, (enum bondy_form_mode)mode);
        check_strings(value);
        json_decref(value);
    }
    value = bondy_multipart_tree(body, bondy_media_parameter(line, "boundary"));
    check_strings(value);
    json_decref(value);
    return 0;
}
