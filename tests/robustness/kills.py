"""SIGKILL at every named crash point and at random moments; each time a second process starts at
once and must finish, with the tables, scores and keys of an undisturbed run.

    kills.py points            every crash point, first and second passing
    kills.py random N [full]   N random moments (full: the whole example)
"""
import random
import signal
import sys
import time

from harness import Project, Tally, calm, compare


def points(tally):
    state, sends, _ = calm()
    probe = Project()
    code, out, err = probe.run("doctor", "--crash-points")
    probe.remove()
    names = out.split()
    tally.check("doctor lists the crash points", [] if code == 0 and len(names) >= 20 else [err])
    reached = 0
    for name in names:
        for nth in (1, 2):
            project = Project()
            code, _, err = project.prod(HEADRACE_CRASH_AT=f"{name}:{nth}")
            faults = []
            if code == -signal.SIGKILL:
                reached += 1
                faults += project.together()
                second, _, err = project.prod()
                if second != 0:
                    faults.append(f"the next run ended with {second}: {err}")
            elif code != 0:
                faults.append(f"the run ended with {code}: {err}")
            if not faults:
                faults += compare(project, state, sends, 1)
            tally.check(f"killed at {name}:{nth}" if code < 0 else f"never passed {name}:{nth}", faults)
            project.remove()
            if code == 0:
                break
    tally.check("most points are passed", [] if reached >= 25 else [f"only {reached}"])


def moments(tally, count, small):
    state, sends, seconds = calm(small)
    seed = random.randrange(1 << 30)
    print(f"seed {seed}, an undisturbed run takes {seconds:.1f} s")
    rng = random.Random(seed)
    for number in range(count):
        project = Project(small)
        kills = 0
        faults = []
        for _ in range(rng.randint(1, 3)):
            process = project.start("run", "--target", "prod")
            time.sleep(rng.uniform(0, seconds * 1.05))
            # The second process starts while the first still holds the lease.
            waiting = project.start("run", "--target", "prod") if rng.random() < 0.5 else None
            process.kill()
            process.communicate()
            kills += 1
            if waiting is not None:
                if rng.random() < 0.5:
                    time.sleep(rng.uniform(0, seconds))
                    waiting.kill()
                    waiting.communicate()
                    kills += 1
                else:
                    _, err = waiting.communicate(timeout=300)
                    if waiting.returncode != 0:
                        faults.append(f"the waiting run ended with {waiting.returncode}: {err}")
        code, _, err = project.prod()
        if code != 0:
            faults.append(f"the last run ended with {code}: {err}")
        else:
            faults += compare(project, state, sends, kills)
        tally.check(f"random moment {number + 1}, {kills} kills", faults)
        project.remove()


if __name__ == "__main__":
    result = Tally()
    if sys.argv[1] == "points":
        points(result)
    else:
        moments(result, int(sys.argv[2]), small="full" not in sys.argv)
    result.end()
