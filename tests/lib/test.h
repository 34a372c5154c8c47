/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TESTS_LIB_TEST_H
#define BONDY_TESTS_LIB_TEST_H

/* test: cmocka and what it wants included first, and helpers that several tests share. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "src/base/slice.h"

/* Fails the test with both texts when they differ. */
#define assert_slice_is(slice, text) bondy_test_slice_is((slice), (text), __FILE__, __LINE__)
void bondy_test_slice_is(struct bondy_slice slice, const char *text, const char *file, int line);

/* Makes a fresh temporary folder and returns its path (caller frees); removed by
 * bondy_test_rmdir(). */
char *bondy_test_mkdir(void);
void bondy_test_rmdir(char *path);

#endif
