/* SPDX-License-Identifier: Apache-2.0 */
#include "src/ctl/call.h"
#include "src/ctl/commands.h"

/* verbs_admin: the verbs of administration, one row each. How a form is read: call.h.
 * wamp-admin-api.md 2. */

#define LIST "limit cursor query fields sort "
#define CHANGE "dry-run if-version "

#define REALM "description authmethods allow-connections security prototype sso-realm data "
#define USER "groups authorized-keys enabled meta password-file data "
#define GROUP "groups meta data "

#define CALL(name_, usage_, help_, options_, procedure_, form_)                                    \
    {                                                                                              \
        .name = name_, .usage = usage_, .help = help_, .options = options_ "kwargs",               \
        .procedure = procedure_, .form = form_, .run = bondy_ctl_run_call                          \
    }

const struct bondy_ctl_verb bondy_verbs_admin[] = {
    CALL("realm list", "", "the realms", LIST, "bondy.realm.list", ""),
    CALL("realm get", "URI", "one realm", "", "bondy.realm.get", "s"),
    CALL("realm create", "[URI]", "make a realm", REALM "dry-run ", "bondy.realm.create",
         ">uri? {"),
    CALL("realm update", "URI", "change what the options name", REALM CHANGE, "bondy.realm.update",
         "s {"),
    CALL("realm delete", "URI", "delete a realm; --force: with its users", "force " CHANGE,
         "bondy.realm.delete", "s"),
    CALL("realm suspend", "URI", "take no new sessions", "dry-run ", "bondy.realm.suspend", "s"),
    CALL("realm resume", "URI", "take new sessions again", "dry-run ", "bondy.realm.resume", "s"),
    CALL("realm close-sessions", "URI", "end all sessions", "reason message ",
         "bondy.realm.close_sessions", "s"),
    CALL("realm rotate-keys", "URI", "make new signing keys; old ones verify for a while",
         "dry-run ", "bondy.realm.keys.rotate", "s"),
    CALL("realm stats", "URI", "how much is in it", "", "bondy.realm.stats", "s"),
    CALL("realm export", "URI", "the realm as JSON, for import", "include ", "bondy.realm.export",
         "s"),
    CALL("realm import", "FILE", "bring realms to what a file says", "mode dry-run ",
         "bondy.realm.import", "F"),

    CALL("user list", "REALM", "the users of a realm", LIST, "bondy.user.list", "s"),
    CALL("user get", "REALM USERNAME", "one user, by name or alias", "", "bondy.user.get", "s s"),
    CALL("user add", "REALM [USERNAME]", "add a user", USER "if-exists dry-run ", "bondy.user.add",
         "s >username? {"),
    CALL("user update", "REALM USERNAME", "change what the options name", USER CHANGE,
         "bondy.user.update", "s s {"),
    CALL("user delete", "REALM USERNAME", "delete a user and close its sessions", "force " CHANGE,
         "bondy.user.delete", "s s"),
    CALL("user passwd", "REALM USERNAME", "set a password; it is asked for unless a file has it",
         "password-file old-password-file dry-run ", "bondy.user.change_password",
         "s s $password $old_password?"),
    CALL("user enable", "REALM USERNAME", "let a user log in", "dry-run ", "bondy.user.enable",
         "s s"),
    CALL("user disable", "REALM USERNAME", "keep a user out and close its sessions", "dry-run ",
         "bondy.user.disable", "s s"),
    CALL("user add-alias", "REALM USERNAME ALIAS", "add another name to log in with", "dry-run ",
         "bondy.user.add_alias", "s s s"),
    CALL("user remove-alias", "REALM USERNAME ALIAS", "take it away", "dry-run ",
         "bondy.user.remove_alias", "s s s"),
    CALL("user add-group", "REALM USERNAME GROUP[,...]", "make it a member", "dry-run ",
         "bondy.user.add_groups", "s s l"),
    CALL("user remove-group", "REALM USERNAME GROUP[,...]", "take it out", "dry-run ",
         "bondy.user.remove_groups", "s s l"),
    CALL("user add-key", "REALM USERNAME KEY", "add a public key for cryptosign", "dry-run ",
         "bondy.user.add_authorized_key", "s s s"),
    CALL("user remove-key", "REALM USERNAME KEY", "take it away", "dry-run ",
         "bondy.user.remove_authorized_key", "s s s"),
    CALL("user grants", "REALM USERNAME", "all that a user may do", "", "bondy.user.grants", "s s"),
    CALL("user sessions", "REALM USERNAME", "the sessions of a user", "limit cursor fields sort ",
         "bondy.user.sessions", "s s"),
    CALL("user authmethods", "REALM USERNAME", "how a user can log in, and why not otherwise",
         "ip ", "bondy.user.authmethods", "s s"),

    CALL("group list", "REALM", "the groups of a realm", LIST, "bondy.group.list", "s"),
    CALL("group get", "REALM NAME", "one group", "", "bondy.group.get", "s s"),
    CALL("group add", "REALM [NAME]", "add a group", GROUP "dry-run ", "bondy.group.add",
         "s >name? {"),
    CALL("group update", "REALM NAME", "change what the options name", GROUP CHANGE,
         "bondy.group.update", "s s {"),
    CALL("group delete", "REALM NAME", "delete a group", CHANGE, "bondy.group.delete", "s s"),
    CALL("group add-group", "REALM NAME GROUP[,...]", "make it a member of others", "dry-run ",
         "bondy.group.add_groups", "s s l"),
    CALL("group remove-group", "REALM NAME GROUP[,...]", "take it out of others", "dry-run ",
         "bondy.group.remove_groups", "s s l"),
    CALL("group members", "REALM NAME", "who is in it", "", "bondy.group.members", "s s"),
    CALL("group grants", "REALM NAME", "all that its members may do by it", "",
         "bondy.group.grants", "s s"),

    CALL("source list", "REALM", "who may log in from where, and how", LIST, "bondy.source.list",
         "s"),
    CALL("source add", "REALM", "let users log in from a network with a method",
         "usernames authmethod cidr meta data dry-run ", "bondy.source.add", "s {"),
    CALL("source delete", "REALM USERNAME[,...] CIDR [AUTHMETHOD]", "take that back", "dry-run ",
         "bondy.source.delete", "s l s s?"),
    CALL("source match", "REALM USERNAME [ADDRESS]", "the sources that count for a user", "",
         "bondy.source.match", "s s s?"),

    CALL("grant list", "REALM", "who may do what", LIST, "bondy.realm.grants", "s"),
    CALL("grant add", "REALM", "let roles do something",
         "roles permissions uri match meta data dry-run ", "bondy.grant.create", "s {"),
    CALL("grant revoke", "REALM", "take that back", "roles permissions uri match data dry-run ",
         "bondy.grant.revoke", "s {"),
    CALL("explain", "REALM AUTHID PERMISSION URI", "why a user may do something, or not",
         "match authroles ip authmethod ", "bondy.rbac.explain", "s s s s"),

    CALL("session list", "REALM", "the sessions of a realm",
         "authid authrole limit cursor fields sort ", "bondy.session.list", "s"),
    CALL("session get", "REALM SESSION", "one session", "", "bondy.session.get", "s n"),
    CALL("session kill", "REALM SESSION", "end a session", "reason message ", "bondy.session.close",
         "s n"),
    CALL("session kill-many", "REALM", "end the sessions of a user or a role",
         "authid authrole reason message ", "bondy.session.close_many", "s"),

    CALL("ticket list", "REALM AUTHID", "the tickets of a user", "", "bondy.ticket.list", "s s"),
    CALL("ticket revoke", "REALM AUTHID ID", "end a ticket", "", "bondy.ticket.revoke",
         "s .authid s"),
    CALL("ticket revoke-all", "REALM AUTHID", "end all tickets of a user", "",
         "bondy.ticket.revoke_all", "s s"),
    CALL("ticket verify", "", "whether a ticket is good; it is asked for unless a file has it",
         "ticket-file ", "bondy.ticket.verify", "$ticket"),
    CALL("api-key list", "REALM", "the API keys of a realm", LIST, "bondy.api_key.list", "s"),
    CALL("api-key add", "REALM AUTHID", "make an API key; it is shown once",
         "expires-at cidrs meta data dry-run ", "bondy.api_key.add", "s >authid {"),
    CALL("api-key delete", "REALM ID", "end an API key", "dry-run ", "bondy.api_key.delete", "s s"),

    CALL("api list", "", "the API specifications", "", "bondy.http_gateway.api.list", ""),
    CALL("api get", "ID", "one API specification", "", "bondy.http_gateway.api.get", "s"),
    CALL("api check", "FILE", "whether a specification could be loaded", "",
         "bondy.http_gateway.api.check", "f"),
    CALL("api load", "FILE", "load a specification", "dry-run ", "bondy.http_gateway.api.load",
         "f"),
    CALL("api delete", "ID", "delete a specification and its routes", CHANGE,
         "bondy.http_gateway.api.delete", "s"),

    CALL("backup create", "", "begin a copy of the store", "path data ", "bondy.backup.create",
         "{?"),
    CALL("backup list", "", "the copies, newest first", "", "bondy.backup.list", ""),
    CALL("backup status", "[FILENAME]", "what runs, or what a copy is", "data ",
         "bondy.backup.status", ">filename? {?"),
    CALL("backup verify", "FILENAME", "read a whole copy and check it", "data ",
         "bondy.backup.verify", ">filename {"),
    CALL("backup restore", "FILENAME", "begin to take the records of a copy back",
         "mode data dry-run ", "bondy.backup.restore", ">filename {"),
    CALL("audit", "", "what was done and refused, newest first",
         "since until realm actor action outcome limit cursor ", "bondy.audit.query", ""),
    CALL("status", "", "version, node, status, checks", "", "bondy.status", ""),

    CALL("admin call", "PROCEDURE [ARGUMENT...]",
         "call any procedure of the admin API; arguments are JSON, plain words are strings", "",
         NULL, "s j..."),
    {.name = "admin",
     .usage = "METHOD PATH [JSON]",
     .help = "send any request to the admin API",
     .detail = "JSON is a value, a file's name, or - for standard input.\n"
               "bondy admin call PROCEDURE calls a procedure.\n",
     .form = "s s f?",
     .run = bondy_ctl_run_request},
    {.name = NULL},
};
