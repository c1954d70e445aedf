#!/usr/bin/env bash
# The unit tests: every *_test.cc of src/ and tests/.
set -uo pipefail

program="$HEADRACE_BUILD/headrace_tests"
[[ -x "$program" ]] || { echo "there are no unit tests"; echo "0 passed, 0 failed"; exit 0; }
results="$TMPDIR/unit.json"
"$program" --gtest_brief=1 --gtest_output="json:$results"
status=$?
python3 - "$results" "$status" <<'PY'
import json, os, sys
path, status = sys.argv[1], int(sys.argv[2])
if not os.path.exists(path):
    print(f"the test program ended early (status {status})\n0 passed, 1 failed")
    sys.exit(1)
result = json.load(open(path))
failed = result["failures"] + result["errors"]
skipped = sum(
    test.get("result") == "SKIPPED" for suite in result["testsuites"] for test in suite["testsuite"]
)
if status and not failed:
    failed = 1
print(f"{result['tests'] - result['disabled'] - skipped - failed} passed, {failed} failed")
sys.exit(failed > 0)
PY
