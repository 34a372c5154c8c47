/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_WAMP_CODEC_H
#define BONDY_WAMP_CODEC_H

/* codec: bytes to messages and back, for JSON, MessagePack and CBOR.
 *
 * Decoding is one linear pass without allocation: it walks type, ids, dict and URI, leaves
 * Arguments and ArgumentsKw as raw slices, and proves the WHOLE message well-formed, its text valid
 * UTF-8, its depth and sizes within the limits, before any library's decoder sees a byte
 * (threat-model P3-P7). Everything here is pure: no I/O, no globals, any thread.
 *
 * What is carried, between any two serializers:
 *   integers   exact when 64 bits hold them, signed or unsigned, also as JSON's digits and CBOR's
 *              bignums; larger ones become floats, as does JSON's -0
 *   floats     stay floats (1.0 is not 1); NaN and infinities are null in JSON, which itself may
 *              not write a number beyond the range of a double
 *   bytes      bin, byte strings, in JSON the string of NUL + base64 (RFC 4648, section 4); text of
 *              JSON whose rest is not base64 in its one right form stays text
 *   ext        of MessagePack: as it is to MessagePack, else its bytes
 *   CBOR       of indefinite length is sent on with definite length; tags are dropped, undefined is
 *              null; simple values without a meaning are refused
 *   dicts      have text as keys, everywhere; what is only carried may have a key twice
 * Where sender and receiver use the same serializer the payload's octets pass as they are (but for
 * indefinite CBOR). */

#include "src/base/buf.h"
#include "src/base/error.h"
#include "src/wamp/message.h"

struct bondy_codec_limits {
    unsigned max_depth; /* containers inside each other, the message list being the first; <= 32 */
    size_t max_uri;     /* octets of a URI */
};

#define BONDY_CODEC_LIMITS_DEFAULT                                                                 \
    {                                                                                              \
        32, 1024                                                                                   \
    }

/* Decodes one message. `out` borrows from `bytes` and from `scratch` (text that had to be put
 * together: escaped in JSON, in chunks in CBOR; cleared first, kept by the caller as long as `out`
 * is used). Memory is taken only for such text, and for options of more than some 50 keys while
 * they are checked for doubled ones. BONDY_EPROTO: not one well-formed message, or one with fields
 * of a wrong type or number: what WAMP answers with ABORT wamp.error.protocol_violation. The text
 * says what and at which octet. BONDY_ELIMIT: a URI over `max_uri`: out->type, request_type, id and
 * dict are filled, so that the router can answer wamp.error.invalid_uri. */
int bondy_message_decode(enum bondy_serializer serializer, struct bondy_slice bytes,
                         const struct bondy_codec_limits *limits, struct bondy_buf *scratch,
                         struct bondy_message *out, struct bondy_error *err);

/* A message ready to be written as parts that follow each other: the head that was encoded, and the
 * payload's bytes, in place when they need no recoding. Parts borrow from `head` and from the
 * payload. */
#define BONDY_ENCODED_PARTS 5
struct bondy_encoded {
    struct bondy_slice parts[BONDY_ENCODED_PARTS];
    unsigned part_count;
    size_t len; /* of all parts */
};

/* Encodes `message` for `serializer`. What has to be made is appended to `head`, which must stay
 * untouched while `out` is used (parts point into it: they are computed after the last append).
 * Empty trailing kwargs and then args are left out (SER-EMPTY-1). A payload of another serializer
 * is recoded into `head`. The dict is made from `tree` or `fields`; one that was received is never
 * sent on by itself. Texts must be valid UTF-8. Never fails: what is encoded was checked before. */
void bondy_message_encode(enum bondy_serializer serializer, const struct bondy_message *message,
                          struct bondy_buf *head, struct bondy_encoded *out);
/* The same as one run of bytes, appended to `out`. */
void bondy_message_format(enum bondy_serializer serializer, const struct bondy_message *message,
                          struct bondy_buf *out);

/* Walks a dict or list that was decoded, without allocation. `raw` is the encoded value. */
struct bondy_walk {
    enum bondy_serializer serializer;
    struct bondy_slice rest;
    uint64_t left;              /* elements still to come; UINT64_MAX: until the end mark */
    enum bondy_value_type type; /* LIST, DICT, or NULL for what is neither: nothing to walk */
    bool is_started;
    struct bondy_buf *scratch;
};

/* `scratch` receives unescaped JSON text and grows while walking; texts returned stay valid as long
 * as it is not cleared. It must not be NULL. */
void bondy_walk_start(struct bondy_walk *walk, enum bondy_serializer serializer,
                      struct bondy_slice raw, struct bondy_buf *scratch);
/* False at the end. `scratch` may be reallocated: texts of earlier calls are re-read by offset, so
 * use or copy a text before the next call. */
bool bondy_dict_next(struct bondy_walk *walk, struct bondy_slice *key, struct bondy_value *value);
bool bondy_list_next(struct bondy_walk *walk, struct bondy_value *value);
/* The member of a dict with this key; false when there is none. Walks from the start: look at
 * several keys with one walk. */
bool bondy_dict_find(enum bondy_serializer serializer, struct bondy_slice raw, const char *key,
                     struct bondy_buf *scratch, struct bondy_value *value);
/* The dict, list or scalar, proved well-formed before, as a tree the caller owns. Binary becomes
 * the NUL + base64 string of WAMP's JSON; unsigned integers above INT64_MAX become decimal strings;
 * NaN and infinities null; of doubled keys the last one counts. A tree takes up to a hundred times
 * the memory of its octets: mind raw.len when a peer chose it. */
json_t *bondy_value_tree(enum bondy_serializer serializer, struct bondy_slice raw);
/* Encodes any tree; strings of the NUL + base64 form become binary in MessagePack and CBOR
 * (SER-BIN-3: when the rest is not valid base64 it stays text). */
void bondy_value_format(enum bondy_serializer serializer, const json_t *tree,
                        struct bondy_buf *out);
/* Recodes one encoded value (already proved well-formed) for another serializer, or for the same
 * one in normal form; exact for 64-bit integers, floats and binary (SER-BIN, SER-INT). */
void bondy_value_recode(enum bondy_serializer from, struct bondy_slice raw,
                        enum bondy_serializer to, struct bondy_buf *out);
/* Proves that `bytes` are exactly one well-formed value (HTTP bodies in MessagePack and CBOR; JSON
 * too): UTF-8, depth (32 at most, whatever `max_depth` says), string keys, no trailing bytes; with
 * `unique_keys` no duplicate keys. BONDY_EPROTO with the octet. */
int bondy_value_check(enum bondy_serializer serializer, struct bondy_slice bytes,
                      unsigned max_depth, bool unique_keys, struct bondy_error *err);
/* The same with at most `max_values` elements and pairs in all containers together (P3: a tree
 * takes many times the memory of its text). BONDY_ELIMIT when there are more. */
int bondy_value_check_count(enum bondy_serializer serializer, struct bondy_slice bytes,
                            unsigned max_depth, uint64_t max_values, bool unique_keys,
                            struct bondy_error *err);

/* Payloads made by us. The bytes are appended to `out`; the payload points into it, so `out` must
 * not grow while the payload is used. NULL trees are absent. */
struct bondy_payload bondy_payload_make(enum bondy_serializer serializer, const json_t *args,
                                        const json_t *kwargs, struct bondy_buf *out);
/* As trees the caller owns: an array and an object, empty ones when absent. */
json_t *bondy_payload_args(const struct bondy_payload *payload);
json_t *bondy_payload_kwargs(const struct bondy_payload *payload);

/* WebSocket subprotocol names ("wamp.2.json", ...): 0 when unknown. */
enum bondy_serializer bondy_serializer_of_subprotocol(struct bondy_slice name);
const char *bondy_subprotocol(enum bondy_serializer serializer);

#endif
