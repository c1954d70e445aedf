"""Checks who includes what in src/, and that each folder has a place: check_includes.py [ROOT].

A folder includes only itself and the folders that stand above it in cmake/folders.txt; serve and
cli do not know each other. Third-party headers stop at the folders named below, so that each
library can be absent or swapped.
"""

import pathlib
import re
import sys

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+(["<])([^">]+)[">]', re.MULTILINE)

APART = [{"serve", "cli"}]

# Header (as a pattern of the whole name) -> the places that may include it. A place ends at a "/"
# or at a ".", so "exec/duckdb" also stands for exec/duckdb_scan.cc if that is spelled out.
THIRD_PARTY = [
    (r"duckdb(_extension)?\.h", ["data", "exec/duckdb", "sql"]),
    (r"sqlite3(ext)?\.h", ["store", "components/sources", "components/sinks"]),
    (r"libpq-fe\.h", ["components/postgres"]),
    (r"libfyaml\.h", ["yaml"]),
    (r"(zlib|zstd)\.h", ["components/sources"]),
    (r"curl/.*", ["net"]),
    (r"(Eigen|unsupported/Eigen)/.*", ["learn"]),
    (r"CLI/.*", ["cli"]),
]
# These cost a second in every file that sees them: never in a header.
NOT_IN_HEADERS = [(r"nlohmann/json\.hpp", "nlohmann/json_fwd.hpp")]


def within(path: str, place: str) -> bool:
    return path.startswith((f"{place}/", f"{place}."))


def check(root: pathlib.Path) -> list[str]:
    order = (root / "cmake/folders.txt").read_text().split()
    rank = {folder: position for position, folder in enumerate(order)}
    faults = []
    for file in sorted((root / "src").rglob("*")):
        if file.suffix not in (".h", ".cc"):
            continue
        path = file.relative_to(root / "src").as_posix()
        folder = path.split("/")[0]
        if folder not in rank:
            faults.append(f"src/{path}: folder '{folder}' is not in cmake/folders.txt")
            continue
        text = file.read_text()

        def fault(match: re.Match, message: str) -> None:
            line = text.count("\n", 0, match.start()) + 1
            faults.append(f"src/{path}:{line}: {message}")

        for match in INCLUDE.finditer(text):
            quote, name = match.groups()
            target = name.split("/")[0] if "/" in name else None
            if quote == '"':
                if target is None and (file.parent / name).exists():
                    fault(match, f'write "{file.parent.relative_to(root / "src")}/{name}"')
                elif target in rank and rank[target] > rank[folder]:
                    fault(match, f"{folder} stands above {target} and may not include {name}")
                elif target in rank and any({folder, target} == pair for pair in APART):
                    fault(match, f"{folder} and {target} may not include each other")
            for pattern, places in THIRD_PARTY:
                if re.fullmatch(pattern, name) and not any(within(path, p) for p in places):
                    fault(match, f"{name} may be included only in {', '.join(places)}")
            for pattern, instead in NOT_IN_HEADERS:
                if file.suffix == ".h" and re.fullmatch(pattern, name):
                    fault(match, f"{name} may not be included in a header; use {instead}")
        if file.suffix == ".h" and "#pragma once" not in text:
            faults.append(f"src/{path}:1: a header starts with #pragma once")
    return faults


def main() -> int:
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1])
    faults = check(root)
    print("\n".join(faults), file=sys.stderr, end="\n" if faults else "")
    return 1 if faults else 0


sys.exit(main())
