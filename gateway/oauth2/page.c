/* SPDX-License-Identifier: Apache-2.0 */

/* page: what people see of the authorization endpoint: a form, or why there is none. No script, no
 * frame, nothing from elsewhere; everything from the request is escaped. */

#include <sodium.h>
#include <stdio.h>

#include "gateway/oauth2/call.h"
#include "gateway/oauth2/redirect.h"
#include "src/base/alloc.h"
#include "src/base/id.h"

#define NONCE_TEXT 25 /* base64 of 16 octets, with a NUL */

static const char STYLE[] =
    "*{box-sizing:border-box}"
    "body{margin:0;min-height:100vh;display:flex;align-items:center;justify-content:center;"
    "padding:1rem;font:1rem/1.5 system-ui,sans-serif;background:#eef1f5;color:#1b2430}"
    "main{width:100%;max-width:25rem;padding:2rem 1.5rem;background:#fff;border-radius:.75rem;"
    "box-shadow:0 1px 3px rgba(0,0,0,.2)}"
    "h1{margin:0 0 .5rem;font-size:1.4rem}"
    "p{margin:0 0 1rem;overflow-wrap:anywhere}"
    "label{display:block;margin:1rem 0 .25rem;font-weight:600}"
    "input{width:100%;padding:.65rem .75rem;font:inherit;color:inherit;background:#fff;"
    "border:1px solid #6b7685;border-radius:.4rem}"
    "button{width:100%;margin-top:1.5rem;padding:.75rem;font:inherit;font-weight:600;color:#fff;"
    "background:#155fb5;border:0;border-radius:.4rem;cursor:pointer}"
    "input:focus-visible,button:focus-visible{outline:3px solid #78aef0;outline-offset:2px}"
    ".problem{padding:.65rem .75rem;color:#8c1313;background:#fdecec;border-radius:.4rem}"
    ".small{margin:1.5rem 0 0;font-size:.875rem;color:#4c5766}"
    "@media(prefers-color-scheme:dark){"
    "body{background:#12171e;color:#e6eaf0}main{background:#1c232d}input{background:#12171e}"
    ".problem{color:#ffc9c9;background:#4a1d20}.small{color:#aab4c2}button{background:#2f74c9}}";

/* ---- text ------------------------------------------------------------------------------------ */

static void put(struct bondy_buf *out, const char *html)
{
    bondy_buf_append_text(out, html);
}

static void put_strong(struct bondy_buf *out, struct bondy_slice text)
{
    put(out, "<strong>");
    bondy_html_escape(text, out);
    put(out, "</strong>");
}

static void put_attribute(struct bondy_buf *out, const char *name, struct bondy_slice value)
{
    bondy_buf_printf(out, " %s=\"", name);
    bondy_html_escape(value, out);
    put(out, "\"");
}

static void put_hidden(struct bondy_buf *out, const char *name, struct bondy_slice value)
{
    if (value.data == NULL)
        return;
    put(out, "<input type=\"hidden\"");
    put_attribute(out, "name", bondy_slice_text(name));
    put_attribute(out, "value", value);
    put(out, ">");
}

static void put_head(struct bondy_buf *out, const char *title, const char *nonce)
{
    bondy_buf_printf(out,
                     "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">"
                     "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
                     "<meta name=\"robots\" content=\"noindex\"><title>%s</title>"
                     "<style nonce=\"%s\">",
                     title, nonce);
    put(out, STYLE);
    bondy_buf_printf(out, "</style></head><body><main><h1>%s</h1>", title);
}

static void put_problem(struct bondy_buf *out, const char *problem)
{
    if (problem == NULL)
        return;
    put(out, "<p class=\"problem\" role=\"alert\">");
    bondy_html_escape(bondy_slice_text(problem), out);
    put(out, "</p>");
}

/* ---- the form -------------------------------------------------------------------------------- */

static struct bondy_slice client_name(const struct oauth2_call *call)
{
    struct bondy_slice name = bondy_json_text(call->client_meta, "client_name");

    return name.len > 0 && name.len <= 200 ? name : bondy_slice_text(call->client_id);
}

static void put_field(struct bondy_buf *out, const char *name, const char *label, const char *type)
{
    bondy_buf_printf(out,
                     "<label for=\"%s\">%s</label><input id=\"%s\" name=\"%s\" type=\"%s\" "
                     "required autocapitalize=\"none\" spellcheck=\"false\"",
                     name, label, name, name, type);
}

static void put_form(const struct oauth2_call *call, const struct oauth2_page *page,
                     struct bondy_buf *out)
{
    static const enum bondy_oauth2_param kept[] = {
        BONDY_PARAM_RESPONSE_TYPE,  BONDY_PARAM_CLIENT_ID,
        BONDY_PARAM_REDIRECT_URI,   BONDY_PARAM_SCOPE,
        BONDY_PARAM_STATE,          BONDY_PARAM_RESPONSE_MODE,
        BONDY_PARAM_CODE_CHALLENGE, BONDY_PARAM_CODE_CHALLENGE_METHOD,
        BONDY_PARAM_DEVICE_ID};

    put(out, "<form method=\"post\" action=\"?\">");
    for (size_t i = 0; i < BONDY_COUNT(kept); i++)
        put_hidden(out, bondy_oauth2_param_name(kept[i]), oauth2_param(call, kept[i]));
    put_hidden(out, bondy_oauth2_param_name(BONDY_PARAM_CSRF), bondy_slice_text(page->csrf));
    put_field(out, "username", "User name", "text");
    put(out, " autocomplete=\"username\"");
    put_attribute(out, "value", oauth2_param(call, BONDY_PARAM_USERNAME));
    put(out, ">");
    put_field(out, "password", "Password", "password");
    put(out, " autocomplete=\"current-password\"><button type=\"submit\">Sign in</button></form>");
}

static void put_sign_in(const struct oauth2_call *call, const struct oauth2_page *page,
                        struct bondy_buf *out)
{
    put(out, "<p>");
    put_strong(out, client_name(call));
    put(out, " asks to act for you in the realm ");
    put_strong(out, bondy_slice_text(call->realm->uri));
    put(out, ".</p>");
    put_problem(out, page->problem);
    put_form(call, page, out);
    put(out, "<p class=\"small\">You will be sent back to ");
    bondy_html_escape(oauth2_param(call, BONDY_PARAM_REDIRECT_URI), out);
    put(out, "</p>");
}

/* ---- headers --------------------------------------------------------------------------------- */

/* Browsers hold the answer of a form against form-action too, so it names where that goes. */
static void set_policy(const struct oauth2_call *call, const struct oauth2_page *page,
                       const char *nonce, struct bondy_response *response)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;

    bondy_buf_printf(&text,
                     "default-src 'none'; style-src 'nonce-%s'; base-uri 'none'; "
                     "frame-ancestors 'none'; form-action ",
                     nonce);
    if (page->csrf != NULL) {
        put(&text, "'self' ");
        bondy_redirect_source(oauth2_param(call, BONDY_PARAM_REDIRECT_URI), &text);
    } else {
        put(&text, "'none'");
    }
    bondy_response_set_header(response, "content-security-policy", bondy_buf_slice(&text), NULL);
    bondy_buf_fini(&text);
}

static void set_headers(const struct oauth2_page *page, struct bondy_response *response)
{
    static const char *const headers[][2] = {
        {"x-frame-options", "DENY"},
        {"x-content-type-options", "nosniff"},
        {"referrer-policy", "no-referrer"},
        {"cross-origin-opener-policy", "same-origin"},
        {"cross-origin-resource-policy", "same-origin"},
    };

    oauth2_no_store(response);
    for (size_t i = 0; i < BONDY_COUNT(headers); i++)
        bondy_response_set_header(response, headers[i][0], bondy_slice_text(headers[i][1]), NULL);
    if (page->cookie.len > 0)
        bondy_response_header(response, "set-cookie", page->cookie, NULL);
    if (page->retry_after_s != 0)
        bondy_response_retry_after(response, page->retry_after_s);
}

struct bondy_response *oauth2_page(const struct oauth2_call *call, const struct oauth2_page *page)
{
    struct bondy_response *response = bondy_response_create(page->status);
    struct bondy_buf html = BONDY_BUF_EMPTY;
    uint8_t bytes[16];
    char nonce[NONCE_TEXT];

    bondy_id_bytes(bytes, sizeof bytes);
    sodium_bin2base64(nonce, sizeof nonce, bytes, sizeof bytes, sodium_base64_VARIANT_ORIGINAL);
    put_head(&html, page->csrf != NULL ? "Sign in" : "This request cannot be answered", nonce);
    if (page->csrf != NULL)
        put_sign_in(call, page, &html);
    else
        put_problem(&html, page->problem);
    put(&html, "</main></body></html>\n");
    bondy_response_body(response, &html, "text/html; charset=utf-8");
    set_policy(call, page, nonce, response);
    set_headers(page, response);
    return response;
}
