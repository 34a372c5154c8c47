/* SPDX-License-Identifier: Apache-2.0 */
#include "src/ctl/login.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <sodium.h>

#include "src/base/alloc.h"
#include "src/ctl/secret.h"
#include "src/wamp/errors.h"

#define KEY_LEN 32
#define KEY_TEXT 45 /* base64 of that, with a NUL */
#define SALT_MAX 256
#define NONCE_TEXT_MAX 256

/* What a router may ask for. A weak derivation would let a false one find the password sooner, a
 * costly one would keep this machine busy. */
#define CRA_ITERATIONS_MIN 1000
#define SCRAM_ITERATIONS_MIN 4096
#define ITERATIONS_MAX 1000000
#define ARGON2_MEMORY_MIN 8          /* KiB */
#define ARGON2_MEMORY_MAX 1048576    /* KiB */
#define ARGON2_WORK_MAX (4ull << 20) /* iterations times KiB */

void bondy_ctl_credentials_fini(struct bondy_ctl_credentials *credentials)
{
    bondy_free(credentials->authid);
    bondy_secret_destroy(credentials->secret);
    bondy_secret_destroy(credentials->ticket);
    sodium_memzero(credentials, sizeof *credentials);
}

/* ---- keys ------------------------------------------------------------------------------------ */

static void hmac(struct bondy_slice key, struct bondy_slice text, uint8_t out[KEY_LEN])
{
    crypto_auth_hmacsha256_state state;

    crypto_auth_hmacsha256_init(&state, (const unsigned char *)key.data, key.len);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)text.data, text.len);
    crypto_auth_hmacsha256_final(&state, out);
    sodium_memzero(&state, sizeof state);
}

static void base64(const uint8_t *octets, size_t len, char *out, size_t out_size)
{
    sodium_bin2base64(out, out_size, octets, len, sodium_base64_VARIANT_ORIGINAL);
}

static bool unbase64(struct bondy_slice text, uint8_t *out, size_t out_size, size_t *len)
{
    return sodium_base642bin(out, out_size, text.data, text.len, NULL, len, NULL,
                             sodium_base64_VARIANT_ORIGINAL) == 0;
}

static int pbkdf2(struct bondy_slice password, struct bondy_slice salt, unsigned iterations,
                  uint8_t *out, size_t out_len, struct bondy_error *err)
{
    gnutls_datum_t key = {(unsigned char *)(uintptr_t)password.data, (unsigned)password.len};
    gnutls_datum_t salt_datum = {(unsigned char *)(uintptr_t)salt.data, (unsigned)salt.len};
    int rc = gnutls_pbkdf2(GNUTLS_MAC_SHA256, &key, &salt_datum, iterations, out, out_len);

    return rc < 0 ? bondy_fail(err, BONDY_EIO, "PBKDF2: %s", gnutls_strerror(rc)) : BONDY_OK;
}

/* An integer member within bounds; 0: none. */
static json_int_t number_of(const json_t *extra, const char *key, json_int_t least, json_int_t most)
{
    json_int_t number = json_integer_value(json_object_get(extra, key));

    return number >= least && number <= most ? number : 0;
}

static int bad_challenge(const char *method, const char *what, struct bondy_error *err)
{
    return bondy_fail(err, BONDY_EPROTO, "the router's %s challenge is not usable: %s", method,
                      what);
}

/* ---- password, ticket ------------------------------------------------------------------------ */

static int answer_password(struct bondy_ctl_login *login, const json_t *extra, char **signature,
                           json_t **answer, struct bondy_error *err)
{
    (void)extra;
    (void)answer;
    (void)err;
    *signature = bondy_strdup(login->credentials->secret);
    return BONDY_OK;
}

static int answer_ticket(struct bondy_ctl_login *login, const json_t *extra, char **signature,
                         json_t **answer, struct bondy_error *err)
{
    (void)extra;
    (void)answer;
    (void)err;
    *signature = bondy_strdup(login->credentials->ticket);
    return BONDY_OK;
}

/* ---- wampcra --------------------------------------------------------------------------------- */

/* The text that is the HMAC's key: of a salted password, else the password. */
static int cra_key(const char *secret, const json_t *extra, char **out, struct bondy_error *err)
{
    struct bondy_slice salt = bondy_json_text(extra, "salt");
    json_int_t iterations = number_of(extra, "iterations", CRA_ITERATIONS_MIN, ITERATIONS_MAX);
    json_int_t len =
        json_object_get(extra, "keylen") == NULL ? KEY_LEN : number_of(extra, "keylen", 16, 64);
    uint8_t key[64];
    char text[sodium_base64_ENCODED_LEN(sizeof key, sodium_base64_VARIANT_ORIGINAL)];
    int rc;

    if (json_object_get(extra, "salt") == NULL) {
        *out = bondy_strdup(secret);
        return BONDY_OK;
    }
    if (salt.len > SALT_MAX || iterations == 0 || len == 0)
        return bad_challenge("wampcra", "salt, keylen or iterations", err);
    rc = pbkdf2(bondy_slice_text(secret), salt, (unsigned)iterations, key, (size_t)len, err);
    if (rc == BONDY_OK) {
        base64(key, (size_t)len, text, sizeof text);
        *out = bondy_strdup(text);
        sodium_memzero(text, sizeof text);
    }
    sodium_memzero(key, sizeof key);
    return rc;
}

static int answer_cra(struct bondy_ctl_login *login, const json_t *extra, char **signature,
                      json_t **answer, struct bondy_error *err)
{
    struct bondy_slice challenge = bondy_json_text(extra, "challenge");
    uint8_t octets[KEY_LEN];
    char *key = NULL;
    int rc;

    (void)answer;
    if (challenge.len == 0)
        return bad_challenge("wampcra", "there is no challenge in it", err);
    if ((rc = cra_key(login->credentials->secret, extra, &key, err)) < 0)
        return rc;
    hmac(bondy_slice_text(key), challenge, octets);
    *signature = bondy_zalloc(KEY_TEXT);
    base64(octets, sizeof octets, *signature, KEY_TEXT);
    bondy_secret_destroy(key);
    return BONDY_OK;
}

/* ---- wamp-scram ------------------------------------------------------------------------------ */

/* OpaqueString (RFC 8265), as the router prepares passwords and names. */
static int prepare(const char *text, char **out, struct bondy_error *err)
{
    gnutls_datum_t prepared = {NULL, 0};
    int rc = gnutls_utf8_password_normalize((const unsigned char *)text, (unsigned)strlen(text),
                                            &prepared, 0);

    if (rc < 0)
        return bondy_fail(err, BONDY_EINVAL,
                          "a name or password with characters that none may have: %s",
                          gnutls_strerror(rc));
    *out = bondy_memdup0(prepared.data, prepared.size);
    sodium_memzero(prepared.data, prepared.size);
    gnutls_free(prepared.data);
    return BONDY_OK;
}

static int derive_argon2(struct bondy_slice password, const uint8_t *salt, size_t salt_len,
                         const json_t *extra, uint8_t out[KEY_LEN], struct bondy_error *err)
{
    json_int_t iterations = number_of(extra, "iterations", 1, ITERATIONS_MAX);
    json_int_t memory = number_of(extra, "memory", ARGON2_MEMORY_MIN, ARGON2_MEMORY_MAX);

    if (iterations == 0 || memory == 0 ||
        (unsigned long long)iterations * (unsigned long long)memory > ARGON2_WORK_MAX ||
        salt_len != crypto_pwhash_SALTBYTES)
        return bad_challenge("wamp-scram", "salt, iterations or memory", err);
    if (crypto_pwhash(out, KEY_LEN, password.data, password.len, salt,
                      (unsigned long long)iterations, (size_t)memory * 1024,
                      crypto_pwhash_ALG_ARGON2ID13) != 0)
        return bondy_fail(err, BONDY_ELIMIT, "argon2id13 does not get %d KiB of memory",
                          (int)memory);
    return BONDY_OK;
}

static int salted_password(const char *password, const json_t *extra, uint8_t out[KEY_LEN],
                           struct bondy_error *err)
{
    struct bondy_slice kdf = bondy_json_text(extra, "kdf");
    uint8_t salt[SALT_MAX];
    size_t salt_len = 0;
    json_int_t iterations;

    if (!unbase64(bondy_json_text(extra, "salt"), salt, sizeof salt, &salt_len) || salt_len < 8)
        return bad_challenge("wamp-scram", "salt", err);
    if (bondy_slice_is(kdf, "argon2id13"))
        return derive_argon2(bondy_slice_text(password), salt, salt_len, extra, out, err);
    if (!bondy_slice_is(kdf, "pbkdf2"))
        return bad_challenge("wamp-scram", "kdf is neither pbkdf2 nor argon2id13", err);
    iterations = number_of(extra, "iterations", SCRAM_ITERATIONS_MIN, ITERATIONS_MAX);
    if (iterations == 0)
        return bad_challenge("wamp-scram", "iterations", err);
    return pbkdf2(bondy_slice_text(password), bondy_slice_of(salt, salt_len), (unsigned)iterations,
                  out, KEY_LEN, err);
}

/* RFC 5802, saslname: "=" and "," have a meaning in the message. */
static void append_name(const char *name, struct bondy_buf *out)
{
    for (; *name != '\0'; name++) {
        if (*name == '=')
            bondy_buf_append_text(out, "=3D");
        else if (*name == ',')
            bondy_buf_append_text(out, "=2C");
        else
            bondy_buf_append_byte(out, (unsigned char)*name);
    }
}

/* What both sides sign. The router's nonce goes on where ours ends. */
static int scram_message(const struct bondy_ctl_login *login, const char *authid,
                         const json_t *extra, struct bondy_buf *out, struct bondy_error *err)
{
    struct bondy_slice nonce = bondy_json_text(extra, "nonce");
    struct bondy_slice salt = bondy_json_text(extra, "salt");
    uint8_t octets[NONCE_TEXT_MAX];
    char own[sodium_base64_ENCODED_LEN(BONDY_CTL_NONCE_LEN, sodium_base64_VARIANT_ORIGINAL)];
    size_t len = 0;

    if (!unbase64(nonce, octets, sizeof octets, &len) || len <= BONDY_CTL_NONCE_LEN ||
        memcmp(octets, login->nonce, BONDY_CTL_NONCE_LEN) != 0)
        return bad_challenge("wamp-scram", "its nonce does not begin with ours", err);
    base64(login->nonce, BONDY_CTL_NONCE_LEN, own, sizeof own);
    bondy_buf_append_text(out, "n=");
    append_name(authid, out);
    bondy_buf_printf(out,
                     ",r=%s,r=" BONDY_SLICE_FMT ",s=" BONDY_SLICE_FMT ",i=%" JSON_INTEGER_FORMAT
                     ",c=biws,r=" BONDY_SLICE_FMT,
                     own, BONDY_SLICE_ARG(nonce), BONDY_SLICE_ARG(salt),
                     json_integer_value(json_object_get(extra, "iterations")),
                     BONDY_SLICE_ARG(nonce));
    return BONDY_OK;
}

/* RFC 5802 section 3. Keeps what the router has to prove. */
static void scram_proof(struct bondy_ctl_login *login, const uint8_t salted[KEY_LEN],
                        struct bondy_slice message, char proof[KEY_TEXT])
{
    struct bondy_slice key = bondy_slice_of(salted, KEY_LEN);
    uint8_t client_key[KEY_LEN], stored_key[KEY_LEN], server_key[KEY_LEN], octets[KEY_LEN];

    hmac(key, BONDY_SLICE("Client Key"), client_key);
    hmac(key, BONDY_SLICE("Server Key"), server_key);
    crypto_hash_sha256(stored_key, client_key, sizeof client_key);
    hmac(bondy_slice_of(stored_key, KEY_LEN), message, octets);
    for (size_t i = 0; i < KEY_LEN; i++)
        octets[i] ^= client_key[i];
    base64(octets, sizeof octets, proof, KEY_TEXT);
    hmac(bondy_slice_of(server_key, KEY_LEN), message, login->verifier);
    sodium_memzero(client_key, sizeof client_key);
    sodium_memzero(stored_key, sizeof stored_key);
    sodium_memzero(server_key, sizeof server_key);
}

static int answer_scram(struct bondy_ctl_login *login, const json_t *extra, char **signature,
                        json_t **answer, struct bondy_error *err)
{
    const json_t *binding = json_object_get(extra, "channel_binding");
    struct bondy_buf message = BONDY_BUF_EMPTY;
    char *authid = NULL, *password = NULL;
    uint8_t salted[KEY_LEN];
    int rc;

    if (binding != NULL && !json_is_null(binding))
        return bad_challenge("wamp-scram", "a channel binding that was not asked for", err);
    if ((rc = prepare(login->credentials->authid, &authid, err)) < 0 ||
        (rc = prepare(login->credentials->secret, &password, err)) < 0 ||
        (rc = scram_message(login, authid, extra, &message, err)) < 0 ||
        (rc = salted_password(password, extra, salted, err)) < 0)
        goto out;
    *signature = bondy_zalloc(KEY_TEXT);
    scram_proof(login, salted, bondy_buf_slice(&message), *signature);
    json_object_set(*answer, "nonce", json_object_get(extra, "nonce"));
    json_object_set_new(*answer, "channel_binding", json_null());
    json_object_set_new(*answer, "cbind_data", json_null());
out:
    sodium_memzero(salted, sizeof salted);
    bondy_secret_destroy(password);
    bondy_free(authid);
    bondy_buf_fini(&message);
    return rc;
}

/* ---- cryptosign ------------------------------------------------------------------------------ */

static void public_hex(const uint8_t seed[32], char out[65])
{
    uint8_t public_key[crypto_sign_PUBLICKEYBYTES], secret_key[crypto_sign_SECRETKEYBYTES];

    crypto_sign_seed_keypair(public_key, secret_key, seed);
    sodium_bin2hex(out, 65, public_key, sizeof public_key);
    sodium_memzero(secret_key, sizeof secret_key);
}

/* The signature and what was signed, in hexadecimal. */
static int answer_cryptosign(struct bondy_ctl_login *login, const json_t *extra, char **signature,
                             json_t **answer, struct bondy_error *err)
{
    enum { SIGNED_LEN = crypto_sign_BYTES + KEY_LEN };
    struct bondy_slice text = bondy_json_text(extra, "challenge");
    const json_t *binding = json_object_get(extra, "channel_binding");
    uint8_t public_key[crypto_sign_PUBLICKEYBYTES], secret_key[crypto_sign_SECRETKEYBYTES];
    uint8_t challenge[KEY_LEN], octets[SIGNED_LEN];
    size_t len = 0;

    (void)answer;
    if (binding != NULL && !json_is_null(binding))
        return bad_challenge("cryptosign", "a channel binding that was not asked for", err);
    if (text.len != 2 * sizeof challenge ||
        sodium_hex2bin(challenge, sizeof challenge, text.data, text.len, NULL, &len, NULL) != 0 ||
        len != sizeof challenge)
        return bad_challenge("cryptosign", "the challenge is not 64 hexadecimal digits", err);
    crypto_sign_seed_keypair(public_key, secret_key, login->credentials->seed);
    crypto_sign_detached(octets, NULL, challenge, sizeof challenge, secret_key);
    memcpy(octets + crypto_sign_BYTES, challenge, sizeof challenge);
    *signature = bondy_zalloc(2 * SIGNED_LEN + 1);
    sodium_bin2hex(*signature, 2 * SIGNED_LEN + 1, octets, sizeof octets);
    sodium_memzero(secret_key, sizeof secret_key);
    return BONDY_OK;
}

/* ---- the table, in the order of preference ----------------------------------------------------*/

enum need { NEEDS_NOTHING, NEEDS_KEY, NEEDS_TICKET, NEEDS_SECRET, NEEDS_NAME };

static const struct method {
    const char *name;
    enum need need;
    bool is_secret_sent;
    int (*answer)(struct bondy_ctl_login *login, const json_t *extra, char **signature,
                  json_t **answer, struct bondy_error *err);
} methods[] = {
    {"cryptosign", NEEDS_KEY, false, answer_cryptosign},
    {"ticket", NEEDS_TICKET, true, answer_ticket},
    {"wamp-scram", NEEDS_SECRET, false, answer_scram},
    {"wampcra", NEEDS_SECRET, false, answer_cra},
    {"password", NEEDS_SECRET, true, answer_password},
    {"trust", NEEDS_NAME, false, NULL},
    {"anonymous", NEEDS_NOTHING, false, NULL},
};

static bool is_met(const struct bondy_ctl_credentials *credentials, enum need need)
{
    bool has_any =
        credentials->has_seed || credentials->ticket != NULL || credentials->secret != NULL;

    switch (need) {
    case NEEDS_KEY:
        return credentials->has_seed;
    case NEEDS_TICKET:
        return credentials->ticket != NULL;
    case NEEDS_SECRET:
        return credentials->secret != NULL;
    case NEEDS_NAME:
        return !has_any && credentials->authid != NULL;
    default:
        return !has_any && credentials->authid == NULL;
    }
}

static void add_extra(const struct bondy_ctl_login *login, json_t *details)
{
    json_t *extra = json_object();
    char nonce[sodium_base64_ENCODED_LEN(BONDY_CTL_NONCE_LEN, sodium_base64_VARIANT_ORIGINAL)];
    char pubkey[65];

    if (login->credentials->has_seed) {
        public_hex(login->credentials->seed, pubkey);
        json_object_set_new(extra, "pubkey", json_string(pubkey));
        json_object_set_new(extra, "channel_binding", json_null());
    }
    if (login->credentials->secret != NULL) {
        base64(login->nonce, sizeof login->nonce, nonce, sizeof nonce);
        json_object_set_new(extra, "nonce", json_string(nonce));
        json_object_set_new(extra, "channel_binding", json_null());
    }
    if (json_object_size(extra) > 0)
        json_object_set(details, "authextra", extra);
    json_decref(extra);
}

int bondy_ctl_login_hello(struct bondy_ctl_login *login, json_t *details, struct bondy_error *err)
{
    const struct bondy_ctl_credentials *credentials = login->credentials;
    json_t *names = json_array();

    if (credentials->authid == NULL &&
        (credentials->secret != NULL || credentials->ticket != NULL)) {
        json_decref(names);
        return bondy_fail(err, BONDY_EINVAL, "a %s needs --authid: whose it is",
                          credentials->secret != NULL ? "password" : "ticket");
    }
    login->offered_count = 0;
    for (size_t i = 0; i < BONDY_COUNT(methods); i++) {
        if (!is_met(credentials, methods[i].need) ||
            (methods[i].is_secret_sent && !login->is_private))
            continue;
        login->offered[login->offered_count++] = methods[i].name;
        json_array_append_new(names, json_string(methods[i].name));
    }
    json_object_set_new(details, "authmethods", names);
    if (login->offered_count == 0)
        return bondy_fail(err, BONDY_EDENIED,
                          "a ticket goes only where nobody can read it: over tls:// or wss://, a "
                          "Unix socket, or to this machine");
    if (credentials->authid != NULL)
        json_object_set_new(details, "authid", json_string(credentials->authid));
    add_extra(login, details);
    return BONDY_OK;
}

static const struct method *find_offered(const struct bondy_ctl_login *login,
                                         struct bondy_slice name)
{
    for (size_t i = 0; i < login->offered_count; i++) {
        for (size_t j = 0; j < BONDY_COUNT(methods); j++) {
            if (login->offered[i] == methods[j].name && bondy_slice_is(name, methods[j].name) &&
                methods[j].answer != NULL)
                return &methods[j];
        }
    }
    return NULL;
}

int bondy_ctl_login_answer(struct bondy_ctl_login *login, struct bondy_slice method,
                           const json_t *extra, char **signature, json_t **answer,
                           struct bondy_error *err)
{
    const struct method *found = find_offered(login, method);
    int rc;

    *signature = NULL;
    *answer = json_object();
    if (found == NULL || login->method != NULL)
        rc = bondy_fail(err, BONDY_EPROTO,
                        "the router asks for " BONDY_SLICE_FMT ", which was not offered%s",
                        BONDY_SLICE_ARG(method), login->method != NULL ? " a second time" : "");
    else
        rc = found->answer(login, extra, signature, answer, err);
    if (rc == BONDY_OK)
        login->method = found->name;
    return rc;
}

/* Every method that was offered has a challenge. */
static bool is_asked_for_proof(const struct bondy_ctl_login *login)
{
    for (size_t i = 0; i < login->offered_count; i++)
        if (strcmp(login->offered[i], "trust") == 0 || strcmp(login->offered[i], "anonymous") == 0)
            return false;
    return true;
}

int bondy_ctl_login_welcome(const struct bondy_ctl_login *login, const json_t *details,
                            struct bondy_error *err)
{
    const json_t *extra = json_object_get(details, "authextra");
    struct bondy_slice text = bondy_json_text(extra, "verifier");
    uint8_t octets[KEY_LEN];
    size_t len = 0;

    if (login->method == NULL && is_asked_for_proof(login))
        return bondy_fail(err, BONDY_EPROTO,
                          "the router lets us in without asking for a proof of "
                          "who we are: this may be a false one");
    if (login->method == NULL || strcmp(login->method, "wamp-scram") != 0)
        return BONDY_OK;
    if (bondy_slice_starts(text, BONDY_SLICE("v=")))
        text = bondy_slice_skip(text, 2);
    if (text.len > 0 && unbase64(text, octets, sizeof octets, &len) && len == sizeof octets &&
        sodium_memcmp(octets, login->verifier, sizeof octets) == 0)
        return BONDY_OK;
    return bondy_fail(err, BONDY_EDENIED,
                      "the router %s that it knows the password: this may be a false one",
                      text.len == 0 ? "does not prove" : "proves wrongly");
}

/* ---- what an ABORT means --------------------------------------------------------------------- */

static const struct {
    const char *reason;
    bool is_denial;
    const char *advice;
} reasons[] = {
    {BONDY_ERR_NO_SUCH_REALM, false,
     "--realm names another; `bondy realm list` tells those that exist"},
    {BONDY_ERR_AUTHENTICATION_REQUIRED, true,
     "this realm wants to know who you are: --authid with --secret-file, --ticket-file or "
     "--key-file"},
    {BONDY_ERR_NO_MATCHING_AUTH_METHOD, true,
     "nobody can log in here with what was offered; log in with --authid and --secret-file, "
     "--ticket-file or --key-file, and over TLS when it is a password; `bondy realm get` tells the "
     "realm's authmethods"},
    {BONDY_ERR_AUTHENTICATION_DENIED, true,
     "the name, the secret or the key is wrong, or this user may not log in like this from here; "
     "`bondy user authmethods REALM USERNAME --ip ADDRESS` and `bondy audit --action auth.fail` "
     "tell an administrator more"},
    {BONDY_ERR_AUTHENTICATION_FAILED, true,
     "the login could not be carried through: the realm may take no sessions now, or too many "
     "attempts failed; `bondy audit --action auth.fail` tells an administrator more"},
    {BONDY_ERR_NO_SUCH_PRINCIPAL, true, "there is no such user here, or it is disabled"},
    {BONDY_ERR_NO_SUCH_ROLE, true, "the user is not in that group"},
    {BONDY_ERR_NOT_AUTHORIZED, true, NULL},
    {"wamp.error.not_auth_method", true, "nobody can log in here with what was offered"},
    {BONDY_CLOSE_SYSTEM_SHUTDOWN, false, "the router stops; try again later"},
};

const char *bondy_ctl_login_advice(struct bondy_slice reason)
{
    for (size_t i = 0; i < BONDY_COUNT(reasons); i++)
        if (bondy_slice_is(reason, reasons[i].reason))
            return reasons[i].advice;
    return NULL;
}

bool bondy_ctl_login_is_denial(struct bondy_slice reason)
{
    for (size_t i = 0; i < BONDY_COUNT(reasons); i++)
        if (bondy_slice_is(reason, reasons[i].reason))
            return reasons[i].is_denial;
    return false;
}
