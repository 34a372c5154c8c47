/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "src/base/alloc.h"
#include "src/ctl/commands.h"
#include "src/ctl/program.h"
#include "src/ctl/stream.h"
#include "src/wamp/codec.h"
#include "src/wamp/errors.h"

/* register: each invocation runs the program once, with the call as a JSON object on its standard
 * input and never on its command line. Some run at once, some wait, the rest is refused. One poll
 * over the connection and all programs. */

#define WAITING_MAX 1000

struct waiting {
    struct bondy_list link;
    uint64_t request;
    struct bondy_buf input;
};

struct callee {
    const struct bondy_ctl_options *options;
    struct bondy_client *client;
    struct bondy_list running; /* struct bondy_program */
    struct bondy_list waiting;
    unsigned running_count, waiting_count;
};

static int send_error(struct callee *callee, uint64_t request, const char *uri, const char *text,
                      struct bondy_error *err)
{
    json_t *args = json_array();
    struct bondy_message message = {.type = BONDY_ERROR,
                                    .request_type = BONDY_INVOCATION,
                                    .id = request,
                                    .uri = bondy_slice_text(uri)};
    json_t *value = json_string(text); /* NULL: not UTF-8 */
    int rc;

    json_array_append_new(args, value != NULL ? value : json_string("the program failed"));
    message.payload = bondy_client_payload(callee->client, args, NULL);
    rc = bondy_client_send(callee->client, &message, err);
    json_decref(args);
    return rc;
}

/* JSON if it is JSON, else text without its last newline; nothing at all is a result without value.
 */
static json_t *result_of(struct bondy_buf *output)
{
    json_t *args = json_array(), *value;
    struct bondy_slice text = bondy_buf_slice(output);

    if (text.len == 0)
        return args;
    value = bondy_json_parse(text, 31, NULL);
    if (value == NULL) {
        if (text.data[text.len - 1] == '\n')
            text.len--;
        value = json_stringn(text.data, text.len);
    }
    if (value == NULL) { /* not UTF-8: WAMP's JSON form of binary is not worth it here */
        json_decref(args);
        return NULL;
    }
    json_array_append_new(args, value);
    return args;
}

static int send_yield(struct callee *callee, struct bondy_program *program, struct bondy_error *err)
{
    json_t *args = result_of(&program->output);
    struct bondy_message message = {.type = BONDY_YIELD, .id = program->request};
    int rc;

    if (args == NULL)
        return send_error(callee, program->request, BONDY_ERR_INTERNAL,
                          "the program's output is not text", err);
    message.payload = bondy_client_payload(callee->client, args, NULL);
    rc = bondy_client_send(callee->client, &message, err);
    json_decref(args);
    if (rc == BONDY_ELIMIT)
        rc = send_error(callee, program->request, BONDY_ERR_PAYLOAD_SIZE_EXCEEDED, err->text, err);
    return rc;
}

/* request 0: the call was canceled and answered. */
static int answer(struct callee *callee, struct bondy_program *program, struct bondy_error *err)
{
    char text[1100];

    if (program->request == 0)
        return BONDY_OK;
    if (program->is_over_limit)
        return send_error(callee, program->request, BONDY_ERR_PAYLOAD_SIZE_EXCEEDED,
                          "the program's output is too long", err);
    if (WIFEXITED(program->status) && WEXITSTATUS(program->status) == 0)
        return send_yield(callee, program, err);
    if (program->last_line.len > 0)
        snprintf(text, sizeof text, "%.*s", (int)program->last_line.len, program->last_line.data);
    else if (WIFSIGNALED(program->status))
        snprintf(text, sizeof text, "the program was ended by signal %d",
                 WTERMSIG(program->status));
    else
        snprintf(text, sizeof text, "the program ended with status %d",
                 WEXITSTATUS(program->status));
    return send_error(callee, program->request, BONDY_ERR_INTERNAL, text, err);
}

/* ---- invocations ---- */

static int start(struct callee *callee, uint64_t request, struct bondy_buf *input,
                 struct bondy_error *err)
{
    struct bondy_program *program;
    struct bondy_error why;

    if (bondy_program_start(callee->options->program, input, &program, &why) < 0) {
        fprintf(stderr, "bondy: %s\n", why.text);
        return send_error(callee, request, BONDY_ERR_INTERNAL, why.text, err);
    }
    program->request = request;
    bondy_list_append(&callee->running, &program->link);
    callee->running_count++;
    return BONDY_OK;
}

static void format_input(const struct bondy_message *message, struct bondy_buf *out)
{
    json_t *call = json_object();
    json_t *details = bondy_value_tree(message->serializer, message->dict);
    json_t *procedure = json_object_get(details, "procedure");

    json_object_set_new(call, "args", bondy_payload_args(&message->payload));
    json_object_set_new(call, "kwargs", bondy_payload_kwargs(&message->payload));
    if (procedure != NULL) /* told when the registration is a pattern */
        json_object_set(call, "procedure", procedure);
    bondy_json_format(call, out);
    bondy_buf_append_byte(out, '\n');
    json_decref(details);
    json_decref(call);
}

static int on_invocation(struct callee *callee, const struct bondy_message *message,
                         struct bondy_error *err)
{
    struct bondy_buf input = BONDY_BUF_EMPTY;
    struct waiting *waiting;

    if (callee->waiting_count >= WAITING_MAX)
        return send_error(callee, message->id, BONDY_ERR_UNAVAILABLE, "too many calls wait here",
                          err);
    format_input(message, &input);
    if (callee->running_count < callee->options->concurrency_number)
        return start(callee, message->id, &input, err);
    waiting = bondy_zalloc(sizeof *waiting);
    waiting->request = message->id;
    waiting->input = input;
    bondy_list_append(&callee->waiting, &waiting->link);
    callee->waiting_count++;
    return BONDY_OK;
}

static void drop_waiting(struct callee *callee, struct waiting *waiting)
{
    bondy_list_remove(&waiting->link);
    bondy_buf_fini(&waiting->input);
    bondy_free(waiting);
    callee->waiting_count--;
}

/* WAMP, Call Canceling: the program is ended, the caller told. */
static int on_interrupt(struct callee *callee, uint64_t request, struct bondy_error *err)
{
    bool found = false;

    BONDY_LIST_EACH(link, &callee->running)
    {
        struct bondy_program *program = BONDY_LIST_ENTRY(link, struct bondy_program, link);

        if (program->request == request) {
            bondy_program_kill(program);
            program->request = 0;
            found = true;
        }
    }
    BONDY_LIST_EACH_SAFE(link, &callee->waiting)
    {
        struct waiting *waiting = BONDY_LIST_ENTRY(link, struct waiting, link);

        if (waiting->request == request) {
            drop_waiting(callee, waiting);
            found = true;
        }
    }
    return found ? send_error(callee, request, BONDY_ERR_CANCELED, "canceled", err) : BONDY_OK;
}

static int read_messages(struct callee *callee, struct bondy_error *err)
{
    struct bondy_message message;
    int rc;

    while ((rc = bondy_client_receive(callee->client, 0, &message, err)) == BONDY_OK) {
        if (message.type == BONDY_INVOCATION)
            rc = on_invocation(callee, &message, err);
        else if (message.type == BONDY_INTERRUPT)
            rc = on_interrupt(callee, message.id, err);
        else if (message.type == BONDY_UNREGISTERED && message.id == 0)
            rc = bondy_fail(err, BONDY_EDENIED, "%s: not allowed any more, the registration ended",
                            callee->options->arguments[0]);
        if (rc < 0)
            return rc;
    }
    return rc == BONDY_EAGAIN ? BONDY_OK : rc;
}

static int finish(struct callee *callee, struct bondy_program *program, struct bondy_error *err)
{
    int rc = answer(callee, program, err);

    bondy_list_remove(&program->link);
    bondy_program_destroy(program);
    callee->running_count--;
    if (rc == BONDY_OK && callee->waiting_count > 0) {
        struct waiting *next = BONDY_LIST_ENTRY(callee->waiting.next, struct waiting, link);

        rc = start(callee, next->request, &next->input, err);
        drop_waiting(callee, next);
    }
    return rc;
}

/* ---- the loop ---- */

static int poll_all(struct callee *callee, struct pollfd *polls, size_t *count,
                    struct bondy_error *err)
{
    sigset_t none;

    *count = 0;
    polls[(*count)++] = (struct pollfd){bondy_client_fd(callee->client), POLLIN, 0};
    BONDY_LIST_EACH(link, &callee->running)
    {
        bondy_program_poll(BONDY_LIST_ENTRY(link, struct bondy_program, link), polls + *count);
        *count += BONDY_PROGRAM_POLLS;
    }
    sigemptyset(&none);
    if (!bondy_stream_stopping() && ppoll(polls, *count, NULL, &none) < 0 && errno != EINTR)
        return bondy_fail(err, BONDY_EIO, "poll: %s", strerror(errno));
    return bondy_stream_stopping() ? BONDY_ESTATE : BONDY_OK;
}

static int turn(struct callee *callee, struct pollfd *polls, struct bondy_error *err)
{
    size_t count, at = 1;
    int rc = poll_all(callee, polls, &count, err);

    if (rc < 0)
        return rc;
    /* Programs first: those that start while messages are read have no entry yet. */
    BONDY_LIST_EACH_SAFE(link, &callee->running)
    {
        struct bondy_program *program = BONDY_LIST_ENTRY(link, struct bondy_program, link);

        if (at >= count)
            break;
        bondy_program_turn(program, polls + at);
        at += BONDY_PROGRAM_POLLS;
        if (program->is_done && (rc = finish(callee, program, err)) < 0)
            return rc;
    }
    return polls[0].revents != 0 ? read_messages(callee, err) : BONDY_OK;
}

static int serve(struct callee *callee)
{
    size_t room = 1 + (size_t)callee->options->concurrency_number * BONDY_PROGRAM_POLLS;
    struct pollfd *polls = bondy_calloc(room, sizeof *polls);
    struct bondy_error err = {0};
    int rc = read_messages(callee, &err);

    while (rc == BONDY_OK)
        rc = turn(callee, polls, &err);
    bondy_free(polls);
    BONDY_LIST_EACH_SAFE(link, &callee->running)
    {
        bondy_list_remove(link);
        bondy_program_destroy(BONDY_LIST_ENTRY(link, struct bondy_program, link));
    }
    BONDY_LIST_EACH_SAFE(link, &callee->waiting)
    drop_waiting(callee, BONDY_LIST_ENTRY(link, struct waiting, link));
    return rc == BONDY_ESTATE ? BONDY_EXIT_OK : bondy_ctl_fail(rc, &err);
}

static int run(const struct bondy_ctl_options *options)
{
    struct callee callee = {.options = options};
    struct bondy_message answer_;
    int status = bondy_ctl_join(options, &callee.client);

    bondy_list_init(&callee.running);
    bondy_list_init(&callee.waiting);
    if (status == BONDY_EXIT_OK) {
        struct bondy_message message = {.type = BONDY_REGISTER,
                                        .id = bondy_client_next_id(callee.client),
                                        .uri = bondy_slice_text(options->arguments[0]),
                                        .tree = options->options_tree};

        status = bondy_ctl_request(callee.client, options, &message, BONDY_REGISTERED, &answer_);
    }
    if (status == BONDY_EXIT_OK) {
        fprintf(stderr, "bondy: registered %s in realm %s\n", options->arguments[0],
                options->realm);
        status = serve(&callee);
    }
    bondy_client_close(callee.client);
    return status;
}

const struct bondy_ctl_verb bondy_cmd_register = {
    .name = "register",
    .usage = "URI -- PROGRAM [ARGUMENT...]",
    .help = "answer calls of a procedure by running a program",
    .detail =
        "Each call runs the program once, with {\"args\": [...], \"kwargs\": {...}} on its "
        "standard\n"
        "input. Its output, JSON or text, is the result. Another exit status than 0 is an error\n"
        "with the last line of its standard error.\n",
    .options = "options match concurrency",
    .takes_program = true,
    .run = run,
};
