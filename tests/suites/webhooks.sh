#!/usr/bin/env bash
# Webhooks, kills in between, notifications; make test-long kills 100 times at random.
exec python3 "$(dirname "$0")/../robustness/webhooks.py" 6
