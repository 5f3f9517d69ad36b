"""The four kinds of indicator: what of the service is measured, and which events of it are good."""

import re
from datetime import timedelta
from typing import Annotated, Literal, Self

import promql_parser
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from genesis_lib import syntax
from genesis_lib.strict_yaml import Strict

__all__ = [
    "Duration",
    "EventsIndicator",
    "Indicator",
    "LatencyIndicator",
    "Query",
    "Share",
    "SlicesIndicator",
    "ValueIndicator",
    "split_selector",
]

_SELECTOR = re.compile(r"\s*([a-zA-Z_:][\w:]*)\s*(?:\{(.*)\})?\s*", re.DOTALL)


def _to_duration(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return promql_parser.parse_duration(value)
    except ValueError:
        raise ValueError(f"must be a duration such as 5m, 1h or 7d, not {value!r}") from None


def _is_query(value: str) -> str:
    try:
        syntax.tree(value)
    except ValueError as error:
        raise ValueError(f"is no PromQL: {error}; correct the query") from None
    return value


def _is_selector(value: str) -> str:
    _is_query(value)
    tree = syntax.tree(value)
    if not isinstance(tree, promql_parser.VectorSelector) or tree.offset or tree.at or not _SELECTOR.fullmatch(value):
        raise ValueError("must be one metric's name, with matchers or without, such as x_total{job='a'}; no function")
    return value


Duration = Annotated[timedelta, BeforeValidator(_to_duration)]
Selector = Annotated[str, AfterValidator(_is_selector)]
Query = Annotated[str, AfterValidator(_is_query)]
Share = Annotated[float, Field(gt=0, lt=1)]


class EventsIndicator(Strict):
    """The share of good, or bad, events of all: counters. `absent_bad: zero`: no series of bad events means that there were none."""

    kind: Literal["events"]
    good: Selector = ""
    bad: Selector = ""
    total: Selector
    absent_bad: Literal["zero", "unknown"] = "unknown"

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        if bool(self.good) == bool(self.bad):
            raise ValueError("needs either good or bad, and total")
        if self.good and self.absent_bad == "zero":
            raise ValueError("absent_bad is about bad events, and this counts good ones")
        return self


class LatencyIndicator(Strict):
    """A quantile of a histogram's durations (its name without suffix), in seconds; events that end within the target are good."""

    kind: Literal["latency"]
    histogram: Selector
    quantile: Share = 0.95


class SlicesIndicator(Strict):
    """The share of time slices in which a query's value is as it should be: `good` is a comparison such as `== 1`; each series counts."""

    kind: Literal["slices"]
    query: Query
    good: Annotated[str, Field(pattern=r"^(==|!=|<=|>=|<|>) *-?[0-9]+(\.[0-9]+)?(e-?[0-9]+)?$")]
    slice: Duration = timedelta(minutes=1)


class ValueIndicator(Strict):
    """The mean of a query's value over the window; its events are time slices, good where the value meets the target.

    `time_target` is the share of time in which it must. With `series: many` each series answers for itself, and the worst decides.
    """

    kind: Literal["value"]
    query: Query
    slice: Duration = timedelta(minutes=1)
    time_target: Share
    series: Literal["one", "many"] = "one"


Indicator = Annotated[
    EventsIndicator | LatencyIndicator | SlicesIndicator | ValueIndicator, Field(discriminator="kind")
]


def split_selector(selector: str) -> tuple[str, str]:
    """A selector's metric name, and what stands between its braces."""
    match = _SELECTOR.fullmatch(selector)
    if match is None:
        raise ValueError(f"{selector!r} is no plain selector")
    return match[1], (match[2] or "").strip().rstrip(",")
