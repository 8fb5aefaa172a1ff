#!/usr/bin/env bash
# Runs all tests: the unit tests in debug, then the end-to-end tests against the release binary.
# Ends with one line `N passed, N failed` over both, which is also left in .build/test-results/summary.
# Exits non-zero when a test failed, a run broke off, or one of the two ran no test at all.
set -uo pipefail
cd "$(dirname "$0")/.."

results=.build/test-results
rm -rf "$results"
mkdir -p "$results"

# A crash report can hang for minutes in Swift's own backtracer.
export SWIFT_BACKTRACE=enable=no

swift build -c release --static-swift-stdlib --product gatehouse || exit 1
swift build --build-tests || exit 1

swift test --skip-build --xunit-output "$results/swift.xml"
unit_status=$?
.venv/bin/python -m pytest Tests/EndToEnd -q --junitxml="$results/pytest.xml" ${PYTEST_ARGS:-}
end_to_end_status=$?

.venv/bin/python scripts/test-summary.py "$results" "$unit_status" "$end_to_end_status" >"$results/summary"
status=$?
cat "$results/summary"
exit "$status"
