#!/usr/bin/env bash
# Formats the C++ sources in place; with --check only names those that are not formatted.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folders=()
for folder in src include tests bench; do [[ -d "$folder" ]] && folders+=("$folder"); done
sources() { find "${folders[@]}" \( -name '*.h' -o -name '*.cc' \) -print0; }

if [[ "${1:-}" != --check ]]; then
  sources | xargs -0 -r -n 40 -P 2 clang-format --style=file -i
  exit 0
fi
unformatted=$(sources | xargs -0 -r -n 40 clang-format --style=file --dry-run 2>&1 |
  sed -n 's/:[0-9]*:[0-9]*: warning: code should be clang-formatted.*//p' | sort -u)
[[ -z "$unformatted" ]] || { echo "$unformatted"; echo "run: make format"; exit 1; }
