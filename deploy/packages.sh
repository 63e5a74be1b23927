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
tests=false
for option in "$@"; do
  case $option in
    --tests)
      tests=true
      packages+=(git clang clang-format clang-tidy nodejs npm strace nftables user-mode-linux kmod libclang-rt-14-dev)
      packages+=(lxc busybox-static)
      # What ifupdown2 needs.
      packages+=(python3 iproute2)
      ;;
    *) echo "usage: $0 [--tests]" >&2; exit 2 ;;
  esac
done

export DEBIAN_FRONTEND=noninteractive

# as_root COMMAND...
as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; return; fi
  command -v sudo >/dev/null || { echo "packages: run this as root, or install sudo" >&2; exit 1; }
  sudo "$@"
}

install_packages() {
  local missing=() package
  for package in "${packages[@]}"; do
    if [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ]; then continue; fi
    # A program that came from elsewhere (Node.js often does) is as good.
    case $package in nodejs) command -v node >/dev/null && continue ;; npm) command -v npm >/dev/null && continue ;; esac
    missing+=("$package")
  done
  if [ ${#missing[@]} -eq 0 ]; then
    echo "packages: all ${#packages[@]} are there"
    return
  fi
  echo "packages: installing ${missing[*]}"
  as_root apt-get update -q
  as_root apt-get install -y -q --no-install-recommends "${missing[@]}"
}

# Installed, ifupdown2 would take the place of this machine's ifupdown, and nginx a port: they are only unpacked, where tests look.
# unpack PACKAGE FILE-OF-IT: into the cache; the file says that it is there.
unpack() {
  local package=$1 file=$2 folder=${XDG_CACHE_HOME:-$HOME/.cache}/pvebus/$1 new
  if [ -e "$folder/$file" ]; then
    echo "packages: $package is unpacked in $folder"
    return
  fi
  echo "packages: unpacking $package in $folder"
  mkdir -p "$(dirname "$folder")"
  new=$(mktemp -d "$folder.XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf '$new'" EXIT
  local download=(apt-get download -q -o APT::Sandbox::User=root "$package")
  (cd "$new" && { "${download[@]}" || { as_root apt-get update -q && "${download[@]}"; }; })
  mkdir "$new/root"
  dpkg -x "$new/$package"_*.deb "$new/root"
  rm -rf "$folder"
  mv "$new/root" "$folder"
}

unpack_ifupdown2() {
  local program=usr/share/ifupdown2/__main__.py
  unpack ifupdown2 $program
  # As its installation does.
  local folder=${XDG_CACHE_HOME:-$HOME/.cache}/pvebus/ifupdown2
  chmod +x "$folder/$program"
  /usr/bin/python3 -m compileall -q "$folder/usr/share/ifupdown2"
}

install_packages
if $tests; then
  unpack_ifupdown2
  unpack nginx usr/sbin/nginx
fi
