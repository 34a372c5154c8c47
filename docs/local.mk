# SPDX-License-Identifier: Apache-2.0
dist_man_MANS += docs/man/bondy.1 docs/man/bondy.conf.5 docs/man/bondyd.8
EXTRA_DIST += $(wildcard $(srcdir)/docs/*.md $(srcdir)/docs/decisions/*.md $(srcdir)/docs/guides/*.md \
	$(srcdir)/docs/reference/*.md)

# Pages that the programs print; a test compares the copies in the tree.
.PHONY: docs-update
docs-update: bondyd
	$(MKDIR_P) $(top_srcdir)/docs/reference
	./bondyd --print-config-reference md > $(top_srcdir)/docs/reference/configuration.md
	./bondyd --print-config-reference man > $(top_srcdir)/docs/man/bondy.conf.5
