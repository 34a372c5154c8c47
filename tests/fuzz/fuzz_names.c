/* SPDX-License-Identifier: Apache-2.0 */
/* Names: what is folded is text, short enough, without white space and the three signs, and stays
 * when it is folded again; what is a name of ASCII is the same with other scripts and without. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "src/base/alloc.h"
#include "src/base/utf8.h"
#include "src/security/entity/names.h"

static void check(const struct bondy_name *name)
{
    struct bondy_slice rest = bondy_name_slice(name);
    struct bondy_name again;
    uint32_t point;
    size_t taken;

    BONDY_BUG_ON(name->len == 0 || name->len > BONDY_NAME_MAX || name->text[name->len] != '\0');
    BONDY_BUG_ON(!bondy_utf8_is_valid(rest) || memchr(name->text, '\0', name->len) != NULL);
    while ((taken = bondy_utf8_decode(rest, &point)) > 0) {
        BONDY_BUG_ON(bondy_utf8_is_space(point) || point < 0x20 || point == 0x7f);
        BONDY_BUG_ON(point == '<' || point == '=' || point == '>');
        rest = bondy_slice_skip(rest, taken);
    }
    BONDY_BUG_ON(!bondy_name_fold(bondy_name_slice(name), &again));
    BONDY_BUG_ON(again.len != name->len || memcmp(again.text, name->text, name->len) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bondy_slice text = bondy_slice_of(data, size);
    struct bondy_name plain, name;
    bool is_plain;

    bondy_names_set_unicode(false);
    is_plain = bondy_name_fold(text, &plain);
    bondy_names_set_unicode(true);
    if (bondy_name_fold(text, &name))
        check(&name);
    else
        BONDY_BUG_ON(is_plain);
    BONDY_BUG_ON(is_plain && (plain.len != name.len || memcmp(plain.text, name.text, plain.len)));
    return 0;
}
