/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_GATEWAY_SPEC_SPEC_H
#define BONDY_GATEWAY_SPEC_SPEC_H

/* spec: an API specification, checked whole and compiled. http-gateway.md parts 1, 2 and 8.2.
 *
 * JSON in, one immutable object out, or every mistake at once; no I/O, any thread (slow documents
 * belong on the control thread or the pool: a load may take a good part of a second). The compiled
 * object is counted by reference: the one who loaded it, each route table that holds it, each
 * request that is being answered by it. Everything below it lives as long as it does.
 *
 *   spec -> versions -> paths -> operations[method] -> expressions (expr.h)
 */

#include <stdbool.h>
#include <stdint.h>

#include "gateway/expr/expr.h"
#include "gateway/spec/pattern.h"
#include "src/base/json.h"
#include "src/http/request.h"

#define BONDY_SCHEME_HTTP 1u
#define BONDY_SCHEME_HTTPS 2u

/* A document may hold this many JSON values; together with the limits of expressions this keeps a
 * load within a second and 64 MiB (threat-model P10). */
#define BONDY_SPEC_MAX_NODES 200000
/* Segments of all its routes: every reading of optional parts, for each scheme and host. */
#define BONDY_SPEC_MAX_SEGMENTS 60000
/* Mistakes reported in one answer; one more says that there are more. */
#define BONDY_SPEC_MAX_PROBLEMS 500

enum bondy_media_kind {
    BONDY_MEDIA_JSON,      /* application/json, application/merge-patch+json */
    BONDY_MEDIA_MSGPACK,   /* application/msgpack, application/x-msgpack */
    BONDY_MEDIA_CBOR,      /* application/cbor */
    BONDY_MEDIA_FORM,      /* application/x-www-form-urlencoded */
    BONDY_MEDIA_MULTIPART, /* multipart/form-data */
    BONDY_MEDIA_TEXT,      /* any text type */
    BONDY_MEDIA_LINES,     /* application/x-ndjson: an array, one JSON value a line */
    BONDY_MEDIA_OTHER
};

struct bondy_media {
    enum bondy_media_kind kind;
    char *type; /* lower case, without parameters: "application/json" */
};

struct bondy_media_list {
    struct bondy_media *items; /* `provides`: JSON first, then MessagePack, then as written */
    size_t count;
};

struct bondy_text_list {
    char **items;
    size_t count;
};

enum bondy_action_kind {
    BONDY_ACTION_NONE, /* an `options` operation without action */
    BONDY_ACTION_STATIC,
    BONDY_ACTION_CALL,
    BONDY_ACTION_PUBLISH,
    BONDY_ACTION_ENDPOINT /* the program's own code (gateway/endpoint.h); not in documents of users
                           */
};

/* on_result, on_error, on_timeout. An absent key: is_given false, body "", headers the defaults.
 * `headers` evaluates to an object whose names are lower case when written in the document; names
 * and values that are known at load were checked, others must be checked when they are set (H3). */
struct bondy_response_rule {
    bool is_given;    /* the document wrote this rule */
    bool has_headers; /* ... with own headers; else `headers` are those of defaults.headers */
    bool has_body;
    bool sniffs_json; /* body_encoding "auto": a string body that is JSON text is sent as that JSON
                       */
    const struct bondy_expr *headers;     /* never NULL */
    const struct bondy_expr *body;        /* never NULL; absent is the constant "" */
    const struct bondy_expr *status_code; /* NULL: none. Integer or numeric text */
    const struct bondy_expr *uri;         /* NULL: none */
};

struct bondy_operation {
    const struct bondy_path *path;
    enum bondy_method method;
    enum bondy_action_kind action;
    const char *endpoint; /* BONDY_ACTION_ENDPOINT: which one */

    /* wamp_call: the procedure; wamp_publish: the topic. A constant is a valid WAMP URI; otherwise
     * the result must be checked. NULL for other actions. */
    const struct bondy_expr *uri;
    const struct bondy_expr *options; /* object or null */
    const struct bondy_expr *args;    /* array or null */
    const struct bondy_expr *kwargs;  /* object or null */
    /* 1.2: the deadline of a call is the first of options.timeout, `timeout`, default_timeout_ms
     * (0: the document wrote none) that is present and not 0, then wamp.call_timeout; capped by
     * wamp.max_call_timeout. UINT64_MAX is "infinity". */
    const struct bondy_expr *timeout; /* NULL: none on the action. See bondy_duration_ms() */
    uint64_t default_timeout_ms;

    /* static: what becomes action.result; each NULL when the action did not write it. When
     * on_result is not given, these are the response. */
    const struct bondy_expr *static_headers;
    const struct bondy_expr *static_body;
    const struct bondy_expr *static_status_code;

    struct bondy_response_rule on_result;
    struct bondy_response_rule on_error;
    struct bondy_response_rule on_timeout; /* a copy of on_error when the document has none */

    uint64_t body_max_bytes;       /* 0: the listener's */
    uint64_t body_max_values;      /* 0: api_gateway.max_body_values */
    uint64_t body_read_bytes;      /* 0: the listener's */
    uint64_t body_read_timeout_ms; /* 0: the listener's */

    json_t *status_codes;   /* built-in, API, version, path, operation: what {{status_codes}} is */
    json_t *status_overlay; /* what the document wrote alone; NULL: nothing */
    bool problem_details;   /* RFC 9457 bodies even when not asked for */
    /* Members whose name starts with "x-", of the path and then of the operation; NULL: none. */
    json_t *annotations;
    const char *pointer; /* JSON pointer of the operation in its document, for logs */
};

/* 1.6: who may ask. Nothing but NONE is open. */
enum bondy_security_kind {
    BONDY_SECURITY_NONE,
    BONDY_SECURITY_BASIC,
    BONDY_SECURITY_API_KEY,
    BONDY_SECURITY_OAUTH2,
    BONDY_SECURITY_ANY_OF
};

enum bondy_api_key_place { BONDY_API_KEY_HEADER, BONDY_API_KEY_QUERY, BONDY_API_KEY_COOKIE };

/* Grants that the token endpoint of this version serves. */
#define BONDY_GRANT_CLIENT_CREDENTIALS 1u
#define BONDY_GRANT_PASSWORD 2u
#define BONDY_GRANT_AUTHORIZATION_CODE 4u
#define BONDY_GRANT_REFRESH_TOKEN 8u

struct bondy_security {
    enum bondy_security_kind kind;
    /* API_KEY */
    enum bondy_api_key_place place;
    char *name;   /* of the header (lower case), query parameter or cookie */
    char *prefix; /* what stands before the key, case and spaces apart: "ApiKey"; NULL: nothing */
    /* OAUTH2 */
    struct bondy_text_list scopes; /* a token needs one of these roles; none: any token will do */
    unsigned grants;               /* BONDY_GRANT_* */
    char *token_path;              /* below the base path: "/oauth/token" */
    char *revoke_token_path;
    char *issuer; /* the address of the authorization server for its clients; NULL: as they ask */
    /* ANY_OF: the first of these (none of them ANY_OF or NONE) that succeeds decides; without items
     * nobody gets in. */
    struct bondy_security *items;
    size_t count;
};

struct bondy_path {
    const struct bondy_version *version;
    char *key;                     /* as in the document */
    struct bondy_pattern *pattern; /* of base_path + key */
    bool is_collection;
    unsigned schemes; /* BONDY_SCHEME_* */
    /* Of a generated token endpoint only `grants` counts: what it serves. */
    struct bondy_security security;
    bool is_generated; /* by the version's oauth2 (oauth2.c): loses to a route of the document */
    bool is_page;      /* browsers go there; scripts of other sites have nothing to do with it */
    struct bondy_media_list accepts;
    struct bondy_media_list provides;
    struct bondy_operation *operations[BONDY_METHODS]; /* NULL: not declared */
    unsigned methods; /* declared ones, bit 1u << enum bondy_method */
};

/* The authorization server of a version, at these paths below its base path. */
#define BONDY_OAUTH2_INTROSPECT "/oauth/introspect"
#define BONDY_OAUTH2_JWKS "/oauth/jwks"
#define BONDY_OAUTH2_AUTHORIZE "/oauth/authorize"
#define BONDY_OAUTH2_ME "/oauth/me"
/* Below the base path, and in front of it (RFC 8414, 3.1). */
#define BONDY_OAUTH2_METADATA "/.well-known/oauth-authorization-server"

struct bondy_spec_oauth2 {
    unsigned grants;  /* of all its paths; 0: no path has the security oauth2 */
    char *token_path; /* the first one; NULL: no path has the security oauth2 */
    char *revoke_token_path;
    char *issuer; /* NULL: scheme and host as the client asks, with the base path */
};

struct bondy_version {
    const struct bondy_spec *spec;
    char *label;
    char *base_path;
    bool is_active; /* false: no routes */
    bool is_deprecated;
    char *deprecation;                /* value of the Deprecation header (RFC 9745), or NULL */
    char *sunset;                     /* value of the Sunset header (RFC 8594), or NULL */
    struct bondy_text_list languages; /* lower case, at least one; the first is the default */
    struct bondy_path *paths;
    size_t path_count;
    struct bondy_spec_oauth2 oauth2;
};

struct bondy_spec {
    char *id;
    char *name;
    char *host;
    char *realm_uri;
    unsigned spec_version; /* 1 or 2 */
    struct bondy_pattern *host_pattern;
    struct bondy_version *versions;
    size_t version_count;
};

/* What a load needs to know about the world. Zero is fine everywhere. */
struct bondy_spec_env {
    bool (*realm_exists)(void *context, struct bondy_slice realm_uri); /* NULL: not checked */
    /* Whether one may log in to it with this method; NULL: not checked. */
    bool (*realm_takes)(void *context, struct bondy_slice realm_uri, const char *method);
    void *context;
    unsigned listeners;    /* BONDY_SCHEME_* of listeners that are on; 0: not known */
    uint64_t loaded_at_ms; /* wall clock, for the Deprecation header; 0: no date known */
    const char *pointer;   /* put before every pointer: "/3" for the fourth of an array body */
    bool is_own;           /* a document of the program itself: it may name endpoints */
};

/* Checks and compiles. The document is borrowed and not changed.
 * BONDY_OK: the caller owns one reference of *out.
 * BONDY_EINVAL: *problems is the object of 8.2 ({code, message, description, errors: [{pointer,
 *   code, message, expected?, suggestion?, column?}]}, HTTP 422).
 * BONDY_ENOENT: nothing is wrong but that the realm does not exist: *problems is {code:
 *   wamp.error.invalid_argument, message, description, errors} (HTTP 400); retry when it appears.
 * *warnings (NULL allowed) is always set: an array of the same items. The caller owns both. */
int bondy_spec_load(const json_t *document, const struct bondy_spec_env *env,
                    struct bondy_spec **out, json_t **problems, json_t **warnings);
struct bondy_spec *bondy_spec_ref(const struct bondy_spec *spec);
void bondy_spec_unref(const struct bondy_spec *spec);

/* The compiled routes, for dry runs and listings: an array of {method, scheme, host, path, version,
 * action, procedure? or topic?}, one per method, scheme and pattern, in the document's order; the
 * caller owns it. */
json_t *bondy_spec_routes(const struct bondy_spec *spec);

/* The status of an error URI for this operation (7.2). */
int bondy_operation_status(const struct bondy_operation *operation, struct bondy_slice uri,
                           bool is_anonymous);
/* By lower-case type without parameters. */
enum bondy_media_kind bondy_media_kind(struct bondy_slice type);
const char *bondy_action_name(enum bondy_action_kind kind);

#endif
