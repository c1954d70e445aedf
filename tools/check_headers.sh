#!/usr/bin/env bash
# Compiles every header of src/ and include/ alone, so that none relies on what others include.
# Takes the flags of the release build; the compiler cache makes repeats cheap.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

prefix=$(tools/prefix.sh | tail -n 1)
launcher=()
command -v ccache >/dev/null && launcher=(ccache)
export CCACHE_BASEDIR="$PWD" CCACHE_NOHASHDIR=1 prefix
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
folders=(src)
[[ -d include ]] && folders+=(include)

# One file that includes only the header: -Wall does not then complain of "pragma once in main file".
check() {
  local header=$1 name="${1//\//_}" include=${1#src/}
  include=${include#include/}
  printf '#include "%s"\n' "$include" >"$out/$name.cc"
  "${launcher[@]}" g++ -std=c++20 -Wall -Wextra -Werror -O0 -fPIC -Isrc -Iinclude \
    -Ibuild/generated -isystem "$prefix/include" -isystem /usr/include/eigen3 \
    -c "$out/$name.cc" -o "$out/$name.o" || echo "$header" >>"$out/failed"
}
running=0
while read -r header; do
  check "$header" &
  ((++running % $(nproc) == 0)) && wait
done < <(find "${folders[@]}" -name '*.h' ! -name pch.h | sort)
wait
[[ ! -e "$out/failed" ]] || { echo "do not compile alone: $(sort "$out/failed" | xargs)" >&2; exit 1; }
