"""A graph of N trivial SQL nodes, ours beside dbt with DuckDB on the same nodes. run.py N DBT_N ROUNDS
Needs build/bench-venv (bench/run.sh makes it)."""
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("HEADRACE_BUILD", os.path.join(ROOT, "build"))
HEADRACE = os.path.join(os.path.abspath(BUILD), "headrace")
DBT = os.path.join(ROOT, "build", "bench-venv", "bin", "dbt")


def above(i):
    """Chains and fans: the node that node i reads."""
    return None if i == 0 else i // 2 if i % 3 == 0 else max(0, i - 7)


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def ours(folder, count):
    write(os.path.join(folder, "headrace.yml"), "project: graph\n")
    write(os.path.join(folder, "data", "seed.csv"), "id,value\n" + "".join(f"{i},{i * 3 % 17}\n" for i in range(100)))
    write(os.path.join(folder, "pipeline", "seed.yml"), "source: csv\npath: data/seed.csv\n")
    for i in range(count):
        source = "seed" if above(i) is None else f"n{above(i):04d}"
        write(os.path.join(folder, "pipeline", f"n{i:04d}.sql"),
              f"SELECT id, value + {i} AS value\nFROM {source}\nWHERE id >= 0\n")


def dbt(folder, count):
    write(os.path.join(folder, "dbt_project.yml"),
          "name: bench\nversion: '1.0.0'\nprofile: bench\nmodels: {bench: {+materialized: table}}\n")
    write(os.path.join(folder, "profiles.yml"),
          "bench: {target: dev, outputs: {dev: {type: duckdb, path: graph.duckdb, threads: 2}}}\n")
    write(os.path.join(folder, "seeds", "seed.csv"), "id,value\n" + "".join(f"{i},{i * 3 % 17}\n" for i in range(100)))
    for i in range(count):
        source = "seed" if above(i) is None else f"n{above(i):04d}"
        write(os.path.join(folder, "models", f"n{i:04d}.sql"),
              f"SELECT id, value + {i} AS value\nFROM {{{{ ref('{source}') }}}}\nWHERE id >= 0\n")


def timed(command, cwd):
    start = time.perf_counter()
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True,
                          env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"})
    assert done.returncode == 0, done.stdout + done.stderr
    return time.perf_counter() - start


def line(name, seconds, nodes=None):
    each = f"  {statistics.median(seconds) / nodes * 1000:7.2f} ms a node" if nodes else ""
    print(f"{name:44} {statistics.median(seconds):8.3f} s ({min(seconds):.3f}–{max(seconds):.3f}){each}", flush=True)


def main(count, dbt_count, rounds):
    folder = tempfile.mkdtemp(prefix="headrace-bench-")
    mine, peer = os.path.join(folder, "headrace"), os.path.join(folder, "dbt")
    ours(mine, count)
    times = {name: [] for name in ("cold", "warm", "run", "noop", "dbt_run", "dbt_again", "version")}
    if dbt_count:
        dbt(peer, dbt_count)
        timed([DBT, "seed", "--profiles-dir", "."], peer)
    for _ in range(rounds):
        shutil.rmtree(os.path.join(mine, ".headrace"), ignore_errors=True)
        times["cold"].append(timed([HEADRACE, "lint"], mine))
        times["warm"].append(timed([HEADRACE, "lint"], mine))
        times["run"].append(timed([HEADRACE, "run", "--quiet"], mine))
        times["noop"].append(timed([HEADRACE, "run", "--quiet"], mine))
        if dbt_count:
            shutil.rmtree(os.path.join(peer, "target"), ignore_errors=True)
            times["dbt_run"].append(timed([DBT, "run", "--profiles-dir", "."], peer))
            times["dbt_again"].append(timed([DBT, "run", "--profiles-dir", "."], peer))
    for _ in range(40):
        times["version"].append(timed([HEADRACE, "version"], mine))
    print(f"{count} nodes, {rounds} rounds; medians (min–max)")
    line("headrace lint, nothing remembered", times["cold"])
    line("headrace lint, again", times["warm"])
    line(f"headrace run, {count} nodes", times["run"], count)
    line("headrace run, nothing to do", times["noop"])
    line("headrace version (with the caller's fork)", times["version"])
    if dbt_count:
        line(f"dbt run, {dbt_count} nodes, nothing parsed", times["dbt_run"], dbt_count)
        line(f"dbt run, {dbt_count} nodes, again", times["dbt_again"], dbt_count)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
