/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/oauth2/params.h"

#include <sodium.h>

#include "gateway/form.h"
#include "src/base/alloc.h"

/* Lengths are of decoded values, in octets. */
static const struct {
    const char *name;
    size_t max;
} PARAMS[BONDY_PARAMS] = {
    [BONDY_PARAM_GRANT_TYPE] = {"grant_type", 128},
    [BONDY_PARAM_CLIENT_ID] = {"client_id", 255},
    [BONDY_PARAM_CLIENT_SECRET] = {"client_secret", 1024},
    [BONDY_PARAM_USERNAME] = {"username", 255},
    [BONDY_PARAM_PASSWORD] = {"password", 1024},
    [BONDY_PARAM_SCOPE] = {"scope", 2048},
    [BONDY_PARAM_DEVICE_ID] = {"client_device_id", 255},
    [BONDY_PARAM_REFRESH_TOKEN] = {"refresh_token", 512},
    [BONDY_PARAM_CODE] = {"code", 256},
    [BONDY_PARAM_REDIRECT_URI] = {"redirect_uri", 2048},
    [BONDY_PARAM_CODE_VERIFIER] = {"code_verifier", 128},
    [BONDY_PARAM_TOKEN] = {"token", 16384},
    [BONDY_PARAM_TOKEN_TYPE_HINT] = {"token_type_hint", 128},
    [BONDY_PARAM_RESPONSE_TYPE] = {"response_type", 128},
    [BONDY_PARAM_RESPONSE_MODE] = {"response_mode", 128},
    [BONDY_PARAM_STATE] = {"state", 2048},
    [BONDY_PARAM_CODE_CHALLENGE] = {"code_challenge", 128},
    [BONDY_PARAM_CODE_CHALLENGE_METHOD] = {"code_challenge_method", 32},
    [BONDY_PARAM_CSRF] = {"csrf", 128},
};

const char *bondy_oauth2_param_name(enum bondy_oauth2_param param)
{
    return PARAMS[param].name;
}

static enum bondy_oauth2_param find(struct bondy_slice name)
{
    size_t i = 0;

    while (i < BONDY_PARAMS && !bondy_slice_is(name, PARAMS[i].name))
        i++;
    return (enum bondy_oauth2_param)i;
}

static void blame(struct bondy_oauth2_params *params, enum bondy_params_fault fault,
                  enum bondy_oauth2_param param)
{
    if (params->fault != BONDY_PARAMS_SOUND)
        return;
    params->fault = fault;
    params->faulty = param;
}

/* Decodes behind what is there; nothing is left of it when it is malformed. `out` has room. */
static bool decode(struct bondy_slice text, struct bondy_buf *out, struct bondy_slice *decoded)
{
    size_t start = out->len;

    if (!bondy_form_decode(text, out)) {
        out->len = start;
        return false;
    }
    *decoded = bondy_slice_of(out->data + start, out->len - start);
    return true;
}

static void read_pair(struct bondy_oauth2_params *params, struct bondy_slice pair,
                      struct bondy_buf *out)
{
    const char *equals = memchr(pair.data, '=', pair.len);
    size_t name_len = equals == NULL ? pair.len : (size_t)(equals - pair.data);
    struct bondy_slice name, value;
    enum bondy_oauth2_param param;

    if (!decode(bondy_slice_of(pair.data, name_len), out, &name) ||
        !decode(bondy_slice_skip(pair, equals == NULL ? pair.len : name_len + 1), out, &value)) {
        blame(params, BONDY_PARAMS_MALFORMED, BONDY_PARAMS);
        return;
    }
    param = find(name);
    if (param == BONDY_PARAMS || value.len == 0)
        return;
    if (params->values[param].data != NULL)
        blame(params, BONDY_PARAMS_TWICE, param);
    else if (value.len > PARAMS[param].max)
        blame(params, BONDY_PARAMS_TOO_LONG, param);
    else
        params->values[param] = value;
}

void bondy_oauth2_params_read(struct bondy_slice text, struct bondy_oauth2_params *out)
{
    struct bondy_buf bytes = BONDY_BUF_EMPTY;

    *out = (struct bondy_oauth2_params){.faulty = BONDY_PARAMS};
    /* Decoding makes nothing longer: the values do not move. */
    bondy_buf_reserve(&bytes, text.len + 1);
    while (text.len > 0) {
        const char *end = memchr(text.data, '&', text.len);
        struct bondy_slice pair = {text.data, end == NULL ? text.len : (size_t)(end - text.data)};

        text = bondy_slice_skip(text, end == NULL ? text.len : pair.len + 1);
        if (pair.len > 0)
            read_pair(out, pair, &bytes);
    }
    out->bytes = bytes.data;
    out->room = bytes.cap;
}

void bondy_oauth2_params_fini(struct bondy_oauth2_params *params)
{
    if (params->bytes != NULL)
        sodium_memzero(params->bytes, params->room);
    bondy_free(params->bytes);
    *params = (struct bondy_oauth2_params){.faulty = BONDY_PARAMS};
}
