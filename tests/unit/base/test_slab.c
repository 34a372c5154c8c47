/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "src/base/alloc.h"
#include "src/base/slab.h"

static void objects_do_not_overlap_and_are_aligned(void **state)
{
    static const size_t sizes[] = {1, 8, 24, 100, 1000, 9000, 70000};

    (void)state;
    for (size_t s = 0; s < BONDY_COUNT(sizes); s++) {
        enum { OBJECTS = 300 };
        struct bondy_slab *slab = bondy_slab_create(sizes[s], 0);
        unsigned char *objects[OBJECTS];

        for (int i = 0; i < OBJECTS; i++) {
            objects[i] = bondy_slab_alloc(slab);
            assert_int_equal((uintptr_t)objects[i] % 16, 0);
            memset(objects[i], i & 0xFF, sizes[s]);
        }
        assert_int_equal(bondy_slab_count(slab), OBJECTS);
        for (int i = 0; i < OBJECTS; i++) {
            assert_int_equal(objects[i][0], i & 0xFF);
            assert_int_equal(objects[i][sizes[s] - 1], i & 0xFF);
            bondy_slab_free(slab, objects[i]);
        }
        assert_int_equal(bondy_slab_count(slab), 0);
        bondy_slab_destroy(slab);
    }
}

static void objects_come_and_go_in_any_order(void **state)
{
    enum { OBJECTS = 500, STEPS = 100000 };
    struct bondy_slab *slab = bondy_slab_create(40, 4096);
    uint64_t *objects[OBJECTS] = {NULL};
    uint32_t random = 1;

    (void)state;
    for (uint32_t step = 0; step < STEPS; step++) {
        random = random * 1664525 + 1013904223;
        uint64_t **object = &objects[(random >> 8) % OBJECTS];

        if (*object == NULL) {
            *object = bondy_slab_alloc(slab);
            **object = (uint64_t)(object - objects);
        } else {
            assert_int_equal(**object, object - objects);
            bondy_slab_free(slab, *object);
            *object = NULL;
        }
    }
    for (int i = 0; i < OBJECTS; i++)
        bondy_slab_free(slab, objects[i]);
    assert_int_equal(bondy_slab_count(slab), 0);
    bondy_slab_destroy(slab);
}

static void the_object_freed_last_is_used_first(void **state)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    (void)state;
    skip(); /* there each object is an allocation of its own */
#else
    struct bondy_slab *slab = bondy_slab_create(64, 0);
    void *first = bondy_slab_alloc(slab);
    void *second = bondy_slab_alloc(slab);

    (void)state;
    bondy_slab_free(slab, first);
    assert_ptr_equal(bondy_slab_alloc(slab), first);
    bondy_slab_free(slab, first);
    bondy_slab_free(slab, second);
    bondy_slab_destroy(slab);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_do_not_overlap_and_are_aligned),
        cmocka_unit_test(objects_come_and_go_in_any_order),
        cmocka_unit_test(the_object_freed_last_is_used_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
