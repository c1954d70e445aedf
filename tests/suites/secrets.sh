#!/usr/bin/env bash
# Secrets in settings, environment and error texts of others.
exec python3 "$(dirname "$0")/../robustness/secrets.py"
