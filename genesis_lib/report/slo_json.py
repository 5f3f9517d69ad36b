"""Write the status of objectives as JSON, for machines: the same facts as the tables, the same bytes for the same facts."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from genesis_lib.model import Finding, Missing
from genesis_lib.objectives.objective import Objective
from genesis_lib.report.machine import finding_to_json
from genesis_lib.slo.budget import Budget, Forecast
from genesis_lib.slo.burn import Burn
from genesis_lib.slo.period import Period
from genesis_lib.slo.status import Interval, Status
from genesis_lib.views.objective_words import verdict

__all__ = ["SCHEMA_VERSION", "to_json"]

T = TypeVar("T")
SCHEMA_VERSION = 1
_DIGITS = 12  # that count; what floating-point arithmetic leaves behind lies beyond


def to_json(
    statuses: Sequence[Status],
    findings: Sequence[Finding],
    *,
    environment: str,
    run_id: str,
    as_of: datetime,
    exit_code: int,
    not_applicable: Mapping[str, str],
    requests: int,
) -> str:
    """The objectives in their order, and what was found about them, with sorted keys.

    Ratios are ratios, latencies and lengths of time (`..._s`) are seconds, instants are ISO 8601 in UTC; infinity is the string "+Inf"; a
    value that is not there is an object with `missing` (the cause), `detail` and `evidence`. An objective's `verdict` is the worst of what
    was found about it; its `status` is about its value alone.
    """
    document = {
        "schema_version": SCHEMA_VERSION,
        "environment": environment,
        "run_id": run_id,
        "as_of": _instant(as_of),
        "exit_code": exit_code,
        "requests": requests,
        "not_applicable": dict(not_applicable),
        "objectives": [_status(status, findings) for status in statuses],
        "findings": [finding_to_json(f) for f in findings],
    }
    return json.dumps(document, sort_keys=True, indent=1, allow_nan=False)


def _status(status: Status, findings: Sequence[Finding]) -> dict[str, Any]:
    return _objective(status.objective) | {
        "verdict": verdict(status, findings).value,
        "status": {"verdict": status.verdict.value, "reason": status.reason, "hint": status.hint},
        "value": _or_missing(status.value, _number),
        "distance": _or_missing(status.distance, _number),
        "events": _or_missing(status.events, _number),
        "interval": _or_missing(status.interval, _interval),
        "in_period": _period(status.period),
        "worst": status.worst
        and {"label": status.worst.label, "name": status.worst.name, "value": _number(status.worst.value)},
        "budget": _or_missing(status.budget, _budget),
        "burn_rates": [_burn(burn) for burn in status.burns],
        "forecast": _or_missing(status.forecast, _forecast),
        "source": {
            "is_recorded": status.source.is_recorded,
            "difference": None if status.source.difference is None else _number(status.source.difference),
            "disagrees": status.source.disagrees,
            "note": status.source.note,
        },
        "warnings": list(status.warnings),
        "evidence": list(status.evidence),
    }


def _objective(objective: Objective) -> dict[str, Any]:
    return {
        "name": objective.name,
        "title": objective.title,
        "kind": objective.indicator.kind,
        "unit": objective.unit,
        "better": objective.better,
        "target": _number(objective.target),
        "warning": _number(objective.warning),
        "critical": _number(objective.critical),
        "window_s": _seconds(objective.window),
        "period_s": _seconds(objective.period),
        "confidence": objective.confidence,
        "objective_ratio": _number(objective.objective_ratio),
        "budget_ratio": _number(objective.budget_ratio),
        "owner": objective.owner,
        "runbook": objective.runbook,
    }


def _interval(interval: Interval) -> dict[str, Any]:
    return {"low": _number(interval.low), "high": _number(interval.high)}


def _period(period: Period) -> dict[str, Any]:
    return {
        "bad_events": _or_missing(period.counts.bad, _number),
        "total_events": _or_missing(period.counts.total, _number),
        "attained": _or_missing(period.attained, _number),
        "coverage": _number(period.coverage),
        "life_s": _seconds(period.life),
        "is_young": period.is_young,
        "trend": _or_missing(period.trend, _number),
    }


def _budget(budget: Budget) -> dict[str, Any]:
    return {
        "left": _number(budget.left),
        "left_s": _seconds(budget.left_time),
        "left_events": _number(budget.left_events),
        "allowed_events": _number(budget.allowed_events),
        "is_spent": budget.is_spent,
    }


def _burn(burn: Burn) -> dict[str, Any]:
    return {
        "long_s": _seconds(burn.window.long),
        "short_s": _seconds(burn.window.short),
        "budget_share": _number(burn.window.budget),
        "severity": burn.window.severity,
        "factor": _number(burn.factor),
        "is_reachable": burn.is_reachable,
        "long": _or_missing(burn.long, _number),
        "short": _or_missing(burn.short, _number),
        "fires": burn.fires,
    }


def _forecast(forecast: Forecast) -> dict[str, Any]:
    spent_at = forecast.spent_at
    return {"spent_at": None if spent_at is None else _instant(spent_at), "pace_s": _seconds(forecast.pace)}


def _or_missing(value: T | Missing, write: Callable[[T], Any]) -> Any:
    if isinstance(value, Missing):
        return {"missing": value.cause.value, "detail": value.detail, "evidence": value.evidence}
    return write(value)


def _number(value: float) -> float | str:
    """A number that JSON can hold, without the noise of floating point and without a negative zero."""
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return float(f"{value:.{_DIGITS}g}") + 0.0


def _seconds(length: timedelta) -> float | str:
    return _number(length.total_seconds())


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
