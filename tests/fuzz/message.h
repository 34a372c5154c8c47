/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TESTS_FUZZ_MESSAGE_H
#define BONDY_TESTS_FUZZ_MESSAGE_H

/* message: what must hold for any octets taken as a message; one target per serializer calls it. */

#include <stddef.h>
#include <stdint.h>

#include "src/wamp/message.h"

void fuzz_message(enum bondy_serializer serializer, const uint8_t *data, size_t size);

#endif
