"""The JSON Schema in a real editor's backend: yaml-language-server completes, flags, explains.

Starts the server (npm package, installed once into build/) over stdio and speaks LSP with it, as an
editor does: every example of the reference pages and of examples/ must be free of findings, planted
faults must be flagged at their line, completion must offer what fits.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("HEADRACE_BUILD", ROOT / "build"))
PACKAGE = "yaml-language-server@1.25.0"
passed = failed = 0


def expect(what: str, good: bool, detail: object = "") -> None:
    global passed, failed
    passed, failed = passed + good, failed + (not good)
    if not good:
        print(f"FAILED: {what}\n  {detail}")


class Server:
    """One language server; requests wait for their answer, notifications are kept."""

    def __init__(self, program: list[str], root: pathlib.Path, schemas: dict[str, list[str]]):
        self.process = subprocess.Popen(
            program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.root = root
        self.settings = {
            "yaml": {
                "schemas": schemas,
                "validate": True,
                "completion": True,
                "hover": True,
                "schemaStore": {"enable": False},
            }
        }
        self.next = 0
        self.changed = threading.Condition()
        self.answers: dict[int, dict] = {}
        self.findings: dict[str, list] = {}
        self.version = 0
        threading.Thread(target=self.read, daemon=True).start()
        self.request("initialize", {
            "processId": os.getpid(),
            "rootUri": root.as_uri(),
            "workspaceFolders": [{"uri": root.as_uri(), "name": "project"}],
            "capabilities": {
                "workspace": {"configuration": True},
                "textDocument": {"publishDiagnostics": {"versionSupport": True}},
            },
        })
        self.send("initialized", {})
        self.send("workspace/didChangeConfiguration", {"settings": self.settings})

    def write(self, message: dict) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def send(self, method: str, params: dict) -> None:
        self.write({"method": method, "params": params})

    def request(self, method: str, params: dict) -> object:
        self.next += 1
        number = self.next
        self.write({"id": number, "method": method, "params": params})
        with self.changed:
            if not self.changed.wait_for(lambda: number in self.answers, timeout=120):
                raise TimeoutError(method)
            answer = self.answers.pop(number)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def read(self) -> None:
        stream = self.process.stdout
        while line := stream.readline():
            length = 0
            while line.strip():
                name, _, value = line.decode().partition(":")
                if name.lower() == "content-length":
                    length = int(value)
                line = stream.readline()
            self.receive(json.loads(stream.read(length)))

    def receive(self, message: dict) -> None:
        if "method" in message and "id" in message:  # the server asks
            result = None
            if message["method"] == "workspace/configuration":
                result = [self.settings.get(i.get("section"), {}) for i in message["params"]["items"]]
            self.write({"id": message["id"], "result": result})
            return
        with self.changed:
            if "id" in message:
                self.answers[message["id"]] = message
            elif message["method"] == "textDocument/publishDiagnostics":
                params = message["params"]
                self.findings[params["uri"]] = params["diagnostics"]
            self.changed.notify_all()

    def open(self, name: str, text: str) -> str:
        # Each text is a file of its own: what the server thinks of one can't be taken for another.
        self.version += 1
        uri = (self.root / f"{self.version}" / name).as_uri()
        self.send("textDocument/didOpen", {
            "textDocument": {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        })
        return uri

    def close(self, uri: str) -> None:
        self.send("textDocument/didClose", {"textDocument": {"uri": uri}})

    def check(self, name: str, text: str) -> list[tuple[int, str]]:
        """What the server flags: (line from 1, message)."""
        uri = self.open(name, text)
        with self.changed:
            if not self.changed.wait_for(lambda: uri in self.findings, timeout=120):
                raise TimeoutError(f"no findings for {name}")
            found = self.findings.pop(uri)
        self.close(uri)
        return [(one["range"]["start"]["line"] + 1, one["message"]) for one in found]

    def complete(self, name: str, text: str) -> list[str]:
        """What is offered where `|` stands."""
        before, _, after = text.partition("|")
        line = before.count("\n")
        uri = self.open(name, before + after)
        result = self.request("textDocument/completion", {
            "textDocument": {"uri": uri},
            "position": {"line": line, "character": len(before) - before.rfind("\n") - 1},
        })
        self.close(uri)
        items = result["items"] if isinstance(result, dict) else result or []
        return [item["label"] for item in items]

    def hover(self, name: str, text: str, line: int, character: int) -> str:
        uri = self.open(name, text)
        result = self.request("textDocument/hover", {
            "textDocument": {"uri": uri}, "position": {"line": line, "character": character}
        })
        self.close(uri)
        return json.dumps(result)

    def stop(self) -> None:
        self.request("shutdown", {})
        self.send("exit", {})
        self.process.wait(timeout=30)


def install() -> list[str]:
    home = BUILD / "language_server"
    program = home / "node_modules/yaml-language-server/bin/yaml-language-server"
    if not program.exists():
        home.mkdir(parents=True, exist_ok=True)
        (home / "package.json").write_text("{}\n")
        subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent", PACKAGE],
            cwd=home, check=True, timeout=300,
        )
    return ["node", str(program), "--stdio"]


def name_for(path: pathlib.PurePath) -> str:
    """Where a project file stands, as the schemas are told apart."""
    if path.name in ("headrace.yml", "_folder.yml"):
        return f"{path.name}"
    if path.parent.name in ("checks", "tests"):
        return f"{path.parent.name}/{path.name}"
    return f"pipeline/{path.name}"


def check_examples(server: Server) -> None:
    for path in sorted(ROOT.glob("examples/**/*.yml")):
        found = server.check(name_for(path), path.read_text())
        expect(f"{path.relative_to(ROOT)} is free of findings", not found, found)


def check_reference(server: Server) -> None:
    count = 0
    for page in sorted((ROOT / "docs/reference").glob("*.md")):
        for text in re.findall(r"^```yaml\n(.*?)^```$", page.read_text(), re.M | re.S):
            name = "pipeline/example.yml"
            if page.stem == "check":
                indented = text.replace("\n", "\n    ")
                text = f"source: csv\npath: x.csv\nchecks:\n  - {indented}\n"
            elif page.stem == "connection":
                indented = text.replace("\n", "\n    ")
                text = f"project: p\nconnections:\n  c:\n    {indented}\n"
                name = "headrace.yml"
            elif page.stem == "settings":
                name = "headrace.yml"
            elif page.stem == "folder":
                name = "_folder.yml"
            found = server.check(name, text)
            expect(f"an example of {page.name}", not found, f"{found}\n{text}")
            count += 1
    expect("the pages have examples", count >= 15, count)


FAULTS = [
    ("a misspelt field", "source: csv\npth: x.csv\n", 2, "pth"),
    ("a missing field", "source: csv\nkey: id\n", 1, 'Missing property "path"'),
    ("an unknown type", "source: cvs\npath: x.csv\n", 1, "csv"),
    ("an unknown kind", "sauce: csv\npath: x\n", 1, "sauce"),
    ("a wrong word", "source: csv\npath: x\nschema_change: perhaps\n", 3, "ignore"),
    ("a wrong number", "source: csv\npath: x\nretries: often\n", 3, "whole number"),
    ("a number out of range", "source: csv\npath: x\nretries: 1000\n", 3, "100"),
    ("a wrong switch", "source: csv\npath: x\nheader: yes\n", 3, "true or false"),
    ("an unknown check", "source: csv\npath: x\nchecks:\n  - betwen: {column: a, min: 1}\n", 4, "betwen"),
    ("a check without a column", "source: csv\npath: x\nchecks:\n  - between: {min: 1}\n", 4, "column"),
    ("a wrong severity", "source: csv\npath: x\nchecks:\n  - unique: {columns: a, severity: bad}\n", 4,
     "quarantine"),
    ("a field of another kind", "predict: churn\nfrom: a\ntarget: b\n", 3, "target"),
    ("a field of the model below a .sql", "description: d\ntarget: b\n", 2, "target"),
    ("a field twice", "source: csv\npath: x\npath: y\n", 3, "unique"),
]
FINE = [
    ("a variable for a number", "source: csv\npath: x\nretries: ${RETRIES:-3}\n"),
    ("short forms", "source: csv\npath: x\nchecks:\n  - unique: id\n  - not_null: [a, b]\n"),
    ("checks below a column", "source: csv\npath: x\ncolumns:\n  plan: {checks: [not_null, "
     "{accepted: [a, b]}, {between: {min: 0}}]}\n  id: BIGINT\n"),
    ("a share", "source: csv\npath: x\nchecks:\n  - not_null: {columns: a, allow: 1%}\n"),
    ("properties of a .sql", "description: d\nchecks: [{unique: a}]\n"),
]
COMPLETIONS = [
    ("kinds in an empty file", "|", ["source", "model", "predict", "sink", "action", "checks"]),
    ("types of a source", "source: |", ["csv", "sqlite"]),
    ("types of a model", "model: |", ["classification", "regression"]),
    ("fields of a csv source", "source: csv\n|", ["path", "delimiter", "checks", "on_failure"]),
    ("fields of a model", "model: classification\nfrom: a\n|", ["target", "gate", "positive"]),
    ("words of a field", "source: csv\npath: x\non_failure: |", ["skip", "stop", "use_last"]),
    ("checks", "source: csv\npath: x\nchecks:\n  - |", ["not_null", "between", "unique"]),
    ("fields of a check", "source: csv\npath: x\nchecks:\n  - between:\n      |", ["column", "min", "max"]),
]


TEST = "test: a\ngiven:\n  t: [{id: 1}]\n  u: {csv: fixtures/u.csv}\n  v: []\nexpect:\n  - {id: 1}\n"


def check_others(server: Server) -> None:
    """Files of tests/ and checks/."""
    fine = [("tests/a.yml", TEST), ("tests/a.yml", "test: a\nparams: {day: 2026-01-01}\nexpect: []\n"),
            ("checks/a.yml", "severity: warn\nowner: ann\ndescription: d\nname: n\n")]
    for name, text in fine:
        found = server.check(name, text)
        expect(f"{name}: nothing is flagged", not found, f"{found}\n{text}")
    faults = [
        ("tests/a.yml", TEST.replace("given", "givne"), 2, "givne"),
        ("tests/a.yml", "test: a\n", 1, "expect"),
        ("tests/a.yml", TEST.replace("csv:", "cvs:"), 4, ""),
        ("tests/a.yml", "test: a\nexpect: 5\n", 2, ""),
        ("checks/a.yml", "severity: quarantine\n", 1, "warn"),
        ("checks/a.yml", "severty: warn\n", 1, "severty"),
        ("checks/a.yml", "allow: 1%\n", 1, "allow"),
    ]
    for name, text, line, word in faults:
        found = server.check(name, text)
        good = any(at == line and word in message for at, message in found)
        expect(f"{name}: a fault is flagged in line {line}", good, f"{found}\n{text}")
    for name, text, words in [
        ("tests/a.yml", "|", ["test", "given", "expect", "params"]),
        ("tests/a.yml", "test: a\ngiven:\n  t:\n    |\nexpect: []\n", ["csv"]),
        ("checks/a.yml", "|", ["severity", "owner", "description"]),
        ("checks/a.yml", "severity: |", ["error", "warn"]),
    ]:
        offered = server.complete(name, text)
        missing = [word for word in words if word not in offered]
        expect(f"{name}: {words} are offered", not missing, f"missing {missing} in {offered}")
    text = server.hover("tests/a.yml", TEST, 5, 1)
    expect("what a field of a test means", "must come out" in text, text)


def main() -> int:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="headrace-lsp."))
    schemas = folder / "schemas"
    subprocess.run(
        [str(BUILD / "headrace"), "schema", "--quiet", "--output", str(schemas)], check=True
    )
    project = folder / "project"
    (project / "pipeline").mkdir(parents=True)
    server = Server(install(), project, {
        (schemas / "headrace.schema.json").as_uri(): ["**/headrace.yml"],
        (schemas / "folder.schema.json").as_uri(): ["**/_folder.yml"],
        (schemas / "node.schema.json").as_uri(): ["**/pipeline/*.yml"],
        (schemas / "check.schema.json").as_uri(): ["**/checks/*.yml"],
        (schemas / "test.schema.json").as_uri(): ["**/tests/*.yml"],
    })
    try:
        check_examples(server)
        check_reference(server)
        for what, text, line, word in FAULTS:
            found = server.check("pipeline/a.yml", text)
            good = any(at == line and word in message for at, message in found)
            expect(f"{what} is flagged in line {line}", good, f"{found}\n{text}")
        for what, text in FINE:
            found = server.check("pipeline/a.yml", text)
            expect(f"{what}: nothing is flagged", not found, f"{found}\n{text}")
        for what, text, words in COMPLETIONS:
            offered = server.complete("pipeline/a.yml", text)
            missing = [word for word in words if word not in offered]
            expect(f"{what} are offered", not missing, f"missing {missing} in {offered}")
        found = server.check("headrace.yml", "project: p\ntargets:\n  dev: {engin: duckdb}\n")
        expect("a misspelt field of a target", any("engin" in m for _, m in found), found)
        found = server.check("headrace.yml", "project: p\nconnections:\n  c: {type: sqlite, pat: x}\n")
        expect("a misspelt field of a connection", any("pat" in m for _, m in found), found)
        check_others(server)
        text = server.hover("pipeline/a.yml", "source: csv\npath: x\n", 1, 1)
        expect("what a field means", "glob" in text, text)
        text = server.hover("pipeline/a.yml", "model: classification\nfrom: a\ntarget: b\n", 2, 1)
        expect("what a model's field means", "Column to predict" in text, text)
        server.stop()
    finally:
        server.process.kill()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
