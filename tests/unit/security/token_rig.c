/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/security/token_rig.h"

#include <string.h>

#include "src/base/clock.h"

static struct bondy_clock_source now;

void pass_seconds(unsigned seconds)
{
    now.wall_ms += seconds * UINT64_C(1000);
    now.mono_ns += seconds * UINT64_C(1000000000);
}

void pass_a_millisecond(void)
{
    now.wall_ms++;
    now.mono_ns += 1000000;
}

uint64_t now_ms(void)
{
    return now.wall_ms;
}

/* ---- realms ---------------------------------------------------------------------------------- */

#define LINKED(uri)                                                                                \
    "{'uri':'" uri "','sso_realm_uri':'" IDP "','authmethods':['oauth2'],"                         \
    "'groups':[{'name':'clerks'}],'sources':[{'usernames':'all','authmethod':'oauth2',"            \
    "'cidr':'127.0.0.0/8'}],'users':[{'username':'sam','sso_realm_uri':'" IDP                      \
    "','groups':['clerks']}]}"

int token_rig_setup(void **state)
{
    struct token_rig *rig = bondy_zalloc(sizeof *rig);
    void *login;

    login_rig_setup(&login);
    rig->login = login;
    rig->f = rig->login->f;
    bondy_token_rules_init(&rig->rules);
    rig->rules.node_name = "node1";
    fixture_keys(rig->f, ACME);
    login_rig_do(login, CREATE_REALM, NULL, NULL,
                 "{'uri':'" IDP "','is_sso_realm':true,'authmethods':['password','oauth2'],"
                 "'users':[{'username':'sam','password':'" PASSWORD "'}]}");
    fixture_keys(rig->f, IDP);
    login_rig_do(login, CREATE_REALM, NULL, NULL, LINKED(SHOP));
    login_rig_do(login, CREATE_REALM, NULL, NULL, LINKED(STORE));
    /* Ahead of what was written: versions may be. */
    now = (struct bondy_clock_source){.mono_ns = bondy_clock_mono_ns(),
                                      .wall_ms = bondy_clock_wall_ms() + 1000};
    bondy_clock_replace(&now);
    *state = rig;
    return 0;
}

int token_rig_teardown(void **state)
{
    struct token_rig *rig = *state;
    void *login = rig->login;

    bondy_clock_replace(NULL);
    bondy_free(rig);
    return login_rig_teardown(&login);
}

/* ---- tokens ---------------------------------------------------------------------------------- */

void token_user(struct token_rig *rig, const char *realm, const char *name, struct bondy_user *out)
{
    assert_true(bondy_user_resolve(fixture_view(rig->f), fixture_realm(rig->f, realm),
                                   bondy_slice_text(name), out));
}

void token_access(struct token_rig *rig, const char *realm, const char *user, const char *sid,
                  struct bondy_access_token *out)
{
    struct bondy_user found;
    struct bondy_access_issue issue = {.rules = &rig->rules,
                                       .realm = fixture_realm(rig->f, realm),
                                       .user = &found,
                                       .client_id = BONDY_SLICE("till"),
                                       .sid = bondy_slice_text(sid),
                                       .lifetime_s = rig->rules.password_s};

    token_user(rig, realm, user, &found);
    issue.authrealm = fixture_realm(rig->f, found.authrealm);
    assert_int_equal(bondy_access_make(&issue, out, NULL), BONDY_OK);
    bondy_user_fini(&found);
}

const char *token_reason(struct token_rig *rig, const char *realm, const char *jws)
{
    const struct bondy_access_question question = {.realms = rig->f->realms,
                                                   .realm = fixture_realm(rig->f, realm),
                                                   .jws = bondy_slice_text(jws),
                                                   .leeway_s = 30};
    struct bondy_access_checked checked;

    bondy_access_check(fixture_view(rig->f), &question, &checked);
    json_decref(checked.claims);
    return checked.reason == NULL ? "" : checked.reason;
}

static int apply_issue(struct bondy_edit *edit, void *context)
{
    return bondy_refresh_apply_issue(edit, context);
}

char *token_issue(struct token_rig *rig, const struct token_wish *wish, char *id)
{
    struct bondy_refresh_issue issue = {.rules = &rig->rules,
                                        .realm = bondy_slice_text(wish->realm),
                                        .client_id = bondy_slice_text(wish->client),
                                        .device_id = bondy_slice_text(wish->device),
                                        .access_end_ms =
                                            now.wall_ms + rig->rules.password_s * UINT64_C(1000)};
    struct bondy_user user;

    token_user(rig, wish->realm, wish->user, &user);
    bondy_refresh_prepare(&issue, &user);
    assert_int_equal(fixture_job(rig->f, apply_issue, &issue), BONDY_OK);
    bondy_user_fini(&user);
    if (id != NULL)
        memcpy(id, issue.id, sizeof issue.id);
    return bondy_strdup(issue.text);
}
