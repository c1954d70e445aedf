#!/usr/bin/env python3
"""Peak memory of scoring a large table: run.py [ROWS] [MEMORY], e.g. 20000000 1GB.

Makes a project in build/bench-score: ROWS rows of five columns, a LightGBM model trained on 60,000 of
them, and a `predict` node over all rows. First everything but the scores is built, then the scores
under `--memory MEMORY`; both steps print wall and CPU seconds and the peak of the process itself (VmHWM
of /proc/PID/status, asked every 50 ms, so no wrapper counts). Exit 1 when scoring takes more than 1.2 ×
MEMORY.
"""
import os
import shutil
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HEADRACE = os.path.join(ROOT, "build", "headrace")
PROJECT = os.path.join(ROOT, "build", "bench-score")
FILES = {
    "headrace.yml": "project: score\n",
    "pipeline/people.sql": """SELECT i AS id, (hash(i) % 1000) / 10.0 AS x, (hash(i * 3) % 500)::INT AS y,
  'plan ' || (hash(i * 5) % 7) AS plan, (hash(i * 7) % 2000) / 3.0 AS z,
  (hash(i) % 1000) / 10.0 + (hash(i * 11) % 60) > 80 AS churned
FROM range({rows}) r(i)
""",
    "pipeline/known.sql": "SELECT * FROM people WHERE id % ({rows} // 60000) = 0\n",
    "pipeline/churn.yml": """model: classification
from: known
target: churned
key: id
learners: [lightgbm]
budget: {{trials: 1}}
""",
    "pipeline/scores.yml": "predict: churn\nfrom: people\nkeep: [id]\n",
}


def measured(command):
    """Wall seconds, CPU seconds and the process's own peak in MB."""
    peak = [0]

    def watch(pid):
        while True:
            try:
                with open(f"/proc/{pid}/status") as status:
                    for line in status:
                        if line.startswith("VmHWM:"):
                            peak[0] = max(peak[0], int(line.split()[1]))
            except OSError:
                return
            if done.wait(0.05):
                return

    done = threading.Event()
    begin = time.time()
    process = subprocess.Popen(command, cwd=PROJECT)
    watcher = threading.Thread(target=watch, args=(process.pid,))
    watcher.start()
    _, status, usage = os.wait4(process.pid, 0)
    done.set()
    watcher.join()
    if status != 0:
        sys.exit(f"{command}: status {status}")
    return time.time() - begin, usage.ru_utime + usage.ru_stime, peak[0] / 1024


def megabytes(text):
    units = {"GB": 1000, "GiB": 1024, "MB": 1, "MiB": 1}
    unit = next(u for u in units if text.endswith(u))
    return float(text[:-len(unit)]) * units[unit] * (1 if "i" in unit else 1e6 / 2**20)


def main():
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000_000
    memory = sys.argv[2] if len(sys.argv) > 2 else "1GB"
    shutil.rmtree(PROJECT, ignore_errors=True)
    for name, text in FILES.items():
        path = os.path.join(PROJECT, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text.format(rows=rows))
    worst = 0
    for what, nodes in (("rows and model", ["churn", "+churn"]), ("scores", ["scores"])):
        wall, cpu, peak = measured([HEADRACE, "run", *nodes, "--quiet", "--memory", memory])
        print(f"{what:15} wall {wall:7.1f} s  cpu {cpu:7.1f} s  VmHWM {peak:6.0f} MB", flush=True)
        worst = peak
    limit = 1.2 * megabytes(memory)
    print(f"{rows:,} rows scored under {memory}: {worst:.0f} MB, aim at most {limit:.0f} MB")
    sys.exit(0 if worst <= limit else 1)


if __name__ == "__main__":
    main()
