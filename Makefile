# Each command does its own set-up; `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3.11
CORES ?= $(shell nproc)
BIN := .venv/bin
SNAKEMAKE := $(BIN)/snakemake --cores $(CORES)

.PHONY: help demo paper test lint format bench package config-docs lock slurm-profile clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | expand -t 16

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/local.stamp: requirements/local.txt | .venv/bin/python
	@echo "Installing the environment (once; about 6 GB with PyTorch) ..."
	$(BIN)/python -m pip install --disable-pip-version-check -r $<
	@touch $@

.venv/dev.stamp: requirements/dev.txt | .venv/local.stamp
	$(BIN)/python -m pip install --disable-pip-version-check -r $<
	@touch $@

demo: .venv/local.stamp ## Simulate three centers, run the study, print where its report is
	$(SNAKEMAKE) -s workflow/simulation.smk --configfile config/simulation/demo.yaml
	$(SNAKEMAKE) --configfile config/demo.yaml
	@echo "The report: $(CURDIR)/results/demo/report/report.html"

paper: .venv/local.stamp ## The published protocol to the letter, on one simulated center
	$(SNAKEMAKE) -s workflow/simulation.smk --configfile config/simulation/paper.yaml
	$(SNAKEMAKE) --configfile config/paper.yaml
	@echo "The report: $(CURDIR)/results/paper/report/report.html"

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

CONFIG ?= config/config.yaml
package: .venv/local.stamp ## De-identify a center for another site: make package CENTER=north
	$(BIN)/python workflow/scripts/package_center.py $(CENTER) --configfile $(CONFIG)

config-docs: .venv/dev.stamp ## Write config/README.md from the schemas
	PYTHONPATH=workflow/scripts $(BIN)/python -m thyrocast.config > config/README.md

lock: .venv/bin/python ## Resolve requirements/*.in anew into the locks
	$(BIN)/python requirements/lock.py

clean: ## Remove what runs made; keeps data and environments
	rm -rf results .snakemake
