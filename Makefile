# Each command does its own set-up; `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3.11
CORES ?= $(shell nproc)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off
# what was done before needs no line
NEWS := sed -uE '/already satisfied|is ignored: it is neither|^ *(Using cached|Downloading) .*metadata/d'
SNAKEMAKE := $(BIN)/snakemake --cores $(CORES)
CONFIG ?= config/config.yaml
XDG_CONFIG_HOME ?= $(HOME)/.config

.PHONY: help demo paper test lint format bench bench-gpu bench-scale package \
  slurm-profile doctor resume config-docs output-docs lock clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | expand -t 16

# ---- environments: launcher < local (runs studies) < dev (proves them)

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/launcher.stamp: requirements/launcher.txt | .venv/bin/python
	@echo "Installing Snakemake ..."
	$(PIP) -r $< | $(NEWS)
	@touch $@

.venv/local.stamp: requirements/local.txt | .venv/bin/python
	@echo "Installing the environment (once; about 6 GB with PyTorch, some minutes) ..."
	$(PIP) -r $< | $(NEWS)
	@touch $@ .venv/launcher.stamp

.venv/dev.stamp: requirements/dev.txt | .venv/local.stamp
	@echo "Installing what the tests need ..."
	$(PIP) -r $< | $(NEWS)
	@touch $@

# ---- studies

demo: .venv/local.stamp ## Simulate three centers, run the study, print where its report is
	$(SNAKEMAKE) -s workflow/simulation.smk --configfile config/simulation/demo.yaml
	$(SNAKEMAKE) --configfile config/demo.yaml
	@echo "The report: $(CURDIR)/results/demo/report/report.html"

paper: .venv/local.stamp ## The published protocol to the letter, on one simulated center
	$(SNAKEMAKE) -s workflow/simulation.smk --configfile config/simulation/paper.yaml
	$(SNAKEMAKE) --configfile config/paper.yaml
	@echo "The report: $(CURDIR)/results/paper/report/report.html"

package: .venv/local.stamp ## De-identify a center for another site: make package CENTER=north
	$(BIN)/python workflow/scripts/package_center.py $(CENTER) --configfile $(CONFIG)

# ---- SLURM

slurm-profile: .venv/launcher.stamp ## Link profiles/slurm so that `snakemake --profile slurm` finds it
	mkdir -p "$(XDG_CONFIG_HOME)/snakemake"
	ln -sfn "$(CURDIR)/profiles/slurm" "$(XDG_CONFIG_HOME)/snakemake/slurm"

PROFILE ?= slurm
doctor: .venv/launcher.stamp ## Look at the cluster before the first run: what would fail, said now
	$(BIN)/python workflow/scripts/doctor.py --profile $(PROFILE) --configfile $(CONFIG)

resume: .venv/launcher.stamp ## Go on after a lost Snakemake; CANCEL=1 cancels its jobs first
	$(BIN)/python workflow/scripts/resume.py $(if $(CANCEL),--cancel) $(if $(GONE),--gone) \
	  --profile $(PROFILE) --configfile $(CONFIG)

# ---- the project

bench config-docs output-docs: export PYTHONPATH := workflow/lib:workflow/scripts

test: .venv/dev.stamp ## Everything that proves the project
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: .venv/dev.stamp ## Format and lint, changing nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/mypy

format: .venv/dev.stamp ## Format the code
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

bench: .venv/dev.stamp ## Speed of index, network, signature and statistics, beside plain ways
	$(BIN)/python benchmarks/index.py
	$(BIN)/python benchmarks/network.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/signature.py
	$(BIN)/python benchmarks/speed_of_statistics.py

bench-gpu: .venv/local.stamp ## Training, embedding and Grad-CAM on this machine's GPU
	$(BIN)/python benchmarks/gpu.py

bench-scale: .venv/local.stamp ## What the workflow itself costs at 10,000 patients in 20 centers
	$(BIN)/python benchmarks/scale.py

config-docs: .venv/dev.stamp ## Write config/README.md and the JSON schemas
	$(BIN)/python -m thyrocast.config.reference config

output-docs: .venv/bin/python ## Write docs/output.md from the contract
	$(BIN)/python -m thyrocast.contract.documentation > docs/output.md

lock: .venv/bin/python ## Resolve requirements/*.in anew into the locks
	$(BIN)/python requirements/lock.py

clean: ## Remove what runs made; keeps data and environments
	rm -rf results logs .snakemake/{auxiliary,incomplete,locks,log,metadata,scripts}
