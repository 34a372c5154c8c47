/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody may name as a private key of the command-line client. */
#include "tests/fuzz/fuzz.h"

#include "src/ctl/keyfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t seed[BONDY_KEYFILE_SEED_LEN];
    struct bondy_error err;

    bondy_keyfile_parse(bondy_slice_of(data, size), seed, &err);
    return 0;
}
