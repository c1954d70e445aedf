"""Two runs of one target: the second waits; a stopped run that wakes up after another took over
commits and sends nothing; --no-wait says so."""
import os
import signal
import time

from harness import Project, Tally, calm, compare


def wait_until_stopped(process):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with open(f"/proc/{process.pid}/stat") as file:
            if file.read().rsplit(")", 1)[1].split()[0] == "T":
                return
        time.sleep(0.02)


def stopped(tally, point, state, sends):
    project = Project()
    first = project.start("run", "--target", "prod", HEADRACE_STOP_AT=point)
    wait_until_stopped(first)
    faults = []
    code, _, err = project.prod(HEADRACE_LEASE_TIMEOUT="1")
    if code == 1 and "store_busy" in err and "kill -CONT" in err:
        # Another thread was stopped inside a transaction: nobody can take over, and the error says
        # what to do.
        os.kill(first.pid, signal.SIGCONT)
        _, err = first.communicate(timeout=120)
        if first.returncode != 0:
            faults.append(f"the run that was continued ended with {first.returncode}: {err}")
        tally.check(f"stopped at {point}, inside a transaction",
                    faults + compare(project, state, sends, 1))
        project.remove()
        return
    if code != 0:
        faults.append(f"the run that takes over ended with {code}: {err}")
    before = project.state(), project.sends()
    os.kill(first.pid, signal.SIGCONT)
    _, err = first.communicate(timeout=120)
    if first.returncode == 0 and "lease" not in err:
        faults.append(f"the sleeper ended with {first.returncode}: {err}")
    after = project.state(), project.sends()
    if code == 0 and before[0] != after[0]:
        faults.append("the sleeper changed tables after it was overtaken")
    # One send may have been under way when it fell asleep: it asks for its claim right before.
    late = sum(map(len, after[1].values())) - sum(map(len, before[1].values()))
    if late > 1:
        faults.append(f"the sleeper sent {late} rows after it was overtaken")
    faults += compare(project, state, sends, 1)
    tally.check(f"stopped at {point}", faults)
    project.remove()


def two_at_once(tally, state, sends):
    project = Project()
    first = project.start("run", "--target", "prod")
    second = project.start("run", "--target", "prod")
    faults = []
    for process in (first, second):
        _, err = process.communicate(timeout=300)
        if process.returncode != 0:
            faults.append(f"ended with {process.returncode}: {err}")
    tally.check("two runs at once", faults + compare(project, state, sends, 0))
    project.remove()


def no_wait(tally):
    project = Project()
    first = project.start("run", HEADRACE_STOP_AT="run.started")
    wait_until_stopped(first)
    code, _, err = project.run("run", "--no-wait")
    faults = []
    if code != 1:
        faults.append(f"--no-wait ended with {code} instead of 1")
    if "target_busy" not in err:
        faults.append(f"--no-wait said: {err}")
    first.kill()
    first.communicate()
    tally.check("--no-wait", faults)
    project.remove()


if __name__ == "__main__":
    result = Tally()
    calm_state, calm_sends, _ = calm()
    two_at_once(result, calm_state, calm_sends)
    no_wait(result)
    for name in ("run.started", "snapshot.written", "snapshot.renamed", "store.commit.before",
                 "model.synced", "sink.synced", "action.intent.after", "action.send.before"):
        stopped(result, name, calm_state, calm_sends)
    result.end()
