/* SPDX-License-Identifier: Apache-2.0 */

/* What binds a login to its TLS connection: both sides must say the same octets. The client's side
 * is GnuTLS itself, and for tls-exporter the exporter of RFC 5705 with the label of RFC 9266. */

#include <stdio.h>
#include <sys/socket.h>

#include "tests/lib/test.h"

#include "src/base/alloc.h"
#include "tests/lib/cert.h"
#include "tests/unit/transport/house.h"

#define TLS_1_2 "NORMAL:-VERS-ALL:+VERS-TLS1.2"
#define TLS_1_3 "NORMAL:-VERS-ALL:+VERS-TLS1.3"
#define KINDS (BONDY_BINDING_TLS_EXPORTER + 1)

static struct {
    char *folder;
    char certificate[256], key[256];
    gnutls_certificate_credentials_t credentials;
} world;

static int make_world(void **state)
{
    (void)state;
    world.folder = bondy_test_mkdir();
    bondy_test_certificate(world.folder, "server", NULL);
    bondy_test_certificate(world.folder, "mona", "server");
    snprintf(world.certificate, sizeof world.certificate, "%s/server.pem", world.folder);
    snprintf(world.key, sizeof world.key, "%s/server.key", world.folder);
    assert_int_equal(gnutls_certificate_allocate_credentials(&world.credentials), 0);
    return 0;
}

static int end_world(void **state)
{
    (void)state;
    gnutls_certificate_free_credentials(world.credentials);
    bondy_test_rmdir(world.folder);
    return 0;
}

static void open_house_with(struct house *house, bool asks)
{
    const struct bondy_tls_options options = {.certfile = world.certificate,
                                              .keyfile = world.key,
                                              .cacertfile = world.certificate,
                                              .verify = asks,
                                              .versions = "1.2,1.3"};
    struct bondy_error err = {0};
    struct bondy_tls *tls;

    house_prepare(house);
    if (bondy_tls_create(&options, &tls, &err) != BONDY_OK)
        fail_msg("%s", err.text);
    atomic_store(&house->listener.tls, tls);
    house_open(house);
}

static void open_house(struct house *house)
{
    open_house_with(house, false);
}

static void close_house(struct house *house)
{
    house_close(house);
    bondy_tls_unref(atomic_load(&house->listener.tls));
}

struct ids {
    uint8_t octets[KINDS][BONDY_CHANNEL_ID_MAX];
    size_t lens[KINDS];
};

static void ask_client(gnutls_session_t tls, struct ids *ids)
{
    static const gnutls_channel_binding_t kinds[KINDS] = {
        [BONDY_BINDING_TLS_UNIQUE] = GNUTLS_CB_TLS_UNIQUE,
        [BONDY_BINDING_TLS_SERVER_END_POINT] = GNUTLS_CB_TLS_SERVER_END_POINT,
    };

    *ids = (struct ids){.lens = {0}};
    for (size_t kind = 1; kind < BONDY_BINDING_TLS_EXPORTER; kind++) {
        gnutls_datum_t id = {NULL, 0};

        if (gnutls_session_channel_binding(tls, kinds[kind], &id) == 0) {
            memcpy(ids->octets[kind], id.data, id.size);
            ids->lens[kind] = id.size;
        }
        gnutls_free(id.data);
    }
    assert_int_equal(gnutls_prf_rfc5705(tls, 24, "EXPORTER-Channel-Binding", 0, "", 32,
                                        (char *)ids->octets[BONDY_BINDING_TLS_EXPORTER]),
                     0);
    ids->lens[BONDY_BINDING_TLS_EXPORTER] = 32;
}

/* As the router does, through the table of the youngest session. */
static void ask_server(struct ids *ids)
{
    *ids = (struct ids){.lens = {0}};
    assert_non_null(fake_sessions->out->channel_id);
    for (size_t kind = 1; kind < KINDS; kind++)
        ids->lens[kind] = fake_sessions->out->channel_id(
            fake_sessions->transport, (enum bondy_binding)kind, ids->octets[kind]);
}

static void open_session(struct house *house, struct bondy_peer *peer,
                         const struct bondy_peer_tls *options, bool is_ws)
{
    house_connect(house, peer);
    assert_true(bondy_peer_start_tls_with(peer, options));
    if (is_ws)
        bondy_peer_ws_open(peer, "/ws", "wamp.2.json");
    else
        bondy_peer_raw_open(peer, 1);
}

/* ---- both sides ------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    const char *priority;
    bool has[KINDS]; /* what the server gives */
} cases[] = {
    {"TLS 1.2",
     TLS_1_2,
     {[BONDY_BINDING_TLS_UNIQUE] = true,
      [BONDY_BINDING_TLS_SERVER_END_POINT] = true,
      [BONDY_BINDING_TLS_EXPORTER] = true}},
    {"TLS 1.3",
     TLS_1_3,
     {[BONDY_BINDING_TLS_SERVER_END_POINT] = true, [BONDY_BINDING_TLS_EXPORTER] = true}},
    {"TLS 1.2 without extended master secret",
     TLS_1_2 ":%NO_SESSION_HASH",
     {[BONDY_BINDING_TLS_SERVER_END_POINT] = true}},
};

static void compare(const char *name, const bool has[KINDS], const struct ids *client,
                    const struct ids *server)
{
    for (size_t kind = 1; kind < KINDS; kind++) {
        size_t expected = has[kind] ? client->lens[kind] : 0;

        if (server->lens[kind] != expected || (has[kind] && expected == 0))
            fail_msg("%s: binding %zu has %zu octets, not %zu", name, kind, server->lens[kind],
                     expected);
        assert_memory_equal(client->octets[kind], server->octets[kind], expected);
    }
}

static void both_sides_have_the_same_ids(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * BONDY_COUNT(cases); i++) {
        size_t row = i / 2;
        const struct bondy_peer_tls options = {.credentials = world.credentials,
                                               .priority = cases[row].priority};
        struct ids client, server;
        struct bondy_peer peer;
        struct house house;

        open_house(&house);
        open_session(&house, &peer, &options, i % 2 == 1);
        ask_client(peer.tls, &client);
        ask_server(&server);
        compare(cases[row].name, cases[row].has, &client, &server);
        bondy_peer_close(&peer);
        close_house(&house);
    }
}

/* AUTH-CSIGN-3, J11: what was signed for one connection is worth nothing on another. */
static void two_connections_differ_in_what_is_of_the_connection(void **state)
{
    (void)state;
    for (size_t row = 0; row < 2; row++) {
        const struct bondy_peer_tls options = {.credentials = world.credentials,
                                               .priority = cases[row].priority};
        struct bondy_peer first, second;
        struct ids one, other;
        struct house house;

        open_house(&house);
        open_session(&house, &first, &options, false);
        ask_server(&one);
        open_session(&house, &second, &options, true);
        ask_server(&other);
        assert_memory_not_equal(one.octets[BONDY_BINDING_TLS_EXPORTER],
                                other.octets[BONDY_BINDING_TLS_EXPORTER], 32);
        if (one.lens[BONDY_BINDING_TLS_UNIQUE] > 0)
            assert_memory_not_equal(one.octets[BONDY_BINDING_TLS_UNIQUE],
                                    other.octets[BONDY_BINDING_TLS_UNIQUE],
                                    one.lens[BONDY_BINDING_TLS_UNIQUE]);
        /* The certificate is the listener's. */
        assert_int_equal(one.lens[BONDY_BINDING_TLS_SERVER_END_POINT], 32);
        assert_memory_equal(one.octets[BONDY_BINDING_TLS_SERVER_END_POINT],
                            other.octets[BONDY_BINDING_TLS_SERVER_END_POINT], 32);
        bondy_peer_close(&first);
        bondy_peer_close(&second);
        close_house(&house);
    }
}

static void a_resumed_connection_has_ids_of_its_own(void **state)
{
    (void)state;
    for (size_t row = 0; row < 2; row++) {
        struct bondy_peer_tls options = {.credentials = world.credentials,
                                         .priority = cases[row].priority};
        gnutls_datum_t left = {NULL, 0};
        struct ids before, client, server;
        struct bondy_peer peer;
        struct house house;

        open_house(&house);
        open_session(&house, &peer, &options, false);
        ask_server(&before);
        assert_int_equal(gnutls_session_get_data2(peer.tls, &left), 0);
        bondy_peer_close(&peer);
        options.resume = &left;
        open_session(&house, &peer, &options, row == 0);
        assert_true(gnutls_session_is_resumed(peer.tls));
        ask_client(peer.tls, &client);
        ask_server(&server);
        /* GnuTLS' client may not know the certificate either: the server's is that of before. */
        memcpy(client.octets[BONDY_BINDING_TLS_SERVER_END_POINT],
               before.octets[BONDY_BINDING_TLS_SERVER_END_POINT], BONDY_CHANNEL_ID_MAX);
        client.lens[BONDY_BINDING_TLS_SERVER_END_POINT] =
            before.lens[BONDY_BINDING_TLS_SERVER_END_POINT];
        compare(cases[row].name, cases[row].has, &client, &server);
        assert_memory_not_equal(before.octets[BONDY_BINDING_TLS_EXPORTER],
                                server.octets[BONDY_BINDING_TLS_EXPORTER], 32);
        gnutls_free(left.data);
        bondy_peer_close(&peer);
        close_house(&house);
    }
}

/* ---- nothing to bind to ---------------------------------------------------------------------- */

static void without_tls_there_is_nothing_to_bind_to(void **state)
{
    struct bondy_peer raw, ws;
    struct house house;
    struct ids ids;

    (void)state;
    house_prepare(&house);
    house_open(&house);
    house_connect(&house, &raw);
    bondy_peer_raw_open(&raw, 1);
    ask_server(&ids);
    assert_int_equal(ids.lens[1] + ids.lens[2] + ids.lens[3], 0);
    house_connect(&house, &ws);
    bondy_peer_ws_open(&ws, "/ws", "wamp.2.json");
    ask_server(&ids);
    assert_int_equal(ids.lens[1] + ids.lens[2] + ids.lens[3], 0);
    bondy_peer_close(&raw);
    bondy_peer_close(&ws);
    house_close(&house);
}

/* The relay ends when the connection does; the WebSocket behind it may live some turns longer. */
static void a_websocket_outlives_its_tls_connection(void **state)
{
    const struct bondy_peer_tls options = {.credentials = world.credentials};
    const struct linger hard = {1, 0};
    struct house house;

    (void)state;
    open_house(&house);
    for (unsigned i = 0; i < 8; i++) {
        struct bondy_peer peer;
        struct ids ids;

        open_session(&house, &peer, &options, true);
        setsockopt(peer.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        bondy_peer_close(&peer);
        for (unsigned turns = 0; fake_sessions != NULL && turns < 1000; turns++) {
            ask_server(&ids);
            assert_true(ids.lens[BONDY_BINDING_TLS_EXPORTER] % 32 == 0);
            bondy_loop_turn(house.loop, turns % 2);
        }
        assert_null(fake_sessions);
    }
    close_house(&house);
}

/* And the other way round: the session ends, the relay waits for the client's end. */
static void a_relay_outlives_its_websocket(void **state)
{
    const struct bondy_peer_tls options = {.credentials = world.credentials};
    struct bondy_peer peer;
    struct house house;

    (void)state;
    open_house(&house);
    open_session(&house, &peer, &options, true);
    fake_close(fake_sessions);
    bondy_peer_wait_end(&peer);
    for (unsigned i = 0; i < 20; i++)
        bondy_loop_turn(house.loop, 0);
    bondy_peer_close(&peer);
    close_house(&house);
}

/* ---- the client's certificate (AUTH-TLS-1) --------------------------------------------------- */

static void assert_certificate(const char *expected)
{
    char name[BONDY_CERTIFICATE_NAME_MAX] = "not asked";

    assert_non_null(fake_sessions->out->certificate);
    fake_sessions->out->certificate(fake_sessions->transport, name);
    assert_string_equal(name, expected);
}

static gnutls_certificate_credentials_t credentials_of_mona(void)
{
    gnutls_certificate_credentials_t credentials;
    char certificate[300], key[300];

    snprintf(certificate, sizeof certificate, "%s/mona.pem", world.folder);
    snprintf(key, sizeof key, "%s/mona.key", world.folder);
    assert_int_equal(gnutls_certificate_allocate_credentials(&credentials), 0);
    assert_int_equal(
        gnutls_certificate_set_x509_key_file(credentials, certificate, key, GNUTLS_X509_FMT_PEM),
        0);
    return credentials;
}

static void a_certificate_counts_on_its_own_connection(void **state)
{
    gnutls_certificate_credentials_t credentials = credentials_of_mona();

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct bondy_peer_tls with = {.credentials = credentials,
                                      .priority = cases[i / 2].priority};
        struct bondy_peer_tls without = {.credentials = world.credentials,
                                         .priority = cases[i / 2].priority};
        struct bondy_peer first, second;
        struct house house;

        open_house_with(&house, true);
        open_session(&house, &first, &with, i % 2 == 1);
        assert_certificate("mona");
        open_session(&house, &second, &without, i % 2 == 1);
        assert_certificate("");
        bondy_peer_close(&first);
        bondy_peer_close(&second);
        close_house(&house);
    }
    gnutls_certificate_free_credentials(credentials);
}

/* What is not asked for does not come, and nobody's word is taken for it. */
static void a_listener_that_does_not_ask_knows_no_certificate(void **state)
{
    gnutls_certificate_credentials_t credentials = credentials_of_mona();
    const struct bondy_peer_tls with = {.credentials = credentials};
    struct bondy_peer peer, plain;
    struct house house;

    (void)state;
    open_house(&house);
    open_session(&house, &peer, &with, false);
    assert_certificate("");
    bondy_peer_close(&peer);
    close_house(&house);
    house_prepare(&house);
    house_open(&house);
    house_connect(&house, &plain);
    bondy_peer_raw_open(&plain, 1);
    assert_certificate("");
    bondy_peer_close(&plain);
    house_close(&house);
    gnutls_certificate_free_credentials(credentials);
}

/* Whoever left a ticket must show the certificate again: it may have ended meanwhile. */
static void connections_with_certificates_are_not_resumed(void **state)
{
    gnutls_certificate_credentials_t credentials = credentials_of_mona();

    (void)state;
    for (size_t row = 0; row < 2; row++) {
        struct bondy_peer_tls options = {.credentials = credentials,
                                         .priority = cases[row].priority};
        gnutls_datum_t left = {NULL, 0};
        struct bondy_peer peer;
        struct house house;

        open_house_with(&house, true);
        open_session(&house, &peer, &options, false);
        assert_int_equal(gnutls_session_get_data2(peer.tls, &left), 0);
        bondy_peer_close(&peer);
        options.credentials = world.credentials;
        options.resume = &left;
        open_session(&house, &peer, &options, false);
        assert_false(gnutls_session_is_resumed(peer.tls));
        assert_certificate("");
        gnutls_free(left.data);
        bondy_peer_close(&peer);
        close_house(&house);
    }
    gnutls_certificate_free_credentials(credentials);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_have_the_same_ids),
        cmocka_unit_test(two_connections_differ_in_what_is_of_the_connection),
        cmocka_unit_test(a_resumed_connection_has_ids_of_its_own),
        cmocka_unit_test(without_tls_there_is_nothing_to_bind_to),
        cmocka_unit_test(a_websocket_outlives_its_tls_connection),
        cmocka_unit_test(a_relay_outlives_its_websocket),
        cmocka_unit_test(a_certificate_counts_on_its_own_connection),
        cmocka_unit_test(a_listener_that_does_not_ask_knows_no_certificate),
        cmocka_unit_test(connections_with_certificates_are_not_resumed),
    };

    return cmocka_run_group_tests(tests, make_world, end_world);
}
