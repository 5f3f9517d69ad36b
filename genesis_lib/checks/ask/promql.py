"""Take a PromQL expression apart: which series it selects, and what may rightly make its answer empty."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import promql_parser as promql

from genesis_lib import syntax

__all__ = [
    "COMPARISONS",
    "SET_OPERATORS",
    "Expression",
    "Selector",
    "Unparsable",
    "calls",
    "children",
    "metric_name",
    "parse",
    "quoted",
    "selectors",
    "unwrapped",
    "walk",
]

COMPARISONS = frozenset({"==", "!=", ">", "<", ">=", "<="})
SET_OPERATORS = frozenset({"and", "or", "unless"})
_EMPTYING = frozenset({"and", "unless"})
# The line breaks of prettify() and its indents; what stands between quotes is kept.
_BREAKS = re.compile(rf"({syntax.STRING})|(?<=\()\s+|\s+(?=\))|(\s)\s*")
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
        inner = ", ".join(f"{label}{op}{syntax.quote(value)}" for label, op, value in self.matchers)
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
        tree = syntax.tree(text)
    except ValueError as error:
        return Unparsable(text=text, reason=str(error))
    filters = False
    for node in walk(tree):
        if isinstance(node, promql.BinaryExpr):
            operator = str(node.op)
            filters |= operator in _EMPTYING or (
                operator in COMPARISONS and not getattr(node.modifier, "return_bool", False)
            )
        elif isinstance(node, promql.Call):
            filters |= node.func.name.startswith("absent")
    return Expression(text=text, selectors=selectors(tree), filters=filters)


def selectors(tree: Any) -> tuple[Selector, ...]:
    """The distinct vector selectors in it, in the order of the text."""
    found = (
        _selector(node, absence_wanted=absent)
        for node, absent in _walk(tree)
        if isinstance(node, promql.VectorSelector)
    )
    return tuple(dict.fromkeys(found))


def children(node: Any) -> list[Any]:
    """The expressions directly inside this one, in the order of the text."""
    match node:
        case promql.Call():
            return list(node.args)
        case promql.BinaryExpr():
            return [node.lhs, node.rhs]
        case promql.AggregateExpr():
            return [node.expr, *([node.param] if node.param is not None else [])]
        case promql.MatrixSelector():
            return [node.vector_selector]
        case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            return [node.expr]
        case _:
            return []


def unwrapped(node: Any) -> Any:
    """The expression inside any parentheses."""
    while isinstance(node, promql.ParenExpr):
        node = node.expr
    return node


def calls(tree: Any) -> Iterator[tuple[str, Any, Any]]:
    """Each function call in it that has arguments: the function's name, the first argument without parentheses, the call."""
    for node in walk(tree):
        if isinstance(node, promql.Call) and node.args:
            yield node.func.name, unwrapped(node.args[0]), node


def quoted(node: Any) -> str:
    """The expression in one line, to be quoted in a sentence."""
    return _BREAKS.sub(lambda found: found[1] or (" " if found[2] else ""), node.prettify().strip())


def walk(tree: Any) -> Iterator[Any]:
    """The expression and all inside it, in the order of the text."""
    return (node for node, _ in _walk(tree))


def metric_name(selector: Any) -> str:
    """The name that a vector selector asks for; empty where only labels select. `{__name__="x"}` is another way to write `x`."""
    equal = (m.value for m in selector.matchers.matchers if m.name == "__name__" and m.op == promql.MatchOp.Equal)
    return str(selector.name or next(equal, ""))


def _walk(tree: Any) -> Iterator[tuple[Any, bool]]:
    stack = [(tree, False)]
    while stack:
        node, in_absent = stack.pop()
        yield node, in_absent
        in_absent = in_absent or (isinstance(node, promql.Call) and node.func.name.startswith("absent"))
        stack += [(child, in_absent) for child in reversed(children(node))]


def _selector(node: Any, *, absence_wanted: bool) -> Selector:
    found = [(m.name, next(sign for op, sign in _OPERATORS if op == m.op), m.value) for m in node.matchers.matchers]
    matchers = tuple(m for m in found if not (m[0] == "__name__" and m[1] == "="))
    return Selector(name=metric_name(node), matchers=matchers, absence_wanted=absence_wanted)
