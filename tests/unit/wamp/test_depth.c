/* SPDX-License-Identifier: Apache-2.0 */
/* SER-DEPTH-1, SER-DEPTH-2, threat-model P4: everything runs on a thread with a stack of 256 KiB.
 */
#include "tests/unit/wamp/samples.h"

#include <pthread.h>

#define STACK_LEN (256 * 1024)

enum nest { LISTS, DICTS, OPEN_LISTS, OPEN_DICTS, TAGS, NESTS };
enum place { IN_ARGS, IN_KWARGS, IN_OPTIONS, PLACES };

/* Opening, innermost value and closing of one nested container; empty: not in this serializer. */
struct nesting {
    const char *name;
    struct {
        const char *open;
        const char *close;
    } in[BONDY_SERIALIZERS];
};

static const struct nesting nestings[NESTS] = {
    [LISTS] = {"lists", {{"", ""}, {"[", "]"}, {"91", ""}, {"81", ""}}},
    [DICTS] = {"dicts", {{"", ""}, {"{\"a\":", "}"}, {"81a161", ""}, {"a16161", ""}}},
    [OPEN_LISTS] = {"indefinite lists", {{"", ""}, {"", ""}, {"", ""}, {"9f", "ff"}}},
    [OPEN_DICTS] = {"indefinite dicts", {{"", ""}, {"", ""}, {"", ""}, {"bf6161", "ff"}}},
    [TAGS] = {"tags", {{"", ""}, {"", ""}, {"", ""}, {"c6", ""}}},
};

static const struct {
    const char *before;
    const char *after;
} around[PLACES][BONDY_SERIALIZERS] = {
    [IN_ARGS] = {{"", ""},
                 {"[48,1,{},\"a\",[", "]]"},
                 {"95300180a16191", ""},
                 {"85183001a0616181", ""}},
    [IN_KWARGS] = {{"", ""},
                   {"[48,1,{},\"a\",[],{\"k\":", "}]"},
                   {"96300180a1619081a16b", ""},
                   {"86183001a0616180a1616b", ""}},
    [IN_OPTIONS] = {{"", ""},
                    {"[48,1,{\"k\":", "},\"a\"]"},
                    {"94300181a16b", "a161"},
                    {"84183001a1616b", "6161"}},
};

static void append(struct bondy_buf *out, enum bondy_serializer serializer, const char *text)
{
    if (serializer == BONDY_JSON)
        bondy_buf_append_text(out, text);
    else
        append_hex(out, text);
}

/* A message with `depth` containers inside each other: itself, the payload or options, the rest of
 * the kind asked for. */
static void build(struct bondy_buf *out, enum bondy_serializer serializer, enum nest nest,
                  enum place place, unsigned depth, bool is_closed)
{
    out->len = 0;
    append(out, serializer, around[place][serializer].before);
    for (unsigned i = 2; i < depth; i++)
        append(out, serializer, nestings[nest].in[serializer].open);
    if (!is_closed)
        return;
    append(out, serializer, serializer == BONDY_JSON ? "1" : "01");
    for (unsigned i = 2; i < depth; i++)
        append(out, serializer, nestings[nest].in[serializer].close);
    append(out, serializer, around[place][serializer].after);
}

static void check_shallow(enum bondy_serializer serializer, const struct bondy_buf *message)
{
    struct bondy_message decoded;
    struct bondy_buf out = BONDY_BUF_EMPTY;

    assert_int_equal(decode(serializer, bondy_buf_slice(message), &decoded), BONDY_OK);
    for (EACH_SERIALIZER(to)) {
        struct bondy_message again;

        out.len = 0;
        bondy_message_format(to, &decoded, &out);
        assert_int_equal(bondy_value_check(to, bondy_buf_slice(&out), 32, true, NULL), BONDY_OK);
        json_decref(bondy_value_tree(to, bondy_buf_slice(&out)));
        if (to != serializer)
            continue;
        out.len = 0;
        bondy_value_recode(to, bondy_buf_slice(message), to, &out);
        assert_int_equal(decode(to, bondy_buf_slice(&out), &again), BONDY_OK);
        assert_int_equal(decode(serializer, bondy_buf_slice(message), &decoded), BONDY_OK);
    }
    bondy_buf_fini(&out);
}

static void check_deep(enum bondy_serializer serializer, const struct bondy_buf *message,
                       const char *name)
{
    must_refuse(serializer, bondy_buf_slice(message), BONDY_EPROTO, name);
    assert_int_equal(bondy_value_check(serializer, bondy_buf_slice(message), 32, true, NULL),
                     BONDY_EPROTO);
    assert_int_equal(bondy_value_check(serializer, bondy_buf_slice(message), 1000, false, NULL),
                     BONDY_EPROTO);
}

static void check_all(void)
{
    static const unsigned deep[] = {33, 34, 5000, 1000000};
    struct bondy_buf message = BONDY_BUF_EMPTY;

    for (EACH_SERIALIZER(serializer)) {
        for (int nest = 0; nest < NESTS; nest++) {
            if (nestings[nest].in[serializer].open[0] == '\0')
                continue;
            for (int place = 0; place < PLACES; place++) {
                build(&message, serializer, nest, place, 16, true);
                check_shallow(serializer, &message);
                build(&message, serializer, nest, place, 32, true);
                check_shallow(serializer, &message);
                for (size_t i = 0; i < BONDY_COUNT(deep); i++) {
                    build(&message, serializer, nest, place, deep[i], true);
                    check_deep(serializer, &message, nestings[nest].name);
                    build(&message, serializer, nest, place, deep[i], false);
                    check_deep(serializer, &message, nestings[nest].name);
                }
            }
        }
    }
    bondy_buf_fini(&message);
}

static void *on_thread(void *context)
{
    (void)context;
    check_all();
    return NULL;
}

/* A failure on the other thread ends the program, which is a failure too. */
static void nesting_up_to_32_is_carried_and_more_is_refused(void **state)
{
    pthread_attr_t attributes;
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstacksize(&attributes, STACK_LEN), 0);
    assert_int_equal(pthread_create(&thread, &attributes, on_thread, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attributes);
}

static void a_lower_limit_holds_too(void **state)
{
    struct bondy_codec_limits limits = {4, 1024};
    struct bondy_buf scratch = BONDY_BUF_EMPTY;
    struct bondy_message message;

    (void)state;
    assert_int_equal(bondy_message_decode(BONDY_JSON, BONDY_SLICE("[48,1,{},\"a\",[[{}]]]"),
                                          &limits, &scratch, &message, NULL),
                     BONDY_OK);
    assert_int_equal(bondy_message_decode(BONDY_JSON, BONDY_SLICE("[48,1,{},\"a\",[[{\"k\":[]}]]]"),
                                          &limits, &scratch, &message, NULL),
                     BONDY_EPROTO);
    bondy_buf_fini(&scratch);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(nesting_up_to_32_is_carried_and_more_is_refused),
        cmocka_unit_test(a_lower_limit_holds_too),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    free_scratch();
    return failed;
}
