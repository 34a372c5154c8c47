/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration file: its lines, the keys they name, and the values by the type of the key. No
 * file is opened: includes are only seen. */
#include "tests/fuzz/fuzz.h"

#include "src/base/alloc.h"
#include "src/base/utf8.h"
#include "src/server/config_parse.h"
#include "src/server/config_value.h"

static void check_value(const struct bondy_config_row *row, struct bondy_slice text)
{
    struct bondy_config_value value, again;
    struct bondy_error err;
    int rc = bondy_config_value_parse(row, text, &value, &err);

    BONDY_BUG_ON(rc != BONDY_OK && rc != BONDY_EINVAL && rc != BONDY_ELIMIT);
    if (rc < 0)
        return;
    /* What was taken is taken again with the same meaning. */
    if (value.is_set) {
        rc = bondy_config_value_parse(row, bondy_slice_text(value.text), &again, NULL);
        BONDY_BUG_ON(rc < 0 || again.number != value.number);
        bondy_config_value_fini(&again);
    }
    bondy_config_value_fini(&value);
}

static void on_line(void *context, const struct bondy_config_line *line)
{
    const struct bondy_config_key *key;
    char scratch[256];

    (void)context;
    BONDY_BUG_ON(line->line == 0 || line->column == 0 || !bondy_utf8_is_valid(line->value));
    if (line->kind != BONDY_CONFIG_SETTING)
        return;
    key = bondy_config_key_find(line->key);
    if (key != NULL)
        check_value(key->row, line->value);
    else
        bondy_config_alias(line->key, scratch);
    /* And as something else than it says it is. */
    for (int type = 0; type <= BONDY_KEY_LIST; type++)
        check_value(
            &(struct bondy_config_row){.type = (enum bondy_config_type)type, .words = "a|b"},
            line->value);
}

static void on_error(void *context, unsigned line, unsigned column, const char *text)
{
    (void)context;
    BONDY_BUG_ON(line == 0 || column == 0 || text[0] == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bondy_config_handler handler = {on_line, on_error, NULL};

    bondy_config_parse(bondy_slice_of(data, size), &handler);
    return 0;
}
