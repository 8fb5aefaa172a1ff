"""Name resolution under a test's control: a process with an /etc of its own, and a name server on loopback."""

import ctypes
import os
import pathlib
import random
import shutil
import socket
import struct
import threading

import pytest

CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 0x1000, 0x4000, 1 << 18


class Etc:
    """A folder that stands for /etc in processes that are started with `prepare`; changed while they run."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        for name in ("ld.so.cache", "passwd", "group"):
            shutil.copy(f"/etc/{name}", self.folder)
        (self.folder / "nsswitch.conf").write_text("hosts: files dns\n")
        (self.folder / "host.conf").write_text("multi on\n")
        self.hosts()
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._check_permission()

    def hosts(self, *lines):
        self._replace("hosts", "".join(f"{line}\n" for line in ("127.0.0.1 localhost", *lines)))

    def resolv_conf(self, content):
        self._replace("resolv.conf", content)

    def _replace(self, name, content):
        temporary = self.folder / f"{name}.new"
        temporary.write_text(content)
        temporary.rename(self.folder / name)

    def prepare(self):
        """To be called in the new process before it becomes what it shall be."""
        self._call("unshare", CLONE_NEWNS)
        self._call("mount", b"none", b"/", None, MS_REC | MS_PRIVATE, None)
        self._call("mount", os.fsencode(self.folder), b"/etc", None, MS_BIND, None)

    def _call(self, name, *arguments):
        if getattr(self._libc, name)(*arguments) != 0:
            raise OSError(ctypes.get_errno(), name)

    def _check_permission(self):
        child = os.fork()
        if child == 0:
            try:
                self.prepare()
                os._exit(0)
            except BaseException:
                os._exit(1)
        if os.waitpid(child, 0)[1] != 0:
            pytest.skip("mount namespaces are not allowed here")


class NameServer:
    """Answers every question for an A record with `address`, or nothing at all while that is None."""

    def __init__(self, address=None):
        self.address = address
        self.questions = 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        while True:
            # Port 53 is all that resolv.conf can say, but loopback has addresses enough.
            self.ip = f"127.{random.randint(1, 254)}.{random.randint(0, 255)}.{random.randint(1, 254)}"
            try:
                self.socket.bind((self.ip, 53))
                break
            except PermissionError:
                pytest.skip("port 53 is not allowed here")
            except OSError:
                continue
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def _serve(self):
        while True:
            try:
                question, peer = self.socket.recvfrom(4096)
            except OSError:
                return
            self.questions += 1
            if self.address is not None:
                self.socket.sendto(self._answer(question), peer)

    def _answer(self, question):
        # Header, then one question: labels up to a zero byte, type and class. What follows (EDNS) is left out.
        end = question.index(b"\0", 12) + 5
        kind = struct.unpack("!H", question[end - 4 : end - 2])[0]
        records = b""
        if kind == 1:
            records = struct.pack("!HHHIH", 0xC00C, 1, 1, 60, 4) + socket.inet_aton(self.address)
        header = question[:2] + struct.pack("!HHHHH", 0x8180, 1, 1 if records else 0, 0, 0)
        return header + question[12:end] + records
