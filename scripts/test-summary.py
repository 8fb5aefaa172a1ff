#!/usr/bin/env python3
"""Sums the JUnit reports of `swift test` and pytest into one line: `N passed, N failed`.

Usage: test-summary.py RESULTS_DIRECTORY SWIFT_TEST_STATUS PYTEST_STATUS, the two being exit codes.
Exits 1 when a test failed or when one of the runs broke off or is empty, because a suite that did
not run must never look like one that passed.
"""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def count(report):
    """Returns how many test cases of a JUnit file passed, failed and were skipped."""
    passed = failed = skipped = 0
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def main():
    results, *statuses = sys.argv[1:]
    total_passed = total_failed = total_skipped = 0
    # `swift test` writes XCTest's cases to the file named and Swift Testing's to one beside it.
    for run, pattern, status in zip(("swift test", "pytest"), ("swift*.xml", "pytest.xml"), statuses):
        passed = failed = skipped = 0
        for report in sorted(pathlib.Path(results).glob(pattern)):
            numbers = count(report)
            passed, failed, skipped = passed + numbers[0], failed + numbers[1], skipped + numbers[2]
        if passed + failed == 0:
            print(f"{run}: ran no test", file=sys.stderr)
            failed = 1
        elif status != "0" and failed == 0:
            print(f"{run}: broke off with exit code {status}", file=sys.stderr)
            failed = 1
        total_passed, total_failed, total_skipped = (
            total_passed + passed,
            total_failed + failed,
            total_skipped + skipped,
        )
    skips = f", {total_skipped} skipped" if total_skipped else ""
    print(f"{total_passed} passed, {total_failed} failed{skips}")
    sys.exit(1 if total_failed else 0)


main()
