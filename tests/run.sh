#!/usr/bin/env bash
# Builds and tests everything on a Debian 12 machine, as root or with sudo. Stops at the first failure; the last line counts tests.
#   tests/run.sh            everything (CI)
#   tests/run.sh --quick    the release build and its tests
# Environment: TIDY_SECONDS (default 300) bounds clang-tidy, what it did not get to is named; AGAINST (default: the last landed
# commit) is what the contract is compared with.
set -euo pipefail
cd "$(dirname "$0")/.."

quick=0
for option in "$@"; do
  case $option in
    --quick) quick=1 ;;
    *) echo "usage: $0 [--quick]" >&2; exit 2 ;;
  esac
done

jobs=$(nproc)
passed=0 failed=0 skipped=0 flaky=0
phase_name='' phase_begin=0

finish() {
  local code=$?
  if [ -n "$phase_name" ] && [ $code -ne 0 ]; then echo "=== $phase_name: FAILED after $((SECONDS - phase_begin)) s"; fi
  echo "total: $SECONDS s"
  if [ $flaky -gt 0 ]; then echo "!!! $flaky FLAKY: failed beside others and passed alone; their output is above"; fi
  echo "$passed passed, $failed failed, $skipped skipped"
}
trap finish EXIT

# phase NAME COMMAND...: runs it and says how long it took.
phase() {
  phase_name=$1 phase_begin=$SECONDS
  shift
  echo "=== $phase_name"
  "$@"
  echo "=== $phase_name: $((SECONDS - phase_begin)) s"
  phase_name=''
}

build() {
  cmake --preset "$1"
  cmake --build --preset "$1" -j "$jobs"
}

# run_tests PRESET [ctest options]: all tests of a build, counted.
run_tests() {
  local preset=$1 report=build/$1/ctest.xml code=0 suite
  shift
  rm -f "$report"
  ctest --preset "$preset" -j "$jobs" --output-junit "$PWD/$report" "$@" || code=$?
  suite=$(tr '\n' ' ' <"$report" | grep -o '<testsuite [^>]*>')
  number() { sed "s/.*[[:space:]]$1=\"\([0-9]*\)\".*/\1/" <<<"$suite"; }
  local all bad not_run
  all=$(number tests) bad=$(number failures) not_run=$(($(number skipped) + $(number disabled)))
  # What fails beside others is tried once more, alone: a machine without time is no broken promise, but it is said.
  if [ "$code" -ne 0 ] && [ "$bad" -gt 0 ] && ctest --preset "$preset" -j 1 --rerun-failed --output-on-failure; then
    flaky=$((flaky + bad)) bad=0 code=0
  fi
  passed=$((passed + all - bad - not_run)) failed=$((failed + bad)) skipped=$((skipped + not_run))
  if [ "$all" -eq 0 ]; then echo "no tests in $preset" >&2; return 1; fi
  return "$code"
}

ours() { git ls-files --cached --others --exclude-standard "$@" | while read -r file; do [ -e "$file" ] && echo "$file"; done; }

check_format() { ours '*.h' '*.cc' | xargs clang-format --dry-run -Werror; }

# clang-tidy over the sources (not the tests), what changed since the last landed commit first, until time is up.
tidy() {
  local base list
  list=$(mktemp)
  base=$(landed)
  {
    [ -n "$base" ] && git diff --name-only --diff-filter=d "$base" -- '*.cc'
    ours '*.cc'
  } | grep -vE '^tests/|_test\.cc$|/(fake|testing)_|^proto/' | awk '!seen[$0]++' >"$list"
  TIDY_END=$(($(cut -d. -f1 /proc/uptime) + ${TIDY_SECONDS:-300})) xargs -P "$jobs" -n 1 bash -c '
    if [ "$(cut -d. -f1 /proc/uptime)" -ge "$TIDY_END" ]; then echo "no time for $0"; exit 0; fi
    clang-tidy -p build/clang --quiet "$0" 2>/dev/null || { echo "clang-tidy: $0 FAILED"; exit 1; }' <"$list" | tee "$list.said"
  echo "clang-tidy: $(($(wc -l <"$list") - $(grep -c '^no time for' "$list.said" || true))) of $(wc -l <"$list") files"
  rm -f "$list" "$list.said"
}

# The commit that is landed: what this one is built upon.
landed() {
  if [ -n "${AGAINST:-}" ]; then echo "$AGAINST"; return; fi
  local head upstream
  head=$(git rev-parse HEAD)
  for upstream in origin/main origin/master; do
    if git rev-parse --verify -q "$upstream^{commit}" >/dev/null && [ "$(git rev-parse "$upstream")" != "$head" ]; then
      git merge-base "$upstream" HEAD
      return
    fi
  done
  git rev-parse --verify -q 'HEAD~^{commit}' || true
}

buf() {
  local cache=${XDG_CACHE_HOME:-$HOME/.cache}/pvebus/buf version=1.75.0
  if [ "$("$cache/node_modules/.bin/buf" --version 2>/dev/null)" != $version ]; then
    mkdir -p "$cache"
    npm install --prefix "$cache" --no-fund --no-audit --no-save --ignore-scripts --loglevel=error "@bufbuild/buf@$version"
  fi
  "$cache/node_modules/.bin/buf" "$@"
}

check_contract() {
  buf lint proto
  local base against
  base=$(landed)
  if [ -z "$base" ] || ! git cat-file -e "$base:proto/buf.yaml" 2>/dev/null; then
    echo "!!! buf breaking SKIPPED: there is no landed contract to compare with"
    return
  fi
  against=$(mktemp -d)
  git archive "$base" proto | tar -x -C "$against"
  echo "compared with the contract of $(git log -1 --format='%h (%s)' "$base")"
  buf breaking proto --against "$against/proto"
  rm -rf "$against"
}

phase 'packages' bash deploy/packages.sh --tests
phase 'build release' build release
phase 'tests release' run_tests release
if [ $quick -eq 1 ]; then exit 0; fi
phase 'format' check_format
phase 'contract' check_contract
phase 'build asan (ASan + UBSan)' build asan
phase 'tests asan' run_tests asan
phase 'build tsan (what links neither gRPC nor protobuf)' build tsan
phase 'tests tsan' run_tests tsan
phase 'build clang (-Wthread-safety)' build clang
phase 'clang-tidy' tidy
phase 'build fuzz (libFuzzer, ASan + UBSan)' build fuzz
phase 'fuzz what reads files' run_tests fuzz
