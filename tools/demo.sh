#!/usr/bin/env bash
# The churn example, from nothing to predictions.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

rm -rf build/demo
build/headrace init --example churn build/demo
cd build/demo
exec ../headrace run
