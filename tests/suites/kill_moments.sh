#!/usr/bin/env bash
# Kills at random moments; make test-long does 200.
exec python3 "$(dirname "$0")/../robustness/kills.py" random 20
