/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_CTL_KEYFILE_H
#define BONDY_CTL_KEYFILE_H

/* keyfile: Ed25519 private keys as files hold them: 64 hexadecimal digits (the seed, RFC 8032), an
 * OpenSSH private key without passphrase, or PEM (PKCS #8, RFC 8410). */

#include <stdint.h>

#include "src/base/error.h"
#include "src/base/slice.h"

#define BONDY_KEYFILE_SEED_LEN 32

/* BONDY_EINVAL: none of these; the text says what it is instead, and never holds the key. */
int bondy_keyfile_parse(struct bondy_slice text, uint8_t seed[BONDY_KEYFILE_SEED_LEN],
                        struct bondy_error *err);
/* The same of a file. BONDY_EDENIED: others may read it. */
int bondy_keyfile_read(const char *path, uint8_t seed[BONDY_KEYFILE_SEED_LEN],
                       struct bondy_error *err);

#endif
