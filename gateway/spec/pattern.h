/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_GATEWAY_SPEC_PATTERN_H
#define BONDY_GATEWAY_SPEC_PATTERN_H

/* pattern: host and path patterns, and request paths cut into segments. http-gateway.md 1.4.
 *
 * A pattern with optional parts stands for several plain ones ("/a/[b]" for "/a" and "/a/b");
 * parsing lists them all, so that everything behind it deals with plain sequences of segments. */

#include <stdbool.h>

#include "src/base/error.h"
#include "src/base/slice.h"

#define BONDY_PATH_MAX_SEGMENTS 128
#define BONDY_PATTERN_MAX_SEGMENTS 64
#define BONDY_PATTERN_MAX_VARIANTS 64
#define BONDY_PATTERN_MAX_LEN 2048

/* In order of precedence: the first that fits a segment is the most specific. */
enum bondy_segment_kind {
    BONDY_SEGMENT_LITERAL,
    BONDY_SEGMENT_NAMED, /* :name */
    BONDY_SEGMENT_ANY,   /* :_ */
    BONDY_SEGMENT_REST   /* [...]: any number of segments, none included; always the last one */
};

struct bondy_segment {
    enum bondy_segment_kind kind;
    struct bondy_slice text; /* the literal, or the name without ':'; borrows the pattern's text */
};

/* One plain reading of a pattern. For hosts the segments stand from right to left ("org",
 * "example", "www"), so that [...] is the last one here too. */
struct bondy_variant {
    char *text; /* the segments borrow it */
    struct bondy_segment *segments;
    size_t count;
};

struct bondy_pattern {
    char *text; /* as written */
    struct bondy_variant *variants;
    size_t variant_count;
};

/* On success the caller owns *out (bondy_pattern_destroy). BONDY_EINVAL: the text says what is
 * wrong ("'[' is never closed"). A path starts with '/'; a host may be "_" alone (any host). */
int bondy_pattern_parse_path(struct bondy_slice text, struct bondy_pattern **out,
                             struct bondy_error *err);
int bondy_pattern_parse_host(struct bondy_slice text, struct bondy_pattern **out,
                             struct bondy_error *err);
void bondy_pattern_destroy(struct bondy_pattern *pattern);
/* Whether one of its readings is kept for the server: /ws, /wamp and what is below /wamp. */
bool bondy_pattern_is_reserved(const struct bondy_pattern *path);
/* Whether the name occurs, as :name. */
bool bondy_pattern_binds(const struct bondy_pattern *pattern, struct bondy_slice name);
/* A name that one reading binds twice, or an empty slice: both places must then be equal. */
struct bondy_slice bondy_pattern_repeated(const struct bondy_pattern *pattern);

/* A request path: segments[0..count), each percent-decoded once, no empty ones, no dot segments. */
struct bondy_path_parts {
    struct bondy_slice segments[BONDY_PATH_MAX_SEGMENTS];
    size_t count;
};

/* Splits the raw path at '/', decodes each segment once, drops empty and "." segments, lets ".."
 * remove the one before it. Segments borrow `path` or `scratch`, which has room for path.len bytes;
 * nothing is allocated. threat-model H5: BONDY_EINVAL (answer 400) for a path that does not start
 * with '/', a broken percent-encoding, NUL, text that is not UTF-8, and a segment in which an
 * encoded slash or backslash hides a dot segment ("..%2Fetc"); BONDY_ELIMIT (answer 414) for more
 * than BONDY_PATH_MAX_SEGMENTS. */
int bondy_path_split(struct bondy_slice path, char *scratch, struct bondy_path_parts *out,
                     struct bondy_error *err);
/* A host as received, without port, into labels from right to left; dots at both ends are ignored.
 * Lower-cased into `scratch` (host.len bytes). An IPv6 literal "[::1]" is one label. */
int bondy_host_split(struct bondy_slice host, char *scratch, struct bondy_path_parts *out,
                     struct bondy_error *err);

#endif
