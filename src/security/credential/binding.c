/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/credential/binding.h"

#include <string.h>

#include "src/base/alloc.h"

static const char *const names[] = {NULL, "tls-unique", "tls-server-end-point", "tls-exporter"};

const char *bondy_binding_name(enum bondy_binding binding)
{
    return names[binding];
}

bool bondy_binding_parse(const json_t *value, enum bondy_binding *out)
{
    const char *text = json_string_value(value);

    *out = BONDY_BINDING_NONE;
    if (value == NULL || json_is_null(value))
        return true;
    for (size_t i = 1; text != NULL && i < BONDY_COUNT(names); i++) {
        if (strlen(text) == json_string_length(value) && strcmp(text, names[i]) == 0) {
            *out = (enum bondy_binding)i;
            return true;
        }
    }
    return false;
}
