/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/alloc.h"
#include "src/security/entity/grant.h"
#include "src/security/entity/group.h"
#include "src/security/entity/realm.h"
#include "src/security/entity/source.h"
#include "src/security/entity/stored.h"
#include "src/security/entity/user.h"

/* The master realm's first content (1.4). It is written once: what an administrator takes away
 * stays away. A setting remembers that, and whether the insecure part is there, which comes and
 * goes with security.insecure_defaults. */

#define REVISION 2
#define MASTER BONDY_SLICE(BONDY_MASTER_REALM)

typedef int (*apply_fn)(struct bondy_edit *edit, struct bondy_slice realm, const json_t *input);

static const struct bondy_store_key setting = {.type = BONDY_RECORD_SETTING,
                                               .subkey = {"security.builtin", 16}};

static int apply_texts(struct bondy_edit *edit, const char *const *inputs, apply_fn apply)
{
    int rc = BONDY_OK;

    for (; rc == BONDY_OK && *inputs != NULL; inputs++) {
        json_t *input = bondy_json_parse(bondy_slice_text(*inputs), 8, NULL);

        rc = apply(edit, MASTER, input);
        json_decref(input);
    }
    return rc;
}

static const char *const groups[] = {"{\"name\":\"bondy.administrators\"}", NULL};

static const char *const grants[] = {
    "{\"roles\":[\"bondy.administrators\"],\"uri\":\"\",\"match\":\"prefix\",\"permissions\":["
    "\"wamp.call\",\"wamp.cancel\",\"wamp.subscribe\",\"wamp.unsubscribe\","
    "\"bondy.user.set_password\",\"bondy.revoke\"]}",
    NULL};

#define SOURCE(names, method, cidr)                                                                \
    "{\"usernames\":" names ",\"authmethod\":\"" method "\",\"cidr\":\"" cidr "\"}"
#define LOOPBACK(names, method)                                                                    \
    SOURCE(names, method, "127.0.0.0/8"), SOURCE(names, method, "::1/128")

/* That for anonymous is what admin_api.allow_anonymous looks at. */
static const char *const sources[] = {LOOPBACK("\"all\"", "password"),
                                      LOOPBACK("\"all\"", "cryptosign"),
                                      LOOPBACK("\"all\"", "wampcra"),
                                      LOOPBACK("\"all\"", "wamp-scram"),
                                      LOOPBACK("\"all\"", "ticket"),
                                      LOOPBACK("[\"anonymous\"]", "anonymous"),
                                      NULL};

static const char *const insecure_grants[] = {
    "{\"roles\":[\"anonymous\"],\"uri\":\"\",\"match\":\"prefix\",\"permissions\":["
    "\"wamp.call\",\"wamp.cancel\",\"wamp.subscribe\",\"wamp.unsubscribe\"]}",
    NULL};

static const char *const insecure_sources[] = {
    SOURCE("\"all\"", "password", "0.0.0.0/0"), SOURCE("\"all\"", "cryptosign", "0.0.0.0/0"),
    SOURCE("\"all\"", "wampcra", "0.0.0.0/0"), LOOPBACK("[\"admin\"]", "trust"), NULL};

static int drop_source(struct bondy_edit *edit, struct bondy_slice realm, const json_t *input)
{
    return bondy_source_apply_delete(edit, realm, json_object_get(input, "usernames"),
                                     bondy_json_text(input, "cidr"),
                                     bondy_json_text(input, "authmethod"));
}

static int put_master(struct bondy_edit *edit)
{
    const struct bondy_store_key key = {.type = BONDY_RECORD_REALM, .subkey = MASTER};
    json_t *document;
    int rc;

    if (bondy_stored_has(bondy_edit_view(edit), &key))
        return BONDY_OK;
    document = json_pack("{s:s}", "description", "The Bondy Master realm");
    rc = bondy_stored_put(edit, &key, 0, document);
    json_decref(document);
    return rc;
}

static int put_first_content(struct bondy_edit *edit)
{
    int rc = apply_texts(edit, groups, bondy_group_apply_add);

    if (rc == BONDY_OK)
        rc = apply_texts(edit, grants, bondy_grant_apply_create);
    return rc < 0 ? rc : apply_texts(edit, sources, bondy_source_apply_add);
}

/* After the user `admin` is there. */
static int put_insecure(struct bondy_edit *edit, bool was_insecure)
{
    bool is_insecure = edit->rules->insecure_defaults;
    int rc;

    if (is_insecure == was_insecure)
        return BONDY_OK;
    rc = apply_texts(edit, insecure_grants,
                     is_insecure ? bondy_grant_apply_create : bondy_grant_apply_revoke);
    return rc < 0 ? rc
                  : apply_texts(edit, insecure_sources,
                                is_insecure ? bondy_source_apply_add : drop_source);
}

static int put_admin(struct bondy_edit *edit, const json_t *password, bool is_password_new)
{
    const struct bondy_realm *realm;
    struct bondy_user user;
    json_t *input;
    int rc = bondy_edit_realm(edit, MASTER, &realm);

    if (rc < 0 || password == NULL)
        return rc;
    if (bondy_user_find(bondy_edit_view(edit), realm, BONDY_SLICE("admin"), &user)) {
        bondy_user_fini(&user);
        return is_password_new ? bondy_user_apply_set_password(edit, MASTER, BONDY_SLICE("admin"),
                                                               password, NULL)
                               : BONDY_OK;
    }
    input = json_pack("{s:s, s:[s], s:O}", "username", "admin", "groups", "bondy.administrators",
                      "password", (json_t *)(uintptr_t)password);
    rc = bondy_user_apply_add(edit, MASTER, input);
    json_decref(input);
    return rc;
}

static int put_setting(struct bondy_edit *edit)
{
    json_t *body =
        json_pack("{s:i, s:b}", "revision", REVISION, "insecure", edit->rules->insecure_defaults);
    int rc = bondy_stored_put(edit, &setting, 0, body);

    json_decref(body);
    return rc;
}

int bondy_realm_apply_builtin(struct bondy_edit *edit, const json_t *admin_password,
                              bool is_password_new)
{
    json_t *done = bondy_stored_get(bondy_edit_view(edit), &setting, NULL);
    bool was_insecure = json_is_true(json_object_get(done, "insecure"));
    bool is_first = json_integer_value(json_object_get(done, "revision")) < REVISION;
    int rc;

    json_decref(done);
    edit->is_rebase = true;
    edit->is_builtin = true;
    rc = put_master(edit);
    if (rc == BONDY_OK && is_first)
        rc = put_first_content(edit);
    edit->is_builtin = false; /* the password is this node's own, and the rest comes and goes */
    if (rc == BONDY_OK)
        rc = put_admin(edit, admin_password, is_password_new);
    if (rc == BONDY_OK)
        rc = put_insecure(edit, was_insecure);
    if (rc == BONDY_OK)
        rc = put_setting(edit);
    edit->is_rebase = false;
    return rc;
}
