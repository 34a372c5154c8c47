/* SPDX-License-Identifier: Apache-2.0 */
/* path: what a path leads to: an entry of a scope, a status code map, or a promise of the
 * request. http-gateway.md 2.4. */
#include "gateway/expr/parser.h"

/* ---- paths --------------------------------------------------------------------------------- */

struct path {
    struct bondy_slice keys[BONDY_EXPR_MAX_KEYS];
    size_t starts[BONDY_EXPR_MAX_KEYS];
    size_t count;
};

static bool ends_key(const struct expr_parser *p, size_t at)
{
    char c = p->text.data[at];

    return c == '.' || c == '|' || c == '}' || bondy_expr_is_space(c) ||
           (c == '{' && at + 1 < p->text.len && p->text.data[at + 1] == '{');
}

static bool parse_path(struct expr_parser *p, struct path *path)
{
    path->count = 0;
    do {
        size_t start;

        bondy_expr_skip_space(p);
        start = p->at;
        while (p->at < p->text.len && !ends_key(p, p->at))
            p->at++;
        if (p->at == start)
            return refuse(p, start,
                          path->count == 0 ? "a path is expected here, such as "
                                             "request.body or variables.name"
                                           : "a key is expected behind '.'");
        if (path->count == BONDY_EXPR_MAX_KEYS)
            return refuse(p, start, "the path has more than %d keys", BONDY_EXPR_MAX_KEYS);
        path->starts[path->count] = start;
        path->keys[path->count++] = (struct bondy_slice){p->text.data + start, p->at - start};
    } while (bondy_expr_take(p, "."));
    return true;
}

/* Follows the keys from `from` on below a half-evaluated value. */
static bool descend(struct expr_parser *p, const struct path *path, size_t from, json_t *half,
                    struct expr_value *out)
{
    struct expr_compiler *compiler = p->compiler;

    for (size_t i = from; i < path->count; i++) {
        json_t *next;

        if (bondy_expr_is_poison(compiler, half))
            break;
        if (bondy_expr_is_deferred(compiler, half)) {
            if ((bondy_expr_types(compiler, half) & T_OBJECT) == 0) {
                bondy_expr_set_missing(out, path->starts[i], NULL,
                                       "no value for path '" BONDY_SLICE_FMT "'",
                                       BONDY_SLICE_ARG(bondy_expr_span(p, path->starts[0], p->at)));
                return true;
            }
            bondy_expr_set_half(
                out, bondy_expr_defer(compiler,
                                      bondy_expr_member_node(p, bondy_expr_node(compiler, half),
                                                             path->keys + i, path->count - i,
                                                             path->starts[0])));
            return true;
        }
        next = json_object_getn(half, path->keys[i].data, path->keys[i].len);
        if (next == NULL) {
            bondy_expr_set_missing(out, path->starts[i], NULL,
                                   "no value for path '" BONDY_SLICE_FMT "'",
                                   BONDY_SLICE_ARG(bondy_expr_span(p, path->starts[0], p->at)));
            return true;
        }
        half = next;
    }
    bondy_expr_set_half(out, json_incref(half));
    return true;
}

/* Looking for what was meant costs more than the mistake; nobody reads it beyond the limit. */
static const char *nearest_entry(struct expr_parser *p, enum expr_names names,
                                 struct bondy_slice key)
{
    if (json_array_size(p->compiler->findings->errors) >= BONDY_FINDINGS_MAX ||
        !bondy_expr_spend(p->compiler, 1000))
        return NULL;
    return bondy_expr_scope_nearest(p->scope, names, key);
}

static bool read_names(struct expr_parser *p, const struct path *path, enum expr_names names,
                       struct expr_value *out)
{
    struct expr_entry *entry;

    if (path->count == 1)
        return bondy_expr_refuse_at(
            p, path->starts[0],
            (struct bondy_finding){.code = "unknown_path",
                                   .expected = "a path such as variables.name"},
            "'%s' has to be followed by '.' and a name", bondy_expr_names_text(names));
    entry = bondy_expr_scope_find(p->scope, names, path->keys[1]);
    if (entry == NULL) {
        bondy_expr_set_missing(out, path->starts[1], nearest_entry(p, names, path->keys[1]),
                               "no value for path '" BONDY_SLICE_FMT
                               "': there is no such entry in '%s' here",
                               BONDY_SLICE_ARG(bondy_expr_span(p, path->starts[0], p->at)),
                               bondy_expr_names_text(names));
        return true;
    }
    return descend(p, path, 2, bondy_expr_entry_value(p->compiler, entry), out);
}

static bool read_status_codes(struct expr_parser *p, const struct path *path,
                              struct expr_value *out)
{
    if (p->scope->status_codes == NULL) {
        bondy_expr_set_missing(out, path->starts[0], NULL, "there are no status codes here");
        return true;
    }
    return descend(p, path, 1, p->scope->status_codes, out);
}

/* All of request, security, action.result, action.error. */
static bool read_whole(struct expr_parser *p, struct bondy_slice scope, struct expr_value *out)
{
    struct bondy_expr *node = bondy_expr_new_node(p, EXPR_WHOLE, T_OBJECT);

    if (!bondy_field_range(scope, &node->as.whole.first, &node->as.whole.last))
        return refuse(p, 0, "unknown root");
    for (unsigned f = node->as.whole.first; f <= (unsigned)node->as.whole.last; f++)
        node->fields |= UINT64_C(1) << f;
    node->repeats = node->as.whole.last - node->as.whole.first + 1;
    node->text = bondy_expr_pool_text(p->compiler->pool, scope);
    bondy_expr_set_half(out, bondy_expr_defer(p->compiler, node));
    return true;
}

static const char *nearest_field(struct bondy_slice scope, struct bondy_slice name)
{
    const char *names[BONDY_FIELDS + 1];
    enum bondy_field first, last;
    size_t count = 0;

    if (!bondy_field_range(scope, &first, &last))
        return NULL;
    for (unsigned f = first; f <= (unsigned)last; f++)
        names[count++] = strrchr(bondy_field_name((enum bondy_field)f), '.') + 1;
    names[count] = NULL;
    return bondy_json_nearest(name, names);
}

/* `used` keys of the path name the scope. */
static bool read_promise(struct expr_parser *p, const struct path *path, struct bondy_slice scope,
                         size_t used, struct expr_value *out)
{
    enum bondy_field field;

    if (path->count == used)
        return read_whole(p, scope, out);
    if (!bondy_field_find(scope, path->keys[used], &field)) {
        bondy_expr_set_missing(out, path->starts[used], nearest_field(scope, path->keys[used]),
                               "'" BONDY_SLICE_FMT "' has no member '" BONDY_SLICE_FMT "'",
                               BONDY_SLICE_ARG(scope), BONDY_SLICE_ARG(path->keys[used]));
        return true;
    }
    bondy_expr_set_half(out, bondy_expr_defer(p->compiler, bondy_expr_field_node(p, field)));
    if (path->count > used + 1) {
        json_t *half = json_incref(out->half);

        descend(p, path, used + 1, half, out);
        json_decref(half);
    }
    return true;
}

static bool read_action(struct expr_parser *p, const struct path *path, struct expr_value *out)
{
    if (path->count > 1 && bondy_slice_is(path->keys[1], "result"))
        return read_promise(p, path, BONDY_SLICE("action.result"), 2, out);
    if (path->count > 1 && bondy_slice_is(path->keys[1], "error"))
        return read_promise(p, path, BONDY_SLICE("action.error"), 2, out);
    return bondy_expr_refuse_at(
        p, path->starts[path->count > 1],
        (struct bondy_finding){
            .code = "unknown_path",
            .expected = "action.result or action.error",
            .suggestion = path->count < 2
                              ? NULL
                              : bondy_json_nearest(path->keys[1],
                                                   (const char *const[]){"result", "error", NULL})},
        "'action' has only 'result' and 'error'");
}

bool bondy_expr_read_path(struct expr_parser *p, struct expr_value *out)
{
    static const char *const ROOTS[] = {
        "variables", "defaults", "status_codes", "request", "security", "action", NULL};
    struct path path;

    if (!parse_path(p, &path))
        return false;
    if (bondy_slice_is(path.keys[0], "variables"))
        return read_names(p, &path, NAMES_VARIABLES, out);
    if (bondy_slice_is(path.keys[0], "defaults"))
        return read_names(p, &path, NAMES_DEFAULTS, out);
    if (bondy_slice_is(path.keys[0], "status_codes"))
        return read_status_codes(p, &path, out);
    if (bondy_slice_is(path.keys[0], "request"))
        return read_promise(p, &path, BONDY_SLICE("request"), 1, out);
    if (bondy_slice_is(path.keys[0], "security"))
        return read_promise(p, &path, BONDY_SLICE("security"), 1, out);
    if (bondy_slice_is(path.keys[0], "action"))
        return read_action(p, &path, out);
    return bondy_expr_refuse_at(
        p, path.starts[0],
        (struct bondy_finding){.code = "unknown_root",
                               .expected =
                                   "variables, defaults, status_codes, request, security or action",
                               .suggestion = bondy_json_nearest(path.keys[0], ROOTS)},
        "an expression cannot start with '" BONDY_SLICE_FMT "'", BONDY_SLICE_ARG(path.keys[0]));
}
