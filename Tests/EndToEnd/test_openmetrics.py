"""`/metrics` in the form OpenMetrics, as the parser of Prometheus' own client library reads it; and its exemplars."""

from prometheus_client import parser as text_parser
from prometheus_client.openmetrics import parser

import gateways
import service
import wire
from collectors import PARENT, TRACE, running
from gateways import CRM
from shipping import create

# What Prometheus sends.
ACCEPT = (
    "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def scrape(gateway, accept=ACCEPT):
    response = gateway.admin_request("/metrics", headers=[("Accept", accept)])
    assert response.status == 200 and response.get("content-type") == TYPE
    text = response.body.decode()
    assert text.endswith("# EOF\n")
    return {family.name: family for family in parser.text_string_to_metric_families(text)}


def exemplars(family):
    return [sample for sample in family.samples if sample.exemplar]


def serve_some(gateway):
    assert gateway.send(create()).status == 201
    assert gateway.send(wire.signed_create(CRM, {})).status == 400
    assert gateway.send(b"nonsense\r\n\r\n").status == 400


def test_the_form_is_what_the_client_library_reads(make_setup, upstream):
    with gateways.running(make_setup()) as gateway:
        serve_some(gateway)
        families = scrape(gateway)
        plain = gateway.admin_request("/metrics", headers=[("Accept", "text/plain;version=0.0.4")])
    assert plain.get("content-type") == "text/plain; version=0.0.4; charset=utf-8"
    # Both forms tell the same.
    names = {family.name: family.type for family in text_parser.text_string_to_metric_families(plain.body.decode())}
    assert names == {name: family.type for name, family in families.items()}
    counted = {family.name for family in families.values() if family.type == "counter"}
    assert {"gatehouse_requests", "gatehouse_audit_records", "process_cpu_seconds"} <= counted
    (allowed,) = (
        sample
        for sample in families["gatehouse_requests"].samples
        if sample.name == "gatehouse_requests_total" and sample.labels["decision"] == "allowed"
    )
    assert allowed.value == 1
    # Nobody traces: there is nothing to lead to.
    assert not any(exemplars(family) for family in families.values())


def test_latency_leads_to_traces(make_setup, upstream, collector):
    with running(make_setup(), collector) as gateway:
        parent = ("traceparent", f"00-{TRACE}-{PARENT}-01")
        assert gateway.send(create()).status == 201
        assert gateway.send(wire.signed_create(CRM, service.create_user(), headers=[parent])).status == 201
        families = scrape(gateway)
        told = collector.trace_ids(2)
        # What the caller does not record has no trace, and is no example.
        unsampled = ("traceparent", f"00-{'7' * 32}-{PARENT}-00")
        assert gateway.send(wire.signed_create(CRM, service.create_user(), headers=[unsampled])).status == 201
        later = scrape(gateway)
    for name in ("gatehouse_request_duration_seconds", "gatehouse_upstream_duration_seconds"):
        found = exemplars(families[name])
        assert found and {sample.exemplar.labels["trace_id"] for sample in found} <= told
        for sample in found:
            assert sample.name == f"{name}_bucket"
            assert sample.exemplar.value <= float(sample.labels["le"])
            assert float(sample.exemplar.timestamp) > 0 and len(sample.exemplar.labels["span_id"]) == 16
        assert "7" * 32 not in {sample.exemplar.labels["trace_id"] for sample in exemplars(later[name])}
    assert TRACE in {
        sample.exemplar.labels["trace_id"] for sample in exemplars(families["gatehouse_request_duration_seconds"])
    }
