"""Follow labels through a PromQL expression, and find the operators that join on a label which one side cannot have."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import promql_parser as promql

from genesis_lib.checks.ask.promql import SET_OPERATORS, metric_name, unwrapped

__all__ = ["Conflict", "Labels", "conflicts", "labels_of"]

# Prometheus puts these on what it scrapes; it writes ALERTS itself, with the labels of the alerts.
_OF_TARGETS = frozenset({"job", "instance"})
_OF_ALERTS = frozenset({"ALERTS", "ALERTS_FOR_STATE"})
_CHOOSING = frozenset({"topk", "bottomk", "limitk", "limit_ratio"})
_UNKNOWABLE = frozenset({"absent", "absent_over_time", "info"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What is proven of the labels of each series: it has all of `sure`, none of `never`, and, if not None, no others than `only`."""

    sure: frozenset[str] = frozenset()
    only: frozenset[str] | None = None
    never: frozenset[str] = frozenset()

    def may_have(self, label: str) -> bool:
        """Whether a series may have the label."""
        return label not in self.never and (self.only is None or label in self.only)

    def kept(self, labels: Iterable[str]) -> "Labels":
        """What is left by an aggregation `by` these labels."""
        names = frozenset(labels)
        return Labels(sure=self.sure & names, only=frozenset(n for n in names if self.may_have(n)))

    def dropped(self, labels: Iterable[str]) -> "Labels":
        """What is left `without` these labels."""
        names = frozenset(labels)
        only = None if self.only is None else self.only - names
        return Labels(sure=self.sure - names, only=only, never=self.never | names)

    def perhaps(self, labels: Iterable[str]) -> "Labels":
        """The same where these labels may have been added, changed or removed."""
        names = frozenset(labels)
        only = None if self.only is None else self.only | names
        return Labels(sure=self.sure - names, only=only, never=self.never - names)


_NOTHING_KNOWN = Labels()
_NONE = Labels(only=frozenset())


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """An operator whose `lacking` side cannot have the `labels` that the other side has and on which both are joined."""

    operator: Any
    lacking: Any
    having: Any
    labels: tuple[str, ...]


def conflicts(tree: Any, recorded: frozenset[str]) -> tuple[Conflict, ...]:
    """Every operator in the expression that can match nothing, because of what an aggregation has dropped."""
    found: list[Conflict] = []
    _flow(tree, recorded, found)
    return tuple(found)


def labels_of(tree: Any, recorded: frozenset[str]) -> Labels | None:
    """The labels of the answer; None for a scalar or a string."""
    return _flow(tree, recorded, [])


def _flow(node: Any, recorded: frozenset[str], found: list[Conflict]) -> Labels | None:
    match node:
        case promql.VectorSelector():
            return _selected(node, recorded)
        case promql.MatrixSelector():
            return _selected(node.vector_selector, recorded)
        case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            return _flow(node.expr, recorded, found)
        case promql.AggregateExpr():
            return _aggregated(node, _flow(node.expr, recorded, found) or _NOTHING_KNOWN)
        case promql.Call():
            return _called(node, [_flow(argument, recorded, found) for argument in node.args])
        case promql.BinaryExpr():
            left, right = _flow(node.lhs, recorded, found), _flow(node.rhs, recorded, found)
            if left is None or right is None:
                return left or right
            found += _joined_on_nothing(node, left, right)
            return _combined(node, left, right)
        case _:
            return None


def _selected(node: Any, recorded: frozenset[str]) -> Labels:
    name = metric_name(node)
    if not name or name in recorded or ":" in name or name in _OF_ALERTS:
        return _NOTHING_KNOWN
    empty = {m.name for m in node.matchers.matchers if m.op == promql.MatchOp.Equal and m.value == ""}
    return Labels(sure=_OF_TARGETS - empty, never=frozenset(empty))


def _aggregated(node: Any, inner: Labels) -> Labels:
    operator, grouping = str(node.op), node.modifier
    if operator in _CHOOSING:
        return inner
    if grouping is None:
        left = _NONE
    elif grouping.type == promql.AggModifierType.By:
        left = inner.kept(grouping.labels)
    else:
        left = inner.dropped(grouping.labels)
    return left.perhaps([unwrapped(node.param).val]) if operator == "count_values" else left


def _called(node: Any, arguments: list[Labels | None]) -> Labels | None:
    name = node.func.name
    if node.func.return_type in (promql.ValueType.Scalar, promql.ValueType.String):
        return None
    vectors = [labels for labels in arguments if labels is not None]
    if name in _UNKNOWABLE or len(vectors) > 1:
        return _NOTHING_KNOWN
    if not vectors:
        return _NONE  # vector(1), and hour() of now
    if name in {"label_replace", "label_join"}:
        return vectors[0].perhaps([unwrapped(node.args[1]).val])
    return vectors[0].dropped(["le"]) if name.startswith("histogram_") else vectors[0]


def _combined(node: Any, left: Labels, right: Labels) -> Labels:
    operator, modifier = str(node.op), node.modifier
    if operator == "or":
        return _either(left, right)
    if operator in SET_OPERATORS:
        return left
    if modifier is not None and modifier.card == promql.VectorMatchCardinality.ManyToOne:
        return _with_copied(left, right, modifier.group_labels or [])
    if modifier is not None and modifier.card == promql.VectorMatchCardinality.OneToMany:
        return _with_copied(right, left, modifier.group_labels or [])
    matching = None if modifier is None else modifier.matching
    if matching is not None and matching.type == promql.LabelModifierType.Include:
        both = replace(left, sure=left.sure | right.sure, never=left.never | right.never)
        return both.kept(matching.labels)
    return left.dropped(matching.labels) if matching is not None else left


def _either(left: Labels, right: Labels) -> Labels:
    only = None if left.only is None or right.only is None else left.only | right.only
    never = frozenset(n for n in left.never | right.never if not (left.may_have(n) or right.may_have(n)))
    return Labels(sure=left.sure & right.sure, only=only, never=never)


def _with_copied(many: Labels, one: Labels, copied: Iterable[str]) -> Labels:
    names = frozenset(copied)
    result = many.perhaps(names)
    return replace(result, sure=result.sure | (names & one.sure))


def _joined_on_nothing(node: Any, left: Labels, right: Labels) -> Iterator[Conflict]:
    if str(node.op) == "or" or _filled(node):
        return
    matching = None if node.modifier is None else node.modifier.matching
    on = matching is not None and matching.type == promql.LabelModifierType.Include
    named = frozenset(matching.labels) if matching is not None else frozenset[str]()
    for lacking, having, lacking_node, having_node in (
        (left, right, node.lhs, node.rhs),
        (right, left, node.rhs, node.lhs),
    ):
        joined = having.sure & named if on else having.sure - named
        missing = tuple(sorted(label for label in joined if not lacking.may_have(label)))
        if missing:
            yield Conflict(
                operator=node, lacking=unwrapped(lacking_node), having=unwrapped(having_node), labels=missing
            )


def _filled(node: Any) -> bool:
    fill = None if node.modifier is None else node.modifier.fill_values
    return fill is not None and (fill.lhs is not None or fill.rhs is not None)
