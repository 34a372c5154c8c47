/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <gnutls/gnutls.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/sys/file.h"
#include "src/sys/tls.h"
#include "tests/lib/cert.h"

static char *folder;

static const char *file(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    folder = bondy_test_mkdir();
    bondy_test_certificate(folder, "ca", NULL);
    bondy_test_certificate(folder, "server", "ca");
    bondy_test_certificate(folder, "client", "ca");
    bondy_test_certificate(folder, "stranger", NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bondy_test_rmdir(folder);
    return 0;
}

static struct bondy_tls *make_tls(struct bondy_tls_options options)
{
    struct bondy_error err = {0};
    struct bondy_tls *tls = NULL;

    options.certfile = file("server.pem");
    options.keyfile = file("server.key");
    if (bondy_tls_create(&options, &tls, &err) < 0)
        fail_msg("%s", err.text);
    return tls;
}

/* ---- handshakes ------------------------------------------------------------------------------ */

struct outcome {
    bool is_joined;
    gnutls_protocol_t version;
    bool is_resumed;
    bool has_client_certificate;
    char alpn[16];
};

struct client {
    const char *priority;
    const char *name; /* of its certificate, or NULL */
    gnutls_datum_t *ticket;
};

static gnutls_session_t make_client(const struct client *client,
                                    gnutls_certificate_credentials_t *credentials)
{
    static const gnutls_datum_t alpn = {(unsigned char *)"http/1.1", 8};
    gnutls_session_t session;

    gnutls_certificate_allocate_credentials(credentials);
    if (client->name != NULL) {
        char cert[32], key[32];

        snprintf(cert, sizeof cert, "%s.pem", client->name);
        snprintf(key, sizeof key, "%s.key", client->name);
        assert_int_equal(gnutls_certificate_set_x509_key_file(*credentials, file(cert), file(key),
                                                              GNUTLS_X509_FMT_PEM),
                         0);
    }
    gnutls_certificate_set_x509_trust_file(*credentials, file("ca.pem"), GNUTLS_X509_FMT_PEM);
    gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_FORCE_CLIENT_CERT);
    assert_int_equal(gnutls_priority_set_direct(session, client->priority, NULL), 0);
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, *credentials);
    gnutls_session_set_verify_cert(session, "localhost", 0);
    gnutls_alpn_set_protocols(session, &alpn, 1, 0);
    if (client->ticket != NULL && client->ticket->data != NULL)
        gnutls_session_set_data(session, client->ticket->data, client->ticket->size);
    return session;
}

/* Lets both ends take turns until they are through or one gives up, then sends one byte: in TLS 1.3
 * the client learns only then that its certificate was refused. */
static bool shake_hands(gnutls_session_t server, gnutls_session_t client)
{
    int server_rc = GNUTLS_E_AGAIN;
    int client_rc = GNUTLS_E_AGAIN;
    char byte = 0;

    for (int i = 0; i < 100 && (server_rc != 0 || client_rc != 0); i++) {
        if (client_rc != 0)
            client_rc = gnutls_handshake(client);
        if (server_rc != 0)
            server_rc = gnutls_handshake(server);
        if (gnutls_error_is_fatal(server_rc) || gnutls_error_is_fatal(client_rc))
            return false;
    }
    assert_int_equal(server_rc, 0);
    assert_int_equal(client_rc, 0);
    assert_int_equal(gnutls_record_send(server, "x", 1), 1);
    for (int i = 0; i < 10; i++)
        if (gnutls_record_recv(client, &byte, 1) == 1)
            break;
    return byte == 'x';
}

static struct outcome join(struct bondy_tls *tls, const struct client *as)
{
    struct outcome outcome = {.is_joined = false};
    gnutls_certificate_credentials_t credentials;
    gnutls_session_t server = NULL;
    gnutls_session_t client = make_client(as, &credentials);
    gnutls_datum_t alpn;
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    assert_int_equal(bondy_tls_session_create(tls, &server, NULL), BONDY_OK);
    gnutls_transport_set_int(server, fds[0]);
    gnutls_transport_set_int(client, fds[1]);
    outcome.is_joined = shake_hands(server, client);
    if (outcome.is_joined) {
        unsigned count = 0;

        outcome.version = gnutls_protocol_get_version(server);
        outcome.is_resumed = gnutls_session_is_resumed(server) != 0;
        gnutls_certificate_get_peers(server, &count);
        outcome.has_client_certificate = count > 0;
        if (gnutls_alpn_get_selected_protocol(server, &alpn) == 0)
            snprintf(outcome.alpn, sizeof outcome.alpn, "%.*s", (int)alpn.size, alpn.data);
        if (as->ticket != NULL && as->ticket->data == NULL)
            assert_int_equal(gnutls_session_get_data2(client, as->ticket), 0);
    }
    bondy_tls_session_destroy(tls, server);
    gnutls_deinit(client);
    gnutls_certificate_free_credentials(credentials);
    close(fds[0]);
    close(fds[1]);
    return outcome;
}

static const struct client ordinary = {"NORMAL", NULL, NULL};
static const struct client only_1_2 = {"NORMAL:-VERS-ALL:+VERS-TLS1.2", NULL, NULL};

static void versions_are_those_asked_for_and_1_3_by_default(void **state)
{
    struct bondy_tls *tls = make_tls((struct bondy_tls_options){.versions = NULL});
    struct outcome outcome = join(tls, &ordinary);

    (void)state;
    assert_true(outcome.is_joined);
    assert_int_equal(outcome.version, GNUTLS_TLS1_3);
    assert_string_equal(outcome.alpn, "http/1.1");
    assert_false(join(tls, &only_1_2).is_joined);
    bondy_tls_unref(tls);

    tls = make_tls((struct bondy_tls_options){.versions = "1.2, 1.3"});
    assert_int_equal(join(tls, &only_1_2).version, GNUTLS_TLS1_2);
    assert_int_equal(join(tls, &ordinary).version, GNUTLS_TLS1_3);
    bondy_tls_unref(tls);

    tls = make_tls((struct bondy_tls_options){.versions = "1.2"});
    assert_int_equal(join(tls, &ordinary).version, GNUTLS_TLS1_2);
    bondy_tls_unref(tls);
}

static void a_session_is_resumed_by_its_ticket(void **state)
{
    struct bondy_tls *tls = make_tls((struct bondy_tls_options){.versions = "1.3 1.2"});
    struct bondy_tls *other = make_tls((struct bondy_tls_options){.versions = "1.3 1.2"});
    gnutls_datum_t ticket = {NULL, 0};
    const struct client client = {"NORMAL", NULL, &ticket};

    (void)state;
    assert_false(join(tls, &client).is_resumed);
    assert_non_null(ticket.data);
    assert_true(join(tls, &client).is_resumed);
    /* Another set of credentials has another ticket key: a full handshake, not a failure. */
    assert_true(join(other, &client).is_joined);
    assert_false(join(other, &client).is_resumed);
    gnutls_free(ticket.data);
    bondy_tls_unref(tls);
    bondy_tls_unref(other);
}

static void client_certificates_are_asked_for_and_checked_as_configured(void **state)
{
    static const struct {
        bool verify, must_have;
        const char *client;
        bool is_joined, has_certificate;
    } cases[] = {
        {false, false, NULL, true, false},       {false, false, "client", true, false},
        {true, false, NULL, true, false},        {true, false, "client", true, true},
        {true, false, "stranger", false, false}, {true, true, NULL, false, false},
        {true, true, "client", true, true},      {true, true, "stranger", false, false},
    };
    static const char *const priorities[] = {"NORMAL:-VERS-ALL:+VERS-TLS1.3",
                                             "NORMAL:-VERS-ALL:+VERS-TLS1.2"};

    (void)state;
    for (size_t i = 0; i < 2 * BONDY_COUNT(cases); i++) {
        size_t c = i / 2;
        struct bondy_tls *tls =
            make_tls((struct bondy_tls_options){.verify = cases[c].verify,
                                                .fail_if_no_peer_cert = cases[c].must_have,
                                                .cacertfile = file("ca.pem"),
                                                .versions = "1.2,1.3"});
        struct client client = {priorities[i % 2], cases[c].client, NULL};
        struct outcome outcome = join(tls, &client);

        if (outcome.is_joined != cases[c].is_joined ||
            outcome.has_client_certificate != cases[c].has_certificate)
            fail_msg("case %zu with %s", c, priorities[i % 2]);
        bondy_tls_unref(tls);
    }
}

static void a_session_outlives_the_credentials_of_its_listener(void **state)
{
    struct bondy_tls *tls = make_tls((struct bondy_tls_options){.versions = NULL});
    gnutls_session_t session = NULL;

    (void)state;
    assert_int_equal(bondy_tls_session_create(tls, &session, NULL), BONDY_OK);
    bondy_tls_unref(tls);
    bondy_tls_session_destroy(tls, session);
}

/* ---- files ----------------------------------------------------------------------------------- */

static void what_does_not_fit_is_refused_and_named(void **state)
{
    static const struct {
        const char *certfile, *keyfile, *cacertfile, *versions, *ciphers;
        int code;
        const char *says;
    } cases[] = {
        {"server.pem", "client.key", NULL, NULL, NULL, BONDY_EINVAL, "client.key"},
        {"server.pem", "absent.key", NULL, NULL, NULL, BONDY_ENOENT, "absent.key"},
        {"absent.pem", "server.key", NULL, NULL, NULL, BONDY_ENOENT, "absent.pem"},
        {"server.key", "server.key", NULL, NULL, NULL, BONDY_EINVAL, "server.key"},
        {"server.pem", "server.pem", NULL, NULL, NULL, BONDY_EINVAL, "private key"},
        {"server.pem", "server.key", "server.key", NULL, NULL, BONDY_EINVAL, "server.key"},
        {"server.pem", "server.key", "", NULL, NULL, BONDY_EINVAL, "cacertfile"},
        {"server.pem", "server.key", NULL, "1.3,1.1", NULL, BONDY_EINVAL, "1.1"},
        {"server.pem", "server.key", NULL, " , ", NULL, BONDY_EINVAL, "1.2 or 1.3"},
        {"server.pem", "server.key", NULL, NULL, "+NONSENSE", BONDY_EINVAL, "NONSENSE"},
        {"server.pem", "open.key", NULL, NULL, NULL, BONDY_EDENIED, "open.key"},
        {"empty.pem", "server.key", NULL, NULL, NULL, BONDY_EINVAL, "empty.pem"},
    };

    (void)state;
    bondy_test_certificate(folder, "open", NULL);
    chmod(file("open.key"), 0644);
    assert_int_equal(bondy_file_write(file("empty.pem"), BONDY_SLICE(""), 0600, NULL), BONDY_OK);
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_tls_options options = {
            .certfile = file(cases[i].certfile),
            .keyfile = file(cases[i].keyfile),
            .verify = cases[i].cacertfile != NULL,
            .versions = cases[i].versions,
            .ciphers = cases[i].ciphers,
        };
        struct bondy_tls *tls = NULL;
        struct bondy_error err = {0};

        if (cases[i].cacertfile != NULL)
            options.cacertfile = cases[i].cacertfile[0] == '\0' ? "" : file(cases[i].cacertfile);
        if (bondy_tls_create(&options, &tls, &err) != cases[i].code ||
            strstr(err.text, cases[i].says) == NULL)
            fail_msg("case %zu: %d %s", i, err.code, err.text);
        assert_null(tls);
    }
}

static void the_key_may_be_in_the_certificate_s_file(void **state)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    struct bondy_tls_options options = {.certfile = file("both.pem")};
    struct bondy_tls *tls = NULL;

    (void)state;
    bondy_file_read(file("server.pem"), 99999, &text, NULL);
    bondy_file_read(file("server.key"), 99999, &text, NULL);
    bondy_file_write(options.certfile, bondy_buf_slice(&text), 0600, NULL);
    bondy_buf_fini(&text);
    assert_int_equal(bondy_tls_create(&options, &tls, NULL), BONDY_OK);
    assert_true(join(tls, &ordinary).is_joined);
    assert_string_equal(bondy_tls_subject(tls), "CN=server");
    assert_true(bondy_tls_expires_at(tls) > time(NULL));
    assert_true(bondy_tls_expires_at(tls) <= time(NULL) + 86400);
    bondy_tls_unref(tls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_are_those_asked_for_and_1_3_by_default),
        cmocka_unit_test(a_session_is_resumed_by_its_ticket),
        cmocka_unit_test(client_certificates_are_asked_for_and_checked_as_configured),
        cmocka_unit_test(a_session_outlives_the_credentials_of_its_listener),
        cmocka_unit_test(what_does_not_fit_is_refused_and_named),
        cmocka_unit_test(the_key_may_be_in_the_certificate_s_file),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
