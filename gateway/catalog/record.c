/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/catalog/record.h"

#include <sodium.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/wamp/codec.h"

#define DOCUMENT_DEPTH 64
#define BODY_DEPTH 8

struct bondy_store_key bondy_api_key(struct bondy_slice id)
{
    return (struct bondy_store_key){.type = BONDY_RECORD_API_SPEC, .subkey = id};
}

static uint64_t number_of(const json_t *body, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(body, key));
}

bool bondy_api_record_decode(const struct bondy_record *stored, struct bondy_api_record *out)
{
    json_t *body;

    memset(out, 0, sizeof *out);
    if (stored->schema > BONDY_API_SCHEMA ||
        bondy_value_check(BONDY_CBOR, stored->body, BODY_DEPTH, true, NULL) < 0)
        return false;
    body = bondy_value_tree(BONDY_CBOR, stored->body);
    out->document = bondy_json_parse(bondy_json_text(body, "document"), DOCUMENT_DEPTH, NULL);
    out->loaded_ms = number_of(body, "loaded_at");
    out->updated_ms = number_of(body, "updated_at");
    out->revision = number_of(body, "revision");
    json_decref(body);
    if (!json_is_object(out->document))
        return false;
    bondy_api_hash(out->document, out->hash);
    return true;
}

void bondy_api_record_encode(const struct bondy_api_record *record, struct bondy_buf *out)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    json_t *body;

    bondy_json_format(record->document, &text);
    body = json_pack("{s:s%, s:I, s:I, s:I, s:s}", "document", text.data, text.len, "loaded_at",
                     (json_int_t)record->loaded_ms, "updated_at", (json_int_t)record->updated_ms,
                     "revision", (json_int_t)record->revision, "hash", record->hash);
    BONDY_BUG_ON(body == NULL);
    bondy_value_format(BONDY_CBOR, body, out);
    json_decref(body);
    bondy_buf_fini(&text);
}

void bondy_api_record_fini(struct bondy_api_record *record)
{
    json_decref(record->document);
    record->document = NULL;
}

void bondy_api_hash(const json_t *document, char out[BONDY_API_HASH_LEN])
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    uint8_t digest[crypto_hash_sha256_BYTES];

    bondy_json_canonical(document, &text);
    crypto_hash_sha256(digest, (const unsigned char *)text.data, text.len);
    bondy_buf_fini(&text);
    sodium_bin2hex(out, BONDY_API_HASH_LEN, digest, sizeof digest);
}

void bondy_api_etag(const uint8_t version[BONDY_VERSION_LEN], char out[2 * BONDY_VERSION_LEN + 1])
{
    sodium_bin2hex(out, 2 * BONDY_VERSION_LEN + 1, version, BONDY_VERSION_LEN);
}

/* RFC 9110, If-Match: `*` or a list of tags; our tags have no comma inside. */
bool bondy_api_etag_matches(const char *if_match, const char *etag)
{
    size_t len = strlen(etag);

    while (*if_match != '\0') {
        const char *end;

        if_match += strspn(if_match, " \t,");
        if (strncmp(if_match, "W/", 2) == 0)
            if_match += 2;
        if_match += *if_match == '"';
        end = if_match + strcspn(if_match, " \t,\"");
        if ((end - if_match == 1 && *if_match == '*') ||
            ((size_t)(end - if_match) == len && memcmp(if_match, etag, len) == 0))
            return true;
        if_match = end + (*end == '"');
    }
    return false;
}
