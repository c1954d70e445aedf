"""The main job, ours beside two peers, interleaved. run.py ROWS ROUNDS
Needs build/bench-venv (bench/run.sh makes it)."""
import json
import os
import resource
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


def measure(command, cwd):
    """Wall seconds, CPU seconds, peak RSS in MB, stdout."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, err = process.communicate()
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert process.returncode == 0, err + out
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, out


def peak(command, cwd):
    """Peak RSS in MB of the process alone."""
    code = ("import resource,subprocess,sys;"
            "subprocess.run(sys.argv[1:],check=True,stdout=subprocess.DEVNULL,stderr=subprocess.DEVNULL);"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss/1024)")
    out = subprocess.run([sys.executable, "-c", code, *command], cwd=cwd, capture_output=True, text=True, check=True)
    return float(out.stdout)


def ours(folder):
    shutil.rmtree(os.path.join(folder, ".headrace"), ignore_errors=True)
    return [os.path.join(BUILD, "headrace"), "run", "--json", "--threads", str(THREADS)]


def main(rows, rounds):
    folder = tempfile.mkdtemp(prefix="headrace-bench-")
    project = os.path.join(folder, "project")
    shutil.copytree(os.path.join(HERE, "project"), project)
    subprocess.run([sys.executable, os.path.join(HERE, "generate.py"), str(rows),
                    os.path.join(project, "data")], check=True)
    data = os.path.join(project, "data")
    pandas = [PYTHON, os.path.join(HERE, "peer_pandas.py"), data, str(THREADS)]
    duckdb = [PYTHON, os.path.join(HERE, "peer_duckdb.py"), data, str(THREADS)]
    results = {"headrace": [], "pandas": [], "duckdb": []}
    for _ in range(rounds):
        wall, cpu, out = measure(ours(project), project)
        events = [json.loads(line) for line in out.splitlines()]
        nodes = {e["node"]: e for e in events if e["event"] == "node_finished"}
        model = next(e for e in events if e["event"] == "model")
        results["headrace"].append((wall, cpu, nodes["bought"]["seconds"], model["metrics"]["roc_auc"]["value"]))
        for name, command in (("pandas", pandas), ("duckdb", duckdb)):
            wall, cpu, out = measure(command, project)
            said = json.loads(out.splitlines()[-1])
            results[name].append((wall, cpu, said["training"], said["auc"]))
    memory = {"headrace": peak(ours(project), project), "pandas": peak(pandas, project),
              "duckdb": peak(duckdb, project)}
    print(f"{rows} rows, {rounds} rounds, {THREADS} threads; medians (min–max)")
    print(f"{'':10} {'wall s':>22} {'CPU s':>8} {'training s':>10} {'rest s':>8} {'peak MB':>8} {'AUC':>8}")
    middle = {}
    for name, values in results.items():
        wall = [v[0] for v in values]
        middle[name] = [statistics.median(v[i] for v in values) for i in range(4)]
        print(f"{name:10} {middle[name][0]:7.2f} ({min(wall):.2f}–{max(wall):.2f}) {middle[name][1]:8.2f} "
              f"{middle[name][2]:10.2f} {middle[name][0] - middle[name][2]:8.2f} {memory[name]:8.0f} {middle[name][3]:8.4f}")
    h, p, d = middle["headrace"], middle["pandas"], middle["duckdb"]
    print(f"against pandas: without training {(h[0] - h[2]) / (p[0] - p[2]):.2f} × (aim 0.5), total "
          f"{h[0] / p[0]:.2f} × (aim 0.9), CPU {h[1] / p[1]:.2f} ×, memory {memory['headrace'] / memory['pandas']:.2f} × (aim 0.5)")
    print(f"against DuckDB + LightGBM by hand: total {h[0] / d[0]:.2f} × (aim 1.25), CPU {h[1] / d[1]:.2f} ×")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
