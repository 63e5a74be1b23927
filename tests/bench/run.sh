#!/usr/bin/env bash
# Measures the floor (gRPC alone) and the real bus in one run, alternating, and prints both with their ratio.
#   tests/bench/run.sh [--rounds N] [--check] [--heavy [--events N] [--open-events N] [--bus-flag FLAG]...]
#   --check: exit 1 when the budget of the issue is exceeded      --heavy: also fan_out, catch_up, open, container_burst and interfaces_reading, one after the other
# Files are under TMPDIR: which file system that is decides what a commit costs.
set -euo pipefail
cd "$(dirname "$0")/../.."

rounds=5
check=0
heavy=0
events=1000000
open_events=1000000
bus_flags=()
while [ $# -gt 0 ]; do
  case $1 in
    --rounds) rounds=$2; shift 2 ;;
    --check) check=1; shift ;;
    --heavy) heavy=1; shift ;;
    --events) events=$2; shift 2 ;;
    --open-events) open_events=$2; shift 2 ;;
    --bus-flag) bus_flags+=("--bus-flag=$2"); shift 2 ;;
    *) echo "usage: $0 [--rounds N] [--check] [--heavy [--events N] [--open-events N] [--bus-flag FLAG]...]" >&2; exit 2 ;;
  esac
done

bin=build/release/bin
programs=(grpc_floor one_commit publish_gather fan_out catch_up open container_burst interfaces_reading)
for program in "${programs[@]}"; do
  if [ -x $bin/"$program" ]; then continue; fi
  cmake --preset release >/dev/null
  cmake --build --preset release --target "${programs[@]}"
done

results=$(mktemp)
trap 'rm -f "$results"' EXIT
for round in $(seq "$rounds"); do
  for program in "grpc_floor --server=callback" "publish_gather --journal=memory" "publish_gather --journal=sqlite"; do
    $bin/$program --silences 1 --latency-publishes 4000 --rate-publishes 20000 | sed "s/^/$round /" | tee -a "$results"
  done
  $bin/one_commit | sed "s/^/$round /" | tee -a "$results"
done

awk -v check="$check" '
  function median(key,   n, i, j, t, a) {
    n = split(values[key], a, " ")
    for (i = 1; i <= n; i++) for (j = i + 1; j <= n; j++) if (a[j] + 0 < a[i] + 0) { t = a[i]; a[i] = a[j]; a[j] = t }
    return n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2
  }
  {
    program = $2 ~ /floor/ ? "floor" : $2 ~ /sqlite/ ? "durable" : $2 ~ /commit/ ? "commit" : "bus"
    for (i = 3; i <= NF; i++) { split($i, pair, "="); if (pair[1] == "fs") file_system = pair[2]; values[program pair[1]] = values[program pair[1]] " " pair[2] }
  }
  function row(what, key,   floor, bus, durable) {
    floor = median("floor" key); bus = median("bus" key); durable = median("durable" key)
    printf "| %-44s | %9.0f | %9.0f | %5.2f | %9.0f | %5.2f |\n", what, floor, bus, bus / floor, durable, durable / floor
    return bus / floor
  }
  END {
    printf "\n| medians of %d alternating rounds              |     floor |    memory | ratio |    sqlite | ratio |\n|---|---|---|---|---|---|\n", NR / 4
    latency = row("latency p50, one at a time, us", "p50_us")
    row("latency p99, one at a time, us", "p99_us")
    rate = row("publishes/s, 64 outstanding", "rate")
    row("latency p50, 64 outstanding, us", "loaded_p50_us")
    row("latency p99, 64 outstanding, us", "loaded_p99_us")
    row("first publish after 2 s of silence, us", "after_silence_us")
    commit = median("commitp50_us"); paced = median("commitpaced_p50_us")
    durable = median("durablep50_us") / (median("floorp50_us") + commit)
    printf "\none commit of an event and a progress row (%s): p50 %.0f us at once, %.0f us with a pause before each\n",
           file_system, commit, paced
    printf "durable publish / (floor + one commit), p50: %.2f (with the paced commit %.2f)\n", durable,
           median("durablep50_us") / (median("floorp50_us") + paced)
    printf("\nbudget: latency p50 at most 1.25 x the floor: %s; durable at most 1.25 x (floor + one commit): %s; rate at least 0.9 x the floor: %s\n",
           (latency <= 1.25 ? "kept" : "EXCEEDED"), (durable <= 1.25 ? "kept" : "EXCEEDED"), (rate >= 0.9 ? "kept" : "EXCEEDED"))
    if (check && (latency > 1.25 || durable > 1.25 || rate < 0.9)) exit 1
  }' "$results"

if [ $heavy -eq 0 ]; then exit 0; fi
echo
$bin/fan_out --events "$events" "${bus_flags[@]}"
$bin/catch_up --events "$events" "${bus_flags[@]}"
$bin/open --events "$open_events" "${bus_flags[@]}"
$bin/container_burst
$bin/container_burst --kill
if [ $check -eq 1 ]; then $bin/interfaces_reading --check; else $bin/interfaces_reading; fi
