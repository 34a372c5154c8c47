/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/token/api_key.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/id.h"
#include "src/base/problem.h"
#include "src/security/entity/stored.h"
#include "src/security/entity/user.h"
#include "src/sys/net.h"
#include "src/wamp/codec.h"
#include "src/wamp/errors.h"

#define PREFIX "bondy_"
#define ID_LEN 32u
#define SECRET_LEN 32u
#define SUBKEY_HEAD "bondy.api_key\0"
#define SUBKEY_HEAD_LEN (sizeof SUBKEY_HEAD) /* its own NUL is the second one */

/* ---- texts ------------------------------------------------------------------------------------*/

static struct bondy_slice subkey_of(struct bondy_slice id, char out[SUBKEY_HEAD_LEN + ID_LEN])
{
    memcpy(out, SUBKEY_HEAD, SUBKEY_HEAD_LEN);
    if (id.len > 0)
        memcpy(out + SUBKEY_HEAD_LEN, id.data, id.len);
    return bondy_slice_of(out, SUBKEY_HEAD_LEN + id.len);
}

static struct bondy_store_key key_of(const struct bondy_realm *realm, struct bondy_slice subkey)
{
    return (struct bondy_store_key){.type = BONDY_RECORD_TOKEN,
                                    .scope = bondy_slice_text(realm->uri),
                                    .gen = realm->gen,
                                    .subkey = subkey};
}

static void hash_secret(struct bondy_slice secret, char out[65])
{
    uint8_t hash[32];

    crypto_generichash(hash, sizeof hash, (const uint8_t *)secret.data, secret.len, NULL, 0);
    sodium_bin2hex(out, 65, hash, sizeof hash);
}

/* ---- preparing --------------------------------------------------------------------------------*/

static json_t *invalid(const char *key, const char *description)
{
    json_t *problem = bondy_problem("bondy.error.invalid_value", "Invalid value.", description);

    return bondy_json_with(problem, "key", json_string(key));
}

/* RFC 3339 in UTC, or seconds since 1970; 0: it is neither, or over already. */
static uint64_t read_time(const json_t *value)
{
    const char *text = json_string_value(value), *end;
    struct tm parts = {0};
    uint64_t ms = 0;

    if (json_is_integer(value) && json_integer_value(value) > 0 &&
        json_integer_value(value) < INT64_MAX / 1000) {
        ms = (uint64_t)json_integer_value(value) * 1000;
    } else if (text != NULL && (end = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts)) != NULL) {
        if (*end == '.')
            end += 1 + strspn(end + 1, "0123456789");
        if (strcmp(end, "Z") == 0)
            ms = (uint64_t)timegm(&parts) * 1000;
    }
    return ms > bondy_clock_wall_ms() ? ms : 0;
}

static bool are_cidrs(const struct bondy_edit *edit, const json_t *list)
{
    struct bondy_cidr cidr;
    const json_t *one;
    size_t i;

    if (!json_is_array(list) || json_array_size(list) > edit->rules->max_list)
        return false;
    json_array_foreach((json_t *)list, i, one)
    {
        if (!json_is_string(one) ||
            bondy_cidr_parse(bondy_slice_text(json_string_value(one)), &cidr, NULL) < 0)
            return false;
    }
    return true;
}

static bool is_meta(const struct bondy_edit *edit, const json_t *meta)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    bool is_short;

    if (!json_is_object(meta))
        return false;
    bondy_json_format(meta, &text);
    is_short = text.len <= edit->rules->meta_max;
    bondy_buf_fini(&text);
    return is_short;
}

static json_t *check(const struct bondy_edit *edit, const json_t *input)
{
    static const char *const keys[] = {"authid", "expires_at", "cidrs", "meta", NULL};
    json_t *problems = json_array();
    const json_t *value;
    const char *key;
    json_t *ignored;

    if (bondy_json_text(input, "authid").len == 0)
        json_array_append_new(problems, invalid("authid", "The name of a user is required."));
    if ((value = json_object_get(input, "expires_at")) != NULL && !json_is_null(value) &&
        read_time(value) == 0)
        json_array_append_new(problems, invalid("expires_at", "A time to come is expected."));
    if ((value = json_object_get(input, "cidrs")) != NULL && !are_cidrs(edit, value))
        json_array_append_new(problems, invalid("cidrs", "A list of networks is expected."));
    if ((value = json_object_get(input, "meta")) != NULL && !is_meta(edit, value))
        json_array_append_new(problems, invalid("meta", "An object that is not too long."));
    json_object_foreach((json_t *)input, key, ignored)
    {
        size_t i = 0;

        while (keys[i] != NULL && strcmp(keys[i], key) != 0)
            i++;
        if (keys[i] == NULL)
            json_array_append_new(problems, invalid(key, "There is no such property."));
    }
    return bondy_problem_of_list(problems);
}

int bondy_api_key_prepare(const struct bondy_edit *edit, const json_t *input, json_t **prepared,
                          char text[BONDY_API_KEY_TEXT], json_t **problem)
{
    const json_t *expires = json_object_get(input, "expires_at");
    uint8_t id[ID_LEN / 2], secret[SECRET_LEN];
    char id_text[ID_LEN + 1], secret_text[64], hash[65];

    *problem = check(edit, input);
    if (*problem != NULL)
        return BONDY_EINVAL;
    bondy_id_bytes(id, sizeof id);
    bondy_id_bytes(secret, sizeof secret);
    sodium_bin2hex(id_text, sizeof id_text, id, sizeof id);
    sodium_bin2base64(secret_text, sizeof secret_text, secret, sizeof secret,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    hash_secret(bondy_slice_text(secret_text), hash);
    snprintf(text, BONDY_API_KEY_TEXT, PREFIX "%s_%s", id_text, secret_text);
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(secret_text, sizeof secret_text);
    *prepared = json_pack(
        "{s:s, s:s, s:O, s:I, s:I, s:o, s:o}", "id", id_text, "hash", hash, "authid",
        json_object_get(input, "authid"), "created_ms", (json_int_t)bondy_clock_wall_ms(),
        "expires_ms", (json_int_t)(json_is_null(expires) ? 0 : read_time(expires)), "cidrs",
        json_object_get(input, "cidrs") != NULL ? json_incref(json_object_get(input, "cidrs"))
                                                : json_array(),
        "meta",
        json_object_get(input, "meta") != NULL ? json_incref(json_object_get(input, "meta"))
                                               : json_object());
    return BONDY_OK;
}

/* ---- what is shown ----------------------------------------------------------------------------*/

static json_t *external(const json_t *stored)
{
    json_int_t expires_ms = json_integer_value(json_object_get(stored, "expires_ms"));
    json_t *out = json_pack(
        "{s:s, s:O, s:O, s:O, s:O, s:o, s:o}", "type", "api_key", "id",
        json_object_get(stored, "id"), "authid", json_object_get(stored, "authid"), "cidrs",
        json_object_get(stored, "cidrs"), "meta", json_object_get(stored, "meta"), "created_at",
        bondy_stored_time((uint64_t)json_integer_value(json_object_get(stored, "created_ms"))),
        "expires_at", expires_ms == 0 ? json_null() : bondy_stored_time((uint64_t)expires_ms));

    return out;
}

/* ---- writing ----------------------------------------------------------------------------------*/

static int write_key(struct bondy_edit *edit, const struct bondy_realm *realm, const json_t *stored)
{
    char subkey[SUBKEY_HEAD_LEN + ID_LEN];
    struct bondy_store_key key = key_of(realm, subkey_of(bondy_json_text(stored, "id"), subkey));
    struct bondy_buf body = BONDY_BUF_EMPTY;
    struct bondy_store_value value = {.schema = 1};
    struct bondy_error err = {0};
    int rc;

    bondy_value_format(BONDY_CBOR, stored, &body);
    value.body = bondy_buf_slice(&body);
    value.expires_ms = (uint64_t)json_integer_value(json_object_get(stored, "expires_ms"));
    rc = bondy_store_put(edit->write, &key, &value, NULL, &err);
    bondy_buf_fini(&body);
    if (rc < 0)
        return bondy_edit_refuse_store(edit, rc, &err);
    edit->writes++;
    return BONDY_OK;
}

int bondy_api_key_apply_add(struct bondy_edit *edit, struct bondy_slice realm_uri,
                            const json_t *prepared)
{
    const struct bondy_realm *realm;
    struct bondy_user user;
    json_t *stored;
    int rc = bondy_edit_realm(edit, realm_uri, &realm);

    if (rc < 0)
        return rc;
    if (!bondy_user_find(bondy_edit_view(edit), realm, bondy_json_text(prepared, "authid"), &user))
        return bondy_edit_refuse(edit, BONDY_ENOENT,
                                 bondy_json_with(bondy_problem(BONDY_ERR_NO_SUCH_PRINCIPAL,
                                                               "There is no such user.", ""),
                                                 "key", json_string("authid")));
    stored = json_copy((json_t *)prepared);
    json_object_set_new(stored, "authid", json_string(user.username));
    json_object_set_new(stored, "ugen", json_integer(user.ugen));
    bondy_user_fini(&user);
    rc = write_key(edit, realm, stored);
    if (rc == BONDY_OK) {
        edit->result = external(stored);
        edit->effects |= BONDY_EDIT_CREATED;
    }
    json_decref(stored);
    return rc;
}

int bondy_api_key_apply_delete(struct bondy_edit *edit, struct bondy_slice realm_uri,
                               struct bondy_slice id)
{
    char subkey[SUBKEY_HEAD_LEN + ID_LEN];
    const struct bondy_realm *realm;
    struct bondy_store_key key;
    struct bondy_error err = {0};
    int rc = bondy_edit_realm(edit, realm_uri, &realm);

    if (rc < 0)
        return rc;
    rc = BONDY_ENOENT;
    if (id.len == ID_LEN) {
        key = key_of(realm, subkey_of(id, subkey));
        rc = bondy_store_delete(edit->write, &key, NULL, &err);
    }
    if (rc == BONDY_ENOENT)
        return bondy_edit_refuse(edit, rc,
                                 bondy_problem(BONDY_ERR_NOT_FOUND, "There is no such key.", ""));
    if (rc < 0)
        return bondy_edit_refuse_store(edit, rc, &err);
    edit->writes++;
    edit->effects |= BONDY_EDIT_DELETED;
    return BONDY_OK;
}

/* ---- reading ----------------------------------------------------------------------------------*/

static int take(void *context, const struct bondy_record *record)
{
    json_t *stored = bondy_value_tree(BONDY_CBOR, record->body);

    json_array_append_new(context, external(stored));
    json_decref(stored);
    return 0;
}

json_t *bondy_api_key_list(const struct bondy_store_view *view, const struct bondy_realm *realm)
{
    char subkey[SUBKEY_HEAD_LEN + ID_LEN];
    const struct bondy_store_range range = {.type = BONDY_RECORD_TOKEN,
                                            .scope = bondy_slice_text(realm->uri),
                                            .gen = realm->gen,
                                            .prefix = subkey_of(BONDY_SLICE_EMPTY, subkey)};
    json_t *list = json_array();

    bondy_store_view_scan(view, &range, take, list);
    return list;
}

static void fill(const json_t *stored, struct bondy_api_key *out)
{
    struct bondy_slice authid = bondy_json_text(stored, "authid");

    *out = (struct bondy_api_key){
        .authid = bondy_memdup0(authid.data, authid.len),
        .ugen = (uint32_t)json_integer_value(json_object_get(stored, "ugen")),
        .created_ms = (uint64_t)json_integer_value(json_object_get(stored, "created_ms")),
        .expires_ms = (uint64_t)json_integer_value(json_object_get(stored, "expires_ms")),
        .cidrs = json_incref(json_object_get(stored, "cidrs")),
        .meta = json_incref(json_object_get(stored, "meta"))};
    snprintf(out->id, sizeof out->id, "%s", json_string_value(json_object_get(stored, "id")));
}

bool bondy_api_key_find(const struct bondy_store_view *view, const struct bondy_realm *realm,
                        struct bondy_slice text, struct bondy_api_key *out)
{
    struct bondy_slice rest = bondy_slice_skip(text, strlen(PREFIX)), secret, known;
    char subkey[SUBKEY_HEAD_LEN + ID_LEN], hash[65];
    struct bondy_store_key key;
    struct bondy_record record;
    bool is_right;
    json_t *stored;

    if (!bondy_slice_starts(text, BONDY_SLICE(PREFIX)) || rest.len <= ID_LEN + 1 ||
        rest.data[ID_LEN] != '_')
        return false;
    secret = bondy_slice_skip(rest, ID_LEN + 1);
    key = key_of(realm, subkey_of(bondy_slice_of(rest.data, ID_LEN), subkey));
    if (!bondy_store_view_get(view, &key, &record))
        return false;
    stored = bondy_value_tree(BONDY_CBOR, record.body);
    hash_secret(secret, hash);
    known = bondy_json_text(stored, "hash");
    is_right = known.len == sizeof hash - 1 && sodium_memcmp(known.data, hash, known.len) == 0;
    if (is_right)
        fill(stored, out);
    json_decref(stored);
    return is_right;
}

void bondy_api_key_fini(struct bondy_api_key *key)
{
    bondy_free(key->authid);
    json_decref(key->cidrs);
    json_decref(key->meta);
}
