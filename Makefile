# Sets up, demonstrates and tests Aftermap. Needs python3 (3.11 or later) with venv and pip, and git.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PAGE := src/aftermap/web/static/index.html
MODULES := frontend/node_modules/.package-lock.json

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: setup page types demo test test-page quick test-slow docs lock clean

setup: $(READY) page

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "aftermap needs Python 3.11 or later; $(PYTHON) is $$($(PYTHON) -V 2>&1)." \
	    "Install a newer one, or name one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' || { \
	  echo "aftermap needs Python's venv and pip; on Debian: apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# The page of aftermap serve. Without npm the rest works, and that command says what is missing.
page: $(PAGE)

$(MODULES): frontend/package.json frontend/package-lock.json
	@! command -v npm >/dev/null || { cd frontend && \
	  npm ci --no-audit --no-fund --loglevel=error && touch node_modules/.package-lock.json; } || \
	  echo "the packages of the page could not be installed; see above" >&2

$(PAGE): $(MODULES) frontend/build.mjs $(wildcard frontend/src/*)
	@if ! command -v npm >/dev/null; then \
	  echo "npm is not installed, so the page of aftermap serve is not built;" \
	    "install Node.js 20 or later, then: make page" >&2; \
	elif ! (test -e $(MODULES) && cd frontend && npm run --silent build); then \
	  echo "the page of aftermap serve could not be built; see above, then: make page" >&2; fi

# The page's own checks: Biome, the TypeScript compiler, Vitest.
test-page: $(MODULES)
	@if ! command -v npm >/dev/null || ! test -e $(MODULES); then \
	  echo "npm is not installed: the checks of the page are skipped" >&2; \
	else cd frontend && npm run --silent lint && npm run --silent check && npm run --silent test; fi

# The page's types, of the models that the server answers with; a test fails when they are old.
types: setup
	$(BIN)/python frontend/make_types.py

# A practice flight over a synthetic ruined district, then its map.
demo: setup
	@test -e demo/.flight || { rm -rf demo/flight && mkdir -p demo && \
	  $(BIN)/aftermap twin demo/flight --photos 24 && touch demo/.flight; }
	$(BIN)/aftermap map demo/flight/images --case demo/case
	@echo "Look at it: $(BIN)/aftermap serve demo/case --open"

# The closing line of pytest comes last, so that a log ends with the verdict.
test: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(MAKE) --no-print-directory test-page
	$(BIN)/pytest

# Before each commit, in under 90 seconds on two cores: the checks, and the tests of everything that
# needs no rendered flight: 2,000 tests in a minute. Left out are the few files that take longest.
QUICK := $(addprefix tests/,assessment frames geo imaging media publish record streets trajectory \
  viewshed workflows test_architecture.py test_cli.py test_config.py test_cost.py test_docs.py \
  test_estimate.py test_progress.py test_run.py test_words.py)
NOT_QUICK := $(addprefix tests/,assessment/test_intervals.py frames/test_frames_choose.py \
  frames/test_frames_clips.py workflows/test_locate.py)
quick: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(MAKE) --no-print-directory test-page
	$(BIN)/pytest -m "not slow and not exhaustive" --hypothesis-profile=quick $(QUICK) $(NOT_QUICK:%=--ignore=%)

# What is marked slow or exhaustive, and ten times as many examples of every property, drawn anew.
test-slow: setup
	$(BIN)/pytest -m "slow or exhaustive or hypothesis" --hypothesis-profile=thorough

# The pages as a website, in build/docs/html. A broken link is an error, and nothing is fetched.
docs: setup
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet \
	  --doctree-dir build/docs/trees docs build/docs/html
	@echo "Read it: build/docs/html/index.html"

# Pins every package with its hashes for every system, and names no registry.
lock: setup
	$(BIN)/python -m pip install --quiet uv
	echo 'setuptools>=77' | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
	  --extra twin --group dev $(LOCK_OPTIONS) pyproject.toml - --output-file requirements.lock
	@! grep -nE '://|^-|@ |file:' requirements.lock

clean:
	rm -rf $(VENV) demo frontend/node_modules src/aftermap/web/static
