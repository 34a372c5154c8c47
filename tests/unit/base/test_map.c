/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <stdio.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/base/map.h"

/* A small generator of our own: the same run every time. */
static uint64_t state_of_random = 1;

static uint32_t draw(uint32_t below)
{
    state_of_random = state_of_random * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (uint32_t)(state_of_random >> 33) % below;
}

static struct bondy_slice number_key(uint32_t number, char out[16])
{
    /* Keys of many lengths, the empty one among them, and with NUL bytes inside. */
    int len = number == 0 ? 0 : snprintf(out, 16, "%u", number);

    if (number % 7 == 3)
        out[len++] = '\0';
    return bondy_slice_of(out, (size_t)len);
}

static void a_map_agrees_with_a_plain_array_over_random_operations(void **state)
{
    enum { KEYS = 700, STEPS = 200000 };
    static char values[2][KEYS];
    void *model[KEYS] = {NULL};
    struct bondy_map map = BONDY_MAP_EMPTY;
    size_t count = 0;
    char text[16];

    (void)state;
    for (int step = 0; step < STEPS; step++) {
        /* The range in use moves up and down, so that the table fills, thins out and fills. */
        uint32_t n = draw(1 + (uint32_t)(step / 300) % KEYS);
        struct bondy_slice key = number_key(n, text);
        void *value = &values[draw(2)][n];

        assert_ptr_equal(bondy_map_find(&map, key), model[n]);
        if (draw(2) == 0) {
            assert_ptr_equal(bondy_map_put(&map, key, value), model[n]);
            count += model[n] == NULL;
            model[n] = value;
        } else {
            assert_ptr_equal(bondy_map_remove(&map, key), model[n]);
            count -= model[n] != NULL;
            model[n] = NULL;
        }
        assert_int_equal(map.count, count);
        assert_true(map.used >= map.count);
        assert_true(map.cap == 0 || map.used * 4 <= map.cap * 3);
    }
    bondy_map_fini(&map);
    assert_int_equal(map.count, 0);
}

static void an_idmap_agrees_with_a_plain_array_over_random_operations(void **state)
{
    enum { KEYS = 700, STEPS = 200000 };
    static char values[2][KEYS];
    void *model[KEYS] = {NULL};
    struct bondy_idmap map = BONDY_IDMAP_EMPTY;

    (void)state;
    for (int step = 0; step < STEPS; step++) {
        uint32_t n = draw(1 + (uint32_t)(step / 300) % KEYS);
        uint64_t key = ((uint64_t)n + 1) * UINT64_C(0x9E3779B97F4A7C15);
        void *value = &values[draw(2)][n];

        assert_ptr_equal(bondy_idmap_find(&map, key), model[n]);
        if (draw(2) == 0) {
            bondy_idmap_put(&map, key, value);
            model[n] = value;
        } else {
            assert_ptr_equal(bondy_idmap_remove(&map, key), model[n]);
            model[n] = NULL;
        }
    }
    bondy_idmap_fini(&map);
}

static void walking_meets_every_entry_once_while_entries_are_removed(void **state)
{
    enum { KEYS = 1000 };
    static char seen[KEYS];
    struct bondy_map map = BONDY_MAP_EMPTY;
    struct bondy_idmap idmap = BONDY_IDMAP_EMPTY;
    struct bondy_slice key;
    size_t cursor = 0;
    uint64_t id;
    void *value;
    char text[16];

    (void)state;
    for (uint32_t i = 0; i < KEYS; i++) {
        bondy_map_put(&map, number_key(i, text), &seen[i]);
        bondy_idmap_put(&idmap, i + 1, &seen[i]);
    }
    while (bondy_map_next(&map, &cursor, &key, &value)) {
        (*(char *)value)++;
        if (((char *)value - seen) % 3 != 0)
            assert_ptr_equal(bondy_map_remove(&map, key), value);
    }
    assert_int_equal(map.count, (KEYS + 2) / 3);
    cursor = 0;
    while (bondy_idmap_next(&idmap, &cursor, &id, &value)) {
        (*(char *)value)++;
        assert_ptr_equal(value, &seen[id - 1]);
        bondy_idmap_remove(&idmap, id);
    }
    assert_int_equal(idmap.count, 0);
    for (int i = 0; i < KEYS; i++)
        assert_int_equal(seen[i], 2);
    bondy_map_fini(&map);
    bondy_idmap_fini(&idmap);
}

static void a_key_is_copied_and_an_old_value_is_given_back(void **state)
{
    struct bondy_map map = BONDY_MAP_EMPTY;
    char key[] = "realm";
    int first, second;

    (void)state;
    assert_null(bondy_map_find(&map, BONDY_SLICE("realm")));
    assert_null(bondy_map_remove(&map, BONDY_SLICE("realm")));
    assert_null(bondy_map_put(&map, bondy_slice_text(key), &first));
    memset(key, 'x', sizeof key - 1);
    assert_ptr_equal(bondy_map_find(&map, BONDY_SLICE("realm")), &first);
    assert_ptr_equal(bondy_map_put(&map, BONDY_SLICE("realm"), &second), &first);
    assert_ptr_equal(bondy_map_remove(&map, BONDY_SLICE("realm")), &second);
    bondy_map_fini(&map);
}

static void a_table_with_many_entries_coming_and_going_stays_small(void **state)
{
    struct bondy_idmap map = BONDY_IDMAP_EMPTY;
    int value;

    (void)state;
    for (uint64_t id = 1; id < 100000; id++) {
        bondy_idmap_put(&map, id, &value);
        if (id > 10)
            assert_ptr_equal(bondy_idmap_remove(&map, id - 10), &value);
    }
    assert_int_equal(map.count, 10);
    assert_true(map.cap <= 64);
    bondy_idmap_fini(&map);
}

/* ---- keys that collide under common hashes ----------------------------------------------- */

static uint32_t hash_31(const unsigned char *key, size_t len)
{
    uint32_t h = 0;

    for (size_t i = 0; i < len; i++)
        h = h * 31 + key[i];
    return h;
}

static uint32_t hash_33(const unsigned char *key, size_t len)
{
    uint32_t h = 0;

    for (size_t i = 0; i < len; i++)
        h = h * 33 + key[i];
    return h;
}

static uint32_t hash_djb2(const unsigned char *key, size_t len)
{
    uint32_t h = 5381;

    for (size_t i = 0; i < len; i++)
        h = h * 33 + key[i];
    return h;
}

#define FNV_PRIME UINT32_C(16777619)

static uint32_t hash_fnv(const unsigned char *key, size_t len)
{
    uint32_t h = 2166136261U;

    for (size_t i = 0; i < len; i++)
        h = (h ^ key[i]) * FNV_PRIME;
    return h;
}

enum { FLOOD = 16384, FLOOD_KEY = 28 };

/* Two blocks of two bytes with the same h*31+c (h*33+c): any sequence of them collides. */
static void flood_of_pairs(const char *a, const char *b, unsigned char keys[][FLOOD_KEY])
{
    for (uint32_t i = 0; i < FLOOD; i++)
        for (uint32_t bit = 0; bit < FLOOD_KEY / 2; bit++)
            memcpy(keys[i] + 2 * bit, i >> bit & 1 ? a : b, 2);
}

/* FNV-1a: the last two bytes are tried until the low 14 bits, all that a table of this size looks
 * at, are zero. */
static void flood_of_fnv(unsigned char keys[][FLOOD_KEY])
{
    uint32_t found = 0;

    for (uint64_t n = 0; found < FLOOD; n++) {
        unsigned char *key = keys[found];
        uint32_t sum;

        memset(key, 'k', FLOOD_KEY);
        memcpy(key, &n, sizeof n);
        sum = hash_fnv(key, FLOOD_KEY - 2);
        for (uint32_t tail = 0; tail < 65536; tail++) {
            uint32_t first = (sum ^ (tail & 0xFF)) * FNV_PRIME;

            if ((((first ^ (tail >> 8)) * FNV_PRIME) & (FLOOD - 1)) != 0)
                continue;
            key[FLOOD_KEY - 2] = (unsigned char)(tail & 0xFF);
            key[FLOOD_KEY - 1] = (unsigned char)(tail >> 8);
            found++;
            break;
        }
    }
}

static void flood_of_random(unsigned char keys[][FLOOD_KEY])
{
    for (uint32_t i = 0; i < FLOOD; i++)
        for (uint32_t at = 0; at < FLOOD_KEY; at++)
            keys[i][at] = (unsigned char)draw(256);
}

/* Probes that linear probing needs to insert all keys by our hash: no clock is involved. */
static size_t probes(unsigned char keys[][FLOOD_KEY])
{
    enum { CAP = 4 * FLOOD };
    unsigned char *taken = bondy_zalloc(CAP);
    size_t count = 0;

    for (uint32_t i = 0; i < FLOOD; i++) {
        size_t at = bondy_hash(keys[i], FLOOD_KEY) % CAP;

        for (count++; taken[at] != 0; count++)
            at = (at + 1) % CAP;
        taken[at] = 1;
    }
    bondy_free(taken);
    return count;
}

static void keys_made_to_collide_take_no_more_probes_than_random_ones(void **state)
{
    static unsigned char keys[FLOOD][FLOOD_KEY];
    size_t random_probes;

    (void)state;
    flood_of_random(keys);
    random_probes = probes(keys);
    assert_true(random_probes < 2 * FLOOD);

    flood_of_pairs("Aa", "BB", keys);
    assert_int_equal(hash_31(keys[0], FLOOD_KEY), hash_31(keys[FLOOD - 1], FLOOD_KEY));
    assert_true(probes(keys) < random_probes + random_probes / 10);

    flood_of_pairs("Ab", "BA", keys);
    assert_int_equal(hash_33(keys[0], FLOOD_KEY), hash_33(keys[FLOOD - 1], FLOOD_KEY));
    assert_int_equal(hash_djb2(keys[0], FLOOD_KEY), hash_djb2(keys[FLOOD - 1], FLOOD_KEY));
    assert_true(probes(keys) < random_probes + random_probes / 10);

    flood_of_fnv(keys);
    for (int i = 0; i < FLOOD; i++)
        assert_int_equal(hash_fnv(keys[i], FLOOD_KEY) & (FLOOD - 1), 0);
    assert_true(probes(keys) < random_probes + random_probes / 10);
}

static void the_hash_depends_on_every_byte_and_on_the_length(void **state)
{
    char zeros[9] = {0};

    (void)state;
    for (size_t len = 0; len < 8; len++)
        assert_true(bondy_hash(zeros, len) != bondy_hash(zeros, len + 1));
    assert_true(bondy_hash_id(1) != bondy_hash_id(UINT64_C(1) << 32));
    assert_true(bondy_hash_id(7) == bondy_hash_id(7));
    assert_true(bondy_hash(NULL, 0) == bondy_hash("", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_map_agrees_with_a_plain_array_over_random_operations),
        cmocka_unit_test(an_idmap_agrees_with_a_plain_array_over_random_operations),
        cmocka_unit_test(walking_meets_every_entry_once_while_entries_are_removed),
        cmocka_unit_test(a_key_is_copied_and_an_old_value_is_given_back),
        cmocka_unit_test(a_table_with_many_entries_coming_and_going_stays_small),
        cmocka_unit_test(keys_made_to_collide_take_no_more_probes_than_random_ones),
        cmocka_unit_test(the_hash_depends_on_every_byte_and_on_the_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
