#!/usr/bin/env bash
# Installs what building and testing need and this machine lacks, as Debian packages. Asks for
# nothing when all is there. The libraries that Debian does not package come from tools/prefix.sh.
set -euo pipefail

packages=(
  g++ cmake ninja-build ccache mold pkg-config make git clang-format zstd unzip
  libfyaml-dev libsqlite3-dev libxxhash-dev libfmt-dev libeigen3-dev libcli11-dev
  nlohmann-json3-dev libgtest-dev libgomp1 zlib1g-dev libzstd-dev libcurl4-openssl-dev
  libpq-dev postgresql-15
)
# Python and Node are often installed by other means (pyenv, nvm): only their commands count.
command -v python3 >/dev/null || packages+=(python3)
command -v pip3 >/dev/null || python3 -m pip --version >/dev/null 2>&1 || packages+=(python3-pip)
command -v node >/dev/null || packages+=(nodejs)
command -v npm >/dev/null || packages+=(npm)

missing=()
if command -v dpkg-query >/dev/null; then
  installed=$(dpkg-query -W -f '${Package} ${db:Status-Abbrev}\n' "${packages[@]}" 2>/dev/null || true)
  for package in "${packages[@]}"; do
    [[ $'\n'"$installed" == *$'\n'"$package ii"* ]] || missing+=("$package")
  done
else
  echo "setup: not a Debian system; install the likes of: ${packages[*]}" >&2
  exit 0
fi
((${#missing[@]})) || exit 0

echo "setup: installing ${missing[*]}" >&2
root=()
if ((EUID != 0)); then
  command -v sudo >/dev/null || { echo "setup: need root or sudo for apt-get" >&2; exit 1; }
  root=(sudo)
fi
root+=(env DEBIAN_FRONTEND=noninteractive)
"${root[@]}" apt-get update -q -o DPkg::Lock::Timeout=300 >&2
"${root[@]}" apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 \
  "${missing[@]}" >&2
