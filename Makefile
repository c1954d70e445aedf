# make            builds build/headrace and build/libheadrace.so
# make demo       the churn example, from a fresh folder to predictions
# make test       fast tests; the last line is "N passed, N failed"
# make test-long  the long ones (kills, failing disks, scale)
# make wheel      dist/headrace-*.whl: `pip install` it anywhere
# make lint       format, include directions, headers that compile alone
# make format     rewrites the sources in our format
# make asan tsan  unit tests under sanitizers
# make clean      removes the build folders, keeps the caches
#
# JOBS=n sets how many compilers run at once.

SHELL := /bin/bash
JOBS ?= $(shell nproc)
BUILD := cmake --build

.PHONY: all setup demo test test-long wheel format lint asan tsan clean

all: build/build.ninja
	@$(BUILD) build -j $(JOBS)

setup:
	@tools/setup.sh

build/build.ninja: | setup
	@cmake --preset release

build-%/build.ninja: | setup
	@cmake --preset $*

demo: all
	@tools/demo.sh

test: all
	@$(BUILD) build -j $(JOBS) --target headrace_tests
	@tools/test.sh

test-long: all
	@$(BUILD) build -j $(JOBS) --target headrace_tests
	@tools/test.sh --long

wheel: all
	@python3 tools/wheel.py

format:
	@tools/format.sh

lint: build/build.ninja
	@tools/lint.sh

asan tsan: %: build-%/build.ninja
	@$(BUILD) build-$@ -j $(JOBS) --target all headrace_tests
	@tools/sanitize.sh $@

clean:
	rm -rf dist build build-dev build-asan build-tsan
