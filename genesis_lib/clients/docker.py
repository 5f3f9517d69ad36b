"""Ask a Docker engine, over its unix socket or TCP: version, containers and images. It can send nothing but GET."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

import orjson
from pydantic import AliasPath, BeforeValidator, Field

from genesis_lib.clients.http import Http
from genesis_lib.clients.shapes import Instant, Listed, MaybeInstant, Text, read
from genesis_lib.masking import mask_json
from genesis_lib.model import Answer

__all__ = ["Container", "ContainerDetails", "Docker", "DockerVersion", "Image"]

Labels = Annotated[Mapping[str, str], BeforeValidator(lambda value: {} if value is None else value)]
EpochSeconds = Annotated[datetime, BeforeValidator(lambda value: datetime.fromtimestamp(value, UTC))]
# The engine writes every name with a leading slash.
PlainName = Annotated[str, BeforeValidator(lambda value: value.lstrip("/") if isinstance(value, str) else value)]
FirstName = Annotated[
    PlainName, BeforeValidator(lambda value: value[0] if isinstance(value, list) and value else value)
]


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerVersion:
    """Which engine answers, and by which version of its API."""

    version: Annotated[str, Field(alias="Version")]
    api_version: Annotated[str, Field(alias="ApiVersion")]
    os: Annotated[str, Field(alias="Os")] = ""
    architecture: Annotated[str, Field(alias="Arch")] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One container as the engine lists it. `state` is `running`, `exited`…; `status` says it in words (`Up 3 hours`)."""

    id: Annotated[str, Field(alias="Id")]
    name: Annotated[FirstName, Field(alias="Names")]
    image: Annotated[str, Field(alias="Image")]
    state: Annotated[str, Field(alias="State")]
    status: Annotated[str, Field(alias="Status")]
    labels: Annotated[Labels, Field(alias="Labels")]
    created_at: Annotated[EpochSeconds, Field(alias="Created")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerDetails:
    """One container in full.

    `image` is what was asked for when it was created, `image_id` what it runs. `exit_code` is 0 as long as it runs; `oom_killed` is about
    its last end, and stays when it is started again. `error` is why it could not be started. `health` is empty where it has no health
    check, `health_output` what the last one printed. `started_at` is None where it never ran, `finished_at` where it never ended.
    """

    id: Annotated[str, Field(alias="Id")]
    name: Annotated[PlainName, Field(alias="Name")]
    image: Annotated[str, Field(validation_alias=AliasPath("Config", "Image"))]
    state: Annotated[str, Field(validation_alias=AliasPath("State", "Status"))]
    running: Annotated[bool, Field(validation_alias=AliasPath("State", "Running"))]
    exit_code: Annotated[int, Field(validation_alias=AliasPath("State", "ExitCode"))]
    oom_killed: Annotated[bool, Field(validation_alias=AliasPath("State", "OOMKilled"))]
    restart_count: Annotated[int, Field(alias="RestartCount")]
    created_at: Annotated[Instant, Field(alias="Created")]
    started_at: Annotated[MaybeInstant, Field(validation_alias=AliasPath("State", "StartedAt"))]
    finished_at: Annotated[MaybeInstant, Field(validation_alias=AliasPath("State", "FinishedAt"))]
    image_id: Annotated[Text, Field(alias="Image")] = ""
    error: Annotated[Text, Field(validation_alias=AliasPath("State", "Error"))] = ""
    health: Annotated[Text, Field(validation_alias=AliasPath("State", "Health", "Status"))] = ""
    health_output: Annotated[Text, Field(validation_alias=AliasPath("State", "Health", "Log", -1, "Output"))] = ""
    labels: Annotated[Labels, Field(validation_alias=AliasPath("Config", "Labels"))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One image, by the names that the engine knows it under: `name:tag`, and `name@sha256:…` where it came from a registry."""

    tags: Annotated[tuple[str, ...], Listed, Field(alias="RepoTags")] = ()
    digests: Annotated[tuple[str, ...], Listed, Field(alias="RepoDigests")] = ()


class Docker:
    """A Docker engine, or a compatible one. All methods raise SourceError where there is no usable answer."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def version(self) -> Answer[DockerVersion]:
        """The engine's version."""
        return read(self._http, "/version", DockerVersion)

    def containers(self) -> Answer[tuple[Container, ...]]:
        """All containers, stopped ones included."""
        return read(self._http, "/containers/json", tuple[Container, ...], params=[("all", "1")], scrub=mask_json)

    def inspect(self, container: str) -> Answer[ContainerDetails]:
        """One container by id or name. Its environment variables, where programs are given their secrets, are never recorded."""
        return read(
            self._http, f"/containers/{quote(container, safe='')}/json", ContainerDetails, scrub=_without_environment
        )

    def image(self, image_id: str) -> Answer[Image]:
        """One image by its id. Its environment variables are never recorded, either."""
        return read(self._http, f"/images/{quote(image_id, safe='')}/json", Image, scrub=_without_environment)


def _without_environment(body: bytes) -> bytes:
    try:
        document: Any = orjson.loads(body)
        # Of an image, engines before 25 also tell by what container it was built.
        for part in (document["Config"], document.get("ContainerConfig") or {}):
            part.pop("Env", None)
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return b"" if b'"Env"' in body else mask_json(body)  # not an engine's answer: it will be refused for its shape
    return mask_json(orjson.dumps(document))
