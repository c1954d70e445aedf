#!/usr/bin/env bash
# The page of a run: one file, well-formed, without scripts, addresses and values of rows.
exec python3 "$(dirname "$0")/../robustness/report.py"
