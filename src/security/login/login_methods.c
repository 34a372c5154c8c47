/* SPDX-License-Identifier: Apache-2.0 */

/* The methods of authentication: one table of rows. realms-and-security.md 3.1 and 3.4 to 3.7.
 *
 * A challenge is made for a login that is doomed as well, from values that are the same at every
 * attempt, and its answer is looked at with the same effort. */

#include <string.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/id.h"
#include "src/base/log.h"
#include "src/security/login/login_local.h"
#include "src/security/credential/password.h"
#include "src/security/login/principal.h"

struct bondy_slice bondy_login_extra(const struct bondy_login *login, const char *key)
{
    return bondy_json_text(login->authextra, key);
}

static struct bondy_slice secret_of(const struct bondy_login *login)
{
    return bondy_slice_of(login->auth->secret, sizeof login->auth->secret);
}

static struct bondy_slice realm_of(const struct bondy_login *login)
{
    return bondy_slice_text(login->realm->uri);
}

/* The name as it was asked for, so that neither what is made up nor what is shown depends on who
 * exists: folded, since a user has one salt whatever the spelling; not the one that was found,
 * since that would tell an alias from a name that is nobody's. */
static struct bondy_slice typed_name(const struct bondy_login *login)
{
    return login->typed.len > 0 ? bondy_name_slice(&login->typed) : login->authid;
}

static struct bondy_slice channel(const struct bondy_login *login, enum bondy_binding binding)
{
    return bondy_slice_of(login->peer.channel_ids[binding], login->peer.channel_id_lens[binding]);
}

/* ---- password, ticket, oauth2: the secret itself ----------------------------------------------
 */

static bool challenge_nothing(struct bondy_login *login)
{
    login->extra = json_object();
    return true;
}

static bool has_password(const struct bondy_user *user)
{
    return json_array_size(user->passwords) > 0;
}

static bool has_password_or_key(const struct bondy_user *user)
{
    return has_password(user) || json_array_size(user->keys) > 0;
}

/* New verifiers of a password that was right, on their way to the store. */
struct upgrade {
    struct bondy_store_job job;
    struct bondy_principals *principals;
    struct bondy_edit edit;
    json_t *verifiers, *seen;
    char *realm; /* that keeps the password */
    char *username;
};

static int run_upgrade(struct bondy_store_job *job, struct bondy_store_write *write,
                       struct bondy_error *err)
{
    struct upgrade *upgrade = BONDY_CONTAINER(job, struct upgrade, job);
    struct bondy_slice realm = bondy_slice_text(upgrade->realm);
    struct bondy_slice username = bondy_slice_text(upgrade->username);

    (void)err;
    bondy_principals_spare_all(upgrade->principals, realm, username);
    bondy_edit_start(&upgrade->edit, write);
    return bondy_edit_end(&upgrade->edit,
                          bondy_user_apply_set_password(&upgrade->edit, realm, username,
                                                        upgrade->verifiers, upgrade->seen));
}

static void upgraded(struct bondy_store_job *job)
{
    struct upgrade *upgrade = BONDY_CONTAINER(job, struct upgrade, job);

    bondy_log(BONDY_LOG_DEBUG, "password_upgraded", BONDY_F_STR("realm", upgrade->realm),
              BONDY_F_BOOL("done", job->rc == BONDY_OK));
    bondy_edit_fini(&upgrade->edit);
    json_decref(upgrade->verifiers);
    json_decref(upgrade->seen);
    bondy_free(upgrade->realm);
    bondy_free(upgrade->username);
    bondy_free(upgrade);
}

/* 2.4: weaker verifiers are replaced when the password is at hand. Nobody waits for the store. */
static void upgrade_password(const struct bondy_login *login)
{
    const struct bondy_auth_options *options = &login->auth->options;
    struct upgrade *upgrade;
    json_t *verifiers;

    if (!options->upgrades_passwords ||
        !bondy_password_is_weaker(login->user.passwords, &login->realm->password_opts))
        return;
    verifiers =
        bondy_password_make_wait(bondy_login_signature(login), &login->realm->password_opts, NULL);
    if (verifiers == NULL)
        return;
    upgrade = bondy_zalloc(sizeof *upgrade);
    upgrade->job.run = run_upgrade;
    upgrade->job.done = upgraded;
    upgrade->principals = options->principals;
    upgrade->edit.rules = options->rules;
    upgrade->verifiers = verifiers;
    upgrade->seen = json_deep_copy(login->user.passwords);
    upgrade->realm = bondy_strdup(login->user.authrealm);
    upgrade->username = bondy_strdup(login->user.username);
    bondy_store_submit(options->store, &upgrade->job);
}

static bool verify_password(struct bondy_login *login)
{
    bool matches = false;

    if (login->doom != NULL || !login->has_user || !has_password(&login->user)) {
        bondy_password_waste_wait(&login->realm->password_opts, bondy_login_signature(login));
        return false;
    }
    if (bondy_password_verify_wait(login->user.passwords, bondy_login_signature(login), &matches,
                                   NULL) < 0 ||
        !matches)
        return false;
    upgrade_password(login);
    return true;
}

/* ---- wampcra --------------------------------------------------------------------------------- */

static bool has_cra(const struct bondy_user *user)
{
    struct bondy_password_cra cra;

    return bondy_password_find_cra(user->passwords, &cra);
}

static bool challenge_cra(struct bondy_login *login)
{
    struct bondy_cra_challenge challenge = {.authid = typed_name(login),
                                            .session = login->session_id,
                                            .wall_us = bondy_clock_wall_ms() * 1000};

    if (login->doom != NULL || !bondy_password_find_cra(login->user.passwords, &login->cra)) {
        bondy_login_doom(login, "no_verifier");
        bondy_cra_fake(secret_of(login), realm_of(login), typed_name(login),
                       login->realm->password_opts.cra_iterations, &login->cra);
    }
    if (json_array_size(login->chosen) == 1)
        challenge.authrole = bondy_slice_text(json_string_value(json_array_get(login->chosen, 0)));
    bondy_id_bytes(challenge.nonce, sizeof challenge.nonce);
    bondy_cra_challenge(&challenge, &login->cra_text);
    login->extra = bondy_cra_extra(bondy_buf_slice(&login->cra_text), &login->cra);
    return true;
}

static bool verify_cra(struct bondy_login *login)
{
    return bondy_cra_verify(&login->cra, bondy_buf_slice(&login->cra_text),
                            bondy_login_signature(login));
}

/* ---- wamp-scram ------------------------------------------------------------------------------ */

static bool has_scram(const struct bondy_user *user)
{
    struct bondy_password_scram scram;

    return bondy_password_find_scram(user->passwords, &scram);
}

static bool refuse_scram(struct bondy_login *login, enum bondy_scram_error error)
{
    login->extra = json_pack("{s:s}", "scram", bondy_scram_error_word(error));
    bondy_login_refuse(
        login, BONDY_ERR_AUTHENTICATION_FAILED,
        "wamp-scram needs authextra.nonce in base64, and a channel_binding that this "
        "connection has, or none");
    return false;
}

static bool challenge_scram(struct bondy_login *login)
{
    uint8_t random[BONDY_SCRAM_RANDOM_LEN];
    struct bondy_password_scram verifier;
    enum bondy_scram_error error;

    error = bondy_scram_start(&login->scram, login->authid, login->authextra);
    if (error == BONDY_SCRAM_OK)
        error = bondy_scram_bind(&login->scram, channel(login, login->scram.binding));
    if (error != BONDY_SCRAM_OK)
        return refuse_scram(login, error);
    if (login->doom != NULL || !bondy_password_find_scram(login->user.passwords, &verifier)) {
        bondy_login_doom(login, "no_verifier");
        bondy_scram_fake(secret_of(login), realm_of(login), typed_name(login),
                         &login->realm->password_opts.scram_cost, &verifier);
    }
    bondy_id_bytes(random, sizeof random);
    login->extra = bondy_scram_challenge(&login->scram, &verifier, random);
    return true;
}

static bool verify_scram(struct bondy_login *login)
{
    enum bondy_scram_error error = bondy_scram_finish(&login->scram, bondy_login_signature(login),
                                                      login->answer_extra, login->scram_verifier);

    if (error != BONDY_SCRAM_OK)
        login->scram_word = bondy_scram_error_word(error);
    return error == BONDY_SCRAM_OK;
}

/* ---- cryptosign ------------------------------------------------------------------------------ */

static bool has_key(const struct bondy_user *user)
{
    return json_array_size(user->keys) > 0;
}

static bool is_authorized(const struct bondy_login *login)
{
    size_t index;
    json_t *key;

    json_array_foreach(login->user.keys, index, key)
    {
        uint8_t authorized[BONDY_CRYPTOSIGN_LEN];

        if (bondy_hex_parse(bondy_slice_text(json_string_value(key)), authorized,
                            sizeof authorized) &&
            memcmp(authorized, login->cryptosign.pubkey, sizeof authorized) == 0)
            return true;
    }
    return false;
}

/* The key that was named must be the user's; without a name there must be no doubt. */
static void match_key(struct bondy_login *login)
{
    struct bondy_cryptosign *cryptosign = &login->cryptosign;

    if (login->doom != NULL || login->is_dynamic)
        return;
    if (!cryptosign->has_pubkey && json_array_size(login->user.keys) == 1)
        bondy_hex_parse(bondy_slice_text(json_string_value(json_array_get(login->user.keys, 0))),
                        cryptosign->pubkey, sizeof cryptosign->pubkey);
    if (!is_authorized(login))
        bondy_login_doom(login, "key_not_authorized");
}

static bool challenge_cryptosign(struct bondy_login *login)
{
    uint8_t random[BONDY_CRYPTOSIGN_LEN];
    struct bondy_error err;

    if (bondy_cryptosign_start(&login->cryptosign, login->authextra, &err) < 0) {
        bondy_login_refuse(login, BONDY_ERR_AUTHENTICATION_FAILED, err.text);
        return false;
    }
    if (login->cryptosign.binding != BONDY_BINDING_NONE)
        bondy_cryptosign_bind(&login->cryptosign, channel(login, login->cryptosign.binding));
    match_key(login);
    bondy_id_bytes(random, sizeof random);
    login->extra = bondy_cryptosign_challenge(&login->cryptosign, random, login->auth->router_seed);
    return true;
}

static bool verify_cryptosign(struct bondy_login *login)
{
    return bondy_cryptosign_verify(&login->cryptosign, bondy_login_signature(login));
}

/* ---- the table ------------------------------------------------------------------------------- */

static const struct bondy_login_method methods[] = {
    {.name = "anonymous"},
    {.name = "trust", .needs_authid = true},
    /* There with the transport, too: its handshake has checked the certificate. */
    {.name = "tls", .needs_authid = true, .is_certificate = true},
    /* A key says whose it is, and from where it may be used (login_api_key.c). */
    {.name = "api_key",
     .is_outside = true,
     .reads_store = true,
     .verify = bondy_login_verify_api_key},
    /* There with the transport: nothing is challenged (find_by_cookie). */
    {.name = "cookie", .reads_store = true, .verify = bondy_login_verify_cookie},
    {.name = "password",
     .needs_authid = true,
     .is_secret_sent = true,
     .is_slow = true,
     .suits = has_password,
     .challenge = challenge_nothing,
     .verify = verify_password},
    {.name = "ticket",
     .needs_authid = true,
     .is_secret_sent = true,
     .reads_store = true,
     .suits = has_password_or_key,
     .challenge = challenge_nothing,
     .verify = bondy_login_verify_ticket},
    {.name = "oauth2",
     .needs_authid = true,
     .is_secret_sent = true,
     .reads_store = true,
     .suits = has_password,
     .challenge = challenge_nothing,
     .verify = bondy_login_verify_token},
    {.name = "wampcra",
     .needs_authid = true,
     .suits = has_cra,
     .challenge = challenge_cra,
     .verify = verify_cra},
    {.name = "wamp-scram",
     .needs_authid = true,
     .suits = has_scram,
     .challenge = challenge_scram,
     .verify = verify_scram},
    {.name = "cryptosign",
     .needs_authid = true,
     .suits = has_key,
     .challenge = challenge_cryptosign,
     .verify = verify_cryptosign},
};

const struct bondy_login_method *bondy_login_method(struct bondy_slice name)
{
    for (size_t i = 0; i < BONDY_COUNT(methods); i++)
        if (bondy_slice_is(name, methods[i].name))
            return &methods[i];
    return NULL;
}
