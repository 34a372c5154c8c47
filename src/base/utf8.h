/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_BASE_UTF8_H
#define BONDY_BASE_UTF8_H

/* utf8: validation as RFC 3629 has it: shortest form only, no surrogates, nothing above U+10FFFF.
 */

#include <stdbool.h>

#include "src/base/slice.h"

bool bondy_utf8_is_valid(struct bondy_slice text);
/* Decodes the first character of valid UTF-8 and says how many bytes it took (0 at the end). */
size_t bondy_utf8_decode(struct bondy_slice text, uint32_t *code_point);
/* Writes 1 to 4 bytes and says how many. */
size_t bondy_utf8_encode(uint32_t code_point, char out[4]);
/* Unicode white space (property White_Space), which WAMP URIs may not contain. */
bool bondy_utf8_is_space(uint32_t code_point);

#endif
