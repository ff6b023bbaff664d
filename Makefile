# A thin front door. The work is done by CMake presets and the scripts beside it.
.DEFAULT_GOAL := help
PYTHON := /usr/bin/python3
JOBS ?= $(shell nproc)
PYTEST = $(PYTHON) -m pytest -p no:cacheprovider -q -n $(TEST_JOBS) tests/e2e
TEST_JOBS ?= 4

PREFIX ?= /usr/local

.PHONY: help run install demo test bench compare lint format asan tsan fuzz build docs clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## build and start the proxy on 127.0.0.1:65001
	@scripts/install_packages.sh build
	@scripts/build.sh release hawkerd hawker
	@exec build/release/hawkerd --config etc/hawker.yaml --welcome

install: ## put hawkerd and hawker into PREFIX/bin; PREFIX is /usr/local
	@scripts/install_packages.sh build
	@scripts/build.sh release hawkerd hawker
	@cmake --install build/release --prefix $(PREFIX)

demo: ## two pulls of one signed file through hawker, without the internet
	@scripts/install_packages.sh build test
	@scripts/build.sh release hawkerd
	@$(PYTHON) scripts/demo.py build/release/hawkerd

build: ## everything, as a release
	@scripts/install_packages.sh build
	@scripts/build.sh release all

test: ## unit tests, then end to end with real clients and servers
	@scripts/install_packages.sh build test
	@scripts/install_clients.sh
	@scripts/build.sh release all
	@ctest --preset release -j $(JOBS)
	@HAWKERD=build/release/hawkerd $(PYTEST)

# A run of some workloads or peers writes nothing unless told where: it would take a whole run's place.
bench: JSON ?= $(if $(ONLY)$(PEERS),,bench/results/$(shell date +%F)$(if $(QUICK),-quick).json)
bench: ## beside nginx, Squid, Traffic Server and Varnish, in one run (QUICK=1 for the short one)
	@scripts/install_packages.sh build bench
	@scripts/build.sh release hawkerd hawker bench_load bench_splice
	@$(PYTHON) bench/run.py --hawkerd build/release/hawkerd $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY)) $(if $(PEERS),--peers $(PEERS)) $(if $(JSON),--json $(JSON))
	@$(if $(ONLY)$(PEERS),,$(PYTHON) bench/report.py $(JSON))

compare: ## instructions of five hot paths against bench/compare/baseline.json (RENEW=1 for a new one)
	@scripts/install_packages.sh build compare
	@scripts/build.sh release hawkerd compare_paths
	@$(PYTHON) bench/compare/compare.py --build build/release $(if $(RENEW),--renew)

lint: ## format, tidy, includes, line budget, coroutine patterns
	@scripts/install_packages.sh build lint
	@scripts/lint.sh

format: ## let clang-format have its way
	@scripts/install_packages.sh lint
	@git ls-files '*.cpp' '*.h' | xargs clang-format-19 -i

asan: ## the same tests under AddressSanitizer and UBSan
	@scripts/sanitize.sh asan

tsan: ## the same tests under ThreadSanitizer
	@scripts/sanitize.sh tsan

fuzz: ## every fuzzer for 30 seconds (SECONDS_EACH=...)
	@scripts/install_packages.sh build lint
	@scripts/fuzz.sh $(SECONDS_EACH)

docs: ## regenerate etc/hawker.yaml and docs/configuration.md from the option table
	@scripts/build.sh release hawkerd
	@scripts/generate_docs.sh build/release/hawkerd

clean: ## forget every build
	@rm -rf build
