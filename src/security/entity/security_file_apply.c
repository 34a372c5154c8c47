/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "src/base/alloc.h"
#include "src/base/map.h"
#include "src/security/entity/grant.h"
#include "src/security/entity/group.h"
#include "src/security/entity/realm_local.h"
#include "src/security/entity/security_file.h"
#include "src/security/entity/source.h"
#include "src/security/entity/stored.h"
#include "src/security/entity/user.h"

/* The applying half. Each object is brought to what the file says and noted in the plan; then what
 * the file does not name may be deleted. */

#define PLAN_MAX 1000

typedef int (*apply_fn)(struct bondy_edit *edit, struct bondy_slice realm, const json_t *input);

struct applying {
    struct bondy_edit *edit;
    const struct bondy_file *file;
    json_t *plan;
    struct bondy_slice uri; /* of the realm at hand */
};

/* ---- the plan ----------------------------------------------------------------------------- */

static json_t *make_plan(void)
{
    return json_pack("{s:[], s:[], s:[], s:i, s:i, s:{s:i, s:i, s:i, s:i, s:i}}", "create",
                     "update", "delete", "unchanged", 0, "omitted", 0, "counts", "realms", 0,
                     "groups", 0, "users", 0, "sources", 0, "grants", 0);
}

static void count(json_t *object, const char *key)
{
    json_object_set_new(object, key,
                        json_integer(json_integer_value(json_object_get(object, key)) + 1));
}

static void note(struct applying *applying, const char *list, const char *noun,
                 struct bondy_slice name)
{
    json_t *texts = json_object_get(applying->plan, list);
    struct bondy_buf text = BONDY_BUF_EMPTY;

    if (json_array_size(texts) >= PLAN_MAX) {
        count(applying->plan, "omitted");
        return;
    }
    bondy_buf_append_text(&text, noun);
    bondy_buf_append_byte(&text, ' ');
    bondy_buf_append_slice(&text, applying->uri);
    if (name.len > 0)
        bondy_buf_append_byte(&text, '/');
    bondy_buf_append_slice(&text, name);
    json_array_append_new(texts, bondy_json_slice(bondy_buf_slice(&text)));
    bondy_buf_fini(&text);
}

/* What an apply function did since `writes` and with effects 0. */
static void note_applied(struct applying *applying, unsigned writes, const char *noun,
                         struct bondy_slice name)
{
    if (applying->edit->writes == writes)
        count(applying->plan, "unchanged");
    else
        note(applying, applying->edit->effects & BONDY_EDIT_CREATED ? "create" : "update", noun,
             name);
}

/* Names of a source or grant: what it is for. */
static void describe(const json_t *input, const char *list, const char *single,
                     struct bondy_buf *out)
{
    const json_t *names = json_object_get(input, list);
    size_t i;
    json_t *one;

    if (names == NULL)
        names = json_object_get(input, single);
    if (json_is_string(names))
        bondy_buf_append_text(out, json_string_value(names));
    json_array_foreach(names, i, one)
    {
        if (i > 0)
            bondy_buf_append_byte(out, ',');
        bondy_buf_append_text(out, json_string_value(one));
    }
}

/* ---- one realm ---------------------------------------------------------------------------- */

static const struct section {
    const char *key, *noun, *names, *name;
    apply_fn apply;
} sections[] = {
    {"groups", "group", "name", "name", bondy_group_apply_add},
    {"users", "user", "username", "username", bondy_user_apply_add},
    {"sources", "source", "usernames", "username", bondy_source_apply_add},
    {"grants", "grant", "roles", "roles", bondy_grant_apply_create},
};

static int apply_item(struct applying *applying, const struct section *section, const json_t *input)
{
    struct bondy_buf name = BONDY_BUF_EMPTY;
    unsigned writes = applying->edit->writes;
    int rc;

    applying->edit->effects = 0;
    rc = section->apply(applying->edit, applying->uri, input);
    if (rc == BONDY_OK) {
        describe(input, section->names, section->name, &name);
        note_applied(applying, writes, section->noun, bondy_buf_slice(&name));
        count(json_object_get(applying->plan, "counts"), section->key);
    }
    bondy_buf_fini(&name);
    return rc;
}

static int apply_section(struct applying *applying, const struct section *section,
                         const json_t *realm)
{
    const json_t *list = json_object_get(realm, section->key);
    size_t *order = NULL;
    char pointer[64];
    json_t *problem;
    int rc = BONDY_OK;

    if (section == &sections[0] && (rc = bondy_realm_sort_groups(list, &order, &problem)) < 0)
        return bondy_edit_refuse(applying->edit, rc, problem);
    for (size_t i = 0; rc == BONDY_OK && i < json_array_size(list); i++) {
        size_t at = order == NULL ? i : order[i];

        rc = apply_item(applying, section, json_array_get(list, at));
        if (rc < 0) {
            snprintf(pointer, sizeof pointer, "/%s/%zu", section->key, at);
            bondy_realm_locate(applying->edit->problem, pointer);
        }
    }
    bondy_free(order);
    return rc;
}

/* The realm itself, without its lists. */
static int apply_head(struct applying *applying, const json_t *realm)
{
    json_t *head = json_copy((json_t *)(uintptr_t)realm);
    unsigned writes = applying->edit->writes;
    int rc;

    for (size_t i = 0; i < BONDY_COUNT(sections); i++)
        json_object_del(head, sections[i].key);
    applying->edit->effects = 0;
    rc = bondy_realm_apply_create(applying->edit, head);
    json_decref(head);
    if (rc < 0)
        return rc;
    note_applied(applying, writes, "realm", BONDY_SLICE_EMPTY);
    count(json_object_get(applying->plan, "counts"), "realms");
    return BONDY_OK;
}

/* ---- what is not in the file ---------------------------------------------------------------- */

/* Deleting goes by the same functions as everybody's, so names are noted first. */
struct leftovers {
    const struct applying *applying;
    const struct bondy_realm *realm;
    bool only_managed;
    enum bondy_record_type type;
    json_t *users, *groups;
    struct bondy_buf others; /* subkeys of sources or grants, each with its length in front */
};

static bool is_leftover(const struct leftovers *leftovers, const struct bondy_record *record)
{
    json_t *body;
    bool is_meant;

    if (bondy_stored_is_touched(leftovers->applying->edit, record->key.type, record->key.subkey))
        return false;
    body = bondy_stored_tree(record);
    is_meant = json_object_get(body, "alias_of") == NULL &&
               (!leftovers->only_managed || bondy_stored_is_managed(body));
    json_decref(body);
    return is_meant;
}

static int note_leftover(void *context, const struct bondy_record *record)
{
    struct leftovers *leftovers = context;
    size_t len = record->key.subkey.len;

    if (!is_leftover(leftovers, record))
        return 0;
    if (record->key.type == BONDY_RECORD_USER) {
        json_array_append_new(leftovers->users, bondy_json_slice(record->key.subkey));
    } else if (record->key.type == BONDY_RECORD_GROUP) {
        json_array_append_new(leftovers->groups, bondy_json_slice(record->key.subkey));
    } else {
        bondy_buf_append(&leftovers->others, &len, sizeof len);
        bondy_buf_append_slice(&leftovers->others, record->key.subkey);
    }
    return 0;
}

static void scan_leftovers(struct leftovers *leftovers, enum bondy_record_type type)
{
    const struct bondy_store_range range = {.type = type,
                                            .scope = bondy_slice_text(leftovers->realm->uri),
                                            .gen = leftovers->realm->gen};

    bondy_store_view_scan(bondy_edit_view(leftovers->applying->edit), &range, note_leftover,
                          leftovers);
}

/* Sources and grants are single records. */
static int delete_records(struct applying *applying, struct leftovers *leftovers,
                          enum bondy_record_type type, const char *noun)
{
    struct bondy_slice rest;
    int rc = BONDY_OK;

    bondy_buf_clear(&leftovers->others, SIZE_MAX);
    scan_leftovers(leftovers, type);
    rest = bondy_buf_slice(&leftovers->others);
    while (rest.len > 0 && rc == BONDY_OK) {
        struct bondy_store_key key = {.type = type,
                                      .scope = bondy_slice_text(leftovers->realm->uri),
                                      .gen = leftovers->realm->gen};
        size_t len;

        memcpy(&len, rest.data, sizeof len);
        key.subkey = bondy_slice_of(rest.data + sizeof len, len);
        rest = bondy_slice_skip(rest, sizeof len + len);
        rc = bondy_stored_delete(applying->edit, &key);
        /* Up to a NUL: the username, or the role behind its kind. */
        note(applying, "delete", noun,
             bondy_slice_text(key.subkey.data + (type == BONDY_RECORD_GRANT ? 2 : 0)));
    }
    return rc;
}

static int delete_named(struct applying *applying, const json_t *names, const char *noun)
{
    struct bondy_edit *edit = applying->edit;
    bool is_user = strcmp(noun, "user") == 0;
    size_t i;
    json_t *name;
    int rc = BONDY_OK;

    json_array_foreach(names, i, name)
    {
        struct bondy_slice text = bondy_slice_of(json_string_value(name), json_string_length(name));

        if (rc < 0)
            break;
        rc = is_user ? bondy_user_apply_delete(edit, applying->uri, text, true)
                     : bondy_group_apply_delete(edit, applying->uri, text);
        note(applying, "delete", noun, text);
    }
    return rc;
}

static int delete_leftovers(struct applying *applying, bool only_managed)
{
    struct leftovers leftovers = {.applying = applying,
                                  .only_managed = only_managed,
                                  .users = json_array(),
                                  .groups = json_array()};
    int rc = bondy_edit_realm(applying->edit, applying->uri, &leftovers.realm);

    if (rc == BONDY_OK) {
        bondy_realm_ref(leftovers.realm); /* deleting may read other realms */
        rc = delete_records(applying, &leftovers, BONDY_RECORD_GRANT, "grant");
    }
    if (rc == BONDY_OK)
        rc = delete_records(applying, &leftovers, BONDY_RECORD_SOURCE, "source");
    if (rc == BONDY_OK) {
        scan_leftovers(&leftovers, BONDY_RECORD_USER);
        scan_leftovers(&leftovers, BONDY_RECORD_GROUP);
        rc = delete_named(applying, leftovers.users, "user");
    }
    if (rc == BONDY_OK)
        rc = delete_named(applying, leftovers.groups, "group");
    bondy_realm_unref(leftovers.realm);
    json_decref(leftovers.users);
    json_decref(leftovers.groups);
    bondy_buf_fini(&leftovers.others);
    return rc;
}

/* ---- entry points -------------------------------------------------------------------------- */

static int apply_realm(struct applying *applying, size_t index)
{
    const json_t *realm = json_array_get(applying->file->realms, index);
    char uri[BONDY_REALM_URI_MAX], pointer[32];
    struct bondy_map touched = BONDY_MAP_EMPTY;
    bool prunes = json_is_true(json_object_get(realm, "prune"));
    size_t len;
    int rc;

    bondy_realm_canonical(applying->edit->rules, bondy_json_text(realm, "uri"), uri, sizeof uri,
                          &len);
    applying->uri = bondy_slice_of(uri, len);
    applying->edit->touched = &touched;
    rc = apply_head(applying, realm);
    for (size_t i = 0; rc == BONDY_OK && i < BONDY_COUNT(sections); i++)
        rc = apply_section(applying, &sections[i], realm);
    if (rc == BONDY_OK && (applying->edit->is_replace || prunes))
        rc = delete_leftovers(applying, !applying->edit->is_replace);
    applying->edit->touched = NULL;
    bondy_map_fini(&touched);
    if (rc < 0) {
        snprintf(pointer, sizeof pointer, "/%zu", applying->file->places[index]);
        bondy_realm_locate(applying->edit->problem, pointer);
    }
    return rc;
}

static int apply_range(struct bondy_edit *edit, const struct bondy_file *file, size_t from,
                       size_t to)
{
    struct applying applying = {.edit = edit, .file = file, .plan = make_plan()};
    const struct bondy_edit flags = *edit;
    int rc = BONDY_OK;

    edit->is_rebase = true;
    edit->is_file = file->mode == BONDY_FILE_CONFIG;
    edit->is_lenient = edit->is_file || flags.is_lenient;
    edit->is_replace = file->mode == BONDY_FILE_REPLACE;
    edit->expected = NULL;
    for (size_t i = from; rc == BONDY_OK && i < to; i++)
        rc = apply_realm(&applying, i);
    edit->is_rebase = flags.is_rebase;
    edit->is_file = flags.is_file;
    edit->is_lenient = flags.is_lenient;
    edit->is_replace = flags.is_replace;
    edit->expected = flags.expected;
    edit->effects = 0;
    json_decref(edit->result);
    edit->result = applying.plan;
    return rc;
}

int bondy_file_apply(struct bondy_edit *edit, const struct bondy_file *file)
{
    return apply_range(edit, file, 0, json_array_size(file->realms));
}

int bondy_file_apply_realm(struct bondy_edit *edit, const struct bondy_file *file, size_t index)
{
    return apply_range(edit, file, index, index + 1);
}
