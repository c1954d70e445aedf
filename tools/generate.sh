#!/usr/bin/env bash
# Writes everything that is made from the code and checked in: docs/reference/ and docs/schema/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

program="${HEADRACE_BUILD:-build}/headrace"
[[ -x "$program" ]] || { echo "generate: no $program; build first: make" >&2; exit 1; }
for what in reference schema; do
  rm -rf "docs/$what"
  "$program" "$what" --quiet --output "docs/$what"
done
