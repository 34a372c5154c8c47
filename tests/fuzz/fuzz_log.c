/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include "src/base/alloc.h"
#include "src/base/json.h"
#include "src/base/log.h"
#include "src/base/utf8.h"

/* Whatever a value holds: one line of printable UTF-8 within the limit; as JSON it parses. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bondy_log_field fields[] = {
        BONDY_F_SLICE("value", bondy_slice_of(data, size)),
        BONDY_F_SLICE("realm", bondy_slice_of(data, size / 2)),
    };
    const struct bondy_log_record record = {
        .level = BONDY_LOG_INFO,
        .line = 1,
        .wall_ms = UINT64_C(1935483303120),
        .thread = "w0",
        .file = "fuzz.c",
        .function = "fuzz",
        .event = "fuzzed",
        .fields = fields,
        .count = 2,
    };

    for (int form = BONDY_LOG_LOGFMT; form <= BONDY_LOG_TEXT; form++) {
        struct bondy_buf out = BONDY_BUF_EMPTY;
        struct bondy_slice line;

        bondy_log_format((enum bondy_log_format)form, &record, &out);
        line = bondy_buf_slice(&out);
        BONDY_BUG_ON(line.len > BONDY_LOG_LINE_MAX || line.data[line.len - 1] != '\n');
        BONDY_BUG_ON(!bondy_utf8_is_valid(line));
        for (size_t i = 0; i + 1 < line.len; i++)
            BONDY_BUG_ON((unsigned char)line.data[i] < 0x20 || line.data[i] == 0x7F);
        if (form == BONDY_LOG_JSON) {
            json_t *object = bondy_json_parse(line, 1, NULL);

            BONDY_BUG_ON(object == NULL);
            json_decref(object);
        }
        bondy_buf_fini(&out);
    }
    return 0;
}
