#!/usr/bin/env bash
# Makes the prefix: the libraries that Debian does not package (see prefix.lock), laid out so that
# CMake finds them by find_package. Prints its path as the last line; instant when it is there.
#
#   include/duckdb.h          lib/libduckdb.so          lib/cmake/DuckDB/
#   lib/runtime/              learners, loaded on use
#   share/licenses/           the licence of each, for the NOTICE file
#
# Only the ordinary clients fetch, by package name, so mirrors and proxies configured for pip and
# npm work. Every download is checked against the lock and kept; an interrupted run goes on where
# it stopped; two at once wait for each other. HEADRACE_PREFIX names a prefix made by hand,
# HEADRACE_CACHE another cache folder.
set -euo pipefail

if [[ -n "${HEADRACE_PREFIX:-}" ]]; then
  echo "$HEADRACE_PREFIX"
  exit 0
fi

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
lock="$here/prefix.lock"
cache="${HEADRACE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/headrace}"
key=$(cat "$lock" "$here/prefix.sh" | sha256sum)
prefix="$cache/prefix/${key:0:16}"
if [[ -e "$prefix/.complete" ]]; then
  echo "$prefix"
  exit 0
fi

say() { echo "prefix: $*" >&2; }
die() { say "$*"; exit 1; }

[[ "$(uname -sm)" == "Linux x86_64" ]] ||
  die "ready-made libraries exist for Linux x86_64 only; build them and set HEADRACE_PREFIX"

mkdir -p "$cache/prefix" "$cache/downloads"
exec 9>"$cache/prefix/.lock"
flock 9
if [[ -e "$prefix/.complete" ]]; then # made by the one we waited for
  echo "$prefix"
  exit 0
fi

tmp="$cache/prefix/.tmp.$$"
rm -rf "$cache"/prefix/.tmp.* # we hold the lock: leftovers of runs that were killed
mkdir -p "$tmp/work"
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$tmp"' EXIT

export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 npm_config_update_notifier=false
if python3 -m pip --version >/dev/null 2>&1; then
  pip=(python3 -m pip)
elif command -v pip3 >/dev/null; then
  pip=(pip3)
else
  python3 -m venv "$tmp/work/venv" >&2 || die "neither pip nor venv works: run tools/setup.sh"
  pip=("$tmp/work/venv/bin/python" -m pip)
fi

# pip runs the build backend of an sdist although we only want the file: 20 s and 30 MB of build
# tools. DuckDB's backend wraps scikit-build-core, so a stand-in for that which hands out the
# metadata already in the sdist does. Should it ever not, fetch_sdist falls back to the long way.
stub="$tmp/work/stub/scikit_build_core/build"
mkdir -p "$stub"
touch "$tmp/work/stub/scikit_build_core/__init__.py"
cat >"$stub/__init__.py" <<'PY'
import email
import pathlib


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    text = pathlib.Path("PKG-INFO").read_text()
    headers = email.message_from_string(text)
    info = pathlib.Path(metadata_directory, f"{headers['Name']}-{headers['Version']}.dist-info")
    info.mkdir()
    (info / "METADATA").write_text(text)
    return info.name


def get_requires_for_build_wheel(config_settings=None):
    return []


def _unused(*args, **kwargs):
    raise NotImplementedError


build_wheel = build_sdist = build_editable = _unused
prepare_metadata_for_build_editable = _unused
get_requires_for_build_sdist = get_requires_for_build_editable = get_requires_for_build_wheel
PY

fetch_sdist() { # package folder
  PYTHONPATH="$tmp/work/stub" timeout 300 "${pip[@]}" download --no-deps --no-build-isolation \
    --no-binary="${1%%==*}" -d "$2" "$1" ||
    timeout 900 "${pip[@]}" download --no-deps --no-binary="${1%%==*}" -d "$2" "$1"
}

fetch_wheel() { # The platform is spelled out: the wheel does not depend on the running Python.
  timeout 300 "${pip[@]}" download --no-deps --only-binary=:all: --python-version 3.12 \
    --implementation py --abi none --platform manylinux_2_28_x86_64 -d "$2" "$1"
}

fetch_npm() {
  command -v npm >/dev/null || { echo "npm is missing: run tools/setup.sh"; return 1; }
  (cd "$2" && timeout 300 npm pack "$1")
}

fetch() { # kind package file sha256
  local kept="$cache/downloads/$4/$3" dir="$tmp/work/$4" log="$tmp/work/$4.log" try sum
  [[ -e "$kept" ]] && return 0
  for try in 1 2 3; do
    rm -rf "$dir"
    mkdir -p "$dir"
    if "fetch_$1" "$2" "$dir" >"$log" 2>&1 && [[ -f "$dir/$3" ]]; then
      sum=$(sha256sum "$dir/$3")
      [[ "${sum%% *}" == "$4" ]] || die "$2: the checksum is ${sum%% *}, prefix.lock says $4"
      mkdir -p "${kept%/*}"
      mv "$dir/$3" "$kept"
      return 0
    fi
    ((try == 3)) || sleep $((try * 3))
  done
  tail -n 20 "$log" >&2
  die "cannot fetch $2"
}

say "fetching (once) into $cache"
declare -A path=()
pids=()
while read -r kind package file sum; do
  [[ -z "$kind" || "$kind" == \#* ]] && continue
  name=${package%%==*} # npm separates the version by a single @
  [[ "$kind" == npm ]] && name=${package%@*}
  path[$kind:$name]="$cache/downloads/$sum/$file"
  fetch "$kind" "$package" "$file" "$sum" &
  pids+=($!)
done <"$lock"
for pid in "${pids[@]}"; do wait "$pid" || die "failed; what is complete is kept for the next try"; done

member() { # archive member-pattern destination
  mkdir -p "${3%/*}"
  tar -xzf "$1" --wildcards -O "$2" >"$3"
  [[ -s "$3" ]] || die "$1 has no $2"
}
unzip_member() { # archive member destination
  mkdir -p "${3%/*}"
  unzip -p "$1" "$2" >"$3" || die "$1 has no $2"
}

out="$tmp/out"
duckdb_sdist="${path[sdist:duckdb]}"
duckdb_npm="${path[npm:@duckdb/node-bindings-linux-x64]}"
lightgbm="${path[wheel:lightgbm]}"
duckdb_version=${duckdb_sdist##*/duckdb-}
duckdb_version=${duckdb_version%.tar.gz}
member "$duckdb_sdist" "duckdb-*/external/duckdb/src/include/duckdb.h" "$out/include/duckdb.h"
member "$duckdb_sdist" "duckdb-*/external/duckdb/LICENSE" "$out/share/licenses/duckdb/LICENSE"
member "$duckdb_npm" "package/libduckdb.so" "$out/lib/libduckdb.so"
unzip_member "$lightgbm" lightgbm/lib/lib_lightgbm.so "$out/lib/runtime/lib_lightgbm.so"
unzip_member "$lightgbm" "lightgbm-*.dist-info/licenses/LICENSE" \
  "$out/share/licenses/lightgbm/LICENSE"
chmod 755 "$out/lib/libduckdb.so" "$out/lib/runtime/lib_lightgbm.so"

# The header and the library come from two packages: make sure that they are one version.
found=$(python3 - "$out/lib/libduckdb.so" <<'PY'
import ctypes, sys
version = ctypes.CDLL(sys.argv[1]).duckdb_library_version
version.restype = ctypes.c_char_p
print(version().decode())
PY
)
[[ "$found" == "v$duckdb_version" ]] ||
  die "libduckdb.so says $found, the header is of v$duckdb_version"

mkdir -p "$out/lib/cmake/DuckDB"
cat >"$out/lib/cmake/DuckDB/DuckDBConfig.cmake" <<'CMAKE'
get_filename_component(_duckdb_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(NOT TARGET DuckDB::duckdb)
  add_library(DuckDB::duckdb SHARED IMPORTED)
  set_target_properties(DuckDB::duckdb PROPERTIES
    IMPORTED_LOCATION "${_duckdb_prefix}/lib/libduckdb.so"
    IMPORTED_SONAME libduckdb.so
    INTERFACE_INCLUDE_DIRECTORIES "${_duckdb_prefix}/include")
endif()
unset(_duckdb_prefix)
CMAKE
cat >"$out/lib/cmake/DuckDB/DuckDBConfigVersion.cmake" <<CMAKE
set(PACKAGE_VERSION "$duckdb_version")
if(PACKAGE_FIND_VERSION VERSION_GREATER PACKAGE_VERSION)
  set(PACKAGE_VERSION_COMPATIBLE FALSE)
else()
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
  if(PACKAGE_FIND_VERSION VERSION_EQUAL PACKAGE_VERSION)
    set(PACKAGE_VERSION_EXACT TRUE)
  endif()
endif()
CMAKE
touch "$out/.complete"
rm -rf "$prefix"
mv "$out" "$prefix"
say "made $prefix"
echo "$prefix"
