#!/usr/bin/env bash
# Cases that need a PostgreSQL server (tests/postgres), and connections cut in mid-read.
set -uo pipefail

here="$(dirname "$0")/.."
python3 "$here/robustness/postgres_server.py" "$HEADRACE_BUILD/headrace" test "$here/postgres"
