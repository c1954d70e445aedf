#!/usr/bin/env python3
"""Ingest of CSV and Parquet: run.py BYTES ROUNDS [DLT_ROWS].

Makes a CSV file of about BYTES (twelve columns: numbers, dates, times, texts) and the same rows as
Parquet, and reads both with Headrace, with DuckDB alone (same rows for sniffing, same compression,
same threads and memory) and, on the first DLT_ROWS rows, with dlt into DuckDB. Prints medians of wall
seconds, CPU seconds and peak memory. Each runs in a process of its own, in turn.
"""
import os
import shutil
import statistics
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WORK = os.path.join(ROOT, "build", "bench-ingest")
PYTHON = os.path.join(ROOT, "build", "bench-venv", "bin", "python")
DLT_PYTHON = os.path.join(ROOT, "build", "bench-venv-dlt", "bin", "python")
MEMORY = "1GB"
ROW = """SELECT i AS id, 1000000 + (i * 7919) % 5000000 AS customer_id,
  DATE '2020-01-01' + (i % 2000)::INT AS day,
  TIMESTAMP '2024-01-01' + to_seconds(i % 31536000) AS updated_at,
  round((hash(i) % 1000000) / 100.0, 2) AS amount, (hash(i * 3) % 100) / 7.0 AS score,
  (hash(i * 5) % 12)::INT AS month, hash(i * 11) % 2 = 0 AS active,
  CASE WHEN i % 17 = 0 THEN NULL ELSE 'region-' || (hash(i) % 40) END AS region,
  'product ' || (hash(i * 13) % 5000) AS product, 'note number ' || i || ' of this file' AS note,
  hash(i * 17) % 100000 AS quantity FROM range({rows}) r(i)"""

DUCKDB = """import duckdb, sys
con = duckdb.connect(config={{"threads": 2, "memory_limit": "{memory}",
                              "temp_directory": "{work}/spill"}})
con.execute("COPY (SELECT * FROM {source}) TO '{work}/duckdb.parquet' (FORMAT parquet, "
            "COMPRESSION zstd, COMPRESSION_LEVEL 1)")
"""
DLT = """import dlt, sys
from dlt.sources.filesystem import filesystem, {reader}
reader = (filesystem(bucket_url="file://{work}", file_glob="{file}") | {reader}({options})).with_name("t")
pipeline = dlt.pipeline("bench", destination=dlt.destinations.duckdb("{work}/dlt.duckdb"),
                        dataset_name="d", pipelines_dir="{work}/dlt")
print(pipeline.run(reader, write_disposition="replace"))
"""


def measured(command, cwd=WORK):
    """Wall seconds, CPU seconds and peak MB of a process."""
    env = dict(os.environ, OMP_WAIT_POLICY="passive", RUNTIME__DLTHUB_TELEMETRY="false")
    start = time.time()
    process = subprocess.Popen(command, cwd=cwd, env=env, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE)
    error = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{command}: status {status}\n{error}")
    return time.time() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def headrace(kind, file):
    project = os.path.join(WORK, "project-" + kind)
    shutil.rmtree(project, ignore_errors=True)
    os.makedirs(os.path.join(project, "pipeline"))
    with open(os.path.join(project, "headrace.yml"), "w") as out:
        out.write("project: p\n")
    with open(os.path.join(project, "pipeline", "t.yml"), "w") as out:
        out.write(f"source: {kind}\npath: {file}\n")
    os.link(os.path.join(WORK, file), os.path.join(project, file))
    result = measured([os.path.join(ROOT, "build", "headrace"), "run", "--quiet", "--memory", MEMORY,
                       "--threads", "2"], project)
    shutil.rmtree(project)
    return result


def duckdb(kind, file):
    path = os.path.join(WORK, file)
    source = (f"read_csv('{path}', sample_size = 20480)" if kind == "csv"
              else f"read_parquet('{path}')")
    return measured([PYTHON, "-c", DUCKDB.format(memory=MEMORY, work=WORK, source=source)])


def dlt(kind, file):
    shutil.rmtree(os.path.join(WORK, "dlt"), ignore_errors=True)
    if os.path.exists(os.path.join(WORK, "dlt.duckdb")):
        os.remove(os.path.join(WORK, "dlt.duckdb"))
    # As Arrow tables: with its default, a dict for each row, dlt takes 200 CPU s for 1 M rows.
    reader, options = (("read_csv_duckdb", "use_pyarrow=True, chunk_size=100000") if kind == "csv"
                       else ("read_parquet", "use_pyarrow=True, chunksize=100000"))
    return measured([DLT_PYTHON, "-c",
                     DLT.format(work=WORK, file=file, reader=reader, options=options)])


def make(rows, name):
    if os.path.exists(os.path.join(WORK, name + ".csv")):
        return
    text = ROW.format(rows=rows)
    script = f"""import duckdb
con = duckdb.connect(config={{"threads": 2, "memory_limit": "2GB"}})
con.execute('''COPY ({text}) TO '{WORK}/{name}.parquet' (FORMAT parquet)''')
con.execute('''COPY (SELECT * FROM '{WORK}/{name}.parquet') TO '{WORK}/{name}.csv' (HEADER)''')
"""
    subprocess.run([PYTHON, "-c", script], check=True)


def main():
    size, rounds = int(sys.argv[1]), int(sys.argv[2])
    dlt_rows = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    os.makedirs(WORK, exist_ok=True)
    make(size // 144, "all")
    runs = [(kind, name, tool, "all") for kind in ("csv", "parquet")
            for name, tool in (("headrace", headrace), ("duckdb", duckdb))]
    if dlt_rows > 0:
        make(dlt_rows, "some")
        runs += [(kind, name, tool, "some") for kind in ("csv", "parquet")
                 for name, tool in (("headrace", headrace), ("dlt", dlt))]
    results = {}
    for _ in range(rounds):
        for kind, name, tool, file in runs:
            results.setdefault((kind, name, file), []).append(tool(kind, f"{file}.{kind}"))
    for (kind, name, file), values in results.items():
        bytes_read = os.path.getsize(os.path.join(WORK, f"{file}.{kind}"))
        wall, cpu, peak = (statistics.median(v[n] for v in values) for n in range(3))
        print(f"{file}.{kind} ({bytes_read / 1e6:.0f} MB)  {name:9} wall {wall:7.2f} s  cpu {cpu:7.2f} s"
              f"  peak {peak:6.0f} MB  {bytes_read / 1e6 / wall:6.0f} MB/s", flush=True)


main()
