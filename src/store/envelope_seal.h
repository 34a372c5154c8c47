/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_STORE_ENVELOPE_SEAL_H
#define BONDY_STORE_ENVELOPE_SEAL_H

/* envelope_seal: bodies of envelopes, sealed and opened at their place. Any thread. Internal to
 * src/store. */

#include "src/store/seal.h"
#include "src/store/version.h"

/* Seals the body of a secret record, when there is a key for it. `room` (empty before) has the body
 * then, and is the caller's. */
void bondy_envelope_seal(const struct bondy_seal *seal, struct bondy_slice key,
                         struct bondy_envelope *envelope, struct bondy_buf *room);
/* Opens a sealed one: `room` has the body then; the caller ends it with bondy_record_close(). One
 * that is not sealed stays as it is. Errors of bondy_seal_open(). */
int bondy_envelope_open(const struct bondy_seal *seal, struct bondy_slice key,
                        struct bondy_envelope *envelope, struct bondy_buf *room,
                        struct bondy_error *err);
/* *is_other: it was not sealed as it should be; `anew` (empty before) has it as it should be then,
 * encoded, and `envelope` says what is in it. */
int bondy_envelope_reseal(const struct bondy_seal *seal, struct bondy_slice key,
                          struct bondy_envelope *envelope, struct bondy_buf *anew, bool *is_other,
                          struct bondy_error *err);

#endif
