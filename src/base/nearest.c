/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/nearest.h"

#include <ctype.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool same_letter(char a, char b, bool ignore_case)
{
    return a == b || (ignore_case && tolower((unsigned char)a) == tolower((unsigned char)b));
}

/* Rows of the usual table; the last three are kept. */
size_t bondy_nearest_distance(struct bondy_slice a, struct bondy_slice b, bool ignore_case)
{
    size_t rows[3][BONDY_NEAREST_MAX + 1];

    if (a.len > BONDY_NEAREST_MAX || b.len > BONDY_NEAREST_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        const size_t *twice_above = rows[(i + 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t cost = same_letter(a.data[i - 1], b.data[j - 1], ignore_case) ? 0 : 1;

            row[j] = least(above[j - 1] + cost, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && same_letter(a.data[i - 1], b.data[j - 2], ignore_case) &&
                same_letter(a.data[i - 2], b.data[j - 1], ignore_case))
                row[j] = least(row[j], twice_above[j - 2] + 1);
        }
    }
    return rows[a.len % 3][b.len];
}
