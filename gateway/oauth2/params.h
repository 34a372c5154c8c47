/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_GATEWAY_OAUTH2_PARAMS_H
#define BONDY_GATEWAY_OAUTH2_PARAMS_H

/* params: the parameters of OAuth2 requests, from a query or a form body. RFC 6749, 3.1 and 3.2:
 * unknown ones are ignored, one without a value counts as not sent, none may be there twice. Each
 * has a greatest length. Pure. */

#include <stddef.h>

#include "src/base/slice.h"

enum bondy_oauth2_param {
    BONDY_PARAM_GRANT_TYPE,
    BONDY_PARAM_CLIENT_ID,
    BONDY_PARAM_CLIENT_SECRET,
    BONDY_PARAM_USERNAME,
    BONDY_PARAM_PASSWORD,
    BONDY_PARAM_SCOPE,
    BONDY_PARAM_DEVICE_ID,
    BONDY_PARAM_REFRESH_TOKEN,
    BONDY_PARAM_CODE,
    BONDY_PARAM_REDIRECT_URI,
    BONDY_PARAM_CODE_VERIFIER,
    BONDY_PARAM_TOKEN,
    BONDY_PARAM_TOKEN_TYPE_HINT,
    BONDY_PARAM_RESPONSE_TYPE,
    BONDY_PARAM_RESPONSE_MODE,
    BONDY_PARAM_STATE,
    BONDY_PARAM_CODE_CHALLENGE,
    BONDY_PARAM_CODE_CHALLENGE_METHOD,
    BONDY_PARAM_CSRF, /* of the form that is served here */
    BONDY_PARAMS
};

enum bondy_params_fault {
    BONDY_PARAMS_SOUND,
    BONDY_PARAMS_MALFORMED, /* not a form, or not UTF-8 */
    BONDY_PARAMS_TWICE,
    BONDY_PARAMS_TOO_LONG
};

struct bondy_oauth2_params {
    /* data NULL: not there. They lie in `bytes`. */
    struct bondy_slice values[BONDY_PARAMS];
    enum bondy_params_fault fault;  /* the first one */
    enum bondy_oauth2_param faulty; /* whose; of MALFORMED nobody's */
    char *bytes;
    size_t room;
};

/* Reads all that can be read, also when there is a fault: of equal names the first counts, what is
 * too long is left out. The caller ends it with fini. */
void bondy_oauth2_params_read(struct bondy_slice text, struct bondy_oauth2_params *out);
/* Zeroes what was there: passwords and tokens. Of a zeroed one too. */
void bondy_oauth2_params_fini(struct bondy_oauth2_params *params);

/* "grant_type". */
const char *bondy_oauth2_param_name(enum bondy_oauth2_param param);

#endif
