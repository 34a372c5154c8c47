# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += tests/run tests/tsan.supp
EXTRA_DIST += $(wildcard $(srcdir)/tests/lib/*.py $(srcdir)/tests/e2e/*.py $(srcdir)/tests/interop/*.py \
	$(srcdir)/tests/interop/*.js $(srcdir)/tests/interop/go/*)
