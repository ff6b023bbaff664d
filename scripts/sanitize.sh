#!/bin/sh
# sanitize.sh asan|tsan: builds with the sanitizer and runs the unit tests and the end-to-end tests that are not heavy
# and do not take a long road through somebody else's client.
set -eu
preset=$1
cd "$(dirname "$0")/.."
scripts/install_packages.sh build test
scripts/install_clients.sh
scripts/build.sh "$preset" all
export ASAN_OPTIONS="detect_leaks=1:strict_string_checks=1:abort_on_error=1"
export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1"
export TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1:suppressions=$PWD/tests/tsan.supp"
ctest --preset "$preset" -j "$(nproc)"
HAWKERD="build/$preset/hawkerd" HAWKER_TEST_PATIENCE=4 /usr/bin/python3 -m pytest -p no:cacheprovider -q -n 3 -m "not heavy and not clients" tests/e2e
