#!/usr/bin/env bash
# Builds pvebus, runs it on this machine, and shows what happens to one event of each kind. See --help.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
programs=(bus-service network-service container-service storage-service migration-service pvebus)
listeners=container-network-hooks,storage-hooks,migration-hooks
ready_within=60   # seconds
stop_within=15    # seconds

once=false install=true build=true
port_base=7400 build_dir=$root/build/release data_dir=
extra_listen=()

usage() {
  cat <<'HELP'
usage: bash deploy/run.sh [options]

Installs what is missing, builds the programs, starts the bus and its services on this machine, publishes one event of each
kind from deploy/examples/, shows what every listener answered, and stays until Ctrl-C. Leaves nothing behind but the build.

  --once            stop after the examples; exit 0 when every listener succeeded with each of them
  --port-base N     bus on port N, services on N+1 to N+4 of 127.0.0.1 (default 7400); 0 picks free ports
  --listen ADDRESS  the bus listens there too; repeatable
  --data-dir DIR    sockets, logs and state, kept at the end (default: a new folder in TMPDIR, removed at the end)
  --build-dir DIR   where to build, or where the build is (default build/release)
  --no-install      do not install Debian packages
  --no-build        the programs are built already
  --help            this

Exit status: 0 all went well, 1 something failed (the logs are shown), 2 wrong usage.
HELP
}

say() { printf '%s\n' "$*"; }
die() { printf 'run.sh: %s\n' "$*" >&2; exit "${2:-1}"; }
usage_error() { printf 'run.sh: %s (see bash deploy/run.sh --help)\n' "$*" >&2; exit 2; }

parse_options() {
  while [ $# -gt 0 ]; do
    case $1 in
      --once) once=true ;;
      --no-install) install=false ;;
      --no-build) build=false ;;
      --help | -h) usage; exit 0 ;;
      --port-base | --listen | --data-dir | --build-dir)
        [ $# -ge 2 ] || usage_error "$1 needs a value"
        case $1 in
          --port-base) port_base=$2 ;;
          --listen) extra_listen+=(--listen "$2") ;;
          --data-dir) data_dir=$2 ;;
          --build-dir) build_dir=$(realpath -m -- "$2") ;;
        esac
        shift ;;
      *) usage_error "unknown option $1" ;;
    esac
    shift
  done
  if ! [[ $port_base =~ ^[0-9]{1,5}$ ]] || [ "$((10#$port_base))" -gt 65531 ]; then usage_error "--port-base must be 0..65531, not '$port_base'"; fi
  port_base=$((10#$port_base))
}

# Processes: started in order, stopped in the opposite one.
names=() pids=()

start() {
  local name=$1
  shift
  "$build_dir/bin/$name" "$@" >"$data_dir/log/$name.log" 2>&1 &
  names+=("$name")
  pids+=($!)
}

running() { kill -0 "$1" 2>/dev/null; }

check_running() {
  local i
  for i in "${!pids[@]}"; do
    running "${pids[i]}" && continue
    if grep -q 'another process listens' "$data_dir/log/${names[i]}.log"; then
      die "the ports are taken: is pvebus running already? Choose others with --port-base N, or --port-base 0 for any"
    fi
    die "${names[i]} has ended unexpectedly"
  done
}

show_logs() {
  local i
  for i in "${!names[@]}"; do
    say "--- last lines of ${names[i]}"
    tail -n 25 "$data_dir/log/${names[i]}.log" || true
  done
}

# Ends process number $1 of those started; SIGKILL when it does not leave.
stop() {
  local pid=${pids[$1]} name=${names[$1]}
  kill -TERM "$pid" 2>/dev/null || true
  if ! timeout "$stop_within" tail --pid="$pid" -s 0.05 -f /dev/null; then
    say "$name did not stop within $stop_within s: killed" >&2
    kill -KILL "$pid" 2>/dev/null || true
    failed=true
  fi
  local status=0
  wait "$pid" 2>/dev/null || status=$?
  if [ "$status" -ne 0 ]; then
    say "$name ended with status $status" >&2
    failed=true
  fi
}

failed=false
staying=false
remove_data_dir=false
interrupted=130 # by Ctrl-C before everything was shown
cleanup() {
  local status=$? i
  trap '' INT TERM HUP
  trap - EXIT
  set +e
  if [ "$status" -ne 0 ] && [ "$status" -ne "$interrupted" ]; then failed=true; fi
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do stop "$i"; done
  if $failed && [ ${#names[@]} -gt 0 ]; then show_logs >&2; fi
  if $remove_data_dir; then rm -rf -- "$data_dir"; fi
  if $failed && [ "$status" -eq 0 ]; then status=1; fi
  [ ${#names[@]} -eq 0 ] || say "stopped"
  exit "$status"
}

install_and_build() {
  if $install; then bash "$root/deploy/packages.sh"; fi
  if $build; then
    say "building (the first time takes some minutes) ..."
    mkdir -p "$build_dir"
    if ! (cd "$root" && cmake --preset release -B "$build_dir") >"$build_dir/configure.log" 2>&1; then
      tail -n 30 "$build_dir/configure.log" >&2
      die "the build could not be configured"
    fi
    cmake --build "$build_dir" --target "${programs[@]}"
  fi
  local program
  for program in "${programs[@]}"; do
    [ -x "$build_dir/bin/$program" ] || die "$build_dir/bin/$program is not there; leave --no-build out"
  done
}

prepare_data_dir() {
  if [ -z "$data_dir" ]; then
    data_dir=$(mktemp -d "${TMPDIR:-/tmp}/pvebus.XXXXXXXX")
    remove_data_dir=true
  fi
  mkdir -p "$data_dir/log"
  data_dir=$(cd "$data_dir" && pwd)
  [ ${#data_dir} -le 90 ] || die "the path of --data-dir is too long for a unix socket: $data_dir"
}

port() { if [ "$port_base" -eq 0 ]; then echo 0; else echo $((port_base + $1)); fi; }

# Where process number $1 serves, by its own words.
address_of() {
  local line=
  # Ends with the process, at the latest.
  read -r -t "$ready_within" line < <(
    tail --pid="${pids[$1]}" -s 0.05 -n +1 -f "$data_dir/log/${names[$1]}.log" 2>/dev/null |
      grep --line-buffered -m 1 '^listening on 127\.0\.0\.1:'
  ) || true
  echo "${line#listening on }"
}

wait_ready() {
  local name=${names[$1]} deadline=$((SECONDS + ready_within)) address
  address=$(address_of "$1")
  check_running
  [ -n "$address" ] || die "$name did not say within $ready_within s where it listens"
  until "$pvebus" health --address "$address" --wait 2s >/dev/null 2>&1; do
    check_running
    if [ "$SECONDS" -ge "$deadline" ]; then
      "$pvebus" health --address "$address" >&2 || true
      die "$name was not ready within $ready_within s"
    fi
  done
  say "  $name is ready at $address"
  case $name in
    bus-service) bus_address=$address ;;
    container-service) container_address=$address ;;
    storage-service) storage_address=$address ;;
    network-service) network_address=$address ;;
    migration-service) migration_address=$address ;;
  esac
}

start_all() {
  local socket=$data_dir/bus.sock service offset=1
  bus=unix:$socket
  say "starting ..."
  mkdir -p "$data_dir/bus"
  start bus-service --listen "127.0.0.1:$(port 0)" --listen "$bus" "${extra_listen[@]}" --data-dir "$data_dir/bus" \
    --require-listeners "$listeners"
  for service in network-service container-service storage-service migration-service; do
    mkdir -p "$data_dir/$service"
    local more=()
    if [ "$service" = network-service ] && [ ! -e /etc/network/interfaces ]; then
      cp -r "$root/deploy/examples/network" "$data_dir/etc-network"
      more=(--etc-network "$data_dir/etc-network")
    fi
    if [ "$service" = storage-service ] && [ ! -e /etc/pve/storage.cfg ]; then
      more=(--storage-config "$root/deploy/examples/storage.cfg")
    fi
    if [ "$service" = container-service ] && [ ! -e /etc/pvebus/container-hooks.d ]; then
      more=(--hooks-dir "$root/deploy/examples/container-hooks.d")
    fi
    start "$service" --listen "127.0.0.1:$(port "$offset")" --bus "$bus" --data-dir "$data_dir/$service" "${more[@]}"
    offset=$((offset + 1))
  done
  local i
  for i in "${!names[@]}"; do wait_ready "$i"; done
}

publish_examples() {
  local file
  for file in "$root"/deploy/examples/*.json; do
    say ""
    say "### pvebus publish --json @${file#"$root"/}"
    if ! "$pvebus" --bus "$bus" publish --json "@$file" --source run.sh --wait settled; then failed=true; fi
  done
  say ""
  say "### pvebus listeners"
  "$pvebus" --bus "$bus" listeners || failed=true
  say ""
  say "### pvebus storage list"
  "$pvebus" storage --storage "$storage_address" list || failed=true
  say ""
  say "### pvebus network pending"
  "$pvebus" network --network "$network_address" pending || say "(what is staged on this machine has errors)"
  say ""
  say "### pvebus migration status"
  "$pvebus" migration --migration "$migration_address" status || failed=true
}

stay() {
  cat <<TEXT

pvebus is running. In another terminal:
  export PATH="$build_dir/bin:\$PATH" PVEBUS_BUS=$bus_address
  export PVEBUS_NETWORK=$network_address PVEBUS_CONTAINER=$container_address PVEBUS_STORAGE=$storage_address
  export PVEBUS_MIGRATION=$migration_address
  pvebus publish container-started 101      tell everybody something
  pvebus listen my-eyes --reject retry      be a listener, and a difficult one
  pvebus watch                              see events pass
  pvebus migration set rust-basic-write     go on with the network API's move
  pvebus storage status nas --refresh       see why a storage does not answer
Logs and the socket are in $data_dir. Ctrl-C stops everything.
TEXT
  staying=true
  wait -n "${pids[@]}" || true
  check_running
}

parse_options "$@"
trap cleanup EXIT
trap 'if $staying; then exit 0; else exit "$interrupted"; fi' INT TERM HUP
install_and_build
pvebus=$build_dir/bin/pvebus
prepare_data_dir
start_all
publish_examples
if $once; then
  if $failed; then exit 1; fi
  exit 0
fi
stay
