/* SPDX-License-Identifier: Apache-2.0 */
#include "src/ctl/commands.h"

#include <stdlib.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/ctl/keyfile.h"
#include "src/ctl/secret.h"
#include "src/ctl/stream.h"

int bondy_ctl_fail(int rc, const struct bondy_error *err)
{
    fprintf(stderr, "bondy: %s\n", err->text);
    return bondy_client_exit_status(rc);
}

int bondy_ctl_misuse(const struct bondy_error *err)
{
    fprintf(stderr, "bondy: %s\n", err->text);
    return BONDY_EXIT_USAGE;
}

/* A text, or "-" to ask for it, or a file. NULL stays NULL. */
static int read_secret(const char *name, const char *text, const char *file, char **out,
                       struct bondy_error *err)
{
    bool is_password = strcmp(name, "secret") == 0;
    char option[32];

    if (text != NULL && strcmp(text, "-") == 0)
        file = text;
    if (file == NULL) {
        *out = text == NULL ? NULL : bondy_strdup(text);
        return BONDY_OK;
    }
    snprintf(option, sizeof option, "--%s%s", name, file == text ? "" : "-file");
    return bondy_secret_read(option, file, is_password ? "Password: " : "Ticket: ", out, err);
}

int bondy_ctl_credentials(const struct bondy_ctl_options *options,
                          struct bondy_ctl_credentials *out)
{
    struct bondy_error err;
    int rc;

    *out = (struct bondy_ctl_credentials){0};
    out->authid = options->authid == NULL ? NULL : bondy_strdup(options->authid);
    rc = read_secret("secret", options->secret, options->secret_file, &out->secret, &err);
    if (rc == BONDY_OK)
        rc = read_secret("ticket", options->ticket, options->ticket_file, &out->ticket, &err);
    if (rc == BONDY_OK && options->key_file != NULL) {
        rc = bondy_keyfile_read(options->key_file, out->seed, &err);
        if (rc < 0)
            bondy_wrap(&err, "--key-file");
        out->has_seed = true;
    }
    unsetenv("BONDY_SECRET");
    unsetenv("BONDY_TICKET");
    return rc < 0 ? bondy_ctl_misuse(&err) : BONDY_EXIT_OK;
}

int bondy_ctl_join(const struct bondy_ctl_options *options, struct bondy_client **out)
{
    struct bondy_ctl_credentials credentials;
    struct bondy_client_options client = {.url = options->url,
                                          .realm = options->realm,
                                          .ca_file = options->ca_file,
                                          .is_insecure = options->insecure,
                                          .credentials = &credentials,
                                          .serializer = options->serializer_id,
                                          .timeout_ms = options->timeout_ms};
    int status = bondy_ctl_credentials(options, &credentials);
    struct bondy_error err;
    int rc = BONDY_OK;

    if (status == BONDY_EXIT_OK) {
        bondy_stream_catch_signals();
        rc = bondy_client_open(&client, out, &err);
    }
    bondy_ctl_credentials_fini(&credentials);
    return rc < 0 ? bondy_ctl_fail(rc, &err) : status;
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
