"""Ask the environment's Prometheus what Grafana would ask it for a variable's options: of what lives at the run's instant, and bounded."""

import re
from collections.abc import Mapping
from datetime import timedelta

import promql_parser as promql

from genesis_lib.checks.ask.promql import Selector
from genesis_lib.errors import SourceError
from genesis_lib.model import Answer, Cause, Missing, Sample
from genesis_lib.run import Run
from genesis_lib.syntax import tree

__all__ = ["ask"]

_MOST_OPTIONS = 1000
_WINDOW = timedelta(hours=1)
_LABEL = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_CALL = re.compile(r"(label_names|label_values|metrics|query_result)\((.*)\)", re.DOTALL)


def ask(run: Run, query: str) -> Answer[tuple[str, ...]] | Missing:
    """What `label_values(up, job)` and the like find: texts in the order in which Grafana lists them."""
    return run.ask(lambda: _ask(run, query))


def _ask(run: Run, query: str) -> Answer[tuple[str, ...]]:
    call = _CALL.fullmatch(query)
    prometheus, end = run.prometheus, run.as_of
    start = end - _WINDOW
    function, argument = (call[1], call[2].strip()) if call else ("", query)
    match function:
        case "label_names":
            selectors = [argument] if argument else []
            return prometheus.labels(start=start, end=end, matchers=selectors, limit=_MOST_OPTIONS)
        case "metrics":
            wanted = Selector(name="", matchers=(("__name__", "=~", f".*({argument}).*"),), absence_wanted=False)
            return prometheus.label_values(
                "__name__", start=start, end=end, matchers=[wanted.text], limit=_MOST_OPTIONS
            )
        case "label_values":
            selector, _, label = (part.strip() for part in argument.rpartition(","))
            if not _LABEL.fullmatch(label):
                raise SourceError(Cause.INVALID, f"{query}: {label or 'nothing'} is no name of a label")
            if selector and label != "__name__":
                return _label_values(run, selector, label)
            selectors = [selector] if selector else []
            return prometheus.label_values(label, start=start, end=end, matchers=selectors, limit=_MOST_OPTIONS)
        case "query_result":
            return _query_result(run, argument)
    found = prometheus.series([argument], start=start, end=end, limit=_MOST_OPTIONS)
    return _texts(found, [_series(labels) for labels in found.value])


def _label_values(run: Run, selector: str, label: str) -> Answer[tuple[str, ...]]:
    """Of the series that live at this very instant: the server's own list of values keeps the dead for hours."""
    try:
        is_selector = isinstance(tree(selector), promql.VectorSelector)
    except ValueError as error:
        raise SourceError(Cause.INVALID, f"{selector} cannot be parsed: {error}") from error
    if not is_selector:
        raise SourceError(Cause.INVALID, f"label_values() takes a selector of series, and {selector} is none")
    answer = run.prometheus.query(f"topk({_MOST_OPTIONS}, count by ({label}) ({selector}))", at=run.as_of)
    return _texts(answer, sorted(v for s in answer.value if (v := s.labels.get(label, ""))))


def _query_result(run: Run, expression: str) -> Answer[tuple[str, ...]]:
    try:
        answer = run.prometheus.query(f"topk({_MOST_OPTIONS}, {expression})", at=run.as_of)
    except SourceError as error:
        if error.cause is not Cause.INVALID:  # a single number has no topk, nor has what is wrong itself
            raise
        answer = run.prometheus.query(expression, at=run.as_of)
        return _texts(answer, [_number(sample) for sample in answer.value])
    return _texts(answer, [_result(sample) for sample in answer.value])


def _texts(answer: Answer[object], texts: list[str]) -> Answer[tuple[str, ...]]:
    return Answer(value=tuple(texts), evidence=answer.evidence, asked_at=answer.asked_at, warnings=answer.warnings)


def _result(sample: Sample) -> str:
    """As Grafana writes a result: `up{job="node"} 1 1700000000000`."""
    return f"{_series(sample.labels)} {_number(sample)} {sample.at.timestamp() * 1000:.0f}"


def _number(sample: Sample) -> str:
    return sample.value.detail if isinstance(sample.value, Missing) else f"{sample.value:.17g}"


def _series(labels: Mapping[str, str]) -> str:
    inner = ",".join(f'{name}="{value}"' for name, value in labels.items() if name != "__name__")
    return f"{labels.get('__name__', '')}{{{inner}}}"
