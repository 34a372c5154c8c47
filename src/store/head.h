/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_STORE_HEAD_H
#define BONDY_STORE_HEAD_H

/* head: the few items of CBOR that envelopes and backups are made of, in and out. RFC 8949, section
 * 3. Pure. Internal to src/store. */

#include <stdbool.h>
#include <stdint.h>

#include "src/base/buf.h"
#include "src/base/slice.h"

enum bondy_head_major { BONDY_HEAD_UINT = 0, BONDY_HEAD_BYTES = 2, BONDY_HEAD_ARRAY = 4 };

void bondy_head_put(struct bondy_buf *out, enum bondy_head_major major, uint64_t value);
void bondy_head_put_null(struct bondy_buf *out);
void bondy_head_put_bytes(struct bondy_buf *out, struct bondy_slice bytes);

/* They move `rest` behind what was there; false: it is something else, or cut off. */
bool bondy_head_take(struct bondy_slice *rest, enum bondy_head_major major, uint64_t *value);
bool bondy_head_take_null(struct bondy_slice *rest);
bool bondy_head_take_bytes(struct bondy_slice *rest, struct bondy_slice *out);

#endif
