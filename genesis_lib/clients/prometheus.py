"""Ask a Prometheus server: one method for each endpoint of its HTTP API, each answer typed, its warnings carried along."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

from genesis_lib.clients.http import Http, Params, Reply
from genesis_lib.clients.prometheus_types import (
    Alert,
    Alertmanagers,
    BuildInfo,
    Metadata,
    Rule,
    RuleGroup,
    RuntimeInfo,
    Series,
    Target,
    Targets,
    series_name,
)
from genesis_lib.clients.prometheus_values import join_series, read_samples, read_series, to_frame
from genesis_lib.clients.scope import put_in
from genesis_lib.clients.shapes import shape
from genesis_lib.errors import SourceError
from genesis_lib.model import Answer, Cause, Missing, Sample

__all__ = [
    "Alert",
    "Alertmanagers",
    "BuildInfo",
    "Metadata",
    "Prometheus",
    "Rule",
    "RuleGroup",
    "RuntimeInfo",
    "Series",
    "Target",
    "Targets",
    "to_frame",
]

T = TypeVar("T")

# Prometheus refuses more points than this in one series of one answer.
_POINTS_PER_REQUEST = 11_000
_SHOWN_SERIES = 5
# Service discovery may drop many thousands of targets.
_KEPT_DROPPED = 20


class Prometheus:
    """A Prometheus server, or one that speaks its API (VictoriaMetrics, Thanos; what they lack raises REFUSED).

    `scope` are label matchers that are put into every selector of every query, where others use the server too.
    All methods raise SourceError where there is no usable answer. Instants must know their time zone.
    """

    def __init__(self, http: Http, *, scope: Mapping[str, str] | None = None) -> None:
        self._http = http
        self._scope = scope or {}

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def ready(self) -> Answer[bool]:
        """Whether it can serve queries. While it still replays its log it says no; `infos` then holds its words."""
        return self._http.state("/-/ready")

    def healthy(self) -> Answer[bool]:
        """Whether the process lives. It says yes long before it is ready."""
        return self._http.state("/-/healthy")

    def buildinfo(self) -> Answer[BuildInfo]:
        """Version and revision."""
        return self._read("/api/v1/status/buildinfo", (), BuildInfo)

    def runtimeinfo(self) -> Answer[RuntimeInfo]:
        """When it was started, and whether it took its last configuration."""
        return self._read("/api/v1/status/runtimeinfo", (), RuntimeInfo)

    def flags(self) -> Answer[Mapping[str, str]]:
        """The command line flags and their values."""
        return self._read("/api/v1/status/flags", (), Mapping[str, str])  # type: ignore[type-abstract]

    def config(self) -> Answer[str]:
        """The loaded configuration as YAML; Prometheus itself leaves out credentials."""
        reply, data, _ = self._ask("/api/v1/status/config", ())
        return reply.answer(shape(Mapping[str, str], data, reply).get("yaml", ""))  # type: ignore[type-abstract]

    def clock(self) -> Answer[datetime]:
        """What time it is on the server, to the millisecond; compare it with the answer's `asked_at`."""
        reply, data, notes = self._ask("/api/v1/query", [("query", "time()")])
        try:
            (sample,) = read_samples(data["resultType"], data["result"], reply)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise reply.malformed(
                f"answered a query for its time in another shape than expected ({error!r})"
            ) from error
        return _with_notes(reply.answer(sample.at), notes)

    def query(self, expr: str, *, at: datetime) -> Answer[tuple[Sample, ...]]:
        """Every series of an instant vector; a scalar comes as one sample without labels."""
        reply, data, notes = self._ask(
            "/api/v1/query", [("query", self._scoped(expr)), ("time", _instant(at))], is_long=True
        )
        try:
            samples = tuple(read_samples(data["resultType"], data["result"], reply))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise reply.malformed(f"answered a query in another shape than expected ({error!r})") from error
        return _with_notes(reply.answer(samples), notes)

    def number(self, expr: str, *, at: datetime) -> Answer[float | Missing]:
        """The one number that an expression must yield: Missing where it yields none (NO_DATA) or several series (AMBIGUOUS)."""
        answer = self.query(expr, at=at)
        value: float | Missing
        match answer.value:
            case ():
                value = Missing(cause=Cause.NO_DATA, detail=f"{expr}: no series", evidence=answer.evidence)
            case (sample,):
                value = sample.value
            case several:
                names = ", ".join(series_name(s.labels) for s in several[:_SHOWN_SERIES])
                more = f" and {len(several) - _SHOWN_SERIES} more" if len(several) > _SHOWN_SERIES else ""
                detail = f"{expr}: one number wanted, {len(several)} series given: {names}{more}; aggregate them"
                value = Missing(cause=Cause.AMBIGUOUS, detail=detail, evidence=answer.evidence)
        return Answer(
            value=value,
            evidence=answer.evidence,
            asked_at=answer.asked_at,
            warnings=answer.warnings,
            infos=answer.infos,
        )

    def query_range(self, expr: str, *, start: datetime, end: datetime, step: timedelta) -> Answer[tuple[Series, ...]]:
        """Every series from `start` to `end`, both included, a point each `step`; long ranges are asked in parts.

        `evidence` and `asked_at` are those of the first part.
        """
        if step < timedelta(milliseconds=1) or end < start:
            raise ValueError("a range needs a step of at least a millisecond, and an end that is not before its start")
        parts: dict[tuple[tuple[str, str], ...], list[Series]] = {}
        notes: tuple[list[str], list[str]] = ([], [])
        replies: list[Reply] = []
        last_point = (end - start) // step
        for point in range(0, last_point + 1, _POINTS_PER_REQUEST):
            until = min(point + _POINTS_PER_REQUEST - 1, last_point)
            asked = [
                ("query", self._scoped(expr)),
                ("start", _instant(start + point * step)),
                ("end", _instant(start + until * step)),
                ("step", f"{step.total_seconds():g}"),
            ]
            reply, data, told = self._ask("/api/v1/query_range", asked, is_long=True)
            replies.append(reply)
            for old, new in zip(notes, told, strict=True):
                old += [note for note in new if note not in old]
            try:
                found = [read_series(raw) for raw in data["result"]]
            except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
                raise reply.malformed(f"answered a range query in another shape than expected ({error!r})") from error
            for series in found:
                parts.setdefault(tuple(sorted(series.labels.items())), []).append(series)
        return _with_notes(replies[0].answer(tuple(join_series(same) for same in parts.values())), notes)

    def series(
        self, matchers: Sequence[str], *, start: datetime, end: datetime, limit: int | None = None
    ) -> Answer[tuple[Mapping[str, str], ...]]:
        """The labels of every series that matches. Servers before 2.51 pass over `limit`; later ones warn where it cut."""
        asked = [*_matching(matchers), *_between(start, end, limit)]
        return self._read("/api/v1/series", asked, tuple[Mapping[str, str], ...])

    def labels(
        self, *, start: datetime, end: datetime, matchers: Sequence[str] = (), limit: int | None = None
    ) -> Answer[tuple[str, ...]]:
        """The names of all labels."""
        asked = [*_matching(matchers), *_between(start, end, limit)]
        return self._read("/api/v1/labels", asked, tuple[str, ...])

    def label_values(
        self, name: str, *, start: datetime, end: datetime, matchers: Sequence[str] = (), limit: int | None = None
    ) -> Answer[tuple[str, ...]]:
        """All values of a label; `__name__` gives the metrics that there are."""
        asked = [*_matching(matchers), *_between(start, end, limit)]
        return self._read(f"/api/v1/label/{quote(name, safe='')}/values", asked, tuple[str, ...])

    def metadata(self, metric: str = "") -> Answer[Mapping[str, tuple[Metadata, ...]]]:
        """Type, help and unit of one metric or of all; targets may disagree, so each has a tuple."""
        asked = [("metric", metric)] if metric else []
        return self._read("/api/v1/metadata", asked, Mapping[str, tuple[Metadata, ...]])  # type: ignore[type-abstract]

    def targets(self) -> Answer[Targets]:
        """All scrape targets, with how their last scrape went."""
        reply, data, notes = self._ask("/api/v1/targets", ())
        listing = shape(dict[str, Any], data, reply)
        active = shape(tuple[Target, ...], listing.get("activeTargets") or (), reply)
        dropped = shape(tuple[dict[str, Any], ...], listing.get("droppedTargets") or (), reply)
        labels = shape(tuple[Mapping[str, str], ...], [d.get("discoveredLabels") or {} for d in dropped], reply)
        counts = shape(
            dict[str, int], listing.get("droppedTargetCounts") or {}, reply
        )  # the list itself may be cut short
        targets = Targets(
            active=active, dropped=sum(counts.values()) or len(dropped), dropped_labels=_first_of_each_job(labels)
        )
        return _with_notes(reply.answer(targets), notes)

    def rules(self) -> Answer[tuple[RuleGroup, ...]]:
        """All rules, as the server evaluates them."""
        reply, data, notes = self._ask("/api/v1/rules", ())
        groups = shape(dict[str, Any], data, reply).get("groups")
        return _with_notes(reply.answer(shape(tuple[RuleGroup, ...], groups or (), reply)), notes)

    def alerts(self) -> Answer[tuple[Alert, ...]]:
        """The alerts that are pending or firing."""
        reply, data, notes = self._ask("/api/v1/alerts", ())
        alerts = shape(dict[str, Any], data, reply).get("alerts")
        return _with_notes(reply.answer(shape(tuple[Alert, ...], alerts or (), reply)), notes)

    def alertmanagers(self) -> Answer[Alertmanagers]:
        """The Alertmanagers that it sends to."""
        reply, data, notes = self._ask("/api/v1/alertmanagers", ())
        found = shape(dict[str, tuple[dict[str, str], ...] | None], data, reply)
        active, dropped = (
            tuple(entry.get("url", "") for entry in found.get(key) or ())
            for key in ("activeAlertmanagers", "droppedAlertmanagers")
        )
        return _with_notes(reply.answer(Alertmanagers(active=active, dropped=dropped)), notes)

    def _scoped(self, expr: str) -> str:
        try:
            return put_in(expr, self._scope)
        except ValueError as error:
            detail = f"{expr}: cannot be narrowed to the environment's scope: {error}"
            raise SourceError(Cause.INVALID, detail) from error

    def _read(self, path: str, params: Params, kind: type[T]) -> Answer[T]:
        reply, data, notes = self._ask(path, params)
        if data is None and kind in (tuple[str, ...], tuple[Mapping[str, str], ...]):
            data = ()  # Go writes an empty list as null
        return _with_notes(reply.answer(shape(kind, data, reply)), notes)

    def _ask(
        self, path: str, params: Params, *, is_long: bool = False
    ) -> tuple[Reply, Any, tuple[list[str], list[str]]]:
        """The reply, its `data`, and its warnings and infos."""
        reply = self._http.get_long(path, params) if is_long else self._http.get(path, params)
        document = reply.json()
        if not isinstance(document, dict) or "status" not in document:
            raise reply.malformed(
                "answered with JSON that is not Prometheus' own (it has no status); is it another kind of server?"
            )
        if document["status"] != "success":
            detail = f"{reply.asked} answered with an error ({document.get('errorType')}: {document.get('error')})"
            raise SourceError(Cause.REFUSED, detail, evidence=reply.evidence)
        notes = tuple([str(note) for note in document.get(key) or ()] for key in ("warnings", "infos"))
        return reply, document.get("data"), (notes[0], notes[1])


def _with_notes(answer: Answer[T], notes: tuple[list[str], list[str]]) -> Answer[T]:
    warnings, infos = notes
    if not warnings and not infos:
        return answer
    return Answer(
        value=answer.value,
        evidence=answer.evidence,
        asked_at=answer.asked_at,
        warnings=tuple(warnings),
        infos=tuple(infos),
    )


def _first_of_each_job(dropped: Sequence[Mapping[str, str]]) -> tuple[Mapping[str, str], ...]:
    seen: Counter[str] = Counter()
    kept = []
    for labels in dropped:
        seen[labels.get("job", "")] += 1
        if seen[labels.get("job", "")] <= _KEPT_DROPPED:
            kept.append(labels)
    return tuple(kept)


def _instant(at: datetime) -> str:
    if at.tzinfo is None:
        raise ValueError("an instant without a time zone means something else on every machine; give it one")
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _matching(matchers: Sequence[str]) -> Params:
    return [("match[]", matcher) for matcher in matchers]


def _between(start: datetime, end: datetime, limit: int | None) -> Params:
    asked = [("start", _instant(start)), ("end", _instant(end))]
    return asked if limit is None else [*asked, ("limit", str(limit))]
