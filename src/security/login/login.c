/* SPDX-License-Identifier: Apache-2.0 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/id.h"
#include "src/base/log.h"
#include "src/base/metric.h"
#include "src/security/login/audit.h"
#include "src/security/credential/cookie.h"
#include "src/security/login/login_local.h"
#include "src/security/login/principal.h"
#include "src/security/credential/ticket.h"
#include "src/security/credential/token.h"
#include "src/sys/publish.h"

/* The way of a login between its loop and the pools, and how it ends. */

#define DENIED "the credentials were not accepted"
#define BUSY_SECONDS 1

/* ---- refusals -------------------------------------------------------------------------------- */

void bondy_login_refuse(struct bondy_login *login, const char *reason, const char *message)
{
    bondy_free(login->texts);
    login->texts = message == NULL ? NULL : bondy_strdup(message);
    login->answer.step = BONDY_LOGIN_ABORT;
    login->answer.reason = reason;
    login->answer.message = login->texts;
    login->answer.extra = login->extra;
}

static void drop_extra(struct bondy_login *login)
{
    json_decref(login->extra);
    login->extra = NULL;
}

void bondy_login_deny(struct bondy_login *login, const char *cause)
{
    const struct bondy_auth_options *options = &login->auth->options;

    login->doom = cause;
    login->is_guess = true;
    drop_extra(login);
    if (login->scram_word != NULL)
        login->extra = json_pack("{s:s}", "scram", login->scram_word);
    bondy_login_refuse(login,
                       options->has_bondy_errors ? BONDY_ERR_AUTHENTICATION_FAILED
                                                 : BONDY_ERR_AUTHENTICATION_DENIED,
                       DENIED);
}

void bondy_login_doom(struct bondy_login *login, const char *cause)
{
    if (login->doom == NULL)
        login->doom = cause;
}

/* Too many failures, or too much to do: comes back later. */
static void put_off(struct bondy_login *login, uint32_t seconds, const char *message)
{
    drop_extra(login);
    if (login->delay_ms == 0) /* never from inside the call that began it */
        login->delay_ms = 1;
    login->extra = json_pack("{s:I}", "retry_after", (json_int_t)seconds);
    bondy_login_refuse(login, BONDY_ERR_AUTHENTICATION_FAILED, message);
}

/* ---- what others learn of it ----------------------------------------------------------------- */

static void count_failure(const struct bondy_login *login, const char *cause)
{
    static const char *const labels[] = {"realm", "method", "reason", NULL};
    static const struct bondy_metric_family family = {
        .name = "bondy_auth_failures_total",
        .help = "Logins that were refused, by true cause.",
        .type = BONDY_METRIC_COUNTER,
        .labels = labels,
    };
    const char *method = login->method == NULL ? "none" : login->method->name;

    bondy_metric_add(
        bondy_metric_series(&family, (const char *const[]){login->realm->uri, method, cause}), 1);
}

static void record(const struct bondy_login *login)
{
    bool is_in = login->answer.step == BONDY_LOGIN_WELCOME;
    const char *cause = login->doom != NULL ? login->doom : login->answer.reason;
    const struct bondy_audit_entry entry = {
        .action = is_in ? "auth.login" : "auth.fail",
        .outcome = is_in ? BONDY_AUDIT_OK : BONDY_AUDIT_DENIED,
        .realm = bondy_slice_text(login->realm->uri),
        .actor = is_in ? login->answer.identity.authid : login->authid,
        .target = bondy_slice_text(login->method == NULL ? "" : login->method->name),
        .reason = is_in ? BONDY_SLICE_EMPTY : bondy_slice_text(cause),
        .source_ip = bondy_slice_text(login->source),
    };

    /* Who comes without identity is nobody to account for. */
    if (!is_in || bondy_login_is_somebody(login))
        bondy_audit_write(login->auth->options.audit, &entry, NULL);
    if (!is_in)
        count_failure(login, cause);
}

/* The same before and after the look-up, which may find the name behind an alias. */
static struct bondy_slice tried_name(const struct bondy_login *login)
{
    return bondy_name_slice(login->typed.len > 0 ? &login->typed : &login->name);
}

/* Only guesses are failures: who offers no usable method learned nothing, and an authenticator that
 * does not answer is nobody's fault who wants in. */
static void throttle(struct bondy_login *login)
{
    struct bondy_throttle *throttle = login->auth->options.throttle;
    const struct bondy_throttle_login attempt = {
        .source = &login->peer.address,
        .realm = bondy_slice_text(login->realm->uri),
        .authid = tried_name(login),
    };

    if (throttle == NULL)
        return;
    if (login->answer.step == BONDY_LOGIN_WELCOME && login->method->verify != NULL)
        bondy_throttle_succeeded(throttle, &attempt, bondy_clock_mono_ms());
    else if (login->is_guess)
        bondy_throttle_failed(throttle, &attempt, bondy_clock_mono_ms());
}

static bool is_put_off(struct bondy_login *login)
{
    struct bondy_throttle *throttle = login->auth->options.throttle;
    const struct bondy_throttle_login attempt = {
        .source = &login->peer.address,
        .realm = bondy_slice_text(login->realm->uri),
        .authid = tried_name(login),
    };
    struct bondy_throttle_verdict verdict;

    if (throttle == NULL)
        return false;
    verdict = bondy_throttle_ask(throttle, &attempt, bondy_clock_mono_ms());
    login->delay_ms = verdict.delay_ms;
    if (verdict.retry_after_ms == 0)
        return false;
    put_off(login, bondy_throttle_seconds(verdict.retry_after_ms),
            "too many failed logins from this address; try again later");
    return true;
}

/* ---- life ------------------------------------------------------------------------------------ */

static void free_login(struct bondy_login *login)
{
    if (login->delay.fn != NULL && login->loop != NULL)
        bondy_timer_stop(bondy_loop_wheel(login->loop), &login->delay);
    if (login->has_user)
        bondy_user_fini(&login->user);
    bondy_principal_unref(login->principal);
    bondy_realm_unref(login->realm);
    json_decref(login->details);
    json_decref(login->granted);
    json_decref(login->chosen);
    json_decref(login->bad_roles);
    json_decref(login->meta);
    json_decref(login->ticket);
    json_decref(login->token);
    json_decref(login->answer_extra);
    json_decref(login->extra);
    json_decref(login->welcome_extra);
    bondy_scram_fini(&login->scram);
    bondy_buf_fini(&login->cra_text);
    if (login->signature != NULL)
        sodium_memzero(login->signature, login->signature_len);
    bondy_free(login->signature);
    if (login->cookie.len > 0) {
        sodium_memzero((char *)(uintptr_t)login->cookie.data, login->cookie.len);
        bondy_free((char *)(uintptr_t)login->cookie.data);
    }
    bondy_free(login->texts);
    bondy_free(login->groups);
    sodium_memzero(login, sizeof *login);
    bondy_free(login);
}

static void end_login(struct bondy_login *login)
{
    if (login == NULL)
        return;
    login->is_ended = true;
    if (!login->is_away)
        free_login(login);
}

/* The user may have been disabled or deleted, or got another password, since it was looked up: a
 * session that is not there yet is not ended by that. On the loop, in the turn in which it joins.
 */
static bool is_outdated(struct bondy_login *login)
{
    if (login->answer.step != BONDY_LOGIN_WELCOME || login->principal == NULL ||
        !bondy_principal_was_ended(login->principal, login->principal_seq))
        return false;
    bondy_login_deny(login, "changed_meanwhile");
    login->is_guess = false;
    return true;
}

static void after_delay(struct bondy_timer *timer)
{
    struct bondy_login *login = BONDY_CONTAINER(timer, struct bondy_login, delay);

    if (is_outdated(login))
        record(login);
    login->done(login, login->context);
}

static bool is_final(const struct bondy_login *login)
{
    return login->answer.step == BONDY_LOGIN_WELCOME || login->answer.step == BONDY_LOGIN_ABORT;
}

/* Back on the loop: tells the answer, at once or a little later. */
static void tell(struct bondy_login *login)
{
    is_outdated(login);
    if (is_final(login)) {
        throttle(login);
        record(login);
    }
    if (is_final(login) && login->delay_ms > 0 && login->loop != NULL) {
        bondy_timer_init(&login->delay, after_delay);
        bondy_timer_start(bondy_loop_wheel(login->loop), &login->delay, login->delay_ms);
        return;
    }
    login->done(login, login->context);
}

/* ---- to a pool and back ---------------------------------------------------------------------- */

static void come_back(struct bondy_work *work)
{
    struct bondy_login *login = BONDY_CONTAINER(work, struct bondy_login, work);

    login->is_away = false;
    if (login->is_ended)
        free_login(login);
    else
        tell(login);
}

static void send_away(struct bondy_login *login, struct bondy_pool *pool,
                      void (*run)(struct bondy_work *work))
{
    if (pool == NULL) {
        run(&login->work);
        tell(login);
        return;
    }
    login->work.run = run;
    login->work.done = come_back;
    login->is_away = true;
    if (bondy_pool_submit(pool, login->loop, &login->work, NULL) == BONDY_OK)
        return;
    login->is_away = false;
    put_off(login, BUSY_SECONDS, "too many logins at once; try again later");
    tell(login);
}

static void wait_for_admin(const struct bondy_login *login)
{
    struct bondy_auth *auth = login->auth;

    if (!login->realm->is_master || auth->options.readers == NULL)
        return;
    bondy_publish_idle();
    pthread_mutex_lock(&auth->lock);
    while (!auth->is_released)
        pthread_cond_wait(&auth->released, &auth->lock);
    pthread_mutex_unlock(&auth->lock);
    bondy_publish_busy();
}

static void run_find(struct bondy_work *work)
{
    wait_for_admin(BONDY_CONTAINER(work, struct bondy_login, work));
    bondy_login_find(BONDY_CONTAINER(work, struct bondy_login, work));
}

/* What the answer was right or wrong about is decided in the same time for both. */
static void verify(struct bondy_login *login)
{
    bool is_right = login->method->verify(login);

    if (login->doom != NULL)
        bondy_login_deny(login, login->doom);
    else if (!is_right)
        bondy_login_deny(login, "wrong_credentials");
    else
        bondy_login_welcome(login);
}

static void run_verify(struct bondy_work *work)
{
    verify(BONDY_CONTAINER(work, struct bondy_login, work));
}

/* A check has the secret already: what follows the look-up comes at once. */
static void run_find_and_verify(struct bondy_work *work)
{
    struct bondy_login *login = BONDY_CONTAINER(work, struct bondy_login, work);

    wait_for_admin(login);
    bondy_login_find(login);
    if (login->answer.step != BONDY_LOGIN_CHALLENGE)
        return;
    if (login->is_dynamic)
        bondy_login_answer_dynamic(login);
    else
        verify(login);
}

/* ---- the steps ------------------------------------------------------------------------------- */

static struct bondy_login *login_create(struct bondy_auth *auth, const struct bondy_realm *realm,
                                        const struct bondy_login_peer *peer)
{
    struct bondy_login *login = bondy_zalloc(sizeof *login);

    login->auth = auth;
    login->realm = (struct bondy_realm *)(uintptr_t)realm;
    bondy_realm_ref(realm);
    login->peer = *peer;
    login->peer.cookies = BONDY_SLICE_EMPTY;
    login->answer.realm = realm;
    bondy_address_format_host(&login->peer.address, login->source);
    return login;
}

static void read_authid(struct bondy_login *login)
{
    login->authextra = json_object_get(login->details, "authextra");
    login->authid = bondy_json_text(login->details, "authid");
    if (bondy_slice_is(login->authid, "anonymous"))
        login->authid = BONDY_SLICE_EMPTY;
    if (!bondy_name_fold(login->authid, &login->name))
        login->name.len = 0;
    login->typed = login->name;
}

static void read_cookie(struct bondy_login *login, struct bondy_slice cookies)
{
    struct bondy_slice ticket = bondy_cookie_ticket(cookies, bondy_slice_text(login->realm->uri));

    if (ticket.len > 0)
        login->cookie = bondy_slice_of(bondy_memdup0(ticket.data, ticket.len), ticket.len);
}

static void begin(void *context, const struct bondy_login_request *request,
                  struct bondy_login **out)
{
    struct bondy_auth *auth = context;
    struct bondy_login *login = login_create(auth, request->realm, request->peer);

    login->loop = request->loop;
    login->done = request->done;
    login->context = request->context;
    login->session_id = request->session_id;
    login->details = json_deep_copy(request->details);
    read_authid(login);
    read_cookie(login, request->peer->cookies);
    *out = login;
    if (is_put_off(login))
        tell(login);
    else
        send_away(login, auth->options.readers, run_find);
}

/* Whose a token says it is: looked up as if it was typed, and proved afterwards. *method: what it
 * says it is, when that was left to it. */
static json_t *authid_of(const struct bondy_auth_check *check, const char **method)
{
    bool is_open = strcmp(check->method, "bearer") == 0;
    struct bondy_token token;
    json_t *authid;

    *method = is_open ? "oauth2" : check->method;
    if (check->authid.len > 0 || strcmp(check->method, "api_key") == 0 ||
        bondy_token_peek(check->secret, &token, NULL) < 0)
        return bondy_json_slice(check->authid);
    if (is_open && bondy_slice_is(token.typ, BONDY_TICKET_TYP))
        *method = "ticket";
    authid = bondy_json_slice(
        bondy_json_text(token.claims, strcmp(*method, "ticket") == 0 ? "authid" : "sub"));
    bondy_token_fini(&token);
    return authid;
}

/* What does not fit is a name that nobody has. */
static void name_certificate(struct bondy_login *login, struct bondy_slice name)
{
    if (name.len >= sizeof login->peer.certificate)
        name.len = 0;
    if (name.len > 0)
        memcpy(login->peer.certificate, name.data, name.len);
    login->peer.certificate[name.len] = '\0';
}

void bondy_auth_check(struct bondy_auth *auth, const struct bondy_auth_check *check,
                      struct bondy_login **out)
{
    struct bondy_login *login = login_create(auth, check->realm, check->peer);
    const struct bondy_login_method *method;
    const char *name;

    login->loop = check->loop;
    login->done = check->done;
    login->context = check->context;
    login->is_check = true;
    login->takes_no_questions = !check->takes_questions;
    login->details = json_pack("{s:o}", "authid", authid_of(check, &name));
    json_object_set_new(login->details, "authmethods", json_pack("[s]", name));
    login->signature = bondy_memdup0(check->secret.data, check->secret.len);
    login->signature_len = check->secret.len;
    method = bondy_login_method(bondy_slice_text(name));
    if (method->is_certificate)
        name_certificate(login, check->authid);
    read_authid(login);
    *out = login;
    if (is_put_off(login))
        tell(login);
    else
        send_away(login, method->is_slow ? auth->options.hashers : auth->options.readers,
                  run_find_and_verify);
}

static const struct bondy_login_answer *answer_of(const struct bondy_login *login)
{
    return &login->answer;
}

static void authenticate(struct bondy_login *login, struct bondy_slice signature,
                         const json_t *extra)
{
    const struct bondy_auth_options *options = &login->auth->options;

    login->signature = bondy_memdup0(signature.data, signature.len);
    login->signature_len = signature.len;
    login->answer_extra = json_deep_copy(extra);
    drop_extra(login);
    if (login->is_dynamic && login->method->is_secret_sent) {
        bondy_login_answer_dynamic(login);
        tell(login);
    } else if (login->method->is_slow) {
        send_away(login, options->hashers, run_verify);
    } else if (login->method->reads_store) {
        send_away(login, options->readers, run_verify);
    } else {
        verify(login);
        tell(login);
    }
}

static void told(struct bondy_login *login, const json_t *result, const char *error)
{
    drop_extra(login);
    bondy_login_take_dynamic(login, result, error);
    tell(login);
}

/* ---- what they share ------------------------------------------------------------------------- */

struct bondy_auth *bondy_auth_create(const struct bondy_auth_options *options)
{
    struct bondy_auth *auth = bondy_zalloc(sizeof *auth);

    auth->options = *options;
    auth->ops = (struct bondy_login_ops){.begin = begin,
                                         .answer = answer_of,
                                         .authenticate = authenticate,
                                         .told = told,
                                         .end = end_login,
                                         .context = auth};
    bondy_login_secret(options, auth->secret);
    bondy_login_derive_router_key(auth);
    pthread_mutex_init(&auth->lock, NULL);
    pthread_cond_init(&auth->released, NULL);
    return auth;
}

const uint8_t *bondy_auth_router_key(const struct bondy_auth *auth)
{
    return auth->router_key;
}

void bondy_auth_release(struct bondy_auth *auth)
{
    pthread_mutex_lock(&auth->lock);
    auth->is_released = true;
    pthread_cond_broadcast(&auth->released);
    pthread_mutex_unlock(&auth->lock);
}

void bondy_auth_destroy(struct bondy_auth *auth)
{
    if (auth == NULL)
        return;
    pthread_cond_destroy(&auth->released);
    pthread_mutex_destroy(&auth->lock);
    sodium_memzero(auth->secret, sizeof auth->secret);
    bondy_free(auth);
}

const struct bondy_login_ops *bondy_auth_ops(const struct bondy_auth *auth)
{
    return &auth->ops;
}
