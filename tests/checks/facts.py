"""Facts of a healthy stack, to change one thing in."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from genesis_lib.checks.ask.series import LadderFacts, Past, Pulse, Reply
from genesis_lib.checks.targets import TargetFacts
from genesis_lib.clients.prometheus import Target as ScrapeTarget
from genesis_lib.clients.prometheus import Targets
from genesis_lib.model import Answer, Missing, Sample
from genesis_lib.params import Target
from tests.builders import AT, answer, vector

JOBS = ("node", "genesis-tests")


def scrape_target(job: str, *, error: str = "") -> ScrapeTarget:
    return ScrapeTarget(
        labels={"job": job, "instance": f"{job}:1"},
        discovered_labels={},
        scrape_pool=job,
        scrape_url=f"http://{job}:1/metrics",
        health="down" if error else "up",
        last_error=error,
        last_scrape=AT,
        interval_s=15.0,
    )


def target_facts(*, down: tuple[str, ...] = (), age_s: float = 5.0) -> TargetFacts:
    """Two jobs, `node` and `genesis-tests`, of which some are down."""
    errors = dict.fromkeys(down, "connection refused")
    return TargetFacts(
        exposed={"genesis-tests": vector(({"__name__": "genesis_tests_total"}, 1.0))},
        expected={"node": Target(count=1), "genesis-tests": Target(count=1, metrics=("genesis_tests_total",))},
        scope={},
        listing=answer(
            Targets(active=tuple(scrape_target(j, error=errors.get(j, "")) for j in JOBS), dropped=0, dropped_labels=())
        ),
        limits=answer(dict.fromkeys(JOBS, 0)),
        up=vector(*(({"job": j, "instance": f"{j}:1"}, 0.0 if j in down else 1.0) for j in JOBS)),
        scraped_at=vector(*(({"job": j}, AT.timestamp() - age_s) for j in JOBS)),
        scraped=vector(*(({"job": j, "instance": f"{j}:1"}, 600.0) for j in JOBS)),
        kept=vector(*(({"job": j, "instance": f"{j}:1"}, 500.0) for j in JOBS)),
    )


def ladder_facts(
    *,
    answers: Mapping[str, Answer[tuple[Sample, ...]] | Missing],
    alive: Mapping[str, float] | Sequence[str] = (),
    dead: Sequence[str] = (),
    looks: Mapping[str, Answer[tuple[Sample, ...]] | Missing] | None = None,
    last_seen: Mapping[str, float] | None = None,
    lost: Mapping[str, Missing] | None = None,
    names: Answer[tuple[str, ...]] | Missing | None = None,
    collectors: Answer[tuple[Sample, ...]] | None = None,
    down: tuple[str, ...] = (),
    missed: tuple[str, ...] = (),
    job: str = "node",
) -> LadderFacts:
    """What Prometheus knows.

    Args:
        answers: by expression.
        alive: selectors that have one series, two seconds old or of the age given.
        dead: selectors that have none.
        looks: answers to what else is asked of the dead.
        last_seen: metrics that are dead, and how many seconds ago at the least they ended; those of `dead` without one never were.
        lost: metrics of whose past nothing could be learnt.
        names: the names that there are; None: not asked.
        collectors: what the node exporter says of its own.
        down: the jobs that are down.
        missed: the jobs that missed their last scrape.
        job: who has the series that are alive.

    """
    ages = alive if isinstance(alive, Mapping) else dict.fromkeys(alive, 2.0)
    pulses = {s: answer(Pulse(series=1, newest={job: AT.timestamp() - age})) for s, age in ages.items()}
    pulses |= {s: answer(Pulse(series=0, newest={})) for s in dead}
    pasts: dict[str, Answer[Past] | Missing] = {
        s: answer(Past(existed=False, jobs=(), ended_s=None)) for s in dead if "{" not in s
    }
    pasts |= {
        m: answer(Past(existed=True, jobs=(job,), ended_s=(age, 2 * age))) for m, age in (last_seen or {}).items()
    } | dict(lost or {})
    return LadderFacts(
        replies={text: _reply(a) for text, a in answers.items()},
        pulses=pulses,
        pasts=pasts,
        looks=dict(looks or {}),
        names=names,
        collectors=collectors,
        targets=replace(target_facts(down=down), listing=target_facts(down=(*down, *missed)).listing),
    )


def _reply(given: Answer[tuple[Sample, ...]] | Missing) -> Answer[Reply] | Missing:
    return given if isinstance(given, Missing) else answer(Reply(series=len(given.value), samples=given.value))


__all__ = ["ladder_facts", "scrape_target", "target_facts"]
