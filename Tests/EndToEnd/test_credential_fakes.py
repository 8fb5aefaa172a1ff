"""botocore gets its credentials from the tests' stand-ins: they are like the real ones."""

import botocore.session
import pytest

import credential_fakes as fakes


@pytest.fixture
def session(monkeypatch):
    for name in ("AWS_EC2_METADATA_DISABLED", "AWS_PROFILE", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return botocore.session.get_session


def assert_given(session, fake):
    found = session().get_credentials().get_frozen_credentials()
    assert found.access_key == fake.issued[-1]
    assert (found.secret_key, found.token) == (f"secret/{found.access_key}", f"session+token/{found.access_key}==")


def test_container(session, monkeypatch, tmp_path):
    with fakes.Container() as fake:
        fake.token = "Basic abc"
        (tmp_path / "token").write_text(fake.token)
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{fake.url}/v1/credentials?id=1")
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(tmp_path / "token"))
        assert_given(session, fake)


def test_instance(session, monkeypatch):
    with fakes.Instance() as fake:
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", fake.url)
        assert_given(session, fake)
        assert fake.requests[0][0] == "PUT"


def test_web_identity(session, monkeypatch, tmp_path):
    with fakes.STS() as fake:
        (tmp_path / "token").write_text("a.b.c")
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", fake.url)
        monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
        monkeypatch.setenv("AWS_ROLE_ARN", fakes.ROLE)
        assert_given(session, fake)


def test_role_of_a_profile(session, monkeypatch, tmp_path):
    with fakes.STS() as fake:
        (tmp_path / "config").write_text(
            f"[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n"
            f"[profile role]\nrole_arn = {fakes.ROLE}\nsource_profile = base\n"
        )
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
        monkeypatch.setenv("AWS_PROFILE", "role")
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", fake.url)
        assert_given(session, fake)
        assert "Credential=AKIABASE/" in fake.calls[0][1]
