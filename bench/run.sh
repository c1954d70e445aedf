#!/usr/bin/env bash
# The benchmarks beside their peers: run.sh [graph|main_job|incremental|checks|ingest|ingest_postgres|score]. Needs a built checkout (make); peers are
# installed by package name into build/bench-venv.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
venv=build/bench-venv
if [[ ! -x $venv/bin/dbt ]]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install -q pandas==2.3.3 scikit-learn==1.7.2 lightgbm==4.7.0 duckdb==1.5.5 pyarrow==26.0.1 \
    dbt-core==1.10.15 dbt-duckdb==1.10.0
fi
for what in "${@:-graph main_job incremental}"; do
  for one in $what; do
    case $one in
      graph) python3 bench/graph/run.py 1000 100 3 ;;
      incremental) python3 bench/incremental/run.py 60 5000 5 ;;
      ingest_postgres)
        "$venv/bin/pip" install -q duckdb-extension-postgres-scanner==1.5.5
        python3 bench/ingest/postgres.py 10000000 3 1GB ;;
      score) python3 bench/score/run.py 20000000 1GB ;;
      main_job) python3 bench/main_job/run.py 1000000 3 ;;
      checks)
        "$venv/bin/python" -c "import great_expectations" 2>/dev/null || "$venv/bin/pip" install -q great_expectations==1.24.1
        python3 bench/checks/run.py 20000000 2000000 3
        ;;
      ingest)
        dlt=build/bench-venv-dlt  # of its own: it wants other versions than dbt
        [[ -x $dlt/bin/dlt ]] || { python3 -m venv "$dlt"; "$dlt/bin/pip" install -q dlt==1.18.2 duckdb==1.5.5 pyarrow==26.0.1; }
        python3 bench/ingest/run.py 2000000000 3 2000000
        ;;
      *) echo "there is no bench '$one'" >&2; exit 2 ;;
    esac
  done
done
