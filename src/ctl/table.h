/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_CTL_TABLE_H
#define BONDY_CTL_TABLE_H

/* table: JSON for people: a list of objects as columns (without members that hold more than a list
 * or an object of simple values, and without versions and times), an object as lines, everything
 * else as it is. What is not printable is replaced, so that no name plays with the terminal. Pure.
 */

#include "src/base/buf.h"
#include "src/base/json.h"

void bondy_table_format(const json_t *value, struct bondy_buf *out);
/* Text with control characters replaced, except for line ends when `may_have_lines`. */
void bondy_table_text(struct bondy_slice text, bool may_have_lines, struct bondy_buf *out);

#endif
