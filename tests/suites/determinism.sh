#!/usr/bin/env bash
# Byte-equal snapshots, models and scores; make test-long takes 2,000,000 rows and five runs.
exec python3 "$(dirname "$0")/../robustness/determinism.py" 200000 2
