/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TESTS_FUZZ_FUZZ_H
#define BONDY_TESTS_FUZZ_FUZZ_H

/* fuzz: what every target defines. A target is built twice: with libFuzzer (configure
 * --enable-fuzzers --enable-sanitizers CC=clang) as fuzz_<target>, and always as replay_<target>,
 * a test that runs it over its corpus. */

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
