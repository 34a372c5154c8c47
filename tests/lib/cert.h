/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_TESTS_LIB_CERT_H
#define BONDY_TESTS_LIB_CERT_H

/* cert: certificates for tests, made when they run. Link GNUTLS_LIBS. */

/* Writes <folder>/<name>.pem and <folder>/<name>.key (mode 0600): ECDSA P-256, subject CN=<name>,
 * valid for "localhost" and 127.0.0.1, as server and as client, from an hour ago for a day. Signed
 * by <folder>/<issuer>.pem, or by itself (then it may sign others) when `issuer` is NULL. */
void bondy_test_certificate(const char *folder, const char *name, const char *issuer);

#endif
