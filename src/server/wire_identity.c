/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "src/admin/password.h"
#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/base/log.h"
#include "src/security/login/audit.h"
#include "src/security/login/auth.h"
#include "src/security/credential/password.h"
#include "src/security/policy/policy.h"
#include "src/security/login/principal.h"
#include "src/security/login/throttle.h"
#include "src/security/entity/names.h"
#include "src/security/entity/user.h"
#include "src/security/token/rules.h"
#include "src/server/realm_keys.h"
#include "src/server/server.h"
#include "src/server/wire.h"
#include "src/sys/process.h"
#include "src/sys/publish.h"

/* Who may join and do what: the rules of the configuration, the pools that hash and look up, what
 * logins share; what a change of users and permissions means for the sessions of each thread; and
 * the work in the background that must not hold up the start: the admin's password. */

#define READERS 2
#define READ_QUEUE 4096
#define HASH_NICE 10 /* key derivation waits for whoever serves connections */

/* ---- rules ----------------------------------------------------------------------------------- */

static bool is_word(const struct bondy_config *config, const char *key, const char *word)
{
    const char *text = bondy_config_text(config, key);

    return text != NULL && strcmp(text, word) == 0;
}

void bondy_server_apply_names(const struct bondy_config *config)
{
    bondy_names_set_unicode(bondy_config_flag(config, "security.names.unicode"));
}

static void fill_rules(const struct bondy_config *config, struct bondy_security_rules *rules)
{
    bondy_server_apply_names(config);
    bondy_security_rules_init(rules);
    rules->password_min = (unsigned)bondy_config_number(config, "security.password.min_length");
    rules->password_max = (unsigned)bondy_config_number(config, "security.password.max_length");
    rules->legacy_charset = bondy_config_flag(config, "security.password.legacy_charset");
    rules->scram_by_default = is_word(config, "security.password.protocol", "scram");
    rules->pbkdf2_iterations =
        (uint32_t)bondy_config_number(config, "security.password.pbkdf2.iterations");
    rules->scram_kdf = bondy_config_text(config, "security.password.scram.kdf");
    rules->auto_realm_prototype = bondy_config_text(config, "security.auto_realm.prototype_uri");
    rules->allow_anonymous_user = bondy_config_flag(config, "security.allow_anonymous_user");
    rules->inherit_anonymous = bondy_config_flag(config, "security.rbac.inherit_anonymous");
    rules->prefix_by_octet = is_word(config, "security.rbac.prefix_match", "byte");
    rules->literal_patterns = is_word(config, "security.rbac.pattern_coverage", "literal");
    rules->insecure_defaults = bondy_config_flag(config, "security.insecure_defaults");
}

static void fill_aliases(struct bondy_server_identity *identity, const struct bondy_config *config)
{
    const struct bondy_config_value *aliases =
        &bondy_config_find(config, "security.master_realm.aliases")->value;

    identity->aliases = bondy_calloc(aliases->list_count + 1, sizeof identity->aliases[0]);
    for (size_t i = 0; i < aliases->list_count; i++)
        identity->aliases[i] = aliases->list[i];
    identity->rules.master_aliases = identity->aliases;
}

static unsigned seconds_of(const struct bondy_config *config, const char *key)
{
    int64_t seconds = bondy_config_number(config, key) / 1000;

    return seconds > INT32_MAX ? INT32_MAX : (unsigned)seconds;
}

void bondy_server_apply_token_rules(struct bondy_server *server, const struct bondy_config *config)
{
    const struct bondy_token_rules rules = {
        .node_name = server->node_name,
        .is_bondy_format = is_word(config, "oauth2.token_format", "bondy"),
        .password_s = seconds_of(config, "oauth2.password_grant.duration"),
        .client_s = seconds_of(config, "oauth2.client_credentials_grant.duration"),
        .code_s = seconds_of(config, "oauth2.code_grant.duration"),
        .refresh_s = seconds_of(config, "oauth2.refresh_token.duration"),
        .refresh_max_s = seconds_of(config, "oauth2.refresh_token.max_lifetime"),
        .refresh_grace_s = seconds_of(config, "oauth2.refresh_token.reuse_grace"),
        .refresh_limit = (unsigned)bondy_config_number(config, "oauth2.refresh_token.limit"),
    };

    bondy_token_settings_put(server->identity.tokens, &rules);
}

/* ---- making ---------------------------------------------------------------------------------- */

static int make_audit(struct bondy_server *server, struct bondy_error *err)
{
    const struct bondy_config *config = server->config;
    struct bondy_buf folder = BONDY_BUF_EMPTY;
    struct bondy_audit_options options = {
        .max_bytes = (uint64_t)bondy_config_number(config, "audit.max_bytes"),
        .max_files = (unsigned)bondy_config_number(config, "audit.max_files"),
        .buffer_len = (size_t)bondy_config_number(config, "audit.buffer"),
        .denials_per_second = (unsigned)bondy_config_number(config, "audit.denials_per_second"),
    };
    int rc = BONDY_OK;

    if (!bondy_config_flag(config, "audit.enabled"))
        return BONDY_OK;
    bondy_buf_printf(&folder, "%s/audit", bondy_config_text(config, "platform_data_dir"));
    bondy_buf_append_byte(&folder, '\0');
    options.folder = folder.data;
    rc = bondy_audit_create(&options, &server->identity.audit, err);
    bondy_buf_fini(&folder);
    return rc;
}

int bondy_server_make_identity(struct bondy_server *server, struct bondy_error *err)
{
    const struct bondy_config *config = server->config;
    struct bondy_server_identity *identity = &server->identity;
    struct bondy_throttle_options throttle = BONDY_THROTTLE_DEFAULT;
    int64_t hashers = bondy_config_number(config, "security.hash_threads");
    int rc;

    fill_rules(config, &identity->rules);
    fill_aliases(identity, config);
    identity->tokens = bondy_token_settings_create();
    bondy_server_apply_token_rules(server, config);
    throttle.source_rate = (unsigned)bondy_config_number(config, "security.auth_rate");
    identity->throttle = bondy_throttle_create(&throttle);
    if ((rc = make_audit(server, err)) < 0)
        return rc;
    if ((rc = bondy_pool_create(READERS, READ_QUEUE, 0, &identity->readers, err)) < 0)
        return rc;
    return bondy_pool_create(hashers > 0 ? (unsigned)hashers : bondy_process_cpus(),
                             (size_t)bondy_config_number(config, "security.hash_queue"), HASH_NICE,
                             &identity->hashers, err);
}

/* ---- what threads are told --------------------------------------------------------------------
 */

struct notice {
    struct bondy_mail mail;
    struct bondy_server_thread *thread;
    const char *reason; /* GOODBYE for the user; NULL: permissions changed */
    uint64_t spared;
    struct bondy_slice realm; /* both behind the struct */
    struct bondy_slice authid;
};

static void run_notice(struct bondy_mail *mail)
{
    struct notice *notice = BONDY_CONTAINER(mail, struct notice, mail);
    struct bondy_router_thread *router = notice->thread->router;

    if (router != NULL && notice->reason != NULL)
        bondy_router_thread_close_user(router, notice->realm, notice->authid, notice->reason,
                                       notice->spared);
    else if (router != NULL)
        bondy_router_thread_recheck(router, notice->realm, notice->authid);
    bondy_free(notice);
}

/* Before the server is ready, and when it shuts down, there is nobody to tell. */
static void tell_threads(struct bondy_server *server, const struct notice *what)
{
    size_t len = what->realm.len + what->authid.len;

    if (atomic_load(&server->status) != BONDY_SERVER_READY)
        return;
    for (unsigned i = 0; i < server->thread_count; i++) {
        struct notice *notice = bondy_alloc(sizeof *notice + len);
        char *at = (char *)(notice + 1);

        memcpy(at, what->realm.data, what->realm.len);
        if (what->authid.len > 0)
            memcpy(at + what->realm.len, what->authid.data, what->authid.len);
        *notice = *what;
        notice->mail = (struct bondy_mail){.run = run_notice};
        notice->thread = &server->threads[i];
        notice->realm = bondy_slice_of(at, what->realm.len);
        notice->authid = bondy_slice_of(at + what->realm.len, what->authid.len);
        bondy_loop_post(server->threads[i].loop, &notice->mail);
    }
}

static void on_principal(void *context, const char *realm, const char *username,
                         enum bondy_principal_change change, uint64_t spared)
{
    static const char *const reasons[] = {
        [BONDY_PRINCIPAL_DELETED] = "bondy.user.deleted",
        [BONDY_PRINCIPAL_DISABLED] = "bondy.user.disabled",
        [BONDY_PRINCIPAL_CREDENTIALS_CHANGED] = "bondy.user.credentials_changed",
        [BONDY_PRINCIPAL_GROUPS_CHANGED] = NULL,
    };

    tell_threads(context, &(struct notice){.reason = reasons[change],
                                           .spared = spared,
                                           .realm = bondy_slice_text(realm),
                                           .authid = bondy_slice_text(username)});
}

/* ---- the feed: control thread -----------------------------------------------------------------
 */

void bondy_server_identity_on_change(struct bondy_server *server, const struct bondy_change *change)
{
    struct bondy_server_identity *identity = &server->identity;

    if (identity->principals != NULL)
        bondy_principals_on_change(identity->principals, change);
    if (identity->auth != NULL)
        bondy_auth_on_change(identity->auth, change);
    if (change->now.key.type <= BONDY_RECORD_GRANT)
        identity->may_have_moved |= change->now.key.type != BONDY_RECORD_USER &&
                                    change->now.key.type != BONDY_RECORD_USER_ELEMENT;
}

/* Tells of each realm whose permissions are not those of the last time. Only the numbers are kept:
 * epochs start above 0. */
static bool compare_epoch(void *context, const struct bondy_realm *realm)
{
    struct bondy_server *server = context;
    struct bondy_slice uri = bondy_slice_text(realm->uri);
    uint64_t now = realm->policy == NULL ? 0 : bondy_policy_epoch(realm->policy);
    void *before;

    if (now == 0)
        return true;
    before = bondy_map_put(&server->identity.epochs, uri, (void *)(uintptr_t)now);
    if (before != NULL && (uint64_t)(uintptr_t)before != now && !server->identity.is_quiet)
        tell_threads(server, &(struct notice){.realm = uri});
    if (bondy_realm_needs_keys(realm))
        server->identity.wants_keys = true;
    return true;
}

void bondy_server_identity_on_commit(struct bondy_server *server)
{
    struct bondy_server_identity *identity = &server->identity;

    if (identity->may_have_moved)
        bondy_realms_each(server->realms, compare_epoch, server);
    if (identity->principals != NULL) {
        bondy_principals_on_commit(identity->principals);
        /* What that moved was told user by user. */
        identity->is_quiet = true;
        bondy_realms_each(server->realms, compare_epoch, server);
        identity->is_quiet = false;
    }
    identity->may_have_moved = false;
    if (identity->wants_keys)
        bondy_server_realm_keys_ask(server->realm_keys);
    identity->wants_keys = false;
}

/* ---- logins -----------------------------------------------------------------------------------
 */

/* After the store was opened, before its writer runs. */
void bondy_server_make_logins(struct bondy_server *server)
{
    const struct bondy_config *config = server->config;
    struct bondy_server_identity *identity = &server->identity;
    const struct bondy_principals_options principals = {.store = server->store,
                                                        .realms = server->realms,
                                                        .on_change = on_principal,
                                                        .context = server};
    struct bondy_auth_options auth = {
        .store = server->store,
        .realms = server->realms,
        .rules = &identity->rules,
        .readers = identity->readers,
        .hashers = identity->hashers,
        .throttle = identity->throttle,
        .audit = identity->audit,
        .node_name = server->node_name,
        .hides_unknown_users = bondy_config_flag(config, "security.auth.hide_unknown_users"),
        .takes_cleartext = bondy_config_flag(config, "security.password.allow_cleartext"),
        .has_bondy_errors = is_word(config, "wamp.compat.auth_error_uris", "bondy"),
        .upgrades_passwords =
            bondy_config_flag(config, "security.password.protocol.upgrade.enabled"),
        .takes_unknown_tickets = bondy_config_flag(config, "security.ticket.allow_not_found"),
        .leeway_s = (unsigned)(bondy_config_number(config, "security.max_clock_skew") / 1000),
    };

    identity->principals = bondy_principals_create(&principals);
    auth.principals = identity->principals;
    identity->auth = bondy_auth_create(&auth);
}

/* ---- the admin's password ---------------------------------------------------------------------
 */

struct admin_work {
    struct bondy_work work;
    struct bondy_server *server;
    char *password;
    struct bondy_store_job job;
    struct bondy_edit edit;
    json_t *verifiers;
    bool is_new;
};

static int run_builtin(struct bondy_store_job *job, struct bondy_store_write *write,
                       struct bondy_error *err)
{
    struct admin_work *self = BONDY_CONTAINER(job, struct admin_work, job);

    (void)err;
    bondy_edit_start(&self->edit, write);
    return bondy_edit_end(&self->edit,
                          bondy_realm_apply_builtin(&self->edit, self->verifiers, self->is_new));
}

static bool is_stored(struct admin_work *self, bool *has_user)
{
    const struct bondy_realm *master =
        bondy_realms_find(self->server->realms, BONDY_SLICE(BONDY_MASTER_REALM));
    struct bondy_store_view *view = NULL;
    struct bondy_user user;
    bool fits = false;

    *has_user = false;
    if (bondy_store_view_begin(self->server->store, &view, NULL) < 0)
        return false;
    if (bondy_user_find(view, master, BONDY_SLICE("admin"), &user)) {
        *has_user = true;
        if (bondy_password_verify_wait(user.passwords, bondy_slice_text(self->password), &fits,
                                       NULL) < 0)
            fits = false;
        bondy_user_fini(&user);
    }
    bondy_store_view_end(view);
    return fits;
}

/* On a hashing thread: compares, derives, writes, and lets logins to the master realm go on. */
static void set_admin_password(struct bondy_work *work)
{
    struct admin_work *self = BONDY_CONTAINER(work, struct admin_work, work);
    const struct bondy_security_rules *rules = &self->server->identity.rules;
    const struct bondy_realm *master =
        bondy_realms_find(self->server->realms, BONDY_SLICE(BONDY_MASTER_REALM));
    const struct bondy_password_opts opts =
        bondy_user_password_opts(rules, master->authmethods, NULL);
    struct bondy_error err = {0};
    json_t *problem = NULL;
    bool has_user;

    if (!is_stored(self, &has_user)) {
        self->is_new = has_user;
        if (bondy_user_prepare_password(rules, &opts, bondy_slice_text(self->password),
                                        &self->verifiers, &problem) < 0) {
            bondy_log(BONDY_LOG_ERROR, "admin_password_refused",
                      BONDY_F_SLICE("reason", bondy_json_text(problem, "message")));
        } else {
            bondy_publish_idle();
            if (bondy_store_run_wait(self->server->store, &self->job, &err) < 0)
                bondy_log(BONDY_LOG_ERROR, "admin_password_not_stored",
                          BONDY_F_STR("reason", err.text));
            bondy_publish_busy();
        }
        json_decref(problem);
    }
    bondy_auth_release(self->server->identity.auth);
}

static void admin_password_set(struct bondy_work *work)
{
    struct admin_work *self = BONDY_CONTAINER(work, struct admin_work, work);

    bondy_admin_password_free(self->password);
    bondy_edit_fini(&self->edit);
    json_decref(self->verifiers);
    bondy_free(self);
}

/* Whether the record is there; then only a password file that is named is looked at again: the
 * generated one may have been deleted. */
static bool has_admin(struct bondy_server *server)
{
    const struct bondy_realm *master =
        bondy_realms_find(server->realms, BONDY_SLICE(BONDY_MASTER_REALM));
    struct bondy_store_view *view = NULL;
    struct bondy_user user;
    bool is_there;

    if (bondy_store_view_begin(server->store, &view, NULL) < 0)
        return false;
    is_there = bondy_user_find(view, master, BONDY_SLICE("admin"), &user);
    if (is_there)
        bondy_user_fini(&user);
    bondy_store_view_end(view);
    return is_there;
}

/* One that was made up is long enough. */
static int check_admin_password(const struct bondy_security_rules *rules, const char *file,
                                const char *password, struct bondy_error *err)
{
    json_t *problem = file == NULL || *file == '\0'
                          ? NULL
                          : bondy_password_check(bondy_slice_text(password), rules->password_min,
                                                 rules->password_max, rules->legacy_charset);
    int rc = BONDY_OK;

    if (problem != NULL)
        rc = bondy_fail(err, BONDY_EINVAL, "security.admin.password_file: " BONDY_SLICE_FMT,
                        BONDY_SLICE_ARG(bondy_json_text(problem, "message")));
    json_decref(problem);
    return rc;
}

int bondy_server_make_admin_user(struct bondy_server *server, struct bondy_error *err)
{
    const char *file = bondy_config_text(server->config, "security.admin.password_file");
    struct admin_work *self;
    char *password = NULL;
    int rc;

    if (has_admin(server) && (file == NULL || *file == '\0')) {
        bondy_auth_release(server->identity.auth);
        return BONDY_OK;
    }
    rc = bondy_admin_password_read(file, bondy_config_text(server->config, "platform_data_dir"),
                                   &password, err);
    if (rc == BONDY_OK)
        rc = check_admin_password(&server->identity.rules, file, password, err);
    if (rc < 0) {
        bondy_admin_password_free(password);
        return rc;
    }
    self = bondy_zalloc(sizeof *self);
    self->server = server;
    self->password = password;
    self->job.run = run_builtin;
    self->edit.rules = &server->identity.rules;
    self->work.run = set_admin_password;
    self->work.done = admin_password_set;
    return bondy_pool_submit(server->identity.hashers, server->main_loop, &self->work, err);
}

/* ---- the end -----------------------------------------------------------------------------------
 */

/* While the threads still run: what the pools have goes back to them, and nothing is taken any
 * more.
 */
void bondy_server_stop_pools(struct bondy_server *server)
{
    if (server->identity.auth != NULL)
        bondy_auth_release(server->identity.auth);
    bondy_pool_stop(server->identity.hashers);
    bondy_pool_stop(server->identity.readers);
}

/* After threads and store are gone. */
void bondy_server_free_identity(struct bondy_server *server)
{
    struct bondy_server_identity *identity = &server->identity;

    bondy_auth_destroy(BONDY_MOVE(identity->auth));
    bondy_token_settings_destroy(BONDY_MOVE(identity->tokens));
    bondy_principals_destroy(BONDY_MOVE(identity->principals));
    bondy_throttle_destroy(BONDY_MOVE(identity->throttle));
    bondy_audit_destroy(BONDY_MOVE(identity->audit));
    bondy_pool_destroy(BONDY_MOVE(identity->hashers));
    bondy_pool_destroy(BONDY_MOVE(identity->readers));
    bondy_map_fini(&identity->epochs);
    bondy_free(BONDY_MOVE(identity->aliases));
}
