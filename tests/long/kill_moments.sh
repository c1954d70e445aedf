#!/usr/bin/env bash
# Kills at 200 random moments of the whole example.
exec python3 "$(dirname "$0")/../robustness/kills.py" random 200 full
