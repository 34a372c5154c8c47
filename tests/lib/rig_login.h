/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TESTS_LIB_RIG_LOGIN_H
#define BONDY_TESTS_LIB_RIG_LOGIN_H

/* rig_login: logins into the rig's realms with security, without store and pools. What a user is:
 *
 *   groups   list of names; HELLO.Details.authrole chooses one of them
 *   method   its only one: "trust" (the default) is let in at once, others are challenged
 *   secret   the right AUTHENTICATE.Signature
 *   asks     a procedure: the dynamic authenticator of the realm decides, asked with [realm,
 *            authid], and when the method is challenged with [realm, authid, signature]
 *   waits    true: nothing comes of a step before bondy_rig_login_go_on()
 *
 * Without authid (or with "anonymous") everybody is let in whom the realm's flags let in. */

#include "tests/lib/rig.h"

/* Called by the rig. */
void bondy_rig_login_start(struct bondy_rig *rig);
void bondy_rig_login_stop(struct bondy_rig *rig);

/* Adds a user or changes it: takes `about`. What it has standing is looked at again. */
void bondy_rig_put_user(struct bondy_rig *rig, const char *realm, const char *name, json_t *about);
/* Steps that wait go on, in the order they came. */
void bondy_rig_login_go_on(struct bondy_rig *rig);

#endif
