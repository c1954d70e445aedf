#!/usr/bin/env bash
# Webhooks and 100 kills at random moments.
exec python3 "$(dirname "$0")/../robustness/webhooks.py" 100
