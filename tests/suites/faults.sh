#!/usr/bin/env bash
# Full disks and I/O errors at calls spread over a run; make test-long tries every call.
exec python3 "$(dirname "$0")/../robustness/faults.py" 16
