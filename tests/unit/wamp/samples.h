/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TESTS_UNIT_WAMP_SAMPLES_H
#define BONDY_TESTS_UNIT_WAMP_SAMPLES_H

/* samples: messages and values that the tests of the codecs share. */

#include "tests/lib/test.h"

#include "src/base/alloc.h"
#include "src/base/buf.h"
#include "src/base/json.h"
#include "src/wamp/codec.h"
#include "src/wamp/reader.h"

#define EACH_SERIALIZER(serializer)                                                                \
    enum bondy_serializer serializer = BONDY_JSON;                                                 \
    serializer < BONDY_SERIALIZERS;                                                                \
    serializer++

/* Appends the octets of hexadecimal text; blanks are skipped. */
void append_hex(struct bondy_buf *out, const char *hex);
/* Appends the message written in JSON, recoded for `serializer`. */
void append_message(struct bondy_buf *out, enum bondy_serializer serializer, const char *json);

/* Decodes with the usual limits; the scratch is one of the test. */
int decode(enum bondy_serializer serializer, struct bondy_slice bytes, struct bondy_message *out);
/* Fails the test unless it is refused with `code`. */
void must_refuse(enum bondy_serializer serializer, struct bondy_slice bytes, int code,
                 const char *name);
void free_scratch(void);

/* A message of every type, in JSON; ends with NULL. */
extern const char *const sample_messages[];

/* SplitMix64. */
uint64_t next_random(uint64_t *seed);
/* Writes the same random value for the same seed, whatever the serializer; `depth` containers
 * may follow inside each other. */
void write_random(const struct bondy_serializer_ops *ops, uint64_t *seed, unsigned depth,
                  struct bondy_buf *out);

/* Octets that are no UTF-8, as RFC 3629 and the stress tests for decoders have them. */
#define INVALID_UTF8_COUNT 28
extern const struct bondy_slice invalid_utf8[INVALID_UTF8_COUNT];

#endif
