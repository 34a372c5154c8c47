/* SPDX-License-Identifier: Apache-2.0 */
/* Who may pass the admin listeners. admin-http-api.md 3 and 4; threat-model H9, D1. */
#include "tests/lib/test.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "src/admin/password.h"
#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/sys/file.h"
#include "tests/unit/admin/house.h"

/* admin:kettle-46 */
#define RIGHT "Authorization: Basic YWRtaW46a2V0dGxlLTQ2\r\n"

static unsigned status_of(struct house *house, const char *method, const char *path,
                          const char *headers)
{
    struct http_reply reply;
    unsigned status = house_ask(house, method, path, headers, NULL, &reply);

    if (status == 401)
        assert_non_null(
            strstr(http_reply_header(&reply, "www-authenticate"), "Basic realm=\"bondy-admin\""));
    http_reply_fini(&reply);
    return status;
}

static void without_credentials_only_health_and_metrics_answer(void **state)
{
    struct house *house = house_open(&(struct house_options){.password = "kettle-46"});

    (void)state;
    assert_int_equal(status_of(house, "GET", "/realms", NULL), 401);
    assert_int_equal(status_of(house, "POST", "/services/call", NULL), 401);
    assert_int_equal(status_of(house, "GET", "/realms", RIGHT), 200);
    assert_int_equal(
        status_of(house, "GET", "/realms", "Authorization: basic YWRtaW46a2V0dGxlLTQ2\r\n"), 200);
    assert_int_equal(status_of(house, "GET", "/ping", NULL), 204);
    assert_int_equal(status_of(house, "GET", "/metrics", NULL), 200);
    assert_int_equal(status_of(house, "GET", "/status", NULL), 200);
    house_close(house);
}

static void wrong_credentials_are_never_taken_for_anonymous(void **state)
{
    static const char *const wrong[] = {
        "Authorization: Basic YWRtaW46d3Jvbmc=\r\n",     /* admin:wrong */
        "Authorization: Basic cm9vdDprZXR0bGUtNDY=\r\n", /* root:kettle-46 */
        "Authorization: Basic YWRtaW4=\r\n",             /* no colon */
        "Authorization: Basic !!!\r\n",
        "Authorization: Basic\r\n",
        "Authorization: Bearer abc\r\n",
        "Authorization: x\r\n",
    };
    struct house *house =
        house_open(&(struct house_options){.allow_anonymous = true, .password = "kettle-46"});

    (void)state;
    assert_int_equal(status_of(house, "GET", "/realms", NULL), 200);
    for (size_t i = 0; i < BONDY_COUNT(wrong); i++) {
        print_message("%s", wrong[i]);
        assert_int_equal(status_of(house, "GET", "/realms", wrong[i]), 401);
    }
    house_close(house);
}

static void nobody_has_a_password_that_was_not_set(void **state)
{
    struct house *house = house_open(&(struct house_options){.password = NULL});

    (void)state;
    /* admin: and nothing behind it */
    assert_int_equal(status_of(house, "GET", "/realms", "Authorization: Basic YWRtaW46\r\n"), 401);
    house_close(house);
}

static void a_page_of_another_site_cannot_drive_the_node(void **state)
{
    static const struct {
        const char *method, *path, *headers;
        unsigned status;
    } cases[] = {
        {"GET", "/realms", "Host: localhost\r\n", 200},
        {"GET", "/realms", "Host: LOCALHOST:18081\r\n", 200},
        {"GET", "/realms", "Host: 127.0.0.1:18081\r\n", 200},
        {"GET", "/realms", "Host: [::1]:18081\r\n", 200},
        {"GET", "/realms", "Host: node.example\r\n", 200},
        {"GET", "/realms", "Host: evil.example\r\n", 403},
        {"GET", "/realms", "Host: localhost.evil.example\r\n", 403},
        {"GET", "/metrics", "Host: evil.example\r\n", 403},
        {"GET", "/ping", "Host: evil.example\r\n", 204},
        {"GET", "/ready", "Host: 10.0.0.7:18081\r\n", 204},
        {"GET", "/realms", "Origin: http://evil.example\r\n", 200},
        {"DELETE", "/realms/x", "Origin: http://evil.example\r\n", 403},
        {"DELETE", "/realms/x", "Origin: null\r\n", 403},
        {"DELETE", "/realms/x", "Origin: https://localhost:18081\r\n", 403},
        {"DELETE", "/realms/x", "Origin: http://localhost:9\r\n", 403},
        {"DELETE", "/realms/x", "Origin: http://localhost:18081.evil\r\n", 403},
        {"DELETE", "/realms/x", "Origin: http://localhost:18081\r\n", 404},
        {"DELETE", "/realms/x", NULL, 404},
    };
    struct house *house = house_open(&(struct house_options){.allow_anonymous = true});

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        unsigned status = status_of(house, cases[i].method, cases[i].path, cases[i].headers);

        if (status != cases[i].status)
            fail_msg("%s %s %s: %u", cases[i].method, cases[i].path,
                     cases[i].headers == NULL ? "" : cases[i].headers, status);
    }
    house_close(house);
}

static void allowed_hosts_replace_the_built_in_ones(void **state)
{
    struct house *house = house_open(&(struct house_options){
        .allow_anonymous = true, .allowed_hosts = "Admin.Example, other.example"});

    (void)state;
    assert_int_equal(status_of(house, "GET", "/realms", "Host: admin.example\r\n"), 200);
    assert_int_equal(status_of(house, "GET", "/realms", "Host: other.example:1\r\n"), 200);
    assert_int_equal(status_of(house, "GET", "/realms", "Host: localhost\r\n"), 403);
    house_close(house);
}

static void health_says_what_the_node_is_doing(void **state)
{
    struct house *house = house_open(&(struct house_options){.password = "kettle-46"});
    struct http_reply reply;

    (void)state;
    assert_int_equal(status_of(house, "DELETE", "/ping", NULL), 204);
    assert_int_equal(status_of(house, "GET", "/livez/", NULL), 204);
    assert_int_equal(status_of(house, "GET", "/readyz", NULL), 204);
    assert_int_equal(status_of(house, "POST", "/ready", NULL), 405);
    assert_int_equal(house_ask(house, "GET", "/ready?verbose", NULL, NULL, &reply), 200);
    assert_string_equal(reply.body.data, "{\"status\":\"ready\",\"degraded\":false,"
                                         "\"checks\":{\"store\":\"ok\",\"listeners\":\"ok\"}}");
    http_reply_fini(&reply);
    house->status = "draining";
    assert_int_equal(status_of(house, "GET", "/ready", NULL), 503);
    assert_int_equal(status_of(house, "GET", "/ping", NULL), 204);
    assert_int_equal(
        house_ask(house, "GET", "/ready", "Accept: application/json\r\n", NULL, &reply), 503);
    assert_non_null(strstr(reply.body.data, "draining"));
    http_reply_fini(&reply);
    assert_int_equal(house_ask(house, "GET", "/metrics", NULL, NULL, &reply), 200);
    assert_string_equal(http_reply_header(&reply, "content-type"),
                        "text/plain; version=0.0.4; charset=utf-8");
    http_reply_fini(&reply);
    house_close(house);
}

static void a_password_is_made_once_and_kept_private(void **state)
{
    char *folder = bondy_test_mkdir(), *first = NULL, *second = NULL;
    char path[512];
    struct stat info;

    (void)state;
    assert_int_equal(bondy_admin_password_read(NULL, folder, &first, NULL), BONDY_OK);
    assert_true(strlen(first) >= 24);
    snprintf(path, sizeof path, "%s/admin.password", folder);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(bondy_admin_password_read(NULL, folder, &second, NULL), BONDY_OK);
    assert_string_equal(first, second);
    bondy_admin_password_free(first);
    bondy_admin_password_free(second);
    bondy_test_rmdir(folder);
}

static void a_password_file_must_be_private_and_one_line(void **state)
{
    static const struct {
        const char *content;
        unsigned mode;
        int rc;
    } cases[] = {
        {"secret\n", 0600, BONDY_OK},
        {"secret", 0400, BONDY_OK},
        {"secret\n", 0640, BONDY_EDENIED},
        {"secret\n", 0604, BONDY_EDENIED},
        {"", 0600, BONDY_EINVAL},
        {"\n", 0600, BONDY_EINVAL},
        {"two\nlines\n", 0600, BONDY_EINVAL},
    };
    char *folder = bondy_test_mkdir(), *password = NULL;
    char path[512];

    (void)state;
    snprintf(path, sizeof path, "%s/password", folder);
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        assert_int_equal(
            bondy_file_write(path, bondy_slice_text(cases[i].content), cases[i].mode, NULL),
            BONDY_OK);
        assert_int_equal(bondy_admin_password_read(path, folder, &password, NULL), cases[i].rc);
        if (cases[i].rc == BONDY_OK)
            assert_string_equal(password, "secret");
        bondy_admin_password_free(password);
    }
    bondy_test_rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_credentials_only_health_and_metrics_answer),
        cmocka_unit_test(wrong_credentials_are_never_taken_for_anonymous),
        cmocka_unit_test(nobody_has_a_password_that_was_not_set),
        cmocka_unit_test(a_page_of_another_site_cannot_drive_the_node),
        cmocka_unit_test(allowed_hosts_replace_the_built_in_ones),
        cmocka_unit_test(health_says_what_the_node_is_doing),
        cmocka_unit_test(a_password_is_made_once_and_kept_private),
        cmocka_unit_test(a_password_file_must_be_private_and_one_line),
    };

    assert_int_equal(bondy_id_start(NULL), BONDY_OK);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
