"""Random edits to random projects: what a run leaves is what a full rebuild gives, always.

    intervals.py ROUNDS [SEED]

A project has CSV files that grow and are rewritten, an SQLite table with a cursor, a table without a
time, a view, tables, and incremental nodes on all of them and on each other. A round edits data or
definitions, runs (sometimes only some intervals, sometimes killed on the way), and compares every
table with those of a copy of the project that never ran before. A failure prints the seed and
keeps the folder."""
import datetime
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import HEADRACE, Tally, environment

START = datetime.datetime(2024, 1, 30)
EVERY = {"1 day": 1, "6 hours": 0.25, "1 week": 7, "1 month": 30}


def text(moment):
    return moment.strftime("%Y-%m-%d %H:%M:%S")


class Random:
    """One random project and its edits."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.folder = tempfile.mkdtemp(prefix="headrace-")
        self.root = os.path.join(self.folder, "project")
        self.days = self.random.choice([3, 6, 12])  # an interval costs a query: few make many rounds
        self.files, self.serial, self.clock, self.offset = {}, 0, 0, 0
        self.keyed = self.random.random() < 0.4
        self.fixed = self.random.random() < 0.3  # dims stand under static: and never change
        self.zoned = self.random.random() < 0.3
        os.makedirs(os.path.join(self.root, "data", "events"))
        self.write("headrace.yml", "project: p\nconnections:\n  db: {type: sqlite, path: data/orders.db}\n"
                   "params:\n  floor: {type: int, default: 0}\n")
        self.dims = {key: f"name {key}" for key in "abcd"}
        self.write_dims()
        self.database = sqlite3.connect(os.path.join(self.root, "data", "orders.db"))
        self.database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, ts TIMESTAMP, amount INTEGER, "
                              "updated_at TIMESTAMP)")
        self.add_orders()
        for _ in range(self.random.randint(1, 4)):
            self.new_file()
        self.define()

    def write(self, path, content):
        path = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(content)

    def moment(self):
        return START + datetime.timedelta(hours=self.random.randrange(24 * self.days),
                                          minutes=self.random.choice([0, 0, 0, 59]))

    # ---- Definitions

    def define(self):
        choice = self.random.choice
        zone = "timestamp with time zone" if self.zoned else "timestamp"
        self.write("pipeline/events.yml", "source: csv\npath: data/events/*.csv\ntime: ts\n"
                   f"columns: {{ts: {zone}, v: bigint}}\n" + ("key: id\n" if self.keyed else ""))
        self.write("pipeline/dims.yml", "source: csv\npath: data/dims.csv\n")
        self.write("pipeline/orders.yml", "source: sqlite\nconnection: db\ntable: orders\n"
                   "cursor: updated_at\nkey: id\ntime: ts\n")
        every = choice(list(EVERY))
        head = f"materialize: incremental\nstart: {text(START - datetime.timedelta(days=2))[:10]}\n"
        batch = choice(["", "", "batch: 3\n"])
        self.write("pipeline/recent.sql", f"SELECT * FROM events WHERE v >= $floor + {self.offset}\n")
        self.write("pipeline/recent.yml", "materialize: view\n")
        self.write("pipeline/totals.sql", "SELECT k, sum(v) AS v, count(*) AS n FROM recent GROUP BY ALL\n")
        self.write("pipeline/kept.sql", "SELECT id, ts, v FROM events WHERE v % 3 <> 0\n")
        self.write("pipeline/kept.yml", "time: ts\n")
        self.write("pipeline/daily.sql",
                   "SELECT date_trunc('day', CAST(e.ts AS TIMESTAMP)) AS day, d.name, sum(e.v) AS v, count(*) AS n\n"
                   "FROM events e LEFT JOIN dims d ON d.k = e.k\nGROUP BY ALL\n")
        self.write("pipeline/daily.yml", head + "time: day\nevery: 1 day\n" + batch +
                   ("static: [dims]\n" if self.fixed else ""))
        self.write("pipeline/slices.sql", "SELECT id, ts, v FROM recent WHERE ts >= $from AND ts < $to\n")
        self.write("pipeline/slices.yml", head + f"time: ts\nevery: {every}\n" + batch)
        self.write("pipeline/rolling.sql",
                   "SELECT day, sum(v) AS v, (SELECT sum(n) FROM daily b WHERE b.day > a.day - INTERVAL 3 DAY "
                   "AND b.day <= a.day) AS n FROM daily a WHERE day >= $from AND day < $to GROUP BY day\n")
        self.write("pipeline/rolling.yml", head + "time: day\nevery: 1 day\nlookback: 2 days\n")
        self.write("pipeline/sold.sql",
                   "SELECT CAST(o.ts AS DATE) AS day, count(*) AS orders, sum(amount) AS amount, "
                   "(SELECT count(*) FROM kept k WHERE k.v > 5) AS kept FROM orders o GROUP BY ALL\n")
        self.write("pipeline/sold.yml", head + f"time: day\nevery: {choice(['1 day', '1 week', '1 month'])}\n")
        self.write("pipeline/calendar.sql",
                   "SELECT CAST(range AS DATE) AS day, (SELECT count(*) FROM kept) AS n FROM range($from, $to, "
                   "INTERVAL 1 DAY)\n")
        self.write("pipeline/calendar.yml", head + "time: day\nevery: 1 day\n")

    TABLES = ["events", "orders", "dims", "recent", "totals", "kept", "daily", "slices", "rolling", "sold",
              "calendar"]

    # ---- Data

    def row(self, moment=None):
        self.serial += 1
        number = self.serial
        if self.keyed and self.random.random() < 0.2:
            number = self.random.randint(1, self.serial)
        moment = text(moment or self.moment()) + (self.random.choice(["+00", "+01", "-05:30"]) if self.zoned else "")
        return [str(number), moment, self.random.choice("abcdx"), str(self.random.randint(-5, 20))]

    def write_file(self, name):
        self.write(f"data/events/{name}.csv",
                   "id,ts,k,v\n" + "".join(",".join(row) + "\n" for row in self.files[name]))

    def write_dims(self):
        self.write("data/dims.csv", "k,name\n" + "".join(f"{k},{n}\n" for k, n in sorted(self.dims.items())))

    def new_file(self):
        name = f"f{len(self.files):03d}"
        self.files[name] = [self.row() for _ in range(self.random.randint(1, 30))]
        self.write_file(name)

    def append(self):
        name = self.random.choice(sorted(self.files))
        moment = self.moment()
        self.files[name] += [self.row(moment if self.random.random() < 0.7 else None)
                             for _ in range(self.random.randint(1, 5))]
        self.write_file(name)

    def move(self):
        name = self.random.choice(sorted(self.files))
        row = self.random.choice(self.files[name])
        row[1] = self.row()[1]
        self.write_file(name)

    def delete(self):
        name = self.random.choice(sorted(self.files))
        rows = self.files[name]
        for _ in range(min(len(rows) - 1, self.random.randint(1, 5))):
            rows.pop(self.random.randrange(len(rows)))
        self.write_file(name)

    def remove_file(self):
        if len(self.files) > 1:
            name = self.random.choice(sorted(self.files))
            del self.files[name]
            os.remove(os.path.join(self.root, f"data/events/{name}.csv"))

    def later(self):
        self.days += self.random.randint(1, 5)
        self.append()

    def add_orders(self):
        for _ in range(self.random.randint(1, 8)):
            self.clock += 1
            self.database.execute("INSERT INTO orders (ts, amount, updated_at) VALUES (?, ?, ?)", (
                text(self.moment()), self.random.randint(1, 50),
                text(START + datetime.timedelta(seconds=self.clock))))
        self.database.commit()

    def update_order(self):
        self.clock += 1
        stamp = text(START + datetime.timedelta(seconds=self.clock))
        self.database.execute("UPDATE orders SET ts = ?, amount = amount + 1, updated_at = ? WHERE id = "
                              "(SELECT id FROM orders ORDER BY (id * 7919 + ?) % 101 LIMIT 1)",
                              (text(self.moment()), stamp, self.clock))
        self.database.commit()

    def edit_dims(self):
        if not self.fixed:
            self.dims[self.random.choice("abcdx")] = f"name {self.random.randint(1, 99)}"
            self.write_dims()

    def redefine(self):
        self.offset = self.random.randint(0, 2)
        self.define()

    def edit(self):
        edits = [(self.append, 6), (self.later, 4), (self.new_file, 3), (self.move, 3), (self.delete, 3),
                 (self.remove_file, 1), (self.add_orders, 3), (self.update_order, 3), (self.edit_dims, 2),
                 (self.redefine, 1)]
        chosen = self.random.choices([e for e, _ in edits], [w for _, w in edits], k=self.random.randint(1, 3))
        for edit in chosen:
            edit()
        return [edit.__name__ for edit in chosen]

    # ---- Runs

    def call(self, root, *arguments, **env):
        done = subprocess.run([HEADRACE, *arguments], cwd=root, env=environment(**env), text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=300)
        return done.returncode, done.stdout, done.stderr

    def disturb(self):
        """Something that leaves the work half done."""
        dice = self.random.random()
        if dice < 0.15:
            begin = self.moment()
            end = begin + datetime.timedelta(days=self.random.randint(1, 20))
            code, _, err = self.call(self.root, "run", "--quiet", "--from", text(begin)[:10], "--to", text(end)[:10])
            return "backfill", [] if code == 0 else [f"backfill: exit {code}\n{err}"]
        if dice < 0.3:
            point = self.random.choice(["interval.built", "store.commit.inside", "snapshot.renamed",
                                        "snapshot.synced", "store.commit.after"])
            code, _, err = self.call(self.root, "run", "--quiet",
                                     HEADRACE_CRASH_AT=f"{point}:{self.random.randint(1, 60)}")
            return "kill", [] if code in (0, -9) else [f"killed run: exit {code}\n{err}"]
        return "", []

    def state(self, root):
        query = " UNION ALL ".join(f"SELECT '{t}' AS t, CAST(x AS VARCHAR) AS r FROM {t} AS x" for t in self.TABLES)
        code, out, err = self.call(root, "query", "--format", "csv", query + " ORDER BY ALL")
        if code != 0:
            raise AssertionError(f"query: {err}")
        return out

    def compare(self):
        code, _, err = self.call(self.root, "run", "--quiet")
        if code != 0:
            return [f"run: exit {code}\n{err}"]
        fresh = os.path.join(self.folder, "fresh")
        shutil.copytree(self.root, fresh, ignore=shutil.ignore_patterns(".headrace"))
        code, _, err = self.call(fresh, "run", "--quiet")
        if code != 0:
            return [f"full rebuild: exit {code}\n{err}"]
        mine, full = self.state(self.root), self.state(fresh)
        faults = []
        if mine != full:
            mine, full = mine.splitlines(), full.splitlines()
            extra, missing = sorted(set(mine) - set(full)), sorted(set(full) - set(mine))
            faults = [f"{len(extra)} rows too many: {extra[:5]}", f"{len(missing)} rows missing: {missing[:5]}",
                      f"{len(mine)} rows, a full rebuild has {len(full)}"]
        shutil.rmtree(fresh)
        return faults


def main():
    rounds = int(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(10**9)
    print(f"seed {seed}")
    tally, done = Tally(), 0
    while done < rounds:
        project = Random(seed)
        faults, story = project.compare(), ["first run"]
        for _ in range(min(20, rounds - done)):
            if faults:
                break
            edits = project.edit()
            disturbed, faults = project.disturb()
            story.append(" ".join(edits + [disturbed]).strip())
            faults = faults or project.compare()
            done += 1
        if faults:
            faults += [f"rounds: {story}", f"folder kept: {project.root}", f"again: intervals.py {rounds} {seed}"]
            done = rounds
        else:
            shutil.rmtree(project.folder, ignore_errors=True)
        tally.check(f"project {seed}: {len(story) - 1} rounds", faults)
        seed += 1
    tally.end()


if __name__ == "__main__":
    main()
