/* SPDX-License-Identifier: Apache-2.0 */

/* Runs every scenario (.wts) of this folder with one and with three router threads, with each
 * serializer and with all of them mixed. Arguments, if any: files, or texts that a scenario's title
 * must hold. Reports as TAP. */

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "tests/lib/script.h"

static const struct bondy_script_mode modes[] = {
    {1, BONDY_JSON}, {1, BONDY_MSGPACK}, {1, BONDY_CBOR}, {1, 0},
    {3, BONDY_JSON}, {3, BONDY_MSGPACK}, {3, BONDY_CBOR}, {3, 0},
};

struct tally {
    unsigned count;
    unsigned failed;
    const char *wanted;
};

static void run_scenario(struct tally *tally, const struct bondy_scenario *scenario)
{
    struct bondy_buf why = BONDY_BUF_EMPTY;
    const char *base = strrchr(scenario->file, '/');

    for (size_t i = 0; i < BONDY_COUNT(modes) && why.len == 0; i++)
        bondy_script_run(scenario, &modes[i], &why);
    tally->count++;
    tally->failed += why.len > 0;
    printf("%s %u - %s: " BONDY_SLICE_FMT "\n", why.len > 0 ? "not ok" : "ok", tally->count,
           base == NULL ? scenario->file : base + 1, BONDY_SLICE_ARG(scenario->title));
    if (why.len > 0)
        printf("# " BONDY_SLICE_FMT, BONDY_SLICE_ARG(bondy_buf_slice(&why)));
    fflush(stdout);
    bondy_buf_fini(&why);
}

static bool is_wanted(const struct tally *tally, const struct bondy_scenario *scenario)
{
    return tally->wanted == NULL || memmem(scenario->title.data, scenario->title.len, tally->wanted,
                                           strlen(tally->wanted)) != NULL;
}

static bool read_file(const char *path, struct bondy_buf *out)
{
    FILE *file = fopen(path, "r");
    size_t got;

    if (file == NULL)
        return false;
    while ((got = fread(bondy_buf_reserve(out, 4096), 1, 4096, file)) > 0)
        out->len += got;
    fclose(file);
    return true;
}

static void run_file(struct tally *tally, const char *path)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    struct bondy_scenario scenario;
    unsigned line = 0;
    size_t at = 0;

    if (!read_file(path, &text)) {
        printf("not ok %u - %s cannot be read\n", ++tally->count, path);
        tally->failed++;
        return;
    }
    while (bondy_script_next(path, bondy_buf_slice(&text), &at, &line, &scenario)) {
        if (is_wanted(tally, &scenario))
            run_scenario(tally, &scenario);
    }
    bondy_buf_fini(&text);
}

int main(int argc, char **argv)
{
    const char *top = getenv("top_srcdir");
    struct tally tally = {0, 0, argc > 1 ? argv[1] : NULL};
    char pattern[4096];
    glob_t files;

    if (bondy_id_start(NULL) != BONDY_OK)
        return 1;
    snprintf(pattern, sizeof pattern, "%s/tests/script/*.wts", top == NULL ? BONDY_TOP : top);
    if (glob(pattern, 0, NULL, &files) != 0) {
        printf("not ok 1 - no scripts at %s\n", pattern);
        return 1;
    }
    for (size_t i = 0; i < files.gl_pathc; i++)
        run_file(&tally, files.gl_pathv[i]);
    globfree(&files);
    printf("1..%u\n", tally.count);
    return tally.failed == 0 ? 0 : 1;
}
