"""A HTTP API that misbehaves (tests/fakes/http_api.py) against `source: http`: every fault is named,
repeated where that is sensible, and nothing is lost or doubled.

    http_source.py N    the named faults, then N rounds of random ones
"""
import csv
import io
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

from harness import HEADRACE, SOURCE, Tally, environment

sys.path.insert(0, os.path.join(SOURCE, "tests", "fakes"))
from http_api import FAULTS, Api  # noqa: E402

PAGINGS = {
    "next": "url: URL/next?size=SIZE\nrecords: data.items\npaging: {next: links.next}\n",
    "link": "url: URL/link\nparams: {size: SIZE}\npaging: {header: next}\n",
    "page": "url: URL/page\nrecords: items\npaging: {page: page, size: SIZE}\n",
    "page_total": "url: URL/page\nrecords: items\npaging: {page: page, size: SIZE, total: total}\n",
    "offset": "url: URL/offset\nrecords: items\npaging: {offset: offset, limit: SIZE}\n",
    "cursor": "url: URL/cursor?size=SIZE\nrecords: items\npaging: {cursor: meta.cursor, param: after}\n",
    "post": "url: URL/post?size=SIZE\nmethod: POST\nbody: {kind: open}\nrecords: items\n"
            "paging: {cursor: meta.cursor, param: after}\n",
    "all": "url: URL/all\n",
}
RETRY = "retry: {attempts: 4, wait: 2 ms, timeout: 1 second}\n"


def make_rows(count, rng=None):
    rows = []
    for i in range(count):
        rows.append({"id": i, "name": f"n {i} ü", "amount": i / 8, "updated_at": f"2026-01-{1 + i // 24 % 28:02d}T{i % 24:02d}:30:00Z",
                     "open": i % 3 == 0, "tags": ["a", {"b": i}] if i % 2 else None})
    if rng:
        rng.shuffle(rows)
    return rows


class Project:
    def __init__(self, api, text):
        self.root = tempfile.mkdtemp(prefix="headrace-")
        self.api = api
        os.makedirs(os.path.join(self.root, "pipeline"))
        self.write("headrace.yml", "project: p\n")
        self.write("pipeline/t.yml", "source: http\n" + text)

    def write(self, path, text):
        with open(os.path.join(self.root, path), "w") as file:
            file.write(text.replace("URL", self.api.url))

    def command(self, *arguments, timeout=120, **env):
        done = subprocess.run([HEADRACE, *arguments], cwd=self.root, env=environment(**env),
                              capture_output=True, text=True, timeout=timeout)
        return done.returncode, done.stdout, done.stderr

    def run(self, *arguments, **env):
        return self.command("run", *arguments, **env)

    def rows(self, columns="id, name, amount, strftime(updated_at, '%Y-%m-%dT%H:%M:%SZ'), open, tags"):
        code, out, err = self.command("query", "--format", "csv", f"SELECT {columns} FROM t ORDER BY ALL")
        return sorted(list(csv.reader(io.StringIO(out)))[1:]) if code == 0 else err

    def remove(self):
        shutil.rmtree(self.root, ignore_errors=True)


def as_csv(rows):
    import json
    out = []
    for r in rows:
        tags = "" if r["tags"] is None else json.dumps(r["tags"], separators=(",", ":"))
        out.append([str(r["id"]), r["name"], repr(float(r["amount"])), r["updated_at"], str(r["open"]).lower(), tags])
    return sorted(out)


def named(tally):
    """One fault at a time: its name, and what is left of it."""
    rows = make_rows(35)
    # (name, fault of every request from the given one on, paging, error's code, words of the message)
    lasting = [
        ("429 for ever", "429", "next", "rate_limited", "tried 4 times"),
        ("429 with a long Retry-After", "429_long", "next", "rate_limited", "the server asks to wait"),
        ("500 for ever", "500", "next", "server_error", "status 500, '{\"message\": \"out of sorts\"}'"),
        ("503 for ever", "503", "page", "server_error", "tried 4 times"),
        ("403", "403", "next", "forbidden", "status 403"),
        ("404", "404", "next", "not_found", "status 404"),
        ("400", "400", "next", "refused", "status 400"),
        ("HTML", "html", "next", "not_json", "HTML, not JSON: 'Maintenance'"),
        ("truncated JSON", "truncated", "next", "bad_json", "cut-off JSON"),
        ("less than its Content-Length", "short", "next", "connection_lost", "before its announced length"),
        ("more than its Content-Length", "long", "next", ("bad_json", "bad_answer"), ""),
        ("reset connections", "reset", "next", "connection_lost", "broke the connection off"),
        ("closed connections", "close", "next", "connection_lost", "broke the connection off"),
        ("no answer", "slow", "next", "timeout", "no whole answer within"),
        ("an answer byte by byte", "drip", "next", "timeout", "no whole answer within"),
        ("no HTTP", "garbage", "next", "bad_answer", "no proper HTTP"),
        ("broken gzip", "broken_gzip", "next", "bad_answer", "no proper HTTP"),
        ("an error with status 200", "error_200", "next", "no_records", "nothing at 'data.items'"),
        ("an empty body", "nothing", "next", "bad_json", "empty where JSON is expected"),
        ("a link to itself", "same", "next", "page_loop", "leads back to an earlier one"),
        ("a link to another host", "other_host", "next", "next_elsewhere", "credentials are not sent there"),
        ("paging that is not heeded", "first", "page", "repeated_page", "does not heed the paging"),
        ("the cursor again and again", "first", "cursor", "page_loop", "leads back to an earlier one"),
        ("an empty page too early", "lies", "page_total", "rows_missing", "0 of 35 rows came"),
    ]
    for name, fault, paging, code, words in lasting:
        with Api(rows) as api:
            api.slow = 5
            project = Project(api, PAGINGS[paging].replace("SIZE", "10") + RETRY)
            status, _, err = project.run()
            faults = [] if status == 0 else [f"the first run ended with {status}: {err}"]
            before = project.rows()
            api.always = fault
            status, _, err = project.run()
            codes = (code,) if isinstance(code, str) else code  # libcurl may see the fault first
            if status != 1 or not any(f"error[{c}]" in err for c in codes) or words not in err:
                faults.append(f"ended with {status}, expected {code} and {words!r}: {err}")
            if project.rows() != before or before != as_csv(rows):
                faults.append("the table changed")
            api.always = None
            status, _, err = project.run()
            if status != 0 or project.rows() != before:
                faults.append(f"the next run ended with {status}: {err}")
            tally.check(name, faults)
            project.remove()
    # Once only: repeated, and said.
    for fault in FAULTS:
        with Api(rows) as api:
            api.slow = 3
            paging = "page" if fault in ("duplicate", "empty") else "next"
            project = Project(api, PAGINGS[paging].replace("SIZE", "10") + RETRY)
            api.faults = {2: fault}
            status, _, err = project.run()
            faults = [] if status == 0 else [f"ended with {status}: {err}"]
            if api.met != [fault]:
                faults.append(f"the fault was not met: {api.log}")
            if project.rows() != as_csv(rows):
                faults.append(f"the table is wrong: {project.rows()}")
            # libcurl itself repeats, in silence, on a kept connection that was cut before an answer began.
            silent = fault in ("empty", "reset", "close")
            if not silent and "requests_repeated" not in err:
                faults.append(f"the repetition is not said: {err}")
            tally.check(f"once: {fault}", faults)
            project.remove()
    # Behind a short last page an offset slips back to rows that no earlier page had together.
    with Api(make_rows(15)) as api:
        project = Project(api, PAGINGS["offset"].replace("SIZE", "10") + RETRY)
        api.faults = {3: "duplicate"}
        status, _, err = project.run()
        faults = [] if status == 0 and project.rows() == as_csv(make_rows(15)) else [f"{status}: {err} {api.log}"]
        tally.check("once: an offset that slips", faults)
        project.remove()
    # Rows that are really alike stay: the page is asked for again and says the same.
    alike = [make_rows(3)[i] for i in (0, 1, 2, 2, 1, 0, 0)]
    with Api(alike) as api:
        project = Project(api, PAGINGS["offset"].replace("SIZE", "3") + RETRY)
        status, _, err = project.run()
        faults = [] if status == 0 and project.rows() == as_csv(alike) else [f"{status}: {err} {project.rows()}"]
        tally.check("rows that are alike", faults)
        project.remove()


def expired(tally):
    """A token that expires in mid-read: named, nothing stored, and the token nowhere."""
    token = "t0ken-that-expires-1234"
    with Api(make_rows(35)) as api:
        api.token = token
        project = Project(api, PAGINGS["cursor"].replace("SIZE", "5") + 'auth: {bearer: "${API_TOKEN}"}\n' + RETRY)
        api.expires = 4
        code, out, err = project.run(API_TOKEN=token)
        faults = []
        if code != 1 or "error[unauthorized]" not in err or "page 4" not in err or "renew them" not in err:
            faults.append(f"ended with {code}: {err}")
        if token in out + err:
            faults.append("the token is shown")
        if len(api.log) != 4:
            faults.append(f"{len(api.log)} requests: a 401 must not be tried again")
        api.expires = None
        code, _, err = project.run(API_TOKEN=token)
        if code != 0 or project.rows() != as_csv(api.rows):
            faults.append(f"the next run ended with {code}: {err}")
        code, _, err = project.run(API_TOKEN="another-wrong-token")
        if code != 1 or "another-wrong-token" in err or "error[unauthorized]" not in err:
            faults.append(f"a wrong token: {code}: {err}")
        tally.check("a token that expires", faults)
        project.remove()


def redirects(tally):
    rows = make_rows(12)
    with Api(rows) as api, Api(rows) as other:
        api.token = "t0ken-0123456789"
        auth = 'auth: {bearer: "t0ken-0123456789"}\nheaders: {X-Secret: abcdefgh}\n'
        project = Project(api, "url: URL/moved\n" + auth + RETRY)
        code, _, err = project.run()
        tally.check("a redirect is followed", [] if code == 0 and project.rows() == as_csv(rows) else [err])
        project.write("pipeline/t.yml", "source: http\nurl: URL/loop\n" + auth + RETRY)
        code, _, err = project.run()
        tally.check("redirects in a circle", [] if code == 1 and "error[redirect_loop]" in err else [err])
        api.other = other.url + "/all"
        project.write("pipeline/t.yml", "source: http\nurl: URL/elsewhere\n" + auth + RETRY)
        code, _, err = project.run()
        sent = {k.lower() for h in other.headers for k in h}
        faults = [] if code == 0 else [err]
        if not other.headers or sent & {"authorization", "x-secret"}:
            faults.append(f"another host was sent {sorted(sent)}")
        tally.check("credentials stay with their host", faults)
        project.remove()


def bounds(tally):
    with Api(make_rows(40)) as api:
        project = Project(api, "url: URL/huge\nmax_page: 2MB\n" + RETRY)
        code, _, err = project.run()
        faults = [] if code == 1 and "error[answer_too_big]" in err else [err]
        if api.huge_sent > 64 << 20:
            faults.append(f"{api.huge_sent} bytes were taken")
        tally.check("an answer without end", faults)
        project.write("pipeline/t.yml", "source: http\n" + PAGINGS["page"].replace("SIZE", "1") + "max_requests: 5\n")
        code, _, err = project.run()
        tally.check("too many requests", [] if code == 1 and "error[too_many_requests]" in err else [err])
        project.write("pipeline/t.yml", "source: http\n" + PAGINGS["page"].replace("SIZE", "10") + "rate: 20/s\n")
        started = time.monotonic()
        code, _, err = project.run()
        took = time.monotonic() - started  # six requests: five pauses of 50 ms at least
        tally.check("the rate is kept", [] if code == 0 and took > 0.25 else [f"{took}: {err}"])
        project.remove()


def tls(tally):
    folder = tempfile.mkdtemp(prefix="headrace-")
    pem = os.path.join(folder, "server.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", pem, "-out", pem + ".crt",
                    "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
                   check=True, capture_output=True)
    with open(pem, "a") as file, open(pem + ".crt") as certificate:
        file.write(certificate.read())
    rows = make_rows(5)
    with Api(rows, certificate=pem) as api:
        project = Project(api, "url: URL/all\n" + RETRY)
        code, _, err = project.run()
        tally.check("an unknown certificate", [] if code == 1 and "error[tls_failed]" in err and "SSL_CERT_FILE" in err else [err])
        code, _, err = project.run(SSL_CERT_FILE=pem + ".crt")
        tally.check("a certificate made known", [] if code == 0 and project.rows() == as_csv(rows) else [err])
        project.remove()
    shutil.rmtree(folder)


def children(tally):
    rows = make_rows(6)
    keys = ["1", "a b", "ü/ö", "..", "", "gone"]
    for row, key in zip(rows, keys):
        row["id"] = key
        row["parts"] = [{"n": n} for n in range(2)]
    with Api(rows[:5]) as api:
        project = Project(api, "url: URL/rows/{id}/parts\nfor_each: parents\n" + RETRY)
        project.write("pipeline/parents.yml", "source: csv\npath: parents.csv\ncolumns: {id: VARCHAR}\n")
        project.write("parents.csv", "id,x\n" + "".join(f'"{key}",1\n' for key in keys + ["1"]))
        code, _, err = project.run()
        got = project.rows("id, n")
        want = sorted([key, str(n)] for key in ("1", "a b", "ü/ö") for n in range(2))
        faults = [] if code == 0 and got == want else [f"{code}: {got}: {err}"]
        if "1 of 4 child requests answered 404" not in err or "null_parent" not in err:
            faults.append(f"what was left out is not said: {err}")
        if "/rows/%C3%BC%2F%C3%B6/parts" not in [path for _, path, _ in api.log]:
            faults.append(str(api.log))
        tally.check("child requests", faults)
        project.remove()


def without_cursor(tally):
    """Rows without a value in the cursor are set aside, and come back when they have one."""
    rows = make_rows(6)
    rows[2]["updated_at"] = None
    del rows[4]["updated_at"]
    with Api(rows) as api:
        project = Project(api, "url: URL/all\ncursor: updated_at\nsince: updated_since\nkey: id\n" + RETRY)
        code, _, err = project.run()
        kept, faults = [["0"], ["1"], ["3"], ["5"]], []
        if code != 0 or project.rows("id") != kept:
            faults.append(f"{code}: {project.rows('id')}: {err}")
        _, aside, _ = project.command("query", "SELECT id, _check FROM t__quarantine ORDER BY id", "--format", "csv")
        if aside.split() != ["id,_check", "2,['t.cursor(updated_at)']", "4,['t.cursor(updated_at)']"]:
            faults.append(f"aside: {aside}")
        code, _, err = project.run()
        if code != 0 or project.rows("id") != kept:
            faults.append(f"again: {code}: {project.rows('id')}: {err}")
        rows[2]["updated_at"] = "2026-02-01T00:00:00Z"
        code, _, err = project.run()
        if code != 0 or project.rows("id") != sorted(kept + [["2"]]):
            faults.append(f"with a value: {code}: {project.rows('id')}: {err}")
        _, aside, _ = project.command("query", "SELECT id FROM t__quarantine", "--format", "csv")
        if aside.split() != ["id", "4"]:
            faults.append(f"still aside: {aside}")
        tally.check("rows without a cursor", faults)
        project.remove()


def killed(tally):
    """The server goes away in mid-read, for good."""
    rows = make_rows(60)
    project = None
    with Api(rows) as api:
        api.slow = 20
        project = Project(api, PAGINGS["offset"].replace("SIZE", "10") + RETRY)
        assert project.run()[0] == 0
        before = project.rows()
        api.reset()
        api.faults = {4: "slow"}
        process = subprocess.Popen([HEADRACE, "run"], cwd=project.root, env=environment(), stderr=subprocess.PIPE,
                                   stdout=subprocess.DEVNULL, text=True)
        while api.count < 4 and process.poll() is None:
            time.sleep(0.005)
    _, err = process.communicate(timeout=60)
    faults = [] if process.returncode == 1 and "error[" in err and "page 4" in err else [f"{process.returncode}: {err}"]
    if project.rows() != before:
        faults.append("the table changed")
    tally.check("a server that dies in mid-read", faults)
    project.remove()


def rounds(tally, count):
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    rng = random.Random(seed)
    met = set()
    for number in range(count):
        paging = rng.choice(list(PAGINGS))
        incremental = rng.random() < 0.5
        rows = make_rows(rng.choice([0, 1, 9, 10, 11, 40, 97]), rng)
        with Api(rows, size=rng.choice([3, 10, 25])) as api:
            api.slow = 2
            text = PAGINGS[paging].replace("SIZE", str(rng.choice([3, 10, 25])))
            text += "columns: {id: BIGINT, name: VARCHAR, amount: DOUBLE, updated_at: TIMESTAMP WITH TIME ZONE, open: BOOLEAN, tags: VARCHAR}\n"
            if incremental:
                text += "cursor: updated_at\nsince: updated_since\nkey: id\n"
            project = Project(api, text + RETRY.replace("1 second", "700 ms"))
            faults, stored = [], None
            for step in range(3):
                api.reset()
                api.slow = 2
                possible = [f for f in FAULTS if f != "slow" or rng.random() < 0.2]
                share = rng.choice([0, 0.2, 0.6])
                api.faults = {n: rng.choice(possible) for n in range(1, 60) if rng.random() < share}
                code, _, err = project.run("--quiet")
                met.update(api.met)
                want = as_csv(api.rows)
                got = project.rows()
                if code == 0:
                    if got != want:
                        faults.append(f"step {step}: {len(got)} rows, {len(want)} expected; {api.log}")
                    stored = want
                elif code != 1 or "error[" not in err or "error[internal" in err:
                    faults.append(f"step {step}: ended with {code}: {err}")
                elif stored is not None and got != stored:
                    faults.append(f"step {step}: failed and changed the table")
                # The world goes on: new rows, and changed ones with a later time.
                for n in range(rng.randint(0, 5)):
                    row = dict(rng.choice(make_rows(3)), id=1000 * (step + 1) + n, updated_at=f"2026-02-{step + 1:02d}T00:00:{n:02d}Z")
                    api.rows.append(row)
                if api.rows and rng.random() < 0.5:
                    row = rng.choice(api.rows)
                    row["amount"] += 1.5
                    row["updated_at"] = f"2026-02-{step + 1:02d}T12:00:00Z"
            api.reset()
            code, _, err = project.run("--quiet")
            if code != 0 or project.rows() != as_csv(api.rows):
                faults.append(f"the last, undisturbed run ended with {code}: {err}")
            tally.check(f"round {number + 1}: {paging}{', since the cursor' if incremental else ''}", faults)
            project.remove()
    if count >= 100:
        tally.check("every fault was met", [f"{fault} never was" for fault in FAULTS if fault not in met])


def main(count):
    tally = Tally()
    for group in (named, expired, redirects, bounds, tls, children, without_cursor, killed):
        group(tally)
    rounds(tally, count)
    tally.end()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
