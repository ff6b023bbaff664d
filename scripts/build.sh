#!/bin/sh
# build.sh PRESET TARGET...: configures once, then builds. Quiet unless something is wrong.
set -eu
preset=$1
shift
cd "$(dirname "$0")/.."
log="build/$preset.log"
mkdir -p build
# Five presets compile nearly the same files; where ccache is, a second tree or a branch that comes back costs little.
! command -v ccache >/dev/null || export CMAKE_CXX_COMPILER_LAUNCHER="${CMAKE_CXX_COMPILER_LAUNCHER-ccache}"
echo "Building $* ($preset) ..."
if ! { [ -f "build/$preset/build.ninja" ] || cmake --preset "$preset"; } >"$log" 2>&1 ||
    ! cmake --build --preset "$preset" --target "$@" >>"$log" 2>&1; then
    tail -n 60 "$log" >&2
    echo "The build failed; the whole log is in $log" >&2
    exit 1
fi
