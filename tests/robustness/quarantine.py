"""Random rows in random runs: what stands aside and what is left is, after any history of appended
rows, repeated keys and changed rules, what one full build gives.

    quarantine.py N     N random histories
"""
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile

from harness import HEADRACE, Tally, environment

COLUMNS = "id, minutes, plan"


def run(root, *arguments):
    done = subprocess.run([HEADRACE, *arguments], cwd=root, env=environment(), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout, done.stderr


def write(path, text, mode="w"):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, mode) as file:
        file.write(text)


def row(rng, keys):
    return (rng.randrange(keys), rng.choice([5, 50, 500, 5000, -1]), rng.choice(["basic", "pro", "trial", None]))


def rules(rng, node, keyed):
    checks = [f"between: {{column: minutes, min: 0, max: {rng.choice([100, 1000])}, severity: quarantine}}",
              "accepted: {column: plan, values: [basic, pro], severity: quarantine}",
              "references: {columns: id, node: known, severity: quarantine}",
              "not_null: {columns: plan, severity: warn}"]
    if not keyed:
        checks.append("unique: {columns: [id, plan], severity: quarantine}")
    picked = [check for check in checks if rng.random() < 0.6]
    return "".join(f"  - {check}\n" for check in picked) or "  - not_null: id\n"


class History:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.root = tempfile.mkdtemp(prefix="headrace-")
        self.keyed, self.database = self.rng.random() < 0.5, self.rng.random() < 0.5
        self.clock = 0
        write(os.path.join(self.root, "headrace.yml"),
              "project: q\nconnections:\n  db: {type: sqlite, path: data/x.db}\n")
        write(os.path.join(self.root, "data", "known.csv"), "id\n" + "".join(f"{i}\n" for i in range(8)))
        write(os.path.join(self.root, "pipeline", "known.yml"), "source: csv\npath: data/known.csv\n")
        write(os.path.join(self.root, "pipeline", "total.sql"), "SELECT count(*) AS n, sum(minutes) AS m FROM usage\n")
        if self.database:
            with sqlite3.connect(os.path.join(self.root, "data", "x.db")) as db:
                db.execute("CREATE TABLE usage (id INTEGER, minutes INTEGER, plan TEXT, at INTEGER)")
        else:
            write(os.path.join(self.root, "data", "usage.csv"), "id,minutes,plan\n")
        self.grow(6)
        self.rule()

    def rule(self):
        source = ("source: sqlite\nconnection: db\ntable: usage\ncursor: at\n" if self.database
                  else "source: csv\npath: data/usage.csv\n"
                       "columns: {id: BIGINT, minutes: BIGINT, plan: VARCHAR}\n")
        key = "key: id\n" if self.keyed else ""
        write(os.path.join(self.root, "pipeline", "usage.yml"),
              f"{source}{key}checks:\n{rules(self.rng, 'usage', self.keyed)}")

    def grow(self, count):
        rows = [row(self.rng, 12) for _ in range(count)]
        if not self.database:
            text = "".join(f"{a},{b},{c or ''}\n" for a, b, c in rows)
            write(os.path.join(self.root, "data", "usage.csv"), text, "a")
            return
        with sqlite3.connect(os.path.join(self.root, "data", "x.db")) as db:
            for a, b, c in rows:
                self.clock += 1
                if self.keyed:
                    db.execute("DELETE FROM usage WHERE id = ?", (a,))
                at = None if self.rng.random() < 0.15 else self.clock
                db.execute("INSERT INTO usage VALUES (?, ?, ?, ?)", (a, b, c, at))
        db.close()

    def step(self):
        what = self.rng.random()
        if what < 0.6:
            self.grow(self.rng.randrange(1, 6))
        elif what < 0.8:
            self.rule()
        else:
            write(os.path.join(self.root, "data", "known.csv"),
                  "id\n" + "".join(f"{i}\n" for i in range(self.rng.randrange(4, 14))))

    def seen(self):
        state = {}
        for table, columns in (("usage", COLUMNS), ("usage__quarantine", COLUMNS + ", _check, _reason"),
                               ("total", "n, m")):
            code, out, err = run(self.root, "query", "--format", "csv",
                                 f"SELECT {columns} FROM {table} ORDER BY ALL")
            state[table] = sorted(out.splitlines()[1:]) if code == 0 else []
        return state

    def play(self, steps):
        for number in range(steps):
            if number > 0:
                self.step()
            code, _, err = run(self.root, "run")
            if code != 0:
                return [f"step {number}: the run ended with {code}: {err}"]
            before = self.seen()
            twice, out, _ = run(self.root, "run", "--json")
            if twice != 0 or '"action":"build"' in out or '"action":"check"' in out:
                return [f"step {number}: a second run did something: {out}"]
            copy = tempfile.mkdtemp(prefix="headrace-")
            full = os.path.join(copy, "full")
            shutil.copytree(self.root, full, ignore=shutil.ignore_patterns(".headrace"))
            self.root, kept = full, self.root
            run(full, "run")
            after = self.seen()
            self.root = kept
            shutil.rmtree(copy)
            for table in before:
                if before[table] != after[table]:
                    with open(os.path.join(kept, "pipeline", "usage.yml")) as file:
                        text = file.read()
                    return [f"step {number}: {table} is {before[table]}, a full build gives {after[table]}\n{text}"]
        return []

    def remove(self):
        shutil.rmtree(self.root, ignore_errors=True)


if __name__ == "__main__":
    tally = Tally()
    first = random.randrange(1 << 30) if len(sys.argv) < 3 else int(sys.argv[2])
    for number in range(int(sys.argv[1])):
        history = History(first + number)
        faults = history.play(6)
        tally.check(f"history {first + number}", faults)
        history.remove()
    tally.end()
