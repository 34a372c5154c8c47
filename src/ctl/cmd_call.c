/* SPDX-License-Identifier: Apache-2.0 */
#include "src/ctl/commands.h"
#include "src/wamp/codec.h"

/* How much longer than the call itself we wait: the router's own timeout should answer first. */
#define GRACE_MS 2000

/* A text stands for itself, everything else is JSON; one argument a line. */
static void print_text(const json_t *args, const json_t *kwargs)
{
    const json_t *value;
    size_t i;

    json_array_foreach(args, i, value)
    {
        if (json_is_string(value))
            printf("%.*s\n", (int)json_string_length(value), json_string_value(value));
        else
            bondy_ctl_print_json(json_incref((json_t *)value));
    }
    if (json_object_size(kwargs) > 0)
        bondy_ctl_print_json(json_incref((json_t *)kwargs));
}

static void print_result(const struct bondy_ctl_options *options,
                         const struct bondy_message *result)
{
    json_t *args = bondy_payload_args(&result->payload);
    json_t *kwargs = bondy_payload_kwargs(&result->payload);

    if (options->output_json)
        bondy_ctl_print_json(json_pack("{s:O, s:O}", "args", args, "kwargs", kwargs));
    else
        print_text(args, kwargs);
    json_decref(args);
    json_decref(kwargs);
}

static int run(const struct bondy_ctl_options *options)
{
    struct bondy_ctl_options waits = *options;
    json_t *args = bondy_ctl_arguments(options);
    struct bondy_client *client = NULL;
    struct bondy_message result;
    int status = bondy_ctl_join(options, &client);

    if (status == BONDY_EXIT_OK) {
        struct bondy_message call = {.type = BONDY_CALL,
                                     .id = bondy_client_next_id(client),
                                     .uri = bondy_slice_text(options->arguments[0]),
                                     .tree = options->options_tree};

        if (json_object_get(options->options_tree, "timeout") == NULL)
            json_object_set_new(options->options_tree, "timeout",
                                json_integer((json_int_t)options->timeout_ms));
        waits.timeout_ms += GRACE_MS;
        call.payload = bondy_client_payload(client, args, options->kwargs_tree);
        status = bondy_ctl_request(client, &waits, &call, BONDY_RESULT, &result);
        if (status == BONDY_EXIT_OK)
            print_result(options, &result);
    }
    bondy_client_close(client);
    json_decref(args);
    return status;
}

const struct bondy_ctl_verb bondy_cmd_call = {
    .name = "call",
    .usage = "URI [ARGUMENT...]",
    .help = "call a procedure and print its result; arguments are JSON, plain words are strings",
    .options = "kwargs options",
    .run = run,
};
