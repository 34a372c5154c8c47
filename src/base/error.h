/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_BASE_ERROR_H
#define BONDY_BASE_ERROR_H

/* error: a code for the program and a text for the person.
 *
 * A function that can fail returns BONDY_OK or a negative code and fills its last parameter, a
 * `struct bondy_error *` that may be NULL, exactly when it fails. The text names the thing, the
 * value and the expectation. */

enum bondy_code {
    BONDY_OK = 0,
    BONDY_EINVAL = -1,       /* a value that cannot be right */
    BONDY_ENOENT = -2,       /* the thing asked for is not there */
    BONDY_EEXIST = -3,       /* it is there already */
    BONDY_ELIMIT = -4,       /* a configured limit would be passed */
    BONDY_EPROTO = -5,       /* a peer broke its protocol */
    BONDY_EIO = -6,          /* the operating system or a library failed */
    BONDY_ESTATE = -7,       /* not possible now */
    BONDY_ECONFLICT = -8,    /* somebody else changed it meanwhile */
    BONDY_EDENIED = -9,      /* not permitted */
    BONDY_EAGAIN = -10,      /* incomplete: more is needed */
    BONDY_EUNSUPPORTED = -11 /* known, but not built (yet) */
};

struct bondy_error {
    int code;
    char text[1020];
};

/* Fills `err` (if any) and returns `code`, so that a failing function ends with
 * `return bondy_fail(err, BONDY_EINVAL, "...")`. */
int bondy_fail(struct bondy_error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));

/* Puts "<text>: " in front of what `err` says and returns its code, for what a higher floor knows
 * and the lower one could not. */
int bondy_wrap(struct bondy_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3), cold));

/* The name of a code, for logs and tests: "BONDY_EINVAL". */
const char *bondy_code_name(int code);

#endif
