#!/usr/bin/env bash
# Runs the test suites against build/ and adds them up: test.sh [--long] [SUITE…].
#
# A suite is an executable that prints "N passed, N failed" as its last line: tests/suites/*.sh
# (fast) and tests/long/*.sh (with --long). It runs in the project's root, finds the build in
# $HEADRACE_BUILD and may write to $TMPDIR, which is its own and goes away. Naming suites (the file
# name without .sh) runs only these.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

shopt -s nullglob
suites=(tests/suites/*.sh)
if [[ "${1:-}" == --long ]]; then
  shift
  suites+=(tests/long/*.sh)
fi
export HEADRACE_BUILD="${HEADRACE_BUILD:-$PWD/build}"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/headrace-test.XXXXXX")
chmod 711 "$scratch" # servers of the tests run as another user
trap 'rm -rf "$scratch"' EXIT

passed=0
failed=0
failures="" # what the failed suites said, once more at the end, where one looks first
for suite in "${suites[@]}"; do
  name=$(basename "$suite" .sh)
  if (($#)) && [[ " $* " != *" $name "* ]]; then continue; fi
  start=$SECONDS
  mkdir -p "$scratch/$name"
  TMPDIR="$scratch/$name" "$suite" 2>&1 | tee "$scratch/$name.log"
  status=${PIPESTATUS[0]}
  last=$(tail -n 1 "$scratch/$name.log")
  if [[ "$last" =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    ok=${BASH_REMATCH[1]} bad=${BASH_REMATCH[2]}
    # A suite that fails must not be able to look like one that passes.
    ((status == 0 || bad > 0)) || bad=1
  else
    echo "$suite: no summary, exit status $status"
    ok=0 bad=1
  fi
  echo "== $name: $ok passed, $bad failed ($((SECONDS - start)) s)"
  ((passed += ok, failed += bad))
  ((bad == 0)) ||
    failures+="== what failed in $name:"$'\n'"$(grep -v '^ok ' "$scratch/$name.log" | tail -n 40)"$'\n'
done
printf '%s' "$failures"
echo "$passed passed, $failed failed"
((failed == 0 && passed > 0))
