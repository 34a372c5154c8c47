/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/rig_login.h"

#include <stdio.h>

#include "src/base/alloc.h"
#include "src/wamp/errors.h"

struct bondy_login {
    struct bondy_list link; /* in rig->waiting_logins */
    struct bondy_rig *rig;
    void (*done)(struct bondy_login *login, void *context);
    void *context;
    const struct bondy_realm *realm;
    json_t *details;
    const struct bondy_rig_user *user;
    json_t *groups;
    bool are_chosen;
    json_t *extra;
    json_t *welcome_extra;
    char *reason;
    struct bondy_slice *names;
    struct bondy_login_answer answer;
};

/* ---- users ----------------------------------------------------------------------------------- */

static struct bondy_rig_user *find_user(struct bondy_rig *rig, const char *realm,
                                        struct bondy_slice name)
{
    for (size_t i = 0; i < rig->user_count; i++)
        if (strcmp(rig->users[i].realm, realm) == 0 && bondy_slice_is(name, rig->users[i].name))
            return &rig->users[i];
    return NULL;
}

static struct bondy_rig_user *add_user(struct bondy_rig *rig, const char *realm, const char *name)
{
    struct bondy_rig_user *user = &rig->users[rig->user_count++];

    BONDY_BUG_ON(rig->user_count > BONDY_RIG_USERS);
    snprintf(user->realm, sizeof user->realm, "%s", realm);
    snprintf(user->name, sizeof user->name, "%s", name);
    user->principal = bondy_principals_get(rig->principals, bondy_slice_text(realm),
                                           bondy_slice_text(name), &user->seq);
    return user;
}

void bondy_rig_put_user(struct bondy_rig *rig, const char *realm, const char *name, json_t *about)
{
    struct bondy_rig_user *user = find_user(rig, realm, bondy_slice_text(name));

    if (user == NULL)
        user = add_user(rig, realm, name);
    json_decref(user->about);
    user->about = about;
    bondy_principal_fill(user->principal, &user->seq, json_object_get(about, "groups"));
    bondy_policy_touch(bondy_rig_realm(rig, realm)->policy);
    for (unsigned i = 0; i < rig->thread_count; i++)
        bondy_router_thread_recheck(rig->threads[i], bondy_slice_text(realm),
                                    bondy_slice_text(name));
    bondy_rig_settle(rig);
}

/* ---- answers --------------------------------------------------------------------------------- */

static void tell(struct bondy_login *login)
{
    if (login->user != NULL && json_is_true(json_object_get(login->user->about, "waits")))
        bondy_list_append(&login->rig->waiting_logins, &login->link);
    else
        login->done(login, login->context);
}

void bondy_rig_login_go_on(struct bondy_rig *rig)
{
    struct bondy_list all;

    bondy_list_init(&all);
    bondy_list_splice(&all, &rig->waiting_logins);
    while (!bondy_list_is_empty(&all)) {
        struct bondy_login *login = BONDY_LIST_ENTRY(all.next, struct bondy_login, link);

        bondy_list_remove(&login->link);
        login->done(login, login->context);
    }
    bondy_rig_settle(rig);
}

static void refuse(struct bondy_login *login, const char *reason)
{
    bondy_free(login->reason);
    login->reason = bondy_strdup(reason);
    login->answer.step = BONDY_LOGIN_ABORT;
    login->answer.reason = login->reason;
    login->answer.message = "refused";
    login->answer.extra = NULL;
}

static void challenge(struct bondy_login *login)
{
    login->answer.step = BONDY_LOGIN_CHALLENGE;
    login->answer.extra = NULL;
}

static void welcome(struct bondy_login *login)
{
    struct bondy_identity *identity = &login->answer.identity;

    login->answer.step = BONDY_LOGIN_WELCOME;
    if (login->user == NULL) {
        *identity = bondy_identity_anonymous;
        return;
    }
    login->names = bondy_calloc(json_array_size(login->groups) + 1, sizeof login->names[0]);
    for (size_t i = 0; i < json_array_size(login->groups); i++)
        login->names[i] = bondy_slice_text(json_string_value(json_array_get(login->groups, i)));
    login->welcome_extra =
        json_pack("{s:{s:{}}, s:O}", "authextra", "meta", "x_authroles", login->groups);
    *identity = (struct bondy_identity){
        .authid = bondy_slice_text(login->user->name),
        .authrole = login->names[0],
        .authmethod = bondy_slice_text(login->answer.method),
        .authprovider = BONDY_SLICE(BONDY_AUTHPROVIDER),
        .groups = login->names,
        .group_count = json_array_size(login->groups),
        .groups_are_chosen = login->are_chosen,
        .principal =
            json_object_get(login->user->about, "asks") == NULL ? login->user->principal : NULL,
        .extra = login->welcome_extra};
}

static void ask(struct bondy_login *login, struct bondy_slice signature)
{
    login->answer.step = BONDY_LOGIN_ASK;
    login->answer.procedure = json_string_value(json_object_get(login->user->about, "asks"));
    json_decref(login->extra);
    login->extra = json_pack("[s,s]", login->realm->uri, login->user->name);
    if (signature.len > 0)
        json_array_append_new(login->extra, bondy_json_slice(signature));
    login->answer.extra = login->extra;
}

/* ---- the steps ------------------------------------------------------------------------------- */

static bool offers(const struct bondy_login *login, const char *method)
{
    const json_t *list = json_object_get(login->details, "authmethods"), *one;
    size_t index;

    json_array_foreach((json_t *)(uintptr_t)list, index, one)
    {
        if (bondy_slice_is(bondy_slice_text(json_string_value(one)), method))
            return true;
    }
    return false;
}

static bool offers_nothing(const struct bondy_login *login)
{
    return json_array_size(json_object_get(login->details, "authmethods")) == 0;
}

static void let_anonymous_in(struct bondy_login *login)
{
    if (!login->realm->allows_anonymous)
        refuse(login, offers_nothing(login) ? BONDY_ERR_AUTHENTICATION_REQUIRED
                                            : BONDY_ERR_NO_MATCHING_AUTH_METHOD);
    else
        welcome(login);
}

/* False: it has not this role. */
static bool choose_role(struct bondy_login *login)
{
    struct bondy_slice role = bondy_json_text(login->details, "authrole");
    json_t *groups = json_object_get(login->user->about, "groups"), *one;
    size_t index;

    if (role.len == 0) {
        login->groups = groups == NULL ? json_array() : json_incref(groups);
        return true;
    }
    json_array_foreach(groups, index, one)
    {
        if (bondy_slice_is(role, json_string_value(one))) {
            login->groups = json_array();
            json_array_append(login->groups, one);
            login->are_chosen = true;
            return true;
        }
    }
    return false;
}

static void decide(struct bondy_login *login)
{
    struct bondy_slice authid = bondy_json_text(login->details, "authid");
    const char *method;
    bool asks;

    if (authid.len == 0 || bondy_slice_is(authid, "anonymous")) {
        let_anonymous_in(login);
        return;
    }
    login->user = find_user(login->rig, login->realm->uri, authid);
    if (login->user == NULL) {
        refuse(login, BONDY_ERR_NO_SUCH_PRINCIPAL);
        return;
    }
    method = json_string_value(json_object_get(login->user->about, "method"));
    login->answer.method = method == NULL ? "trust" : method;
    asks = json_object_get(login->user->about, "asks") != NULL;
    if (offers_nothing(login))
        refuse(login, BONDY_ERR_AUTHENTICATION_REQUIRED);
    else if (!offers(login, login->answer.method))
        refuse(login, BONDY_ERR_NO_MATCHING_AUTH_METHOD);
    else if (!choose_role(login))
        refuse(login, BONDY_ERR_NO_SUCH_ROLE);
    else if (method != NULL)
        challenge(login);
    else if (asks)
        ask(login, BONDY_SLICE_EMPTY);
    else
        welcome(login);
}

static void begin(void *context, const struct bondy_login_request *request,
                  struct bondy_login **out)
{
    struct bondy_login *login = bondy_zalloc(sizeof *login);

    login->rig = context;
    login->done = request->done;
    login->context = request->context;
    login->realm = request->realm;
    bondy_realm_ref(login->realm);
    login->details = json_deep_copy(request->details);
    login->answer.realm = login->realm;
    bondy_list_init(&login->link);
    *out = login;
    decide(login);
    tell(login);
}

static const struct bondy_login_answer *answer_of(const struct bondy_login *login)
{
    return &login->answer;
}

static void authenticate(struct bondy_login *login, struct bondy_slice signature,
                         const json_t *extra)
{
    struct bondy_slice secret = bondy_json_text(login->user->about, "secret");

    (void)extra;
    if (json_object_get(login->user->about, "asks") != NULL)
        ask(login, signature);
    else if (bondy_slice_eq(secret, signature))
        welcome(login);
    else
        refuse(login, BONDY_ERR_AUTHENTICATION_DENIED);
    tell(login);
}

static bool is_failure(const char *error)
{
    return strcmp(error, BONDY_ERR_NO_SUCH_PROCEDURE) == 0 ||
           strcmp(error, BONDY_ERR_TIMEOUT) == 0 || strcmp(error, BONDY_ERR_CANCELED) == 0;
}

static void told(struct bondy_login *login, const json_t *result, const char *error)
{
    if (error != NULL) {
        refuse(login, is_failure(error) ? BONDY_ERR_AUTHENTICATION_FAILED : error);
    } else {
        json_decref(login->groups);
        login->groups = json_array();
        json_array_append(login->groups, (json_t *)(uintptr_t)result);
        login->are_chosen = true;
        welcome(login);
    }
    tell(login);
}

static void end_login(struct bondy_login *login)
{
    if (login == NULL)
        return;
    bondy_list_remove(&login->link);
    bondy_realm_unref(login->realm);
    json_decref(login->details);
    json_decref(login->groups);
    json_decref(login->extra);
    json_decref(login->welcome_extra);
    bondy_free(login->reason);
    bondy_free(login->names);
    bondy_free(login);
}

/* ---- start and stop -------------------------------------------------------------------------- */

void bondy_rig_login_start(struct bondy_rig *rig)
{
    const struct bondy_principals_options options = {.realms = &rig->realms};

    bondy_list_init(&rig->waiting_logins);
    rig->principals = bondy_principals_create(&options);
    rig->login_ops = (struct bondy_login_ops){.begin = begin,
                                              .answer = answer_of,
                                              .authenticate = authenticate,
                                              .told = told,
                                              .end = end_login,
                                              .context = rig};
    rig->options.login = &rig->login_ops;
}

void bondy_rig_login_stop(struct bondy_rig *rig)
{
    for (size_t i = 0; i < rig->user_count; i++) {
        json_decref(rig->users[i].about);
        bondy_principal_unref(rig->users[i].principal);
    }
    bondy_principals_destroy(rig->principals);
}
