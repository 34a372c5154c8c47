/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/wamp/samples.h"

static void join(const struct bondy_encoded *encoded, struct bondy_buf *out)
{
    out->len = 0;
    for (unsigned i = 0; i < encoded->part_count; i++)
        bondy_buf_append_slice(out, encoded->parts[i]);
    assert_int_equal(out->len, encoded->len);
}

/* The options of a decoded message are not sent on by themselves, so the test hands them over. */
static void take_dict(struct bondy_message *message)
{
    if (message->dict.len > 0)
        message->tree = bondy_value_tree(message->serializer, message->dict);
}

static void must_be_equal(enum bondy_serializer serializer, struct bondy_slice bytes,
                          const char *json, const char *name)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;

    bondy_value_recode(serializer, bytes, BONDY_JSON, &text);
    if (!bondy_slice_is(bondy_buf_slice(&text), json))
        fail_msg("%s: %.*s instead of %s", name, (int)text.len, text.data, json);
    bondy_buf_fini(&text);
}

/* Every message decoded from any serializer and encoded for any is the same message. */
static void messages_are_encoded_as_they_were_decoded(void **state)
{
    struct bondy_buf bytes = BONDY_BUF_EMPTY;
    struct bondy_buf head = BONDY_BUF_EMPTY;
    struct bondy_buf joined = BONDY_BUF_EMPTY;
    struct bondy_buf normal = BONDY_BUF_EMPTY;

    (void)state;
    for (size_t i = 0; sample_messages[i] != NULL; i++) {
        for (EACH_SERIALIZER(from)) {
            for (EACH_SERIALIZER(to)) {
                struct bondy_encoded encoded;
                struct bondy_message message;

                bytes.len = head.len = normal.len = 0;
                append_message(&bytes, from, sample_messages[i]);
                assert_int_equal(decode(from, bondy_buf_slice(&bytes), &message), BONDY_OK);
                take_dict(&message);
                bondy_buf_append_text(&head, "kept");
                bondy_message_encode(to, &message, &head, &encoded);
                join(&encoded, &joined);
                assert_memory_equal(head.data, "kept", 4);
                /* Empty payloads at the end are left out (SER-EMPTY-1). */
                bondy_value_recode(to, bondy_buf_slice(&joined), BONDY_JSON, &normal);
                bondy_buf_append_byte(&normal, '\0');
                if (strstr(sample_messages[i], ",[]]") == NULL &&
                    strstr(sample_messages[i], ",{}]") == NULL) {
                    head.len = 0;
                    append_message(&head, BONDY_JSON, sample_messages[i]);
                    bondy_buf_append_byte(&head, '\0');
                    assert_string_equal(normal.data, head.data);
                }
                bytes.len = 0;
                bondy_message_format(to, &message, &bytes);
                assert_true(bondy_slice_eq(bondy_buf_slice(&bytes), bondy_buf_slice(&joined)));
                json_decref(message.tree);
            }
        }
    }
    bondy_buf_fini(&bytes);
    bondy_buf_fini(&head);
    bondy_buf_fini(&joined);
    bondy_buf_fini(&normal);
}

struct emptiness {
    const char *received;
    const char *sent;
};

/* SER-EMPTY-1 */
static const struct emptiness emptinesses[] = {
    {"[36,1,2,{}]", "[36,1,2,{}]"},
    {"[36,1,2,{},[]]", "[36,1,2,{}]"},
    {"[36,1,2,{},[],{}]", "[36,1,2,{}]"},
    {"[36,1,2,{},[],{\"k\":1}]", "[36,1,2,{},[],{\"k\":1}]"},
    {"[36,1,2,{},[1],{}]", "[36,1,2,{},[1]]"},
    {"[68,1,2,{},[],{}]", "[68,1,2,{}]"},
    {"[68,1,2,{},[],{\"k\":1}]", "[68,1,2,{},[],{\"k\":1}]"},
    {"[68,1,2,{},[0]]", "[68,1,2,{},[0]]"},
    {"[50,1,{},[],{}]", "[50,1,{}]"},
    {"[50,1,{},[],{\"k\":[]}]", "[50,1,{},[],{\"k\":[]}]"},
    {"[8,48,1,{},\"a.b\",[],{}]", "[8,48,1,{},\"a.b\"]"},
    {"[8,48,1,{},\"a.b\",[[]],{}]", "[8,48,1,{},\"a.b\",[[]]]"},
    {"[8,48,1,{},\"a.b\",[],{\"k\":1}]", "[8,48,1,{},\"a.b\",[],{\"k\":1}]"},
};

static void empty_payloads_at_the_end_are_left_out(void **state)
{
    struct bondy_buf bytes = BONDY_BUF_EMPTY;
    struct bondy_buf out = BONDY_BUF_EMPTY;

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(emptinesses); i++) {
        for (EACH_SERIALIZER(from)) {
            for (EACH_SERIALIZER(to)) {
                struct bondy_message message;

                bytes.len = out.len = 0;
                append_message(&bytes, from, emptinesses[i].received);
                assert_int_equal(decode(from, bondy_buf_slice(&bytes), &message), BONDY_OK);
                bondy_message_format(to, &message, &out);
                must_be_equal(to, bondy_buf_slice(&out), emptinesses[i].sent,
                              emptinesses[i].received);
            }
        }
    }
    bondy_buf_fini(&bytes);
    bondy_buf_fini(&out);
}

static bool lies_in(struct bondy_slice part, struct bondy_slice whole)
{
    return part.data >= whole.data && part.data + part.len <= whole.data + whole.len;
}

static void payload_of_the_same_serializer_stays_in_place(void **state)
{
    static const char *const rows[] = {"[48,1,{},\"a\",[1,2]]", "[48,1,{},\"a\",[1,2],{\"k\":1}]",
                                       "[48,1,{},\"a\",[],{\"k\":1}]"};
    struct bondy_buf bytes = BONDY_BUF_EMPTY;
    struct bondy_buf head = BONDY_BUF_EMPTY;

    (void)state;
    for (size_t i = 0; i < BONDY_COUNT(rows); i++) {
        for (EACH_SERIALIZER(serializer)) {
            struct bondy_encoded encoded;
            struct bondy_message message;
            unsigned in_place = 0;

            bytes.len = head.len = 0;
            append_message(&bytes, serializer, rows[i]);
            assert_int_equal(decode(serializer, bondy_buf_slice(&bytes), &message), BONDY_OK);
            bondy_message_encode(serializer, &message, &head, &encoded);
            assert_true(lies_in(encoded.parts[0], bondy_buf_slice(&head)));
            for (unsigned p = 1; p < encoded.part_count; p++)
                in_place += encoded.parts[p].data == message.payload.args.data ||
                            encoded.parts[p].data == message.payload.kwargs.data;
            assert_int_equal(in_place, i == 1 ? 2 : 1);
        }
    }
    bondy_buf_fini(&bytes);
    bondy_buf_fini(&head);
}

/* SER-CBOR-1 */
static void indefinite_payload_is_sent_with_definite_length(void **state)
{
    struct bondy_buf bytes = BONDY_BUF_EMPTY;
    struct bondy_buf out = BONDY_BUF_EMPTY;
    struct bondy_buf wanted = BONDY_BUF_EMPTY;
    struct bondy_message message;

    (void)state;
    append_hex(&bytes, "85 1846 01 a0 9f01ff bf616b9fffff");
    assert_int_equal(decode(BONDY_CBOR, bondy_buf_slice(&bytes), &message), BONDY_OK);
    bondy_message_format(BONDY_CBOR, &message, &out);
    append_hex(&wanted, "85 1846 01 a0 8101 a1616b80");
    assert_true(bondy_slice_eq(bondy_buf_slice(&out), bondy_buf_slice(&wanted)));
    bondy_buf_fini(&bytes);
    bondy_buf_fini(&out);
    bondy_buf_fini(&wanted);
}

static void dicts_are_made_from_fields(void **state)
{
    json_t *list = json_pack("[i,s]", 1, "x");
    struct bondy_field_out fields[] = {
        {"null", BONDY_VALUE_NULL, {.flag = false}},
        {"flag", BONDY_VALUE_BOOL, {.flag = true}},
        {"int", BONDY_VALUE_INT, {.i64 = -7}},
        {"uint", BONDY_VALUE_UINT, {.u64 = UINT64_MAX}},
        {"float", BONDY_VALUE_FLOAT, {.f64 = 0.5}},
        {"text", BONDY_VALUE_TEXT, {.text = BONDY_SLICE("\xC3\xA9\"")}},
        {"binary", BONDY_VALUE_BINARY, {.text = BONDY_SLICE("\x01")}},
        {"list", BONDY_VALUE_LIST, {.tree = list}},
    };
    struct bondy_message message = {.type = BONDY_RESULT,
                                    .id = 9007199254740992,
                                    .fields = fields,
                                    .field_count = BONDY_COUNT(fields)};
    struct bondy_buf out = BONDY_BUF_EMPTY;

    (void)state;
    for (EACH_SERIALIZER(serializer)) {
        out.len = 0;
        bondy_message_format(serializer, &message, &out);
        must_be_equal(serializer, bondy_buf_slice(&out),
                      "[50,9007199254740992,{\"null\":null,\"flag\":true,\"int\":-7,"
                      "\"uint\":18446744073709551615,\"float\":0.5,\"text\":\"\xC3\xA9\\\"\","
                      "\"binary\":\"\\u0000AQ==\",\"list\":[1,\"x\"]}]",
                      "fields");
    }
    json_decref(list);
    bondy_buf_fini(&out);
}

/* What a client put into its options stays with the router (PROTO-FORM-3). */
static void a_received_dict_is_not_sent_on(void **state)
{
    struct bondy_buf bytes = BONDY_BUF_EMPTY;
    struct bondy_buf out = BONDY_BUF_EMPTY;
    struct bondy_message message;

    (void)state;
    append_message(&bytes, BONDY_JSON, "[48,1,{\"secret\":1},\"a.b\",[1]]");
    assert_int_equal(decode(BONDY_JSON, bondy_buf_slice(&bytes), &message), BONDY_OK);
    message.type = BONDY_INVOCATION;
    message.id2 = 5;
    bondy_message_format(BONDY_JSON, &message, &out);
    assert_slice_is(bondy_buf_slice(&out), "[68,1,5,{},[1]]");
    bondy_buf_fini(&bytes);
    bondy_buf_fini(&out);
}

static void payloads_are_made_from_trees(void **state)
{
    json_t *args = json_pack("[i,{s:f},n]", 1, "a", 1.0);
    json_t *kwargs = json_pack("{s:[]}", "k");
    struct bondy_buf out = BONDY_BUF_EMPTY;

    (void)state;
    for (EACH_SERIALIZER(serializer)) {
        struct bondy_payload payload;
        json_t *tree;

        out.len = 0;
        payload = bondy_payload_make(serializer, args, kwargs, &out);
        assert_int_equal(payload.args_count, 3);
        assert_int_equal(payload.kwargs_count, 1);
        tree = bondy_payload_args(&payload);
        assert_true(json_equal(tree, args));
        json_decref(tree);
        tree = bondy_payload_kwargs(&payload);
        assert_true(json_equal(tree, kwargs));
        json_decref(tree);

        payload = bondy_payload_make(serializer, NULL, NULL, &out);
        assert_int_equal(payload.args.len + payload.kwargs.len, 0);
        tree = bondy_payload_args(&payload);
        assert_true(json_is_array(tree) && json_array_size(tree) == 0);
        json_decref(tree);
        tree = bondy_payload_kwargs(&payload);
        assert_true(json_is_object(tree) && json_object_size(tree) == 0);
        json_decref(tree);
    }
    json_decref(args);
    json_decref(kwargs);
    bondy_buf_fini(&out);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_encoded_as_they_were_decoded),
        cmocka_unit_test(empty_payloads_at_the_end_are_left_out),
        cmocka_unit_test(payload_of_the_same_serializer_stays_in_place),
        cmocka_unit_test(indefinite_payload_is_sent_with_definite_length),
        cmocka_unit_test(dicts_are_made_from_fields),
        cmocka_unit_test(a_received_dict_is_not_sent_on),
        cmocka_unit_test(payloads_are_made_from_trees),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    free_scratch();
    return failed;
}
