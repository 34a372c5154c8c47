/* SPDX-License-Identifier: Apache-2.0 */
/* The first octet says from which serializer to which; the rest is one value. */
#include "tests/fuzz/fuzz.h"

#include "src/base/alloc.h"
#include "src/wamp/codec.h"

static void recode(enum bondy_serializer from, const struct bondy_buf *in, enum bondy_serializer to,
                   struct bondy_buf *out)
{
    out->len = 0;
    bondy_value_recode(from, bondy_buf_slice(in), to, out);
    BONDY_BUG_ON(bondy_value_check(to, bondy_buf_slice(out), 32, false, NULL) != BONDY_OK);
}

static void check(enum bondy_serializer from, struct bondy_slice bytes, enum bondy_serializer to)
{
    struct bondy_buf in = BONDY_BUF_EMPTY;
    struct bondy_buf once = BONDY_BUF_EMPTY;
    struct bondy_buf twice = BONDY_BUF_EMPTY;
    json_t *tree;

    bondy_buf_append_slice(&in, bytes);
    recode(from, &in, to, &once);
    recode(to, &once, to, &twice); /* what we write is in normal form */
    BONDY_BUG_ON(!bondy_slice_eq(bondy_buf_slice(&once), bondy_buf_slice(&twice)));

    tree = bondy_value_tree(from, bytes);
    twice.len = 0;
    bondy_value_format(to, tree, &twice);
    BONDY_BUG_ON(bondy_value_check(to, bondy_buf_slice(&twice), 32, true, NULL) != BONDY_OK);
    json_decref(tree);
    bondy_buf_fini(&in);
    bondy_buf_fini(&once);
    bondy_buf_fini(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum bondy_serializer from;
    enum bondy_serializer to;
    struct bondy_slice bytes;

    if (size < 1)
        return 0;
    from = (enum bondy_serializer)(1 + data[0] % 3);
    to = (enum bondy_serializer)(1 + data[0] / 3 % 3);
    bytes = bondy_slice_of(data + 1, size - 1);
    if (bondy_value_check(from, bytes, 32, true, NULL) != BONDY_OK)
        return 0;
    BONDY_BUG_ON(bondy_value_check(from, bytes, 32, false, NULL) != BONDY_OK);
    check(from, bytes, to);
    return 0;
}
