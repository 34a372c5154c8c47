/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_GATEWAY_OAUTH2_CALL_H
#define BONDY_GATEWAY_OAUTH2_CALL_H

/* call: one request to an endpoint of the OAuth2 server on its way between loop, pools and control
 * thread; shared by the files of this folder, nobody else includes this.
 *
 *     begin -> client -> (user's login) -> look [pool] -> apply [job] -> answer
 *
 * Each step says which function comes next; a fault ends it. The client may have left meanwhile:
 * then everything goes on as if it were there, and the answer is dropped. */

#include "gateway/oauth2/oauth2.h"
#include "gateway/oauth2/params.h"
#include "src/http/problem.h"
#include "src/security/login/audit.h"
#include "src/security/token/code.h"
#include "src/security/token/denied.h"
#include "src/security/token/refresh.h"

#define OAUTH2_CLIENTS "api_clients"
#define OAUTH2_OWNERS "resource_owners"
#define OAUTH2_KEY_LEN 32

struct bondy_oauth2 {
    struct bondy_oauth2_options options;
    uint8_t key[OAUTH2_KEY_LEN]; /* of this process, for the form's tokens */
};

/* What is refused; texts are static, or as long as the call. 3.3. */
struct oauth2_fault {
    unsigned status; /* 0: nothing is wrong */
    const char *code;
    const char *message;
    const char *description; /* NULL: none */
    const char *key;         /* the parameter that it is about; NULL: none */
    unsigned retry_after_s;
};

struct oauth2_call {
    struct bondy_oauth2 *oauth2;
    struct bondy_gateway_call *gateway;
    struct bondy_loop *loop;
    const struct bondy_realm *realm;       /* a reference */
    const struct bondy_token_rules *rules; /* those of its beginning */
    struct bondy_oauth2_params params;
    struct bondy_login_peer peer;
    char source[BONDY_ADDRESS_TEXT];
    char *request_id;
    char *issuer; /* "https://api.example/v1": this version as the client sees it */
    struct oauth2_fault fault;

    /* The client; its name is canonical, its meta known after look. */
    char *client_id;
    bool is_proved; /* by its secret; else it says who it is, and may if it is public */
    bool is_absent; /* a browser is here in its place */
    json_t *client_meta;
    unsigned grant; /* BONDY_GRANT_*; 0: not a token request */

    /* The user, by name; with its record after look. */
    char *authid;
    struct bondy_user user;
    bool has_user;
    /* Of a code: its job frees and finds them anew. */
    char *device_id;
    json_t *only_groups;

    /* The steps under way. */
    struct bondy_login *login;
    struct bondy_work work;
    struct bondy_store_job job;
    struct bondy_edit edit;
    void (*look)(struct oauth2_call *call, const struct bondy_store_view *view);
    int (*apply)(struct oauth2_call *call);
    void (*next)(struct oauth2_call *call);
    void (*after_client)(struct oauth2_call *call);

    /* What it makes or uses. */
    struct bondy_access_token access;
    struct bondy_refresh_issue refresh; /* of a new family: id empty means none */
    struct bondy_refresh_use use;
    struct bondy_code_use code;
    struct bondy_code_issue new_code;
    json_t *claims; /* of a token that was shown */
    json_t *value;  /* the answer's body */
};

/* ---- call.c ---- */
/* NULL: answered, this cannot be served now. `text`: the parameters. */
struct oauth2_call *oauth2_begin(struct bondy_oauth2 *oauth2, struct bondy_gateway_call *gateway,
                                 struct bondy_slice text);
/* After the answer. */
void oauth2_end(struct oauth2_call *call);
/* Checks a name and password in the call's realm, then calls `next`: see oauth2_login_answer(). */
void oauth2_login(struct oauth2_call *call, struct bondy_slice name, struct bondy_slice secret,
                  void (*next)(struct oauth2_call *call));
const struct bondy_login_answer *oauth2_login_answer(const struct oauth2_call *call);
/* Seconds to wait when there were too many; 0: that was not it. */
unsigned oauth2_login_wait(const struct oauth2_call *call);
/* Runs call->look on a pool thread, then `next` on the loop, whatever fault it left. */
void oauth2_look(struct oauth2_call *call, void (*next)(struct oauth2_call *call));
/* Runs call->apply in a job, likewise. */
void oauth2_apply(struct oauth2_call *call, void (*next)(struct oauth2_call *call));
struct bondy_slice oauth2_param(const struct oauth2_call *call, enum bondy_oauth2_param param);
bool oauth2_has_group(const json_t *groups, const char *group);

/* ---- client.c ---- */
/* Finds out which client asks, and whether it is: by header, by parameters, or (public ones) by its
 * name alone; then `next`. A fault is answered. */
void oauth2_client(struct oauth2_call *call, void (*next)(struct oauth2_call *call));
/* The two together: a request of a client, whose parameters are the body. */
void oauth2_serve_client(void *context, struct bondy_gateway_call *gateway,
                         void (*next)(struct oauth2_call *call));
/* The client shows a token: runs `look` on a pool thread, then `next`. */
void oauth2_look_at_token(struct oauth2_call *call,
                          void (*look)(struct oauth2_call *call,
                                       const struct bondy_store_view *view),
                          void (*next)(struct oauth2_call *call));
/* [in views] The client's record: fills client_meta, canonical client_id. False: call->fault. */
bool oauth2_client_look(struct oauth2_call *call, const struct bondy_store_view *view);

/* ---- answer.c ---- */
/* Each ends the call. */
void oauth2_refuse(struct oauth2_call *call); /* call->fault */
void oauth2_answer(struct oauth2_call *call, json_t *body);
void oauth2_answer_response(struct oauth2_call *call, struct bondy_response *response);
/* Before there is a call. */
void oauth2_refuse_early(struct bondy_gateway_call *gateway, const struct oauth2_fault *fault);
/* application/json; the caller owns it. */
struct bondy_response *oauth2_json(unsigned status, const json_t *body, const char *content_type);
void oauth2_no_store(struct bondy_response *response);
/* The fault of the parameters as a whole, or of the first of `required` (ends with BONDY_PARAMS)
 * that is not there. True: there is one, in call->fault. */
bool oauth2_lacks(struct oauth2_call *call, const enum bondy_oauth2_param *required);
/* Names of groups as one text: the caller owns it. */
json_t *oauth2_scope(const json_t *groups, char separator);
/* `target` is what follows the realm: "clients/webapp". */
void oauth2_audit(struct oauth2_call *call, const char *action, enum bondy_audit_outcome outcome,
                  const char *target, struct bondy_slice reason);

/* ---- page.c ---- */
struct oauth2_page {
    unsigned status;
    const char *problem;       /* NULL: none */
    const char *csrf;          /* NULL: no form */
    struct bondy_slice cookie; /* to be set; empty: none */
    unsigned retry_after_s;
};
struct bondy_response *oauth2_page(const struct oauth2_call *call, const struct oauth2_page *page);

/* ---- csrf.c ---- */
#define OAUTH2_CSRF_TEXT 55   /* base64url of 8 + 32 octets, with a NUL */
#define OAUTH2_COOKIE_TEXT 44 /* base64url of 32 octets, with a NUL */
/* The browser's cookie, or a new one (then it has to be set). */
bool oauth2_cookie_find(const struct bondy_request *request, char out[OAUTH2_COOKIE_TEXT]);
void oauth2_cookie_make(char out[OAUTH2_COOKIE_TEXT]);
/* The header that sets it; the caller frees it. */
char *oauth2_cookie_header(const struct bondy_request *request, const char *cookie);
void oauth2_csrf_make(const struct oauth2_call *call, const char *cookie, uint64_t now_ms,
                      char out[OAUTH2_CSRF_TEXT]);
bool oauth2_csrf_fits(const struct oauth2_call *call, const char *cookie, uint64_t now_ms,
                      struct bondy_slice given);

/* ---- the endpoints: struct bondy_gateway_endpoint, context is the bondy_oauth2 ---- */
void oauth2_serve_token(void *context, struct bondy_gateway_call *gateway);
void oauth2_serve_revoke(void *context, struct bondy_gateway_call *gateway);
void oauth2_serve_introspect(void *context, struct bondy_gateway_call *gateway);
void oauth2_serve_jwks(void *context, struct bondy_gateway_call *gateway);
void oauth2_serve_metadata(void *context, struct bondy_gateway_call *gateway);
void oauth2_serve_authorize(void *context, struct bondy_gateway_call *gateway);
void oauth2_serve_me(void *context, struct bondy_gateway_call *gateway);

/* ---- oauth2.c ---- */
/* "https://api.example/v1": this version as its client sees it. The caller owns it. */
char *oauth2_issuer(const struct bondy_gateway_call *gateway);

#endif
