/* SPDX-License-Identifier: Apache-2.0 */
/* The boot file of API specifications. http-gateway.md 8.3. Loads over REST: tests/unit/admin. */
#include "tests/lib/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/catalog/catalog.h"
#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/sys/file.h"
#include "src/sys/publish.h"

struct fixture {
    char *folder;
    char path[512], file[512];
    struct bondy_store *store;
    struct bondy_realms *realms;
    struct bondy_catalog *catalog;
    size_t routes; /* in the table published last */
    unsigned publications;
};

static void on_change(void *context, const struct bondy_change *change)
{
    struct fixture *f = context;

    bondy_realms_on_change(f->realms, change);
    bondy_catalog_on_change(f->catalog, change);
}

static void on_commit(void *context)
{
    struct fixture *f = context;

    bondy_realms_publish(f->realms);
    bondy_catalog_publish(f->catalog);
}

static void publish(void *context, struct bondy_route_table *table)
{
    struct fixture *f = context;

    f->routes = bondy_route_table_count(table);
    f->publications++;
    bondy_route_table_destroy(table);
}

static int make_realm(struct bondy_store_job *job, struct bondy_store_write *write,
                      struct bondy_error *err)
{
    struct bondy_security_rules rules;
    struct bondy_edit edit = {.rules = &rules};
    json_t *input = json_pack("{s:s}", "uri", "org.acme");
    int rc;

    (void)job, (void)err;
    bondy_security_rules_init(&rules);
    bondy_edit_start(&edit, write);
    rc = bondy_edit_end(&edit, bondy_realm_apply_create(&edit, input));
    bondy_edit_fini(&edit);
    json_decref(input);
    return rc;
}

static int setup(void **state)
{
    struct fixture *f = bondy_zalloc(sizeof *f);
    struct bondy_store_options options = {.path = f->path,
                                          .map_size = 1 << 20,
                                          .map_size_max = 1 << 26,
                                          .on_change = on_change,
                                          .on_commit = on_commit,
                                          .context = f};
    struct bondy_catalog_options catalog = {.publish = publish, .context = f};
    struct bondy_store_job job = {.run = make_realm};

    bondy_publish_thread_start();
    f->folder = bondy_test_mkdir();
    snprintf(f->path, sizeof f->path, "%s/store", f->folder);
    snprintf(f->file, sizeof f->file, "%s/apis.json", f->folder);
    f->realms = bondy_realms_create(NULL);
    catalog.realms = f->realms;
    f->catalog = bondy_catalog_create(&catalog);
    assert_int_equal(bondy_store_open(&options, &f->store, NULL), BONDY_OK);
    assert_int_equal(bondy_catalog_load_wait(f->catalog, f->store, NULL), BONDY_OK);
    assert_int_equal(bondy_store_start(f->store, NULL), BONDY_OK);
    assert_int_equal(bondy_store_run_wait(f->store, &job, NULL), BONDY_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    bondy_store_close(f->store);
    bondy_publish_barrier_wait();
    bondy_catalog_destroy(f->catalog);
    bondy_realms_destroy(f->realms);
    bondy_publish_thread_stop();
    bondy_test_rmdir(f->folder);
    bondy_free(f);
    return 0;
}

static int apply(struct fixture *f, const char *text, unsigned *failed)
{
    assert_int_equal(bondy_file_write(f->file, bondy_slice_text(text), 0600, NULL), BONDY_OK);
    return bondy_catalog_apply_file_wait(f->catalog, f->store, f->file, failed, NULL);
}

static json_int_t revision_of(struct fixture *f, const char *id)
{
    json_t *entry = bondy_catalog_get(f->catalog, bondy_slice_text(id));
    json_int_t revision = json_integer_value(json_object_get(entry, "revision"));

    json_decref(entry);
    return revision;
}

#define API(id, realm)                                                                             \
    "{\"id\":\"" id "\",\"name\":\"n\",\"host\":\"_\",\"realm_uri\":\"" realm "\",\"versions\":"   \
    "{\"1\":{\"base_path\":\"\",\"paths\":{\"/" id "\":{\"get\":{\"action\":{\"type\":"            \
    "\"static\",\"body\":\"x\"}}}}}}}"

static void an_identical_document_is_not_written_again(void **state)
{
    struct fixture *f = *state;
    unsigned failed, publications;

    assert_int_equal(apply(f, API("a", "org.acme"), &failed), BONDY_OK);
    assert_int_equal(failed, 0);
    assert_int_equal(f->routes, 1);
    publications = f->publications;
    /* The same with other white space. */
    assert_int_equal(apply(f, "[\n" API("a", "org.acme") "  ]", &failed), BONDY_OK);
    assert_int_equal(revision_of(f, "a"), 1);
    assert_int_equal(f->publications, publications);
    setenv("BONDY_TEST_REALM", "org.acme", 1);
    assert_int_equal(apply(f, API("b", "${BONDY_TEST_REALM}"), &failed), BONDY_OK);
    assert_int_equal(failed, 0);
    assert_int_equal(f->routes, 2);
}

static void a_bad_document_does_not_stop_the_next_one(void **state)
{
    struct fixture *f = *state;
    unsigned failed;

    assert_int_equal(apply(f, "[" API("a", "no.such") ",7," API("c", "org.acme") "]", &failed),
                     BONDY_OK);
    assert_int_equal(failed, 2);
    assert_int_equal(revision_of(f, "a"), 0);
    assert_int_equal(revision_of(f, "c"), 1);
}

static void a_file_that_is_none_is_said(void **state)
{
    struct fixture *f = *state;
    unsigned failed;

    assert_int_equal(bondy_catalog_apply_file_wait(f->catalog, f->store, "/no/such", &failed, NULL),
                     BONDY_ENOENT);
    assert_int_equal(apply(f, "{", &failed), BONDY_EINVAL);
    assert_int_equal(apply(f, "{\"id\":\"${BONDY_TEST_NOT_THERE}\"}", &failed), BONDY_EINVAL);
}

static const char *look_up(const char *name)
{
    static const struct {
        const char *name, *value;
    } variables[] = {{"PORT", "8080"}, {"QUOTED", "a\"b\\c"}, {"EMPTY", ""}};

    for (size_t i = 0; i < BONDY_COUNT(variables); i++)
        if (strcmp(variables[i].name, name) == 0)
            return variables[i].value;
    return NULL;
}

static void variables_are_replaced(void **state)
{
    static const struct {
        const char *text, *expanded; /* NULL: refused */
    } cases[] = {
        {"{}", "{}"},
        {"${PORT}", "8080"},
        {"\"http://x:${PORT}/\"", "\"http://x:8080/\""},
        {"\"${QUOTED}\"", "\"a\\\"b\\\\c\""},
        {"\"\\\"${QUOTED}\"", "\"\\\"a\\\"b\\\\c\""},
        {"${NONE:-7}", "7"},
        {"${EMPTY:-7}", "7"},
        {"\"${EMPTY}\"", "\"\""},
        {"\"${NONE:-}\"", "\"\""},
        {"\"$5 {{x}} ${\"", "\"$5 {{x}} ${\""},
        {"${NONE}", NULL},
        {"${}", NULL},
        {"${:-x}", NULL},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_buf out = BONDY_BUF_EMPTY;
        int rc = bondy_catalog_expand(bondy_slice_text(cases[i].text), look_up, &out, NULL);

        print_message("%s\n", cases[i].text);
        assert_int_equal(rc, cases[i].expanded == NULL ? BONDY_EINVAL : BONDY_OK);
        if (cases[i].expanded != NULL)
            assert_slice_is(bondy_buf_slice(&out), cases[i].expanded);
        bondy_buf_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_identical_document_is_not_written_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_bad_document_does_not_stop_the_next_one, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_that_is_none_is_said, setup, teardown),
        cmocka_unit_test(variables_are_replaced),
    };

    assert_int_equal(bondy_id_start(NULL), BONDY_OK);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
