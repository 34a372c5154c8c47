/* SPDX-License-Identifier: Apache-2.0 */
/* configuration.md 9: F1 (includes), F3, F4, F5, F8, F10. */
#include "tests/lib/test.h"

#include <stdio.h>

#include "src/base/alloc.h"
#include "src/server/config_print.h"
#include "src/sys/file.h"

/* Longer than the address of a Unix socket. */
#define FOLDER "/a-folder-with-a-very-long-name"
#define LONG FOLDER FOLDER FOLDER FOLDER

static char *dir;

static int make_dir(void **state)
{
    (void)state;
    dir = bondy_test_mkdir();
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    bondy_test_rmdir(dir);
    return 0;
}

static const char *path_of(const char *name)
{
    static char path[512];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    assert_int_equal(bondy_file_write(path_of(name), bondy_slice_text(text), 0600, NULL), 0);
}

/* Loads `text` as a file (NULL: none), and says which codes were found, in order. */
static struct bondy_config *load(const char *text, const struct bondy_config_sources *base,
                                 struct bondy_config_diag *diag)
{
    struct bondy_config_sources sources = {0};
    struct bondy_config *config;
    char path[512];

    if (base != NULL)
        sources = *base;
    sources.no_default_file = true;
    if (text != NULL) {
        write_file("bondy.conf", text);
        snprintf(path, sizeof path, "%s", path_of("bondy.conf"));
        sources.file = path;
    }
    *diag = (struct bondy_config_diag){0};
    bondy_config_load(&sources, &config, diag);
    return config;
}

static void check_codes(const struct bondy_config_diag *diag, const char *expected)
{
    struct bondy_buf out = BONDY_BUF_EMPTY;

    for (size_t i = 0; i < diag->count; i++) {
        print_message("%s %s\n", diag->findings[i].code, diag->findings[i].text);
        bondy_buf_printf(&out, "%s%s", i == 0 ? "" : " ", diag->findings[i].code);
    }
    assert_slice_is(bondy_buf_slice(&out), expected);
    bondy_buf_fini(&out);
}

static void check_text(const char *text, const char *codes)
{
    struct bondy_config_diag diag;
    struct bondy_config *config = load(text, NULL, &diag);

    check_codes(&diag, codes);
    bondy_config_diag_fini(&diag);
    bondy_config_destroy(config);
}

static void every_default_is_a_valid_value_and_nothing_is_found_without_a_file(void **state)
{
    struct bondy_config_diag diag;
    struct bondy_config *config = load(NULL, NULL, &diag);

    (void)state;
    check_codes(&diag, "");
    assert_int_equal(bondy_config_number(config, "api_gateway.http.port"), 18080);
    assert_string_equal(bondy_config_text(config, "admin_api.http.ip"), "127.0.0.1");
    assert_int_equal(bondy_config_number(config, "wamp.tcp.max_frame_size"), 16777216);
    assert_int_equal(bondy_config_number(config, "shutdown.grace_period"), 30000);
    assert_null(bondy_config_text(config, "ports_file"));
    bondy_config_diag_fini(&diag);
    bondy_config_destroy(config);
}

/* F3: one letter of a key wrong, and the key is named. */
static void every_key_is_suggested_to_its_neighbour(void **state)
{
    size_t count;
    const struct bondy_config_key *keys = bondy_config_keys(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        char *near[3], name[200];
        bool found = false;
        size_t n, len = strlen(keys[i].name);

        if (keys[i].is_pattern || strncmp(keys[i].name, "vm.", 3) == 0)
            continue;
        snprintf(name, sizeof name, "%s", keys[i].name);
        name[len - 1] = '~';
        n = bondy_config_suggest(bondy_slice_text(name), near);
        for (size_t j = 0; j < n; j++) {
            found = found || strcmp(near[j], keys[i].name) == 0;
            bondy_free(near[j]);
        }
        if (!found)
            print_message("%s\n", name);
        assert_true(found);
    }
}

static void unknown_keys_are_errors_that_name_what_was_meant(void **state)
{
    struct bondy_config_diag diag;
    struct bondy_config *config = load("a.b = 1\nwamp.tcp.max_conections = 5\n", NULL, &diag);

    (void)state;
    check_codes(&diag, "C002 C002");
    assert_non_null(strstr(diag.findings[1].text,
                           "bondy.conf:2: unknown key \"wamp.tcp.max_conections\"; did you mean "
                           "\"wamp.tcp.max_connections\""));
    bondy_config_diag_fini(&diag);
    bondy_config_destroy(config);
    check_text("config.unknown_keys = warn\na.b = 1\n", "C002");
}

static void wildcards_take_any_name(void **state)
{
    check_text("api_gateway.https.sni.one.certfile = /x\n", "C102");
    check_text("log.handlers.audit.level = info\n", "C102");
    check_text("bridge.listener.tpc = on\n", "C002");
    check_text("broker_bridge.kafka.clients.a.rdkafka.socket.keepalive.enable = true\n", "C102");
    (void)state;
}

static void findings_carry_their_code(void **state)
{
    static const struct {
        const char *text, *codes;
    } cases[] = {
        {"wamp.tcp.port 1\n", "C001"},
        {"include nothing.conf\n", "C001"},
        {"include nothing*.conf\n", ""},
        {"wamp.tcp.ping.timeout = 10 sec\n", "C003"},
        {"wamp.tcp.port = 70000\n", "C004"},
        {"wamp.uri.strictness = odd\n", "C004"},
        {"wamp.broker.sharded_subscription = on\n", "C004"},
        {"wamp.broker.sharded_subscription = off\n", ""},
        {"wamp.tcp.port = 18080\n", "C007"},
        {"wamp.tcp.port = 18081\nadmin_api.http.ip = 127.0.0.1\n", "C007"},
        {"shutdown_grace_period = 5s\n", "C101"},
        {"store.block.size = 8KB\n", "C102"},
        {"cluster.name = x\n", "C102"},
        {"vm.W = w\nerlang.K = true\n", "C102"},
        {"io_threads = 1\nio_threads = 2\n", "C103"},
        {"shutdown.grace_period = 5\n", "C105"},
        /* threat-model.md H9; admin-http-api.md 3 */
        {"admin_api.http.ip = 0.0.0.0\n", "C006"},
        {"admin_api.http.ip = ::\n", "C006"},
        {"admin_api.http.ip = 192.0.2.1\n", "C006"},
        {"admin_api.http.ip = 127.0.0.2\nadmin_api.allow_anonymous = on\n", ""},
        {"admin_api.http.ip = 0.0.0.0\nadmin_api.allow_cleartext = on\n", "C104"},
        {"admin_api.http.ip = 0.0.0.0\nadmin_api.allow_anonymous = on\n", "C006"},
        {"admin_api.http.ip = 0.0.0.0\nadmin_api.allow_cleartext = on\n"
         "admin_api.allow_anonymous = on\n",
         "C006"},
        {"admin_api.http.ip = 0.0.0.0\nadmin_api.http.enabled = off\n", ""},
        /* the certificate is not there; nothing is said of the address */
        {"admin_api.https.enabled = on\nadmin_api.https.ip = 0.0.0.0\n", "C005"},
        {"admin_api.https.enabled = on\nadmin_api.https.ip = 0.0.0.0\n"
         "admin_api.allow_anonymous = on\n",
         "C005 C006"},
        {"admin_api.unix.path = /nowhere" LONG ".sock\n", "C006"},
        {"admin_api.unix.path = /tmp/x.sock\n", "C006"},
        {"admin_api.unix.path =\n", ""},
        {"platform_data_dir = /nowhere" LONG "\n", ""},
        {"wamp.unix.enabled = on\nwamp.unix.path = /nowhere" LONG ".sock\n", "C006"},
        {"wamp.websocket.allowed_origins = https://a.example, http://localhost:3000\n", ""},
        {"security.allow_anonymous_user = off\n", ""},
        {"wamp.unix.group = staff\n", "C006"}, /* not built, and it would protect */
        {"api_gateway.https.enabled = on\n", "C005"},
        {"wamp.unix.mode = 0666\n", ""},
        {"wamp.unix.mode = rw\n", "C003"},
        {"wamp.unix.enabled = on\nwamp.unix.path = /tmp/x.sock\n", "C006"},
        {"security.config_file = /nowhere/x.json\n", "C005"},
        {"bridge.hq.timeout = 5s\n", "C101 C102"},
        {"api_gateway.http.enabled = \"on\n b\nio_threads = x", "C001 C001 C003"},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        print_message("- %s", cases[i].text);
        check_text(cases[i].text, cases[i].codes);
    }
}

/* F5 */
static void rules_between_keys_hold(void **state)
{
    static const struct {
        const char *text, *code;
    } cases[] = {
        {"wamp.longpoll.poll_timeout = 11m\n", "C006"},                                     /* X1 */
        {"wamp.call_timeout = 11m\n", "C104"},                                              /* X2 */
        {"security.password.min_length = 20\nsecurity.password.max_length = 10\n", "C006"}, /* X3 */
        {"wamp.tcp.idle_timeout = 40s\n", "C006"},                                          /* X4 */
        {"wamp.tcp.idle_timeout = 41s\n", ""},
        {"wamp.tcp.idle_timeout = 1s\nwamp.tcp.ping.enabled = off\n", ""},
        {"api_gateway.http.buffer.min = 4KB\n", "C006"}, /* X5 */
        {"api_gateway.http.buffer.min = 4KB\napi_gateway.http.buffer.max = 256KB\n", "C006"},
        {"log.handlers.default.config.drop_mode_qlen = 5\n", "C006"},              /* X6 */
        {"api_gateway.https.enabled = on\n", "C005"},                              /* X7 */
        {"store.tombstone_ttl = 8d\n", "C006"},                                    /* X8 */
        {"cluster.auth.method = none\n", "C104"},                                  /* X9 */
        {"startup.wait_for_store_aae_exchange = on\naae.enabled = off\n", "C006"}, /* X10 */
        {"security.ticket.expiry_time = 31d\n", "C006"},                           /* X11 */
        {"wamp.websocket.deflate.server_max_window_bits = 8\n", "C004"},           /* X12 */
        {"wamp.websocket.deflate.level = 10\n", "C004"},
        {"wamp.websocket.deflate.mem_level = 0\n", "C004"},
    };

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct bondy_config_diag diag;
        struct bondy_config *config = load(cases[i].text, NULL, &diag);
        struct bondy_buf codes = BONDY_BUF_EMPTY;

        print_message("- %s", cases[i].text);
        for (size_t j = 0; j < diag.count; j++) {
            if (strcmp(diag.findings[j].code, "C102") != 0)
                bondy_buf_append_text(&codes, diag.findings[j].code);
        }
        assert_slice_is(bondy_buf_slice(&codes), cases[i].code);
        bondy_buf_fini(&codes);
        bondy_config_diag_fini(&diag);
        bondy_config_destroy(config);
    }
}

static void check_value(const char *text, const char *name, const char *expected)
{
    static const char *const environment[] = {"HOME=/home/x", "EMPTY=", NULL};
    struct bondy_config_sources sources = {.environment = environment};
    struct bondy_config_diag diag;
    struct bondy_config *config = load(text, &sources, &diag);

    if (expected == NULL)
        assert_true(diag.error_count > 0);
    else
        assert_string_equal(bondy_config_text(config, name), expected);
    bondy_config_diag_fini(&diag);
    bondy_config_destroy(config);
}

static void values_refer_to_keys_and_variables(void **state)
{
    char expected[600];

    (void)state;
    check_value("platform_data_dir = /d\n", "wamp.unix.path", "/d/bondy.sock");
    check_value("platform_data_dir = /d\nports_file = $(store.data_dir)/p\n", "ports_file", "/d/p");
    check_value("nodename = x@${HOST:-here}\n", "nodename", "x@here");
    check_value("nodename = x@${EMPTY:-here}\n", "nodename", "x@here");
    check_value("ports_file = ${HOME}/p\n", "ports_file", "/home/x/p");
    check_value("ports_file = ${NOTHING}/p\n", "ports_file", NULL);
    check_value("ports_file = $(nothing)/p\n", "ports_file", NULL);
    check_value("nodename = $(ports_file)\nports_file = $(nodename)\n", "ports_file", NULL);
    check_value("nodename = $(nodename\n", "nodename", NULL);
    snprintf(expected, sizeof expected, "%s/p", dir);
    check_value("ports_file = p\n", "ports_file", expected);
}

static void numbered_keys_make_a_list(void **state)
{
    struct bondy_config_diag diag;
    struct bondy_config *config = load("admin_api.allowed_hosts.2 = b\n"
                                       "admin_api.allowed_hosts.1 = a\n",
                                       NULL, &diag);
    const struct bondy_config_entry *entry = bondy_config_find(config, "admin_api.allowed_hosts");

    (void)state;
    check_codes(&diag, "");
    assert_int_equal(entry->value.list_count, 2);
    assert_string_equal(entry->value.list[0], "a");
    bondy_config_diag_fini(&diag);
    bondy_config_destroy(config);
}

static void includes_are_relative_and_end_at_some_depth(void **state)
{
    struct bondy_config_diag diag;
    struct bondy_config *config;

    (void)state;
    write_file("more.conf", "io_threads = 7\n");
    config = load("include more.conf\n", NULL, &diag);
    assert_int_equal(bondy_config_number(config, "io_threads"), 7);
    check_codes(&diag, "");
    bondy_config_diag_fini(&diag);
    bondy_config_destroy(config);
    check_text("include bondy.conf\n", "C001");
}

/* F4 */
static void later_sources_win_and_print_config_names_them(void **state)
{
    static const char *const environment[] = {
        "BONDY__WAMP__CALL_TIMEOUT=3s", "BONDY__WAMP__MAX_CALL_TIMEOUT=4m",
        "BONDY__NODENAME=env@host", "BONDY_NODENAME=named@host", NULL};
    static const char *const overrides[] = {"wamp.max_call_timeout=5m", NULL};
    static const char *const presets[] = {"wamp.tcp.backlog=1", "wamp.tls.backlog=1", NULL};
    struct bondy_config_sources sources = {
        .environment = environment, .overrides = overrides, .presets = presets};
    struct bondy_config_print how = {.diff = true, .origin = true};
    struct bondy_buf out = BONDY_BUF_EMPTY;
    struct bondy_config_diag diag;
    struct bondy_config *config;
    char expected[2048];

    (void)state;
    assert_int_equal(bondy_file_mkdir(path_of("conf.d"), NULL), 0);
    write_file("conf.d/10.conf", "io_threads = 2\n");
    config = load("io_threads = 1\nwamp.call_timeout = 1s\nwamp.tcp.backlog = 2\n"
                  "wamp.tcp.enabled = on\n",
                  &sources, &diag);
    check_codes(&diag, "");
    bondy_config_print(config, &how, &out);
    snprintf(expected, sizeof expected,
             "io_threads = 2    # %s/conf.d/10.conf:1\n"
             "nodename = named@host    # environment BONDY_NODENAME\n"
             "wamp.call_timeout = 3s    # environment BONDY__WAMP__CALL_TIMEOUT\n"
             "wamp.max_call_timeout = 5m    # --set\n"
             "wamp.tcp.backlog = 2    # %s/bondy.conf:3\n"
             "wamp.tls.backlog = 1    # --dev\n",
             dir, dir);
    assert_slice_is(bondy_buf_slice(&out), expected);
    bondy_buf_fini(&out);
    bondy_config_diag_fini(&diag);
    bondy_config_destroy(config);
    remove(path_of("conf.d/10.conf"));
}

/* F10 */
static void a_slip_in_a_variable_is_found(void **state)
{
    static const char *const environment[] = {"BONDY__WAMP__TPC__PORT=1", NULL};
    struct bondy_config_sources sources = {.environment = environment};
    struct bondy_config_diag diag;
    struct bondy_config *config = load(NULL, &sources, &diag);

    (void)state;
    check_codes(&diag, "C002");
    assert_non_null(strstr(diag.findings[0].text, "environment BONDY__WAMP__TPC__PORT: "));
    assert_non_null(strstr(diag.findings[0].text, "\"wamp.tcp.port\""));
    bondy_config_diag_fini(&diag);
    bondy_config_destroy(config);
}

/* F8 */
static void secrets_are_never_printed(void **state)
{
    static const struct bondy_config_print ways[] = {
        {0}, {.diff = true, .origin = true}, {.json = true, .origin = true}};
    struct bondy_config_diag diag;
    struct bondy_config *config = load("cluster.secret = MARKER-1\n"
                                       "security.oidc.providers.x.client_secret = MARKER-2\n"
                                       "broker_bridge.mailgun.apikey = ${NOPE:-MARKER-3}\n"
                                       "distributed_cookie = MARKER-4\n",
                                       NULL, &diag);

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(ways); i++) {
        struct bondy_buf out = BONDY_BUF_EMPTY;

        bondy_config_print(config, &ways[i], &out);
        bondy_buf_append_byte(&out, 0);
        assert_non_null(strstr(out.data, "********"));
        assert_null(strstr(out.data, "MARKER"));
        bondy_buf_fini(&out);
    }
    for (size_t i = 0; i < diag.count; i++)
        assert_null(strstr(diag.findings[i].text, "MARKER"));
    bondy_config_diag_fini(&diag);
    bondy_config_destroy(config);
}

static void keys_named_like_secrets_are_secrets(void **state)
{
    static const char *const ends[] = {".secret", ".client_secret",     ".password",
                                       ".apikey", ".secret_access_key", ".privkey"};
    size_t count;
    const struct bondy_config_key *keys = bondy_config_keys(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < BONDY_COUNT(ends); j++) {
            size_t len = strlen(keys[i].name), end = strlen(ends[j]);

            if (len > end && strcmp(keys[i].name + len - end, ends[j]) == 0)
                assert_true(keys[i].row->flags & BONDY_KEY_IS_SECRET);
        }
        if (strncmp(keys[i].name, "cluster.secret", 14) == 0)
            assert_true(keys[i].row->flags & BONDY_KEY_IS_SECRET);
    }
}

static void the_sample_loads_without_findings(void **state)
{
    struct bondy_buf sample = BONDY_BUF_EMPTY;
    struct bondy_buf reference = BONDY_BUF_EMPTY;

    (void)state;
    bondy_config_print_sample(&sample);
    bondy_buf_append_byte(&sample, 0);
    check_text(sample.data, "");
    assert_int_equal(bondy_config_print_reference("md", &reference, NULL), BONDY_OK);
    assert_int_equal(bondy_config_print_reference("man", &reference, NULL), BONDY_OK);
    assert_int_equal(bondy_config_print_reference("json", &reference, NULL), BONDY_OK);
    assert_int_equal(bondy_config_print_reference("pdf", &reference, NULL), BONDY_EINVAL);
    bondy_buf_fini(&sample);
    bondy_buf_fini(&reference);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_default_is_a_valid_value_and_nothing_is_found_without_a_file),
        cmocka_unit_test(every_key_is_suggested_to_its_neighbour),
        cmocka_unit_test(unknown_keys_are_errors_that_name_what_was_meant),
        cmocka_unit_test(wildcards_take_any_name),
        cmocka_unit_test(findings_carry_their_code),
        cmocka_unit_test(rules_between_keys_hold),
        cmocka_unit_test(values_refer_to_keys_and_variables),
        cmocka_unit_test(numbered_keys_make_a_list),
        cmocka_unit_test(includes_are_relative_and_end_at_some_depth),
        cmocka_unit_test(later_sources_win_and_print_config_names_them),
        cmocka_unit_test(a_slip_in_a_variable_is_found),
        cmocka_unit_test(secrets_are_never_printed),
        cmocka_unit_test(keys_named_like_secrets_are_secrets),
        cmocka_unit_test(the_sample_loads_without_findings),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
