/* SPDX-License-Identifier: Apache-2.0 */

/* What made-up verifiers and the router's own key are derived from. It is kept in the store: a salt
 * that changed with every start would tell the names that are nobody's from those of users, whose
 * salts stay. */

#include <sodium.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/security/login/login_local.h"
#include "src/security/entity/stored.h"

#define HEX_LEN (2 * BONDY_LOGIN_SECRET_LEN)

static const struct bondy_store_key setting = {.type = BONDY_RECORD_SETTING,
                                               .subkey = BONDY_SLICE("security.login")};

struct keeping {
    struct bondy_store_job job;
    struct bondy_edit edit;
    char hex[HEX_LEN + 1];
};

/* The first one stays. */
static int run_keep(struct bondy_store_job *job, struct bondy_store_write *write,
                    struct bondy_error *err)
{
    struct keeping *keeping = BONDY_CONTAINER(job, struct keeping, job);
    json_t *body = json_pack("{s:s}", "secret", keeping->hex);
    int rc = BONDY_OK;

    (void)err;
    bondy_edit_start(&keeping->edit, write);
    if (!bondy_stored_has(bondy_edit_view(&keeping->edit), &setting))
        rc = bondy_stored_put(&keeping->edit, &setting, 0, body);
    json_decref(body);
    return bondy_edit_end(&keeping->edit, rc);
}

static void kept(struct bondy_store_job *job)
{
    struct keeping *keeping = BONDY_CONTAINER(job, struct keeping, job);

    bondy_edit_fini(&keeping->edit);
    sodium_memzero(keeping->hex, sizeof keeping->hex);
    bondy_free(keeping);
}

static bool read_secret(struct bondy_store *store, uint8_t out[BONDY_LOGIN_SECRET_LEN])
{
    struct bondy_store_view *view = NULL;
    bool is_found = false;
    json_t *body;

    if (bondy_store_view_begin(store, &view, NULL) < 0)
        return false;
    body = bondy_stored_get(view, &setting, NULL);
    is_found = bondy_hex_parse(bondy_json_text(body, "secret"), out, BONDY_LOGIN_SECRET_LEN);
    json_decref(body);
    bondy_store_view_end(view);
    return is_found;
}

void bondy_login_secret(const struct bondy_auth_options *options,
                        uint8_t out[BONDY_LOGIN_SECRET_LEN])
{
    struct keeping *keeping;

    if (read_secret(options->store, out))
        return;
    bondy_id_bytes(out, BONDY_LOGIN_SECRET_LEN);
    keeping = bondy_zalloc(sizeof *keeping);
    sodium_bin2hex(keeping->hex, sizeof keeping->hex, out, BONDY_LOGIN_SECRET_LEN);
    keeping->job.run = run_keep;
    keeping->job.done = kept;
    keeping->edit.rules = options->rules;
    bondy_store_submit(options->store, &keeping->job);
}

void bondy_login_derive_router_key(struct bondy_auth *auth)
{
    static const char label[] = "bondy router key";
    uint8_t private[crypto_sign_SECRETKEYBYTES];

    crypto_generichash(auth->router_seed, sizeof auth->router_seed, (const uint8_t *)label,
                       sizeof label - 1, auth->secret, sizeof auth->secret);
    crypto_sign_seed_keypair(auth->router_key, private, auth->router_seed);
    sodium_memzero(private, sizeof private);
}
