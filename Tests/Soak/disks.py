"""A disk that fills and empties: a tmpfs whose size is changed, so that a full one takes no memory."""

import os
import shutil
import subprocess
import sys

ROOMY = 4 << 30


def have_mounts():
    """Goes on as root of user and mount namespaces of its own, where this user may not mount; ends if that fails, too."""
    if os.geteuid() == 0 or os.environ.get("SOAK_IN_NAMESPACE"):
        return
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-Urm", "true"], capture_output=True).returncode != 0:
        sys.exit("soak: mounting a tmpfs needs root or user namespaces (unshare -Urm)")
    environment = os.environ | {"SOAK_IN_NAMESPACE": "1"}
    os.execve(unshare, [unshare, "-Urm", sys.executable, *sys.argv], environment)


class SmallDisk:
    def __init__(self, folder):
        self.folder = folder
        self.is_full = False

    def __enter__(self):
        self.folder.mkdir()
        _run("mount", "-t", "tmpfs", "-o", f"size={ROOMY},mode=0700", "tmpfs", self.folder)
        return self

    def __exit__(self, *_):
        _run("umount", "-l", self.folder)

    def fill(self):
        """Leaves some 64 KiB."""
        space = os.statvfs(self.folder)
        used = (space.f_blocks - space.f_bfree) * space.f_frsize
        self._resize(used + (64 << 10))
        self.is_full = True

    def empty(self):
        self._resize(ROOMY)
        self.is_full = False

    def _resize(self, size):
        _run("mount", "-o", f"remount,size={size}", self.folder)


def _run(*command):
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert result.returncode == 0, f"{command}: {result.stderr.strip()}"
