# Each command installs what it needs; `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3.11
CORES ?= $(shell nproc)
BIN := .venv/bin
INSTALL := $(BIN)/python requirements/install.py
SNAKEMAKE := $(BIN)/snakemake --cores $(CORES)
CONFIG ?= config/config.yaml
XDG_CONFIG_HOME ?= $(HOME)/.config

.PHONY: help demo apply update onnx paper check exchange pool test test-quick lint format bench bench-gland bench-exchange bench-updating bench-fine-tuning bench-gpu bench-scale package \
  train-gland pretrain bench-learning \
  slurm-profile doctor resume config-docs output-docs lock pin conda-forge sbom release-notes \
  clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | expand -t 16

# ---- environments, each contains the previous one: launcher, local (runs studies), onnx (writes ONNX graphs),
# dev (runs tests)

.venv/bin/python:
	@echo "Creating the virtual environment .venv"
	@$(PYTHON) -m venv .venv

.venv/launcher.stamp: requirements/launcher.txt | .venv/bin/python
	@$(INSTALL) launcher "Snakemake"
	@touch $@

.venv/local.stamp: requirements/local.txt | .venv/bin/python
	@$(INSTALL) local "what a study needs: PyTorch with NVIDIA's libraries is 6 GB on disk, so this takes some minutes, once"
	@touch $@ .venv/launcher.stamp

.venv/onnx.stamp: requirements/onnx.txt | .venv/local.stamp
	@$(INSTALL) onnx "what writes and scores ONNX graphs"
	@touch $@

.venv/dev.stamp: requirements/dev.txt | .venv/local.stamp
	@$(INSTALL) dev "what the tests need"
	@touch $@ .venv/onnx.stamp

# ---- studies

demo: .venv/local.stamp ## Simulate three centers, run the study, print where its report is
	$(SNAKEMAKE) -s workflow/simulation.smk --configfile config/simulation/demo.yaml
	$(SNAKEMAKE) --configfile config/demo.yaml
	@$(MAKE) --no-print-directory apply MODEL=results/demo/model CENTER=west CONFIG=config/demo.yaml
	$(BIN)/python workflow/scripts/compare_application.py results/demo results/demo-west
	@echo "The report: $(CURDIR)/results/demo/report/report.html"

apply: .venv/local.stamp ## Apply a locked model to a center of CONFIG: make apply MODEL=model.zip CENTER=west
	@$(if $(and $(MODEL),$(CENTER)),,$(error name model and center: make apply MODEL=model.zip CENTER=west))
	config=$$($(BIN)/python workflow/scripts/application.py $(CENTER) --model "$(MODEL)" --configfile $(CONFIG)) && \
	  $(SNAKEMAKE) $(addprefix --profile ,$(APPLY_PROFILE)) --configfile $$config

update: .venv/local.stamp ## Update a locked model at a center of CONFIG: make update MODEL=model.zip CENTER=west
	@$(if $(and $(MODEL),$(CENTER)),,$(error name model and center: make update MODEL=model.zip CENTER=west))
	config=$$($(BIN)/python workflow/scripts/application.py $(CENTER) --model "$(MODEL)" --configfile $(CONFIG)) && \
	  results=results/$$(basename $$config .yaml) && \
	  $(SNAKEMAKE) $(addprefix --profile ,$(APPLY_PROFILE)) --configfile $$config -- \
	  $$results/report/report.html $$results/updated/$(CENTER)/manifest.json

onnx: .venv/onnx.stamp ## Write a locked model as an ONNX graph: make onnx MODEL=model.zip TARGET=model.onnx
	@$(if $(MODEL),,$(error name a model: make onnx MODEL=model.zip))
	$(BIN)/python workflow/scripts/export_onnx.py "$(MODEL)" $(or $(TARGET),model.onnx)

paper: .venv/local.stamp ## Run exactly the published protocol, on one simulated center
	$(SNAKEMAKE) -s workflow/simulation.smk --configfile config/simulation/paper.yaml
	$(SNAKEMAKE) --configfile config/paper.yaml
	@echo "The report: $(CURDIR)/results/paper/report/report.html"

check: .venv/local.stamp ## The check page of one center, before any training: make check CENTER=north
	@$(if $(CENTER),,$(error name a center: make check CENTER=north))
	$(SNAKEMAKE) --configfile $(CONFIG) --config 'check={compare: present}' -- \
	  results/$$(sed -nE 's/^study: *"?([A-Za-z0-9_-]+).*/\1/p' $(CONFIG))/check/$(CENTER).json

package: .venv/local.stamp ## De-identify a center for another site: make package CENTER=north
	$(BIN)/python workflow/scripts/package_center.py $(CENTER) --configfile $(CONFIG)

exchange: .venv/local.stamp ## What may leave a center instead of its data: make exchange CENTER=north
	@$(if $(CENTER),,$(error name a center: make exchange CENTER=north))
	$(SNAKEMAKE) --configfile $(CONFIG) -- \
	  results/$$(sed -nE 's/^study: *"?([A-Za-z0-9_-]+).*/\1/p' $(CONFIG))/exchange/$(CENTER).json

pool: .venv/local.stamp ## Pool exchange files where there are no patients: make pool CONFIG=config/pool.yaml
	$(BIN)/python workflow/scripts/pool_exchanged.py --configfile $(CONFIG)

# ---- SLURM

slurm-profile: .venv/launcher.stamp ## Link profiles/slurm, so that `snakemake --profile slurm` finds it
	@mkdir -p "$(XDG_CONFIG_HOME)/snakemake"
	@if [ -e "$(XDG_CONFIG_HOME)/snakemake/slurm" ] && [ ! -L "$(XDG_CONFIG_HOME)/snakemake/slurm" ]; then \
	  echo "$(XDG_CONFIG_HOME)/snakemake/slurm is a profile of your own: rename it, or use" \
	    "snakemake --profile profiles/slurm"; exit 1; fi
	ln -sfn "$(CURDIR)/profiles/slurm" "$(XDG_CONFIG_HOME)/snakemake/slurm"

PROFILE ?= slurm
doctor: .venv/launcher.stamp ## Check the cluster before the first run
	$(BIN)/python workflow/scripts/doctor.py $(addprefix --profile ,$(PROFILE)) --configfile $(CONFIG)

resume: .venv/launcher.stamp ## Resume after a killed Snakemake; CANCEL=1 cancels its jobs first
	$(BIN)/python workflow/scripts/resume.py $(if $(CANCEL),--cancel) $(if $(GONE),--gone) \
	  $(addprefix --profile ,$(PROFILE)) --configfile $(CONFIG)

# ---- the project

bench bench-gland bench-learning bench-exchange bench-updating bench-fine-tuning config-docs output-docs: export PYTHONPATH := workflow/lib:workflow/scripts

# Tests of a file and of tests/conda stay together (tests/conftest.py). Three processes on two processors: tests
# on SLURM wait for more than half of their time.
TESTS_AT_ONCE ?= 3
PYTEST = $(BIN)/python -m pytest -n $(TESTS_AT_ONCE) --dist loadscope --no-loadscope-reorder

test: .venv/dev.stamp .cache/snakedeploy/bin/snakedeploy .cache/roc-validator/bin/rocrate-validator .cache/sbom/bin/cyclonedx-py ## All tests
	$(PYTEST) $(PYTEST_ARGS)

test-quick: TESTS_AT_ONCE := 2
test-quick: .venv/dev.stamp ## Unit tests and plans, for every change
	$(PYTEST) tests/unit tests/workflow/test_plans.py tests/workflow/test_imports.py $(PYTEST_ARGS)

lint: .venv/dev.stamp ## Check format, types and imports, changing nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/mypy
	PYTHONPATH=workflow/lib $(BIN)/lint-imports

format: .venv/dev.stamp ## Format the code
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

bench: .venv/dev.stamp ## Speed of index, network, signature and statistics, compared with simple code
	$(BIN)/python benchmarks/index.py
	$(BIN)/python benchmarks/network.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/signature.py
	$(BIN)/python benchmarks/speed_of_statistics.py

bench-gland: .venv/dev.stamp ## Finder of the gland on a thousand phantoms of another simulator, by case
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.gland
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.gland_quantities
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.gland_calibration
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.gland_negatives

train-gland: .venv/local.stamp ## Train the network that finds the gland again (an hour on one core)
	OMP_NUM_THREADS=1 $(BIN)/python workflow/scripts/train_gland_network.py --output .gland/first.safetensors
	OMP_NUM_THREADS=1 $(BIN)/python workflow/scripts/train_gland_network.py --start .gland/first.safetensors \
	  --steps 3000 --seed 12 --rate 2e-3 --lookalike 0.3

pretrain: .venv/local.stamp ## Pretrain the compact network on simulated scintigrams again (17 minutes on one core)
	OMP_NUM_THREADS=1 $(BIN)/python workflow/scripts/pretrain_compact.py

bench-learning: .venv/dev.stamp ## What the pretrained network reads from phantoms of another simulator, and learns from few
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.pretraining --patients 700
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.learning
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.harmonization --draws 4

bench-exchange: .venv/dev.stamp ## What somebody learns of patients from exchange files
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.exchange

bench-updating: .venv/dev.stamp ## Closed testing of updates: errors, choices, patients needed
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.updating

bench-fine-tuning: .venv/dev.stamp ## What a finer update than a new head could gain at a site
	OMP_NUM_THREADS=1 $(BIN)/python -W ignore -m benchmarks.fine_tuning

bench-gpu: .venv/local.stamp ## Training, embedding and Grad-CAM on this machine's GPU
	$(BIN)/python benchmarks/gpu.py

bench-scale: .venv/local.stamp ## Cost of the workflow itself for 10,000 patients in 20 centers
	$(BIN)/python benchmarks/scale.py

config-docs: .venv/dev.stamp ## Write config/README.md and the JSON schemas
	$(BIN)/python -m thyrocast.config.reference config

output-docs: .venv/bin/python ## Write docs/output.md from the contract
	$(BIN)/python -m thyrocast.contract.documentation > docs/output.md
	$(BIN)/python -m thyrocast.contract.exchange > docs/exchange.schema.json

# In an environment of its own: what it installs would make every start of Snakemake two seconds slower.
.cache/sbom/bin/cyclonedx-py:
	@$(PYTHON) -m venv .cache/sbom
	@.cache/sbom/bin/pip install --quiet --disable-pip-version-check cyclonedx-bom==7.5.0

sbom: .cache/sbom/bin/cyclonedx-py ## Write a bill of materials (CycloneDX) of each pip environment to sbom/
	@mkdir -p sbom
	for name in launcher local onnx dev; do .cache/sbom/bin/cyclonedx-py requirements requirements/$$name.txt \
	  --output-reproducible --output-file sbom/$$name.cdx.json; done

.cache/uv/bin/uv:
	@$(PYTHON) -m venv .cache/uv
	@.cache/uv/bin/pip install --quiet --disable-pip-version-check uv==0.13.9

# Creates every environment once, so it takes minutes and some GB; Snakemake then uses the pin files.
.cache/snakedeploy/bin/snakedeploy:
	@$(PYTHON) -m venv .cache/snakedeploy
	@.cache/snakedeploy/bin/pip install --quiet --disable-pip-version-check snakedeploy==0.17.1

.cache/roc-validator/bin/rocrate-validator:
	@$(PYTHON) -m venv .cache/roc-validator
	@.cache/roc-validator/bin/pip install --quiet --disable-pip-version-check roc-validator==0.13.0

conda-forge:
	@command -v conda > /dev/null || \
	  { echo "make pin needs conda on the path, and a network in which conda-forge can be reached"; exit 1; }
	@conda search --override-channels --channel conda-forge "python=3.11" > /dev/null 2>&1 || \
	  { echo "conda-forge cannot be reached from here: run make pin where it can be; nothing was pinned"; exit 1; }

pin: conda-forge .cache/snakedeploy/bin/snakedeploy ## Pin the conda environments for this platform (needs conda-forge)
	.cache/snakedeploy/bin/snakedeploy pin-conda-envs --conda-frontend conda envs/*.yaml

lock: .cache/uv/bin/uv ## Resolve requirements/*.in into the locks, with hashes; UPGRADE=1 chooses new versions
	.cache/uv/bin/python requirements/lock.py $(if $(UPGRADE),--upgrade)

release-notes: ## Print the changelog's section of a version: make release-notes VERSION=0.2.0
	@$(if $(VERSION),,$(error name a version: make release-notes VERSION=0.2.0))
	@$(PYTHON) .ci/release_notes.py $(VERSION)

clean: ## Remove the output of runs; keeps data and environments
	rm -rf results logs .snakemake/{auxiliary,incomplete,locks,log,metadata,scripts}
