#!/usr/bin/env bash
# Every command line of docs/guide, with what it prints.
exec python3 tools/guide.py
