#!/usr/bin/env bash
# Two runs of one target, stopped runs.
exec python3 "$(dirname "$0")/../robustness/leases.py"
