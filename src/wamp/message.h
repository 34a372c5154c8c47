/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_WAMP_MESSAGE_H
#define BONDY_WAMP_MESSAGE_H

/* message: the WAMP message types and their fields, whatever the serializer.
 *
 * A decoded message borrows from the bytes it was decoded from (and, for text that was escaped,
 * from the scratch given to the decoder): it lives as long as those. Arguments stay as they were
 * received (payload.h). WAMP, Basic Profile: Message Definitions. */

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "src/base/slice.h"

enum bondy_message_type {
    BONDY_HELLO = 1,
    BONDY_WELCOME = 2,
    BONDY_ABORT = 3,
    BONDY_CHALLENGE = 4,
    BONDY_AUTHENTICATE = 5,
    BONDY_GOODBYE = 6,
    BONDY_ERROR = 8,
    BONDY_PUBLISH = 16,
    BONDY_PUBLISHED = 17,
    BONDY_SUBSCRIBE = 32,
    BONDY_SUBSCRIBED = 33,
    BONDY_UNSUBSCRIBE = 34,
    BONDY_UNSUBSCRIBED = 35,
    BONDY_EVENT = 36,
    BONDY_CALL = 48,
    BONDY_CANCEL = 49,
    BONDY_RESULT = 50,
    BONDY_REGISTER = 64,
    BONDY_REGISTERED = 65,
    BONDY_UNREGISTER = 66,
    BONDY_UNREGISTERED = 67,
    BONDY_INVOCATION = 68,
    BONDY_INTERRUPT = 69,
    BONDY_YIELD = 70,
    BONDY_MESSAGE_TYPES = 71 /* one more than the greatest, for tables */
};

/* The numbers are those of the RawSocket handshake (WAMP, RawSocket Transport). */
enum bondy_serializer {
    BONDY_JSON = 1,
    BONDY_MSGPACK = 2,
    BONDY_CBOR = 3,
    BONDY_SERIALIZERS = 4 /* one more than the greatest, for tables */
};

/* Arguments and keyword arguments as received: two encoded values of `serializer`, an array and a
 * map; an empty slice is an absent value. `args_count`/`kwargs_count` are their numbers of
 * elements, so that empty ones can be left out when forwarding (SER-EMPTY-1). Already proved
 * well-formed, valid UTF-8 and within depth. `must_recode` is set when the bytes may not be passed
 * on as they are even to the same serializer (CBOR of indefinite length: output is definite). */
struct bondy_payload {
    enum bondy_serializer serializer;
    bool must_recode;
    uint32_t args_count;
    uint32_t kwargs_count;
    struct bondy_slice args;
    struct bondy_slice kwargs;
};

enum bondy_value_type {
    BONDY_VALUE_NULL,
    BONDY_VALUE_BOOL,
    BONDY_VALUE_INT,    /* fits int64_t: in .i64 */
    BONDY_VALUE_UINT,   /* above INT64_MAX: in .u64 */
    BONDY_VALUE_FLOAT,  /* in .f64 */
    BONDY_VALUE_TEXT,   /* in .text */
    BONDY_VALUE_BINARY, /* in .text; JSON's form too, still encoded there, with the NUL */
    BONDY_VALUE_LIST,   /* in .raw, walk with bondy_list_next */
    BONDY_VALUE_DICT    /* in .raw, walk with bondy_dict_next */
};

/* One value looked at in place. */
struct bondy_value {
    enum bondy_value_type type;
    union {
        bool flag;
        int64_t i64;
        uint64_t u64;
        double f64;
    };
    struct bondy_slice text; /* TEXT and BINARY, unescaped */
    struct bondy_slice raw;  /* the encoded bytes of the whole value */
};

/* One member of an outgoing dict (Options, Details, Extra); `text` of BONDY_VALUE_TEXT is borrowed.
 * BONDY_VALUE_DICT and BONDY_VALUE_LIST take a tree. */
struct bondy_field_out {
    const char *key;
    enum bondy_value_type type;
    union {
        bool flag;
        int64_t i64;
        uint64_t u64;
        double f64;
        struct bondy_slice text;
        json_t *tree; /* borrowed */
    };
};

/* Which message uses which field, in wire order:
 *
 *   HELLO         uri=Realm, dict=Details           WELCOME      id=Session, dict=Details
 *   ABORT         dict=Details, uri=Reason [payload] GOODBYE      dict=Details, uri=Reason
 *   CHALLENGE     uri=AuthMethod, dict=Extra        AUTHENTICATE text=Signature, dict=Extra
 *   ERROR         request_type, id=Request, dict=Details, uri=Error, payload
 *   PUBLISH       id=Request, dict=Options, uri=Topic, payload
 *   PUBLISHED     id=Request, id2=Publication
 *   SUBSCRIBE     id=Request, dict=Options, uri=Topic
 *   SUBSCRIBED    id=Request, id2=Subscription      UNSUBSCRIBE  id=Request, id2=Subscription
 *   UNSUBSCRIBED  id=Request [dict=Details, only with Request 0: revocation]
 *   EVENT         id=Subscription, id2=Publication, dict=Details, payload
 *   CALL          id=Request, dict=Options, uri=Procedure, payload
 *   CANCEL        id=Request, dict=Options          RESULT       id=Request, dict=Details, payload
 *   REGISTER      id=Request, dict=Options, uri=Procedure
 *   REGISTERED    id=Request, id2=Registration      UNREGISTER   id=Request, id2=Registration
 *   UNREGISTERED  id=Request [dict=Details, only with Request 0: revocation]
 *   INVOCATION    id=Request, id2=Registration, dict=Details, payload
 *   INTERRUPT     id=Request, dict=Options          YIELD        id=Request, dict=Options, payload
 */
struct bondy_message {
    enum bondy_message_type type;
    enum bondy_message_type request_type; /* ERROR only */
    uint64_t id;
    uint64_t id2;
    struct bondy_slice uri;
    struct bondy_slice text;

    /* Received: the encoded dict and the serializer it is in; walk it with bondy_dict_*(). */
    enum bondy_serializer serializer;
    struct bondy_slice dict;
    uint32_t dict_count;

    /* To send: the members of the dict. `tree`, when given, is used instead of `fields`. */
    const struct bondy_field_out *fields;
    size_t field_count;
    json_t *tree;

    struct bondy_payload payload;
};

/* "CALL", for logs and metrics; "unknown" for anything else. */
const char *bondy_message_name(enum bondy_message_type type);
/* "json", "msgpack", "cbor". */
const char *bondy_serializer_name(enum bondy_serializer serializer);

#endif
