# Two commands set everything up: `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: install run test demo lint bench replay year soak docs constraints clean

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("watch287g needs Python 3.11 or newer; set PYTHON=") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

# One real check of ICE's page into data/history.db. Changed (3) and held (4) are good ends too.
run: install
	@$(BIN)/watch287g check; code=$$?; [ $$code -eq 3 ] || [ $$code -eq 4 ] || exit $$code

demo: install
	$(BIN)/watch287g demo

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/python -m pytest -q -n auto --dist worksteal

# Speed as ratios within one run, and sizes; needs ../shared/archive.
bench: install
	$(BIN)/python -m tests.bench

# The whole archive with a subscriber for every state, as checks would have seen it; needs ../shared/archive.
replay: install
	$(BIN)/python -m tests.replay

# A year of hourly checks, 5 % of which fail, in some 15 minutes; needs ../shared/archive.
year: install
	$(BIN)/python -m tests.year

# The daemon for half an hour with a check every few seconds.
soak: install
	$(BIN)/python -m tests.soak

# docs/schema.md and docs/recipes.md, from the schema and the recipes.
docs: install
	$(BIN)/python -m tools.make_docs

# The versions that the suite was last run with.
constraints: install
	$(BIN)/python -m pip freeze --exclude-editable | grep -v '@' > constraints.txt

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
