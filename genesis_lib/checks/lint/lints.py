"""Say of a PromQL expression what is wrong with it whatever the data: what gives nothing, misleads, or is not what it is called."""

from collections.abc import Callable, Iterator
from typing import Any

import promql_parser as promql

from genesis_lib import syntax
from genesis_lib.checks.ask.promql import (
    COMPARISONS,
    calls,
    children,
    metric_name,
    quoted,
    selectors,
    unwrapped,
    walk,
)
from genesis_lib.checks.lint import joins, lookback, units
from genesis_lib.checks.lint.remarks import Remark, Setting
from genesis_lib.model import Verdict

__all__ = ["Remark", "Setting", "lint"]

# For each function that only counters are made for, what to ask of a gauge; and the reverse.
_OF_COUNTERS = {"increase": "delta", "irate": "deriv", "rate": "deriv"}
_OF_GAUGES = {"delta": "increase", "deriv": "rate", "idelta": "irate", "predict_linear": ""}
_DEEPEST = 150  # a tree deeper than any that a person wrote; following it would exhaust Python's stack
_TOO_DEEP = Remark(
    kind="too-deep",
    verdict=Verdict.UNKNOWN,
    reason=f"The query is nested more than {_DEEPEST} deep, so it was not read for what it may say wrongly",
    hint="Split it, e.g. by recording rules",
)
_ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "^"})


def lint(text: str, setting: Setting) -> tuple[Remark, ...]:
    """All remarks on the expression, each once; none where the text is no PromQL, which is the ladder's to say. Never raises."""
    try:
        tree = syntax.tree(text)
    except ValueError:
        return ()
    if _is_deeper_than(_DEEPEST, tree):
        return (_TOO_DEEP,)
    return tuple(dict.fromkeys(remark for rule in _RULES for remark in rule(tree, setting)))


def _is_deeper_than(limit: int, tree: Any) -> bool:
    level = [tree]
    for _ in range(limit):
        level = [child for node in level for child in children(node)]
        if not level:
            return False
    return True


def _wrong_kinds(tree: Any, setting: Setting) -> Iterator[Remark]:
    """A counter's function of a gauge, and the reverse."""
    for name, over, call in calls(tree):
        selector = (
            unwrapped(over.expr) if isinstance(over, promql.SubqueryExpr) else getattr(over, "vector_selector", None)
        )
        if not isinstance(selector, promql.VectorSelector):
            continue
        metric, part = metric_name(selector), quoted(call)
        kind = setting.kind_of(metric)
        if name in _OF_COUNTERS and kind == "gauge":
            yield Remark(
                kind="rate-of-gauge",
                verdict=Verdict.WARN,
                reason=f"`{part}`: {metric} is a gauge, and {name}() takes each fall of it for a restart and answers too much",
                hint=f"Write `{part.replace(name, _OF_COUNTERS[name], 1)}`",
            )
        elif name in _OF_GAUGES and kind == "counter":
            better = _OF_GAUGES[name]
            yield Remark(
                kind="delta-of-counter",
                verdict=Verdict.WARN,
                reason=f"`{part}`: {metric} is a counter, and {name}() takes its restart from 0 for a fall",
                hint=f"Write `{part.replace(name, better, 1)}`"
                if better
                else "Predict from its rate(), which knows of restarts",
            )


def _hidden_absence(tree: Any, setting: Setting) -> Iterator[Remark]:
    """A number put in where there is no data."""
    for node in walk(tree):
        if not isinstance(node, promql.BinaryExpr) or str(node.op) != "or":
            continue
        stand_in = unwrapped(node.rhs)
        if not _is_made_up(stand_in, setting) or all(_rightly_absent(selector) for selector in selectors(node.lhs)):
            continue
        counted = _counted_by_bool(unwrapped(node.lhs))
        yield Remark(
            kind="hidden-absence",
            verdict=Verdict.WARN,
            reason=f"`{quoted(node)}` answers {_value(stand_in)} where there is no data, which looks like a measured value",
            hint=f"Write `{counted}`, which is 0 where nothing meets the condition and empty where there is no data"
            if counted
            else f"Leave `or {quoted(stand_in)}` out, and watch for absence by `absent(…)`",
        )


def _is_made_up(node: Any, setting: Setting) -> bool:
    """Whether the value is measured nowhere: vector(), or computed from it, or from absent() where absence is not to alert."""
    if _is_vector(node):
        return True
    operators = {str(n.op) for n in walk(node) if isinstance(n, promql.BinaryExpr)}
    wanted = selectors(node)
    from_absence = bool(wanted) and all(s.absence_wanted for s in wanted) and bool(operators) and setting.for_s is None
    from_vector = not wanted and any(_is_vector(n) for n in walk(node))
    return operators <= _ARITHMETIC and (from_absence or from_vector)


def _is_vector(node: Any) -> bool:
    return isinstance(node, promql.Call) and node.func.name == "vector"


def _value(stand_in: Any) -> str:
    return quoted(stand_in.args[0]) if _is_vector(stand_in) else f"`{quoted(stand_in)}`"


def _counted_by_bool(node: Any) -> str:
    """`sum(x == bool 0)` for `count(x == 0)`; empty where the expression is no such count."""
    condition = unwrapped(node.expr) if isinstance(node, promql.AggregateExpr) and str(node.op) == "count" else None
    if not isinstance(condition, promql.BinaryExpr) or str(condition.op) not in COMPARISONS or condition.modifier:
        return ""
    left, right, whole = quoted(condition.lhs), quoted(condition.rhs), quoted(node)
    with_bool = f"{left} {condition.op} bool {right}"
    return whole.replace("count", "sum", 1).replace(quoted(condition), with_bool, 1)


def _rightly_absent(selector: Any) -> bool:
    return selector.absence_wanted or selector.name in {"ALERTS", "ALERTS_FOR_STATE"}


_RULES: tuple[Callable[[Any, Setting], Iterator[Remark]], ...] = (
    lookback.short_windows,
    _wrong_kinds,
    joins.histograms,
    joins.dropped_labels,
    _hidden_absence,
    lookback.missed_scrapes,
    units.percentages,
    lookback.beyond_retention,
)
