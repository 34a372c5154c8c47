/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "src/base/alloc.h"
#include "src/server/server.h"
#include "src/server/wire.h"
#include "src/sys/loop.h"

/* Mail of the last commit, which nobody turned the main loop for any more. */
struct letter {
    struct bondy_mail mail;
    struct bondy_server *server;
    bool was_read;
    bool found_realms;
    bool found_store;
};

static void read_letter(struct bondy_mail *mail)
{
    struct letter *letter = BONDY_CONTAINER(mail, struct letter, mail);

    letter->was_read = true;
    letter->found_realms = letter->server->realms != NULL;
    letter->found_store = letter->server->store != NULL;
}

static void the_last_mail_is_read_while_what_it_looks_at_is_there(void **state)
{
    struct bondy_server server = {0};
    struct letter letter = {.mail = {.run = read_letter}, .server = &server};

    (void)state;
    assert_int_equal(bondy_loop_create(UINT32_MAX, &server.main_loop, NULL), BONDY_OK);
    server.realms = bondy_realms_create(&server.identity.rules);
    bondy_loop_post(server.main_loop, &letter.mail);
    assert_int_equal(bondy_server_stop(&server), BONDY_SERVER_EXIT_OK);
    assert_true(letter.was_read && letter.found_realms);
    assert_false(letter.found_store); /* nobody commits after it */
    assert_null(server.realms);
}

static void a_start_that_failed_at_once_is_stopped(void **state)
{
    struct bondy_server server = {0};

    (void)state;
    assert_int_equal(bondy_server_stop(&server), BONDY_SERVER_EXIT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_mail_is_read_while_what_it_looks_at_is_there),
        cmocka_unit_test(a_start_that_failed_at_once_is_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
