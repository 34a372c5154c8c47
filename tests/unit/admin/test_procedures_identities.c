/* SPDX-License-Identifier: Apache-2.0 */
/* Procedures of identities as WAMP sessions call them: wamp-admin-api.md 1.3 to 1.5, 2.3 to 2.7, 4
 * and 7; realms-and-security.md 2.3 and 4. */
#include "tests/lib/test.h"

#include <stdlib.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/router/broker.h"
#include "tests/unit/admin/caller.h"

static int setup(void **state)
{
    struct house *house = house_open(&(struct house_options){.allow_anonymous = true});

    json_decref(house_expect(
        house, 201, "POST", "/realms",
        "{\"uri\":\"org.acme\",\"groups\":[{\"name\":\"staff\"}],\"users\":["
        "{\"username\":\"mona\",\"password\":\"kettle-46-rope\"},{\"username\":\"zoe\"}],"
        "\"grants\":[{\"roles\":\"all\",\"permissions\":[\"wamp.call\",\"wamp.subscribe\"],"
        "\"uri\":\"\",\"match\":\"prefix\"},{\"roles\":[\"mona\"],\"permissions\":[\"bondy.issue\"]"
        ","
        "\"uri\":\"bondy.ticket.\",\"match\":\"prefix\"}]}"));
    json_decref(house_expect(house, 201, "POST", "/realms", "{\"uri\":\"org.other\"}"));
    *state = house;
    return 0;
}

static int teardown(void **state)
{
    house_close(*state);
    return 0;
}

/* ---- arguments --------------------------------------------------------------------------------*/

static void the_own_realm_may_be_left_out(void **state)
{
    static const struct {
        const char *procedure, *args, *kwargs, *error;
    } cases[] = {
        {"bondy.user.get", "['mona']", "{}", ""},
        {"bondy.user.get", "['org.acme','mona']", "{}", ""},
        {"bondy.user.get", "['ORG.ACME','MONA']", "{}", ""},
        {"bondy.user.get", "['mona']", "{'realm_uri':'org.acme'}", ""},
        {"bondy.user.get", "['org.other','mona']", "{}", "wamp.error.not_authorized"},
        {"bondy.user.get", "['mona']", "{'realm_uri':'org.other'}", "wamp.error.not_authorized"},
        {"bondy.user.get", "['no.such','mona']", "{}", "wamp.error.not_authorized"},
        {"bondy.user.get", "[]", "{}", "wamp.error.invalid_argument"},
        {"bondy.user.get", "['org.acme','mona',1]", "{}", "wamp.error.invalid_argument"},
        {"bondy.user.list", "[]", "{}", ""},
        {"bondy.user.change_password", "['mona','teapot-12-sail','kettle-46-rope']", "{}", ""},
        {"bondy.user.change_password", "['org.acme','mona','kettle-46-rope','teapot-12-sail']",
         "{}", ""},
        {"bondy.source.match", "['mona']", "{}", ""},
        {"bondy.source.match", "['mona','10.0.0.1']", "{}", ""},
        {"bondy.rbac.authorize", "['mona','wamp.call','a.b']", "{}", ""},
        {"bondy.rbac.explain", "['mona','wamp.call','a.b',{'match':'prefix'}]", "{}", ""},
        {"bondy.rbac.explain", "['mona','wamp.call','a.b']", "{'match':'x'}",
         "bondy.error.invalid_value"},
        {"bondy.realm.list", "[]", "{}", "wamp.error.not_authorized"},
        {"bondy.backup.create", "[]", "{}", "wamp.error.not_authorized"},
        {"bondy.cert_manager.rotate_all", "[]", "{}", "wamp.error.not_authorized"},
    };
    struct caller mona;

    join(&mona, *state, "org.acme", "mona");
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        const char *error = call(&mona, cases[i].procedure, cases[i].args, cases[i].kwargs);

        if (strcmp(error, cases[i].error) != 0)
            fail_msg("%s %s %s: '%s'", cases[i].procedure, cases[i].args, cases[i].kwargs, error);
    }
    leave(&mona);
}

/* Whatever is sent, an answer comes, in the one form, and never "our mistake". */
struct sweep {
    struct caller *caller;
    unsigned calls;
};

static json_t *garbage(unsigned kind)
{
    switch (kind) {
    case 0:
        return json_null();
    case 1:
        return json_integer(-1);
    case 2:
        return json_string("org.acme");
    case 3:
        return json_pack("[n, i, s, [], {}]", 7, "x");
    case 4:
        return json_pack("{s:i, s:[n], s:{}, s:n, s:i}", "uri", 7, "username", "meta", "name",
                         "roles", 7);
    default:
        return json_string("");
    }
}

static json_t *garbage_kwargs(unsigned kind)
{
    static const char *const names[] = {"limit", "cursor",     "fields", "sort",      "q",
                                        "mode",  "if_version", "since",  "client_id", "ip",
                                        "match", "realm",      "reason"};
    json_t *kwargs = json_object();

    for (size_t i = 0; kind != 2 && i < BONDY_COUNT(names); i++)
        json_object_set_new(kwargs, names[i], garbage(kind));
    return kwargs;
}

static bool sweep_row(void *context, const struct bondy_procedure_info *info)
{
    struct sweep *sweep = context;

    for (unsigned count = 0; count <= info->max_args + 1; count++) {
        for (unsigned kind = 0; kind < 6; kind++) {
            json_t *args = json_array();
            const char *error;

            for (unsigned i = 0; i < count; i++)
                json_array_append_new(args, i == 0 && info->mark == 'R' ? json_string("org.acme")
                                                                        : garbage(kind));
            error = call_with(sweep->caller, info->uri, args, garbage_kwargs(kind));
            sweep->calls++;
            if (strcmp(error, "bondy.error.internal_error") == 0)
                fail_msg("%s with %u arguments of kind %u: %s", info->uri, count, kind,
                         json_string_value(json_object_get(sweep->caller->kwargs, "description")));
            if (*error != '\0' &&
                (!json_is_string(json_object_get(sweep->caller->kwargs, "code")) ||
                 !json_is_string(json_array_get(sweep->caller->args, 0))))
                fail_msg("%s with %u arguments of kind %u: not in form: %s", info->uri, count, kind,
                         error);
        }
    }
    return true;
}

static void nothing_that_is_sent_is_our_mistake(void **state)
{
    struct caller caller;
    struct sweep sweep = {&caller, 0};

    join(&caller, *state, BONDY_MASTER_REALM, NULL);
    bondy_procedures_each(sweep_row, &sweep);
    assert_true(sweep.calls > 2000);
    leave(&caller);
}

static void other_realms_are_closed_to_sessions_of_one(void **state)
{
    struct caller mona;

    join(&mona, *state, "org.acme", "mona");
    assert_string_equal(call(&mona, "bondy.user.list", "['org.other']", "{}"),
                        "wamp.error.not_authorized");
    assert_string_equal(call(&mona, "bondy.grant.create",
                             "['org.other',{'roles':'all','permissions':['wamp.call'],'uri':'',"
                             "'match':'prefix'}]",
                             "{}"),
                        "wamp.error.not_authorized");
    leave(&mona);
}

/* ---- old names --------------------------------------------------------------------------------*/

static void old_names_answer_and_say_the_new_one(void **state)
{
    static const char *const names[][2] = {
        {"bondy.security.list_users", "bondy.user.list"},
        {"com.leapsight.bondy.security.list_groups", "bondy.group.list"},
        {"bondy.api_gateway.list_clients", "bondy.oauth2.client.list"},
        {"bondy.security.list_sources", "bondy.source.list"},
    };
    struct caller caller;

    join(&caller, *state, "org.acme", "mona");
    for (size_t i = 0; i < BONDY_COUNT(names); i++) {
        json_t *answer;

        must(&caller, names[i][0], "[]");
        assert_string_equal(caller.deprecated, names[i][1]);
        answer = json_incref(caller.args);
        must(&caller, names[i][1], "[]");
        assert_string_equal(caller.deprecated, "");
        assert_true(json_equal(answer, caller.args));
        json_decref(answer);
    }
    must(&caller, "com.bondy.user.list", "[]");
    assert_string_equal(caller.deprecated, "");
    leave(&caller);
}

/* ---- passwords --------------------------------------------------------------------------------*/

static void ones_own_password_needs_the_old_one_and_anothers_a_permission(void **state)
{
    struct caller mona, admin;

    join(&mona, *state, "org.acme", "mona");
    join(&admin, *state, BONDY_MASTER_REALM, NULL);
    assert_string_equal(
        call(&mona, "bondy.user.change_password", "['mona','teapot-12-sail']", "{}"),
        "bondy.error.missing_required_value");
    assert_string_equal(json_string_value(json_object_get(mona.kwargs, "key")), "old");
    assert_string_equal(call(&mona, "bondy.user.change_password",
                             "['mona','teapot-12-sail','wrong-46-rope']", "{}"),
                        "bondy.error.bad_signature");
    assert_string_equal(call(&mona, "bondy.user.change_password", "['zoe','teapot-12-sail']", "{}"),
                        "wamp.error.not_authorized");
    assert_string_equal(
        call(&mona, "bondy.user.change_password", "['nobody','teapot-12-sail']", "{}"),
        "bondy.error.not_found");
    assert_string_equal(
        call(&admin, "bondy.user.change_password", "['org.acme','mona','short']", "{}"),
        "bondy.error.invalid_value");
    must(&admin, "bondy.user.change_password", "['org.acme','zoe','teapot-12-sail']");
    leave(&mona);
    leave(&admin);
}

/* ---- membership -------------------------------------------------------------------------------*/

/* Acceptance test 5: what the reference applies and then fails. */
static void memberships_change_and_succeed(void **state)
{
    struct caller admin;
    json_t *groups;

    join(&admin, *state, BONDY_MASTER_REALM, NULL);
    must(&admin, "bondy.group.add", "['org.acme',{'name':'a'}]");
    must(&admin, "bondy.group.add", "['org.acme',{'name':'b'}]");
    must(&admin, "bondy.user.add_groups", "['org.acme',['mona','zoe'],['a','b']]");
    must(&admin, "bondy.user.remove_group", "['org.acme','mona','b']");
    must(&admin, "bondy.user.get", "['org.acme','mona']");
    groups = json_object_get(json_array_get(admin.args, 0), "groups");
    assert_int_equal(json_array_size(groups), 1);
    must(&admin, "bondy.group.add_group", "['org.acme','a','b']");
    must(&admin, "bondy.group.add_groups", "['org.acme','a',['staff']]");
    must(&admin, "bondy.group.remove_group", "['org.acme','a','b']");
    must(&admin, "bondy.group.remove_groups", "['org.acme','a',['staff']]");
    assert_string_equal(call(&admin, "bondy.group.add_group", "['org.acme','a','a']", "{}"),
                        "bondy.error.group_cycle");
    assert_string_equal(call(&admin, "bondy.user.add_group", "['org.acme','mona','ghosts']", "{}"),
                        "bondy.error.no_such_groups");
    assert_string_equal(
        call(&admin, "bondy.user.add_groups", "['org.acme',['zoe','nobody'],['staff']]", "{}"),
        "wamp.error.no_such_principal");
    must(&admin, "bondy.user.get", "['org.acme','zoe']"); /* all or nothing */
    groups = json_object_get(json_array_get(admin.args, 0), "groups");
    assert_int_equal(json_array_size(groups), 2);
    leave(&admin);
}

static void a_sixth_alias_is_one_too_many(void **state)
{
    struct caller admin;
    char args[64];

    join(&admin, *state, BONDY_MASTER_REALM, NULL);
    for (int i = 0; i < 5; i++) {
        snprintf(args, sizeof args, "['org.acme','mona','alias-%d']", i);
        must(&admin, "bondy.user.add_alias", args);
    }
    assert_string_equal(call(&admin, "bondy.user.add_alias", "['org.acme','mona','sixth']", "{}"),
                        "bondy.error.property_range_limit");
    assert_int_equal(json_integer_value(json_object_get(admin.kwargs, "limit")), 5);
    assert_string_equal(
        call(&admin, "bondy.user.remove_alias", "['org.acme','zoe','alias-1']", "{}"),
        "bondy.error.invalid_value");
    leave(&admin);
}

/* ---- events -----------------------------------------------------------------------------------*/

/* Sessions of this process do not subscribe yet: this one does what a SUBSCRIBE would. */
static void subscribe(struct caller *caller, const char *topic)
{
    const struct bondy_message message = {
        .type = BONDY_SUBSCRIBE, .id = 1, .uri = bondy_slice_text(topic), .serializer = BONDY_JSON};

    caller->session->roles |= BONDY_ROLE_BIT(BONDY_ROLE_SUBSCRIBER);
    assert_true(bondy_broker_on_subscribe(caller->session, &message));
    forget(caller);
}

static void changes_are_told_and_nothing_else_is(void **state)
{
    static const struct {
        const char *procedure, *args, *kwargs, *topic, *event;
    } cases[] = {
        {"bondy.user.add", "['org.acme',{'username':'ann'}]", "{'dry_run':true}",
         "bondy.user.added", NULL},
        {"bondy.user.add", "['org.acme',{'username':'mona'}]", "{}", "bondy.user.added", NULL},
        {"bondy.user.add", "['org.acme',{'username':'ann'}]", "{}", "bondy.user.added",
         "[['ann'],{'realm_uri':'org.acme'}]"},
        {"bondy.user.update", "['org.acme','ann',{'meta':{'a':1}}]", "{}", "bondy.user.updated",
         "[['org.acme','ann'],{}]"},
        {"bondy.user.update", "['org.acme','ann',{'meta':{'a':1}}]", "{}", "bondy.user.updated",
         NULL},
        {"bondy.user.disable", "['org.acme','ann']", "{}", "bondy.user.disabled",
         "[['org.acme','ann'],{}]"},
        {"bondy.user.enable", "['org.acme','ann']", "{}", "bondy.user.enabled",
         "[['org.acme','ann'],{}]"},
        {"bondy.user.change_password", "['org.acme','ann','teapot-12-sail']", "{}",
         "bondy.user.credentials_changed", "[['org.acme','ann'],{}]"},
        {"bondy.user.add_alias", "['org.acme','ann','ann-2']", "{}", "bondy.user.added", NULL},
        {"bondy.user.delete", "['org.acme','ann']", "{}", "bondy.user.deleted",
         "[['org.acme','ann'],{}]"},
        {"bondy.user.delete", "['org.acme','ann']", "{}", "bondy.user.deleted", NULL},
        {"bondy.group.add", "['org.acme',{'name':'g'}]", "{}", "bondy.group.added",
         "[['org.acme','g'],{}]"},
        {"bondy.group.update", "['org.acme','g',{'meta':{'a':1}}]", "{}", "bondy.group.updated",
         "[['org.acme','g'],{}]"},
        {"bondy.group.delete", "['org.acme','g']", "{}", "bondy.group.deleted",
         "[['org.acme','g'],{}]"},
        {"bondy.grant.create",
         "['org.acme',{'roles':['mona'],'permissions':['wamp.publish'],'uri':'a','match':'exact'}]",
         "{}", "bondy.grant.created",
         "[['org.acme',{'roles':['mona'],'permissions':['wamp.publish'],'resources':"
         "[{'uri':'a','match':'exact'}]}],{}]"},
        {"bondy.grant.revoke",
         "['org.acme',{'roles':['mona'],'permissions':['wamp.publish'],'uri':'a','match':'exact'}]",
         "{}", "bondy.grant.revoked",
         "[['org.acme',{'roles':['mona'],'permissions':['wamp.publish'],'resources':"
         "[{'uri':'a','match':'exact'}]}],{}]"},
        {"bondy.source.add", "['org.acme',{'usernames':'all','authmethod':'wampcra'}]", "{}",
         "bondy.source.added", "[['org.acme',{'usernames':'all','authmethod':'wampcra'}],{}]"},
    };
    struct caller admin;

    join(&admin, *state, BONDY_MASTER_REALM, NULL);
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        struct caller ear;
        json_t *expected;

        join(&ear, *state, "org.acme", "zoe");
        subscribe(&ear, cases[i].topic);
        call(&admin, cases[i].procedure, cases[i].args, cases[i].kwargs);
        bondy_loop_turn(((struct house *)*state)->loop, 0);
        expected =
            cases[i].event == NULL ? json_array() : json_pack("[o]", tree_of(cases[i].event));
        if (!json_equal(expected, ear.events)) {
            json_dumpf(ear.events, stderr, 0);
            fail_msg("%s %s: %s", cases[i].procedure, cases[i].args, admin.uri);
        }
        json_decref(expected);
        leave(&ear);
    }
    leave(&admin);
}

static void realms_are_told_on_the_master_realm(void **state)
{
    struct caller admin, ear;
    static const char *const topics[] = {"bondy.realm.created", "bondy.realm.updated",
                                         "bondy.realm.deleted"};
    json_t *expected = tree_of("[[['org.a'],{}],[['org.a'],{}],[['org.b'],{}],[['org.a'],{}]]");

    join(&admin, *state, BONDY_MASTER_REALM, NULL);
    join(&ear, *state, BONDY_MASTER_REALM, NULL);
    for (size_t i = 0; i < BONDY_COUNT(topics); i++)
        subscribe(&ear, topics[i]);
    must(&admin, "bondy.realm.create", "[{'uri':'org.a'}]");
    call(&admin, "bondy.realm.create", "[{'uri':'org.a'}]", "{}");
    must(&admin, "bondy.realm.update", "['org.a',{'description':'x'}]");
    must(&admin, "bondy.realm.import", "[[{'uri':'org.b'}]]");
    must(&admin, "bondy.realm.delete", "['org.a']");
    bondy_loop_turn(((struct house *)*state)->loop, 0);
    if (!json_equal(expected, ear.events)) {
        json_dumpf(ear.events, stderr, 0);
        fail_msg("other events");
    }
    json_decref(expected);
    leave(&ear);
    leave(&admin);
}

/* ---- tickets ----------------------------------------------------------------------------------*/

static void a_ticket_lives_until_it_is_revoked(void **state)
{
    struct caller admin, mona, zoe;
    json_t *args, *ticket;

    join(&admin, *state, BONDY_MASTER_REALM, NULL);
    join(&mona, *state, "org.acme", "mona");
    join(&zoe, *state, "org.acme", "zoe");
    must(&admin, "bondy.realm.keys.rotate", "['org.acme']");
    assert_string_equal(call(&mona, "bondy.ticket.issue", "[1]", "{}"),
                        "wamp.error.invalid_argument");
    assert_string_equal(call(&zoe, "bondy.ticket.issue", "[]", "{}"), "wamp.error.not_authorized");
    assert_string_equal(call(&mona, "bondy.ticket.issue", "[]", "{'expiry_time_secs':0}"),
                        "bondy.error.invalid_value");
    assert_string_equal(call(&mona, "bondy.ticket.issue", "[]", "{'client_id':'mona'}"),
                        "bondy.error.invalid_request");
    assert_string_equal(call(&mona, "bondy.ticket.issue", "[]", "{'client_ticket':'x.y.z'}"),
                        "bondy.error.invalid_value");
    assert_string_equal(call(&mona, "bondy.ticket.issue", "[]", "{'expiry_time_secs':600}"), "");
    ticket = json_incref(json_array_get(mona.args, 0));
    assert_int_equal(json_integer_value(json_object_get(ticket, "expires_at")) -
                         json_integer_value(json_object_get(ticket, "issued_at")),
                     600);
    args = json_pack("[O]", json_object_get(ticket, "ticket"));
    call_with(&zoe, "bondy.ticket.verify", json_incref(args), NULL);
    assert_true(json_is_true(json_object_get(json_array_get(zoe.args, 0), "valid")));
    must(&mona, "bondy.ticket.list", "['mona']");
    assert_int_equal(json_array_size(json_array_get(mona.args, 0)), 1);
    assert_null(json_object_get(json_array_get(json_array_get(mona.args, 0), 0), "ticket"));
    assert_string_equal(call_with(&zoe, "bondy.ticket.revoke", json_incref(args), NULL),
                        "wamp.error.not_authorized");
    assert_string_equal(call_with(&mona, "bondy.ticket.revoke", json_incref(args), NULL), "");
    call_with(&zoe, "bondy.ticket.verify", json_incref(args), NULL);
    assert_true(json_is_false(json_object_get(json_array_get(zoe.args, 0), "valid")));
    assert_string_equal(json_string_value(json_object_get(json_array_get(zoe.args, 0), "reason")),
                        "revoked");
    assert_string_equal(call(&zoe, "bondy.ticket.revoke_all", "['mona']", "{}"),
                        "wamp.error.not_authorized");
    must(&mona, "bondy.ticket.revoke_all", "['mona']");
    json_decref(args);
    json_decref(ticket);
    leave(&zoe);
    leave(&mona);
    leave(&admin);
}

/* ---- sessions and the audit log ---------------------------------------------------------------*/

static void sessions_are_shown_and_the_own_one_is_known(void **state)
{
    struct caller mona;

    join(&mona, *state, "org.acme", "mona");
    must(&mona, "bondy.session.self", "[]");
    assert_string_equal(json_string_value(json_object_get(json_array_get(mona.args, 0), "authid")),
                        "mona");
    must(&mona, "bondy.session.list", "[]");
    assert_string_equal(call(&mona, "bondy.session.get", "['org.acme',1]", "{}"),
                        "wamp.error.no_such_session");
    assert_string_equal(call(&mona, "bondy.session.close", "['org.acme',1,'not a uri']", "{}"),
                        "bondy.error.invalid_value");
    assert_string_equal(call(&mona, "bondy.session.close_many", "[]", "{}"),
                        "bondy.error.missing_required_value");
    leave(&mona);
}

/* ---- the meta API ----------------------------------------------------------------------------*/

/* META-ARG-1, META-SESS-3, META-KILL-3 and -4, META-REG-6, META-SUB-6; 1.3: what is a realm. */
static void the_meta_api_takes_the_forms_of_the_standard(void **state)
{
    static const struct {
        const char *procedure, *args, *kwargs, *error;
    } cases[] = {
        {"wamp.session.count", "[]", "{}", ""},
        {"wamp.session.count", "[['staff']]", "{}", ""},
        {"wamp.session.count", "[null]", "{}", ""},
        {"wamp.session.count", "['org.acme',['staff']]", "{}", ""},
        {"wamp.session.count", "['org.acme']", "{}", ""},
        {"wamp.session.count", "['staff']", "{}", "wamp.error.invalid_argument"},
        {"wamp.session.count", "[['staff',1]]", "{}", "wamp.error.invalid_argument"},
        {"wamp.session.count", "[1]", "{}", "wamp.error.invalid_argument"},
        {"wamp.session.count", "['org.other']", "{}", "wamp.error.not_authorized"},
        {"wamp.session.list", "[]", "{}", ""},
        {"wamp.session.list", "[{}]", "{}", "wamp.error.invalid_argument"},
        {"wamp.session.list", "[]", "{'realm_uri':'org.acme'}", ""},
        {"wamp.session.list", "[]", "{'realm_uri':'org.other'}", "wamp.error.not_authorized"},
        {"wamp.session.get", "[]", "{}", "wamp.error.invalid_argument"},
        {"wamp.session.get", "['1']", "{}", "wamp.error.invalid_argument"},
        {"wamp.session.get", "[1.5]", "{}", "wamp.error.invalid_argument"},
        {"wamp.session.get", "[1,2]", "{}", "wamp.error.invalid_argument"},
        {"wamp.session.get", "[1]", "{}", "wamp.error.no_such_session"},
        {"wamp.session.get", "[-1]", "{}", "wamp.error.no_such_session"},
        {"wamp.session.kill", "[1]", "{}", "wamp.error.no_such_session"},
        {"wamp.session.kill", "[null]", "{}", "wamp.error.invalid_argument"},
        {"wamp.session.kill", "[1]", "{'reason':''}", "wamp.error.invalid_uri"},
        {"wamp.session.kill", "[1]", "{'reason':7}", "wamp.error.invalid_uri"},
        {"wamp.session.kill", "[1]", "{'message':7}", "wamp.error.invalid_argument"},
        {"wamp.session.kill_by_authid", "['zoe']", "{}", ""},
        {"wamp.session.kill_by_authid", "['zoe']", "{'reason':'no uri'}", "wamp.error.invalid_uri"},
        {"wamp.session.kill_by_authid", "[7]", "{}", "wamp.error.invalid_argument"},
        {"wamp.session.kill_by_authrole", "['staff']", "{}", ""},
        {"wamp.session.kill_by_authrole", "[['staff']]", "{}", "wamp.error.invalid_argument"},
        {"wamp.session.kill_all", "[]", "{}", ""},
        {"wamp.session.kill_all", "[7]", "{}", "wamp.error.invalid_argument"},
        {"wamp.session.kill_all", "[]", "{'reason':'a..b'}", "wamp.error.invalid_uri"},
        {"wamp.registration.list", "[]", "{}", ""},
        {"wamp.registration.list", "[7]", "{}", "wamp.error.invalid_argument"},
        {"wamp.registration.lookup", "['com.p']", "{}", ""},
        {"wamp.registration.lookup", "['com.p',{'match':'prefix'}]", "{}", ""},
        {"wamp.registration.lookup", "['org.other',{'match':'prefix'}]", "{}", ""},
        {"wamp.registration.lookup", "['org.acme','com.p',null]", "{}", ""},
        {"wamp.registration.lookup", "['org.other','com.p']", "{}", "wamp.error.not_authorized"},
        {"wamp.registration.lookup", "['com.p',{'match':'x'}]", "{}",
         "wamp.error.invalid_argument"},
        {"wamp.registration.lookup", "['com.p',{'match':7}]", "{}", "wamp.error.invalid_argument"},
        {"wamp.registration.lookup", "['com.p','prefix']", "{}", "wamp.error.invalid_argument"},
        {"wamp.registration.lookup", "[7]", "{}", "wamp.error.invalid_argument"},
        {"wamp.registration.match", "[]", "{}", "wamp.error.invalid_argument"},
        {"wamp.registration.get", "[1]", "{}", "wamp.error.no_such_registration"},
        {"wamp.registration.get", "['a']", "{}", "wamp.error.invalid_argument"},
        {"wamp.registration.list_callees", "[1]", "{}", "wamp.error.no_such_registration"},
        {"wamp.registration.count_callees", "[1]", "{}", "wamp.error.no_such_registration"},
        {"wamp.subscription.list", "[]", "{}", ""},
        {"wamp.subscription.lookup", "[{}]", "{}", "wamp.error.invalid_argument"},
        {"wamp.subscription.match", "['com.t']", "{}", ""},
        {"wamp.subscription.match", "[null]", "{}", "wamp.error.invalid_argument"},
        {"wamp.subscription.get", "[1]", "{}", "wamp.error.no_such_subscription"},
        {"wamp.subscription.list_subscribers", "[1]", "{}", "wamp.error.no_such_subscription"},
        {"wamp.subscription.list_subscribers", "[0]", "{}", "wamp.error.no_such_subscription"},
        {"wamp.subscription.count_subscribers", "[1]", "{}", "wamp.error.no_such_subscription"},
        {"wamp.session.on_join", "[]", "{}", "wamp.error.no_such_procedure"},
    };
    struct caller mona;

    join(&mona, *state, "org.acme", "mona");
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        const char *error = call(&mona, cases[i].procedure, cases[i].args, cases[i].kwargs);

        if (strcmp(error, cases[i].error) != 0)
            fail_msg("%s %s %s: '%s'", cases[i].procedure, cases[i].args, cases[i].kwargs, error);
    }
    leave(&mona);
}

static void provide(struct caller *caller, const char *procedure, const char *match)
{
    const struct bondy_registration_options options = {0};
    const struct bondy_callee callee = {0, caller->session->id, caller->session};
    enum bondy_match policy;
    struct bondy_registration *registration;

    assert_true(bondy_match_parse(bondy_slice_text(match), &policy));
    registration = bondy_registry_register(caller->session->realm->registry,
                                           bondy_slice_text(procedure), policy, &callee, &options);
    assert_non_null(registration);
    bondy_idmap_put(&caller->session->registrations, registration->entry.id, registration);
}

/* Takes the trees. */
static void expect(struct caller *caller, const char *procedure, json_t *args, json_t *expected)
{
    if (*call_with(caller, procedure, args, NULL) != '\0')
        fail_msg("%s: %s", procedure, caller->uri);
    if (!json_equal(json_array_get(caller->args, 0), expected)) {
        json_dumpf(caller->args, stderr, 0);
        fail_msg("%s: another result", procedure);
    }
    json_decref(expected);
}

static json_int_t id_of(struct caller *caller, const char *procedure, const char *args)
{
    must(caller, procedure, args);
    return json_integer_value(json_array_get(caller->args, 0));
}

/* META-REG-1 to -5; Z3: an id of another realm is nobody's. */
static void the_meta_api_tells_what_is_registered(void **state)
{
    struct caller admin, mona, callee, other;
    json_int_t exact, prefix, wildcard, session;
    json_t *expected;

    join(&admin, *state, BONDY_MASTER_REALM, NULL);
    join(&callee, *state, "org.acme", NULL);
    join(&other, *state, "org.other", NULL);
    join(&mona, *state, "org.acme", "mona");
    session = (json_int_t)callee.session->id;
    provide(&callee, "com.p", "exact");
    provide(&callee, "com", "prefix");
    provide(&callee, "com..x", "wildcard");
    provide(&other, "com.p", "exact");
    exact = id_of(&mona, "wamp.registration.lookup", "['com.p']");
    prefix = id_of(&mona, "wamp.registration.lookup", "['com',{'match':'prefix'}]");
    wildcard = id_of(&mona, "wamp.registration.lookup", "['com..x',{'match':'wildcard'}]");
    assert_true(exact > 0 && exact < prefix && prefix < wildcard);
    expect(&mona, "wamp.registration.lookup", tree_of("['com']"), json_null());
    expect(
        &mona, "wamp.registration.list", json_array(),
        json_pack("{s:[I], s:[I], s:[I]}", "exact", exact, "prefix", prefix, "wildcard", wildcard));
    expect(&mona, "wamp.registration.match", tree_of("['com.p']"), json_integer(exact));
    expect(&mona, "wamp.registration.match", tree_of("['com.q.x']"), json_integer(prefix));
    expect(&mona, "wamp.registration.match", tree_of("['net.q.x']"), json_null());
    expect(&mona, "wamp.registration.match", tree_of("['com.q.x',{'all':true}]"),
           json_pack("[I, I]", prefix, wildcard));
    expect(&mona, "wamp.registration.match", tree_of("['net.q.x',{'all':true}]"), json_null());
    expect(&mona, "wamp.registration.list_callees", json_pack("[I]", exact),
           json_pack("[I]", session));
    expect(&mona, "wamp.registration.count_callees", json_pack("[I]", exact), json_integer(1));
    expect(&admin, "wamp.registration.count_callees", json_pack("[s, I]", "org.acme", exact),
           json_integer(1));
    assert_string_equal(call_with(&other, "wamp.registration.get", json_pack("[I]", exact), NULL),
                        "wamp.error.no_such_registration");
    must(&admin, "wamp.registration.list", "[]");
    assert_string_equal(call(&admin, "wamp.registration.list", "['org.nope']", "{}"),
                        "wamp.error.no_such_realm");
    assert_string_equal(call_with(&mona, "wamp.registration.get", json_pack("[I]", wildcard), NULL),
                        "");
    assert_int_equal(json_object_del(json_array_get(mona.args, 0), "created"), 0);
    expected = json_pack("{s:I, s:s, s:s, s:s}", "id", wildcard, "uri", "com..x", "match",
                         "wildcard", "invoke", "single");
    assert_true(json_equal(json_array_get(mona.args, 0), expected));
    json_decref(expected);
    leave(&callee);
    expect(&mona, "wamp.registration.list", json_array(),
           tree_of("{'exact':[],'prefix':[],'wildcard':[]}"));
    leave(&mona);
    leave(&other);
    leave(&admin);
}

/* META-SUB-1 to -5. */
static void the_meta_api_tells_what_is_subscribed(void **state)
{
    struct caller mona, zoe;
    json_int_t id;

    join(&mona, *state, "org.acme", "mona");
    join(&zoe, *state, "org.acme", "zoe");
    subscribe(&zoe, "com.t");
    id = id_of(&mona, "wamp.subscription.lookup", "['com.t']");
    expect(&mona, "wamp.subscription.lookup", tree_of("['com.t',{'match':'prefix'}]"), json_null());
    expect(&mona, "wamp.subscription.list", json_array(),
           json_pack("{s:[I], s:[], s:[]}", "exact", id, "prefix", "wildcard"));
    expect(&mona, "wamp.subscription.match", tree_of("['com.t']"), json_pack("[I]", id));
    expect(&mona, "wamp.subscription.match", tree_of("['com.u']"), json_null());
    expect(&mona, "wamp.subscription.list_subscribers", json_pack("[I]", id),
           json_pack("[I]", (json_int_t)zoe.session->id));
    expect(&mona, "wamp.subscription.count_subscribers", json_pack("[I]", id), json_integer(1));
    assert_string_equal(call_with(&mona, "wamp.subscription.get", json_pack("[I]", id), NULL), "");
    assert_int_equal(json_object_size(json_array_get(mona.args, 0)), 4);
    assert_string_equal(json_string_value(json_object_get(json_array_get(mona.args, 0), "match")),
                        "exact");
    leave(&zoe);
    assert_string_equal(
        call_with(&mona, "wamp.subscription.count_subscribers", json_pack("[I]", id), NULL),
        "wamp.error.no_such_subscription");
    leave(&mona);
}

static void the_audit_log_of_a_realm_is_its_own(void **state)
{
    struct caller admin, mona;

    join(&admin, *state, BONDY_MASTER_REALM, NULL);
    join(&mona, *state, "org.acme", "mona");
    must(&admin, "bondy.user.add", "['org.acme',{'username':'ann'}]");
    must(&admin, "bondy.user.add", "['org.other',{'username':'ann'}]");
    assert_string_equal(
        call(&mona, "bondy.audit.query", "[]", "{'action':'bondy.user.add','realm':'org.other'}"),
        "");
    assert_int_equal(json_array_size(json_array_get(mona.args, 0)), 1);
    assert_string_equal(json_string_value(json_object_get(
                            json_array_get(json_array_get(mona.args, 0), 0), "realm")),
                        "org.acme");
    assert_string_equal(call(&admin, "bondy.audit.query", "[]", "{'action':'bondy.user.add'}"), "");
    assert_int_equal(json_array_size(json_array_get(admin.args, 0)), 2);
    leave(&admin);
    leave(&mona);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_own_realm_may_be_left_out),
        TEST(nothing_that_is_sent_is_our_mistake),
        TEST(other_realms_are_closed_to_sessions_of_one),
        TEST(old_names_answer_and_say_the_new_one),
        TEST(ones_own_password_needs_the_old_one_and_anothers_a_permission),
        TEST(memberships_change_and_succeed),
        TEST(a_sixth_alias_is_one_too_many),
        TEST(changes_are_told_and_nothing_else_is),
        TEST(realms_are_told_on_the_master_realm),
        TEST(a_ticket_lives_until_it_is_revoked),
        TEST(sessions_are_shown_and_the_own_one_is_known),
        TEST(the_meta_api_takes_the_forms_of_the_standard),
        TEST(the_meta_api_tells_what_is_registered),
        TEST(the_meta_api_tells_what_is_subscribed),
        TEST(the_audit_log_of_a_realm_is_its_own),
    };

    assert_int_equal(bondy_id_start(NULL), BONDY_OK);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
