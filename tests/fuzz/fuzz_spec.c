/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_spec: a whole specification: loaded, listed, and its routes built. threat-model P10. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "gateway/spec/table.h"
#include "src/base/id.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_ready;
    struct bondy_spec *spec = NULL;
    json_t *problems = NULL;
    json_t *warnings = NULL;
    json_t *document;

    if (!is_ready && bondy_id_start(NULL) < 0)
        abort();
    is_ready = true;
    document = bondy_json_parse(bondy_slice_of(data, size), 32, NULL);
    if (document == NULL)
        return 0;
    if (bondy_spec_load(document, NULL, &spec, &problems, &warnings) == BONDY_OK) {
        const struct bondy_spec *const list[] = {spec};

        json_decref(bondy_spec_routes(spec));
        bondy_route_table_destroy(bondy_route_table_build(list, 1, NULL));
    } else if (json_array_size(json_object_get(problems, "errors")) == 0) {
        abort();
    }
    bondy_spec_unref(spec);
    json_decref(problems);
    json_decref(warnings);
    json_decref(document);
    return 0;
}
