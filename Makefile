# Everything a person or a CI runs. Each target installs what it needs into .venv, once.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev

.PHONY: demo models test test-all check format bench bench-quick matrix docs clean help

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: $(RUN_STAMP) ## Install, get the models, transcribe a real conversation of two speakers
	$(BIN)/wortlaut demo

models: $(RUN_STAMP) ## Get the models that the tests use into the user's data folder (or WORTLAUT_MODELS_DIR)
	$(BIN)/wortlaut models pull base tiny.en silero-vad segmentation-3.0 campplus sample-conversation

test: $(DEV_STAMP) models ## Unit, property, contract and real-model tests (minutes)
	$(BIN)/python -m pytest

test-all: $(DEV_STAMP) models ## The same and everything slow
	$(BIN)/python -m pytest -m 'not peer and not torch'

check: $(DEV_STAMP) ## Format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(DEV_STAMP) ## Bring the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(DEV_STAMP) ## Write the pages that are made from the code
	$(BIN)/python docs/make_service_reference.py

bench-quick: $(DEV_STAMP) models ## Compare the quality with bench/baseline.json; needs WORTLAUT_EVAL_DIR
	$(BIN)/python bench/quick.py $(WORTLAUT_EVAL_DIR)

bench: $(DEV_STAMP) models ## Measure beside faster-whisper, whisperX and senko (installs 9 GB); BENCH="--runs 1 FILE..."
	$(BIN)/python bench/peers/compare.py $(BENCH)

MATRIX_DIR ?= .matrix

matrix: ## Test the pyannote diarizer with the versions people have (GBs of downloads); MATRIX_ONLY=torch2.8 picks some
	$(PYTHON) bench/matrix.py --work $(MATRIX_DIR) $(if $(MATRIX_ONLY),--only $(MATRIX_ONLY))

clean: ## Remove what was installed and built here; models stay
	rm -rf $(VENV) .matrix dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(RUN_STAMP): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(DEV_STAMP): $(RUN_STAMP)
	$(BIN)/python -m pip install --quiet --editable '.[eval,docx,numerals,server,wyoming]' --group dev
	@touch $@
