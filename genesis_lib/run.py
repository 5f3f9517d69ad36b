"""One judgement of one environment at one instant: its folder, its `as_of`, its sources and their evidence. Judges nothing."""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from genesis_lib import __version__, strict_yaml
from genesis_lib.artefacts import STACK_FILES
from genesis_lib.clients.alertmanager import Alertmanager
from genesis_lib.clients.docker import Docker
from genesis_lib.clients.exposition import Exposition
from genesis_lib.clients.grafana import Grafana
from genesis_lib.clients.http import Http
from genesis_lib.clients.prometheus import Prometheus
from genesis_lib.endpoint import Endpoint
from genesis_lib.errors import RunError, SourceError
from genesis_lib.evidence import Evidence
from genesis_lib.model import Answer, Cause, Missing
from genesis_lib.params import Environment, load_environment
from genesis_lib.policy import Policy, load_policy

__all__ = ["PAST", "Run", "create", "open_folder", "read_record", "refuse_future", "write_record"]

T = TypeVar("T")

# Sources without a time argument answer about now; for an `as_of` further back than this their answer would be about another time.
PAST = timedelta(minutes=5)
_RECORD = "run.json"
_PARALLEL_QUESTIONS = 8
_HOW_TO_READ = """# Evidence

Every finding names exchanges by their id. `<id>.json` in this folder is one: what was asked of which source, when, how long it took, and
what came of it (an error, or a status and the digest of the body). The body is `bodies/<digest>.gz`; `gunzip -c` shows it, and the digest
is its SHA-256. Credentials are stored nowhere; where one turned up stands `<secret>`.
"""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run folder opened: sources are asked through it, once, and the record answers from then on.

    `historical` says that `as_of` lies too far back for sources that have no time argument.
    """

    folder: Path
    environment: Environment
    policy: Policy
    as_of: datetime
    historical: bool
    evidence: Evidence
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)
    _gathered: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def run_id(self) -> str:
        """The name that the run was given; its folder may have been moved since."""
        return str(self.record["run_id"])

    @cached_property
    def record(self) -> dict[str, Any]:
        """`run.json` as it was when first looked at."""
        return read_record(self.folder)

    @property
    def prometheus(self) -> Prometheus:
        """The client of the environment's Prometheus."""
        return self._client("prometheus", lambda http: Prometheus(http, scope=self.environment.scope))

    @property
    def alertmanager(self) -> Alertmanager:
        """The client of the environment's Alertmanager."""
        return self._client("alertmanager", Alertmanager)

    @property
    def grafana(self) -> Grafana:
        """The client of the environment's Grafana."""
        return self._client("grafana", Grafana)

    @property
    def docker(self) -> Docker:
        """The client of the environment's Docker engine."""
        return self._client("docker", Docker)

    def exposition(self, service: str) -> Exposition:
        """The client of a service that is known by its `/metrics` page."""
        url = self.environment.services[service].url
        if url is None:
            raise SourceError(Cause.NOT_DECLARED, f"services.{service} names no url")
        if service not in self._clients:
            http = Http(Endpoint(url=url), source=service, evidence=self.evidence)
            self._clients[service] = Exposition(http)
        return self._clients[service]  # type: ignore[no-any-return]

    def file(self, name: str) -> Path:
        """Where a file lies on this machine that the environment names; `stack:` begins the name of one that the embedded stack made."""
        if not name.startswith(STACK_FILES):
            return self.environment.file(name)
        folder = self.record["addresses"].get(STACK_FILES, "")
        return Path(folder) / name.removeprefix(STACK_FILES)

    def ask(self, question: Callable[[], Answer[T]]) -> Answer[T] | Missing:
        """The answer of a source that was told the instant, or why there is none."""
        try:
            return question()
        except SourceError as error:
            return error.missing()

    def ask_now(self, question: Callable[[], Answer[T]]) -> Answer[T] | Missing:
        """The answer of a source that has no time argument; Missing where `as_of` lies in the past."""
        if self.historical:
            detail = f"this source only tells about now, and the run is about {self.as_of:%Y-%m-%d %H:%M:%S} UTC"
            return Missing(cause=Cause.NO_HISTORY, detail=detail)
        return self.ask(question)

    def ask_all(self, questions: Mapping[str, Callable[[], Answer[T]]]) -> dict[str, Answer[T] | Missing]:
        """Several questions at once, bounded in number; answers under the same keys."""
        with ThreadPoolExecutor(max_workers=_PARALLEL_QUESTIONS) as pool:
            return dict(zip(questions, pool.map(self.ask, questions.values()), strict=True))

    def once(self, name: str, gather: Callable[["Run"], T]) -> T:
        """What `gather` finds, found once and then remembered under `name`: for facts that several checks stand on."""
        if name not in self._gathered:
            self._gathered[name] = gather(self)
        return self._gathered[name]  # type: ignore[no-any-return]

    def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            client.close()

    def _client(self, source: str, kind: Callable[[Http], T]) -> T:
        if source not in self._clients:
            endpoint = getattr(self.environment, source)
            if endpoint is None:
                raise SourceError(Cause.NOT_DECLARED, f"{self.environment.name} declares that it has no {source}")
            self._clients[source] = kind(Http(endpoint, source=source, evidence=self.evidence))
        return self._clients[source]  # type: ignore[no-any-return]


def create(
    environment: Environment,
    policy: Policy,
    *,
    root: Path,
    as_of: datetime | None,
    interactive: bool,
    addresses: Mapping[str, str] | None = None,
) -> Run:
    """A new run folder, `outputs/<environment>/<run id>/`, with parameters and policy copied into it.

    Args:
        environment: as loaded from its file.
        policy: as loaded from the environment's policy folder.
        root: the project's folder.
        as_of: the instant to judge; None: now.
        interactive: made from a notebook by hand; it never becomes `latest`.
        addresses: what to reach instead of the `host:port` that the parameters name, and where its files lie (`stack:`), of the
            embedded stack.

    Raises:
        ParameterError: a credential cannot be resolved; nothing was written.
        RunError: `as_of` lies in the future.

    """
    environment = environment.at_addresses(addresses or {})
    secrets = environment.secrets()
    now = datetime.now(UTC)
    # To the millisecond, as Prometheus keeps time: cut to the second, "now" would lie before the scrape that just came in.
    as_of = as_of or now.replace(microsecond=now.microsecond // 1000 * 1000)
    refuse_future(as_of, now)

    folder = _new_folder(root / "outputs" / environment.name, now)
    (folder / "params").mkdir()
    (folder / "evidence").mkdir()
    (folder / "evidence" / "README.md").write_text(_HOW_TO_READ, encoding="utf-8")
    shutil.copy(environment.path, folder / "params" / f"{environment.name}.yaml")
    shutil.copytree(environment.file(environment.policy), folder / "params" / "policy")
    record = {
        "schema_version": 1,
        "genesis_version": __version__,
        "run_id": folder.name,
        "environment": environment.name,
        "parameters": strict_yaml.shown(Path(environment.path), root.resolve()),
        "as_of": as_of.isoformat(),
        "created_at": now.isoformat(),
        "historical": now - as_of > PAST,
        "interactive": interactive,
        "addresses": dict(addresses or {}),
        "notebooks": {},
        "complete": False,
    }
    write_record(folder, record)
    return Run(
        folder=folder,
        environment=environment,
        policy=policy,
        as_of=as_of,
        historical=bool(record["historical"]),
        evidence=Evidence(folder / "evidence", replay=False, secrets=secrets),
    )


def refuse_future(as_of: datetime, now: datetime) -> None:
    """Refuse to judge what has not happened.

    Raises:
        RunError: `as_of` lies after `now`.

    """
    if as_of > now:
        raise RunError(f"as_of {as_of.isoformat()} lies in the future; leave it empty to judge this moment")


def open_folder(folder: Path, *, root: Path, expect: Environment | None = None, replay: bool = False) -> Run:
    """An existing run: one that is complete is sealed, and only replays.

    Args:
        folder: the run folder.
        root: the project's folder.
        expect: refuse an unfinished run that was begun with other parameters than these.
        replay: only replay, even if the run is not complete.

    Raises:
        RunError: there is no run, or it was begun with other parameters.

    """
    record = read_record(folder)
    copy = folder / "params" / f"{record['environment']}.yaml"
    sealed = bool(record["complete"]) or replay
    if expect is not None and expect.name != record["environment"]:
        raise RunError(f"{folder.name}: is a run of {record['environment']}, not of {expect.name}")
    if expect is not None and not sealed and Path(expect.path).read_bytes() != copy.read_bytes():
        raise RunError(
            f"{folder.name}: was begun with other parameters than {expect.name}.yaml now holds; open a new run"
        )
    # An unfinished run goes on with the original, which knows where the files that it names lie; the two are equal.
    original = expect if expect is not None and not sealed else load_environment(str(copy), root=root, copied=True)
    environment = original.at_addresses(record["addresses"])
    return Run(
        folder=folder,
        environment=environment,
        policy=load_policy(folder / "params" / "policy", root=root),
        as_of=datetime.fromisoformat(record["as_of"]),
        historical=bool(record["historical"]),
        evidence=Evidence(folder / "evidence", replay=sealed, secrets=() if sealed else environment.secrets()),
    )


def read_record(folder: Path) -> dict[str, Any]:
    """What `run.json` says."""
    try:
        record = json.loads((folder / _RECORD).read_bytes())
    except FileNotFoundError as error:
        hint = f"; did you mean {folder / 'latest'}?" if (folder / "latest").is_dir() else ""
        raise RunError(f"{folder}: is no run folder (it has no {_RECORD}){hint}") from error
    except (OSError, ValueError) as error:
        raise RunError(f"{folder / _RECORD}: cannot be read: {error}") from error
    return dict(record)


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Replace `run.json` as a whole."""
    fresh = folder / f".{_RECORD}.{os.getpid()}"
    fresh.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    fresh.replace(folder / _RECORD)


def _new_folder(parent: Path, now: datetime) -> Path:
    parent.mkdir(parents=True, exist_ok=True)
    for suffix in ("", *(f"-{n}" for n in range(2, 100))):
        folder = parent / f"{now:%Y%m%dT%H%M%SZ}{suffix}"
        with suppress(FileExistsError):
            folder.mkdir()
            return folder
    raise RunError(f"{parent}: a hundred runs in one second; wait a moment")
