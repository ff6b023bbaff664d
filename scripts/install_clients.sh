#!/bin/sh
# install_clients.sh [NAME...]: the clients of the end to end tests that Debian does not have, from PyPI, each in an environment
# of its own: tests/e2e/clients/NAME.txt -> build/clients/NAME. Does nothing for one that is there. Without names: all.
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- $(basename -s .txt tests/e2e/clients/*.txt)

for name in "$@"; do
    wanted="tests/e2e/clients/$name.txt"
    place="build/clients/$name"
    cmp -s "$wanted" "$place/installed.txt" && continue
    echo "Installing $(tr '\n' ' ' <"$wanted")"
    rm -rf "$place"
    /usr/bin/python3 -m venv "$place"
    "$place/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$wanted"
    cp "$wanted" "$place/installed.txt"
done
