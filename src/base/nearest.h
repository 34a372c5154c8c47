/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_BASE_NEAREST_H
#define BONDY_BASE_NEAREST_H

/* nearest: how far two words are apart, for "did you mean". Any thread. */

#include <stdbool.h>

#include "src/base/slice.h"

#define BONDY_NEAREST_MAX 200

/* Damerau-Levenshtein distance in the form in which no part is changed twice (optimal string
 * alignment); ASCII letters of any case are equal when `ignore_case`. SIZE_MAX when a word is
 * longer than BONDY_NEAREST_MAX octets: the time grows with the product of the lengths. */
size_t bondy_nearest_distance(struct bondy_slice a, struct bondy_slice b, bool ignore_case);

#endif
