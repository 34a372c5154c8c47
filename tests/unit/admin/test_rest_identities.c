/* SPDX-License-Identifier: Apache-2.0 */
/* Every route of the admin API: admin-http-api.md 5 and 8, acceptance tests 10.1, 10.5, 10.7, 10.9.
 */
#include "tests/lib/test.h"

#include <stdio.h>
#include <string.h>

#include "src/admin/openapi.h"
#include "src/base/alloc.h"
#include "src/base/id.h"
#include "tests/unit/admin/house.h"

#define R "/realms/org.acme"
#define KEY "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"

/* ---- every route ------------------------------------------------------------------------------*/

struct step {
    const char *method, *path, *body; /* body: JSON with ' for " */
    unsigned status;
    const char *says; /* what the answer has in it, with ' for "; NULL: whatever */
};

/* In order: what one step makes the next ones use. */
static const struct step steps[] = {
    {"POST", "/realms",
     "{'uri':'org.acme','description':'Shop','authmethods':['wampcra','cryptosign','password'],"
     "'groups':[{'name':'api_clients'},{'name':'resource_owners'}]}",
     201, "'uri':'org.acme'"},
    {"GET", "/realms", NULL, 200, "'uri':'org.acme'"},
    {"GET", R, NULL, 200, "'description':'Shop'"},
    {"PUT", R, "{'description':'Two'}", 200, "'description':'Two'"},
    {"PATCH", R, "{'description':'Three'}", 200, "'description':'Three'"},
    {"GET", R "/security_enabled", NULL, 200, "true"},
    {"DELETE", R "/security_enabled", NULL, 204, NULL},
    {"PUT", R "/security_enabled", NULL, 204, NULL},
    {"DELETE", R "/connections_allowed", NULL, 204, NULL},
    {"PUT", R "/connections_allowed", NULL, 204, NULL},
    {"GET", R "/dependents", NULL, 200, "[]"},
    {"POST", R "/keys:rotate", NULL, 204, NULL},
    {"GET", R "/jwks", NULL, 200, "'kty':'EC'"},
    /* groups */
    {"POST", R "/groups", "{'name':'staff','meta':{'floor':1}}", 201, "'name':'staff'"},
    {"POST", R "/groups", "{'name':'cashiers','groups':['staff']}", 201, "'groups':['staff']"},
    {"GET", R "/groups", NULL, 200, "'name':'anonymous'"},
    {"GET", R "/groups/staff", NULL, 200, "'floor':1"},
    {"PUT", R "/groups/staff", "{'meta':{'floor':2,'door':'a'}}", 200, "'floor':2"},
    {"PATCH", R "/groups/staff", "{'meta':{'door':null}}", 200, "'meta':{'floor':2}"},
    {"DELETE", R "/groups/cashiers/groups/staff", NULL, 204, NULL},
    {"PUT", R "/groups/cashiers/groups/staff", NULL, 204, NULL},
    {"GET", R "/groups/cashiers/grants", NULL, 200, "[]"},
    /* users */
    {"POST", R "/users",
     "{'username':'Mona','password':'kettle-46-rope','groups':['cashiers'],'meta':{'till':4}}", 201,
     "'username':'mona'"},
    {"POST", R "/users?if_exists=update", "{'username':'mona','meta':{'till':5}}", 201, "'till':5"},
    {"POST", R "/users", "{'username':'urn:user:1'}", 201, "'has_password':false"},
    {"GET", R "/users", NULL, 200, "'username':'mona'"},
    {"GET", R "/users/mona", NULL, 200, "'has_password':true"},
    {"GET", R "/users/urn%3Auser%3A1", NULL, 200, "'username':'urn:user:1'"},
    {"PUT", R "/users/mona", "{'meta':{'till':6,'shift':'late'}}", 200, "'till':6"},
    {"PATCH", R "/users/mona", "{'meta':{'shift':null}}", 200, "'meta':{'till':6}"},
    {"POST", R "/users/mona/change_password", "{'new_password':'teapot-12-sail'}", 204, NULL},
    {"POST", R "/services/change_password",
     "{'username':'mona','new_password':'kettle-46-rope','old_password':'teapot-12-sail'}", 204,
     NULL},
    {"GET", R "/users/mona/enabled", NULL, 200, "true"},
    {"DELETE", R "/users/mona/enabled", NULL, 204, NULL},
    {"PUT", R "/users/mona/enabled", NULL, 204, NULL},
    {"POST", R "/users/mona/aliases", "'mona@acme.example'", 201, NULL},
    {"POST", R "/users/mona/aliases", "{'alias':'till-four'}", 201, NULL},
    {"GET", R "/users/mona%40acme.example", NULL, 200, "'username':'mona'"},
    {"PUT", R "/users/mona/aliases/third", NULL, 204, NULL},
    {"DELETE", R "/users/mona/aliases/third", NULL, 204, NULL},
    {"PUT", R "/users/mona/authorized_keys/" KEY, NULL, 204, NULL},
    {"DELETE", R "/users/mona/authorized_keys/" KEY, NULL, 204, NULL},
    {"PUT", R "/users/mona/groups/staff", NULL, 204, NULL},
    {"DELETE", R "/users/mona/groups/staff", NULL, 204, NULL},
    {"GET", R "/groups/cashiers/members", NULL, 200, "'users':['mona']"},
    {"POST", R "/users:batch",
     "{'items':[{'op':'add','username':'ben','data':{}},{'op':'add','username':'ben','data':{}},"
     "{'op':'update','username':'ben','data':{'meta':{'a':1}}},{'op':'delete','username':'ben'},"
     "{'op':'delete','username':'nobody'},{'op':'x'}]}",
     207, "'status':201"},
    /* grants */
    {"POST", R "/grants",
     "{'roles':['staff'],'permissions':['wamp.call','wamp.cancel'],'resources':"
     "[{'uri':'org.acme.','match':'prefix'}]}",
     201, NULL},
    {"GET", R "/grants", NULL, 200, "'roles':['group/staff']"},
    {"GET", R "/users/mona/grants", NULL, 200, "'wamp.cancel'"},
    {"GET", R "/groups/cashiers/grants", NULL, 200, "'wamp.cancel'"},
    {"POST", R "/authz/explain",
     "{'authid':'mona','permission':'wamp.call','resource':'org.acme.x'}", 200, "'allowed':true"},
    {"PUT", R "/grants",
     "{'roles':['staff'],'permissions':['wamp.cancel'],'uri':'org.acme.','match':'prefix'}", 204,
     NULL},
    {"POST", R "/grants:revoke",
     "{'roles':['staff'],'permissions':['wamp.call'],'uri':'org.acme.','match':'prefix'}", 204,
     NULL},
    {"DELETE", R "/grants",
     "{'roles':['staff'],'permissions':['wamp.call'],'uri':'org.acme.','match':'prefix'}", 204,
     NULL},
    {"GET", R "/users/mona/grants", NULL, 200, "[]"},
    /* sources */
    {"POST", R "/sources", "{'usernames':['mona'],'authmethod':'wampcra','cidr':'10.0.0.0/8'}", 201,
     "'cidr':'10.0.0.0/8'"},
    {"POST", R "/sources", "{'usernames':'all','authmethod':'password'}", 201, NULL},
    {"GET", R "/sources", NULL, 200, "'username':'mona'"},
    {"GET", R "/users/mona/sources", NULL, 200, "'username':'all'"},
    {"GET", R "/users/mona/sources?ip=192.0.2.1", NULL, 200, "'authmethod':'password'"},
    {"GET", R "/users/mona/authmethods?ip=10.1.2.3", NULL, 200, "'available':true"},
    {"DELETE", R "/users/mona/sources?cidr=10.0.0.0/8", NULL, 204, NULL},
    {"DELETE", R "/users/all/sources/0.0.0.0%2F0", NULL, 204, NULL},
    /* clients and resource owners */
    {"POST", R "/clients", "{'client_id':'till4','client_secret':'till4-secret'}", 201,
     "'groups':['api_clients']"},
    {"GET", R "/clients", NULL, 200, "'username':'till4'"},
    {"GET", R "/clients/till4", NULL, 200, "'username':'till4'"},
    {"PUT", R "/clients/till4", "{'client_secret':'other-secret-1','meta':{'a':1}}", 200, "'a':1"},
    {"DELETE", R "/clients/till4", NULL, 204, NULL},
    {"POST", R "/resource_owners", "{'username':'owner'}", 201, "'groups':['resource_owners']"},
    {"GET", R "/resource_owners", NULL, 200, "'username':'owner'"},
    {"GET", R "/resource_owners/owner", NULL, 200, "'username':'owner'"},
    {"PUT", R "/resource_owners/owner", "{'groups':['staff']}", 200, "'resource_owners'"},
    {"DELETE", R "/resource_owners/owner", NULL, 204, NULL},
    /* API keys, tickets, sessions */
    {"POST", R "/api_keys", "{'authid':'mona','cidrs':['10.0.0.0/8']}", 201, "'key':'bondy_"},
    {"GET", R "/api_keys", NULL, 200, "'authid':'mona'"},
    {"GET", R "/users/mona/tickets", NULL, 200, "[]"},
    {"DELETE", R "/users/mona/tickets", NULL, 204, NULL},
    {"GET", R "/users/mona/tokens", NULL, 200, "[]"},
    {"DELETE", R "/users/mona/tokens", NULL, 204, NULL},
    {"DELETE", R "/users/nobody/tokens", NULL, 404, NULL},
    {"POST", "/tickets/verify", "{'ticket':'x.y.z'}", 200, "'valid':false"},
    {"GET", R "/sessions", NULL, 200, "[]"},
    {"GET", R "/users/mona/sessions", NULL, 200, "[]"},
    {"DELETE", R "/sessions?authid=mona", NULL, 200, "0"},
    {"GET", R "/registrations", NULL, 200, "[]"},
    {"GET", R "/subscriptions", NULL, 200, "[]"},
    {"GET", R "/callees", NULL, 200, "[]"},
    {"GET", R "/callees/1", NULL, 200, "[]"},
    {"GET", R "/callees/x", NULL, 400, "bondy.error.invalid_value"},
    {"GET", "/realms/org.nope/callees", NULL, 404, "wamp.error.no_such_realm"},
    {"GET", R "/registrations_summary", NULL, 200, "{'exact':[],'prefix':[],'wildcard':[]}"},
    {"GET", "/realms/org.nope/registrations_summary", NULL, 404, "wamp.error.no_such_realm"},
    {"GET", R "/registrations/1", NULL, 404, "wamp.error.no_such_registration"},
    {"GET", R "/registrations/x", NULL, 400, "wamp.error.invalid_argument"},
    {"GET", R "/registrations/1/callees", NULL, 404, "wamp.error.no_such_registration"},
    {"GET", R "/subscriptions_summary", NULL, 200, "{'exact':[],'prefix':[],'wildcard':[]}"},
    {"GET", R "/sessions/1", NULL, 404, "wamp.error.no_such_session"},
    {"DELETE", R "/sessions/1", NULL, 404, "wamp.error.no_such_session"},
    {"DELETE", R "/users/mona/tickets/6f0e", NULL, 404, NULL},
    {"DELETE", R "/users/mona/tokens/6f0e", NULL, 404, "bondy.error.not_found"},
    {"DELETE", R "/api_keys/6f0e", NULL, 404, "bondy.error.not_found"},
    /* the whole */
    {"GET", R "/stats", NULL, 200, "'users':2"},
    {"GET", R "/export", NULL, 200, "'username':'mona'"},
    {"GET", "/export", NULL, 200, "'uri':'org.acme'"},
    {"POST", "/import?dry_run=true", "[{'uri':'org.new','users':[{'username':'eve'}]}]", 200,
     "'realms':1"},
    {"POST", "/import", "[{'uri':'org.new','users':[{'username':'eve'}]}]", 200, "'users':1"},
    {"POST", "/services/reload_security_config", NULL, 404, "bondy.error.not_found"},
    {"GET", "/audit", NULL, 200, "'action':'bondy.user.add'"},
    {"GET", "/openapi.json", NULL, 200, "'openapi':'3.1.0'"},
    {"GET", "/alarms", NULL, 200, "[]"},
    {"GET", "/cluster", NULL, 200, "'listen_addrs':[]"},
    {"GET", "/cluster/members", NULL, 200, "'status':'alive'"},
    {"GET", "/cluster/connections", NULL, 200, "[]"},
    {"GET", "/cluster/status", NULL, 200, "'partitions':[]"},
    {"GET", "/backups", NULL, 200, "[]"},
    {"GET", "/backups/bondy_backup.1.bdyb", NULL, 404, "bondy.error.not_found"},
    {"PUT", "/backups/x%2fy", "{}", 400, "bondy.error.invalid_value"},
    {"GET", "/services/backup_status", NULL, 200, "null"},
    {"POST", "/services/restore_backup", "{'filename':'no.bdyb'}", 404, NULL},
    {"POST", "/services/verify_backup", "{'filename':'no.bdyb'}", 404, NULL},
    {"POST", "/services/create_backup", "{'path':'../x'}", 400, "bondy.error.invalid_value"},
    /* certificates: there are no listeners */
    {"GET", "/listeners/wamp_tls/certificate", NULL, 404, "bondy.error.not_found"},
    {"GET", "/listeners/wamp_tls/client_auth", NULL, 404, "bondy.error.not_found"},
    {"PUT", "/listeners/wamp_tls/client_auth", "{}", 400, "wamp.error.invalid_argument"},
    {"POST", "/listeners/wamp_tls:rotate", NULL, 400, "wamp.error.invalid_argument"},
    {"POST", "/listeners/api_gateway_https:rotate", NULL, 400, "wamp.error.invalid_argument"},
    {"POST", "/listeners/admin_api_https:rotate", NULL, 400, "wamp.error.invalid_argument"},
    {"POST", "/listeners:rotate", NULL, 200, "{}"},
    {"POST", "/cacerts:reload", NULL, 204, NULL},
    /* API specifications */
    {"POST", "/api_specs", "{'id':'x'}", 422, "bondy.error.invalid_data"},
    {"GET", "/api_specs", NULL, 200, "[]"},
    {"GET", "/api_specs/x", NULL, 404, NULL},
    {"PUT", "/api_specs/x", "{}", 422, NULL},
    {"DELETE", "/api_specs/x", NULL, 404, NULL},
    {"GET", "/api_specs/x/info", NULL, 404, NULL},
    {"GET", "/api_specs/x/routes", NULL, 404, NULL},
    {"POST", "/services/load_api_spec", "{'id':'x'}", 422, NULL},
    {"POST", "/services/call",
     "{'procedure':'bondy.user.is_enabled','args':['org.acme','mona'],'kwargs':{},'options':{}}",
     200, "'args':[true]"},
    /* the end */
    {"DELETE", R "/users/urn%3Auser%3A1", NULL, 204, NULL},
    {"DELETE", R "/groups/cashiers", NULL, 204, NULL},
    {"DELETE", R "?force=true", NULL, 204, NULL},
    {"GET", R, NULL, 404, "bondy.error.not_found"},
};

static char *json_of(const char *text)
{
    char *copy = text == NULL ? NULL : bondy_memdup0(text, strlen(text));

    for (char *at = copy; at != NULL && *at != '\0'; at++)
        *at = *at == '\'' ? '"' : *at;
    return copy;
}

static unsigned ask(struct house *house, const struct step *step, const char *prefix,
                    struct http_reply *reply)
{
    char *body = json_of(step->body), path[512];
    unsigned status;

    snprintf(path, sizeof path, "%s%s", prefix, step->path);
    status = house_ask(house, step->method, path, NULL, body, reply);
    bondy_free(body);
    return status;
}

static void take_step(struct house *house, const struct step *step, const char *prefix)
{
    char *says = json_of(step->says);
    struct http_reply reply;
    unsigned status = ask(house, step, prefix, &reply);
    const char *body = reply.body.data == NULL ? "" : reply.body.data;

    if (status != step->status)
        fail_msg("%s %s: %u, expected %u: %s", step->method, step->path, status, step->status,
                 body);
    if (says != NULL && strstr(body, says) == NULL)
        fail_msg("%s %s: %s", step->method, step->path, body);
    if (status == 204)
        assert_int_equal(reply.body.len, 0);
    bondy_free(says);
    http_reply_fini(&reply);
}

static void every_route_does_what_its_row_says(void **state)
{
    for (size_t i = 0; i < BONDY_COUNT(steps); i++)
        take_step(*state, &steps[i], "");
}

static void every_route_is_there_under_its_version_too(void **state)
{
    for (size_t i = 0; i < BONDY_COUNT(steps); i++)
        take_step(*state, &steps[i], "/v1.0");
}

/* ---- what was forgotten -----------------------------------------------------------------------*/

/* "/realms/{realm_uri}/users" fits "/realms/org.acme/users?x". */
static bool fits(const char *template, const char *path)
{
    while (*template != '\0') {
        if (*template == '{') {
            template += strcspn(template, "}") + 1;
            path += strcspn(path, "/?");
        } else if (*template ++ != *path++) {
            return false;
        }
    }
    return *path == '\0' || *path == '?';
}

static bool is_walked(const char *method, const char *template)
{
    for (size_t i = 0; i < BONDY_COUNT(steps); i++)
        if (strcasecmp(steps[i].method, method) == 0 && fits(template, steps[i].path))
            return true;
    return false;
}

static void no_route_is_left_out_of_the_test(void **state)
{
    json_t *document = house_expect(*state, 200, "GET", "/openapi.json", NULL), *item, *ignored;
    const char *path, *method;
    unsigned count = 0;

    json_object_foreach(json_object_get(document, "paths"), path, item)
    {
        json_object_foreach(item, method, ignored)
        {
            if (json_object_get(ignored, "security") != NULL)
                continue; /* health */
            count++;
            if (!is_walked(method, path))
                fail_msg("%s %s is not tested", method, path);
        }
    }
    assert_true(count > 90);
    json_decref(document);
}

/* "GET /realms/{realm_uri}" of a route of the table. */
static void route_key(const json_t *route, struct bondy_buf *out)
{
    const char *at = json_string_value(json_object_get(route, "path"));

    assert_int_equal(strncmp(at, "/[v1.0]/", 8), 0);
    at += 7;
    bondy_buf_printf(out, "%s ", json_string_value(json_object_get(route, "method")));
    while (*at != '\0') {
        size_t len = strcspn(at + 1, "/") + 1;

        if (at[1] == ':')
            bondy_buf_printf(out, "/{%.*s}", (int)len - 2, at + 2);
        else
            bondy_buf_append(out, at, len);
        at += len;
    }
    bondy_buf_append_byte(out, 0);
    for (char *c = out->data; *c != ' '; c++)
        *c = (char)(*c & ~0x20);
}

/* Routes as keys. */
static json_t *served_routes(void)
{
    const struct bondy_spec_env env = {.listeners = BONDY_SCHEME_HTTP, .is_own = true};
    json_t *source = bondy_json_parse(bondy_admin_api_document(), 32, NULL), *problems = NULL;
    json_t *served = json_object(), *warnings = NULL, *routes, *route;
    struct bondy_spec *spec = NULL;
    size_t i;

    assert_int_equal(bondy_spec_load(source, &env, &spec, &problems, &warnings), BONDY_OK);
    routes = bondy_spec_routes(spec);
    json_array_foreach(routes, i, route)
    {
        struct bondy_buf key = BONDY_BUF_EMPTY;

        route_key(route, &key);
        json_object_set_new(served, key.data, json_true());
        bondy_buf_fini(&key);
    }
    bondy_spec_unref(spec);
    json_decref(routes);
    json_decref(warnings);
    json_decref(source);
    return served;
}

/* Acceptance test 10.9: the document lists exactly the routes that are served. */
static void the_openapi_document_and_the_routes_agree(void **state)
{
    json_t *document = house_expect(*state, 200, "GET", "/openapi.json", NULL);
    json_t *served = served_routes(), *item, *operation;
    const char *path, *method;
    size_t listed = 0;

    json_object_foreach(json_object_get(document, "paths"), path, item)
    {
        json_object_foreach(item, method, operation)
        {
            char key[512];

            if (json_object_get(operation, "security") != NULL)
                continue; /* health: code of the listener */
            snprintf(key, sizeof key, "%s %s", method, path);
            for (char *c = key; *c != ' '; c++)
                *c = (char)(*c & ~0x20);
            if (json_object_get(served, key) == NULL)
                fail_msg("%s is listed and not served", key);
            assert_true(json_object_size(json_object_get(operation, "responses")) > 3);
            assert_true(json_is_string(json_object_get(operation, "summary")));
            listed++;
        }
    }
    assert_int_equal(listed, json_object_size(served));
    json_decref(served);
    json_decref(document);
}

/* ---- what is refused --------------------------------------------------------------------------*/

static void what_is_wrong_is_said_in_one_form(void **state)
{
    static const struct step cases[] = {
        {"GET", "/realms/no.such/users", NULL, 404, "wamp.error.no_such_realm"},
        {"GET", "/realms/no.such/groups", NULL, 404, "wamp.error.no_such_realm"},
        {"GET", "/realms/no.such/grants", NULL, 404, "bondy.error.not_found"},
        {"POST", "/realms/no.such/users", "{'username':'mona'}", 404, "wamp.error.no_such_realm"},
        {"POST", "/realms/no.such/grants", "{}", 404, "wamp.error.no_such_realm"},
        {"GET", R "/users/nobody", NULL, 404, "bondy.error.not_found"},
        {"PUT", R "/users/nobody", "{}", 404, "wamp.error.no_such_principal"},
        {"DELETE", R "/users/nobody", NULL, 404, "wamp.error.no_such_principal"},
        {"GET", R "/users/nobody/enabled", NULL, 404, "wamp.error.no_such_principal"},
        {"GET", R "/users/nobody/grants", NULL, 200, "[]"},
        {"POST", R "/users/nobody/change_password", "{'new_password':'kettle-46-rope'}", 404,
         "bondy.error.not_found"},
        {"GET", R "/groups/nothing", NULL, 404, "bondy.error.not_found"},
        {"PUT", R "/groups/nothing", "{}", 404, "bondy.error.unknown_group"},
        {"DELETE", R "/groups/nothing", NULL, 404, "bondy.error.unknown_group"},
        {"POST", R "/users", "{'username':'zed','groups':['ghosts']}", 400,
         "bondy.error.no_such_groups"},
        {"POST", R "/users", "{'username':'anonymous'}", 400, "bondy.error.reserved_name"},
        {"POST", R "/users", "{'username':7,'groups':7,'meta':7}", 400, "bondy.error.invalid_data"},
        {"POST", R "/users", "{'username':'zed','pasword':'x'}", 400, "password"},
        {"POST", R "/users", "[]", 400, "bondy.error.invalid_datatype"},
        {"POST", R "/users", "{'username':", 400, "invalid_data"},
        {"POST", R "/grants", "{'permissions':'wamp.call'}", 400, "bondy.error.invalid_data"},
        {"POST", R "/grants",
         "{'roles':['ghost'],'permissions':['wamp.call'],'uri':'a','match':'exact'}", 400,
         "bondy.error.unknown_roles"},
        {"POST", R "/sources", "{'usernames':['ghost'],'authmethod':'wampcra'}", 400,
         "bondy.error.no_such_users"},
        {"POST", R "/sources", "{'usernames':'all','authmethod':'x'}", 400, NULL},
        {"DELETE", R "/users/all/sources?cidr=x", NULL, 400, "bondy.error.invalid_value"},
        {"DELETE", "/realms/com.leapsight.bondy?force=true", NULL, 400,
         "wamp.error.invalid_argument"},
        {"GET", R "/users?limit=0", NULL, 400, "'key':'limit'"},
        {"GET", R "/users?limit=x", NULL, 400, "'key':'limit'"},
        {"GET", R "/users?cursor=x", NULL, 400, "bondy.error.invalid_cursor"},
        {"GET", "/audit?cursor=x", NULL, 400, "bondy.error.invalid_cursor"},
        {"GET", "/audit?since=x", NULL, 400, "'key':'since'"},
        {"POST", R "/api_keys", "{'authid':'ghost'}", 404, "wamp.error.no_such_principal"},
        {"POST", R "/api_keys", "{'cidrs':['x'],'expires_at':'1999-01-01T00:00:00Z'}", 400,
         "bondy.error.invalid_data"},
        {"POST", "/import?mode=x", "[]", 400, "'key':'mode'"},
        {"POST", "/import", "{}", 400, "bondy.error.invalid_value"},
        {"PATCH", R "/users", "{}", 405, "method_not_allowed"},
        {"GET", R "/nothing", NULL, 404, "bondy.error.not_found"},
    };

    json_decref(house_expect(*state, 201, "POST", "/realms", "{\"uri\":\"org.acme\"}"));
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct http_reply reply;
        json_t *problem;

        take_step(*state, &cases[i], "");
        if (cases[i].status < 400)
            continue;
        ask(*state, &cases[i], "", &reply);
        problem = bondy_json_parse(bondy_buf_slice(&reply.body), 16, NULL);
        if (!json_is_string(json_object_get(problem, "code")) ||
            !json_is_string(json_object_get(problem, "message")) ||
            !json_is_string(json_object_get(problem, "description")))
            fail_msg("%s %s: %s", cases[i].method, cases[i].path, reply.body.data);
        json_decref(problem);
        http_reply_fini(&reply);
    }
}

/* H10: what is secret is in no answer, right or wrong. */
static void nothing_secret_comes_back(void **state)
{
    static const struct step cases[] = {
        {"POST", R "/users", "{'username':'mona','password':'tattle-46-tale'}", 201, NULL},
        {"POST", R "/users", "{'username':'mona','password':'tattle-46-tale'}", 409, NULL},
        {"POST", R "/users", "{'username':7,'password':'tattle-46-tale'}", 400, NULL},
        {"POST", R "/users", "{'username':'zoe','password':['tattle-46-tale']}", 400, NULL},
        {"POST", R "/users", "{'username':'zoe','password':'tattle-46-tale\\n'}", 400, NULL},
        {"PUT", R "/users/mona", "{'password':{'tattle-46-tale':1}}", 400, NULL},
        {"PUT", R "/users/mona", "{'password':'tattle-46-tale'}", 200, NULL},
        {"POST", R "/users/mona/change_password",
         "{'new_password':'tattle-46-tale','old_password':'tattle-46-tale2'}", 403, NULL},
        {"POST", R "/clients", "{'client_id':7,'client_secret':'tattle-46-tale'}", 400, NULL},
        {"POST", R "/users:batch",
         "{'items':[{'op':'add','username':'x','data':{'password':'tattle-46-tale\\n'}}]}", 207,
         NULL},
        {"POST", "/import",
         "[{'uri':'org.x','users':[{'username':7,'password':'tattle-46-tale'}]}]", 400, NULL},
        {"GET", R "/users/mona", NULL, 200, NULL},
        {"GET", R "/export", NULL, 200, NULL},
        {"GET", "/audit", NULL, 200, NULL},
    };

    json_decref(house_expect(*state, 201, "POST", "/realms", "{\"uri\":\"org.acme\"}"));
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct http_reply reply;
        unsigned status = ask(*state, &cases[i], "", &reply);

        if (status != cases[i].status)
            fail_msg("%s %s: %u: %s", cases[i].method, cases[i].path, status, reply.body.data);
        if (reply.body.data != NULL && strstr(reply.body.data, "tattle") != NULL)
            fail_msg("%s %s %s: %s", cases[i].method, cases[i].path, cases[i].body,
                     reply.body.data);
        http_reply_fini(&reply);
    }
}

/* ---- versions, dry runs, pages ----------------------------------------------------------------*/

static void expect_with(struct house *house, unsigned status, const char *method, const char *path,
                        const char *header, const char *value, const char *body)
{
    struct http_reply reply;
    char line[256];

    snprintf(line, sizeof line, "%s: %s\r\n", header, value);
    if (house_ask(house, method, path, line, body, &reply) != status)
        fail_msg("%s %s: %u: %s", method, path, reply.status,
                 reply.body.data == NULL ? "" : reply.body.data);
    http_reply_fini(&reply);
}

static void versions_guard_against_lost_updates(void **state)
{
    static const struct {
        const char *path, *change;
    } cases[] = {{R "/users/mona", "{\"meta\":{\"a\":1}}"},
                 {R "/groups/staff", "{\"meta\":{\"a\":1}}"},
                 {R, "{\"description\":\"x\"}"}};
    struct house *house = *state;

    json_decref(house_expect(house, 201, "POST", "/realms",
                             "{\"uri\":\"org.acme\",\"groups\":[{\"name\":\"staff\"}]}"));
    json_decref(house_expect(house, 201, "POST", R "/users", "{\"username\":\"mona\"}"));
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct http_reply reply;
        char tag[64];

        assert_int_equal(house_ask(house, "GET", cases[i].path, NULL, NULL, &reply), 200);
        snprintf(tag, sizeof tag, "%s", http_reply_header(&reply, "etag"));
        http_reply_fini(&reply);
        expect_with(house, 304, "GET", cases[i].path, "If-None-Match", tag, NULL);
        expect_with(house, 200, "PUT", cases[i].path, "If-Match", tag, cases[i].change);
        expect_with(house, 200, "GET", cases[i].path, "If-None-Match", tag, NULL);
        expect_with(house, 412, "PUT", cases[i].path, "If-Match", tag, cases[i].change);
        expect_with(house, 412, "PATCH", cases[i].path, "If-Match", tag, cases[i].change);
        expect_with(house, 412, "DELETE", cases[i].path, "If-Match", tag, NULL);
        expect_with(house, 412, "PUT", cases[i].path, "If-Match", "\"x\"", cases[i].change);
        expect_with(house, 200, "PUT", cases[i].path, "If-Match", "*", cases[i].change);
    }
}

static void a_dry_run_leaves_the_store_unchanged(void **state)
{
    static const struct step cases[] = {
        {"POST", "/realms?dry_run=true", "{'uri':'org.other'}", 200, "'uri':'org.other'"},
        {"POST", R "/users?dry_run=true", "{'username':'zoe'}", 200, "'username':'zoe'"},
        {"PUT", R "/users/mona?dry_run=true", "{'meta':{'a':2}}", 200, "'a':2"},
        {"PATCH", R "/users/mona?dry_run=true", "{'meta':{'a':2}}", 200, "'a':2"},
        {"DELETE", R "/users/mona?dry_run=true", NULL, 200, NULL},
        {"POST", R "/users/mona/change_password?dry_run=true", "{'new_password':'kettle-46-x'}",
         200, NULL},
        {"POST", R "/groups?dry_run=true", "{'name':'others'}", 200, "'name':'others'"},
        {"POST", R "/grants?dry_run=true",
         "{'roles':'all','permissions':['wamp.call'],'uri':'','match':'prefix'}", 200, NULL},
        {"POST", R "/sources?dry_run=true", "{'usernames':'all','authmethod':'wampcra'}", 200,
         NULL},
        {"POST", R "/keys:rotate?dry_run=true", NULL, 200, NULL},
        {"POST", R "/api_keys?dry_run=true", "{'authid':'mona'}", 200, "'authid':'mona'"},
        {"DELETE", R "?force=true&dry_run=true", NULL, 200, NULL},
        {"POST", "/import?mode=replace&dry_run=true", "[{'uri':'org.acme'}]", 200, NULL},
    };
    struct house *house = *state;
    json_t *before, *after;

    json_decref(house_expect(house, 201, "POST", "/realms", "{\"uri\":\"org.acme\"}"));
    json_decref(house_expect(house, 201, "POST", R "/users", "{\"username\":\"mona\"}"));
    before = house_expect(house, 200, "GET", "/export", NULL);
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct http_reply reply;
        const char *mark;

        take_step(house, &cases[i], "");
        ask(house, &cases[i], "", &reply);
        mark = http_reply_header(&reply, "x-dry-run");
        if (mark == NULL || strcmp(mark, "true") != 0)
            fail_msg("%s %s: no x-dry-run", cases[i].method, cases[i].path);
        http_reply_fini(&reply);
    }
    after = house_expect(house, 200, "GET", "/export", NULL);
    assert_true(json_equal(before, after));
    json_decref(before);
    json_decref(after);
    after = house_expect(house, 200, "GET", R "/api_keys", NULL);
    assert_int_equal(json_array_size(after), 0);
    json_decref(after);
}

/* The path of the next page, from the link header; false: the last one. */
static bool next_page(const struct http_reply *reply, char out[512])
{
    const char *link = http_reply_header(reply, "link"), *end;

    if (link == NULL)
        return false;
    end = strchr(link, '>');
    assert_non_null(strstr(end, "rel=\"next\""));
    snprintf(out, 512, "%.*s", (int)(end - link - 1), link + 1);
    return true;
}

static void walk_pages(struct house *house, const char *first, const char *key, size_t expected)
{
    json_t *seen = json_object();
    char path[512], name[32];
    struct http_reply reply;
    unsigned pages = 0;
    bool has_more;

    snprintf(path, sizeof path, "%s", first);
    do {
        json_t *page, *item;
        size_t i;

        assert_int_equal(house_ask(house, "GET", path, NULL, NULL, &reply), 200);
        page = bondy_json_parse(bondy_buf_slice(&reply.body), 16, NULL);
        json_array_foreach(page, i, item)
        {
            const char *text = json_string_value(json_object_get(item, key));

            assert_null(json_object_get(seen, text));
            json_object_set_new(seen, text, json_true());
        }
        json_decref(page);
        has_more = next_page(&reply, path);
        http_reply_fini(&reply);
        snprintf(name, sizeof name, "{\"username\":\"0-new-%u\"}", pages++);
        house_ask(house, "POST", R "/users", NULL, name, &reply);
        http_reply_fini(&reply);
        assert_true(pages < 100);
    } while (has_more);
    assert_true(json_object_size(seen) >= expected);
    json_decref(seen);
}

static void pages_cover_everything_exactly_once_while_others_come(void **state)
{
    struct house *house = *state;
    struct http_reply reply;
    char body[64];

    json_decref(house_expect(house, 201, "POST", "/realms", "{\"uri\":\"org.acme\"}"));
    for (int i = 0; i < 25; i++) {
        snprintf(body, sizeof body, "{\"username\":\"user-%02d\",\"meta\":{}}", (i * 7) % 25);
        json_decref(house_expect(house, 201, "POST", R "/users", body));
    }
    assert_int_equal(house_ask(house, "GET", R "/users", NULL, NULL, &reply), 200);
    assert_string_equal(http_reply_header(&reply, "x-total-count"), "25");
    assert_null(http_reply_header(&reply, "link"));
    http_reply_fini(&reply);
    walk_pages(house, R "/users?limit=7", "username", 25);
    walk_pages(house, R "/users?limit=7&sort=-username", "username", 25);
    walk_pages(house, R "/users?limit=7&sort=username&q=user-", "username", 25);
    walk_pages(house, R "/users?limit=9&sort=created_at", "username", 25);
    walk_pages(house, "/realms?limit=1", "uri", 2);
}

static void a_list_may_be_narrowed(void **state)
{
    struct house *house = *state;
    json_t *list;

    json_decref(house_expect(house, 201, "POST", "/realms", "{\"uri\":\"org.acme\"}"));
    json_decref(house_expect(house, 201, "POST", R "/users", "{\"username\":\"mona\"}"));
    json_decref(house_expect(house, 201, "POST", R "/users", "{\"username\":\"monty\"}"));
    json_decref(house_expect(house, 201, "POST", R "/users", "{\"username\":\"zoe\"}"));
    list = house_expect(house, 200, "GET", R "/users?q=Mon&fields=username", NULL);
    assert_int_equal(json_array_size(list), 2);
    assert_int_equal(json_object_size(json_array_get(list, 0)), 1);
    json_decref(list);
}

/* ---- what is kept of it -----------------------------------------------------------------------*/

static void export_wipe_and_import_give_the_same(void **state)
{
    struct house *house = *state;
    json_t *before, *after, *document;
    struct bondy_buf text = BONDY_BUF_EMPTY;

    json_decref(house_expect(
        house, 201, "POST", "/realms",
        "{\"uri\":\"org.acme\",\"groups\":[{\"name\":\"staff\"}],\"users\":[{\"username\":\"mona\","
        "\"password\":\"kettle-46-rope\",\"groups\":[\"staff\"]}],\"sources\":[{\"usernames\":"
        "\"all\",\"authmethod\":\"wampcra\"}],\"grants\":[{\"roles\":[\"staff\"],\"permissions\":"
        "[\"wamp.call\"],\"uri\":\"a.\",\"match\":\"prefix\"}]}"));
    before = house_expect(house, 200, "GET", R "/export", NULL);
    document = json_pack("[O]", before);
    bondy_json_format(document, &text);
    bondy_buf_append_byte(&text, 0);
    json_decref(house_expect(house, 204, "DELETE", R "?force=true", NULL));
    json_decref(house_expect(house, 404, "GET", R, NULL));
    json_decref(house_expect(house, 200, "POST", "/import", text.data));
    after = house_expect(house, 200, "GET", R "/export", NULL);
    if (!json_equal(before, after)) {
        json_dumpf(before, stderr, JSON_INDENT(1));
        json_dumpf(after, stderr, JSON_INDENT(1));
        fail_msg("the realm is another one");
    }
    json_decref(before);
    json_decref(after);
    json_decref(document);
    bondy_buf_fini(&text);
}

/* What is wrong with one realm does not keep the others out. */
static void realms_are_imported_each_for_itself(void **state)
{
    json_t *answer = house_expect(*state, 200, "POST", "/import",
                                  "[{\"uri\":\"org.a\",\"groups\":[{\"name\":\"x\"}]},"
                                  "{\"uri\":\"org.b\",\"users\":[{\"username\":\"eve\","
                                  "\"groups\":[\"ghosts\"]}]},{\"uri\":\"org.c\"}]");
    const json_t *errors = json_object_get(answer, "errors"), *error = json_array_get(errors, 0);

    assert_int_equal(json_integer_value(json_object_get(answer, "realms")), 2);
    assert_int_equal(json_array_size(errors), 1);
    assert_string_equal(json_string_value(json_object_get(error, "code")),
                        "bondy.error.no_such_groups");
    assert_int_equal(strncmp(json_string_value(json_object_get(error, "path")), "/1", 2), 0);
    json_decref(answer);
    json_decref(house_expect(*state, 200, "GET", "/realms/org.a/groups/x", NULL));
    json_decref(house_expect(*state, 404, "GET", "/realms/org.b", NULL));
    json_decref(house_expect(*state, 200, "GET", "/realms/org.c", NULL));
}

static void lines_are_imported_too(void **state)
{
    struct http_reply reply;
    json_t *users;

    assert_int_equal(house_ask(*state, "POST", "/import", "Content-Type: application/x-ndjson\r\n",
                               "{\"uri\":\"org.acme\",\"users\":[{\"username\":\"ann\"}]}\n"
                               "\n{\"uri\":\"org.b\"}\n",
                               &reply),
                     200);
    http_reply_fini(&reply);
    users = house_expect(*state, 200, "GET", R "/users", NULL);
    assert_int_equal(json_array_size(users), 1);
    json_decref(users);
}

static void the_audit_log_tells_who_did_what(void **state)
{
    struct house *house = *state;
    struct http_reply reply;
    json_t *list, *entry;

    json_decref(house_expect(house, 201, "POST", "/realms", "{\"uri\":\"org.acme\"}"));
    assert_int_equal(house_ask(house, "POST", R "/users", "X-Request-Id: r-77\r\n",
                               "{\"username\":\"mona\"}", &reply),
                     201);
    http_reply_fini(&reply);
    json_decref(house_expect(house, 404, "DELETE", R "/users/nobody", NULL));
    list = house_expect(house, 200, "GET", "/audit?realm=org.acme&limit=10", NULL);
    assert_int_equal(json_array_size(list), 2);
    entry = json_array_get(list, 0);
    assert_string_equal(json_string_value(json_object_get(entry, "outcome")), "error");
    assert_string_equal(json_string_value(json_object_get(entry, "reason")),
                        "wamp.error.no_such_principal");
    entry = json_array_get(list, 1);
    assert_string_equal(json_string_value(json_object_get(entry, "action")), "bondy.user.add");
    assert_string_equal(json_string_value(json_object_get(entry, "target")), "users/mona");
    assert_string_equal(json_string_value(json_object_get(entry, "outcome")), "ok");
    assert_string_equal(json_string_value(json_object_get(entry, "request_id")), "r-77");
    assert_string_equal(json_string_value(json_object_get(entry, "source_ip")), "127.0.0.1");
    assert_int_equal(json_string_length(json_object_get(entry, "after")), 64);
    assert_null(json_object_get(entry, "before"));
    json_decref(list);
}

static void an_api_key_is_shown_once_and_ends_at_once(void **state)
{
    struct house *house = *state;
    json_t *key, *list;
    char path[128];

    json_decref(house_expect(house, 201, "POST", "/realms", "{\"uri\":\"org.acme\"}"));
    json_decref(house_expect(house, 201, "POST", R "/users", "{\"username\":\"mona\"}"));
    key = house_expect(house, 201, "POST", R "/api_keys", "{\"authid\":\"mona\"}");
    assert_non_null(json_object_get(key, "key"));
    snprintf(path, sizeof path, R "/api_keys/%s", json_string_value(json_object_get(key, "id")));
    list = house_expect(house, 200, "GET", R "/api_keys", NULL);
    assert_int_equal(json_array_size(list), 1);
    assert_null(json_object_get(json_array_get(list, 0), "key"));
    assert_null(json_object_get(json_array_get(list, 0), "hash"));
    json_decref(list);
    json_decref(key);
    json_decref(house_expect(house, 204, "DELETE", path, NULL));
    list = house_expect(house, 200, "GET", R "/api_keys", NULL);
    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
}

static void a_backup_is_made_listed_and_restored(void **state)
{
    struct house *house = *state;
    json_t *made, *status = NULL, *list;
    char body[1100], path[1200];

    json_decref(house_expect(house, 201, "POST", "/realms", "{\"uri\":\"org.acme\"}"));
    made = house_expect(house, 200, "POST", "/services/create_backup", "{}");
    snprintf(path, sizeof path, "/services/backup_status?filename=%s",
             json_string_value(json_object_get(made, "filename")));
    for (int i = 0; i < 1000; i++) {
        json_decref(status);
        status = house_expect(house, 200, "GET", "/services/backup_status", NULL);
        if (json_is_null(status))
            break;
    }
    json_decref(status);
    status = house_expect(house, 200, "GET", path, NULL);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(status, "last"), "status")), "finished");
    json_decref(status);
    list = house_expect(house, 200, "GET", "/backups", NULL);
    assert_int_equal(json_array_size(list), 1);
    snprintf(body, sizeof body, "{\"filename\":\"%s\",\"mode\":\"force\"}",
             json_string_value(json_object_get(json_array_get(list, 0), "name")));
    json_decref(list);
    json_decref(house_expect(house, 200, "POST", "/services/verify_backup", body));
    json_decref(house_expect(house, 204, "DELETE", R, NULL));
    json_decref(house_expect(house, 200, "POST", "/services/restore_backup", body));
    status = NULL;
    for (int i = 0; i < 1000; i++) {
        json_decref(status);
        status = house_expect(house, 200, "GET", "/services/backup_status", NULL);
        if (json_is_null(status))
            break;
    }
    json_decref(status);
    json_decref(house_expect(house, 200, "GET", R, NULL));
    json_decref(made);
}

/* ---- rig --------------------------------------------------------------------------------------*/

static int setup(void **state)
{
    *state = house_open(&(struct house_options){.allow_anonymous = true});
    return 0;
}

static int teardown(void **state)
{
    house_close(*state);
    return 0;
}

#define REST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        REST(every_route_does_what_its_row_says),
        REST(every_route_is_there_under_its_version_too),
        REST(no_route_is_left_out_of_the_test),
        REST(the_openapi_document_and_the_routes_agree),
        REST(what_is_wrong_is_said_in_one_form),
        REST(nothing_secret_comes_back),
        REST(versions_guard_against_lost_updates),
        REST(a_dry_run_leaves_the_store_unchanged),
        REST(pages_cover_everything_exactly_once_while_others_come),
        REST(a_list_may_be_narrowed),
        REST(export_wipe_and_import_give_the_same),
        REST(realms_are_imported_each_for_itself),
        REST(lines_are_imported_too),
        REST(the_audit_log_tells_who_did_what),
        REST(an_api_key_is_shown_once_and_ends_at_once),
        REST(a_backup_is_made_listed_and_restored),
    };

    if (bondy_id_start(NULL) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
