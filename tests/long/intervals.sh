#!/usr/bin/env bash
# 1,000 rounds of random edits to random projects: incremental = full rebuild.
exec python3 "$(dirname "$0")/../robustness/intervals.py" 1000
