"""What a warn policy reports: the same in the answer's header, the record and the metric, and nothing when it is ready."""

import collections
import re

import pytest

import gateways
import service
import wire
from gateways import CRM

RULES = {
    "name": {"minLength": 3},
    "tags": {"required": [{"key": "CostCenter"}, {"key": "Owner", "default": "o"}], "set": {"Via": "gatehouse"}},
    "expiration": {"required": True, "defaultDays": 30, "maxDays": 60, "onExcess": "clamp"},
}
TAG = [{"Key": "CostCenter", "Value": "1"}]
# What each request leaves out or has wrong, with the rules that a promotion would refuse it for.
REQUESTS = [
    ({}, set()),
    ({"Tags": None}, {"tags.required"}),
    ({"Name": "A"}, {"name.length"}),
    ({"Tags": None, "Name": "A"}, {"tags.required", "name.length"}),
    ({"ExpirationSettings": {"ExpirationDays": 90, "ExpirationCriterion": "CREATED_TIMESTAMP"}}, set()),
]


@pytest.fixture
def setup(make_setup):
    made = make_setup()
    made.policies["base"] = {"mode": "warn", "rules": RULES}
    return made


def user(changes):
    return service.create_user(**{"Tags": TAG, **changes})


def counted(gateway, mode):
    pattern = rf'gatehouse_policy_violations_total{{policy="base",rule="([^"]+)",tenant="crm",mode="{mode}"}} (\d+)'
    metrics = gateway.admin_request("/metrics").body.decode()
    return {rule: int(count) for rule, count in re.findall(pattern, metrics)}


def test_header_record_and_metric_count_the_same(setup, upstream):
    seen = collections.Counter()
    with gateways.running(setup) as gateway:
        for changes, rules in REQUESTS:
            response = gateway.send(wire.signed_create(CRM, user(changes)))
            assert response.status == 201
            header = {rule for rule in (response.get("x-gatehouse-warnings") or "").split(", ") if rule}
            record = setup.audit_record(response.get("x-gatehouse-request-id"))
            assert header == rules and {one["rule"] for one in record["warnings"]} == rules
            assert "Tags.Owner" in {one["field"] for one in record["wouldChange"]}
            seen.update(rules)
        assert counted(gateway, "warn") == dict(seen)


def test_a_promotion_refuses_what_was_warned_of_and_nothing_else(setup, upstream):
    setup.policies["base"]["mode"] = "enforce"
    seen = collections.Counter()
    with gateways.running(setup) as gateway:
        for changes, rules in REQUESTS:
            response = gateway.send(wire.signed_create(CRM, user(changes)))
            assert response.status == (403 if rules else 201), (changes, response)
            seen.update(rules)
        assert counted(gateway, "enforce") == dict(seen)
        assert counted(gateway, "warn") == {}
