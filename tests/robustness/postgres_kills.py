"""SIGKILL of Headrace, and of the PostgreSQL server under it, while rows go from PostgreSQL through a
project and back into PostgreSQL. Whatever is killed, the next run finishes, and what stands in the
sinks equals what an undisturbed run leaves: no row is lost, none stands there twice.

    postgres_kills.py points          at every crash point that a sink passes
    postgres_kills.py random N        N rounds of kills at random moments
    postgres_kills.py all N           all three
    postgres_kills.py server N        N rounds in which the server dies, or cuts its connections, in
                                      the middle of a read or a write
"""
import os
import random
import signal
import sys
import tempfile
import time
import shutil
import subprocess

from harness import HEADRACE, Tally, environment
from postgres_server import Server

ROWS = 20000

FILES = {
    "headrace.yml": """project: pg
connections:
  crm: {type: postgres, uri: "${PG_URI}"}
  file: {type: sqlite, path: out/out.db}
targets: {prod: {}}
""",
    "pipeline/usage.yml": """source: postgres
connection: crm
table: usage
cursor: updated_at
key: id
reconcile: 1ms
retries: 6
""",
    "pipeline/features.sql": "SELECT id, day, minutes, minutes > 30 AS heavy FROM usage",
    "pipeline/replaced.yml": "sink: postgres\nfrom: features\nconnection: crm\ntable: replaced\nretries: 6\n",
    "pipeline/upserted.yml": """sink: postgres
from: features
connection: crm
table: upserted
mode: upsert
key: id
delete: true
retries: 6
""",
    "pipeline/appended.yml": """sink: postgres
from: features
connection: crm
table: appended
mode: append
retries: 6
""",
    "pipeline/filed.yml": "sink: sqlite\nfrom: features\nconnection: file\ntable: filed\nmode: append\n",
}
SINKS = ["replaced", "upserted", "appended"]


class Work:
    """A database and a project of their own."""

    count = 0

    def __init__(self, server):
        Work.count += 1
        self.server = server
        self.database = f"round_{os.getpid()}_{Work.count}"
        server.sql(f"CREATE DATABASE {self.database};")
        server.sql(f"""CREATE TABLE usage (id int PRIMARY KEY, day date, minutes int,
            updated_at timestamptz NOT NULL);
            INSERT INTO usage SELECT n, date '2024-01-01' + n % 300, n * 7919 % 61,
              timestamptz '2024-06-01' + n * interval '1 second' FROM generate_series(1, {ROWS}) n;""",
                   self.database)
        self.folder = tempfile.mkdtemp(prefix="headrace-pg-work-")
        for name, text in FILES.items():
            path = os.path.join(self.folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write(text)

    def start(self, **env):
        return subprocess.Popen([HEADRACE, "run"], cwd=self.folder, stdin=subprocess.DEVNULL,
                                env=environment(PG_URI=self.server.uri(self.database), **env),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, **env):
        process = self.start(**env)
        try:
            out, err = process.communicate(timeout=300)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return -1, "it hangs"
        return process.returncode, out + err

    def change(self):
        """The second day: changed, new, late and deleted rows."""
        self.server.sql("""UPDATE usage SET minutes = minutes + 1, updated_at = '2024-07-01' WHERE id % 10 = 3;
            INSERT INTO usage SELECT n, '2024-12-01', 5, '2024-07-01 00:10' FROM generate_series(100001, 101000) n;
            INSERT INTO usage VALUES (200001, '2024-12-02', 6, '2024-06-01 00:00:01');
            DELETE FROM usage WHERE id % 1000 = 7;""", self.database)

    def state(self):
        """Digest of each sink; of what is appended also how often each snapshot stands there."""
        seen = {}
        for table in SINKS:
            columns = "id, day, minutes, heavy" + (", _snapshot" if table == "appended" else "")
            seen[table] = self.server.sql(
                f"SELECT count(*), md5(string_agg(({columns})::text, ';' ORDER BY {columns})) FROM {table};",
                self.database)
        seen["progress"] = self.server.sql(
            "SELECT sink, count(*) FROM headrace_sinks GROUP BY 1 ORDER BY 1;", self.database)
        import sqlite3
        with sqlite3.connect(os.path.join(self.folder, "out/out.db")) as file:
            seen["filed"] = file.execute(
                "SELECT count(*), count(DISTINCT _snapshot), sum(id), sum(minutes) FROM filed").fetchall()
        return seen

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.server.sql(f"DROP DATABASE {self.database} WITH (FORCE);")


def calm(server):
    work = Work(server)
    started = time.monotonic()
    code, text = work.run()
    assert code == 0, text
    seconds = time.monotonic() - started
    first = work.state()
    work.change()
    code, text = work.run()
    assert code == 0, text
    second = work.state()
    work.remove()
    assert first != second
    return first, second, seconds


def differences(name, wanted, found):
    return [f"{name}: {part} is {found[part]!r}, not {wanted[part]!r}" for part in wanted
            if found[part] != wanted[part]]


def finish(work, wanted, disturb):
    """Both days; `disturb` runs something that is killed before each undisturbed run."""
    faults = []
    for day, expected in enumerate(wanted):
        if day == 1:
            work.change()
        disturb(work)
        code, text = work.run()
        if code != 0:
            return faults + [f"the run of day {day + 1} ended with {code}: {text}"]
        faults += differences(f"day {day + 1}", expected, work.state())
    return faults


def points(tally, server):
    first, second, _ = calm(server)
    reached = 0
    for name in ("source.read", "snapshot.renamed", "store.commit.before", "store.commit.after", "sink.staged",
                 "sink.exchanged", "sink.committed"):
        for nth in (1, 2, 3):
            codes = []
            work = Work(server)
            faults = finish(work, (first, second),
                            lambda w: codes.append(w.run(HEADRACE_CRASH_AT=f"{name}:{nth}")[0]))
            reached += sum(code == -signal.SIGKILL for code in codes)
            for code in codes:
                if code not in (0, -signal.SIGKILL):
                    faults.append(f"a run ended with {code}")
            tally.check(f"killed at {name}:{nth}, {codes}", faults)
            work.remove()
    tally.check("the points are passed", [] if reached >= 30 else [f"only {reached} times"])


def moments(tally, server, rounds):
    first, second, seconds = calm(server)
    seed = random.randrange(1 << 30)
    print(f"seed {seed}, an undisturbed run takes {seconds:.1f} s")
    rng = random.Random(seed)

    def disturb(work):
        for _ in range(rng.randint(1, 3)):
            process = work.start()
            time.sleep(rng.uniform(0, seconds * 1.05))
            process.kill()
            process.communicate()

    for number in range(rounds):
        work = Work(server)
        tally.check(f"random kills, round {number + 1}", finish(work, (first, second), disturb))
        work.remove()


def server_dies(tally, server, rounds):
    """Half the rounds cut the connections (the run must get over it by itself, by `retries:`), half
    kill the whole server and start it again."""
    first, second, seconds = calm(server)
    seed = random.randrange(1 << 30)
    print(f"seed {seed}, an undisturbed run takes {seconds:.1f} s")
    rng = random.Random(seed)
    hit = 0

    def cut(work):
        nonlocal hit
        process = work.start()
        deadline = time.monotonic() + rng.uniform(0, seconds)
        while time.monotonic() < deadline or hit == 0:
            cuts = server.sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE "
                              f"application_name = 'headrace' AND datname = '{work.database}';")
            if int(cuts) > 0:
                hit += int(cuts)
                break
            if process.poll() is not None:
                break
        out, err = process.communicate(timeout=300)
        if process.returncode != 0:
            failures.append(f"a run whose connections were cut once ended with {process.returncode}: {out}{err}")

    def die(work):
        process = work.start()
        time.sleep(rng.uniform(0, seconds))
        server.stop(signal.SIGKILL)
        server.restart()
        out, err = process.communicate(timeout=300)
        if process.returncode not in (0, 1):
            failures.append(f"a run whose server died ended with {process.returncode}: {out}{err}")

    for number in range(rounds):
        failures = []
        work = Work(server)
        how = cut if number % 2 == 0 else die
        faults = finish(work, (first, second), how)
        tally.check(f"the server {'cuts connections' if how is cut else 'dies'}, round {number + 1}",
                    faults + failures)
        work.remove()
    tally.check("connections were cut in mid-run", [] if hit > 0 else ["never"])


if __name__ == "__main__":
    result = Tally()
    # The data must outlive the server's death.
    with Server(fsync="on", synchronous_commit="on", full_page_writes="on") as running:
        what, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0
        if what in ("points", "all"):
            points(result, running)
        if what in ("random", "all"):
            moments(result, running, rounds)
        if what in ("server", "all"):
            server_dies(result, running, rounds)
    result.end()
