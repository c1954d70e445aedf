"""Reading one PostgreSQL table to Parquet: `source: postgres` beside DuckDB's own postgres extension
and beside `psql COPY … TO STDOUT (FORMAT csv)` piped into DuckDB. The server is a real one on this
machine and shares its cores with whoever reads.

    postgres.py ROWS REPEATS [MEMORY]     e.g. 10000000 3 1GB

Headrace's time has all of it: start, types, digest, profile, the synced commit. The peers only write a
Parquet file (same codec, level and row groups). Needs duckdb and duckdb-extension-postgres-scanner
of the same version (bench/run.sh installs them).
"""
import glob
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "robustness"))
from postgres_server import Server  # noqa: E402

HEADRACE = os.path.join(ROOT, "build", "headrace")
PARQUET = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE 122880"
TABLE = """CREATE TABLE usage (id bigint PRIMARY KEY, customer int NOT NULL, day date, at timestamptz,
  minutes double precision, amount numeric(12,2), plan text, note text);
INSERT INTO usage SELECT n, (n * 7919) % 100000, date '2024-01-01' + (n % 365)::int,
  timestamptz '2024-01-01' + n * interval '3 seconds', (n * 31 % 10007) / 7.0, (n * 17 % 100000) / 100.0,
  (ARRAY['basic', 'plus', 'family', NULL])[1 + n % 4], 'call ' || md5((n / 10)::text)
  FROM generate_series(1, {rows}::bigint) n;
VACUUM (FREEZE, ANALYZE) usage;"""

EXTENSION = """
import duckdb, sys, glob, os
uri, out, memory, extension, parquet = sys.argv[1:]
con = duckdb.connect(config={"threads": "2", "memory_limit": memory})
con.execute(f"LOAD '{extension}'")
con.execute(f"ATTACH '{uri}' AS pg (TYPE postgres, READ_ONLY)")
con.execute(f"COPY (SELECT * FROM pg.public.usage) TO '{out}' ({parquet})")
"""
PIPE = """
import duckdb, sys
out, memory, parquet = sys.argv[1:]
con = duckdb.connect(config={"threads": "2", "memory_limit": memory})
con.execute(f\"\"\"COPY (SELECT * FROM read_csv('/dev/stdin', header=false, columns={{'id': 'BIGINT',
  'customer': 'INTEGER', 'day': 'DATE', 'at': 'TIMESTAMPTZ', 'minutes': 'DOUBLE', 'amount': 'DECIMAL(12,2)',
  'plan': 'VARCHAR', 'note': 'VARCHAR'}})) TO '{out}' ({parquet})\"\"\")
"""


def measure(command, **more):
    """Wall seconds, CPU seconds and peak MB of the process that reads."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **more)
    error = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{command[:2]} failed:\n{error}")
    return time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    rows, repeats = int(sys.argv[1]), int(sys.argv[2])
    memory = sys.argv[3] if len(sys.argv) > 3 else "1GB"
    folder = tempfile.mkdtemp(prefix="headrace-bench-")
    python = os.path.join(ROOT, "build", "bench-venv", "bin", "python3")
    found = glob.glob(os.path.join(ROOT, "build", "bench-venv", "lib", "*", "site-packages",
                                   "duckdb_extension_postgres_scanner", "extensions", "*",
                                   "postgres_scanner.duckdb_extension"))
    with Server(shared_buffers="512MB", max_wal_size="8GB") as server:
        server.sql(TABLE.format(rows=rows))
        uri = server.uri()
        project = os.path.join(folder, "project")
        os.makedirs(os.path.join(project, "pipeline"))
        with open(os.path.join(project, "headrace.yml"), "w") as file:
            file.write('project: bench\nconnections: {pg: {type: postgres, uri: "${PG_URI}"}}\n')
        with open(os.path.join(project, "pipeline", "usage.yml"), "w") as file:
            file.write("source: postgres\nconnection: pg\ntable: usage\n")

        def headrace():
            shutil.rmtree(os.path.join(project, ".headrace"), ignore_errors=True)
            return measure([HEADRACE, "run", "--quiet", "--threads", "2", "--memory", memory],
                           cwd=project, env=dict(os.environ, PG_URI=uri))

        def extension():
            return measure([python, "-c", EXTENSION, uri, os.path.join(folder, "e.parquet"), memory,
                            found[0], PARQUET])

        def pipe():
            copy = subprocess.Popen(["psql", "-X", "-q", "-c", "SET TimeZone = 'UTC'", "-c",
                                     "COPY usage TO STDOUT (FORMAT csv)", uri], stdout=subprocess.PIPE)
            try:
                return measure([python, "-c", PIPE, os.path.join(folder, "p.parquet"), memory, PARQUET],
                               stdin=copy.stdout)
            finally:
                copy.stdout.close()
                copy.wait()

        ways = {"headrace": headrace, "psql COPY csv | DuckDB": pipe}
        if found:
            ways["DuckDB's postgres extension"] = extension
        else:
            print("DuckDB's postgres extension is not installed: only the pipe stands beside", file=sys.stderr)
        seen = {name: [] for name in ways}
        for _ in range(repeats):
            for name, way in ways.items():
                seen[name].append(way())
        print(f"{rows:,} rows, memory {memory}, medians of {repeats} (min–max)\n")
        print("| | wall s | CPU s | rows/s | peak MB |\n|---|---|---|---|---|")
        middle = {}
        for name, results in seen.items():
            wall = [r[0] for r in results]
            middle[name] = statistics.median(wall)
            print(f"| {name} | {middle[name]:.2f} ({min(wall):.2f}–{max(wall):.2f}) | "
                  f"{statistics.median(r[1] for r in results):.2f} | {rows / middle[name]:,.0f} | "
                  f"{max(r[2] for r in results):,.0f} |")
        for name in list(ways)[1:]:
            print(f"\nspeed beside {name}: {middle[name] / middle['headrace']:.2f} ×", end="")
        print()
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
