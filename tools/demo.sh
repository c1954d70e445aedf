#!/usr/bin/env bash
# The churn example, from nothing to predictions: a fresh project in build/demo, one run, and what
# came out of it in a few lines.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '\n== %s\n' "$*"; }
demo=build/demo
program="$PWD/build/headrace"

rm -rf "$demo"
say "headrace init --example churn $demo"
"$program" init --quiet --example churn "$demo"
cd "$demo"
say "headrace plan"
"$program" plan
say "headrace run"
status=0
"$program" run || status=$?
((status == 0)) || { echo "the run failed (exit code $status); see above" >&2; exit "$status"; }

say "headrace run, again: nothing changed, so there is nothing to do"
"$program" run

say "What you have now"
"$program" model show churn --json | python3 -c '
import json, sys
model = json.loads(sys.stdin.readline())
report = model["report"]
auc, base = model["metrics"]["roc_auc"], report["baseline"]["roc_auc"]
print(f"""A model that tells customers who leave from those who stay: version {model["version"]}, {model["status"]}.
  AUC {auc["value"]:.3f} (95 % from {auc["low"]:.3f} to {auc["high"]:.3f}); the baseline, no model at all: {base:.3f}""")
for gate in report["gates"]:
    print("  gate " + gate["message"])'
echo "Scores of today's customers in the table 'scores'; the five most likely to leave:"
"$program" query --format table \
  "SELECT customer_id, contract, tenure, round(probability, 3) AS probability
   FROM scores ORDER BY probability DESC, customer_id LIMIT 5"
cat <<TEXT
All scores as a file: $demo/out/scores.csv; tables as Parquet, models and runs: $demo/.headrace
The action 'calls' was only rehearsed: nothing is sent but by the target prod.

Type next:
  cd $demo && export PATH="$(dirname "$program"):\$PATH"
  headrace model show churn                # card, leaderboard, gates
  headrace query "FROM scores LIMIT 5"     # any SELECT over any table
  headrace run --target prod               # the same in prod, with its own tables; it sends
TEXT
