# Every target starts from nothing but make and a Python 3.11 to 3.13; `make help` lists them.

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

.DEFAULT_GOAL := help
# Every file in tests/bench is a command but the one that they share.
BENCH := $(filter-out __init__ measure,$(basename $(notdir $(wildcard tests/bench/*.py))))

.PHONY: help demo test lint types pytest bench format install clean distclean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F'|' '{ printf "%-18s%s\n", $$1, $$2 }'
	@echo "  PYTHON=...        the interpreter to use (default: the newest suitable one)"

demo: $(INSTALLED) ## run a real job over real data, with live progress and a closing report
	@$(BIN)/penstock demo

test: lint types pytest ## everything that must hold: ruff, mypy, and the tests with their coverage

lint: $(INSTALLED) ## ruff: rules and formatting
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@echo "ruff: clean"

types: $(INSTALLED) ## mypy, strict
	@$(BIN)/mypy

pytest: $(INSTALLED) ## the tests alone, coverage printed
	@$(BIN)/python -m pytest --cov --cov-report=term:skip-covered

bench: $(INSTALLED) ## every benchmark in turn, or some: make bench BENCH=seed
	@for name in $(BENCH); do echo; echo "# python -m tests.bench.$$name"; $(BIN)/python -m tests.bench.$$name || exit 1; done

format: $(INSTALLED) ## let ruff format and mend what it can
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .

install: $(INSTALLED) ## the environment alone, in .venv

$(INSTALLED): pyproject.toml
	@$(BIN)/python -c "import pip" 2>/dev/null || { \
	  suits='import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'; \
	  for python in $(or $(PYTHON),python3.13 python3.12 python3.11 python3 python); do \
	    if "$$python" -c "$$suits" >/dev/null 2>&1; then found=$$python; break; fi; \
	  done; \
	  if [ -z "$$found" ]; then \
	    echo "Penstock needs Python 3.11, 3.12 or 3.13 with its venv module; tried: $(or $(PYTHON),python3.13 python3.12 python3.11 python3 python)." >&2; \
	    echo "Name one with: make $(or $(MAKECMDGOALS),test) PYTHON=/path/to/python3" >&2; \
	    exit 1; \
	  fi; \
	  echo "making .venv with $$("$$found" --version)"; \
	  "$$found" -m venv --clear $(VENV); \
	}
	@echo "installing penstock and its tools into .venv"
	@$(BIN)/python -m pip install --quiet --quiet --editable '.[dev]'
	@touch $@

clean: ## remove what runs and tests leave
	@rm -rf out build dist .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find flow operators tests examples -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## remove the environment too
	@rm -rf $(VENV)
