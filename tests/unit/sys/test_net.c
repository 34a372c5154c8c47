/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/sys/net.h"

static void addresses_are_parsed_and_formatted(void **state)
{
    static const struct {
        const char *text;
        uint16_t port;
        const char *whole, *host; /* NULL: refused */
    } cases[] = {
        {"127.0.0.1", 80, "127.0.0.1:80", "127.0.0.1"},
        {"0.0.0.0", 0, "0.0.0.0:0", "0.0.0.0"},
        {"::1", 18080, "[::1]:18080", "::1"},
        {"[::1]", 1, "[::1]:1", "::1"},
        {"2001:DB8::00ff", 65535, "[2001:db8::ff]:65535", "2001:db8::ff"},
        {"::ffff:10.0.0.1", 7, "[::ffff:10.0.0.1]:7", "::ffff:10.0.0.1"},
        {"unix:/run/bondy.sock", 0, "unix:/run/bondy.sock", "unix:/run/bondy.sock"},
        {"localhost", 80, NULL, NULL},
        {"", 80, NULL, NULL},
        {"127.0.0.1:80", 80, NULL, NULL},
        {"127.1", 80, NULL, NULL},
        {"[::1", 80, NULL, NULL},
        {"[]", 80, NULL, NULL},
        {"[127.0.0.1]", 80, NULL, NULL},
        {"unix:", 0, NULL, NULL},
        {"1.2.3.4.5", 0, NULL, NULL},
        {"::g", 0, NULL, NULL},
    };
    char text[BONDY_ADDRESS_TEXT];

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_address address;
        int rc = bondy_address_parse(cases[i].text, cases[i].port, &address, NULL);

        if (rc != (cases[i].whole == NULL ? BONDY_EINVAL : BONDY_OK))
            fail_msg("%s", cases[i].text);
        if (rc < 0)
            continue;
        assert_string_equal(bondy_address_format(&address, text), cases[i].whole);
        assert_string_equal(bondy_address_format_host(&address, text), cases[i].host);
        assert_int_equal(bondy_address_port(&address), cases[i].port);
    }
}

static void a_socket_path_that_is_too_long_is_refused(void **state)
{
    struct bondy_address address;
    char text[300] = "unix:/";

    (void)state;
    memset(text + 6, 'x', sizeof text - 7);
    assert_int_equal(bondy_address_parse(text, 0, &address, NULL), BONDY_EINVAL);
    text[5 + 107] = '\0';
    assert_int_equal(bondy_address_parse(text, 0, &address, NULL), BONDY_OK);
}

static struct bondy_address at(const char *text)
{
    struct bondy_address address;

    assert_int_equal(bondy_address_parse(text, 1, &address, NULL), BONDY_OK);
    return address;
}

static void loopback_and_same_host_see_through_mapped_addresses(void **state)
{
    static const char *const loopback[] = {"127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1",
                                           "unix:/x"};
    static const char *const elsewhere[] = {
        "128.0.0.1", "10.0.0.1", "::", "::2", "::ffff:10.0.0.1", "::127.0.0.1"};
    struct bondy_address a, b;

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(loopback); i++) {
        a = at(loopback[i]);
        assert_true(bondy_address_is_loopback(&a));
    }
    for (size_t i = 0; i < BONDY_COUNT(elsewhere); i++) {
        a = at(elsewhere[i]);
        assert_false(bondy_address_is_loopback(&a));
    }
    a = at("10.0.0.1");
    b = at("::ffff:10.0.0.1");
    assert_true(bondy_address_same_host(&a, &b));
    b = at("10.0.0.2");
    assert_false(bondy_address_same_host(&a, &b));
    b = at("unix:/a");
    assert_false(bondy_address_same_host(&a, &b));
    a = at("unix:/a");
    assert_true(bondy_address_same_host(&a, &b));
}

static void a_network_has_one_text_whatever_was_written(void **state)
{
    static const struct {
        const char *given, *text; /* NULL: refused */
    } cases[] = {
        {"10.1.2.3/8", "10.0.0.0/8"},
        {"10.1.2.3", "10.1.2.3/32"},
        {"0.0.0.0/0", "0.0.0.0/0"},
        {"::ffff:10.1.2.3/104", "10.0.0.0/8"},
        {"2001:DB8:0:0::1/33", "2001:db8::/33"},
        {"::1", "::1/128"},
        {"::/0", "::/0"},
        {"10.0.0.0/33", NULL},
        {"::/129", NULL},
        {"10.0.0.0/", NULL},
        {"", NULL},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        char text[BONDY_ADDRESS_TEXT];
        struct bondy_cidr cidr;
        int rc = bondy_cidr_parse_network(bondy_slice_text(cases[i].given), &cidr, NULL);

        if ((rc == BONDY_OK) != (cases[i].text != NULL))
            fail_msg("%s", cases[i].given);
        if (rc == BONDY_OK)
            assert_string_equal(bondy_cidr_format(&cidr, text), cases[i].text);
    }
}

static void a_network_admits_its_own_family_and_all_admits_both(void **state)
{
    static const struct {
        const char *network, *peer;
        bool is_admitted;
    } cases[] = {
        {"0.0.0.0/0", "2001:db8::1", true}, {"::/0", "192.0.2.1", true},
        {"::/8", "192.0.2.1", false},       {"10.0.0.0/8", "a00::1", false},
        {"10.0.0.0/8", "10.1.1.1", true},   {"10.0.0.0/8", "::ffff:10.1.1.1", true},
        {"127.0.0.0/8", "unix:/x", true},   {"::1/128", "unix:/x", true},
        {"10.0.0.0/8", "unix:/x", false},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_cidr cidr;
        struct bondy_address peer;

        assert_int_equal(bondy_cidr_parse_network(bondy_slice_text(cases[i].network), &cidr, NULL),
                         BONDY_OK);
        assert_int_equal(bondy_address_parse(cases[i].peer, 0, &peer, NULL), BONDY_OK);
        if (bondy_cidr_admits(&cidr, &peer) != cases[i].is_admitted)
            fail_msg("%s in %s", cases[i].peer, cases[i].network);
    }
}

static void cidr_blocks_hold_what_they_should(void **state)
{
    static const struct {
        const char *block, *inside, *outside; /* both NULL: refused */
    } cases[] = {
        {"10.0.0.0/8", "10.255.1.2", "11.0.0.0"},
        {"10.1.2.3", "10.1.2.3", "10.1.2.4"},
        {"10.1.2.3/32", "10.1.2.3", "10.1.2.2"},
        {"0.0.0.0/0", "255.255.255.255", "::1"},
        {"192.168.128.0/17", "192.168.255.255", "192.168.127.255"},
        {"10.0.0.4/30", "10.0.0.7", "10.0.0.8"},
        {"10.0.0.0/8", "::ffff:10.0.0.1", "::ffff:11.0.0.1"},
        {"::/0", "1.2.3.4", "unix:/x"},
        {"fe80::/10", "febf::1", "fec0::1"},
        {"2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"},
        {"::1", "::1", "::2"},
        {"::ffff:10.0.0.0/104", "10.1.1.1", "11.1.1.1"},
        {"10.0.0.1/8", NULL, NULL},
        {"10.0.0.0/33", NULL, NULL},
        {"10.0.0.0/", NULL, NULL},
        {"10.0.0.0/-1", NULL, NULL},
        {"10.0.0.0/+8", NULL, NULL},
        {"10.0.0.0/08", NULL, NULL},
        {"10.0.0.0/8 ", NULL, NULL},
        {"10.0.0.0/8/8", NULL, NULL},
        {"::/129", NULL, NULL},
        {"[::1]/128", NULL, NULL},
        {"unix:/x", NULL, NULL},
        {"example.com/8", NULL, NULL},
        {"", NULL, NULL},
        {"/8", NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_cidr cidr;
        struct bondy_address inside, outside;
        int rc = bondy_cidr_parse(bondy_slice_text(cases[i].block), &cidr, NULL);

        if (rc != (cases[i].inside == NULL ? BONDY_EINVAL : BONDY_OK))
            fail_msg("%s", cases[i].block);
        if (rc < 0)
            continue;
        inside = at(cases[i].inside);
        outside = at(cases[i].outside);
        if (!bondy_cidr_contains(&cidr, &inside) || bondy_cidr_contains(&cidr, &outside))
            fail_msg("%s", cases[i].block);
    }
}

static void listening_on_port_0_says_which_port_it_is(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "::1"};
    const struct bondy_listen_options options = {.backlog = 5, .v6only = true};
    const struct bondy_listen_options shared = {.reuseport = true, .sndbuf = 8192, .recbuf = 8192};
    int fds[3];

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(hosts); i++) {
        struct bondy_address address;
        struct bondy_error err;

        bondy_address_parse(hosts[i], 0, &address, NULL);
        if (bondy_net_listen(&address, &options, &fds[0], &err) == BONDY_EIO && i == 1)
            skip(); /* a machine without IPv6 */
        assert_int_not_equal(bondy_address_port(&address), 0);
        assert_true((fcntl(fds[0], F_GETFL) & O_NONBLOCK) != 0);
        assert_true((fcntl(fds[0], F_GETFD) & FD_CLOEXEC) != 0);
        assert_int_equal(bondy_net_listen(&address, &options, &fds[1], &err), BONDY_EEXIST);
        close(fds[0]);
        assert_int_equal(bondy_net_listen(&address, &shared, &fds[1], NULL), BONDY_OK);
        assert_int_equal(bondy_net_listen(&address, &shared, &fds[2], NULL), BONDY_OK);
        close(fds[1]);
        close(fds[2]);
    }
}

static void a_stale_socket_file_is_replaced_and_a_live_one_is_not(void **state)
{
    const struct bondy_listen_options options = {.mode = 0600};
    const struct bondy_listen_options open_to_group = {.mode = 0};
    char *folder = bondy_test_mkdir();
    struct bondy_address address;
    struct stat info;
    char text[128];
    FILE *plain;
    int fds[2];

    (void)state;
    snprintf(text, sizeof text, "unix:%s/s", folder);
    address = at(text);
    assert_int_equal(bondy_net_listen(&address, &options, &fds[0], NULL), BONDY_OK);
    assert_int_equal(stat(text + 5, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(bondy_net_listen(&address, &options, &fds[1], NULL), BONDY_EEXIST);
    close(fds[0]);
    assert_int_equal(bondy_net_listen(&address, &open_to_group, &fds[1], NULL), BONDY_OK);
    assert_int_equal(stat(text + 5, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0660);
    close(fds[1]);
    unlink(text + 5);
    plain = fopen(text + 5, "w");
    assert_non_null(plain);
    fclose(plain);
    /* What is not a socket is somebody's file: it stays. */
    assert_int_equal(bondy_net_listen(&address, &options, &fds[1], NULL), BONDY_EEXIST);
    assert_int_equal(stat(text + 5, &info), 0);
    bondy_test_rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_parsed_and_formatted),
        cmocka_unit_test(a_socket_path_that_is_too_long_is_refused),
        cmocka_unit_test(loopback_and_same_host_see_through_mapped_addresses),
        cmocka_unit_test(cidr_blocks_hold_what_they_should),
        cmocka_unit_test(a_network_has_one_text_whatever_was_written),
        cmocka_unit_test(a_network_admits_its_own_family_and_all_admits_both),
        cmocka_unit_test(listening_on_port_0_says_which_port_it_is),
        cmocka_unit_test(a_stale_socket_file_is_replaced_and_a_live_one_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
