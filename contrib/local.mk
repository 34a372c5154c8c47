# SPDX-License-Identifier: Apache-2.0

EXTRA_DIST += contrib/lint/lint contrib/lint/long-functions

.PHONY: lint
lint:
	@$(top_srcdir)/contrib/lint/lint
