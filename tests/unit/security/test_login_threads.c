/* SPDX-License-Identifier: Apache-2.0 */

/* Logins with their pools: looked up and hashed on other threads, answered on the loop; ended while
 * they are away; users changed meanwhile. For ThreadSanitizer. */

#include "tests/unit/security/login_rig.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define ROUNDS 12
#define CHANGES 15

struct crowd;

struct visitor {
    struct crowd *crowd;
    size_t kind;
    struct bondy_login *login;
    unsigned steps;
};

/* What each kind says, and what becomes of it. */
static const struct {
    const char *authid, *method, *password;
    bool leaves_at_once;      /* while it is looked up */
    bool leaves_when_hashing; /* while the answer is */
    bool is_let_in;
} kinds[] = {
    {"mona", "password", PASSWORD, false, false, true},
    {"mo-1", "password", PASSWORD, false, false, true},
    {"mona", "password", "wrong", false, false, false},
    {"nobody", "password", "wrong", false, false, false},
    {"mona", "password", PASSWORD, true, false, false},
    {"mona", "password", PASSWORD, false, true, false},
    {"keyed", "trust", "", false, false, true},
    {"argo", "password", PASSWORD, false, false, true},
};

#define VISITORS (ROUNDS * BONDY_COUNT(kinds))

struct crowd {
    struct login_rig *rig;
    struct bondy_loop *loop;
    struct bondy_mail mail;
    struct visitor visitors[VISITORS];
    size_t left; /* that have an answer to come */
    size_t let_in, kept_out, abandoned;
};

/* All of this on the loop. */

static void leave(struct visitor *visitor)
{
    struct crowd *crowd = visitor->crowd;

    bondy_auth_ops(crowd->rig->auth)->end(BONDY_MOVE(visitor->login));
    if (--crowd->left == 0)
        bondy_loop_stop(crowd->loop);
}

static void on_done(struct bondy_login *login, void *context)
{
    struct visitor *visitor = context;
    struct crowd *crowd = visitor->crowd;
    const struct bondy_login_ops *ops = bondy_auth_ops(crowd->rig->auth);
    const struct bondy_login_answer *said = ops->answer(login);

    assert_ptr_equal(bondy_loop_current(), crowd->loop);
    visitor->steps++;
    if (said->step == BONDY_LOGIN_CHALLENGE) {
        ops->authenticate(login, bondy_slice_text(kinds[visitor->kind].password), NULL);
        if (kinds[visitor->kind].leaves_when_hashing) {
            crowd->abandoned++;
            leave(visitor);
        }
        return;
    }
    crowd->let_in += said->step == BONDY_LOGIN_WELCOME;
    crowd->kept_out += said->step == BONDY_LOGIN_ABORT;
    assert_int_equal(said->step == BONDY_LOGIN_WELCOME, kinds[visitor->kind].is_let_in);
    if (said->identity.principal != NULL) {
        size_t count;

        bondy_principal_groups(said->identity.principal, &count);
        assert_in_range(count, 0, 2);
    }
    leave(visitor);
}

static void arrive(struct visitor *visitor)
{
    struct crowd *crowd = visitor->crowd;
    const struct bondy_login_ops *ops = bondy_auth_ops(crowd->rig->auth);
    json_t *details = json_pack("{s:s,s:[s]}", "authid", kinds[visitor->kind].authid, "authmethods",
                                kinds[visitor->kind].method);
    struct bondy_login_peer peer = {.is_secure = true};
    const struct bondy_login_request request = {
        .realm = bondy_realms_find(crowd->rig->f->realms, BONDY_SLICE(ACME)),
        .session_id = 1,
        .details = details,
        .peer = &peer,
        .loop = crowd->loop,
        .done = on_done,
        .context = visitor};

    bondy_address_read(BONDY_SLICE("127.0.0.1:1"), &peer.address);
    ops->begin(ops->context, &request, &visitor->login);
    json_decref(details);
    if (!kinds[visitor->kind].leaves_at_once)
        return;
    crowd->abandoned++;
    leave(visitor);
}

static void all_arrive(struct bondy_mail *mail)
{
    struct crowd *crowd = BONDY_CONTAINER(mail, struct crowd, mail);

    crowd->left = VISITORS;
    for (size_t i = 0; i < VISITORS; i++) {
        crowd->visitors[i] = (struct visitor){.crowd = crowd, .kind = i % BONDY_COUNT(kinds)};
        arrive(&crowd->visitors[i]);
    }
}

static void *run_loop(void *context)
{
    bondy_loop_run(((struct crowd *)context)->loop);
    return NULL;
}

/* ---- the others ------------------------------------------------------------------------------ */

/* Nothing that ends a login: groups, meta, users who are not here. */
static void change_users(struct login_rig *rig)
{
    for (unsigned i = 0; i < CHANGES; i++) {
        login_rig_do(rig, i % 2 == 0 ? REMOVE_USER_GROUPS : ADD_USER_GROUPS, ACME, "mona",
                     "['staff']");
        login_rig_do(rig, UPDATE_USER, ACME, "mona", "{'meta':{'till':5}}");
        login_rig_do(rig, i % 2 == 0 ? DISABLE_USER : ENABLE_USER, ACME, "plain", NULL);
    }
}

static void many_log_in_at_once_while_users_change(void **state)
{
    struct login_rig *rig = *state;
    struct crowd *crowd = bondy_zalloc(sizeof *crowd);
    pthread_t thread;

    assert_int_equal(bondy_pool_create(2, VISITORS, 0, &rig->options.readers, NULL), BONDY_OK);
    assert_int_equal(bondy_pool_create(2, VISITORS, 0, &rig->options.hashers, NULL), BONDY_OK);
    rig->options.hides_unknown_users = true;
    login_rig_restart(rig);
    crowd->rig = rig;
    assert_int_equal(bondy_loop_create(0, &crowd->loop, NULL), BONDY_OK);
    crowd->mail.run = all_arrive;
    bondy_loop_post(crowd->loop, &crowd->mail);
    assert_int_equal(pthread_create(&thread, NULL, run_loop, crowd), 0);
    change_users(rig);
    bondy_publish_idle();
    pthread_join(thread, NULL);
    bondy_pool_destroy(rig->options.readers);
    bondy_pool_destroy(rig->options.hashers);
    bondy_publish_busy();
    bondy_loop_destroy(crowd->loop); /* runs what came back last */
    assert_int_equal(crowd->let_in, 4 * ROUNDS);
    assert_int_equal(crowd->kept_out, 2 * ROUNDS);
    assert_int_equal(crowd->abandoned, 2 * ROUNDS);
    for (size_t i = 0; i < VISITORS; i++)
        if (kinds[crowd->visitors[i].kind].leaves_at_once)
            assert_int_equal(crowd->visitors[i].steps, 0);
    bondy_free(crowd);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        LOGIN_TEST(many_log_in_at_once_while_users_change),
    };

    return fixture_run(tests, BONDY_COUNT(tests));
}
