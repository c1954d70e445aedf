#!/usr/bin/env bash
exec python3 "$(dirname "$0")/../robustness/quarantine.py" 200
