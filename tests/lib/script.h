/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TESTS_LIB_SCRIPT_H
#define BONDY_TESTS_LIB_SCRIPT_H

/* script: runs the scenarios of a .wts file on the rig. The language is described in
 * tests/script/README.md. */

#include <stdbool.h>
#include <stddef.h>

#include "src/base/buf.h"
#include "src/wamp/message.h"

/* One scenario of a file. */
struct bondy_scenario {
    const char *file;
    struct bondy_slice title;
    struct bondy_slice text;
    unsigned line; /* the number of the first line of `text` */
};

/* How it is run. */
struct bondy_script_mode {
    unsigned threads;
    enum bondy_serializer serializer; /* 0: each peer has another one */
};

/* Finds the next scenario behind *at (0 at first) in the file's text; false when there is none. */
bool bondy_script_next(const char *file, struct bondy_slice text, size_t *at, unsigned *line,
                       struct bondy_scenario *out);
/* False: `why` says where it failed, in which mode, what was expected and what came. */
bool bondy_script_run(const struct bondy_scenario *scenario, const struct bondy_script_mode *mode,
                      struct bondy_buf *why);

#endif
