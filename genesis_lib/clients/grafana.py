"""Ask a Grafana server: its health, data sources and dashboards."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import AliasPath, Field

from genesis_lib.clients.http import Http
from genesis_lib.clients.shapes import Text, read, shape
from genesis_lib.masking import mask_json
from genesis_lib.model import Answer

__all__ = ["Dashboard", "DashboardHit", "DataSource", "Grafana", "GrafanaHealth", "LibraryPanel"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GrafanaHealth:
    """`database` is `ok` or `failing`; `version` is empty where the server hides it from strangers."""

    database: str
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSource:
    """One data source. `kind` is its plugin (`prometheus`); `url` is where Grafana's server reaches it.

    `min_interval` is the scrape interval that a Prometheus is said to have (`30s`); empty: nothing is said.
    """

    uid: str
    name: str
    kind: Annotated[str, Field(alias="type")]
    url: Text = ""
    is_default: Annotated[bool, Field(alias="isDefault")] = False
    min_interval: Annotated[Text, Field(validation_alias=AliasPath("jsonData", "timeInterval"))] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """One dashboard: `model` is its JSON as it would be exported, `meta` what Grafana adds (version, folder, who changed it)."""

    model: Annotated[Mapping[str, Any], Field(alias="dashboard")]
    meta: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryPanel:
    """A panel that several dashboards share; `model` is its JSON."""

    model: Annotated[Mapping[str, Any], Field(validation_alias=AliasPath("result", "model"))]


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardHit:
    """One dashboard that a search found."""

    uid: str
    title: str
    url: Text = ""
    folder: Annotated[Text, Field(alias="folderTitle")] = ""
    tags: tuple[str, ...] = ()


class Grafana:
    """A Grafana server. All methods raise SourceError where there is no usable answer."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def health(self) -> Answer[GrafanaHealth]:
        """Version, and whether it reaches its database; it answers 503 where it does not. Needs no credentials."""
        return read(self._http, "/api/health", GrafanaHealth, answers=[503])

    def data_sources(self) -> Answer[tuple[DataSource, ...] | None]:
        """All data sources, or None where the account may not see them, as a viewer's may not."""
        reply = self._http.get("/api/datasources", answers=[HTTPStatus.FORBIDDEN], scrub=mask_json)
        if reply.status == HTTPStatus.FORBIDDEN:
            return reply.answer(None)
        return reply.answer(shape(tuple[DataSource, ...], reply.json(), reply))

    def dashboard(self, uid: str) -> Answer[Dashboard]:
        """The dashboard of this uid."""
        return read(self._http, f"/api/dashboards/uid/{quote(uid, safe='')}", Dashboard, scrub=mask_json)

    def library_panel(self, uid: str) -> Answer[LibraryPanel]:
        """The library panel of this uid."""
        return read(self._http, f"/api/library-elements/{quote(uid, safe='')}", LibraryPanel, scrub=mask_json)

    def search(self, query: str = "") -> Answer[tuple[DashboardHit, ...]]:
        """The dashboards whose title holds `query`, or all (Grafana lists at most 1,000)."""
        asked = [("type", "dash-db"), *([("query", query)] if query else [])]
        return read(self._http, "/api/search", tuple[DashboardHit, ...], params=asked)
