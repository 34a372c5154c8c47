/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_CREDENTIAL_PASSWORD_H
#define BONDY_SECURITY_CREDENTIAL_PASSWORD_H

/* password: what a password may be, and the verifiers that are stored instead of it.
 *
 * A user has an array of one or two objects, one for WAMP-CRA and one for SCRAM; either also serves
 * the methods that get the password itself. The CRA verifier is made of the octets as they came
 * (CRA clients do not normalise), the SCRAM one of the prepared password. Preparing is GnuTLS's
 * OpaqueString (RFC 8265, which replaced SASLprep and agrees with it for all that is not a
 * compatibility character): it is linked already, whereas the libraries with the retired SASLprep
 * tables are not.
 *
 * Pure; any thread. What ends in _wait derives keys: a pool thread only. Problems are error objects
 * (src/base/problem.h), owned by the caller, NULL when all is well; none holds the value.
 * realms-and-security.md 2.4. */

#include <jansson.h>

#include "src/security/credential/kdf.h"

struct bondy_password_opts {
    bool cra;   /* make a verifier for WAMP-CRA */
    bool scram; /* and (or) one for SCRAM */
    uint32_t cra_iterations;
    struct bondy_kdf_cost scram_cost;
};

/* What the defaults of the configuration give: CRA, PBKDF2, 65536 iterations for both. */
#define BONDY_PASSWORD_OPTS_DEFAULT                                                                \
    ((struct bondy_password_opts){                                                                 \
        .cra = true, .cra_iterations = 65536, .scram_cost = {BONDY_KDF_PBKDF2, 65536, 0}})

/* Fills *out with `defaults` (which may be `out`) overridden by an input object `password_opts`.
 * A protocol given stands alone: the caller adds the other when the realm allows both methods. */
json_t *bondy_password_opts_parse(const json_t *input, const struct bondy_password_opts *defaults,
                                  struct bondy_password_opts *out);
/* The external form, which parses again: {"protocol", "params"}; of both protocols cra is named.
 * The caller owns it. */
json_t *bondy_password_opts_format(const struct bondy_password_opts *opts);

/* Whether `text` may become a password: `min` to `max` characters, printable, UTF-8; with
 * `legacy_charset` only what the older router takes. */
json_t *bondy_password_check(struct bondy_slice text, size_t min, size_t max, bool legacy_charset);

/* The stored array for a new password (which passed the check); at least one of cra and scram must
 * be set. The caller owns it. NULL when it fails: not a password at all, or no memory for the
 * key derivation. */
json_t *bondy_password_make_wait(struct bondy_slice text, const struct bondy_password_opts *opts,
                                 struct bondy_error *err);
/* Takes hashed passwords from outside: an object or an array of one or two of them, of version 1.2
 * or (import) 1.1, 1.0 or none. Puts the stored array in *stored, with known keys only. */
json_t *bondy_password_parse(const json_t *input, json_t **stored);

/* Whether `text` is the password. Costs the same for right and wrong ones; a stored array that
 * cannot be read costs nothing and is false. BONDY_OK with *matches, or a failure of the key
 * derivation. */
int bondy_password_verify_wait(const json_t *stored, struct bondy_slice text, bool *matches,
                               struct bondy_error *err);
/* Spends what verifying a password made with `opts` costs: for users who do not exist. */
void bondy_password_waste_wait(const struct bondy_password_opts *opts, struct bondy_slice text);
/* Whether a password that was just given should be made again: a wanted verifier is missing, of an
 * older version, or cheaper to guess than `opts` asks for. */
bool bondy_password_is_weaker(const json_t *stored, const struct bondy_password_opts *opts);

/* What wampcra needs. The texts are NUL-terminated; zero the struct after use. */
struct bondy_password_cra {
    uint32_t iterations;
    char salt[129];           /* text, used as it is */
    char key[BONDY_KDF_TEXT]; /* base64 of the salted password: the HMAC key is this text */
    bool is_fake;             /* nobody's: never let in */
};

/* What wamp-scram needs; zero it after use. */
struct bondy_password_scram {
    struct bondy_kdf_cost cost;
    uint8_t salt[BONDY_KDF_SALT_LEN];
    uint8_t stored_key[BONDY_KDF_LEN];
    uint8_t server_key[BONDY_KDF_LEN];
    bool is_fake;
};

/* False when the array holds none for the method. */
bool bondy_password_find_cra(const json_t *stored, struct bondy_password_cra *out);
bool bondy_password_find_scram(const json_t *stored, struct bondy_password_scram *out);

/* OpaqueString of `text` as a NUL-terminated string that the caller owns, with its length (zero it
 * before freeing); NULL when it has none: not UTF-8, control or unassigned characters. */
char *bondy_password_prepare(struct bondy_slice text, size_t *len);

#endif
