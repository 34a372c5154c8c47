/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include "gateway/oauth2/params.h"
#include "gateway/oauth2/redirect.h"
#include "src/base/alloc.h"
#include "src/base/utf8.h"

static void check_params(const struct bondy_oauth2_params *params)
{
    for (size_t i = 0; i < BONDY_PARAMS; i++) {
        struct bondy_slice value = params->values[i];

        BONDY_BUG_ON((value.data == NULL) != (value.len == 0));
        BONDY_BUG_ON(value.data != NULL && (value.data < params->bytes ||
                                            value.data + value.len > params->bytes + params->room));
        BONDY_BUG_ON(!bondy_utf8_is_valid(value));
    }
}

/* Nothing of the text can end a tag, an attribute or a header. */
static void check_texts(struct bondy_slice text)
{
    struct bondy_buf out = BONDY_BUF_EMPTY;

    bondy_html_escape(text, &out);
    for (size_t i = 0; i < out.len; i++)
        BONDY_BUG_ON(memchr("<>\"'", out.data[i], 4) != NULL);
    bondy_buf_clear(&out, SIZE_MAX);
    bondy_redirect_add(&out, "k", text);
    for (size_t i = 0; i < out.len; i++)
        BONDY_BUG_ON(out.data[i] <= ' ' || out.data[i] > '~');
    bondy_buf_clear(&out, SIZE_MAX);
    bondy_redirect_source(text, &out);
    for (size_t i = 0; i < out.len; i++)
        BONDY_BUG_ON(out.data[i] <= ' ' || memchr(";'\"", out.data[i], 3) != NULL);
    bondy_buf_fini(&out);
}

/* Parameters of OAuth2 requests, and where their values go to. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bondy_slice text = bondy_slice_of(data, size);
    struct bondy_oauth2_params params;

    bondy_oauth2_params_read(text, &params);
    check_params(&params);
    for (size_t i = 0; i < BONDY_PARAMS; i++)
        check_texts(params.values[i]);
    bondy_oauth2_params_fini(&params);
    check_texts(text);
    return 0;
}
