/* SPDX-License-Identifier: Apache-2.0 */
/* procedures_cert: bondy.cert_manager.*, the certificates of this node's listeners.
 * wamp-admin-api.md 2.13. */
#include <string.h>

#include "src/admin/procedures_local.h"
#include "src/base/alloc.h"
#include "src/base/log.h"
#include "src/base/problem.h"
#include "src/sys/certificate.h"
#include "src/sys/tls.h"
#include "src/wamp/errors.h"

/* ---- listeners --------------------------------------------------------------------------------*/

/* Keys of the configuration write "wamp.tls", these procedures "wamp_tls"; both are understood. */
static bool is_named(const char *name, struct bondy_slice given)
{
    size_t i;

    for (i = 0; i < given.len && name[i] != '\0'; i++)
        if (given.data[i] != name[i] && !(given.data[i] == '_' && name[i] == '.'))
            return false;
    return i == given.len && name[i] == '\0';
}

static const char *listener_at(const struct bondy_admin_call *call, size_t index, bool *is_tls)
{
    const struct bondy_admin_certificates *certificates = call->node->certificates;

    return certificates == NULL ? NULL
                                : certificates->listener_at(call->node->context, index, is_tls);
}

static json_t *no_listener(const char *code, struct bondy_slice name, const char *description)
{
    json_t *problem =
        bondy_problem_format(code, "There is no certificate of a listener '" BONDY_SLICE_FMT "'.",
                             BONDY_SLICE_ARG(name));

    return bondy_json_with(problem, "description", json_string(description));
}

/* The index of the listener that the first argument names, which has TLS; else BONDY_EINVAL, with a
 * problem of this code. */
static int find_listener(struct bondy_admin_call *call, const char *code, size_t *index)
{
    struct bondy_slice given = bondy_admin_text(call, 0);
    const char *name;
    bool is_tls;

    for (*index = 0; (name = listener_at(call, *index, &is_tls)) != NULL; (*index)++) {
        if (!is_named(name, given))
            continue;
        bondy_free(call->target);
        call->target = bondy_strdup(name);
        return is_tls ? BONDY_OK
                      : bondy_admin_fail(call, no_listener(code, given, "It has no TLS."));
    }
    return bondy_admin_fail(
        call, no_listener(code, given, "No listener of this name is open on this node."));
}

static json_t *unreadable(const struct bondy_error *err)
{
    return bondy_problem("bondy.error.invalid_config",
                         "The certificate cannot be used, the one before stays.", err->text);
}

/* ---- looking ----------------------------------------------------------------------------------*/

static int read_info(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    struct bondy_tls *tls;
    size_t index;
    int rc = find_listener(call, BONDY_ERR_NOT_FOUND, &index);

    (void)view;
    if (rc < 0)
        return rc;
    tls = call->node->certificates->served_wait(call->node->context, index);
    call->value = bondy_certificate_describe(bondy_tls_leaf(tls));
    bondy_tls_unref(tls);
    return call->value == NULL ? BONDY_EIO : BONDY_OK;
}

static int read_client_auth(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    size_t index;
    int rc = find_listener(call, BONDY_ERR_NOT_FOUND, &index);

    (void)view;
    if (rc == BONDY_OK)
        call->value = call->node->certificates->client_auth_wait(call->node->context, index);
    return rc;
}

/* ---- reading files again ----------------------------------------------------------------------*/

static int rotate(struct bondy_admin_call *call, size_t index, json_t **problem)
{
    struct bondy_error err = {0};
    bool is_tls;
    int rc = call->node->certificates->rotate_wait(call->node->context, index, &err);

    if (rc < 0) {
        *problem = unreadable(&err);
        return rc;
    }
    bondy_log(BONDY_LOG_INFO, "certificate_rotated",
              BONDY_F_STR("listener", listener_at(call, index, &is_tls)));
    return BONDY_OK;
}

static int read_rotate(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    size_t index;
    int rc = find_listener(call, BONDY_ERR_INVALID_ARGUMENT, &index);

    (void)view;
    return rc < 0 ? rc : rotate(call, index, &call->problem);
}

/* Takes `outcome`. */
static void put_outcome(json_t *out, const char *name, json_t *outcome)
{
    char *key = bondy_strdup(name);

    for (char *at = key; *at != '\0'; at++)
        *at = *at == '.' ? '_' : *at;
    json_object_set_new(out, key, outcome);
    bondy_free(key);
}

/* Each for itself: one that cannot be read is no reason for the others to grow old. */
static int read_rotate_all(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    const char *name;
    bool is_tls;

    (void)view;
    call->value = json_object();
    for (size_t i = 0; (name = listener_at(call, i, &is_tls)) != NULL; i++) {
        json_t *problem = NULL;

        if (!is_tls)
            put_outcome(call->value, name, json_string("skipped"));
        else if (rotate(call, i, &problem) < 0)
            put_outcome(call->value, name, problem);
        else
            put_outcome(call->value, name, json_string("rotated"));
    }
    return BONDY_OK;
}

static bool asks_clients(const struct bondy_admin_call *call, size_t index)
{
    json_t *now = call->node->certificates->client_auth_wait(call->node->context, index);
    bool is_asking = bondy_slice_is(bondy_json_text(now, "verify"), "verify_peer");

    json_decref(now);
    return is_asking;
}

/* Of several that fail the first is told; those that can be read are served. */
static int read_authorities(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    bool is_tls;

    (void)view;
    for (size_t i = 0; listener_at(call, i, &is_tls) != NULL; i++) {
        json_t *problem = NULL;

        if (!is_tls || !asks_clients(call, i) || rotate(call, i, &problem) == BONDY_OK)
            continue;
        if (call->problem == NULL)
            call->problem = problem;
        else
            json_decref(problem);
    }
    return call->problem == NULL ? BONDY_OK : BONDY_EINVAL;
}

/* ---- client certificates ----------------------------------------------------------------------*/

static bool is_verify(const json_t *value)
{
    return json_is_string(value) && (strcmp(json_string_value(value), "verify_peer") == 0 ||
                                     strcmp(json_string_value(value), "verify_none") == 0);
}

static bool is_flag(const json_t *value)
{
    return json_is_boolean(value);
}

/* What the daemon's working directory is, nobody who asks from elsewhere can know. */
static bool is_path(const json_t *value)
{
    return json_is_string(value) && json_string_value(value)[0] == '/' &&
           strlen(json_string_value(value)) == json_string_length(value);
}

static const struct {
    const char *key;
    bool (*is_good)(const json_t *value);
    const char *expected;
} members[] = {
    {"verify", is_verify, "'verify' is \"verify_peer\" or \"verify_none\"."},
    {"fail_if_no_peer_cert", is_flag, "'fail_if_no_peer_cert' is true or false."},
    {"cacertfile", is_path, "'cacertfile' is an absolute path."},
};

static json_t *unknown_key(const char *key)
{
    const char *names[BONDY_COUNT(members) + 1] = {NULL};
    const char *meant;
    json_t *problem;

    for (size_t i = 0; i < BONDY_COUNT(members); i++)
        names[i] = members[i].key;
    meant = bondy_json_nearest(bondy_slice_text(key), names);
    problem =
        meant == NULL
            ? bondy_problem_format(BONDY_ERR_INVALID_DATA, "Unknown key '%s' of client_auth.", key)
            : bondy_problem_format(BONDY_ERR_INVALID_DATA,
                                   "Unknown key '%s' of client_auth; did you mean '%s'?", key,
                                   meant);
    return bondy_json_with(problem, "keys", json_pack("[s]", key));
}

static json_t *check_member(const char *key, const json_t *value)
{
    for (size_t i = 0; i < BONDY_COUNT(members); i++)
        if (strcmp(members[i].key, key) == 0)
            return members[i].is_good(value) ? NULL : bondy_admin_invalid(key, members[i].expected);
    return unknown_key(key);
}

static int check_members(struct bondy_admin_call *call, json_t *wanted)
{
    json_t *problems = json_array(), *value, *problem;
    const char *key;

    json_object_foreach(wanted, key, value)
    {
        if ((problem = check_member(key, value)) != NULL)
            json_array_append_new(problems, problem);
    }
    problem = bondy_problem_of_list(problems);
    return problem == NULL ? BONDY_OK : bondy_admin_fail(call, problem);
}

/* persist: true keeps it, false forgets what was kept; without it neither. */
static int read_keep(struct bondy_admin_call *call, enum bondy_admin_keep *out)
{
    const json_t *value = json_object_get(call->kwargs, "persist");
    struct bondy_slice text = bondy_admin_kwarg(call, "persist");

    *out = BONDY_ADMIN_KEEP_AS_IS;
    if (json_is_true(value) || bondy_slice_is(text, "true"))
        *out = BONDY_ADMIN_KEEP;
    else if (json_is_false(value) || bondy_slice_is(text, "false"))
        *out = BONDY_ADMIN_FORGET;
    else if (value != NULL && !(json_is_string(value) && text.len == 0))
        return bondy_admin_fail(call,
                                bondy_admin_invalid("persist", "'persist' is true or false."));
    return BONDY_OK;
}

static int read_set_client_auth(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    const struct bondy_admin_certificates *certificates = call->node->certificates;
    json_t *wanted = json_array_get(call->args, 1);
    struct bondy_error err = {0};
    enum bondy_admin_keep keep;
    size_t index;
    int rc;

    (void)view;
    if ((rc = find_listener(call, BONDY_ERR_INVALID_ARGUMENT, &index)) < 0 ||
        (rc = bondy_admin_need_object(call, 1, "client_auth")) < 0 ||
        (rc = check_members(call, wanted)) < 0 || (rc = read_keep(call, &keep)) < 0)
        return rc;
    rc = certificates->set_client_auth_wait(call->node->context, index, wanted, keep, &err);
    if (rc == BONDY_ESTATE)
        return bondy_admin_fail(
            call, bondy_problem(BONDY_ERR_INTERNAL, "The store could not write.", err.text));
    if (rc < 0)
        return bondy_admin_fail(call, unreadable(&err));
    call->value = bondy_json_with(certificates->client_auth_wait(call->node->context, index),
                                  "persistent", json_boolean(keep == BONDY_ADMIN_KEEP));
    return BONDY_OK;
}

static void finish(struct bondy_admin_call *call)
{
    bondy_admin_audit(call, NULL);
}

static const struct bondy_admin_kind listeners = {.noun = "listeners"};

const struct bondy_procedure_row bondy_procedures_cert[] = {
    {.info = {"bondy.cert_manager.get_server_cert_info", NULL, 1, 1, 'M', "listener",
              "the certificate that a listener of this node shows", "0.1"},
     .read = read_info},
    {.info = {"bondy.cert_manager.get_client_auth", NULL, 1, 1, 'M', "listener",
              "whether a listener of this node asks clients for a certificate", "0.1"},
     .read = read_client_auth},
    {.info = {"bondy.cert_manager.set_client_auth", NULL, 2, 2, 'M',
              "listener, client_auth, persist=",
              "asks clients of a listener for a certificate, or not, until the next start or "
              "reload; with persist for good",
              "0.1"},
     .kind = &listeners,
     .read = read_set_client_auth,
     .finish = finish},
    {.info = {"bondy.cert_manager.rotate_listener", NULL, 1, 1, 'M', "listener",
              "reads a listener's certificate again, for new connections", "0.1"},
     .kind = &listeners,
     .read = read_rotate,
     .finish = finish},
    {.info = {"bondy.cert_manager.rotate_all", NULL, 0, 0, 'M', "",
              "reads the certificates of all listeners again and says what became of each", "0.1"},
     .kind = &listeners,
     .read = read_rotate_all,
     .finish = finish},
    {.info = {"bondy.cert_manager.reload_cacerts", NULL, 0, 0, 'M', "",
              "reads the authorities again that client certificates are checked against", "0.1"},
     .kind = &listeners,
     .read = read_authorities,
     .finish = finish},
    {.info = {.uri = NULL}}};
