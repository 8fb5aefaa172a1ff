"""Folders that are the root of a small system: made by debootstrap, entered by chroot in namespaces of their own."""

import os
import pathlib
import shutil
import subprocess

PROJECT = pathlib.Path(__file__).resolve().parents[2]


def debian_mirror():
    """Address and release that this machine's apt takes Debian's packages from."""
    form = "$(CREATED_BY)\t$(ORIGIN)\t$(COMPONENT)\t$(REPO_URI)\t$(CODENAME)"
    targets = subprocess.run(
        ["apt-get", "indextargets", "--format", form], check=True, capture_output=True, text=True
    ).stdout
    for line in targets.splitlines():
        created_by, origin, component, address, release = line.split("\t")
        if (created_by, origin, component) == ("Packages", "Debian", "main") and "-" not in release:
            return address, release
    raise RuntimeError("apt has no Debian mirror: run `apt-get update` first")


def bootstrap(folder):
    """Makes the smallest Debian in a folder, with this machine's sources of packages."""
    address, release = debian_mirror()
    subprocess.run(["debootstrap", "--variant=minbase", release, folder, address], check=True)
    # How this machine reaches its mirrors (proxies, keys), not what it does with packages.
    for name in ("sources.list", "sources.list.d", "apt.conf.d"):
        source, target = pathlib.Path("/etc/apt", name), folder / "etc/apt" / name
        if target.is_dir():
            shutil.rmtree(target)
        if source.is_dir():
            shutil.copytree(source, target)
        elif source.exists():
            shutil.copy(source, target)
    # Other vendors' sources need keys that a clean system does not have.
    for source in (folder / "etc/apt/sources.list.d").glob("*"):
        if address not in source.read_text():
            source.unlink()
    for name in ("resolv.conf", "hosts"):
        shutil.copy(f"/etc/{name}", folder / f"etc/{name}")
    # Services are started by nobody in a chroot.
    policy = folder / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)


def command_in(root, *arguments, network=True, read_only=False, user=None, writable=()):
    """The words of a command that runs in a root, with mounts, processes and, unless wanted, network of its own."""
    # The script is given its values as arguments, so that nothing in them is taken for shell.
    mount = ['set -e; root=$1 mode=$2 user=$3; shift 3', 'mount --rbind "$root" "$root"']
    if read_only:
        mount += [f'mount -t tmpfs -o mode=1777 tmpfs "$root{folder}"' for folder in writable]
        mount.append('mount -o remount,bind,ro "$root"')
    mount.append('mount -t proc proc "$root/proc"')
    mount.append("[ $mode = shared ] || ip link set lo up")
    enter = ["exec", "chroot"]
    if user is not None:
        enter.append('--userspec="$user"')
    mount.append(" ".join([*enter, '"$root"', '"$@"']))
    namespaces = ["--mount", "--pid", "--fork", "--kill-child"] + ([] if network else ["--net"])
    return [
        *("unshare", *namespaces, "sh", "-c", "\n".join(mount), "sh"),
        *(str(root), "shared" if network else "own", user or "", *map(str, arguments)),
    ]


def run_in(root, *arguments, check=True, stdin=None, environment=None, **options):
    """Runs a command in a root to its end; the result has returncode, stdout and stderr as text."""
    variables = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "SWIFT_BACKTRACE": "enable=no"}
    proxies = {k: v for k, v in os.environ.items() if k.lower().endswith("_proxy")}
    result = subprocess.run(
        command_in(root, *arguments, **options),
        input=stdin,
        stdin=None if stdin is not None else subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=variables | proxies | (environment or {}),
    )
    if check and result.returncode != 0:
        raise AssertionError(f"{arguments} ended with {result.returncode}:\n{result.stdout}{result.stderr}")
    return result
