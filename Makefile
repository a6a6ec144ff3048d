# Everything a person or a CI runs. Each target installs what it needs into .venv, once.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev

.PHONY: demo models test test-all explore check format bench bench-quick matrix docs site dist wheel-test lock locked newest image-test links clean help

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

explore: $(DEV_STAMP) models ## Property tests with new random examples, instead of the same every time
	$(BIN)/python -m pytest -m 'hypothesis and not slow and not peer and not torch' --hypothesis-profile explore

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
	$(BIN)/python docs/make_troubleshooting.py

bench-quick: $(DEV_STAMP) models ## Compare the quality with bench/baseline.json; needs WORTLAUT_EVAL_DIR
	$(BIN)/python bench/quick.py $(WORTLAUT_EVAL_DIR)

bench: $(DEV_STAMP) models ## Measure beside faster-whisper, whisperX and senko (installs 9 GB); BENCH="--runs 1 FILE..."
	$(BIN)/python bench/peers/compare.py $(BENCH)

MATRIX_DIR ?= .matrix

matrix: ## Test the pyannote diarizer with the versions people have (GBs of downloads); MATRIX_ONLY=torch2.8 picks some
	$(PYTHON) bench/matrix.py --work $(MATRIX_DIR) $(if $(MATRIX_ONLY),--only $(MATRIX_ONLY))
dist: $(DEV_STAMP) ## Build source archives and wheels of wortlaut and of its command `whisperx` into dist/
	rm -rf dist
	$(BIN)/python -m build --outdir dist .
	$(BIN)/python -m build --outdir dist packaging/wortlaut-whisperx

wheel-test: $(DEV_STAMP) models ## Install the wheel anew for every extra and Python, and in every way that the pages show; WHEEL_TEST="-k 3.13"
	$(BIN)/python -m pytest -v -p no:randomly -m 'not torch' $(WHEEL_TEST) \
		tests/shipping/test_wheel.py tests/shipping/test_install_lines.py

# The newest of everything that fits pyproject.toml, for every platform and Python, with hashes and without addresses.
COMPILE := $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-emit-index-url --custom-compile-command 'make lock'
WHEELS := $(BIN)/uv pip compile --quiet --no-annotate --no-header --only-binary :all: --extra server --extra docx \
	--constraint docker/requirements.lock --output-file /dev/null pyproject.toml
SERVICE := --extra server --extra docx --extra wyoming pyproject.toml

lock: $(DEV_STAMP) ## Lock what the images and CI install, and see that there are wheels for amd64 and arm64
	$(COMPILE) -o docker/requirements.lock -c docker/constraints.txt $(SERVICE)
	$(COMPILE) -o docker/requirements-cuda.lock -c docker/cuda-constraints.txt -c docker/constraints.txt --extra pyannote $(SERVICE)
	$(COMPILE) -o docker/ci.lock -c docker/requirements.lock --extra eval --extra numerals --group dev $(SERVICE) docker/build.in
	$(COMPILE) -o docker/build.lock -c docker/ci.lock docker/build.in
	for version in 3.11 3.12 3.13; do for machine in x86_64 aarch64; do \
		$(WHEELS) --python-version $$version --python-platform $$machine-manylinux_2_28 || exit 1; done; done

locked: | $(BIN)/python ## Install exactly what docker/ci.lock says, as CI does
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r docker/ci.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $(RUN_STAMP) $(DEV_STAMP)

newest: models ## Test with the newest of everything in a place of its own, and say what broke
	.ci/newest

image-test: $(RUN_STAMP) models ## Build the images, run them, transcribe, restart; with Docker, or as root with buildah; ARCH=arm64 builds and starts that one
	$(BIN)/python docker/try_image.py --models "$$($(BIN)/wortlaut models path base)/.." $(if $(ARCH),--arch $(ARCH))

site: $(BIN)/python ## Build the documentation in English and German into site/
	$(BIN)/python -m pip install --quiet --group docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

# LINKS= leaves out those that lead outside, which need a network
LINKS ?= --check-extern

links: site ## Follow every link of the built pages, also to other places
	$(BIN)/linkchecker --no-status --no-warnings $(LINKS) site/index.html site/de/index.html

clean: ## Remove what was installed and built here; models stay
	rm -rf $(VENV) .matrix dist build site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(RUN_STAMP): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(DEV_STAMP): $(RUN_STAMP)
	$(BIN)/python -m pip install --quiet --editable '.[eval,docx,numerals,server,wyoming]' --group dev
	@touch $@
