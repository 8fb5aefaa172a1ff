#!/usr/bin/env bash
# Runs the unit tests under ThreadSanitizer (those of what several threads share) and under AddressSanitizer (all).
# Usage: scripts/sanitize.sh [thread|address|gateway]…   Without arguments the first two. `gateway` builds the gateway with
# each sanitizer and runs the end-to-end tests of FILTER against it (default: those of the store of limits; they need
# `make setup-tests`). Exits non-zero when a test fails or a sanitizer reports something. FILTER='AuditStoreTests' runs a part.
set -uo pipefail
cd "$(dirname "$0")/.."

# A crash report can hang for minutes in Swift's own backtracer.
export SWIFT_BACKTRACE=enable=no
status=0

build_mutex() {
  mkdir -p .build-tsan
  clang -O1 -fsanitize=thread -c Tests/Sanitizers/mutex.c -o .build-tsan/mutex.o || exit 1
}

# What the two share: where they build, how they link. (gold cannot place the sanitizers' symbols.)
# Usage: run KIND FILTER FLAG…
run() {
  local kind=$1 filter=${FILTER:-$2} begin=$SECONDS
  local flags=(--sanitize "$kind" --scratch-path ".build-${kind:0:1}san" -Xswiftc -use-ld=lld "${@:3}")
  swift build --build-tests "${flags[@]}" || { status=1; return; }
  echo "== $kind: built in $((SECONDS - begin)) s"
  begin=$SECONDS
  # The sanitizers' exit code counts even where every test passed.
  swift test --skip-build "${flags[@]}" --filter "$filter" || status=1
  echo "== $kind: tests ran for $((SECONDS - begin)) s"
}

# Usage: serve KIND FLAG…
serve() {
  local kind=$1 folder=.build-${1:0:1}san
  local reports=$PWD/$folder/reports
  swift build --product gatehouse --sanitize "$kind" --scratch-path "$folder" -Xswiftc -use-ld=lld "${@:2}" ||
    { status=1; return; }
  rm -rf "$reports"
  mkdir "$reports"
  TSAN_OPTIONS="suppressions=$PWD/Tests/Sanitizers/thread.supp log_path=$reports/report" \
  ASAN_OPTIONS="detect_leaks=0 log_path=$reports/report" GATEHOUSE=$PWD/$folder/debug/gatehouse \
    .venv/bin/python -m pytest Tests/EndToEnd -q -p no:cacheprovider -k "${FILTER:-test_store}" || status=1
  if compgen -G "$reports/*" >/dev/null; then
    cat "$reports"/*
    status=1
  fi
  echo "== gateway, $kind: $(compgen -G "$reports/*" | wc -l) reports"
}

kinds=("$@")
[ $# -gt 0 ] || kinds=(thread address)
for kind in "${kinds[@]}"; do
  case $kind in
  thread)
    build_mutex
    TSAN_OPTIONS="suppressions=$PWD/Tests/Sanitizers/thread.supp" run thread \
      'AuditStoreTests|AuditIndexTests|RateLimitingTests|TransportTests|GatewayTests|AdminTests|SigV4Tests|SandboxTests' \
      -Xlinker "$PWD/.build-tsan/mutex.o"
    ;;
  address)
    # Leaks are not looked for: what the tests' own globals hold is held to the end.
    ASAN_OPTIONS="detect_leaks=0" run address '.*'
    ;;
  gateway)
    build_mutex
    serve thread -Xlinker "$PWD/.build-tsan/mutex.o"
    serve address
    ;;
  *)
    echo "sanitize: no sanitizer is named $kind; thread, address and gateway are" >&2
    exit 64
    ;;
  esac
done
exit "$status"
