"""Ask an Alertmanager, by version 2 of its HTTP API."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Self

import orjson
from pydantic import AliasPath, BeforeValidator, Field

from genesis_lib.clients.http import Http
from genesis_lib.clients.shapes import Instant, Listed, MaybeInstant, Text, read
from genesis_lib.endpoint import Endpoint
from genesis_lib.model import Answer

__all__ = ["Alertmanager", "AlertmanagerAlert", "AlertmanagerStatus", "Matcher", "Silence", "SyntheticAlertSender"]


def _names(value: object) -> object:
    """Receivers come as a list of mappings that hold nothing but a name."""
    return (
        [entry.get("name") if isinstance(entry, dict) else entry for entry in value]
        if isinstance(value, list)
        else value
    )


Names = Annotated[tuple[str, ...], BeforeValidator(_names)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertmanagerStatus:
    """How it runs. `cluster` is `ready`, `settling` or `disabled`; `config` is its YAML, credentials left out by itself."""

    version: Annotated[str, Field(validation_alias=AliasPath("versionInfo", "version"))]
    started_at: Annotated[Instant, Field(alias="uptime")]
    cluster: Annotated[str, Field(validation_alias=AliasPath("cluster", "status"))]
    config: Annotated[str, Field(validation_alias=AliasPath("config", "original"))]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertmanagerAlert:
    """One alert that it holds. `state` is `active`, `suppressed` or `unprocessed`."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    fingerprint: str
    state: Annotated[str, Field(validation_alias=AliasPath("status", "state"))]
    silenced_by: Annotated[tuple[str, ...], Listed, Field(validation_alias=AliasPath("status", "silencedBy"))] = ()
    inhibited_by: Annotated[tuple[str, ...], Listed, Field(validation_alias=AliasPath("status", "inhibitedBy"))] = ()
    starts_at: Annotated[Instant, Field(alias="startsAt")]
    ends_at: Annotated[MaybeInstant, Field(alias="endsAt")]
    receivers: Names = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """One condition of a silence on a label."""

    name: str
    value: str
    is_regex: Annotated[bool, Field(alias="isRegex")]
    is_equal: Annotated[bool, Field(alias="isEqual")] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """One silence. `state` is `active`, `pending` or `expired`."""

    id: str
    state: Annotated[str, Field(validation_alias=AliasPath("status", "state"))]
    matchers: tuple[Matcher, ...]
    starts_at: Annotated[Instant, Field(alias="startsAt")]
    ends_at: Annotated[Instant, Field(alias="endsAt")]
    created_by: Annotated[Text, Field(alias="createdBy")] = ""
    comment: Text = ""


class Alertmanager:
    """An Alertmanager. All methods raise SourceError where there is no usable answer."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def ready(self) -> Answer[bool]:
        """Whether it can take alerts."""
        return self._http.state("/-/ready")

    def healthy(self) -> Answer[bool]:
        """Whether the process lives."""
        return self._http.state("/-/healthy")

    def status(self) -> Answer[AlertmanagerStatus]:
        """Version, start, cluster and configuration."""
        return read(self._http, "/api/v2/status", AlertmanagerStatus)

    def alerts(self) -> Answer[tuple[AlertmanagerAlert, ...]]:
        """The alerts that it holds, suppressed ones included."""
        return read(self._http, "/api/v2/alerts", tuple[AlertmanagerAlert, ...])

    def silences(self) -> Answer[tuple[Silence, ...]]:
        """All silences, expired ones included for as long as it keeps them."""
        return read(self._http, "/api/v2/silences", tuple[Silence, ...])

    def receivers(self) -> Answer[tuple[str, ...]]:
        """The names of the receivers in its configuration."""
        return read(self._http, "/api/v2/receivers", Names)


class SyntheticAlertSender:
    """Posts the synthetic alert, opt-in: the one thing in this package that does more than read. Its posts are not recorded."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._http = Http(endpoint, source="alertmanager", evidence=None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def post(
        self, *, labels: Mapping[str, str], annotations: Mapping[str, str], starts_at: datetime, ends_at: datetime
    ) -> None:
        """An alert that fires from `starts_at` on and ends itself at `ends_at`; one with the same labels is replaced.

        Raises:
            SourceError: Alertmanager did not take it.

        """
        alert = {"labels": labels, "annotations": annotations, "startsAt": starts_at, "endsAt": ends_at}
        self._http.post_synthetic_alert("/api/v2/alerts", orjson.dumps([alert]))
