"""The wheel in a bare environment: installs, runs the demo, needs nothing else.

The program runs with an empty environment (no PATH but the venv's and the system's, no
LD_LIBRARY_PATH, no HOME of ours), from a folder outside of the checkout, and must load nothing but
what it brings and the system's libc.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
passed = failed = 0


def expect(what: str, good: bool, detail: str = "") -> None:
    global passed, failed
    passed, failed = passed + good, failed + (not good)
    if not good:
        print(f"FAILED: {what}\n{detail}")


def main() -> int:
    build = os.environ.get("HEADRACE_BUILD", str(ROOT / "build"))
    made = subprocess.run(
        [sys.executable, str(ROOT / "tools/wheel.py"), build], capture_output=True, text=True
    )
    expect("the wheel is made", made.returncode == 0, made.stdout + made.stderr)
    wheel = next((ROOT / "dist").glob("headrace-*.whl"))
    expect("it is below 80 MB", wheel.stat().st_size < 80e6, str(wheel.stat().st_size))

    folder = pathlib.Path(tempfile.mkdtemp(prefix="headrace-wheel."))
    inside = str(folder)
    shutil.copy(wheel, folder)
    environment = {"PATH": f"{inside}/venv/bin:/usr/bin:/bin", "HOME": inside, "LANG": "C.UTF-8"}

    def run(*words: str, cwd: str = "") -> subprocess.CompletedProcess:
        command = ["env", "-C", f"{inside}/{cwd}", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)

    def works(what: str, *words: str, cwd: str = "") -> str:
        done = run(*words, cwd=cwd)
        output = done.stdout + done.stderr
        expect(what, done.returncode == 0, f"{' '.join(words)} → {done.returncode}\n{output}")
        return output

    try:
        works("a venv", "python3", "-m", "venv", f"{inside}/venv")
        works("pip installs it", f"{inside}/venv/bin/pip", "install", "--no-index", "--quiet",
              "--disable-pip-version-check", f"{inside}/{wheel.name}")
        answer = works("it starts", "headrace", "version")
        expect("it says its version", answer.startswith("headrace "), answer)
        binary = folder / "venv/bin/headrace"
        expect("no Python starts before it", binary.read_bytes()[:4] == b"\x7fELF")

        doctor = works("doctor", "headrace", "doctor")
        expect("the learner is there", re.search(r"ok +LightGBM", doctor) is not None, doctor)
        works("the example", "headrace", "init", "--quiet", "--example", "churn", "churn")
        output = works("the demo runs", "headrace", "run", cwd="churn")
        expect("with a champion", "model churn, version 1: champion" in output, output)
        leader = works("the model", "headrace", "model", "show", "churn", cwd="churn")
        expect("LightGBM is among the learners", "lightgbm_" in leader, leader)
        rows = works("a query", "headrace", "query", "SELECT count(*) FROM scores", cwd="churn")
        expect("scores are there", "704" in rows, rows)

        expect("libcurl is there", re.search(r"ok +libcurl", doctor) is not None, doctor)

        environment["LD_DEBUG"] = "libs"
        maps = run("headrace", "doctor").stderr
        del environment["LD_DEBUG"]
        loaded = set(re.findall(r"calling init: (\S+)", maps))
        own = r"(/usr)?/lib(64)?/(.*/)?(libc|libm|libdl|libpthread|librt|libresolv|ld-linux)[-.].*"
        strange = [p for p in loaded if not p.startswith(inside) and not re.fullmatch(own, p)]
        duckdb = [p for p in loaded if p.endswith("lib/headrace/libduckdb.so")]
        expect("its own libraries are loaded", bool(duckdb), str(loaded))
        expect("no others but the system's", not strange, str(strange))

        works("pip removes it", f"{inside}/venv/bin/pip", "uninstall", "--yes", "--quiet", "headrace")
        left = [str(path) for path in (folder / "venv").rglob("*headrace*")]
        expect("nothing is left of it", not left, str(left))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
