/* SPDX-License-Identifier: Apache-2.0 */
/* procedures_cluster: bondy.cluster.*, of a node that is a cluster of one: it links to nobody and
 * nobody can join. wamp-admin-api.md 2.11; cluster.md B18. */
#include "src/admin/procedures_local.h"
#include "src/base/clock.h"

static json_t *time_text(uint64_t wall_ms)
{
    char text[25];

    bondy_clock_format(wall_ms, text);
    return json_string(text);
}

static uint64_t started_wall_ms(const struct bondy_admin_node *node)
{
    return bondy_clock_wall_ms() - (bondy_clock_mono_ms() - node->started_mono_ms);
}

/* The node itself, as who sees it now. */
static json_t *member_of(const struct bondy_admin_node *node)
{
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:[]}", "name", node->name, "status", "alive",
                     "version", node->version, "since", time_text(started_wall_ms(node)),
                     "last_seen", time_text(bondy_clock_wall_ms()), "addrs");
}

static void run_info(struct bondy_admin_call *call)
{
    const char *name = call->node->name;

    bondy_admin_answer(call,
                       json_pack("{s:{s:s, s:[]}, s:[s]}", "node_spec", "name", name,
                                 "listen_addrs", "nodes", name),
                       NULL);
}

static void run_members(struct bondy_admin_call *call)
{
    bondy_admin_answer(call, json_pack("[o]", member_of(call->node)), NULL);
}

static void run_connections(struct bondy_admin_call *call)
{
    bondy_admin_answer(call, json_array(), NULL);
}

static void run_status(struct bondy_admin_call *call)
{
    const struct bondy_admin_node *node = call->node;

    bondy_admin_answer(call,
                       json_pack("{s:s, s:s, s:s, s:[o], s:[]}", "node", node->name, "status",
                                 node->status(node->context), "version", node->version, "members",
                                 member_of(node), "partitions"),
                       NULL);
}

const struct bondy_procedure_row bondy_procedures_cluster[] = {
    {.info = {"bondy.cluster.info", NULL, 0, 0, 'M', "",
              "the node as others would link to it, and the names of all nodes", "0.1"},
     .run = run_info},
    {.info = {"bondy.cluster.members", NULL, 0, 0, 'M', "", "the nodes of the cluster", "0.1"},
     .run = run_members},
    {.info = {"bondy.cluster.connections", NULL, 0, 0, 'M', "", "the links of this node to others",
              "0.1"},
     .run = run_connections},
    {.info = {"bondy.cluster.status", NULL, 0, 0, 'M', "",
              "how this node sees itself and the cluster", "0.1"},
     .run = run_status},
    {.info = {.uri = NULL}}};
