/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/base/json.h"
#include "src/security/credential/cryptosign.h"
#include "src/security/credential/scram.h"

static const uint8_t server_random[32] = {0xb0, 0xb1, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7,
                                          0xb8, 0xb9, 0xba, 0xbb, 0xbc, 0xbd, 0xbe, 0xbf};

/* Cuts the next line off. */
static struct bondy_slice take_line(struct bondy_slice *rest)
{
    const char *end = rest->len == 0 ? NULL : memchr(rest->data, '\n', rest->len);
    struct bondy_slice line = {rest->data, end == NULL ? rest->len : (size_t)(end - rest->data)};

    *rest = bondy_slice_skip(*rest, line.len + 1);
    return line;
}

/* The verifier of the specification's vector. */
static struct bondy_password_scram alices(void)
{
    struct bondy_password_scram verifier = {.cost = {BONDY_KDF_PBKDF2, 4096, 0}};

    for (unsigned i = 0; i < sizeof verifier.salt; i++)
        verifier.salt[i] = (uint8_t)i;
    bondy_secret_unbase64(BONDY_SLICE("dcyhbDlqXtUsXW3uRwONTBy383kl73db+Jx+MuvtraM="),
                          verifier.stored_key, 32);
    bondy_secret_unbase64(BONDY_SLICE("HQBQTH+Y9JxYxKTMfz4MhSNX86pcKFMTmppWy7bwuoM="),
                          verifier.server_key, 32);
    return verifier;
}

static void run_scram(struct bondy_slice authid, const json_t *authextra,
                      struct bondy_slice signature, const json_t *extra)
{
    struct bondy_password_scram verifier = alices();
    char text[BONDY_SCRAM_VERIFIER_TEXT] = "";
    struct bondy_scram login;
    enum bondy_scram_error wrong = bondy_scram_start(&login, authid, authextra);

    if (wrong == BONDY_SCRAM_OK)
        wrong = bondy_scram_bind(&login, BONDY_SLICE("finished-msg"));
    if (wrong == BONDY_SCRAM_OK) {
        json_decref(bondy_scram_challenge(&login, &verifier, server_random));
        wrong = bondy_scram_finish(&login, signature, extra, text);
        BONDY_BUG_ON((wrong == BONDY_SCRAM_OK) != (strlen(text) == sizeof text - 1));
    }
    BONDY_BUG_ON((wrong == BONDY_SCRAM_OK) != (bondy_scram_error_word(wrong)[0] == '\0'));
    bondy_scram_fini(&login);
}

static void run_cryptosign(const json_t *authextra, struct bondy_slice signature)
{
    struct bondy_cryptosign login;

    if (bondy_cryptosign_start(&login, authextra, NULL) < 0)
        return;
    bondy_cryptosign_bind(&login, BONDY_SLICE("finished-msg"));
    json_decref(bondy_cryptosign_challenge(&login, server_random, server_random));
    bondy_cryptosign_verify(&login, signature);
}

/* What a client sends to log in: a line with the authid, one with authextra, one with the
 * signature, and the extra of AUTHENTICATE. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_started;
    struct bondy_slice rest = bondy_slice_of(data, size);
    struct bondy_slice authid = take_line(&rest);
    struct bondy_slice authextra_text = take_line(&rest);
    struct bondy_slice signature = take_line(&rest);
    json_t *authextra, *extra;

    if (!is_started)
        BONDY_BUG_ON(bondy_id_start(NULL) < 0);
    is_started = true;
    authextra = bondy_json_parse(authextra_text, 8, NULL);
    extra = bondy_json_parse(rest, 8, NULL);
    run_scram(authid, authextra, signature, extra);
    run_cryptosign(authextra, signature);
    json_decref(authextra);
    json_decref(extra);
    return 0;
}
