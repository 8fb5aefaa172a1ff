"""The alert rules of `deploy/prometheus`, the dashboard of `deploy/grafana`, and what they ask about."""

import json
import pathlib
import re
import shutil
import subprocess

import pytest

from gateways import ROOT
from waiting import until

FOLDER = ROOT / "deploy" / "prometheus"
RULES = (FOLDER / "gatehouse.rules.yml").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "gatehouse.json").read_text())
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


def test_metrics_are_clean(promtool, gateway):
    checked = promtool("check", "metrics", input=gateway.admin_request("/metrics").body.decode())
    assert checked.returncode == 0 and not checked.stdout, checked.stdout + checked.stderr


def test_alerts_and_dashboard_ask_for_known_metrics(gateway):
    def metrics():
        return gateway.admin_request("/metrics").body.decode()

    # The disk is asked by the journal's writer, soon after the start.
    until(lambda: "gatehouse_audit_free_bytes" in metrics(), "the disk was not asked")
    text = metrics()
    # These are there only with a store, and with credentials that end.
    known = set(re.findall(r"^# TYPE (\w+)", text, re.M))
    known |= {"gatehouse_rate_limit_store_up", "gatehouse_credentials_expiry_timestamp_seconds"}
    for name in re.findall(r"gatehouse_\w+", RULES + json.dumps(DASHBOARD)):
        assert name.removesuffix("_bucket") in known, name


def test_the_dashboard_is_one_that_grafana_reads(promtool, tmp_path):
    panels = DASHBOARD["panels"]
    places = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & places and max(x for x, _ in cells) < 24, panel["title"]
        places |= cells
    assert len({panel["id"] for panel in panels}) == len(panels)
    # Each query is one that Prometheus understands, tried as a recording rule.
    queries = [target["expr"] for panel in panels for target in panel["targets"]]
    rules = [
        {"record": f"gatehouse:query_{index}", "expr": query.replace("$__rate_interval", "5m")}
        for index, query in enumerate(queries)
    ]
    path = tmp_path / "queries.yml"
    path.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    checked = promtool("check", "rules", str(path))
    assert checked.returncode == 0, checked.stdout + checked.stderr
