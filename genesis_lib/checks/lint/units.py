"""Tell whether a PromQL expression is the percentage that it is called, by what it counts, where that is certain."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import promql_parser as promql

from genesis_lib.checks.ask.promql import COMPARISONS, metric_name, quoted, unwrapped
from genesis_lib.checks.lint.remarks import Remark, Setting
from genesis_lib.model import Verdict

__all__ = ["Quantity", "percentages", "quantity"]

_WHOLE = 100  # percent

# The unit at the end of a metric's name (Prometheus' naming rules), before what marks a counter.
_UNIT = re.compile(r"_(seconds|bytes|ratio|joules|celsius|meters|volts|amperes|grams)(?:_total|_sum)?$")
# A counter of time, by whatever name and in whatever unit: its rate may be a share of time.
_OF_TIME = re.compile(
    r"second|minute|hour|time|duration|cpu|busy|idle|usage|utili|percent|ratio|milli|micro|nano|jiffies|ticks|_[mun]s(?:_|$)"
)
_SAME_AGGREGATIONS = frozenset({"sum", "avg", "min", "max", "topk", "bottomk", "quantile", "limitk", "limit_ratio"})
_SAME_FUNCTIONS = frozenset(
    {"abs", "ceil", "clamp", "clamp_max", "clamp_min", "floor", "label_join", "label_replace", "round", "scalar"}
    | {"sort", "sort_desc", "avg_over_time", "last_over_time", "max_over_time", "min_over_time"}
)
_SETS = frozenset({"and", "unless"})
_PERCENT, _SHARES = "percent", frozenset({"percentunit", "ratio"})
_UNSAID = frozenset({"", "none", "short"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """What a value counts: `sort` is counter, rate (per second), increase, level or ratio; `unit` e.g. bytes or events.

    `factor` is the number by which it was multiplied: a ratio with factor 1 goes from 0 to 1, with 100 it is in percent.
    """

    sort: str
    unit: str
    factor: float


def percentages(tree: Any, setting: Setting) -> Iterator[Remark]:
    """Values that are not the percentage that they are called."""

    def is_counter(name: str) -> bool:
        return setting.kind_of(name) == "counter"

    shown = setting.unit == _PERCENT or setting.unit in _SHARES
    for statement in _statements(tree):
        of = quantity(statement, is_counter)
        if of is None or of.factor not in {1, _WHOLE}:
            continue
        part, called = quoted(statement), f"shown as {setting.unit}"
        if of.sort == "rate" and (shown or (of.factor == _WHOLE and setting.unit in _UNSAID)):
            called = called if shown else "multiplied by 100"
            yield Remark(
                kind="rate-called-percentage",
                verdict=Verdict.FAIL,
                reason=f"`{part}` is {called}, but it is a number of {of.unit} per second, not a share of anything",
                hint="Divide it by the rate of all: `sum(rate(bad[5m])) / sum(rate(all[5m]))`",
            )
        elif of.sort in {"counter", "increase"} and shown:
            since = "since the process began" if of.sort == "counter" else "in its window"
            yield Remark(
                kind="count-called-percentage",
                verdict=Verdict.FAIL,
                reason=f"`{part}` is {called}, but it counts {of.unit or 'up'} {since}",
                hint="Divide its rate by the rate of all: `sum(rate(part[5m])) / sum(rate(all[5m]))`",
            )
        elif of.sort == "ratio" and of.factor == _WHOLE and setting.unit in _SHARES:
            yield Remark(
                kind="percent-called-ratio",
                verdict=Verdict.FAIL,
                reason=f"`{part}` is 100 for the whole, but is {called}, which takes 1 for the whole",
                hint="Leave the factor 100 out, or show it as percent",
            )
        elif of.sort == "ratio" and of.factor == 1 and setting.unit == _PERCENT:
            yield Remark(
                kind="ratio-called-percent",
                verdict=Verdict.WARN,
                reason=f"`{part}` is 1 for the whole, but is {called}, which takes 100 for the whole",
                hint=f"Show it as percentunit, or multiply by 100: `100 * ({part})`",
            )


def _statements(tree: Any) -> Iterator[Any]:
    """The parts of a condition that are each compared with a number; else the whole."""
    node = unwrapped(tree)
    if isinstance(node, promql.BinaryExpr):
        operator = str(node.op)
        if operator in _SETS or operator == "or":
            yield from _statements(node.lhs)
            yield from _statements(node.rhs)
            return
        if operator in COMPARISONS and not _answers_bool(node):
            if _constant(node.rhs) is not None:
                yield from _statements(node.lhs)
            elif _constant(node.lhs) is not None:
                yield from _statements(node.rhs)
            return  # compared with another vector, 100 times a may well be right: `100 * a > 5 * b`
    yield node


def _answers_bool(comparison: Any) -> bool:
    return comparison.modifier is not None and comparison.modifier.return_bool


def _constant(node: Any) -> float | None:
    """The number that the expression always is; None where it is none."""
    node = unwrapped(node)
    match node:
        case promql.NumberLiteral():
            return float(node.val)
        case promql.UnaryExpr():
            inner = _constant(node.expr)
            return None if inner is None else -inner
        case promql.BinaryExpr():
            left, right = _constant(node.lhs), _constant(node.rhs)
            if left is None or right is None:
                return None
            match str(node.op):
                case "+":
                    return left + right
                case "-":
                    return left - right
                case "*":
                    return left * right
                case "/":
                    return left / right if right else None
    return None


def quantity(node: Any, is_counter: Callable[[str], bool]) -> Quantity | None:
    """What the expression counts; None where that is not certain."""
    node = unwrapped(node)
    match node:
        case promql.VectorSelector():
            return _of_metric(metric_name(node), is_counter)
        case promql.UnaryExpr() | promql.SubqueryExpr():
            return quantity(node.expr, is_counter)
        case promql.AggregateExpr():
            return quantity(node.expr, is_counter) if str(node.op) in _SAME_AGGREGATIONS else None
        case promql.Call():
            return _of_call(node, is_counter)
        case promql.BinaryExpr():
            return _of_operator(node, is_counter)
    return None


def _of_metric(name: str, is_counter: Callable[[str], bool]) -> Quantity | None:
    found = _UNIT.search(name)
    unit = found.group(1) if found else ""
    if is_counter(name):
        if name.endswith(("_bucket", "_count")):
            return Quantity(sort="counter", unit="events", factor=1)
        if unit != "seconds" and _OF_TIME.search(name):
            unit = ""
        elif not name.endswith("_sum"):  # the sum of what was observed, and of what, only its unit tells
            unit = unit or "events"
        return Quantity(sort="counter", unit=unit, factor=1)
    if unit == "ratio":
        return Quantity(sort="ratio", unit="", factor=1)
    return Quantity(sort="level", unit=unit, factor=1) if unit else None


def _of_call(node: Any, is_counter: Callable[[str], bool]) -> Quantity | None:
    name = node.func.name
    if name in {"rate", "irate", "increase"}:
        over = unwrapped(node.args[0])
        inner = quantity(over.vector_selector if isinstance(over, promql.MatrixSelector) else over, is_counter)
        if inner is None or inner.sort != "counter" or not inner.unit:
            return None
        if name == "increase":
            return replace(inner, sort="increase")
        if inner.unit == "seconds":  # seconds per second
            return replace(inner, sort="ratio", unit="")
        return replace(inner, sort="rate")
    if name in _SAME_FUNCTIONS:
        return next((found for argument in node.args if (found := quantity(argument, is_counter)) is not None), None)
    return None


def _of_operator(node: Any, is_counter: Callable[[str], bool]) -> Quantity | None:
    operator = str(node.op)
    left_number, right_number = _constant(node.lhs), _constant(node.rhs)
    left = None if left_number is not None else quantity(node.lhs, is_counter)
    right = None if right_number is not None else quantity(node.rhs, is_counter)
    if operator in COMPARISONS:
        if _answers_bool(node):
            return None
        return right if left_number is not None else left
    if operator in _SETS:
        return left
    match operator:
        case "*" if left is not None and right_number is not None:
            return replace(left, factor=left.factor * right_number)
        case "*" if right is not None and left_number is not None:
            return replace(right, factor=right.factor * left_number)
        case "/" if left is not None and right_number:
            return replace(left, factor=left.factor / right_number)
        case "/" if left is not None and right is not None and right.factor:
            same = left.sort == right.sort and left.unit == right.unit and left.unit
            return Quantity(sort="ratio", unit="", factor=left.factor / right.factor) if same else None
        case "+" | "-" if left_number is not None or right_number is not None:
            return left or right
        case "+" | "-" | "or":
            return left if left == right else None
    return None
