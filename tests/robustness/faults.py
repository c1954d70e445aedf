"""A full disk and I/O errors at writing calls of a run, ours, SQLite's and DuckDB's alike: the run
ends with an error that says so, the store stays sound, the next run completes.

    faults.py [N]   N calls spread over the run, in turns a full disk and an I/O error (default 16);
                    0 = every call, each with both
"""
import errno
import os
import subprocess
import sys
import tempfile

from harness import SOURCE, Project, Tally, calm, compare


def shim(folder):
    library = os.path.join(folder, "fail_write.so")
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library,
                    os.path.join(SOURCE, "tests", "robustness", "fail_write.c"), "-ldl"], check=True)
    return library


def main(count):
    tally = Tally()
    state, sends, _ = calm()
    with tempfile.TemporaryDirectory() as folder:
        library = shim(folder)
        project = Project()
        counter = os.path.join(folder, "count")
        code, _, err = project.prod(LD_PRELOAD=library, HR_FAIL_BELOW=project.root, HR_FAIL_COUNT=counter)
        assert code == 0, err
        with open(counter) as file:
            total = int(file.read())
        project.remove()
        print(f"an undisturbed run makes {total} writing calls")
        step = 1 if count == 0 else max(1, total // count)
        calls = enumerate(range(1, total + 1, step))
        both = count == 0
        for at, full in [(at, full) for number, at in calls for full in (True, False)
                         if both or full == (number % 2 == 0)]:
            name = f"{'disk full from' if full else 'I/O error at'} call {at}"
            project = Project()
            env = dict(LD_PRELOAD=library, HR_FAIL_BELOW=project.root, HR_FAIL_AT=str(at),
                       HR_FAIL_ERRNO=str(errno.ENOSPC if full else errno.EIO))
            if full:
                env["HR_FAIL_STICKY"] = "1"
            code, _, err = project.prod(**env)
            faults = []
            if code not in (0, 1):
                faults.append(f"ended with {code}: {err}")
            if code == 1 and "error[" not in err:
                faults.append(f"no error was named: {err}")
            if code == 1 and full and not any(w in err.lower() for w in ("no space", "disk is full", "disk full", "no_space")):
                faults.append(f"the full disk isn't named: {err}")
            if code == 0:  # a failure that cost nothing, such as the last write of a log
                faults += compare(project, state, sends, 0)
            second, _, err = project.prod()
            if second != 0:
                faults.append(f"the next run ended with {second}: {err}")
            else:
                faults += compare(project, state, sends, 1)
            code, out, err = project.run("doctor")
            if code != 0:
                faults.append(f"doctor: {out}{err}")
            tally.check(name, faults)
            project.remove()
    tally.end()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 16)
