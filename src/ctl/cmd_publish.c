/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "src/ctl/commands.h"

static int publish(struct bondy_client *client, const struct bondy_ctl_options *options,
                   const struct bondy_message *message)
{
    struct bondy_message answer;
    struct bondy_error err;
    int status, rc;

    if (!options->acknowledge) {
        rc = bondy_client_send(client, message, &err);
        return rc < 0 ? bondy_ctl_fail(rc, &err) : BONDY_EXIT_OK;
    }
    status = bondy_ctl_request(client, options, message, BONDY_PUBLISHED, &answer);
    if (status != BONDY_EXIT_OK)
        return status;
    if (options->output_json)
        bondy_ctl_print_json(json_pack("{s:I}", "publication", (json_int_t)answer.id2));
    else
        printf("%" PRIu64 "\n", answer.id2);
    return BONDY_EXIT_OK;
}

static int run(const struct bondy_ctl_options *options)
{
    json_t *args = bondy_ctl_arguments(options);
    struct bondy_client *client = NULL;
    int status = bondy_ctl_join(options, &client);

    if (status == BONDY_EXIT_OK) {
        struct bondy_message message = {.type = BONDY_PUBLISH,
                                        .id = bondy_client_next_id(client),
                                        .uri = bondy_slice_text(options->arguments[0]),
                                        .tree = options->options_tree};

        if (options->acknowledge)
            json_object_set_new(options->options_tree, "acknowledge", json_true());
        message.payload = bondy_client_payload(client, args, options->kwargs_tree);
        status = publish(client, options, &message);
    }
    bondy_client_close(client);
    json_decref(args);
    return status;
}

const struct bondy_ctl_verb bondy_cmd_publish = {
    .name = "publish",
    .usage = "URI [ARGUMENT...]",
    .help = "publish an event to a topic",
    .options = "kwargs options acknowledge",
    .run = run,
};
