#!/usr/bin/env bash
# Kills at every crash point.
exec python3 "$(dirname "$0")/../robustness/kills.py" points
