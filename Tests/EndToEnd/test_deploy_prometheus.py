"""The alert rules of `deploy/prometheus`, and what they ask about."""

import pathlib
import re
import shutil
import subprocess

import pytest

from gateways import ROOT

FOLDER = ROOT / "deploy" / "prometheus"
RULES = (FOLDER / "gatehouse.rules.yml").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
ALERTS = re.findall(r"alert: (\w+)", RULES)


@pytest.fixture(scope="module")
def promtool():
    found = shutil.which("promtool") or ROOT / ".build" / "tools" / "promtool"
    if not pathlib.Path(found).exists():
        pytest.skip("no promtool here; `scripts/setup.sh test` fetches it")

    def run(*arguments, **options):
        return subprocess.run([found, *arguments], cwd=FOLDER, capture_output=True, text=True, **options)

    return run


def test_rules_are_good_and_fire_when_they_should(promtool):
    checked = promtool("check", "rules", "gatehouse.rules.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    tested = promtool("test", "rules", "gatehouse.rules.test.yml")
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_each_alert_is_tried_both_ways_and_says_what_to_do():
    tests = (FOLDER / "gatehouse.rules.test.yml").read_text()
    assert len(ALERTS) >= 15
    for alert in ALERTS:
        assert f"name: {alert} fires\n" in tests and f"name: {alert} is quiet\n" in tests
        assert f"runbook: docs/operations.md#{alert.lower()}\n" in RULES
        section = OPERATIONS.split(f"### {alert}\n")[1].split("\n#")[0]
        assert len(section.split()) > 10


def test_metrics_are_clean_and_alerts_ask_for_known_ones(promtool, gateway):
    text = gateway.admin_request("/metrics").body.decode()
    checked = promtool("check", "metrics", input=text)
    assert checked.returncode == 0 and not checked.stdout, checked.stdout + checked.stderr
    # The store's is there only with a store.
    known = set(re.findall(r"^# TYPE (\w+)", text, re.M)) | {"gatehouse_rate_limit_store_up"}
    for name in re.findall(r"gatehouse_\w+", RULES):
        assert name in known, name
