/* SPDX-License-Identifier: Apache-2.0 */

/* cmd_admin: asks the admin API what a verb of administration says, and prints the answer. */

#include <sodium.h>
#include <unistd.h>

#include "src/base/problem.h"
#include "src/ctl/admin.h"
#include "src/ctl/call.h"
#include "src/ctl/commands.h"
#include "src/ctl/http.h"
#include "src/ctl/secret.h"
#include "src/ctl/table.h"

#include "config.h"

#define DEFAULT_SOCKET "unix:" BONDY_LOCALSTATEDIR "/lib/bondy/admin.sock"
#define DEFAULT_HTTP "http://127.0.0.1:18081"
#define JSON_DEPTH 64

/* ---- where, and as whom ---------------------------------------------------------------------- */

struct secrets {
    char *password, *token;
};

static void forget(struct secrets *secrets)
{
    bondy_secret_destroy(secrets->password);
    bondy_secret_destroy(secrets->token);
}

static int find_place(const struct bondy_ctl_options *options, struct bondy_http_place *out,
                      struct secrets *secrets, struct bondy_error *err)
{
    const char *password = options->admin_password_file;
    bool has_any =
        options->admin_user != NULL || password != NULL || options->admin_token_file != NULL;
    int rc = BONDY_OK;

    *out = (struct bondy_http_place){.url = options->admin_url,
                                     .ca_file = options->ca_file,
                                     .is_insecure = options->insecure,
                                     .timeout_ms = options->timeout_ms};
    if (out->url == NULL)
        out->url = has_any ? DEFAULT_HTTP : DEFAULT_SOCKET;
    if (options->admin_token_file != NULL) {
        rc = bondy_secret_read("--admin-token-file", options->admin_token_file,
                               "Token: ", &secrets->token, err);
        out->token = secrets->token;
    } else if (has_any) {
        out->user = options->admin_user != NULL ? options->admin_user : "admin";
        rc = bondy_secret_read("--admin-password-file", password != NULL ? password : "-",
                               "Password: ", &secrets->password, err);
        out->password = secrets->password;
    }
    return rc;
}

/* ---- what comes back ------------------------------------------------------------------------- */

static bool is_for_people(const struct bondy_ctl_options *options)
{
    return options->output != NULL ? !options->output_json : isatty(STDOUT_FILENO) == 1;
}

void bondy_admin_print(const struct bondy_ctl_options *options, const json_t *value)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;

    if (value == NULL)
        return;
    if (is_for_people(options)) {
        bondy_table_format(value, &text);
    } else {
        bondy_json_format(value, &text);
        bondy_buf_append_byte(&text, '\n');
    }
    fwrite(text.data, 1, text.len, stdout);
    fflush(stdout);
    bondy_buf_fini(&text);
}

static void add_line(struct bondy_buf *out, const char *indent, const char *text)
{
    if (text == NULL || *text == '\0')
        return;
    bondy_buf_append_text(out, indent);
    bondy_table_text(bondy_slice_text(text), false, out);
    bondy_buf_append_byte(out, '\n');
}

/* Message and code, then what helps. */
static void describe(const json_t *problem, const char *code, struct bondy_buf *out)
{
    const char *message = json_string_value(json_object_get(problem, "message"));
    const json_t *names = json_object_get(json_object_get(problem, "details"), "names");
    const json_t *errors = json_object_get(problem, "errors");

    bondy_buf_append_text(out, "bondy: ");
    bondy_table_text(bondy_slice_text(message == NULL || *message == '\0' ? "it failed" : message),
                     false, out);
    if (json_is_array(names)) {
        bondy_buf_append_byte(out, ' ');
        bondy_json_format(names, out);
    }
    bondy_buf_append_text(out, " (");
    bondy_table_text(bondy_slice_text(code), false, out);
    bondy_buf_append_text(out, ")\n");
    add_line(out, "  ", json_string_value(json_object_get(problem, "description")));
    for (size_t i = 0; i < json_array_size(errors); i++) {
        const json_t *one = json_array_get(errors, i);
        const char *key = json_string_value(json_object_get(one, "key"));
        const char *text = json_string_value(json_object_get(one, "description"));
        struct bondy_buf line = BONDY_BUF_EMPTY;

        if (text == NULL || *text == '\0')
            text = json_string_value(json_object_get(one, "message"));
        bondy_buf_printf(&line, "%s%s%s", key == NULL ? "" : key, key == NULL ? "" : ": ",
                         text == NULL ? bondy_problem_code(one) : text);
        bondy_buf_append_byte(&line, 0);
        add_line(out, "  - ", line.data);
        bondy_buf_fini(&line);
    }
}

/* An error of /services/call is {error_uri, args, kwargs, details} with the problem in kwargs; of
 * all else the problem itself. */
static int report(const struct bondy_http_answer *answer, const json_t *body)
{
    const char *code = json_string_value(json_object_get(body, "error_uri"));
    json_t *problem = json_object();
    struct bondy_buf text = BONDY_BUF_EMPTY;
    char status[32];

    snprintf(status, sizeof status, "HTTP status %ld", answer->status);
    if (code != NULL) {
        json_object_set(problem, "message", json_array_get(json_object_get(body, "args"), 0));
        json_object_update(problem, json_object_get(body, "kwargs"));
    } else {
        json_object_update(problem, (json_t *)(uintptr_t)body);
        code = json_string_value(json_object_get(body, "code"));
    }
    describe(problem, code != NULL ? code : status, &text);
    if (answer->status == 401)
        bondy_buf_append_text(&text, "  --admin-user and --admin-password-file say who you are; "
                                     "the Unix socket of the data folder needs neither\n");
    fwrite(text.data, 1, text.len, stderr);
    bondy_buf_fini(&text);
    json_decref(problem);
    return answer->status == 401 || answer->status == 403 ? BONDY_EXIT_UNAUTHORISED
                                                          : BONDY_EXIT_ERROR;
}

static int unreachable(const struct bondy_ctl_options *options, int rc,
                       const struct bondy_error *err)
{
    int status = bondy_ctl_fail(rc, err);

    if (rc == BONDY_EIO && options->admin_url == NULL)
        fputs("The daemon may be down, keep its data elsewhere, or not let you near its socket; "
              "--admin-url says where\nits admin API is: unix:/path/admin.sock, or " DEFAULT_HTTP
              " for bondyd --dev.\n",
              stderr);
    return status;
}

/* ---- the verbs ------------------------------------------------------------------------------- */

int bondy_admin_ask(const struct bondy_ctl_options *options,
                    const struct bondy_admin_request *request, struct bondy_http_answer *answer,
                    json_t **body)
{
    struct secrets secrets = {NULL, NULL};
    struct bondy_http_place place;
    struct bondy_error err;
    int rc = find_place(options, &place, &secrets, &err);

    *answer = (struct bondy_http_answer){0};
    *body = NULL;
    if (rc < 0) {
        forget(&secrets);
        return bondy_ctl_misuse(&err);
    }
    if (request->file != NULL)
        rc = bondy_http_transfer(&place, request->path, request->file, answer, &err);
    else
        rc =
            bondy_http_request(&place, request->method, request->path, request->body, answer, &err);
    forget(&secrets);
    if (rc < 0)
        return unreachable(options, rc, &err);
    if (answer->body.len > 0)
        *body = bondy_json_parse(bondy_buf_slice(&answer->body), JSON_DEPTH, NULL);
    if (answer->status >= 400)
        return report(answer, *body);
    return BONDY_EXIT_OK;
}

static void print_result(const struct bondy_ctl_options *options, const json_t *result)
{
    const char *cursor =
        json_string_value(json_object_get(json_object_get(result, "kwargs"), "next_cursor"));

    bondy_admin_print(options, json_array_get(json_object_get(result, "args"), 0));
    if (cursor != NULL)
        fprintf(stderr, "bondy: there are more: --cursor %s\n", cursor);
}

int bondy_ctl_run_call(const struct bondy_ctl_options *options)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    struct bondy_http_answer answer;
    struct bondy_error err;
    json_t *call, *body;
    int status, rc = bondy_ctl_call_make(options, &call, &err);

    if (rc < 0)
        return bondy_ctl_misuse(&err);
    bondy_json_format(call, &text);
    json_decref(call);
    status = bondy_admin_ask(options,
                             &(struct bondy_admin_request){.method = "POST",
                                                           .path = "/services/call",
                                                           .body = bondy_buf_slice(&text)},
                             &answer, &body);
    if (status == BONDY_EXIT_OK)
        print_result(options, body);
    sodium_memzero(text.data, text.len);
    bondy_buf_fini(&text);
    bondy_http_answer_fini(&answer);
    json_decref(body);
    return status;
}

int bondy_ctl_run_request(const struct bondy_ctl_options *options)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", NULL};
    struct bondy_buf text = BONDY_BUF_EMPTY;
    struct bondy_http_answer answer;
    struct bondy_error err;
    json_t *document = NULL, *body;
    int status, rc = BONDY_OK;
    size_t at = 0;

    if (options->argument_count < 2 || options->argument_count > 3)
        rc = bondy_fail(&err, BONDY_EINVAL, "usage: bondy %s [options] %s", options->verb->name,
                        options->verb->usage);
    while (rc == BONDY_OK && methods[at] != NULL && strcmp(methods[at], options->arguments[0]) != 0)
        at++;
    if (rc == BONDY_OK && methods[at] == NULL)
        rc = bondy_fail(&err, BONDY_EINVAL, "\"%s\" is none of GET, HEAD, POST, PUT, PATCH, DELETE",
                        options->arguments[0]);
    if (rc == BONDY_OK && options->arguments[1][0] != '/')
        rc = bondy_fail(&err, BONDY_EINVAL, "the path \"%s\" must begin with a slash",
                        options->arguments[1]);
    if (rc == BONDY_OK && options->argument_count == 3)
        rc = bondy_ctl_document_read(options->arguments[2], &document, &err);
    if (rc < 0)
        return bondy_ctl_misuse(&err);
    if (document != NULL)
        bondy_json_format(document, &text);
    json_decref(document);
    status = bondy_admin_ask(options,
                             &(struct bondy_admin_request){.method = methods[at],
                                                           .path = options->arguments[1],
                                                           .body = bondy_buf_slice(&text)},
                             &answer, &body);
    if (status == BONDY_EXIT_OK && body != NULL)
        bondy_admin_print(options, body);
    else if (status == BONDY_EXIT_OK)
        fwrite(answer.body.data, 1, answer.body.len, stdout);
    bondy_buf_fini(&text);
    bondy_http_answer_fini(&answer);
    json_decref(body);
    return status;
}
