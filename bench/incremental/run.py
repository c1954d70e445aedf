"""A day's rows appended to a table that is kept by the day, ours beside dbt with DuckDB in the same
run. run.py DAYS ROWS_A_DAY ROUNDS. Needs build/bench-venv (bench/run.sh makes it).

dbt gets its best case: its models are told which day came (--vars), read that file alone and
replace that day alone. Ours finds out by itself. Both must end with the same rows. Then a late row
for the first day, which only ours follows."""
import datetime
import os
import random
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
VENV = os.path.join(ROOT, "build", "bench-venv", "bin")
FIRST = datetime.date(2024, 1, 1)


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def rows_of(day, count):
    rng = random.Random(day.toordinal())
    return "ts,k,v\n" + "".join(
        f"{day} {i * 86400 // count // 3600:02d}:{i * 86400 // count // 60 % 60:02d}:00,k{rng.randrange(200)},"
        f"{rng.randrange(1000)}\n" for i in range(count))


def ours(folder):
    write(os.path.join(folder, "headrace.yml"), "project: days\n")
    write(os.path.join(folder, "pipeline", "events.yml"), "source: csv\npath: data/*.csv\ntime: ts\n")
    write(os.path.join(folder, "pipeline", "daily.sql"),
          "SELECT CAST(ts AS DATE) AS day, k, count(*) AS n, sum(v) AS v FROM events GROUP BY ALL\n")
    write(os.path.join(folder, "pipeline", "daily.yml"),
          f"materialize: incremental\ntime: day\nevery: 1 day\nstart: {FIRST}\nbatch: 1000\n")


def dbt(folder):
    write(os.path.join(folder, "dbt_project.yml"), "name: bench\nversion: '1.0.0'\nprofile: bench\n")
    write(os.path.join(folder, "profiles.yml"),
          "bench: {target: dev, outputs: {dev: {type: duckdb, path: days.duckdb, threads: 2}}}\n")
    one = "{% if is_incremental() %}{{ var('day') }}{% else %}*{% endif %}"
    write(os.path.join(folder, "models", "events.sql"),
          "{{ config(materialized='incremental', incremental_strategy='append') }}\n"
          f"SELECT * FROM read_csv('data/{one}.csv', columns={{'ts': 'TIMESTAMP', 'k': 'VARCHAR', 'v': 'BIGINT'}})\n")
    write(os.path.join(folder, "models", "daily.sql"),
          "{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='day') }}\n"
          "SELECT CAST(ts AS DATE) AS day, k, count(*) AS n, sum(v) AS v FROM {{ ref('events') }}\n"
          "{% if is_incremental() %}WHERE ts >= DATE '{{ var('day') }}'{% endif %} GROUP BY ALL\n")


def timed(command, cwd):
    start = time.perf_counter()
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True,
                          env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"})
    assert done.returncode == 0, done.stdout + done.stderr
    return time.perf_counter() - start


def line(name, seconds):
    print(f"{name:44} {statistics.median(seconds):8.3f} s ({min(seconds):.3f}–{max(seconds):.3f})", flush=True)


def main(days, rows, rounds):
    folder = tempfile.mkdtemp(prefix="headrace-bench-")
    mine, peer = os.path.join(folder, "headrace"), os.path.join(folder, "dbt")
    ours(mine)
    dbt(peer)
    run_dbt = lambda day: [os.path.join(VENV, "dbt"), "run", "--profiles-dir", ".", "--vars", f"{{day: '{day}'}}"]
    for n in range(days):
        day = FIRST + datetime.timedelta(days=n)
        for root in (mine, peer):
            write(os.path.join(root, "data", f"{day}.csv"), rows_of(day, rows))
    line(f"headrace run, {days} days of {rows} rows", [timed([HEADRACE, "run", "--quiet"], mine)])
    line("dbt run, the same", [timed(run_dbt(FIRST), peer)])
    times = {"ours": [], "dbt": [], "none": []}
    for n in range(rounds):
        day = FIRST + datetime.timedelta(days=days + n)
        for root in (mine, peer):
            write(os.path.join(root, "data", f"{day}.csv"), rows_of(day, rows))
        times["ours"].append(timed([HEADRACE, "run", "--quiet"], mine))
        times["dbt"].append(timed(run_dbt(day), peer))
        times["none"].append(timed([HEADRACE, "run", "--quiet"], mine))
    line("headrace run, a day more", times["ours"])
    line("dbt run, a day more", times["dbt"])
    line("headrace run, nothing new", times["none"])
    query = "SELECT count(*), sum(n), sum(v), sum(hash(k) % 1000 * n) FROM daily"
    got = subprocess.run([HEADRACE, "query", "--format", "csv", query], cwd=mine, capture_output=True, text=True).stdout
    peer_got = subprocess.run([os.path.join(VENV, "python"), "-c",
                               "import duckdb, sys; print(*duckdb.connect('days.duckdb').execute(sys.argv[1])"
                               ".fetchone(), sep=',')", query], cwd=peer, capture_output=True, text=True).stdout
    assert got.split("\n")[1] == peer_got.strip(), f"ours {got!r}, dbt {peer_got!r}"
    write(os.path.join(mine, "data", "late.csv"), f"ts,k,v\n{FIRST} 12:00:00,late,1\n")
    line("headrace run, a late row of the first day", [timed([HEADRACE, "run", "--quiet"], mine)])
    shutil.rmtree(folder)


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:4]))
