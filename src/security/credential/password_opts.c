/* SPDX-License-Identifier: Apache-2.0 */
#include <sodium.h>

#include "src/base/alloc.h"
#include "src/base/json.h"
#include "src/base/problem.h"
#include "src/base/utf8.h"
#include "src/security/credential/password.h"
#include "src/wamp/errors.h"

/* ---- password_opts ----------------------------------------------------------------------- */

/* While an input object is read. */
struct reading {
    const json_t *params;
    struct bondy_password_opts *out;
    bool is_scram;
    json_t *problems;
};

/* Names of libsodium's parameters, for both numbers of argon2id13. */
static const struct level {
    const char *name;
    uint32_t iterations;
    uint32_t memory_kib;
} levels[] = {
    {"interactive", 2, 64 << 10},
    {"moderate", 3, 256 << 10},
    {"sensitive", 4, 1 << 20},
};

static const struct level *find_level(const json_t *value)
{
    for (size_t i = 0; json_is_string(value) && i < BONDY_COUNT(levels); i++)
        if (strcmp(levels[i].name, json_string_value(value)) == 0)
            return &levels[i];
    return NULL;
}

static void complain(json_t *problems, bool is_type, const char *key, const char *expected)
{
    json_t *problem =
        bondy_problem_format(is_type ? "bondy.error.invalid_datatype" : "bondy.error.invalid_value",
                             "'%s' must be %s.", key, expected);

    json_object_set_new(problem, "key", json_string(key));
    json_array_append_new(problems, problem);
}

/* Refuses keys that are not in `known` (NULL-terminated). */
static void refuse_unknown(const json_t *object, const char *const *known, json_t *problems)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        const char *nearest = bondy_json_nearest(bondy_slice_text(key), known);
        json_t *problem;
        size_t i = 0;

        while (known[i] != NULL && strcmp(known[i], key) != 0)
            i++;
        if (known[i] != NULL)
            continue;
        problem =
            nearest == NULL
                ? bondy_problem_format(BONDY_ERR_INVALID_DATA,
                                       "Unknown key '%s' in 'password_opts'.", key)
                : bondy_problem_format(BONDY_ERR_INVALID_DATA,
                                       "Unknown key '%s' in 'password_opts'; did you mean '%s'?",
                                       key, nearest);
        json_object_set_new(problem, "keys", json_pack("[s]", key));
        json_array_append_new(problems, problem);
    }
}

static bool is_given(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return value != NULL && !json_is_null(value);
}

static void read_pbkdf2(struct reading *reading)
{
    const json_t *iterations = json_object_get(reading->params, "iterations");
    json_int_t number = json_integer_value(iterations);
    uint32_t *out =
        reading->is_scram ? &reading->out->scram_cost.iterations : &reading->out->cra_iterations;

    if (is_given(reading->params, "memory"))
        complain(reading->problems, false, "password_opts.params.memory",
                 "left out: pbkdf2 has no memory");
    if (!is_given(reading->params, "iterations"))
        return;
    if (!json_is_integer(iterations))
        complain(reading->problems, true, "password_opts.params.iterations", "a number");
    else if (number < BONDY_PBKDF2_MIN || number > BONDY_PBKDF2_MAX)
        complain(reading->problems, false, "password_opts.params.iterations",
                 "from 4096 to 1000000");
    else
        *out = (uint32_t)number;
}

static void read_argon2(struct reading *reading)
{
    const json_t *iterations = json_object_get(reading->params, "iterations");
    const json_t *memory = json_object_get(reading->params, "memory");
    const struct level *level;
    struct bondy_kdf_cost *cost = &reading->out->scram_cost;
    json_int_t number;

    if ((level = find_level(iterations)) != NULL)
        cost->iterations = level->iterations;
    else if (is_given(reading->params, "iterations") && !json_is_integer(iterations))
        complain(reading->problems, true, "password_opts.params.iterations",
                 "a number, interactive, moderate or sensitive");
    else if (is_given(reading->params, "iterations")) {
        number = json_integer_value(iterations);
        cost->iterations = number < 1 || number > UINT32_MAX ? 0 : (uint32_t)number;
    }
    if ((level = find_level(memory)) != NULL)
        cost->memory_kib = level->memory_kib;
    else if (is_given(reading->params, "memory") && !json_is_integer(memory))
        complain(reading->problems, true, "password_opts.params.memory",
                 "a number of octets, interactive, moderate or sensitive");
    else if (is_given(reading->params, "memory")) {
        number = json_integer_value(memory);
        cost->memory_kib = number < 8192 || number > 1 << 30 ? 0 : (uint32_t)(number / 1024);
    }
    if (json_array_size(reading->problems) == 0 && !bondy_kdf_is_allowed(cost))
        complain(reading->problems, false, "password_opts.params",
                 "within iterations from 1, memory from 8192 to 1073741824 octets, and 4 GiB for "
                 "their product");
}

/* The kdf decides what the numbers mean; a change of it starts from that one's own defaults. */
static void read_params(struct reading *reading)
{
    static const char *const keys[] = {"kdf", "iterations", "memory", "salt", NULL};
    struct bondy_slice kdf = bondy_json_text(reading->params, "kdf");
    struct bondy_kdf_cost *cost = &reading->out->scram_cost;
    bool is_argon2 = reading->is_scram && cost->kind == BONDY_KDF_ARGON2ID13;

    refuse_unknown(reading->params, keys, reading->problems);
    if (is_given(reading->params, "salt"))
        complain(reading->problems, false, "password_opts.params.salt",
                 "left out: every password gets a random one");
    if (is_given(reading->params, "kdf")) {
        if (!bondy_slice_is(kdf, "pbkdf2") &&
            !(reading->is_scram && bondy_slice_is(kdf, "argon2id13"))) {
            complain(reading->problems, !json_is_string(json_object_get(reading->params, "kdf")),
                     "password_opts.params.kdf",
                     reading->is_scram ? "pbkdf2 or argon2id13" : "pbkdf2 for protocol cra");
            return;
        }
        if (bondy_slice_is(kdf, "argon2id13") != is_argon2) {
            is_argon2 = !is_argon2;
            *cost = is_argon2 ? (struct bondy_kdf_cost){BONDY_KDF_ARGON2ID13, 3, 64 << 10}
                              : (struct bondy_kdf_cost){BONDY_KDF_PBKDF2, 65536, 0};
        }
    }
    if (is_argon2)
        read_argon2(reading);
    else
        read_pbkdf2(reading);
}

json_t *bondy_password_opts_parse(const json_t *input, const struct bondy_password_opts *defaults,
                                  struct bondy_password_opts *out)
{
    static const char *const keys[] = {"protocol", "params", NULL};
    struct bondy_password_opts opts = *defaults;
    struct reading reading = {.params = json_object_get(input, "params"), .out = &opts};
    struct bondy_slice protocol = bondy_json_text(input, "protocol");

    reading.problems = json_array();
    if (!json_is_object(input)) {
        complain(reading.problems, true, "password_opts", "an object");
        return bondy_problem_of_list(reading.problems);
    }
    refuse_unknown(input, keys, reading.problems);
    if (bondy_slice_is(protocol, "cra") || bondy_slice_is(protocol, "scram")) {
        opts.scram = bondy_slice_is(protocol, "scram");
        opts.cra = !opts.scram;
    } else if (is_given(input, "protocol")) {
        complain(reading.problems, !json_is_string(json_object_get(input, "protocol")),
                 "password_opts.protocol", "cra or scram");
    }
    reading.is_scram = opts.scram && !opts.cra;
    if (json_is_object(reading.params))
        read_params(&reading);
    else if (is_given(input, "params"))
        complain(reading.problems, true, "password_opts.params", "an object");
    if (json_array_size(reading.problems) == 0)
        *out = opts;
    return bondy_problem_of_list(reading.problems);
}

json_t *bondy_password_opts_format(const struct bondy_password_opts *opts)
{
    json_t *params = json_object();
    json_t *object = json_object();
    bool is_cra = opts->cra || !opts->scram;
    bool is_argon2 = !is_cra && opts->scram_cost.kind == BONDY_KDF_ARGON2ID13;

    bondy_json_with(object, "protocol", json_string(is_cra ? "cra" : "scram"));
    bondy_json_with(params, "kdf",
                    json_string(bondy_kdf_name(is_cra ? BONDY_KDF_PBKDF2 : opts->scram_cost.kind)));
    bondy_json_with(params, "iterations",
                    json_integer(is_cra ? opts->cra_iterations : opts->scram_cost.iterations));
    if (is_argon2)
        bondy_json_with(params, "memory",
                        json_integer((json_int_t)opts->scram_cost.memory_kib * 1024));
    return bondy_json_with(object, "params", params);
}

/* ---- the password itself ----------------------------------------------------------------- */

static json_t *refuse_password(json_t *problem)
{
    json_object_set_new(problem, "key", json_string("password"));
    return problem;
}

static size_t count_characters(struct bondy_slice text)
{
    size_t count = 0;
    uint32_t code_point;

    for (size_t taken; (taken = bondy_utf8_decode(text, &code_point)) > 0; count++)
        text = bondy_slice_skip(text, taken);
    return count;
}

/* The older router's alphabet: what is left of ASCII without ":;<=>" and white space. */
static bool is_legacy(struct bondy_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char octet = (unsigned char)text.data[i];

        if (octet <= 0x20 || octet >= 0x7f || (octet >= ':' && octet <= '>'))
            return false;
    }
    return true;
}

json_t *bondy_password_check(struct bondy_slice text, size_t min, size_t max, bool legacy_charset)
{
    size_t characters, len;
    char *prepared;

    /* Nothing is spent on what is too long in any case: a character has at most four octets. */
    if (text.len > 4 * max || !bondy_utf8_is_valid(text))
        return refuse_password(bondy_problem_format(
            "bondy.error.invalid_value",
            "'password' must have %zu to %zu characters of valid UTF-8.", min, max));
    characters = count_characters(text);
    if (characters < min || characters > max)
        return refuse_password(bondy_problem_format(
            "bondy.error.invalid_value", "'password' must have %zu to %zu characters.", min, max));
    if (legacy_charset && !is_legacy(text))
        return refuse_password(
            bondy_problem("bondy.error.invalid_value",
                          "'password' may hold ASCII without white space and ':;<=>' only.", ""));
    prepared = bondy_password_prepare(text, &len);
    if (prepared == NULL)
        return refuse_password(bondy_problem("bondy.error.invalid_value",
                                             "'password' may hold printable characters only.", ""));
    sodium_memzero(prepared, len);
    bondy_free(prepared);
    return NULL;
}
