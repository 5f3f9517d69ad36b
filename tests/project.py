"""A project of one's own for tests of the whole: parameters, notebooks and monitoring copied, the library shared."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
GENESIS = Path(sys.executable).with_name("genesis")

# Servers that are not there, on a port that nobody may listen on: what such an environment claims cannot be told.
BLIND = """\
title: Servers that are not there
owner: nobody
prometheus: {url: http://127.0.0.1:1, retries: 0}
alertmanager: {url: http://127.0.0.1:1, retries: 0}
grafana: none
docker: none
services:
  prometheus: {source: prometheus}
  node-exporter: {url: http://127.0.0.1:1/metrics}
targets:
  node: {count: 1, metrics: [node_memory_MemTotal_bytes]}
files:
  rules: [../monitoring/production_alerts.yml]
  dashboards: [../monitoring/grafana_dashboard.json]
telemetry: {tests: none, overhead: none}
health: {tests: none, coverage: none, flags: none, python: none, files: [../monitoring/production_alerts.yml]}
"""
# What can be told of files alone, without any server.
OF_FILES = {"rules.present", "rules.annotated", "configuration.exists", "configuration.valid", "health.files"}


@dataclass(frozen=True)
class Project:
    """A project folder, with a state folder of its own, so that no test meets another's stack."""

    folder: Path

    @property
    def variables(self) -> dict[str, str]:
        """The environment of its commands."""
        return os.environ | {"GENESIS_HOME": str(self.folder), "XDG_STATE_HOME": str(self.folder / "state")}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """A `genesis` command begun, in a process group of its own."""
        return subprocess.Popen(
            [GENESIS, *arguments],
            env=self.variables,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=minds_ctrl_c,
        )

    def genesis(self, *arguments: str, timeout_s: float = 240) -> subprocess.CompletedProcess[str]:
        """A `genesis` command run to its end."""
        command = self.start(*arguments)
        try:
            out, error = command.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(command.pid, signal.SIGKILL)
            raise
        return subprocess.CompletedProcess(arguments, command.returncode, out, error)

    def latest(self, environment: str) -> Path:
        """The newest complete run."""
        return self.folder / "outputs" / environment / "latest"

    def report(self, environment: str) -> Mapping[str, Any]:
        """report.json of the newest complete run."""
        return dict(json.loads((self.latest(environment) / "report.json").read_bytes()))


def minds_ctrl_c() -> None:
    """For a child process: mind SIGINT, which a job in the background, as CI may be, ignores and its children inherit."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def make_project(folder: Path) -> Project:
    """Copy what an environment stands on into `folder`."""
    for name in ("params", "notebooks", "monitoring"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "requirements.lock", folder)
    for name in ("genesis_lib", "tests", "benchmarks"):  # the demo measures its telemetry by the latter two
        (folder / name).symlink_to(ROOT / name)
    (folder / "params" / "blind.yaml").write_text(BLIND)
    return Project(folder)


def processes_of(project: Project) -> Iterator[str]:
    """Command lines of living processes that name the project's folder (Linux)."""
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it ended while we looked
            continue
        if str(project.folder) in command:
            yield command
