#!/usr/bin/env bash
# 100 seeded trials: a worse challenger never becomes champion, a clearly better one always does.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$(HEADRACE_TRIALS=100 "${HEADRACE_BUILD:-build}/headrace_tests" --gtest_filter='Challenger.*' 2>&1) || true
echo "$out"
# The trials count, not the test functions that hold them.
passed=$(grep -c '^\[       OK \]' <<<"$out" || true)
failed=$(grep -c '^\[  FAILED  \].*ms)$' <<<"$out" || true)
echo "$passed passed, $failed failed"
((failed == 0 && passed > 0))
