"""Find operators and quantiles that give nothing, because an aggregation has dropped the label that they need."""

from collections.abc import Iterator
from typing import Any

import promql_parser as promql

from genesis_lib.checks.ask.promql import calls, children, metric_name, quoted, unwrapped
from genesis_lib.checks.lint import label_flow
from genesis_lib.checks.lint.remarks import Remark, Setting
from genesis_lib.model import Verdict

__all__ = ["dropped_labels", "histograms"]


def histograms(tree: Any, setting: Setting) -> Iterator[Remark]:
    """Quantiles of buckets that lost their bounds, or that count since the process began."""
    for name, _, call in calls(tree):
        if name != "histogram_quantile":
            continue
        buckets = [n for n in _raw(call.args[1], into_ranges=True) if "_bucket" in metric_name(n)]
        if not buckets:
            continue  # a native histogram has no label le
        labels = label_flow.labels_of(call.args[1], setting.recorded)
        if labels is not None and not labels.may_have("le"):
            yield Remark(
                kind="histogram-without-le",
                verdict=Verdict.FAIL,
                reason=f"`{quoted(call)}`: the aggregation drops the label le, by which histogram_quantile() knows the buckets, "
                "so the answer is empty",
                hint="Keep le in the aggregation: `sum by (le) (rate(…_bucket[5m]))`",
            )
        for selector in _raw(call.args[1], into_ranges=False):
            metric = metric_name(selector)
            if metric.endswith("_bucket") and setting.kind_of(metric) == "counter":
                yield Remark(
                    kind="histogram-since-start",
                    verdict=Verdict.WARN,
                    reason=f"`{quoted(call)}`: {metric} counts since the process began, so the quantile is of all time and hardly moves",
                    hint=f"Take the rate of the buckets: `rate({quoted(selector)}[5m])`",
                )


def _raw(tree: Any, *, into_ranges: bool) -> Iterator[Any]:
    """The selectors in it; without those under a range, or in a difference, which is an increase written by hand."""
    node = unwrapped(tree)
    if isinstance(node, promql.VectorSelector):
        yield node
    by_hand = isinstance(node, promql.BinaryExpr) and str(node.op) == "-"
    if into_ranges or not (by_hand or isinstance(node, promql.MatrixSelector | promql.SubqueryExpr)):
        for child in children(node):
            yield from _raw(child, into_ranges=into_ranges)


def dropped_labels(tree: Any, setting: Setting) -> Iterator[Remark]:
    """Operators that match nothing, because one side has lost the labels that they join on."""
    for conflict in label_flow.conflicts(tree, setting.recorded):
        labels, lacking, having = ", ".join(conflict.labels), quoted(conflict.lacking), quoted(conflict.having)
        grouping: Any = getattr(conflict.lacking, "modifier", None)
        by = isinstance(grouping, promql.AggModifier) and grouping.type == promql.AggModifierType.By
        if by and grouping.labels:
            operator, names = str(conflict.lacking.op), ", ".join([*grouping.labels, *conflict.labels])
            hint = f"Keep what is joined on: `{operator} by ({names}) ({quoted(conflict.lacking.expr)})`"
        elif isinstance(conflict.having, promql.AggregateExpr):
            hint = "Aggregate both sides by the same labels"
        else:
            hint = f"Aggregate both sides alike, e.g. `sum({having})`, or say by `on (…)` which labels join"
        yield Remark(
            kind="join-on-dropped-label",
            verdict=Verdict.FAIL,
            reason=f"`{quoted(conflict.operator)}` joins on {labels}, which `{having}` has and `{lacking}` has not, so nothing matches",
            hint=hint,
        )
