/* SPDX-License-Identifier: Apache-2.0 */
#include "src/ctl/commands.h"

#include "src/base/clock.h"

int bondy_ctl_fail(int rc, const struct bondy_error *err)
{
    fprintf(stderr, "bondy: %s\n", err->text);
    return bondy_client_exit_status(rc);
}

int bondy_ctl_join(const struct bondy_ctl_options *options, struct bondy_client **out)
{
    struct bondy_client_options client = {.url = options->url,
                                          .realm = options->realm,
                                          .ca_file = options->ca_file,
                                          .serializer = options->serializer_id,
                                          .timeout_ms = options->timeout_ms};
    struct bondy_error err;
    int rc = bondy_client_open(&client, out, &err);

    return rc < 0 ? bondy_ctl_fail(rc, &err) : BONDY_EXIT_OK;
}

json_t *bondy_ctl_arguments(const struct bondy_ctl_options *options)
{
    json_t *args = json_array();

    for (size_t i = 1; i < options->argument_count; i++)
        json_array_append_new(args, bondy_ctl_value(options->arguments[i]));
    return args;
}

static bool is_answer(const struct bondy_message *message, const struct bondy_message *request,
                      enum bondy_message_type expected)
{
    if (message->id != request->id)
        return false;
    return message->type == expected ||
           (message->type == BONDY_ERROR && message->request_type == request->type);
}

int bondy_ctl_request(struct bondy_client *client, const struct bondy_ctl_options *options,
                      const struct bondy_message *request, enum bondy_message_type expected,
                      struct bondy_message *answer)
{
    uint64_t deadline_ms = bondy_clock_mono_ms() + options->timeout_ms;
    struct bondy_error err;
    int rc = bondy_client_send(client, request, &err);

    while (rc == BONDY_OK) {
        rc = bondy_client_receive(client, deadline_ms, answer, &err);
        if (rc == BONDY_OK && is_answer(answer, request, expected))
            break;
    }
    if (rc == BONDY_EAGAIN)
        bondy_wrap(&err, "%s", options->arguments[0]);
    if (rc < 0) {
        int status = bondy_ctl_fail(rc, &err);

        return rc == BONDY_EAGAIN ? BONDY_EXIT_ERROR : status;
    }
    if (answer->type == BONDY_ERROR)
        return bondy_client_report(answer, options->arguments[0]);
    return BONDY_EXIT_OK;
}

void bondy_ctl_print_json(json_t *value)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;

    bondy_json_format(value, &text);
    bondy_buf_append_byte(&text, '\n');
    fwrite(text.data, 1, text.len, stdout);
    fflush(stdout);
    bondy_buf_fini(&text);
    json_decref(value);
}
