# Two commands do all the set-up: `make demo` and `make test`. Only Python >= 3.11, make and the package registries are needed.
PYTHON ?= python3
UV_VERSION := 0.13.9
VENV := .venv
STAMP := $(VENV)/.installed
RUN := $(VENV)/bin
# Tests start hundreds of processes: compiled modules are kept, whatever the surroundings say.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test prove lint format install clean

install: $(STAMP)

# uv lives in an environment of its own, so that `uv sync` may remove what the lock does not name.
$(STAMP): uv.lock pyproject.toml
	@test -x $(VENV)/uv/bin/uv || { $(PYTHON) -m venv $(VENV)/uv && $(VENV)/uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION); }
	@test -x $(RUN)/python || $(VENV)/uv/bin/uv venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	$(VENV)/uv/bin/uv sync --quiet --frozen
	@touch $@

demo: $(STAMP)
	$(RUN)/doorstep demo $(ARGS)

test: $(STAMP) lint
	$(RUN)/python -m pytest -n 2 --dist loadgroup -m "not prove" $(ARGS)

prove: $(STAMP) lint
	$(RUN)/python -m pytest -n 2 --dist loadgroup $(ARGS)

lint: $(STAMP)
	$(RUN)/ruff check .
	$(RUN)/lint-imports --no-logo > /dev/null || $(RUN)/lint-imports
	$(RUN)/mypy

format: $(STAMP)
	$(RUN)/ruff format .
	$(RUN)/ruff check --fix .

clean:
	rm -rf $(VENV) var out
