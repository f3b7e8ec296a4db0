# The front door. `make` alone lists what there is; CI calls only these targets.
SHELL := /bin/bash
VENV := .venv
PYTHON := $(VENV)/bin/python
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH):/usr/sbin:/sbin

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

.PHONY: packages
packages:
	@scripts/install-packages

$(VENV)/.ready: pyproject.toml constraints.txt | packages
	@echo "making the virtual environment"
	@python3.11 -m venv $(VENV)
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[lab,dev]'
	@touch $@

.PHONY: setup
setup: packages $(VENV)/.ready ## install what is missing: Debian packages and a virtual environment

.PHONY: demo
demo: setup ## see it work: three clusters, two slices, in a minute
	@kubeslice demo

.PHONY: test
test: setup ## pass every test: pure, transition, kernel and lab
	@$(PYTHON) -m pytest -q

.PHONY: check
check: setup ## lint, format, types, import law, generated files
	@$(MAKE) --no-print-directory --jobs=2 --output-sync types law-and-form

.PHONY: types
types:
	@mypy

.PHONY: law-and-form
law-and-form:
	@ruff check
	@ruff format --check
	@lint-imports
	@$(PYTHON) -m kubeslice.manifests.generate --check crds
	@$(PYTHON) -m kubeslice.reference --check docs/reference
	@$(PYTHON) -m kubeslice.reference --check docs/dashboards

.PHONY: generate
generate: setup ## write the files that are made from code
	@$(PYTHON) -m kubeslice.manifests.generate crds
	@$(PYTHON) -m kubeslice.reference docs/reference
	@$(PYTHON) -m kubeslice.reference docs/dashboards

.PHONY: bench
bench: setup ## measure against the budgets, the long ones in a quick form (half an hour)
	@status=0; \
	for name in lab-up slice-ready attach export throughput; do kubeslice bench $$name || status=$$?; done; \
	for name in admission hub-scale failover rotation eviction; do kubeslice bench $$name --quick || status=$$?; done; \
	exit $$status

.PHONY: test-kubernetes
test-kubernetes: setup ## optional: API and transition tests against real kube-apiservers (needs Go)
	@scripts/test-kubernetes

.PHONY: clean
clean: ## remove what make made in this folder
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
