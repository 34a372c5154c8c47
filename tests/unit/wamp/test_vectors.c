/* SPDX-License-Identifier: Apache-2.0 */
/* Golden octets: ours in tests/vectors/messages.json, made with other implementations (Python's
 * json, msgpack and cbor), and those published with the WAMP specification, which are not part of
 * the sources: BONDY_WAMP_VECTORS says where they are. */
#include "tests/unit/wamp/samples.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const serializer_keys[BONDY_SERIALIZERS] = {"", "json", "msgpack", "cbor"};

static const char *source_folder(void)
{
    const char *folder = getenv("srcdir"); /* set by automake's test driver */

    return folder == NULL ? ".." : folder;
}

/* ---- ours -------------------------------------------------------------------------------- */

static void append_vector(struct bondy_buf *out, const json_t *vector,
                          enum bondy_serializer serializer)
{
    const char *text = json_string_value(json_object_get(vector, serializer_keys[serializer]));

    assert_non_null(text);
    out->len = 0;
    if (serializer == BONDY_JSON)
        bondy_buf_append_text(out, text);
    else
        append_hex(out, text);
}

static void check_vector(const json_t *vector, enum bondy_serializer from, enum bondy_serializer to)
{
    struct bondy_buf bytes = BONDY_BUF_EMPTY;
    struct bondy_buf wanted = BONDY_BUF_EMPTY;
    struct bondy_buf out = BONDY_BUF_EMPTY;
    struct bondy_message message;

    append_vector(&bytes, vector, from);
    append_vector(&wanted, vector, to);
    bondy_value_recode(from, bondy_buf_slice(&bytes), to, &out);
    if (!bondy_slice_eq(bondy_buf_slice(&out), bondy_buf_slice(&wanted)))
        fail_msg("%s recoded from %s to %s", json_string_value(json_object_get(vector, "name")),
                 serializer_keys[from], serializer_keys[to]);
    assert_int_equal(decode(from, bondy_buf_slice(&bytes), &message), BONDY_OK);
    if (message.dict.len > 0)
        message.tree = bondy_value_tree(from, message.dict);
    out.len = 0;
    bondy_message_format(to, &message, &out);
    if (!bondy_slice_eq(bondy_buf_slice(&out), bondy_buf_slice(&wanted)))
        fail_msg("%s decoded from %s and encoded to %s",
                 json_string_value(json_object_get(vector, "name")), serializer_keys[from],
                 serializer_keys[to]);
    json_decref(message.tree);
    bondy_buf_fini(&bytes);
    bondy_buf_fini(&wanted);
    bondy_buf_fini(&out);
}

/* SER-ECHO-1, SER-CROSS-1, SER-BIN-1, SER-INT-1, SER-INT-2, SER-INT-3 */
static void our_vectors_hold_between_any_two_serializers(void **state)
{
    char path[8192];
    json_t *vectors;
    json_t *vector;
    size_t i;

    (void)state;
    snprintf(path, sizeof path, "%s/tests/vectors/messages.json", source_folder());
    vectors = json_load_file(path, JSON_ALLOW_NUL, NULL);
    if (vectors == NULL)
        fail_msg("%s cannot be read", path);
    assert_true(json_array_size(vectors) > 0);
    json_array_foreach(vectors, i, vector)
    {
        for (EACH_SERIALIZER(from))
            for (EACH_SERIALIZER(to))
                check_vector(vector, from, to);
    }
    json_decref(vectors);
}

/* ---- the published ones -------------------------------------------------------------------- */

static void must_be_id(const json_t *wanted, uint64_t id)
{
    assert_true(json_is_integer(wanted));
    assert_int_equal(json_integer_value(wanted), id);
}

static void must_be_text(const json_t *wanted, struct bondy_slice text)
{
    assert_slice_is(text, json_string_value(wanted));
}

static void check_id(const struct bondy_message *message, const json_t *wanted)
{
    must_be_id(wanted, message->id);
}

static void check_id2(const struct bondy_message *message, const json_t *wanted)
{
    must_be_id(wanted, message->id2);
}

static void check_type(const struct bondy_message *message, const json_t *wanted)
{
    must_be_id(wanted, message->type);
}

static void check_request_type(const struct bondy_message *message, const json_t *wanted)
{
    must_be_id(wanted, message->request_type);
}

static void check_uri(const struct bondy_message *message, const json_t *wanted)
{
    must_be_text(wanted, message->uri);
}

static void check_text(const struct bondy_message *message, const json_t *wanted)
{
    must_be_text(wanted, message->text);
}

static void check_dict(const struct bondy_message *message, const json_t *wanted)
{
    json_t *dict = bondy_value_tree(message->serializer, message->dict);

    assert_true(json_equal(dict, wanted));
    json_decref(dict);
}

static void check_roles(const struct bondy_message *message, const json_t *wanted)
{
    json_t *dict = bondy_value_tree(message->serializer, message->dict);

    assert_true(json_equal(json_object_get(dict, "roles"), wanted));
    json_decref(dict);
}

static void check_args(const struct bondy_message *message, const json_t *wanted)
{
    json_t *args = bondy_payload_args(&message->payload);

    if (json_is_null(wanted))
        assert_int_equal(json_array_size(args), 0);
    else
        assert_true(json_equal(args, wanted));
    json_decref(args);
}

static void check_kwargs(const struct bondy_message *message, const json_t *wanted)
{
    json_t *kwargs = bondy_payload_kwargs(&message->payload);

    if (json_is_null(wanted))
        assert_int_equal(json_object_size(kwargs), 0);
    else
        assert_true(json_equal(kwargs, wanted));
    json_decref(kwargs);
}

static void check_nothing(const struct bondy_message *message, const json_t *wanted)
{
    (void)message;
    assert_true(json_is_null(wanted));
}

static const struct {
    const char *name;
    void (*check)(const struct bondy_message *message, const json_t *wanted);
} attributes[] = {
    {"message_type", check_type},   {"request_type", check_request_type},
    {"request_id", check_id},       {"session_id", check_id},
    {"subscription", check_id},     {"publication", check_id2},
    {"subscription_id", check_id2}, {"publication_id", check_id2},
    {"registration_id", check_id2}, {"realm", check_uri},
    {"topic", check_uri},           {"procedure", check_uri},
    {"error", check_uri},           {"reason", check_uri},
    {"method", check_uri},          {"signature", check_text},
    {"options", check_dict},        {"details", check_dict},
    {"extra", check_dict},          {"roles", check_roles},
    {"args", check_args},           {"kwargs", check_kwargs},
    {"payload", check_nothing},
};

static void check_attributes(const struct bondy_message *message, json_t *wanted)
{
    const char *name;
    json_t *value;

    json_object_foreach(wanted, name, value)
    {
        size_t i = 0;

        while (i < BONDY_COUNT(attributes) && strcmp(attributes[i].name, name) != 0)
            i++;
        if (i == BONDY_COUNT(attributes))
            fail_msg("the attribute \"%s\" is unknown to this test", name);
        attributes[i].check(message, value);
    }
}

/* Encoding gives one of the sample's forms; white space of JSON aside. */
static void check_encoding(const struct bondy_message *message, const json_t *forms)
{
    struct bondy_message sent = *message;
    struct bondy_buf out = BONDY_BUF_EMPTY;
    struct bondy_buf form = BONDY_BUF_EMPTY;
    struct bondy_buf normal = BONDY_BUF_EMPTY;
    bool is_found = false;
    json_t *one;
    size_t i;

    if (message->dict.len > 0)
        sent.tree = bondy_value_tree(message->serializer, message->dict);
    bondy_message_format(message->serializer, &sent, &out);
    json_array_foreach(forms, i, one)
    {
        form.len = normal.len = 0;
        append_hex(&form, json_string_value(json_object_get(one, "bytes_hex")));
        bondy_value_recode(message->serializer, bondy_buf_slice(&form), message->serializer,
                           &normal);
        is_found = is_found || bondy_slice_eq(bondy_buf_slice(&normal), bondy_buf_slice(&out));
    }
    assert_true(is_found);
    json_decref(sent.tree);
    bondy_buf_fini(&out);
    bondy_buf_fini(&form);
    bondy_buf_fini(&normal);
}

/* Payload transparency, which payload passthru mode replaced, has bytes in the place of Arguments,
 * and EVENT_RECEIVED is no message of the specification's text: both are refused as messages
 * (PROTO-FORM-1) and well-formed as values. */
static bool is_outside_wamp(const json_t *wanted)
{
    return json_is_string(json_object_get(wanted, "payload")) ||
           json_integer_value(json_object_get(wanted, "message_type")) == 337;
}

static unsigned check_form(enum bondy_serializer serializer, const json_t *form,
                           const json_t *forms, json_t *wanted)
{
    struct bondy_buf bytes = BONDY_BUF_EMPTY;
    struct bondy_message message;

    append_hex(&bytes, json_string_value(json_object_get(form, "bytes_hex")));
    if (is_outside_wamp(wanted)) {
        json_t *tree;

        must_refuse(serializer, bondy_buf_slice(&bytes), BONDY_EPROTO, "outside WAMP");
        assert_int_equal(bondy_value_check(serializer, bondy_buf_slice(&bytes), 32, true, NULL),
                         BONDY_OK);
        tree = bondy_value_tree(serializer, bondy_buf_slice(&bytes));
        assert_int_equal(json_integer_value(json_array_get(tree, 0)),
                         json_integer_value(json_object_get(wanted, "message_type")));
        json_decref(tree);
    } else {
        assert_int_equal(decode(serializer, bondy_buf_slice(&bytes), &message), BONDY_OK);
        check_attributes(&message, wanted);
        check_encoding(&message, forms);
    }
    bondy_buf_fini(&bytes);
    return 1;
}

/* Samples for a client's checks of option types: at least they decode in every serializer. */
static unsigned check_plain_message(const json_t *plain)
{
    size_t last = json_array_size(plain) - 1;
    struct bondy_buf bytes = BONDY_BUF_EMPTY;
    struct bondy_message message;

    if (json_is_string(json_array_get(plain, last)) && last > 3)
        return 0; /* payload transparency */
    for (EACH_SERIALIZER(serializer)) {
        bytes.len = 0;
        bondy_value_format(serializer, plain, &bytes);
        assert_int_equal(decode(serializer, bondy_buf_slice(&bytes), &message), BONDY_OK);
    }
    bondy_buf_fini(&bytes);
    return 1;
}

static unsigned check_sample(const json_t *sample)
{
    json_t *wanted = json_object_get(sample, "expected_attributes");
    unsigned checked = 0;
    json_t *form;
    size_t i;

    if (json_is_array(json_object_get(sample, "wmsg")))
        return check_plain_message(json_object_get(sample, "wmsg"));
    for (EACH_SERIALIZER(serializer)) {
        json_t *forms =
            json_object_get(json_object_get(sample, "serializers"), serializer_keys[serializer]);

        json_array_foreach(forms, i, form) checked += check_form(serializer, form, forms, wanted);
    }
    return checked;
}

static unsigned check_folder(const char *folder)
{
    DIR *listing = opendir(folder);
    struct dirent *entry;
    unsigned checked = 0;
    char path[8192];

    if (listing == NULL) {
        print_message("skipped: the published WAMP vectors are not at %s "
                      "(BONDY_WAMP_VECTORS says where they are)\n",
                      folder);
        skip();
    }
    while ((entry = readdir(listing)) != NULL) {
        json_t *sample;
        json_t *file;
        size_t i;

        if (strstr(entry->d_name, ".json") == NULL)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        file = json_load_file(path, JSON_ALLOW_NUL, NULL);
        if (file == NULL)
            fail_msg("%s cannot be read", path);
        json_array_foreach(json_object_get(file, "samples"), i, sample) checked +=
            check_sample(sample);
        json_decref(file);
    }
    closedir(listing);
    return checked;
}

/* SER-VEC-1 */
static void the_published_vectors_hold(void **state)
{
    static const char *const profiles[] = {"basic", "advanced"};
    const char *given = getenv("BONDY_WAMP_VECTORS");
    char folder[4096];

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(profiles); i++) {
        if (given != NULL)
            snprintf(folder, sizeof folder, "%s/singlemessage/%s", given, profiles[i]);
        else
            snprintf(folder, sizeof folder, "%s/../shared/wamp-vectors/singlemessage/%s",
                     source_folder(), profiles[i]);
        assert_true(check_folder(folder) > 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_vectors_hold_between_any_two_serializers),
        cmocka_unit_test(the_published_vectors_hold),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    free_scratch();
    return failed;
}
