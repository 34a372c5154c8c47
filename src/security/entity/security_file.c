/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/entity/security_file.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/problem.h"
#include "src/security/entity/order.h"
#include "src/security/entity/realm_local.h"
#include "src/security/entity/stored.h"
#include "src/security/entity/user_local.h"
#include "src/sys/file.h"
#include "src/wamp/errors.h"

/* The preparing half: what does not need the store's writer. */

#define SECRET_MAX ((size_t)16 * 1024)

static struct bondy_slice text_of(const json_t *value)
{
    return bondy_slice_of(json_string_value(value), json_string_length(value));
}

struct preparing {
    const struct bondy_edit *edit; /* lenient */
    const struct bondy_store_view *view;
    enum bondy_file_mode mode;
    json_t *realms; /* a copy of the document */
    json_t *uris;   /* canonical, in the same order */
    json_t *problems;
};

/* Takes `problem`; it is about the place `pointer`. */
static void add_problem(struct preparing *preparing, json_t *problem, const char *pointer)
{
    json_t *errors = json_object_get(problem, "errors");

    bondy_realm_locate(problem, pointer);
    if (json_array_size(errors) > 0)
        json_array_extend(preparing->problems, errors);
    else
        json_array_append(preparing->problems, problem);
    json_decref(problem);
}

/* ---- secrets from elsewhere ---------------------------------------------------------------- */

static const char *const secret_keys[] = {"password",        "private_keys",  "encryption_keys",
                                          "authorized_keys", "client_secret", NULL};

static bool is_secret_key(const char *key)
{
    const char *const *one = secret_keys;

    while (*one != NULL && strcmp(*one, key) != 0)
        one++;
    return *one != NULL;
}

/* ${ENV:NAME}: NULL when it is something else; *name is the caller's. */
static char *environment_name(const json_t *value)
{
    struct bondy_slice text = text_of(value), prefix = BONDY_SLICE("${ENV:");

    if (!json_is_string(value) || !bondy_slice_starts(text, prefix) ||
        text.data[text.len - 1] != '}')
        return NULL;
    return bondy_memdup0(text.data + prefix.len, text.len - prefix.len - 1);
}

/* The new value, or NULL with *problem. */
static json_t *from_environment(const char *name, json_t **problem)
{
    const char *value = getenv(name);
    json_t *text = value == NULL ? NULL : json_string(value);

    if (text == NULL)
        *problem = bondy_problem_format("bondy.error.invalid_value",
                                        "The environment has no text '%s'.", name);
    return text;
}

static json_t *from_file(const char *path, json_t **problem)
{
    struct bondy_buf content = BONDY_BUF_EMPTY;
    struct bondy_error err;
    json_t *text = NULL;
    int rc = bondy_file_check_private(path, &err);

    if (rc == BONDY_OK)
        rc = bondy_file_read(path, SECRET_MAX, &content, &err);
    if (rc == BONDY_OK) {
        while (content.len > 0 &&
               (content.data[content.len - 1] == '\n' || content.data[content.len - 1] == '\r'))
            content.len--;
        text = json_stringn(content.data == NULL ? "" : content.data, content.len);
        if (text == NULL)
            bondy_fail(&err, BONDY_EINVAL, "%s is not text", path);
    }
    if (content.data != NULL)
        sodium_memzero(content.data, content.cap);
    bondy_buf_fini(&content);
    if (text == NULL)
        *problem = bondy_problem_format("bondy.error.invalid_value", "%s.", err.text);
    return text;
}

/* The value that stands for another one, NULL when it stands for itself or there is a *problem. */
static json_t *substitute(const json_t *value, json_t **problem)
{
    const json_t *path = json_object_get(value, "$file");
    char *name = environment_name(value);
    json_t *made;

    *problem = NULL;
    if (name != NULL) {
        made = from_environment(name, problem);
        bondy_free(name);
        return made;
    }
    if (!json_is_string(path) || json_object_size(value) != 1)
        return NULL;
    return from_file(json_string_value(path), problem);
}

static void expand(struct preparing *preparing, json_t *value, bool is_secret,
                   struct bondy_buf *pointer);

/* Of a member (`key`) or an item (`index`) of `container`. */
static void expand_member(struct preparing *preparing, json_t *container, const char *key,
                          size_t index, bool is_secret, struct bondy_buf *pointer)
{
    json_t *value =
        key != NULL ? json_object_get(container, key) : json_array_get(container, index);
    size_t len = pointer->len;
    json_t *problem = NULL, *made = NULL;

    if (key != NULL)
        bondy_json_pointer_push(pointer, bondy_slice_text(key));
    else
        bondy_json_pointer_push_index(pointer, index);
    if (is_secret)
        made = substitute(value, &problem);
    if (problem != NULL) {
        bondy_buf_append_byte(pointer, 0);
        add_problem(preparing, problem, pointer->data);
    } else if (made == NULL) {
        expand(preparing, value, is_secret, pointer);
    } else if (key != NULL) {
        json_object_set_new(container, key, made);
    } else {
        json_array_set_new(container, index, made);
    }
    bondy_json_pointer_pop(pointer, len);
}

static void expand(struct preparing *preparing, json_t *value, bool is_secret,
                   struct bondy_buf *pointer)
{
    const char *key;
    void *next;
    json_t *member;

    for (size_t i = 0; i < json_array_size(value); i++)
        expand_member(preparing, value, NULL, i, is_secret, pointer);
    json_object_foreach_safe(value, next, key, member)
    {
        expand_member(preparing, value, key, 0, is_secret || is_secret_key(key), pointer);
    }
}

static void expand_all(struct preparing *preparing)
{
    struct bondy_buf pointer = BONDY_BUF_EMPTY;

    bondy_buf_append_byte(&pointer, 0); /* so that it has data; not part of it */
    pointer.len = 0;
    expand(preparing, preparing->realms, false, &pointer);
    bondy_buf_fini(&pointer);
}

/* ---- shape and order ----------------------------------------------------------------------- */

static json_t *canonical(const struct bondy_edit *edit, struct bondy_slice uri)
{
    char text[BONDY_REALM_URI_MAX];
    size_t len;

    if (uri.len == 0 || !bondy_realm_canonical(edit->rules, uri, text, sizeof text, &len))
        return json_string("");
    return bondy_json_slice(bondy_slice_of(text, len));
}

static void check_shapes(struct preparing *preparing)
{
    char pointer[32];
    size_t i;
    json_t *realm;

    json_array_foreach(preparing->realms, i, realm)
    {
        json_t *problem = NULL;
        json_t *uri = canonical(preparing->edit, bondy_json_text(realm, "uri"));

        snprintf(pointer, sizeof pointer, "/%zu", i);
        if (bondy_realm_check(preparing->edit, realm, false, &problem) < 0)
            add_problem(preparing, problem, pointer);
        else if (bondy_stored_list_has(preparing->uris, text_of(uri)))
            add_problem(preparing,
                        bondy_problem(BONDY_ERR_INVALID_DATA,
                                      "The file has this realm more than once.", ""),
                        pointer);
        json_array_append_new(preparing->uris, uri);
    }
}

static int sort(struct preparing *preparing, size_t **order)
{
    static const char *const keys[] = {"prototype_uri", "sso_realm_uri"};
    json_t *needs = json_array(), *cycle = NULL, *realm, *problem;
    size_t i;
    int rc;

    json_array_foreach(preparing->realms, i, realm)
    {
        json_t *list = json_array();

        for (size_t k = 0; k < BONDY_COUNT(keys); k++)
            json_array_append_new(list,
                                  canonical(preparing->edit, bondy_json_text(realm, keys[k])));
        json_array_append_new(needs, list);
    }
    rc = bondy_order_sort(preparing->uris, needs, order, &cycle);
    json_decref(needs);
    if (rc == BONDY_OK)
        return rc;
    problem = bondy_problem("bondy.error.invalid_config",
                            "Realms need each other as prototype or SSO realm in a circle.", "");
    json_object_set_new(problem, "details", json_pack("{s:o}", "path", cycle));
    add_problem(preparing, problem, "");
    return rc;
}

/* ---- passwords and keys --------------------------------------------------------------------- */

/* What a realm says in the file, else in the store; the caller owns it; NULL. */
static json_t *said(const struct preparing *preparing, struct bondy_slice uri, const char *key)
{
    struct bondy_realm *stored;
    json_t *value = NULL;
    size_t i;
    json_t *one;

    json_array_foreach(preparing->uris, i, one)
    {
        if (bondy_slice_eq(text_of(one), uri))
            value = json_object_get(json_array_get(preparing->realms, i), key);
    }
    if (value != NULL)
        return json_is_null(value) ? NULL : json_incref(value);
    if (preparing->view == NULL || uri.len == 0)
        return NULL;
    stored = bondy_realm_read(preparing->edit->rules, preparing->view, uri);
    if (stored != NULL)
        value = json_incref(json_object_get(stored->document, key));
    bondy_realm_unref(stored);
    return value;
}

/* The realm's own word, else its prototype's; the caller owns it. */
static json_t *said_or_inherited(const struct preparing *preparing, struct bondy_slice uri,
                                 const char *key)
{
    json_t *value = said(preparing, uri, key), *prototype, *folded;

    if (value != NULL)
        return value;
    prototype = said(preparing, uri, "prototype_uri");
    if (prototype == NULL)
        return NULL;
    folded = canonical(preparing->edit, text_of(prototype));
    value = said(preparing, text_of(folded), key);
    json_decref(prototype);
    json_decref(folded);
    return value;
}

/* The verifiers that a user has now; the caller owns the list; NULL. */
static json_t *stored_passwords(const struct preparing *preparing, const struct bondy_realm *realm,
                                const json_t *input)
{
    struct bondy_slice name = bondy_json_text(input, "username");
    struct bondy_user user;
    json_t *uri, *passwords = NULL;
    uint32_t gen;

    if (preparing->view == NULL)
        return NULL;
    uri = canonical(preparing->edit, bondy_json_text(input, "sso_realm_uri"));
    if (realm != NULL && bondy_user_resolve(preparing->view, realm, name, &user)) {
        passwords = json_incref(user.passwords);
        bondy_user_fini(&user);
    } else if (text_of(uri).len > 0 && bondy_user_realm_gen(preparing->view, text_of(uri), &gen) &&
               bondy_user_read(preparing->view, text_of(uri), gen, name, &user)) {
        passwords = json_incref(user.passwords);
        bondy_user_fini(&user);
    }
    json_decref(uri);
    return passwords;
}

static void prepare_users(struct preparing *preparing, size_t index,
                          const struct bondy_password_opts *opts, const struct bondy_realm *stored)
{
    json_t *users = json_object_get(json_array_get(preparing->realms, index), "users"), *user;
    char pointer[64];
    size_t i;

    json_array_foreach(users, i, user)
    {
        json_t *passwords = NULL, *problem = NULL;

        if (json_is_string(json_object_get(user, "password")))
            passwords = stored_passwords(preparing, stored, user);
        snprintf(pointer, sizeof pointer, "/%zu/users/%zu", index, i);
        if (bondy_user_prepare(preparing->edit, opts, user, false, passwords, &problem) < 0)
            add_problem(preparing, problem, pointer);
        json_decref(passwords);
    }
}

/* An empty list asks for new keys: not each time that the file is applied. */
static void keep_keys(json_t *realm, const struct bondy_realm *stored)
{
    static const char *const keys[] = {"private_keys", "encryption_keys"};
    const bool has[] = {stored != NULL && !bondy_realm_needs_keys(stored),
                        stored != NULL && stored->keys->encryption_count > 0};

    for (size_t i = 0; i < BONDY_COUNT(keys); i++) {
        const json_t *given = json_object_get(realm, keys[i]);

        if (has[i] && json_is_array(given) && json_array_size(given) == 0)
            json_object_del(realm, keys[i]);
    }
}

static void prepare_realm(struct preparing *preparing, size_t index)
{
    json_t *realm = json_array_get(preparing->realms, index), *problem = NULL;
    struct bondy_slice uri = text_of(json_array_get(preparing->uris, index));
    json_t *methods = said_or_inherited(preparing, uri, "authmethods");
    json_t *given = said_or_inherited(preparing, uri, "password_opts");
    struct bondy_realm *stored =
        preparing->view == NULL ? NULL
                                : bondy_realm_read(preparing->edit->rules, preparing->view, uri);
    struct bondy_password_opts opts;
    char pointer[32];

    if (methods == NULL && stored != NULL)
        methods = json_incref(stored->authmethods);
    opts = bondy_user_password_opts(preparing->edit->rules, methods, given);
    snprintf(pointer, sizeof pointer, "/%zu", index);
    keep_keys(realm, stored);
    if (bondy_realm_prepare_keys(realm, &problem) < 0)
        add_problem(preparing, problem, pointer);
    prepare_users(preparing, index, &opts, stored);
    bondy_realm_unref(stored);
    json_decref(methods);
    json_decref(given);
}

/* ---- all of it ---------------------------------------------------------------------------- */

static void take_in_order(struct preparing *preparing, size_t *order, struct bondy_file *out)
{
    out->realms = json_array();
    out->places = order;
    for (size_t i = 0; i < json_array_size(preparing->realms); i++)
        json_array_append(out->realms, json_array_get(preparing->realms, order[i]));
}

static int refuse_form(const struct bondy_edit *edit, const json_t *document, json_t **problem)
{
    if (!json_is_array(document))
        *problem =
            bondy_problem(BONDY_ERR_INVALID_DATA, "A security file is a list of realms.", "");
    else if (json_array_size(document) > edit->rules->max_list)
        *problem = bondy_problem(BONDY_ERR_INVALID_DATA, "The file has too many realms.", "");
    else
        return BONDY_OK;
    return BONDY_EINVAL;
}

int bondy_file_prepare(const struct bondy_edit *edit, const struct bondy_store_view *view,
                       const json_t *document, enum bondy_file_mode mode, struct bondy_file *out,
                       json_t **problem)
{
    struct bondy_edit lenient = *edit;
    struct preparing preparing = {.edit = &lenient, .view = view, .mode = mode};
    size_t *order = NULL;
    int rc = refuse_form(edit, document, problem);

    *out = (struct bondy_file){.mode = mode};
    if (rc < 0)
        return rc;
    lenient.is_lenient = mode == BONDY_FILE_CONFIG || edit->is_lenient;
    preparing.realms = json_deep_copy(document);
    preparing.uris = json_array();
    preparing.problems = json_array();
    if (mode == BONDY_FILE_CONFIG)
        expand_all(&preparing);
    if (json_array_size(preparing.problems) == 0)
        check_shapes(&preparing);
    if (json_array_size(preparing.problems) == 0 && sort(&preparing, &order) == BONDY_OK)
        for (size_t i = 0; i < json_array_size(preparing.realms); i++)
            prepare_realm(&preparing, i);
    if (json_array_size(preparing.problems) == 0)
        take_in_order(&preparing, BONDY_MOVE(order), out);
    bondy_free(order);
    json_decref(preparing.realms);
    json_decref(preparing.uris);
    *problem = bondy_problem_of_list(preparing.problems);
    return *problem == NULL ? BONDY_OK : BONDY_EINVAL;
}

void bondy_file_fini(struct bondy_file *file)
{
    json_decref(file->realms);
    bondy_free(file->places);
    *file = (struct bondy_file){.mode = file->mode};
}
