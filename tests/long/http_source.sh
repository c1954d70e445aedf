#!/usr/bin/env bash
# A HTTP API that misbehaves at random, 200 rounds.
exec python3 "$(dirname "$0")/../robustness/http_source.py" 200
