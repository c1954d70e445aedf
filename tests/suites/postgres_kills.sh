#!/usr/bin/env bash
# Kills with PostgreSQL as source and sink; make test-long does 200 rounds of each kind.
exec python3 "$(dirname "$0")/../robustness/postgres_kills.py" all 4
