/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/base/json.h"
#include "src/security/credential/password.h"

/* What is taken is stored in a form that is taken again, and asks for no more work than allowed. */
static void check_stored(const json_t *stored)
{
    struct bondy_password_opts opts = BONDY_PASSWORD_OPTS_DEFAULT;
    struct bondy_password_scram scram;
    struct bondy_password_cra cra;
    json_t *again;

    BONDY_BUG_ON(bondy_password_parse(stored, &again) != NULL);
    BONDY_BUG_ON(!json_equal(stored, again));
    if (bondy_password_find_cra(stored, &cra))
        BONDY_BUG_ON(cra.iterations < BONDY_PBKDF2_MIN || cra.iterations > BONDY_PBKDF2_MAX);
    if (bondy_password_find_scram(stored, &scram))
        BONDY_BUG_ON(!bondy_kdf_is_allowed(&scram.cost));
    bondy_password_is_weaker(stored, &opts);
    json_decref(again);
}

static void check_opts(const json_t *input)
{
    struct bondy_password_opts opts = BONDY_PASSWORD_OPTS_DEFAULT;
    json_t *problem = bondy_password_opts_parse(input, &opts, &opts);
    struct bondy_kdf_cost cra = {BONDY_KDF_PBKDF2, opts.cra_iterations, 0};
    json_t *shown = bondy_password_opts_format(&opts);

    BONDY_BUG_ON(!bondy_kdf_is_allowed(&cra) || !bondy_kdf_is_allowed(&opts.scram_cost));
    json_decref(problem);
    problem = bondy_password_opts_parse(shown, &opts, &opts);
    BONDY_BUG_ON(problem != NULL);
    json_decref(shown);
}

/* Password objects and options from outside, and passwords. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_started;
    struct bondy_slice text = bondy_slice_of(data, size);
    json_t *input, *stored;
    size_t len;
    char *prepared;

    if (!is_started)
        BONDY_BUG_ON(bondy_id_start(NULL) < 0);
    is_started = true;
    input = bondy_json_parse(text, 8, NULL);
    if (input != NULL) {
        json_decref(bondy_password_parse(input, &stored));
        if (stored != NULL)
            check_stored(stored);
        json_decref(stored);
        check_opts(input);
    }
    json_decref(input);
    json_decref(bondy_password_check(text, 8, 254, size % 2 == 0));
    prepared = bondy_password_prepare(text, &len);
    bondy_free(prepared);
    return 0;
}
