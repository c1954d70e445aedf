#!/usr/bin/env bash
# Kills with PostgreSQL as source and sink; make test-long does 200 rounds of each kind.
set -uo pipefail

script="$(dirname "$0")/../robustness/postgres_kills.py"
passed=0 failed=0
for what in "points" "random 4" "server 4"; do
  # shellcheck disable=SC2086
  text=$(python3 "$script" $what)
  echo "$text"
  read -r p _ f _ < <(tail -1 <<<"$text")
  if [[ "$p" =~ ^[0-9]+$ && "$f" =~ ^[0-9]+$ ]]; then
    passed=$((passed + p)) failed=$((failed + f))
  else
    failed=$((failed + 1))
  fi
done
echo "$passed passed, $failed failed"
((failed == 0))
