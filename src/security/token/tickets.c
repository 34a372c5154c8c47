/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/token/tickets.h"

#include <string.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/problem.h"
#include "src/wamp/codec.h"
#include "src/wamp/errors.h"

#define SCHEMA 1
#define REVOCATION 't' /* kind of element: tickets were revoked by time */
#define KEY_MAX (BONDY_NAME_MAX + 1 + 4 + 1 + BONDY_TICKET_SLOT_TEXT)

/* ---- keys ------------------------------------------------------------------------------------ */

/* `username NUL gen NUL` and what follows it. */
static size_t below_user(struct bondy_slice username, uint32_t ugen, struct bondy_slice rest,
                         char out[KEY_MAX])
{
    size_t len = username.len;

    memcpy(out, username.data, len);
    out[len++] = '\0';
    for (int shift = 24; shift >= 0; shift -= 8)
        out[len++] = (char)(ugen >> shift);
    out[len++] = '\0';
    if (rest.len > 0)
        memcpy(out + len, rest.data, rest.len);
    return len + rest.len;
}

/* ---- since when ------------------------------------------------------------------------------ */

struct newest {
    size_t head; /* of the subkey, before the kind of element */
    const char *kinds;
    const char *scope; /* of tickets; NULL: revocations of one scope do not count */
    uint64_t wall_ms;
};

/* Of a revocation what stands behind its kind: nothing, or the scope that it was of. */
static bool is_meant(const struct newest *newest, struct bondy_slice element)
{
    struct bondy_slice scope = bondy_slice_skip(element, 2);

    if (element.len == 0 || strchr(newest->kinds, element.data[0]) == NULL)
        return false;
    return element.data[0] != REVOCATION || scope.len == 0 ||
           (newest->scope != NULL && bondy_slice_is(scope, newest->scope));
}

static int look_at_element(void *context, const struct bondy_record *record)
{
    struct newest *newest = context;
    uint64_t wall_ms = bondy_version_wall_ms(record->version);

    if (is_meant(newest, bondy_slice_skip(record->key.subkey, newest->head)) &&
        wall_ms > newest->wall_ms)
        newest->wall_ms = wall_ms;
    return 0;
}

/* Whose slot: of nobody's record the generation is 0. */
struct owner {
    struct bondy_slice username;
    uint32_t ugen;
};

static uint64_t newest_of(const struct bondy_store_view *view, const struct bondy_realm *realm,
                          struct owner owner, struct newest newest)
{
    char key[KEY_MAX];
    struct bondy_store_range range = {.type = BONDY_RECORD_USER_ELEMENT,
                                      .scope = bondy_slice_text(realm->uri),
                                      .gen = realm->gen,
                                      .with_tombstones = true};

    newest.head = below_user(owner.username, owner.ugen, BONDY_SLICE_EMPTY, key);
    range.prefix = bondy_slice_of(key, newest.head);
    bondy_store_view_scan(view, &range, look_at_element, &newest);
    return newest.wall_ms;
}

/* The switch of this realm's record, and everything of the record that authenticates. Revocations
 * of one `scope` count too (NULL: do not). */
static uint64_t valid_since(const struct bondy_store_view *view, const struct bondy_realm *realm,
                            const struct bondy_user *user, const char *scope)
{
    const struct newest here = {.kinds = "et", .scope = scope};
    const struct newest there = {.kinds = "pket", .scope = scope};
    struct owner owner = {bondy_slice_text(user->username), user->ugen};
    struct bondy_realm *authrealm;
    uint64_t since, other;

    if (strcmp(user->authrealm, realm->uri) == 0)
        return newest_of(view, realm, owner, there);
    since = newest_of(view, realm, owner, here);
    owner.ugen = user->auth_ugen;
    authrealm = bondy_realm_read_plain(NULL, view, bondy_slice_text(user->authrealm));
    if (authrealm == NULL)
        return since;
    other = newest_of(view, authrealm, owner, there);
    bondy_realm_unref(authrealm);
    return other > since ? other : since;
}

uint64_t bondy_tickets_valid_since(const struct bondy_store_view *view,
                                   const struct bondy_realm *realm, const struct bondy_user *user)
{
    return valid_since(view, realm, user, NULL);
}

static const char *scope_name(const json_t *claims)
{
    return bondy_ticket_scope_name(bondy_ticket_scope_of(claims));
}

/* ---- checking -------------------------------------------------------------------------------- */

static const char *reason_word(enum bondy_token_reason reason)
{
    switch (reason) {
    case BONDY_TOKEN_OK:
        return NULL;
    case BONDY_TOKEN_EXPIRED:
        return "expired";
    case BONDY_TOKEN_NOT_YET:
        return "not_yet_valid";
    case BONDY_TOKEN_WRONG_REALM:
    case BONDY_TOKEN_WRONG_ISSUER:
    case BONDY_TOKEN_WRONG_AUDIENCE:
        return "wrong_realm";
    case BONDY_TOKEN_WRONG_SUBJECT:
        return "wrong_authid";
    case BONDY_TOKEN_WRONG_CLIENT:
        return "wrong_client";
    case BONDY_TOKEN_WRONG_DEVICE:
        return "wrong_device";
    case BONDY_TOKEN_MALFORMED:
    case BONDY_TOKEN_WRONG_TYPE:
        break;
    }
    return "malformed";
}

static uint64_t issued_ms(const json_t *claims)
{
    json_t *exact = json_object_get(claims, "iat_ms");

    /* Whole seconds: to the end of that second. */
    return json_is_integer(exact)
               ? (uint64_t)json_integer_value(exact)
               : (uint64_t)json_integer_value(json_object_get(claims, "issued_at")) * 1000 + 999;
}

/* What is kept in the ticket's slot: this one, another one, or nothing. */
static const char *check_stored(const struct bondy_store_view *view,
                                const struct bondy_realm *authrealm, struct owner owner,
                                const struct bondy_ticket_question *question, const json_t *claims)
{
    char slot[BONDY_TICKET_SLOT_TEXT], subkey[KEY_MAX];
    struct bondy_store_key key = {.type = BONDY_RECORD_TICKET,
                                  .scope = bondy_slice_text(authrealm->uri),
                                  .gen = authrealm->gen};
    struct bondy_record record;
    const char *reason = NULL;
    json_t *stored;

    bondy_ticket_slot(claims, slot);
    key.subkey = bondy_slice_of(
        subkey, below_user(owner.username, owner.ugen, bondy_slice_text(slot), subkey));
    if (!bondy_store_view_get(view, &key, &record))
        return question->takes_unknown ? NULL : "unknown_ticket";
    stored = bondy_value_tree(BONDY_CBOR, record.body);
    if (!json_equal(json_object_get(json_object_get(stored, "claims"), "id"),
                    json_object_get(claims, "id")))
        reason = "replaced";
    else if (json_is_true(json_object_get(stored, "revoked")))
        reason = "revoked";
    json_decref(stored);
    return reason;
}

static const char *check_user(const struct bondy_store_view *view,
                              const struct bondy_realm *authrealm, const struct bondy_user *user,
                              const struct bondy_ticket_question *question, const json_t *claims)
{
    const json_t *ugen = json_object_get(claims, "ugen");

    if (strcmp(user->authrealm, authrealm->uri) != 0)
        return "wrong_realm";
    if (!user->is_enabled)
        return "disabled_user";
    if (json_is_integer(ugen) && (uint32_t)json_integer_value(ugen) != user->auth_ugen)
        return "revoked";
    if (issued_ms(claims) < valid_since(view, question->realm, user, scope_name(claims)))
        return "revoked";
    return check_stored(view, authrealm,
                        (struct owner){bondy_slice_text(user->username), user->auth_ugen}, question,
                        claims);
}

/* Who is deleted stays out: a ticket that was made for a record needs one. */
static const char *check_nobody(const struct bondy_store_view *view,
                                const struct bondy_realm *authrealm,
                                const struct bondy_ticket_question *question, const json_t *claims)
{
    struct bondy_slice authid = bondy_json_text(claims, "authid");

    if (!question->may_lack_user || strcmp(authrealm->uri, question->realm->uri) != 0 ||
        json_object_get(claims, "ugen") != NULL || authid.len > BONDY_NAME_MAX)
        return "unknown_user";
    return check_stored(view, authrealm, (struct owner){authid, 0}, question, claims);
}

static struct bondy_slice given_or_own(const struct bondy_ticket_question *question,
                                       const json_t *claims, const char *key,
                                       struct bondy_slice given)
{
    if (given.len > 0 || !question->takes_any_client)
        return given;
    return bondy_json_text(json_object_get(claims, "scope"), key);
}

static const char *check_verified(const struct bondy_store_view *view,
                                  const struct bondy_realm *authrealm,
                                  const struct bondy_ticket_question *question,
                                  const struct bondy_token *token)
{
    const struct bondy_token_expect expect = {
        .realm = bondy_slice_text(question->realm->uri),
        .authrealm = bondy_slice_text(authrealm->uri),
        .authid = question->user == NULL ? bondy_json_text(token->claims, "authid")
                                         : bondy_slice_text(question->user->username),
        .client_id = given_or_own(question, token->claims, "client_id", question->client_id),
        .device_id = given_or_own(question, token->claims, "device_id", question->device_id),
        .now = (int64_t)(bondy_clock_wall_ms() / 1000),
        .leeway = question->leeway_s};
    const char *reason = reason_word(bondy_ticket_check(token, &expect).reason);
    struct bondy_user user;

    if (reason != NULL)
        return reason;
    if (question->user != NULL)
        return check_user(view, authrealm, question->user, question, token->claims);
    if (!bondy_user_resolve(view, question->realm, expect.authid, &user))
        return check_nobody(view, authrealm, question, token->claims);
    reason = check_user(view, authrealm, &user, question, token->claims);
    bondy_user_fini(&user);
    return reason;
}

void bondy_tickets_check(const struct bondy_store_view *view,
                         const struct bondy_ticket_question *question,
                         struct bondy_ticket_checked *out)
{
    const struct bondy_realm *authrealm;
    const struct bondy_key *key;
    struct bondy_token peeked, token;

    *out = (struct bondy_ticket_checked){.reason = "malformed"};
    if (bondy_token_peek(question->jws, &peeked, NULL) < 0)
        return;
    authrealm = bondy_realms_find(question->realms, bondy_ticket_authrealm(peeked.claims));
    key = authrealm == NULL ? NULL
                            : bondy_realm_find_key(authrealm, peeked.kid, bondy_clock_wall_ms());
    bondy_token_fini(&peeked);
    if (key == NULL) {
        out->reason = "unknown_key";
        return;
    }
    if (bondy_token_verify(question->jws, key, &token, NULL) < 0) {
        out->reason = "bad_signature";
        return;
    }
    out->reason = check_verified(view, authrealm, question, &token);
    out->claims = json_incref(token.claims);
    bondy_token_fini(&token);
}

/* ---- issuing --------------------------------------------------------------------------------- */

int bondy_tickets_make(const struct bondy_realm *authrealm, const struct bondy_user *user,
                       struct bondy_ticket_issue *issue, json_t **claims, char **jws,
                       struct bondy_error *err)
{
    const struct bondy_key *key = bondy_realm_signing_key(authrealm);
    uint64_t now_ms = bondy_clock_wall_ms();
    int rc;

    if (key == NULL)
        return bondy_fail(err, BONDY_ENOENT, "realm %s has no signing key yet", authrealm->uri);
    issue->kid = key->kid;
    issue->now = (int64_t)(now_ms / 1000);
    *claims = bondy_ticket_claims(issue);
    json_object_set_new(*claims, "iat_ms", json_integer((json_int_t)now_ms));
    json_object_set_new(*claims, "ugen", json_integer(user->auth_ugen));
    rc = bondy_token_sign(*claims, BONDY_TICKET_TYP, key, jws, err);
    if (rc < 0)
        json_decref(BONDY_MOVE(*claims));
    return rc;
}

static int put_ticket(struct bondy_edit *edit, const struct bondy_store_key *key,
                      const json_t *claims, bool is_revoked)
{
    json_t *body = json_pack("{s:O, s:b}", "claims", claims, "revoked", is_revoked);
    struct bondy_buf bytes = BONDY_BUF_EMPTY;
    struct bondy_store_value value = {.schema = SCHEMA};
    struct bondy_error err;
    int rc;

    bondy_value_format(BONDY_CBOR, body, &bytes);
    value.body = bondy_buf_slice(&bytes);
    value.expires_ms = (uint64_t)json_integer_value(json_object_get(claims, "expires_at")) * 1000;
    rc = bondy_store_put(edit->write, key, &value, NULL, &err);
    bondy_buf_fini(&bytes);
    json_decref(body);
    if (rc < 0)
        return bondy_edit_refuse_store(edit, rc, &err);
    edit->writes++;
    return rc;
}

int bondy_tickets_apply_store(struct bondy_edit *edit, const json_t *claims)
{
    struct bondy_slice authid = bondy_json_text(claims, "authid");
    uint32_t ugen = (uint32_t)json_integer_value(json_object_get(claims, "ugen"));
    struct bondy_store_key key = {.type = BONDY_RECORD_TICKET};
    char slot[BONDY_TICKET_SLOT_TEXT], subkey[KEY_MAX];
    const struct bondy_realm *authrealm;
    int rc = bondy_edit_realm(edit, bondy_ticket_authrealm(claims), &authrealm);

    if (rc < 0)
        return rc;
    bondy_ticket_slot(claims, slot);
    key.scope = bondy_slice_text(authrealm->uri);
    key.gen = authrealm->gen;
    key.subkey = bondy_slice_of(subkey, below_user(authid, ugen, bondy_slice_text(slot), subkey));
    return put_ticket(edit, &key, claims, false);
}

/* ---- all of one user ------------------------------------------------------------------------- */

struct kept {
    char subkey[KEY_MAX];
    size_t len;
};

struct collecting {
    const struct bondy_tickets_filter *which;
    json_t *claims;
    struct kept *keys; /* for each of them */
    bool with_revoked;
};

/* A member of the scope that is for all is "all". */
static bool is_member(const json_t *claims, const char *key, struct bondy_slice wanted)
{
    struct bondy_slice value = bondy_json_text(json_object_get(claims, "scope"), key);

    return wanted.len == 0 || bondy_slice_eq(value.len == 0 ? BONDY_SLICE("all") : value, wanted);
}

static bool is_of_filter(const struct bondy_tickets_filter *which, const json_t *claims)
{
    if (which->id.len > 0 && !bondy_slice_eq(bondy_json_text(claims, "id"), which->id))
        return false;
    if (which->has_scope && bondy_ticket_scope_of(claims) != which->scope)
        return false;
    return is_member(claims, "realm", which->realm) &&
           is_member(claims, "client_id", which->client_id) &&
           is_member(claims, "device_id", which->device_id);
}

static int collect(void *context, const struct bondy_record *record)
{
    struct collecting *collecting = context;
    json_t *body = bondy_value_tree(BONDY_CBOR, record->body);
    json_t *claims = json_object_get(body, "claims");
    size_t at = json_array_size(collecting->claims);

    if (is_of_filter(collecting->which, claims) &&
        (collecting->with_revoked || !json_is_true(json_object_get(body, "revoked"))) &&
        record->key.subkey.len <= KEY_MAX) {
        json_array_append(collecting->claims, claims);
        collecting->keys = bondy_realloc(collecting->keys, (at + 1) * sizeof collecting->keys[0]);
        memcpy(collecting->keys[at].subkey, record->key.subkey.data, record->key.subkey.len);
        collecting->keys[at].len = record->key.subkey.len;
    }
    json_decref(body);
    return 0;
}

static void collect_all(const struct bondy_store_view *view, const struct bondy_realm *authrealm,
                        const struct bondy_user *user, struct collecting *collecting)
{
    char prefix[KEY_MAX];
    const struct bondy_store_range range = {
        .type = BONDY_RECORD_TICKET,
        .scope = bondy_slice_text(authrealm->uri),
        .gen = authrealm->gen,
        .prefix = bondy_slice_of(prefix, below_user(bondy_slice_text(user->username),
                                                    user->auth_ugen, BONDY_SLICE_EMPTY, prefix))};

    collecting->claims = json_array();
    bondy_store_view_scan(view, &range, collect, collecting);
}

json_t *bondy_tickets_list(const struct bondy_store_view *view, const struct bondy_realm *realm,
                           const struct bondy_user *user)
{
    struct bondy_realm *authrealm =
        bondy_realm_read_plain(NULL, view, bondy_slice_text(user->authrealm));
    const struct bondy_tickets_filter all = {.has_scope = false};
    struct collecting collecting = {.which = &all};
    json_t *list = json_array(), *claims;
    size_t index;

    if (authrealm == NULL)
        return list;
    collect_all(view, authrealm, user, &collecting);
    json_array_foreach(collecting.claims, index, claims)
    {
        if (issued_ms(claims) >= valid_since(view, realm, user, scope_name(claims)))
            json_array_append(list, claims);
    }
    json_decref(collecting.claims);
    bondy_free(collecting.keys);
    bondy_realm_unref(authrealm);
    return list;
}

static int revoke_collected(struct bondy_edit *edit, const struct bondy_realm *authrealm,
                            const struct collecting *collecting)
{
    int rc = BONDY_OK;
    size_t index;
    json_t *claims;

    json_array_foreach(collecting->claims, index, claims)
    {
        const struct bondy_store_key key = {
            .type = BONDY_RECORD_TICKET,
            .scope = bondy_slice_text(authrealm->uri),
            .gen = authrealm->gen,
            .subkey = bondy_slice_of(collecting->keys[index].subkey, collecting->keys[index].len)};

        if ((rc = put_ticket(edit, &key, claims, true)) < 0)
            break;
    }
    return rc;
}

/* Ends those too of which nothing is stored: the element's version is the time. One of a client or
 * device has no such mark. */
static int mark_time(struct bondy_edit *edit, const struct bondy_realm *authrealm,
                     const struct bondy_user *user, const struct bondy_tickets_filter *which)
{
    char element[32] = {REVOCATION};
    const char *scope = which->has_scope ? bondy_ticket_scope_name(which->scope) : "";
    size_t scope_len = strlen(scope);
    char subkey[KEY_MAX];
    struct bondy_buf body = BONDY_BUF_EMPTY;
    struct bondy_store_value value = {.schema = SCHEMA};
    struct bondy_store_key key = {.type = BONDY_RECORD_USER_ELEMENT,
                                  .scope = bondy_slice_text(authrealm->uri),
                                  .gen = authrealm->gen};
    json_t *tree = json_true();
    struct bondy_error err;
    int rc;

    if (which->realm.len > 0 || which->client_id.len > 0 || which->device_id.len > 0)
        return BONDY_OK;
    memcpy(element + 2, scope, scope_len);
    key.subkey =
        bondy_slice_of(subkey, below_user(bondy_slice_text(user->username), user->auth_ugen,
                                          bondy_slice_of(element, 2 + scope_len), subkey));
    bondy_value_format(BONDY_CBOR, tree, &body);
    value.body = bondy_buf_slice(&body);
    rc = bondy_store_put(edit->write, &key, &value, NULL, &err);
    bondy_buf_fini(&body);
    if (rc < 0)
        return bondy_edit_refuse_store(edit, rc, &err);
    edit->writes++;
    return rc;
}

int bondy_tickets_apply_revoke(struct bondy_edit *edit, struct bondy_slice realm_uri,
                               struct bondy_slice name, const struct bondy_tickets_filter *which)
{
    const struct bondy_store_view *view = bondy_edit_view(edit);
    struct collecting collecting = {.which = which, .with_revoked = false};
    const struct bondy_realm *realm, *authrealm;
    struct bondy_user user;
    size_t count;
    int rc = bondy_edit_realm(edit, realm_uri, &realm);

    if (rc < 0)
        return rc;
    if (!bondy_user_resolve(view, realm, name, &user))
        return bondy_edit_refuse(edit, BONDY_ENOENT,
                                 bondy_problem_format(BONDY_ERR_NO_SUCH_PRINCIPAL,
                                                      "There is no user '" BONDY_SLICE_FMT "'.",
                                                      BONDY_SLICE_ARG(name)));
    rc = bondy_edit_realm(edit, bondy_slice_text(user.authrealm), &authrealm);
    if (rc == BONDY_OK) {
        collect_all(view, authrealm, &user, &collecting);
        count = json_array_size(collecting.claims);
        if (which->id.len > 0 && count == 0)
            rc = bondy_edit_refuse(
                edit, BONDY_ENOENT,
                bondy_problem(BONDY_ERR_NOT_FOUND, "The user has no ticket with this id.", ""));
        else
            rc = revoke_collected(edit, authrealm, &collecting);
        if (rc == BONDY_OK && which->id.len == 0)
            rc = mark_time(edit, authrealm, &user, which);
        if (rc == BONDY_OK)
            edit->result = json_integer((json_int_t)count);
        json_decref(collecting.claims);
        bondy_free(collecting.keys);
    }
    bondy_user_fini(&user);
    return rc;
}
