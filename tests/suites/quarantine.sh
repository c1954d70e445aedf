#!/usr/bin/env bash
# What stands aside after random histories equals a full build.
exec python3 "$(dirname "$0")/../robustness/quarantine.py" 5
