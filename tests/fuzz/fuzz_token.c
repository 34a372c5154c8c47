/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/security/credential/ticket.h"

/* The public half of the key that signed the corpus; the private one is gone. */
static const char pem[] = "-----BEGIN PUBLIC KEY-----\n"
                          "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAErrEH2qAyQznbsJjIz6XoEMAkTm3m\n"
                          "eUH8DKtM9NxwdQn1S02Jnin+PVTDZOFCN0UFymm4r//vd/SRthPQQnTQYg==\n"
                          "-----END PUBLIC KEY-----\n";

static struct bondy_key *start(void)
{
    struct bondy_key *key;

    BONDY_BUG_ON(bondy_id_start(NULL) < 0);
    BONDY_BUG_ON(bondy_key_parse(bondy_slice_text(pem), BONDY_KEY_EC_P256, BONDY_SLICE("119384920"),
                                 &key, NULL) < 0);
    return key;
}

static void check_claims(const struct bondy_token *token)
{
    static const int64_t clocks[] = {INT64_MIN, 0, 1767322900, INT64_MAX};
    struct bondy_token_expect expect = {.realm = BONDY_SLICE("org.acme.shop"),
                                        .authrealm = BONDY_SLICE("org.acme.sso"),
                                        .authid = BONDY_SLICE("mona"),
                                        .client_id = BONDY_SLICE("web"),
                                        .device_id = BONDY_SLICE("till4"),
                                        .leeway = 60};
    char slot[BONDY_TICKET_SLOT_TEXT];

    for (size_t i = 0; i < BONDY_COUNT(clocks); i++) {
        struct bondy_token_verdict access, ticket;

        expect.now = clocks[i];
        access = bondy_token_check_access(token, &expect);
        ticket = bondy_ticket_check(token, &expect);
        bondy_token_check_times(token->claims, clocks[i], INT64_MAX);
        /* Nothing is both, and what is refused says where. */
        BONDY_BUG_ON(access.reason == BONDY_TOKEN_OK && ticket.reason == BONDY_TOKEN_OK);
        BONDY_BUG_ON((access.reason == BONDY_TOKEN_OK) != (access.claim == NULL));
        BONDY_BUG_ON((ticket.reason == BONDY_TOKEN_OK) != (ticket.claim == NULL));
    }
    bondy_ticket_slot(token->claims, slot);
}

/* Tokens from outside: taken apart, verified, and their claims looked at. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bondy_key *key;
    struct bondy_slice jws = bondy_slice_of(data, size);
    struct bondy_token token;
    int peeked, verified;

    if (key == NULL)
        key = start();
    peeked = bondy_token_peek(jws, &token, NULL);
    if (peeked == BONDY_OK)
        check_claims(&token);
    bondy_token_fini(&token);
    verified = bondy_token_verify(jws, key, &token, NULL);
    BONDY_BUG_ON(verified == BONDY_OK &&
                 (peeked != BONDY_OK || !bondy_slice_is(token.alg, "ES256")));
    bondy_token_fini(&token);
    return 0;
}
