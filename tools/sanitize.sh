#!/usr/bin/env bash
# Runs the unit tests of build-asan or build-tsan: sanitize.sh asan|tsan [gtest arguments].
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

kind=$1
shift
[[ -x "build-$kind/headrace_tests" ]] || { echo "there are no unit tests"; exit 0; }
# Instrumented frames are several times as large: a depth that fits the ordinary stack must not overflow.
ulimit -s 131072 2>/dev/null || true
export UBSAN_OPTIONS="print_stacktrace=1"
# Ready-made libraries (DuckDB, the learners) are not instrumented: what they keep to the end of
# the process, and locks that only they see, is not ours to report.
export LSAN_OPTIONS="suppressions=$PWD/tools/lsan.supp:print_suppressions=0"
export TSAN_OPTIONS="suppressions=$PWD/tools/tsan.supp:second_deadlock_stack=1"
"build-$kind/headrace_tests" "$@"
