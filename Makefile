# `make` alone prints the words. Everything lives in .venv; nothing is installed elsewhere, except that `make test`
# installs Debian's chromium when it may.
PYTHON ?= python3
BIN := .venv/bin
t ?=
n ?= ledger
p ?= ngenius
kills ?= 20
seeds ?= 200
from ?= 1
seed ?=
every ?= 1
minutes ?= 10
only ?=

.PHONY: help
help: ## print these words
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/.ready: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Mizan needs Python 3.11 to 3.13") if not (3, 11) <= sys.version_info[:2] <= (3, 13) else 0'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { echo "Python's venv is missing: apt-get install python3-venv"; exit 1; }
	@echo "Installing Mizan into .venv ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

.venv/.ready-dev: .venv/.ready requirements-dev.txt
	@echo "Installing the tools of the tests into .venv ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

.PHONY: setup demo day test lint fix bench
setup: .venv/.ready ## make .venv with everything Mizan needs

demo: .venv/.ready ## run Mizan with embedded PostgreSQL and simulators until Ctrl-C
	@exec $(BIN)/mizan demo

day: .venv/.ready ## play one scripted day and prove the books
	@exec $(BIN)/mizan demo --once

test: .venv/.ready-dev ## run every check and test (t=path for one)
	@.ci/browser
	@if [ -n "$(t)" ]; then exec $(BIN)/python -m pytest $(t); fi; $(MAKE) --no-print-directory lint && exec $(BIN)/python -m pytest -n 2 --dist loadgroup

lint: .venv/.ready-dev ## check style, types and import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "run: make fix"; exit 1; }
	@$(BIN)/mypy
	@$(BIN)/lint-imports

fix: .venv/.ready-dev ## let the tools mend style
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

bench: .venv/.ready-dev ## measure against limits and bars (n=NAME)
	@exec $(BIN)/mizan bench $(n)

.PHONY: contract chaos simulate sweep mutants fuzz
contract: .venv/.ready-dev ## hold one provider to the contract (p=NAME)
	@exec $(BIN)/python -m pytest tests/adapters -k $(p)

chaos: .venv/.ready-dev ## kill real processes through a day (kills=20), fill the disk, stall clients; prove the books
	@$(BIN)/mizan demo --once --payments 60 --kills $(kills)
	@exec $(BIN)/python -m pytest -q tests/e2e/test_full_disk.py tests/e2e/test_stalled_clients.py

simulate: .venv/.ready-dev ## play seeds on virtual time (seeds=200 from=1, or seed=N)
	@exec $(BIN)/python -m tests.simulation $(if $(seed),seed=$(seed),seeds=$(seeds) from=$(from))

sweep: .venv/.ready-dev ## kill at every await of a payment, refund, night and payout (every=1 from=1)
	@exec $(BIN)/python -m tests.simulation sweep=yes every=$(every) from=$(from) seed=$(seed)

mutants: .venv/.ready-dev ## plant bugs and let the simulation find them (only=3,4)
	@exec $(BIN)/python -m tests.simulation.hunt only=$(only)

fuzz: .venv/.ready-dev ## look for bytes that break a parser or a callback (minutes=10 only=camt,mt940)
	@exec $(BIN)/python -m tests.fuzz minutes=$(minutes) only=$(only)
