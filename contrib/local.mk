# SPDX-License-Identifier: Apache-2.0

EXTRA_DIST += contrib/lint/lint contrib/lint/long-functions contrib/demo/run contrib/packages.txt \
	contrib/packages-interop.txt contrib/systemd/bondyd.service.in

.PHONY: lint
lint:
	@$(top_srcdir)/contrib/lint/lint

# ---- what an installation has besides programs and man pages ---------------------------------
# Below the prefix, not where systemd says: an installation without root must work too.
systemdunitdir = $(prefix)/lib/systemd/system
nodist_systemdunit_DATA = contrib/systemd/bondyd.service
CLEANFILES += contrib/systemd/bondyd.service
contrib/systemd/bondyd.service: $(top_srcdir)/contrib/systemd/bondyd.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) contrib/systemd && \
	  $(SED) 's|[@]sbindir[@]|$(sbindir)|' $(top_srcdir)/contrib/systemd/bondyd.service.in > $@.tmp && \
	  mv $@.tmp $@
# One file completes both programs; the second name is how it is found.
bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = contrib/completion/bondy
nodist_bashcompletion_DATA = contrib/completion/bondyd
CLEANFILES += contrib/completion/bondyd
contrib/completion/bondyd: $(top_srcdir)/contrib/completion/bondy
	$(AM_V_GEN)$(MKDIR_P) contrib/completion && cp $(top_srcdir)/contrib/completion/bondy $@
examplesdir = $(docdir)/examples
dist_examples_DATA = api-specs/examples/demo.json api-specs/examples/secured.json
dist_doc_DATA = README.md
