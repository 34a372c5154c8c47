/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SYS_CERTIFICATE_H
#define BONDY_SYS_CERTIFICATE_H

/* certificate: what an X.509 certificate says, for people. Any thread; nothing blocks. */

#include "src/base/json.h"

/* {subject, issuer, not_before, not_after, serial, valid_from, valid_until, sans,
 * fingerprint_sha256} of a certificate in DER form: common names ("" when it has none), times as
 * ASN.1 writes them (YYMMDDHHMMSSZ, from 2050 on with four digits of the year) and in RFC 3339, the
 * serial number in decimal as text, alternative names ("DNS:host", "IP:address", ...), the
 * fingerprint in lower hex. NULL: it cannot be read. The caller owns it. */
json_t *bondy_certificate_describe(struct bondy_slice der);

#endif
