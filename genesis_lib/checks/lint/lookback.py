"""Compare how far a PromQL expression looks back with how often its samples come and how long they are kept."""

import math
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import promql_parser as promql

from genesis_lib.checks.ask.promql import calls, children, metric_name, quoted, unwrapped
from genesis_lib.checks.lint.remarks import Remark, Setting
from genesis_lib.model import Verdict

__all__ = ["beyond_retention", "missed_scrapes", "short_windows"]

_NEED_TWO_SAMPLES = frozenset(
    {"changes", "delta", "deriv", "double_exponential_smoothing", "holt_winters", "idelta", "increase", "irate"}
    | {"predict_linear", "rate", "resets"}
)
# Prometheus writes these at each scrape also where the scrape fails, and ALERTS only while one is active.
_NEVER_MISSED = frozenset({"ALERTS", "ALERTS_FOR_STATE", "up"})


def _duration(seconds: float) -> str:
    return promql.display_duration(timedelta(milliseconds=math.ceil(seconds * 1000)))


def _seconds(duration: timedelta | None) -> float:
    return 0.0 if duration is None else duration.total_seconds()


def short_windows(tree: Any, setting: Setting) -> Iterator[Remark]:
    """Ranges that hold too few samples for what is computed from them."""
    for name, over, call in calls(tree):
        if name not in _NEED_TWO_SAMPLES or not isinstance(over, promql.MatrixSelector | promql.SubqueryExpr):
            continue
        apart, what = _apart_s(over, setting)
        window, bounds = _seconds(over.range), setting.window_intervals
        if apart <= 0 or window >= bounds.warn * apart:
            continue
        enough = _duration(bounds.warn * apart)
        short = window < bounds.fail * apart
        yield Remark(
            kind="rate-window",
            verdict=Verdict.FAIL if short else Verdict.WARN,
            reason=f"`{quoted(call)}` looks at {_duration(window)}, and {what}, so it "
            + (
                "often holds fewer than the two samples that it needs"
                if short
                else "is empty after a missed sample or two"
            ),
            hint=f"Widen the window to {enough} or more: `{_range(over, enough).join(quoted(call).rsplit(_range(over), 1))}`",
        )


def _range(over: Any, window: str = "") -> str:
    return f"[{window or promql.display_duration(over.range)}" + (":" if isinstance(over, promql.SubqueryExpr) else "]")


def _apart_s(over: Any, setting: Setting) -> tuple[float, str]:
    if isinstance(over, promql.MatrixSelector):
        apart = setting.interval_of(metric_name(over.vector_selector))
        return apart, f"there is a sample every {_duration(apart)}"
    step = setting.evaluation_s if over.step is None else _seconds(over.step)
    inner = unwrapped(over.expr)
    if isinstance(inner, promql.VectorSelector):  # a finer step only sees the same samples again
        step = max(step, setting.interval_of(metric_name(inner)))
    return step, f"its subquery gives a value every {_duration(step)}"


def missed_scrapes(tree: Any, setting: Setting) -> Iterator[Remark]:
    """Alerts on absence that fire when one scrape is missed."""
    if setting.for_s is None:
        return
    for call in _absences(tree):
        for metric, held_s in _instants(call.args[0], 0.0):
            apart = setting.interval_of(metric)
            if metric in _NEVER_MISSED or metric.startswith("scrape_") or held_s + setting.for_s >= 2 * apart:
                continue
            yield Remark(
                kind="absent-too-soon",
                verdict=Verdict.WARN,
                reason=f"`{quoted(call)}` with `for: {_duration(setting.for_s)}` fires on a single missed scrape: "
                f"{metric or 'its input'} is scraped every {_duration(apart)}",
                hint=f"Give the alert a `for` of {_duration(2 * apart)} or more, or ask absent_over_time() over as much",
            )


def _absences(node: Any) -> Iterator[Any]:
    """The calls of absent() and absent_over_time() that may make it fire: none that `unless` takes away."""
    if isinstance(node, promql.Call) and node.func.name.startswith("absent"):
        yield node
    takes_away = isinstance(node, promql.BinaryExpr) and str(node.op) == "unless"
    for child in [node.lhs] if takes_away else children(node):
        yield from _absences(child)


def _instants(tree: Any, held_s: float) -> Iterator[tuple[str, float]]:
    """Each metric in it, and how long a range still holds its last sample."""
    if isinstance(tree, promql.VectorSelector):
        yield metric_name(tree), held_s
    if isinstance(tree, promql.MatrixSelector | promql.SubqueryExpr):
        held_s += _seconds(tree.range)
    for child in children(tree):
        yield from _instants(child, held_s)


def beyond_retention(tree: Any, setting: Setting) -> Iterator[Remark]:
    """Questions about a time of which nothing is kept."""
    kept = setting.retention_s
    if kept is None:
        return
    for node, back_s, offset_s in _reaches(tree, None, 0.0, 0.0):
        if back_s <= kept:
            continue
        beyond = offset_s > kept
        yield Remark(
            kind="beyond-retention",
            verdict=Verdict.FAIL if beyond else Verdict.WARN,
            reason=f"`{quoted(node)}` asks {_duration(back_s)} back, and Prometheus keeps {_duration(kept)}, so "
            + ("all of it is gone" if beyond else "the oldest part is missing and the answer is of a shorter time"),
            hint=f"Ask for {_duration(kept)} at most, or keep data longer (`--storage.tsdb.retention.time`)",
        )


def _reaches(node: Any, whole: Any, back_s: float, offset_s: float) -> Iterator[tuple[Any, float, float]]:
    """Each selector with what it stands in, how far back it reaches, and how far back its newest sample lies."""
    selector = node.vector_selector if isinstance(node, promql.MatrixSelector) else node
    if isinstance(selector, promql.VectorSelector | promql.SubqueryExpr):
        if selector.at is not None:
            return  # a fixed moment, of which the expression alone does not tell how long ago it was
        shift, window = _seconds(selector.offset), _seconds(getattr(node, "range", None))
        whole, back_s, offset_s = whole or node, back_s + shift + window, offset_s + shift
    if isinstance(selector, promql.VectorSelector):
        yield whole, back_s, offset_s
        return
    for child in children(node):
        yield from _reaches(child, whole, back_s, offset_s)
