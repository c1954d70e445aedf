"""Webhooks against a receiver that misbehaves, and kills: the receiver's set of keys is that of an
undisturbed run, a repeat carries the same key and the same body, dry runs send nothing, what failed
stands in NODE__failed. Run notifications too.

    webhooks.py N    the fixed cases, then N kills at random moments
"""
import csv
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from harness import BLOCK, HEADRACE, SOURCE, Tally, environment

sys.path.insert(0, os.path.join(SOURCE, "tests", "fakes"))
from http_api import Api  # noqa: E402

POINTS = [f"action.{step}.{moment}" for step in ("intent", "send", "result") for moment in ("before", "after")]
RETRY = "retry: {attempts: 4, wait: 2 ms, timeout: 1 second}\n"


class Project:
    def __init__(self, api, rows=40, more="", targets=""):
        self.root = tempfile.mkdtemp(prefix="headrace-")
        self.api = api
        os.makedirs(os.path.join(self.root, "pipeline"))
        self.write("headrace.yml", "project: p\n" + targets)
        self.write("people.csv", "id,name,score\n" + "".join(f"{i},n{i} ü,{i / 100}\n" for i in range(rows)))
        self.write("pipeline/people.yml", "source: csv\npath: people.csv\n")
        self.write("pipeline/calls.yml", "action: webhook\nfrom: people\nwhere: score >= 0.05\nonce_per: id\n"
                   "url: URL/hook\n" + RETRY + more)

    def write(self, path, text):
        with open(os.path.join(self.root, path), "w") as file:
            file.write(text.replace("URL", self.api.url))

    def start(self, *arguments, **env):
        return subprocess.Popen([HEADRACE, *arguments], cwd=self.root, env=environment(**env), text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, *arguments, **env):
        process = self.start(*(arguments or ("run",)), **env)
        out, err = process.communicate(timeout=180)
        return process.returncode, out, err

    def failed(self, target="dev"):
        code, out, err = self.run("query", "--target", target, "--format", "csv",
                                  "SELECT key, status, detail FROM calls__failed ORDER BY ALL")
        assert code == 0, err
        return list(csv.reader(io.StringIO(out)))[1:]

    def remove(self):
        shutil.rmtree(self.root, ignore_errors=True)


def judge(received, calm, kills):
    faults = []
    if set(received) != set(calm):
        faults.append(f"keys: {len(set(calm) - set(received))} missing, {len(set(received) - set(calm))} unknown")
    for key, bodies in received.items():
        if key in calm and set(bodies) != set(calm[key]):
            faults.append(f"key {key} stands for other rows")
    repeats = sum(len(bodies) - 1 for bodies in received.values())
    if kills is not None and repeats > kills * BLOCK:
        faults.append(f"{repeats} repeated sends after {kills} kills")
    return faults


def calm_run():
    with Api() as api:
        project = Project(api)
        started = time.monotonic()
        code, _, err = project.run()
        seconds = time.monotonic() - started
        assert code == 0 and len(api.received) == 35, err
        code, _, err = project.run()
        assert code == 0 and all(len(b) == 1 for b in api.received.values()), err
        project.remove()
        return dict(api.received), seconds


def plain(tally, calm):
    bodies = [json.loads(b) for bodies in calm.values() for b in bodies]
    faults = [] if sorted(b["id"] for b in bodies) == list(range(5, 40)) else [str(bodies)]
    if bodies[0].keys() != {"id", "name", "score"} or any(len(key or "") != 32 for key in calm):
        faults.append(f"{bodies[0]}, {list(calm)[:2]}")
    tally.check("every row once, with a key", faults)
    with Api() as api:
        api.token = "t0ken-0123456789"
        project = Project(api, more='method: PUT\nbody: [id]\nauth: {bearer: "t0ken-0123456789"}\nheaders: {X-From: headrace}\n')
        code, _, err = project.run()
        faults = [] if code == 0 and set(api.received) == set(calm) else [err]
        if {b for bodies in api.received.values() for b in bodies} != {json.dumps({"id": i}, separators=(",", ":")) for i in range(5, 40)}:
            faults.append(str(list(api.received.values())[:3]))
        if api.log[0][0] != "PUT" or api.headers[0].get("X-From") != "headrace":
            faults.append(f"{api.log[0]} {api.headers[0]}")
        tally.check("method, body, headers, auth", faults)
        project.remove()


def dry(tally, calm):
    with Api() as api:
        project = Project(api, targets="targets:\n  dev: {}\n  prod: {}\n")
        code, _, err = project.run()
        faults = [] if code == 0 and not api.log and "35 sends were recorded, none was made" in err else [err]
        code, _, err = project.run("run", "--target", "prod")
        if code != 0 or len(api.received) != 35:
            faults.append(f"prod: {code}: {err}")
        tally.check("dev sends nothing, prod does", faults)
        project.remove()


def refused(tally, calm):
    with Api() as api:
        api.refuse = lambda row: row["id"] % 10 == 7
        project = Project(api)
        code, _, err = project.run()
        faults = [] if code == 1 and "4 of 35 sends failed" in err and "calls__failed" in err else [err]
        failed = project.failed()
        if [row[:2] for row in failed] != [["17", "failed"], ["27", "failed"], ["37", "failed"], ["7", "failed"]] or "status 422" not in failed[0][2]:
            faults.append(str(failed))
        if len(api.received) != 31:
            faults.append(f"{len(api.received)} were taken")
        if len(api.log) != 35:
            faults.append(f"{len(api.log)} requests: what is refused must not be sent again at once")
        api.refuse = None
        code, _, err = project.run()
        faults += [] if code == 0 and project.failed() == [] else [f"{code}: {err}"]
        faults += judge(api.received, calm, 0)
        tally.check("refused rows are set aside and sent by the next run", faults)
        project.remove()


def unreachable(tally, calm):
    with Api() as api:
        project = Project(api)
        api.always = "503"
        code, _, err = project.run()
        faults = [] if code == 1 and "35 sends failed" in err and "not tried" in err else [err]
        if len(api.log) != 4:
            faults.append(f"{len(api.log)} requests to somebody who is not there")
        api.reset()
        code, _, err = project.run()
        faults += judge(api.received, calm, 0) if code == 0 else [f"{code}: {err}"]
        tally.check("nobody there: the rest is not tried, the next run sends it", faults)
        project.remove()


def misbehaving(tally, calm):
    for fault in ("429", "429_date", "500", "503", "reset", "close", "short", "slow"):
        with Api() as api:
            api.slow = 2
            project = Project(api)
            api.faults = {n: fault for n in ((3,) if fault == "slow" else (1, 2, 9, 20))}
            code, _, err = project.run()
            faults = judge(api.received, calm, None) if code == 0 else [f"{code}: {err}"]
            if not api.met:
                faults.append("the fault was not met")
            tally.check(f"a receiver with {fault}", faults)
            project.remove()


def again(tally, calm):
    """again_after: a new generation has another key; before its time nothing is sent."""
    with Api() as api:
        project = Project(api, more="again_after: 1 second\n")
        code, _, err = project.run()
        faults = [] if code == 0 and len(api.received) == 35 else [err]
        deadline = time.monotonic() + 60
        while len(api.received) < 70 and time.monotonic() < deadline:  # the clock decides, not a sleep
            code, _, err = project.run()
            if code != 0:
                faults.append(err)
                break
        if len(api.received) % 35 or len(api.received) < 70 or any(len(b) > 1 for b in api.received.values()):
            faults.append(f"{len(api.received)} keys")
        project.remove()
    with Api() as api:
        project = Project(api, more="again_after: 30 days\n")
        for _ in range(2):
            code, _, err = project.run()
            faults += [] if code == 0 and len(api.received) == 35 else [err]
        tally.check("again_after", faults)
        project.remove()


def kills(tally, calm, seconds, count):
    for point in POINTS:
        for nth in (1, 2, 5):
            with Api() as api:
                project = Project(api)
                code, _, err = project.run("run", HEADRACE_CRASH_AT=f"{point}:{nth}")
                faults = [] if code == -signal.SIGKILL else [f"was not killed: {code} {err}"]
                code, _, err = project.run()
                faults += judge(api.received, calm, 1) if code == 0 else [f"the next run ended with {code}: {err}"]
                tally.check(f"killed at {point}:{nth}", faults)
                project.remove()
    seed = random.randrange(1 << 30)
    print(f"seed {seed}, an undisturbed run takes {seconds:.1f} s")
    rng = random.Random(seed)
    for number in range(count):
        with Api() as api:
            api.slow = 1
            api.faults = {n: rng.choice(["429", "500", "reset", "close", "short"]) for n in range(1, 100) if rng.random() < 0.1}
            project = Project(api)
            done, faults = 0, []
            for _ in range(rng.randint(1, 3)):
                process = project.start("run")
                time.sleep(rng.random() * seconds)
                process.send_signal(signal.SIGKILL)
                process.communicate()
                done += 1
            code, _, err = project.run()
            for _ in range(5):  # four faults in a row are a failure: the next run mends it
                if code == 0:
                    break
                code, _, err = project.run()
            faults += judge(api.received, calm, None) if code == 0 else [f"{code}: {err}"]
            tally.check(f"random {number + 1}: {done} kills", faults)
            project.remove()


def notifications(tally):
    with Api() as api, Api() as mine:
        project = Project(api, targets="on_failure: {notify: \"${ALERT_HOOK}\"}\n")
        project.write("pipeline/broken.sql", "SELECT CAST(name AS BIGINT) AS n FROM people\n")
        project.write("pipeline/broken.yml", f"on_failure: {{notify: {mine.url}/hook}}\n")
        project.write("pipeline/below.sql", "SELECT * FROM broken\n")
        hook = api.url + "/hook?secret-part-of-it"
        os.remove(os.path.join(project.root, "pipeline", "calls.yml"))
        code, _, err = project.run(ALERT_HOOK=hook)
        told = [json.loads(b) for bodies in api.received.values() for b in bodies]
        faults = [] if code == 1 and len(told) == 1 else [f"{code}: {told}: {err}"]
        if told:
            one = told[0]
            if (one["event"], one["project"], one["target"], one["exit_code"]) != ("run_failed", "p", "dev", 1) or \
                    [f["node"] for f in one["failed"]] != ["broken"] or one["skipped"] != ["below"] or \
                    "broken" not in one["text"] or not one["failed"][0]["message"]:
                faults.append(str(one))
        if len(mine.received) != 1:
            faults.append("the node's own receiver was not told")
        if "secret-part-of-it" in err:
            faults.append("the URL is shown")
        tally.check("a failed run is told", faults)
        api.reset()
        project.write("pipeline/wrong.sql", "SELECT name, score FROM people\n")
        project.write("pipeline/wrong.yml", "checks: [{between: {column: score, max: 0.2}}]\n")
        code, _, err = project.run("run", "wrong", ALERT_HOOK=hook)
        told = [json.loads(b) for bodies in api.received.values() for b in bodies]
        good = code == 1 and "score=0.2" in err and len(told) == 1 and "score=" not in str(told[0]) and \
            "score: 19 values" in told[0]["text"] and "\n" not in told[0]["text"]
        tally.check("a failed check is told without values of rows", [] if good else [f"{code}: {told}: {err}"])
        os.remove(os.path.join(project.root, "pipeline", "wrong.sql"))
        os.remove(os.path.join(project.root, "pipeline", "wrong.yml"))
        api.always = "500"
        code, _, err = project.run(ALERT_HOOK=hook)
        faults = [] if code == 1 and "warning[notify_failed]" in err and "error[notify" not in err else [err]
        if "secret-part-of-it" in err:
            faults.append("the URL is shown")
        code, _, err = project.run()
        if code != 1 or "warning[notify_failed]" not in err:
            faults.append(f"without the variable: {code}: {err}")
        tally.check("nobody to tell is a warning", faults)
        api.reset()
        os.remove(os.path.join(project.root, "pipeline", "broken.sql"))
        os.remove(os.path.join(project.root, "pipeline", "broken.yml"))
        os.remove(os.path.join(project.root, "pipeline", "below.sql"))
        code, _, err = project.run(ALERT_HOOK=hook)
        tally.check("a run that went well is not told", [] if code == 0 and not api.log else [err])
        project.remove()


def main(count):
    tally = Tally()
    calm, seconds = calm_run()
    for group in (plain, dry, refused, unreachable, misbehaving, again):
        group(tally, calm)
    notifications(tally)
    kills(tally, calm, seconds, count)
    tally.end()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
