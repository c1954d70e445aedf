#!/usr/bin/env bash
# The JSON Schema in yaml-language-server: it completes and flags project files.
exec python3 "$(dirname "$0")/../robustness/language_server.py"
