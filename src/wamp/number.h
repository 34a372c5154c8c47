/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_WAMP_NUMBER_H
#define BONDY_WAMP_NUMBER_H

/* number: numbers as JSON text, whatever the locale. Any thread. */

#include "src/base/slice.h"

/* Room for what the format functions write; they add no NUL and return the length. */
#define BONDY_NUMBER_LEN 32

size_t bondy_number_format_uint(uint64_t value, char *out);
size_t bondy_number_format_int(int64_t value, char *out);
/* The shortest text that reads back as the same number, always with a point or an exponent, so that
 * it stays a float: 1.0, 0.1, 1e300. NaN and infinities, which JSON does not have: null. */
size_t bondy_number_format_float(double value, char *out);
/* Reads a number in JSON's syntax (checked before), correctly rounded; beyond the range it is an
 * infinity. */
double bondy_number_parse(struct bondy_slice text);
/* Whether such a number is within the range of a double. */
bool bondy_number_is_finite(struct bondy_slice text);

#endif
