# Every verb works on a fresh machine with python3 and make; the first one that needs it installs.
PYTHON ?= python3
BIN := .venv/bin

# of make fuzz
NETWORKS ?= 500

# of make mutate
SAMPLE ?= 400
SEED ?= 10

.DEFAULT_GOAL := help
.PHONY: help install report test lint fuzz mutate bench peers coverage-real selfplay train-small \
	new-model docs wheel clean

help:  ## show these verbs
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 15

install: .venv/installed  ## make .venv and install flopledger into it, versions as in constraints.txt

.venv/installed: setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -m venv .venv || { echo "make: $(PYTHON) cannot make a virtual environment; install its venv package (on Debian: apt-get install python3-venv)" >&2; rm -rf .venv; exit 1; }
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev]"
	@touch $@

report: install  ## the report: writes build/report/index.html
	$(BIN)/flopledger report

# compiled files are kept, whatever the shell says: each process that a test starts would make them anew
test: install  ## run the tests
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n auto --dist loadgroup

lint: install  ## ruff, mypy, codespell
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy profiler && $(BIN)/codespell

fuzz: install  ## 500 random networks, both passes of each against products written by hand; minutes
	FLOPLEDGER_FUZZ=$(NETWORKS) $(BIN)/python -m pytest -n auto tests/counting/test_random_networks.py

mutate: install  ## do the tests kill 90% of 400 mutants of counting, ledger, metering, play? 40 minutes
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev,mutate]"
	$(BIN)/python scripts/mutate --sample $(SAMPLE) --seed $(SEED) --at-least 90

bench: install  ## time and memory beside the peers, and sweeps; writes build/bench.md, docs/memory.md, docs/peers.md
	$(BIN)/python scripts/bench.py
	$(BIN)/python scripts/bench_counters.py
	$(BIN)/python scripts/bench_meter.py
	$(BIN)/python scripts/bench_memory.py
	$(BIN)/python scripts/bench_shards.py
	$(BIN)/python scripts/bench_selfplay.py
	$(BIN)/python scripts/bench_sweep.py
	$(MAKE) peers

peers: install  ## 21 networks beside nine other counters, half an hour; writes docs/peers.md
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev,peers]"
	$(BIN)/python scripts/peers

coverage-real: install  ## real networks of 18 libraries beside FlopCounterMode, 15 minutes; writes docs/coverage.md
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev,coverage]"
	$(BIN)/python scripts/coverage_real

selfplay: install  ## a short self-play: Go on 9 x 9, 100 simulations a move, 2 games of 30 moves
	$(BIN)/flopledger selfplay --game go --board 9 --simulations 100 --games 2 --moves 30

train-small: install  ## train a small AlexNet and a small AlphaZero, metered, and compare them: minutes
	$(BIN)/flopledger train alexnet --dataset digits --resume
	$(BIN)/flopledger train alphazero --game connect_four --resume
	$(BIN)/flopledger compare build/train/alexnet-digits-metered.toml build/train/alphazero-connect-four-metered.toml

docs: install  ## these pages as a site with search and every public name; writes build/docs/index.html
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev,docs]"
	rm -rf build/docs
	$(BIN)/python -m sphinx -W --keep-going --quiet -d build/doctrees docs build/docs
	FLOPLEDGER_SITE=build/docs $(BIN)/python -m pytest tests/docs/test_site.py

wheel: install  ## a wheel of the library alone; writes build/wheel/
	rm -rf build/lib build/wheel
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir build/wheel .

horizon: install  ## flopledger horizon: digits, Hex, connect four with all arms, under an hour on two cores; writes build/horizon/horizon.csv
	$(BIN)/python scripts/measure_horizon.py

new-model:  ## NAME=foo: write models/foo.py and its test, to be filled in
	@$(PYTHON) scripts/new_model.py "$(NAME)"

clean:  ## remove what the verbs made
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
