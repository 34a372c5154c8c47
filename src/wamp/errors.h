/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_WAMP_ERRORS_H
#define BONDY_WAMP_ERRORS_H

/* errors: the URIs of errors and close reasons. wamp.md section 12. */

#define BONDY_ERR_INVALID_URI "wamp.error.invalid_uri"
#define BONDY_ERR_NO_SUCH_PROCEDURE "wamp.error.no_such_procedure"
#define BONDY_ERR_PROCEDURE_ALREADY_EXISTS "wamp.error.procedure_already_exists"
#define BONDY_ERR_DIFFERENT_INVOCATION_POLICY                                                      \
    "wamp.error.procedure_exists_with_different_invocation_policy"
#define BONDY_ERR_NO_SUCH_REGISTRATION "wamp.error.no_such_registration"
#define BONDY_ERR_NO_SUCH_SUBSCRIPTION "wamp.error.no_such_subscription"
#define BONDY_ERR_INVALID_ARGUMENT "wamp.error.invalid_argument"
#define BONDY_ERR_CANCELED "wamp.error.canceled"
#define BONDY_ERR_TIMEOUT "wamp.error.timeout"
#define BONDY_ERR_PAYLOAD_SIZE_EXCEEDED "wamp.error.payload_size_exceeded"
#define BONDY_ERR_NOT_AUTHORIZED "wamp.error.not_authorized"
#define BONDY_ERR_AUTHORIZATION_FAILED "wamp.error.authorization_failed"
#define BONDY_ERR_NO_SUCH_REALM "wamp.error.no_such_realm"
#define BONDY_ERR_NO_SUCH_ROLE "wamp.error.no_such_role"
#define BONDY_ERR_NO_SUCH_PRINCIPAL "wamp.error.no_such_principal"
#define BONDY_ERR_NO_SUCH_SESSION "wamp.error.no_such_session"
#define BONDY_ERR_NO_MATCHING_AUTH_METHOD "wamp.error.no_matching_auth_method"
#define BONDY_ERR_AUTHENTICATION_DENIED "wamp.error.authentication_denied"
#define BONDY_ERR_AUTHENTICATION_FAILED "wamp.error.authentication_failed"
#define BONDY_ERR_AUTHENTICATION_REQUIRED "wamp.error.authentication_required"
#define BONDY_ERR_OPTION_NOT_ALLOWED "wamp.error.option_not_allowed"
#define BONDY_ERR_DISCLOSE_ME "wamp.error.option_disallowed.disclose_me"
#define BONDY_ERR_UNAVAILABLE "wamp.error.unavailable"
#define BONDY_ERR_NO_AVAILABLE_CALLEE "wamp.error.no_available_callee"
#define BONDY_ERR_FEATURE_NOT_SUPPORTED "wamp.error.feature_not_supported"
#define BONDY_ERR_NETWORK_FAILURE "wamp.error.network_failure"
#define BONDY_ERR_PROTOCOL_VIOLATION "wamp.error.protocol_violation"

#define BONDY_CLOSE_NORMAL "wamp.close.normal"
#define BONDY_CLOSE_REALM "wamp.close.close_realm"
#define BONDY_CLOSE_GOODBYE_AND_OUT "wamp.close.goodbye_and_out"
#define BONDY_CLOSE_SYSTEM_SHUTDOWN "wamp.close.system_shutdown"
#define BONDY_CLOSE_KILLED "wamp.close.killed"
#define BONDY_CLOSE_LOGOUT "wamp.close.logout"

/* Ours (admin-http-api.md 7.2). */
#define BONDY_ERR_ALREADY_EXISTS "bondy.error.already_exists"
#define BONDY_ERR_DEPRECATED_PROCEDURE "bondy.error.deprecated_procedure"
#define BONDY_ERR_INVALID_GRANT "bondy.error.invalid_grant"
#define BONDY_ERR_NOT_FOUND "bondy.error.not_found"
#define BONDY_ERR_INTERNAL "bondy.error.internal_error"
#define BONDY_ERR_INVALID_DATA "bondy.error.invalid_data"
#define BONDY_ERR_NOT_IMPLEMENTED "bondy.error.not_implemented"
#define BONDY_ERR_NOT_ALLOWED "bondy.error.not_allowed"
#define BONDY_ERR_BAD_GATEWAY "bondy.error.bad_gateway"
#define BONDY_ERR_INVALID_EXPRESSION "bondy.error.http_gateway.invalid_expression"

#endif
