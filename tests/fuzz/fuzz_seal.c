/* SPDX-License-Identifier: Apache-2.0 */
/* A sealed body and a master key file. What opens is what was sealed, so nothing that was made up
 * does; what was sealed and changed at one octet does not either. The first octet chooses. */
#include "tests/fuzz/fuzz.h"

#include <sodium.h>

#include "src/base/alloc.h"
#include "src/store/key.h"
#include "src/store/seal.h"

static const struct bondy_master_key master = {{1, 2, 3}};

static void open_made_up(const struct bondy_seal *seal, const struct bondy_seal_place *place,
                         struct bondy_slice bytes)
{
    struct bondy_buf blob = BONDY_BUF_EMPTY, out = BONDY_BUF_EMPTY;
    struct bondy_error err;

    BONDY_BUG_ON(bondy_seal_open(seal, place, bytes, &out, &err) == BONDY_OK);
    /* Past the look at format and key. */
    bondy_buf_append_byte(&blob, 1);
    bondy_buf_append(&blob, bondy_seal_key_id(seal), BONDY_MASTER_KEY_ID_LEN);
    bondy_buf_append_slice(&blob, bytes);
    BONDY_BUG_ON(bondy_seal_open(seal, place, bondy_buf_slice(&blob), &out, &err) == BONDY_OK);
    BONDY_BUG_ON(out.len != 0);
    bondy_buf_fini(&blob);
    bondy_buf_fini(&out);
}

static void seal_and_change(const struct bondy_seal *seal, const struct bondy_seal_place *place,
                            struct bondy_slice bytes)
{
    struct bondy_buf sealed = BONDY_BUF_EMPTY, out = BONDY_BUF_EMPTY;
    size_t at;

    bondy_seal_close(seal, place, bytes, &sealed);
    BONDY_BUG_ON(bondy_seal_open(seal, place, bondy_buf_slice(&sealed), &out, NULL) < 0);
    BONDY_BUG_ON(!bondy_slice_eq(bondy_buf_slice(&out), bytes));
    at = bytes.len * 7 % sealed.len;
    sealed.data[at] ^= 0x40;
    BONDY_BUG_ON(bondy_seal_open(seal, place, bondy_buf_slice(&sealed), &out, NULL) == BONDY_OK);
    bondy_buf_fini(&sealed);
    bondy_buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bondy_seal *seal;
    struct bondy_slice bytes = bondy_slice_of(data, size);
    const struct bondy_store_key key = {BONDY_RECORD_SETTING, BONDY_SLICE_EMPTY, 0,
                                        BONDY_SLICE("security.login")};
    struct bondy_key_bytes encoded;
    struct bondy_seal_place place;
    struct bondy_master_key parsed;
    struct bondy_error err;

    if (seal == NULL && sodium_init() >= 0)
        seal = bondy_seal_create(&(struct bondy_seal_options){.key = &master});
    if (size == 0)
        return 0;
    bondy_key_encode(&key, &encoded);
    place = (struct bondy_seal_place){bondy_slice_of(encoded.bytes, encoded.len), key.subkey, 1};
    bytes = bondy_slice_skip(bytes, 1);
    if (data[0] % 3 == 0)
        open_made_up(seal, &place, bytes);
    else if (data[0] % 3 == 1)
        seal_and_change(seal, &place, bytes);
    else
        (void)bondy_master_key_parse(bytes, &parsed, &err);
    return 0;
}
