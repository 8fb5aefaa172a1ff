# Every target sets itself up: on a fresh Debian 12 with Swift 6.3, git and make,
# `make demo` and `make test` install what they miss (as root, or through sudo).
#
# Variables: PYTHON (the interpreter the tests' venv is made with, default python3),
# PYTEST_ARGS (for instance `make e2e PYTEST_ARGS='-k policy'`), UPDATE=1 (`make budget` then writes the counts down).
#
# Tests that take longer, and are no part of `make test`:
#   make fuzz TIME=60 TARGETS='json requests'   libFuzzer, TIME seconds for each target (default: 60, all)
#   make sanitize KINDS=address FILTER=Gzip     unit tests under ThreadSanitizer and AddressSanitizer (default: both);
#                                               KINDS=gateway: end-to-end tests of the store, the gateway under each
#   make soak MINUTES=10 STORE=1                the release binary under load, faults, reloads and a disk that fills; with
#                                               STORE its limits are counted in a Redis, which fails as well

SHELL := /bin/bash
.DEFAULT_GOAL := build
.PHONY: build demo test unit e2e fuzz sanitize soak simulate bench budget dist deb image test-deb test-image lint clean setup setup-tests

# The shipped binary: static Swift runtime, only the C libraries are dynamic.
RELEASE := -c release --static-swift-stdlib --product gatehouse
GATEHOUSE := .build/release/gatehouse

build: setup
	swift build $(RELEASE)

demo: build
	$(GATEHOUSE) demo --once

# Unit tests in debug, end-to-end tests against the release binary; ends with `N passed, N failed`.
test: setup-tests
	scripts/test.sh

unit: setup
	swift build --build-tests
	swift test --skip-build

e2e: setup-tests build
	.venv/bin/python -m pytest Tests/EndToEnd $(PYTEST_ARGS)

fuzz: setup
	python3 Fuzz/run.py --time $(or $(TIME),60) $(TARGETS)

sanitize: setup
	scripts/sanitize.sh $(KINDS)

soak: setup-tests build
	.venv/bin/python Tests/Soak/soak.py --minutes $(or $(MINUTES),10) $(if $(STORE),--store)

bench: build
	swift build $(RELEASE:gatehouse=UnauditedGateway)
	Benchmarks/run.sh

# What one request costs, counted and compared with Benchmarks/budget.json.
budget: build
	scripts/setup.sh budget
	python3 Benchmarks/budget.py $(if $(UPDATE),--update)

# The whole gateway under seeds, in a time of its own; SEEDS is how many, or a range as in 17..40.
SEEDS ?= 5000
simulate: setup
	swift build --build-tests
	GATEHOUSE_SEEDS=$(SEEDS) SWIFT_BACKTRACE=enable=no swift test --skip-build --filter SimulationTests

# What is installed: the binary without its symbols, man page, completions; in .build/dist.
dist: build
	scripts/distribute.sh

# A Debian package in .build/deb, and an OCI image in .build/image.
deb: dist
	scripts/setup.sh deb
	scripts/build-deb.sh

image: dist
	scripts/setup.sh image
	scripts/build-image.sh

# Both in use: the package in a clean system of its own, the image with a root that is read-only. As root.
test-deb: deb setup-tests
	.venv/bin/python -m pytest Tests/Packaging/test_deb.py $(PYTEST_ARGS)

test-image: image setup-tests
	.venv/bin/python -m pytest Tests/Packaging/test_image.py $(PYTEST_ARGS)

lint:
	swift format lint --strict --parallel --recursive Package.swift Sources Tests Fuzz

setup:
	scripts/setup.sh build

setup-tests:
	scripts/setup.sh build test

clean:
	rm -rf .build .build-fuzz .build-tsan .build-asan .venv .pytest_cache .hypothesis
	find Tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +
