# One command a chore. On a fresh clone each of them sets up what it needs first.

# With its default shell, make 3.81 (macOS) looks up commands on the PATH that it was started with.
SHELL := /bin/bash
PYTHON3 ?= python3

# What is typed as NAME=VALUE is data: make does not expand it (`value`), and commands find it in the
# environment, where no shell reads it.
define as_typed
override $(1) := $$(value $(1))
export $(1)
endef
$(foreach name,PYTHON3 FROM TO BASE RANDOMIZE SEED JSON DATA OVER JOBS VERSION DRY_RUN,$(eval $(call as_typed,$(name))))

# A folder with a colon would be two on a PATH; Python makes no environment there either.
ifneq (,$(findstring :,$(CURDIR)))
$(error $(CURDIR): the path has a colon, which no PATH can hold; move the checkout)
endif
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup image sbom release repro test test-container test-cuda lint format lock bench compare sweep gate verify vectorization by-hand depth

help: ## list the chores
	@grep -hE '^[a-z-]+:.* ## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.* ## (.*)/make \1\t\2/' | expand -t 22

setup: .venv/installed .dvc/plots/page.local.html ## make .venv with exactly the versions of requirements*.txt

# pip installs the locked uv, uv the rest: 20 s instead of minutes, and nothing that is not locked stays.
.venv/installed: requirements.txt requirements-development.txt pyproject.toml | usable-venv
	@test ! -L .venv || { echo "make: .venv is a link to another environment, not of this requirements.txt: type rm .venv, then make setup" >&2; exit 1; }
	@"$$PYTHON3" -c 'import os, sys; sys.exit("Python 3.11 to 3.13 is needed, " + os.environ["PYTHON3"] + " is " + sys.version.split()[0] + "; try make PYTHON3=python3.12" if not (3, 11) <= sys.version_info[:2] <= (3, 13) else 0)'
	@echo "make: installing $$(cat requirements.txt requirements-development.txt | grep -c '^[a-z].*==') packages in .venv, 7 GB on disk; this happens once"
	"$$PYTHON3" -m venv .venv
	sed -n '/^uv==/,/[^\\]$$/p' requirements-development.txt > .venv/uv.txt
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement .venv/uv.txt
	VIRTUAL_ENV=.venv .venv/bin/uv pip sync --quiet --require-hashes --compile-bytecode requirements.txt requirements-development.txt
	VIRTUAL_ENV=.venv .venv/bin/uv pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

.venv/publishing/installed: requirements-publishing.txt .venv/installed
	cd -P .venv && python -m venv --without-pip publishing && VIRTUAL_ENV=publishing \
		bin/uv pip sync --quiet --require-hashes "$(CURDIR)/requirements-publishing.txt"
	touch $@

.dvc/plots/page.local.html: .dvc/plots/page.html .dvc/plots/page.js .dvc/plots/page.py .venv/installed
	.venv/bin/python .dvc/plots/page.py

.PHONY: usable-venv
usable-venv: # one whose Python is gone, or that was moved: its commands name the folder it was made in
	@if test -e .venv || test -L .venv; then \
		made='from pathlib import Path; print(Path(".venv/pyvenv.cfg").read_text().partition(" -m venv ")[2].splitlines()[0])'; \
		test -d "$$(.venv/bin/python -c "$$made" 2>/dev/null)" || \
			{ echo 'make: .venv does not work: type rm -rf .venv, then make setup' >&2; exit 1; }; \
	fi

repro: setup ## run the pipeline: what is not up to date, nothing else
	@shallowdeep check
	dvc repro
	@echo "The report: $$(shallowdeep report | cat)"

image: ## build the container image of docker/, which `STAGE_ENGINE=docker dvc repro` runs in
	docker/build

sbom: .venv/publishing/installed ## list the packages of the image in sbom.cdx.json, as CycloneDX
	SYFT_CHECK_FOR_APP_UPDATE=false .venv/publishing/bin/syft scan --quiet "docker:$$(docker/image-name)" \
		--output cyclonedx-json=sbom.cdx.json

release: setup .venv/publishing/installed ## commit, tag and pack VERSION=0.1.0; DRY_RUN=1 says what it would do
	@[[ $$VERSION =~ ^[0-9]+(\.[0-9]+){2}$$ ]] || \
		{ echo "make release: VERSION: '$$VERSION' is not three numbers; make release VERSION=0.1.0" >&2; exit 2; }
	@! git rev-parse --quiet --verify "refs/tags/v$$VERSION" >/dev/null || \
		{ echo "make release: VERSION: there is a tag v$$VERSION already" >&2; exit 2; }
	@python -P -m shallowdeep crate --check
	@.venv/publishing/bin/bump-my-version bump $${DRY_RUN:+--dry-run --verbose} --new-version "$$VERSION"
	@names='from pathlib import Path; from shallowdeep.files.yaml_file import parse; print(*parse(Path("dvc.yaml"))["artifacts"])'; \
		for model in $$(python -P -c "$$names"); do \
		$${DRY_RUN:+echo Would run} gto register "$$model" --version "v$$VERSION" || exit; done
	@test -n "$$DRY_RUN" || python -P -m shallowdeep crate "shallowdeep-$$VERSION.zip"

test: setup ## run the tests
	pytest -m 'not container and not cuda' -n logical --dist worksteal

test-container: setup ## run the tests of the container image; without an engine: docker/engine make test-container
	pytest -m container

test-cuda: setup ## run the tests of a CUDA device
	pytest -m cuda

lint: setup ## check format, style, types, the image's recipe, the workflows and the citation
	ruff format --check .
	ruff check .
	mypy
	lint-imports --no-logo
	hadolint docker/Dockerfile
	check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yaml
	check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	check-jsonschema --quiet --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/*.yaml
	check-jsonschema --quiet --builtin-schema vendor.citation-file-format CITATION.cff
	zizmor --quiet --offline .github
	pre-commit validate-config

format: setup ## fix format and style automatically
	ruff format .
	ruff check --fix .

compare: setup ## the metrics of two experiments side by side, and which changes are real; FROM=HEAD TO=workspace
	@python -P -m shallowdeep compare -- "$${FROM:-HEAD}" "$${TO:-workspace}"

sweep: setup ## many experiments through DVC's queue; OVER="epochs=10,30 lr=0.003,0.01" JOBS=1
	@test -n "$$OVER" || { echo 'make sweep: OVER is not given; make sweep OVER="epochs=10,30 lr=0.003,0.01"' >&2; exit 2; }
	@python -P -m shallowdeep sweep --jobs "$${JOBS:-1}" -- "$$OVER"

gate: setup ## fail where a metric of gate.yaml is worse than in a baseline; BASE=HEAD
	@python -P -m shallowdeep gate -- "$${BASE:-HEAD}"

verify: setup ## prove that a clean run gives the committed results; RANDOMIZE=1 varies what must not matter
	@python -P -m shallowdeep verify $${RANDOMIZE:+"--randomize=$${SEED:--1}"} $${JSON:+"--json=$$JSON"}

bench: setup ## benchmark the solvers against other implementations; DATA=FOLDER with two class subfolders
	@test -n "$$DATA" || { echo 'make bench: DATA is not given; make bench DATA=FOLDER with two class subfolders' >&2; exit 2; }
	python benchmarks/solvers.py -- "$$DATA"

vectorization: setup ## measure which loops vectorisation removes; writes docs/vectorization.md
	python -m lessons.vectorization

by-hand: setup ## write docs/by-hand.md: one batch through the network, every number
	python -m lessons.by_hand

depth: setup ## measure signal and gradient by layer; writes docs/depth.md
	dvc repro prepare
	python -m lessons.depth

lock: setup ## compile requirements*.in into requirements*.txt, newest versions
	for name in requirements requirements-development requirements-publishing; do \
		uv pip compile --quiet --upgrade --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
			--no-emit-index-url --no-header "$$name.in" --output-file "$$name.txt" || exit; \
	done
