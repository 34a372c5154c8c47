/* SPDX-License-Identifier: Apache-2.0 */

/* Dynamic authenticators: a procedure of the realm decides who joins (realms-and-security.md 1.1
 * "authenticator"; wamp.md AUTH-DYN-1). It is called with [realm, authid, details] and answers with
 * a role, or with {role, authid?, extra?, secret?, salt?, iterations?, keylen?, pubkey?}. What
 * carries its secret itself (ticket, password) is challenged first and asked with the answer; the
 * others are asked at HELLO, and then prove what the answer says. */

#include <sodium.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/id.h"
#include "src/security/login/login_local.h"

#define ROLES_MAX 64

bool bondy_login_is_dynamic(const struct bondy_login *login,
                            const struct bondy_login_method *method)
{
    const json_t *list = json_object_get(login->realm->authenticator, "authmethods"), *one;
    size_t index;

    if (login->takes_no_questions)
        return false;
    json_array_foreach((json_t *)(uintptr_t)list, index, one)
    {
        if (json_is_string(one) && strcmp(json_string_value(one), method->name) == 0)
            return true;
    }
    return false;
}

/* ---- asking ---------------------------------------------------------------------------------- */

static json_t *describe(const struct bondy_login *login)
{
    json_t *details = json_object(), *transport = json_object();
    struct bondy_slice pubkey = bondy_login_extra(login, "pubkey");

    json_object_set_new(details, "authmethod", json_string(login->method->name));
    json_object_set_new(details, "session", json_integer((json_int_t)login->session_id));
    json_object_set_new(transport, "peername", json_string(login->source));
    json_object_set_new(transport, "is_secure", json_boolean(login->peer.is_secure));
    if (login->peer.certificate[0] != '\0')
        json_object_set_new(transport, "certificate", json_string(login->peer.certificate));
    json_object_set_new(details, "transport", transport);
    if (login->authextra != NULL)
        json_object_set(details, "authextra", (json_t *)(uintptr_t)login->authextra);
    if (json_object_get(login->details, "authrole") != NULL)
        json_object_set(details, "authrole", json_object_get(login->details, "authrole"));
    if (pubkey.len > 0)
        json_object_set_new(details, "pubkey", bondy_json_slice(pubkey));
    if (login->signature != NULL)
        json_object_set_new(details, login->method->name,
                            json_stringn(login->signature, login->signature_len));
    return details;
}

static void ask(struct bondy_login *login)
{
    json_t *args = json_array();

    json_array_append_new(args, json_string(login->realm->uri));
    json_array_append_new(args,
                          login->authid.len == 0 ? json_null() : bondy_json_slice(login->authid));
    json_array_append_new(args, describe(login));
    json_decref(login->extra);
    login->extra = args;
    login->answer.step = BONDY_LOGIN_ASK;
    login->answer.procedure =
        json_string_value(json_object_get(login->realm->authenticator, "procedure"));
    login->answer.extra = login->extra;
}

static void challenge(struct bondy_login *login)
{
    if (!login->method->challenge(login))
        return;
    login->answer.step = BONDY_LOGIN_CHALLENGE;
    login->answer.method = login->method->name;
    login->answer.extra = login->extra;
}

void bondy_login_begin_dynamic(struct bondy_login *login)
{
    login->is_dynamic = true;
    if (login->method->is_secret_sent)
        challenge(login);
    else
        ask(login);
}

void bondy_login_answer_dynamic(struct bondy_login *login)
{
    ask(login);
}

/* ---- the answer ------------------------------------------------------------------------------ */

static void fail(struct bondy_login *login, const char *cause)
{
    login->doom = cause;
    bondy_login_refuse(login, BONDY_ERR_AUTHENTICATION_FAILED,
                       "the authenticator of this realm did not answer as it should");
}

/* Its own refusals pass on; what says that there is no answer is a failure. */
static void take_error(struct bondy_login *login, const char *error)
{
    static const char *const failures[] = {
        BONDY_ERR_NO_SUCH_PROCEDURE, BONDY_ERR_TIMEOUT,       BONDY_ERR_CANCELED,
        BONDY_ERR_UNAVAILABLE,       BONDY_ERR_NO_SUCH_REALM, BONDY_ERR_NO_AVAILABLE_CALLEE,
    };

    for (size_t i = 0; i < BONDY_COUNT(failures); i++)
        if (strcmp(error, failures[i]) == 0) {
            fail(login, "authenticator_unavailable");
            return;
        }
    login->doom = "authenticator_denied";
    login->is_guess = true;
    json_decref(login->welcome_extra);
    login->welcome_extra = json_pack("{s:s}", "reason", error); /* keeps the text */
    bondy_login_refuse(login, json_string_value(json_object_get(login->welcome_extra, "reason")),
                       "the authenticator of this realm refused the login");
}

static bool take_roles(struct bondy_login *login, const json_t *role)
{
    struct bondy_name name;
    size_t count = json_is_array(role) ? json_array_size(role) : 1;

    if (count > ROLES_MAX)
        return false;
    login->chosen = json_array();
    for (size_t i = 0; i < count; i++) {
        const json_t *one = json_is_array(role) ? json_array_get(role, i) : role;

        if (!json_is_string(one) ||
            !bondy_name_fold(bondy_slice_of(json_string_value(one), json_string_length(one)),
                             &name))
            return false;
        json_array_append_new(login->chosen, json_string(name.text));
    }
    return true;
}

/* The authid it gives, else the one that was asked with, else one that is made up. */
static bool take_authid(struct bondy_login *login, const json_t *result)
{
    struct bondy_slice authid = bondy_json_text(result, "authid");
    char uuid[37];

    if (authid.len == 0)
        authid = login->authid;
    if (authid.len == 0) {
        bondy_id_uuid4(uuid);
        authid = bondy_slice_text(uuid);
    }
    return bondy_name_fold(authid, &login->name);
}

static void challenge_cra(struct bondy_login *login, const json_t *result)
{
    struct bondy_cra_challenge challenge = {.authid = bondy_name_slice(&login->name),
                                            .session = login->session_id,
                                            .wall_us = bondy_clock_wall_ms() * 1000};
    struct bondy_slice secret = bondy_json_text(result, "secret");
    struct bondy_slice salt = bondy_json_text(result, "salt");
    json_int_t iterations = json_integer_value(json_object_get(result, "iterations"));

    /* A derived key is 44 octets of base64; a secret without salt may not be longer either. */
    if (secret.len == 0 || secret.len >= sizeof login->cra.key ||
        salt.len >= sizeof login->cra.salt || iterations < 0 || iterations > BONDY_PBKDF2_MAX) {
        fail(login, "authenticator_answer");
        return;
    }
    memcpy(login->cra.key, secret.data, secret.len);
    memcpy(login->cra.salt, salt.data == NULL ? "" : salt.data, salt.len);
    login->cra.iterations = iterations == 0 ? 1000 : (uint32_t)iterations;
    bondy_id_bytes(challenge.nonce, sizeof challenge.nonce);
    bondy_cra_challenge(&challenge, &login->cra_text);
    login->extra = bondy_cra_extra(bondy_buf_slice(&login->cra_text), &login->cra);
    if (salt.len == 0) {
        json_object_del(login->extra, "salt");
        json_object_del(login->extra, "iterations");
        json_object_del(login->extra, "keylen");
    }
    login->answer.step = BONDY_LOGIN_CHALLENGE;
    login->answer.method = login->method->name;
    login->answer.extra = login->extra;
}

static void challenge_cryptosign(struct bondy_login *login, const json_t *result)
{
    struct bondy_slice given = bondy_json_text(result, "pubkey");
    uint8_t authorized[BONDY_CRYPTOSIGN_LEN];

    challenge(login);
    if (login->answer.step != BONDY_LOGIN_CHALLENGE)
        return;
    if (given.len == 0) {
        if (!login->cryptosign.has_pubkey)
            bondy_login_doom(login, "no_key");
        return;
    }
    if (!bondy_hex_parse(given, authorized, sizeof authorized))
        bondy_login_doom(login, "key_not_authorized");
    else if (!login->cryptosign.has_pubkey)
        memcpy(login->cryptosign.pubkey, authorized, sizeof authorized);
    else if (memcmp(authorized, login->cryptosign.pubkey, sizeof authorized) != 0)
        bondy_login_doom(login, "key_not_authorized");
}

void bondy_login_take_dynamic(struct bondy_login *login, const json_t *result, const char *error)
{
    const json_t *role = json_is_object(result) ? json_object_get(result, "role") : result;
    const json_t *extra = json_object_get(result, "extra");

    if (error != NULL) {
        take_error(login, error);
        return;
    }
    if (!take_roles(login, role) || !take_authid(login, result)) {
        fail(login, "authenticator_answer");
        return;
    }
    login->meta = json_is_object(extra) ? json_deep_copy(extra) : NULL;
    if (login->method->verify == NULL || login->method->is_secret_sent)
        bondy_login_welcome(login);
    else if (strcmp(login->method->name, "wampcra") == 0)
        challenge_cra(login, result);
    else if (strcmp(login->method->name, "cryptosign") == 0)
        challenge_cryptosign(login, result);
    else
        fail(login, "authenticator_method");
}
