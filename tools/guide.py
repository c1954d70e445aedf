"""Runs the command lines of the guide and compares what they print: guide.py [--update] [PAGE…].

A page is a Markdown file; it starts in a new folder of its own, and its blocks run in order:

  ```console            `$ command` (`> ` goes on with it), then what it prints, both streams. A
                        line `…` stands for any lines, `…` in a line for any text. Times, ids and
                        hashes are compared masked.
                        A command may fail only when `$ echo $?` comes next.
  ```yaml, sql, json    With `# path` or `-- path` as first line: written to that file.

A comment `<!-- needs: postgres -->` starts a PostgreSQL server for the page, with its address in
$CRM_URI; `<!-- needs: http -->` a web server of the page's folder, $API_URL; what is posted to
it is added to the file of that name, a line each. --update writes what was printed into the pages,
but for blocks with a line `…` that still fit. The last line says how many pages passed and failed.
"""

import argparse
import contextlib
import difflib
import http.server as http_server
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[1]
FENCE = re.compile(r"^```([a-z]+)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"(?:#|--) ([\w./-]+\.(?:yml|sql|csv|json|sh))\n")
TIMEOUT = 300  # seconds, of one command

MASKS = [
    (re.compile(r"\d{8}-\d{6}-[0-9a-f]{6,}"), "{id}"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?"), "{time}"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "{hash}"),
    (re.compile(r"\b\d+(\.\d+)? (ms|s|m|h)\b( \d+ (s|m)\b)?"), "{seconds}"),
    (re.compile(r"\b\d+(\.\d+)? [kMG]?i?B\b"), "{bytes}"),
    (re.compile(r"[ \t]+$", re.MULTILINE), ""),
    # Columns move when a time in them has another width.
    (re.compile(r"(?<=\S)  +"), "  "),
]


class Failure(Exception):
    pass


def mask(text: str, folder: str) -> str:
    text = text.replace(folder + "/work", "~")
    for pattern, instead in MASKS:
        text = pattern.sub(instead, text)
    return text


def same(expected: str, printed: str) -> bool:
    """Whether a line is the same, `…` in it standing for any text."""
    parts = [re.escape(part) for part in expected.split("…")]
    return re.fullmatch(".*".join(parts), printed) is not None


def fits(expected: list[str], printed: list[str]) -> bool:
    """The same of lines; a line `…` stands for any number of them."""
    if not expected:
        return not printed
    if expected[0].strip() == "…":
        return any(fits(expected[1:], printed[i:]) for i in range(len(printed) + 1))
    return bool(printed) and same(expected[0], printed[0]) and fits(expected[1:], printed[1:])


def commands_of(block: str) -> list[tuple[str, str]]:
    """The commands of a console block with what each is said to print."""
    commands: list[tuple[str, str]] = []
    inside = False
    for line in block.splitlines():
        if line.startswith("$ "):
            commands.append((line[2:], ""))
            inside = True
        elif inside and line.startswith("> "):
            commands[-1] = (commands[-1][0] + "\n" + line[2:], "")
        elif commands:
            commands[-1] = (commands[-1][0], commands[-1][1] + line + "\n")
            inside = False
        else:
            raise Failure(f"a console block starts with '$ command', not '{line}'")
    return commands


class Shell:
    """Runs one command after another, each in the folder and environment the last one left."""

    def __init__(self, folder: pathlib.Path, environment: dict[str, str]):
        self.state = folder / ".state"
        self.folder = self.start = folder / "work"
        self.folder.mkdir()
        self.environment = environment
        self.status = 0

    def run(self, command: str) -> str:
        script = (
            "set -a\n"  # a variable set in one command is there in the next
            f'[[ -e "{self.state}" ]] && source "{self.state}"\n'
            f'trap \'export -p >"{self.state}"; echo "cd $(printf %q "$PWD")" >>"{self.state}"\' EXIT\n'
            f"(exit {self.status})\n{command}\n"
        )
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.start,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT,
            text=True,
        )
        self.status = done.returncode
        return done.stdout


class Page:
    def __init__(self, path: pathlib.Path, update: bool):
        self.path = path
        self.update = update
        self.text = path.read_text()
        self.faults: list[str] = []
        self.commands = 0

    def run(self, folder: pathlib.Path, environment: dict[str, str]) -> None:
        self.where = str(folder)
        shell = Shell(folder, environment)
        pieces, end = [], 0
        pending = ""  # a command that failed, until `echo $?` shows that it should
        for match in FENCE.finditer(self.text):
            language, body = match.groups()
            if language == "console":
                new, pending = self.console(shell, body, pending)
            else:
                new = body
                self.file(shell, body)
            pieces += [self.text[end : match.start(2)], new]
            end = match.end(2)
        if pending:
            self.faults.append(pending)
        self.text = "".join(pieces) + self.text[end:]

    def file(self, shell: Shell, body: str) -> None:
        named = FILE.match(body)
        if not named:
            return
        here = shell.run("pwd").strip()
        target = pathlib.Path(here, named[1])
        target.parent.mkdir(parents=True, exist_ok=True)
        # The line that names the file stays in it, but where it is no comment.
        plain = target.suffix in (".csv", ".json")
        target.write_text(body[named.end() :] if plain else body)

    def console(self, shell: Shell, body: str, pending: str) -> tuple[str, str]:
        out = ""
        for command, expected in commands_of(body):
            if pending and command != "echo $?":
                self.faults.append(pending)
            try:
                printed = shell.run(command)
            except subprocess.TimeoutExpired:
                raise Failure(f"$ {command}\n  took more than {TIMEOUT} s")
            self.commands += 1
            pending = ""
            if shell.status != 0:
                pending = f"$ {command}\n  failed with {shell.status}:\n{printed}"
            good = fits(
                mask(expected, self.where).splitlines(), mask(printed, self.where).splitlines()
            )
            if not good and not self.update:
                diff = difflib.unified_diff(
                    mask(expected, self.where).splitlines(),
                    mask(printed, self.where).splitlines(),
                    "in the page",
                    "printed",
                    lineterm="",
                )
                self.faults.append(f"$ {command}\n" + "\n".join(diff))
            shown = expected if good else printed.replace(self.where + "/work", "~")
            if shown and not shown.endswith("\n"):
                shown += "\n"
            out += "$ " + command.replace("\n", "\n> ") + "\n" + shown
        return out, pending


NEEDS = re.compile(r"^<!-- needs: ([a-z ]+) -->$", re.MULTILINE)


@contextlib.contextmanager
def postgres(folder: pathlib.Path):
    sys.path.insert(0, str(ROOT / "tests/robustness"))
    import postgres_server  # only pages that need it

    with postgres_server.Server() as server:
        yield {"CRM_URI": server.uri(), "POSTGRES_BIN": server.bin}


@contextlib.contextmanager
def http(folder: pathlib.Path):
    class Handler(http_server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(folder / "work"))

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with open(self.translate_path(self.path), "ab") as posted:
                posted.write(body + b"\n")
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    with http_server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield {"API_URL": f"http://127.0.0.1:{server.server_port}"}
        server.shutdown()


def run_page(path: pathlib.Path, update: bool) -> bool:
    page = Page(path, update)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="headrace-guide."))
    build = os.environ.get("HEADRACE_BUILD", str(ROOT / "build"))
    environment = {
        "PATH": f"{build}:{os.environ['PATH']}",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "TMPDIR": str(folder),
    }
    try:
        with contextlib.ExitStack() as servers:
            for need in " ".join(NEEDS.findall(page.text)).split():
                start = {"postgres": postgres, "http": http}[need]
                environment |= servers.enter_context(start(folder))
            if "POSTGRES_BIN" in environment:
                environment["PATH"] += ":" + environment.pop("POSTGRES_BIN")
            page.run(folder, environment)
    except Failure as failure:
        page.faults.append(str(failure))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    name = path.relative_to(ROOT)
    if update and page.text != path.read_text():
        path.write_text(page.text)
        print(f"{name}: updated")
    for fault in page.faults:
        print(f"-- {name}\n{fault}")
    print(f"{name}: {page.commands} commands, {len(page.faults)} faults")
    return not page.faults


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--update", action="store_true")
    parser.add_argument("pages", nargs="*")
    arguments = parser.parse_args()
    if arguments.pages:
        pages = [pathlib.Path(page).resolve() for page in arguments.pages]
    else:
        pages = [*sorted((ROOT / "docs/guide").glob("*.md"))]
    passed = [run_page(page, arguments.update) for page in pages]
    print(f"{sum(passed)} passed, {len(passed) - sum(passed)} failed")
    return 0 if all(passed) else 1


sys.exit(main())
