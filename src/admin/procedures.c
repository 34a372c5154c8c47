/* SPDX-License-Identifier: Apache-2.0 */
#include "src/admin/procedures.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/admin/api.h"
#include "src/admin/openapi.h"
#include "src/admin/procedures_local.h"
#include "src/base/alloc.h"
#include "src/base/log.h"
#include "src/base/map.h"
#include "src/base/problem.h"
#include "src/wamp/errors.h"

/* Every name that a row answers to, prefixes aside, is in one map, made once. */
struct binding {
    struct bondy_procedures *procedures;
    const struct bondy_procedure_row *row;
    /* The session that was last told in the log that it uses an old name: not at each call. */
    _Atomic uint64_t warned;
};

struct bondy_procedures {
    const struct bondy_admin_node *node;
    struct binding *bindings;
    struct bondy_map by_name;
    json_t *openapi;
};

static const struct bondy_procedure_row *const groups[] = {
    bondy_procedures_node,    bondy_procedures_realm,        bondy_procedures_realm_more,
    bondy_procedures_user,    bondy_procedures_user_batch,   bondy_procedures_user_parts,
    bondy_procedures_group,   bondy_procedures_source,       bondy_procedures_grant,
    bondy_procedures_oauth2,  bondy_procedures_oauth2_token, bondy_procedures_ticket,
    bondy_procedures_session, bondy_procedures_registry,     bondy_procedures_api_key,
    bondy_procedures_backup,  bondy_procedures_cert,         bondy_procedures_audit,
    bondy_procedures_api,     bondy_procedures_cluster,      bondy_procedures_meta_session,
    bondy_procedures_meta};

/* ---- who calls --------------------------------------------------------------------------------*/

struct bondy_slice bondy_admin_authid(const struct bondy_admin_call *call)
{
    return bondy_invocation_caller(call->invocation)->authid;
}

/* The address without its port; what has no address is local. */
struct bondy_slice bondy_admin_source(const struct bondy_admin_call *call)
{
    struct bondy_slice peer = bondy_invocation_caller(call->invocation)->peername;
    size_t len = peer.len;

    while (len > 0 && peer.data[len - 1] != ':')
        len--;
    if (len < 2 || bondy_slice_starts(peer, BONDY_SLICE("unix:")))
        return peer;
    peer.len = len - 1;
    if (peer.data[0] == '[' && peer.data[peer.len - 1] == ']')
        return bondy_slice_of(peer.data + 1, peer.len - 2);
    return peer;
}

bool bondy_admin_may(const struct bondy_admin_call *call, enum bondy_permission permission,
                     const char *format, struct bondy_slice name)
{
    struct bondy_buf resource = BONDY_BUF_EMPTY;
    bool is_allowed;

    bondy_buf_append_text(&resource, format);
    bondy_buf_append_slice(&resource, name);
    is_allowed = bondy_invocation_may(call->invocation, permission, bondy_buf_slice(&resource));
    bondy_buf_fini(&resource);
    return is_allowed;
}

bool bondy_admin_may_be_given_tokens(const struct bondy_admin_call *call)
{
    struct bondy_slice method = bondy_invocation_caller(call->invocation)->authmethod;
    const char *const *allowed = call->node->tickets.authmethods;

    for (; allowed != NULL && *allowed != NULL; allowed++)
        if (bondy_slice_is(method, *allowed))
            return true;
    return false;
}

/* ---- arguments --------------------------------------------------------------------------------*/

struct bondy_slice bondy_admin_text(const struct bondy_admin_call *call, size_t index)
{
    const json_t *value = json_array_get(call->args, index);

    return json_is_string(value)
               ? bondy_slice_of(json_string_value(value), json_string_length(value))
               : BONDY_SLICE_EMPTY;
}

struct bondy_slice bondy_admin_kwarg(const struct bondy_admin_call *call, const char *key)
{
    return bondy_json_text(call->kwargs, key);
}

bool bondy_admin_flag(const struct bondy_admin_call *call, const char *key)
{
    const json_t *value = json_object_get(call->kwargs, key);

    return json_is_true(value) ||
           (json_is_string(value) && strcmp(json_string_value(value), "true") == 0);
}

static json_t *not_authorized(const struct bondy_admin_call *call)
{
    json_t *problem =
        bondy_problem(BONDY_ERR_NOT_AUTHORIZED,
                      "You have no authorisation to perform this operation on this realm.", "");
    struct bondy_slice realm = bondy_invocation_realm(call->invocation);
    char text[512];

    snprintf(text, sizeof text, "The session is on '" BONDY_SLICE_FMT "', it has to be on '%s'.",
             BONDY_SLICE_ARG(realm), BONDY_MASTER_REALM);
    json_object_set_new(problem, "description", json_string(text));
    return problem;
}

static json_t *wrong_count(const struct bondy_procedure_row *row, size_t count)
{
    bool too_few = count < row->info.min_args;
    json_t *problem =
        bondy_problem_format(BONDY_ERR_INVALID_ARGUMENT, "%s %s %u positional arguments",
                             row->info.uri, too_few ? "requires at least" : "accepts at most",
                             too_few ? row->info.min_args : row->info.max_args);

    json_object_set_new(problem, "description", bondy_json_slice(bondy_slice_text(row->info.args)));
    return problem;
}

uint64_t bondy_admin_read_id(const json_t *given)
{
    const char *text = json_string_value(given);
    unsigned long long id;
    char *end;

    if (json_is_integer(given))
        return json_integer_value(given) > 0 ? (uint64_t)json_integer_value(given) : 0;
    if (text == NULL || *text < '1' || *text > '9')
        return 0;
    errno = 0;
    id = strtoull(text, &end, 10);
    return *end == '\0' && errno == 0 ? id : 0;
}

bool bondy_admin_id(struct bondy_admin_call *call, size_t index, uint64_t *out)
{
    const json_t *given = json_array_get(call->args, index);

    if (!json_is_integer(given)) {
        bondy_admin_wrong_argument(call, "id", "An id is a whole number.");
        return false;
    }
    *out = bondy_admin_read_id(given);
    return true;
}

void bondy_admin_wrong_argument(struct bondy_admin_call *call, const char *key, const char *message)
{
    bondy_admin_refuse(call, bondy_json_with(bondy_problem(BONDY_ERR_INVALID_ARGUMENT, message, ""),
                                             "key", json_string(key)));
}

/* The standard's forms work everywhere; a realm in front of them is one only when it is the name of
 * a realm and what follows it is complete: options, which are last, do not count.
 * wamp-admin-api.md 3. */
static bool lacks_realm_of_meta(const struct bondy_admin_call *call, size_t count)
{
    const struct bondy_procedure_row *row = call->row;
    const json_t *first = json_array_get(call->args, 0);

    if (bondy_admin_kwarg(call, "realm_uri").len > 0 || count < row->info.min_args ||
        !json_is_string(first))
        return true;
    if (count == row->info.min_args && json_is_object(json_array_get(call->args, count - 1)))
        return true;
    if (call->is_master && count == row->info.max_args)
        return false; /* there is no such realm */
    return bondy_realms_find(call->node->realms, bondy_admin_text(call, 0)) == NULL;
}

/* A realm was left out when there is room for one more argument and the first one is not a realm
 * that exists, or when kwargs name it. wamp-admin-api.md 1.3. */
static bool lacks_realm(const struct bondy_admin_call *call, size_t count)
{
    const struct bondy_procedure_row *row = call->row;

    if ((row->flags & BONDY_ROW_META) != 0)
        return lacks_realm_of_meta(call, count);
    if ((row->flags & BONDY_ROW_REALM) == 0 || count >= row->info.max_args)
        return false;
    if (bondy_admin_kwarg(call, "realm_uri").len > 0 || count < row->info.min_args)
        return true;
    return bondy_realms_find(call->node->realms, bondy_admin_text(call, 0)) == NULL;
}

static void fill_realm(struct bondy_admin_call *call)
{
    struct bondy_slice named = bondy_admin_kwarg(call, "realm_uri");

    json_array_insert_new(
        call->args, 0,
        bondy_json_slice(named.len > 0 ? named : bondy_invocation_realm(call->invocation)));
}

static bool is_own_realm(const struct bondy_admin_call *call)
{
    const struct bondy_realm *own =
        bondy_realms_find(call->node->realms, bondy_invocation_realm(call->invocation));

    return own != NULL && bondy_realms_find(call->node->realms, bondy_admin_text(call, 0)) == own;
}

/* The realm's URI as it is stored, so that everybody after this sees one spelling. */
static json_t *take_realm(struct bondy_admin_call *call)
{
    struct bondy_slice uri = bondy_admin_text(call, 0);

    call->realm = bondy_realms_find(call->node->realms, uri);
    if (call->realm != NULL) {
        bondy_realm_ref(call->realm);
        json_array_set_new(call->args, 0, json_string(call->realm->uri));
        return NULL;
    }
    return bondy_json_with(bondy_problem_format((call->row->flags & BONDY_ROW_IS_TARGET) != 0
                                                    ? BONDY_ERR_NOT_FOUND
                                                    : BONDY_ERR_NO_SUCH_REALM,
                                                BONDY_SLICE_FMT, BONDY_SLICE_ARG(uri)),
                           "description", json_string("There is no such realm."));
}

static void take_own_realm(struct bondy_admin_call *call)
{
    call->realm = bondy_realms_find(call->node->realms, bondy_invocation_realm(call->invocation));
    if (call->realm != NULL)
        bondy_realm_ref(call->realm);
}

/* NULL when the call may run with its arguments in place. */
static json_t *check_call(struct bondy_admin_call *call)
{
    const struct bondy_procedure_row *row = call->row;
    size_t count;

    if (row->info.mark == 'M' && !call->is_master)
        return not_authorized(call);
    if (lacks_realm(call, json_array_size(call->args)))
        fill_realm(call);
    count = json_array_size(call->args);
    if (count < row->info.min_args || count > row->info.max_args)
        return wrong_count(row, count);
    if (row->info.mark == 'R' && !call->is_master && !is_own_realm(call))
        return not_authorized(call);
    if ((row->flags & BONDY_ROW_OWN) != 0)
        take_own_realm(call);
    return (row->flags & BONDY_ROW_REALM) != 0 ? take_realm(call) : NULL;
}

static struct bondy_slice canonical(struct bondy_slice uri)
{
    static const struct bondy_slice prefixes[] = {BONDY_SLICE("com.leapsight."),
                                                  BONDY_SLICE("com.")};

    for (size_t i = 0; i < BONDY_COUNT(prefixes); i++) {
        struct bondy_slice rest = bondy_slice_skip(uri, prefixes[i].len);

        if (bondy_slice_starts(uri, prefixes[i]) && bondy_slice_starts(rest, BONDY_SLICE("bondy.")))
            return rest;
    }
    return uri;
}

static void notice_old_name(struct binding *binding, struct bondy_invocation *invocation)
{
    struct bondy_slice name = bondy_invocation_procedure(invocation);
    uint64_t session = bondy_invocation_session(invocation);

    if (bondy_slice_is(canonical(name), binding->row->info.uri))
        return;
    bondy_invocation_deprecate(invocation, binding->row->info.uri);
    if (atomic_exchange(&binding->warned, session) != session)
        bondy_log(BONDY_LOG_INFO, "deprecated_procedure", BONDY_F_SLICE("procedure", name),
                  BONDY_F_STR("use", binding->row->info.uri), BONDY_F_U64("session", session));
}

static void run(void *context, struct bondy_invocation *invocation)
{
    struct binding *binding = context;
    struct bondy_admin_call *call = bondy_zalloc(sizeof *call);
    json_t *problem;

    call->procedures = binding->procedures;
    call->node = binding->procedures->node;
    call->invocation = invocation;
    call->row = binding->row;
    call->is_master = bondy_invocation_is_master(invocation);
    call->args = json_copy(bondy_invocation_args(invocation));
    if (call->args == NULL)
        call->args = json_array();
    call->kwargs = bondy_invocation_kwargs(invocation);
    notice_old_name(binding, invocation);
    if ((problem = check_call(call)) != NULL)
        bondy_admin_refuse(call, problem);
    else
        bondy_admin_start(call);
}

/* ---- names ------------------------------------------------------------------------------------*/

static void bind_row(struct bondy_procedures *procedures, struct binding *binding,
                     const struct bondy_procedure_row *row)
{
    binding->procedures = procedures;
    binding->row = row;
    bondy_map_put(&procedures->by_name, bondy_slice_text(row->info.uri), binding);
    for (const char *const *old = row->info.aliases; old != NULL && *old != NULL; old++)
        bondy_map_put(&procedures->by_name, bondy_slice_text(*old), binding);
}

struct bondy_procedures *bondy_procedures_create(const struct bondy_admin_node *node)
{
    struct bondy_procedures *procedures = bondy_zalloc(sizeof *procedures);
    size_t count = 0, bound = 0;
    json_t *document;

    procedures->node = node;
    for (size_t i = 0; i < BONDY_COUNT(groups); i++)
        for (const struct bondy_procedure_row *row = groups[i]; row->info.uri != NULL; row++)
            count++;
    procedures->bindings = bondy_calloc(count, sizeof *procedures->bindings);
    for (size_t i = 0; i < BONDY_COUNT(groups); i++)
        for (const struct bondy_procedure_row *row = groups[i]; row->info.uri != NULL; row++)
            bind_row(procedures, &procedures->bindings[bound++], row);
    document = bondy_json_parse(bondy_admin_api_document(), 32, NULL);
    procedures->openapi = bondy_openapi_make(document, node->version);
    json_decref(document);
    return procedures;
}

json_t *bondy_admin_openapi(const struct bondy_procedures *procedures)
{
    return procedures->openapi;
}

void bondy_procedures_destroy(struct bondy_procedures *procedures)
{
    if (procedures == NULL)
        return;
    bondy_map_fini(&procedures->by_name);
    json_decref(procedures->openapi);
    bondy_free(procedures->bindings);
    bondy_free(procedures);
}

bool bondy_procedures_find(void *context, struct bondy_slice uri, bondy_procedure_fn *fn,
                           void **fn_context)
{
    const struct bondy_procedures *procedures = context;
    struct binding *binding = bondy_map_find(&procedures->by_name, canonical(uri));

    if (binding == NULL)
        return false;
    *fn = run;
    *fn_context = binding;
    return true;
}

struct bondy_slice bondy_procedures_canonical(const struct bondy_procedures *procedures,
                                              struct bondy_slice uri)
{
    const struct binding *binding = bondy_map_find(&procedures->by_name, canonical(uri));

    return binding == NULL ? uri : bondy_slice_text(binding->row->info.uri);
}

void bondy_procedures_each(bool (*fn)(void *context, const struct bondy_procedure_info *info),
                           void *context)
{
    for (size_t i = 0; i < BONDY_COUNT(groups); i++)
        for (const struct bondy_procedure_row *row = groups[i]; row->info.uri != NULL; row++)
            if (!fn(context, &row->info))
                return;
}
