#!/usr/bin/env python3
"""Fills a folder with what the image holds: image-root.py BINARY FOLDER

The binary, the shared libraries that the loader finds for it here (so they are those it was linked with), the
certificates of public authorities, two accounts, and what scanners read to know the libraries' versions.
"""

import pathlib
import re
import shutil
import subprocess
import sys

PROJECT = pathlib.Path(__file__).resolve().parents[1]
USER = 65532  # As in other images without a shell: no account of a host has it.


def said(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def libraries(binary):
    """The paths under which the loader opens the binary's libraries, itself included."""
    listed = said("ldd", str(binary))
    if "not found" in listed:
        sys.exit(f"image-root: error: a library is missing:\n{listed}")
    return sorted(set(re.findall(r"(/\S+) \(0x", listed)))


def package_of(path):
    """The Debian package of a file, which dpkg may know under the path before or after /usr was merged."""
    real = str(pathlib.Path(path).resolve())
    for name in (path, real, "/usr" + path, real.removeprefix("/usr")):
        found = subprocess.run(["dpkg-query", "-S", name], capture_output=True, text=True)
        if found.returncode == 0:
            return found.stdout.split(": ")[0].split(",")[0]
    sys.exit(f"image-root: error: no Debian package has {path}; use the Dockerfile on this machine")


def copy(source, root, target=None):
    """Copies a file's content; a link becomes what it leads to."""
    destination = root / str(target or source).lstrip("/")
    destination.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, destination)
    destination.chmod(0o755 if pathlib.Path(source).stat().st_mode & 0o111 else 0o644)
    return destination


def copy_tree(source, root, target, pattern="*.json"):
    for file in sorted(source.glob(pattern)):
        copy(file, root, f"{target}/{file.name}")


def release():
    """What scanners ask of os-release: whose libraries these are."""
    lines = pathlib.Path("/etc/os-release").read_text().splitlines()
    wanted = ("PRETTY_NAME=", "ID=", "VERSION_ID=", "VERSION_CODENAME=")
    return "".join(f"{line}\n" for line in lines if line.startswith(wanted))


def main():
    binary, root = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    copy(binary, root, "/usr/bin/gatehouse").chmod(0o755)
    packages = set()
    for library in libraries(binary):
        # In two places that are one on a machine whose /usr is merged: there are no links in the image.
        packages.add(package_of(library))
        copy(library, root).chmod(0o755)
    for package in sorted({*packages, package_of("/usr/sbin/update-ca-certificates")}):
        name = package.split(":")[0]
        status = root / f"var/lib/dpkg/status.d/{name}"
        status.parent.mkdir(parents=True, exist_ok=True)
        status.write_text(said("dpkg-query", "-s", package))
        copyright = pathlib.Path(f"/usr/share/doc/{name}/copyright")
        if copyright.exists():
            copy(copyright, root)
    copy("/etc/ssl/certs/ca-certificates.crt", root)
    copy(PROJECT / "LICENSE", root, "/usr/share/doc/gatehouse/copyright")
    copy_tree(PROJECT / "schemas", root, "/usr/share/gatehouse/schemas")
    copy_tree(PROJECT / "policies", root, "/usr/share/gatehouse/policies")
    (root / "etc/os-release").write_text(release())
    (root / "etc/passwd").write_text(
        "root:x:0:0:root:/root:/sbin/nologin\n"
        f"gatehouse:x:{USER}:{USER}:Gatehouse:/var/lib/gatehouse:/sbin/nologin\n"
    )
    (root / "etc/group").write_text(f"root:x:0:\ngatehouse:x:{USER}:\n")
    (root / "etc/nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files dns\n")
    (root / "etc/gatehouse").mkdir()
    # Where a volume is mounted; without one nothing can be written, since the root is meant to be read-only.
    (root / "var/lib/gatehouse").mkdir(parents=True)
    for folder in ("tmp", "proc", "dev", "sys", "run"):
        (root / folder).mkdir(mode=0o755)
    (root / "tmp").chmod(0o1777)


main()
