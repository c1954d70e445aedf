"""20 checks on stored rows, beside one hand-written DuckDB aggregate scan of the same files, and
beside Great Expectations on fewer rows; interleaved. run.py ROWS GX_ROWS ROUNDS
Needs build/bench-venv (bench/run.sh makes it)."""
import glob
import json
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
PYTHON = os.path.join(ROOT, "build", "bench-venv", "bin", "python")
THREADS = 2


def call(command, cwd):
    start = time.perf_counter()
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + done.stdout
    return time.perf_counter() - start, done.stdout


def project(folder, rows):
    root = os.path.join(folder, str(rows))
    shutil.copytree(os.path.join(HERE, "project"), root)
    path = os.path.join(root, "pipeline", "events.sql")
    with open(path) as file:
        text = file.read()
    with open(path, "w") as file:
        file.write(text.replace("range(ROWS)", f"range({rows})"))
    call([os.path.join(BUILD, "headrace"), "run", "--threads", str(THREADS)], root)
    return root, sorted(glob.glob(os.path.join(root, ".headrace/dev/tables/events/*/*.parquet")))


def ours(root, round):
    """The checks alone, on rows that are there: each round another text of the same rules."""
    with open(os.path.join(HERE, "checks.yml")) as file:
        text = file.read().replace("rows: {min: 1}", f"rows: {{min: {round + 1}}}")
    with open(os.path.join(root, "pipeline", "events.yml"), "w") as file:
        file.write(text)
    wall, out = call([os.path.join(BUILD, "headrace"), "run", "--json", "--threads", str(THREADS)], root)
    events = [json.loads(line) for line in out.splitlines()]
    node = next(e for e in events if e["event"] == "node_finished")
    verdicts = [e for e in events if e["event"] == "check"]
    assert node["action"] == "check" and len(verdicts) == 20, node
    return wall, node["seconds"]


def line(name, values, note=""):
    print(f"{name:44} {statistics.median(values):8.2f} ({min(values):.2f}–{max(values):.2f}) {note}")


def main(rows, gx_rows, rounds):
    folder = tempfile.mkdtemp(prefix="headrace-bench-")
    big, big_files = project(folder, rows)
    small, small_files = project(folder, gx_rows)
    seen = {name: [] for name in ("wall", "node", "duckdb", "small", "small node", "gx", "gx load")}
    for round in range(rounds):
        wall, node = ours(big, round)
        seen["wall"].append(wall)
        seen["node"].append(node)
        _, out = call([PYTHON, os.path.join(HERE, "peer_duckdb.py"), json.dumps(big_files), str(THREADS)], big)
        seen["duckdb"].append(json.loads(out)["seconds"])
        wall, node = ours(small, round)
        seen["small"].append(wall)
        seen["small node"].append(node)
        _, out = call([PYTHON, os.path.join(HERE, "peer_gx.py"), json.dumps(small_files)], small)
        said = json.loads(out.splitlines()[-1])
        assert said["passed"], said
        seen["gx"].append(said["seconds"])
        seen["gx load"].append(said["load"])
    print(f"20 checks, {THREADS} threads, {rounds} rounds; medians of seconds (min–max)")
    line(f"headrace, {rows} rows: the node", seen["node"])
    line(f"headrace, {rows} rows: the whole command", seen["wall"])
    line(f"DuckDB, {rows} rows: one aggregate scan", seen["duckdb"])
    line(f"headrace, {gx_rows} rows: the whole command", seen["small"])
    line(f"Great Expectations, {gx_rows} rows: validate", seen["gx"], "19 rules")
    line(f"Great Expectations, {gx_rows} rows: load", seen["gx load"])
    middle = {name: statistics.median(values) for name, values in seen.items()}
    print(f"against one scan: {middle['node'] / middle['duckdb']:.2f} × (aim 1.3); "
          f"Great Expectations takes {middle['gx'] / middle['small']:.1f} × as long as our command")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
