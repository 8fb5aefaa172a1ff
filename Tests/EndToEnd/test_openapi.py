"""`/api/…` against its description: questions that nobody thought of, made by schemathesis from dashboard/openapi.json."""

import copy

import pytest
from hypothesis import HealthCheck, Phase, settings

from test_dashboard_api import OPENAPI, TOKEN, shown  # noqa: F401 (a fixture)

schemathesis = pytest.importorskip("schemathesis")


@pytest.fixture
def described(shown):  # noqa: F811
    document = copy.deepcopy(OPENAPI)
    # It has no end; see test_dashboard_live.py.
    del document["paths"]["/api/live"]
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=f"http://{shown.admin}")
    return schema


schema = schemathesis.pytest.from_fixture("described")


@schema.parametrize()
@settings(
    max_examples=25, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_answers_are_as_described(case):
    case.call_and_validate(
        headers={"Authorization": f"Bearer {TOKEN}"},
        checks=[
            schemathesis.checks.not_a_server_error,
            schemathesis.specs.openapi.checks.status_code_conformance,
            schemathesis.specs.openapi.checks.content_type_conformance,
            schemathesis.specs.openapi.checks.response_schema_conformance,
        ],
    )
