/* SPDX-License-Identifier: Apache-2.0 */
#include "src/server/master_key.h"

#include <sodium.h>

#include "src/base/alloc.h"
#include "src/base/log.h"
#include "src/security/entity/secret.h"
#include "src/store/seal.h"

static const struct source {
    const char *file, *text;
} sources[] = {
    {"security.master_key_file", "security.master_key"},
    {"security.master_key_file.previous", "security.master_key.previous"},
};

enum { CURRENT, PREVIOUS };

/* False when there is none. */
static int read_key(const struct bondy_config *config, const struct source *source,
                    struct bondy_master_key *out, bool *is_there, struct bondy_error *err)
{
    const char *file = bondy_config_text(config, source->file);
    const char *text = bondy_config_text(config, source->text);
    int rc = BONDY_OK;

    *is_there = file != NULL || text != NULL;
    if (file != NULL) {
        if ((rc = bondy_master_key_read(file, out, err)) < 0)
            bondy_wrap(err, "%s", source->file);
    } else if (text != NULL) {
        if ((rc = bondy_master_key_parse(bondy_slice_text(text), out, err)) < 0)
            bondy_wrap(err, "%s", source->text);
    }
    return rc;
}

static void log_seal(const struct bondy_server *server)
{
    const uint8_t *id = bondy_seal_key_id(server->seal);
    char text[BONDY_MASTER_KEY_ID_TEXT];

    if (id != NULL) {
        bondy_master_key_id_text(id, text);
        bondy_log(BONDY_LOG_INFO, "master_key", BONDY_F_STR("id", text));
    } else if (!server->options->dev) {
        bondy_log(BONDY_LOG_WARN, "secrets_not_sealed",
                  BONDY_F_STR("description",
                              "password verifiers and private keys lie in store.data_dir as they "
                              "are; security.master_key_file seals them (bondyd "
                              "--make-master-key FILE makes one)"));
    }
}

int bondy_server_make_seal(struct bondy_server *server, struct bondy_error *err)
{
    struct bondy_master_key keys[2];
    bool is_there[2] = {false, false};
    int rc = BONDY_OK;

    for (size_t i = 0; i < BONDY_COUNT(sources) && rc == BONDY_OK; i++)
        rc = read_key(server->config, &sources[i], &keys[i], &is_there[i], err);
    if (rc == BONDY_OK && (is_there[CURRENT] || is_there[PREVIOUS])) {
        const struct bondy_seal_options options = {
            .key = is_there[CURRENT] ? &keys[CURRENT] : NULL,
            .previous = is_there[PREVIOUS] ? &keys[PREVIOUS] : NULL,
            .is_secret = bondy_record_is_secret,
        };

        server->seal = bondy_seal_create(&options);
    }
    sodium_memzero(keys, sizeof keys);
    if (rc == BONDY_OK)
        log_seal(server);
    return rc;
}

void bondy_server_check_master_key(const struct bondy_config *config,
                                   struct bondy_config_diag *diag)
{
    for (size_t i = 0; i < BONDY_COUNT(sources); i++) {
        struct bondy_master_key key;
        struct bondy_error err;
        bool is_there;

        if (read_key(config, &sources[i], &key, &is_there, &err) < 0)
            bondy_config_report(diag, "C005", NULL, 0, 0, "%s", err.text);
        sodium_memzero(&key, sizeof key);
    }
}
