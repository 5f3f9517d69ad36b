"""Take a PromQL expression apart: which series it selects, and what may rightly make its answer empty."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import promql_parser as promql

__all__ = ["Expression", "Selector", "Unparsable", "parse"]

_COMPARISONS = {"==", "!=", ">", "<", ">=", "<="}
_SETS = {"and", "unless"}
_OPERATORS = (
    (promql.MatchOp.Equal, "="),
    (promql.MatchOp.NotEqual, "!="),
    (promql.MatchOp.Re, "=~"),
    (promql.MatchOp.NotRe, "!~"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """One vector selector: its metric name (empty where only labels select), matchers as (label, operator, value).

    `absence_wanted` says that it stands inside absent(), which is made to be asked of what is not there.
    """

    name: str
    matchers: tuple[tuple[str, str, str], ...]
    absence_wanted: bool

    @property
    def text(self) -> str:
        """As an instant selector, without range or offset."""
        if not self.matchers:
            return self.name
        inner = ", ".join(f"{label}{op}{json.dumps(value, ensure_ascii=False)}" for label, op, value in self.matchers)
        return f"{self.name}{{{inner}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A parsed expression. `filters` says that a comparison, `and`, `unless` or absent() may rightly leave nothing of living inputs."""

    text: str
    selectors: tuple[Selector, ...]
    filters: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Unparsable:
    """Text that is not PromQL, and the parser's reason."""

    text: str
    reason: str


def parse(text: str) -> Expression | Unparsable:
    """Parse PromQL; never raises."""
    try:
        tree = promql.parse(text)
    except ValueError as error:
        return Unparsable(text=text, reason=str(error))
    selectors: dict[Selector, None] = {}
    filters = False
    for node, in_absent in _walk(tree, in_absent=False):
        if isinstance(node, promql.VectorSelector):
            selectors[_selector(node, absence_wanted=in_absent)] = None
        elif isinstance(node, promql.BinaryExpr):
            operator = str(node.op)
            filters |= operator in _SETS or (
                operator in _COMPARISONS and not getattr(node.modifier, "return_bool", False)
            )
        elif isinstance(node, promql.Call):
            filters |= node.func.name.startswith("absent")
    return Expression(text=text, selectors=tuple(selectors), filters=filters)


def _walk(node: Any, *, in_absent: bool) -> Iterator[tuple[Any, bool]]:
    yield node, in_absent
    if isinstance(node, promql.Call):
        in_absent = in_absent or node.func.name.startswith("absent")
        children = list(node.args)
    elif isinstance(node, promql.BinaryExpr):
        children = [node.lhs, node.rhs]
    elif isinstance(node, promql.AggregateExpr):
        children = [node.expr, *([node.param] if node.param is not None else [])]
    elif isinstance(node, promql.MatrixSelector):
        children = [node.vector_selector]
    elif isinstance(node, promql.ParenExpr | promql.UnaryExpr | promql.SubqueryExpr):
        children = [node.expr]
    else:
        children = []
    for child in children:
        yield from _walk(child, in_absent=in_absent)


def _selector(node: Any, *, absence_wanted: bool) -> Selector:
    found = [(m.name, next(sign for op, sign in _OPERATORS if op == m.op), m.value) for m in node.matchers.matchers]
    # `{__name__="x"}` is another way to write `x`.
    named = next((value for label, op, value in found if label == "__name__" and op == "="), "")
    matchers = tuple(m for m in found if not (m[0] == "__name__" and m[1] == "="))
    return Selector(name=node.name or named, matchers=matchers, absence_wanted=absence_wanted)
