/* SPDX-License-Identifier: Apache-2.0 */

/* logins: how many logins a second a router lets in, by method, and how long one takes.
 *
 *     logins --port N --realm URI --authid NAME --method METHOD [--secret TEXT | --seed HEX]
 *            [--connections N] [--seconds S]
 *
 * Each connection says HELLO over RawSocket in JSON, answers the challenge, waits for WELCOME,
 * closes and begins anew. Keys are derived from the password once, so that it is the router that is
 * measured. One thread a connection. Prints one JSON object. */

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/base/json.h"
#include "src/security/credential/cra.h"
#include "src/security/credential/cryptosign.h"
#include "src/security/credential/kdf.h"
#include "tests/bench/hist.h"

#define MESSAGE_MAX 65536

static struct {
    uint16_t port;
    const char *realm, *authid, *method, *secret;
    uint8_t seed[32];
    char pubkey[65];
    unsigned connections;
    double seconds;
} plan = {.realm = "dev",
          .authid = "",
          .method = "anonymous",
          .secret = "",
          .connections = 8,
          .seconds = 1};

static atomic_bool stops;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what follows */
static struct hist latency;
static uint64_t logins, refused;
static struct {
    bool is_there;
    char salt[64], key[BONDY_KDF_TEXT];
    uint8_t salted[BONDY_KDF_LEN];
} derived;

static void die(const char *what)
{
    fprintf(stderr, "logins: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* ---- the wire -------------------------------------------------------------------------------- */

static int dial(unsigned number)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(plan.port)};
    struct sockaddr_in from = {.sin_family = AF_INET};
    const unsigned char hello[4] = {0x7f, 0xf1, 0, 0};
    unsigned char answer[4];
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct linger at_once = {1, 0};

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + number % 64);
    if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof from) != 0 ||
        connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        die("connect");
    /* No TIME_WAIT: ports would run out. */
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    if (write(fd, hello, 4) != 4 || recv(fd, answer, 4, MSG_WAITALL) != 4)
        die("handshake");
    return fd;
}

static void say(int fd, json_t *message)
{
    char *text = json_dumps(message, JSON_COMPACT);
    uint32_t head = htonl((uint32_t)strlen(text));
    char frame[MESSAGE_MAX];

    memcpy(frame, &head, 4);
    memcpy(frame + 4, text, strlen(text));
    if (write(fd, frame, strlen(text) + 4) < 0)
        die("write");
    free(text);
    json_decref(message);
}

static json_t *hear(int fd)
{
    static _Thread_local char text[MESSAGE_MAX];
    uint32_t head;
    json_t *message;

    if (recv(fd, &head, 4, MSG_WAITALL) != 4)
        return NULL;
    head = ntohl(head) & 0xffffff;
    if (head >= MESSAGE_MAX || recv(fd, text, head, MSG_WAITALL) != (ssize_t)head)
        return NULL;
    message = json_loadb(text, head, 0, NULL);
    return message;
}

/* ---- the methods ----------------------------------------------------------------------------- */

static void derive(const json_t *extra)
{
    struct bondy_slice salt = bondy_json_text(extra, "salt");
    struct bondy_kdf_cost cost = {
        BONDY_KDF_PBKDF2, (uint32_t)json_integer_value(json_object_get(extra, "iterations")), 0};
    uint8_t raw[64];
    size_t raw_len = 0;

    pthread_mutex_lock(&lock);
    if (!derived.is_there && strcmp(plan.method, "wampcra") == 0) {
        bondy_kdf_wait(&cost, bondy_slice_text(plan.secret), salt, derived.salted, NULL);
        bondy_secret_base64(bondy_slice_of(derived.salted, sizeof derived.salted), derived.key,
                            sizeof derived.key);
    } else if (!derived.is_there) {
        sodium_base642bin(raw, sizeof raw, salt.data, salt.len, NULL, &raw_len, NULL,
                          sodium_base64_VARIANT_ORIGINAL);
        bondy_kdf_wait(&cost, bondy_slice_text(plan.secret), bondy_slice_of(raw, raw_len),
                       derived.salted, NULL);
    }
    derived.is_there = true;
    pthread_mutex_unlock(&lock);
}

static json_t *answer_cra(const json_t *extra)
{
    char signature[BONDY_KDF_TEXT];

    derive(extra);
    bondy_cra_sign(bondy_slice_text(derived.key), bondy_json_text(extra, "challenge"), signature);
    return json_pack("[i, s, {}]", 5, signature);
}

static json_t *answer_scram(const json_t *extra, const char *nonce)
{
    const char *server = json_string_value(json_object_get(extra, "nonce"));
    uint8_t client_key[32], stored_key[32], proof[32];
    char message[1024], text[BONDY_KDF_TEXT];

    derive(extra);
    snprintf(message, sizeof message, "n=%s,r=%s,r=%s,s=%s,i=%lld,c=biws,r=%s", plan.authid, nonce,
             server, json_string_value(json_object_get(extra, "salt")),
             (long long)json_integer_value(json_object_get(extra, "iterations")), server);
    bondy_hmac_sha256(bondy_slice_of(derived.salted, 32), BONDY_SLICE("Client Key"), client_key);
    bondy_sha256(bondy_slice_of(client_key, 32), stored_key);
    bondy_hmac_sha256(bondy_slice_of(stored_key, 32), bondy_slice_text(message), proof);
    for (int i = 0; i < 32; i++)
        proof[i] ^= client_key[i];
    bondy_secret_base64(bondy_slice_of(proof, 32), text, sizeof text);
    return json_pack("[i, s, {s:s, s:n}]", 5, text, "nonce", server, "channel_binding");
}

static json_t *answer_cryptosign(const json_t *extra)
{
    static const uint8_t none[32];
    uint8_t challenge[32];
    char signature[193];

    bondy_hex_parse(bondy_json_text(extra, "challenge"), challenge, 32);
    bondy_cryptosign_sign(plan.seed, challenge, none, signature);
    return json_pack("[i, s, {}]", 5, signature);
}

static json_t *answer(const json_t *challenge, const char *nonce)
{
    const json_t *extra = json_array_get(challenge, 2);

    if (strcmp(plan.method, "wampcra") == 0)
        return answer_cra(extra);
    if (strcmp(plan.method, "wamp-scram") == 0)
        return answer_scram(extra, nonce);
    if (strcmp(plan.method, "cryptosign") == 0)
        return answer_cryptosign(extra);
    return json_pack("[i, s, {}]", 5, plan.secret);
}

static json_t *hello(char nonce[BONDY_KDF_TEXT])
{
    json_t *details = json_pack("{s:{s:{}}, s:[s]}", "roles", "caller", "authmethods", plan.method);
    uint8_t random[18];

    bondy_id_bytes(random, sizeof random);
    bondy_secret_base64(bondy_slice_of(random, sizeof random), nonce, BONDY_KDF_TEXT);
    if (strcmp(plan.method, "anonymous") != 0)
        json_object_set_new(details, "authid", json_string(plan.authid));
    json_object_set_new(details, "authextra",
                        json_pack("{s:s, s:s}", "nonce", nonce, "pubkey", plan.pubkey));
    if (strcmp(plan.method, "cryptosign") != 0)
        json_object_del(json_object_get(details, "authextra"), "pubkey");
    return json_pack("[i, s, o]", 1, plan.realm, details);
}

static bool log_in(int fd)
{
    char nonce[BONDY_KDF_TEXT];
    json_t *message;
    bool is_in;

    say(fd, hello(nonce));
    message = hear(fd);
    if (json_integer_value(json_array_get(message, 0)) == 4) {
        say(fd, answer(message, nonce));
        json_decref(message);
        message = hear(fd);
    }
    is_in = json_integer_value(json_array_get(message, 0)) == 2;
    json_decref(message);
    return is_in;
}

static void *go_in_and_out(void *argument)
{
    unsigned number = (unsigned)(uintptr_t)argument;

    while (!stops) {
        double started = now(), took;
        int fd = dial(number);
        bool is_in = log_in(fd);

        close(fd);
        took = now() - started;
        pthread_mutex_lock(&lock);
        if (is_in) {
            logins++;
            hist_add(&latency, (uint64_t)(took * 1e9));
        } else {
            refused++;
        }
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

static void take_options(int argc, char **argv)
{
    static const struct option options[] = {
        {"port", 1, NULL, 'p'},    {"realm", 1, NULL, 'r'},       {"authid", 1, NULL, 'a'},
        {"method", 1, NULL, 'm'},  {"secret", 1, NULL, 's'},      {"seed", 1, NULL, 'k'},
        {"seconds", 1, NULL, 't'}, {"connections", 1, NULL, 'c'}, {NULL, 0, NULL, 0}};
    uint8_t secret_key[64], public_key[32];
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'p':
            plan.port = (uint16_t)strtoul(optarg, NULL, 10);
            break;
        case 'r':
            plan.realm = optarg;
            break;
        case 'a':
            plan.authid = optarg;
            break;
        case 'm':
            plan.method = optarg;
            break;
        case 's':
            plan.secret = optarg;
            break;
        case 'k':
            bondy_hex_parse(bondy_slice_text(optarg), plan.seed, 32);
            break;
        case 't':
            plan.seconds = strtod(optarg, NULL);
            break;
        case 'c':
            plan.connections = (unsigned)strtoul(optarg, NULL, 10);
            break;
        default:
            fprintf(stderr, "logins: see the head of logins.c\n");
            exit(2);
        }
    }
    crypto_sign_seed_keypair(public_key, secret_key, plan.seed);
    sodium_bin2hex(plan.pubkey, sizeof plan.pubkey, public_key, sizeof public_key);
}

int main(int argc, char **argv)
{
    pthread_attr_t small;
    pthread_t *threads;
    double started;

    if (bondy_id_start(NULL) < 0)
        die("random");
    take_options(argc, argv);
    threads = bondy_calloc(plan.connections, sizeof threads[0]);
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 512 * 1024);
    started = now();
    for (unsigned i = 0; i < plan.connections; i++)
        if (pthread_create(&threads[i], &small, go_in_and_out, (void *)(uintptr_t)i) != 0)
            die("thread");
    while (now() - started < plan.seconds)
        usleep(10000);
    stops = true;
    for (unsigned i = 0; i < plan.connections; i++)
        pthread_join(threads[i], NULL);
    printf("{\"logins\": %llu, \"refused\": %llu, \"seconds\": %.3f, \"p50_ms\": %.3f, "
           "\"p99_ms\": %.3f}\n",
           (unsigned long long)logins, (unsigned long long)refused, now() - started,
           (double)hist_quantile(&latency, 0.50) / 1e6,
           (double)hist_quantile(&latency, 0.99) / 1e6);
    bondy_free(threads);
    return 0;
}
