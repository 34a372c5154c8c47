/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void bondy_test_slice_is(struct bondy_slice slice, const char *text, const char *file, int line)
{
    if (bondy_slice_is(slice, text))
        return;
    print_error("\"" BONDY_SLICE_FMT "\" is not \"%s\"\n", BONDY_SLICE_ARG(slice), text);
    _fail(file, line);
}

char *bondy_test_mkdir(void)
{
    const char *root = getenv("TMPDIR");
    char *path = NULL;

    assert_true(asprintf(&path, "%s/bondy-test-XXXXXX", root == NULL ? "/tmp" : root) > 0);
    assert_non_null(mkdtemp(path));
    return path;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

void bondy_test_rmdir(char *path)
{
    if (path == NULL)
        return;
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(path);
}
