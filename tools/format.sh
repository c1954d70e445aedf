#!/usr/bin/env bash
# Formats the C++ sources in place; with --check only says which are not formatted.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mode=(-i)
[[ "${1:-}" == --check ]] && mode=(--dry-run --Werror)
folders=()
for folder in src include tests bench; do [[ -d "$folder" ]] && folders+=("$folder"); done
((${#folders[@]})) || exit 0
find "${folders[@]}" \( -name '*.h' -o -name '*.cc' \) -print0 |
  xargs -0 -r -n 40 -P 2 clang-format --style=file "${mode[@]}"
