#!/bin/sh
# install_clients.sh [NAME...]: the clients of the end to end tests that Debian does not have, each in a place of its own, build/clients/NAME:
# from PyPI what tests/e2e/clients/NAME.txt pins, from npm what NAME.package.json pins. Does nothing for one that is there. Without names: all.
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- $(cd tests/e2e/clients && ls | sed -n 's/\.package\.json$//p; s/\.txt$//p')

for name in "$@"; do
    place="build/clients/$name"
    wanted="tests/e2e/clients/$name.txt"
    [ -e "$wanted" ] || wanted="tests/e2e/clients/$name.package.json"
    cmp -s "$wanted" "$place/installed.txt" && continue
    echo "Installing $(tr -s '\n ' ' ' <"$wanted")"
    case "$wanted" in *.package.json) command -v npm >/dev/null || { echo "No npm here: the tests with $name are skipped."; continue; } ;; esac
    rm -rf "$place"
    case "$wanted" in
        *.txt)
            /usr/bin/python3 -m venv "$place"
            "$place/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$wanted" ;;
        *)
            mkdir -p "$place"
            cp "$wanted" "$place/package.json"
            (cd "$place" && npm install --silent --no-audit --no-fund --ignore-scripts) ;;
    esac
    cp "$wanted" "$place/installed.txt"
done
