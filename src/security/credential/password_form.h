/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_CREDENTIAL_PASSWORD_FORM_H
#define BONDY_SECURITY_CREDENTIAL_PASSWORD_FORM_H

/* password_form: stored password objects, read and written. Internal to src/security; password.h is
 * what others use. realms-and-security.md 2.4. */

#include "src/security/credential/password.h"

#define BONDY_PASSWORD_SALT_MAX 128 /* octets of a salt text */
#define BONDY_PASSWORD_HASH_MAX 64  /* octets of a legacy hash: SHA-512 */

enum bondy_password_form {
    BONDY_PASSWORD_CRA,
    BONDY_PASSWORD_SCRAM,
    BONDY_PASSWORD_LEGACY /* hex, of a hash or a length that CRA cannot use */
};

/* One verifier, unpacked. */
struct bondy_password_verifier {
    enum bondy_password_form form;
    struct bondy_kdf_cost cost;
    char salt_text[BONDY_PASSWORD_SALT_MAX + 1]; /* cra, legacy */
    uint8_t salt[BONDY_KDF_SALT_LEN];            /* scram */
    uint8_t hash[BONDY_PASSWORD_HASH_MAX];       /* salted password (cra, legacy), stored key */
    size_t hash_len;
    uint8_t server_key[BONDY_KDF_LEN]; /* scram */
    const char *hash_name;             /* legacy: of bondy_password_hashes */
};

/* PBKDF2 over the hash functions of old records. */
struct bondy_password_hash {
    const char *name;
    int gnutls_mac;
};
extern const struct bondy_password_hash bondy_password_hashes[];
const struct bondy_password_hash *bondy_password_find_hash(struct bondy_slice name);

/* Reads one object of any version. False when anything is wrong, with *wrong saying what (never the
 * value). Zero *out after use. */
bool bondy_password_read(const json_t *object, struct bondy_password_verifier *out,
                         const char **wrong);
/* The stored object of a verifier, owned by the caller. */
json_t *bondy_password_write(const struct bondy_password_verifier *verifier);

#endif
