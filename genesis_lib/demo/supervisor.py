"""Own the processes of one embedded stack: start them, watch them, and end them all, whatever happens.

    python -m genesis_lib.demo.supervisor '{"scenario": "healthy", ...}'

Says one JSON object per line on standard output: `progress` while it starts, then `ready` or `error`, then no more.
"""

import json
import os
import shutil
import signal
import sys
import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import NoReturn

from filelock import Timeout

from genesis_lib.demo import artefacts, binaries, configuration, history, measured, parts, ready, state
from genesis_lib.demo import scenario as scenarios
from genesis_lib.demo.children import Children
from genesis_lib.demo.ports import Reservation
from genesis_lib.errors import StackError

__all__ = ["Options", "main"]

_WATCH_EVERY_S = 0.5
_SAID_TO = 1  # standard output
_RETENTION = "30d"
_STARTED_FIRST = {"receiver": "webhook receiver", "node": "node exporter", "alertmanager": "Alertmanager"}
# The exporter's own default, but for "overlay": in a container it is what / is made of, and its size is wanted.
_FILESYSTEMS_IGNORED = (
    "^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|proc|procfs|pstore"
    "|rpc_pipefs|securityfs|selinuxfs|squashfs|sysfs|tracefs)$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to start. `is_tied`: standard input is a pipe from the caller, and the stack ends with it."""

    environment: str
    scenario: str
    project: str
    folder: str
    is_tied: bool


def main() -> int:
    """Run until told to stop; 0 then, 1 where the stack did not come up."""
    options = Options(**json.loads(sys.argv[1]))
    if not options.is_tied and os.fork():
        os._exit(0)  # the caller waits for this process; its child lives on, and is nobody's zombie
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, _stop)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if options.is_tied:
        threading.Thread(target=_end_with_caller, args=(os.getppid(),), daemon=True).start()
    folder = Path(options.folder)
    lock = state.lock_of(folder)
    try:
        lock.acquire(timeout=1)
    except Timeout:
        _say(
            "error",
            f"the stack of {options.environment} is up, or starting; `genesis stack down {options.environment}` ends it",
        )
        return 1
    children, measuring = Children(folder), Children(folder)
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        ports = _start(options, folder, children, measuring)
        _say("ready", "")
        _let_go_of_caller(folder)
        _watch(folder, children)
    except (StackError, OSError) as error:  # OSError: the disk is full, a folder is read-only
        _ignore_signals()  # the caller answers the error by telling us to stop; that must not cut the clean-up short
        _say("error", str(error))
        return 1
    finally:
        _ignore_signals()
        measuring.end()
        children.end()
        shutil.rmtree(folder, ignore_errors=True)
        if options.is_tied:  # its name is never used again
            Path(lock.lock_file).unlink(missing_ok=True)
    ports.close()
    return 0


def _start(options: Options, folder: Path, children: Children, measuring: Children) -> Reservation:
    """Bring everything up and say so; returns the ports that must stay held."""
    scenario = scenarios.load(options.scenario)
    programs = {
        part: binaries.find(name, progress=_progress)
        for part, name in (("prometheus", "prometheus"), ("alertmanager", "alertmanager"), ("node", "node_exporter"))
    }
    absent = set(parts.WORKLOAD_JOBS) - set(scenario.running)
    ports = Reservation(parts.PORTS, refused=absent, locks=folder.parent / "ports")
    addresses = ports.addresses
    now = state.State(
        environment=options.environment,
        scenario=options.scenario,
        addresses=dict(addresses),
        started_at=time.time(),
        pid=os.getpid(),
        is_ready=False,
        ended=(),
    )
    state.write(folder, now)
    config = configuration.prepare(
        folder / "configuration",
        monitoring=Path(options.project) / "monitoring",
        scenario_name=options.scenario,
        addresses=addresses,
    )
    started = (f"{name} ({addresses[part]})" for part, name in _STARTED_FIRST.items())
    _progress(f"starting {', '.join(started)}")
    ports.release(*_STARTED_FIRST)
    children.start(
        "receiver",
        Path(sys.executable),
        "-m",
        "genesis_lib.demo.receiver",
        f"--port={addresses['receiver'].rpartition(':')[2]}",
        cwd=Path.cwd(),
    )
    children.start(
        "node",
        programs["node"],
        f"--web.listen-address={addresses['node']}",
        "--no-collector.systemd",  # asks the system's bus, which need not be there, at each scrape
        "--no-collector.textfile",  # Debian's default folder for it is part of the installed package
        f"--collector.filesystem.fs-types-exclude={_FILESYSTEMS_IGNORED}",
        cwd=binaries.working_folder(programs["node"]),
    )
    children.start(
        "alertmanager",
        programs["alertmanager"],
        f"--config.file={config.alertmanager}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address={addresses['alertmanager']}",
        "--cluster.listen-address=",  # else it looks for peers
        cwd=binaries.working_folder(programs["alertmanager"]),
    )
    node_page = ready.page(f"http://{addresses['node']}/metrics", children)
    started_at = time.time()  # the past ends here, and the workload's counting begins
    left_behind = folder / "artefacts"
    left_behind.mkdir()
    artefacts.write_at_start(left_behind, scenario, at=datetime.fromtimestamp(started_at, UTC))
    measured.begin(measuring, project=Path(options.project), artefacts=left_behind)
    if scenario.running:
        _progress(f"starting the workload ({', '.join(f'{job} {addresses[job]}' for job in scenario.running)})")
        ports.release(*scenario.running)
        children.start(
            "workload",
            Path(sys.executable),
            "-m",
            "genesis_lib.demo.workload",
            f"--scenario={options.scenario}",
            f"--started-at={started_at}",
            f"--artefacts={left_behind}",
            *(f"--port={job}={addresses[job].rpartition(':')[2]}" for job in scenario.running),
            cwd=Path.cwd(),
        )
    _progress(f"writing {scenario.history.total_seconds() / 3600:.0f} hours of history")
    data = folder / "prometheus"
    history.write(data, scenario, now=started_at, addresses=addresses, node_page=node_page, rules=config.rules)
    for job in scenario.running:
        ready.page(f"http://{addresses[job]}/metrics", children)
    _progress(f"starting Prometheus ({addresses['prometheus']})")
    ports.release("prometheus")
    children.start(
        "prometheus",
        programs["prometheus"],
        f"--config.file={config.prometheus}",
        f"--storage.tsdb.path={data}",
        f"--storage.tsdb.retention.time={_RETENTION}",
        f"--web.listen-address={addresses['prometheus']}",
        "--rules.alert.for-grace-period=0s",  # else an alert whose `for` is under 10m has no past, and is pending anew
        "--rules.alert.resend-delay=5s",  # else an alert that fires before Alertmanager answers arrives a minute late
        cwd=binaries.working_folder(programs["prometheus"]),
    )
    ready.page(f"http://{addresses['receiver']}/notifications", children)
    ready.page(f"http://{addresses['alertmanager']}/-/ready", children)
    ready.page(f"http://{addresses['prometheus']}/-/ready", children)
    measured.wait(measuring, children, progress=_progress)  # Prometheus scrapes meanwhile
    _progress("waiting until every target was scraped and every rule evaluated")
    ready.judged(f"http://{addresses['prometheus']}", children, jobs=parts.JOBS)
    now = replace(now, started_at=started_at, is_ready=True)
    state.write(folder, now)
    return ports


def _let_go_of_caller(folder: Path) -> None:
    """Write what else there is to say into a log: our standard error may be a pipe whose reader waits for its end."""
    with (folder / "supervisor.log").open("wb") as log:
        os.dup2(log.fileno(), _SAID_TO)
        os.dup2(log.fileno(), sys.stderr.fileno())


def _watch(folder: Path, children: Children) -> None:
    """Note in the state which parts have died; the stack is not ended by it, for a stack with a hole is still to be judged."""
    while True:
        time.sleep(_WATCH_EVERY_S)
        now = state.read(folder)
        if now is not None and (ended := children.ended()) != now.ended:
            state.write(folder, replace(now, ended=ended))


def _end_with_caller(caller: int) -> None:
    """Stop when the caller closes its end of the pipe or is gone, by SIGKILL too; runs in a thread of its own."""

    def watch_parent() -> None:
        # A process that the caller forked may hold the pipe open after the caller's death.
        while os.getppid() == caller:
            time.sleep(_WATCH_EVERY_S)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch_parent, daemon=True).start()
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    _ignore_signals()  # once is enough: a second one would cut the clean-up short
    raise SystemExit(0)


def _ignore_signals() -> None:
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, signal.SIG_IGN)


def _progress(text: str) -> None:
    _say("progress", text)


def _say(kind: str, text: str) -> None:
    try:
        os.write(_SAID_TO, json.dumps({kind: text}).encode() + b"\n")
    except BrokenPipeError as error:  # the caller is gone, and nobody waits for this stack
        raise SystemExit(1) from error


if __name__ == "__main__":
    sys.exit(main())
