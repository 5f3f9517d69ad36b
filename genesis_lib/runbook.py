"""Open a run, and ask all that can be asked of it: the one object that notebooks and the command line hold."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genesis_lib import run as runs
from genesis_lib import snapshot
from genesis_lib.checks.registry import CHECKS
from genesis_lib.demo import stack
from genesis_lib.demo.stack import Stack
from genesis_lib.errors import ParameterError, RunError
from genesis_lib.model import Finding, Missing, severity
from genesis_lib.params import Environment, load_environment, project_root
from genesis_lib.policy import Policy, load_policy
from genesis_lib.readiness import waivers
from genesis_lib.readiness.decision import decide
from genesis_lib.readiness.judgement import Judgement
from genesis_lib.readiness.roots import rooted
from genesis_lib.readiness.score import score
from genesis_lib.run import Run
from genesis_lib.slo.facts import SloFacts
from genesis_lib.slo.status import Status, applicable, statuses

if TYPE_CHECKING:
    import pandas as pd

    from genesis_lib.readiness.checklist import Tick
    from genesis_lib.slo.page import Page
    from genesis_lib.telemetry.spans import Span
    from genesis_lib.views.panel import Panel

__all__ = ["Runbook", "begin", "check", "open_run", "parse_instant"]


class Runbook:
    """One run and all that can be asked of it. Facts and findings are worked out once, when first asked for."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._facts: dict[str, Any] = {}
        self._judged: dict[str, list[Finding]] = {}

    def __repr__(self) -> str:
        kind = "replayed from its record" if self.run.evidence.replay else "live, recorded as it is asked"
        return f"Run {self.run.run_id} of {self.run.environment.name} as of {self.run.as_of:%Y-%m-%d %H:%M:%S} UTC ({kind})"

    @property
    def as_of(self) -> datetime:
        """The instant that is judged, in UTC."""
        return self.run.as_of

    @property
    def path(self) -> str:
        """The run's folder as one would type it in the project."""
        return f"outputs/{self.run.environment.name}/{self.run.run_id}"

    def facts(self, check: str) -> Any:
        """What a check gathered (`services`, `targets`, …): see the check's own module for its shape."""
        if check not in self._facts:
            self._facts[check] = CHECKS[check].gather(self.run)
        return self._facts[check]

    def findings(self, *checks: str) -> list[Finding]:
        """The findings of these checks, waivers applied; without a name, of all that policy lists, and of the waivers themselves.

        Only what is asked for is gathered.
        """
        if not checks:
            return self._all
        return [f for f in self._some(checks) if f.check.partition(".")[0] in checks]

    def waiver_remarks(self, *checks: str) -> list[Finding]:
        """What is to be said of the waivers of these checks' findings: expired, or excusing nothing."""
        return [f for f in self._some(checks) if f.check == waivers.CLAIM]

    def _some(self, checks: Sequence[str]) -> list[Finding]:
        mine = [w for w in self.run.policy.waivers if w.check.partition(".")[0] in checks]
        return waivers.apply(self._owned(checks), mine, today=self.as_of.date())

    def checklist(self) -> "list[Tick]":
        """The day-0 report's ticked lines of tasks 1 to 4, each answered by findings."""
        from genesis_lib.readiness.checklist import tick

        return tick(self.run.policy.checklist, self.findings())

    def series(self, expression: str, *, window: timedelta, step: timedelta) -> "pd.DataFrame | Missing":
        """A PromQL expression over the window that ends at the run's instant: UTC times down, a column for each series."""
        from genesis_lib import charts

        return charts.series(self.run, expression, window=window, step=step)

    def query_panels(self, *, hours: float) -> "list[Panel]":
        """The policy's queries as small charts over the last hours, or why there is nothing to draw."""
        from genesis_lib import charts

        return charts.of_queries(
            self.run, self.facts("queries"), self.findings("queries"), window=timedelta(hours=hours)
        )

    def dashboard_panels(self, *, hours: float) -> "list[Panel]":
        """What each panel of each dashboard shows, drawn from the same queries, or why it shows nothing."""
        from genesis_lib import charts

        shown = self.findings("dashboards")
        return charts.of_dashboards(self.run, self.facts("dashboards"), shown, window=timedelta(hours=hours))

    def trace(self) -> "tuple[Span, ...] | Missing":
        """The steps of the run and the questions asked in them, as far as they have ended: `timeline.timeline` draws them."""
        from genesis_lib.telemetry.spans import read_spans

        return read_spans(self.run.folder)

    @cached_property
    def slos(self) -> SloFacts:
        """What was gathered about the objectives; those that do not apply are named in it, with the reason."""
        return applicable(self.facts("slos").slos, at=self.as_of)

    def objectives(self) -> tuple[Status, ...]:
        """The status of each objective that applies to the environment."""
        return statuses(self.slos, at=self.as_of)

    def objective(self, name: str = "", *, hours: float = 0, split: str = "") -> "Page":
        """One objective (empty: the worst off), drawn over the last hours (0: its period), split by a label (empty: its own).

        Raises:
            ParameterError: there is no objective of this name here, or none at all; or hours are negative.

        """
        from genesis_lib.slo.page import pages

        worst_first = sorted(self.objectives(), key=lambda status: severity(status.verdict), reverse=True)
        names = [status.objective.name for status in worst_first]
        name = name or next(iter(names), "")
        if hours < 0:
            raise ParameterError(f"hours {hours:g}: must be over 0, or 0 for the objective's period")
        found = [one for one in self.slos.objectives if one.objective.name == name]
        if not found:
            raise ParameterError(f"{name}: no objective of this environment; there are {', '.join(names) or 'none'}")
        window = timedelta(hours=hours) if hours else None
        return pages(self.run, found, self.findings("slos"), window=window, split=split or None)[0]

    def objective_pages(self) -> "list[Page]":
        """Every objective that applies, over its period."""
        from genesis_lib.slo.page import pages

        return pages(self.run, self.slos.objectives, self.findings("slos"))

    @property
    def bar(self) -> float:
        """The score that a GO needs."""
        return self.run.policy.readiness.bar

    @cached_property
    def judgement(self) -> Judgement:
        """All that policy lists, judged: findings, score, decision."""
        run, rubric = self.run, self.run.policy.readiness
        card = score(self._all, rubric.sections)
        return Judgement(
            environment=run.environment.name,
            title=run.environment.title,
            owner=run.environment.owner,
            chunk=run.environment.chunk,
            run_id=run.run_id,
            as_of=run.as_of,
            skew_s=float(runs.read_record(run.folder).get("skew_s", 0.0)),
            findings=tuple(self._all),
            card=card,
            decision=decide(self._all, card, rubric, at=run.as_of),
            not_applicable=tuple(
                f"This environment declares that it has no {_NAMES[name]}; nothing of it was judged."
                for name in _NAMES
                if getattr(run.environment, name) is None and name not in rubric.required_sources
            ),
        )

    @cached_property
    def _all(self) -> list[Finding]:
        names = dict.fromkeys(check for section in self.run.policy.readiness.sections for check in section.checks)
        return waivers.apply(self._owned(tuple(names)), self.run.policy.waivers, today=self.as_of.date())

    def _owned(self, checks: Sequence[str]) -> list[Finding]:
        """The findings of these checks, each with what it follows from and with an owner."""
        services = self._judge("services")  # what cannot be told may follow from a service that is silent
        found = rooted(
            [f for name in checks for f in self._judge(name)],
            services,
            services=self.run.environment.services,
            find=self.run.evidence.find,
        )
        owner = self.run.environment.owner
        return [f if f.owner else replace(f, owner=owner) for f in found]

    def _judge(self, check: str) -> list[Finding]:
        if check not in self._judged:
            facts = self.facts(check)
            self._judged[check] = CHECKS[check].findings(facts, self.run.policy, at=self.as_of)
        return self._judged[check]


_NAMES = {"prometheus": "Prometheus", "alertmanager": "Alertmanager", "grafana": "Grafana", "docker": "Docker engine"}


def open_run(environment: str = "demo", *, run: str = "", as_of: str = "") -> Runbook:
    """What a notebook's set-up cell calls: join a run, or begin one at this instant.

    Args:
        environment: a name in params/, or the path of a YAML file.
        run: a run folder to join; empty: a new run, marked interactive.
        as_of: the instant to judge, ISO 8601 (`2026-11-24T06:00:00Z`); empty: now. Only for a new run.

    Raises:
        GenesisError: parameters, run folder or embedded stack are not as they must be; the message says how to mend it.

    """
    root = project_root()
    if run:
        if as_of:
            raise RunError("as_of belongs to a new run; a run that is joined has its own")
        folder = Path(run) if Path(run).is_absolute() or Path(run).exists() else root / run
        sealed = (folder / "run.json").is_file() and runs.read_record(folder)["complete"]
        expect = None if sealed else load_environment(environment, root=root)
        joined = runs.open_folder(folder, root=root, expect=expect)
        if not joined.evidence.replay:
            _trace(joined)
        return Runbook(joined)
    loaded = load_environment(environment, root=root)
    return begin(loaded, root=root, as_of=as_of, interactive=True, embedded=_notebooks_stack(loaded, root))


def begin(
    environment: Environment,
    *,
    root: Path,
    as_of: str,
    interactive: bool,
    embedded: Stack | None,
    begun: Callable[[Run], None] | None = None,
) -> Runbook:
    """A new run, with the sources that only tell about now asked first; `embedded` is the stack to ask, where the environment has one.

    `begun` is told of the run before anything is asked.

    Raises:
        ParameterError: policy is wrong, a credential cannot be resolved, or `as_of` is no instant; nothing was written.

    """
    instant = parse_instant(as_of) if as_of else None
    policy = check(environment, root=root)
    addresses = embedded.moved if embedded else {}
    run = runs.create(environment, policy, root=root, as_of=instant, interactive=interactive, addresses=addresses)
    if begun:
        begun(run)
    snapshot.take(run)
    return Runbook(run)


def check(environment: Environment, *, root: Path) -> Policy:
    """The environment's policy, and a refusal of all that would stop a run, before anything is started or written.

    Raises:
        ParameterError: policy is wrong or lists a check that does not exist, or a credential cannot be resolved.

    """
    policy = load_policy(environment.file(environment.policy), root=root)
    unknown = {name for section in policy.readiness.sections for name in section.checks} - set(CHECKS)
    if unknown:
        raise ParameterError(
            f"readiness.yaml lists unknown checks: {', '.join(sorted(unknown))}; known: {', '.join(CHECKS)}"
        )
    policy.slos.in_environment(environment.slos, shown_as=environment.path)
    environment.secrets()
    return policy


def _trace(run: Run) -> None:
    """Add to the run's trace what this notebook asks, if whoever executes it has begun one."""
    headers = {name: os.environ[name] for name in ("TRACEPARENT", "BAGGAGE") if name in os.environ}
    if headers:
        from genesis_lib.tracing import Carried, Trace

        Trace.joined(Carried(folder=run.folder, headers=headers)).watch(run.folder, run.evidence)


def _notebooks_stack(environment: Environment, root: Path) -> Stack | None:
    """The embedded stack for a notebook that runs by itself: the one that is up, else one that lives as long as its kernel."""
    if environment.embedded is None:
        return None
    running = stack.find(environment.name, project=root) or _started_here.get(environment.name)
    if running is None:
        running = stack.start(
            environment.embedded.scenario,
            environment=environment.name,
            project=root,
            tie_to_caller=True,
            progress=print,
        )
        _started_here[environment.name] = running
    return running


# Stacks that belong to this process; they end with it. Setting up again in the same kernel finds them here.
_started_here: dict[str, Stack] = {}


def parse_instant(text: str) -> datetime:
    """An ISO 8601 instant; without an offset it is UTC.

    Raises:
        ParameterError: it is no instant.

    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise ParameterError(f"as_of: {text!r} is no ISO 8601 instant such as 2026-11-24T06:00:00Z") from error
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
