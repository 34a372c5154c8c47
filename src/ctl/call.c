/* SPDX-License-Identifier: Apache-2.0 */
#include "src/ctl/call.h"

#include <stdlib.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/ctl/secret.h"
#include "src/sys/file.h"

#define JSON_DEPTH 31
#define DOCUMENT_MAX ((size_t)1 << 28) /* octets: an import holds all users */

/* ---- documents ------------------------------------------------------------------------------- */

int bondy_ctl_document_read(const char *where, json_t **out, struct bondy_error *err)
{
    const char *first = where + strspn(where, " \t\r\n");
    struct bondy_buf text = BONDY_BUF_EMPTY;
    int rc = BONDY_OK;

    if (*first == '{' || *first == '[' || *first == '"')
        bondy_buf_append_text(&text, where);
    else
        rc = bondy_file_read(strcmp(where, "-") == 0 ? "/dev/stdin" : where, DOCUMENT_MAX, &text,
                             err);
    if (rc == BONDY_OK) {
        *out = bondy_json_parse(bondy_buf_slice(&text), JSON_DEPTH, err);
        if (*out == NULL)
            rc = bondy_wrap(err, "%s",
                            *first == '{' || *first == '[' || *first == '"' ? "the JSON" : where);
    }
    bondy_buf_fini(&text);
    return rc;
}

/* ---- the form -------------------------------------------------------------------------------- */

struct making {
    const struct bondy_ctl_options *options;
    size_t next; /* word of the command line */
    json_t *args;
    json_t *document; /* what the words say about the object */
};

struct piece {
    char letter;
    char key[24];
    bool may_be_absent;
    bool is_rest;
};

/* Takes one off a form; false at its end. */
static bool take_piece(const char **form, struct piece *out)
{
    size_t len;

    *form += strspn(*form, " ");
    len = strcspn(*form, " ");
    if (len == 0)
        return false;
    *out = (struct piece){.letter = **form};
    out->is_rest = len > 3 && strncmp(*form + len - 3, "...", 3) == 0;
    out->may_be_absent = (*form)[len - 1] == '?';
    snprintf(out->key, sizeof out->key, "%.*s", (int)(len - 1 - out->may_be_absent), *form + 1);
    *form += len;
    return true;
}

static int misused(const struct bondy_ctl_options *options, struct bondy_error *err)
{
    return bondy_fail(err, BONDY_EINVAL, "usage: bondy %s [options] %s", options->verb->name,
                      options->verb->usage);
}

static int text_of(const char *word, json_t **out, struct bondy_error *err)
{
    *out = json_string(word);
    return *out != NULL ? BONDY_OK : bondy_fail(err, BONDY_EINVAL, "a word is not UTF-8");
}

/* F: an object stands for a list of one. */
static int read_document(char letter, const char *where, json_t **out, struct bondy_error *err)
{
    int rc = bondy_ctl_document_read(where, out, err);

    if (rc == BONDY_OK && letter == 'F' && json_is_object(*out))
        *out = json_pack("[o]", *out);
    return rc;
}

static int value_of(char letter, const char *word, json_t **out, struct bondy_error *err)
{
    char *end;
    long long number;

    switch (letter) {
    case 'n':
        number = strtoll(word, &end, 10);
        if (*word == '\0' || *end != '\0')
            return bondy_fail(err, BONDY_EINVAL, "\"%s\" is no number", word);
        *out = json_integer(number);
        return BONDY_OK;
    case 'l':
        *out = bondy_ctl_names(word, true);
        return *out != NULL ? BONDY_OK : text_of(word, out, err);
    case 'f':
    case 'F':
        return read_document(letter, word, out, err);
    case 'j':
        *out = bondy_ctl_value(word);
        return *out != NULL ? BONDY_OK : text_of(word, out, err);
    default:
        return text_of(word, out, err);
    }
}

static int take_word(struct making *making, const struct piece *piece, struct bondy_error *err)
{
    json_t *value = NULL;
    int rc;

    if (making->next >= making->options->argument_count)
        return piece->may_be_absent || piece->is_rest ? BONDY_OK : misused(making->options, err);
    rc = value_of(piece->letter, making->options->arguments[making->next++], &value, err);
    if (rc < 0)
        return rc;
    if (piece->letter == '>')
        json_object_set_new(making->document, piece->key, value);
    else if (piece->letter == '.')
        json_object_set_new(making->options->kwargs_tree, piece->key, value);
    else
        json_array_append_new(making->args, value);
    return piece->is_rest ? take_word(making, piece, err) : BONDY_OK;
}

/* ---- secrets --------------------------------------------------------------------------------- */

static const struct secret {
    const char *key, *option, *prompt;
    bool is_new; /* typed twice */
} secrets[] = {
    {"password", "--password-file", "New password: ", true},
    {"old_password", "--old-password-file", "Password until now: ", false},
    {"ticket", "--ticket-file", "Ticket: ", false},
};

/* *out stays NULL when the option was not given and may be absent. */
static int read_secret(const struct bondy_ctl_options *options, const char *key, bool may_be_absent,
                       json_t **out, struct bondy_error *err)
{
    const char *where = json_string_value(json_object_get(options->secrets_tree, key));
    char *text = NULL;
    int rc = BONDY_OK;

    if (where == NULL && may_be_absent)
        return BONDY_OK;
    for (size_t i = 0; i < BONDY_COUNT(secrets); i++) {
        if (strcmp(key, secrets[i].key) != 0)
            continue;
        rc = (secrets[i].is_new ? bondy_secret_choose : bondy_secret_read)(
            secrets[i].option, where == NULL ? "-" : where, secrets[i].prompt, &text, err);
    }
    if (rc == BONDY_OK)
        rc = text_of(text, out, err);
    bondy_secret_destroy(text);
    return rc;
}

static int take_secret(struct making *making, const struct piece *piece, struct bondy_error *err)
{
    json_t *value = NULL;
    int rc = read_secret(making->options, piece->key, piece->may_be_absent, &value, err);

    if (value != NULL)
        json_array_append_new(making->args, value);
    return rc;
}

/* ---- the object ------------------------------------------------------------------------------ */

/* What the words and options say wins over --data. */
static int fill_document(struct making *making, json_t **out, struct bondy_error *err)
{
    const struct bondy_ctl_options *options = making->options;
    json_t *password = NULL;
    int rc;

    *out = NULL;
    if (options->data != NULL) {
        if ((rc = bondy_ctl_document_read(options->data, out, err)) < 0)
            return bondy_wrap(err, "--data");
        if (!json_is_object(*out))
            return bondy_fail(err, BONDY_EINVAL, "--data must be a JSON object");
    } else {
        *out = json_object();
    }
    json_object_update(*out, making->document);
    json_object_update(*out, options->fields_tree);
    rc = read_secret(options, "password", true, &password, err);
    if (password != NULL)
        json_object_set_new(*out, "password", password);
    return rc;
}

static int take_document(struct making *making, const struct piece *piece, struct bondy_error *err)
{
    json_t *document = NULL;
    int rc = fill_document(making, &document, err);

    if (rc == BONDY_OK && json_object_size(document) > 0)
        json_array_append(making->args, document);
    else if (rc == BONDY_OK && !piece->may_be_absent)
        rc = bondy_fail(err, BONDY_EINVAL,
                        "nothing is said about it: --data, or its options "
                        "(bondy %s --help)",
                        making->options->verb->name);
    json_decref(document);
    return rc;
}

static int take(struct making *making, const struct piece *piece, struct bondy_error *err)
{
    switch (piece->letter) {
    case '{':
        return take_document(making, piece, err);
    case '$':
        return take_secret(making, piece, err);
    default:
        return take_word(making, piece, err);
    }
}

/* Whether as many words are there as the form can take, before anything is read or asked for. */
static int count_words(const struct bondy_ctl_options *options, const char *form,
                       struct bondy_error *err)
{
    size_t least = 0, most = 0;
    struct piece piece;

    while (take_piece(&form, &piece)) {
        bool is_word = piece.letter != '{' && piece.letter != '$';

        least += is_word && !piece.may_be_absent && !piece.is_rest;
        most = piece.is_rest ? SIZE_MAX : most + is_word;
    }
    if (options->argument_count < least || options->argument_count > most)
        return misused(options, err);
    return BONDY_OK;
}

/* A verb that can be called without a procedure in its row gets it as first word. */
int bondy_ctl_call_make(const struct bondy_ctl_options *options, json_t **out,
                        struct bondy_error *err)
{
    struct making making = {options, 0, json_array(), json_object()};
    const char *procedure = options->verb->procedure, *form = options->verb->form;
    struct piece piece;
    int rc = count_words(options, form, err);

    if (rc == BONDY_OK && procedure == NULL) {
        procedure = options->arguments[making.next++];
        take_piece(&form, &piece);
    }
    while (rc == BONDY_OK && take_piece(&form, &piece))
        rc = take(&making, &piece, err);
    if (rc == BONDY_OK) {
        *out = json_pack("{s:s, s:O, s:O}", "procedure", procedure, "args", making.args, "kwargs",
                         options->kwargs_tree);
        if (*out == NULL)
            rc = bondy_fail(err, BONDY_EINVAL, "a word is not UTF-8");
    }
    json_decref(making.args);
    json_decref(making.document);
    return rc;
}
