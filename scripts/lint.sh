#!/bin/sh
# lint.sh: every check of the code's shape. Says what is wrong and where; nothing is changed.
set -eu
cd "$(dirname "$0")/.."
echo "clang-format"
git ls-files -co --exclude-standard '*.cpp' '*.h' | xargs clang-format-19 --dry-run -Werror
echo "includes"
/usr/bin/python3 scripts/lint_includes.py
echo "line budget"
/usr/bin/python3 scripts/lint_lines.py
echo "coroutine patterns"
/usr/bin/python3 scripts/lint_coroutines.py --self-test
/usr/bin/python3 scripts/lint_coroutines.py
echo "clang-tidy"
# Clang's own view of the tree: GCC's compile commands hold flags that it does not know.
scripts/build.sh lint generated_sources
git ls-files -co --exclude-standard '*.cpp' ':!tests/*' ':!bench/*' |
    xargs -P "$(nproc)" -n 4 clang-tidy-19 -p build/lint --quiet --warnings-as-errors='*' 2>build/lint-tidy.log ||
    { grep -v 'warnings generated' build/lint-tidy.log | tail -n 20 >&2; exit 1; }
