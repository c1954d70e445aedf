#!/usr/bin/env bash
# The cases (project + command + expected output), run by the shipped binary's own `test`.
set -uo pipefail

[[ -d tests/cases && -x "$HEADRACE_BUILD/headrace" ]] || { echo "0 passed, 0 failed"; exit 0; }
"$HEADRACE_BUILD/headrace" test tests/cases
