#!/bin/sh
# install_packages.sh GROUP...: installs the Debian packages of the groups that are missing; does nothing when none is.
# As root, or through sudo.
set -eu

build="g++ cmake ninja-build pkg-config libevent-dev libssl-dev libcurl4-openssl-dev libre2-dev liblmdb-dev libspdlog-dev
libfmt-dev libgtest-dev libgmock-dev libboost-dev libflatbuffers-dev flatbuffers-compiler libxxhash-dev libyaml-cpp-dev
libcrypt-dev libcli11-dev nlohmann-json3-dev prometheus-cpp-dev libsystemd-dev libmimalloc-dev"
test="ccache git git-lfs curl wget nginx aria2 openssl ca-certificates procps util-linux python3 python3-pytest python3-pytest-xdist
python3-requests python3-venv python3-yaml systemd docker-registry skopeo"
bench="nginx squid-openssl trafficserver varnish iproute2 procps util-linux python3"
compare="valgrind python3"
lint="clang-19 clang-tidy-19 clang-format-19 libclang-rt-19-dev libhttp-parser-dev python3"

# With another node than Debian's comes an npm of its own.
command -v npm >/dev/null || test="$test nodejs npm"

wanted=""
for group in "$@"; do
    case "$group" in
        build) wanted="$wanted $build" ;;
        test) wanted="$wanted $test" ;;
        bench) wanted="$wanted $bench" ;;
        compare) wanted="$wanted $compare" ;;
        lint) wanted="$wanted $lint" ;;
        *) echo "install_packages.sh: no group '$group' (build, test, bench, compare, lint)" >&2; exit 2 ;;
    esac
done

missing=""
for package in $wanted; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "hawker builds on Debian 12 or its relatives; elsewhere install the equivalents of:$missing" >&2
    exit 1
fi
if [ "$(id -u)" -eq 0 ]; then
    as_root=""
elif command -v sudo >/dev/null; then
    as_root="sudo"
else
    echo "As root, run: apt-get install -y$missing" >&2
    exit 1
fi
echo "Installing:$missing"
$as_root apt-get update -q
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
