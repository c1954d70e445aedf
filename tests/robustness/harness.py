"""What the robustness tests share: a project in a fresh folder, runs of the real binary, and the
comparison of what is left with an undisturbed run. Standard library only."""
import collections
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("HEADRACE_BUILD", os.path.join(SOURCE, "build"))
HEADRACE = os.path.join(BUILD, "headrace")
TABLES = ["customers", "usage", "usage__quarantine", "features", "customers_today", "scores", "yearly"]
BLOCK = 8  # rows in flight: kBlock of components/actions/outbox.cc


def environment(**more):
    keep = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "TSAN_OPTIONS", "HEADRACE_RUNTIME")
    env = {name: os.environ[name] for name in keep if name in os.environ}
    env.update(more)
    return env


class Project:
    """A copy of the churn example, made small enough to be run hundreds of times."""

    def __init__(self, small=True):
        self.folder = tempfile.mkdtemp(prefix="headrace-")
        self.root = os.path.join(self.folder, "churn")
        shutil.copytree(os.path.join(SOURCE, "examples", "churn"), self.root)
        if small:
            path = os.path.join(self.root, "data", "customers.csv")
            with open(path) as file:
                lines = file.readlines()
            with open(path, "w") as file:
                file.writelines(lines[:1501])
            self.edit("pipeline/churn.yml", "seed: 7", "seed: 7\nlearners: [linear]\nbudget: {trials: 1}")
            self.edit("pipeline/churn.yml", "roc_auc >= 0.80", "roc_auc >= 0.70")
            self.edit("pipeline/calls.yml", "probability > 0.7", "probability > 0.5")
        # Two tables that must become visible together.
        self.edit("pipeline/usage.yml", "severity: warn", "severity: quarantine")
        # A table in intervals: those that are built must not be lost, nor stand there twice.
        self.write("pipeline/since.sql", "SELECT customer_id, tenure, "
                   "TIMESTAMP '2024-01-01' - to_months(tenure) AS since FROM usage")
        self.write("pipeline/since.yml", "time: since")
        self.write("pipeline/yearly.sql", "SELECT date_trunc('year', since) AS year, count(*) AS customers, "
                   "sum(tenure) AS months FROM since WHERE since >= $from AND since < $to GROUP BY ALL")
        self.write("pipeline/yearly.yml", "materialize: incremental\ntime: year\nevery: 1 year\nstart: 2017-01-01")

    def write(self, path, text):
        with open(os.path.join(self.root, path), "w") as file:
            file.write(text + "\n")

    def edit(self, path, old, new):
        path = os.path.join(self.root, path)
        with open(path) as file:
            text = file.read()
        assert old in text, f"{old!r} is not in {path}"
        with open(path, "w") as file:
            file.write(text.replace(old, new))

    def start(self, *arguments, **env):
        return subprocess.Popen([HEADRACE, *arguments], cwd=self.root, env=environment(**env),
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def run(self, *arguments, timeout=300, **env):
        process = self.start(*arguments, **env)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"{' '.join(arguments)} hung\n{out}\n{err}")
        return process.returncode, out, err

    def prod(self, **env):
        return self.run("run", "--target", "prod", **env)

    def state(self):
        """Everything a user can see of a finished run, comparable between projects."""
        seen = {}
        for table in TABLES:
            code, out, err = self.run("query", "--target", "prod", "--format", "csv",
                                      f"SELECT COLUMNS(c -> c <> '_run') FROM {table} ORDER BY ALL")
            assert code == 0, f"query of {table}: {err}"
            seen[table] = out
        with open(os.path.join(self.root, "out", "scores.csv")) as file:
            seen["scores.csv"] = sorted(file.read().splitlines())
        return seen

    def together(self):
        """Faults of a run that ended anywhere: rows and the rows set aside are there both or not at all."""
        counts = []
        for table in ("usage", "usage__quarantine"):
            code, out, _ = self.run("query", "--target", "prod", "--format", "csv",
                                    f"SELECT count(*) FROM {table}")
            counts.append(int(out.split()[1]) if code == 0 else None)
        none, some = counts == [None, None], None not in counts and counts[1] > 0
        return [] if none or some else [f"after the kill: usage {counts[0]}, set aside {counts[1]}"]

    def sends(self):
        """Idempotency key → rows sent under it, in order."""
        sent = collections.OrderedDict()
        path = os.path.join(self.root, "out", "calls.log")
        if os.path.exists(path):
            with open(path) as file:
                for line in file:
                    key, _, body = line.rstrip("\n").partition(" ")
                    sent.setdefault(key, []).append(body)
        return sent

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def compare(project, calm_state, calm_sends, kills):
    """Faults of a project that was disturbed `kills` times and then finished."""
    faults = []
    state = project.state()
    for name, value in calm_state.items():
        if state[name] != value:
            faults.append(f"{name} differs from the undisturbed run")
    sends = project.sends()
    if set(sends) != set(calm_sends):
        faults.append(f"keys: {len(set(calm_sends) - set(sends))} missing, "
                      f"{len(set(sends) - set(calm_sends))} unknown")
    repeats = sum(len(bodies) - 1 for bodies in sends.values())
    if repeats > kills * BLOCK:
        faults.append(f"{repeats} repeated sends after {kills} kills")
    for key, bodies in sends.items():
        if len(set(bodies)) > 1:
            faults.append(f"key {key} stands for different rows")
    return faults


class Tally:
    """Counts and prints; the last line is the one the test runner reads."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, name, faults):
        if faults:
            self.failed += 1
            print(f"FAILED {name}")
            for fault in faults:
                print(f"    {fault}")
        else:
            self.passed += 1
            print(f"ok {name}")
        sys.stdout.flush()

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(1 if self.failed else 0)


def calm(small=True):
    """State, sends and seconds of an undisturbed run."""
    project = Project(small)
    started = time.monotonic()
    code, _, err = project.prod()
    seconds = time.monotonic() - started
    assert code == 0, err
    result = project.state(), project.sends(), seconds
    project.remove()
    return result
