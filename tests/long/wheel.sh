#!/usr/bin/env bash
# The wheel in a bare virtual environment runs the demo.
exec python3 "$(dirname "$0")/../robustness/wheel.py"
