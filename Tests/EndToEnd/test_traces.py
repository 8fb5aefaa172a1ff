"""Spans by OTLP over HTTP, as a collector gets them."""

import signal
import threading

import pytest

import gateways
import service
import upstreams
import wire
from collectors import PARENT, TRACE, attributes, running
from gateways import CRM
from waiting import PATIENCE


def create(gateway, *headers):
    return gateway.send(wire.signed_create(CRM, service.create_user(), headers=headers))


def test_a_request_is_a_span_and_its_stages_are_below_it(make_setup, upstream, collector):
    setup = make_setup()
    with running(setup, collector, OTEL_EXPORTER_OTLP_HEADERS="x-key=abc, y=d e") as gateway:
        response = create(gateway, ("traceparent", f"00-{TRACE}-{PARENT}-01"), ("tracestate", "a=b"))
        assert response.status == 201
        path, fields, resource, spans = collector.spans()
    assert path == "/v1/traces" and fields["Content-Type"] == "application/json"
    assert (fields["x-key"], fields["y"]) == ("abc", "d e")
    assert resource["service.name"] == "gatehouse" and resource["service.version"]
    assert {span["traceId"] for span in spans} == {TRACE}
    root = spans[0]
    assert (root["name"], root["parentSpanId"], root["kind"]) == ("CreateAppInstanceUser", PARENT, 2)
    told = attributes(root)
    assert (told["gatehouse.tenant"], told["gatehouse.decision"]) == ("crm", "allowed")
    assert told["gatehouse.request_id"] == response.get("x-gatehouse-request-id")
    assert told["http.response.status_code"] == "201"
    stages = spans[1:]
    assert [span["name"] for span in stages] == [
        "limitSource", "identify", "authenticate", "confine", "admit", "validate", "decide", "joinRepeat",
        "awaitTurn", "recordIntent", "forward",
    ]  # fmt: skip
    assert {span["parentSpanId"] for span in stages} == {root["spanId"]}
    assert len({span["spanId"] for span in spans}) == len(spans)
    # They follow each other, within the request.
    times = [(int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])) for span in spans]
    assert times[0][0] <= times[1][0] and times[-1][1] <= times[0][1]
    assert all(before[1] == after[0] for before, after in zip(times[1:], times[2:]))
    # Upstream is below the stage that forwards.
    assert upstream.only.values("traceparent") == [f"00-{TRACE}-{stages[-1]['spanId']}-01"]
    assert upstream.only.value("tracestate") == "a=b"


def test_a_request_without_a_trace_begins_one(make_setup, upstream, collector):
    with running(make_setup(), collector, OTEL_SERVICE_NAME="edge") as gateway:
        assert create(gateway).status == 201
        _, _, resource, spans = collector.spans()
    assert resource["service.name"] == "edge"
    assert "parentSpanId" not in spans[0] and spans[0]["traceId"] != "0" * 32
    assert upstream.only.value("traceparent").split("-")[1] == spans[0]["traceId"]


@pytest.mark.parametrize(
    "given", [f"00-{TRACE}-{PARENT}-00", f"00-{'0' * 32}-{PARENT}-01", f"00-{TRACE.upper()}-{PARENT}-01", "x"]
)
def test_what_is_not_sampled_or_unreadable(make_setup, upstream, collector, given):
    with running(make_setup(), collector) as gateway:
        assert create(gateway, ("traceparent", given)).status == 201
        sent = upstream.only.value("traceparent")
        if given.endswith("-00"):
            # Nobody records this trace; the next request is the first that the collector gets.
            assert sent == given
            assert create(gateway, ("traceparent", f"00-{TRACE}-{PARENT}-01")).status == 201
        _, _, _, spans = collector.spans()
    if not given.endswith("-00"):
        assert spans[0]["traceId"] in sent and "parentSpanId" not in spans[0]
    assert len([span for span in spans if span["name"] == "CreateAppInstanceUser"]) == 1


def test_a_denied_request_ends_with_the_stage_that_denied(make_setup, collector):
    setup = make_setup()
    setup.policies = {"p": {"rules": {"name": {"maxLength": 1}}}}
    with running(setup, collector) as gateway:
        assert create(gateway).status == 403
        _, _, _, spans = collector.spans()
    assert spans[-1]["name"] == "decide" and attributes(spans[0])["gatehouse.decision"] == "denied"


def test_without_the_variable_the_callers_field_passes(make_setup, upstream):
    given = f"00-{TRACE}-{PARENT}-01"
    with gateways.running(make_setup()) as gateway:
        assert create(gateway, ("traceparent", given)).status == 201
    assert upstream.only.value("traceparent") == given


def test_a_collector_that_is_not_there_stops_nothing(make_setup, collector):
    collector.close()
    with running(make_setup(), collector) as gateway:
        for _ in range(3):
            assert create(gateway).status == 201
        line = gateway.wait_for_log(lambda line: line.get("message") == "spans are not taken", "a complaint")
        assert line["reason"]


def test_a_url_that_is_none_is_refused(make_setup):
    setup = make_setup().write()
    result = setup.command("serve", environment={"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"})
    assert result.returncode == 78 and "http://127.0.0.1:4318" in result.stderr


def test_drain_sends_the_last_spans(make_setup, upstream, collector):
    release = threading.Event()

    def when_released(request):
        release.wait(PATIENCE)
        return upstreams.like_the_service(request)

    upstream.handler = when_released
    with running(make_setup(), collector) as gateway:
        with gateway.connect() as connection:
            connection.send(wire.signed_create(CRM, service.create_user()))
            upstream.wait_for(1)
            # What is under way when draining begins ends with the last connection, and its span after that.
            gateway.signal(signal.SIGTERM)
            gateway.wait_for_log(lambda line: line.get("message") == "draining", "draining")
            release.set()
            assert connection.read().status == 201
        assert gateway.wait() == 0
        _, _, _, spans = collector.spans()
    assert spans[0]["name"] == "CreateAppInstanceUser"


def test_a_collector_that_does_not_answer_holds_up_no_drain(make_setup, upstream, collector):
    setup = make_setup()
    setup.config["drainTimeout"] = "1s"
    collector.answers.clear()
    with running(setup, collector) as gateway:
        assert create(gateway).status == 201
        gateway.signal(signal.SIGTERM)
        assert gateway.wait() == 0
        line = gateway.wait_for_log(lambda line: line.get("message") == "spans were lost", "the loss")
        assert line["lost"] == "12"
    collector.answers.set()
    assert len(setup.audit()) == 1
