#!/bin/sh
# fuzz.sh [SECONDS]: runs every fuzzer that long on its corpus, as many at once as there are cores, always from the same seed. A finding is
# left in build/fuzz/findings, with the line that replays it.
set -eu
seconds=${1:-30}
cd "$(dirname "$0")/.."
scripts/build.sh fuzz fuzzers
rm -rf build/fuzz/findings
mkdir -p build/fuzz/findings build/fuzz/logs

export seconds
if ls build/fuzz/fuzzers/fuzz_* | xargs -P "$(nproc)" -I '{}' sh -c '
    name=$(basename {})
    seeds=tests/fuzz/corpus/${name#fuzz_}
    [ -d "$seeds" ] || { echo "$name has no corpus: $seeds"; exit 1; }
    mkdir -p "build/fuzz/corpus/$name"
    if {} -seed=1 -max_total_time="$seconds" -timeout=5 -rss_limit_mb=2048 -verbosity=0 \
        -artifact_prefix="build/fuzz/findings/$name-" "build/fuzz/corpus/$name" "$seeds" >"build/fuzz/logs/$name.log" 2>&1
    then echo "$name: $seconds s"
    else
        echo "$name: found something"
        grep -v "^INFO" "build/fuzz/logs/$name.log" | tail -n 40
        exit 1
    fi'
then
    exit 0
fi
for finding in build/fuzz/findings/*; do
    [ -e "$finding" ] || continue
    name=$(basename "$finding")
    echo "replay: build/fuzz/fuzzers/${name%%-*} $finding"
done
exit 1
