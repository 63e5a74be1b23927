#!/usr/bin/env bash
# Installs the Debian 12 packages that are missing: what the build needs, with --tests also what tests/run.sh needs.
# Needs root or sudo only when something is missing.
set -euo pipefail

packages=(
  g++ cmake ninja-build ccache pkg-config
  libgrpc++-dev protobuf-compiler protobuf-compiler-grpc libprotobuf-dev libabsl-dev
  libgtest-dev libgmock-dev libspdlog-dev libcli11-dev libsystemd-dev nlohmann-json3-dev libsqlite3-dev libxxhash-dev libjemalloc-dev
  libnl-3-dev libnftables-dev libc-ares-dev
)
for option in "$@"; do
  case $option in
    --tests)
      packages+=(git clang clang-format clang-tidy nodejs npm strace iproute2 nftables user-mode-linux kmod libclang-rt-14-dev)
      packages+=(lxc busybox-static)
      ;;
    *) echo "usage: $0 [--tests]" >&2; exit 2 ;;
  esac
done

missing=()
for package in "${packages[@]}"; do
  if [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ]; then continue; fi
  # A program that came from elsewhere (Node.js often does) is as good.
  case $package in nodejs) command -v node >/dev/null && continue ;; npm) command -v npm >/dev/null && continue ;; esac
  missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "packages: all ${#packages[@]} are there"
  exit 0
fi

echo "packages: installing ${missing[*]}"
root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "packages: run this as root, or install sudo" >&2; exit 1; }
  root=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
"${root[@]}" apt-get update -q
"${root[@]}" apt-get install -y -q --no-install-recommends "${missing[@]}"
