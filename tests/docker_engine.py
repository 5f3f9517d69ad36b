"""A real Docker engine for tests: dockerd unpacked from Debian packages, with an image made of busybox; needs root."""

import http.client
import io
import json
import os
import signal
import socket
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from platformdirs import user_cache_path

from genesis_lib.demo import debian

_PACKAGES = ("docker.io", "containerd", "runc", "libdevmapper1.02.1", "busybox-static")
_START_S = 30
IMAGE = "busybox:test"
LICENCE = "hunter2"  # stands in the environment of the image, where the client must leave it


class Engine:
    """A running engine, spoken to over its own socket."""

    def __init__(self, socket_path: Path, daemon: "subprocess.Popen[bytes]") -> None:
        self._daemon = daemon
        self.url = f"unix://{socket_path}"
        self._socket = str(socket_path)
        self._made: list[str] = []

    def call(self, method: str, path: str, body: bytes = b"", *, kind: str = "application/json") -> Any:
        """One call of the engine's API, for setting things up; the client under test only reads."""
        connection = http.client.HTTPConnection("docker", timeout=30)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(self._socket)
        try:
            connection.request(method, path, body, {"Content-Type": kind})
            reply = connection.getresponse()
            content = reply.read()
        finally:
            connection.close()
        assert reply.status < 400, (path, content)
        return (
            json.loads(content)
            if content and "json" in (reply.getheader("Content-Type") or "") and method == "GET"
            else content
        )

    def create(self, name: str, *command: str, **settings: Any) -> str:
        """Create a container from the test image, and give its id."""
        wanted = {"Image": IMAGE, "Cmd": list(command), "HostConfig": {"NetworkMode": "host"}} | settings
        made = json.loads(self.call("POST", f"/containers/create?name={name}", json.dumps(wanted).encode()))
        self._made.append(made["Id"])
        return str(made["Id"])

    def run(self, name: str, *command: str, **settings: Any) -> str:
        """Create a container from the test image, start it, and give its id."""
        made = self.create(name, *command, **settings)
        self.call("POST", f"/containers/{made}/start")
        return made

    def remove_all(self) -> None:
        """Remove every container that was made here; left running, each would delay the engine's end by ten seconds."""
        for made in list(self._made):
            self.remove(made)

    def remove(self, made: str) -> None:
        """Remove one container by its id."""
        self.call("DELETE", f"/containers/{made}?force=true")
        self._made.remove(made)

    def end(self) -> None:
        """End the engine, in order."""
        self._daemon.send_signal(signal.SIGTERM)
        self._daemon.wait(30)


@contextmanager
def started() -> Iterator[Engine]:
    """An engine in a folder of its own, ended by its pid when done. Skips without root, which it needs."""
    if os.geteuid() != 0:
        assert not os.environ.get("CI"), "CI runs as root; this test is not skipped there"
        pytest.skip("dockerd needs root")
    root = debian.unpacked(_PACKAGES, user_cache_path("genesis-readiness") / "tests-docker", progress=print)
    with tempfile.TemporaryDirectory(prefix="genesis-docker-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "daemon.json").write_text("{}")
        sock = folder / "docker.sock"
        command = [
            str(root / "usr/sbin/dockerd"),
            f"--host=unix://{sock}",
            f"--data-root={folder}/data",
            f"--exec-root={folder}/exec",
        ]
        command += [
            f"--pidfile={folder}/pid",
            f"--config-file={folder}/daemon.json",
            "--iptables=false",
            "--ip6tables=false",
        ]
        command += ["--bridge=none", "--storage-driver=vfs"]
        variables = os.environ | {
            "PATH": f"{root}/usr/bin:{root}/usr/sbin:{root}/sbin:{os.environ['PATH']}",
            "LD_LIBRARY_PATH": ":".join(sorted({str(p.parent) for p in root.rglob("*.so.*")})),
        }
        with (folder / "log").open("wb") as log:
            daemon = subprocess.Popen(command, env=variables, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + _START_S
            while not sock.exists() and daemon.poll() is None and time.monotonic() < deadline:
                time.sleep(0.1)
            assert sock.exists(), (folder / "log").read_text()[-3000:]
            engine = Engine(sock, daemon)
            engine.call(
                "POST",
                f"/images/create?fromSrc=-&repo={IMAGE.replace(':', '&tag=')}&changes=ENV+LICENCE={LICENCE}",
                _image(root),
                kind="application/x-tar",
            )
            yield engine
            engine.remove_all()
        finally:
            daemon.send_signal(signal.SIGTERM)  # does nothing to one that has ended
            daemon.wait(30)
            # What the engine leaves mounted, and what would keep the folder from being removed.
            subprocess.run(["umount", folder / "exec/netns/default"], check=False, capture_output=True)


def _image(root: Path) -> bytes:
    """A root file system that holds busybox and nothing else."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(next(p for p in root.rglob("busybox") if p.is_file() and p.stat().st_mode & 0o111), "bin/busybox")
        for name in ("sh", "sleep", "true", "false", "dd"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
    return buffer.getvalue()
