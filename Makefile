# Everything a person or CI runs. Nothing is needed but Python 3.11 or later and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --quiet --disable-pip-version-check
WORKSPACE ?= demo
TIER ?= standard

.DEFAULT_GOAL := start
.PHONY: start certify train test test-training test-all check bench exam docs screenshots browser clean

start: $(VENV)/.installed  ## A demo clinic, a first cited answer, a server. Ctrl-C stops it.
	@$(BIN)/etabli --workspace $(WORKSPACE) start --demo

certify: $(VENV)/.installed  ## Examine the demo's assistant and sign the result: about an hour on two cores.
	@$(BIN)/etabli --workspace $(WORKSPACE) start --demo --once
	@$(BIN)/etabli --workspace $(WORKSPACE) certify clinique --tier $(TIER)

train: $(VENV)/.installed-training  ## Teach the demo's model the clinic's appointment form, and compare before and after.
	@$(BIN)/etabli --workspace $(WORKSPACE) start --demo --once
	@$(BIN)/etabli --workspace $(WORKSPACE) train run $(WORKSPACE)/training/fiches.yaml --yes

test: $(VENV)/.installed-dev  ## The fast tests.
	$(BIN)/pytest

test-training: $(VENV)/.installed-training-dev  ## The fast tests of training, which need PyTorch.
	$(BIN)/pytest tests/training

test-all: $(VENV)/.installed-training-dev browser  ## All tests; fetches the small test model (0.5 GB).
	$(BIN)/pytest -m ""

check: $(VENV)/.installed-dev  ## Format, lint, types, layers, dependencies.
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/pytest tests/test_layers.py tests/test_messages.py
	$(BIN)/python -P .ci/dependencies.py

bench: $(VENV)/.installed-dev  ## The time from a clean clone to the first cited answer, and of a second start.
	$(BIN)/python benchmarks/first_answer.py

exam: $(VENV)/.installed-dev  ## The exam of the certifier: planted flaws, clean assistants, exact figures; kept for certificates.
	$(BIN)/python benchmarks/exam.py --keep

docs: $(VENV)/.installed-dev  ## Write the generated reference pages again.
	$(BIN)/python -m etabli.cli.reference docs/reference

screenshots: $(VENV)/.installed-dev browser  ## Pictures of every page, in both themes, from the running product.
	$(BIN)/python docs/screenshots/take.py

browser:  ## Chromium from Debian, for root on Debian; else the browser tests are skipped.
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || \
	{ [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "Installing Chromium, once" && \
	apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends chromium >/dev/null; } || \
	echo "Chromium is not on this machine: browser tests are skipped. Install it: apt-get install chromium"

clean:  ## Remove the environment and what tools left; documents and models stay.
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache build dist
	find src tests benchmarks examples -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit("Établi needs Python 3.11 or later; %s is %d.%d. Name another: make start PYTHON=python3.12" % (sys.executable, v[0], v[1]))'
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: requirements.lock pyproject.toml | $(VENV)/.created
	@echo "Installing what Établi needs: about 200 MB, once"
	@$(PIP) install --require-hashes --only-binary :all: -r requirements.lock
	@$(PIP) install --no-deps --editable .
	@touch $@

# PyTorch has other wheels on every platform, so that its version is pinned and not its hash; with a processor only,
# make it install the processor's build from PyTorch's own index: PIP_EXTRA_INDEX_URL (docs/guides/train.md).
$(VENV)/.installed-training: requirements-training.lock $(VENV)/.installed
	@echo "Installing what training needs, PyTorch above all: once"
	@$(PIP) install --require-hashes --only-binary :all: -r requirements-training.lock
	@$(PIP) install --only-binary :all: torch==2.13.0
	@touch $@

# Without its dependencies: all are there, and PyTorch has no hash that could be compared.
$(VENV)/.installed-training-dev: requirements-training-dev.lock $(VENV)/.installed-training $(VENV)/.installed-dev
	@$(PIP) install --no-deps --require-hashes --only-binary :all: -r requirements-training-dev.lock
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@echo "Installing what its tests need, once"
	@$(PIP) install --require-hashes --only-binary :all: -r requirements-dev.lock
	@touch $@
