#!/usr/bin/env bash
# Everything that can be said of the sources without running them.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

failed=0
check() { # name command…
  local name=$1
  shift
  if "$@"; then echo "lint: $name ok"; else echo "lint: $name FAILED"; failed=1; fi
}
check "format" tools/format.sh --check
check "includes" python3 tools/check_includes.py
check "headers alone" tools/check_headers.sh
exit $failed
