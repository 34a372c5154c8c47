/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SERVER_DEMO_API_H
#define BONDY_SERVER_DEMO_API_H

/* demo_api: api-specs/examples/demo.json as a text of this program (made by the build). */

extern const char bondy_demo_api[];

#endif
