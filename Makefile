# Verbs of the workbench. `make run` and `make test` need only Python 3.11, make and git.
PYTHON ?= python3.11
BIN := .venv/bin
RUN_STAMP := .venv/.run-installed
DEV_STAMP := .venv/.dev-installed
FUZZ_STAMP := .venv/.fuzz-installed
PURE := meters/cosem sessions/dlms sessions/links sessions/simulator

.PHONY: run lab test check fmt bench fuzz clean lock

run: $(RUN_STAMP)  ## install what is needed and start everything
	@exec $(BIN)/python -m workbench up $(ARGS)

lab: $(RUN_STAMP)  ## install what is needed and start the simulated meters alone
	@exec $(BIN)/python manage.py simulate $(or $(ARGS),--lab sessions/simulator/labs/demo.toml --truth 4070)

test: $(DEV_STAMP)  ## the whole test suite on embedded defaults
	$(BIN)/python -m pytest $(ARGS)

check: $(DEV_STAMP)  ## lint, types, import contracts, migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run

fmt: $(DEV_STAMP)  ## format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(DEV_STAMP)  ## timings as JSON
	@$(BIN)/python -m tests.bench

fuzz: $(FUZZ_STAMP)  ## a million mutated inputs into every decoder, as JSON
	@$(BIN)/python -m tests.fuzz $(ARGS)

lock:  ## pin the dependencies anew, with hashes (needs uv)
	uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 pyproject.toml -o requirements/run.txt
	uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 pyproject.toml --group dev -c requirements/run.txt -o requirements/dev.txt
	uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --group peer -o requirements/peer.txt
	uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --group fuzz -o requirements/fuzz.txt

clean:  ## remove everything that was made, the data in var/ excepted
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A python without ensurepip (Debian's, without python3-venv) cannot make the environment: say so, with the way out.
.venv/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed and '$(PYTHON)' is not on the PATH; name yours: make run PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not ((3, 11) <= sys.version_info[:2] < (3, 13)))' || { echo "Python 3.11 or 3.12 is needed; name yours: make run PYTHON=/path/to/python3.11"; exit 1; }
	@echo "· Python environment: making .venv"
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "The venv module could not make an environment. On Debian: apt install python3-venv"; exit 1; }

$(RUN_STAMP): requirements/run.txt | .venv/bin/python
	@echo "· packages: installing the locked versions"
	@if command -v uv >/dev/null; then VIRTUAL_ENV=.venv uv pip install --quiet --require-hashes -r $<; else $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<; fi
	@touch $@

$(DEV_STAMP): requirements/dev.txt requirements/peer.txt | .venv/bin/python
	@echo "· packages: installing the locked versions, tests and checks included"
	@if command -v uv >/dev/null; then VIRTUAL_ENV=.venv uv pip install --quiet --require-hashes -r requirements/dev.txt -r requirements/peer.txt; else $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt -r requirements/peer.txt; fi
	@touch $(RUN_STAMP) $@

$(FUZZ_STAMP): requirements/fuzz.txt $(DEV_STAMP)
	@echo "· packages: installing the locked versions of the fuzzer"
	@if command -v uv >/dev/null; then VIRTUAL_ENV=.venv uv pip install --quiet --require-hashes -r $<; else $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<; fi
	@touch $@
