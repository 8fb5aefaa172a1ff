"""`gatehouse sandbox --database FILE`: what was answered is there again after a kill."""

import json
import threading

import botocore.exceptions
import pytest

import gateways
import journeys
import signing

KEY = signing.Key("AKIASANDBOXEXAMPLE01", "sandbox/secret/abcdefghijklmnopqrstuvwx")


def client_of(sandbox):
    return gateways.boto3_client(sandbox.url, KEY)


def start(folder, **options):
    return gateways.Sandbox(folder, KEY, options=("--database", folder / "sandbox.db"), **options)


def arns_of_users(client, app):
    arns, more = [], {}
    while True:
        page = client.list_app_instance_users(AppInstanceArn=app, **more)
        arns += [user["AppInstanceUserArn"] for user in page["AppInstanceUsers"]]
        if "NextToken" not in page:
            return arns
        more = {"NextToken": page["NextToken"]}


def everything(client, app):
    """All that the sandbox tells of an AppInstance and its users."""
    users = {}
    for arn in arns_of_users(client, app):
        described = client.describe_app_instance_user(AppInstanceUserArn=arn)["AppInstanceUser"]
        users[arn] = (described, client.list_tags_for_resource(ResourceARN=arn)["Tags"])
    return client.describe_app_instance(AppInstanceArn=app)["AppInstance"], users


def test_what_was_there_is_there_after_a_kill(tmp_path):
    sandbox = start(tmp_path)
    client = client_of(sandbox)
    app = client.create_app_instance(Name="crm", ClientRequestToken="app-token")["AppInstanceArn"]
    for index in range(5):
        client.create_app_instance_user(
            AppInstanceArn=app,
            AppInstanceUserId=f"user-{index}",
            Name=f"N{index} \u00fc\u0130",
            ClientRequestToken=f"token-{index}",
            Tags=[{"Key": "Team", "Value": "a"}],
            ExpirationSettings={"ExpirationDays": 30, "ExpirationCriterion": "CREATED_TIMESTAMP"},
        )
    user = f"{app}/user/user-1"
    client.update_app_instance_user(AppInstanceUserArn=user, Name="Renamed", Metadata='{"a": 1}')
    client.tag_resource(ResourceARN=user, Tags=[{"Key": "Team", "Value": "b"}, {"Key": "K", "Value": "v"}])
    client.untag_resource(ResourceARN=f"{app}/user/user-2", TagKeys=["Team"])
    client.delete_app_instance_user(AppInstanceUserArn=f"{app}/user/user-3")
    before = everything(client, app)
    sandbox.kill()

    sandbox = start(tmp_path)
    client = client_of(sandbox)
    assert everything(client, app) == before
    # Also what a repeated token is answered with.
    again = client.create_app_instance(Name="crm", ClientRequestToken="app-token")
    assert again["AppInstanceArn"] == app
    with pytest.raises(botocore.exceptions.ClientError, match="ClientRequestToken"):
        client.create_app_instance(Name="other", ClientRequestToken="app-token")
    sandbox.stop()
    assert (tmp_path / "sandbox.db").stat().st_mode & 0o777 == 0o600


def test_everything_that_a_sandbox_has_is_there_after_a_kill(tmp_path):
    sandbox = start(tmp_path)
    journey = journeys.Journey(client_of(sandbox))
    journey.begin()
    before = journey.seen()
    sandbox.kill()

    sandbox = start(tmp_path)
    journey.client = client_of(sandbox)
    assert journey.seen() == before
    again = journey.client.create_app_instance_user(**journey.user_requests[1])
    assert again["AppInstanceUserArn"] == journey.user_arns[1]
    journey.end()
    sandbox.kill()

    # What was taken away stays away.
    sandbox = start(tmp_path)
    client = client_of(sandbox)
    assert client.list_app_instances()["AppInstances"] == []
    sandbox.stop()


def test_every_acknowledged_write_survives_a_kill_under_load(tmp_path):
    sandbox = start(tmp_path)
    app = client_of(sandbox).create_app_instance(Name="crm", ClientRequestToken="app-token")["AppInstanceArn"]
    acknowledged = []
    enough = threading.Event()

    def create(number):
        client = client_of(sandbox)
        for index in range(1000):
            name = f"user-{number}-{index}"
            try:
                client.create_app_instance_user(
                    AppInstanceArn=app, AppInstanceUserId=name, Name="n", ClientRequestToken=f"t-{name}"
                )
            except botocore.exceptions.BotoCoreError:
                return
            acknowledged.append(name)
            if len(acknowledged) >= 60:
                enough.set()

    threads = [threading.Thread(target=create, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    assert enough.wait(60)
    sandbox.kill()
    for thread in threads:
        thread.join()
    sandbox = start(tmp_path)
    kept = {arn.rpartition("/")[2] for arn in arns_of_users(client_of(sandbox), app)}
    assert set(acknowledged) <= kept
    sandbox.stop()


def test_a_torn_line_was_never_answered_and_goes(tmp_path):
    sandbox = start(tmp_path)
    app = client_of(sandbox).create_app_instance(Name="crm", ClientRequestToken="app-token")["AppInstanceArn"]
    sandbox.stop()
    file = tmp_path / "sandbox.db"
    whole = file.read_bytes()
    file.write_bytes(whole + whole.splitlines()[1][:40])
    sandbox = start(tmp_path)
    client = client_of(sandbox)
    assert [found["AppInstanceArn"] for found in client.list_app_instances()["AppInstances"]] == [app]
    client.create_app_instance(Name="hr", ClientRequestToken="another-token")
    sandbox.stop()
    assert all(json.loads(line) for line in file.read_bytes().splitlines())


@pytest.mark.parametrize(
    "text, says",
    {
        "another file": ("an important letter\n", "no database of a sandbox"),
        "another region": ('{"sandbox":1,"region":"eu-central-1"}\n', "--region eu-central-1"),
        "a line that is none": ('{"sandbox":1,"region":"us-east-1"}\nx\n', "line 2"),
    }.values(),
)
def test_a_file_that_is_something_else_is_left_alone(tmp_path, text, says):
    file = tmp_path / "sandbox.db"
    file.write_text(text)
    result = gateways.run("sandbox", "--listen", "127.0.0.1:0", "--database", file, cwd=tmp_path)
    assert result.returncode == 1 and says in result.stderr
    assert file.read_text() == text


def test_a_database_is_one_sandbox_s(tmp_path):
    sandbox = start(tmp_path)
    second = gateways.run("sandbox", "--listen", "127.0.0.1:0", "--database", tmp_path / "sandbox.db", cwd=tmp_path)
    assert second.returncode == 1 and "another sandbox uses it" in second.stderr
    sandbox.stop()
