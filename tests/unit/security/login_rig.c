/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/security/login_rig.h"

#include <stdio.h>
#include <string.h>

#include "src/security/credential/kdf.h"
#include "src/security/credential/token.h"

#define SESSION 3545138187643908

/* ---- the realm ------------------------------------------------------------------------------- */

static const char *const methods[] = {"trust",      "password",   "ticket", "wampcra",
                                      "wamp-scram", "cryptosign", "oauth2"};

static const char realm[] =
    "{'uri':'org.acme','authmethods':['anonymous','trust','password','ticket','wampcra',"
    "'wamp-scram','cryptosign','oauth2'],"
    "'groups':[{'name':'staff','meta':{'floor':2,'desks':['a']}},"
    "{'name':'cashiers','groups':['staff'],'meta':{'floor':3,'desks':['b','a']}}],"
    "'users':[{'username':'mona','password':'kettle-46-rope','groups':['cashiers','staff'],"
    "'authorized_keys':['03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8'],"
    "'aliases':['mo-1'],'meta':{'till':4}},"
    "{'username':'argo','password':'kettle-46-rope','password_opts':{'protocol':'scram','params':"
    "{'kdf':'argon2id13','iterations':1,'memory':8192}}},"
    "{'username':'keyed','authorized_keys':"
    "['29acbae141bccaf0b22e1a94d34d0bc7361e526d0bfe12c89794bc9322966dd7']},"
    "{'username':'plain'},"
    "{'username':'off','password':'kettle-46-rope','enabled':false},"
    "{'username':'far','password':'kettle-46-rope'}]}";

static char *quoted(const char *text)
{
    char *copy = bondy_strdup(text);

    for (char *at = copy; *at != '\0'; at++)
        if (*at == '\'')
            *at = '"';
    return copy;
}

void login_rig_do(struct login_rig *rig, enum fixture_what what, const char *uri, const char *name,
                  const char *input)
{
    char *text = input == NULL ? NULL : quoted(input);
    const char *code = fixture_do(rig->f, what, uri, name, text);

    if (code[0] != '\0')
        fail_msg("%s: %s: %s", text == NULL ? "" : text, code,
                 json_dumps(rig->f->problem, JSON_COMPACT));
    bondy_free(text);
}

static void add_sources(struct login_rig *rig, const char *names, const char *method,
                        const char *cidr)
{
    char text[300];

    snprintf(text, sizeof text, "{'usernames':%s,'authmethod':'%s','cidr':'%s'}", names, method,
             cidr);
    login_rig_do(rig, ADD_SOURCE, ACME, NULL, text);
}

static void make_realm(struct login_rig *rig)
{
    static const char names[] = "['mona','argo','keyed','plain','off']";
    static const char *const cidrs[] = {"127.0.0.0/8", "::1/128", "192.0.2.0/24"};

    login_rig_do(rig, CREATE_REALM, NULL, NULL, realm);
    for (size_t i = 0; i < BONDY_COUNT(methods); i++) {
        for (size_t k = 0; k < BONDY_COUNT(cidrs); k++)
            add_sources(rig, names, methods[i], cidrs[k]);
        add_sources(rig, "['far']", methods[i], "10.0.0.0/8");
    }
    add_sources(rig, "['anonymous']", "anonymous", "127.0.0.0/8");
}

/* ---- set up ---------------------------------------------------------------------------------- */

static void on_principal(void *context, const char *uri, const char *username,
                         enum bondy_principal_change change, uint64_t spared)
{
    struct login_rig *rig = context;

    rig->told_count++;
    rig->told = change;
    rig->spared = spared;
    snprintf(rig->told_of, sizeof rig->told_of, "%s %s", uri, username);
}

void login_rig_restart(struct login_rig *rig)
{
    rig->f->auth = NULL;
    bondy_auth_destroy(rig->auth);
    rig->f->auth = rig->auth = bondy_auth_create(&rig->options);
}

int login_rig_setup(void **state)
{
    struct login_rig *rig = bondy_zalloc(sizeof *rig);
    struct bondy_principals_options principals = {.on_change = on_principal, .context = rig};
    void *fixture;

    fixture_setup(&fixture);
    rig->f = fixture;
    principals.store = rig->f->store;
    principals.realms = rig->f->realms;
    rig->f->principals = bondy_principals_create(&principals);
    rig->options = (struct bondy_auth_options){.store = rig->f->store,
                                               .realms = rig->f->realms,
                                               .rules = &rig->f->rules,
                                               .principals = rig->f->principals,
                                               .node_name = "node1",
                                               .leeway_s = 60};
    rig->f->auth = rig->auth = bondy_auth_create(&rig->options);
    make_realm(rig);
    *state = rig;
    return 0;
}

int login_rig_teardown(void **state)
{
    struct login_rig *rig = *state;
    void *fixture = rig->f;

    rig->f->auth = NULL;
    bondy_auth_destroy(rig->auth);
    bondy_principals_destroy(BONDY_MOVE(rig->f->principals));
    fixture_teardown(&fixture);
    bondy_free(rig);
    return 0;
}

/* ---- steps ----------------------------------------------------------------------------------- */

static void on_done(struct bondy_login *login, void *context)
{
    struct attempt *attempt = context;
    const struct bondy_login_answer *said = bondy_auth_ops(attempt->rig->auth)->answer(login);

    attempt->steps++;
    attempt->answer = said;
    switch (said->step) {
    case BONDY_LOGIN_CHALLENGE:
        snprintf(attempt->outcome, sizeof attempt->outcome, "CHALLENGE %s", said->method);
        break;
    case BONDY_LOGIN_WELCOME:
        snprintf(attempt->outcome, sizeof attempt->outcome,
                 "WELCOME " BONDY_SLICE_FMT " " BONDY_SLICE_FMT " " BONDY_SLICE_FMT,
                 BONDY_SLICE_ARG(said->identity.authid), BONDY_SLICE_ARG(said->identity.authrole),
                 BONDY_SLICE_ARG(said->identity.authmethod));
        break;
    case BONDY_LOGIN_ABORT:
        snprintf(attempt->outcome, sizeof attempt->outcome, "ABORT %s", said->reason);
        break;
    case BONDY_LOGIN_ASK:
        snprintf(attempt->outcome, sizeof attempt->outcome, "ASK %s", said->procedure);
        break;
    }
}

const char *hello_as(struct login_rig *rig, struct attempt *attempt, const char *uri,
                     const struct bondy_login_peer *peer, const char *text)
{
    const struct bondy_login_ops *ops = bondy_auth_ops(rig->auth);
    char *json = quoted(text);
    struct bondy_login_request request = {.realm = fixture_realm(rig->f, uri),
                                          .session_id = SESSION,
                                          .peer = peer,
                                          .done = on_done,
                                          .context = attempt};
    struct bondy_error err;

    memset(attempt, 0, sizeof *attempt);
    attempt->rig = rig;
    attempt->details = bondy_json_parse(bondy_slice_text(json), 32, &err);
    if (attempt->details == NULL)
        fail_msg("%s: %s", json, err.text);
    bondy_free(json);
    request.details = attempt->details;
    ops->begin(ops->context, &request, &attempt->login);
    bondy_publish_quiesce();
    return attempt->outcome;
}

const char *hello(struct login_rig *rig, struct attempt *attempt, const char *uri, const char *from,
                  const char *text)
{
    struct bondy_login_peer peer = {.is_secure = from == NULL};

    bondy_address_read(bondy_slice_text(from == NULL ? "127.0.0.1:4711" : from), &peer.address);
    return hello_as(rig, attempt, uri, &peer, text);
}

const char *answer(struct attempt *attempt, const char *signature, json_t *extra)
{
    unsigned before = attempt->steps;

    assert_int_equal(attempt->answer->step, BONDY_LOGIN_CHALLENGE);
    attempt->outcome[0] = '\0';
    bondy_auth_ops(attempt->rig->auth)
        ->authenticate(attempt->login, bondy_slice_text(signature), extra);
    json_decref(extra);
    assert_int_equal(attempt->steps, before + 1);
    return attempt->outcome;
}

void finish(struct attempt *attempt)
{
    if (attempt->rig != NULL)
        bondy_auth_ops(attempt->rig->auth)->end(attempt->login);
    json_decref(attempt->details);
    memset(attempt, 0, sizeof *attempt);
    bondy_publish_quiesce();
}

/* ---- clients --------------------------------------------------------------------------------- */

static const char *answer_cra(struct attempt *attempt, const char *password)
{
    const json_t *extra = attempt->answer->extra;
    struct bondy_slice salt = bondy_json_text(extra, "salt");
    struct bondy_kdf_cost cost = {
        BONDY_KDF_PBKDF2, (uint32_t)json_integer_value(json_object_get(extra, "iterations")), 0};
    char key[BONDY_KDF_TEXT], signature[BONDY_KDF_TEXT];
    uint8_t octets[BONDY_KDF_LEN];

    snprintf(key, sizeof key, "%s", password);
    if (salt.len > 0) {
        assert_int_equal(bondy_kdf_wait(&cost, bondy_slice_text(password), salt, octets, NULL),
                         BONDY_OK);
        bondy_secret_base64(bondy_slice_of(octets, sizeof octets), key, sizeof key);
    }
    bondy_cra_sign(bondy_slice_text(key), bondy_json_text(extra, "challenge"), signature);
    return answer(attempt, signature, json_object());
}

static void read_scram_challenge(const json_t *extra, struct bondy_scram *client)
{
    snprintf(client->nonce, sizeof client->nonce, BONDY_SLICE_FMT,
             BONDY_SLICE_ARG(bondy_json_text(extra, "nonce")));
    assert_true(bondy_secret_unbase64(bondy_json_text(extra, "salt"), client->verifier.salt,
                                      sizeof client->verifier.salt));
    client->verifier.cost.iterations =
        (uint32_t)json_integer_value(json_object_get(extra, "iterations"));
    if (bondy_slice_is(bondy_json_text(extra, "kdf"), "argon2id13"))
        client->verifier.cost.kind = BONDY_KDF_ARGON2ID13;
    client->verifier.cost.memory_kib =
        (uint32_t)json_integer_value(json_object_get(extra, "memory"));
}

static const char *answer_scram(struct attempt *attempt, const char *password)
{
    const json_t *authextra = json_object_get(attempt->details, "authextra");
    json_t *extra = json_object();
    struct bondy_scram client;
    char proof[BONDY_KDF_TEXT];
    const char *outcome;

    assert_int_equal(
        bondy_scram_start(&client, bondy_json_text(attempt->details, "authid"), authextra),
        BONDY_SCRAM_OK);
    bondy_scram_bind(&client, BONDY_SLICE_EMPTY);
    read_scram_challenge(attempt->answer->extra, &client);
    assert_int_equal(bondy_scram_proof_wait(&client, bondy_slice_text(password), proof, NULL),
                     BONDY_OK);
    json_object_set_new(extra, "nonce", json_string(client.nonce));
    bondy_scram_fini(&client);
    outcome = answer(attempt, proof, extra);
    return outcome;
}

const char *answer_password(struct attempt *attempt, const char *password)
{
    if (strcmp(attempt->answer->method, "wampcra") == 0)
        return answer_cra(attempt, password);
    if (strcmp(attempt->answer->method, "wamp-scram") == 0)
        return answer_scram(attempt, password);
    return answer(attempt, password, json_object());
}

const char *answer_key(struct attempt *attempt, uint8_t first)
{
    uint8_t seed[BONDY_CRYPTOSIGN_LEN], challenge[BONDY_CRYPTOSIGN_LEN],
        channel[BONDY_CRYPTOSIGN_LEN] = {0};
    char signature[193];

    for (size_t i = 0; i < sizeof seed; i++)
        seed[i] = (uint8_t)(first + i);
    assert_true(bondy_hex_parse(bondy_json_text(attempt->answer->extra, "challenge"), challenge,
                                sizeof challenge));
    bondy_cryptosign_sign(seed, challenge, channel, signature);
    return answer(attempt, signature, json_object());
}

const char *log_in(struct login_rig *rig, const char *uri, const char *text, const char *password)
{
    static char outcome[200];
    struct attempt attempt;

    hello(rig, &attempt, uri, NULL, text);
    if (attempt.answer->step == BONDY_LOGIN_CHALLENGE)
        answer_password(&attempt, password);
    snprintf(outcome, sizeof outcome, "%s", attempt.outcome);
    finish(&attempt);
    return outcome;
}
