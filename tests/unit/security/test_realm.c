/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <stdio.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/base/problem.h"
#include "src/security/realm.h"
#include "src/sys/publish.h"

struct fixture {
    char *folder;
    char path[512];
    struct bondy_store *store;
    struct bondy_realms *realms;
};

static void on_change(void *context, const struct bondy_change *change)
{
    bondy_realms_on_change(((struct fixture *)context)->realms, change);
}

static void on_commit(void *context)
{
    bondy_realms_publish(((struct fixture *)context)->realms);
}

static int run_builtin(struct bondy_store_job *job, struct bondy_store_write *write,
                       struct bondy_error *err)
{
    (void)job;
    return bondy_realm_apply_builtin(write, err);
}

static void open_all(struct fixture *f)
{
    struct bondy_store_options options = {.path = f->path,
                                          .map_size = 1 << 20,
                                          .map_size_max = 1 << 26,
                                          .on_change = on_change,
                                          .on_commit = on_commit,
                                          .context = f};
    struct bondy_store_job job = {.run = run_builtin};

    f->realms = bondy_realms_create();
    assert_int_equal(bondy_store_open(&options, &f->store, NULL), BONDY_OK);
    assert_int_equal(bondy_realms_load_wait(f->realms, f->store, NULL), BONDY_OK);
    assert_int_equal(bondy_store_start(f->store, NULL), BONDY_OK);
    assert_int_equal(bondy_store_run_wait(f->store, &job, NULL), BONDY_OK);
}

static void close_all(struct fixture *f)
{
    bondy_store_close(f->store);
    bondy_publish_barrier_wait();
    bondy_realms_destroy(f->realms);
}

static int setup(void **state)
{
    struct fixture *f = bondy_zalloc(sizeof *f);

    f->folder = bondy_test_mkdir();
    snprintf(f->path, sizeof f->path, "%s/store", f->folder);
    open_all(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    close_all(f);
    bondy_test_rmdir(f->folder);
    bondy_free(f);
    return 0;
}

struct step {
    struct bondy_store_job job;
    enum { CREATE, UPDATE, DELETE, APPLY_FILE } what;
    const char *uri;
    json_t *input;
    json_t *problem;
    char *made;
};

static int run_step(struct bondy_store_job *job, struct bondy_store_write *write,
                    struct bondy_error *err)
{
    struct step *step = BONDY_CONTAINER(job, struct step, job);
    struct bondy_slice uri = bondy_slice_text(step->uri);

    (void)err;
    switch (step->what) {
    case CREATE:
        return bondy_realm_apply_create(write, step->input, &step->made, &step->problem);
    case UPDATE:
        return bondy_realm_apply_update(write, uri, step->input, NULL, &step->problem);
    case DELETE:
        return bondy_realm_apply_delete(write, uri, NULL, &step->problem);
    case APPLY_FILE:
        return bondy_realm_apply_file(write, step->input, &step->problem);
    }
    return BONDY_EINVAL;
}

/* Does the step with `input` as JSON text and returns the code of its problem ("" when it worked).
 */
static const char *attempt(struct fixture *f, struct step *step, const char *input)
{
    static char code[128];
    struct bondy_error err;

    step->job.run = run_step;
    step->input = input == NULL ? NULL : bondy_json_parse(bondy_slice_text(input), 32, &err);
    if (input != NULL && step->input == NULL)
        fail_msg("%s", err.text);
    bondy_store_run_wait(f->store, &step->job, NULL);
    snprintf(code, sizeof code, "%s", bondy_problem_code(step->problem));
    assert_true((step->job.rc == BONDY_OK) == (step->problem == NULL));
    json_decref(step->input);
    json_decref(step->problem);
    bondy_free(step->made);
    step->problem = NULL;
    step->made = NULL;
    return code;
}

static const char *create(struct fixture *f, const char *input)
{
    struct step step = {.what = CREATE};

    return attempt(f, &step, input);
}

static const struct bondy_realm *find(struct fixture *f, const char *uri)
{
    return bondy_realms_find(f->realms, bondy_slice_text(uri));
}

static void a_created_realm_is_found_by_any_spelling(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(create(f, "{\"uri\":\"Org.Acme.Shop\",\"description\":\"Shop\"}"), "");
    assert_non_null(find(f, "org.acme.shop"));
    assert_non_null(find(f, "ORG.ACME.SHOP"));
    assert_string_equal(find(f, "org.acme.shop")->uri, "org.acme.shop");
    assert_string_equal(find(f, "org.acme.shop")->description, "Shop");
    assert_null(find(f, "org.acme"));
    assert_string_equal(create(f, "{\"uri\":\"org.acme.SHOP\"}"), "bondy.error.already_exists");
}

static void bad_input_is_refused_by_name(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *input, *code;
    } cases[] = {
        {"[]", "bondy.error.invalid_datatype"},
        {"{}", "bondy.error.missing_required_value"},
        {"{\"uri\":7}", "bondy.error.invalid_datatype"},
        {"{\"uri\":\"\"}", "bondy.error.invalid_value"},
        {"{\"uri\":\"a..b\"}", "bondy.error.invalid_value"},
        {"{\"uri\":\"a b\"}", "bondy.error.invalid_value"},
        {"{\"uri\":\"a#b\"}", "bondy.error.invalid_value"},
        {"{\"uri\":\"a\",\"authmethod\":[]}", "bondy.error.invalid_data"},
        {"{\"uri\":\"a\",\"description\":7}", "bondy.error.invalid_datatype"},
        {"{\"uri\":\"a\",\"allow_connections\":\"no\"}", "bondy.error.invalid_datatype"},
        {"{\"uri\":\"a\",\"authmethods\":\"anonymous\"}", "bondy.error.invalid_datatype"},
        {"{\"uri\":\"a\",\"authmethods\":[\"magic\"]}", "bondy.error.invalid_value"},
        {"{\"uri\":\"a\",\"authmethods\":[\"wampcra\"]}", "bondy.error.not_implemented"},
        {"{\"uri\":\"a\",\"security_enabled\":true}", "bondy.error.not_implemented"},
        {"{\"uri\":\"a\",\"users\":[]}", "bondy.error.not_implemented"},
        {"{\"uri\":\"a\",\"users\":[],\"grants\":[]}", "bondy.error.not_implemented"},
        {"{\"uri\":\"a\",\"is_prototype\":true}", "bondy.error.not_implemented"},
        {"{\"uri\":\"a\",\"users\":[],\"description\":7}", "bondy.error.invalid_data"},
        {"{\"uri\":\"com.leapsight.bondy\"}", "wamp.error.invalid_argument"},
        {"{\"uri\":\"com.leapsight.bondyfoo\"}", "wamp.error.invalid_argument"},
        {"{\"uri\":\"bondy\"}", "wamp.error.invalid_argument"},
    };

    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        const char *code = create(f, cases[i].input);

        if (strcmp(code, cases[i].code) != 0)
            fail_msg("%s: %s, expected %s", cases[i].input, code, cases[i].code);
    }
    assert_null(find(f, "a"));
}

static void what_get_returns_can_be_sent_back(void **state)
{
    struct fixture *f = *state;
    struct step step = {.what = UPDATE, .uri = "org.acme"};
    uint8_t version[BONDY_VERSION_LEN];
    json_t *external;
    char *text;

    create(f, "{\"uri\":\"org.acme\",\"authmethods\":[\"anonymous\"],\"security_enabled\":false}");
    memcpy(version, find(f, "org.acme")->version, sizeof version);
    external = bondy_realm_external(find(f, "org.acme"));
    assert_string_equal(json_string_value(json_object_get(external, "security_status")),
                        "disabled");
    text = json_dumps(external, 0);
    assert_string_equal(attempt(f, &step, text), "");
    /* And it changes nothing. */
    assert_memory_equal(find(f, "org.acme")->version, version, sizeof version);
    free(text);
    json_decref(external);
}

static void a_partial_update_changes_only_what_it_names(void **state)
{
    struct fixture *f = *state;
    struct step step = {.what = UPDATE, .uri = "ORG.acme"};

    create(f, "{\"uri\":\"org.acme\",\"description\":\"one\",\"allow_connections\":false}");
    assert_false(find(f, "org.acme")->allows_connections);
    assert_string_equal(attempt(f, &step, "{\"description\":\"two\"}"), "");
    assert_string_equal(find(f, "org.acme")->description, "two");
    assert_false(find(f, "org.acme")->allows_connections);
    assert_string_equal(attempt(f, &step, "{\"allow_connections\":null}"), "");
    assert_true(find(f, "org.acme")->allows_connections);
    assert_int_equal(find(f, "org.acme")->connections_given, -1);
    step.uri = "no.such";
    assert_string_equal(attempt(f, &step, "{}"), "bondy.error.not_found");
}

static void a_changed_switch_is_a_new_version(void **state)
{
    struct fixture *f = *state;
    struct step step = {.what = UPDATE, .uri = "org.acme"};
    uint8_t version[BONDY_VERSION_LEN];

    create(f, "{\"uri\":\"org.acme\"}");
    memcpy(version, find(f, "org.acme")->version, sizeof version);
    assert_string_equal(attempt(f, &step, "{\"allow_connections\":false}"), "");
    assert_memory_not_equal(find(f, "org.acme")->version, version, sizeof version);
    memcpy(version, find(f, "org.acme")->version, sizeof version);
    assert_string_equal(attempt(f, &step, "{\"allow_connections\":false}"), "");
    assert_memory_equal(find(f, "org.acme")->version, version, sizeof version);
    assert_string_equal(attempt(f, &step, "{\"allow_connections\":null}"), "");
    assert_memory_not_equal(find(f, "org.acme")->version, version, sizeof version);
}

static void the_control_realm_cannot_be_touched(void **state)
{
    struct fixture *f = *state;
    struct step step = {.what = UPDATE, .uri = BONDY_CONTROL_REALM};

    assert_string_equal(attempt(f, &step, "{}"), "wamp.error.invalid_argument");
    step.what = DELETE;
    assert_string_equal(attempt(f, &step, NULL), "wamp.error.invalid_argument");
}

static void a_switch_survives_a_restart(void **state)
{
    struct fixture *f = *state;

    create(f, "{\"uri\":\"org.acme\",\"allow_connections\":false,\"security_enabled\":false}");
    close_all(f);
    open_all(f);
    assert_false(find(f, "org.acme")->allows_connections);
    assert_int_equal(find(f, "org.acme")->security_given, 0);
}

/* cluster.md B2.4: what belonged to the deleted realm does not come back with a new one. */
static void a_realm_made_again_has_none_of_the_old_switches(void **state)
{
    struct fixture *f = *state;
    struct step gone = {.what = DELETE, .uri = "org.acme"};

    create(f, "{\"uri\":\"org.acme\",\"allow_connections\":false}");
    assert_string_equal(attempt(f, &gone, NULL), "");
    assert_null(find(f, "org.acme"));
    assert_string_equal(attempt(f, &gone, NULL), "bondy.error.not_found");
    assert_string_equal(create(f, "{\"uri\":\"org.acme\"}"), "");
    assert_true(find(f, "org.acme")->allows_connections);
    assert_int_equal(find(f, "org.acme")->gen, 1);
    close_all(f);
    open_all(f);
    assert_true(find(f, "org.acme")->allows_connections);
}

static void the_master_realm_is_there_and_stays(void **state)
{
    struct fixture *f = *state;
    struct step step = {.what = DELETE, .uri = "bondy"};

    assert_ptr_equal(find(f, "bondy"), find(f, BONDY_MASTER_REALM));
    assert_true(find(f, "bondy")->is_master);
    assert_false(find(f, "bondy")->allows_anonymous);
    assert_string_equal(attempt(f, &step, NULL), "wamp.error.invalid_argument");
    step.what = UPDATE;
    assert_string_equal(attempt(f, &step, "{\"allow_connections\":false}"),
                        "wamp.error.invalid_argument");
    assert_string_equal(attempt(f, &step, "{\"description\":\"mine\"}"), "");
    close_all(f);
    open_all(f);
    assert_string_equal(find(f, "bondy")->description, "mine");
}

static void a_security_file_applied_twice_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct step step = {.what = APPLY_FILE};
    static const char file[] = "[{\"uri\":\"org.a\",\"description\":\"A\",\"comment\":\"dropped\"},"
                               "{\"uri\":\"org.b\",\"allow_connections\":false}]";
    uint8_t version[BONDY_VERSION_LEN];

    assert_string_equal(attempt(f, &step, file), "");
    memcpy(version, find(f, "org.b")->version, sizeof version);
    assert_string_equal(attempt(f, &step, file), "");
    assert_memory_equal(find(f, "org.b")->version, version, sizeof version);
    assert_string_equal(attempt(f, &step, "[{\"uri\":\"org.c\"},{\"uri\":\"org.d\",\"users\":[]}]"),
                        "bondy.error.not_implemented");
    assert_null(find(f, "org.c")); /* refused whole */
}

static void the_list_is_sorted(void **state)
{
    struct fixture *f = *state;
    json_t *list;

    create(f, "{\"uri\":\"z\"}");
    create(f, "{\"uri\":\"a\"}");
    list = bondy_realms_list(f->realms);
    assert_int_equal(json_array_size(list), 3);
    assert_slice_is(bondy_json_text(json_array_get(list, 0), "uri"), "a");
    assert_slice_is(bondy_json_text(json_array_get(list, 1), "uri"), BONDY_MASTER_REALM);
    json_decref(list);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_created_realm_is_found_by_any_spelling),
        TEST(bad_input_is_refused_by_name),
        TEST(what_get_returns_can_be_sent_back),
        TEST(a_partial_update_changes_only_what_it_names),
        TEST(a_changed_switch_is_a_new_version),
        TEST(the_control_realm_cannot_be_touched),
        TEST(a_switch_survives_a_restart),
        TEST(a_realm_made_again_has_none_of_the_old_switches),
        TEST(the_master_realm_is_there_and_stays),
        TEST(a_security_file_applied_twice_changes_nothing),
        TEST(the_list_is_sorted),
    };
    int failed;

    assert_int_equal(bondy_id_start(NULL), BONDY_OK);
    bondy_publish_thread_start();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    bondy_publish_thread_stop();
    return failed;
}
