/* SPDX-License-Identifier: Apache-2.0 */
#include "src/ctl/commands.h"
#include "src/ctl/stream.h"
#include "src/wamp/codec.h"

/* One line: the topic is told by the router when the subscription is a pattern. */
static void print_event(const struct bondy_ctl_options *options, const struct bondy_message *event)
{
    json_t *details = bondy_value_tree(event->serializer, event->dict);
    json_t *line = json_object();
    json_t *topic = json_object_get(details, "topic");

    json_object_set_new(line, "topic",
                        topic != NULL ? json_incref(topic) : json_string(options->arguments[0]));
    json_object_set_new(line, "publication", json_integer((json_int_t)event->id2));
    json_object_set_new(line, "args", bondy_payload_args(&event->payload));
    json_object_set_new(line, "kwargs", bondy_payload_kwargs(&event->payload));
    bondy_ctl_print_json(line);
    json_decref(details);
}

static int print_events(struct bondy_client *client, const struct bondy_ctl_options *options)
{
    uint64_t left = options->count_number;
    struct bondy_message message;
    struct bondy_error err;
    int rc;

    while ((rc = bondy_client_receive(client, UINT64_MAX, &message, &err)) == BONDY_OK) {
        if (message.type == BONDY_UNSUBSCRIBED && message.id == 0)
            return bondy_ctl_fail(bondy_fail(&err, BONDY_EDENIED, "%s: %s", options->arguments[0],
                                             "not allowed any more, the subscription has ended"),
                                  &err);
        if (message.type != BONDY_EVENT)
            continue;
        print_event(options, &message);
        if (left > 0 && --left == 0)
            return BONDY_EXIT_OK;
    }
    return rc == BONDY_ESTATE ? BONDY_EXIT_OK : bondy_ctl_fail(rc, &err);
}

static int run(const struct bondy_ctl_options *options)
{
    struct bondy_client *client = NULL;
    struct bondy_message answer;
    int status = bondy_ctl_join(options, &client);

    if (status == BONDY_EXIT_OK) {
        struct bondy_message subscribe = {.type = BONDY_SUBSCRIBE,
                                          .id = bondy_client_next_id(client),
                                          .uri = bondy_slice_text(options->arguments[0]),
                                          .tree = options->options_tree};

        status = bondy_ctl_request(client, options, &subscribe, BONDY_SUBSCRIBED, &answer);
    }
    if (status == BONDY_EXIT_OK) {
        fprintf(stderr, "bondy: subscribed %s in realm %s\n", options->arguments[0],
                options->realm);
        status = print_events(client, options);
    }
    bondy_client_close(client);
    return status;
}

const struct bondy_ctl_verb bondy_cmd_subscribe = {
    .name = "subscribe",
    .usage = "URI",
    .help = "print each event of a topic as one line of JSON",
    .options = "options match count",
    .run = run,
};
