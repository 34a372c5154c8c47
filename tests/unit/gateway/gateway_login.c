/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/gateway/gateway_login.h"

#include <stdio.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/wamp/errors.h"
#include "tests/lib/test.h"
#include "tests/unit/gateway/gateway_rig.h"

struct bondy_auth {
    struct bondy_login_ops ops;
};

struct bondy_login {
    struct bondy_login_answer answer;
    struct bondy_slice groups[3];
    json_t *extra, *token;
    void (*done)(struct bondy_login *login, void *context);
    void *context;
};

struct gateway_logins gateway_logins;

static struct bondy_login *held;

static const struct bondy_login_answer *answer_of(const struct bondy_login *login)
{
    return &login->answer;
}

static void end(struct bondy_login *login)
{
    if (login == held)
        held = NULL;
    json_decref(login->extra);
    json_decref(login->token);
    bondy_free(login);
}

static struct bondy_auth auth = {{.answer = answer_of, .end = end}};

struct bondy_auth *gateway_login_auth(void)
{
    return &auth;
}

void gateway_login_reset(void)
{
    assert_null(held);
    memset(&gateway_logins, 0, sizeof gateway_logins);
}

const struct bondy_login_ops *bondy_auth_ops(const struct bondy_auth *of)
{
    return &of->ops;
}

uint64_t bondy_auth_revocations(const struct bondy_auth *of)
{
    (void)of;
    return 0;
}

static void write_down(const struct bondy_auth_check *check)
{
    size_t used = strlen(gateway_logins.asked);

    snprintf(gateway_logins.asked + used, sizeof gateway_logins.asked - used,
             "%s%s %s " BONDY_SLICE_FMT " " BONDY_SLICE_FMT "%s", used == 0 ? "" : "; ",
             check->realm->uri, check->method, BONDY_SLICE_ARG(check->authid),
             BONDY_SLICE_ARG(check->secret), check->peer->is_secure ? " secure" : "");
    gateway_logins.count++;
}

static const struct gateway_known *find(const struct bondy_auth_check *check)
{
    const struct gateway_known *row = gateway_logins.known;
    char text[1024];

    snprintf(text, sizeof text, "%s " BONDY_SLICE_FMT " " BONDY_SLICE_FMT, check->method,
             BONDY_SLICE_ARG(check->authid), BONDY_SLICE_ARG(check->secret));
    while (row != NULL && row->credential != NULL && strcmp(row->credential, text) != 0)
        row++;
    return row == NULL || row->credential == NULL ? NULL : row;
}

static void welcome(struct bondy_login *login, const struct gateway_known *row, const char *method)
{
    struct bondy_identity *identity = &login->answer.identity;

    login->answer.step = BONDY_LOGIN_WELCOME;
    login->token = row->token == NULL ? NULL : json_loads(quoted(row->token), 0, NULL);
    login->extra = json_pack("{s:{s:{s:s}}}", "authextra", "meta", "team", "blue");
    *identity = (struct bondy_identity){.authid = bondy_slice_text(row->authid),
                                        .authmethod = bondy_slice_text(method),
                                        .groups = login->groups,
                                        .extra = login->extra,
                                        .token = login->token};
    while (identity->group_count < 3 && row->groups[identity->group_count] != NULL) {
        login->groups[identity->group_count] = bondy_slice_text(row->groups[identity->group_count]);
        identity->group_count++;
    }
}

void bondy_auth_check(struct bondy_auth *of, const struct bondy_auth_check *check,
                      struct bondy_login **out)
{
    struct bondy_login *login = bondy_zalloc(sizeof *login);
    const struct gateway_known *row = find(check);
    bool is_bearer = strcmp(check->method, "bearer") == 0;

    (void)of;
    write_down(check);
    login->done = check->done;
    login->context = check->context;
    login->answer.step = BONDY_LOGIN_ABORT;
    login->answer.reason = BONDY_ERR_AUTHENTICATION_DENIED;
    if (row != NULL && row->authid != NULL) {
        welcome(login, row, is_bearer ? "oauth2" : check->method);
    } else if (row != NULL) {
        login->extra = json_pack("{s:i}", "retry_after", 7);
        login->answer.extra = login->extra;
    }
    *out = login;
    if (gateway_logins.holds) {
        assert_null(held);
        held = login;
        return;
    }
    login->done(login, login->context);
}

bool gateway_login_is_held(void)
{
    return held != NULL;
}

void gateway_login_answer(void)
{
    struct bondy_login *login = BONDY_MOVE(held);

    assert_non_null(login);
    login->done(login, login->context);
}
