/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/security/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_change(void *context, const struct bondy_change *change)
{
    struct fixture *f = context;

    f->changes++;
    bondy_realms_on_change(f->realms, change);
    if (f->principals != NULL)
        bondy_principals_on_change(f->principals, change);
    if (f->auth != NULL)
        bondy_auth_on_change(f->auth, change);
}

static void on_commit(void *context)
{
    struct fixture *f = context;

    bondy_realms_publish(f->realms);
    if (f->principals != NULL)
        bondy_principals_on_commit(f->principals);
}

static void open_all(struct fixture *f)
{
    struct bondy_store_options options = {.path = f->path,
                                          .map_size = 1 << 20,
                                          .map_size_max = 1 << 26,
                                          .on_change = on_change,
                                          .on_commit = on_commit,
                                          .context = f};

    f->realms = bondy_realms_create(&f->rules);
    assert_int_equal(bondy_store_open(&options, &f->store, NULL), BONDY_OK);
    assert_int_equal(bondy_realms_load_wait(f->realms, f->store, NULL), BONDY_OK);
    assert_int_equal(bondy_store_start(f->store, NULL), BONDY_OK);
}

static int builtin(struct bondy_edit *edit, void *context)
{
    (void)context;
    return bondy_realm_apply_builtin(edit, NULL, false);
}

static void close_all(struct fixture *f)
{
    bondy_store_view_end(BONDY_MOVE(f->view));
    bondy_store_close(f->store);
    bondy_publish_barrier_wait();
    bondy_realms_destroy(f->realms);
}

int fixture_setup(void **state)
{
    struct fixture *f = bondy_zalloc(sizeof *f);

    f->folder = bondy_test_mkdir();
    snprintf(f->path, sizeof f->path, "%s/store", f->folder);
    bondy_security_rules_init(&f->rules);
    f->rules.pbkdf2_iterations = 4096;
    open_all(f);
    assert_int_equal(fixture_job(f, builtin, NULL), BONDY_OK);
    *state = f;
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *f = *state;

    close_all(f);
    json_decref(f->result);
    json_decref(f->problem);
    bondy_test_rmdir(f->folder);
    bondy_free(f);
    return 0;
}

void fixture_restart(struct fixture *f)
{
    close_all(f);
    open_all(f);
}

int fixture_run(const struct CMUnitTest *tests, size_t count)
{
    int failed;

    assert_int_equal(bondy_id_start(NULL), BONDY_OK);
    bondy_publish_thread_start();
    failed = _cmocka_run_group_tests("security", tests, count, NULL, NULL);
    bondy_publish_thread_stop();
    return failed;
}

const struct bondy_realm *fixture_realm(struct fixture *f, const char *uri)
{
    return bondy_realms_find(f->realms, bondy_slice_text(uri));
}

const struct bondy_store_view *fixture_view(struct fixture *f)
{
    bondy_store_view_end(BONDY_MOVE(f->view));
    assert_int_equal(bondy_store_view_begin(f->store, &f->view, NULL), BONDY_OK);
    return f->view;
}

/* ---- changes ------------------------------------------------------------------------------ */

struct step {
    struct bondy_store_job job;
    struct bondy_edit edit;
    int (*fn)(struct bondy_edit *edit, void *context);
    void *context;
    unsigned runs;
};

static int run_step(struct bondy_store_job *job, struct bondy_store_write *write,
                    struct bondy_error *err)
{
    struct step *step = BONDY_CONTAINER(job, struct step, job);
    int rc;

    (void)err;
    bondy_edit_start(&step->edit, write);
    rc = step->fn(&step->edit, step->context);
    /* A job may run twice. */
    if (step->runs++ == 0 && rc == BONDY_OK && step->edit.writes == 0) {
        bondy_edit_start(&step->edit, write);
        rc = step->fn(&step->edit, step->context);
        assert_int_equal(rc, BONDY_OK);
    }
    return bondy_edit_end(&step->edit, rc);
}

static void make_edit(struct fixture *f, struct bondy_edit *edit)
{
    *edit = (struct bondy_edit){.rules = &f->rules,
                                .expected = f->expected,
                                .is_dry_run = f->is_dry_run,
                                .is_lenient = f->is_lenient,
                                .is_rebase = f->is_rebase};
}

int fixture_job(struct fixture *f, int (*fn)(struct bondy_edit *edit, void *context), void *context)
{
    struct step step = {.job = {.run = run_step}, .fn = fn, .context = context};

    make_edit(f, &step.edit);
    bondy_store_run_wait(f->store, &step.job, NULL);
    json_decref(f->result);
    json_decref(f->problem);
    f->result = BONDY_MOVE(step.edit.result);
    f->problem = BONDY_MOVE(step.edit.problem);
    f->effects = step.edit.effects;
    f->writes = step.edit.writes;
    f->rc = step.job.rc;
    bondy_edit_fini(&step.edit);
    return f->rc;
}

struct request {
    struct fixture *f;
    enum fixture_what what;
    struct bondy_slice realm, name, text;
    json_t *input;
    struct bondy_file file;
};

static int apply_others(struct bondy_edit *edit, struct request *r)
{
    switch (r->what) {
    case ADD_GROUP:
        return bondy_group_apply_add(edit, r->realm, r->input);
    case UPDATE_GROUP:
        return bondy_group_apply_update(edit, r->realm, r->name, r->input);
    case DELETE_GROUP:
        return bondy_group_apply_delete(edit, r->realm, r->name);
    case ADD_GROUP_GROUPS:
        return bondy_group_apply_add_groups(edit, r->realm, r->name, r->input);
    case REMOVE_GROUP_GROUPS:
        return bondy_group_apply_remove_groups(edit, r->realm, r->name, r->input);
    case ADD_SOURCE:
        return bondy_source_apply_add(edit, r->realm, r->input);
    case DELETE_SOURCE: {
        json_t *names = json_loadb(r->name.data, r->name.len, JSON_DECODE_ANY, NULL);
        int rc = bondy_source_apply_delete(edit, r->realm, names, bondy_json_text(r->input, "cidr"),
                                           bondy_json_text(r->input, "authmethod"));

        json_decref(names);
        return rc;
    }
    case GRANT:
        return bondy_grant_apply_create(edit, r->realm, r->input);
    case REVOKE:
        return bondy_grant_apply_revoke(edit, r->realm, r->input);
    default:
        return bondy_file_apply(edit, &r->file);
    }
}

static int apply(struct bondy_edit *edit, void *context)
{
    struct request *r = context;

    switch (r->what) {
    case CREATE_REALM:
        return bondy_realm_apply_create(edit, r->input);
    case UPDATE_REALM:
        return bondy_realm_apply_update(edit, r->realm, r->input);
    case DELETE_REALM:
        return bondy_realm_apply_delete(edit, r->realm, r->f->force);
    case SUSPEND:
    case RESUME:
        return bondy_realm_apply_connections(edit, r->realm, r->what == RESUME);
    case ENABLE:
    case DISABLE:
        return bondy_realm_apply_security(edit, r->realm, r->what == ENABLE);
    case ADD_USER:
        return bondy_user_apply_add(edit, r->realm, r->input);
    case UPDATE_USER:
        return bondy_user_apply_update(edit, r->realm, r->name, r->input);
    case DELETE_USER:
        return bondy_user_apply_delete(edit, r->realm, r->name, r->f->force);
    case SET_PASSWORD:
        return bondy_user_apply_set_password(edit, r->realm, r->name, r->input, NULL);
    case ENABLE_USER:
    case DISABLE_USER:
        return bondy_user_apply_set_enabled(edit, r->realm, r->name, r->what == ENABLE_USER);
    case ADD_ALIAS:
        return bondy_user_apply_add_alias(edit, r->realm, r->name, r->text);
    case REMOVE_ALIAS:
        return bondy_user_apply_remove_alias(edit, r->realm, r->name, r->text);
    case ADD_USER_GROUPS:
        return bondy_user_apply_add_groups(edit, r->realm, r->name, r->input);
    case REMOVE_USER_GROUPS:
        return bondy_user_apply_remove_groups(edit, r->realm, r->name, r->input);
    case ADD_KEY:
        return bondy_user_apply_add_key(edit, r->realm, r->name, r->text);
    case REMOVE_KEY:
        return bondy_user_apply_remove_key(edit, r->realm, r->name, r->text);
    default:
        return apply_others(edit, r);
    }
}

static struct bondy_password_opts opts_of(struct request *r)
{
    const struct bondy_realm *realm = bondy_realms_find(r->f->realms, r->realm);

    return realm != NULL ? realm->password_opts
                         : bondy_user_password_opts(&r->f->rules, NULL, NULL);
}

/* What a pool thread does before the job. */
static int prepare(struct request *r, json_t **problem)
{
    struct bondy_password_opts opts = opts_of(r);
    struct bondy_edit edit;
    json_t *made = NULL;
    int rc;

    make_edit(r->f, &edit);
    switch (r->what) {
    case CREATE_REALM:
    case UPDATE_REALM:
        return bondy_realm_prepare(&edit, bondy_realms_find(r->f->realms, r->realm), NULL, r->input,
                                   r->what == UPDATE_REALM, problem);
    case ADD_USER:
    case UPDATE_USER:
        return bondy_user_prepare(&edit, &opts, r->input, r->what == UPDATE_USER, NULL, problem);
    case SET_PASSWORD:
        rc = bondy_user_prepare_password(&r->f->rules, &opts, r->text, &made, problem);
        r->input = made;
        return rc;
    case APPLY_CONFIG:
    case APPLY_MERGE:
    case APPLY_REPLACE:
        return bondy_file_prepare(&edit, fixture_view(r->f), r->input,
                                  r->what == APPLY_CONFIG  ? BONDY_FILE_CONFIG
                                  : r->what == APPLY_MERGE ? BONDY_FILE_MERGE
                                                           : BONDY_FILE_REPLACE,
                                  &r->file, problem);
    default:
        return BONDY_OK;
    }
}

static bool takes_text(enum fixture_what what)
{
    return what == SET_PASSWORD || what == ADD_ALIAS || what == REMOVE_ALIAS || what == ADD_KEY ||
           what == REMOVE_KEY;
}

static void run_request(struct fixture *f, struct request *r)
{
    json_t *problem = NULL;

    if (prepare(r, &problem) == BONDY_OK) {
        fixture_job(f, apply, r);
        return;
    }
    json_decref(f->problem);
    json_decref(BONDY_MOVE(f->result));
    f->problem = problem;
    f->rc = BONDY_EINVAL;
}

const char *fixture_do(struct fixture *f, enum fixture_what what, const char *realm,
                       const char *name, const char *input)
{
    struct request r = {.f = f,
                        .what = what,
                        .realm = bondy_slice_text(realm),
                        .name = bondy_slice_text(name),
                        .text = bondy_slice_text(input)};
    struct bondy_error err;

    if (input != NULL && !takes_text(what)) {
        r.input = bondy_json_parse(r.text, 64, &err);
        if (r.input == NULL)
            fail_msg("%s: %s", input, err.text);
    }
    run_request(f, &r);
    assert_true((f->rc == BONDY_OK || f->rc == BONDY_EDIT_TAKEN_BACK) == (f->problem == NULL));
    json_decref(r.input);
    bondy_file_fini(&r.file);
    f->is_dry_run = f->is_lenient = f->is_rebase = f->force = false;
    f->expected = NULL;
    return bondy_problem_code(f->problem);
}

/* ---- what is there ------------------------------------------------------------------------ */

static void strip(json_t *value)
{
    size_t i;
    json_t *item;

    json_array_foreach(value, i, item)
    {
        strip(item);
    }
    json_object_del(value, "etag");
    json_object_del(value, "created_at");
    json_object_del(value, "updated_at");
    json_object_del(value, "type");
    json_object_del(value, "version");
}

char *fixture_text(const json_t *value)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    json_t *copy = json_deep_copy(value);

    strip(copy);
    bondy_json_canonical(copy, &text);
    json_decref(copy);
    return bondy_buf_take_text(&text);
}

/* Takes `value`. */
static char *text_of(json_t *value)
{
    char *text = fixture_text(value);

    json_decref(value);
    return text;
}

char *fixture_user(struct fixture *f, const char *realm, const char *name)
{
    struct bondy_user user;
    char *text;

    if (!bondy_user_find(fixture_view(f), fixture_realm(f, realm), bondy_slice_text(name), &user))
        return NULL;
    text = text_of(bondy_user_external(&user));
    bondy_user_fini(&user);
    return text;
}

char *fixture_group(struct fixture *f, const char *realm, const char *name)
{
    struct bondy_group group;
    char *text;

    if (!bondy_group_find(fixture_view(f), fixture_realm(f, realm), bondy_slice_text(name), &group))
        return NULL;
    text = text_of(bondy_group_external(&group));
    bondy_group_fini(&group);
    return text;
}

static int add_source(void *context, const struct bondy_source *source)
{
    json_array_append_new(context, bondy_source_external(source));
    return 0;
}

char *fixture_sources(struct fixture *f, const char *realm)
{
    json_t *list = json_array();

    bondy_source_list(fixture_view(f), fixture_realm(f, realm), add_source, list);
    return text_of(list);
}

static int add_grant(void *context, const struct bondy_grant *grant)
{
    json_array_append_new(context, bondy_grant_external(grant, true));
    return 0;
}

char *fixture_grants(struct fixture *f, const char *realm)
{
    json_t *list = json_array();

    bondy_grant_list(fixture_view(f), fixture_realm(f, realm), add_grant, list);
    return text_of(list);
}

void fixture_is(char *got, const char *expected, const char *where, int line)
{
    bool is_same = got == NULL || expected == NULL ? got == expected : strcmp(got, expected) == 0;

    if (!is_same)
        print_error("%s:%d\n  got      %s\n  expected %s\n", where, line,
                    got == NULL ? "(none)" : got, expected == NULL ? "(none)" : expected);
    bondy_free(got);
    assert_true(is_same);
}

struct keys {
    const char *uri;
    json_t *made;
};

static int apply_keys(struct bondy_edit *edit, void *context)
{
    struct keys *keys = context;

    return bondy_realm_apply_keys(edit, bondy_slice_text(keys->uri), keys->made);
}

void fixture_keys(struct fixture *f, const char *uri)
{
    struct keys keys = {.uri = uri};

    assert_int_equal(bondy_realm_make_keys_wait(1, 0, &keys.made, NULL), BONDY_OK);
    assert_int_equal(fixture_job(f, apply_keys, &keys), BONDY_OK);
    json_decref(keys.made);
}
