/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_BASE_LOG_H
#define BONDY_BASE_LOG_H

/* log: structured records: a fixed event name and typed fields.
 *
 * bondy_log() may be called from every thread and never blocks: it copies the record into the
 * calling thread's ring (single producer, single consumer); the logger thread of src/sys formats
 * and writes them. A full ring drops the record and counts it. Before a writer is attached, and in
 * tests, records go straight to standard error. Levels: error = a person must act; warn = a person
 * will want to know soon; info = a few lines per lifecycle step; debug = per message, and free when
 * off. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/base/buf.h"
#include "src/base/slice.h"

enum bondy_log_level { BONDY_LOG_ERROR, BONDY_LOG_WARN, BONDY_LOG_INFO, BONDY_LOG_DEBUG };

enum bondy_field_type {
    BONDY_FIELD_SLICE,
    BONDY_FIELD_U64,
    BONDY_FIELD_I64,
    BONDY_FIELD_F64,
    BONDY_FIELD_BOOL,
    BONDY_FIELD_REDACTED
};

struct bondy_field {
    const char *name;
    enum bondy_field_type type;
    union {
        struct bondy_slice slice;
        uint64_t u64;
        int64_t i64;
        double f64;
        bool flag;
    } value;
};

#define BONDY_F_STR(name_, text_)                                                                  \
    ((struct bondy_field){(name_), BONDY_FIELD_SLICE, {.slice = bondy_slice_text(text_)}})
#define BONDY_F_SLICE(name_, slice_)                                                               \
    ((struct bondy_field){(name_), BONDY_FIELD_SLICE, {.slice = (slice_)}})
#define BONDY_F_U64(name_, number_)                                                                \
    ((struct bondy_field){(name_), BONDY_FIELD_U64, {.u64 = (uint64_t)(number_)}})
#define BONDY_F_I64(name_, number_)                                                                \
    ((struct bondy_field){(name_), BONDY_FIELD_I64, {.i64 = (int64_t)(number_)}})
#define BONDY_F_F64(name_, number_)                                                                \
    ((struct bondy_field){(name_), BONDY_FIELD_F64, {.f64 = (double)(number_)}})
#define BONDY_F_BOOL(name_, flag_)                                                                 \
    ((struct bondy_field){(name_), BONDY_FIELD_BOOL, {.flag = (flag_)}})
/* A secret: printed as ***. */
#define BONDY_F_REDACTED(name_) ((struct bondy_field){(name_), BONDY_FIELD_REDACTED, {.u64 = 0}})

extern enum bondy_log_level bondy_log_threshold;

/* Fields are evaluated only when the level is on. */
#define bondy_log(level_, event_, ...)                                                             \
    do {                                                                                           \
        if ((level_) <= bondy_log_threshold) {                                                     \
            const struct bondy_field fields_[] = {BONDY_F_BOOL(NULL, false), ##__VA_ARGS__};       \
            bondy_log_write((level_), __FILE__, __func__, __LINE__, (event_), fields_ + 1,         \
                            sizeof fields_ / sizeof fields_[0] - 1);                               \
        }                                                                                          \
    } while (0)

void bondy_log_write(enum bondy_log_level level, const char *file, const char *function, int line,
                     const char *event, const struct bondy_field *fields, size_t count);

#endif
