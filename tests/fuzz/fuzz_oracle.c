/* SPDX-License-Identifier: Apache-2.0 */
/* What we take as well-formed the libraries take too, and of JSON the other way round. The first
 * octet says which serializer; the rest is one value. */
#include "tests/fuzz/fuzz.h"

#include <cbor.h>
#include <msgpack.h>

#include "src/base/alloc.h"
#include "src/wamp/codec.h"

/* Jansson refuses integers beyond 64 bits, which we carry as floats, and NUL in keys; it takes
 * deeper nesting, and NUL behind a number, which we do not. */
static void ask_jansson(struct bondy_slice bytes, int verdict, const struct bondy_error *err)
{
    json_error_t theirs;
    json_t *tree = json_loadb(bytes.data, bytes.len,
                              JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &theirs);

    if (verdict == BONDY_OK && tree == NULL)
        BONDY_BUG_ON(strstr(theirs.text, "too big") == NULL && strstr(theirs.text, "NUL") == NULL);
    if (verdict != BONDY_OK && tree != NULL && memchr(bytes.data, 0, bytes.len) == NULL)
        BONDY_BUG_ON(strstr(err->text, "too deep") == NULL);
    json_decref(tree);
}

static void ask_msgpack(struct bondy_slice bytes)
{
    msgpack_unpacked unpacked;
    size_t offset = 0;

    msgpack_unpacked_init(&unpacked);
    BONDY_BUG_ON(msgpack_unpack_next(&unpacked, bytes.data, bytes.len, &offset) !=
                 MSGPACK_UNPACK_SUCCESS);
    BONDY_BUG_ON(offset != bytes.len);
    msgpack_unpacked_destroy(&unpacked);
}

/* Libcbor does not know tags 6 to 20 in one octet. */
static bool may_have_such_tag(struct bondy_slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        if ((uint8_t)bytes.data[i] >= 0xC6 && (uint8_t)bytes.data[i] <= 0xD4)
            return true;
    return false;
}

static void ask_libcbor(struct bondy_slice bytes)
{
    struct cbor_load_result result;
    cbor_item_t *item = cbor_load((const unsigned char *)bytes.data, bytes.len, &result);

    if (item == NULL) {
        BONDY_BUG_ON(!may_have_such_tag(bytes));
        return;
    }
    BONDY_BUG_ON(result.read != bytes.len);
    cbor_decref(&item);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bondy_error err;
    struct bondy_slice bytes;
    enum bondy_serializer serializer;
    int verdict;

    if (size < 2)
        return 0;
    serializer = (enum bondy_serializer)(1 + data[0] % 3);
    bytes = bondy_slice_of(data + 1, size - 1);
    verdict = bondy_value_check(serializer, bytes, 32, true, &err);
    if (serializer == BONDY_JSON)
        ask_jansson(bytes, verdict, &err);
    else if (verdict == BONDY_OK && serializer == BONDY_MSGPACK)
        ask_msgpack(bytes);
    else if (verdict == BONDY_OK)
        ask_libcbor(bytes);
    return 0;
}
