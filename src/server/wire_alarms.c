/* SPDX-License-Identifier: Apache-2.0 */
#include "src/admin/tell.h"
#include "src/base/alarm.h"
#include "src/base/alloc.h"
#include "src/security/entity/realm.h"
#include "src/server/wire.h"

/* What the node itself has to say, as events of the master realm: alarms, certificates. */

struct telling {
    struct bondy_mail mail;
    struct bondy_server_thread *thread;
    const char *topic;
    json_t *args, *kwargs;
};

static void tell_now(struct bondy_mail *mail)
{
    struct telling *telling = BONDY_CONTAINER(mail, struct telling, mail);
    struct bondy_router_thread *router = telling->thread->router;

    if (router != NULL) {
        bondy_admin_tell_on(router, BONDY_SLICE(BONDY_MASTER_REALM), telling->topic, telling->args,
                            telling->kwargs);
    } else {
        json_decref(telling->args);
        json_decref(telling->kwargs);
    }
    bondy_free(telling);
}

void bondy_server_tell(struct bondy_server *server, const char *topic, json_t *args, json_t *kwargs)
{
    struct telling *telling = bondy_alloc(sizeof *telling);

    *telling = (struct telling){.mail.run = tell_now,
                                .thread = &server->threads[0],
                                .topic = topic,
                                .args = args,
                                .kwargs = kwargs};
    bondy_loop_post(server->threads[0].loop, &telling->mail);
}

static void on_alarm(void *context, bool is_set, json_t *item)
{
    bondy_server_tell(context, is_set ? "bondy.alarm.set" : "bondy.alarm.cleared",
                      json_pack("[o]", item), NULL);
}

void bondy_server_tell_alarms(struct bondy_server *server, bool is_on)
{
    bondy_alarm_listen(is_on ? on_alarm : NULL, server);
}
