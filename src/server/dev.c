/* SPDX-License-Identifier: Apache-2.0 */
#include "src/server/dev.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/buf.h"
#include "src/sys/file.h"

/* api-specs/examples/demo.json, put here by the build. */
extern const unsigned char bondy_demo_api[];
extern const size_t bondy_demo_api_len;

static const char *const fixed[] = {
    "api_gateway.http.ip=127.0.0.1", "api_gateway.https.ip=127.0.0.1",
    "admin_api.http.ip=127.0.0.1",   "admin_api.https.ip=127.0.0.1",
    "wamp.tcp.ip=127.0.0.1",         "wamp.tls.ip=127.0.0.1",
    "admin_api.allow_anonymous=on",  "shutdown.grace_period=5s",
};

const char *const *bondy_dev_presets(const char *temporary_dir)
{
    static const char *presets[BONDY_COUNT(fixed) + 3];
    static char data[512], api[512];

    memcpy(presets, fixed, sizeof fixed);
    snprintf(data, sizeof data, "platform_data_dir=%s", temporary_dir);
    snprintf(api, sizeof api, "api_gateway.config_file=%s/demo.json", temporary_dir);
    presets[BONDY_COUNT(fixed)] = data;
    presets[BONDY_COUNT(fixed) + 1] = api;
    presets[BONDY_COUNT(fixed) + 2] = NULL;
    return presets;
}

int bondy_dev_make_folder(char **out, struct bondy_error *err)
{
    const char *parent = getenv("TMPDIR");
    struct bondy_buf path = BONDY_BUF_EMPTY;
    char file[512];
    int rc;

    bondy_buf_printf(&path, "%s/bondy-dev-XXXXXX",
                     parent != NULL && strlen(parent) < 200 && *parent == '/' ? parent : "/tmp");
    bondy_buf_append_byte(&path, 0);
    if (mkdtemp(path.data) == NULL) {
        rc = bondy_fail(err, BONDY_EIO, "%s: %s", path.data, strerror(errno));
        bondy_buf_fini(&path);
        return rc;
    }
    *out = path.data;
    snprintf(file, sizeof file, "%s/demo.json", *out);
    return bondy_file_write(file, bondy_slice_of(bondy_demo_api, bondy_demo_api_len), 0600, err);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

void bondy_dev_remove_folder(char *path)
{
    if (path == NULL)
        return;
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    bondy_free(path);
}
