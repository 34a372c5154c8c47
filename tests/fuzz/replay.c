/* SPDX-License-Identifier: Apache-2.0 */
/* replay: runs a fuzz target over every file of its corpus, over each of them cut at every octet,
 * and with single bits flipped. Without a fuzzer, on every machine, in a second or so.
 * FUZZ_CORPUS is the folder's name below tests/fuzz/corpus; an argument replaces the folder. */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CUTS_MAX 600 /* per file; longer files are cut at evenly spread octets */
#define FLIPS_MAX 4000

/* In memory of exactly that size, so that a sanitizer sees what is read beyond. */
static void run(const uint8_t *data, size_t size, size_t flipped_bit)
{
    uint8_t *copy = malloc(size == 0 ? 1 : size);

    if (copy == NULL)
        abort();
    memcpy(copy, data, size);
    if (flipped_bit < size * 8)
        copy[flipped_bit / 8] ^= (uint8_t)(1u << (flipped_bit % 8));
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void run_all(const uint8_t *data, size_t size)
{
    size_t cut_step = size / CUTS_MAX + 1;
    size_t flip_step = size * 8 / FLIPS_MAX + 1;

    run(data, size, SIZE_MAX);
    for (size_t len = 0; len < size; len += cut_step)
        run(data, len, SIZE_MAX);
    for (size_t bit = 0; bit < size * 8; bit += flip_step)
        run(data, size, bit);
}

static void run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(1 << 20);
    size_t size;

    if (file == NULL || data == NULL) {
        fprintf(stderr, "%s cannot be read\n", path);
        exit(1);
    }
    size = fread(data, 1, 1 << 20, file);
    fclose(file);
    run_all(data, size);
    free(data);
}

int main(int argc, char **argv)
{
    const char *source = getenv("srcdir"); /* set by automake's test driver */
    char folder[4096];
    struct dirent *entry;
    unsigned count = 0;
    DIR *listing;

    if (argc > 1)
        snprintf(folder, sizeof folder, "%s", argv[1]);
    else
        snprintf(folder, sizeof folder, "%s/tests/fuzz/corpus/" FUZZ_CORPUS,
                 source == NULL ? ".." : source);
    listing = opendir(folder);
    while (listing != NULL && (entry = readdir(listing)) != NULL) {
        char path[8192];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        run_file(path);
        count++;
    }
    if (listing != NULL)
        closedir(listing);
    printf("%u files of %s\n", count, folder);
    return count == 0;
}
