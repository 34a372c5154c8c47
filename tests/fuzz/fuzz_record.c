/* SPDX-License-Identifier: Apache-2.0 */
/* A stored record: as it is, and with the checksum put right, so that what lies behind the checksum
 * is reached too. What decodes encodes to the same meaning. */
#include "tests/fuzz/fuzz.h"

#include "src/base/alloc.h"
#include "src/base/buf.h"
#include "src/store/version.h"

#define CRC_LEN 4

static void check_round_trip(const struct bondy_envelope *in)
{
    struct bondy_buf bytes = BONDY_BUF_EMPTY;
    struct bondy_envelope out;

    bondy_envelope_encode(in, &bytes);
    BONDY_BUG_ON(bondy_envelope_decode(bondy_buf_slice(&bytes), &out, NULL) < 0);
    BONDY_BUG_ON(out.flags != in->flags || out.gen != in->gen || out.schema != in->schema ||
                 out.expires_ms != in->expires_ms);
    BONDY_BUG_ON(memcmp(out.version, in->version, BONDY_VERSION_LEN) != 0);
    BONDY_BUG_ON(!bondy_slice_eq(out.body, in->body) || !bondy_slice_eq(out.subkey, in->subkey));
    bondy_buf_fini(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bondy_buf bytes = BONDY_BUF_EMPTY;
    struct bondy_slice whole = bondy_slice_of(data, size);
    struct bondy_envelope envelope;
    uint32_t crc = bondy_crc32c(whole);

    if (bondy_envelope_decode(whole, &envelope, NULL) == BONDY_OK)
        check_round_trip(&envelope);
    bondy_buf_append(&bytes, data, size);
    for (int i = CRC_LEN - 1; i >= 0; i--)
        bondy_buf_append_byte(&bytes, (crc >> 8 * i) & 0xff);
    if (bondy_envelope_decode(bondy_buf_slice(&bytes), &envelope, NULL) == BONDY_OK)
        check_round_trip(&envelope);
    bondy_buf_fini(&bytes);
    return 0;
}
