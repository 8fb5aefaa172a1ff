"""The Debian package in a clean system: installed, asked, removed, purged. `make test-deb` builds it first."""

import pytest
import roots

PACKAGES = sorted((roots.PROJECT / ".build/deb").glob("gatehouse_*.deb"))
AS_SERVICE = ("setpriv", "--reuid=gatehouse", "--regid=gatehouse", "--init-groups")
CONFIG = ("--config", "/etc/gatehouse/gatehouse.json")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A clean system with the package installed."""
    folder = tmp_path_factory.mktemp("root")
    folder.chmod(0o755)
    roots.bootstrap(folder)
    [package] = PACKAGES
    (folder / "gatehouse.deb").write_bytes(package.read_bytes())
    roots.run_in(folder, "apt-get", "update", "-qq")
    install(folder)
    return folder


def install(root):
    variables = {"DEBIAN_FRONTEND": "noninteractive"}
    install = ("apt-get", "install", "-y", "-qq", "--no-install-recommends", "/gatehouse.deb")
    return roots.run_in(root, *install, environment=variables)


def owner_and_mode(root, path):
    return roots.run_in(root, "stat", "-c", "%U:%G %a", path).stdout.strip()


def test_the_binary_runs_with_what_the_package_depends_on(root):
    assert roots.run_in(root, "gatehouse", "--version").stdout.startswith("gatehouse ")
    demo = roots.run_in(root, "gatehouse", "demo", "--once", network=False)
    assert "crm-alice" in demo.stdout + demo.stderr


def test_the_shipped_configuration_is_good_for_the_user_that_serves(root):
    checked = roots.run_in(root, *AS_SERVICE, "gatehouse", "check", *CONFIG)
    assert "good" in checked.stdout + checked.stderr


@pytest.mark.parametrize(
    "path, expected",
    [
        ("/etc/gatehouse", "root:gatehouse 750"),
        ("/etc/gatehouse/gatehouse.json", "root:gatehouse 640"),
        ("/etc/gatehouse/environment", "root:root 600"),
        ("/etc/gatehouse/policies", "root:root 755"),
        ("/var/lib/gatehouse", "gatehouse:gatehouse 700"),
        ("/var/lib/gatehouse/tenants.json", "gatehouse:gatehouse 600"),
    ],
)
def test_files_belong_to_whom_they_should(root, path, expected):
    assert owner_and_mode(root, path) == expected


def test_a_tenant_can_be_created_and_read_by_the_service_only(root):
    app = "arn:aws:chime:us-east-1:123456789012:app-instance/*"
    create = ("gatehouse", "tenant", "create", "crm", "--app-instance", app, *CONFIG)
    created = roots.run_in(root, *AS_SERVICE, *create)
    assert "AWS_SECRET_ACCESS_KEY=" in created.stdout
    roots.run_in(root, *AS_SERVICE, "gatehouse", "check", *CONFIG)
    assert owner_and_mode(root, "/var/lib/gatehouse/tenants.json") == "gatehouse:gatehouse 600"


def test_unit_manual_and_completions_lie_where_they_are_looked_for(root):
    listed = roots.run_in(root, "dpkg", "-L", "gatehouse").stdout.split()
    for path in (
        "/lib/systemd/system/gatehouse.service",
        "/usr/lib/sysusers.d/gatehouse.conf",
        "/usr/share/man/man1/gatehouse.1.gz",
        "/usr/share/bash-completion/completions/gatehouse",
        "/usr/share/zsh/vendor-completions/_gatehouse",
        "/usr/share/fish/vendor_completions.d/gatehouse.fish",
        "/usr/share/doc/gatehouse/docs/upgrading.md.gz",
        "/usr/share/doc/gatehouse/examples/postgres/002-views.sql",
        "/usr/share/doc/gatehouse/examples/prometheus/gatehouse.rules.yml",
        "/usr/share/doc/gatehouse/examples/grafana/gatehouse.json",
    ):
        assert path in listed
    unit = (root / "lib/systemd/system/gatehouse.service").read_text()
    assert "/usr/bin/gatehouse serve" in unit and "/usr/local" not in unit


def test_the_binary_weighs_less_than_40_mb(root):
    assert (root / "usr/bin/gatehouse").stat().st_size < 40_000_000


# The tests below take the package away, in this order.


def test_an_upgrade_keeps_what_an_administrator_changed(root):
    config = root / "etc/gatehouse/gatehouse.json"
    changed = config.read_text().replace("127.0.0.1:8080", "127.0.0.1:8081")
    config.write_text(changed)
    roots.run_in(root, "dpkg", "--force-confold", "-i", "/gatehouse.deb")
    assert config.read_text() == changed
    assert owner_and_mode(root, "/etc/gatehouse/gatehouse.json") == "root:gatehouse 640"
    assert '"crm"' in (root / "var/lib/gatehouse/tenants.json").read_text()


def test_removal_keeps_configuration_and_state(root):
    roots.run_in(root, "apt-get", "remove", "-y", "-qq", "gatehouse")
    assert not (root / "usr/bin/gatehouse").exists()
    assert (root / "etc/gatehouse/gatehouse.json").exists()
    assert '"crm"' in (root / "var/lib/gatehouse/tenants.json").read_text()


def test_a_purge_takes_configuration_and_keys_and_leaves_the_journal(root):
    segment = root / "var/lib/gatehouse/audit/journal-1.jsonl"
    segment.parent.mkdir(mode=0o700)
    segment.write_text("{}\n")
    purged = roots.run_in(root, "apt-get", "purge", "-y", "-qq", "gatehouse")
    assert "journal in /var/lib/gatehouse is kept" in purged.stdout + purged.stderr
    assert segment.exists()
    assert not (root / "etc/gatehouse").exists()
    assert not (root / "var/lib/gatehouse/tenants.json").exists()


def test_a_purge_leaves_nothing_where_there_was_no_journal(root):
    (root / "var/lib/gatehouse/audit/journal-1.jsonl").unlink()
    (root / "var/lib/gatehouse/audit").rmdir()
    install(root)
    roots.run_in(root, "apt-get", "purge", "-y", "-qq", "gatehouse")
    assert not (root / "var/lib/gatehouse").exists()
