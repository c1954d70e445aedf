#!/usr/bin/env bash
# Full disks and I/O errors at every writing call.
exec python3 "$(dirname "$0")/../robustness/faults.py" 0
