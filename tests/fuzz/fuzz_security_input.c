/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_security_input: a document from outside as an input of each resource, and as a security file
 * that is prepared: what was prepared is what apply takes. Texts of passwords and lists of no keys
 * are taken out: hashing and making keys are slow. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/security/entity/input.h"
#include "src/security/entity/realm_local.h"
#include "src/security/entity/security_file.h"

static void take_out_slow(json_t *value)
{
    const char *key;
    void *next;
    json_t *member;

    for (size_t i = 0; i < json_array_size(value); i++)
        take_out_slow(json_array_get(value, i));
    json_object_foreach_safe(value, next, key, member)
    {
        bool is_keys = strcmp(key, "private_keys") == 0 || strcmp(key, "encryption_keys") == 0;

        if ((strcmp(key, "password") == 0 && json_is_string(member)) ||
            (is_keys && json_array_size(member) == 0))
            json_object_del(value, key);
        else
            take_out_slow(member);
    }
}

static void check_as_each(const struct bondy_edit *edit, const json_t *document)
{
    static const struct bondy_input_table *const tables[] = {
        &bondy_realm_table, &bondy_user_table, &bondy_group_table, &bondy_source_table,
        &bondy_grant_table};

    for (size_t i = 0; i < BONDY_COUNT(tables); i++)
        for (int is_update = 0; is_update < 2; is_update++) {
            struct bondy_input input;
            json_t *problem;

            bondy_input_start(&input, edit, is_update);
            bondy_input_object(&input, tables[i], document);
            if ((bondy_input_end(&input, &problem) < 0) != (problem != NULL))
                abort();
            json_decref(problem);
        }
}

static void prepare_as_file(const struct bondy_edit *edit, const json_t *document)
{
    struct bondy_file file;
    json_t *problem = NULL, *realm;
    size_t i;

    if ((bondy_file_prepare(edit, NULL, document, BONDY_FILE_MERGE, &file, &problem) < 0) !=
        (problem != NULL))
        abort();
    json_decref(problem);
    json_array_foreach(file.realms, i, realm)
    {
        if (bondy_realm_check_input(edit, realm, false, true, &problem) < 0)
            abort();
    }
    bondy_file_fini(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bondy_security_rules rules;
    static bool is_ready;
    const struct bondy_edit edit = {.rules = &rules};
    json_t *document;

    if (!is_ready && bondy_id_start(NULL) < 0)
        abort();
    if (!is_ready)
        bondy_security_rules_init(&rules);
    is_ready = true;
    document = bondy_json_parse(bondy_slice_of(data, size), 32, NULL);
    if (document == NULL)
        return 0;
    check_as_each(&edit, document);
    take_out_slow(document);
    prepare_as_file(&edit, document);
    json_decref(document);
    return 0;
}
