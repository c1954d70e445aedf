#!/usr/bin/env bash
# A HTTP API that misbehaves; make test-long does 200 rounds.
exec python3 "$(dirname "$0")/../robustness/http_source.py" 8
