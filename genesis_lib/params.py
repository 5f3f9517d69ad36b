"""Read `params/<environment>.yaml`, one deployment to judge, into frozen, strictly checked settings."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PositiveFloat, PositiveInt, model_validator

from genesis_lib import strict_yaml
from genesis_lib.errors import ParameterError
from genesis_lib.strict_yaml import Name, Strict, Texts

__all__ = [
    "Credential",
    "Embedded",
    "Endpoint",
    "Environment",
    "Files",
    "QueryOverride",
    "Service",
    "Target",
    "load_environment",
    "project_root",
    "resolve",
]


def _is_reference(value: str) -> str:
    if not re.fullmatch(r"env:[A-Za-z_]\w*|file:\S+", value):
        raise ValueError(
            "must be a reference, env:NAME or file:/path; a credential itself never stands in a parameter file"
        )
    return value


def _is_url(value: str) -> str:
    parts = urlsplit(value)
    try:
        parts.port  # noqa: B018 - reading it is what checks it
    except ValueError:
        raise ValueError("must name a port between 0 and 65535, or none") from None
    if parts.scheme not in {"http", "https", "unix"} or not (parts.hostname or parts.path):
        raise ValueError("must be a URL that starts with http://, https:// or unix://")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError(
            "must hold no user, password, query or fragment; credentials go under bearer, or username and password"
        )
    return value.rstrip("/")


def _none_is_absent(value: object) -> object:
    return None if value == "none" else value


Credential = Annotated[str, AfterValidator(_is_reference)]
Url = Annotated[str, AfterValidator(_is_url)]


class Endpoint(Strict):
    """How to reach one source: address, time limits, and credentials by reference. Times in seconds."""

    url: Url
    timeout_s: PositiveFloat = 10.0
    retries: int = Field(default=2, ge=0, le=10)
    ca_file: str = ""
    client_cert: str = ""
    client_key: str = ""
    bearer: Credential | None = None
    username: str = ""
    password: Credential | None = None
    tenant: str = ""

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> Self:
        if self.bearer and self.username:
            raise ValueError("bearer and username exclude each other; keep one")
        if bool(self.username) != bool(self.password):
            raise ValueError("username and password go together")
        if bool(self.client_cert) != bool(self.client_key):
            raise ValueError("client_cert and client_key go together")
        return self


class Embedded(Strict):
    """The environment is a stack that Genesis starts itself; the addresses below it are replaced by the stack's own."""

    scenario: Name


class Service(Strict):
    """A service that must be there: one of the sources, or (by `url`) any program with a `/metrics` page.

    `version` is what it must report: the whole version or its first parts ("2.42"); empty: any.
    """

    source: Literal["prometheus", "alertmanager", "grafana"] | None = None
    url: Url | None = None
    version: str = ""

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


Source = Annotated[Endpoint | None, BeforeValidator(_none_is_absent)]


class Environment(Strict):
    """One deployment to judge. A source that is `none` is declared not to exist."""

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
    files: Files = Files()

    # Filled by load_environment.
    name: str = ""
    path: str = ""

    def at_addresses(self, addresses: Mapping[str, str]) -> Self:
        """The same environment with `host:port` replaced in every URL, as the embedded stack was given other ports."""

        def moved(value: Any) -> Any:
            if isinstance(value, dict):
                return {k: _moved_url(v, addresses) if k == "url" and v else moved(v) for k, v in value.items()}
            return value

        return type(self).model_validate(moved(self.model_dump()))

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
    for service_name, service in environment.services.items():
        if service.source and service.source not in environment.sources():
            where = ("services", service_name, "source")
            raise ParameterError(
                document.at(where, f"{service.source} is declared `none` above; remove the service or name the source")
            )


def resolve(reference: str) -> str:
    """The credential that `env:NAME` or `file:/path` stands for.

    Raises:
        ParameterError: the variable is not set, or the file cannot be read.

    """
    kind, _, where = reference.partition(":")
    if kind == "env":
        value = os.environ.get(where, "")
        if not value:
            raise ParameterError(f"credential {reference}: the environment variable {where} is not set")
        return value
    try:
        return Path(where).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ParameterError(f"credential {reference}: {error.strerror}") from error


def _moved_url(url: str, addresses: Mapping[str, str]) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=addresses.get(parts.netloc, parts.netloc)).geturl()
