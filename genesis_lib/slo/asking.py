"""Put several questions to Prometheus as one, told apart by a label of ours."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from genesis_lib.model import Answer, Sample
from genesis_lib.run import Run

__all__ = ["PART", "changed", "instant", "union"]

T = TypeVar("T")
PART = "genesis"  # the label that names the question


def union(parts: Mapping[str, str]) -> str:
    """One expression for several; each of its series carries the name of its part."""
    return " or ".join(f'label_replace({expr}, "{PART}", "{name}", "", "")' for name, expr in parts.items())


def instant(run: Run, parts: Mapping[str, str]) -> Callable[[], Answer[Mapping[str, tuple[Sample, ...]]]]:
    """A question for the samples of each part at the run's instant; a part without any has an empty tuple."""

    def ask() -> Answer[Mapping[str, tuple[Sample, ...]]]:
        answer = run.prometheus.query(union(parts), at=run.as_of)
        found: dict[str, list[Sample]] = {name: [] for name in parts}
        for sample in answer.value:
            labels = {name: value for name, value in sample.labels.items() if name != PART}
            found[sample.labels[PART]].append(Sample(labels=labels, at=sample.at, value=sample.value))
        return changed(answer, {name: tuple(samples) for name, samples in found.items()})

    return ask


def changed(answer: Answer[Any], value: T) -> Answer[T]:
    """The same answer with another value, read from its own."""
    return Answer(
        value=value, evidence=answer.evidence, asked_at=answer.asked_at, warnings=answer.warnings, infos=answer.infos
    )
