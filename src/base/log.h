/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_BASE_LOG_H
#define BONDY_BASE_LOG_H

/* log: structured records: a fixed event name and typed fields.
 *
 * bondy_log() may be called from every thread and never blocks: it copies the record into the
 * calling thread's ring (single producer, single consumer, 256 KiB); the logger thread of
 * src/sys/logger formats and writes them. A full ring drops the record and counts it. Before a
 * logger is attached, and in tests, records are written straight to standard error.
 *
 * Levels: error = a person must act; warn = a person will want to know soon; info = a few lines per
 * lifecycle step; debug = per message, and free when off. Event and field names must be string
 * literals (only the pointer is kept); values are copied. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/base/buf.h"
#include "src/base/error.h"
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

struct bondy_log_field {
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
    ((struct bondy_log_field){(name_), BONDY_FIELD_SLICE, {.slice = bondy_slice_text(text_)}})
#define BONDY_F_SLICE(name_, slice_)                                                               \
    ((struct bondy_log_field){(name_), BONDY_FIELD_SLICE, {.slice = (slice_)}})
#define BONDY_F_U64(name_, number_)                                                                \
    ((struct bondy_log_field){(name_), BONDY_FIELD_U64, {.u64 = (uint64_t)(number_)}})
#define BONDY_F_I64(name_, number_)                                                                \
    ((struct bondy_log_field){(name_), BONDY_FIELD_I64, {.i64 = (int64_t)(number_)}})
#define BONDY_F_F64(name_, number_)                                                                \
    ((struct bondy_log_field){(name_), BONDY_FIELD_F64, {.f64 = (double)(number_)}})
#define BONDY_F_BOOL(name_, flag_)                                                                 \
    ((struct bondy_log_field){(name_), BONDY_FIELD_BOOL, {.flag = (flag_)}})
/* A secret: printed as ***. */
#define BONDY_F_REDACTED(name_)                                                                    \
    ((struct bondy_log_field){(name_), BONDY_FIELD_REDACTED, {.u64 = 0}})

/* Any thread may read it, the configuration's owner writes it, also while others run. */
extern _Atomic(enum bondy_log_level) bondy_log_threshold;

/* Fields are evaluated only when the level is on. */
#define bondy_log(level_, event_, ...)                                                             \
    do {                                                                                           \
        if ((level_) <= atomic_load_explicit(&bondy_log_threshold, memory_order_relaxed))          \
            bondy_log_always((level_), (event_), ##__VA_ARGS__);                                   \
    } while (0)

/* The same whatever the threshold says: for the few lines that others wait for (bondy_ready). */
#define bondy_log_always(level_, event_, ...)                                                      \
    do {                                                                                           \
        const struct bondy_log_field fields_[] = {BONDY_F_BOOL(NULL, false), ##__VA_ARGS__};       \
        bondy_log_write((level_), __FILE__, __func__, __LINE__, (event_), fields_ + 1,             \
                        sizeof fields_ / sizeof fields_[0] - 1);                                   \
    } while (0)

void bondy_log_write(enum bondy_log_level level, const char *file, const char *function, int line,
                     const char *event, const struct bondy_log_field *fields, size_t count);

/* ---- set-up, at start ------------------------------------------------------------------------ */

/* operations, Format: `logfmt` is the default, `json` one object a line, `text` for eyes. */
enum bondy_log_format { BONDY_LOG_LOGFMT, BONDY_LOG_JSON, BONDY_LOG_TEXT };

/* The eight level names of the configuration (emergency to debug, also `warn`) as one of our four.
 * BONDY_EINVAL. */
int bondy_log_level_parse(const char *text, enum bondy_log_level *out, struct bondy_error *err);
int bondy_log_format_parse(const char *text, enum bondy_log_format *out, struct bondy_error *err);
/* The form of lines that are written without a logger. */
void bondy_log_set_format(enum bondy_log_format format);
/* What every record says as `node` and `router_vsn`; NULL leaves one out. The texts must stay.
 * Before other threads exist. */
void bondy_log_identify(const char *node, const char *version);
/* The name of the calling thread, `pid` in the record ("w3"): the first 15 bytes. Without it a
 * thread is "main" or "t" and its number. */
void bondy_log_name_thread(const char *name);

/* ---- for the logger thread ------------------------------------------------------------------- */

struct bondy_log_record {
    enum bondy_log_level level;
    int line;
    uint64_t wall_ms;
    const char *thread;
    const char *file;
    const char *function;
    const char *event;
    const struct bondy_log_field *fields;
    size_t count;
    bool is_cut; /* values were shortened on their way into the ring */
};

/* A line never gets longer than this, newline included; what was cut says `truncated=true`. */
#define BONDY_LOG_LINE_MAX 8192
/* How many bytes at a line's beginning tell the time and nothing else. */
size_t bondy_log_time_len(enum bondy_log_format format);
/* Appends one line with its newline. */
void bondy_log_format(enum bondy_log_format format, const struct bondy_log_record *record,
                      struct bondy_buf *out);

/* From now on records go to the rings. `wake` is called by whoever writes a record while the
 * consumer sleeps; any thread, must not block. */
void bondy_log_attach(void (*wake)(void));
/* From now on records go to standard error again; drain once more afterwards. */
void bondy_log_detach(void);
/* Gives the records of all rings to `sink`, oldest first, and says how many there were; at most
 * `max`. One consumer at a time. The record and what it points to end with the call. */
typedef void (*bondy_log_sink_fn)(const struct bondy_log_record *record, void *context);
size_t bondy_log_drain(size_t max, bondy_log_sink_fn sink, void *context);
/* True when all rings are empty; then the next record will call `wake`. */
bool bondy_log_may_sleep(void);
/* Records dropped since the process started because a ring was full. */
uint64_t bondy_log_dropped(void);

#endif
