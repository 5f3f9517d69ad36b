"""Ask Prometheus each distinct question once, and what it knows of the series behind it; bounded, however many series there are.

In the order of the rounds: how many series each selector has and how new they are; the answers of the expressions, as long as they are
not too long to fetch; and only of what is dead, when it was last seen, which of its labels match nothing, and what has a similar name.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any, TypeVar

from genesis_lib.checks import targets
from genesis_lib.checks.ask import promql, scraping
from genesis_lib.checks.ask.promql import Expression, Selector
from genesis_lib.checks.targets import TargetFacts
from genesis_lib.errors import SourceError
from genesis_lib.model import Answer, Cause, Missing, Sample
from genesis_lib.run import Run

__all__ = ["MEMORY", "OF_THE_SERVER", "LadderFacts", "Past", "Pulse", "Reply", "alone", "gather", "offered"]

# Series that the server makes itself; their absence means that nothing is active.
OF_THE_SERVER = {"ALERTS", "ALERTS_FOR_STATE"}
# How far back a metric may have lived to count as "vanished" and not as "never existed".
MEMORY = timedelta(days=14)
# An answer never has more series than its selectors have; where those have more than this, it is counted on the server, not fetched.
_MOST_SERIES = 2_000
_MOST_NAMES = 20_000
_OFFERED = 5
# Between which of these a metric ended is asked in one question; exactly when would cost the server a thousand times more.
_WINDOWS_S = (60, 300, 900, 3600, 21_600, 86_400)
_COLLECTORS = "node_scrape_collector_success"

T = TypeVar("T")
Vector = Answer[tuple[Sample, ...]] | Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """One selector: how many series it has, and by job the time (seconds since the epoch) of their newest sample."""

    series: int
    newest: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A metric without series now: whether it had any within memory, whose they were, and between how many seconds ago they ended.

    `ended_s` is None where that is not known, or longer ago than was looked at.
    """

    existed: bool
    jobs: tuple[str, ...]
    ended_s: tuple[float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What an expression yields: the number of series, and the series themselves where they are not too many to fetch."""

    series: int
    samples: tuple[Sample, ...] | None


@dataclass(frozen=True, kw_only=True)
class LadderFacts:
    """What Prometheus answered to expressions, and what it knows of the series they select.

    `replies` is by expression, `pulses` by selector (and, for one that is dead, also by its metric's name), `pasts` by the name of a metric
    that is dead, `looks` by the query that was asked to find out which labels match nothing.

    `names` are all metric names of the last 14 days, or None where there was no need to ask;
    `collectors` are the node exporter's, 1 for each that works.
    """

    replies: Mapping[str, Answer[Reply] | Missing]
    pulses: Mapping[str, Answer[Pulse] | Missing]
    pasts: Mapping[str, Answer[Past] | Missing]
    looks: Mapping[str, Vector]
    names: Answer[tuple[str, ...]] | Missing | None
    collectors: Vector | None
    targets: TargetFacts

    @cached_property
    def parsed(self) -> Mapping[str, Expression]:
        """Each expression that was asked, taken apart."""
        return {text: e for text in self.replies if isinstance(e := promql.parse(text), Expression)}

    @cached_property
    def declared(self) -> Mapping[str, str]:
        """Which expected job exposes which metric, as the environment declares it."""
        return {metric: job for job, target in self.targets.expected.items() for metric in target.metrics}

    @cached_property
    def unknown(self) -> frozenset[str]:
        """The metrics that are asked for, and that nobody exposes, declares, or had within memory."""
        asked = {s.name for e in self.parsed.values() for s in e.selectors if s.name}
        return frozenset(
            name
            for name in asked - self.declared.keys() - OF_THE_SERVER
            if not self.is_alive(name) and isinstance(past := self.pasts.get(name), Answer) and not past.value.existed
        )

    def interval_s(self, job: str) -> float:
        """The longest scrape interval of a job's targets; of all, where it has none that are known."""
        return scraping.interval_s(self.targets, job)

    def has_failing_target(self, job: str) -> bool:
        """Whether the last scrape of some target of this job failed, though it may count as up by those before."""
        listing = self.targets.listing
        active = () if isinstance(listing, Missing) else listing.value.active
        return any(t.job == job and t.health == "down" for t in active)

    def is_alive(self, selector: str) -> bool:
        """Whether series of this selector were found."""
        pulse = self.pulses.get(selector)
        return isinstance(pulse, Answer) and pulse.value.series > 0


def gather(run: Run, expressions: Iterable[str]) -> LadderFacts:
    """Ask each distinct expression once, then what is known of the selectors in it."""
    parsed = (promql.parse(text) for text in dict.fromkeys(expressions))
    good = [e for e in parsed if isinstance(e, Expression)]
    selectors = dict.fromkeys(s for e in good for s in e.selectors)
    pulses = _pulses(run, (s.text for s in selectors))
    dead = [s for s in selectors if _is_dead(pulses[s.text])]
    pulses |= _pulses(run, (s.name for s in dead if s.name and s.name not in pulses))
    replies = run.ask_all({e.text: _reply(run, e, pulses) for e in good})

    lost = {s.name for s in dead if s.name and _is_dead(pulses[s.name])} - OF_THE_SERVER
    partly = [s for s in dead if s.name and not _is_dead(pulses[s.name])]
    questions = [q for s in partly for m in s.matchers for q in (alone(s.name, m), offered(s.name, m[0]))]
    looks = run.ask_all({text: _query(run, text) for text in dict.fromkeys(questions)})
    facts = LadderFacts(
        replies=replies,
        pulses=pulses,
        pasts=run.ask_all({name: _past(run, name) for name in lost}),
        looks=looks,
        names=None,
        collectors=None,
        targets=targets.gather(run),
    )
    return _with_names(run, facts) if facts.unknown else facts


def alone(name: str, matcher: tuple[str, str, str]) -> str:
    """How many series of this metric match this one condition."""
    return f"count({Selector(name=name, matchers=(matcher,), absence_wanted=False).text})"


def offered(name: str, label: str) -> str:
    """The commonest values that this label has on this metric, a few of them."""
    return f"topk({_OFFERED}, count by ({label}) ({name}))"


def _pulses(run: Run, selectors: Iterable[str]) -> dict[str, Answer[Pulse] | Missing]:
    return run.ask_all({text: _pulse(run, text) for text in dict.fromkeys(selectors)})


def _pulse(run: Run, selector: str) -> Callable[[], Answer[Pulse]]:
    # One question, two answers: told apart by a label of ours.
    count = f'label_replace(count by (job) ({selector}), "genesis", "series", "", "")'
    newest = f'label_replace(max by (job) (timestamp({selector})), "genesis", "newest", "", "")'

    def ask() -> Answer[Pulse]:
        answer = run.prometheus.query(f"{count} or {newest}", at=run.as_of)
        found: dict[str, dict[str, float]] = {"series": {}, "newest": {}}
        for sample in answer.value:
            if isinstance(sample.value, float):
                found[sample.labels["genesis"]][sample.labels.get("job", "")] = sample.value
        return _changed(answer, Pulse(series=int(sum(found["series"].values())), newest=found["newest"]))

    return ask


def _reply(
    run: Run, expression: Expression, pulses: Mapping[str, Answer[Pulse] | Missing]
) -> Callable[[], Answer[Reply]]:
    most = sum(p.value.series for s in expression.selectors if isinstance(p := pulses[s.text], Answer))

    def fetch() -> Answer[Reply]:
        answer = run.prometheus.query(expression.text, at=run.as_of)
        return _changed(answer, Reply(series=len(answer.value), samples=answer.value))

    def count_first() -> Answer[Reply]:
        try:
            answer = run.prometheus.query(f"count({expression.text})", at=run.as_of)
        except SourceError as error:
            if error.cause is Cause.INVALID:  # a single number cannot be counted
                return fetch()
            raise
        value = answer.value[0].value if answer.value else 0.0
        count = int(value) if isinstance(value, float) else 0
        return fetch() if 0 < count <= _MOST_SERIES else _changed(answer, Reply(series=count, samples=None))

    return fetch if most <= _MOST_SERIES else count_first


def _past(run: Run, name: str) -> Callable[[], Answer[Past]]:
    """Of its labels, which cost the server little, whether there was such a metric; of its samples, only of the last day, until when."""
    windows = " or ".join(
        f'label_replace(count by (job) (last_over_time({name}[{w}s])), "genesis", "{w}", "", "")' for w in _WINDOWS_S
    )

    def values(label: str) -> Answer[tuple[str, ...]]:
        return run.prometheus.label_values(label, start=run.as_of - MEMORY, end=run.as_of, matchers=[name])

    def ask() -> Answer[Past]:
        known = values("__name__")
        if not known.value:
            return _changed(known, Past(existed=False, jobs=(), ended_s=None))
        jobs = values("job").value
        found = run.ask(_query(run, windows))
        samples = () if isinstance(found, Missing) else found.value
        within = min((float(s.labels["genesis"]) for s in samples), default=None)
        before = max((w for w in _WINDOWS_S if within is not None and w < within), default=0.0)
        return _changed(known, Past(existed=True, jobs=jobs, ended_s=None if within is None else (before, within)))

    return ask


def _with_names(run: Run, facts: LadderFacts) -> LadderFacts:
    """The same facts with what else there is, for metrics that nobody exposes."""
    start, prometheus = run.as_of - MEMORY, run.prometheus
    names = run.ask(lambda: prometheus.label_values("__name__", start=start, end=run.as_of, limit=_MOST_NAMES))
    is_nodes = any(name.startswith("node_") for name in facts.unknown)
    return LadderFacts(
        replies=facts.replies,
        pulses=facts.pulses,
        pasts=facts.pasts,
        looks=facts.looks,
        names=names,
        collectors=run.ask(_query(run, _COLLECTORS)) if is_nodes else None,
        targets=facts.targets,
    )


def _query(run: Run, text: str) -> Callable[[], Answer[tuple[Sample, ...]]]:
    return lambda: run.prometheus.query(text, at=run.as_of)


def _is_dead(pulse: Answer[Pulse] | Missing) -> bool:
    return isinstance(pulse, Answer) and pulse.value.series == 0


def _changed(answer: Answer[Any], value: T) -> Answer[T]:
    return Answer(
        value=value, evidence=answer.evidence, asked_at=answer.asked_at, warnings=answer.warnings, infos=answer.infos
    )
