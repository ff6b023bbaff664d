#!/bin/sh
# fuzz.sh [SECONDS]: runs every fuzzer that long on its corpus; a finding is left in build/fuzz/findings.
set -eu
seconds=${1:-30}
cd "$(dirname "$0")/.."
scripts/build.sh fuzz fuzzers
mkdir -p build/fuzz/findings
for fuzzer in build/fuzz/fuzzers/fuzz_*; do
    name=$(basename "$fuzzer")
    corpus=tests/fuzz/corpus/${name#fuzz_}
    mkdir -p "build/fuzz/corpus/$name"
    seeds=""
    [ -d "$corpus" ] && seeds=$corpus
    echo "$name: $seconds s"
    # shellcheck disable=SC2086
    "$fuzzer" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=2048 -print_final_stats=0 -verbosity=0 \
        -artifact_prefix="build/fuzz/findings/$name-" "build/fuzz/corpus/$name" $seeds
done
