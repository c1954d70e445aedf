#!/usr/bin/env bash
# 100 seeded trials: a worse challenger never becomes champion, a clearly better one always does.
set -euo pipefail
HEADRACE_TRIALS=100 "$(dirname "$0")/../../build/test_learn" --gtest_filter='Challenger.*' --gtest_brief=1
