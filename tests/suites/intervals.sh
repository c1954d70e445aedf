#!/usr/bin/env bash
# Random edits to random projects: incremental = full rebuild; make test-long does 1,000.
exec python3 "$(dirname "$0")/../robustness/intervals.py" 20 20240131
