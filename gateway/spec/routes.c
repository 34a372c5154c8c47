/* SPDX-License-Identifier: Apache-2.0 */
/* routes: what a compiled specification tells others about itself. */
#include "gateway/spec/local.h"

#include <ctype.h>

#include "src/http/status.h"

int bondy_operation_status(const struct bondy_operation *operation, struct bondy_slice uri,
                           bool is_anonymous)
{
    return bondy_status_of(uri, operation->status_overlay, is_anonymous);
}

static json_t *describe(const struct bondy_operation *operation, const char *scheme)
{
    const struct bondy_version *version = operation->path->version;
    const json_t *uri = operation->uri == NULL ? NULL : bondy_expr_constant(operation->uri);
    json_t *route = json_object();
    char method[16] = "";

    for (size_t i = 0; bondy_key_of_method(operation->method)[i] != 0 && i + 1 < sizeof method; i++)
        method[i] = (char)toupper((unsigned char)bondy_key_of_method(operation->method)[i]);
    json_object_set_new(route, "method", json_string(method));
    json_object_set_new(route, "scheme", json_string(scheme));
    json_object_set_new(route, "host", json_string(version->spec->host));
    json_object_set_new(route, "path", json_string(operation->path->pattern->text));
    json_object_set_new(route, "version", json_string(version->label));
    json_object_set_new(route, "action", json_string(bondy_action_name(operation->action)));
    if (operation->endpoint != NULL)
        json_object_set_new(route, "endpoint", json_string(operation->endpoint));
    if (json_is_string(uri))
        json_object_set_new(route, operation->action == BONDY_ACTION_CALL ? "procedure" : "topic",
                            json_string(json_string_value(uri)));
    return route;
}

static void list_path(const struct bondy_path *path, json_t *list)
{
    for (size_t m = 0; m < BONDY_METHODS; m++) {
        if (path->operations[m] == NULL)
            continue;
        if (path->schemes & BONDY_SCHEME_HTTP)
            json_array_append_new(list, describe(path->operations[m], "http"));
        if (path->schemes & BONDY_SCHEME_HTTPS)
            json_array_append_new(list, describe(path->operations[m], "https"));
    }
}

json_t *bondy_spec_routes(const struct bondy_spec *spec)
{
    json_t *list = json_array();

    for (size_t v = 0; v < spec->version_count; v++)
        for (size_t p = 0; spec->versions[v].is_active && p < spec->versions[v].path_count; p++)
            list_path(&spec->versions[v].paths[p], list);
    return list;
}
