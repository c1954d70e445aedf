"""Planted secrets are nowhere: output, state, logs, temporary files, arguments of child processes."""
import base64
import os
import subprocess
import tempfile
import threading
import time
import urllib.parse

from harness import HEADRACE, Project, Tally

SECRET = "s3cr3t/Pa+ss wörd"
ENV_SECRET = "tok3n-0123456789"


def forms(secret):
    raw = secret.encode()
    yield raw
    yield urllib.parse.quote(secret, safe="").encode()
    yield urllib.parse.quote_plus(secret).encode()
    yield base64.b64encode(raw).rstrip(b"=")[:-1]
    yield base64.urlsafe_b64encode(raw).rstrip(b"=")[:-1]


def found_in(data, where):
    return [f"{where} holds a secret" for secret in (SECRET, ENV_SECRET)
            for form in forms(secret) if form in data]


def arguments_seen(stop, seen):
    while not stop.is_set():
        for pid in os.listdir("/proc"):
            if pid.isdigit():
                try:
                    with open(f"/proc/{pid}/cmdline", "rb") as file:
                        seen.add(file.read())
                except OSError:
                    pass
        time.sleep(0.002)


def main():
    tally = Tally()
    project = Project()
    with open(os.path.join(project.root, "tools", "call.sh"), "w") as file:
        # Says its token on stderr and fails: the text comes back as an error.
        file.write('#!/bin/sh\ncat > /dev/null\necho "cannot log in with $TOKEN" >&2\nexit 3\n')
    with open(os.path.join(project.root, "pipeline", "calls.yml"), "a") as file:
        file.write('env: {TOKEN: "${API_TOKEN}"}\n')
    with open(os.path.join(project.root, ".env"), "w") as file:
        file.write(f"API_TOKEN='{SECRET}'\n")
    # A path with a secret that doesn't exist: the error names the path.
    project.edit("headrace.yml", "usage_db: {type: sqlite, path: data/usage.db}",
                 "usage_db: {type: sqlite, path: data/usage.db}\n"
                 '  other_db: {type: sqlite, path: "data/${DB_TOKEN}.db"}')
    with open(os.path.join(project.root, "pipeline", "other.yml"), "w") as file:
        file.write("source: sqlite\nconnection: other_db\ntable: t\n")
    stop, seen = threading.Event(), set()
    watcher = threading.Thread(target=arguments_seen, args=(stop, seen))
    watcher.start()
    texts = []
    temporary = tempfile.mkdtemp(dir=project.folder)
    for command in (["lint"], ["plan", "--target", "prod"], ["run", "--target", "prod"],
                    ["run", "--target", "prod", "--json"], ["list"], ["show", "calls"], ["show", "other"]):
        code, out, err = project.run(*command, DB_TOKEN=ENV_SECRET, TMPDIR=temporary)
        texts.append((" ".join(command), (out + err).encode()))
    os.remove(os.path.join(project.root, "pipeline", "other.yml"))
    for command in (["run", "--target", "prod"], ["run", "--target", "prod", "--json"], ["show", "--target", "prod", "calls"]):
        code, out, err = project.run(*command, DB_TOKEN=ENV_SECRET, TMPDIR=temporary)
        texts.append((" ".join(command), (out + err).encode()))
    stop.set()
    watcher.join()
    tally.check("the failing sends were made",
                [] if b"exit code 3" in texts[-1][1] + texts[-3][1] else [texts[-3][1].decode()])
    for name, data in texts:
        tally.check(f"output of {name}", found_in(data, "it"))
    faults = []
    for folder in (os.path.join(project.root, ".headrace"), temporary):
        for path, _, files in os.walk(folder):
            for file in files:
                with open(os.path.join(path, file), "rb") as handle:
                    faults += found_in(handle.read(), os.path.join(path, file))
    tally.check("files", faults)
    tally.check("arguments of processes", [f for line in seen for f in found_in(line, repr(line))])
    project.remove()
    tally.end()


if __name__ == "__main__":
    main()
