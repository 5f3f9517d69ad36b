"""Read `params/<environment>.yaml`, one deployment to judge, into frozen, strictly checked settings."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from genesis_lib import strict_yaml
from genesis_lib.artefacts import STACK_FILES, HealthSources, TelemetrySources
from genesis_lib.endpoint import Endpoint, Url, resolve
from genesis_lib.errors import ParameterError
from genesis_lib.objectives.objective import ObjectiveOverride
from genesis_lib.strict_yaml import Absent, Name, Strict, Texts

__all__ = [
    "Embedded",
    "Environment",
    "Files",
    "Probes",
    "QueryOverride",
    "Service",
    "SyntheticAlert",
    "Target",
    "load_environment",
    "project_root",
]


class Embedded(Strict):
    """The environment is a stack that Genesis starts itself; the addresses below it are replaced by the stack's own."""

    scenario: Name


class Service(Strict):
    """A service that must be there: one of the sources, or (by `url`) any program with a `/metrics` page.

    `version` is what it must report: the whole version or its first parts ("2.42"); empty: any. `up_for_h` is for how many hours it
    must have been up. `container` is its name in the Docker engine; empty: it runs without Docker, and its endpoint speaks for it.
    """

    source: Literal["prometheus", "alertmanager", "grafana"] | None = None
    url: Url | None = None
    version: str = ""
    up_for_h: NonNegativeFloat = 0.0
    container: str = ""

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if (self.source is None) == (self.url is None):
            raise ValueError("needs either source (prometheus, alertmanager, grafana) or url")
        return self


class Target(Strict):
    """A scrape job that must have at least `count` targets up, and the metrics that a healthy one exposes."""

    count: PositiveInt = 1
    metrics: Texts = ()


class QueryOverride(Strict):
    """What this environment asks instead of policy's query of the same name."""

    expr: Name


class SyntheticAlert(Strict):
    """A test alert that Genesis posts and follows to a receiver.

    `labels` are added to the test's own; `receiver` is where it must arrive; `arrived` is a page where the receiver lists, as JSON,
    the notifications that it got (docs/checks/alerting.md); `within_s` is how long to wait for it.
    """

    labels: Mapping[str, str] = Field(default_factory=dict)
    receiver: Name
    arrived: Url
    within_s: PositiveFloat = 60.0


class Probes(Strict):
    """What Genesis may do here beyond reading; each is done only where it is named."""

    synthetic_alert: SyntheticAlert | None = None
    grafana_default_login: bool = False


class Files(Strict):
    """The files to audit, relative to the parameter file."""

    prometheus_config: str = ""
    rules: Texts = ()
    alertmanager_config: str = ""
    dashboards: Texts = ()
    deploy: str = ""
    rollback: str = ""
    health_check: str = ""

    def named(self) -> list[tuple[str, str]]:
        """Every file that is named, as (key, path)."""
        found: list[tuple[str, str]] = []
        for key in type(self).model_fields:
            value = getattr(self, key)
            found += [(f"{key}.{i}", v) for i, v in enumerate(value)] if isinstance(value, tuple) else [(key, value)]
        return [(key, path) for key, path in found if path]


_ADDRESSES = ("url", "arrived")
Source = Annotated[Endpoint | None, Absent]


class Environment(Strict):
    """One deployment to judge. A source that is `none` is declared not to exist.

    `scope` are label matchers that are put into every selector asked of a shared Prometheus; `host` says whether the machine itself is
    judged, or only observed because it is no part of the deployment; `grafana_dashboards` are the uids of those to audit.
    """

    title: Name
    owner: Name
    chunk: int = Field(default=1, ge=1, le=3)
    policy: str = ""
    embedded: Embedded | None = None
    prometheus: Source
    alertmanager: Source
    grafana: Source
    docker: Source
    services: Mapping[str, Service]
    targets: Mapping[str, Target]
    queries: Mapping[str, QueryOverride] = Field(default_factory=dict)
    slos: Mapping[str, ObjectiveOverride] = Field(default_factory=dict)
    scope: Mapping[str, str] = Field(default_factory=dict)
    host: Literal["judged", "observed"] = "judged"
    grafana_dashboards: Texts = ()
    probes: Probes = Probes()
    files: Files = Files()
    telemetry: TelemetrySources = TelemetrySources()
    health: HealthSources = HealthSources()

    # Filled by load_environment.
    name: str = ""
    path: str = ""

    def at_addresses(self, addresses: Mapping[str, str]) -> Self:
        """The same environment with `host:port` replaced in every URL, as the embedded stack was given other ports."""

        def moved(value: Any) -> Any:
            if isinstance(value, dict):
                return {k: _moved_url(v, addresses) if k in _ADDRESSES and v else moved(v) for k, v in value.items()}
            return value

        return type(self).model_validate(moved(self.model_dump(exclude_unset=True)))

    def file(self, path: str) -> Path:
        """Where a file of `files` lies on this machine."""
        return Path(self.path).parent / path

    def sources(self) -> dict[str, Endpoint]:
        """The sources that this environment has."""
        names = ("prometheus", "alertmanager", "grafana", "docker")
        return {name: endpoint for name in names if (endpoint := getattr(self, name)) is not None}

    def secrets(self) -> list[str]:
        """All credentials, resolved, so that none is ever stored.

        Raises:
            ParameterError: a reference names a variable that is not set or a file that cannot be read.

        """
        found, wrong = [], []
        for source, endpoint in self.sources().items():
            for key in ("bearer", "password"):
                reference = getattr(endpoint, key)
                try:
                    found += [resolve(reference)] if reference else []
                except ParameterError as error:
                    wrong.append(f"{source}.{key}: {error}")
        if wrong:
            raise ParameterError("; ".join(wrong))
        return found


def project_root() -> Path:
    """The folder that holds params/, notebooks/ and outputs/: `GENESIS_HOME`, or where this package lies."""
    return Path(os.environ.get("GENESIS_HOME") or Path(__file__).resolve().parent.parent)


def load_environment(name_or_path: str, *, root: Path, copied: bool = False) -> Environment:
    """The environment of this name (`demo`), or of this YAML file (`elsewhere/prod.yaml`).

    `copied` says that it is a run's own copy, which stands apart from the files that it names.

    Raises:
        ParameterError: no such environment; an unknown key, a wrong type or a missing file, with file, line and mend.

    """
    is_path = name_or_path.endswith((".yaml", ".yml")) or "/" in name_or_path
    path = Path(name_or_path).resolve() if is_path else root / "params" / f"{name_or_path}.yaml"
    if not path.is_file():
        known = sorted(p.stem for p in (root / "params").glob("*.yaml"))
        raise ParameterError(
            f"{name_or_path}: no such environment; known are {', '.join(known)}, or give the path of a YAML file"
        )
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", path.stem):
        raise ParameterError(f"{path.name}: an environment's file is named with letters, digits, - and _ only")
    document = strict_yaml.load(path, shown_as=strict_yaml.shown(path, root))
    environment = document.parse(Environment, computed={"name": path.stem, "path": str(path)})
    if not environment.policy:
        environment = environment.model_copy(update={"policy": str(root / "params" / "policy")})
    if copied:
        return environment
    _check_references(environment, document)
    return environment.model_copy(update={name: _absolute(e, path.parent) for name, e in environment.sources().items()})


def _absolute(endpoint: Endpoint, folder: Path) -> Endpoint:
    files = {key: getattr(endpoint, key) for key in ("ca_file", "client_cert", "client_key")}
    return endpoint.model_copy(update={key: str(folder / file) for key, file in files.items() if file})


def _check_references(environment: Environment, document: strict_yaml.Document) -> None:
    """Refuse an environment that names files or sources that are not there."""
    for key, file in environment.files.named():
        if not environment.file(file).is_file():
            raise ParameterError(
                document.at(
                    ("files", *key.split(".")),
                    f"names a file that is not there: {file} (that is {environment.file(file).resolve()})",
                )
            )
    for key, endpoint in environment.sources().items():
        for part in ("ca_file", "client_cert", "client_key"):
            file = getattr(endpoint, part)
            if file and not environment.file(file).is_file():
                raise ParameterError(document.at((key, part), f"names a file that is not there: {file}"))
    if not environment.file(environment.policy).is_dir():
        raise ParameterError(document.at(("policy",), f"names a folder that is not there: {environment.policy}"))
    _check_sources(environment, document)
    _check_stack_files(environment, document)


def _check_stack_files(environment: Environment, document: strict_yaml.Document) -> None:
    for section in ("telemetry", "health"):
        for key, value in dict(getattr(environment, section)).items():
            for name in value if isinstance(value, tuple) else (value,):
                if isinstance(name, str) and name.startswith(STACK_FILES) and not environment.embedded:
                    message = f"names {name}, a file of an embedded stack, and this environment has none"
                    raise ParameterError(document.at((section, key), message))


def _check_sources(environment: Environment, document: strict_yaml.Document) -> None:
    """Refuse an environment that needs a source which it declares not to have."""
    for service_name, service in environment.services.items():
        needs = ((service.source, "source"), ("docker" if service.container else None, "container"))
        for source, key in needs:
            if source and source not in environment.sources():
                message = f"needs {source}, which is declared `none` above; remove this, or name the source"
                raise ParameterError(document.at(("services", service_name, key), message))
    if environment.probes.synthetic_alert and not environment.alertmanager:
        message = "needs alertmanager, which is declared `none` above"
        raise ParameterError(document.at(("probes", "synthetic_alert"), message))
    if environment.grafana_dashboards and not environment.grafana:
        raise ParameterError(document.at(("grafana_dashboards",), "needs grafana, which is declared `none` above"))


def _moved_url(url: str, addresses: Mapping[str, str]) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=addresses.get(parts.netloc, parts.netloc)).geturl()
