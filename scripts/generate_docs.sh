#!/bin/sh
# generate_docs.sh HAWKERD: writes etc/hawker.yaml and docs/configuration.md from the option table that the binary carries.
set -eu
hawkerd=$1
cd "$(dirname "$0")/.."
"$hawkerd" --print-default-config >etc/hawker.yaml.new
mv etc/hawker.yaml.new etc/hawker.yaml
"$hawkerd" --print-options-markdown >docs/configuration.md.new
mv docs/configuration.md.new docs/configuration.md
