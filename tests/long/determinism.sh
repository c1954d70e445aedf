#!/usr/bin/env bash
# Byte-equal snapshots, models and scores on 2,000,000 rows.
exec python3 "$(dirname "$0")/../robustness/determinism.py" 2000000 5
